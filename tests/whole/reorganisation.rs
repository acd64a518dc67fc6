//! A reorganisation is one file: a dry run explains it, and it is applied once, everything or nothing.

use crate::administration::by_department;
use crate::program;
use chrono::Days;
use schema::domain::calendar::local_date;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tests::fixtures::{self, Files};
use tests::work::Mutations;
use tests::{Client, Database, Json, Role, TestApp, merged, project};

const FILE: &str = r#"
name = "nhỏ"
decision = "Quyết định số 1"
in_force = 2024-02-08

[[change]]
unit = "TC"
name_vi = "Cục Hải quan"

[[unit]]
code = "KV1"
name_vi = "Chi cục Hải quan khu vực I"
kind = "PROVINCIAL_DEPARTMENT"
parent = "TC"
from = ["02"]

[[unit]]
code = "KV2"
name_vi = "Chi cục Hải quan khu vực II"
kind = "PROVINCIAL_DEPARTMENT"
parent = "TC"
from = ["03"]

[[close]]
units = ["02DS"]
successor = "02CV"

[[rename]]
below = "TC"
kind = "BRANCH"
replace = "Chi cục HQ"
by = "Hải quan"
"#;

const ANSWER: &str = "applied report position";

/// The numbers of rows that a reorganisation may change: a token's use is no part of it.
fn rows(database: &Database) -> Vec<(String, i64)> {
    let kept =
        |table: &str| ["units", "unit_parents", "postings", "reference_events", "register_info"].contains(&table);
    database.rows().into_iter().filter(|(table, _)| kept(table)).collect()
}

#[test]
fn a_reorganisation_does_what_its_dry_run_says_once_and_keeps_the_past() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let files = Files::new();
        let key = files.key_file();
        let (admin, board) = (app.as_role(Role::Admin), app.as_role(Role::Board));
        let old = app.as_head("02");
        let before = by_department(&board, &json!(0));
        assert_eq!(before, json!({ "02": 5, "03": 1 }));
        let stored = rows(&app.database);
        let told = admin.done("reorganise", ANSWER, &json!({ "file": FILE }));
        assert_eq!((&told["applied"], &told["position"]), (&json!(false), &Value::Null));
        assert_eq!(rows(&app.database), stored, "a dry run writes nothing");
        assert_eq!(by_department(&board, &json!(0)), before);

        let report = &told["report"];
        let codes = |part: &str| -> Vec<String> {
            report[part].list().iter().map(|one| one["code"].text().to_owned()).collect()
        };
        assert_eq!(codes("created"), ["KV1", "KV2"]);
        assert_eq!(codes("closed"), ["02DS", "02", "03"]);
        assert_eq!(codes("moved"), ["02CV", "03TG"]);
        assert_eq!(report["postings"], json!([{ "officer": "CC02", "from": "02DS", "to": "02CV" }]));
        assert_eq!(
            report["principals"],
            json!([{ "name": "UNIT_HEAD-02", "role": "UNIT_HEAD", "unit": "02", "successor": "KV1" }])
        );
        // PA-4, PA-5 and PA-6 are of days from the day on.
        assert_eq!(report["complaintsRewritten"], 3);
        let ended = report["closed"].list().iter().find(|unit| unit["code"] == "02DS").expect("02DS").clone();
        assert_eq!((&ended["complaints"], &ended["laterComplaints"]), (&json!(1), &json!(0)), "PA-3 stays");

        let done = admin.done("reorganise", ANSWER, &json!({ "file": FILE, "dryRun": false }));
        assert_eq!((&done["applied"], &done["report"]), (&json!(true), report), "what was said is done");
        assert_eq!(by_department(&board, &done["position"]), json!({ "02": 3, "KV1": 2, "KV2": 1 }));
        let seen =
            |client: &Client<'_>| client.data("{ complaints { totalCount } }")["complaints"]["totalCount"].clone();
        // Whoever heads a unit that ended sees what was about it, and the head of its successor what is.
        // That has to see to PA-3, too, which waited for 02DS, and to PA-2, which waits for a branch that is below it
        // now; PA-6 is confidential.
        assert_eq!((seen(&old), seen(&app.as_head("KV1"))), (json!(3), json!(3)));
        assert_eq!(
            board.data("{ unit(code: \"03TG\") { nameVi } }")["unit"]["nameVi"],
            "Hải quan CK cảng Hải Phòng KV I"
        );

        for (ended, next) in [("02", "KV1"), ("03", "KV2"), ("02DS", "02CV")] {
            let unit = board.data(&format!("{{ unit(code: \"{ended}\") {{ successor {{ code }} }} }}"))["unit"].clone();
            assert_eq!(unit, json!({ "successor": { "code": next } }), "complaints about {ended} go there");
        }

        let again = admin.send("reorganise", ANSWER, &json!({ "file": FILE, "dryRun": false }));
        assert_eq!(again.codes(), ["CONFLICT"], "{}", again.text);
        app.run(&["audit", "seal", "--key-file", &key]);
        app.run(&["audit", "verify", "--key-file", &key]);
    }
}

