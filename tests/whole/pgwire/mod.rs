//! SQL over the PostgreSQL protocol, with the clients of other people.

mod drivers;
mod limits;
mod login;
mod plaintext;
mod psql;
mod superset;

use serde_json::{Value, json};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Output};
use tests::fixtures::Files;
use tests::{Role, TestApp, TestAppBuilder, postgres_tool};

/// A server with the protocol over an invented register.
struct PgApp {
    app: TestApp,
    address: SocketAddr,
    files: Files,
}

impl PgApp {
    /// `config` goes on after the line `listen` of the table `[sql]`.
    fn start(app: TestAppBuilder, config: &str) -> Self {
        let files = Files::new();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let settings = format!("[sql]\nlisten = \"{address}\"\n{config}");
        let app = app.generated(1_500, 11).start_with(&files, &settings);
        app.server();
        Self { app, address, files }
    }

    /// Where and as whom to log in.
    fn given(&self, role: Role) -> Value {
        json!({
            "host": "127.0.0.1", "port": self.address.port(),
            "user": format!("{role}-all"), "password": self.app.as_role(role).token,
        })
    }

    /// Runs psql as a role.
    fn psql(&self, role: Role, arguments: &[&str]) -> Output {
        let token = self.app.as_role(role).token;
        self.psql_as(&format!("{role}-all"), &token, &[], arguments)
    }

    fn psql_as(&self, user: &str, token: &str, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
        Command::new(postgres_tool("psql"))
            .env("PGPASSWORD", token)
            .env("PGCONNECT_TIMEOUT", "20")
            .envs(environment.iter().copied())
            .args(["-X", "-w", "-h", "127.0.0.1", "-p", &self.address.port().to_string(), "-U", user, "-d", "phananh"])
            .args(arguments)
            .output()
            .expect("psql runs")
    }

    /// What psql prints for statements that must succeed, without headings.
    #[track_caller]
    fn answer(&self, role: Role, text: &str) -> String {
        let output = self.psql(role, &["-v", "ON_ERROR_STOP=1", "-A", "-t", "-c", text]);
        assert!(output.status.success(), "{text}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// What psql prints for one that must fail, with SQLSTATE.
    #[track_caller]
    fn refused(&self, role: Role, text: &str) -> String {
        let output = self.psql(role, &["-v", "VERBOSITY=verbose", "-c", text]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("ERROR"), "{text}: {said}");
        said
    }

    /// The SQL entries of the audit log, the newest first.
    fn audited(&self) -> Vec<Value> {
        let admin = self.app.as_role(Role::Admin);
        let answer =
            admin.data("{ auditLog(filter: {action: {eq: SQL}}, first: 50) { nodes { actor operation objects } } }");
        answer["auditLog"]["nodes"].as_array().cloned().unwrap()
    }
}
