//! The history of a complaint tells every step to whom may read it, and nothing of it to whom may not.

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tests::fixtures::{self, Files};
use tests::work::Mutations;
use tests::{Client, Json, Role, TestApp, merged};

const ENTRY: &str = "kind recordedAt effectiveAt actor { kind name role unit { code } } reason reasonErased
    changes { field ordinal officer { code } before beforeName after afterName withheld erased }";

/// The history of a complaint, the oldest step first.
fn history(client: &Client<'_>, id: &str) -> Vec<Value> {
    let query = format!(
        "query Steps {{ complaint(id: \"{id}\") {{ history(first: 100) {{ totalCount nodes {{ {ENTRY} }} }} }} }}"
    );
    let found = client.data(&query)["complaint"]["history"].clone();
    assert_eq!(found["totalCount"], found["nodes"].list().len());
    found["nodes"].list().to_vec()
}

fn kinds(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["kind"].text()).collect()
}

/// The change of a field in an entry; null if there is none.
fn change<'e>(entry: &'e Value, field: &str) -> &'e Value {
    let found = entry["changes"].list().iter().find(|change| change["field"] == field);
    found.unwrap_or(&Value::Null)
}

/// A field before and after a step.
fn step(entry: &Value, field: &str) -> (Value, Value) {
    (change(entry, field)["before"].clone(), change(entry, field)["after"].clone())
}

fn to(before: Option<&str>, after: &str) -> (Value, Value) {
    (json!(before), json!(after))
}

/// Sends a mutation that must succeed, and sets `version` to the new version of the complaint.
fn done(client: &Client<'_>, mutation: &str, id: &str, version: &mut i64, more: &Value) {
    let input = merged(&json!({ "complaintId": id, "expectedVersion": *version }), more);
    let made = client.done(mutation, "complaint { version }", &input);
    *version = made["complaint"]["version"].integer();
}

/// The id and the version of a complaint of the small world.
fn imported(board: &Client<'_>, reference: &str) -> (String, i64) {
    let query =
        format!("{{ complaints(filter: {{sourceReference: {{eq: \"{reference}\"}}}}) {{ nodes {{ id version }} }} }}");
    let found = board.data(&query)["complaints"]["nodes"][0].clone();
    (found["id"].text().to_owned(), found["version"].integer())
}

/// A cost that one complaint has, by which the data team finds it.
const COST: &str = "7654321";

/// Takes a complaint through every mutation and the job of escalations; returns its id.
fn lived(app: &TestApp) -> String {
    let (board, head) = (app.as_role(Role::Board), app.as_head("02CV"));
    let submission = json!({
        "idempotencyKey": "life", "text": "Cán bộ đòi tiền.", "receivedAt": "2024-05-01T01:00:00Z",
        "taxCode": "0100233488", "unit": "02CV-D1", "officers": ["CC01"], "costVnd": COST,
    });
    let receipt = app.as_role(Role::Intake).done("submitComplaint", "id version", &submission);
    let (id, mut version) = (receipt["id"].text().to_owned(), receipt["version"].integer());
    let confirmed = json!({ "category": "TD1", "attributions": [{ "officer": "CC01", "attribution": "CONFIRMED" }] });
    done(&board, "classifyComplaint", &id, &mut version, &confirmed);
    done(&board, "assignComplaint", &id, &mut version, &json!({}));
    app.run(&["jobs", "run", "escalate-overdue"]);
    let answer = json!({ "action": "EXPLANATION", "text": "Đã giải thích." });
    done(&head, "respondToComplaint", &id, &mut version, &answer);
    let again = json!({ "state": "ASSIGNED", "reason": "Doanh nghiệp chưa hài lòng." });
    done(&board, "changeComplaintState", &id, &mut version, &again);
    let finding = json!({ "officer": "CC01", "finding": "SUSTAINED", "decidedOn": "2024-06-01" });
    done(&board, "recordFinding", &id, &mut version, &finding);
    done(&head, "respondToComplaint", &id, &mut version, &json!({ "action": "CORRECTION", "text": "Đã xin lỗi." }));
    done(&board, "changeComplaintState", &id, &mut version, &json!({ "state": "CLOSED" }));
    id
}

