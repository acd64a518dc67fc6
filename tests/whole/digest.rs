//! The Board's digest: made of stored results, reviewed in both languages, delivered once.

use crate::program;
use diesel::prelude::*;
use mail_parser::{MessageParser, MimeHeaders};
use schema::tables::deliveries;
use serde_json::{Value, json};
use std::path::Path;
use tests::fixtures;
use tests::work::{MEASURE, Mutations};
use tests::{Client, Database, Json, MailServer, Role, TestApp, file, merged, project, wait_until, widths_of};

const DAY: &str = "2025-12-31";

/// Generates a register and runs the jobs that a digest reads, as of two days.
fn world(database: &Database) {
    database.fill_once("digests of two days", |database| {
        fixtures::generate(database, 3_000, 7);
        for day in ["2025-12-17", DAY] {
            for job in ["recurrence", "timeliness", "trends", "escalate-overdue"] {
                program().run(database, ["jobs", "run", job, "--as-of", day]).ok();
            }
        }
    });
}

fn run_digest(database: &Database, day: &str) -> Value {
    program().json(database, &["jobs", "run", "digest", "--as-of", day])
}

/// Compares a digest with its file in `docs/digest`, so that it changes only where somebody reviews that file.
#[track_caller]
pub fn assert_golden(name: &str, text: &str) {
    insta::with_settings!({ snapshot_path => project().join("docs/digest"), prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn digests_are_the_reviewed_ones_in_both_languages_and_on_both_databases() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut written = Vec::new();
    for database in Database::both() {
        world(&database);
        run_digest(&database, "2025-12-17");
        let mut texts = Vec::new();
        for locale in ["vi", "en"] {
            let out = folder.path().join(database.name).join(locale);
            let told = program().json(
                &database,
                &["digest", "preview", "--locale", locale, "--as-of", DAY, "--out", out.to_str().expect("a path")],
            );
            for name in ["digest.html", "digest.txt"] {
                texts.push(std::fs::read_to_string(out.join(name)).expect("a part of the digest"));
            }
            texts.push(told["subject"].text().to_owned());
            let document: Value =
                serde_json::from_str(&std::fs::read_to_string(out.join("digest.json")).expect("JSON")).expect("JSON");
            assert_eq!(document["asOf"], DAY);
            assert_eq!(document["previousAsOf"], "2025-12-17");
            assert_eq!(document["demonstration"], true);
        }
        written.push(texts);
    }
    assert_eq!(written[0], written[1], "the same on both databases");
    let [vi_html, vi_text, vi_subject, en_html, en_text, en_subject] = &written[0][..] else { panic!("six parts") };
    assert_golden("vi.txt", &format!("{vi_subject}\n\n{vi_text}"));
    assert_golden("en.txt", &format!("{en_subject}\n\n{en_text}"));
    assert_golden("vi.html", vi_html);
    assert_golden("en.html", en_html);
    // No line of one language strays into the other.
    assert!(!vi_text.contains("complaints") && !en_text.contains("phản ánh"));
    let pages = [vi_html, en_html].map(|html| [(html.as_str(), 1280), (html.as_str(), 360)]);
    let widths = widths_of(pages.as_flattened());
    assert_eq!(widths.len(), 4);
    for ((_, window), width) in pages.as_flattened().iter().zip(widths) {
        // The scroll bar takes some of the width.
        assert!(width <= *window && width + 40 > *window, "{width} wide in a window of {window}");
    }
}

#[test]
fn a_digest_says_what_is_new_since_the_last_one_and_is_made_once_a_day() {
    for empty in Database::both() {
        program().run(&empty, ["migrate"]).ok();
        let nothing = program().run(&empty, ["jobs", "run", "digest", "--as-of", DAY]);
        assert_eq!(nothing.status, 1);
        assert!(nothing.err.contains("jobs run timeliness --as-of 2025-12-31"), "{nothing:?}");
    }
    for app in TestApp::both().filled(world).arguments(&["--no-jobs"]) {
        let database = &app.database;
        assert_eq!(run_digest(database, "2025-12-17")["summary"]["digests"], 2);
        assert_eq!(run_digest(database, DAY)["summary"]["digests"], 2);
        assert_eq!(run_digest(database, DAY)["summary"]["digests"], 0, "there already");

        let data = app.as_role(Role::Board).data(
            "{ digests(filter: {locale: {eq: VI}}) { totalCount nodes { asOf locale subject html text document
               deliveries { state } } } }",
        );
        assert_eq!(data["digests"]["totalCount"], 2);
        let (new, first) = (&data["digests"]["nodes"][0], &data["digests"]["nodes"][1]);
        assert_eq!((&new["asOf"], &first["asOf"]), (&json!(DAY), &json!("2025-12-17")));
        assert!(new["subject"].text().starts_with("[MINH HỌA] "));
        let group = |digest: &Value, key: &str| -> Value {
            let groups = digest["document"]["flags"]["groups"].list();
            groups.iter().find(|group| group["key"] == key).expect("the group")["count"].clone()
        };
        let flags = |digest: &Value| digest["document"]["flags"]["total"].integer();
        assert_eq!(group(first, "flags-new"), flags(first), "at first all are new");
        let now = flags(first) + group(new, "flags-new").integer() - group(new, "flags-gone").integer();
        assert_eq!(flags(new), now);
        // No role but the Board sees digests.
        let denied = app.as_role(Role::Admin).codes("{ digests { totalCount } }");
        assert!(!denied.is_empty() && denied.iter().all(|code| code == "FORBIDDEN"), "{denied:?}");
    }
}

