//! Numbers that are out of range are errors, and no other numbers.

use super::{ask, rows, served};
use serde_json::{Value, json};
use tests::fixtures::Files;
use tests::{Role, TestApp};

#[test]
fn whole_numbers_do_not_wrap_around() {
    let files = Files::new();
    let app = served(TestApp::sqlite().world(), &files, "");
    let team = app.as_role(Role::DataTeam);
    let two = "(VALUES (9223372036854775807), (9223372036854775807)) AS t (n)";
    for sql in [
        "SELECT 9223372036854775807 + 1".to_owned(),
        "SELECT -9223372036854775807 - 2".to_owned(),
        "SELECT 9223372036854775807 * 2".to_owned(),
        "SELECT CAST(2147483647 AS INTEGER) + CAST(1 AS INTEGER)".to_owned(),
        format!("SELECT n + n FROM {two}"),
        format!("SELECT n * n AS product FROM {two} WHERE n * n > 0"),
        format!("SELECT SUM(n) FROM {two}"),
        format!("SELECT n > 0 AS g, SUM(n) FROM {two} GROUP BY n > 0"),
        format!("SELECT SUM(n) OVER () FROM {two}"),
        format!("SELECT SUM(n) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM {two}"),
        "SELECT SUM(n) FROM (VALUES (-9223372036854775807), (-2)) AS t (n)".to_owned(),
        format!("SELECT (SELECT SUM(n) FROM {two}) AS s"),
        "SELECT SUM(CAST(n AS NUMERIC(38, 0))) FROM (VALUES ('99999999999999999999999999999999999999'),
                ('99999999999999999999999999999999999999')) AS t (n)"
            .to_owned(),
    ] {
        let answer = ask(&team, &sql);
        assert_eq!((answer.status, answer.codes()), (400, vec!["BAD_USER_INPUT".to_owned()]), "{sql}: {answer:?}");
    }
}

#[test]
fn numbers_within_the_range_are_as_before() {
    let files = Files::new();
    let app = served(TestApp::sqlite().world(), &files, "");
    let team = app.as_role(Role::DataTeam);
    let values = "(VALUES (1, 10), (2, 20), (3, NULL)) AS t (a, b)";
    for (sql, expected) in [
        ("SELECT 9223372036854775806 + 1 AS n".to_owned(), json!([["9223372036854775807"]])),
        ("SELECT exp(1000) AS a, ln(0) AS b, -999999999999999 AS c".to_owned(), {
            json!([["Infinity", "-Infinity", -999_999_999_999_999_i64]])
        }),
        (format!("SELECT a + b, a - b, a * b, -a FROM {values} ORDER BY a"), {
            json!([[11, -9, 10, -1], [22, -18, 40, -2], [null, null, null, -3]])
        }),
        (format!("SELECT SUM(a + b), SUM(b), COUNT(*), SUM(DISTINCT a % 2) FROM {values}"), json!([[33, 30, 3, 1]])),
        (format!("SELECT a * 2 AS twice, SUM(b) FROM {values} GROUP BY a * 2 ORDER BY a * 2"), {
            json!([[2, 10], [4, 20], [6, null]])
        }),
        (format!("SELECT SUM(a) OVER (ORDER BY a ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s FROM {values}"), {
            json!([[1], [3], [5]])
        }),
        (format!("SELECT COUNT(*) FROM {values} WHERE a + 1 IN (SELECT b / 10 + 1 FROM {values})"), json!([[2]])),
        ("SELECT SUM(n) FROM (VALUES (1)) AS t (n) WHERE n > 1".to_owned(), json!([[null]])),
        ("SELECT CAST(2.7 AS INTEGER), CAST(2.5 AS BIGINT), CAST(-3.5 AS BIGINT)".to_owned(), json!([[3, 3, -4]])),
        ("SELECT round(CAST('NaN' AS REAL)), round(CAST('-Infinity' AS DOUBLE PRECISION))".to_owned(), {
            json!([["NaN", "-Infinity"]])
        }),
        ("SELECT CAST(CAST('2.5' AS NUMERIC(3, 1)) AS BIGINT) AS n".to_owned(), json!([[3]])),
        ("SELECT CAST(1 AS NUMERIC(18, 0)) / 8000000 AS n".to_owned(), json!([[1.25e-7]])),
        ("SELECT AVG(CAST(n AS NUMERIC(18, 0))) FROM (VALUES (1), (1), (1), (2), (1)) AS t (n)".to_owned(), {
            json!([[1.2]])
        }),
        ("SELECT MEDIAN(CAST(n AS NUMERIC(18, 0))) FROM (VALUES (1), (2)) AS t (n)".to_owned(), json!([[1.5]])),
    ] {
        assert_eq!(Value::Array(rows(&team, &sql)), expected, "{sql}");
    }
    let types = ask(&team, "SELECT SUM(year) AS s, SUM(cost_vnd) AS c, 1 + 1 AS n FROM complaints").json();
    let types: Vec<&Value> = types["columns"].as_array().unwrap().iter().map(|column| &column["type"]).collect();
    assert_eq!(types, ["bigint", "numeric", "bigint"]);
}

