//! Rounds of the legal clock: what is of an earlier round does not answer the present one.

use crate::intake::{answer_it, by_receipt, often, status_after, submitted};
use crate::legal_clock::{count, the_one, today};
use crate::program;
use chrono::Days;
use serde_json::{Value, json};
use tests::fixtures::{Files, RESPONSES_MAP};
use tests::work::Mutations;
use tests::{Client, Json, Role, TestApp};

/// Complaints with a state and its time.
const STATES_MAP: &str = r#"
source = "duong-day-nong"
[fields]
reference = "so"
received = "ngay"
unit = "dv"
category = "loai"
state = "tt"
state_since = "tu"
cost_vnd = "chi_phi"
"#;

/// Imports rows; the report.
fn import(app: &TestApp, kind: &str, rows: &str) -> Value {
    let (header, mapping) = match kind {
        "responses" => ("so_pa,don_vi,luc,noi_dung,hai_long", RESPONSES_MAP),
        _ => ("so,ngay,dv,loai,tt,tu,chi_phi", STATES_MAP),
    };
    app.import(kind, format!("{header}\n{rows}\n"), mapping)
}

fn by_reference(board: &Client<'_>, reference: &str) -> Value {
    the_one(board, &format!("{{sourceReference: {{eq: \"{reference}\"}}}}"))
}

/// Fails unless the chain of events explains what the register holds.
fn verify(app: &TestApp) {
    let files = Files::new();
    let key = files.key_file();
    app.run(&["audit", "seal", "--key-file", &key]);
    let report = program().json(&app.database, &["audit", "verify", "--key-file", &key]);
    assert_eq!(report["verified"], true, "{report}");
}

#[test]
fn an_imported_response_from_before_the_reopening_does_not_answer_the_present_round() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let responses = || {
            let query =
                "{ complaints(filter: {sourceReference: {eq: \"PA-5\"}}) { nodes { responses { totalCount } } } }";
            board.data(query)["complaints"]["nodes"][0]["responses"]["totalCount"].clone()
        };
        let before = by_reference(&board, "PA-5");
        assert_eq!((&before["state"], before["rounds"].list().len()), (&json!("ASSIGNED"), 2));
        // Reopened on 11 March at 8 o'clock; given the day before.
        let report = import(&app, "responses", "PA-5,02CV,2024-03-10 10:00:00,Đã nhận đơn,");
        assert_eq!((&report["imported"], &responses()), (&json!(1), &json!(2)), "{report}");
        let now = by_reference(&board, "PA-5");
        assert_eq!((&now["state"], &now["answeredOn"]), (&json!("ASSIGNED"), &Value::Null));
        assert_eq!((&now["overdue"], &now["rounds"]), (&json!(true), &before["rounds"]), "the second round runs on");
        app.run(&["jobs", "run", "escalate-overdue"]);
        let escalated = "{sourceReference: {eq: \"PA-5\"}, escalatedTo: {code: {eq: \"TC\"}}}";
        assert_eq!(count(&board, escalated), 1, "{}", app.database.name);
        // Neither does one that leaves somebody dissatisfied begin a third round.
        import(&app, "responses", "PA-5,02CV,2024-03-10 11:00:00,Đã xem,không");
        let now = by_reference(&board, "PA-5");
        assert_eq!((&now["state"], now["rounds"].list().len()), (&json!("ASSIGNED"), 2));
        import(&app, "responses", "PA-5,02CV,2024-03-20 09:00:00,Đã sửa,");
        let answered = by_reference(&board, "PA-5");
        assert_eq!((&answered["state"], &answered["answeredOn"]), (&json!("ANSWERED"), &json!("2024-03-20")));
        verify(&app);
    }
}

#[test]
fn a_response_that_was_followed_by_another_one_reopens_nothing() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        // PA-1 was answered on 10 and on 12 January.
        import(&app, "responses", "PA-1,02CV,2024-01-08 09:00:00,Đã nhận đơn,không");
        let now = by_reference(&board, "PA-1");
        assert_eq!((&now["state"], now["rounds"].list().len()), (&json!("ANSWERED"), 1), "{}", app.database.name);
        assert_eq!(now["answeredOn"], "2024-01-08", "it is the first answer");
        import(&app, "responses", "PA-1,02CV,2024-01-15 09:00:00,Đã xong,không");
        let now = by_reference(&board, "PA-1");
        assert_eq!((&now["state"], now["rounds"].list().len()), (&json!("ASSIGNED"), 2), "the last one does");
        verify(&app);
    }
}