#[test]
fn a_digest_reaches_each_recipient_once_and_waits_for_a_server_that_is_away() {
    let folder = tempfile::tempdir().expect("a folder");
    for app in TestApp::both().filled(world).arguments(&["--no-jobs"]) {
        let database = &app.database;
        let files = folder.path().join(database.name);
        std::fs::create_dir(&files).expect("a folder");
        let mut server = MailServer::new();
        let config = file(
            folder.path(),
            "phananh.toml",
            format!(
                "[smtp]\nhost = \"127.0.0.1\"\nport = {}\nencryption = \"none\"\n\
                 from = \"Ban Triển khai <board@example.org>\"\n",
                server.port
            ),
        );
        let config = config.to_str().expect("a path");
        let subscribe = |to: &[&str], locale: &str| {
            app.run(&[&["digest", "subscribe"], to, &["--locale", locale]].concat());
        };
        subscribe(&["--email", "chair@example.org"], "vi");
        subscribe(&["--email", "adviser@example.org"], "en");
        subscribe(&["--email", "late@example.org"], "en");
        subscribe(&["--folder", files.to_str().expect("a path")], "vi");
        app.run(&["digest", "unsubscribe", "--email", "late@example.org"]);
        let posted = program().run(database, ["jobs", "run", "digest", "--as-of", DAY, "--format", "json"]).ok();
        assert_eq!(posted.json()["summary"]["posted"], 3);
        assert!(posted.err.contains("digests wait for a mail server"), "without one nothing else tells: {posted:?}");

        let deliver =
            || program().json(database, &["jobs", "run", "deliver-digests", "--config", config])["summary"].clone();
        assert_eq!(deliver(), json!({ "sent": 1, "failed": 2 }), "the folder has it, the server is away");
        assert_eq!(deliver(), json!({ "sent": 0, "failed": 0 }), "it is not asked again at once");
        let log = program().json(database, &["digest", "deliveries"]);
        let waiting = log.list().iter().filter(|one| one["state"] == "PENDING");
        assert!(waiting.clone().all(|one| one["error"].text().contains("mail server")));
        assert_eq!(waiting.count(), 2);

        server.start();
        let db = database.open();
        let due = || {
            db.write("test", |tx| {
                diesel::update(deliveries::table).set(deliveries::next_attempt_at.eq(tx.now)).execute(tx.conn)?;
                Ok(())
            })
            .expect("the outbox is changed");
        };
        due();
        assert_eq!(deliver(), json!({ "sent": 2, "failed": 0 }));
        due();
        assert_eq!(deliver(), json!({ "sent": 0, "failed": 0 }), "once");
        assert_eq!(run_digest(database, DAY)["summary"]["posted"], 0);
        assert_mails(&app.as_role(Role::Board), &server);
        assert_files(&files);
    }
}

