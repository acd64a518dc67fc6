//! The conditions of subscriptions: a digest in which nothing is that its reader waits for is not sent, and the log says
//! why.

use crate::program;
use crate::reader_digests::{config, subscribe, token};
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::JsonValue;
use schema::tables::{digest_subscriptions, reader_digests};
use serde_json::{Value, json};
use tests::{Database, Finished, Json, MailServer, fixtures};

/// The day of the first digests, when nothing is left that becomes overdue or is escalated on a later day.
const FIRST: &str = "2024-05-20";

fn job(database: &Database, name: &str, day: &str) {
    program().run(database, ["jobs", "run", name, "--as-of", day]).ok();
}

/// Records complaints that were received on days of 2024.
fn received(database: &Database, rows: &[&str]) {
    let header = fixtures::COMPLAINTS.lines().next().expect("a header");
    let text = [&[header][..], rows].concat().join("\n");
    fixtures::import(database, "complaints", text, fixtures::COMPLAINTS_MAP);
}

fn answered(database: &Database, row: &str) {
    let header = fixtures::RESPONSES.lines().next().expect("a header");
    fixtures::import(database, "responses", format!("{header}\n{row}\n"), fixtures::RESPONSES_MAP);
}

/// Makes the digests of a day and sends them; returns how many, how many their readers do not want, and the log.
fn digests(database: &Database, config: &str, day: &str) -> ([i64; 2], String) {
    for name in ["escalate-overdue", "trends"] {
        job(database, name, day);
    }
    let mut command = program().command(database);
    command.env("RUST_LOG", "info").args(["jobs", "run", "reader-digests", "--as-of", day]);
    let made = Finished::of(&command.args(["--config", config, "--format", "json"]).output().expect("it runs")).ok();
    let summary = made.json()["summary"].clone();
    let sent = program().json(database, &["jobs", "run", "deliver-digests", "--config", config]);
    assert_eq!(sent["summary"], json!({ "sent": summary["digests"], "failed": 0 }), "{day}");
    assert_eq!((&summary["withoutRights"], &summary["failed"]), (&json!(0), &json!(0)), "{day}: {summary}");
    ([summary["digests"].integer(), summary["notWanted"].integer()], made.err)
}

/// The document of the digest of a day for an address.
fn document(database: &Database, address: &str, day: &str) -> Value {
    let (address, day) = (address.to_owned(), day.parse::<NaiveDate>().expect("a day"));
    let found = database.open().read(|conn| {
        Ok(reader_digests::table
            .inner_join(digest_subscriptions::table.on(digest_subscriptions::id.eq(reader_digests::subscription_id)))
            .filter(digest_subscriptions::address.eq(address.clone()))
            .filter(reader_digests::as_of.eq(day))
            .select(reader_digests::document)
            .load::<JsonValue>(conn)?)
    });
    let found = found.expect("the register answers");
    assert_eq!(found.len(), 1);
    found[0].0.clone()
}

/// What is new in a digest: received, answered, newly overdue, and other complaints that were recorded.
fn news(document: &Value) -> [i64; 4] {
    ["received", "answered", "overdue", "other"].map(|field| document["news"][field].integer())
}