#[test]
fn the_head_above_a_moved_branch_reads_what_waits_for_it() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (admin, board, old) = (app.as_role(Role::Admin), app.as_role(Role::Board), app.as_head("02"));
        let done = admin.done("reorganise", ANSWER, &json!({ "file": FILE, "dryRun": false }));
        by_department(&board, &done["position"]);
        let new = app.as_head("KV1");
        app.run(&["jobs", "run", "escalate-overdue"]);
        // The complaint is about a team of 02CV, on a day before the team came below KV1.
        let query = "{ complaints(filter: {sourceReference: {eq: \"PA-2\"}}) { nodes { id version overdue } } }";
        let found = board.data(query)["complaints"]["nodes"][0].clone();
        assert_eq!(found["overdue"], true);
        let (id, version) = (&found["id"], &found["version"]);
        let escalated = |client: &Client<'_>| {
            let query = "{ escalations { nodes { level unit { code } complaint { id } } } }";
            let nodes = client.data(query)["escalations"]["nodes"].list().to_vec();
            let of = nodes.iter().filter(|one| one["complaint"]["id"] == *id);
            let mut told: Vec<(i64, String)> =
                of.map(|one| (one["level"].integer(), one["unit"]["code"].text().to_owned())).collect();
            told.sort();
            told
        };
        let told = |level: i64, unit: &str| (level, unit.to_owned());
        assert_eq!(escalated(&board), [told(1, "KV1"), told(2, "TC")]);
        assert_eq!(escalated(&new), [told(1, "KV1")]);
        let relation = |client: &Client<'_>| {
            client.data(&format!("{{ complaint(id: {id}) {{ relation }} }}"))["complaint"].clone()
        };
        assert_eq!(relation(&new), json!({ "relation": ["RESPONSIBLE"] }));
        assert_eq!(relation(&old), json!({ "relation": ["ABOUT"] }), "it has ended");
        let listed = |client: &Client<'_>, filter: &str| {
            let found = client.data(&format!("{{ complaints(filter: {filter}) {{ totalCount nodes {{ id }} }} }}"));
            let ids: Vec<Value> = found["complaints"]["nodes"].list().iter().map(|node| node["id"].clone()).collect();
            assert_eq!(found["complaints"]["totalCount"].integer(), ids.len() as i64);
            ids.contains(id)
        };
        assert!(listed(&new, "{}") && listed(&new, "{costVnd: {isNull: true}}"));
        for (unit, is_there) in [("KV1", true), ("02CV", true), ("02", false)] {
            assert_eq!(listed(&board, &format!("{{responsibleUnit: {{within: \"{unit}\"}}}}")), is_there, "{unit}");
        }

        let step = json!({ "complaintId": id, "expectedVersion": version });
        let accept = |client: &Client<'_>| client.send("acceptComplaint", "position", &step).codes();
        assert_eq!((accept(&old), accept(&new)), (vec!["NOT_FOUND".to_owned()], vec!["BAD_USER_INPUT".to_owned()]));
        let transfer = merged(&step, &json!({ "unit": "03TG", "reason": "Do chi cục 03TG." }));
        assert_eq!(old.send("transferComplaint", "position", &transfer).codes(), ["NOT_FOUND"]);
        let answer = merged(&step, &json!({ "action": "EXPLANATION", "text": "Đã kiểm tra." }));
        let answered = new.done("respondToComplaint", "complaint { state } response { statement }", &answer);
        assert_eq!(answered, json!({ "complaint": { "state": "ANSWERED" }, "response": { "statement": false } }));
    }
}

