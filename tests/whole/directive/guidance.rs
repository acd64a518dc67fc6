//! The guidance of the headquarters unit, and the opinion of the Board about it.

use super::people::{People, assert_forbidden};
use schema::Timestamp;
use schema::domain::calendar::local_date;
use serde_json::{Value, json};
use tests::work::{DOCUMENT, Mutations};
use tests::{Client, Json, merged};

/// The only document that a client reads.
fn document(client: &Client<'_>) -> Value {
    let query =
        "{ guidanceDocuments { nodes { id version state number category { code } opinions { verdict text } } } }";
    let nodes = client.data(query)["guidanceDocuments"]["nodes"].clone();
    assert!(nodes.list().len() < 2, "{nodes}");
    nodes[0].clone()
}

/// An issue of the document today.
fn issue(document: &Value) -> Value {
    let today = local_date(Timestamp::now()).to_string();
    let of = json!({ "documentId": document["id"], "expectedVersion": document["version"] });
    merged(&of, &json!({ "number": "123/HD-TCHQ", "issuedOn": today }))
}

fn opinion(document: &Value) -> Value {
    let of = json!({ "documentId": document["id"], "expectedVersion": document["version"] });
    merged(&of, &json!({ "verdict": "AGREED", "text": "Đồng ý ban hành." }))
}

pub fn the_headquarters_unit_drafts_guidance_and_is_refused_without_the_boards_opinion(people: &People<'_>) {
    let draft = json!({
        "title": "Thông quan khi hệ thống có lỗi", "text": "Chi cục làm thủ tục trên giấy.", "category": "TD3",
    });
    let by_branch = people.branch.send("requestOpinion", "position", &draft);
    assert_eq!(by_branch.codes(), ["BAD_USER_INPUT"], "{}", by_branch.text);
    people.field.done("requestOpinion", "position", &draft);
    let drafted = document(&people.field);
    let early = people.field.send("issueGuidance", DOCUMENT, &issue(&drafted));
    assert!(early.codes() == ["CONFLICT"] && early.text.contains("opinion"), "{}", early.text);
    // The unit cannot give the opinion itself, and only the Board and the units above read the draft.
    assert_forbidden(&people.field.send("giveOpinion", "position", &opinion(&drafted)).codes());
    assert_eq!(document(&people.branch), Value::Null);
    assert_eq!(document(&people.board), drafted, "what was refused changed nothing");
    assert_eq!((&drafted["state"], &drafted["version"]), (&json!("OPINION_REQUESTED"), &json!(1)));
}

pub fn the_board_gives_its_opinion_and_the_headquarters_unit_issues_the_guidance(people: &People<'_>) {
    people.board.done("giveOpinion", "position", &opinion(&document(&people.board)));
    let heard = document(&people.field);
    assert_eq!((&heard["state"], &heard["version"]), (&json!("OPINION_GIVEN"), &json!(2)));
    people.field.done("issueGuidance", "position", &issue(&heard));
    // Everybody who has to follow it reads it.
    for head in [&people.field, &people.branch, &people.elsewhere] {
        let issued = document(head);
        assert_eq!(
            (&issued["state"], &issued["number"], &issued["category"]["code"]),
            (&json!("ISSUED"), &json!("123/HD-TCHQ"), &json!("TD3"))
        );
        assert_eq!(issued["opinions"], json!([{ "verdict": "AGREED", "text": "Đồng ý ban hành." }]));
    }
}
