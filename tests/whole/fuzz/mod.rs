//! Random requests: documents, filters, heads and tokens. None ends the server, none is its fault (a status of 500 or
//! more), and none is answered long after its deadline.
//!
//! In a run of all tests each fuzzer goes on for some seconds. `just fuzz` lets each go on for twenty minutes and looks
//! at time and memory, too.

mod sql;
mod types;

pub use types::{Output, Types, named};

use crate::program;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tests::fixtures::{self, Files};
use tests::foreign_tokens::{Issuer, header, payload};
use tests::{Database, Server};

const DEADLINE: Duration = Duration::from_secs(2);
/// How long after its deadline a request may be answered, and how many megabytes the server may take above idle.
const LATE: Duration = Duration::from_millis(200);
const MEMORY_MB: u64 = 300;
/// Bytes of the largest body that is sent: four times as many as are taken.
const LARGEST: usize = 1024 * 1024;

/// A time to fuzz for, and the chance that it goes by. The seed is printed, so that a failure can be had again.
pub struct Fuzzer {
    random: ChaCha8Rng,
    until: Instant,
    lasts: Duration,
    /// Whether time and memory are looked at: a machine that runs other tests beside is slow for other reasons.
    is_long: bool,
}

impl Fuzzer {
    fn new(name: &str) -> Self {
        let given = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        let seconds = given("PHANANH_FUZZ_SECONDS");
        let seed = given("PHANANH_FUZZ_SEED").unwrap_or_else(rand::random);
        eprintln!("{name}: PHANANH_FUZZ_SEED={seed}");
        let lasts = Duration::from_secs(seconds.unwrap_or(8));
        let until = Instant::now() + lasts;
        Self { random: ChaCha8Rng::seed_from_u64(seed), until, lasts, is_long: seconds.is_some() }
    }

    fn goes_on(&self) -> bool {
        Instant::now() < self.until
    }

    fn one_in(&mut self, n: u32) -> bool {
        self.random.random_range(0..n) == 0
    }

    fn choose<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all.choose(&mut self.random).expect("something to choose from")
    }

    fn text(&mut self) -> String {
        const PARTS: [&str; 14] = [
            "",
            "02",
            "02CV",
            "CC01",
            "TD2",
            "%",
            "_",
            "\\",
            "'",
            "\"",
            "đòi tiền",
            "\u{202e}",
            "0100233488",
            "2024-01-05",
        ];
        let parts = self.random.random_range(0..4);
        let mut text: String = (0..parts).map(|_| self.choose(&PARTS)).collect();
        if self.one_in(40) {
            text = text.repeat(self.random.random_range(1..2_000));
        }
        text
    }

    /// Asks, and checks what has to hold of every answer.
    fn asks(&self, server: &Server, token: &str, body: &Value) -> u16 {
        // What chance makes very large takes longer to send than to refuse: a little of that is enough.
        let text = body.to_string();
        if text.len() > LARGEST {
            return 0;
        }
        let began = Instant::now();
        let bearer = format!("Bearer {token}");
        let headers = [("content-type", "application/json"), ("authorization", &*bearer)];
        let answer = server.send("POST", "/graphql", &headers, &text);
        let took = began.elapsed();
        // 504 is a deadline that was kept.
        assert!(answer.status < 500 || answer.status == 504, "{body}: {answer:?}");
        assert!(!answer.text.contains("INTERNAL_SERVER_ERROR"), "{body}: {answer:?}");
        assert!(!self.is_long || took <= DEADLINE + LATE, "{body}: after {took:?}");
        answer.status
    }
}

/// The memory of a process, in megabytes: `VmRSS` is what it has, `VmHWM` the most that it ever had.
fn memory_mb(server: &Server, which: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("the process");
    let line = status.lines().find(|line| line.starts_with(which)).expect("its memory");
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).expect("a number") / 1024
}

/// A server over the small world, with tokens of every role.
struct Target {
    server: Server,
    tokens: Vec<String>,
    idle_mb: u64,
    _files: Files,
    _database: Database,
}

impl Target {
    fn new(database: Database) -> Self {
        fixtures::fill(&database);
        let files = Files::new();
        let key = files.key_file();
        let roles = ["BOARD", "UNIT_HEAD", "DATA_TEAM", "DASHBOARD", "INTAKE", "ADMIN"];
        let tokens = roles.map(|role| program().token(&database, role, (role == "UNIT_HEAD").then_some("02"))).to_vec();
        let limits = format!("[api.limits]\ndeadline_ms = {}\nrequests_per_minute = 10000000\n", DEADLINE.as_millis());
        let config = files.put("phananh.toml", limits);
        let server = program()
            .serve(&database, &["--no-jobs", "--dev", "--key-file", &key, "--config", config.to_str().unwrap()]);
        let idle_mb = memory_mb(&server, "VmRSS");
        Self { server, tokens, idle_mb, _files: files, _database: database }
    }

