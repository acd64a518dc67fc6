//! `phananh sql`: the prompt on a terminal, the formats of one question, and questions to a server.

use crate::program;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};
use tests::fixtures::Files;
use tests::{Database, Json, Role, TestApp, project, python};

/// What a session on a terminal came to.
struct Shown {
    status: Value,
    text: String,
}

/// Runs `phananh sql` on a terminal. Each step waits for a text and types keys then.
fn on_terminal(
    database: &Database,
    state: &Path,
    more: &[(&str, &str)],
    args: &[&str],
    steps: &[(&str, &str)],
) -> Shown {
    let mut environment = json!({
        "PHANANH_DATABASE_URL": database.url, "XDG_STATE_HOME": state, "TERM": "xterm", "PAGER": "cat",
    });
    for (name, value) in more {
        environment[*name] = json!(value);
    }
    let command: Vec<String> = [program().0.display().to_string(), "sql".into()]
        .into_iter()
        .chain(args.iter().map(|arg| (*arg).to_owned()))
        .collect();
    let given = json!({ "command": command, "environment": environment, "seconds": 120, "steps": steps });
    let script = project().join("tests/clients/prompt.py");
    let output = Command::new("python3").arg(script).arg(given.to_string()).output().unwrap();
    let said: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    assert!(said["missing"].is_null(), "{:?} was not shown: {}", said["missing"], said["shown"].text());
    Shown { status: said["status"].clone(), text: said["shown"].text().to_owned() }
}

fn with_register() -> (TestApp, Files) {
    let files = Files::new();
    (TestApp::sqlite().generated(1_500, 11).start_with(&files, ""), files)
}

const ENDLESS: &str = "SELECT SUM(value % 7) AS n FROM generate_series(1, 1000000000000);\r";

#[test]
fn a_session_has_answers_commands_completion_and_history() {
    let (app, files) = with_register();
    let key = files.key();
    let state = files.path().join("state");
    let args = ["--key-file", &key];
    let shown = on_terminal(
        &app.database,
        &state,
        &[],
        &args,
        &[
            ("phananh> ", "SELECT 6 * 7\r"),
            // The question continues until the semicolon.
            ("7", " AS answer;\r"),
            ("42", ""),
            ("(1 row)", "\\d\r"),
            ("complaints", ""),
            ("phananh> ", "\\d units\r"),
            ("peer_group", ""),
            ("phananh> ", "\\d nothing\r"),
            ("there is no table", ""),
            ("phananh> ", "\\timing\r"),
            ("timing is on", ""),
            // Tab completes the name of the table.
            ("phananh> ", "SELECT COUNT(*) AS n FROM worklo\t;\r"),
            ("(1 row)", ""),
            ("time: ", ""),
            ("phananh> ", "SELECT nothing FROM complaints;\r"),
            ("error: ", ""),
            ("phananh> ", "SELECT 1 AS one; SELECT 2 AS two;\r"),
            ("(1 row)", ""),
            ("(1 row)", ""),
            ("phananh> ", "\u{4}"),
        ],
    );
    assert_eq!(shown.status, 0, "{}", shown.text);
    let history = std::fs::read_to_string(state.join("phananh/sql_history")).unwrap();
    assert!(history.contains("6 * 7") && history.contains("\\timing"), "{history}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(state.join("phananh/sql_history")).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "others may read the history: {mode:o}");
    }
    // The next session begins with the last question of this one.
    let again = on_terminal(
        &app.database,
        &state,
        &[],
        &args,
        &[("phananh> ", "\u{1b}[A\r"), ("(1 row)", ""), ("(1 row)", ""), ("phananh> ", "\\q\r")],
    );
    assert_eq!(again.status, 0, "{}", again.text);
    // The audit log has each question of the sessions.
    let noted = noted(&app);
    let words = |entry: &Value| entry["sql"].text().split_whitespace().collect::<Vec<_>>().join(" ");
    let of = |text: &str| noted.iter().filter(|entry| words(entry) == text).collect::<Vec<_>>();
    assert_eq!(of("SELECT 6 * 7 AS answer")[0]["rows"], 1);
    assert!(of("SELECT nothing FROM complaints")[0]["failure"].text().contains("nothing"));
    assert_eq!(of("SELECT 2 AS two").len(), 2, "{noted:?}");
}