#[test]
fn a_reorganisation_to_come_leaves_what_waits_until_its_day() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (admin, board) = (app.as_role(Role::Admin), app.as_role(Role::Board));
        let tomorrow = local_date(schema::Timestamp::now()) + Days::new(1);
        let file = FILE.replace("2024-02-08", &tomorrow.to_string());
        let answered_by = |unit: &str| {
            let query = format!("{{ complaints(filter: {{responsibleUnit: {{eq: \"{unit}\"}}}}) {{ totalCount }} }}");
            board.data(&query)["complaints"]["totalCount"].integer()
        };
        let before = ["02DS", "02CV"].map(answered_by);
        let done = admin.done("reorganise", ANSWER, &json!({ "file": file, "dryRun": false }));
        let closed = done["report"]["closed"].list().iter().find(|unit| unit["code"] == "02DS").expect("02DS").clone();
        let told = ["lastDay", "successor", "openComplaints"].map(|field| closed[field].clone());
        assert_eq!(told, [json!(tomorrow - Days::new(1)), json!("02CV"), json!(1)]);
        assert_eq!(["02DS", "02CV"].map(answered_by), before, "it answers until then");
        let run = ["jobs", "run", "hand-over", "--as-of", &(tomorrow - Days::new(1)).to_string()];
        let run = program().json(&app.database, &run);
        assert_eq!(run["summary"], json!({ "handedOver": 1, "withoutSuccessor": 0 }));
        assert_eq!(["02DS", "02CV"].map(answered_by), [before[0] - 1, before[1] + 1]);
    }
}

#[test]
fn every_wrong_line_is_named_and_nothing_is_changed() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let admin = app.as_role(Role::Admin);
        let stored = rows(&app.database);
        let line = |part: &str| FILE.lines().position(|line| line.contains(part)).expect("a line") + 1;
        for (wrong, by, what) in [
            ("from = [\"02\"]", "from = [\"99\"]", "there is no unit \\\"99\\\""),
            ("code = \"KV2\"", "code = \"02CV\"", "already"),
            ("units = [\"02DS\"]", "units = [\"02XX\"]", "02XX"),
            ("below = \"TC\"", "below = \"ZZ\"", "ZZ"),
            ("kind = \"PROVINCIAL_DEPARTMENT\"", "kind = \"PROVINCE\"", "PROVINCE"),
        ] {
            let file = FILE.replacen(wrong, by, 1);
            let refused = admin.send("reorganise", ANSWER, &json!({ "file": file, "dryRun": false }));
            let place = format!("line {}", line(wrong));
            assert_eq!(refused.codes(), ["BAD_USER_INPUT"], "{}", refused.text);
            assert!(refused.text.contains(&place) && refused.text.contains(what), "{place}: {}", refused.text);
        }
        let both =
            FILE.replacen("from = [\"02\"]", "from = [\"98\"]", 1).replacen("from = [\"03\"]", "from = [\"99\"]", 1);
        let refused = admin.send("reorganise", ANSWER, &json!({ "file": both }));
        assert!(refused.text.contains("98") && refused.text.contains("99"), "{}", refused.text);
        assert_eq!(rows(&app.database), stored);
        let old = app.as_role(Role::Board).send("reorganise", ANSWER, &json!({ "file": FILE }));
        assert!(old.codes().iter().all(|code| code == "FORBIDDEN"), "{}", old.text);
    }
}

