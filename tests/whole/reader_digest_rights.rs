//! What the digests of readers must not tell: numbers that count withheld complaints, digests of another reader, flags in
//! one's own case; and to whom they must not go.

use crate::program;
use crate::reader_digests::{DAY, branches, config, run, subscribe, token, world};
use crate::web::Visitor;
use diesel::prelude::*;
use mail_parser::{MessageParser, MimeHeaders};
use schema::Id;
use schema::enums::SubjectKind;
use schema::keys::Keys;
use schema::tables::{flags, officers, postings};
use serde_json::{Value, json};
use tests::{Json, MailServer, Role, TestApp, fixtures};

/// The document that a mail has as an attachment.
fn document(mail: &[u8]) -> Value {
    let mail = MessageParser::default().parse(mail).expect("a mail that parses");
    let is_json = |part: &&mail_parser::MessagePart<'_>| {
        part.content_type().and_then(|kind| kind.subtype()).is_some_and(|kind| kind == "json")
    };
    let part = mail.parts.iter().find(is_json).expect("a document");
    serde_json::from_slice(part.contents()).expect("JSON")
}

#[test]
fn a_head_reads_which_flags_stand_and_none_of_their_numbers() {
    let folder = tempfile::tempdir().expect("a folder");
    for app in TestApp::both().filled(world).arguments(&["--no-jobs"]) {
        let database = &app.database;
        let server = MailServer::started();
        let config = config(folder.path(), server.port);
        let query = "{ units(first: 1, filter: {kind: {eq: GENERAL_DEPARTMENT}}) { nodes { code } } }";
        let found = app.as_role(Role::Board).data(query);
        let top = found["units"]["nodes"][0]["code"].text().to_owned();
        token(database, "chair", &["--role", "BOARD"]);
        token(database, "head", &["--role", "UNIT_HEAD", "--unit", &top]);
        for name in ["chair", "head"] {
            subscribe(database, &format!("{name}@example.org"), "en", &["--reader", name]);
        }
        run(database, "reader-digests", &config);
        assert_eq!(run(database, "deliver-digests", &config)["sent"], 2);
        let documents: Vec<Value> = server.mails().iter().map(|mail| document(mail)).collect();
        let of = |is_head: bool| documents.iter().find(|one| one["unit"].is_null() != is_head).expect("it").clone();
        let (head, chair) = (of(true), of(false));
        assert!(chair["flags"]["standing"].list().iter().all(|flag| !flag["reasonEn"].text().is_empty()));
        assert!(head["head"]["scorecard"]["complaints"].integer() > 0, "{}", head["head"]["scorecard"]);
        let standing = head["flags"]["standing"].list();
        assert!(!standing.is_empty(), "{}: the head of all units sees flags", database.name);
        for flag in standing {
            // As in the API, these are empty: they count complaints that are withheld from a head.
            assert_eq!((&flag["reasonVi"], &flag["reasonEn"], &flag["plain"]), (&json!(""), &json!(""), &Value::Null));
        }
        let mails = server.mails();
        let is_head = |mail: &&Vec<u8>| !document(mail)["unit"].is_null();
        let mail = mails.iter().find(is_head).expect("the mail of the head");
        let mail = MessageParser::default().parse(mail.as_slice()).expect("a mail");
        for body in [mail.body_text(0).expect("text"), mail.body_html(0).expect("HTML")] {
            assert!(!body.contains("times as many as") && !body.contains("complained in"), "{body}");
        }
    }
}

#[test]
fn an_address_that_another_reader_takes_over_tells_it_nothing_of_earlier_digests() {
    let folder = tempfile::tempdir().expect("a folder");
    for app in TestApp::both().filled(world).arguments(&["--no-jobs"]) {
        let database = &app.database;
        let [own, _] = branches(&app);
        let server = MailServer::started();
        let config = config(folder.path(), server.port);
        let on = |job: &str, day: &str| {
            program().json(database, &["jobs", "run", job, "--as-of", day, "--config", &config])["summary"].clone()
        };
        token(database, "chair", &["--role", "BOARD"]);
        let head = app.as_holder(&["--name", "head", "--role", "UNIT_HEAD", "--unit", &own]);
        let shared = "shared@example.org";
        subscribe(database, shared, "vi", &["--reader", "chair"]);
        on("reader-digests", DAY);
        assert_eq!(on("deliver-digests", DAY)["sent"], 1);
        // Another one waits when the reader leaves.
        assert_eq!(on("reader-digests", "2026-01-01")["digests"], 1);
        app.run(&["digest", "unsubscribe", "--email", shared]);
        subscribe(database, shared, "vi", &["--reader", "head"]);
        assert_eq!(on("deliver-digests", DAY), json!({ "sent": 0, "failed": 0 }), "{}", database.name);
        assert_eq!(server.mails().len(), 1);
        let archive = "{ digestSubscriptions { reader digests { subject text } } }";
        let seen = head.data(archive)["digestSubscriptions"].clone();
        assert_eq!(seen, json!([{ "reader": "head", "digests": [] }]));
        on("reader-digests", "2026-01-02");
        assert_eq!(on("deliver-digests", DAY)["sent"], 1);
        let last = server.mails().pop().map(|mail| document(&mail)).expect("a mail");
        assert_eq!((&last["unit"]["code"], &last["previousAsOf"]), (&json!(own), &Value::Null));
        let seen = head.data(archive)["digestSubscriptions"][0]["digests"].clone();
        assert_eq!(seen.list().len(), 1, "{seen}");
    }
}

