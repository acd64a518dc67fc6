//! Corrections, merges and imports leave the unit that had to answer, once the complaint was assigned or answered.

use crate::responsible::{apps, complaint};
use serde_json::{Value, json};
use tests::work::Mutations;
use tests::{Client, Role, TestApp, merged};

/// Sends a mutation about a complaint at its present version.
fn act(client: &Client<'_>, board: &Client<'_>, id: &Value, mutation: &str, more: &Value) -> Value {
    let of = json!({ "complaintId": id, "expectedVersion": complaint(board, id)["version"] });
    client.done(mutation, "position", &merged(&of, more))["position"].clone()
}

fn to_technical(board: &Client<'_>, id: &Value) -> Value {
    act(board, board, id, "correctComplaint", &json!({ "category": "KT1", "reason": "Là lỗi kỹ thuật." }))
}

fn responsible(board: &Client<'_>, id: &Value) -> Value {
    complaint(board, id)["responsibleUnit"]["code"].clone()
}

/// What the scorecards of two units say at a position.
fn scorecards(board: &Client<'_>, position: &Value) -> Value {
    board.data(&format!("{{ complaintStatistics(minPosition: {position}) {{ position }} }}"));
    let card = "scorecard(days: 36500) { complaints due shareAnsweredInTime }";
    board.data(&format!("{{ branch: unit(code: \"02CV\") {{ {card} }} field: unit(code: \"CNTT\") {{ {card} }} }}"))
}

#[test]
fn a_correction_after_the_answer_leaves_the_late_answer_with_the_unit_that_gave_it() {
    for app in apps() {
        let (board, intake, branch) = (app.as_role(Role::Board), app.as_role(Role::Intake), app.as_head("02CV"));
        let more = json!({ "unit": "02CV", "category": "TD1", "receivedAt": "2024-05-01T08:00:00+07:00" });
        let id = intake.submitted("late", &more)["id"].clone();
        let answer = json!({ "action": "EXPLANATION", "text": "Đã kiểm tra." });
        act(&branch, &board, &id, "respondToComplaint", &answer);
        let closed = act(&board, &board, &id, "changeComplaintState", &json!({ "state": "CLOSED" }));
        let before = scorecards(&board, &closed);
        assert_eq!(before["field"]["scorecard"]["complaints"], 1, "the imported one");
        let corrected = to_technical(&board, &id);
        let now = complaint(&board, &id);
        assert_eq!((&now["state"], &now["responsibleUnit"]["code"]), (&json!("CLOSED"), &json!("02CV")));
        assert_eq!(scorecards(&board, &corrected), before, "{}", app.database.name);
    }
}

#[test]
fn a_correction_of_an_assigned_complaint_leaves_it_with_the_unit_and_one_before_routes_it_anew() {
    for app in apps() {
        let (board, intake) = (app.as_role(Role::Board), app.as_role(Role::Intake));
        let new = |key: &str| intake.submitted(key, &json!({ "unit": "02CV", "category": "TD1" }))["id"].clone();
        let [received, classified, transferred, assigned] = ["r", "c", "t", "a"].map(new);
        for id in [&classified, &assigned] {
            act(&board, &board, id, "classifyComplaint", &json!({ "category": "TD1" }));
        }
        act(&board, &board, &assigned, "assignComplaint", &json!({ "unit": "02CV" }));
        let hand_on = |unit: &str| json!({ "unit": unit, "reason": "Đúng chi cục." });
        // There and back: it stands where the rules put it, but because somebody said so.
        for unit in ["03TG", "02CV"] {
            act(&board, &board, &transferred, "transferComplaint", &hand_on(unit));
        }
        for (id, expected) in [(&received, "CNTT"), (&classified, "CNTT"), (&transferred, "02CV"), (&assigned, "02CV")]
        {
            to_technical(&board, id);
            let now = complaint(&board, id);
            assert_eq!(now["responsibleUnit"]["code"], expected, "{} on {}", now["state"], app.database.name);
        }
        act(&board, &board, &assigned, "transferComplaint", &hand_on("CNTT"));
        assert_eq!(responsible(&board, &assigned), "CNTT", "the Board hands it on");
    }
}

/// Submits a complaint about CC01, which also names CC03 for a technical fault.
fn about_both(app: &TestApp, board: &Client<'_>, key: &str) -> Value {
    let of = json!({ "unit": "02CV", "category": "TD1", "officers": ["CC01"] });
    let id = app.as_role(Role::Intake).submitted(key, &of)["id"].clone();
    let other = json!({ "addOfficers": [{ "officer": "CC03", "category": "KT1" }], "reason": "Còn người nữa." });
    act(board, board, &id, "correctComplaint", &other);
    id
}

