//! Exports of every table: in parts, with manifests, as workbooks, and with the numbers that answers have.

use crate::program;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, QueryDsl, RunQueryDsl};
use schema::tables::complaint_officers;
use schema::{Conn, StoreError};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use tests::fixtures::{self, Files};
use tests::{Answer, Client, Database, Finished, Json, Role, TestApp, project, python};

pub fn get(client: &Client<'_>, path: &str) -> Answer {
    let bearer = format!("Bearer {}", client.token);
    client.server.send("GET", &format!("/export/{path}"), &[("authorization", &bearer)], "")
}

pub fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The cells of a column of a CSV file, none of which is quoted up to it.
pub fn cells(csv: &str, column: &str) -> Vec<String> {
    let mut lines = csv.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let at = header.iter().position(|name| *name == column).unwrap_or_else(|| panic!("{column} in {header:?}"));
    lines.map(|line| line.split(',').nth(at).expect("a cell").to_owned()).collect()
}

#[test]
fn parts_and_manifests_are_of_one_file_and_a_workbook_says_what_was_asked() {
    let python = python(&["openpyxl"], &["python3-openpyxl"], &["openpyxl==3.1.5"]);
    for builder in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = builder.generated(1_500, 11).start_with(&files, "");
        let team = app.as_role(Role::DataTeam);
        let output = Command::new(&python)
            .arg(project().join("tests/clients/export_parts.py"))
            .env("PHANANH_ADDRESS", &app.server().address)
            .env("PHANANH_TOKEN", &team.token)
            .output()
            .unwrap();
        let said: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
        for (what, expected) in [
            ("whole", json!([200, "bytes", true, true])),
            ("manifest", json!([200, 1500, true, "complaints", 1])),
            ("state", json!([true, true, null])),
            ("head", json!([200, true, true, 0])),
            ("parts", json!([true, true])),
            ("suffix", json!([206, true])),
            ("beyond", json!([416, true])),
            ("another", json!([200, true, true])),
            ("gone", json!(412)),
            ("csv", json!([200, true, true])),
        ] {
            assert_eq!(said[what], expected, "{what}: {said}");
        }
        let filter = json!({ "unit": { "within": "02" } });
        let query = "query($f: ComplaintFilter) { complaints(filter: $f) { totalCount } }";
        let counted = team.data_with(query, &json!({ "f": filter }))["complaints"]["totalCount"].clone();
        assert!(counted.integer() > 10, "{counted}");
        assert_eq!(said["filtered"], json!({ "filter": filter }), "{said}");
        let workbook = &said["xlsx"];
        assert_eq!((&workbook["sheets"], &workbook["formulas"]), (&json!(["data", "Query"]), &json!(0)));
        assert_eq!((&workbook["rows"], &workbook["days"]), (&counted, &json!("datetime")));
        assert_eq!(workbook["first"], json!(["complaint", "received_at", "occurred_at"]));
        let asked = &workbook["asked"];
        assert_eq!((asked["table"].text(), asked["key_version"].text()), ("complaints", "1"));
        assert_eq!(asked["rows"].text(), counted.to_string());
        assert_eq!(asked["query"].text(), json!({ "filter": filter }).to_string());
        assert_eq!(asked["position"].text(), said["position"].to_string());
    }
}

#[test]
fn nobody_gets_a_file_that_was_kept_for_another() {
    let files = Files::new();
    let app = TestApp::sqlite().generated(1_500, 11).start_with(&files, "");
    let (team, board) = (app.as_role(Role::DataTeam), app.as_role(Role::Board));
    let ask = |client: &Client<'_>, tag: &str| {
        let bearer = format!("Bearer {}", client.token);
        let headers = [("authorization", bearer.as_str()), ("if-match", tag)];
        client.server.send("GET", "/export/complaints.csv", &headers, "")
    };
    let whole = get(&team, "complaints.csv");
    let tag = whole.header("etag").to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    let again = ask(&team, &tag);
    assert_eq!((again.status, again.header("etag"), &again.text), (200, tag.as_str(), &whole.text));
    let other = ask(&board, &tag);
    assert_eq!((other.status, other.codes()), (412, vec!["CONFLICT".to_owned()]));
    app.run(&["token", "revoke", "--name", "DATA_TEAM-all"]);
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    assert_eq!(ask(&team, &tag).status, 401);
}

