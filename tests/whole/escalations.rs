//! The job that escalates overdue complaints: what it escalates, to which unit, and who reads that.

use crate::legal_clock::{classified, count};
use crate::program;
use crate::responsible::{apps, by_branch};
use diesel::prelude::*;
use schema::tables::{escalations, units};
use serde_json::{Value, json};
use tests::fixtures::Files;
use tests::work::Mutations;
use tests::{Client, Json, Role, TestApp, merged};

#[test]
fn an_escalation_reaches_the_heads_that_it_names() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        for job in ["recurrence", "timeliness", "trends", "escalate-overdue", "digest"] {
            app.run(&["jobs", "run", job]);
        }
        let (board, head, other) = (app.as_role(Role::Board), app.as_head("02"), app.as_head("03"));
        let query = "{ escalations(filter: {open: {eq: true}}) { totalCount nodes { level round dueOn unit { code }
            complaint { sources { reference } escalatedTo { code } escalations { level } } } } }";
        let of = |client: &Client<'_>| client.data(query)["escalations"].clone();
        let all = of(&board);
        assert!(all["totalCount"].integer() >= 4, "{all}");
        let again = all["nodes"].list().iter().find(|one| one["round"] == 2).expect("one of a second round");
        assert_eq!(again["dueOn"], "2024-03-25");
        let units = |found: &Value| -> Vec<String> {
            found["nodes"].list().iter().map(|one| one["unit"]["code"].text().to_owned()).collect()
        };
        let own = of(&head);
        assert!(!units(&own).is_empty() && units(&own).iter().all(|unit| unit == "02"), "{own}");
        assert!(own["nodes"].list().iter().any(|one| one["complaint"]["sources"][0]["reference"] == "PA-2"), "{own}");
        assert!(units(&of(&other)).iter().all(|unit| unit == "03"));
        // The latest one names the General Department, twice the time allowed being over.
        let top = count(&board, "{overdue: {eq: true}, escalatedTo: {code: {eq: \"TC\"}}}");
        assert_eq!(top, count(&board, "{overdue: {eq: true}}"));
        let escalated = board.data("{ complaintStatistics { totals { escalated overdue } } }");
        let totals = &escalated["complaintStatistics"]["totals"];
        assert_eq!((&totals["escalated"], &totals["overdue"]), (&json!(top), &json!(top)));
        let digest = board.data("{ digests(first: 1) { nodes { document text } } }")["digests"]["nodes"][0].clone();
        let named = digest["document"]["overdue"]["escalatedTo"].list().to_vec();
        assert!(
            named.iter().any(|unit| unit["code"] == "02") && named.iter().any(|unit| unit["code"] == "TC"),
            "{named:?}"
        );
        assert_eq!(board.codes("{ escalations(filter: {level: 3}) { totalCount } }"), ["BAD_USER_INPUT"]);
        let denied = app.as_role(Role::DataTeam).codes("{ escalations { totalCount } }");
        assert!(!denied.is_empty() && denied.iter().all(|code| code == "FORBIDDEN"), "{denied:?}");
        // A second run escalates nothing again.
        app.run(&["jobs", "run", "escalate-overdue"]);
        assert_eq!(of(&board)["totalCount"], all["totalCount"]);
    }
}

#[test]
fn what_was_answered_or_has_ended_by_now_is_not_escalated() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (board, head) = (app.as_role(Role::Board), app.as_head("02CV"));
        let received = json!({ "receivedAt": "2024-05-02T09:00:00+07:00" });
        let [answered, rejected, waiting] =
            ["answered", "rejected", "waiting"].map(|key| classified(&app, key, &received));
        let of = |complaint: &Value, more: Value| {
            let version = &complaint["version"];
            merged(&json!({ "complaintId": complaint["id"], "expectedVersion": version }), &more)
        };
        let answer = of(&answered, json!({ "action": "EXPLANATION", "text": "Đã giải thích." }));
        head.done("respondToComplaint", "position", &answer);
        let reject = of(&rejected, json!({ "state": "REJECTED", "reason": "Không thuộc thẩm quyền." }));
        board.done("changeComplaintState", "position", &reject);
        // All three were overdue by then.
        let run = program().json(&app.database, &["jobs", "run", "escalate-overdue", "--as-of", "2024-06-03"]);
        let escalated = |complaint: &Value| {
            let query =
                format!("{{ complaint(id: {}) {{ escalations {{ level unit {{ code }} }} }} }}", complaint["id"]);
            board.data(&query)["complaint"]["escalations"].clone()
        };
        assert_eq!([&answered, &rejected].map(escalated), [json!([]), json!([])], "{run}");
        assert_eq!(escalated(&waiting), json!([{ "level": 1, "unit": { "code": "02" } }]));
    }
}