#[track_caller]
fn assert_mails(board: &Client<'_>, server: &MailServer) {
    let data = board.data("{ digests { nodes { locale subject html text deliveries { address state attempts } } } }");
    let digests = data["digests"]["nodes"].list();
    let mails = server.mails();
    assert_eq!(mails.len(), 2);
    for mail in &mails {
        let mail = MessageParser::default().parse(mail).expect("a mail that parses");
        let to = mail.to().and_then(|to| to.first()).and_then(|to| to.address()).expect("a recipient");
        let locale = if to == "chair@example.org" { "VI" } else { "EN" };
        let digest = digests.iter().find(|digest| digest["locale"] == locale).expect("the digest");
        assert_eq!(mail.subject(), digest["subject"].as_str());
        let parts = (mail.body_text(0).expect("text"), mail.body_html(0).expect("HTML"));
        let lines = |text: &str| text.replace("\r\n", "\n");
        assert_eq!(lines(&parts.0), digest["text"].text());
        assert_eq!(lines(&parts.1), digest["html"].text());
        let kinds: Vec<_> = mail.parts.iter().filter_map(|part| part.content_type()?.subtype()).collect();
        let sheet = "vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        let [first, last] = [&["mixed", "alternative", "plain", "related", "html"][..], &[sheet, "json"]];
        let pictures = vec!["png"; digest["html"].text().matches("src=\"cid:").count()];
        assert!(pictures.len() >= 5, "{} pictures", pictures.len());
        assert_eq!(kinds, [first, &pictures, last].concat());
        assert!(mail.message_id().expect("an id").ends_with("@example.org"));
        let sender = mail.from().and_then(|from| from.first()).expect("a sender");
        assert_eq!((sender.name(), sender.address()), (Some("Ban Triển khai"), Some("board@example.org")));
        let sent = digest["deliveries"].list().iter().find(|one| one["address"] == to);
        assert_eq!(sent.expect("its delivery")["state"], "SENT");
    }
}

#[track_caller]
fn assert_files(folder: &Path) {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    // Whether a province or a week is unusual is up to the world.
    names.retain(|name| !name.ends_with("-map.png") && !name.ends_with("-cusum.png"));
    let endings = [
        "-categories.png",
        "-funnel.png",
        "-gravest.png",
        "-timeline.png",
        "-trend.png",
        ".html",
        ".json",
        ".txt",
        ".xlsx",
    ];
    assert_eq!(names, endings.map(|ending| format!("phan-anh-{DAY}-vi{ending}")));
}

#[test]
fn wrong_use_of_digests_is_told() {
    let database = Database::sqlite();
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().to_str().expect("a path");
    let run = |args: &[&str]| program().run(&database, args);
    run(&["migrate"]).ok();
    let wrong = run(&["digest", "preview", "--locale", "fr", "--out", out]);
    assert!(wrong.status == 2 && wrong.err.contains("vi or en"), "{wrong:?}");
    let wrong = run(&["digest", "preview", "--locale", "vi", "--as-of", "31/12/2025", "--out", out]);
    assert!(wrong.status == 2 && wrong.err.contains("2010-12-31"), "{wrong:?}");
    let wrong = run(&["digest", "preview", "--locale", "vi", "--out", out]);
    assert!(wrong.status == 1 && wrong.err.contains("no digest as of"), "{wrong:?}");
    let wrong = run(&["digest", "subscribe", "--email", "nobody", "--locale", "vi"]);
    assert!(wrong.status == 1 && wrong.err.contains("write it like board@example.org"), "{wrong:?}");
    let wrong = run(&["digest", "subscribe", "--locale", "vi"]);
    assert_eq!(wrong.status, 2, "{wrong:?}");
    let wrong = run(&["digest", "unsubscribe", "--email", "a@example.org"]);
    assert!(wrong.status == 1 && wrong.err.contains("not subscribed"), "{wrong:?}");
}