#[test]
fn mail_goes_to_allowed_domains_only_also_when_they_were_limited_later() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = TestApp::sqlite().filled(world).arguments(&["--no-jobs"]).start();
    let database = &app.database;
    let server = MailServer::started();
    let config = config(folder.path(), server.port);
    token(database, "chair", &["--role", "BOARD"]);
    // Without the configuration every domain is allowed.
    subscribe(database, "board@elsewhere.example", "vi", &[]);
    subscribe(database, "chair@elsewhere.example", "vi", &["--reader", "chair"]);
    assert_eq!(run(database, "digest", &config)["posted"], 1);
    assert_eq!(run(database, "reader-digests", &config)["digests"], 1);
    assert_eq!(run(database, "deliver-digests", &config), json!({ "sent": 0, "failed": 2 }));
    assert!(server.mails().is_empty());
    let log = program().json(database, &["digest", "deliveries"]);
    assert!(log.list().iter().all(|one| one["error"].text().contains("digests.domains")), "{log}");
}

#[test]
fn a_digest_that_could_not_be_made_for_a_lost_right_is_made_once_it_is_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = TestApp::sqlite().filled(world).arguments(&["--no-jobs"]).start();
    let database = &app.database;
    let config = config(folder.path(), 9);
    token(database, "chair", &["--role", "BOARD"]);
    subscribe(database, "chair@example.org", "vi", &["--reader", "chair"]);
    app.run(&["token", "revoke", "--name", "chair"]);
    assert_eq!(run(database, "reader-digests", &config)["withoutRights"], 1);
    let admin = app.as_role(Role::Admin);
    let asked = "{ digestSubscriptions { id deliveries { state lostRight attempts sentAt error } digests { id } } }";
    assert!(admin.codes(asked).contains(&"FORBIDDEN".to_owned()), "an ADMIN reads no digests");
    let asked = asked.replace(" digests { id }", "");
    let seen = admin.data(&asked)["digestSubscriptions"][0].clone();
    let [delivery] = seen["deliveries"].list() else { panic!("{seen}") };
    assert_eq!((&delivery["state"], &delivery["lostRight"]), (&json!("FAILED"), &json!(true)), "{seen}");
    assert!(delivery["error"].text().contains("no valid token") && delivery["sentAt"].is_null(), "{seen}");
    let mut page = Visitor::signed_in(app.server(), &admin.token);
    let page = page.get(&format!("/digests/subscriptions/{}", seen["id"].text())).text;
    assert!(page.contains("người đọc không còn quyền xem") && page.contains("mark-late"), "{page}");
    token(database, "chair", &["--role", "BOARD"]);
    let made = run(database, "reader-digests", &config);
    assert_eq!(made, json!({ "digests": 1, "withoutRights": 0, "notWanted": 0, "failed": 0 }));
    let log = program().json(database, &["digest", "deliveries"]);
    assert_eq!((log.list().len(), &log[0]["state"]), (1, &json!("PENDING")), "{log}");
}

#[test]
fn a_reader_ends_its_digests_by_post_and_not_by_get() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    Keys::create(&key).expect("a key file");
    let key = key.to_str().expect("a path");
    for app in TestApp::both().filled(world).arguments(&["--no-jobs", "--key-file", key]) {
        let database = &app.database;
        let server = MailServer::started();
        let config = config(folder.path(), server.port);
        token(database, "chair", &["--role", "BOARD"]);
        subscribe(database, "chair@example.org", "vi", &["--reader", "chair"]);
        assert_eq!(run(database, "reader-digests", &config)["digests"], 1);
        let deliver = ["jobs", "run", "deliver-digests", "--config", &config, "--key-file", key];
        assert_eq!(program().json(database, &deliver)["summary"]["sent"], 1, "{}", database.name);
        let mails = server.mails();
        let text = String::from_utf8_lossy(&mails[0]).into_owned();
        let header = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
            line.unwrap_or_else(|| panic!("no {name}")).trim().to_owned()
        };
        assert_eq!(header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
        let address = header("List-Unsubscribe");
        let address = address.trim_matches(['<', '>']);
        let path = address.strip_prefix("https://phananh.example.org").expect("the address of the server");
        let standing = || program().json(database, &["digest", "subscriptions"]).list().len();
        assert_eq!((app.server().get(path).status, standing()), (200, 1), "to look at the page ends nothing");
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let done = app.server().send("POST", path, &form, "List-Unsubscribe=One-Click");
        assert_eq!((done.status, standing()), (200, 0), "{done:?}");
        assert_eq!(run(database, "reader-digests", &config)["digests"], 0);
    }
}