#[test]
fn a_session_over_a_server_lists_completes_and_times() {
    let (app, files) = with_register();
    let team = app.as_role(Role::DataTeam);
    let shown = on_terminal(
        &app.database,
        files.path(),
        &[("PHANANH_TOKEN", &team.token)],
        &["--server", &team.server.address],
        &[
            ("phananh> ", "\\d\r"),
            ("workload", ""),
            ("phananh> ", "\\d units\r"),
            ("peer_group", ""),
            ("phananh> ", "\\timing\r"),
            ("timing is on", ""),
            ("phananh> ", "SELECT COUNT(*) AS n FROM worklo\t;\r"),
            ("(1 row)", ""),
            ("time: ", ""),
            ("phananh> ", "SELECT 1 AS one; SELECT nothing FROM complaints;\r"),
            ("(1 row)", ""),
            ("error: ", ""),
            ("phananh> ", "\u{4}"),
        ],
    );
    assert_eq!(shown.status, 0, "{}", shown.text);
}

/// What the audit log has of questions at the command line.
fn noted(app: &TestApp) -> Vec<Value> {
    let list = "{ auditLog(first: 100, filter: {action: {eq: SQL}}) { nodes { operation objects } } }";
    let logged = app.as_role(Role::Admin).data(list)["auditLog"]["nodes"].clone();
    let own = logged.list().iter().filter(|entry| entry["operation"] == "phananh sql");
    own.map(|entry| entry["objects"].clone()).collect()
}

#[test]
fn ctrl_c_cancels_the_question_and_not_the_session() {
    let (app, files) = with_register();
    let key = files.key();
    let team = app.as_role(Role::DataTeam);
    let over_server = ["--server", &team.server.address];
    for args in [&["--key-file", key.as_str()][..], &over_server] {
        let shown = on_terminal(
            &app.database,
            files.path(),
            &[("PHANANH_TOKEN", &team.token)],
            args,
            &[
                // The engine starts.
                ("phananh> ", "SELECT 1 AS one;\r"),
                ("(1 row)", ""),
                ("phananh> ", ENDLESS),
                ("\n", "\u{3}"),
                ("cancelled", ""),
                ("phananh> ", "SELECT 6 * 7 AS answer;\r"),
                ("42", ""),
                // At the prompt it discards the line.
                ("phananh> ", "SELECT nonsense\u{3}"),
                ("phananh> ", "\u{4}"),
            ],
        );
        assert_eq!(shown.status, 0, "{args:?}: {}", shown.text);
        assert!(!shown.text.contains("error: "), "{args:?}: {}", shown.text);
    }
    let noted = noted(&app);
    let cancelled =
        noted.iter().find(|entry| ENDLESS.starts_with(entry["sql"].text().trim())).expect("the cancelled question");
    assert!(cancelled["failure"].text().contains("cancelled"), "{cancelled}");
}

#[test]
fn a_pager_shows_what_is_taller_than_the_screen() {
    let (app, files) = with_register();
    let key = files.key();
    let pager = [("PAGER", "sed -e 's/^/PAGED: /'")];
    let tall = "SELECT complaint FROM complaints LIMIT 60;\r";
    let shown = on_terminal(
        &app.database,
        files.path(),
        &pager,
        &["--key-file", &key],
        &[
            ("phananh> ", "SELECT 6 * 7 AS answer;\r"),
            ("(1 row)", ""),
            ("phananh> ", tall),
            ("PAGED: (60 rows)", ""),
            ("phananh> ", "\\pager\r"),
            ("the pager is off", ""),
            ("phananh> ", tall),
            ("(60 rows)", ""),
            ("phananh> ", "\u{4}"),
        ],
    );
    assert_eq!(shown.status, 0);
    assert_eq!(shown.text.matches("PAGED: (").count(), 1, "{}", shown.text);
    // A pager that is not there hides nothing.
    let missing = [("PAGER", "no-such-pager")];
    let shown = on_terminal(
        &app.database,
        files.path(),
        &missing,
        &["--key-file", &key],
        &[("phananh> ", tall), ("(60 rows)", ""), ("phananh> ", "\u{4}")],
    );
    assert_eq!(shown.status, 0);
}

