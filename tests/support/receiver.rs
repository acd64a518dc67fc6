//! A receiver of webhooks that answers as its paths say.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    pub path: String,
    /// By their names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// An HTTP server on a free port of this machine. `/ok` answers 204, `/hang` nothing, `/redirect` leads to `/ok`,
/// `/later` is 503 with `Retry-After`, and another path is the status, such as `/410`, with the place to which it leads,
/// such as `/308/127.0.0.2:80/ok`. Its threads end with the test.
pub struct Receiver {
    pub port: u16,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    /// # Panics
    /// If no port is free.
    pub fn start() -> Self {
        Self::at("127.0.0.1")
    }

    /// One at another address of this machine.
    ///
    /// # Panics
    /// If no port is free.
    pub fn at(address: &str) -> Self {
        let listener = TcpListener::bind((address, 0)).expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&received);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let log = Arc::clone(&log);
                thread::spawn(move || answer(stream, &log));
            }
        });
        Self { port, received }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// All requests so far.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn answer(mut stream: TcpStream, log: &Mutex<Vec<Received>>) {
    let Some(request) = read(&stream) else { return };
    let path = request.path.clone();
    log.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    let head = match path.as_str() {
        "/hang" => {
            thread::sleep(Duration::from_secs(30));
            return;
        }
        "/ok" => "204 No Content".to_owned(),
        "/redirect" => "302 Found\r\nlocation: /ok".to_owned(),
        "/later" => "503 Service Unavailable\r\nretry-after: 3600".to_owned(),
        path => match path.trim_start_matches('/').split_once('/') {
            Some((status, to)) => format!("{status} Answer\r\nlocation: http://{to}"),
            None => format!("{} Answer", path.trim_start_matches('/')),
        },
    };
    let text = format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let _client_left = stream.write_all(text.as_bytes());
}

fn read(stream: &TcpStream) -> Option<Received> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split_whitespace().nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Received { path, headers, body: String::from_utf8(body).ok()? })
}
