//! Conditions and times are those of PostgreSQL, and what the engine would take for something else is refused.

use super::{ask, rows, served};
use serde_json::{Value, json};
use tests::fixtures::Files;
use tests::{Role, TestApp};

/// Two instants: half past one on 1 February, and a second before the end of June, in Vietnam.
const INSTANTS: &str = "(SELECT CAST(at AS TIMESTAMPTZ) AS at \
                         FROM (VALUES ('2025-01-31T18:30:00Z'), ('2025-06-30T16:59:59Z')) AS v (at)) AS t";
const LOCAL: &str = "(at AT TIME ZONE 'Asia/Ho_Chi_Minh')";

#[test]
fn times_of_a_zone_are_local_times() {
    let files = Files::new();
    let app = served(TestApp::sqlite().world(), &files, "");
    let team = app.as_role(Role::DataTeam);
    let local = format!("SELECT {LOCAL} AS local FROM {INSTANTS} ORDER BY local");
    assert_eq!(Value::Array(rows(&team, &local)), json!([["2025-02-01T01:30:00"], ["2025-06-30T23:59:59"]]));
    for (condition, number) in [
        (format!("{LOCAL} >= DATE '2025-02-01'"), 2),
        (format!("{LOCAL} < DATE '2025-07-01'"), 2),
        (format!("{LOCAL} BETWEEN DATE '2025-02-01' AND DATE '2025-02-28'"), 1),
        (format!("{LOCAL} >= '2025-02-01 01:30:01'"), 1),
        (format!("date_trunc('month', {LOCAL}) = DATE '2025-06-01'"), 1),
        (format!("CAST({LOCAL} AS DATE) = DATE '2025-06-30'"), 1),
        (format!("EXTRACT(HOUR FROM {LOCAL}) = 23"), 1),
        (format!("{LOCAL} - TIMESTAMP '2025-02-01 00:00:00' < INTERVAL '2 hours'"), 1),
        ("at = TIMESTAMP '2025-02-01 01:30:00' AT TIME ZONE 'Asia/Ho_Chi_Minh'".to_owned(), 1),
        ("at >= TIMESTAMPTZ '2025-02-01 01:30:00+07'".to_owned(), 2),
        ("at < now() AND at < CURRENT_TIMESTAMP".to_owned(), 2),
    ] {
        let sql = format!("SELECT COUNT(*) AS n FROM {INSTANTS} WHERE {condition}");
        assert_eq!(Value::Array(rows(&team, &sql)), json!([[number]]), "{sql}");
    }
    // What is no column has a zone, too.
    let fixed = "SELECT TIMESTAMPTZ '2025-01-31 18:30:00+00' AT TIME ZONE 'Asia/Ho_Chi_Minh' AS local";
    assert_eq!(Value::Array(rows(&team, fixed)), json!([["2025-02-01T01:30:00"]]));
    // And so has what a template reads.
    let read = "SELECT to_timestamp('31.01.2025 18:30', 'DD.MM.YYYY HH24:MI') AT TIME ZONE 'Asia/Ho_Chi_Minh' AS a, \
                to_timestamp('2025-01-31 18:30:00') AT TIME ZONE 'Asia/Ho_Chi_Minh' AS of_text, \
                to_timestamp(1738348200) AT TIME ZONE 'Asia/Ho_Chi_Minh' AS of_seconds, \
                to_timestamp('31.01.2025', 'DD.MM.YYYY') AS midnight";
    let local = "2025-02-01T01:30:00";
    assert_eq!(Value::Array(rows(&team, read)), json!([[local, local, local, "2025-01-31T00:00:00Z"]]));
    let types = ask(&team, "SELECT now() AS a, now() AT TIME ZONE 'Asia/Ho_Chi_Minh' AS b").json();
    let types: Vec<&Value> = types["columns"].as_array().unwrap().iter().map(|column| &column["type"]).collect();
    assert_eq!(types, ["timestamp with time zone", "timestamp without time zone"]);
}