#[test]
fn escalations_go_to_the_level_above_the_responsible_unit() {
    for app in apps() {
        app.run(&["jobs", "run", "escalate-overdue", "--as-of", "2024-04-06"]);
        app.run(&["jobs", "run", "escalate-overdue", "--as-of", "2024-06-30"]);
        let db = app.database.open();
        let mut found: Vec<(i32, Option<String>)> = db
            .read(|conn| {
                let of_field = schema::queries::unit_by_code(conn, "CNTT")?.map(|unit| unit.id);
                let of_field = schema::tables::complaints::table
                    .filter(schema::tables::complaints::responsible_unit_id.eq(of_field))
                    .select(schema::tables::complaints::id)
                    .load::<schema::Id>(conn)?;
                let rows = escalations::table
                    .left_join(units::table.on(units::id.nullable().eq(escalations::unit_id)))
                    .filter(escalations::complaint_id.eq_any(of_field))
                    .select((escalations::level, units::code.nullable()));
                Ok(rows.load(conn)?)
            })
            .unwrap();
        found.sort();
        // The Board is above the General Department.
        assert_eq!(found, [(1, Some("TC".to_owned())), (2, None)], "{}", app.database.name);
    }
}

#[test]
fn an_escalation_follows_a_transfer_and_a_hand_over() {
    for app in apps() {
        let files = Files::new();
        let key = files.key_file();
        let (board, admin) = (app.as_role(Role::Board), app.as_role(Role::Admin));
        let [above, next, top] = ["02", "03", "TC"].map(|unit| app.as_head(unit));
        let escalate = |as_of: &str| app.run(&["jobs", "run", "escalate-overdue", "--as-of", as_of]);
        // Due on 21 May.
        let more = json!({ "unit": "02CV", "category": "TD1", "receivedAt": "2024-05-01T08:00:00+07:00" });
        let id = app.as_role(Role::Intake).submitted("late", &more)["id"].clone();
        let named = |id: &Value| {
            let query = format!(
                "{{ complaint(id: {id}) {{ escalatedTo {{ code }} escalations {{ level unit {{ code }} }} }} }}"
            );
            let found = board.data(&query)["complaint"].clone();
            let all = found["escalations"].list().iter().map(|one| one["unit"]["code"].clone()).collect::<Vec<_>>();
            (found["escalatedTo"]["code"].clone(), all)
        };
        let told = |client: &Client, id: &Value| {
            let nodes =
                client.data("{ escalations { nodes { unit { code } complaint { id } } } }")["escalations"].clone();
            let of = nodes["nodes"].list().iter().filter(|one| one["complaint"]["id"] == *id);
            of.map(|one| one["unit"]["code"].clone()).collect::<Vec<_>>()
        };
        escalate("2024-05-27");
        assert_eq!(named(&id), (json!("02"), vec![json!("02")]));
        assert_eq!((told(&above, &id), told(&top, &id)), (vec![json!("02")], vec![json!("02")]), "below it");
        let input = json!({ "complaintId": id, "expectedVersion": 1, "unit": "CNTT", "reason": "Do phần mềm." });
        board.done("transferComplaint", "position", &input);
        escalate("2024-05-28");
        assert_eq!(named(&id), (json!("TC"), vec![json!("TC")]), "above the unit that has to answer now");
        assert_eq!((told(&above, &id), told(&top, &id)), (vec![], vec![json!("TC")]));
        escalate("2024-05-28");
        let query = format!("{{ complaint(id: {id}) {{ history {{ nodes {{ kind changes {{ field after }} }} }} }} }}");
        let history = board.data(&query)["complaint"]["history"]["nodes"].clone();
        let escalated = history.list().iter().filter(|entry| entry["kind"] == "ESCALATED");
        let units: Vec<Value> = escalated
            .flat_map(|entry| entry["changes"].list().to_vec())
            .filter(|change| change["field"] == "escalation.unit")
            .map(|change| change["after"].clone())
            .collect();
        assert_eq!(units, [json!("02"), json!("TC")], "what was told stays told, and nothing is told twice");

        // PA-3 waits for 02DS, which ends: 03TG goes on, below another department.
        let query = "{ complaints(filter: {sourceReference: {eq: \"PA-3\"}}) { nodes { id } } }";
        let waits = board.data(query)["complaints"]["nodes"][0]["id"].clone();
        assert_eq!(named(&waits), (json!("TC"), vec![json!("02"), json!("TC")]));
        let revision = admin.data("{ unit(code: \"02DS\") { revision } }")["unit"]["revision"].clone();
        let close = json!({ "unit": "02DS", "expectedRevision": revision, "on": "2024-05-28", "successor": "03TG" });
        let done = admin.done("closeUnit", "position", &close);
        by_branch(&board, &done["position"]);
        escalate("2024-05-29");
        assert_eq!(named(&waits), (json!("TC"), vec![json!("03"), json!("TC")]));
        assert_eq!((told(&above, &waits), told(&next, &waits)), (vec![], vec![json!("03")]));
        app.run(&["audit", "seal", "--key-file", &key]);
        app.run(&["audit", "verify", "--key-file", &key]);
    }
}
