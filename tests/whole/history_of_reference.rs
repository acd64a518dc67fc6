//! The history of units, officers, categories and enterprises, for those who manage them and for the Board.

use crate::program;
use serde_json::{Value, json};
use tests::fixtures::{self, Files};
use tests::work::{MEASURE, Mutations};
use tests::{Client, Json, Role, TestApp};

const NODES: &str = "history { totalCount nodes { kind recordedAt actor { kind name role } \
    changes { field before beforeName after afterName withheld erased } } }";

/// The entries of the history below a field of the query root.
fn history(client: &Client<'_>, root: &str) -> Vec<Value> {
    let data = client.data(&format!("{{ found: {root} {{ {NODES} }} }}"));
    data["found"]["history"]["nodes"].list().to_vec()
}

/// Every change of a field, before and after.
fn changes(entries: &[Value], field: &str) -> Vec<(Value, Value)> {
    let all = entries.iter().flat_map(|entry| entry["changes"].list());
    let of = all.filter(|change| change["field"] == field);
    of.map(|change| (change["before"].clone(), change["after"].clone())).collect()
}

#[test]
fn changes_of_reference_data_are_told_to_those_who_manage_them() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        for (kind, csv, mapping) in [
            ("officers", "so_hieu,ho_ten\nCC02,Trần Thị Bình Minh\n", fixtures::OFFICERS_MAP),
            (
                "postings",
                "so_hieu,don_vi,tu,den\nCC02,02DS,01/01/2020,31/12/2024\nCC02,02CV,01/01/2025,\n",
                fixtures::POSTINGS_MAP,
            ),
            (
                "categories",
                "ma,cha,ten,loai,nghiem_trong,han\nTD1,TD,Hách dịch,CONDUCT,có,10\n",
                fixtures::CATEGORIES_MAP,
            ),
        ] {
            app.import(kind, csv, mapping);
        }
        let (admin, board) = (app.as_role(Role::Admin), app.as_role(Role::Board));
        for client in [&admin, &board] {
            let unit = history(client, "unit(code: \"02\")");
            assert_eq!(unit[0]["actor"], json!({ "kind": "IMPORT", "name": "danh-muc", "role": null }));
            assert_eq!(changes(&unit, "code"), [(Value::Null, json!("02"))]);
            assert_eq!(changes(&unit, "parents"), [(Value::Null, json!("TC ../.."))]);
            let officer = history(client, "officer(code: \"CC02\")");
            let names = [(Value::Null, json!("Trần Thị Bình")), (json!("Trần Thị Bình"), json!("Trần Thị Bình Minh"))];
            assert_eq!(changes(&officer, "name"), names);
            let postings = [
                (Value::Null, json!("02DS 2020-01-01/..")),
                (json!("02DS 2020-01-01/.."), json!("02DS 2020-01-01/2024-12-31")),
                (Value::Null, json!("02CV 2025-01-01/..")),
            ];
            assert_eq!(changes(&officer, "postings"), postings);
        }
        let categories = "{ issueCategories(filter: {code: {eq: \"TD1\"}}) { nodes { history { nodes { kind \
            changes { field before after } } } } } }";
        let category = admin.data(categories)["issueCategories"]["nodes"][0]["history"]["nodes"].list().to_vec();
        assert_eq!(changes(&category, "parent"), [(Value::Null, json!("TD"))]);
        assert_eq!(changes(&category, "serious")[1], (json!("false"), json!("true")));
        assert_eq!(changes(&category, "deadlineDays")[1], (json!("15"), json!("10")));
        app.database.tamper("DELETE FROM reference_event_values WHERE field = 'name'");
        let officer = history(&admin, "officer(code: \"CC02\")");
        let names = officer.iter().flat_map(|entry| entry["changes"].list()).filter(|one| one["field"] == "name");
        let names: Vec<&Value> = names.collect();
        assert!(names.len() == 2 && names.iter().all(|one| one["erased"] == true && one["after"].is_null()));
    }
}

