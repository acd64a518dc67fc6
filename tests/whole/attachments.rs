//! What a complainant attaches is told by the events of the complaint: its history, and the register's position, notice
//! it, and nobody reads a file's name in an event who may not read it in the complaint.

use diesel::prelude::*;
use schema::JsonValue;
use schema::tables::complaint_events;
use serde_json::{Value, json};
use tests::fixtures::Files;
use tests::verification::{found, verify};
use tests::work::Mutations;
use tests::{Client, Json, Role, TestApp};

fn attachment(name: &str, digit: &str) -> Value {
    json!({ "name": name, "size": 12_345, "mediaType": "application/pdf", "sha256": digit.repeat(64),
            "url": format!("https://files.example.vn/{digit}.pdf") })
}

/// How an event describes it.
fn described(name: &str, digit: &str) -> String {
    let sha256 = digit.repeat(64);
    format!("{name} (application/pdf, 12345 bytes, SHA-256 {sha256}): https://files.example.vn/{digit}.pdf")
}

/// The changes of attachments in the history of a complaint: the kind of the step, and the change.
fn changes(client: &Client<'_>, id: &Value) -> Vec<(String, Value)> {
    let query = format!(
        "{{ complaint(id: {id}) {{ history(first: 100) {{ nodes {{ kind actor {{ kind }} \
            changes {{ field before after withheld erased }} }} }} }} }}"
    );
    let complaint = client.data(&query)["complaint"].clone();
    let steps = complaint["history"]["nodes"].list().iter();
    let of_step = |step: &Value| {
        let of_attachments = step["changes"].list().iter().filter(|change| change["field"] == "attachments");
        let kind = format!("{} {}", step["kind"].text(), step["actor"]["kind"].text());
        of_attachments.map(|change| (kind.clone(), change.clone())).collect::<Vec<_>>()
    };
    steps.flat_map(of_step).collect()
}

#[test]
fn attachments_are_told_by_the_events_of_their_complaint() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let files = Files::new();
        let key = files.key_file();
        let (board, head, intake) = (app.as_role(Role::Board), app.as_head("02CV"), app.as_role(Role::Intake));
        let input = json!({
            "idempotencyKey": "attached", "text": "Có tài liệu kèm theo.", "unit": "02CV", "category": "TD1",
            "attachments": [attachment("Biên bản.pdf", "a"), attachment("Hóa đơn.pdf", "b")],
        });
        let receipt = intake.done("submitComplaint", "id receiptCode version", &input);
        assert_eq!(receipt["version"], 1, "they came with the complaint");
        let id = &receipt["id"];
        let fields = "version attachments { name }";
        let listed = format!("{{ complaints(filter: {{id: {{eq: {id}}}}}) {{ nodes {{ {fields} }} }} }}");
        let names = || {
            let node = board.data(&listed)["complaints"]["nodes"][0].clone();
            let names = node["attachments"].list().iter().map(|one| one["name"].text().to_owned());
            (node["version"].integer(), names.collect::<Vec<String>>())
        };
        // Asked twice, so that whatever keeps answers has this one.
        for _ in 0..2 {
            assert_eq!(names(), (1, vec!["Biên bản.pdf".to_owned(), "Hóa đơn.pdf".to_owned()]));
        }
        let before = app.database.open().read(schema::db::dialect::current_position).expect("a position");
        let add = "mutation ($receipt: String!, $text: String!, $attachments: [AttachmentInput!]!) {
            addToComplaint(receipt: $receipt, text: $text, attachments: $attachments) { additions } }";
        let added = |text: &str, attachments: Value| {
            let variables = json!({ "receipt": receipt["receiptCode"], "text": text, "attachments": attachments });
            app.anonymous().data_with(add, &variables)
        };
        added("Gửi thêm.", json!([attachment("Ảnh.pdf", "c")]));
        added("Không có gì kèm theo.", json!([]));
        let after = app.database.open().read(schema::db::dialect::current_position).expect("a position");
        assert_eq!(after, before + 2);
        assert_eq!(names(), (3, ["Biên bản.pdf", "Hóa đơn.pdf", "Ảnh.pdf"].map(str::to_owned).to_vec()));

        let first = format!("{}\n{}", described("Biên bản.pdf", "a"), described("Hóa đơn.pdf", "b"));
        let change = |after: Option<&str>| {
            json!({ "field": "attachments", "before": null, "after": after, "withheld": after.is_none(),
                    "erased": false })
        };
        let step = |kind: &str, after: Option<&str>| (kind.to_owned(), change(after));
        let later = described("Ảnh.pdf", "c");
        assert_eq!(
            changes(&board, id),
            [step("RECEIVED TOKEN", Some(&first)), step("UPDATED COMPLAINANT", Some(&later))]
        );
        // The head reads what the complaint shows, and of its past that there was something.
        assert_eq!(changes(&head, id), [step("RECEIVED TOKEN", None), step("UPDATED COMPLAINANT", None)]);

        // An event holds commitments alone.
        let events: Vec<Option<JsonValue>> = app
            .database
            .open()
            .read(|conn| Ok(complaint_events::table.select(complaint_events::after).load(conn)?))
            .expect("events");
        let events: Vec<String> = events.into_iter().flatten().map(|event| event.0.to_string()).collect();
        assert_eq!(events.iter().filter(|event| event.contains("\"attachments\"")).count(), 2);
        for part in ["Biên bản", "Hóa đơn", "Ảnh.pdf", "files.example.vn", &"a".repeat(64)] {
            assert!(events.iter().all(|event| !event.contains(part)), "{part}");
        }
        app.run(&["audit", "seal", "--key-file", &key]);
        let (status, report) = verify(&app.database, &key, &[]);
        assert_eq!((status, &report["verified"]), (0, &json!(true)), "{report}");
        // Whoever changes what an event says of them is found out.
        app.database.tamper("UPDATE complaint_event_values SET value = 'x' WHERE field = 'attachments'");
        let (status, report) = verify(&app.database, &key, &[]);
        assert_eq!(status, 1, "{report}");
        assert_eq!(found(&report), ["COMPLAINTS changed"], "{report}");
    }
}