#[test]
fn one_question_is_printed_in_each_format_from_the_database_and_from_a_server() {
    let python = python(&["pyarrow"], &[], &["pyarrow==21.0.0"]);
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let key = files.key_file();
        let app = app.generated(1_500, 11).arguments(&["--no-jobs", "--key-file", &key]).start();
        let team = app.as_role(Role::DataTeam);
        let token = files.put("token", format!("{}\n", team.token)).display().to_string();
        let here = ["--key-file", key.as_str()];
        let there = ["--server", team.server.address.as_str(), "--token-file", token.as_str()];
        let sql = "SELECT kind, COUNT(*) AS n, COALESCE(MIN(enterprise), 'none') AS e FROM complaints GROUP BY kind ORDER BY kind";
        let mut said = Vec::new();
        for way in [&here[..], &there] {
            let run = |format: &str| {
                let args = [&["sql", sql, "--format", format][..], way].concat();
                let output = program().command(&app.database).args(args).output().unwrap();
                assert!(output.status.success(), "{format}: {}", String::from_utf8_lossy(&output.stderr));
                output.stdout
            };
            let document: Value = serde_json::from_slice(&run("json")).unwrap();
            let rows = document["rows"].list().to_vec();
            assert!(rows.len() > 1 && document["truncated"] == false, "{document}");
            assert_eq!(document["keyVersion"], 1);
            let csv = String::from_utf8(run("csv")).unwrap();
            let expected = rows.iter().map(|row| format!("{},{},{}", row["kind"].text(), row["n"], row["e"].text()));
            let expected: Vec<String> = std::iter::once("kind,n,e".to_owned()).chain(expected).collect();
            assert_eq!(csv.lines().collect::<Vec<_>>(), expected);
            assert_eq!(run("table"), run("text"));
            assert_eq!(String::from_utf8(run("table")).unwrap().lines().count(), rows.len() + 1);
            let read = "import json, sys, pyarrow as a, pyarrow.ipc, pyarrow.parquet\n\
                        read = {'arrow': lambda f: a.ipc.open_stream(f).read_all(), 'parquet': a.parquet.read_table}\n\
                        print(json.dumps(read[sys.argv[1]](sys.argv[2]).to_pylist()))";
            for format in ["arrow", "parquet"] {
                let file = files.path().join(format!("answer.{format}"));
                std::fs::write(&file, run(format)).unwrap();
                let output = Command::new(&python).args(["-c", read, format]).arg(&file).output().unwrap();
                let found: Value = serde_json::from_slice(&output.stdout)
                    .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
                assert_eq!(found.list(), &rows, "{format}");
            }
            said.push(rows);
        }
        assert_eq!(said[0], said[1]);
    }
}

#[test]
fn one_question_reads_what_it_needs_and_is_answered_as_by_a_server() {
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let key = files.key_file();
        let app = app.generated(1_500, 11).arguments(&["--no-jobs", "--key-file", &key]).start();
        let team = app.as_role(Role::DataTeam);
        for sql in [
            "SELECT 1 AS one",
            "SELECT code, kind FROM units ORDER BY code",
            "SELECT COUNT(*) AS n, MIN(received_on) AS first FROM complaints",
            "SELECT kind, COUNT(*) AS n FROM complaints GROUP BY kind ORDER BY kind",
            "SELECT branch, peer_group, SUM(cost_vnd) AS cost FROM complaints GROUP BY 1, 2 ORDER BY 1, 2",
            "SELECT overdue, COUNT(*) AS n, MAX(waited_days) AS days FROM complaints GROUP BY overdue ORDER BY overdue",
            "SELECT COUNT(DISTINCT enterprise) AS e, SUM(officers) AS o, COUNT(finding) AS f FROM complaints",
            "SELECT COUNT(department) AS d, COUNT(team) AS t, COUNT(responsible_unit) AS r, COUNT(DISTINCT unit) AS u
             FROM complaints",
            "SELECT COUNT(due_on) AS d, COUNT(answered_on) AS a, COUNT(escalated_on) AS e, COUNT(waits_since) AS w,
                    COUNT(*) FILTER (WHERE in_time) AS i, COUNT(*) FILTER (WHERE reopened) AS r FROM complaints",
            "SELECT category_group, finding, COUNT(delay_hours) AS n FROM complaints GROUP BY 1, 2 ORDER BY 1, 2",
            "SELECT COUNT(*) AS n FROM allegations a JOIN complaints c USING (complaint) WHERE c.kind = 'CONDUCT'",
            "SELECT month, COUNT(*) AS days FROM calendar GROUP BY month ORDER BY month",
            "SELECT COUNT(*) AS n, SUM(declarations) AS d FROM workload",
            // The text does not name the columns that these read.
            "SELECT * FROM complaints ORDER BY complaint LIMIT 20",
            "SELECT u.*, t.n FROM (SELECT unit, COUNT(*) AS n FROM complaints GROUP BY unit) AS t
             JOIN units u ON u.code = t.unit ORDER BY u.code",
        ] {
            let by_command = program().json(&app.database, &["sql", sql, "--key-file", &key]);
            let query = "query($sql: String!) { sql(query: $sql) { rows } }";
            let by_server = team.data_with(query, &json!({ "sql": sql }))["sql"].clone();
            assert!(!by_server["rows"].list().is_empty(), "{sql}");
            assert_eq!(by_command["rows"], by_server["rows"], "{}: {sql}", app.database.name);
        }
    }
}

