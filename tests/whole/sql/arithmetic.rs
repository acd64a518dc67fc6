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
        ("SELECT 9223372036854775806 + 1 AS n".to_owned(), json!([[9_223_372_036_854_775_807_i64]])),
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
        ("SELECT CAST(2.7 AS INTEGER), CAST(2.5 AS BIGINT), CAST(-3.5 AS BIGINT)".to_owned(), json!([[3, 2, -4]])),
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
    for sql in ["SELECT 1 / 0", "SELECT 1 % 0", "SELECT COUNT(*) / (COUNT(*) - 6) FROM complaints"] {
        assert_eq!(ask(&team, sql).codes(), ["BAD_USER_INPUT"], "{sql}");
    }
}
