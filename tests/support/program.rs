//! The binary: run to its end, or started as a server and asked.

use crate::fixtures::Files;
use crate::{Database, Json};
use schema::register::access::{Holder, create_token};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The binary under test.
#[derive(Debug, Clone)]
pub struct Program(pub PathBuf);

/// A program that ended.
#[derive(Debug)]
pub struct Finished {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Finished {
    /// What came of a command.
    pub fn of(output: &Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The one JSON document on standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("no JSON document ({e}): {self:?}"))
    }

    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, 0, "{self:?}");
        self
    }

    /// The message of a command that was refused and therefore printed no data.
    #[track_caller]
    pub fn refused(self) -> String {
        assert_eq!((self.status, self.out.as_str()), (1, ""), "{self:?}");
        self.err
    }
}

impl Program {
    /// The binary that cargo built for the running tests.
    pub fn built() -> Self {
        let beside = || {
            let tests = std::env::current_exe().expect("the path of the tests");
            tests.parent().and_then(|deps| deps.parent()).expect("the target folder").join("phananh")
        };
        Self(std::env::var_os("CARGO_BIN_EXE_phananh").map_or_else(beside, PathBuf::from))
    }

    pub fn command(&self, database: &Database) -> Command {
        let mut command = Command::new(&self.0);
        command.env("PHANANH_DATABASE_URL", &database.url).env_remove("RUST_LOG").stdin(Stdio::null());
        command
    }

    pub fn run<A: AsRef<OsStr>>(&self, database: &Database, args: impl IntoIterator<Item = A>) -> Finished {
        Finished::of(&self.command(database).args(args).output().expect("the program runs"))
    }

    /// Runs a command that must succeed and returns its JSON document.
    #[track_caller]
    pub fn json(&self, database: &Database, args: &[&str]) -> Value {
        self.run(database, [args, &["--format", "json"]].concat()).ok().json()
    }

    /// Makes a token in this process, as `phananh token create` does in one of its own.
    #[track_caller]
    pub fn token(&self, database: &Database, role: &str, unit: Option<&str>) -> String {
        let name = format!("{role}-{}", unit.unwrap_or("all"));
        let role = role.parse().expect("a role");
        let holder = Holder { name: &name, role, unit, officer: None, outside: false };
        let made = database.open().write("cli", |tx| create_token(tx, holder, None));
        made.unwrap_or_else(|error| panic!("the token {name}: {error}")).value
    }

    /// Makes a token by the arguments of `phananh token create`.
    #[track_caller]
    pub fn token_by(&self, database: &Database, arguments: &[&str]) -> String {
        let made = self.json(database, &[&["token", "create"][..], arguments].concat());
        made["token"].text().to_owned()
    }

    /// Starts a command that serves and waits until it says where; what it said before and after is
    /// in `said`.
    pub fn demo(&self, folder: &std::path::Path) -> Server {
        let mut command = Command::new(&self.0);
        command.env_remove("RUST_LOG").env_remove("PHANANH_DATABASE_URL").current_dir(folder);
        command.args(["demo", "--listen", "127.0.0.1:0"]);
        Server::start(command, "Ctrl-C ends it.")
    }

    /// Starts a server on a free port and waits until it says where it is.
    pub fn serve(&self, database: &Database, args: &[&str]) -> Server {
        self.serve_with(database, args, &[])
    }

    /// The same within a namespace of the network, at an address there.
    pub fn serve_in(&self, namespace: &str, address: &str, database: &Database, args: &[&str]) -> Server {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace]).arg(&self.0);
        command.env("PHANANH_DATABASE_URL", &database.url).env_remove("RUST_LOG");
        command.args(["serve", "--listen", &format!("{address}:0")]).args(args);
        Server::start(command, "address: ")
    }

    /// The same with something in its environment.
    pub fn serve_with(&self, database: &Database, args: &[&str], environment: &[(&str, &str)]) -> Server {
        let mut command = self.command(database);
        command.envs(environment.iter().copied());
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(args);
        Server::start(command, "address: ")
    }

    /// A server with a configuration file.
    pub fn serve_configured(&self, database: &Database, config: &str) -> Server {
        let files = Files::new();
        let path = files.put("phananh.toml", config);
        self.serve(database, &["--config", path.to_str().expect("a path")])
    }

    /// A server that breaks nothing off by itself as long as a test lasts, and runs no jobs, which would wait for locks,
    /// too.
    pub fn serve_patiently(&self, database: &Database) -> Server {
        let files = Files::new();
        let config = files.put("phananh.toml", "[api.limits]\ndeadline_ms = 600000\n");
        self.serve(database, &["--no-jobs", "--config", config.to_str().expect("a path")])
    }
}

/// A started server; it is killed with the test.
pub struct Server {
    child: Child,
    /// What it wrote to its log so far, read all the time: a log that nobody reads holds its writer up.
    log: Arc<Mutex<Vec<u8>>>,
    reads_log: Option<std::thread::JoinHandle<()>>,
    pub address: String,
    /// The lines that it printed until it was ready.
    pub said: Vec<String>,
}

/// The media type of XLSX.
pub const WORKBOOK: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// An HTTP answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    /// The body. A workbook is no text: only its beginning is as it was sent.
    pub text: String,
    headers: ureq::http::HeaderMap,
}

