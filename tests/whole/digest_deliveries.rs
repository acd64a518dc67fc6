//! One list of what digest was sent to whom, without what the digests say.

use crate::alerts::change;
use crate::program;
use crate::reader_digests::{DAY, branches, config, run, subscribe, token, world};
use crate::web::Visitor;
use diesel::prelude::*;
use mail_parser::MessageParser;
use schema::Timestamp;
use schema::enums::DeliveryState;
use schema::tables::{deliveries, digest_subscriptions, reader_digests};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tests::{Client, Database, Json, MailServer, Role, TestApp};

const PAGE: &str = "query ($after: String, $first: Int) { digestDeliveries(first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { forReader reader address locale asOf createdAt sentAt state lostRight attempts error } } }";

/// All deliveries that a client may see, page by page.
fn paged(client: &Client<'_>, first: i64) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), Value::Null);
    loop {
        let data = client.data_with(PAGE, &json!({ "first": first, "after": after }));
        let page = &data["digestDeliveries"];
        all.extend(page["nodes"].list().to_vec());
        if page["pageInfo"]["hasNextPage"] == false {
            assert_eq!(page["totalCount"], all.len());
            return all;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

fn by_address(all: &[Value]) -> BTreeMap<&str, &Value> {
    all.iter().map(|one| (one["address"].text(), one)).collect()
}

#[test]
fn an_admin_sees_what_was_sent_to_whom_and_the_board_what_concerns_it() {
    let folder = tempfile::tempdir().expect("a folder");
    for app in TestApp::both().filled(world).arguments(&["--no-jobs"]) {
        let database = &app.database;
        let [own, _] = branches(&app);
        let mail = MailServer::started();
        let config = config(folder.path(), mail.port);
        token(database, "chair", &["--role", "BOARD"]);
        token(database, "former", &["--role", "BOARD"]);
        let head = token(database, "head", &["--role", "UNIT_HEAD", "--unit", &own]);
        subscribe(database, "chair@example.org", "en", &["--reader", "chair"]);
        subscribe(database, "former@example.org", "vi", &["--reader", "former"]);
        subscribe(database, "head@example.org", "vi", &["--reader", "head"]);
        subscribe(database, "office@example.org", "vi", &[]);
        app.run(&["token", "revoke", "--name", "former"]);
        run(database, "reader-digests", &config);
        run(database, "digest", &config);
        assert_eq!(run(database, "deliver-digests", &config), json!({ "sent": 3, "failed": 0 }), "{}", database.name);

        let admin = app.as_role(Role::Admin);
        let all = paged(&admin, 100);
        assert_eq!(paged(&admin, 1), all, "page by page on {}", database.name);
        assert!(all.windows(2).all(|two| two[0]["createdAt"].text() >= two[1]["createdAt"].text()), "{all:?}");
        let found = by_address(&all);
        let seen: Vec<&str> = found.keys().copied().collect();
        assert_eq!(seen, ["chair@example.org", "former@example.org", "head@example.org", "office@example.org"]);
        for (address, reader, locale, state) in [
            ("chair@example.org", json!("chair"), "EN", "SENT"),
            ("former@example.org", json!("former"), "VI", "FAILED"),
            ("head@example.org", json!("head"), "VI", "SENT"),
            ("office@example.org", Value::Null, "VI", "SENT"),
        ] {
            let one = found[address];
            assert_eq!(
                (&one["reader"], &one["locale"], &one["state"]),
                (&reader, &json!(locale), &json!(state)),
                "{one}"
            );
            assert_eq!(one["forReader"], json!(!reader.is_null()), "{one}");
            assert_eq!((one["sentAt"].is_string(), &one["lostRight"]), (state == "SENT", &json!(state == "FAILED")));
        }
        let filtered = |filter: &str| {
            let data = admin.data(&format!("{{ digestDeliveries(filter: {filter}) {{ nodes {{ address }} }} }}"));
            data["digestDeliveries"]["nodes"].clone()
        };
        assert_eq!(filtered("{reader: {eq: \"head\"}}"), json!([{ "address": "head@example.org" }]));
        assert_eq!(filtered("{state: {eq: FAILED}}"), json!([{ "address": "former@example.org" }]));
        assert_eq!(filtered("{forReader: {eq: false}}"), json!([{ "address": "office@example.org" }]));
        assert_eq!(filtered("{locale: {eq: EN}}"), json!([{ "address": "chair@example.org" }]));

        // What other readers get is not the Board's concern, and nobody else asks.
        let board = app.as_role(Role::Board);
        let of_board = paged(&board, 100);
        let seen: Vec<&str> = by_address(&of_board).into_keys().collect();
        assert_eq!(seen, ["chair@example.org", "former@example.org", "office@example.org"], "{}", database.name);
        for role in [Role::DataTeam, Role::Dashboard, Role::Intake] {
            let denied = app.as_role(role).codes("{ digestDeliveries { totalCount } }");
            assert!(!denied.is_empty() && denied.iter().all(|code| code == "FORBIDDEN"), "{role}: {denied:?}");
        }

        let mut visitor = Visitor::signed_in(app.server(), &admin.token);
        assert_eq!(visitor.get("/digests").status, 403, "the digests themselves are not for an ADMIN");
        let page = visitor.get("/digests/sent");
        let text = page.text.replace("&#x2f;", "/");
        assert!(page.status == 200 && text.contains("head@example.org") && text.contains("href=\"/digests/sent\""));
        assert_eq!(visitor.get("/digests/sent?as=csv").text.lines().count(), 5, "{}", database.name);
        let page = visitor.get("/digests/sent?state=FAILED").text;
        assert!(page.contains("former@example.org") && page.contains("không còn quyền"), "{page}");
        assert!(!page.contains("head@example.org"), "{page}");
        let page = visitor.get("/digests/sent?reader=head").text;
        assert!(page.contains("head@example.org") && !page.contains("chair@example.org"), "{page}");
        assert_eq!(visitor.get("/digests/sent?state=LOST").status, 422);
        let page = Visitor::signed_in(app.server(), &board.token).get("/digests/sent");
        assert!(page.status == 200 && page.text.contains("office@example.org"), "{page:?}");
        assert!(!page.text.contains("head@example.org"), "{page:?}");
        assert_eq!(Visitor::signed_in(app.server(), &head).get("/digests/sent").status, 403);

        // A subscription that has other rights since then does not tell for whom the digest was.
        change(database, |tx| {
            let of_head = digest_subscriptions::table.filter(digest_subscriptions::address.eq("head@example.org"));
            diesel::update(of_head).set(digest_subscriptions::created_at.eq(tx.now)).execute(tx.conn)?;
            Ok(())
        });
        let all = paged(&admin, 100);
        let one = by_address(&all)["head@example.org"];
        assert_eq!((&one["reader"], &one["forReader"]), (&Value::Null, &json!(true)), "{one}");
        assert!(visitor.get("/digests/sent").text.contains("Người nhận trước đây"));
    }
}

/// The waits after the attempts, in minutes, as docs/operations.md has them.
const WAITS: [i64; 7] = [2, 4, 8, 16, 32, 64, 128];

/// The attempts, the state and the next attempt of a digest for the Board's address and of one for a reader.
fn outgoing(database: &Database) -> [(i32, DeliveryState, Timestamp); 2] {
    type Row = (i32, DeliveryState, Timestamp);
    let found = database.open().read(|conn| {
        let of_address =
            deliveries::table.select((deliveries::attempts, deliveries::state, deliveries::next_attempt_at));
        let of_reader = reader_digests::table.select((
            reader_digests::attempts,
            reader_digests::state,
            reader_digests::next_attempt_at,
        ));
        Ok([of_address.first::<Row>(conn)?, of_reader.first::<Row>(conn)?])
    });
    found.expect("two digests")
}

#[test]
fn each_attempt_waits_twice_as_long_and_the_eighth_is_the_last() {
    let folder = tempfile::tempdir().expect("a folder");
    for app in TestApp::both().filled(world).arguments(&["--no-jobs"]) {
        let database = &app.database;
        // A closed port.
        let config = config(folder.path(), MailServer::new().port);
        token(database, "chair", &["--role", "BOARD"]);
        subscribe(database, "chair@example.org", "en", &["--reader", "chair"]);
        subscribe(database, "office@example.org", "vi", &[]);
        run(database, "reader-digests", &config);
        run(database, "digest", &config);
        let failed = json!({ "sent": 0, "failed": 2 });
        for (attempt, minutes) in (1..).zip(WAITS) {
            let asked = chrono::Utc::now();
            assert_eq!(run(database, "deliver-digests", &config), failed, "attempt {attempt} on {}", database.name);
            for (attempts, state, next) in outgoing(database) {
                assert_eq!((attempts, state), (attempt, DeliveryState::Pending));
                let waits = (next.utc() - asked).num_seconds();
                assert!(
                    (minutes * 60..=minutes * 60 + 60).contains(&waits),
                    "after attempt {attempt}: {waits} seconds"
                );
            }
            assert_eq!(run(database, "deliver-digests", &config), json!({ "sent": 0, "failed": 0 }), "before its time");
            change(database, |tx| {
                diesel::update(deliveries::table).set(deliveries::next_attempt_at.eq(tx.now)).execute(tx.conn)?;
                diesel::update(reader_digests::table)
                    .set(reader_digests::next_attempt_at.eq(tx.now))
                    .execute(tx.conn)?;
                Ok(())
            });
        }
        assert_eq!(run(database, "deliver-digests", &config), failed, "the last attempt");
        for (attempts, state, _) in outgoing(database) {
            assert_eq!((attempts, state), (8, DeliveryState::Failed), "{}", database.name);
        }
    }
}

#[test]
fn a_test_of_the_command_line_is_marked_and_no_delivery() {
    let folder = tempfile::tempdir().expect("a folder");
    for app in TestApp::both().filled(world).arguments(&["--no-jobs"]) {
        let database = &app.database;
        let mail = MailServer::started();
        let config = config(folder.path(), mail.port);
        token(database, "chair", &["--role", "BOARD"]);
        let address = "chair@example.org";
        subscribe(database, address, "vi", &["--reader", "chair"]);
        let test = |address: &str| {
            let args = ["digest", "test", "--email", address, "--as-of", DAY, "--config", &config, "--format", "json"];
            program().run(database, args)
        };
        let told = test(address).ok().json();
        let mails = mail.mails();
        assert_eq!(mails.len(), 1, "{}", database.name);
        let sent = MessageParser::default().parse(&mails[0]).expect("a mail that parses");
        let subject = format!("[THỬ] {}", told["subject"].text());
        assert_eq!((sent.subject(), &told["address"]), (Some(subject.as_str()), &json!(address)));
        // The next digest is the first one still.
        assert_eq!(program().json(database, &["digest", "deliveries"]), json!([]));
        assert_eq!(run(database, "reader-digests", &config)["digests"], 1, "{}", database.name);

        let unknown = test("nobody@example.org");
        assert!(unknown.status == 1 && unknown.err.contains("no subscription with a reader"), "{unknown:?}");
        app.run(&["token", "revoke", "--name", "chair"]);
        let lost = test(address);
        assert!(lost.status == 1 && lost.err.contains("no valid token"), "{lost:?}");
        assert_eq!(mail.mails().len(), 1, "{}", database.name);
    }
}
