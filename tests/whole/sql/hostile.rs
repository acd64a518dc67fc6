//! Questions that want more than an answer: each is refused or stopped with a code, while others are answered.

use super::{ask, rows, served};
use serde_json::Value;
use std::time::{Duration, Instant};
use tests::fixtures::Files;
use tests::{Client, Json, Role, TestApp, wait_until};

const COUNT: &str = "SELECT COUNT(*) AS n FROM complaints";
/// How long an honest question may take at the same time as a hostile one, on a machine that runs other tests, too.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is no question.
const REFUSED: &[&str] = &[
    "COPY complaints TO 'phananh.parquet'",
    "COPY (SELECT 1) TO 's3://bucket/x.parquet' STORED AS PARQUET",
    "COPY complaints FROM PROGRAM 'id'",
    "CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '/etc/passwd'",
    "CREATE UNBOUNDED EXTERNAL TABLE t STORED AS CSV LOCATION 'http://127.0.0.1/x'",
    "CREATE EXTENSION plpython3u",
    "CREATE FUNCTION f(BIGINT) RETURNS BIGINT RETURN $1",
    "CREATE OR REPLACE TABLE complaints AS SELECT 1",
    "CREATE SCHEMA s",
    "CREATE DATABASE d",
    "ALTER TABLE complaints ADD COLUMN x INT",
    "TRUNCATE complaints",
    "MERGE INTO complaints USING units ON TRUE WHEN MATCHED THEN DELETE",
    "WITH t AS (SELECT 1) INSERT INTO complaints SELECT * FROM t",
    "WITH t AS (DELETE FROM complaints RETURNING *) SELECT * FROM t",
    "EXPLAIN ANALYZE DELETE FROM complaints",
    "EXPLAIN EXPLAIN COPY complaints TO 'x'",
    "SET datafusion.runtime.memory_limit = '100G'",
    "SET SESSION AUTHORIZATION postgres",
    "SET ROLE postgres",
    "SHOW datafusion.execution.time_zone",
    "SHOW FUNCTIONS",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "DEALLOCATE ALL",
    "DECLARE c CURSOR FOR SELECT 1",
    "FETCH ALL FROM c",
    "LISTEN x",
    "NOTIFY x",
    "LOAD 'x.so'",
    "VACUUM",
    "ANALYZE complaints",
    "CALL f()",
    "DO $$ BEGIN END $$",
    "BEGIN; SELECT 1; COMMIT",
    "SELECT 1; SELECT 2",
    "SELECT 1;;; DROP TABLE complaints",
    "ATTACH 'x.db' AS x",
    "PRAGMA table_info(complaints)",
    "KILL 1",
    "USE x",
    "GRANT ALL ON complaints TO public",
    "LOCK TABLE complaints",
    "REFRESH MATERIALIZED VIEW v",
    "UNLOAD (SELECT 1) TO 'x'",
    "INSTALL httpfs",
    "SELECT * FROM 'complaints.parquet'",
    "SELECT * FROM \"complaints.parquet\"",
    "SELECT * FROM \"/proc/self/environ\"",
    "SELECT * FROM \"file:///etc/passwd\"",
    "SELECT * FROM \"s3://bucket/x.parquet\"",
    "SELECT * FROM \"https://127.0.0.1/x.csv\"",
    "TABLE principals",
    "SELECT * FROM phananh.public.audit_log",
    "SELECT * FROM sqlite_master",
    "SELECT @@version",
    "SELECT @x",
    // Encodings.
    "SELECT U&'\\0041' FROM \"U&\\0041\"",
    "\u{feff}DROP TABLE complaints",
    "SELECT 1 \u{0}; DROP TABLE complaints",
    "ＳＥＬＥＣＴ 1",
    "SELECT 1 /* /* */ DROP TABLE complaints",
    "/* */ DROP /* */ TABLE -- x\n complaints",
    "SELECT $$DROP TABLE complaints",
    "SELECT 'x",
    "SELECT \"x",
    "",
    "-- nothing",
];