    fn token(&self, fuzzer: &mut Fuzzer) -> &str {
        self.tokens.choose(&mut fuzzer.random).expect("a token")
    }

    /// The program still runs, never took more memory than it may, and did not panic.
    fn ends_well(self, fuzzer: &Fuzzer) {
        assert_eq!(self.server.get("/healthz").status, 200);
        let memory = memory_mb(&self.server, "VmHWM");
        assert!(!fuzzer.is_long || memory <= self.idle_mb + MEMORY_MB, "{memory} MB, {} when idle", self.idle_mb);
        let log = self.server.log_after("TERM");
        assert!(!log.contains("panicked"), "{log}");
    }
}

/// Requests after which some have been answered, whatever they are.
const ENOUGH: u32 = 5_000;

#[test]
fn random_documents() {
    let mut fuzzer = Fuzzer::new("random_documents");
    let target = Target::new(Database::sqlite());
    let types = Types::new(&target.server.get("/schema.graphql").text);
    let (mut asked, mut answered) = (0, 0);
    // Enough of them also where the machine is slow.
    while fuzzer.goes_on() || answered <= 10 && asked < ENOUGH {
        asked += 1;
        let mut variables = Vec::new();
        let mut text = String::new();
        let operations = fuzzer.random.random_range(1..4);
        for n in 0..operations {
            let (word, root) =
                [("query", "Query"), ("query", "Query"), ("mutation", "Mutation"), ("subscription", "Subscription")]
                    [fuzzer.random.random_range(0..4)];
            let own = variables.len();
            let selection = types.selection(&mut fuzzer, root, 0, &mut variables);
            let declared: Vec<String> = variables[own..].iter().map(|(name, of, _)| format!("${name}: {of}")).collect();
            let declared = if declared.is_empty() { String::new() } else { format!("({})", declared.join(", ")) };
            text += &format!("{word} O{n}{declared} {selection}");
        }
        for n in 0..fuzzer.random.random_range(0..4) {
            let on = fuzzer.choose(&["Query", "Complaint", "Unit", "Node", "Officer", "__Type"]);
            let mut unused = Vec::new();
            text += &format!("fragment F{n} on {on} {} ", types.selection(&mut fuzzer, on, 3, &mut unused));
        }
        let given: Map<String, Value> = variables.into_iter().map(|(name, _, value)| (name, value)).collect();
        let body = json!({ "query": text, "variables": given, "operationName": "O0" });
        let token = target.token(&mut fuzzer).to_owned();
        let body = if fuzzer.one_in(10) { json!([body, body]) } else { body };
        answered += u32::from(fuzzer.asks(&target.server, &token, &body) == 200);
    }
    assert!(answered > 10, "{answered} documents ran");
    target.ends_well(&fuzzer);
}

#[test]
fn random_filters() {
    let mut fuzzer = Fuzzer::new("random_filters");
    for database in Database::both() {
        let target = Target::new(database);
        let types = Types::new(&target.server.get("/schema.graphql").text);
        let lists: Vec<&Output> = types.outputs["Query"]
            .iter()
            .filter(|(.., arguments)| arguments.iter().any(|(name, _)| name == "filter"))
            .collect();
        let (mut asked, mut answered) = (0, 0);
        // Half of the time for each database, and enough of them also where the machine is slow.
        let end = Instant::now() + fuzzer.lasts / 2;
        while Instant::now() < end || answered <= 5 && asked < ENOUGH {
            asked += 1;
            let (name, of, arguments) = *lists.choose(&mut fuzzer.random).expect("a list");
            let mut declared = Vec::new();
            let mut variables = Map::new();
            for (argument, of) in arguments
                .iter()
                .filter(|(name, _)| matches!(name.as_str(), "filter" | "orderBy" | "having" | "groupBy"))
            {
                declared.push((argument, of));
                variables.insert(argument.clone(), types.value(&mut fuzzer, of, 0));
            }
            let given: Vec<String> = declared.iter().map(|(name, of)| format!("${name}: {of}")).collect();
            let passed: Vec<String> = declared.iter().map(|(name, _)| format!("{name}: ${name}")).collect();
            let below =
                if of.ends_with("Connection") { "{ totalCount nodes { __typename } }" } else { "{ __typename }" };
            let query = format!("query ({}) {{ {name}({}) {below} }}", given.join(", "), passed.join(", "));
            let token = target.token(&mut fuzzer).to_owned();
            let status = fuzzer.asks(&target.server, &token, &json!({ "query": query, "variables": variables }));
            answered += u32::from(status == 200);
        }
        assert!(answered > 5, "{answered} filters ran");
        target.ends_well(&fuzzer);
    }
}

