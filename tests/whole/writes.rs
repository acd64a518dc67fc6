//! Submissions and answers over HTTP, and the events that the server writes for them.

use serde_json::{Value, json};
use tests::{Client, Json, Role, TestApp};

const SUBMIT: &str = "mutation ($input: SubmitComplaintInput!) {
    submitComplaint(input: $input) { id reference state version created } }";

fn submission() -> Value {
    json!({
        "idempotencyKey": "b7f0", "taxCode": "0314409058002", "enterpriseName": "Chi nhánh B", "unit": "02CV-D1",
        "category": "TD1", "officers": ["CC01"], "declarationNumber": "301234567890", "costVnd": "3500000",
        "delayHours": 26.5, "channel": "HOTLINE", "text": "Hồ sơ bị trả lại ba lần không nêu lý do."
    })
}

#[test]
fn a_submission_is_stored_once_whatever_the_network_does() {
    for app in TestApp::both().world().arguments(&["--dev"]) {
        let (board, intake) = (app.as_role(Role::Board), app.as_role(Role::Intake));
        let send = |input: &Value| intake.request_with(SUBMIT, &json!({ "input": input }));
        let first = send(&submission()).json()["data"]["submitComplaint"].clone();
        assert_eq!(
            (&first["created"], &first["state"], &first["version"]),
            (&json!(true), &json!("RECEIVED"), &json!(1))
        );
        let again = send(&submission()).json()["data"]["submitComplaint"].clone();
        assert_eq!((&again["created"], &again["id"]), (&json!(false), &first["id"]));
        let mut other = submission();
        other["text"] = json!("Một việc khác.");
        let answer = send(&other);
        assert_eq!(answer.codes(), ["CONFLICT"], "{}", answer.text);
        // Many submissions with one key at once make one complaint.
        let mut many = submission();
        many["idempotencyKey"] = json!("at-once");
        let created: Vec<_> = std::thread::scope(|scope| {
            let sent: Vec<_> =
                (0..8).map(|_| scope.spawn(|| send(&many).json()["data"]["submitComplaint"].clone())).collect();
            sent.into_iter().map(|sent| sent.join().unwrap()).collect()
        });
        assert_eq!(created.iter().filter(|receipt| receipt["created"] == true).count(), 1, "{created:?}");
        assert!(created.iter().all(|receipt| receipt["id"] == created[0]["id"]));

        let query = format!(
            "{{ complaint(id: {}) {{
                 reference enterprise {{ taxCode }} department {{ code }}
                 officers {{ officer {{ code }} attribution }} costVnd declarationNumber channel }} }}",
            first["id"]
        );
        let stored = board.data(&query)["complaint"].clone();
        assert_eq!(stored["reference"], first["reference"]);
        assert_eq!(stored["enterprise"]["taxCode"], "0314409058-002");
        assert_eq!(stored["department"]["code"], "02");
        assert_eq!(stored["officers"][0], json!({ "officer": { "code": "CC01" }, "attribution": "ASSERTED" }));
        assert_eq!((&stored["costVnd"], &stored["channel"]), (&json!("3500000"), &json!("HOTLINE")));
    }
}

