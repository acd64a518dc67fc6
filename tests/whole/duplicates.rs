//! Complaints that say the same: hints at intake and to the Board, and links by which they count once.

use crate::intake::{LONG, submitted};
use crate::program;
use serde_json::{Value, json};
use tests::work::Mutations;
use tests::{Json, Role, TestApp, fixtures};

#[test]
fn the_same_text_of_an_enterprise_about_a_unit_is_hinted_at() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (board, intake) = (app.as_role(Role::Board), app.as_role(Role::Intake));
        let other = app.as_holder(&["--name", "khac", "--role", "INTAKE"]);
        let first = submitted(&intake, "1", &json!({}));
        assert_eq!(first["possibleDuplicates"], json!([]));
        let edited = json!({ "text": LONG.replace("kéo dài việc", "kéo dài mãi việc") });
        let second = submitted(&intake, "2", &edited);
        let hints = second["possibleDuplicates"].list();
        assert_eq!(hints.len(), 1, "{second}");
        assert_eq!(hints[0]["reference"], first["reference"]);
        assert!(hints[0]["similarity"].as_f64() >= Some(0.8), "{second}");
        // A replay tells nothing anew; another sender learns of no complaint that it did not submit.
        assert_eq!(submitted(&intake, "2", &edited)["possibleDuplicates"], json!([]));
        assert_eq!(submitted(&other, "3", &json!({}))["possibleDuplicates"], json!([]));
        for (key, more) in [
            ("4", json!({ "taxCode": "0314409058" })),
            ("5", json!({ "unit": "02DS" })),
            (
                "6",
                json!({ "text": "Hệ thống báo lỗi khi gửi tờ khai, chúng tôi gọi tổng đài nhiều lần mà không ai trả lời" }),
            ),
            ("7", json!({ "receivedAt": "2024-01-01T00:00:00Z" })),
            ("8", json!({ "taxCode": null })),
        ] {
            assert_eq!(submitted(&intake, key, &more)["possibleDuplicates"], json!([]), "{key}");
        }
        // The Board sees all three, in pairs.
        let query = format!(
            "{{ complaint(id: {}) {{ possibleDuplicates {{ complaint {{ reference }} similarity }} }} \
               probableDuplicates {{ complaint {{ id }} of {{ id }} similarity }} }}",
            second["id"]
        );
        let found = board.data(&query);
        assert_eq!(found["complaint"]["possibleDuplicates"].list().len(), 2, "{found}");
        assert_eq!(found["probableDuplicates"].list().len(), 3, "{found}");
        assert_eq!(board.data("{ probableDuplicates(first: 1) { similarity } }")["probableDuplicates"].list().len(), 1);
        // What is linked is no longer a question.
        let link =
            json!({ "complaintId": second["id"], "expectedVersion": 1, "of": first["id"], "reason": "Gửi hai lần." });
        board.done("linkDuplicate", "complaint { version duplicateOf { reference } }", &link);
        assert_eq!(board.data(&query)["probableDuplicates"].list().len(), 2);
        // A member of the Board who is named learns of none.
        let member = app.as_member("An", "CC01");
        let named = submitted(&intake, "9", &json!({ "officers": ["CC01"] }));
        assert_eq!(named["possibleDuplicates"].list().len(), 2, "its own two: {named}");
        let seen = member.data("{ probableDuplicates { complaint { id } of { id } } }").to_string();
        assert!(!seen.contains(named["id"].text()), "{seen}");
        let denied = json!({ "complaintId": named["id"], "expectedVersion": 1, "of": first["id"], "reason": "x" });
        assert_eq!(member.send("linkDuplicate", "position", &denied).codes(), ["NOT_FOUND"]);
    }
}

