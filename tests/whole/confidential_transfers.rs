//! The head of a unit hands a confidential complaint to another unit, by the pseudonym under which the head reads it.

use serde_json::{Value, json};
use tests::fixtures::Files;
use tests::work::Mutations;
use tests::{Answer, Client, Json, Role, TestApp, merged};

const READ: &str = "{ redactedComplaints { nodes { pseudonym version state text responsibleUnit { code } } } }";

/// The confidential complaints that a head reads.
fn read(head: &Client<'_>) -> Vec<Value> {
    head.data(READ)["redactedComplaints"]["nodes"].list().to_vec()
}

/// Transfers what the head reads under a pseudonym.
fn transfer(head: &Client<'_>, node: &Value, more: &Value) -> Answer {
    let input = json!({
        "pseudonym": node["pseudonym"], "expectedVersion": node["version"], "unit": "03TG", "reason": "Việc của 03TG.",
    });
    let fields = "complaint { pseudonym version state responsibleUnit { code } } position";
    head.send("transferRedactedComplaint", fields, &merged(&input, more))
}

/// The version and the responsible unit of the confidential complaint.
fn state(board: &Client<'_>, id: &Value) -> Value {
    board.data(&format!("{{ complaint(id: {id}) {{ version responsibleUnit {{ code }} }} }}"))["complaint"].clone()
}

fn is(version: i64, unit: &str) -> Value {
    json!({ "version": version, "responsibleUnit": { "code": unit } })
}

#[test]
fn a_head_learns_that_a_confidential_complaint_is_overdue_and_not_since_when() {
    for builder in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = builder.world().keyed(&files).arguments(&["--no-jobs"]).start();
        let (board, own, above) = (app.as_role(Role::Board), app.as_head("02CV"), app.as_head("02"));
        // PA-6 was due on 1 April 2024. The other one comes in now, and has five working days.
        let late = board.data("{ complaints(filter: {confidential: {eq: true}}) { nodes { id version } } }");
        let late = late["complaints"]["nodes"][0].clone();
        let new = json!({
            "idempotencyKey": "new", "text": "Xin giữ kín.", "unit": "02CV", "category": "TD2", "confidential": true,
        });
        let new = app.as_role(Role::Intake).done("submitComplaint", "id version", &new);
        for (complaint, text) in [(&late, "Chậm trễ."), (&new, "Mới.")] {
            let input =
                json!({ "complaintId": complaint["id"], "expectedVersion": complaint["version"], "text": text });
            board.done("redactComplaint", "position", &input);
        }
        app.run(&["jobs", "run", "escalate-overdue"]);
        let query = "{ redactedComplaints { nodes { pseudonym version text overdue } } }";
        let read = |head: &Client<'_>, text: &str| {
            let nodes = head.data(query)["redactedComplaints"]["nodes"].clone();
            nodes.list().iter().find(|node| node["text"] == text).cloned().expect("a redacted complaint")
        };
        for head in [&own, &above] {
            let overdue = ["Chậm trễ.", "Mới."].map(|text| read(head, text)["overdue"].clone());
            assert_eq!(overdue, [json!(true), json!(false)], "{}", app.database.name);
        }
        // The days of an escalation would tell more.
        let query = "{ escalations(first: 100) { nodes { complaint { id } } } }";
        let named = |client: &Client<'_>| {
            let nodes = client.data(query)["escalations"]["nodes"].clone();
            nodes.list().iter().map(|node| node["complaint"]["id"].clone()).collect::<Vec<_>>()
        };
        assert!(named(&board).contains(&late["id"]));
        let told = named(&above);
        assert!(!told.is_empty() && !told.contains(&late["id"]) && !told.contains(&Value::Null), "{told:?}");
        let node = read(&own, "Chậm trễ.");
        let answer = json!({
            "pseudonym": node["pseudonym"], "expectedVersion": node["version"], "action": "EXPLANATION",
            "text": "Đã giải thích.",
        });
        let done = own.done("respondToRedactedComplaint", "complaint { state overdue }", &answer);
        assert_eq!(done["complaint"], json!({ "state": "ANSWERED", "overdue": false }));
    }
}

