//! WebSockets of hostile clients: the limits on a socket before and after it says who it is.

use crate::program;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tests::{Database, Role, Server, TestApp, fixtures};

/// An open socket.
pub struct Socket(TcpStream);

impl Socket {
    fn open(server: &Server) -> Self {
        Self::open_with(server, "host: a\r\n")
    }

    /// Opens a socket; `headers` are lines, with that of the host.
    pub fn open_with(server: &Server, headers: &str) -> Self {
        let address = server.address.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let head = format!(
            "GET /graphql/ws HTTP/1.1\r\n{headers}connection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
        }
        assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
        Self(stream)
    }

    /// Sends a text frame that says how long it is, with as much of it as there is.
    pub fn frame(&mut self, length: u64, payload: &[u8]) {
        let mut frame = vec![0x81];
        match length {
            0..126 => frame.push(0x80 | length as u8),
            126..65_536 => frame.extend([&[0x80 | 126][..], &(length as u16).to_be_bytes()].concat()),
            _ => frame.extend([&[0x80 | 127][..], &length.to_be_bytes()].concat()),
        }
        // With a mask of zeros the payload is unchanged.
        frame.extend([0; 4]);
        frame.extend(payload);
        self.0.write_all(&frame).unwrap();
    }

    /// The payload of the next frame with this opcode (RFC 6455, section 5.2). Other frames, as pings, are skipped.
    fn next(&mut self, opcode: u8) -> Vec<u8> {
        loop {
            let mut head = [0; 2];
            self.0.read_exact(&mut head).expect("a frame");
            let mut payload = vec![0; usize::from(head[1] & 0x7f)];
            self.0.read_exact(&mut payload).unwrap();
            if head[0] & 0x0f == opcode {
                return payload;
            }
        }
    }

    /// The code with which the server closes, and how long that took.
    pub fn closed(&mut self) -> (u16, Duration) {
        let began = Instant::now();
        let payload = self.next(8);
        (u16::from_be_bytes([payload[0], payload[1]]), began.elapsed())
    }

    /// Whether the server closes the connection within 2 s.
    fn is_gone(&mut self) -> bool {
        self.0.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        match self.0.read_to_end(&mut Vec::new()) {
            Ok(_) => true,
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    }

    pub fn said(&mut self) -> String {
        String::from_utf8(self.next(1)).unwrap()
    }
}

fn init(token: &str) -> String {
    serde_json::json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } })
        .to_string()
}

#[test]
fn who_has_not_said_who_it_is_holds_little_memory() {
    let app = TestApp::sqlite().world().arguments(&["--no-jobs"]).start();
    let hello = init(&app.as_role(Role::Board).token);
    // The server refuses a frame by the length in its head, before the rest of it arrives.
    for length in [65_537, 250_000, u64::MAX / 2] {
        let mut large = Socket::open(app.server());
        large.frame(length, &[b' '; 4_000]);
        assert!(large.is_gone(), "{length} by an unauthenticated client");
        let mut authenticated = Socket::open(app.server());
        authenticated.frame(hello.len() as u64, hello.as_bytes());
        assert!(authenticated.said().contains("connection_ack"));
        authenticated.frame(length, b"{");
        assert!(authenticated.is_gone(), "{length} by an authenticated client");
    }
    // The first message may be as long as a frame.
    let mut first = Socket::open(app.server());
    let long = format!("{hello}{}", " ".repeat(65_000 - hello.len()));
    first.frame(long.len() as u64, long.as_bytes());
    assert!(first.said().contains("connection_ack"));
}

#[test]
fn of_one_address_few_sockets_wait_and_the_oldest_goes_first() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let board = program().token(&database, "BOARD", None);
    let server = program().serve_configured(&database, "[api]\nincomplete_requests_per_address = 3\n");
    let mut waiting: Vec<Socket> = (0..3).map(|_| Socket::open(&server)).collect();
    // A socket that has said who it is no longer counts among those that wait.
    let mut authenticated = waiting.remove(0);
    let hello = init(&board);
    authenticated.frame(hello.len() as u64, hello.as_bytes());
    assert!(authenticated.said().contains("connection_ack"));
    waiting.extend((0..2).map(|_| Socket::open(&server)));
    let (code, after) = waiting[0].closed();
    assert!(code == 4408 && after < Duration::from_secs(2), "{code} after {after:?}");
    // The server answers a new socket at once.
    let mut next = Socket::open(&server);
    next.frame(hello.len() as u64, hello.as_bytes());
    assert!(next.said().contains("connection_ack"));
    let ping = "{\"type\": \"ping\"}";
    authenticated.frame(ping.len() as u64, ping.as_bytes());
    assert!(authenticated.said().contains("pong"), "the authenticated socket stays open");
}
