//! The complaints of the story, and the unit that has to answer.

use super::people::{OFFICER, People, Submitted, assert_forbidden, complaint, flags, values};
use serde_json::{Value, json};
use tests::work::Mutations;
use tests::{Client, Json, merged};

const TEXT: &str = "Chi cục không cho thông quan và nói là do hệ thống mới bị lỗi.";

pub fn an_enterprise_complains_about_a_branch_that_blames_the_system(people: &People<'_>) -> Submitted {
    let input = json!({
        "idempotencyKey": "first", "text": TEXT, "receivedAt": "2024-03-04T09:00:00+07:00", "taxCode": "0100233488",
        "enterpriseName": "Công ty A", "unit": "02CV", "blamesSystem": true, "costVnd": "12000000", "delayHours": 30,
    });
    let fields = "id created receiptCode possibleDuplicates { id }";
    let receipt = people.intake.done("submitComplaint", fields, &input);
    assert_eq!(values(&receipt, &["created", "possibleDuplicates"]), [json!(true), json!([])]);
    let first = Submitted { id: receipt["id"].clone(), receipt: receipt["receiptCode"].text().to_owned() };
    let paths = ["state", "unit.code", "responsibleUnit.code", "category", "officers"];
    let known = values(&complaint(&people.board, &first.id), &paths);
    assert_eq!(known, [json!("RECEIVED"), json!("02CV"), json!("02CV"), Value::Null, json!([])]);
    // Whoever takes complaints in reads none.
    assert_forbidden(&people.intake.codes("{ complaints { totalCount } }"));
    first
}

pub fn the_complaint_is_routed_to_the_headquarters_unit_of_the_field(people: &People<'_>, first: &Submitted) {
    let route = "{ routeOf(category: \"TD3\", unit: \"02CV\", on: \"2024-03-04\") { reason unit { code } } }";
    assert_eq!(people.board.data(route)["routeOf"], json!({ "reason": "OWNER", "unit": { "code": "CNTT" } }));
    let input = json!({ "complaintId": first.id, "expectedVersion": 1, "category": "TD3" });
    people.board.done("classifyComplaint", "position", &input);
    let paths = ["state", "unit.code", "branch.code", "responsibleUnit.code", "dueOn", "version"];
    let known = values(&complaint(&people.board, &first.id), &paths);
    // Ten working days.
    assert_eq!(
        known,
        [json!("CLASSIFIED"), json!("02CV"), json!("02CV"), json!("CNTT"), json!("2024-03-18"), json!(2)]
    );
    assert_eq!(relation(&people.field, first), json!(["RESPONSIBLE"]));
    assert_eq!(relation(&people.branch, first), json!(["ABOUT"]));
    assert_eq!(relation(&people.department, first), json!(["ABOUT"]));
    assert_eq!(complaint(&people.elsewhere, &first.id), Value::Null);
}

/// How a complaint concerns the unit of a head.
fn relation(head: &Client<'_>, of: &Submitted) -> Value {
    complaint(head, &of.id)["relation"].clone()
}

pub fn the_headquarters_unit_hands_it_to_the_branch_which_has_to_answer(people: &People<'_>, first: &Submitted) {
    let input = json!({
        "complaintId": first.id, "expectedVersion": 2, "unit": "02CV",
        "reason": "Chi cục 02CV làm thủ tục và phải trả lời.",
    });
    for other in [&people.branch, &people.department] {
        let refused = other.send("transferComplaint", "position", &merged(&input, &json!({ "unit": "03TG" })));
        assert_eq!(refused.codes(), ["NOT_FOUND"], "it need not answer: {}", refused.text);
    }
    let handed = people.field.done("transferComplaint", "complaint { state } position", &input);
    assert_eq!(handed["complaint"], Value::Null, "it is out of sight");
    assert_eq!(complaint(&people.field, &first.id), Value::Null);
    assert_eq!(relation(&people.branch, first), json!(["ABOUT", "RESPONSIBLE"]));
    let input = json!({ "complaintId": first.id, "expectedVersion": 3 });
    people.board.done("assignComplaint", "position", &input);
    let paths = ["state", "unit.code", "responsibleUnit.code", "dueOn", "version"];
    let known = values(&complaint(&people.board, &first.id), &paths);
    assert_eq!(known, [json!("ASSIGNED"), json!("02CV"), json!("02CV"), json!("2024-03-18"), json!(4)]);
}

