//! Readers with an account of another issuer: they are sent what their issuer last asserted, for some days after.

use crate::program;
use crate::reader_digests::{DAY, branches, config, world};
use crate::web::Visitor;
use diesel::prelude::*;
use schema::tables::{notification_endpoints, units};
use serde_json::{Value, json};
use std::path::Path;
use tests::foreign_tokens::{Issuer, now};
use tests::{Database, Json, MailServer, TestApp, file, wait_until};

const HOME: &str = "/digests/subscriptions";
const SUBSCRIBE: &str = "mutation ($input: SubscribeToDigestsInput!) {
    subscribeToDigests(input: $input) { subscription { reader unit { code } } } }";
const ALERTS: &str =
    "mutation { subscribeToAlerts(input: {address: \"an@example.org\"}) { subscription { address } } }";
const SEEN: &str = "{ digestSubscriptions { reader unit { code } suspension { reason } digests { document } } }";

/// The configuration of a server that takes the tokens of an issuer.
fn settings(folder: &Path, issuer: &Issuer, port: u16) -> String {
    let common = std::fs::read_to_string(config(folder, port)).expect("the configuration");
    file(folder, "issuer.toml", common + &issuer.table()).to_str().expect("a path").to_owned()
}

fn wish() -> Value {
    json!({ "input": { "address": "an@example.org", "locale": "VI" } })
}

fn on(database: &Database, config: &str, job: &str, day: &str) -> Value {
    program().json(database, &["jobs", "run", job, "--as-of", day, "--config", config])["summary"].clone()
}

/// Moves the last sign-in of all accounts back.
fn age(database: &Database, days: i64) {
    let by = match database.name {
        "sqlite" => (days * 86_400 * 1_000_000).to_string(),
        _ => format!("interval '{days} days'"),
    };
    database.tamper(&format!("UPDATE principals SET asserted_at = asserted_at - {by} WHERE issuer IS NOT NULL"));
}

/// The codes of the units whose heads get alerts at an address.
fn units_of_alerts(database: &Database) -> Vec<String> {
    let found = database.open().read(|conn| {
        Ok(notification_endpoints::table
            .inner_join(units::table.on(notification_endpoints::unit_id.eq(units::id.nullable())))
            .select(units::code)
            .load::<String>(conn)?)
    });
    found.expect("the endpoints")
}

#[test]
fn an_account_is_sent_what_its_issuer_asserted_last() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = Issuer::ours();
    for app in TestApp::both().filled(world).arguments(&["--no-jobs"]) {
        let database = &app.database;
        let [own, other] = branches(&app);
        let mail = MailServer::started();
        let config = settings(folder.path(), &issuer, mail.port);
        let server = program().serve(database, &["--no-jobs", "--config", &config]);
        let head =
            |unit: &str, ago: i64| issuer.token(&json!({ "role": "UNIT_HEAD", "unit": unit, "iat": now() - ago }));
        let seen = |token: &str| server.data(token, SEEN)["digestSubscriptions"][0].clone();
        let on = |job: &str, day: &str| on(database, &config, job, day);

        let first = head(&own, 300);
        let made = server.data_with(&first, SUBSCRIBE, &wish())["subscribeToDigests"]["subscription"].clone();
        assert_eq!(made, json!({ "reader": "jwt:an", "unit": { "code": own } }), "{}", database.name);
        server.data(&first, ALERTS);
        assert_eq!(units_of_alerts(database), [own.as_str()]);
        assert_eq!(on("reader-digests", DAY)["digests"], 1);
        assert_eq!(on("deliver-digests", DAY)["sent"], 1);
        assert_eq!(seen(&first)["digests"][0]["document"]["unit"]["code"], json!(own));

        // Another one waits when the issuer gives the account another unit.
        assert_eq!(on("reader-digests", "2026-01-01")["digests"], 1);
        let moved = head(&other, 200);
        let now_seen = seen(&moved);
        assert_eq!((&now_seen["unit"]["code"], &now_seen["digests"]), (&json!(other), &json!([])), "{now_seen}");
        assert_eq!(on("deliver-digests", DAY), json!({ "sent": 0, "failed": 0 }), "{}", database.name);
        assert_eq!(units_of_alerts(database), [other.as_str()]);
        // The earlier token is still valid, and gives the account nothing back.
        assert_eq!(seen(&first)["unit"]["code"], json!(other));
        assert_eq!(on("reader-digests", "2026-01-02")["digests"], 1);
        assert_eq!(on("deliver-digests", DAY)["sent"], 1);
        assert_eq!(mail.mails().len(), 2);
        let digests = seen(&moved)["digests"].clone();
        assert_eq!((digests.list().len(), &digests[0]["document"]["unit"]["code"]), (1, &json!(other)), "{digests}");

        // A role without digests gets none, and another one all units.
        let dashboard = issuer.token(&json!({ "role": "DASHBOARD", "iat": now() - 150 }));
        server.data(&dashboard, "{ serviceInfo { version } }");
        assert_eq!(on("reader-digests", "2026-01-03")["withoutRights"], 1);
        let chair = seen(&issuer.token(&json!({ "iat": now() - 100 })));
        assert_eq!((&chair["unit"], &chair["suspension"]), (&Value::Null, &Value::Null), "{chair}");
        assert!(units_of_alerts(database).is_empty(), "its alerts are those of the Board");
        assert_eq!(on("reader-digests", "2026-01-04")["digests"], 1);
    }
}