#[test]
fn an_officer_of_the_board_reads_no_flag_of_a_branch_where_it_served_about_one_unit_either() {
    let folder = tempfile::tempdir().expect("a folder");
    for app in TestApp::both().filled(world).arguments(&["--no-jobs"]) {
        let database = &app.database;
        let config = config(folder.path(), 9);
        // A flag on a unit where an officer serves.
        let changed = database.open().write("test", |tx| {
            let flagged: Vec<Option<Id>> = flags::table.select(flags::unit_id).load(tx.conn)?;
            let serve: Vec<(Id, String)> = postings::table
                .inner_join(officers::table.on(officers::id.eq(postings::officer_id)))
                .filter(postings::valid_to.is_null())
                .filter(officers::unknown.eq(false))
                .order((officers::code, postings::unit_id))
                .select((postings::unit_id, officers::code))
                .load(tx.conn)?;
            let of_none = serve.into_iter().find(|(unit, _)| !flagged.contains(&Some(*unit)));
            let (unit, officer) = of_none.expect("a unit without a flag");
            let flag: Id = flags::table.order(flags::id).select(flags::id).first(tx.conn)?;
            let on_unit = (
                flags::subject_kind.eq(SubjectKind::Branch),
                flags::officer_id.eq(None::<Id>),
                flags::unit_id.eq(Some(unit)),
            );
            diesel::update(flags::table.find(flag)).set(on_unit).execute(tx.conn)?;
            Ok((flag, officer))
        });
        let (flag, officer) = changed.expect("the flag is changed").value;
        let query = "{ units(first: 1, filter: {kind: {eq: GENERAL_DEPARTMENT}}) { nodes { code } } }";
        let found = app.as_role(Role::Board).data(query);
        let top = found["units"]["nodes"][0]["code"].text().to_owned();
        token(database, "chair", &["--role", "BOARD"]);
        token(database, "member", &["--role", "BOARD", "--officer", &officer]);
        let standing = |name: &str| -> Vec<String> {
            let address = format!("{name}@example.org");
            subscribe(database, &address, "vi", &["--reader", name, "--unit", &top]);
            let out = folder.path().join(format!("{}-{name}", database.name));
            let out = out.to_str().expect("a path");
            let preview = ["digest", "preview", "--for", &address, "--as-of", DAY, "--out", out, "--config", &config];
            program().json(database, &preview);
            let text = std::fs::read_to_string(format!("{out}/digest.json")).expect("the document");
            let document: Value = serde_json::from_str(&text).expect("JSON");
            let flags = document["flags"]["standing"].list();
            flags.iter().map(|one| one["flag"].text().to_owned()).collect()
        };
        let flag = flag.to_string();
        assert!(standing("chair").contains(&flag), "{}: the unit has the flag", database.name);
        assert!(!standing("member").contains(&flag), "{}: of its own branch", database.name);
    }
}

