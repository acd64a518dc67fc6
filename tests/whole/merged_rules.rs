//! Rules that hold between features: what is confidential stays so in each list, a hidden officer looks like an unknown
//! one, and a merge or a closing leaves nothing that no rule allows.

use crate::program;
use chrono::Days;
use schema::domain::calendar::local_date;
use serde_json::{Value, json};
use tests::fixtures::{self, Files};
use tests::verification::{found, verify};
use tests::work::{MEASURE, Mutations};
use tests::{Client, Database, Json, Role, TestApp, merged};

/// The id and the version of a complaint of the small world.
fn complaint(client: &Client<'_>, reference: &str) -> Value {
    let query =
        format!("{{ complaints(filter: {{sourceReference: {{eq: \"{reference}\"}}}}) {{ nodes {{ id version }} }} }}");
    client.data(&query)["complaints"]["nodes"][0].clone()
}

/// The number of rows of a list that a client sees.
fn count(client: &Client<'_>, list: &str, filter: &str) -> i64 {
    client.data(&format!("{{ {list}(filter: {filter}) {{ totalCount }} }}"))[list]["totalCount"].integer()
}

#[test]
fn heads_see_no_escalation_of_a_confidential_complaint_and_count_none() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        app.run(&["jobs", "run", "escalate-overdue"]);
        let (board, head, above) = (app.as_role(Role::Board), app.as_head("02"), app.as_head("TC"));
        // Each was escalated to 02 and to TC; PA-6 is confidential.
        for (filter, expected) in [
            ("{complaint: {sourceReference: {eq: \"PA-2\"}}}", [2, 1, 2]),
            ("{complaint: {sourceReference: {eq: \"PA-6\"}}}", [2, 0, 0]),
            ("{complaint: {confidential: {eq: true}}}", [2, 0, 0]),
        ] {
            let counts = [&board, &head, &above].map(|client| count(client, "escalations", filter));
            assert_eq!(counts, expected, "{filter} on {}", app.database.name);
        }
        let nodes = head.data("{ escalations { nodes { complaint { id } } } }")["escalations"]["nodes"].clone();
        assert!(!nodes.list().is_empty() && nodes.list().iter().all(|one| one["complaint"].is_object()), "{nodes}");
    }
}

#[test]
fn a_proposal_about_a_complaint_that_became_confidential_is_the_boards() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (board, head, above) = (app.as_role(Role::Board), app.as_head("02CV"), app.as_head("02"));
        let one = complaint(&board, "PA-1");
        let send = |client: &Client<'_>, mutation: &str, fields: &str, more: &Value| {
            let input = json!({ "complaintId": one["id"], "expectedVersion": one["version"], "reason": "Ghi nhầm." });
            let query =
                format!("mutation ($input: CorrectComplaintInput!) {{ {mutation}(input: $input) {{ {fields} }} }}");
            client.data_with(&query, &json!({ "input": merged(&input, more) }))
        };
        let seen = || {
            let filters = ["{}".to_owned(), format!("{{complaintId: {{eq: {}}}}}", one["id"])];
            filters.map(|filter| [&board, &head, &above].map(|client| count(client, "correctionProposals", &filter)))
        };
        send(&head, "proposeCorrection", "proposal { id }", &json!({ "costVnd": "777" }));
        assert_eq!(seen(), [[1, 1, 1], [1, 1, 1]]);
        send(&board, "correctComplaint", "position", &json!({ "confidential": true }));
        assert_eq!(seen(), [[1, 0, 0], [1, 0, 0]], "{}", app.database.name);
    }
}

