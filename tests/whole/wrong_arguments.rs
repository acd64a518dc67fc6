//! Every command, with arguments that are wrong: each says what is wrong and what to do, and leaves nothing behind.

use crate::program;
use std::fs;
use std::path::Path;
use std::process::Command;
use tests::fixtures;
use tests::{Database, Finished};

/// Runs the program in a folder of its own.
fn run(folder: &Path, database: &str, args: &[&str]) -> Finished {
    let mut command = Command::new(&program().0);
    let done = command.current_dir(folder).args(["--database", database]).args(args).output().expect("it runs");
    Finished::of(&done)
}

/// Arguments, the exit status and words of the message, over a small register. Not one of them changes it.
const WRONG: &[(&[&str], i32, &[&str])] = &[
    (&["nonsense"], 2, &["unrecognized subcommand 'nonsense'"]),
    (&["--format", "yaml", "flags", "list"], 2, &["possible values: text, json, csv"]),
    (&["--config", "none.toml", "jobs", "list"], 1, &["none.toml", "No such file"]),
    (&["--key-file", "none.key", "audit", "seal"], 1, &["none.key", "phananh key create"]),
    (&["migrate", "now"], 2, &["unexpected argument 'now'"]),
    // Importing.
    (&["import"], 2, &["--mapping <MAP.toml>", "<KIND>", "<FILE>"]),
    (&["import", "complaints", "x.csv"], 2, &["--mapping <MAP.toml>"]),
    (&["import", "complains", "x.csv", "--mapping", "m.toml"], 2, &["complains", "use one of complaints, units"]),
    (&["import", "units", "none.csv", "--mapping", "none.toml"], 1, &["none.toml"]),
    (&["import", "inspect", "none.csv"], 1, &["cannot open none.csv"]),
    (&["import", "inspect", "."], 1, &["is a folder, not a CSV file"]),
    // Jobs.
    (&["jobs"], 2, &["run", "history"]),
    (&["jobs", "run", "recurrance"], 1, &["there is no job \"recurrance\"", "phananh jobs list"]),
    (&["jobs", "run", "recurrence", "--as-of", "31/12/2010"], 2, &["31/12/2010", "write it as 2010-12-31"]),
    (&["jobs", "run", "recurrence", "--as-of", "1800-01-01"], 2, &["from 1970-01-01 to 2199-12-31"]),
    (&["jobs", "run", "recurrence", "--as-of", "2199-12-31"], 1, &["is in the future"]),
    (&["jobs", "run", "digest", "--rules", "none.toml"], 1, &["--rules are those of the job recurrence"]),
    (&["jobs", "run", "recurrence", "--rules", "none.toml"], 1, &["none.toml", "No such file"]),
    (&["jobs", "history", "--limit", "-1"], 2, &["-1 is not in 1..=1000000"]),
    (&["jobs", "history", "--job", "x"], 1, &["there is no job \"x\""]),
    (&["jobs", "pause", "x"], 1, &["there is no job \"x\""]),
    // Flags, backtests and rules.
    (&["flags", "show"], 2, &["<ID>"]),
    (&["flags", "show", "nobody"], 1, &["there is no flag \"nobody\"", "phananh flags list"]),
    (&["flags", "numbers", "--as-of", "9999-01-01"], 2, &["from 1970-01-01 to 2199-12-31"]),
    (&["flags", "numbers", "--as-of", "+262142-12-31"], 2, &["from 1970-01-01 to 2199-12-31"]),
    (&["flags", "numbers", "--subject", "team"], 2, &["possible values: officer, branch"]),
    (&["flags", "reproduce", "0"], 2, &["\"0\" is not the id of a run", "phananh jobs history"]),
    (&["flags", "reproduce", "00000000-0000-0000-0000-000000000000"], 1, &["jobs history"]),
    (&["backtest", "--from", "2024"], 2, &["--to <YEAR>"]),
    (&["backtest", "--from", "2024", "--to", "2020"], 1, &["--from 2024 lies after --to 2020"]),
    (&["backtest", "--from", "20", "--to", "24"], 2, &["20 is not in 1970..=2200"]),
    (&["backtest", "--from", "2024", "--to", "2024", "--horizon", "-1"], 2, &["-1 is not in 1..=36500"]),
    (&["backtest", "--from", "2024", "--to", "2024", "--top", "150%"], 2, &["write it as 5% or 0.05"]),
    (&["rules", "try", "--min", "3"], 2, &["--days <W>"]),
    (&["rules", "try", "--min", "-3", "--days", "30"], 2, &["-3 is not in 1..=100000"]),
    (&["rules", "try", "--min", "3", "--days", "0"], 2, &["0 is not in 1..=100000"]),
    (&["rules", "try", "--min", "3", "--days", "30", "--count", "x"], 2, &["complaints, episodes, enterprises"]),
    (&["rules", "try", "--min", "3", "--days", "30", "--format", "csv"], 2, &["take --format json"]),
    // Digests.
    (&["digest", "preview", "--locale", "fr", "--out", "x"], 2, &["vi or en"]),
    (&["digest", "preview", "--locale", "vi", "--out", "x", "--as-of", "2024-06-30"], 1, &["phananh jobs run"]),
    (&["digest", "subscribe", "--locale", "vi"], 2, &["--email <ADDRESS>|--folder <DIR>"]),
    (&["digest", "subscribe", "--locale", "vi", "--email", "nobody"], 1, &["write it like board@example.org"]),
    (&["digest", "unsubscribe", "--email", "a@b.vn"], 1, &["phananh digest subscriptions"]),
    (&["digest", "deliveries", "--limit", "0"], 2, &["0 is not in 1..=100000"]),
    // Holidays.
    (&["holidays", "import", "none.toml", "--reason", "x"], 1, &["cannot read none.toml", "No such file"]),
    (&["holidays", "remove", "2024"], 2, &["--reason <REASON>"]),
    (&["holidays", "remove", "2024", "--reason", "x"], 1, &["no holidays of 2024 itself", "`holidays` says"]),
    (&["holidays", "remove", "2024", "--reason", ""], 1, &["--reason has 1 to 500 characters"]),
    // Routing rules.
    (&["routing", "put"], 1, &["a rule for all complaints is not allowed"]),
    (&["routing", "put", "--kind", "x"], 2, &["\"x\" is not a kind of categories", "CONDUCT"]),
    (&["routing", "put", "--unit", "02", "--from", "2024-02-30"], 2, &["\"2024-02-30\" is not a date"]),
    (
        &["routing", "put", "--kind", "CONDUCT", "--from", "2024-02-01", "--until", "2024-01-31"],
        1,
        &["--from 2024-02-01 lies after --until 2024-01-31"],
    ),
    (&["routing", "end", "x", "--on", "2024-01-01"], 2, &["\"x\" is not the id of a rule"]),
    (&["routing", "end", "00000000-0000-0000-0000-000000000000"], 2, &["--on <DATE>"]),
    // Saved questions.
    (&["queries", "save"], 2, &["<NAME>"]),
    (&["queries", "save", "a"], 2, &["<FILE>"]),
    (&["queries", "save", "a", "none.sql"], 1, &["none.sql", "No such file"]),
    (&["queries", "save", "--all", "none"], 1, &["none", "No such file"]),
    (&["queries", "show", "x"], 1, &["there is no saved question \"x\"", "phananh queries list"]),
    (&["queries", "delete", "x"], 1, &["there is no saved question \"x\"", "phananh queries list"]),
    (&["sql", "@x"], 1, &["there is no saved question \"x\"", "phananh queries list"]),
    (&["sql", "@x", "--param", "y"], 2, &["write name=value"]),
    (&["sql", "SELECT 1", "--param", "y=1"], 1, &["write @NAME"]),
    // Invented registers.
    (&["generate", "--complaints", "-5", "--seed", "1"], 2, &["-5"]),
    (&["generate", "--complaints", "1000", "--seed", "1"], 1, &["holds real data"]),
    // Tokens and keys.
    (&["token", "create", "--name", "a", "--role", "BOARD", "--format", "csv"], 2, &["take --format json"]),
    (&["key", "create", "x.key", "--format", "csv"], 2, &["take --format json"]),
    (&["jobs", "run", "timeliness", "--format", "csv"], 2, &["take --format json"]),
    (&["export", "x.csv", "--format", "csv"], 2, &["take --format json"]),
    (&["token", "create", "--name", "a", "--role", "KING"], 2, &["BOARD, UNIT_HEAD"]),
    (&["token", "create", "--name", "a", "--role", "UNIT_HEAD"], 1, &["--unit CODE"]),
    (&["token", "create", "--name", "a", "--role", "BOARD", "--unit", "02CV"], 1, &["leave --unit out"]),
    (&["token", "create", "--name", "", "--role", "BOARD"], 1, &["1 to 100 characters"]),
    (&["token", "create", "--name", "a", "--role", "BOARD", "--expires-in", "-1"], 2, &["-1 is not in 1..=3650"]),
    (&["token", "create", "--name", "a", "--role", "BOARD", "--officer", "x"], 1, &["there is no officer \"x\""]),
    (&["token", "revoke", "--name", "nobody"], 1, &["\"nobody\" has no token", "`principals` lists"]),
    (&["token", "trust", "--name", "a", "none.graphql"], 1, &["cannot read none.graphql"]),
    (&["key", "create"], 2, &["<FILE>"]),
    (&["key", "create", "none/x.key"], 1, &["none/x.key", "No such file"]),
    (&["key", "rotate", "none.key"], 1, &["none.key", "phananh key create"]),
    (&["audit", "seal"], 1, &["--key-file", "phananh key create"]),
    (&["audit", "verify", "--expect", "x"], 2, &["CHAIN:NUMBER:HASH"]),
    // Questions and exports.
    (&["sql", ""], 1, &["write one SELECT"]),
    (&["sql", "DELETE FROM complaints"], 1, &["only SELECT"]),
    (&["sql", "SELECT nothing FROM complaints"], 1, &["nothing", "received_on"]),
    (&["sql", "SELECT count(*) FROM complaints", "--rows", "-1"], 2, &["--rows"]),
    (&["sql", "SELECT count(*) FROM complaints", "--seconds", "0"], 2, &["0 is not in 1..=86400"]),
    (&["export"], 2, &["<PATH>"]),
    (&["export", "x.doc"], 1, &["--as csv, parquet, arrow or xlsx"]),
    (&["export", "x.csv", "--table", "officers"], 2, &["complaints, allegations, responses"]),
    (&["export", "x.csv", "--table", "statistics"], 1, &["--group-by DEPARTMENT,MONTH"]),
    (
        &["export", "x.csv", "--measures", "complaints"],
        1,
        &["--measures", "are for statistics: add --table statistics"],
    ),
    (&["export", "x.csv", "--group-by", "UNIT", "--by-month"], 1, &["--by-month is for complaints"]),
    (&["export", "x.csv", "--group-by", "PROVINCE"], 1, &["groupBy: \"PROVINCE\"", "BRANCH", "DEPARTMENT", "MONTH"]),
    (
        &["export", "x.csv", "--group-by", "UNIT", "--measures", "cost"],
        1,
        &["measures: \"cost\"", "complaints, ", "costVnd"],
    ),
    (&["export", "x.csv", "--group-by", "UNIT", "--having", "{"], 1, &["having is not JSON", "column 1"]),
    (
        &["export", "x.csv", "--group-by", "UNIT", "--filter", r#"{"unti": "02"}"#],
        1,
        &["unti", "ComplaintStatisticsFilter", "take one of ", "costVnd, ", "unitWithin"],
    ),
    (&["export", "x.csv", "--table", "flags", "--filter", "{}"], 1, &["flags has all rows"]),
    (&["export", "x.csv", "--filter", "{"], 1, &["--filter is not JSON", "line 1 column 1"]),
    (&["export", "x.csv", "--filter", "@none.json"], 1, &["--filter: cannot read none.json", "No such file"]),
    (&["export", "x.csv", "--filter", r#"{"nope": 1}"#], 1, &["\"nope\"", "ComplaintFilter", "costVnd, ", "unit"]),
    (
        &["export", "x.csv", "--filter", r#"{"unit": {"wihtin": "02"}}"#],
        1,
        &["filter.unit", "wihtin", "UnitFilter", "take one of ", "within"],
    ),
    (
        &["export", "x.csv", "--filter", r#"{"text": {"like": "%a%"}}"#],
        1,
        &["a DATA_TEAM may not use ComplaintFilter.text"],
    ),
    (&["export", "x.csv", "--table", "flags", "--unit", "02"], 1, &["flags has all rows"]),
    (&["export", "x.parquet", "--bom"], 1, &["--bom is for CSV"]),
    (&["export", "x.csv", "--unit", "nobody"], 1, &["there is no unit \"nobody\""]),
    (&["export", "x.csv", "--from", "2024-13-01"], 2, &["2024-13-01", "write it as 2010-12-31"]),
    (&["export", "x.csv", "--until", "+262142-12-31"], 2, &["from 1970-01-01 to 2199-12-31"]),
    (&["export", "x.csv", "--from", "2025-01-01", "--until", "2024-01-01"], 1, &["2025-01-01 lies after --until"]),
    (&["export", "none/x.csv"], 1, &["cannot write none/x.csv", "No such file"]),
    (&["export", "x.csv", "--for", "INTAKE"], 2, &["DATA_TEAM, BOARD"]),
    // Lakes.
    (&["lake"], 2, &["sync", "verify"]),
    (&["lake", "sync"], 2, &["<DIR>"]),
    (&["lake", "sync", "x"], 1, &["--key-file", "phananh key create"]),
    (&["lake", "sync", "x", "--for", "INTAKE"], 2, &["DATA_TEAM, BOARD"]),
    (&["lake", "sync", "x", "--keep-hours", "-1"], 2, &["-1 is not in 0..=8760"]),
    (&["lake", "verify", "x"], 1, &["--key-file", "phananh key create"]),
    // Serving.
    (&["serve", "--listen", "nonsense"], 1, &["write --listen HOST:PORT", "127.0.0.1:8080"]),
    (&["serve", "--listen", "127.0.0.1"], 1, &["write --listen HOST:PORT"]),
    (&["serve", "--listen", "127.0.0.1:99999"], 1, &["write --listen HOST:PORT"]),
    (&["serve", "--listen", "192.0.2.1:8080"], 1, &["this machine has no such address"]),
    (&["demo", "--listen", "nonsense"], 1, &["write --listen HOST:PORT"]),
];

#[test]
fn each_command_says_what_is_wrong_and_leaves_nothing_behind() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let folder = tempfile::tempdir().unwrap();
    for (args, status, words) in WRONG {
        let done = run(folder.path(), &database.url, args);
        assert_eq!((done.status, &*done.out), (*status, ""), "{args:?}: {done:?}");
        for word in *words {
            assert!(done.err.contains(word), "{args:?}: {word:?} is missing in\n{}", done.err);
        }
        for never in ["panicked", ".rs:", "\\n"] {
            assert!(!done.err.contains(never), "{args:?}: {never:?} in\n{}", done.err);
        }
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.is_empty(), "{args:?} left {left:?}");
    }
}

#[test]
fn an_address_in_use_is_told_as_such() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let done = run(Path::new("."), &database.url, &["serve", "--listen", &address]);
    assert!(done.status == 1 && done.err.contains("another program uses it"), "{done:?}");
}

/// Commands that read a register or change one that is there.
const WANT_A_REGISTER: &[&[&str]] = &[
    &["flags", "list"],
    &["flags", "show", "CC01"],
    &["flags", "numbers"],
    &["flags", "reproduce", "00000000-0000-0000-0000-000000000000"],
    &["backtest", "--from", "2023", "--to", "2024"],
    &["rules", "try", "--min", "3", "--days", "30"],
    &["classify", "list"],
    &["classify", "train"],
    &["classify", "evaluate"],
    &["jobs", "list"],
    &["jobs", "history"],
    &["jobs", "run", "recurrence"],
    &["jobs", "pause", "recurrence"],
    &["jobs", "resume", "recurrence"],
    &["digest", "subscriptions"],
    &["digest", "deliveries"],
    &["digest", "retry"],
    &["digest", "unsubscribe", "--email", "board@example.org"],
    &["digest", "preview", "--locale", "vi", "--out", "x"],
    &["token", "revoke", "--name", "x"],
    &["sql", "SELECT count(*) FROM complaints"],
    &["export", "x.csv"],
    &["lake", "sync", "x"],
    &["lake", "verify", "x"],
];

#[test]
fn a_mistyped_database_is_an_error_and_not_an_empty_register() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("empty.db"), "").unwrap();
    let postgres = Database::postgres();
    for args in WANT_A_REGISTER {
        let missing = run(folder.path(), "sqlite:missing.db", args);
        assert!(missing.status == 1 && missing.err.contains("there is no database"), "{args:?}: {missing:?}");
        assert!(!folder.path().join("missing.db").exists(), "{args:?} made it");
        for database in ["sqlite:empty.db", postgres.url.as_str()] {
            let empty = run(folder.path(), database, args);
            assert!(empty.status == 1 && empty.err.contains("holds no register"), "{args:?}: {empty:?}");
        }
    }
    // What makes a register says that it made one; a second time there is one.
    let subscribe = ["digest", "subscribe", "--locale", "vi", "--folder", "/tmp"];
    for database in ["sqlite:new.db", postgres.url.as_str()] {
        let first = run(folder.path(), database, &subscribe);
        assert!(first.status == 0 && first.err.contains("an empty one was made"), "{first:?}");
        let second = run(folder.path(), database, &subscribe);
        assert!(second.status == 0 && !second.err.contains("an empty one was made"), "{second:?}");
    }
}