/// What may run, and takes too long or needs too much.
const STOPPED: &[&str] = &[
    "SELECT SUM(a.a * b.b % 7) FROM generate_series(1, 1000000) a CROSS JOIN generate_series(1, 1000000) b",
    "SELECT COUNT(*) FROM generate_series(1, 1000000) a JOIN generate_series(1, 1000000) b ON a.a <> b.b",
    "SELECT a.a FROM generate_series(1, 1000000) a CROSS JOIN generate_series(1, 1000000) b ORDER BY b.b % 11, 1",
    "SELECT SUM(value % 3) FROM generate_series(1, 9000000000000000000)",
    "SELECT COUNT(DISTINCT value) FROM generate_series(1, 100000000000)",
    "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i % 1000 + 1 FROM n) SELECT COUNT(*) FROM n",
    "SELECT LENGTH(STRING_AGG(REPEAT('x', 100000), '')) FROM generate_series(1, 1000000)",
    "SELECT CARDINALITY(ARRAY_AGG(value)) FROM generate_series(1, 10000000000)",
    "SELECT SUM(value) OVER (ORDER BY value DESC ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
     FROM generate_series(1, 1000000000)",
    "EXPLAIN ANALYZE SELECT SUM(a.a % 7) FROM generate_series(1, 1000000) a CROSS JOIN generate_series(1, 1000000) b",
];

/// What needs so much that the engine may see it before it runs out: each with the words that then tell so.
const TOO_LARGE: &[(&str, &str)] = &[
    ("WITH RECURSIVE n AS (SELECT 'x' AS t UNION ALL SELECT t || t FROM n) SELECT MAX(LENGTH(t)) FROM n", "overflow"),
    // The engine cannot read one work table twice.
    (
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT a.i + 1 FROM n a CROSS JOIN n b) SELECT COUNT(*) FROM n",
        "Multiple recursive references",
    ),
    ("SELECT LENGTH(REPEAT(complaint, 1000000000)) FROM complaints", "overflow on repeat"),
    ("SELECT LENGTH(REPEAT(REPEAT('x', 100000), 100000))", "overflow on repeat"),
    ("SELECT LENGTH(LPAD('x', 2000000000, 'y'))", "lpad requested length"),
    ("SELECT LENGTH(RPAD(complaint, 2000000000, 'yz')) FROM complaints", "rpad requested length"),
    ("SELECT CARDINALITY(ARRAY_REPEAT(complaint, 1000000000)) FROM complaints", "array_repeat: "),
    ("SELECT CARDINALITY(RANGE(0, 9000000000000000000))", "Range too large"),
    ("SELECT COUNT(*) FROM (SELECT UNNEST(RANGE(0, 1000000000)) AS n) t", "Range too large"),
    (
        "SELECT complaint ~ '(((((a{0,100}){0,100}){0,100}){0,100}){0,100})$' FROM complaints",
        "the regular expression is too large",
    ),
    ("SELECT LENGTH(REPLACE(REPEAT('a', 1000000), 'a', REPEAT('b', 1000000)))", "overflow"),
    ("SELECT FACTORIAL(1000000)", "Overflow happened on FACTORIAL(1000000)"),
];

/// Texts of more words than the engine reads, which it refuses before it plans.
fn too_long() -> Vec<String> {
    vec![
        nested("(", "1", ")", 10_000),
        nested("(SELECT ", "1", ")", 5_000),
        nested("ABS(", "1", ")", 4_000),
        nested("CASE WHEN TRUE THEN ", "1", " END", 2_000),
        nested("[", "1", "]", 10_000),
    ]
}

fn nested(open: &str, inner: &str, close: &str, levels: usize) -> String {
    format!("SELECT {}{inner}{} AS a", open.repeat(levels), close.repeat(levels))
}