#[test]
fn tables_are_exported_with_the_complaints_of_a_filter() {
    for builder in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = builder.generated(1_500, 11).start_with(&files, "");
        let team = app.as_role(Role::DataTeam);
        let filter = encoded(&json!({ "unit": { "within": "02" } }).to_string());
        let complaints = get(&team, &format!("complaints.csv?filter={filter}")).text;
        let chosen: BTreeSet<String> = cells(&complaints, "complaint").into_iter().collect();
        for table in ["allegations", "responses"] {
            let all = get(&team, &format!("{table}.csv"));
            assert_eq!(all.status, 200, "{table}: {}", all.text);
            let all = cells(&all.text, "complaint");
            let filtered = cells(&get(&team, &format!("{table}.csv?filter={filter}")).text, "complaint");
            let expected: Vec<String> = all.iter().filter(|one| chosen.contains(*one)).cloned().collect();
            assert_eq!(filtered, expected, "{table}");
            assert!(!filtered.is_empty() && filtered.len() < all.len(), "{table}: {} of {}", filtered.len(), all.len());
        }
        for table in ["flags", "workload"] {
            for form in ["csv", "parquet", "arrow", "xlsx"] {
                let manifest = get(&team, &format!("{table}.{form}.manifest.json"));
                assert_eq!((manifest.status, manifest.json()["format"].text()), (200, form), "{}", manifest.text);
            }
            assert_eq!(get(&team, &format!("{table}.csv?filter={filter}")).status, 400);
        }
        // A field that does not exist: the message names those that do and are for this role.
        let (board, unknown) = (app.as_role(Role::Board), encoded(r#"{"nope": 1}"#));
        for (client, has_text) in [(&team, false), (&board, true)] {
            for table in ["complaints", "responses"] {
                let refused = get(client, &format!("{table}.csv?filter={unknown}"));
                assert_eq!((refused.status, refused.codes()), (400, vec!["GRAPHQL_VALIDATION_FAILED".to_owned()]));
                let message = refused.json()["errors"][0]["message"].text().to_owned();
                let (_, fields) = message.split_once("take one of ").unwrap_or_else(|| panic!("{message}"));
                let fields: BTreeSet<&str> = fields.split(", ").collect();
                assert!(fields.contains("costVnd") && fields.contains("unit") && fields.contains("and"), "{message}");
                assert_eq!(fields.contains("text"), has_text, "{message}");
            }
        }
        let path = files.path().join("allegations.csv").display().to_string();
        let key = files.key();
        let export = ["export", &path, "--table", "allegations", "--unit", "02", "--key-file", &key];
        app.run(&export);
        let written = std::fs::read_to_string(&path).unwrap();
        assert_eq!(written, get(&team, &format!("allegations.csv?filter={filter}")).text);
        let manifest = std::fs::read_to_string(format!("{path}.manifest.json")).unwrap();
        let manifest: Value = serde_json::from_str(&manifest).unwrap();
        assert_eq!(manifest["rows"].integer() as usize, written.lines().count() - 1);
        assert_eq!((&manifest["bytes"], &manifest["query"]), (&json!(written.len()), &json!({ "unit": "02" })));
    }
}

#[test]
fn exported_statistics_are_those_of_the_api() {
    for builder in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = builder.generated(1_500, 11).start_with(&files, "");
        let team = app.as_role(Role::DataTeam);
        let query = "groupBy=DEPARTMENT,MONTH&measures=complaints,distinctEnterprises,costVnd";
        let exported = get(&team, &format!("statistics.csv?{query}"));
        assert_eq!(exported.status, 200, "{}", exported.text);
        let statistics = team.data(
            "{ complaintStatistics(groupBy: [DEPARTMENT, MONTH], first: 10000) {
                 position rows { department { code } month complaints distinctEnterprises costVnd } } }",
        )["complaintStatistics"]
            .clone();
        let row = |row: &Value| {
            let code = row["department"]["code"].as_str().unwrap_or_default();
            let numbers = (&row["complaints"], &row["distinctEnterprises"], row["costVnd"].text());
            format!("{code},{},{},{},{}", row["month"].text(), numbers.0, numbers.1, numbers.2)
        };
        let mut expected: Vec<String> = statistics["rows"].list().iter().map(row).collect();
        expected.sort();
        let mut lines: Vec<&str> = exported.text.lines().collect();
        assert_eq!(lines.remove(0), "department,month,complaints,distinct_enterprises,cost_vnd");
        lines.sort_unstable();
        assert_eq!(lines, expected);
        assert_eq!(exported.header("phananh-position"), statistics["position"].to_string());
        // Officers have the pseudonyms of files, and as many complaints as in answers.
        let by_officer = get(&team, "statistics.csv?groupBy=OFFICER&measures=complaints").text;
        let answer = team.data(
            "{ complaintStatistics(groupBy: [OFFICER], first: 10000) { rows { officer { pseudonym } complaints } } }",
        )["complaintStatistics"]["rows"]
            .clone();
        let shown = answer.list().iter().filter_map(|row| row["officer"]["pseudonym"].as_str());
        assert!(shown.clone().count() > 10 && !shown.clone().any(|name| by_officer.contains(name)), "{by_officer}");
        let sorted = |mut numbers: Vec<i64>| {
            numbers.sort_unstable();
            numbers
        };
        let counts = cells(&by_officer, "complaints").iter().map(|cell| cell.parse().unwrap()).collect();
        let expected = answer.list().iter().map(|row| row["complaints"].integer()).collect();
        assert_eq!(sorted(counts), sorted(expected));
        let in_files: BTreeSet<String> = get(&team, "complaints.csv").text.lines().skip(1).map(str::to_owned).collect();
        let officers = cells(&by_officer, "officer");
        assert!(officers.is_sorted());
        let named = officers.iter().filter(|name| !name.is_empty());
        assert!(named.clone().all(|name| in_files.iter().any(|line| line.contains(name.as_str()))), "{officers:?}");
        let filter = encoded(&json!({ "enterpriseIn": ["0100233488"] }).to_string());
        for (query, status) in [
            ("groupBy=PROVINCE".to_owned(), 400),
            ("groupBy=UNIT&measures=cost".to_owned(), 400),
            (format!("groupBy=UNIT&filter={filter}"), 403),
            ("".to_owned(), 400),
        ] {
            assert_eq!(get(&team, &format!("statistics.csv?{query}")).status, status, "{query}");
        }
    }
}

