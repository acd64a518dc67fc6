//! Digests for each reader: with what the reader may see when they are sent, and nothing for lost rights.

use crate::program;
use crate::reader_digest_snapshots::{round, without_number_after};
use diesel::prelude::*;
use mail_parser::{MessageParser, MimeHeaders};
use schema::tables::reader_digests;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tests::{Database, Json, MailServer, Role, TestApp, file, fixtures};

pub const DAY: &str = "2025-12-31";

/// Generates a register and runs the jobs that a digest reads.
pub fn world(database: &Database) {
    database.fill_once("digests of readers", |database| {
        fixtures::generate(database, 3_000, 7);
        run_all(database, DAY);
    });
}

/// Runs the jobs that a digest reads.
pub fn run_all(database: &Database, day: &str) {
    for job in ["recurrence", "timeliness", "trends", "escalate-overdue", "blame-check"] {
        program().run(database, ["jobs", "run", job, "--as-of", day]).ok();
    }
}

pub fn config(folder: &Path, port: u16) -> String {
    let text = format!(
        "[smtp]\nhost = \"127.0.0.1\"\nport = {port}\nencryption = \"none\"\nfrom = \"board@example.org\"\n\
         [links]\nbase_url = \"https://phananh.example.org\"\n[digests]\ndomains = [\"example.org\"]\n"
    );
    file(folder, "phananh.toml", text).to_str().expect("a path").to_owned()
}

/// Makes a token with a name; returns it.
pub fn token(database: &Database, name: &str, more: &[&str]) -> String {
    program().token_by(database, &[&["--name", name][..], more].concat())
}

pub fn subscribe(database: &Database, address: &str, locale: &str, more: &[&str]) -> Value {
    let args = [&["digest", "subscribe", "--email", address, "--locale", locale][..], more].concat();
    program().json(database, &args)
}

/// Two branches.
pub fn branches(app: &TestApp) -> [String; 2] {
    let query = "{ units(first: 2, filter: {kind: {eq: BRANCH}}) { nodes { code } } }";
    let found = app.as_role(Role::Board).data(query);
    let code = |place: usize| found["units"]["nodes"][place]["code"].text().to_owned();
    [code(0), code(1)]
}

pub fn run(database: &Database, job: &str, config: &str) -> Value {
    program().json(database, &["jobs", "run", job, "--as-of", DAY, "--config", config])["summary"].clone()
}

