//! Columns of exports and of SQL on which other people's questions rely: deadlines, overdue complaints, duplicates,
//! responsible units and legal forms.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use tests::fixtures::Files;
use tests::work::Mutations;
use tests::{Client, Role, TestApp};

/// The rows of a CSV without quoted cells, by the column `source_references`.
fn rows(csv: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut lines = csv.lines();
    let names: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let row = |line: &str| -> BTreeMap<String, String> {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(cells.len(), names.len(), "{line}");
        names.iter().zip(cells).map(|(name, cell)| ((*name).to_owned(), cell.to_owned())).collect()
    };
    lines.map(row).map(|row| (row["source_references"].clone(), row)).collect()
}

fn download(client: &Client<'_>, query: &str) -> String {
    let bearer = format!("Bearer {}", client.token);
    let answer =
        client.server.send("GET", &format!("/export/complaints.csv{query}"), &[("authorization", &bearer)], "");
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.text
}

/// The complaint that another register calls so.
fn complaint(board: &Client<'_>, reference: &str) -> Value {
    let query =
        format!("{{ complaints(filter: {{sourceReference: {{eq: \"{reference}\"}}}}) {{ nodes {{ id version }} }} }}");
    board.data(&query)["complaints"]["nodes"][0].clone()
}

#[test]
fn exports_and_sql_tell_deadlines_responsible_units_and_duplicates() {
    for builder in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let key = files.key_file();
        let app = builder.world().arguments(&["--no-jobs", "--key-file", &key]).start();
        let (board, team) = (app.as_role(Role::Board), app.as_role(Role::DataTeam));
        let member = app.as_member("member", "CC01");
        // PA-5 names nobody, and PA-2 names CC01.
        let (duplicate, original) = (complaint(&board, "PA-5"), complaint(&board, "PA-2"));
        let link = json!({ "complaintId": duplicate["id"], "expectedVersion": duplicate["version"],
            "of": original["id"], "reason": "Cùng một việc." });
        let position = board.done("linkDuplicate", "position", &link)["position"].clone();

        let header = "complaint,received_at,occurred_at,recorded_at,legal_form,channel,enterprise,department,branch,\
            team,unit,responsible_unit,category,category_kind,cost_vnd,delay_hours,blames_system,confidential,state,\
            state_since,finding,decided_on,officers,findings,key_version";
        let newer = "due_on,answered_on,overdue,duplicate_of";
        let first_line = |csv: &str| csv.lines().next().expect("a header").to_owned();
        assert_eq!(first_line(&download(&team, "")), format!("{header},{newer}"));
        let numbered = download(&board, "?references=true");
        assert_eq!(first_line(&numbered), format!("{header},sources,source_references,{newer}"));

        let all = rows(&numbered);
        let of = |reference: &str| {
            let row = &all[reference];
            ["legal_form", "responsible_unit", "due_on", "answered_on", "overdue"].map(|name| row[name].clone())
        };
        for (reference, expected) in [
            ("PA-1", ["FEEDBACK", "02CV", "2024-01-12", "2024-01-10", "false"]),
            ("PA-2", ["FEEDBACK", "02CV", "2024-01-26", "", "true"]),
            ("PA-4", ["FEEDBACK", "03TG", "2024-02-21", "", "true"]),
        ] {
            assert_eq!(of(reference), expected, "{reference}");
        }
        assert_eq!(all["PA-5"]["duplicate_of"], all["PA-2"]["complaint"]);
        let linked: Vec<&String> =
            all.iter().filter(|(_, row)| !row["duplicate_of"].is_empty()).map(|(of, _)| of).collect();
        assert_eq!(linked, ["PA-5"]);
        // A member about whom the original is sees neither it nor that there is one.
        let own = rows(&download(&member, "?references=true"));
        assert!(!own.contains_key("PA-2") && own["PA-5"]["duplicate_of"].is_empty(), "{own:?}");
        // The command line says the same as the server.
        let path = files.path().join("so.csv").display().to_string();
        app.run(&["export", &path, "--for", "BOARD", "--references", "--key-file", &key]);
        assert_eq!(std::fs::read_to_string(&path).expect("the file"), numbered);

        // Answers of SQL contain no duplicate.
        team.data_with(
            "query ($p: Int) { complaintStatistics(minPosition: $p) { position } }",
            &json!({ "p": position }),
        );
        let sql = "SELECT received_on, legal_form, responsible_unit, due_on, overdue FROM complaints \
                   WHERE received_on < DATE '2024-02-08' ORDER BY received_on";
        let row = |day: &str, unit: &str, due: &str, overdue: bool| {
            json!({ "received_on": day, "legal_form": "FEEDBACK", "responsible_unit": unit, "due_on": due,
                    "overdue": overdue })
        };
        let expected = [
            row("2024-01-05", "02CV", "2024-01-12", false),
            row("2024-01-06", "02CV", "2024-01-26", true),
            row("2024-02-07", "02DS", "2024-03-06", true),
        ];
        assert_eq!(json!(team.rows(sql)), json!(expected));
        let waiting = "SELECT COUNT(*) AS n FROM complaints WHERE overdue";
        let counted = board.data("{ complaintStatistics { totals { overdue } } }");
        assert_eq!(board.rows(waiting)[0]["n"], counted["complaintStatistics"]["totals"]["overdue"]);
        let units = "SELECT code, parent, department, branch, valid_from, valid_to FROM units \
                     WHERE code IN ('TC', '02', '02CV-D1') ORDER BY code";
        let unit = |code: &str, parent: Value, department: Value, branch: Value| {
            json!({ "code": code, "parent": parent, "department": department, "branch": branch, "valid_from": null,
                    "valid_to": null })
        };
        let expected = [
            unit("02", json!("TC"), json!("02"), Value::Null),
            unit("02CV-D1", json!("02CV"), json!("02"), json!("02CV")),
            unit("TC", Value::Null, Value::Null, Value::Null),
        ];
        assert_eq!(json!(team.rows(units)), json!(expected));
        let attributed = "SELECT attribution, COUNT(*) AS n FROM allegations GROUP BY attribution";
        // PA-1, PA-2, PA-3 (two), PA-4 and PA-6.
        assert_eq!(team.rows(attributed), [json!({ "attribution": "CONFIRMED", "n": 6 })]);
    }
}