#[test]
fn a_reader_that_closes_the_pipe_of_an_export_has_what_it_wants() {
    for database in Database::both() {
        fixtures::fill(&database);
        for form in ["csv", "parquet", "arrow"] {
            let mut export = program().command(&database);
            export.args(["export", "-", "--as", form]).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut export = export.spawn().unwrap();
            drop(export.stdout.take());
            let done = Finished::of(&export.wait_with_output().unwrap());
            assert!(done.status == 0 && !done.err.contains("error"), "{form}: {done:?}");
        }
    }
}

#[test]
fn an_export_by_month_without_complaints_names_its_folder() {
    for database in Database::both() {
        program().run(&database, ["migrate"]).ok();
        let files = Files::new();
        let folder = files.path().join("months").display().to_string();
        let done = program().run(&database, ["export", &folder, "--by-month"]).ok();
        assert_eq!(done.out, format!("0 complaints in {folder}\n"));
    }
}

#[test]
fn the_second_connection_of_an_export_reads_the_state_of_the_first() {
    let database = Database::postgres();
    fixtures::fill(&database);
    let db = database.open();
    let named =
        |conn: &mut Conn| -> Result<i64, StoreError> { Ok(complaint_officers::table.count().get_result::<i64>(conn)?) };
    let mut writer = PgConnection::establish(&database.url).unwrap();
    let read = db.read_snapshot(|conn| {
        let first = named(conn)?;
        writer.batch_execute("DELETE FROM complaint_officers").unwrap();
        let second = db.share_snapshot(conn)?.expect("a second connection");
        Ok::<_, StoreError>([first, second.read(named)?, named(conn)?])
    });
    let [first, second, again] = read.unwrap();
    assert!(first > 0);
    assert_eq!((second, again), (first, first));
    assert_eq!(db.read(named).unwrap(), 0, "the other write is there");
}