#[test]
fn every_step_tells_who_did_it_when_what_changed_and_why() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let id = lived(&app);
        let all = history(&app.as_role(Role::Board), &id);
        let (changed, responded) = ("STATE_CHANGED", "RESPONDED");
        let first = ["RECEIVED", changed, changed, "ESCALATED", "ESCALATED", changed, responded];
        let then = [changed, "UPDATED", changed, responded, changed];
        assert_eq!(kinds(&all), [&first[..], &then].concat(), "{}", app.database.name);
        let actors: Vec<(&Value, &Value)> =
            all.iter().map(|entry| (&entry["actor"]["role"], &entry["actor"]["name"])).collect();
        let (intake, board, job) =
            ((json!("INTAKE"), json!("INTAKE-all")), (json!("BOARD"), json!("BOARD-all")), (Value::Null, Value::Null));
        let head = (json!("UNIT_HEAD"), json!("UNIT_HEAD-02CV"));
        let expected = [&intake, &board, &board, &job, &job, &head, &head, &board, &board, &head, &head, &board];
        assert_eq!(actors, expected.map(|(role, name)| (role, name)));
        assert_eq!((&all[3]["actor"]["kind"], &all[5]["actor"]["unit"]["code"]), (&json!("JOB"), &json!("02CV")));

        assert_eq!(all[0]["effectiveAt"], "2024-05-01T08:00:00+07:00");
        for (field, value) in [
            ("state", "RECEIVED"),
            ("enterprise", "0100233488"),
            ("unit", "02CV-D1"),
            ("department", "02"),
            ("branch", "02CV"),
            ("text", "Cán bộ đòi tiền."),
            ("costVnd", COST),
            ("confidential", "false"),
            ("officers.officer", "CC01"),
            ("officers.attribution", "ASSERTED"),
        ] {
            assert_eq!(step(&all[0], field), to(None, value), "{field}: {}", all[0]);
        }
        assert_eq!(change(&all[0], "enterprise")["afterName"], "Công ty A");
        assert_eq!(step(&all[1], "state"), to(Some("RECEIVED"), "CLASSIFIED"));
        assert_eq!(step(&all[1], "category"), to(None, "TD1"));
        assert_eq!(change(&all[1], "category")["afterName"], "Hách dịch");
        let attribution = change(&all[1], "officers.attribution");
        assert_eq!(step(&all[1], "officers.attribution"), to(Some("ASSERTED"), "CONFIRMED"));
        assert_eq!((&attribution["officer"]["code"], &attribution["ordinal"]), (&json!("CC01"), &json!(0)));
        assert_eq!(step(&all[2], "state"), to(Some("CLASSIFIED"), "ASSIGNED"));
        let escalated = |entry| (step(entry, "escalation.level").1, step(entry, "escalation.unit").1);
        assert_eq!(escalated(&all[3]), (json!("1"), json!("02")));
        assert_eq!(escalated(&all[4]), (json!("2"), json!("TC")));
        assert_eq!(step(&all[5], "state"), to(Some("ASSIGNED"), "ANSWERED"));
        assert_eq!(step(&all[6], "response.unit"), to(None, "02CV"));
        assert_eq!(step(&all[6], "response.text"), to(None, "Đã giải thích."));
        assert_eq!(
            (&all[7]["reason"], &all[7]["reasonErased"]),
            (&json!("Doanh nghiệp chưa hài lòng."), &json!(false))
        );
        assert_eq!(step(&all[8], "officers.finding"), to(Some("PENDING"), "SUSTAINED"));
        assert_eq!(step(&all[8], "officers.decidedOn"), to(None, "2024-06-01"));
        assert_eq!(step(&all[11], "state"), to(Some("ANSWERED"), "CLOSED"));
        // An import names the register that it read.
        let client = app.as_role(Role::Board);
        let by_import = history(&client, &imported(&client, "PA-1").0);
        assert_eq!(
            by_import[0]["actor"],
            json!({ "kind": "IMPORT", "name": "duong-day-nong", "role": null, "unit": null })
        );
    }
}

