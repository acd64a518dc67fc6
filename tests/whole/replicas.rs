//! A streaming replica answers queries: what its holder wrote is seen, and no error of the replica reaches a client.

use crate::program;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tests::fixtures::{self, Files};
use tests::{Cluster, Database, Json, Server, wait_until};

const PAGE: &str = "{ complaints(first: 3) { totalCount nodes { reference officers { finding } } } }";
const SETTINGS: &str = "[api]\nobject_cache_mb = 0\nanswer_cache_mb = 0\n\
    [api.limits]\nrequests_per_minute = 60000\n[database]\nreplica_lag_seconds = 4\n";

/// A primary, its replica, and a server over both.
struct Register {
    // Dropped first: a server whose database is gone fills its log.
    server: Server,
    database: Database,
    replica: Mutex<Cluster>,
    primary: Cluster,
    _files: Files,
    board: String,
}

impl Register {
    fn new(settings: &str) -> Self {
        let primary = Cluster::primary();
        let database = Database::on(&primary.url());
        fixtures::fill_anew(&database);
        let board = program().token(&database, "BOARD", None);
        let replica = primary.replica();
        let files = Files::new();
        let key = files.key_file();
        let [option, config] = files.config("replica.toml", settings);
        let url = replica.url_of(&database);
        let args = ["--no-jobs", "--key-file", &key, &option, &config];
        let server = program().serve_with(&database, &args, &[("PHANANH_REPLICA_URL", &url)]);
        let replica = Mutex::new(replica);
        let register = Self { server, database, replica, primary, _files: files, board };
        register.wait_for_replica();
        register
    }

    fn replica(&self) -> MutexGuard<'_, Cluster> {
        self.replica.lock().expect("the replica")
    }

    /// Whether the replica lacks rows of a table.
    fn lacks(&self, table: &str) -> bool {
        self.replica().rows(&self.database, table) < self.primary.rows(&self.database, table)
    }

    /// The operations that a database answered for a reason.
    fn reads(&self, from: &str, reason: &str) -> u64 {
        let metrics = self.server.metrics(&self.board);
        let name = format!("phananh_reads_total{{from=\"{from}\",reason=\"{reason}\"}} ");
        let value = metrics.lines().find_map(|line| line.strip_prefix(&name));
        value.map_or(0, |value| value.parse().expect("a number"))
    }

    /// The number of queries that the replica answered.
    fn by_replica(&self) -> u64 {
        self.reads("replica", "complete")
    }

    #[track_caller]
    fn wait_for_replica(&self) {
        let before = self.by_replica();
        wait_until(30, "the replica answers", || {
            self.server.data(&self.board, "{ flags(first: 1) { totalCount } }");
            self.by_replica() > before
        });
    }

    /// What `/readyz` says about the replica.
    fn state(&self) -> Value {
        let bearer = format!("Bearer {}", self.board);
        let answer = self.server.send("GET", "/readyz", &[("authorization", &bearer)], "");
        assert_eq!(answer.status, 200, "a node is ready without its replica: {answer:?}");
        answer.json()["replica"].clone()
    }

    fn complaints(&self) -> i64 {
        self.server.data(&self.board, PAGE)["complaints"]["totalCount"].integer()
    }

    /// Asks in several threads while something happens: every answer is right.
    fn while_asking(&self, happens: impl FnOnce()) {
        let (ends, answers) = (AtomicBool::new(false), AtomicU64::new(0));
        let count = self.complaints();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !ends.load(Ordering::SeqCst) {
                        let began = Instant::now();
                        let answer = self.server.graphql(&self.board, PAGE, &json!({}));
                        assert_eq!((answer.status, answer.codes().len()), (200, 0), "{answer:?}");
                        assert_eq!(answer.json()["data"]["complaints"]["totalCount"], count, "{answer:?}");
                        assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
                        answers.fetch_add(1, Ordering::SeqCst);
                        std::thread::sleep(Duration::from_millis(5));
                    }
                });
            }
            let _after_a_failure_too = Ends(&ends);
            happens();
        });
        assert!(answers.load(Ordering::SeqCst) > 8, "{answers:?} answers");
    }
}

/// Ends the threads that ask.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

const SUBMIT: &str = "mutation ($key: String!) { submitComplaint(input: {idempotencyKey: $key, unit: \"02CV\",
    category: \"HT\", legalForm: FEEDBACK, channel: PORTAL, text: \"a\"}) { id } }";