#[test]
fn parts_of_times_have_their_fractions() {
    let files = Files::new();
    let app = served(TestApp::sqlite().world(), &files, "");
    let team = app.as_role(Role::DataTeam);
    let times = "(VALUES (TIMESTAMP '2025-01-03 05:06:07.5', TIMESTAMP '2025-01-01 00:00:00')) AS t (a, b)";
    for (part, expected) in [
        ("SECOND FROM a", json!(7.5)),
        ("MILLISECONDS FROM a", json!(7_500.0)),
        ("SECOND FROM INTERVAL '1 minute 1.25 seconds'", json!(1.25)),
        ("MINUTE FROM a", json!(6)),
        ("HOUR FROM a", json!(5)),
        ("SECOND FROM INTERVAL '59.25 seconds'", json!(59.25)),
        ("EPOCH FROM INTERVAL '1 year'", json!(31_557_600.0)),
        ("DAY FROM a - b", json!(2)),
        ("HOUR FROM a - b", json!(5)),
        ("SECOND FROM b - a", json!(-7.5)),
        ("EPOCH FROM a - b", json!(191_167.5)),
    ] {
        let sql = format!("SELECT EXTRACT({part}) AS part FROM {times}");
        assert_eq!(Value::Array(rows(&team, &sql)), json!([[expected]]), "{sql}");
        let grouped = format!("SELECT EXTRACT({part}) AS part, COUNT(*) AS n FROM {times} GROUP BY EXTRACT({part})");
        assert_eq!(Value::Array(rows(&team, &grouped)), json!([[expected, 1]]), "{grouped}");
    }
    // PostgreSQL adds days and hours apart.
    for part in ["DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND"] {
        for sum in ["SUM(a - b)", "(a - b) + (a - b)"] {
            let answer = ask(&team, &format!("SELECT EXTRACT({part} FROM {sum}) FROM {times}"));
            assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{part} of {sum}: {answer:?}");
            assert!(answer.text.contains("EPOCH"), "{part} of {sum}: {answer:?}");
        }
    }
    let seconds = format!("SELECT EXTRACT(EPOCH FROM SUM(a - b)) AS seconds FROM {times}");
    assert_eq!(Value::Array(rows(&team, &seconds)), json!([[191_167.5]]));
}

#[test]
fn what_tells_equal_intervals_apart_is_refused() {
    let files = Files::new();
    let app = served(TestApp::sqlite().world(), &files, "");
    let team = app.as_role(Role::DataTeam);
    let intervals = "(VALUES (INTERVAL '30 days'), (INTERVAL '1 month')) AS t (i)";
    for (sql, advice) in [
        (format!("SELECT i, COUNT(*) FROM {intervals} GROUP BY i"), "EPOCH"),
        (format!("SELECT DISTINCT i FROM {intervals}"), "EPOCH"),
        (format!("SELECT MAX(i) FROM {intervals}"), "EPOCH"),
        (format!("SELECT i FROM {intervals} UNION SELECT INTERVAL '1 day'"), "EPOCH"),
        (format!("SELECT mode() WITHIN GROUP (ORDER BY i) FROM {intervals}"), "EPOCH"),
        (format!("SELECT EXTRACT(WEEK FROM i) FROM {intervals}"), "week"),
        ("SELECT age(received_at, now()) FROM complaints".to_owned(), "a - b"),
        ("SELECT now() - make_interval(days => 2)".to_owned(), "INTERVAL '1 day' * n"),
        ("SELECT justify_days(INTERVAL '40 days')".to_owned(), "EPOCH"),
        ("SELECT now() - INTERVAL '1.5' DAY".to_owned(), "'1.5 hours'"),
        ("SELECT received_on + (INTERVAL '5 hours' + INTERVAL '6 hours') FROM complaints".to_owned(), "TIMESTAMP"),
        ("SELECT to_char(now() - received_at, 'HH24:MI') FROM complaints".to_owned(), "EXTRACT"),
    ] {
        let answer = ask(&team, &sql);
        assert_eq!((answer.status, answer.codes()), (400, vec!["BAD_USER_INPUT".to_owned()]), "{sql}: {answer:?}");
        assert!(answer.text.contains(advice), "{sql}: {answer:?}");
    }
    let longest =
        format!("SELECT MAX(EXTRACT(EPOCH FROM i)) AS seconds FROM {intervals} WHERE i >= INTERVAL '720 hours'");
    assert_eq!(Value::Array(rows(&team, &longest)), json!([[2_592_000.0]]));
}