#[test]
fn an_account_that_does_not_sign_in_is_sent_nothing_until_it_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = Issuer::ours();
    for app in TestApp::both().filled(world).arguments(&["--no-jobs"]) {
        let database = &app.database;
        let mail = MailServer::started();
        let config = settings(folder.path(), &issuer, mail.port);
        let server = program().serve(database, &["--no-jobs", "--config", &config]);
        let on = |job: &str| on(database, &config, job, DAY);
        let admin = program().token(database, "ADMIN", None);

        let mut visitor = Visitor::signed_in(&server, &issuer.token(&json!({ "iat": now() - 60 })));
        let form = [
            ("step", "add"),
            ("address", "an@example.org"),
            ("locale", "VI"),
            ("schedule", "0 7 * * *"),
            ("timezone", "Asia/Ho_Chi_Minh"),
            ("condition", "ALWAYS"),
            ("sections", ""),
        ];
        let added = visitor.post_with_secret(HOME, &form);
        assert_eq!(added.status, 303, "{added:?}");
        let page = visitor.get(HOME).text;
        assert!(page.contains("jwt:an") && page.contains("lâu hơn nếu người đọc đăng nhập"), "{page}");

        age(database, 40);
        assert_eq!(on("reader-digests")["withoutRights"], 1, "{}", database.name);
        let query = "{ digestSubscriptions { reader suspension { reason message } deliveries { lostRight error } } }";
        let seen = server.data(&admin, query)["digestSubscriptions"][0].clone();
        assert_eq!((&seen["reader"], &seen["suspension"]["reason"]), (&json!("jwt:an"), &json!("NOT_SIGNED_IN")));
        let [delivery] = seen["deliveries"].list() else { panic!("{seen}") };
        assert!(delivery["error"].text().contains("has not signed in for 30 days"), "{seen}");
        let page = Visitor::signed_in(&server, &admin).get(HOME).text;
        assert!(page.contains("đã quá lâu người đọc không đăng nhập") && page.contains("mark-late"), "{page}");
        let listed = program().json(database, &["digest", "subscriptions", "--config", &config]);
        assert!(listed[0]["suspended"].text().contains("has not signed in"), "{listed}");
        assert_eq!(listed[0]["reader"], "jwt:an");

        let mut visitor = Visitor::signed_in(&server, &issuer.token(&json!({ "iat": now() })));
        let page = visitor.get(HOME).text;
        assert!(page.contains("không gửi vì không có quyền xem") && !page.contains("mark-late"), "{page}");
        assert_eq!(on("reader-digests")["digests"], 1, "{}", database.name);
        assert_eq!(on("deliver-digests")["sent"], 1);
        assert_eq!(mail.mails().len(), 1);
    }
}

#[test]
fn a_disabled_account_is_signed_out_and_sent_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = Issuer::ours();
    for app in TestApp::both().filled(world).arguments(&["--no-jobs"]) {
        let database = &app.database;
        let mail = MailServer::started();
        let config = settings(folder.path(), &issuer, mail.port);
        let server = program().serve(database, &["--no-jobs", "--config", &config]);
        let on = |job: &str| on(database, &config, job, DAY);
        let admin = program().token(database, "ADMIN", None);

        let own = issuer.token(&json!({ "iat": now() - 60 }));
        let mut visitor = Visitor::signed_in(&server, &own);
        server.data_with(&own, SUBSCRIBE, &wish());
        assert_eq!(on("reader-digests")["digests"], 1);
        let disable = "mutation { disableAccount(input: {name: \"jwt:an\"}) {
            principal { issuer role assertedAt disabledAt } } }";
        let done = server.data(&admin, disable)["disableAccount"]["principal"].clone();
        assert_eq!((&done["issuer"], &done["role"]), (&json!("https://login.example"), &json!("BOARD")), "{done}");
        assert!(done["disabledAt"].is_string() && done["assertedAt"].is_string(), "{done}");
        assert!(!visitor.is_signed_in(), "{}: its session ended", database.name);
        let asks = || server.graphql(&own, "{ complaints { totalCount } }", &json!({})).status;
        wait_until(10, "the token is refused", || asks() == 401);
        assert_eq!(on("deliver-digests"), json!({ "sent": 0, "failed": 0 }));
        assert!(mail.mails().is_empty());
        let log = program().json(database, &["digest", "deliveries"]);
        assert!(log[0]["error"].text().contains("was disabled"), "{log}");

        let newer = issuer.token(&json!({ "iat": now() }));
        assert_eq!(Visitor::of(&server).post("/sign-in", &[("token", newer.as_str())]).status, 401);
        let listed = program().json(database, &["account", "list"]);
        assert_eq!((&listed[0]["name"], listed[0]["disabledAt"].is_string()), (&json!("jwt:an"), true), "{listed}");
        program().run(database, ["account", "enable", "--name", "jwt:an"]).ok();
        Visitor::signed_in(&server, &newer);
        assert!(!visitor.is_signed_in(), "{}: the session from before stays ended", database.name);
        let holder = program().run(database, ["account", "disable", "--name", "ADMIN-all"]);
        assert!(holder.status == 1 && holder.err.contains("there is no account"), "{holder:?}");
    }
}
