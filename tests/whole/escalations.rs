//! The job that escalates overdue complaints: what it escalates, to which unit, and who reads that.

use crate::legal_clock::{classified, count};
use crate::program;
use serde_json::{Value, json};
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