#[test]
fn other_words_mean_the_same() {
    let files = Files::new();
    let app = served(TestApp::sqlite().world(), &files, "");
    let team = app.as_role(Role::DataTeam);
    let numbers = "(VALUES (1), (2), (3)) AS t (a)";
    for (sql, expected) in [
        (format!("SELECT a FROM {numbers} ORDER BY a FETCH FIRST 2 ROWS ONLY"), json!([[1], [2]])),
        (format!("SELECT a FROM {numbers} ORDER BY a OFFSET 1 ROW FETCH NEXT ROW ONLY"), json!([[2]])),
        (format!("SELECT * FROM (SELECT a FROM {numbers} ORDER BY a DESC FETCH FIRST 1 ROW ONLY) t"), json!([[3]])),
        (format!("SELECT mod(a + 4, 3) AS m FROM {numbers} ORDER BY a"), json!([[2], [0], [1]])),
        (format!("SELECT every(a > 1), every(a > 0), variance(a), sign(-2.5) FROM {numbers}"), {
            json!([[false, true, 1.0, -1.0]])
        }),
        (format!("SELECT a, EVERY(a < 3) OVER (ORDER BY a) AS all_less FROM {numbers} ORDER BY a"), {
            json!([[1, true], [2, true], [3, false]])
        }),
    ] {
        assert_eq!(Value::Array(rows(&team, &sql)), expected, "{sql}");
    }
    for rows in ["FIRST 50 PERCENT ROWS ONLY", "FIRST 1 ROW WITH TIES"] {
        let answer = ask(&team, &format!("SELECT a FROM {numbers} ORDER BY a FETCH {rows}"));
        assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{rows}: {answer:?}");
    }
    // A quotient of floating-point numbers is not exact.
    for (call, message) in [("div(delay_hours, 2)", "AS NUMERIC"), ("div(officers, 0)", "division by zero")] {
        let answer = ask(&team, &format!("SELECT {call} AS q FROM complaints"));
        assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{call}: {answer:?}");
        assert!(answer.text.contains(message), "{call}: {answer:?}");
    }
}

#[test]
fn spans_are_compared_by_their_length() {
    let files = Files::new();
    let app = served(TestApp::sqlite().world(), &files, "");
    let team = app.as_role(Role::DataTeam);
    let span = "(at - TIMESTAMPTZ '2025-01-31 00:00:00+00')";
    for (condition, number) in [
        (format!("{span} > INTERVAL '12 hours'"), 2),
        (format!("{span} > INTERVAL '1 day'"), 1),
        (format!("INTERVAL '1 day' >= {span}"), 1),
        (format!("{span} BETWEEN INTERVAL '0 days' AND INTERVAL '1 month'"), 1),
        (format!("{span} = INTERVAL '18 hours 30 minutes'"), 1),
        (format!("{span} > INTERVAL '6 hours' * 2"), 2),
        (format!("{span} > - INTERVAL '1 day 2 hours'"), 2),
    ] {
        let sql = format!("SELECT COUNT(*) AS n FROM {INSTANTS} WHERE {condition}");
        assert_eq!(Value::Array(rows(&team, &sql)), json!([[number]]), "{sql}");
    }
    let whole = format!("SELECT MAX(at) - MIN(at) > INTERVAL '149 days' AS long FROM {INSTANTS}");
    assert_eq!(Value::Array(rows(&team, &whole)), json!([[true]]));
}