#[test]
fn two_readers_with_different_scopes_get_different_mails_with_pictures_and_tables() {
    let folder = tempfile::tempdir().expect("a folder");
    for app in TestApp::both().filled(world).arguments(&["--no-jobs"]) {
        let database = &app.database;
        let [own, other] = branches(&app);
        let mut server = MailServer::new();
        let config = config(folder.path(), server.port);
        token(database, "chair", &["--role", "BOARD"]);
        token(database, "head", &["--role", "UNIT_HEAD", "--unit", &own]);
        subscribe(database, "chair@example.org", "en", &["--reader", "chair"]);
        subscribe(database, "head@example.org", "vi", &["--reader", "head"]);
        // The Board's whole digest, as before there were readers.
        subscribe(database, "old@example.org", "vi", &[]);
        server.start();
        let made = run(database, "reader-digests", &config);
        assert_eq!(made, json!({ "digests": 2, "withoutRights": 0, "notWanted": 0, "failed": 0 }), "{}", database.name);
        assert_eq!(run(database, "reader-digests", &config)["digests"], 0, "one for each day");
        assert_eq!(run(database, "digest", &config)["posted"], 1);
        assert_eq!(run(database, "deliver-digests", &config), json!({ "sent": 3, "failed": 0 }));
        let mails = server.mails();
        assert_eq!(mails.len(), 3);
        let mut texts = BTreeMap::new();
        for raw in &mails {
            let mail = MessageParser::default().parse(raw).expect("a mail that parses");
            let to = mail.to().and_then(|to| to.first()).and_then(|to| to.address()).expect("a recipient").to_owned();
            let html = mail.body_html(0).expect("HTML").into_owned();
            let (mut pictures, mut document) = (BTreeSet::new(), Value::Null);
            for part in &mail.parts {
                let kind = part.content_type().and_then(|kind| kind.subtype()).unwrap_or_default();
                if kind == "png" {
                    let id = part.content_id().expect("an id");
                    assert!(html.contains(&format!("src=\"cid:{id}\"")), "{id}");
                    assert_eq!(&part.contents()[..4], b"\x89PNG");
                    assert!(part.contents().len() <= 250_000, "{to} {id}: {} bytes", part.contents().len());
                    pictures.insert(id.split('.').next().expect("a name").to_owned());
                } else if kind == "json" {
                    document = serde_json::from_slice(part.contents()).expect("JSON");
                } else if kind.ends_with("spreadsheetml.sheet") {
                    assert_eq!(&part.contents()[..2], b"PK");
                }
            }
            // The Board sees what is unusual among all units, a head nothing of other units.
            for name in ["funnel", "gravest", "timeline"] {
                assert_eq!(pictures.contains(name), to != "head@example.org", "{to}: {pictures:?}");
            }
            assert!(pictures.contains("trend"), "{to}: {pictures:?}");
            assert!(raw.len() < 2_000_000, "{to}: the mail has {} bytes", raw.len());
            // Each picture has an alternative text, and the styles stand at the elements.
            assert_eq!(html.matches("<img").count(), html.matches(" alt=\"").count());
            // Below each picture is its table, and Gmail would cut off an HTML of more than 102 kB.
            assert_eq!(html.matches("class=\"below\"").count(), html.matches("<img").count(), "{to}");
            assert!(html.len() < 102_000, "{to}: {} bytes", html.len());
            assert!(!html.contains(" alt=\"\"") && html.contains("style=\""), "{to}");
            assert!(html.contains("prefers-color-scheme: dark"), "{to}");
            // A picture keeps its light ground on a dark screen.
            let dark = html.split("prefers-color-scheme: dark").nth(1).expect("the rules for dark screens");
            assert!(dark.contains(".picture { background: #ffffff !important"), "{to}");
            assert!(html.contains("href=\"https://phananh.example.org/flags"), "{to}");
            texts.insert(to, (mail.body_text(0).expect("text").into_owned(), document));
        }
        let (head_text, head) = &texts["head@example.org"];
        let (_, chair) = &texts["chair@example.org"];
        assert_eq!(head["unit"]["code"], json!(own));
        assert!(chair["unit"].is_null() && head_text.contains(&format!("[{own}]")));
        assert!(chair["overdue"]["overdue"].integer() > head["overdue"]["overdue"].integer());
        // The head's digest has the flags that the head sees in lists, and no others.
        let query = "{ flags(first: 200) { nodes { id } } }";
        let seen = app.as_head(&own).data(query)["flags"]["nodes"].clone();
        for flag in head["flags"]["standing"].list() {
            assert!(seen.list().iter().any(|one| one["id"] == flag["flag"]), "{flag}");
        }
        // No other branch is named: no overdue list of the neighbour, no ranking.
        assert!(!head_text.contains(&format!("[{other}]")), "{head_text}");
        assert!(head["seals"].list().is_empty() && head["answers"]["best"].list().is_empty());
        assert_eq!(head["unusual"], json!({ "funnel": null, "gravest": null, "timeline": null, "cusum": null }));
        assert!(!chair["unusual"]["funnel"]["branches"].list().is_empty());
        assert!(!chair["flags"]["standing"].list().is_empty());
        for flag in chair["flags"]["standing"].list() {
            let count = |id: &Value| chair["flags"]["standing"].list().iter().filter(|one| one["flag"] == *id).count();
            assert_eq!(count(&flag["flag"]), 1, "each flag stands once");
        }
    }
}

