//! Where a token may be sent in plaintext: on the machine itself, and over no network.

use crate::program;
use std::ffi::OsStr;
use std::net::{IpAddr, TcpListener, UdpSocket};
use std::process::{Command, Output};
use tests::fixtures::Files;
use tests::{Database, Server, postgres_tool};

/// A network in which the machine has an address that is not of its loopback interface.
struct Network {
    address: IpAddr,
    /// The namespace of the network; None for that of the machine.
    namespace: Option<String>,
}

impl Network {
    /// The network of the machine, or a namespace where the machine has no other address.
    fn new() -> Self {
        if let Some(address) = own_address() {
            return Self { address, namespace: None };
        }
        let name = format!("phananhpg{}", std::process::id());
        let network = Self { address: IpAddr::from([10, 77, 0, 1]), namespace: Some(name.clone()) };
        for line in [
            format!("netns add {name}"),
            format!("-n {name} link set lo up"),
            format!("-n {name} addr add {}/32 dev lo", network.address),
        ] {
            let made = Command::new("ip").args(line.split(' ')).output();
            let is_made = made.as_ref().is_ok_and(|made| made.status.success());
            assert!(is_made, "the machine has loopback addresses only, and `ip {line}` failed: {made:?}");
        }
        network
    }

    fn serve(&self, database: &Database, arguments: &[&str]) -> Server {
        match &self.namespace {
            Some(name) => program().serve_in(name, "127.0.0.1", database, arguments),
            None => program().serve(database, arguments),
        }
    }

    fn command(&self, tool: impl AsRef<OsStr>) -> Command {
        let Some(name) = &self.namespace else { return Command::new(tool) };
        let mut command = Command::new("ip");
        command.args(["netns", "exec", name.as_str()]).arg(tool);
        command
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if let Some(name) = &self.namespace {
            let _gone = Command::new("ip").args(["netns", "del", name.as_str()]).output();
        }
    }
}

/// The address by which the machine would reach another network. Nothing is sent.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("198.51.100.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

#[test]
fn a_token_is_taken_in_plaintext_from_the_machine_itself_only() {
    let network = Network::new();
    let files = Files::new();
    let database = Database::sqlite();
    let key = files.key_file();
    let (_, tls) = files.certificate();
    for (tls, hint) in [(tls.as_str(), "sslmode=require"), ("", "the server has no certificate")] {
        let port = TcpListener::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port();
        let config = format!("{tls}[sql]\nlisten = \"0.0.0.0:{port}\"\n");
        let config = files.put("phananh.toml", config).display().to_string();
        let _server = network.serve(&database, &["--no-jobs", "--key-file", &key, "--config", &config]);
        let token = program().token(&database, "DATA_TEAM", None);
        let port = port.to_string();
        let ask = |host: &str, mode: &str| -> Output {
            network
                .command(postgres_tool("psql"))
                .env("PGPASSWORD", &token)
                .env("PGSSLMODE", mode)
                .env("PGCONNECT_TIMEOUT", "20")
                .args(["-X", "-w", "-h", host, "-p", &port, "-U", "DATA_TEAM-all", "-d", "phananh"])
                .args(["-A", "-t", "-c", "SELECT 1"])
                .output()
                .expect("psql runs")
        };
        let address = network.address.to_string();
        let refused = ask(&address, "disable");
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success(), "{refused:?}");
        assert!(said.contains("a token is sent only over TLS") && said.contains(hint), "{said}");
        // The address and the plaintext are refused together: each alone is accepted.
        let here = ask("127.0.0.1", "disable");
        assert!(here.status.success(), "{here:?}");
        let encrypted = ask(&address, "require");
        assert_eq!(encrypted.status.success(), !tls.is_empty(), "{encrypted:?}");
    }
}
