//! psql: statements, catalogs, errors and transactions.

use super::PgApp;
use tests::{Role, TestApp, wait_until};

#[test]
fn psql_asks_on_both_databases() {
    for builder in [TestApp::sqlite(), TestApp::postgres()] {
        let app = PgApp::start(builder, "");
        assert_eq!(app.answer(Role::DataTeam, "SELECT COUNT(*) FROM complaints"), "1500");
        let both = app.answer(Role::Board, "SELECT 1; SELECT 'a;b' AS x, NULL, true");
        assert_eq!(both, "1\na;b||t");
        let values = "SELECT DATE '2024-01-02', CAST(1.50 AS DECIMAL(10, 2)), ARRAY['a b', NULL], 0.1 + 0.2, \
                      TIMESTAMP '2024-01-02 03:04:05.5' AT TIME ZONE 'UTC'";
        assert_eq!(
            app.answer(Role::DataTeam, values),
            "2024-01-02|1.50|{\"a b\",NULL}|0.30000000000000004|2024-01-02 03:04:05.5+00"
        );
        // A local time has no offset.
        let local = "SELECT TIMESTAMPTZ '2025-01-31 18:30:00+00' AT TIME ZONE 'Asia/Ho_Chi_Minh' AS local";
        assert_eq!(app.answer(Role::DataTeam, local), "2025-02-01 01:30:00");
        // Shares of a window over an aggregate add up.
        let shares = "SELECT ROUND(SUM(share)) FROM (SELECT kind, COUNT(*) * 100.0 / SUM(COUNT(*)) OVER () AS share \
                      FROM complaints GROUP BY kind) s";
        assert_eq!(app.answer(Role::DataTeam, shares), "100");
    }
}

#[test]
fn psql_lists_and_describes_tables() {
    let app = PgApp::start(TestApp::sqlite(), "");
    let said = |arguments: &[&str]| {
        let output = app.psql(Role::DataTeam, arguments);
        let failed = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && !failed.contains("ERROR"), "{arguments:?}: {failed}");
        String::from_utf8(output.stdout).unwrap()
    };
    let tables = said(&["-c", "\\dt"]);
    for table in ["complaints", "allegations", "units", "workload"] {
        assert!(tables.contains(&format!(" {table} ")), "{tables}");
    }
    assert!(!tables.contains(" sources "), "only the Board has the numbers of other registers: {tables}");
    let columns = said(&["-c", "\\d complaints"]);
    for (column, of) in [("received_on", "date"), ("complaint", "text"), ("overdue", "boolean")] {
        let line = columns.lines().find(|line| line.trim_start().starts_with(&format!("{column} ")));
        assert!(line.is_some_and(|line| line.contains(of)), "{column} {of}: {columns}");
    }
    let commented = said(&["-c", "\\d+ complaints"]);
    let line = commented.lines().find(|line| line.trim_start().starts_with("received_on "));
    assert!(line.is_some_and(|line| line.contains("Day of receipt, in Vietnam's time.")), "{commented}");
    let commented = said(&["-c", "\\dt+"]);
    let line = commented.lines().find(|line| line.split('|').nth(1).is_some_and(|name| name.trim() == "units"));
    assert!(line.is_some_and(|line| line.contains("What is above a unit")), "{commented}");
    assert!(said(&["-c", "\\d"]).contains("complaints"));
    assert!(said(&["-c", "\\dn"]).contains("public"));
    assert!(said(&["-l"]).contains("phananh"));
}