#[test]
fn the_preview_has_what_is_then_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    for app in TestApp::both().filled(world).arguments(&["--no-jobs"]) {
        let database = &app.database;
        let [own, _] = branches(&app);
        let server = MailServer::started();
        let config = config(folder.path(), server.port);
        token(database, "chair", &["--role", "BOARD"]);
        token(database, "head", &["--role", "UNIT_HEAD", "--unit", &own]);
        subscribe(database, "chair@example.org", "en", &["--reader", "chair"]);
        subscribe(database, "head@example.org", "vi", &["--reader", "head"]);
        let previews = ["chair@example.org", "head@example.org"].map(|address| {
            let out = folder.path().join(format!("{}-{address}", database.name));
            let place = out.to_str().expect("a path");
            let args = ["digest", "preview", "--for", address, "--as-of", DAY, "--out", place, "--config", &config];
            (address, program().json(database, &args)["subject"].clone(), out)
        });
        for job in ["reader-digests", "deliver-digests"] {
            run(database, job, &config);
        }
        let mails = server.mails();
        assert_eq!(mails.len(), previews.len());
        for (address, subject, out) in previews {
            let read = |name: &str| std::fs::read(out.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
            // The job that sends is a change of the register itself.
            let lines = |bytes: &[u8]| {
                let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n").trim_end().to_owned();
                let told_at = ["change number ", "thay đổi số "];
                told_at.iter().fold(text, |text, before| without_number_after(&text, before))
            };
            let mut parsed = mails.iter().map(|raw| MessageParser::default().parse(raw).expect("a mail that parses"));
            let mail = parsed.find(|mail| mail.to().is_some_and(|to| to.contains(address)));
            let mail = mail.unwrap_or_else(|| panic!("no mail to {address}"));
            assert_eq!(mail.subject(), subject.as_str());
            let text = mail.body_text(0).expect("text");
            assert_eq!(lines(text.as_bytes()), lines(&read("digest.txt")), "{address}");
            let mut html = mail.body_html(0).expect("HTML").into_owned();
            let (mut pictures, mut documents) = (0, 0);
            for part in &mail.parts {
                match part.content_type().and_then(|kind| kind.subtype()).unwrap_or_default() {
                    "png" => {
                        let id = part.content_id().expect("an id");
                        let file = format!("digest-{}.png", id.split('.').next().expect("a name"));
                        assert!(part.contents() == read(&file), "{address}: {file} is another picture");
                        html = html.replace(&format!("cid:{id}"), &file);
                        pictures += 1;
                    }
                    "json" => {
                        let [sent, seen] = [part.contents().to_vec(), read("digest.json")].map(|json| {
                            let mut document: Value = serde_json::from_slice(&json).expect("JSON");
                            document["position"] = Value::Null;
                            document["news"]["position"] = Value::Null;
                            round(&mut document);
                            document
                        });
                        assert_eq!(sent, seen, "{address}");
                        documents += 1;
                    }
                    _ => {}
                }
            }
            assert_eq!(lines(html.as_bytes()), lines(&read("digest.html")), "{address}");
            assert!(pictures > 0 && documents == 1, "{address}: {pictures} {documents}");
        }
    }
}

#[test]
fn a_reader_who_lost_the_right_gets_nothing_and_the_log_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    for app in TestApp::both().filled(world).arguments(&["--no-jobs"]) {
        let database = &app.database;
        let [own, _] = branches(&app);
        let server = MailServer::started();
        let config = config(folder.path(), server.port);
        token(database, "head", &["--role", "UNIT_HEAD", "--unit", &own]);
        token(database, "second", &["--role", "UNIT_HEAD", "--unit", &own]);
        subscribe(database, "head@example.org", "vi", &["--reader", "head"]);
        subscribe(database, "second@example.org", "vi", &["--reader", "second"]);
        // One loses the right before the digest is made, the other one before it is sent.
        app.run(&["token", "revoke", "--name", "head"]);
        let made = run(database, "reader-digests", &config);
        assert_eq!(made, json!({ "digests": 2, "withoutRights": 1, "notWanted": 0, "failed": 0 }));
        app.run(&["token", "revoke", "--name", "second"]);
        assert_eq!(run(database, "deliver-digests", &config), json!({ "sent": 0, "failed": 0 }));
        assert!(server.mails().is_empty());
        let log = program().json(database, &["digest", "deliveries"]);
        assert_eq!(log.list().len(), 2);
        for delivery in log.list() {
            assert_eq!(delivery["state"], "FAILED");
            assert!(delivery["error"].text().contains("no valid token"), "{delivery}");
        }
        // A retry changes nothing while the right is lost.
        app.run(&["digest", "retry"]);
        assert_eq!(run(database, "deliver-digests", &config), json!({ "sent": 0, "failed": 0 }));
        // This is no failure; a mail server that refuses is one.
        let undelivered = || {
            run(database, "alerts", &config);
            let all = program().json(database, &["alerts", "list"]);
            all.list().iter().filter(|one| one["kind"] == "DIGEST_UNDELIVERED").count()
        };
        assert_eq!(undelivered(), 0, "{}", database.name);
        let refused = reader_digests::error.eq(Some("mail server: 550"));
        let changed = database.open().write("test", |tx| {
            diesel::update(reader_digests::table).set(refused).execute(tx.conn)?;
            Ok(())
        });
        changed.expect("the log is changed");
        assert_eq!(undelivered(), 2, "{}", database.name);
    }
}