#[test]
fn division_by_zero_is_an_error() {
    let files = Files::new();
    let app = served(TestApp::sqlite().world(), &files, "");
    let team = app.as_role(Role::DataTeam);
    for sql in [
        "SELECT 1 / 0",
        "SELECT 1 % 0",
        "SELECT COUNT(*) / (COUNT(*) - 6) FROM complaints",
        "SELECT 1.0 / 0",
        "SELECT CAST(1 AS DOUBLE PRECISION) / a FROM (VALUES (0), (1)) AS t (a)",
        "SELECT CAST(2.5 AS REAL) % CAST(a AS REAL) FROM (VALUES (0), (1)) AS t (a)",
        "SELECT CAST(1 AS NUMERIC(18, 0)) / a FROM (VALUES (0), (1)) AS t (a)",
        "SELECT a FROM (VALUES (0), (1)) AS t (a) WHERE 1.0 / a > 0.5 OR a = 0",
    ] {
        let answer = ask(&team, sql);
        assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{sql}: {answer:?}");
        assert!(answer.text.contains("NULLIF"), "{sql}: {answer:?}");
    }
    let infinite = "SELECT CAST('Infinity' AS DOUBLE PRECISION) / CAST('2' AS DOUBLE PRECISION) > 1 AS is_more";
    assert_eq!(Value::Array(rows(&team, infinite)), json!([[true]]));
}

#[test]
fn a_division_behind_a_condition_is_that_of_the_rows_it_leaves() {
    let files = Files::new();
    let app = served(TestApp::sqlite().world(), &files, "");
    let team = app.as_role(Role::DataTeam);
    let numbers = "(VALUES (0), (2), (3), (4), (5), (NULL)) AS t (a)";
    for (sql, expected) in [
        (format!("SELECT a FROM {numbers} WHERE a > 0 AND 10 / a > 2 ORDER BY a"), json!([[2], [3]])),
        (format!("SELECT a FROM {numbers} WHERE a > 0 AND 10.0 / a > 2.5 ORDER BY a"), json!([[2], [3]])),
        (format!("SELECT a FROM {numbers} WHERE a = 0 OR 10 % a = 0 ORDER BY a"), json!([[0], [2], [5]])),
        (format!("SELECT a, a > 0 AND 10 / a > 2 AS c FROM {numbers} ORDER BY a NULLS LAST"), {
            json!([[0, false], [2, true], [3, true], [4, false], [5, false], [null, null]])
        }),
        (
            format!(
                "SELECT a, CASE WHEN a = 0 THEN NULL ELSE 10.0 / a > 3 END AS c FROM {numbers} WHERE a < 4 ORDER BY a"
            ),
            { json!([[0, null], [2, true], [3, true]]) },
        ),
        (format!("SELECT a FROM {numbers} GROUP BY a HAVING SUM(a) <> 0 AND 12 / SUM(a) = 4"), json!([[3]])),
        (format!("SELECT CASE WHEN a = 0 THEN 0 ELSE 12 / a END AS c FROM {numbers} WHERE a < 3 ORDER BY a"), {
            json!([[0], [6]])
        }),
    ] {
        assert_eq!(Value::Array(rows(&team, &sql)), expected, "{sql}");
    }
}