#[test]
fn a_changed_row_with_a_state_from_before_the_reopening_leaves_the_state() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let row = |state: &str, since: &str, cost: u32| {
            import(&app, "complaints", &format!("V-1,2024-03-01,02CV,HT,{state},{since},{cost}"))
        };
        row("ANSWERED", "2024-03-05", 1);
        assert_eq!(by_reference(&board, "V-1")["answeredOn"], "2024-03-05");
        import(&app, "responses", "V-1,02CV,2024-03-20 09:00:00,Đã giải thích,không");
        let reopened = by_reference(&board, "V-1");
        assert_eq!((&reopened["state"], reopened["rounds"].list().len()), (&json!("ASSIGNED"), 2));
        // The file still says what it said before.
        for (state, cost) in [("ANSWERED", 2), ("CLOSED", 3)] {
            assert_eq!(row(state, "2024-03-05", cost)["updated"], 1, "its cost has changed");
            let now = by_reference(&board, "V-1");
            assert_eq!((&now["state"], &now["answeredOn"]), (&json!("ASSIGNED"), &Value::Null), "{state}");
            assert_eq!((&now["overdue"], &now["rounds"]), (&json!(true), &reopened["rounds"]), "{state}");
        }
        row("ANSWERED", "2024-03-25", 4);
        let answered = by_reference(&board, "V-1");
        assert_eq!((&answered["state"], &answered["answeredOn"]), (&json!("ANSWERED"), &json!("2024-03-25")));
        // Without a time it is what the file says now.
        row("CLOSED", "", 5);
        assert_eq!(by_reference(&board, "V-1")["state"], "CLOSED", "{}", app.database.name);
        verify(&app);
    }
}

#[test]
fn a_complainant_reopens_the_newest_answer_and_confirms_none_of_an_earlier_round() {
    let files = Files::new();
    let [flag, config] = often(&files);
    for app in TestApp::both().world().arguments(&["--no-jobs", &flag, &config]) {
        let (board, head, nobody) = (app.as_role(Role::Board), app.as_head("02CV"), app.anonymous());
        let receipt = submitted(&app.as_role(Role::Intake), "rounds", &json!({ "text": "Một việc lâu rồi." }));
        let (id, code) = (receipt["id"].clone(), receipt["receiptCode"].text().to_owned());
        let one = format!("{{ complaint(id: {id}) {{ version responses {{ nodes {{ satisfied }} }} }} }}");
        let satisfied = || -> Vec<Value> {
            let nodes = board.data(&one)["complaint"]["responses"]["nodes"].clone();
            nodes.list().iter().map(|node| node["satisfied"].clone()).collect()
        };
        // Answered 50 days ago, reopened, and answered today by what the complainant does not read.
        answer_it(&board, &head, &id, "Trả lời lần đầu.", "COMPLAINANT");
        let days = if app.database.name == "sqlite" { "4320000000000" } else { "interval '50 days'" };
        app.database.tamper(&format!(
            "UPDATE unit_responses SET responded_at = responded_at - {days} WHERE text = 'Trả lời lần đầu.'; \
             UPDATE complaints SET state_since = state_since - {days} WHERE text = 'Một việc lâu rồi.'"
        ));
        let version = board.data(&one)["complaint"]["version"].clone();
        let reopen =
            json!({ "complaintId": id, "expectedVersion": version, "state": "ASSIGNED", "reason": "Chưa xong." });
        board.done("changeComplaintState", "position", &reopen);
        answer_it(&board, &head, &id, "Trao đổi nội bộ.", "INTERNAL");
        let status = status_after(&nobody, "complaintStatus", &code, "");
        assert_eq!((&status["state"], status["answers"].list().len()), (&json!("ANSWERED"), 1));
        assert_eq!(status["reopenUntil"], json!(today() + Days::new(30)), "{}", app.database.name);
        for said in [", satisfied: true", ", satisfied: false"] {
            let confirmed = by_receipt(&nobody, "confirmSatisfaction", &code, said);
            assert_eq!(confirmed.codes(), ["CONFLICT"], "{said}: {}", confirmed.text);
        }
        assert_eq!(satisfied(), [Value::Null, Value::Null], "{}", app.database.name);
        let status = status_after(&nobody, "reopenByReceipt", &code, ", reason: \"Vẫn chưa xong.\"");
        assert_eq!(status["state"], "ASSIGNED");
        answer_it(&board, &head, &id, "Đã xin lỗi.", "COMPLAINANT");
        let status = status_after(&nobody, "confirmSatisfaction", &code, ", satisfied: true");
        assert_eq!((&status["state"], &status["satisfied"]), (&json!("ANSWERED"), &json!(true)));
        assert_eq!(satisfied(), [Value::Null, Value::Null, json!(true)], "{}", app.database.name);
    }
}