#[test]
fn linked_complaints_count_once_and_a_past_run_still_reproduces() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (board, intake) = (app.as_role(Role::Board), app.as_role(Role::Intake));
        let more = |day: u32| json!({ "receivedAt": format!("2024-03-{day:02}T08:00:00+07:00"), "officers": ["CC01"] });
        let [first, second, third] =
            [(1, "1"), (2, "2"), (3, "3")].map(|(day, key)| submitted(&intake, key, &more(day)));
        let run = fixtures::run_counting(&app.database, "2024-03-31");
        let hash = |run: &Value| run["hash"].text().to_owned();
        let count = |position: &Value| {
            let query = format!(
                "{{ complaintStatistics(minPosition: {position}) {{ totals {{ complaints }} }} \
                   complaints {{ totalCount }} }}"
            );
            let data = board.data(&query);
            (data["complaintStatistics"]["totals"]["complaints"].integer(), data["complaints"]["totalCount"].integer())
        };
        assert_eq!(count(&third["position"]), (9, 9));
        let link = |id: &Value, version: i64, of: &Value| {
            let input = json!({ "complaintId": id, "expectedVersion": version, "of": of, "reason": "Gửi lại." });
            board.send("linkDuplicate", "complaint { version duplicateOf { id } } position", &input)
        };
        assert_eq!(link(&first["id"], 1, &first["id"]).codes(), ["BAD_USER_INPUT"], "of itself");
        assert_eq!(link(&second["id"], 7, &first["id"]).codes(), ["CONFLICT"], "another version");
        let linked = link(&second["id"], 1, &first["id"]).json()["data"]["linkDuplicate"].clone();
        assert_eq!(
            (&linked["complaint"]["version"], &linked["complaint"]["duplicateOf"]["id"]),
            (&json!(2), &first["id"])
        );
        assert_eq!(count(&linked["position"]), (8, 9), "it stays in the register");
        // Also in a list that comes from the snapshot, which has the position by now.
        let listed = board.data("{ complaints(first: 20) { totalCount nodes { id } } }")["complaints"].clone();
        assert_eq!((&listed["totalCount"], listed["nodes"].list().len()), (&json!(9), 9), "{listed}");
        assert!(listed["nodes"].list().iter().any(|row| row["id"] == second["id"]), "{listed}");
        // There are no chains: a link to a duplicate leads to its original, and an original stays one.
        let chained = link(&third["id"], 1, &second["id"]).json()["data"]["linkDuplicate"].clone();
        assert_eq!(chained["complaint"]["duplicateOf"]["id"], first["id"]);
        assert_eq!(count(&chained["position"]), (7, 9));
        assert_eq!(link(&first["id"], 1, &third["id"]).codes(), ["BAD_USER_INPUT"], "of its own duplicate");
        let others = board.data("{ complaints(filter: {text: {eq: \"Ẩn danh\"}}) { nodes { id } } }");
        assert_eq!(link(&first["id"], 1, &others["complaints"]["nodes"][0]["id"]).codes(), ["CONFLICT"]);
        let of_first =
            board.data(&format!("{{ complaint(id: {}) {{ duplicates {{ id }} duplicateOf {{ id }} }} }}", first["id"]));
        assert_eq!(
            of_first["complaint"],
            json!({ "duplicates": [{ "id": second["id"] }, { "id": third["id"] }], "duplicateOf": null })
        );
        // So does recurrence, as from now.
        let reproduce = |known_at: &[&str]| {
            let args = [&["flags", "reproduce", run["run"].text()], known_at, &["--format", "json"]].concat();
            program().run(&app.database, args).json()["reproduced"].clone()
        };
        assert_eq!(reproduce(&[]), true, "as known then");
        assert_eq!(reproduce(&["--known-at", "now"]), false);
        let fewer = fixtures::run_counting(&app.database, "2024-03-31");
        assert_ne!(hash(&fewer), hash(&run));
        // Undone, everything is as it was.
        let mut position = Value::Null;
        for id in [&second["id"], &third["id"]] {
            let input = json!({ "complaintId": id, "expectedVersion": 2, "reason": "Hai việc." });
            position =
                board.done("unlinkDuplicate", "position complaint { duplicateOf { id } }", &input)["position"].clone();
        }
        assert_eq!(count(&position), (9, 9));
        assert_eq!(hash(&fixtures::run_counting(&app.database, "2024-03-31")), hash(&run));
        let input = json!({ "complaintId": second["id"], "expectedVersion": 3, "reason": "x" });
        assert_eq!(board.send("unlinkDuplicate", "position", &input).codes(), ["CONFLICT"], "not linked");
    }
}