/// Texts that are long or ask for much. A fast machine may answer some of them: others must not wait for that.
fn long() -> Vec<String> {
    vec![
        nested("NOT ", "TRUE", "", 4_900),
        nested("- ", "1", "", 4_900),
        format!("SELECT {} FROM complaints", vec!["1"; 2_400].join(", ")),
        format!("SELECT * FROM {}complaints{}", "(SELECT * FROM ".repeat(1_000), ") t".repeat(1_000)),
        "SELECT REGEXP_REPLACE(REPEAT('a', 1000000), '(a|aa)+$', REPEAT('x', 1000), 'g') AS a".to_owned(),
        "SELECT POWER(10, 1000000)::NUMERIC(38, 0) AS a".to_owned(),
        // 2^200 tables.
        format!("WITH {} SELECT COUNT(*) AS n FROM t199", doubled(200)),
        vec!["SELECT 1 AS a"; 1_000].join(" UNION "),
        vec!["SELECT kind FROM complaints"; 1_000].join(" UNION ALL "),
        format!("SELECT COUNT(*) FROM complaints WHERE unit IN ({})", vec!["'x'"; 2_400].join(", ")),
        format!("SELECT COUNT(*) FROM complaints WHERE {}", vec!["unit LIKE '%a%b%c%'"; 1_000].join(" OR ")),
        format!("SELECT COUNT(*) FROM {}", (0..60).map(|n| format!("complaints c{n}")).collect::<Vec<_>>().join(", ")),
        format!("SELECT COUNT(*) FROM complaints WHERE complaint LIKE '{}b'", "%a".repeat(10_000)),
        format!("SELECT COUNT(*) FROM complaints GROUP BY CUBE ({})", ["kind, unit"; 12].join(", ")),
        format!("SELECT {}1 AS a", "1 + ".repeat(2_000)),
        format!("SELECT '{}' AS a", "x".repeat(70_000)),
        format!("SELECT 1 /* {} */ AS a", "/* ".repeat(20_000)),
        format!("SELECT {}", "\"".repeat(60_001)),
    ]
}

/// Tables of which each is the product of the one before with itself.
fn doubled(n: usize) -> String {
    let table = |n: usize| match n {
        0 => "t0 AS (SELECT 1 AS a)".to_owned(),
        n => format!("t{n} AS (SELECT a.a FROM t{} a, t{} b)", n - 1, n - 1),
    };
    (0..n).map(table).collect::<Vec<_>>().join(", ")
}

/// What an asker is told of a question that was stopped: its time was over, it needed too much memory, or its engine
/// ended. A question that the engine cannot plan, such as one with a typing error, is told otherwise.
const STOPS: [&str; 3] = ["took longer than", "needs more than", "may have needed more than"];

/// Asks what takes too long or needs too much. `seen` are the words with which the engine may refuse it before.
#[track_caller]
fn is_stopped(client: &Client<'_>, sql: &str, seen: Option<&str>) {
    let answer = ask(client, sql);
    let codes = answer.codes();
    assert!(codes == ["TIMEOUT"] || codes == ["BAD_USER_INPUT"], "{sql}: {answer:?}");
    let is_told = |words: &str| answer.text.contains(words);
    assert!(STOPS.into_iter().chain(seen).any(is_told), "{sql} is no question that is stopped: {answer:?}");
}

#[track_caller]
fn ends_with(client: &Client<'_>, sql: &str, allowed: &[&str]) {
    let answer = ask(client, sql);
    let short: String = sql.chars().take(120).collect();
    let codes = if answer.status == 200 { vec!["ANSWERED".to_owned()] } else { answer.codes() };
    assert!(codes.len() == 1 && allowed.contains(&codes[0].as_str()), "{short}: {answer:?}");
    assert!(!answer.text.contains("root:"), "{short}: {answer:?}");
}

#[test]
fn hostile_questions_are_refused_or_stopped_while_others_are_answered() {
    let files = Files::new();
    // The hostile questions that are stopped late compute until their deadline: it is shorter than that of others.
    let limits = "deadline_ms = 6000\nsql_memory_mb = 512\n[api.roles.DATA_TEAM]\ndeadline_ms = 2500\n";
    let app = served(TestApp::sqlite().generated(1_500, 11), &files, limits);
    let (hostile, honest) = (app.as_role(Role::DataTeam), app.as_role(Role::Board));
    let expected = rows(&honest, COUNT);
    wait_until(30, "an engine for the hostile", || ask(&hostile, COUNT).status == 200);
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            for sql in REFUSED {
                ends_with(&hostile, sql, &["BAD_USER_INPUT"]);
            }
            for sql in too_long() {
                ends_with(&hostile, &sql, &["BAD_USER_INPUT"]);
            }
            let stopped = STOPPED.iter().map(|sql| (*sql, None));
            for (sql, seen) in stopped.chain(TOO_LARGE.iter().map(|(sql, words)| (*sql, Some(*words)))) {
                is_stopped(&hostile, sql, seen);
                // The next question of the same asker is answered, by this engine or by another one.
                wait_until(30, sql, || ask(&hostile, COUNT).status == 200);
            }
            for sql in long() {
                ends_with(&hostile, &sql, &["BAD_USER_INPUT", "TIMEOUT", "ANSWERED"]);
            }
            wait_until(30, "the last question", || ask(&hostile, COUNT).status == 200);
            assert_eq!(rows(&hostile, COUNT), expected);
        });
        let mut answered = 0;
        while !asking.is_finished() {
            let began = Instant::now();
            assert_eq!(rows(&honest, COUNT), expected);
            assert!(began.elapsed() < PATIENCE, "an honest question took {:?}", began.elapsed());
            answered += 1;
            std::thread::sleep(Duration::from_millis(200));
        }
        asking.join().unwrap();
        assert!(answered > 10, "{answered} honest questions");
    });
    assert_eq!(app.server().get("/healthz").status, 200);
}