pub fn the_branch_is_late_and_is_escalated(people: &People<'_>, first: &Submitted) {
    let last_day = people.run("escalate-overdue", "2024-03-18");
    assert_eq!(last_day, json!({ "overdue": 0, "newlyEscalated": [0, 0] }), "the last day is not over");
    assert_eq!(complaint(&people.board, &first.id)["escalatedTo"], Value::Null);
    let day_after = people.run("escalate-overdue", "2024-03-19");
    assert_eq!(day_after, json!({ "overdue": 1, "newlyEscalated": [1, 0] }));
    assert_eq!(complaint(&people.board, &first.id)["escalatedTo"]["code"], "02");
    // The escalation reaches the head whom it names and those above, and neither the late branch nor another unit.
    let query = "{ escalations { nodes { level round dueOn unit { code } complaint { id } } } }";
    let of = |client: &Client<'_>| client.data(query)["escalations"]["nodes"].clone();
    let one = json!([{
        "level": 1, "round": 1, "dueOn": "2024-03-18", "unit": { "code": "02" }, "complaint": { "id": first.id },
    }]);
    for client in [&people.board, &people.department, &people.general] {
        assert_eq!(of(client), one);
    }
    for client in [&people.branch, &people.field, &people.elsewhere] {
        assert_eq!(of(client), json!([]));
    }
}

pub fn the_branch_stays_silent_and_the_general_department_is_told(people: &People<'_>, first: &Submitted) {
    let april = people.run("escalate-overdue", "2024-04-10");
    assert_eq!(april, json!({ "overdue": 1, "newlyEscalated": [0, 1] }));
    assert_eq!(complaint(&people.board, &first.id)["escalatedTo"]["code"], "TC");
}

pub fn the_branch_answers_late(people: &People<'_>, first: &Submitted) {
    let answer = json!({
        "complaintId": first.id, "expectedVersion": 4, "action": "EXPLANATION",
        "text": "Hệ thống có lỗi, chi cục phải chờ.",
    });
    for other in [&people.field, &people.elsewhere] {
        assert_eq!(other.send("respondToComplaint", "position", &answer).codes(), ["NOT_FOUND"]);
    }
    let done = people.branch.done("respondToComplaint", "response { statement }", &answer);
    assert_eq!(done["response"]["statement"], false);
    let paths = ["state", "overdue", "answeredInTime", "escalatedTo.code"];
    let known = values(&complaint(&people.board, &first.id), &paths);
    assert_eq!(known, [json!("ANSWERED"), json!(false), json!(false), json!("TC")]);
    // The enterprise reads it by the receipt, without a token.
    let query = "query ($receipt: String!) { complaintStatus(receipt: $receipt) { state dueOn unit { code } \
        answers { text unit { code } } } }";
    let status = people.app.anonymous().data_with(query, &json!({ "receipt": first.receipt }));
    let expected = json!({
        "state": "ANSWERED", "dueOn": "2024-03-18", "unit": { "code": "02CV" },
        "answers": [{ "text": answer["text"], "unit": { "code": "02CV" } }],
    });
    assert_eq!(status["complaintStatus"], expected);
}

/// Their ids.
pub fn four_more_enterprises_complain_about_an_unnamed_officer(people: &People<'_>) -> Vec<Value> {
    let texts = [
        "Cán bộ vòi tiền mới cho qua.",
        "Tờ khai bị giữ ba ngày mà không có lý do.",
        "Phải nộp thêm một khoản ngoài quy định.",
        "Bị gây khó vì không đưa phong bì.",
    ];
    let submitted = (25..).zip(texts).map(|(day, text)| {
        let input = json!({
            "idempotencyKey": format!("further {day}"), "text": text, "unit": "02CV", "category": "TD2",
            "receivedAt": format!("2024-03-{day}T09:00:00+07:00"), "taxCode": format!("0010990123{day}"),
        });
        let receipt = people.intake.done("submitComplaint", "id possibleDuplicates { id }", &input);
        assert_eq!(receipt["possibleDuplicates"], json!([]));
        let known = complaint(&people.board, &receipt["id"]);
        assert_eq!(values(&known, &["responsibleUnit.code", "officers"]), [json!("02CV"), json!([])]);
        receipt["id"].clone()
    });
    let ids: Vec<Value> = submitted.collect();
    // The branch stands out; the officer, whom no complaint names, does not.
    people.run("recurrence", "2024-03-29");
    let found = flags(&people.board);
    assert_eq!(found, [["02CV", "WATCH", "OPEN"]], "{OFFICER}");
    ids
}