#[test]
fn a_digest_that_its_reader_does_not_want_is_not_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = TestApp::sqlite().filled(world).arguments(&["--no-jobs"]).start();
    let database = &app.database;
    let config = config(folder.path(), 9);
    token(database, "chair", &["--role", "BOARD"]);
    let many = ["--reader", "chair", "--condition", "OVERDUE", "--min-overdue", "1000000"];
    let few = ["--reader", "chair", "--condition", "OVERDUE", "--min-overdue", "0", "--sections", "OVERDUE"];
    subscribe(database, "many@example.org", "vi", &many);
    subscribe(database, "few@example.org", "vi", &few);
    subscribe(database, "quiet@example.org", "vi", &["--reader", "chair", "--quiet-until", "2199-12-31"]);
    subscribe(database, "flags@example.org", "vi", &["--reader", "chair", "--condition", "NEW_FLAG"]);
    let twice = ["digest", "subscribe", "--email", "twice@example.org", "--locale", "vi", "--reader", "chair"];
    let twice = program().run(database, twice.into_iter().chain(["--schedule", "0 8,14 * * *"]));
    assert!(twice.status != 0 && twice.err.contains("two times on one day"), "{twice:?}");
    let made = run(database, "reader-digests", &config);
    assert_eq!(made, json!({ "digests": 2, "withoutRights": 0, "notWanted": 2, "failed": 0 }));
    // Only the wanted section, in the preview as in the mail.
    let out = folder.path().join("preview");
    let told = program().json(
        database,
        &["digest", "preview", "--for", "few@example.org", "--as-of", DAY, "--out", out.to_str().expect("a path")],
    );
    assert_eq!(told["isWanted"], true);
    let text = std::fs::read_to_string(out.join("digest.txt")).expect("text");
    assert!(text.contains("PHẢN ÁNH QUÁ HẠN") && !text.contains("CẢNH BÁO VỀ"), "{text}");
    for name in ["digest.html", "digest.json", "digest.xlsx"] {
        assert!(out.join(name).is_file(), "{name}");
    }
    let listed = program().json(database, &["digest", "subscriptions"]);
    let one = listed.list().iter().find(|one| one["address"] == "few@example.org").expect("it").clone();
    assert_eq!(
        (&one["reader"], &one["condition"], &one["minOverdue"]),
        (&json!("chair"), &json!("OVERDUE"), &json!(0))
    );
    assert_eq!(one["sections"], json!(["OVERDUE"]));
}