#[test]
fn nulls_in_subqueries_are_unknown() {
    let files = Files::new();
    let app = served(TestApp::sqlite().world(), &files, "");
    let team = app.as_role(Role::DataTeam);
    let numbers = "(VALUES (1), (2), (NULL)) AS t (a)";
    for (condition, number) in [
        ("a NOT IN (SELECT 2)", 1),
        ("a NOT IN (SELECT b FROM (VALUES (2), (NULL)) AS u (b))", 0),
        ("NOT (a IN (SELECT 2)) AND a IS NOT NULL", 1),
        ("a = 1 OR a IN (SELECT b FROM (VALUES (2), (NULL)) AS u (b))", 2),
        ("a IS NULL OR NOT EXISTS (SELECT 1 FROM (VALUES (2)) AS u (b) WHERE b = a)", 2),
    ] {
        let sql = format!("SELECT COUNT(*) AS n FROM {numbers} WHERE {condition}");
        assert_eq!(Value::Array(rows(&team, &sql)), json!([[number]]), "{sql}");
    }
    for (condition, number) in [
        ("a NOT IN (SELECT 2) OR a = 7", 1),
        ("NOT (a IN (SELECT 2) AND a > 0)", 1),
        ("(a IN (SELECT 2)) IS NULL", 1),
        ("3 NOT IN (SELECT b FROM (VALUES (2), (NULL)) AS u (b))", 0),
        ("3 NOT IN (SELECT b FROM (VALUES (2), (NULL)) AS u (b) WHERE b = a)", 3),
    ] {
        let sql = format!("SELECT COUNT(*) AS n FROM {numbers} WHERE {condition}");
        assert_eq!(Value::Array(rows(&team, &sql)), json!([[number]]), "{sql}");
    }
    let grouped = format!("SELECT a FROM {numbers} GROUP BY a HAVING a NOT IN (SELECT 2) OR a = 7");
    assert_eq!(Value::Array(rows(&team, &grouped)), json!([[1]]));
    // Neither side has nulls.
    let outside = "SELECT COUNT(*) FROM units WHERE kind = 'TEAM' OR code NOT IN (SELECT complaint FROM complaints)";
    assert_eq!(rows(&team, outside), rows(&team, "SELECT COUNT(*) FROM units"));
}

#[test]
fn what_the_engine_would_misread_is_refused() {
    let files = Files::new();
    let app = served(TestApp::sqlite().world(), &files, "");
    let team = app.as_role(Role::DataTeam);
    let numbers = "(VALUES (1), (2), (NULL)) AS t (a)";
    let others = "(VALUES (2), (3)) AS u (a)";
    for (sql, advice) in [
        ("SELECT COUNT(*) FROM units WHERE code SIMILAR TO '0%'".to_owned(), "LIKE"),
        (format!("SELECT a FROM {numbers} EXCEPT ALL SELECT 1"), "ALL"),
        (format!("SELECT a FROM {numbers} INTERSECT ALL SELECT 1"), "ALL"),
        (format!("SELECT a FROM {numbers} FULL JOIN {others} USING (a)"), "COALESCE"),
        (format!("SELECT a FROM {numbers} NATURAL RIGHT JOIN {others}"), "COALESCE"),
        ("SELECT COUNT(*) FROM complaints TABLESAMPLE BERNOULLI (1)".to_owned(), "random()"),
        ("SELECT COUNT(*) FROM units WHERE code = ANY (SELECT unit FROM complaints)".to_owned(), "EXISTS"),
        ("SELECT COUNT(*) FROM units WHERE code > ALL (SELECT code FROM units)".to_owned(), "MAX"),
        (format!("SELECT a FROM {numbers} WHERE a + random() NOT IN (SELECT 2) OR a = 7"), "EXISTS"),
        ("SELECT generate_series(1, 3) + 1 AS n".to_owned(), "FROM generate_series"),
        ("SELECT mode(kind) AS kind FROM complaints".to_owned(), "WITHIN GROUP"),
        ("SELECT percentile_disc(officers) WITHIN GROUP (ORDER BY unit) FROM complaints".to_owned(), "from 0 to 1"),
        (format!("SELECT a BETWEEN SYMMETRIC (a BETWEEN SYMMETRIC 1 AND 2) AND 3 FROM {numbers}"), "subquery"),
        ("SELECT (unit, kind) OVERLAPS (received_on, 3) FROM complaints".to_owned(), "OVERLAPS"),
        ("SELECT COUNT(*) FROM complaints WHERE received_on > 2025".to_owned(), "EXTRACT(YEAR"),
        ("SELECT COUNT(*) FROM complaints WHERE unit = 2".to_owned(), "do not compare"),
        ("SELECT CAST(received_on AS INT) AS n FROM complaints".to_owned(), "EXTRACT"),
        ("SELECT cost_vnd FROM complaints UNION SELECT unit FROM complaints".to_owned(), "do not compare"),
        ("SELECT code FROM units WHERE name_vi ~ '\\bquan'".to_owned(), "\\\\y"),
        ("SELECT code FROM units WHERE name_vi ~ 'quan(?=a)'".to_owned(), "(?:…)"),
        ("SELECT received_on + INTERVAL '36 hours' AS late FROM complaints".to_owned(), "TIMESTAMP"),
    ] {
        let answer = ask(&team, &sql);
        assert_eq!((answer.status, answer.codes()), (400, vec!["BAD_USER_INPUT".to_owned()]), "{sql}: {answer:?}");
        assert!(answer.text.contains(advice), "{sql}: {answer:?}");
    }
}