#[test]
fn a_wrong_configuration_is_told_before_a_register_is_made() {
    let folder = tempfile::tempdir().unwrap();
    for (text, words) in [
        ("foo = 1", &["p.toml: line 1, column 1: unknown field `foo`", "; the line is: foo = 1"][..]),
        ("[api]\nansver_cache_mb = 1", &["[api]", "ansver_cache_mb"]),
        ("[api.limits]\nsqlRows = 1", &["[api.limits]", "sqlRows", "sql_rows"]),
        ("[web]\naddress = \"x\"", &["web.address"]),
        ("[sql]\nconnections = 0", &["sql.connections"]),
        ("[sql]\npreload = [\"TEAM\"]", &["[sql]", "TEAM", "preload", "DATA_TEAM"]),
        ("[sql]\npreload = [\"INTAKE\"]", &["sql.preload", "INTAKE", "DATA_TEAM"]),
    ] {
        fs::write(folder.path().join("p.toml"), text).unwrap();
        for command in ["migrate", "serve"] {
            let done = run(folder.path(), "sqlite:new.db", &["--config", "p.toml", command]);
            assert_eq!((done.status, &*done.out), (1, ""), "{text}: {done:?}");
            assert!(words.iter().all(|word| done.err.contains(word)) && !done.err.contains("\\n"), "{text}: {done:?}");
            assert!(!folder.path().join("new.db").exists(), "{text}: {done:?}");
        }
    }
}