#[test]
fn a_head_transfers_a_confidential_complaint_that_it_may_read_and_no_other() {
    for builder in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let key = files.key_file();
        let app = builder.world().arguments(&["--no-jobs", "--key-file", &key]).start();
        let board = app.as_role(Role::Board);
        let [own, other, to] = ["02CV", "02DS", "03TG"].map(|unit| app.as_head(unit));
        let named = app.as_holder(&["--name", "named", "--role", "UNIT_HEAD", "--unit", "02CV", "--officer", "CC01"]);
        let secret = board.data("{ complaints(filter: {confidential: {eq: true}}) { nodes { id version } } }");
        let secret = secret["complaints"]["nodes"][0]["id"].clone();
        let by_id = |client: &Client<'_>, version: i64, unit: &str| {
            let input = json!({
                "complaintId": secret, "expectedVersion": version, "unit": unit, "reason": "Nhầm đơn vị.",
            });
            client.send("transferComplaint", "position", &input).codes()
        };
        // Until the Board has redacted it, it does not exist for any head, and the Board transfers it.
        assert_eq!(state(&board, &secret), is(1, "02CV"));
        assert_eq!(by_id(&own, 1, "03TG"), ["NOT_FOUND"]);
        assert_eq!((read(&own), by_id(&board, 1, "03TG")), (vec![], vec![]));
        assert!(by_id(&board, 2, "02CV").is_empty());
        let redaction = json!({ "complaintId": secret, "expectedVersion": 3, "text": "Chậm trễ." });
        board.done("redactComplaint", "position", &redaction);

        let node = read(&own).remove(0);
        assert_eq!((&node["version"], &node["responsibleUnit"]["code"]), (&json!(4), &json!("02CV")));
        for (client, code) in [(&other, "NOT_FOUND"), (&named, "NOT_FOUND"), (&board, "FORBIDDEN")] {
            let refused = transfer(client, &node, &json!({}));
            assert_eq!(refused.codes()[0], code, "{}", refused.text);
        }
        for (wrong, code) in [
            (json!({ "pseudonym": "k1-x" }), "NOT_FOUND"),
            (json!({ "reason": "  " }), "BAD_USER_INPUT"),
            (json!({ "unit": "99" }), "BAD_USER_INPUT"),
            (json!({ "unit": "02CV" }), "BAD_USER_INPUT"),
            (json!({ "expectedVersion": 3 }), "CONFLICT"),
        ] {
            let refused = transfer(&own, &node, &wrong);
            assert_eq!(refused.codes(), [code], "{wrong}: {}", refused.text);
        }
        assert_eq!(by_id(&own, 4, "03TG"), ["NOT_FOUND"], "a head knows no id of it");
        assert_eq!(state(&board, &secret), is(4, "02CV"), "nothing has changed on {}", app.database.name);

        let done = transfer(&own, &node, &json!({})).json()["data"]["transferRedactedComplaint"].clone();
        let expected = json!({
            "pseudonym": node["pseudonym"], "version": 5, "state": "RECEIVED", "responsibleUnit": { "code": "03TG" },
        });
        assert_eq!(done["complaint"], expected, "it is still about the branch");
        assert_eq!(state(&board, &secret), is(5, "03TG"));
        assert_eq!(transfer(&own, &done["complaint"], &json!({})).codes(), ["NOT_FOUND"], "another unit answers it");
        let theirs = read(&to).remove(0);
        assert_eq!((&theirs["text"], &theirs["version"]), (&json!("Chậm trễ."), &json!(5)));
        assert_ne!(theirs["pseudonym"], node["pseudonym"], "each unit has its own");
        let back = transfer(&to, &theirs, &json!({ "unit": "02CV", "reason": "Việc của 02CV." }));
        assert_eq!(back.json()["data"]["transferRedactedComplaint"]["complaint"], Value::Null, "it is out of sight");
        assert!(!back.text.contains(secret.text()), "{}", back.text);
        assert_eq!((state(&board, &secret), read(&to)), (is(6, "02CV"), vec![]));
        let history = format!(
            "{{ complaint(id: {secret}) {{ history {{ nodes {{ \
               reason actor {{ name }} changes {{ field after }} }} }} }} }}"
        );
        let steps = board.data(&history)["complaint"]["history"]["nodes"].list().to_vec();
        let step = |reason: &str, by: &str, after: &str| {
            let changes = json!([{ "field": "responsibleUnit", "after": after }]);
            json!({ "reason": reason, "actor": { "name": by }, "changes": changes })
        };
        let last = [step("Việc của 03TG.", "UNIT_HEAD-02CV", "03TG"), step("Việc của 02CV.", "UNIT_HEAD-03TG", "02CV")];
        assert_eq!(steps[steps.len() - 2..].to_vec(), last);
        app.run(&["audit", "seal", "--key-file", &key]);
        app.run(&["audit", "verify", "--key-file", &key]);
    }
}