#[test]
fn subqueries_that_the_engine_would_compute_over_all_rows_are_refused() {
    let files = Files::new();
    let app = served(TestApp::sqlite().world(), &files, "");
    let team = app.as_role(Role::DataTeam);
    let own = "FROM complaints c WHERE c.unit = u.code";
    let lateral = |columns: &str, more: &str| {
        format!("SELECT x.* FROM units u CROSS JOIN LATERAL (SELECT {columns} {own}{more}) x")
    };
    let value = |of: &str| format!("SELECT ({of}) AS n FROM units u");
    let number = "row_number() OVER (ORDER BY received_on)";
    for (sql, advice) in [
        (lateral(&format!("{number} AS k"), ""), "PARTITION BY"),
        (format!("SELECT code FROM units u WHERE 1 IN (SELECT {number} {own})"), "PARTITION BY"),
        (lateral("COUNT(*) AS n", " HAVING COUNT(*) > 1"), "LEFT JOIN"),
        (format!("SELECT code FROM units u WHERE (SELECT COUNT(*) {own} HAVING COUNT(*) > 1) IS NULL"), "LEFT JOIN"),
        (format!("SELECT code FROM units u WHERE EXISTS (SELECT COUNT(*) {own} HAVING COUNT(*) > 1)"), "LEFT JOIN"),
        (lateral("kind, COUNT(*) AS n", " GROUP BY ROLLUP (kind)"), "ROLLUP"),
        (value(&format!("SELECT DISTINCT COUNT(*) {own}")), "DISTINCT"),
        (lateral("'a' AS s, COUNT(*) AS n", ""), "constants"),
        (format!("SELECT code FROM units u WHERE EXISTS (SELECT 1 {own} OFFSET 1)"), "OFFSET"),
        (lateral("kind", " LIMIT 1"), "row_number()"),
        (
            value("SELECT COUNT(*) FROM complaints c LEFT JOIN units v ON v.code = c.unit AND v.parent = u.code"),
            "outer join",
        ),
        (value("SELECT COUNT(*) FROM complaints c WHERE c.unit > u.code"), "write a join"),
        (
            "SELECT (SELECT b FROM (VALUES (1), (1)) AS v (b) WHERE b = a) AS b FROM (VALUES (1)) AS t (a)".to_owned(),
            "more than one row",
        ),
    ] {
        let answer = ask(&team, &sql);
        assert_eq!((answer.status, answer.codes()), (400, vec!["BAD_USER_INPUT".to_owned()]), "{sql}: {answer:?}");
        assert!(answer.text.contains(advice) && !answer.text.contains("<subquery>"), "{sql}: {answer:?}");
    }
}