#[test]
fn each_role_reads_what_it_may_read_of_the_complaint_now() {
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = app.world().keyed(&files).arguments(&["--no-jobs"]).start();
        let id = lived(&app);
        let (head, team) = (app.as_head("02CV"), app.as_role(Role::DataTeam));
        let own = history(&head, &id);
        assert_eq!(own.len(), 12, "{own:?}");
        let withheld = |entry: &Value| -> Vec<String> {
            let all = entry["changes"].list().iter().filter(|change| change["withheld"] == true);
            all.map(|change| change["field"].text().to_owned()).collect()
        };
        assert_eq!(withheld(&own[0]), ["receivedAt", "enterprise", "text", "costVnd"]);
        assert_eq!(step(&own[0], "text"), (Value::Null, Value::Null));
        assert!(change(&own[0], "confidential").is_null(), "{}", own[0]);
        assert_eq!(step(&own[0], "officers.officer"), to(None, "CC01"));
        assert_eq!(own[7]["reason"], "Doanh nghiệp chưa hài lòng.");
        assert_eq!(step(&own[6], "response.text"), to(None, "Đã giải thích."));
        // A head reads the role of a member of the Board and not the name, and the name of a head.
        assert_eq!(own[1]["actor"], json!({ "kind": "TOKEN", "name": null, "role": "BOARD", "unit": null }));
        assert_eq!(own[5]["actor"]["name"], "UNIT_HEAD-02CV");
        let steps = format!("{{ complaint(id: \"{id}\") {{ history {{ totalCount }} }} }}");
        assert!(app.as_head("03TG").data(&steps)["complaint"].is_null());
        assert!(app.as_member("An", "CC01").data(&steps)["complaint"].is_null());

        let query = "{ complaints(first: 100) { nodes { costVnd enterprise { pseudonym } \
            officers { officer { pseudonym } } history { nodes { kind actor { kind role } \
            changes { field officer { pseudonym } before after beforeName afterName } } } } } }";
        let listed = team.data(query)["complaints"]["nodes"].list().to_vec();
        let mine = listed.iter().find(|one| one["costVnd"] == COST).expect("the complaint");
        let entries = mine["history"]["nodes"].list();
        let told: Vec<&str> = kinds(entries);
        assert_eq!((told.len(), told.contains(&"RESPONDED")), (10, false), "{told:?}");
        let enterprise = step(&entries[0], "enterprise").1;
        assert_eq!(enterprise, mine["enterprise"]["pseudonym"]);
        assert_eq!(step(&entries[0], "officers.officer").1, mine["officers"][0]["officer"]["pseudonym"]);
        assert!(change(&entries[0], "text").is_null() && change(&entries[0], "declarationNumber").is_null());
        let sql = format!("{{ sql(query: \"SELECT enterprise FROM complaints WHERE cost_vnd = {COST}\") {{ rows }} }}");
        assert_eq!(team.data(&sql)["sql"]["rows"][0]["enterprise"], enterprise, "one audience, one pseudonym");
        let text = json!(listed).to_string();
        for hidden in ["CC01", "0100233488", "Công ty A", "Nguyễn Văn An", "Cán bộ đòi tiền", "BOARD-all"] {
            assert!(!text.contains(hidden), "{hidden}");
        }
        for field in ["reason", "actor { name }", "changes { officer { code } }"] {
            let query = format!("{{ complaints {{ nodes {{ history {{ nodes {{ {field} }} }} }} }} }}");
            assert_eq!(team.codes(&query), ["FORBIDDEN"], "{field}");
        }
        for role in [Role::Dashboard, Role::Intake, Role::Admin] {
            let codes = app.as_role(role).codes("{ complaints { nodes { history { totalCount } } } }");
            assert!(!codes.is_empty() && codes.iter().all(|code| code == "FORBIDDEN"), "{role}: {codes:?}");
        }
        // Each look is in the audit log, with the complaint and whom it names.
        let admin = app.as_role(Role::Admin);
        let began = Instant::now();
        let noted = loop {
            let looks = "{ auditLog(first: 200, filter: {actor: {eq: \"token:UNIT_HEAD-02CV\"}}) \
                { nodes { operation objects } } }";
            let all = admin.data(looks)["auditLog"]["nodes"].list().to_vec();
            if let Some(found) = all.into_iter().find(|entry| entry["operation"] == "Steps") {
                break found["objects"].clone();
            }
            assert!(began.elapsed() < Duration::from_secs(5), "the look is not in the audit log");
            std::thread::sleep(Duration::from_millis(50));
        };
        assert_eq!((noted["complaints"].list().len(), noted["officers"].list().len()), (1, 1), "{noted}");
        assert!(noted.to_string().contains("ComplaintHistoryEntry.changes"), "{noted}");
    }
}