#[test]
fn expressions_of_postgresql_are_answered() {
    let app = PgApp::start(TestApp::sqlite(), "");
    for (text, expected) in [
        ("SELECT 'a_b' LIKE 'a/_%' ESCAPE '/', 'axb' LIKE 'a/_%' ESCAPE '/', 'a/b' LIKE 'a//b' ESCAPE '/'", "t|f|t"),
        ("SELECT to_date('31.12.2025', 'DD.MM.YYYY'), to_char(DATE '2026-05-02', 'YYYY\"-Q\"Q')", "2025-12-31|2026-Q2"),
        ("SELECT COUNT(*) = 1500 FROM complaints WHERE overdue = 't' OR overdue = 'f'", "t"),
        ("SELECT COUNT(*) = 0 FROM complaints WHERE received_at >= TO_TIMESTAMP('2100-01-01', 'YYYY-MM-DD')", "t"),
        ("SELECT DATE '2026-01-01' + INTERVAL '1 day' * 2 = DATE '2026-01-03'", "t"),
        ("SELECT to_regclass('complaints') = 'public.complaints'::regclass, to_regclass('nothing') IS NULL", "t|t"),
        ("SELECT obj_description('units'::regclass, 'pg_class') LIKE 'Units.%'", "t"),
    ] {
        assert_eq!(app.answer(Role::DataTeam, text), expected, "{text}");
    }
    let same = "SELECT string_agg(oid::text, ',' ORDER BY oid) FROM pg_class WHERE relname IN ('complaints', 'units')";
    assert_eq!(app.answer(Role::DataTeam, same), app.answer(Role::Board, same), "two engines number tables the same");
    let said = app.refused(Role::DataTeam, "SELECT 'a' LIKE 'a/' ESCAPE '/'");
    assert!(said.contains("22025") && said.contains("escape character"), "{said}");
}

#[test]
fn errors_have_a_sqlstate_and_a_position() {
    let app = PgApp::start(TestApp::sqlite(), "");
    for (text, code) in [
        ("SELECT * FROM nowhere", "42P01"),
        ("SELECT nothing FROM complaints", "42703"),
        ("SELECT no_such_function(1)", "42883"),
        ("SELECT 1 FRM x y", "42601"),
        ("DROP TABLE complaints", "42501"),
        ("COPY complaints TO STDOUT", "0A000"),
        ("SHOW nothing", "42704"),
        ("SET client_encoding = 'LATIN1'", "22023"),
    ] {
        let said = app.refused(Role::DataTeam, text);
        assert!(said.contains(code), "{text}: {said}");
    }
    let said = app.refused(Role::DataTeam, "SELECT 1 AS a;\nSELECT 2 FRM complaints x y");
    assert!(said.contains("LINE 2:"), "the position is in the second statement: {said}");
}

#[test]
fn a_failed_transaction_waits_for_its_end() {
    let app = PgApp::start(TestApp::sqlite(), "");
    let script = app.files.put(
        "script.sql",
        "BEGIN;\nSELECT nothing FROM complaints;\nSELECT 1 AS ignored;\nROLLBACK;\nSELECT 'again' AS x;\n\
         BEGIN;\nSAVEPOINT a;\nSELECT nothing FROM complaints;\nROLLBACK TO SAVEPOINT a;\nSELECT 'saved' AS x;\nCOMMIT;\n",
    );
    let output = app.psql(Role::DataTeam, &["-A", "-t", "-f", script.to_str().unwrap()]);
    let (said, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(failed.contains("current transaction is aborted"), "{failed}");
    assert!(said.contains("again") && said.contains("saved") && !said.contains("ignored"), "{said}");
    let tags: Vec<&str> = said.lines().collect();
    assert_eq!(tags, ["BEGIN", "ROLLBACK", "again", "BEGIN", "SAVEPOINT", "ROLLBACK", "saved", "COMMIT"]);
}

#[test]
fn each_question_is_in_the_audit_log() {
    let app = PgApp::start(TestApp::sqlite(), "");
    app.answer(Role::DataTeam, "SELECT kind FROM complaints LIMIT 3");
    app.refused(Role::DataTeam, "SELECT nothing FROM complaints");
    wait_until(10, "both entries", || app.audited().len() >= 2);
    let entries = app.audited();
    let of = |text: &str| entries.iter().find(|entry| entry["objects"]["sql"] == text).expect(text);
    let answered = of("SELECT kind FROM complaints LIMIT 3");
    assert_eq!((&answered["actor"], &answered["operation"]), (&"token:DATA_TEAM-all".into(), &"pgwire".into()));
    assert_eq!(answered["objects"]["rows"], 3);
    assert!(answered["objects"]["milliseconds"].is_u64());
    let failed = of("SELECT nothing FROM complaints");
    assert!(failed["objects"]["rows"].is_null() && failed["objects"]["failure"].is_string(), "{failed}");
}