#[test]
fn parameters_come_from_the_command_line() {
    let (app, files) = with_register();
    let key = files.key();
    let count = |more: &[&str]| {
        let sql = "SELECT COUNT(*) AS n FROM complaints WHERE kind = $1 AND year >= $2";
        let args = [&["sql", sql, "--key-file", &key][..], more].concat();
        program().json(&app.database, &args)["rows"][0]["n"].integer()
    };
    let some = count(&["--parameter", "CONDUCT", "--parameter", "2000"]);
    assert!(some > 0);
    assert_eq!(count(&["--parameter", "NONE", "--parameter", "2000"]), 0);
}

#[test]
fn a_question_that_fails_says_why_by_its_status() {
    let (app, files) = with_register();
    let key = files.key();
    let address = app.server().address.clone();
    let token = files.put("token", "no such token").display().to_string();
    let closed = "http://127.0.0.1:9";
    for (args, status, said) in [
        (vec!["sql", "SELECT nothing FROM complaints", "--key-file", &key], 1, "nothing"),
        (vec!["sql", "SELECT 1", "--server", &address], 1, "PHANANH_TOKEN"),
        (vec!["sql", "SELECT 1", "--server", &address, "--token-file", &token], 1, "not known"),
        (vec!["sql", "SELECT 1", "--server", closed, "--token-file", &token], 1, closed),
        (vec!["sql", "SELECT 1", "--server", "http://phananh.example", "--token-file", &token], 1, "use https"),
        (vec!["sql", "SELECT 1", "--server", &address, "--memory-mb", "600"], 2, "--server"),
        (vec!["sql", "SELECT 1", "--token-file", &token], 2, "--server"),
        (vec!["flags", "list", "--format", "parquet"], 2, "only `sql`"),
    ] {
        let done = program().run(&app.database, &args);
        assert_eq!(done.status, status, "{args:?}: {done:?}");
        assert!(done.err.contains(said) && done.out.is_empty(), "{args:?}: {done:?}");
    }
    // Without a terminal and without a question, the tables are listed.
    let tables = program().json(&app.database, &["sql"]);
    let complaints = tables.list().iter().find(|one| one["table"] == "complaints").unwrap().clone();
    assert!(complaints["columns"].list().iter().any(|column| column == "received_on"), "{complaints}");
    // Standard input holds a question, however long.
    let mut command = program().command(&app.database);
    let mut child = command
        .args(["sql", "-", "--key-file", &key, "--format", "csv"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"SELECT 6 * 7 AS answer").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"answer\n42\n"[..]));
    // More rows than asked for are cut off with a note.
    let args = ["sql", "SELECT complaint FROM complaints", "--rows", "3", "--format", "csv", "--key-file", &key];
    let cut = program().run(&app.database, args).ok();
    assert_eq!(cut.out.lines().count(), 4, "{cut:?}");
    assert!(cut.err.contains("more than 3 rows"), "{cut:?}");
}