#[test]
fn a_transfer_stands_in_the_history_that_heads_read() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (board, about, responsible) = (app.as_role(Role::Board), app.as_head("02CV"), app.as_head("03TG"));
        let one = complaint(&board, "PA-2");
        let reason = "Chi cục 03TG gây ra.";
        let input =
            json!({ "complaintId": one["id"], "expectedVersion": one["version"], "unit": "03TG", "reason": reason });
        board.done("transferComplaint", "position", &input);
        let query = format!(
            "{{ complaint(id: {}) {{ history(first: 100) {{ nodes {{ reason changes {{ field before after }} }} }} }} }}",
            one["id"]
        );
        let change = json!({ "field": "responsibleUnit", "before": "02CV", "after": "03TG" });
        for client in [&board, &about, &responsible] {
            let steps = client.data(&query)["complaint"]["history"]["nodes"].clone();
            let transfer = steps.list().iter().find(|step| step["reason"] == reason);
            assert!(transfer.is_some_and(|step| step["changes"].list().contains(&change)), "{steps}");
        }
    }
}

#[test]
fn an_admin_does_not_learn_which_unknown_officer_a_complaint_names() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (admin, intake) = (app.as_role(Role::Admin), app.as_role(Role::Intake));
        let input = json!({ "idempotencyKey": "new", "text": "Về một người mới.", "officers": ["CC99"] });
        intake.done("submitComplaint", "id", &input);
        for revision in 0..3 {
            let refusal = |code: &str| {
                let input = json!({ "officer": code, "expectedRevision": revision, "name": "Võ Thị Mới" });
                let answer = admin.send("changeOfficer", "officer { code } position", &input);
                (answer.status, answer.json()["errors"].to_string().replace(code, "the code"))
            };
            let unknown = refusal("CC98");
            assert!(unknown.1.contains("NOT_FOUND"), "{unknown:?}");
            assert_eq!(refusal("CC99"), unknown, "at revision {revision} on {}", app.database.name);
        }
    }
}

/// What migration 34 made, undone: a reopened complaint had no rounds.
fn downgrade(database: &Database) {
    // A later migration made an index over one of its columns.
    let index = match database.name {
        "sqlite" => include_str!("../../migrations/sqlite/2026-12-02-000042_waiting/down.sql"),
        _ => include_str!("../../migrations/postgres/2026-12-02-000042_waiting/down.sql"),
    };
    let down = match database.name {
        "sqlite" => include_str!("../../migrations/sqlite/2026-12-01-000034_legal_clock/down.sql"),
        _ => include_str!("../../migrations/postgres/2026-12-01-000034_legal_clock/down.sql"),
    };
    let forget = match database.name {
        "sqlite" => {
            "UPDATE complaint_events SET before = json_remove(before, '$.clocks'), \
             after = json_remove(after, '$.clocks')"
        }
        _ => "UPDATE complaint_events SET before = before - 'clocks', after = after - 'clocks'",
    };
    let versions = "'20261201000034', '20261202000042'";
    database.tamper(&format!(
        "{index}; {down}; {forget}; DELETE FROM __diesel_schema_migrations WHERE version IN ({versions})"
    ));
}

#[test]
fn a_complaint_that_was_reopened_before_the_legal_clock_is_in_its_second_round() {
    let of_before = |database: &Database| {
        fixtures::fill(database);
        downgrade(database);
        let migrated = program().run(database, ["migrate"]).ok();
        assert!(migrated.out.contains("000034"), "{migrated:?}");
    };
    for app in TestApp::both().filled(of_before).arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let of = |reference: &str| {
            let query = format!(
                "{{ complaints(filter: {{sourceReference: {{eq: \"{reference}\"}}}}) {{ nodes {{
                    dueOn answeredOn overdue rounds {{ number startedOn dueOn answeredOn }} }} }} }}"
            );
            board.data(&query)["complaints"]["nodes"][0].clone()
        };
        let expected = json!({ "dueOn": "2024-03-25", "answeredOn": null, "overdue": true, "rounds": [
            { "number": 1, "startedOn": "2024-03-10", "dueOn": "2024-03-22", "answeredOn": "2024-03-11" },
            { "number": 2, "startedOn": "2024-03-11", "dueOn": "2024-03-25", "answeredOn": null },
        ] });
        assert_eq!(of("PA-5"), expected, "reopened, on {}", app.database.name);
        assert_eq!(of("PA-1")["answeredOn"], "2024-01-10", "never reopened");
        let overdue = "{sourceReference: {eq: \"PA-5\"}, overdue: {eq: true}}";
        assert_eq!(count(&board, "complaints", overdue), 1);
        let files = Files::new();
        let key = files.key_file();
        app.run(&["audit", "seal", "--key-file", &key]);
        let (status, report) = verify(&app.database, &key, &[]);
        assert_eq!((status, found(&report)), (0, vec![]), "{}: {report}", app.database.name);
    }
}