/// Parts of names of functions that would reach files, the network, settings or other processes.
const REACHING: [&str; 22] = [
    "read", "write", "file", "http", "url", "fetch", "copy", "load", "exec", "shell", "getenv", "environ", "setting",
    "config", "sleep", "parquet", "csv", "glob", "scan", "dblink", "lo_", "secret",
];

/// Functions of PostgreSQL's catalog that answer tools, and know nothing of the engine's settings and files.
const OF_CATALOG: [&str; 4] = ["current_setting", "pg_stat_get_numscans", "pg_ts_config_is_visible", "set_config"];

#[test]
fn no_function_that_the_engine_knows_reaches_anything() {
    let files = Files::new();
    let app = served(TestApp::sqlite().world(), &files, "");
    let team = app.as_role(Role::DataTeam);
    let listed = rows(&team, "SELECT DISTINCT routine_name FROM information_schema.routines");
    let names: Vec<&str> = listed.iter().map(|row| row[0].text()).collect();
    assert!(names.len() > 150 && names.contains(&"date_trunc") && names.contains(&"sum"), "{names:?}");
    for name in &names {
        assert!(OF_CATALOG.contains(name) || !REACHING.iter().any(|part| name.contains(part)), "{name}");
        // However it reads a path, it does not return the content of the file.
        let called = ["'/etc/passwd'", "'/etc/passwd', 'r'", "'/etc/passwd', 0, 100"];
        let calls = called.map(|arguments| format!("SELECT {name}({arguments}) AS x"));
        for sql in calls.into_iter().chain([format!("SELECT * FROM {name}('/etc/passwd')")]) {
            let answer = ask(&team, &sql);
            assert!(answer.status == 200 || answer.codes() == ["BAD_USER_INPUT"], "{sql}: {answer:?}");
            assert!(!answer.text.contains("root:"), "{sql}: {answer:?}");
        }
    }
    let settings = ask(&team, "SELECT * FROM information_schema.df_settings");
    assert!(!settings.text.contains(&files.path().display().to_string()), "{settings:?}");
    for table in ["pg_catalog.pg_shadow", "pg_catalog.pg_hba_file_rules"] {
        let answer = ask(&team, &format!("SELECT * FROM {table}"));
        let is_empty = answer.status == 200 && answer.json()["rows"] == Value::Array(Vec::new());
        assert!(is_empty || answer.codes() == ["BAD_USER_INPUT"], "{table}: {answer:?}");
    }
}

#[test]
fn an_engine_has_the_limits_of_a_process_that_only_computes() {
    let files = Files::new();
    let app = served(TestApp::sqlite().world(), &files, "");
    let team = app.as_role(Role::DataTeam);
    rows(&team, COUNT);
    let [engine] = crate::sql_engine::engines(&app)[..] else { panic!("one engine") };
    let limits = std::fs::read_to_string(format!("/proc/{engine}/limits")).unwrap();
    let of = |name: &str| -> Option<&str> {
        let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()
    };
    for (name, most) in [("Max file size", 0), ("Max core file size", 0), ("Max open files", 64)] {
        let limit = of(name).and_then(|limit| limit.parse::<u64>().ok());
        assert!(limit.is_some_and(|limit| limit <= most), "{name}: {limits}");
    }
    let folder = std::fs::read_link(format!("/proc/{engine}/cwd")).unwrap();
    assert_eq!(folder, std::path::Path::new("/"));
}