#[test]
fn a_mailbox_in_several_spellings_is_subscribed_once() {
    for database in Database::both() {
        let run = |args: &[&str]| program().run(&database, args);
        for address in ["board@example.org", "Board@Example.org", "BOARD@example.org"] {
            run(&["digest", "subscribe", "--email", address, "--locale", "vi"]).ok();
        }
        for address in [
            "nguyễn@example.org",
            "x@cơquan.vn",
            "\"a b\"@example.org",
            "a@[127.0.0.1]",
            "a@b",
            "a\u{3164}@example.org",
        ] {
            let wrong = run(&["digest", "subscribe", "--email", address, "--locale", "vi"]);
            assert!(wrong.status == 1 && wrong.err.len() > 40, "{address}: {wrong:?}");
        }
        let listed = || run(&["digest", "subscriptions", "--format", "json"]).json();
        let expected = json!([{ "channel": "EMAIL", "address": "board@example.org", "locale": "vi" }]);
        assert_eq!(listed(), expected, "{}", database.name);
        // Any spelling changes or ends the subscription.
        run(&["digest", "subscribe", "--email", "BOARD@EXAMPLE.ORG", "--locale", "en"]).ok();
        assert_eq!(listed()[0]["locale"], "en");
        run(&["digest", "unsubscribe", "--email", "bOARD@example.org"]).ok();
        assert_eq!(listed(), json!([]));
    }
}

#[test]
fn who_is_an_officer_reads_no_digest() {
    for app in TestApp::both().filled(world).arguments(&["--no-jobs"]) {
        for day in ["2025-12-17", DAY] {
            run_digest(&app.database, day);
        }
        let board = app.as_role(Role::Board);
        let all = board.data("{ digests { totalCount nodes { id document } } }")["digests"].clone();
        // No officer sees any digest, also none that does not name the officer: a gap or a total would tell which do.
        let flags = "{ flags(first: 200, filter: {subjectKind: {eq: OFFICER}}) { nodes { officer { code } } } }";
        let flags = board.data(flags);
        let flagged: Vec<&str> =
            flags["flags"]["nodes"].list().iter().filter_map(|flag| flag["officer"]["code"].as_str()).collect();
        let officers = board.data("{ officers(first: 200) { nodes { code } } }");
        let officers = officers["officers"]["nodes"].list();
        let other = officers.iter().filter_map(|one| one["code"].as_str()).find(|code| !flagged.contains(code));
        for code in [flagged[0], other.expect("an officer without a flag")] {
            let officer = app.as_member(&format!("own-{code}"), code);
            let seen = officer.data("{ digests { totalCount nodes { id } } }")["digests"].clone();
            assert_eq!(seen, json!({ "totalCount": 0, "nodes": [] }));
            for one in all["nodes"].list() {
                let by_id = format!("{{ node(id: {}) {{ id }} }}", one["id"]);
                assert_eq!(officer.data(&by_id)["node"], Value::Null);
                assert_eq!(board.data(&by_id)["node"]["id"], one["id"]);
            }
        }
    }
}

