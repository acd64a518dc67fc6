//! A client that reads steadily gets all of a large answer, however slow it is within reason; one that stops is cut
//! off.

use crate::program;
use socket2::SockRef;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};
use tests::fixtures::{self, Files};
use tests::{Database, Server};

/// Asks for an export over a connection that takes little at once; what has arrived of it is its head at most.
fn export(server: &Server, token: &str) -> TcpStream {
    let host = server.address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    SockRef::from(&stream).set_recv_buffer_size(128 * 1024).unwrap();
    let ask = format!(
        "GET /export/complaints.csv HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(ask.as_bytes()).unwrap();
    stream
}

#[test]
fn who_reads_steadily_gets_everything_and_who_stops_is_cut_off() {
    let database = Database::sqlite();
    fixtures::generate(&database, 8_000, 2);
    let files = Files::new();
    let key = files.key_file();
    let token = program().token(&database, "DATA_TEAM", None);
    let server = program().serve(&database, &["--no-jobs", "--key-file", &key]);
    scope(|scope| {
        let steady = scope.spawn(|| {
            let mut stream = export(&server, &token);
            let (mut whole, mut piece) = (Vec::new(), vec![0; 4 * 1024]);
            let began = Instant::now();
            loop {
                match stream.read(&mut piece) {
                    Ok(0) => break,
                    Ok(number) => whole.extend_from_slice(&piece[..number]),
                    Err(error) => panic!("after {} bytes and {:?}: {error}", whole.len(), began.elapsed()),
                }
                // 20 KB in a second.
                sleep(Duration::from_millis(200).saturating_mul(u32::from(whole.len() < 900_000)));
            }
            assert!(began.elapsed() > Duration::from_secs(35), "it took {:?}: too quick to tell", began.elapsed());
            whole
        });
        let stopped = scope.spawn(|| {
            let mut stream = export(&server, &token);
            sleep(Duration::from_secs(70));
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let mut rest = Vec::new();
            // What the kernels hold still arrives; then the connection is closed, and nothing has to be waited for.
            let end = stream.read_to_end(&mut rest);
            (rest.len(), end.err().map(|error| error.kind()))
        });
        let whole = steady.join().unwrap();
        let text = String::from_utf8_lossy(&whole);
        let body = text.split_once("\r\n\r\n").expect("a head").1;
        assert!(text.starts_with("HTTP/1.1 200") && body.matches('\n').count() > 8_000, "{} bytes", whole.len());
        let (arrived, error) = stopped.join().unwrap();
        let still_open = matches!(error, Some(ErrorKind::WouldBlock | ErrorKind::TimedOut));
        assert!(!still_open && arrived < whole.len(), "{arrived} of {}, {error:?}", whole.len());
    });
}