#[test]
fn a_dry_run_makes_no_register() {
    let folder = tempfile::tempdir().unwrap();
    let files = fixtures::Files::new();
    let mut args = files.import("units", fixtures::UNITS, fixtures::UNITS_MAP);
    args.push("--dry-run".to_owned());
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = run(folder.path(), "sqlite:new.db", &args);
    assert!(done.status == 0 && done.json()["imported"].as_u64() > Some(0), "{done:?}");
    assert!(!folder.path().join("new.db").exists(), "a check makes no register");
}

#[test]
fn lists_are_printed_as_csv() {
    for database in [Database::sqlite(), Database::postgres()] {
        fixtures::fill(&database);
        fixtures::run_counting(&database, "2024-06-30");
        for (args, columns) in [
            (&["jobs", "list"][..], "name,about,enabled"),
            (&["jobs", "history"], "run,job,state"),
            (&["digest", "subscriptions"], ""),
        ] {
            let done = program().run(&database, [args, &["--format", "csv"]].concat());
            assert_eq!(done.status, 0, "{args:?}: {done:?}");
            let header: Vec<&str> = done.out.lines().next().unwrap_or_default().split(',').collect();
            for column in columns.split(',').filter(|column| !column.is_empty()) {
                assert!(header.contains(&column), "{args:?}: {column} is missing in {header:?}");
            }
        }
    }
}

#[test]
fn real_data_does_not_go_into_a_demonstration() {
    for database in [Database::sqlite(), Database::postgres()] {
        program().run(&database, ["generate", "--complaints", "100", "--seed", "7"]).ok();
        let files = fixtures::Files::new();
        for (kind, csv, mapping) in [
            ("units", fixtures::UNITS, fixtures::UNITS_MAP),
            ("officers", fixtures::OFFICERS, fixtures::OFFICERS_MAP),
            ("complaints", fixtures::COMPLAINTS, fixtures::COMPLAINTS_MAP),
        ] {
            let mut args = files.import(kind, csv, mapping);
            let done = program().run(&database, &args);
            assert!(done.status == 1 && done.err.contains("holds demonstration data"), "{kind}: {done:?}");
            args.push("--dry-run".to_owned());
            let checked = program().run(&database, &args);
            assert!(!checked.err.contains("real data goes into"), "a check writes nothing: {checked:?}");
        }
    }
}