#[test]
fn a_digest_tells_a_measure_when_it_is_new_and_when_it_changes() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (board, head) = (app.as_role(Role::Board), app.as_head("02DS"));
        let told = |day: &str| -> Value {
            for job in ["recurrence", "timeliness", "trends", "escalate-overdue", "digest"] {
                app.run(&["jobs", "run", job, "--as-of", day]);
            }
            let filter = format!("{{asOf: {{eq: \"{day}\"}}, locale: {{eq: VI}}}}");
            let query = format!("query Morning {{ digests(filter: {filter}) {{ nodes {{ text document }} }} }}");
            board.data(&query)["digests"]["nodes"][0].clone()
        };
        let listed = |digest: &Value| -> Vec<[String; 3]> {
            let lines = digest["document"]["measures"]["listed"].list().to_vec();
            lines.iter().map(|line| ["officer", "kind", "state"].map(|field| line[field].text().to_owned())).collect()
        };
        let none: [[&str; 3]; 0] = [];
        assert_eq!(listed(&told("2024-03-01")), none);
        let decided = json!({
            "officer": "CC02", "grounds": "Căn cứ kín.", "decisionMaker": "Chi cục trưởng",
            "noBasisReason": "Theo kết luận kiểm tra.",
        });
        let suspension = json!({
            "kind": "SUSPENSION", "ground": "EVASION_OF_DUTY", "decidedOn": "2024-03-01", "startsOn": "2024-03-04",
            "explanation": "Tôi nhận khuyết điểm.",
        });
        let recorded = head.done("recordMeasure", MEASURE, &merged(&decided, &suspension))["measure"].clone();
        // Recorded after the digest of the day of the decision, it is told by the next one, and once.
        let next = told("2024-03-05");
        assert_eq!(listed(&next), [["CC02", "SUSPENSION", "IN_FORCE"]]);
        assert!(!next.to_string().contains("Căn cứ kín"), "{next}");
        assert_eq!(listed(&told("2024-03-06")), none);
        let lift = json!({
            "measureId": recorded["id"], "expectedVersion": recorded["version"], "liftedOn": "2024-03-08",
            "reason": "Đã làm rõ.",
        });
        head.done("liftMeasure", MEASURE, &lift);
        let review = json!({ "kind": "FORMAL_REVIEW", "decidedOn": "2024-04-01" });
        head.done("recordMeasure", MEASURE, &merged(&decided, &review));
        // What is decided later is told on its day.
        let lifted = told("2024-03-11");
        assert_eq!(listed(&lifted), [["CC02", "SUSPENSION", "LIFTED"]]);
        let line = "- Công chức CC02 [02DS]: Đình chỉ công tác, quyết định ngày 01/03/2024, từ ngày 04/03/2024 \
            đến hết ngày 08/03/2024 (đã chấm dứt sớm). Căn cứ: né tránh, đùn đẩy, cố ý chậm trễ công việc được giao.\n";
        assert!(lifted["text"].text().contains(line), "{lifted}");
        let later = told("2024-04-01");
        assert_eq!(listed(&later), [["CC02", "FORMAL_REVIEW", "IN_FORCE"]]);
        let line =
            "- Công chức CC02 [02DS]: Kiểm điểm, quyết định ngày 01/04/2024, từ ngày 01/04/2024 (đang có hiệu lực).\n";
        assert!(later["text"].text().contains(line), "{later}");
        // Three of the five digests showed the file of the officer.
        let admin = app.as_role(Role::Admin);
        let query = "{ auditLog(first: 200, filter: {action: {eq: LOOK}}) { nodes { operation objects } } }";
        let shown = || -> Vec<u64> {
            let all = admin.data(query)["auditLog"]["nodes"].list().to_vec();
            let of_digests = all.iter().filter(|entry| entry["operation"] == "Morning");
            let mut files: Vec<u64> =
                of_digests.map(|entry| entry["objects"]["files"]["count"].as_u64().unwrap_or(0)).collect();
            files.sort_unstable();
            files
        };
        wait_until(5, "the look at the last digest", || shown().len() == 5);
        assert_eq!(shown(), [0, 0, 1, 1, 1]);
    }
}