#[test]
fn readers_manage_their_own_subscriptions_and_no_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = MailServer::started();
    let config = config(folder.path(), server.port);
    for app in TestApp::both().filled(world).arguments(&["--no-jobs", "--config", &config]) {
        let [own, other] = branches(&app);
        let head = app.as_holder(&["--name", "head", "--role", "UNIT_HEAD", "--unit", &own]);
        let board = app.as_holder(&["--name", "chair", "--role", "BOARD"]);
        let admin = app.as_role(Role::Admin);
        let mutation =
            "mutation ($input: SubscribeToDigestsInput!) { subscribeToDigests(input: $input) { subscription {
            id channel address locale reader unit { code } sections schedule timezone condition minOverdue next
            digests { id } } } }";
        let wish = |address: &str, more: Value| {
            let mut input = json!({ "address": address, "locale": "VI" });
            input.as_object_mut().expect("fields").extend(more.as_object().expect("fields").clone());
            json!({ "input": input })
        };
        let done = head.request_with(mutation, &wish("head@example.org", json!({ "sections": ["OVERDUE", "FLAGS"] })));
        let made = done.json()["data"]["subscribeToDigests"]["subscription"].clone();
        assert_eq!((&made["reader"], &made["unit"]["code"]), (&json!("head"), &json!(own)), "{}", done.text);
        assert_eq!(made["sections"], json!(["FLAGS", "OVERDUE"]));
        assert!(made["next"].is_string() && made["digests"] == json!([]));
        for (address, more) in [
            ("head@example.org\r\nBcc: evil@example.org", json!({})),
            ("head@example.org, evil@example.org", json!({})),
            ("head@evil.example", json!({})),
            ("b@example.org", json!({ "unit": other })),
            ("b@example.org", json!({ "unit": "nothing" })),
            ("b@example.org", json!({ "schedule": "every day" })),
            // A reader gets one digest a day.
            ("b@example.org", json!({ "schedule": "0 8,14 * * *" })),
            ("b@example.org", json!({ "timezone": "Hanoi" })),
            ("b@example.org", json!({ "condition": "OVERDUE" })),
            ("b@example.org", json!({ "minOverdue": 3 })),
            // Only the Board reads these.
            ("b@example.org", json!({ "sections": ["FLAGS", "BLAME"] })),
        ] {
            let refused = head.request_with(mutation, &wish(address, more.clone()));
            assert_eq!(refused.codes(), ["BAD_USER_INPUT"], "{address:?} {more}: {}", refused.text);
        }
        let taken = board.request_with(mutation, &wish("head@example.org", json!({})));
        assert_eq!(taken.codes(), ["CONFLICT"], "{}", taken.text);
        // The preview has what the head may see; nobody else gets it.
        let preview = format!("{{ digestPreview(id: {}) {{ asOf subject html text isWanted }} }}", made["id"]);
        let seen = head.data(&preview)["digestPreview"].clone();
        assert!(seen["text"].text().contains(&format!("[{own}]")) && seen["html"].text().contains("<html"), "{seen}");
        assert_eq!(board.data(&preview)["digestPreview"], Value::Null);
        let list = "{ digestSubscriptions { id address reader } }";
        assert_eq!(board.data(list)["digestSubscriptions"], json!([]));
        assert_eq!(admin.data(list)["digestSubscriptions"][0]["reader"], "head");
        let denied = admin.codes(&preview);
        assert!(!denied.is_empty() && denied.iter().all(|code| code == "FORBIDDEN"), "{denied:?}");
        let of = |name: &str| {
            let input = format!("(input: {{subscriptionId: {}}})", made["id"]);
            format!("mutation {{ {name}{input} {{ subscription {{ id }} }} }}")
        };
        let before = server.mails().len();
        head.data(&of("sendTestDigest"));
        assert_eq!(server.mails().len(), before + 1);
        let last = server.mails();
        assert!(last.iter().any(|mail| {
            let mail = MessageParser::default().parse(mail).expect("a mail");
            mail.subject().is_some_and(|subject| subject.starts_with("[THỬ] "))
        }));
        assert_eq!(board.codes(&of("endDigestSubscription")), ["NOT_FOUND"]);
        admin.data(&of("endDigestSubscription"));
        assert_eq!(head.data(list)["digestSubscriptions"], json!([]));
    }
}

#[test]
fn a_member_who_is_an_officer_gets_no_digest_about_all_units() {
    let app = TestApp::sqlite().world().arguments(&["--no-jobs"]).start();
    token(&app.database, "member", &["--role", "BOARD", "--officer", "CC02"]);
    let args = ["digest", "subscribe", "--email", "m@example.org", "--locale", "vi", "--reader", "member"];
    let refused = program().run(&app.database, args);
    assert!(refused.status == 1 && refused.err.contains("is an officer"), "{refused:?}");
}