#[test]
fn random_heads() {
    let mut fuzzer = Fuzzer::new("random_heads");
    let target = Target::new(Database::sqlite());
    let host = target.server.address.strip_prefix("http://").unwrap().to_owned();
    let body = r#"{"query": "{ serviceInfo { version } }"}"#;
    let mut answered = 0;
    while fuzzer.goes_on() {
        let token = target.token(&mut fuzzer).to_owned();
        let path = fuzzer.choose(&[
            "/graphql",
            "/graphql/ws",
            "/export/complaints.csv",
            "/sql",
            "/sql?format=csv",
            "/healthz",
            "/graphql?query=%7B",
            "/\u{7f}",
        ]);
        let method = fuzzer.choose(&["POST", "GET", "HEAD", "OPTIONS", "PUT", "post", "PRI"]);
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\nconnection: close\r\n"
        );
        for _ in 0..fuzzer.random.random_range(0..5) {
            let name = fuzzer.choose(&[
                "accept",
                "accept-language",
                "content-length",
                "transfer-encoding",
                "if-none-match",
                "upgrade",
                "origin",
                "traceparent",
                "x-request-id",
                "cookie",
                "expect",
                "sec-websocket-key",
                "sec-websocket-protocol",
            ]);
            let value = fuzzer.choose(&[
                "*/*;q=x",
                "vi;q=2, en",
                "5",
                "-1",
                "99999999999999999999",
                "chunked",
                "W/\"\"",
                "websocket",
                "null",
                "00-0-0-0",
                "100-continue",
                "graphql-transport-ws",
                ",,,",
                "\u{e9}",
            ]);
            request += &format!("{name}: {value}\r\n");
        }
        request += &format!("content-length: {}\r\n\r\n{body}", body.len());
        let mut bytes = request.into_bytes();
        for _ in 0..fuzzer.random.random_range(0..4) {
            let at = fuzzer.random.random_range(0..bytes.len());
            bytes[at] = fuzzer.random.random();
        }
        let mut stream = TcpStream::connect(&host).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_millis(300))).expect("a time limit");
        let _closed = stream.write_all(&bytes);
        let mut answer = [0; 16];
        let read = stream.read(&mut answer).unwrap_or(0);
        let status = String::from_utf8_lossy(&answer[..read]).into_owned();
        assert!(!status.contains(" 50"), "{status}: {}", String::from_utf8_lossy(&bytes));
        answered += u32::from(status.contains(" 200"));
    }
    assert!(answered > 0, "none was as it should be");
    target.ends_well(&fuzzer);
}

#[test]
fn random_claims() {
    let mut fuzzer = Fuzzer::new("random_claims");
    let issuer = Issuer::ours();
    let database = Database::sqlite();
    fixtures::fill(&database);
    let server = issuer.serve(&database);
    let mut taken = 0;
    while fuzzer.goes_on() {
        let odd = |fuzzer: &mut Fuzzer| {
            let text = fuzzer.text();
            let values = [
                json!(null),
                json!(1),
                json!(true),
                json!([]),
                json!(["CC01"]),
                json!({}),
                json!("CC01"),
                json!("cc01"),
                json!(" CC01"),
                json!(text),
                json!(1e300),
                json!("BOARD"),
                json!("(gone)"),
            ];
            values.choose(&mut fuzzer.random).cloned().expect("a value")
        };
        let mut claims = Map::new();
        for _ in 0..fuzzer.random.random_range(0..3) {
            let name = fuzzer
                .choose(&["officer", "unit", "role", "outside", "sub", "iss", "aud", "exp", "nbf", "iat", "jti", "x"]);
            claims.insert(name.to_owned(), odd(&mut fuzzer));
        }
        let mut head = Map::new();
        if fuzzer.one_in(3) {
            let name = fuzzer.choose(&["alg", "typ", "kid", "crit", "b64", "zip", "cty", "x"]);
            head.insert(name.to_owned(), odd(&mut fuzzer));
        }
        let officer = claims.get("officer").cloned().unwrap_or(json!("(gone)"));
        let (head, claims) = (Value::Object(head), Value::Object(claims));
        let token = issuer.signed("ours", &header(&head), &payload(&claims));
        if !token.is_ascii() {
            continue;
        }
        let answer = server.graphql(&token, "{ complaints { totalCount } }", &json!({}));
        assert!(answer.status < 500, "{head} {claims}: {answer:?}");
        // A member that is an officer is blinded, or its token is not taken: nothing lies between.
        if answer.status == 200 && answer.json()["data"]["complaints"]["totalCount"] == 6 {
            assert!(officer == "(gone)" || officer.is_null(), "{claims}: {answer:?}");
            taken += 1;
        }
    }
    assert!(taken > 3, "{taken} tokens were taken");
}