#[test]
fn what_a_reader_must_see_comes_from_the_primary_while_the_replica_lags() {
    let register = Register::new(SETTINGS);
    let server = &register.server;
    let admin = program().token(&register.database, "ADMIN", None);
    let intake = program().token(&register.database, "INTAKE", None);
    assert_eq!(register.state()["state"], "USABLE");
    // Another process made the tokens: a replica that may lag by some seconds need not show them yet.
    wait_until(10, "the replica has the tokens", || !register.lacks("principals"));
    let (complaints, principals) = (register.complaints(), "{ principals { totalCount } }");
    let names = server.data(&admin, principals)["principals"]["totalCount"].integer();
    register.replica().execute("SELECT pg_wal_replay_pause()");

    // A write without a position of the register.
    server.data(&admin, "mutation { createToken(input: {name: \"Hoa\", role: BOARD}) { token } }");
    assert_eq!(server.data(&admin, principals)["principals"]["totalCount"], names + 1);
    assert!(register.lacks("principals"), "the answer came from the primary");

    // Another reader, who knows the position of a write.
    let body = json!({ "query": SUBMIT, "variables": { "key": "k1" } }).to_string();
    let bearer = format!("Bearer {intake}");
    let headers = [("content-type", "application/json"), ("authorization", &*bearer)];
    let written = server.send("POST", "/graphql", &headers, &body);
    assert_eq!(written.codes(), Vec::<String>::new());
    let position = written.header("phananh-position").to_owned();
    assert!(position.parse::<i64>().is_ok_and(|position| position > 0), "{written:?}");
    let bearer = format!("Bearer {}", register.board);
    let headers = [("content-type", "application/json"), ("authorization", &*bearer), ("phananh-position", &*position)];
    let read = server.send("POST", "/graphql", &headers, &json!({ "query": PAGE }).to_string());
    assert_eq!(read.json()["data"]["complaints"]["totalCount"], complaints + 1);
    let receipt = server.data(&intake, "{ receipt(idempotencyKey: \"k1\") { created } }");
    assert!(receipt["receipt"].is_object(), "the intake sees what it submitted: {receipt}");

    wait_until(20, "the lag exceeds its bound", || {
        server.data(&register.board, PAGE);
        register.reads("primary", "lags") > 0
    });
    assert_eq!(register.complaints(), complaints + 1);
    let state = register.state();
    assert!(state["lagPositions"].integer() >= 1 && state["lagMs"].integer() >= 4_000, "{state}");
    let metrics = server.metrics(&register.board);
    for line in ["phananh_replica_usable 1", "phananh_replica_lag_positions ", "phananh_replica_lag_seconds "] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }

    register.replica().execute("SELECT pg_wal_replay_resume()");
    register.wait_for_replica();
    assert!(!register.lacks("principals"));
    assert_eq!(register.complaints(), complaints + 1);
    assert!(register.reads("primary", "behind") + register.reads("primary", "lags") >= 2);
    assert!(register.reads("primary", "current") >= 3, "two writes, and what the intake asks");
}

#[test]
fn no_error_of_a_replica_reaches_a_client() {
    let register = Register::new(SETTINGS);
    let bearer = format!("Bearer {}", register.board);
    let export = |server: &Server| {
        let file = server.send("GET", "/export/complaints.csv", &[("authorization", &bearer)], "");
        assert_eq!(file.status, 200, "{file:?}");
        file.text.lines().count()
    };
    let lines = export(&register.server);
    assert!(lines > 6, "{lines} lines");

    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname <> 'postgres'";
    register.while_asking(|| {
        for _ in 0..5 {
            register.replica().execute(end);
            std::thread::sleep(Duration::from_millis(400));
        }
    });
    register.wait_for_replica();
    // The replica cancels what reads the table, as soon as it hears of the lock.
    register.while_asking(|| {
        for _ in 0..40 {
            register.database.tamper("BEGIN; LOCK TABLE complaints IN ACCESS EXCLUSIVE MODE; COMMIT");
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    register.wait_for_replica();

    register.while_asking(|| {
        register.replica().stop();
        std::thread::sleep(Duration::from_secs(2));
    });
    assert_eq!(register.state()["state"], "AWAY");
    assert!(register.reads("primary", "away") > 0);
    assert!(register.server.metrics(&register.board).contains("phananh_replica_usable 0"));
    assert_eq!(export(&register.server), lines, "the primary makes the export");
    register.while_asking(|| register.replica().start());
    register.wait_for_replica();
    assert_eq!(register.state()["state"], "USABLE");
    assert_eq!(export(&register.server), lines);
}

#[test]
fn a_page_that_the_caches_know_is_as_new_as_the_primary() {
    let register = Register::new("");
    let intake = program().token(&register.database, "INTAKE", None);
    for number in 0..20 {
        let before = register.complaints();
        let key = json!({ "key": format!("n{number}") });
        let written = register.server.data_with(&intake, SUBMIT, &key);
        let first = "{ complaints(first: 1) { nodes { id } } }";
        wait_until(10, "the reader sees the write", || {
            register.server.data(&register.board, first)["complaints"]["nodes"][0] == written["submitComplaint"]
        });
        for _ in 0..4 {
            assert_eq!(register.complaints(), before + 1, "round {number}: no page of the position before");
        }
    }
    register.wait_for_replica();
}

#[test]
fn a_replica_is_refused_unless_it_is_one() {
    let (sqlite, one, other) = (Database::sqlite(), Database::postgres(), Database::postgres());
    let serve = |database: &Database, replica: &str| {
        let ended = program().run(database, ["serve", "--listen", "127.0.0.1:0", "--replica", replica]);
        assert_eq!(ended.status, 1, "{ended:?}");
        ended.err
    };
    assert!(serve(&sqlite, &one.url).contains("a register in SQLite has no replicas"));
    assert!(serve(&one, &sqlite.url).contains("the replica must be a PostgreSQL server"));
    one.open();
    other.open();
    let refused = serve(&one, &other.url);
    assert!(refused.contains("holds another register than"), "{refused}");
    let board = program().token(&one, "BOARD", None);
    for (replica, state) in [(&*one.url, "NOT_A_STANDBY"), ("postgres://postgres@127.0.0.1:1/none", "AWAY")] {
        let server = program().serve(&one, &["--no-jobs", "--replica", replica]);
        server.data(&board, PAGE);
        let bearer = format!("Bearer {board}");
        let ready = server.send("GET", "/readyz", &[("authorization", &bearer)], "");
        assert_eq!((ready.status, &ready.json()["replica"]["state"]), (200, &json!(state)), "{ready:?}");
    }
}
