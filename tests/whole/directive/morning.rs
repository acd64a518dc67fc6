//! The Board's digests of two mornings.

use super::people::{OFFICER, People};
use crate::program;
use mail_parser::MessageParser;
use serde_json::{Value, json};
use tests::fixtures::Files;
use tests::{Json, MailServer};

/// The jobs whose results a digest tells, beside `recurrence`.
const OTHERS: [&str; 3] = ["timeliness", "trends", "escalate-overdue"];

/// The English digest of a day, as it is stored.
fn digest(people: &People<'_>, day: &str) -> Value {
    let query = "{ digests(filter: {locale: {eq: EN}}) { nodes { asOf subject text document \
        deliveries { address state } } } }";
    let nodes = people.board.data(query)["digests"]["nodes"].clone();
    nodes.list().iter().find(|digest| digest["asOf"] == day).expect("the digest").clone()
}

/// What a group of the digest lists: the code, the tier, and the tier before.
fn listed(document: &Value, group: &str) -> Vec<[Value; 3]> {
    let groups = document["flags"]["groups"].list();
    let found = groups.iter().find(|one| one["key"] == group).expect("the group");
    found["listed"].list().iter().map(|line| ["code", "tier", "was"].map(|field| line[field].clone())).collect()
}

pub fn the_first_digest_tells_of_the_escalation_and_the_watch(people: &People<'_>) {
    for job in OTHERS {
        people.run(job, "2024-03-30");
    }
    assert_eq!(people.run("digest", "2024-03-30"), json!({ "digests": 2, "posted": 0 }));
    let document = digest(people, "2024-03-30")["document"].clone();
    let watch = |code: &str| [json!(code), json!("WATCH"), Value::Null];
    assert_eq!(listed(&document, "flags-new"), [watch(OFFICER), watch("02CV")]);
    assert_eq!(document["overdue"]["newlyEscalated"], json!([1, 0]));
    assert_eq!(document["overdue"]["escalatedTo"][0]["code"], "02");
    assert_eq!(document["measures"], json!({ "count": 0, "listed": [], "outcomes": [] }));
}

pub fn the_digest_tells_it_all(people: &People<'_>, files: &Files) {
    let day = "2024-04-10";
    people.run("recurrence", day);
    for job in OTHERS {
        people.run(job, day);
    }
    let folder = files.path().join("preview");
    let preview = ["digest", "preview", "--locale", "en", "--as-of", day, "--out", folder.to_str().expect("a path")];
    let told = program().json(&people.app.database, &preview);
    assert_eq!(told["subject"], "Complaints up to 10 April 2024: 0 new flags, 1 overdue");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a part of the digest");
    let document: Value = serde_json::from_str(&read("digest.json")).expect("JSON");
    assert_document(&document);
    assert_text(&read("digest.txt"));

    // The same reaches the Board by mail, once.
    let server = MailServer::started();
    let settings = format!(
        "[smtp]\nhost = \"127.0.0.1\"\nport = {}\nencryption = \"none\"\n\
         from = \"Ban Triển khai <board@example.org>\"\n",
        server.port
    );
    let [flag, config] = files.config("smtp.toml", &settings);
    people.app.run(&["digest", "subscribe", "--email", "chair@example.org", "--locale", "en"]);
    assert_eq!(people.run("digest", day), json!({ "digests": 2, "posted": 1 }));
    for sent in [1, 0] {
        let deliver = ["jobs", "run", "deliver-digests", flag.as_str(), config.as_str()];
        let delivered = program().json(&people.app.database, &deliver);
        assert_eq!(delivered["summary"], json!({ "sent": sent, "failed": 0 }));
    }
    let stored = digest(people, day);
    assert_eq!(stored["deliveries"], json!([{ "address": "chair@example.org", "state": "SENT" }]));
    for part in ["flags", "overdue", "measures"] {
        assert_eq!(stored["document"][part], document[part], "{part}");
    }
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    let mail = MessageParser::default().parse(&mails[0]).expect("a mail that parses");
    let to = mail.to().and_then(|to| to.first()).and_then(|to| to.address());
    assert_eq!((to, mail.subject()), (Some("chair@example.org"), stored["subject"].as_str()));
    let text = mail.body_text(0).expect("text").replace("\r\n", "\n");
    assert_eq!(text, stored["text"].text());
    assert_text(&text);
}

fn assert_document(document: &Value) {
    assert_eq!(document["previousAsOf"], "2024-03-30");
    assert_eq!(listed(document, "flags-raised"), [[json!(OFFICER), json!("SUSPENSION_REVIEW"), json!("WATCH")]]);
    assert_eq!((&document["flags"]["total"], &document["flags"]["changes"]), (&json!(2), &json!(1)));
    let overdue = &document["overdue"];
    assert_eq!((&overdue["overdue"], &overdue["newlyEscalated"]), (&json!(1), &json!([0, 1])));
    assert_eq!(
        (&overdue["escalatedTo"][0]["code"], &overdue["branches"][0]["code"], &overdue["branches"][0]["oldestDays"]),
        (&json!("TC"), &json!("02CV"), &json!(23))
    );
    assert_eq!(document["measures"]["count"], 1);
    let mut measure = document["measures"]["listed"][0].object().clone();
    measure.remove("measure");
    let expected = json!({
        "officer": OFFICER, "unit": "02CV-D1", "kind": "SUSPENSION", "ground": "HARASSMENT_OF_ENTERPRISES",
        "decidedOn": "2024-04-05", "startsOn": "2024-04-08", "endsOn": "2024-05-02", "state": "IN_FORCE",
    });
    assert_eq!(Value::Object(measure), expected);
    assert_eq!(document["register"], json!([{ "kind": "CORRECTED", "count": 5 }]));
}

fn assert_text(text: &str) {
    for part in [
        // Plain words come first, the reason with its numbers below.
        ": Suspension review, raised (before: Watch)\n  5 enterprises complained in 365 days.",
        "\n  Officer CC01: in the 365 days to 10 April 2024, 5 different enterprises made 5 complaints about conduct, 4 \
         of them serious.",
        "\n\nMEASURES ABOUT OFFICERS\n-----------------------\nNew or changed (1)\n- Officer CC01 [02CV-D1]: \
         Suspension, decided on 5 April 2024, from 8 April 2024 to 2 May 2024 (in force). Ground: harassment of \
         people, enterprises or organisations.\n",
        "\n\nOVERDUE RESPONSES\n-----------------\n1 complaint has not been answered although the deadline has passed.\nNewly escalated:\n- \
         To the level above the responsible unit: 0\n- To the level above that: 1\nHeads who have to see to newly \
         escalated complaints:\n- Tổng cục Hải quan [TC]: 1\n",
        "CHANGES IN THE REGISTER\n-----------------------\n- 5 corrections by the Board\n",
    ] {
        assert!(text.contains(part), "{part}\n\nin:\n{text}");
    }
}