#[test]
fn a_head_does_not_learn_that_a_complaint_was_confidential() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (board, head) = (app.as_role(Role::Board), app.as_head("02CV"));
        let (id, mut version) = imported(&board, "PA-6");
        done(&board, "redactComplaint", &id, &mut version, &json!({ "text": "Chậm trễ." }));
        let open = fixtures::COMPLAINTS.replace("Xin giữ kín;x", "Không còn kín;");
        // Another complaint, which never was confidential, gets another text, too.
        let changed = open.replace("Không khai được", "Không khai được tờ khai");
        app.import("complaints", changed, fixtures::COMPLAINTS_MAP);
        let (own, all) = (history(&head, &id), history(&board, &id));
        assert_eq!(kinds(&all), ["RECEIVED", "UPDATED", "UPDATED"]);
        assert_eq!(step(&all[1], "redactedText"), to(None, "Chậm trễ."));
        assert_eq!(step(&all[2], "confidential"), to(Some("true"), "false"));
        assert_eq!(step(&all[2], "text"), to(Some("Xin giữ kín"), "Không còn kín"));
        assert_eq!(kinds(&own), ["RECEIVED", "UPDATED"]);
        let text = json!(own).to_string();
        for hidden in ["Xin giữ kín", "Chậm trễ", "0314409058", "onfidential", "redacted"] {
            assert!(!text.contains(hidden), "{hidden}: {text}");
        }
        let other = history(&head, &imported(&board, "PA-5").0);
        let changes =
            |entries: &[Value]| entries.iter().rfind(|one| one["kind"] == "UPDATED").unwrap()["changes"].clone();
        assert_eq!(changes(&own), changes(&other), "an update of the one reads like an update of the other");
    }
}

#[test]
fn who_was_named_once_does_not_learn_it() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (board, member) = (app.as_role(Role::Board), app.as_member("An", "CC01"));
        let (id, _) = imported(&board, "PA-2");
        let one = format!("{{ complaint(id: \"{id}\") {{ state }} }}");
        assert!(member.data(&one)["complaint"].is_null());
        let changed = fixtures::COMPLAINTS.replace("02CV-D1;CC01", "02CV-D1;CC03");
        app.import("complaints", changed, fixtures::COMPLAINTS_MAP);
        let (own, all) = (history(&member, &id), history(&board, &id));
        let removed = all[1]["changes"].list().iter().find(|change| change["before"] == "CC01").expect("a change");
        assert_eq!((&removed["field"], &removed["officer"]["code"]), (&json!("officers.officer"), &json!("CC01")));
        assert_eq!(kinds(&own), ["RECEIVED", "UPDATED"]);
        assert!(change(&own[0], "officers.officer").is_null(), "{}", own[0]);
        assert_eq!(step(&own[1], "officers.officer"), to(None, "CC03"));
        assert_eq!(change(&own[0], "text")["withheld"], true);
        let text = json!(own).to_string();
        for hidden in ["CC01", "Nguyễn Văn An", "Nói trống không"] {
            assert!(!text.contains(hidden), "{hidden}: {text}");
        }
        // Texts are withheld from the member also where nobody was removed.
        let other = history(&member, &imported(&board, "PA-4").0);
        assert_eq!(change(&other[0], "text")["withheld"], true);
        assert_eq!(step(&other[0], "officers.officer"), to(None, "CC03"));
    }
}