#[test]
fn a_digest_is_sent_only_with_what_its_reader_waits_for() {
    let folder = tempfile::tempdir().expect("a folder");
    for database in Database::both() {
        let database = &database;
        fixtures::fill(database);
        fixtures::run_counting(database, FIRST);
        for name in ["timeliness", "blame-check"] {
            job(database, name, FIRST);
        }
        let server = MailServer::started();
        let config = config(folder.path(), server.port);
        token(database, "chair", &["--role", "BOARD"]);
        token(database, "head", &["--role", "UNIT_HEAD", "--unit", "02CV"]);
        let (head, chair, flags, overdue) =
            ("head@example.org", "chair@example.org", "flags@example.org", "overdue@example.org");
        let all = [(head, "head"), (chair, "chair"), (flags, "chair"), (overdue, "chair")];
        for (address, reader) in all {
            subscribe(database, address, "vi", &["--reader", reader]);
        }
        assert_eq!(digests(database, &config, FIRST).0, [4, 0], "{}", database.name);

        let least = document(database, overdue, FIRST)["overdue"]["overdue"].integer();
        assert!(least > 0);
        for (address, reader) in [all[0], all[1]] {
            subscribe(database, address, "vi", &["--reader", reader, "--condition", "ANYTHING_NEW"]);
        }
        subscribe(database, flags, "vi", &["--reader", "chair", "--condition", "NEW_FLAG"]);
        let most = least.to_string();
        let more_than = ["--reader", "chair", "--condition", "OVERDUE", "--min-overdue", most.as_str()];
        subscribe(database, overdue, "vi", &more_than);

        // Nothing is new: no mail, and the log says why.
        let (made, log) = digests(database, &config, "2024-05-21");
        assert_eq!(made, [0, 4], "{}: {log}", database.name);
        assert_eq!(server.mails().len(), 4, "{}", database.name);
        let nothing = "nothing in its sections is new since the digest of 2024-05-20";
        assert_eq!(log.matches(nothing).count(), 2, "{log}");
        assert!(log.contains("no flag at REVIEW or above is new or raised since the digest of 2024-05-20"), "{log}");
        assert!(
            log.contains(&format!("{least} complaints are overdue, and its reader wants it with more than")),
            "{log}"
        );

        // A complaint is new, without any flag, measure or escalation.
        received(database, &["PN-1;22/05/2024;0100233488;Công ty A;02CV;;HT;;;;;Không khai được;"]);
        assert_eq!(digests(database, &config, "2024-05-22").0, [2, 2], "{}", database.name);
        for address in [head, chair] {
            let told = document(database, address, "2024-05-22");
            assert_eq!(news(&told), [1, 0, 0, 0], "{address}");
            assert_eq!((&told["flags"]["changes"], &told["measures"]["count"]), (&json!(0), &json!(0)), "{address}");
            assert_eq!(told["overdue"]["newlyEscalated"], json!([0, 0]), "{address}");
        }
        assert_eq!(digests(database, &config, "2024-05-23").0, [0, 4], "it is told once");

        // An answer.
        answered(database, "PN-1,02CV,2024-05-24 09:00:00,Đã hướng dẫn,có");
        assert_eq!(digests(database, &config, "2024-05-24").0, [2, 2], "{}", database.name);
        assert_eq!(news(&document(database, head, "2024-05-24")), [0, 1, 0, 0]);

        // A complaint of an earlier day, which is overdue when it is recorded.
        received(database, &["PN-2;01/05/2024;0100233488;Công ty A;02CV;;HT;;;;;Vẫn không khai được;"]);
        assert_eq!(digests(database, &config, "2024-05-25").0, [3, 1], "{}", database.name);
        assert_eq!(news(&document(database, head, "2024-05-25")), [0, 0, 0, 1]);
        let (made, log) = digests(database, &config, "2024-05-26");
        assert_eq!(made, [1, 3], "more are overdue than before: {log}");

        // Its deadline passes.
        received(database, &["PN-3;27/05/2024;0100233488;Công ty A;02CV;;HT;;;;;Không nộp được;"]);
        assert_eq!(digests(database, &config, "2024-05-27").0, [3, 1], "{}", database.name);
        assert_eq!(digests(database, &config, "2024-06-20").0, [3, 1], "{}", database.name);
        let told = document(database, head, "2024-06-20");
        assert_eq!(news(&told), [0, 0, 1, 0]);
        assert_eq!((&told["flags"]["changes"], &told["overdue"]["newlyEscalated"]), (&json!(0), &json!([0, 0])));

        // A flag: nothing that the head of another branch sees.
        let row = |number: u32| {
            format!("PN-1{number};18/06/2024;00109901235{number};Hộ {number};03TG;CC03;TD2;;;;;Gây khó {number};")
        };
        let rows: Vec<String> = (1..=5).map(row).collect();
        received(database, &rows.iter().map(String::as_str).collect::<Vec<_>>());
        fixtures::run_counting(database, "2024-06-21");
        let (made, log) = digests(database, &config, "2024-06-21");
        assert_eq!(made, [3, 1], "{}: {log}", database.name);
        assert!(log.contains("nothing in its sections is new since the digest of 2024-06-20"), "{log}");
        let raised = document(database, flags, "2024-06-21");
        assert!(raised["flags"]["standing"].list().iter().any(|flag| flag["code"] == "CC03"), "{raised}");
    }
}