#[test]
fn no_history_of_reference_data_tells_of_a_complaint() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let submission = json!({
            "idempotencyKey": "1", "text": "x", "officers": ["CC77", "CC01"],
            "taxCode": "0106784499", "enterpriseName": "Công ty D",
        });
        app.as_role(Role::Intake).done("submitComplaint", "id", &submission);
        let (admin, board) = (app.as_role(Role::Admin), app.as_role(Role::Board));
        let (head, member) = (app.as_head("02CV"), app.as_member("An", "CC02"));
        let created = history(&board, "officer(code: \"CC77\")");
        assert_eq!(created[0]["actor"], json!({ "kind": "TOKEN", "name": "INTAKE-all", "role": "INTAKE" }));
        assert_eq!(changes(&created, "unknown"), [(Value::Null, json!("true"))]);
        // For an ADMIN there is no such officer until somebody describes it, and then nobody named it before.
        assert!(admin.data("{ officer(code: \"CC77\") { code } }")["officer"].is_null());
        let files = Files::new();
        let described = files.import("officers", "so_hieu,ho_ten\nCC77,Người Mới\n", fixtures::OFFICERS_MAP);
        program().run(&app.database, described).ok();
        let told = history(&admin, "officer(code: \"CC77\")");
        assert_eq!(changes(&told, "name"), [(Value::Null, json!("Người Mới"))]);
        assert!(!json!(told).to_string().contains("INTAKE"), "{told:?}");
        assert_eq!(history(&board, "officer(code: \"CC77\")").len(), 2);

        let enterprises =
            format!("{{ enterprises(filter: {{taxCode: {{eq: \"0106784499\"}}}}) {{ nodes {{ {NODES} }} }} }}");
        let found = board.data(&enterprises)["enterprises"]["nodes"][0]["history"]["nodes"].list().to_vec();
        assert_eq!(changes(&found, "taxCode"), [(Value::Null, json!("0106784499"))]);
        assert_eq!(changes(&found, "name"), [(Value::Null, json!("Công ty D"))]);
        // A member who is an officer does not read when the register first named an officer.
        let found = member.data(&enterprises)["enterprises"]["nodes"][0]["history"].clone();
        assert_eq!(found, json!({ "totalCount": 0, "nodes": [] }));
        assert_eq!(history(&member, "officer(code: \"CC03\")"), [Value::Null; 0]);
        assert!(!history(&member, "unit(code: \"02\")").is_empty());
        for (client, query) in [
            (&admin, enterprises.as_str()),
            (&head, "{ unit(code: \"02\") { history { totalCount } } }"),
            (&head, "{ issueCategories { nodes { history { totalCount } } } }"),
            (&head, "{ complaints { nodes { officers { officer { history { totalCount } } } } } }"),
            (&head, "{ complaints { nodes { enterprise { history { totalCount } } } } }"),
            (&admin, "{ officer(code: \"CC01\") { complaints { totalCount } } }"),
        ] {
            let codes = client.codes(query);
            assert!(!codes.is_empty() && codes.iter().all(|code| code == "FORBIDDEN"), "{query}: {codes:?}");
        }
    }
}

#[test]
fn the_board_reads_the_measures_about_an_officer_and_an_admin_does_not() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (board, admin, head) = (app.as_role(Role::Board), app.as_role(Role::Admin), app.as_head("02DS"));
        let suspension = json!({
            "officer": "CC02", "kind": "SUSPENSION", "ground": "EVASION_OF_DUTY", "grounds": "Căn cứ kín.",
            "decisionMaker": "Chi cục trưởng", "decidedOn": "2024-03-01", "startsOn": "2024-03-04",
            "explanation": "Tôi nhận khuyết điểm.", "noBasisReason": "Theo kết luận kiểm tra.",
        });
        let recorded = head.done("recordMeasure", MEASURE, &suspension)["measure"].clone();
        let lift = json!({
            "measureId": recorded["id"], "expectedVersion": recorded["version"], "liftedOn": "2024-03-08",
            "reason": "Đã làm rõ.",
        });
        head.done("liftMeasure", MEASURE, &lift);
        let (of_board, of_admin) =
            (history(&board, "officer(code: \"CC02\")"), history(&admin, "officer(code: \"CC02\")"));
        assert_eq!(of_board.len(), of_admin.len() + 2);
        assert_eq!(of_board[..of_admin.len()], of_admin[..], "in the order of the register");
        assert!(!json!(of_admin).to_string().contains("measure"), "{of_admin:?}");
        let by_head = json!({ "kind": "TOKEN", "name": "UNIT_HEAD-02DS", "role": "UNIT_HEAD" });
        assert_eq!(of_board.last().unwrap()["actor"], by_head);
        let end = [(Value::Null, json!("2024-03-22")), (json!("2024-03-22"), json!("2024-03-08"))];
        assert_eq!(changes(&of_board, "measure.endsOn"), end);
        for (field, value) in [
            ("measure.kind", "SUSPENSION"),
            ("measure.grounds", "Căn cứ kín."),
            ("measure.liftedOn", "2024-03-08"),
            ("measure.endReason", "Đã làm rõ."),
        ] {
            assert_eq!(changes(&of_board, field), [(Value::Null, json!(value))], "{field}");
        }
        // The numbers of the row, and what the entry says, are no changes; and another officer has none of them.
        let fields =
            ["measure.version", "measure.actor", "measure.officer", "measure.recordedAt", "measure.complaints"];
        assert!(fields.iter().all(|field| changes(&of_board, field).is_empty()), "{of_board:?}");
        assert!(!json!(history(&board, "officer(code: \"CC01\")")).to_string().contains("measure"));
        app.database.tamper("DELETE FROM reference_event_values WHERE field = 'grounds'");
        let erased = history(&board, "officer(code: \"CC02\")");
        let mut all = erased.iter().flat_map(|entry| entry["changes"].list());
        let grounds = all.find(|change| change["field"] == "measure.grounds").unwrap();
        assert_eq!((&grounds["after"], &grounds["erased"]), (&Value::Null, &json!(true)));
    }
}