#[test]
fn a_flag_that_ended_is_told_with_name_and_unit_to_those_who_may_see_it() {
    let (first, last) = ("2024-03-31", "2025-06-30");
    let folder = tempfile::tempdir().expect("a folder");
    for app in TestApp::both().world_with_flags(first).arguments(&["--no-jobs"]) {
        let database = &app.database;
        let server = MailServer::started();
        let config = config(folder.path(), server.port);
        let on = |job: &str, day: &str| {
            app.run(&["jobs", "run", job, "--as-of", day, "--config", &config]);
        };
        for job in ["timeliness", "trends", "escalate-overdue"] {
            on(job, first);
        }
        token(database, "chair", &["--role", "BOARD"]);
        token(database, "general", &["--role", "UNIT_HEAD", "--unit", "TC"]);
        token(database, "other", &["--role", "UNIT_HEAD", "--unit", "02DS"]);
        for name in ["chair", "general", "other"] {
            subscribe(database, &format!("{name}@example.org"), "vi", &["--reader", name]);
        }
        on("reader-digests", first);
        on("deliver-digests", first);
        assert_eq!(server.mails().len(), 3, "{}", database.name);
        // The complaints have left the time that the rules look at.
        fixtures::run_counting(database, last);
        let preview = |name: &str, day: &str| -> (Value, String, String) {
            let (address, out) = (format!("{name}@example.org"), folder.path().join(format!("{name}-{day}")));
            let out = out.to_str().expect("a path");
            let args = ["digest", "preview", "--for", &address, "--as-of", day, "--out", out, "--config", &config];
            program().json(database, &args);
            let read = |part: &str| std::fs::read_to_string(format!("{out}/digest.{part}")).expect("a part");
            (serde_json::from_str(&read("json")).expect("JSON"), read("txt"), read("html"))
        };
        for name in ["chair", "general"] {
            let (before, ..) = preview(name, first);
            let standing = before["flags"]["standing"].list();
            assert!(standing.iter().any(|flag| flag["name"] == "Nguyễn Văn An"), "{name}: {standing:?}");
            let (now, text, html) = preview(name, last);
            let groups = now["flags"]["groups"].list();
            let gone = groups.iter().find(|group| group["key"] == "flags-gone").expect("the group");
            assert_eq!(gone["count"].integer(), i64::try_from(standing.len()).expect("a number"), "{name}: {gone}");
            for flag in standing {
                let line = gone["listed"].list().iter().find(|line| line["flag"] == flag["flag"]).expect("its end");
                assert_eq!((&line["name"], &line["unit"]), (&flag["name"], &flag["unit"]), "{name}");
                let unit = format!("{} [{}]", flag["unit"]["nameVi"].text(), flag["unit"]["code"].text());
                let who = match flag["name"].as_str() {
                    Some(officer) => format!("{officer} [{}], {unit}", flag["code"].text()),
                    None => unit,
                };
                assert!(text.lines().any(|line| line.starts_with(&format!("- {who} ("))), "{name}: {who}: {text}");
                assert!(html.contains(&format!(">{who}</a>")), "{name}: {who}: {html}");
                let link = format!("https://phananh.example.org/flags/{}", flag["flag"].text());
                assert!(text.contains(&link) && html.contains(&format!("href=\"{link}\"")), "{name}: {link}");
            }
        }
        let (now, text, html) = preview("other", last);
        for hidden in ["CC01", "Nguyễn Văn An"] {
            assert!(!text.contains(hidden) && !html.contains(hidden), "{hidden}: {now}");
        }
    }
}

#[test]
fn the_weeks_of_a_branch_are_for_the_board_as_on_the_page() {
    let folder = tempfile::tempdir().expect("a folder");
    for app in TestApp::both().filled(world).arguments(&["--no-jobs"]) {
        let database = &app.database;
        let server = MailServer::started();
        let config = config(folder.path(), server.port);
        let board = app.as_role(Role::Board);
        let weeks_of = |code: &str| {
            let weeks = "cusum { limit weeks { from observed expected sum signal } }";
            board.data(&format!("{{ unit(code: \"{code}\") {{ {weeks} }} }}"))["unit"]["cusum"].clone()
        };
        let points = board.data("{ funnelPlot { points { unitCode } } }")["funnelPlot"]["points"].clone();
        let mut known = points.list().iter().map(|point| {
            let code = point["unitCode"].text().to_owned();
            let weeks = weeks_of(&code);
            (code, weeks)
        });
        let (branch, weeks) = known.find(|(_, weeks)| !weeks.is_null()).expect("a branch with weeks");
        token(database, "chair", &["--role", "BOARD"]);
        token(database, "head", &["--role", "UNIT_HEAD", "--unit", &branch]);
        for name in ["chair", "head"] {
            let more = ["--reader", name, "--unit", &branch];
            subscribe(database, &format!("{name}@example.org"), "en", &more);
        }
        run(database, "reader-digests", &config);
        assert_eq!(run(database, "deliver-digests", &config), json!({ "sent": 2, "failed": 0 }));
        for raw in server.mails() {
            let mail = MessageParser::default().parse(&raw).expect("a mail that parses");
            let to = mail.to().and_then(|to| to.first()).and_then(|to| to.address()).expect("a recipient");
            let is_of_board = to == "chair@example.org";
            let sent = document(&raw)["unusual"]["cusum"].clone();
            let is_drawn = mail.body_html(0).expect("HTML").contains("src=\"cid:cusum.png");
            assert_eq!((sent.is_object(), is_drawn), (is_of_board, is_of_board), "{to} on {}: {sent}", database.name);
            if is_of_board {
                assert_eq!((&sent["code"], &sent["limit"]), (&json!(branch), &weeks["limit"]));
                assert_eq!(sent["weeks"], weeks["weeks"]);
            }
        }
    }
}
