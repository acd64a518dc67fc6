//! Complaints that say the same: hints at intake and to the Board, and links by which they count once.

use crate::intake::{LONG, submitted};
use crate::program;
use schema::Timestamp;
use schema::domain::calendar::local_date;
use serde_json::{Value, json};
use tests::fixtures::{self, Files};
use tests::work::Mutations;
use tests::{Json, Role, TestApp};

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
        let number = |condition: &str| {
            let query = format!("{{ complaints(filter: {{duplicate: {{{condition}}}}}) {{ totalCount }} }}");
            board.data(&query)["complaints"]["totalCount"].integer()
        };
        assert_eq!(["eq: false", "eq: true", "ne: true", "isNull: true"].map(number), [8, 1, 8, 0]);
        // A list from the snapshot, which has the position by now, shows it, too.
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
        // Recurrence counts like this, too, from now on.
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

/// Imports a complaint of CC01 in a state.
fn import(app: &TestApp, state: &str) {
    let header = fixtures::COMPLAINTS.lines().next().unwrap();
    let rows = format!("{header};tt\nGOC;01/03/2024;0100233488;Công ty A;02CV;CC01;TD1;;;;;Việc gốc;;{state}\n");
    let mapping = fixtures::COMPLAINTS_MAP.replace("confidential = \"kin\"", "confidential = \"kin\"\nstate = \"tt\"");
    app.import("complaints", rows, &mapping);
}

#[test]
fn where_an_original_is_withdrawn_or_rejected_the_next_one_counts_in_its_place() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (board, intake) = (app.as_role(Role::Board), app.as_role(Role::Intake));
        // A complaint that names nobody brings a position that statistics wait for.
        let counts = |key: &str| {
            let position = submitted(&intake, key, &json!({}))["position"].clone();
            let query = format!(
                "{{ complaintStatistics(minPosition: {position}, filter: {{officerIn: [\"CC01\"]}}) \
                   {{ totals {{ open overdue }} }} }}"
            );
            let totals = board.data(&query)["complaintStatistics"]["totals"].clone();
            (totals["open"].integer(), totals["overdue"].integer())
        };
        let link = |id: &Value, of: &Value| {
            let version =
                board.data(&format!("{{ complaint(id: {id}) {{ version }} }}"))["complaint"]["version"].clone();
            let input = json!({ "complaintId": id, "expectedVersion": version, "of": of, "reason": "Gửi lại." });
            board.send("linkDuplicate", "position", &input)
        };
        let links = |id: &Value| {
            let query = format!(
                "{{ complaint(id: {id}) {{ duplicateOf {{ id }} escalations {{ level }} \
                   history(first: 50) {{ nodes {{ reason }} }} }} }}"
            );
            board.data(&query)["complaint"].clone()
        };
        let today = local_date(Timestamp::now()).to_string();
        // One is answered, two are overdue.
        assert_eq!(counts("base"), (3, 2));
        for (nth, way) in (0..).zip(["WITHDRAWN", "REJECTED", "receipt", "import"]) {
            let more =
                |day: u32| json!({ "receivedAt": format!("2024-03-{day:02}T08:00:00+07:00"), "officers": ["CC01"] });
            let new = |day: u32| submitted(&intake, &format!("{way} {day}"), &more(day));
            let (original, receipt) = if way == "import" {
                import(&app, "RECEIVED");
                let found = board.data("{ complaints(filter: {sourceReference: {eq: \"GOC\"}}) { nodes { id } } }");
                (found["complaints"]["nodes"][0]["id"].clone(), Value::Null)
            } else {
                let made = new(1);
                (made["id"].clone(), made["receiptCode"].clone())
            };
            // The one that was received later is linked first.
            let [third, second] = [3, 2].map(|day| new(day)["id"].clone());
            assert_eq!(counts(&format!("{way} all")), (6 + nth, 5 + nth), "{way}");
            for id in [&third, &second] {
                assert!(link(id, &original).codes().is_empty(), "{way}");
            }
            assert_eq!(counts(&format!("{way} linked")), (4 + nth, 3 + nth), "{way}: the original alone");
            match way {
                "import" => import(&app, "WITHDRAWN"),
                "receipt" => {
                    let withdraw =
                        format!("mutation {{ withdrawByReceipt(receipt: {receipt}, reason: \"Nhầm.\") {{ state }} }}");
                    assert_eq!(app.anonymous().data(&withdraw)["withdrawByReceipt"]["state"], "WITHDRAWN");
                }
                state => {
                    let input =
                        json!({ "complaintId": original, "expectedVersion": 1, "state": state, "reason": "Nhầm." });
                    board.done("changeComplaintState", "position", &input);
                }
            }
            assert_eq!(counts(&format!("{way} void")), (4 + nth, 3 + nth), "{way}: the next one in its place");
            let (of_second, of_third) = (links(&second), links(&third));
            assert_eq!(of_second["duplicateOf"], Value::Null, "{way}: {of_second}");
            assert_eq!(of_third["duplicateOf"]["id"], second, "{way}: {of_third}");
            for told in [&of_second, &of_third] {
                let mut reasons = told["history"]["nodes"].list().iter().filter_map(|entry| entry["reason"].as_str());
                assert!(reasons.next_back().unwrap().contains("counts in its place"), "{way}: {told}");
            }
            assert_eq!(links(&original)["duplicateOf"]["id"], second, "{way}: the former original");
            assert!(link(&third, &original).codes().is_empty(), "{way}: a link to it leads to the one that counts");
            assert_eq!(links(&third)["duplicateOf"]["id"], second, "{way}");
            app.run(&["jobs", "run", "escalate-overdue", "--as-of", &today]);
            let levels = [&original, &second, &third].map(|id| links(id)["escalations"].list().len());
            assert_eq!((levels[0], levels[1] > 0, levels[2]), (0, true, 0), "{way}: who is told of it");
        }
        // Where none counts, nothing changes.
        let (first, again) = (submitted(&intake, "void 1", &json!({})), submitted(&intake, "void 2", &json!({})));
        assert!(link(&again["id"], &first["id"]).codes().is_empty());
        for (one, version) in [(&again, 2), (&first, 1)] {
            let input = json!({ "complaintId": one["id"], "expectedVersion": version, "state": "WITHDRAWN" });
            board.done("changeComplaintState", "position", &input);
        }
        assert_eq!(links(&again["id"])["duplicateOf"]["id"], first["id"], "neither counts");
        let new = submitted(&intake, "void 3", &json!({}));
        assert_eq!(link(&new["id"], &first["id"]).codes(), ["CONFLICT"], "to one that does not count");
        let files = Files::new();
        let key = files.key_file();
        app.run(&["audit", "seal", "--key-file", &key]);
        app.run(&["audit", "verify", "--key-file", &key]);
    }
}