#[test]
fn what_was_erased_says_so() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let (id, mut version) = imported(&board, "PA-4");
        done(&board, "changeComplaintState", &id, &mut version, &json!({ "state": "REJECTED", "reason": "Trùng." }));
        let whole = history(&board, &id);
        assert_eq!((&change(&whole[0], "text")["erased"], &whole[1]["reason"]), (&json!(false), &json!("Trùng.")));
        app.database.tamper("DELETE FROM complaint_event_values");
        let erased = history(&board, &id);
        let text = change(&erased[0], "text");
        assert_eq!((&text["erased"], &text["after"], &text["withheld"]), (&json!(true), &Value::Null, &json!(false)));
        assert_eq!((&erased[1]["reason"], &erased[1]["reasonErased"]), (&Value::Null, &json!(true)));
        assert_eq!(kinds(&erased), kinds(&whole));
    }
}

#[test]
fn a_history_is_read_page_by_page_and_those_of_a_list_together() {
    for app in TestApp::both().world().arguments(&["--dev", "--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let (id, mut version) = imported(&board, "PA-1");
        let finding = json!({ "officer": "CC01", "finding": "NOT_SUSTAINED", "decidedOn": "2024-03-01" });
        done(&board, "recordFinding", &id, &mut version, &finding);
        let read = |arguments: &str| {
            let query = format!(
                "{{ complaint(id: \"{id}\") {{ history({arguments}) {{ totalCount nodes {{ kind effectiveAt }} \
                   pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }} }}"
            );
            board.data(&query)["complaint"]["history"].clone()
        };
        let all = read("first: 100")["nodes"].list().to_vec();
        assert!(all.len() > 5, "{all:?}");
        for direction in ["ASC", "DESC"] {
            let (mut found, mut after) = (Vec::new(), String::new());
            loop {
                let page = read(&format!("direction: {direction}, first: 2{after}"));
                assert_eq!(page["totalCount"], all.len());
                found.extend(page["nodes"].list().to_vec());
                if page["pageInfo"]["hasNextPage"] == false {
                    break;
                }
                after = format!(", after: {}", page["pageInfo"]["endCursor"]);
            }
            if direction == "DESC" {
                found.reverse();
            }
            assert_eq!(found, all, "{direction} on {}", app.database.name);
        }
        let end = read("last: 2");
        assert_eq!((end["nodes"].list(), &end["pageInfo"]["hasPreviousPage"]), (&all[all.len() - 2..], &json!(true)));
        let before = read(&format!("last: 1, before: {}", end["pageInfo"]["startCursor"]));
        assert_eq!(before["nodes"].list(), &all[all.len() - 3..all.len() - 2]);
        let cursor = board.data("{ complaints(first: 1) { pageInfo { endCursor } } }");
        let cursor = &cursor["complaints"]["pageInfo"]["endCursor"];
        let elsewhere = format!("{{ complaint(id: \"{id}\") {{ history(after: {cursor}) {{ totalCount }} }} }}");
        assert_eq!(board.codes(&elsewhere), ["BAD_USER_INPUT"]);

        for client in [&board, &app.as_head("02CV")] {
            let list = |first: u32| {
                format!(
                    "{{ complaints(first: {first}, orderBy: [{{field: RECEIVED_AT}}]) \
                       {{ nodes {{ history(last: 5) {{ totalCount nodes {{ {ENTRY} }} }} }} }} }}"
                )
            };
            let statements = |first: u32| app.server().statements(&client.token, &list(first));
            assert_eq!(statements(1), statements(100), "{}", app.database.name);
        }
    }
}