#[test]
fn a_submission_is_checked_and_may_be_anonymous() {
    let app = TestApp::sqlite().world().arguments(&["--dev"]).start();
    let (board, intake) = (app.as_role(Role::Board), app.as_role(Role::Intake));
    for (field, value, word) in [
        ("taxCode", json!("0100233480"), "check digit"),
        ("declarationNumber", json!("12345"), "12 digits"),
        ("unit", json!("99"), "unit: \\\"99\\\" is not known to the register: the queries"),
        ("category", json!("XX"), "category"),
        ("officers", json!([" "]), "officers: a code must have"),
        ("text", json!("  "), "text"),
        ("receivedAt", json!("2190-01-01T00:00:00Z"), "future"),
        ("occurredAt", json!("2190-01-01T00:00:00Z"), "occurredAt"),
        ("costVnd", json!("-1"), "costVnd"),
        ("delayHours", json!(-1.0), "delayHours"),
        ("idempotencyKey", json!(""), "idempotencyKey"),
    ] {
        let mut input = submission();
        input["idempotencyKey"] = json!(format!("bad-{field}"));
        input[field] = value;
        let answer = intake.request_with(SUBMIT, &json!({ "input": input }));
        assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{field}: {}", answer.text);
        assert!(answer.text.contains(word), "{field}: {}", answer.text);
        assert_eq!(answer.json()["data"], Value::Null);
    }
    let anonymous = json!({ "input": { "idempotencyKey": "anon", "text": "Không dám nêu tên." } });
    let receipt = intake.data_with(SUBMIT, &anonymous)["submitComplaint"].clone();
    assert_eq!(receipt["created"], true);
    let data = board.data(&format!(
        "{{ complaint(id: {}) {{ anonymous enterprise {{ name }} }} complaints {{ totalCount }} }}",
        receipt["id"]
    ));
    assert_eq!(
        data,
        json!({ "complaint": { "anonymous": true, "enterprise": null }, "complaints": { "totalCount": 7 } })
    );
}

#[test]
fn the_unit_responsible_answers_the_version_that_it_knows() {
    const RESPOND: &str = "mutation ($input: RespondToComplaintInput!) { respondToComplaint(input: $input) {
        complaint { state version responses { nodes { text unit { code } } } }
        response { text action unit { code } } } }";
    for app in TestApp::both().world().arguments(&["--dev"]) {
        let (board, intake, saigon, express) =
            (app.as_role(Role::Board), app.as_role(Role::Intake), app.as_head("02CV"), app.as_head("02DS"));
        let id = intake.data_with(SUBMIT, &json!({ "input": submission() }))["submitComplaint"]["id"].clone();
        let answer = |client: &Client, version: i32| {
            let input = json!({
                "complaintId": id, "expectedVersion": version, "action": "CORRECTION", "text": "Đã nhận lại hồ sơ."
            });
            client.request_with(RESPOND, &json!({ "input": input }))
        };
        let to_board = answer(&board, 1).codes();
        assert!(!to_board.is_empty() && to_board.iter().all(|code| code == "FORBIDDEN"), "{to_board:?}");
        let hidden = answer(&express, 1);
        assert_eq!(hidden.codes(), ["NOT_FOUND"], "another unit's complaint is not there");
        let message = hidden.json()["errors"][0]["message"].clone();
        assert!([id.text(), "`complaints` lists"].iter().all(|part| message.text().contains(part)), "{message}");
        assert_eq!(answer(&saigon, 7).codes(), ["CONFLICT"]);
        let done = answer(&saigon, 1).json()["data"]["respondToComplaint"].clone();
        assert_eq!(done["complaint"]["state"], "ANSWERED");
        assert_eq!(
            done["response"],
            json!({ "text": "Đã nhận lại hồ sơ.", "action": "CORRECTION", "unit": { "code": "02CV" } })
        );
        assert_eq!(done["complaint"]["responses"]["nodes"].list().len(), 1);
        assert_eq!(answer(&saigon, 1).codes(), ["CONFLICT"], "the version went up");
        // Two answers at once expect one version. The server accepts one of them and refuses the other.
        let version = i32::try_from(done["complaint"]["version"].integer()).unwrap();
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let sent: Vec<_> = (0..2).map(|_| scope.spawn(|| answer(&saigon, version).codes())).collect();
            sent.into_iter().map(|sent| sent.join().unwrap()).collect()
        });
        assert_eq!(outcomes.iter().filter(|codes| codes.is_empty()).count(), 1, "{outcomes:?}");
        assert!(outcomes.contains(&vec!["CONFLICT".to_owned()]), "{outcomes:?}");
    }
}

