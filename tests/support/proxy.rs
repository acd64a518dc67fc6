//! A proxy between a server and PostgreSQL.

use crate::Database;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{sleep, spawn};
use std::time::Duration;

/// A proxy between the server and PostgreSQL, which can hold all traffic.
pub struct Proxy {
    pub url: String,
    holds: Arc<AtomicBool>,
    /// Whether the proxy drops all traffic, without closing the connections of clients.
    abandons: Arc<AtomicBool>,
    servers: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    /// At this machine's own address.
    pub fn before(database: &Database) -> Self {
        Self::at(database, "127.0.0.1")
    }

    /// At an address of this machine.
    pub fn at(database: &Database, address: &str) -> Self {
        let (before, after) = database.url.rsplit_once('@').expect("a user");
        let (host, name) = after.split_once('/').expect("a name");
        let upstream = if host.contains(':') { host.to_owned() } else { format!("{host}:5432") };
        let listener = TcpListener::bind((address, 0)).expect("a free port");
        let url = format!("{before}@{}/{name}", listener.local_addr().expect("its address"));
        let holds = Arc::new(AtomicBool::new(false));
        let (abandons, servers) = (Arc::new(AtomicBool::new(false)), Arc::<Mutex<Vec<TcpStream>>>::default());
        let (held, abandoned, kept) = (Arc::clone(&holds), Arc::clone(&abandons), Arc::clone(&servers));
        spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&upstream) else { continue };
                kept.lock().expect("the connections").extend(server.try_clone());
                let ends = [(client.try_clone(), server.try_clone()), (Ok(server), Ok(client))];
                for (from, to) in ends {
                    let (Ok(from), Ok(to)) = (from, to) else { continue };
                    let (held, abandoned) = (Arc::clone(&held), Arc::clone(&abandoned));
                    spawn(move || {
                        let ends = pass(from, to, &held);
                        if abandoned.load(Ordering::SeqCst) {
                            // Open, and silent.
                            std::mem::forget(ends);
                        } else {
                            let _gone = ends.1.shutdown(std::net::Shutdown::Both);
                        }
                    });
                }
            }
        });
        Self { url, holds, abandons, servers }
    }

    /// The host of PostgreSQL dies: what was under way there is rolled back, and no client gets an answer. Connections
    /// made after [`Self::moved`] lead to another host.
    pub fn abandon(&self) {
        self.abandons.store(true, Ordering::SeqCst);
        for server in self.servers.lock().expect("the connections").drain(..) {
            let _gone = server.shutdown(std::net::Shutdown::Both);
        }
    }

    /// PostgreSQL is at another host now, which answers.
    pub fn moved(&self) {
        self.abandons.store(false, Ordering::SeqCst);
    }

    /// Holds what goes through it, or lets it go on.
    pub fn hold(&self, holds: bool) {
        self.holds.store(holds, Ordering::SeqCst);
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, held: &AtomicBool) -> (TcpStream, TcpStream) {
    let mut buffer = [0; 16 * 1024];
    from.set_read_timeout(Some(Duration::from_millis(20))).expect("a time limit");
    loop {
        while held.load(Ordering::SeqCst) {
            sleep(Duration::from_millis(5));
        }
        match from.read(&mut buffer) {
            Ok(0) => break,
            // What was read as the proxy began to hold is held, too.
            Ok(read) => {
                while held.load(Ordering::SeqCst) {
                    sleep(Duration::from_millis(5));
                }
                if to.write_all(&buffer[..read]).is_err() {
                    break;
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
    (from, to)
}
