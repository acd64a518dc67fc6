//! Engines that start with the server: they have their tables before the first question, and a server whose engines
//! cannot start, or that has none, serves all the same.

use crate::program;
use crate::sql_engine::engines_of;
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};
use tests::fixtures::{self, Files};
use tests::{Client, Database, Finished, Json, Program, Server, wait_until};

const READY: &str = "a SQL engine has its tables before the first question";
const NOT_STARTED: &str = "no SQL engine starts before the first question";

/// A server with settings, and a key file if `key` names one.
fn serve(database: &Database, files: &Files, config: &str, key: Option<&str>, environment: &[(&str, &str)]) -> Server {
    let config = files.put("phananh.toml", config).display().to_string();
    let mut arguments = vec!["--no-jobs", "--config", config.as_str()];
    arguments.extend(key.into_iter().flat_map(|key| ["--key-file", key]));
    program().serve_with(database, &arguments, &[&[("RUST_LOG", "warn,api=info")][..], environment].concat())
}

/// The value of a counter of the metrics.
fn counter(server: &Server, token: &str, name: &str) -> u64 {
    let metrics = server.metrics(token);
    let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("phananh_{name}_total ")));
    line.unwrap_or_else(|| panic!("{name}: {metrics}")).parse().unwrap()
}

/// How many questions the audit log has.
fn noted(database: &Database) -> usize {
    let read = database.open().read(|conn| {
        use diesel::prelude::*;
        use schema::enums::AuditAction;
        use schema::tables::audit_log::{action, table};
        let all: Vec<AuditAction> = table.select(action).load(conn)?;
        Ok(all.into_iter().filter(|what| *what == AuditAction::Sql).count())
    });
    read.unwrap()
}

#[test]
fn an_engine_has_its_tables_before_the_first_question() {
    for database in Database::both() {
        fixtures::fill(&database);
        let files = Files::new();
        let key = files.key_file();
        let [team, board] = ["DATA_TEAM", "BOARD"].map(|role| program().token(&database, role, None));
        let server = serve(&database, &files, "[sql]\npreload = [\"DATA_TEAM\"]\n", Some(&key), &[]);
        wait_until(60, "the log says that the engine has its tables", || server.log().contains(READY));
        let log = server.log();
        let lines: Vec<&str> = log.lines().filter(|line| line.contains(READY)).collect();
        assert!(matches!(lines[..], [line] if line.contains("DATA_TEAM") && line.contains("milliseconds=")), "{log}");
        let engines = engines_of(&server);
        assert_eq!(engines.len(), 1, "{log}");
        let of = |name: &str| counter(&server, &board, name);
        let sent = of("sql_pieces_sent");
        assert!(sent > 0);
        assert_eq!((of("sql_engines_started"), of("sql_queries")), (1, 0), "nobody asked");
        let ask = |token: &str, sql: &str| Client { server: &server, token: token.to_owned() }.rows(sql);
        let joined = "SELECT COUNT(*) AS n FROM complaints c JOIN units u ON c.unit = u.code";
        assert_eq!(ask(&team, joined), [json!({ "n": 6 })]);
        assert!(ask(&team, "SELECT COUNT(*) AS n FROM allegations")[0]["n"].integer() > 0);
        assert_eq!(engines_of(&server), engines, "the same engine");
        assert_eq!((of("sql_engines_started"), of("sql_pieces_sent")), (1, sent), "which had the tables");
        // Another role has an engine of its own.
        assert_eq!(ask(&board, joined), [json!({ "n": 6 })]);
        assert_eq!(of("sql_engines_started"), 2);
        assert!(!server.log_after("TERM").contains(NOT_STARTED));
        assert_eq!(noted(&database), 3, "the audit log has what was asked, and nothing else");
    }
}

#[test]
fn a_server_whose_engines_cannot_start_says_so_and_serves() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let files = Files::new();
    let key = files.key_file();
    let missing = [("PHANANH_ENGINE", "/no/such/engine")];
    let nothing: [(&str, &str); 0] = [];
    for (key, environment, reason) in
        [(Some(&*key), &missing[..], "PHANANH_ENGINE names"), (None, &nothing[..], "--key-file")]
    {
        let config = "[sql]\npreload = [\"BOARD\", \"DATA_TEAM\"]\n";
        let server = serve(&database, &files, config, key, environment);
        wait_until(60, "one warning for each role", || server.log().matches(NOT_STARTED).count() == 2);
        let log = server.log();
        let warns = |role: &str| log.lines().any(|line| line.contains(" WARN ") && line.contains(role));
        assert!(warns("role=BOARD") && warns("role=DATA_TEAM") && log.contains(reason), "{log}");
        assert!(!log.contains(READY), "{log}");
        wait_until(30, "the server is ready", || server.get("/readyz").status == 200);
        assert_eq!(server.end_by("TERM"), Some(0), "{log}");
    }
}

#[test]
fn without_an_engine_sql_says_how_to_get_one_and_all_else_works() {
    const HOW: &str = "cargo build --release -p api --features engine --bin phananh-engine";
    let built = program().0;
    // The same program in a folder without an engine, and nothing on the PATH.
    let folder = tempfile::TempDir::new_in(built.parent().unwrap()).unwrap();
    let alone = Program(folder.path().join("phananh"));
    std::fs::hard_link(&built, &alone.0).unwrap();
    let nowhere = [("PATH", "")];
    let database = Database::sqlite();
    fixtures::fill(&database);
    let files = Files::new();
    let key = files.key_file();
    let mut asked = alone.command(&database);
    asked.args(["sql", "SELECT 1 AS one", "--key-file", &key]).envs(nowhere);
    let refused = Finished::of(&asked.output().unwrap()).refused();
    assert!(refused.contains(HOW), "{refused}");
    let token = program().token(&database, "BOARD", None);
    let server = alone.serve_with(&database, &["--no-jobs", "--key-file", &key], &nowhere);
    let board = Client { server: &server, token };
    board.sql("SELECT 1 AS one").assert_refused("UNAVAILABLE", &[HOW]);
    let bearer = format!("Bearer {}", board.token);
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/sql")];
    let over_http = server.send("POST", "/sql", &headers, "SELECT 1 AS one");
    assert_eq!((over_http.status, over_http.codes()), (501, vec!["UNAVAILABLE".to_owned()]), "{}", over_http.text);
    assert!(over_http.text.contains(HOW), "{}", over_http.text);
    let counted = board.data("{ complaintStatistics(groupBy: [KIND]) { totals { complaints } } }");
    assert_eq!(counted["complaintStatistics"]["totals"]["complaints"], 6, "{counted}");
}

#[test]
fn an_engine_that_never_has_its_tables_holds_nothing_up() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let files = Files::new();
    let key = files.key_file();
    // This engine reads its input and never answers.
    let silent = files.put("phananh-engine", "#!/bin/sh\nwhile read -r line; do :; done\n");
    std::fs::set_permissions(&silent, std::fs::Permissions::from_mode(0o755)).unwrap();
    let environment = [("PHANANH_ENGINE", silent.to_str().unwrap())];
    let server = serve(&database, &files, "[sql]\npreload = [\"BOARD\"]\n", Some(&key), &environment);
    wait_until(60, "the engine runs", || engines_of(&server).len() == 1);
    wait_until(30, "the server is ready", || server.get("/readyz").status == 200);
    let began = Instant::now();
    let log = server.log_after("TERM");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}: {log}", began.elapsed());
    assert!(!log.contains(READY) && !log.contains(NOT_STARTED), "{log}");
}