impl Answer {
    /// A header, empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("no JSON ({e}): {self:?}"))
    }

    /// The codes of the errors of a GraphQL answer.
    pub fn codes(&self) -> Vec<String> {
        let errors = self.json()["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["extensions"]["code"].as_str().unwrap_or("none").to_owned()).collect()
    }

    /// Fails unless the answer has one error, with this code, and says these words.
    #[track_caller]
    pub fn assert_refused(&self, code: &str, words: &[&str]) {
        assert_eq!(self.codes(), [code], "{}", self.text);
        for word in words {
            assert!(self.text.contains(word), "{word}: {}", self.text);
        }
    }
}

impl Server {
    /// Starts a program and reads what it prints up to a line that begins so.
    fn start(mut command: Command, last: &str) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut said = Vec::new();
        for line in BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok) {
            said.push(line);
            if said.last().is_some_and(|line| line.starts_with(last)) {
                break;
            }
        }
        let Some(address) = said.iter().find_map(|line| line.strip_prefix("address: ").map(str::to_owned)) else {
            let mut err = String::new();
            child.stderr.take().expect("its errors").read_to_string(&mut err).ok();
            panic!("the server did not start: {err}");
        };
        let mut from = child.stderr.take().expect("its log");
        let log = Arc::new(Mutex::new(Vec::new()));
        let to = Arc::clone(&log);
        let reads_log = std::thread::spawn(move || {
            let mut part = [0; 8_192];
            loop {
                match from.read(&mut part) {
                    Ok(0) => return,
                    Ok(read) => to.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&part[..read]),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(_) => return,
                }
            }
        });
        Self { child, log, reads_log: Some(reads_log), address, said }
    }

    /// Sends a request over a connection of its own; `headers` without those of the client itself.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.send_by(&agent_of_one_request(), method, path, headers, body)
    }

    fn send_by(&self, agent: &ureq::Agent, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.to_owned()).expect("a request");
        let mut response = agent.run(request).expect("the server answers");
        let content_type = response.headers().get("content-type").and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        let body = response.body_mut().with_config().limit(64 << 20).read_to_vec().expect("a body");
        let text = match content_type.starts_with(WORKBOOK) {
            true => String::from_utf8_lossy(&body).into_owned(),
            false => String::from_utf8(body).expect("a text"),
        };
        Answer { content_type, status: response.status().as_u16(), headers: response.headers().clone(), text }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    /// The metrics, for whoever has a token.
    #[track_caller]
    pub fn metrics(&self, token: &str) -> String {
        let answer = self.send("GET", "/metrics", &[("authorization", &format!("Bearer {token}"))], "");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.text
    }

    /// Sends a GraphQL request.
    pub fn graphql(&self, token: &str, query: &str, variables: &Value) -> Answer {
        self.graphql_by(&agent_of_one_request(), token, query, variables)
    }

    /// Sends a GraphQL request over one of the connections of an agent.
    pub(crate) fn graphql_by(&self, agent: &ureq::Agent, token: &str, query: &str, variables: &Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let mut headers = vec![("content-type", "application/json"), ("accept", "application/graphql-response+json")];
        if !token.is_empty() {
            headers.push(("authorization", &bearer));
        }
        let body = json!({ "query": query, "variables": variables }).to_string();
        self.send_by(agent, "POST", "/graphql", &headers, &body)
    }

    /// Sends a query that must succeed and returns its data.
    #[track_caller]
    pub fn data(&self, token: &str, query: &str) -> Value {
        self.data_with(token, query, &json!({}))
    }

    #[track_caller]
    pub fn data_with(&self, token: &str, query: &str, variables: &Value) -> Value {
        let answer = self.graphql(token, query, variables).json();
        assert!(answer.get("errors").is_none(), "{query}: {answer}");
        answer["data"].clone()
    }

    /// The number of SQL statements that a query took; for servers started with --dev.
    #[track_caller]
    pub fn statements(&self, token: &str, query: &str) -> u64 {
        let answer = self.graphql(token, query, &json!({})).json();
        assert!(answer.get("errors").is_none(), "{query}: {answer}");
        answer["extensions"]["statements"].as_u64().unwrap_or_else(|| panic!("the server does not count: {answer}"))
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The number of its threads.
    pub fn threads(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/task", self.pid())).expect("its threads").count()
    }

    /// Sends a signal by name and returns the exit status.
    pub fn end_by(mut self, signal: &str) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().expect("kill runs").success());
        self.child.wait().expect("the server ends").code()
    }

    /// What it wrote to its log so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&self.log.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// What it wrote to its log until a signal ended it.
    pub fn log_after(mut self, signal: &str) -> String {
        let (reads_log, log) = (self.reads_log.take().expect("its log"), Arc::clone(&self.log));
        assert!(self.end_by(signal).is_some());
        reads_log.join().expect("the log is read");
        String::from_utf8_lossy(&log.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}

fn agent_of_one_request() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into()
}

/// An operation as it goes over a connection; `more`: headers.
pub fn raw_request(host: &str, token: &str, query: &str, more: &str) -> String {
    let body = json!({ "query": query }).to_string();
    format!(
        "POST /graphql HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n{more}\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Sends bytes as they are; what comes back until the connection ends.
pub fn raw_answer(host: &str, bytes: &str) -> String {
    let mut stream = TcpStream::connect(host).expect("a connection");
    stream.write_all(bytes.as_bytes()).expect("sent");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
    let mut answer = Vec::new();
    let _closed = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}