#[test]
fn an_original_that_an_import_revives_counts_once_with_the_one_that_took_its_place() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (board, intake) = (app.as_role(Role::Board), app.as_role(Role::Intake));
        import(&app, "RECEIVED");
        let found = board.data("{ complaints(filter: {sourceReference: {eq: \"GOC\"}}) { nodes { id } } }");
        let original = found["complaints"]["nodes"][0]["id"].clone();
        let version = |id: &Value| {
            board.data(&format!("{{ complaint(id: {id}) {{ version }} }}"))["complaint"]["version"].clone()
        };
        let [second, third] = [2, 3].map(|day: u32| {
            let more = json!({ "receivedAt": format!("2024-03-{day:02}T08:00:00+07:00"), "officers": ["CC01"] });
            let id = submitted(&intake, &format!("revived {day}"), &more)["id"].clone();
            let input = json!({ "complaintId": id, "expectedVersion": 1, "of": original, "reason": "Gửi lại." });
            board.done("linkDuplicate", "position", &input);
            id
        });
        // What statistics and recurrence count about CC01, in the order of the keys of what brings a new position.
        let counted = |key: &str| {
            let position = submitted(&intake, key, &json!({}))["position"].clone();
            let query = format!(
                "{{ complaintStatistics(minPosition: {position}, filter: {{officerIn: [\"CC01\"]}}) \
                   {{ totals {{ complaints open }} }} }}"
            );
            let totals = board.data(&query)["complaintStatistics"]["totals"].clone();
            let run = fixtures::run_counting(&app.database, "2024-03-31");
            ((totals["complaints"].integer(), totals["open"].integer()), run["hash"].text().to_owned())
        };
        let originals = || {
            [&original, &second, &third].map(|id| {
                let query = format!("{{ complaint(id: {id}) {{ duplicateOf {{ id }} }} }}");
                board.data(&query)["complaint"]["duplicateOf"]["id"].clone()
            })
        };
        let by_original = counted("original");
        import(&app, "WITHDRAWN");
        let by_second = counted("withdrawn");
        assert_eq!(originals(), [second.clone(), Value::Null, second.clone()]);
        assert_eq!(by_second.0, by_original.0, "the matter counts once");
        assert_ne!(by_second.1, by_original.1, "by another complaint");
        import(&app, "RECEIVED");
        assert_eq!(counted("revived"), by_second, "it counts no second time: {}", app.database.name);
        assert_eq!(originals(), [second.clone(), Value::Null, second.clone()]);
        // The original takes its place again when the complaint that replaced it is withdrawn, and the two are not
        // linked to each other.
        let input = json!({ "complaintId": second, "expectedVersion": version(&second), "state": "WITHDRAWN" });
        let answer = board.done("changeComplaintState", "complaint { version }", &input);
        assert_eq!(answer["complaint"]["version"], version(&second), "the answer tells the version");
        assert_eq!(originals(), [Value::Null, original.clone(), original.clone()]);
        assert_eq!(counted("back"), by_original);
        let files = Files::new();
        let key = files.key_file();
        app.run(&["audit", "seal", "--key-file", &key]);
        app.run(&["audit", "verify", "--key-file", &key]);
    }
}
