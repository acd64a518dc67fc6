//! PostgreSQL servers of one test: a primary, and streaming replicas of it that stop and come back.

use crate::postgres::{free_port, postgres_tool, run};
use crate::scratch::leave_running;
use crate::{Database, scratch};
use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl};
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A PostgreSQL server of this test alone; it ends with the test.
pub struct Cluster {
    folder: PathBuf,
    port: u16,
    server: Option<Child>,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

impl Cluster {
    /// A server with an empty cluster.
    pub fn primary() -> Self {
        let mut cluster = Self::in_new_folder();
        let data = cluster.data();
        let options = ["-U", "postgres", "-A", "trust", "--no-sync", "-D"].map(OsStr::new);
        succeed("initdb", options.into_iter().chain([data.as_os_str()]));
        cluster.start();
        cluster
    }

    /// A streaming replica of this server.
    pub fn replica(&self) -> Self {
        let mut replica = Self::in_new_folder();
        let (data, port) = (replica.data(), self.port.to_string());
        let source = ["-h", "127.0.0.1", "-U", "postgres", "-p", &port];
        let options = ["-R", "-X", "stream", "-c", "fast", "--no-sync", "-D"];
        let options = source.iter().chain(&options).map(OsStr::new);
        succeed("pg_basebackup", options.chain([data.as_os_str()]));
        replica.start();
        replica
    }

    /// The URL of the database of every cluster.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// The URL of a database of the primary on this server.
    pub fn url_of(&self, database: &Database) -> String {
        let (_, name) = database.url.rsplit_once('/').expect("a URL with a database");
        format!("postgres://postgres@127.0.0.1:{}/{name}", self.port)
    }

    /// Runs statements in the database of every cluster.
    #[track_caller]
    pub fn execute(&self, sql: &str) {
        let mut conn = PgConnection::establish(&self.url()).expect("the server answers");
        conn.batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The number of rows of a table as this server has it.
    #[track_caller]
    pub fn rows(&self, database: &Database, table: &str) -> i64 {
        let mut conn = PgConnection::establish(&self.url_of(database)).expect("the server answers");
        let count = format!("SELECT count(*) AS number FROM {table}");
        diesel::sql_query(count).get_result::<Number>(&mut conn).expect("its rows are counted").number
    }

    /// Starts the server, and waits until it answers.
    pub fn start(&mut self) {
        let log = File::options().create(true).append(true).open(self.folder.join("log")).expect("a log");
        let mut command = as_its_user(&postgres_tool("postgres"));
        command.arg("-D").arg(self.data()).args(["-p", &self.port.to_string()]).arg("-k").arg(&self.folder);
        // Locks of the primary cancel the statements of a replica at once.
        let settings = [
            "listen_addresses=127.0.0.1",
            "fsync=off",
            "shared_buffers=32MB",
            "wal_keep_size=256MB",
            "hot_standby_feedback=on",
            "max_standby_streaming_delay=0",
        ];
        for setting in settings {
            command.args(["-c", setting]);
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("the server starts");
        end_with_this_program(child.id(), &self.folder);
        self.server = Some(child);
        for _ in 0..300 {
            if PgConnection::establish(&self.url()).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        panic!("the server did not answer within 30 s: {log}");
    }

    /// Stops the server; its connections end.
    pub fn stop(&mut self) {
        self.end("INT");
    }

    fn end(&mut self, signal: &str) {
        if let Some(mut server) = self.server.take() {
            run("kill", ["-s", signal, &server.id().to_string()]);
            let _ended = server.wait();
        }
    }

    fn in_new_folder() -> Self {
        let folder = scratch::base().join(format!("phananh-postgres-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&folder).expect("a folder for the cluster");
        if is_root() {
            run("chown", [OsStr::new("nobody"), folder.as_os_str()]).expect("the folder given to nobody");
        }
        Self { folder, port: free_port(), server: None }
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.end("QUIT");
        let _left_behind = std::fs::remove_dir_all(&self.folder);
    }
}

fn is_root() -> bool {
    run("id", ["-u"]).is_some_and(|uid| uid.trim() == "0")
}

/// The server refuses to run as root.
fn as_its_user(program: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir("/");
    command
}

#[track_caller]
fn succeed<'a>(tool: &str, arguments: impl IntoIterator<Item = &'a OsStr>) {
    let output = as_its_user(&postgres_tool(tool)).args(arguments).output().expect("the tool runs");
    assert!(output.status.success(), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Stops a server that a killed test program leaves behind.
fn end_with_this_program(server: u32, folder: &Path) {
    leave_running(&format!(
        "while [ -d /proc/{parent} ] && [ -d /proc/{server} ]; do sleep 1; done; \
         [ -d /proc/{parent} ] || {{ kill -QUIT {server}; sleep 1; rm -rf '{folder}'; }}",
        parent = std::process::id(),
        folder = folder.display(),
    ));
}