/// The regional branch that follows each department by Decision 382/QĐ-BTC of 2025.
const DEPARTMENTS: [(&str, &str); 35] = [
    ("01", "KV01"),
    ("02", "KV02"),
    ("03", "KV03"),
    ("10", "KV07"),
    ("11", "KV06"),
    ("12", "KV07"),
    ("13", "KV07"),
    ("15", "KV06"),
    ("18", "KV05"),
    ("20", "KV08"),
    ("27", "KV10"),
    ("28", "KV04"),
    ("29", "KV11"),
    ("30", "KV11"),
    ("31", "KV09"),
    ("32", "KV09"),
    ("33", "KV09"),
    ("34", "KV12"),
    ("35", "KV12"),
    ("37", "KV13"),
    ("38", "KV14"),
    ("40", "KV14"),
    ("41", "KV13"),
    ("43", "KV16"),
    ("45", "KV16"),
    ("47", "KV18"),
    ("48", "KV17"),
    ("49", "KV20"),
    ("50", "KV20"),
    ("51", "KV15"),
    ("53", "KV20"),
    ("54", "KV19"),
    ("59", "KV19"),
    ("60", "KV12"),
    ("61", "KV16"),
];

/// The offices in provinces that go elsewhere: Hải Dương and Hưng Yên, Tuyên Quang, Ninh Bình, Bình Thuận.
const OFFICES: [[&str; 3]; 5] = [
    ["03AF", "03", "KV04"],
    ["03AG", "03", "KV04"],
    ["10AD", "10", "KV05"],
    ["28AD", "28", "KV10"],
    ["47AI", "47", "KV15"],
];

#[test]
fn the_reorganisation_of_2025_fits_the_demonstration() {
    let example = project().join("docs/reorganisation-2025.toml").display().to_string();
    for database in Database::both() {
        fixtures::generate(&database, 2_000, 1);
        let told = program().json(&database, &["reorganise", &example, "--dry-run"]);
        let number = |part: &str| told[part].list().len();
        assert_eq!([number("created"), number("closed"), number("moved")], [20, 35, 178]);
        assert_eq!(number("changed"), 179, "the branches and the department above them");
        assert!(told["complaintsRewritten"].as_u64().is_some_and(|number| number > 0), "{told}");
        let closed = told["closed"].list().iter();
        let last_days: BTreeSet<&str> = closed.clone().map(|unit| unit["lastDay"].text()).collect();
        assert_eq!(last_days, BTreeSet::from(["2025-03-14"]), "the day before customs worked as the decision has it");
        let successors: BTreeMap<&str, &str> =
            closed.map(|unit| (unit["code"].text(), unit["successor"].text())).collect();
        assert_eq!(successors, BTreeMap::from(DEPARTMENTS));
        // The units put below another one by themselves come first.
        let moved: Vec<[&str; 3]> = told["moved"]
            .list()
            .iter()
            .take(5)
            .map(|unit| ["code", "from", "to"].map(|key| unit[key].text()))
            .collect();
        assert_eq!(moved, OFFICES);
        assert_eq!(told["applied"], false);
        let done = program().json(&database, &["reorganise", &example]);
        assert_eq!((&done["applied"], &done["closed"]), (&json!(true), &told["closed"]));
        let again = program().run(&database, ["reorganise", &example]);
        assert!(again.status == 1 && again.err.contains("was applied"), "{again:?}");
        let text = program().run(&database, ["reorganise", &example, "--dry-run", "--format", "text"]);
        assert_eq!(text.status, 1, "a dry run of what was applied is refused, too");
    }
}