#[test]
fn officers_with_suspensions_at_the_same_time_are_not_merged() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let suspended = |unit: &str, officer: &str, starts_on: &str| {
            let input = json!({
                "officer": officer, "kind": "SUSPENSION", "ground": "HARASSMENT_OF_ENTERPRISES",
                "grounds": "Gây phiền hà.", "decisionMaker": "Chi cục trưởng", "decidedOn": "2024-03-01",
                "startsOn": starts_on, "explanation": "Tôi nhận khuyết điểm.",
                "noBasisReason": "Theo kết luận kiểm tra nội bộ.",
            });
            app.as_head(unit).done("recordMeasure", MEASURE, &input)["measure"].clone()
        };
        let first = suspended("02DS", "CC02", "2024-03-04");
        suspended("03TG", "CC01", "2024-03-11");
        let state = || {
            board.data(
                "{ merges { totalCount }
                   officers(first: 50, orderBy: [{field: CODE}]) { nodes {
                       code mergedInto { code } postings { unit { code } validFrom validTo } } }
                   measures { nodes { id version officer { code } } }
                   complaints(first: 50, orderBy: [{field: RECEIVED_AT}]) { nodes {
                       id version officers { officer { code } } } } }",
            )
        };
        let before = state();
        let merge = json!({ "from": "CC02", "into": "CC01", "reason": "Cùng một người." });
        let refused = board.send("mergeOfficers", "position", &merge);
        assert_eq!(refused.codes(), ["CONFLICT"], "{}", refused.text);
        assert!(refused.text.contains("2024-03-04") && refused.text.contains("suspen"), "{}", refused.text);
        assert_eq!(state(), before, "nothing has changed on {}", app.database.name);
        let void = json!({ "measureId": first["id"], "expectedVersion": first["version"], "reason": "Ghi nhầm." });
        app.as_head("02DS").done("voidMeasure", "measure { state }", &void);
        let merged = board.done("mergeOfficers", "merge { intoOfficer { code } }", &merge);
        assert_eq!(merged["merge"]["intoOfficer"]["code"], "CC01", "only one suspension stands");
    }
}

#[test]
fn a_unit_with_waiting_complaints_closes_only_with_a_successor() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (admin, board) = (app.as_role(Role::Admin), app.as_role(Role::Board));
        let later = local_date(schema::Timestamp::now()) + Days::new(30);
        let read = || admin.data("{ unit(code: \"02DS\") { revision validTo } }")["unit"].clone();
        let close = |more: &Value| {
            let input = json!({ "unit": "02DS", "expectedRevision": read()["revision"], "on": later });
            admin.send("closeUnit", "unit { validTo } movedPostings openComplaints", &merged(&input, more))
        };
        let waiting = "{responsibleUnit: {eq: \"02DS\"}}";
        let before = read();
        let refused = close(&json!({}));
        assert_eq!(refused.codes(), ["BAD_USER_INPUT"], "{}", refused.text);
        assert!(refused.text.contains("1 complaints") && refused.text.contains("name a successor"), "{}", refused.text);
        assert_eq!((read(), count(&board, "complaints", waiting)), (before, 1), "{}", app.database.name);
        let closed = close(&json!({ "successor": "02CV" }));
        assert!(closed.codes().is_empty(), "{}", closed.text);
        let expected = json!({ "unit": { "validTo": later }, "movedPostings": 1, "openComplaints": 1 });
        assert_eq!(closed.json()["data"]["closeUnit"], expected);
        assert_eq!(count(&board, "complaints", waiting), 1, "it answers until then");
    }
}