#[test]
fn every_change_leaves_an_event_and_personal_values_stand_beside_it() {
    use diesel::prelude::*;
    use schema::events::{ComplaintEventValue, StoredComplaintEvent, commitment};
    use schema::tables::{complaint_event_values, complaint_events};
    for app in TestApp::both().world().arguments(&["--dev"]) {
        let intake = app.as_role(Role::Intake);
        let id = intake.data_with(SUBMIT, &json!({ "input": submission() }))["submitComplaint"]["id"].clone();
        let id = schema::Id(id.text().parse().unwrap());
        let (events, values) = app
            .database
            .open()
            .read(|conn| {
                let events: Vec<StoredComplaintEvent> = complaint_events::table
                    .filter(complaint_events::complaint_id.eq(id))
                    .select(StoredComplaintEvent::as_select())
                    .load(conn)?;
                let values: Vec<ComplaintEventValue> = complaint_event_values::table
                    .filter(complaint_event_values::complaint_id.eq(id))
                    .select(ComplaintEventValue::as_select())
                    .load(conn)?;
                Ok((events, values))
            })
            .unwrap();
        let after = &events[0].after.as_ref().unwrap().0;
        assert_eq!((events.len(), &events[0].before), (1, &None));
        assert_eq!(events[0].actor, "token:INTAKE-all");
        assert!(!after.to_string().contains("ba lần") && !after.to_string().contains("301234567890"), "{after}");
        assert_eq!(values.len(), 2);
        for value in values {
            assert_eq!(after[&value.field]["commitment"], commitment(&value.salt, &value.field, &value.value));
        }
    }
}

#[test]
fn positions_are_dense_however_many_write_at_once() {
    use diesel::prelude::*;
    use schema::tables::complaint_events;
    for app in TestApp::both().world().arguments(&["--dev"]) {
        let (board, intake) = (app.as_role(Role::Board), app.as_role(Role::Intake));
        let before = app.database.open().read(schema::db::dialect::current_position).unwrap();
        std::thread::scope(|scope| {
            for n in 0..40 {
                let intake = &intake;
                scope.spawn(move || {
                    let input =
                        json!({ "input": { "idempotencyKey": format!("dense-{n}"), "text": "Một trong nhiều." } });
                    intake.data_with(SUBMIT, &input);
                });
            }
        });
        let positions: Vec<i64> = app
            .database
            .open()
            .read(|conn| {
                Ok(complaint_events::table
                    .filter(complaint_events::position.gt(before))
                    .order(complaint_events::position)
                    .select(complaint_events::position)
                    .load(conn)?)
            })
            .unwrap();
        assert_eq!(positions, (before + 1..=before + 40).collect::<Vec<_>>(), "{}", app.database.name);
        // The aggregates contain the writes of all clients soon afterwards.
        let expected = json!({ "complaintStatistics": { "position": before + 40, "rows": [{ "complaints": 46 }] } });
        let mut seen = Value::Null;
        for _ in 0..100 {
            seen = board.data("{ complaintStatistics { position rows { complaints } } }");
            if seen == expected {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        assert_eq!(seen, expected);
    }
}

#[test]
fn a_text_with_nul_is_bad_user_input_on_both_databases() {
    for app in TestApp::both().world().arguments(&["--dev"]) {
        let board = app.as_role(Role::Board);
        for (query, variables) in [
            ("{ units(filter: {code: {eq: \"a\\u0000b\"}}) { totalCount } }", json!({})),
            ("query ($s: String) { complaints(filter: {search: $s}) { totalCount } }", json!({ "s": "\u{0}" })),
            ("query ($c: String) { unit(code: $c) { code } }", json!({ "c": "02\u{0}" })),
        ] {
            let answer = board.request_with(query, &variables);
            assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{}", answer.text);
            assert!(answer.text.contains("NUL"), "{}", answer.text);
        }
        // A cursor that the client made itself may not contain NUL either.
        let cursor = data_encoding::BASE64URL_NOPAD
            .encode(b"[{\"text\":\"\\u0000\"},{\"id\":\"00000000-0000-0000-0000-000000000000\"}]");
        let behind = format!("{{ units(orderBy: [{{field: CODE}}], after: \"{cursor}\") {{ nodes {{ code }} }} }}");
        let answer = board.request(&behind);
        assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{}", answer.text);
    }
}
