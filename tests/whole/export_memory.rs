//! An export is streamed: the memory of the server does not grow with the number of its rows.

use crate::exports::{cells, encoded, get};
use diesel::prelude::*;
use schema::tables::complaint_officers;
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;
use tests::fixtures::Files;
use tests::{Client, Role, Server, TestApp};

const COMPLAINTS: u32 = 120_000;
/// Bytes that are read slowly: meanwhile the server finishes the file, and would hold all of it.
const SLOWLY: usize = 3 << 20;

/// An answer that was read to its end.
struct Taken {
    bytes: usize,
    /// The most memory of the server in the meantime.
    peak: usize,
}

/// The bytes of memory that a server has.
fn resident(server: &Server) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("its status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1024
}

/// Takes an export, slowly at first.
fn take(client: &Client<'_>, path: &str) -> Taken {
    let host = client.server.address.strip_prefix("http://").expect("an address");
    let mut stream = TcpStream::connect(host).expect("a connection");
    write!(
        stream,
        "GET /export/{path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
        client.token
    )
    .expect("sent");
    let (mut piece, mut end) = (vec![0; 64 * 1024], Vec::new());
    let mut taken = Taken { bytes: 0, peak: resident(client.server) };
    loop {
        let number = stream.read(&mut piece).expect("a part of the answer");
        if taken.bytes == 0 {
            assert!(piece.starts_with(b"HTTP/1.1 200"), "{path}: {}", String::from_utf8_lossy(&piece[..number]));
        }
        if number == 0 {
            break;
        }
        taken.bytes += number;
        taken.peak = taken.peak.max(resident(client.server));
        end.extend_from_slice(&piece[..number]);
        end.drain(..end.len().saturating_sub(5));
        if taken.bytes < SLOWLY {
            sleep(Duration::from_millis(20));
        }
    }
    assert_eq!(end, b"0\r\n\r\n", "{path} is not complete");
    taken
}

#[test]
fn the_memory_of_an_export_does_not_grow_with_its_rows() {
    let files = Files::new();
    // The client of PostgreSQL holds what a statement answers as a whole; that of SQLite goes from row to row.
    let app = TestApp::postgres().generated(COMPLAINTS, 7).start_with(&files, "");
    let team = app.as_role(Role::DataTeam);
    let early = encoded(&json!({ "receivedAt": { "lt": "2022-07-01T00:00:00+07:00" } }).to_string());
    // The rows that the whole export has beyond a part of it take as many bytes in memory as in Arrow's format. Parquet
    // compresses them.
    let mut of_rows = 0;
    for form in ["arrow", "csv", "parquet"] {
        let part = format!("complaints.{form}?filter={early}");
        // The part fills all that waits between database and file. The first time, the server has memory of its start.
        let parts = [take(&team, &part), take(&team, &part)];
        let whole = take(&team, &format!("complaints.{form}"));
        let few = parts[1].bytes;
        assert!(few * 2 < whole.bytes, "{form}: {few} of {}", whole.bytes);
        of_rows = of_rows.max(whole.bytes - few);
        let grown = whole.peak.saturating_sub(parts[0].peak.min(parts[1].peak));
        assert!(grown < of_rows / 2, "{form}: {grown} bytes of memory more for {of_rows} bytes of rows");
    }
    assert!(of_rows > 15 << 20, "{of_rows} bytes are too few to tell");
    // Of many pages each has the officers of its own complaints.
    let officers = cells(&get(&team, "complaints.csv").text, "officers");
    let named: usize =
        officers.iter().map(|cell| cell.trim_matches('"').split(';').filter(|name| !name.is_empty()).count()).sum();
    let stored = app.database.open().read(|conn| Ok(complaint_officers::table.count().get_result::<i64>(conn)?));
    assert_eq!(i64::try_from(named).unwrap(), stored.unwrap());
}
