//! The officer: named and confirmed by the Board, flagged, heard, and suspended by the head.

use super::people::{OFFICER, People, assert_forbidden, complaint, flags, values};
use serde_json::{Value, json};
use tests::work::{MEASURE, Mutations};
use tests::{Answer, Client, Json, merged};

pub const SEEN: &str = "Camera và ca trực cho thấy đó là công chức An.";
pub const VERIFIED: &str = "Biên bản xác minh của Ban.";
pub const EXPLANATION: &str = "Tôi chỉ làm theo hệ thống.";
pub const GROUNDS: &str = "Năm doanh nghiệp phản ánh bị gây khó.";

/// A correction of a complaint at its present version.
fn correction(board: &Client<'_>, id: &Value, reason: &str, more: &Value) -> Value {
    let version = complaint(board, id)["version"].clone();
    merged(&json!({ "complaintId": id, "expectedVersion": version, "reason": reason }), more)
}

/// Whom a complaint names, and how surely.
fn named(client: &Client<'_>, id: &Value) -> Vec<[String; 2]> {
    let allegations = complaint(client, id)["officers"].clone();
    let of = |row: &Value| [row["officer"]["code"].text().to_owned(), row["attribution"].text().to_owned()];
    allegations.list().iter().map(of).collect()
}

pub fn the_board_adds_the_officer(people: &People<'_>, five: &[Value]) {
    let added = json!({ "addOfficers": [{ "officer": OFFICER }] });
    for id in five {
        let input = correction(&people.board, id, SEEN, &added);
        let by_head = people.branch.send("correctComplaint", "position", &input);
        assert_forbidden(&by_head.codes());
        assert!(named(&people.branch, id).is_empty(), "what was refused changed nothing");
        people.board.done("correctComplaint", "position", &input);
        assert_eq!(named(&people.branch, id), [[OFFICER, "ASSERTED"]]);
    }
    // Enterprises name desks and faces: more than watching him takes a confirmation.
    people.run("recurrence", "2024-03-30");
    assert_eq!(sorted(flags(&people.board)), [["02CV", "WATCH", "OPEN"], [OFFICER, "WATCH", "OPEN"]]);
}

fn sorted(mut flags: Vec<[String; 3]>) -> Vec<[String; 3]> {
    flags.sort();
    flags
}

pub fn the_board_confirms_him_and_the_flag_rises_to_suspension_review(people: &People<'_>, five: &[Value]) {
    let confirmed = json!({ "changeAllegations": [{ "officer": OFFICER, "ordinal": 0, "attribution": "CONFIRMED" }] });
    for id in five {
        let input = correction(&people.board, id, VERIFIED, &confirmed);
        people.board.done("correctComplaint", "position", &input);
        assert_eq!(named(&people.board, id), [[OFFICER, "CONFIRMED"]]);
    }
    people.run("recurrence", "2024-04-01");
    let risen = [["02CV", "WATCH", "OPEN"], [OFFICER, "SUSPENSION_REVIEW", "OPEN"]];
    assert_eq!(sorted(flags(&people.board)), risen);
    let flag = flag_on_the_officer(&people.board);
    let mut evidence = flag["evidenceIds"].list().to_vec();
    let mut expected = five.to_vec();
    for ids in [&mut evidence, &mut expected] {
        ids.sort_by_key(|id| id.text().to_owned());
    }
    assert_eq!(evidence, expected);
    let reason = "Officer CC01: in the 365 days to 1 April 2024, 5 different enterprises made 5 complaints about \
        conduct, 4 of them serious. 5 episodes were observed where colleagues with the same days in posting would have \
        0.20 (25.0 times as many; 95% limits 8.12 to 58.3).";
    assert!(flag["reasonEn"].text().starts_with(reason), "{flag}");
    assert_eq!(flag["numbers"]["unadjusted"], false);
    let year = &flag["numbers"]["windows"][3];
    assert_eq!((&year["days"], &year["distinctEnterprises"]), (&json!(365), &json!(5)));
    // Six episodes of the thirty colleagues in branches of the same peer group, and all served all year.
    let number = |field: &str| year["adjusted"][field].number();
    assert!((number("expected") - 6.0 / 30.0).abs() < 1e-6 && (number("ratio") - 25.0).abs() < 1e-4, "{year}");
    assert!(number("q") <= 0.01 && number("eb05") >= 2.0, "{year}");
    // The heads above him see the flag without its numbers, and nobody else sees it.
    for head in [&people.branch, &people.department, &people.general] {
        let seen = flag_on_the_officer(head);
        assert_eq!(
            values(&seen, &["tier", "state", "reasonEn", "numbers"]),
            [json!("SUSPENSION_REVIEW"), json!("OPEN"), Value::Null, Value::Null]
        );
        assert_eq!(seen["evidenceIds"], flag["evidenceIds"]);
    }
    for head in [&people.field, &people.elsewhere] {
        assert!(flags(head).is_empty());
    }
}