#[test]
fn a_merge_that_changes_the_category_leaves_an_assigned_complaint_with_its_unit() {
    for app in apps() {
        let board = app.as_role(Role::Board);
        let [free, assigned] = ["free", "assigned"].map(|key| about_both(&app, &board, key));
        act(&board, &board, &assigned, "classifyComplaint", &json!({ "category": "TD1" }));
        act(&board, &board, &assigned, "assignComplaint", &json!({ "unit": "02CV" }));
        let merge = json!({ "from": "CC03", "into": "CC01", "reason": "Cùng một người." });
        board.done("mergeOfficers", "position", &merge);
        for (id, expected) in [(&free, "CNTT"), (&assigned, "02CV")] {
            let query = format!("{{ complaint(id: {id}) {{ category {{ code }} }} }}");
            assert_eq!(board.data(&query)["complaint"]["category"]["code"], "KT1", "of its lowest allegation");
            assert_eq!(responsible(&board, id), expected, "{}", app.database.name);
        }
    }
}

/// Imports complaints of one source, each as (reference, unit, category, state).
fn import(app: &TestApp, rows: &[[&str; 4]]) {
    let mut csv = "so,ngay,dv,loai,tt\n".to_owned();
    for [reference, unit, category, state] in rows {
        csv += &format!("{reference},2024-04-02,{unit},{category},{state}\n");
    }
    let map = "source = \"lai\"\n[fields]\nreference = \"so\"\nreceived = \"ngay\"\nunit = \"dv\"\n\
               category = \"loai\"\nstate = \"tt\"\n";
    app.import("complaints", csv, map);
}

/// The id of an imported complaint.
fn imported(board: &Client<'_>, reference: &str) -> Value {
    let query = format!("{{ complaints(filter: {{sourceReference: {{eq: \"{reference}\"}}}}) {{ nodes {{ id }} }} }}");
    board.data(&query)["complaints"]["nodes"][0]["id"].clone()
}

#[test]
fn an_import_that_changes_the_category_moves_only_what_waits_unassigned() {
    for app in apps() {
        let (board, branch) = (app.as_role(Role::Board), app.as_head("02CV"));
        let states = [
            ("free", "RECEIVED"),
            ("there-and-back", "RECEIVED"),
            ("assigned", "RECEIVED"),
            ("answered", "RECEIVED"),
            ("closed", "CLOSED"),
            ("rejected", "REJECTED"),
        ];
        let file = |category: &str| {
            let rows: Vec<[&str; 4]> = states.iter().map(|(one, state)| [*one, "02CV", category, *state]).collect();
            import(
                &app,
                &[rows, vec![["nowhere", if category == "TD1" { "" } else { "02CV" }, "TD1", "CLOSED"]]].concat(),
            );
        };
        file("TD1");
        let id = |reference: &str| imported(&board, reference);
        assert_eq!(responsible(&board, &id("nowhere")), Value::Null);
        for unit in ["03TG", "02CV"] {
            let to = json!({ "unit": unit, "reason": "Đúng chi cục." });
            act(&board, &board, &id("there-and-back"), "transferComplaint", &to);
        }
        act(&board, &board, &id("assigned"), "classifyComplaint", &json!({ "category": "TD1" }));
        act(&board, &board, &id("assigned"), "assignComplaint", &json!({}));
        let answer = json!({ "action": "EXPLANATION", "text": "Đã kiểm tra." });
        act(&branch, &board, &id("answered"), "respondToComplaint", &answer);
        file("KT1");
        for (reference, state, unit) in [
            ("free", "RECEIVED", "CNTT"),
            ("there-and-back", "RECEIVED", "02CV"),
            ("assigned", "ASSIGNED", "02CV"),
            ("answered", "ANSWERED", "02CV"),
            ("closed", "CLOSED", "02CV"),
            ("rejected", "REJECTED", "02CV"),
            // No unit was responsible for it.
            ("nowhere", "CLOSED", "02CV"),
        ] {
            let query = format!(
                "{{ complaint(id: {}) {{ state category {{ code }} responsibleUnit {{ code }} }} }}",
                id(reference)
            );
            let category = if reference == "nowhere" { "TD1" } else { "KT1" };
            let expected =
                json!({ "state": state, "category": { "code": category }, "responsibleUnit": { "code": unit } });
            assert_eq!(board.data(&query)["complaint"], expected, "{reference} on {}", app.database.name);
        }
    }
}

#[test]
fn an_import_leaves_what_a_successor_took_over_and_hands_it_what_waits_again() {
    for app in apps() {
        let (board, admin) = (app.as_role(Role::Board), app.as_role(Role::Admin));
        import(&app, &[["waits", "02DS", "TD1", "RECEIVED"], ["ended", "02DS", "TD1", "CLOSED"]]);
        let revision = admin.data("{ unit(code: \"02DS\") { revision } }")["unit"]["revision"].clone();
        let close = json!({ "unit": "02DS", "expectedRevision": revision, "on": "2024-06-30", "successor": "02CV" });
        admin.done("closeUnit", "position", &close);
        let units = || ["waits", "ended"].map(|reference| responsible(&board, &imported(&board, reference)));
        assert_eq!(units(), ["02CV", "02DS"]);
        import(&app, &[["waits", "02DS", "TD1", "CLOSED"], ["ended", "02DS", "TD1", "RECEIVED"]]);
        assert_eq!(units(), ["02CV", "02CV"], "{}", app.database.name);
    }
}
