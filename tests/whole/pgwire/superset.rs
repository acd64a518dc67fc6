//! Apache Superset: a database, SQL Lab, datasets and charts, by its own REST API.

use super::PgApp;
use serde_json::{Value, json};
use std::process::Command;
use tests::{Json, Role, TestApp, project, python};

/// The rows of an answer of the API.
fn rows(app: &PgApp, sql: &str) -> Vec<Value> {
    app.app.as_role(Role::DataTeam).rows(sql)
}

/// Compares columns of a chart's rows, in any order, with those of the API's answer to the same question.
#[track_caller]
fn same(app: &PgApp, shown: &Value, columns: &[&str], sql: &str) {
    // Superset's numbers have a point where a column has nulls.
    let cell = |cell: &Value| cell.as_f64().map_or_else(|| cell.to_string(), |number| number.to_string());
    let written = |row: &Value| columns.iter().map(|column| cell(&row[*column])).collect::<Vec<String>>();
    let mut shown: Vec<Vec<String>> = shown.list().iter().map(written).collect();
    let mut expected: Vec<Vec<String>> = rows(app, sql).iter().map(written).collect();
    shown.sort();
    expected.sort();
    assert!(!expected.is_empty(), "{sql}");
    assert_eq!(shown, expected, "{sql}");
}

#[test]
fn superset_shows_what_the_api_answers() {
    let app = PgApp::start(TestApp::sqlite(), "");
    let days = rows(&app, "SELECT MIN(received_on) AS first, MAX(received_on) AS last FROM complaints");
    let (first, last) = (days[0]["first"].text(), days[0]["last"].text());
    let mut given = app.given(Role::DataTeam);
    given["days"] = json!([first, last]);
    let packages = ["apache-superset==6.1.0", "Flask-Caching==2.3.1", "cachetools==8.0.2", "psycopg2-binary==2.9.13"];
    let python = python(&["superset", "flask_caching", "cachetools", "psycopg2"], &[], &packages);
    let script = project().join("tests/clients/bi_superset.py");
    let output = Command::new(python).arg(script).arg(given.to_string()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // What its libraries say about themselves comes before the last line.
    let said = String::from_utf8(output.stdout).unwrap();
    let said: Value = serde_json::from_str(said.trim_end().lines().last().unwrap()).unwrap();

    assert_eq!((&said["connection"], &said["schemas"]), (&json!("OK"), &json!(["information_schema", "public"])));
    let tables: Vec<&str> = said["tables"].list().iter().map(Json::text).collect();
    assert!(tables.contains(&"complaints") && !tables.contains(&"sources"), "{tables:?}");
    assert!(said["comment"].text().starts_with("Complaints, one row for each."), "{}", said["comment"]);
    assert_eq!(said["columns"]["received_on"], json!(["DATE", "Day of receipt, in Vietnam's time."]));
    assert_eq!((&said["keys"][0], &said["keys"][1]), (&json!([]), &json!([])));
    let kinds: Vec<&Value> =
        ["kind", "cost_vnd", "received_on", "blames_system"].map(|field| &said["fields"][field]).into();
    assert_eq!(kinds, [&json!([1, false]), &json!([0, false]), &json!([2, true]), &json!([3, false])]);

    let of_kind = "SELECT kind, COUNT(*) AS n, COUNT(DISTINCT enterprise) AS enterprises FROM complaints GROUP BY kind";
    same(&app, &said["lab"], &["kind", "n", "enterprises"], of_kind);
    assert_eq!(said["limited"], 7);
    assert!(said["wrong"].text().contains("nothing"), "{}", said["wrong"]);

    let by_kind = "SELECT kind, COUNT(*) AS n, COUNT(DISTINCT enterprise) AS enterprises, SUM(cost_vnd) AS cost \
                   FROM complaints GROUP BY kind";
    same(&app, &said["by_kind"], &["kind", "n", "enterprises", "cost"], by_kind);
    let by_month = "SELECT month, kind, COUNT(*) AS n FROM complaints WHERE kind <> 'CONDUCT' GROUP BY month, kind";
    same(&app, &said["by_month"], &["month", "kind", "n"], by_month);
    let in_range = ["received_on >= DATE", "received_at >= TIMESTAMP"].map(|begins| {
        let (column, of) = begins.split_once(" >= ").unwrap();
        let sql = format!("SELECT COUNT(*) AS n FROM complaints WHERE {begins} '{first}' AND {column} < {of} '{last}'");
        rows(&app, &sql)[0]["n"].clone()
    });
    assert_eq!(said["in_range"], json!(in_range));
    let begins = |part: &str| format!("date_trunc('{part}', received_at)");
    let seconds = |of: &str| format!("CAST(EXTRACT(EPOCH FROM {of}) AS BIGINT)");
    let steps = |step: u32| format!("CAST(FLOOR(EXTRACT(EPOCH FROM received_at) / {step}) AS BIGINT) * {step}");
    let grains = [
        ("PT5S", steps(5)),
        ("PT15M", steps(900)),
        ("PT1H", seconds(&begins("hour"))),
        ("P1D", seconds(&begins("day"))),
        ("P1W", seconds(&begins("week"))),
        ("P1M", seconds(&begins("month"))),
        ("P3M", seconds(&begins("quarter"))),
        ("P1Y", seconds(&begins("year"))),
    ];
    assert_eq!(said["grains"].object().len(), grains.len());
    for (grain, second) in grains {
        let buckets = format!("SELECT {second} AS second, COUNT(*) AS n FROM complaints GROUP BY {second}");
        same(&app, &said["grains"][grain], &["second", "n"], &buckets);
    }
    let of_conduct = "SELECT kind, COUNT(*) AS n FROM complaints WHERE kind = 'CONDUCT' GROUP BY kind";
    same(&app, &said["like"], &["kind", "n"], of_conduct);
    let departments = "SELECT department, COUNT(*) AS n FROM complaints GROUP BY department ORDER BY n DESC LIMIT 2";
    let top = format!(
        "SELECT year, c.department, COUNT(*) AS n FROM complaints c JOIN ({departments}) AS d \
                       ON c.department = d.department GROUP BY year, c.department"
    );
    same(&app, &said["top"], &["year", "department", "n"], &top);
    let of_branch = "SELECT branch, COUNT(*) AS n FROM complaints WHERE kind = 'CONDUCT' GROUP BY branch";
    same(&app, &said["virtual"], &["branch", "n"], of_branch);
}