fn flag_on_the_officer(client: &Client<'_>) -> Value {
    let query = "{ flags { nodes { id tier state reasonEn evidenceIds officer { code } numbers { unadjusted
        windows { days distinctEnterprises adjusted { observed expected ratio q eb05 } } } } } }";
    let nodes = client.data(query)["flags"]["nodes"].clone();
    nodes.list().iter().find(|flag| flag["officer"]["code"] == OFFICER).expect("the flag").clone()
}

/// A suspension of the officer from Monday, 8 April 2024.
fn suspension(head: &Client<'_>, flag: &Value, more: &Value) -> Answer {
    let input = json!({
        "officer": OFFICER, "kind": "SUSPENSION", "ground": "HARASSMENT_OF_ENTERPRISES", "grounds": GROUNDS,
        "decisionMaker": "Chi cục trưởng 02CV", "decidedOn": "2024-04-05", "startsOn": "2024-04-08", "flagId": flag,
    });
    head.send("recordMeasure", MEASURE, &merged(&input, more))
}

/// The id of the flag.
pub fn the_officer_explains(people: &People<'_>) -> Value {
    let flag = flag_on_the_officer(&people.board)["id"].clone();
    let unheard = suspension(&people.branch, &flag, &json!({}));
    unheard.assert_refused("BAD_USER_INPUT", &["the officer must be heard", "recordExplanation"]);
    let said = json!({ "flagId": flag, "notifiedOn": "2024-04-02", "explanation": EXPLANATION });
    assert_eq!(people.elsewhere.send("recordExplanation", "flag { id }", &said).codes(), ["NOT_FOUND"]);
    let fields = "flag { state explanations { notifiedOn explanation } }";
    let explained = people.branch.done("recordExplanation", fields, &said)["flag"].clone();
    let expected = json!({
        "state": "OPEN", "explanations": [{ "notifiedOn": "2024-04-02", "explanation": EXPLANATION }],
    });
    assert_eq!(explained, expected);
    flag
}

pub fn the_head_decides_a_suspension_within_the_limits_of_the_law(people: &People<'_>, flag: &Value) {
    let own = &people.branch;
    // 18 April, 29 and 30 April and 1 May are off.
    let too_long = suspension(own, flag, &json!({ "endsOn": "2024-05-03" }));
    too_long.assert_refused("BAD_USER_INPUT", &["at most 15 working days", "2024-05-02"]);
    suspension(&people.elsewhere, flag, &json!({})).assert_refused("BAD_USER_INPUT", &["there is no flag"]);
    assert_forbidden(&suspension(&people.board, flag, &json!({})).codes());
    let measures = |client: &Client<'_>| client.data("{ measures { totalCount } }")["measures"]["totalCount"].clone();
    assert_eq!(measures(&people.board), 0, "nothing is half-written");

    let decided = suspension(own, flag, &json!({})).json()["data"]["recordMeasure"]["measure"].clone();
    let paths = ["kind", "ground", "grounds", "decidedOn", "startsOn", "endsOn", "workingDays", "basis", "unit.code"];
    let basis = json!({ "kind": "FLAG", "flag": { "id": flag }, "complaintIds": [], "reason": null });
    assert_eq!(
        values(&decided, &paths),
        [
            json!("SUSPENSION"),
            json!("HARASSMENT_OF_ENTERPRISES"),
            json!(GROUNDS),
            json!("2024-04-05"),
            json!("2024-04-08"),
            json!("2024-05-02"),
            json!(15),
            basis,
            json!("02CV-D1"),
        ]
    );
    assert_eq!(decided["limits"], json!({ "version": "1", "workingDays": 15, "extensionWorkingDays": 15 }));
    // A second one at once is refused, on another ground and by the head above, too.
    for head in [own, &people.department] {
        let second = json!({ "startsOn": "2024-05-02", "ground": "EVASION_OF_DUTY" });
        let second = suspension(head, flag, &second);
        second.assert_refused("CONFLICT", &["is suspended already from 2024-04-08 to 2024-05-02", "must not overlap"]);
    }
    let seen = [&people.board, own, &people.department, &people.elsewhere, &people.field].map(measures);
    assert_eq!(seen, [1, 1, 1, 0, 0].map(|number| json!(number)));
}
