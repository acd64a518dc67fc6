//! Webhooks: signed so that an independent library verifies them, and sent to real receivers that answer in all ways.

use crate::program;
use diesel::prelude::*;
use schema::Timestamp;
use schema::enums::DeliveryState;
use schema::keys::Keys;
use schema::tables::notifications;
use serde_json::{Value, json};
use std::process::Command;
use tests::fixtures::Files;
use tests::{Database, Json, Receiver, Role, TestApp, project, python};

/// The waits after the attempts, in seconds, as docs/alerts.md has them: 5 seconds, 5 and 30 minutes, and then 2, 5, 10,
/// 14, 20 and 24 hours.
const WAITS: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// A configuration that permits receivers on this machine.
const HERE: &str = "[webhooks]\nallow_networks = [\"127.0.0.0/8\"]\ntimeout_seconds = 1\n";
/// One that permits all receivers, and one that permits public ones.
const ANYWHERE: &str = "[webhooks]\nallow_networks = [\"0.0.0.0/0\", \"::/0\"]\n";
const PUBLIC: &str = "[webhooks]\ntimeout_seconds = 2\n";

/// Hosts that spell a private address.
const PRIVATE: [&str; 25] = [
    // Private networks, links, carriers and the addresses of metadata in a cloud.
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.127.255.254",
    "[fc00::1]",
    "[fd12:3456:789a::1]",
    "[fe80::1]",
    "[fd00:ec2::254]",
    // IPv4 in IPv6.
    "[::ffff:127.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    // This machine, however it is written.
    "0.0.0.0",
    "[::]",
    "0",
    "127.1",
    "2130706433",
    "0x7f.1",
    "0x7f000001",
    "0177.0.0.1",
    "017700000001",
];

struct Place {
    files: Files,
    config: String,
    key: String,
}

impl Place {
    fn new(database: &Database, config: &str) -> Self {
        let files = Files::new();
        let config = files.put("phananh.toml", config).display().to_string();
        let key = files.key_file();
        program().run(database, ["migrate"]).ok();
        Self { files, config, key }
    }

    /// Changes the configuration.
    fn configure(&mut self, config: &str) {
        self.config = self.files.put("phananh.toml", config).display().to_string();
    }

    fn json(&self, database: &Database, arguments: &[&str]) -> Value {
        program().json(database, &[arguments, &["--config", &self.config, "--key-file", &self.key]].concat())
    }

    fn add(&self, database: &Database, url: &str) -> String {
        self.json(database, &["webhook", "add", url, "--name", "test"])["secret"].text().to_owned()
    }

    fn notify(&self, database: &Database) -> Value {
        self.json(database, &["jobs", "run", "notify"])["summary"].clone()
    }
}

fn verified(messages: &[Value]) -> Value {
    let python = python(&["standardwebhooks"], &[], &["standardwebhooks==1.1.0"]);
    let script = project().join("tests/clients/webhook.py");
    let output = Command::new(python).arg(script).arg(json!(messages).to_string()).output().expect("Python runs");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn an_independent_library_verifies_messages_also_while_a_secret_changes() {
    for database in Database::both() {
        let place = Place::new(&database, HERE);
        let receiver = Receiver::start();
        let url = receiver.url("/ok");
        let first = place.add(&database, &url);
        place.json(&database, &["webhook", "test", &url]);
        assert_eq!(place.notify(&database), json!({ "sent": 1, "failed": 0 }));
        let second = place.json(&database, &["webhook", "rotate", &url])["secret"].text().to_owned();
        assert_ne!(first, second);
        assert_eq!(place.json(&database, &["webhook", "secret", &url])["secret"], second.as_str());
        place.json(&database, &["webhook", "test", &url]);
        assert_eq!(place.notify(&database), json!({ "sent": 1, "failed": 0 }));
        let received = receiver.received();
        assert_eq!(received.len(), 2);
        let message = |place: usize, secret: &str, body: &str| json!({ "secret": secret, "headers": received[place].headers, "body": body });
        let (before, after) = (received[0].body.as_str(), received[1].body.as_str());
        // Bodies of one second are the same: only the id tells such messages apart.
        let altered = after.replace("webhook.test", "alert.raised");
        assert_ne!(altered, after);
        let mut with_another_id = message(1, &second, after);
        with_another_id["headers"]["webhook-id"] = json!(received[0].headers["webhook-id"]);
        let told = verified(&[
            message(0, &first, before),
            message(0, &second, before),
            message(1, &first, after),
            message(1, &second, after),
            message(1, &second, &altered),
            with_another_id,
        ]);
        assert_eq!(told, json!([true, false, true, true, false, false]), "{}", database.name);
        let body: Value = serde_json::from_str(before).expect("JSON");
        assert_eq!(body["type"], "webhook.test");
        assert_eq!(received[0].headers["content-type"], "application/json");
        assert_ne!(received[0].headers["webhook-id"], received[1].headers["webhook-id"]);
    }
}

#[test]
fn each_answer_of_a_receiver_has_its_consequence() {
    for database in Database::both() {
        let place = Place::new(&database, HERE);
        let receiver = Receiver::start();
        let paths = ["/ok", "/500", "/hang", "/redirect", "/later", "/410"];
        for path in paths {
            place.add(&database, &receiver.url(path));
            place.json(&database, &["webhook", "test", &receiver.url(path)]);
        }
        assert_eq!(place.notify(&database), json!({ "sent": 1, "failed": 5 }), "{}", database.name);
        let log = place.json(&database, &["webhook", "deliveries"]);
        let of = |path: &str| {
            let found = log.list().iter().find(|one| one["address"] == receiver.url(path).as_str());
            found.expect("its message").clone()
        };
        for (path, state, status, error) in [
            ("/ok", "SENT", json!(204), ""),
            ("/500", "PENDING", json!(500), "500"),
            ("/hang", "PENDING", json!(null), "timeout"),
            ("/redirect", "PENDING", json!(302), "redirects are not followed"),
            ("/later", "PENDING", json!(503), "503"),
            ("/410", "FAILED", json!(410), "410 Gone"),
        ] {
            let message = of(path);
            assert_eq!((&message["state"], &message["status"]), (&json!(state), &status), "{message}");
            assert!(message["error"].as_str().unwrap_or_default().contains(error), "{path}: {message}");
        }
        // The redirect led nowhere: each path was asked once.
        let mut asked: Vec<String> = receiver.received().into_iter().map(|one| one.path).collect();
        asked.sort();
        assert_eq!(asked, ["/410", "/500", "/hang", "/later", "/ok", "/redirect"]);
        let in_minutes = |path: &str| {
            let at: chrono::DateTime<chrono::Utc> = of(path)["nextAttemptAt"].text().parse().expect("a time");
            (at - chrono::Utc::now()).num_minutes()
        };
        assert!((58..=60).contains(&in_minutes("/later")), "as Retry-After says: {}", in_minutes("/later"));
        assert!(in_minutes("/500") < 1);
        let listed = place.json(&database, &["webhook", "list"]);
        let disabled: Vec<&Value> = listed.list().iter().filter(|one| !one["disabledAt"].is_null()).collect();
        assert!(disabled.len() == 1 && disabled[0]["address"].text().ends_with("/410"), "{listed}");

        // Attempts end some time: those that fail for the tenth time are given up.
        let db = database.open();
        db.write("test", |tx| {
            diesel::update(notifications::table)
                .set((notifications::next_attempt_at.eq(tx.now), notifications::attempts.eq(9)))
                .execute(tx.conn)?;
            Ok(())
        })
        .expect("the outbox is changed");
        assert_eq!(place.notify(&database), json!({ "sent": 0, "failed": 4 }));
        let log = place.json(&database, &["webhook", "deliveries"]);
        assert!(log.list().iter().all(|one| one["state"] != "PENDING"), "{log}");
    }
}

/// The attempts of the only message, its state, and when the next one is.
fn outgoing(database: &Database) -> (i32, DeliveryState, Timestamp) {
    let columns = (notifications::attempts, notifications::state, notifications::next_attempt_at);
    let found = database
        .open()
        .read(|conn| Ok(notifications::table.select(columns).first::<(i32, DeliveryState, Timestamp)>(conn)?));
    found.expect("a message")
}

#[test]
fn each_attempt_waits_as_long_as_documented_and_the_tenth_is_the_last() {
    for database in Database::both() {
        let place = Place::new(&database, HERE);
        let receiver = Receiver::start();
        let url = receiver.url("/500");
        place.add(&database, &url);
        place.json(&database, &["webhook", "test", &url]);
        let one = json!({ "sent": 0, "failed": 1 });
        for (attempt, wait) in (1..).zip(WAITS) {
            let asked = chrono::Utc::now();
            assert_eq!(place.notify(&database), one, "attempt {attempt} on {}", database.name);
            let (attempts, state, next) = outgoing(&database);
            assert_eq!((attempts, state), (attempt, DeliveryState::Pending));
            let waits = (next.utc() - asked).num_seconds();
            assert!((wait..=wait + 60).contains(&waits), "after attempt {attempt}: {waits} seconds, not {wait}");
            if wait > 60 {
                assert_eq!(place.notify(&database), json!({ "sent": 0, "failed": 0 }), "not before its time");
            }
            let due = database.open().write("test", |tx| {
                diesel::update(notifications::table).set(notifications::next_attempt_at.eq(tx.now)).execute(tx.conn)?;
                Ok(())
            });
            due.expect("the outbox is changed");
        }
        assert_eq!(place.notify(&database), one, "the last attempt");
        let (attempts, state, _) = outgoing(&database);
        assert_eq!((attempts, state), (10, DeliveryState::Failed));
        let received = receiver.received();
        assert_eq!(received.len(), 10);
        assert!(received.iter().all(|request| request.headers["webhook-id"] == received[0].headers["webhook-id"]));
    }
}

#[test]
fn private_addresses_and_plain_http_are_refused_after_resolving() {
    let database = Database::sqlite();
    let mut place = Place::new(&database, ANYWHERE);
    let receiver = Receiver::start();
    let by_name = format!("http://localhost:{}/ok", receiver.port);
    for url in [receiver.url("/ok"), by_name, format!("https://[::1]:{}/", receiver.port)] {
        place.add(&database, &url);
        place.json(&database, &["webhook", "test", &url]);
    }
    place.configure(PUBLIC);
    assert_eq!(place.notify(&database), json!({ "sent": 0, "failed": 3 }));
    let log = place.json(&database, &["webhook", "deliveries"]);
    assert!(log.list().iter().all(|one| one["error"].text().contains("private address")), "{log}");
    assert!(receiver.received().is_empty(), "nothing was connected to");
}

#[test]
fn no_spelling_of_an_address_reaches_what_only_the_server_reaches() {
    let database = Database::sqlite();
    let mut place = Place::new(&database, ANYWHERE);
    let receiver = Receiver::start();
    for host in PRIVATE {
        let url = format!("https://{host}:{}/ok", receiver.port);
        place.add(&database, &url);
        place.json(&database, &["webhook", "test", &url]);
    }
    place.configure(PUBLIC);
    assert_eq!(place.notify(&database), json!({ "sent": 0, "failed": PRIVATE.len() }));
    let log = place.json(&database, &["webhook", "deliveries", "--limit", "100"]);
    assert_eq!(log.list().len(), PRIVATE.len());
    for one in log.list() {
        assert!(one["error"].text().contains("private address"), "{one}");
    }
    assert!(receiver.received().is_empty(), "nothing was connected to");
}

#[test]
fn a_url_with_a_private_address_is_refused_when_somebody_adds_or_enables_it() {
    let files = Files::new();
    let (key, config) = (files.key_file(), files.put("phananh.toml", ANYWHERE).display().to_string());
    for app in TestApp::both().arguments(&["--no-jobs", "--key-file", &key]) {
        app.run(&["migrate"]);
        let admin = app.as_role(Role::Admin);
        let added = |host: &str| {
            let input = json!({ "channel": "WEBHOOK", "name": "x", "address": format!("https://{host}/x") });
            let create = "mutation ($input: CreateNotificationEndpointInput!)
                { createNotificationEndpoint(input: $input) { endpoint { id } } }";
            admin.request_with(create, &json!({ "input": input })).json()
        };
        let is_refused = |answer: &Value| {
            let error = &answer["errors"][0];
            assert_eq!(error["extensions"]["reason"], "ENDPOINT_ADDRESS_PRIVATE", "{answer}");
            assert!(error["message"].text().contains("webhooks.allow_networks"), "{answer}");
        };
        for host in PRIVATE {
            is_refused(&added(host));
        }
        // Where a name leads is found out when a message is sent: it may be elsewhere by then.
        for host in ["localhost", "nowhere.invalid", "1.1.1.1", "[2606:4700:4700::1111]"] {
            let answer = added(host);
            assert!(answer.get("errors").is_none(), "{host}: {answer}");
        }
        let (inside, keyed) = ("https://10.0.0.1/inside", ["--config", &config, "--key-file", &key]);
        program().run(&app.database, [&["webhook", "add", inside, "--name", "x"][..], &keyed].concat()).ok();
        let disabled = program().json(&app.database, &["webhook", "disable", inside]);
        let enable = "mutation ($id: ID!) { enableNotificationEndpoint(input: {id: $id}) { endpoint { id } } }";
        is_refused(&admin.request_with(enable, &json!({ "id": disabled["id"] })).json());
    }
}

#[test]
fn no_redirect_leads_to_an_address_that_is_refused() {
    let database = Database::sqlite();
    let mut place = Place::new(&database, ANYWHERE);
    let (receiver, inside) = (Receiver::start(), Receiver::at("127.0.0.2"));
    let to = format!("127.0.0.2:{}/ok", inside.port);
    let statuses = [301, 302, 303, 307, 308];
    let redirects = statuses.map(|status| receiver.url(&format!("/{status}/{to}")));
    for url in redirects.iter().chain([&format!("http://{to}")]) {
        place.add(&database, url);
        place.json(&database, &["webhook", "test", url]);
    }
    place.configure("[webhooks]\nallow_networks = [\"127.0.0.1/32\"]\ntimeout_seconds = 2\n");
    assert_eq!(place.notify(&database), json!({ "sent": 0, "failed": 6 }));
    let log = place.json(&database, &["webhook", "deliveries"]);
    for one in log.list() {
        let place = redirects.iter().position(|url| one["address"] == url.as_str());
        let status = place.map_or(Value::Null, |place| json!(statuses[place]));
        assert_eq!((&one["status"], &one["state"]), (&status, &json!("PENDING")), "{one}");
        let why = if place.is_some() { "redirects are not followed" } else { "private address 127.0.0.2" };
        assert!(one["error"].text().contains(why), "{one}");
    }
    assert_eq!(receiver.received().len(), 5, "each was asked once");
    assert!(inside.received().is_empty(), "nobody was led there");
}

#[test]
fn wrong_use_of_webhooks_is_told() {
    let database = Database::sqlite();
    let place = Place::new(&database, HERE);
    let run = |arguments: &[&str]| program().run(&database, arguments);
    let without = run(&["webhook", "add", "https://example.org", "--name", "x"]);
    assert!(without.status == 1 && without.err.contains("key file"), "{without:?}");
    let keyed = |arguments: &[&str]| run(&[arguments, &["--key-file", &place.key]].concat());
    for (url, word) in [("example.org", "https://example.org"), ("https://a:b@example.org", "password")] {
        let wrong = keyed(&["webhook", "add", url, "--name", "x"]);
        assert!(wrong.status == 1 && wrong.err.contains(word), "{wrong:?}");
    }
    let wrong = keyed(&["webhook", "add", "https://example.org", "--name", "x", "--event", "nothing"]);
    assert_eq!(wrong.status, 2, "{wrong:?}");
    keyed(&["webhook", "add", "https://example.org", "--name", "x"]).ok();
    let plain = keyed(&["webhook", "add", "http://portal.example/x", "--name", "x"]).ok();
    assert!(plain.err.contains("webhooks.allow_networks"), "{plain:?}");
    let twice = keyed(&["webhook", "add", "https://example.org", "--name", "x"]);
    assert!(twice.status == 1 && twice.err.contains("endpoint already"), "{twice:?}");
    let unknown = keyed(&["webhook", "rotate", "https://example.com"]);
    assert!(unknown.status == 1 && unknown.err.contains("webhook list"), "{unknown:?}");
    let config = place.files.put("wrong.toml", "[webhooks]\nallow_networks = [\"10.0.0\"]\n").display().to_string();
    let wrong = run(&["webhook", "list", "--config", &config]);
    assert!(wrong.status == 1 && wrong.err.contains("10.0.0.0/8"), "{wrong:?}");
}

#[test]
fn an_admin_manages_endpoints_through_the_api() {
    let files = Files::new();
    let key = files.path().join("key");
    Keys::create(&key).expect("a key file");
    for app in TestApp::both().arguments(&["--no-jobs", "--key-file", key.to_str().expect("a path")]) {
        app.run(&["migrate"]);
        let admin = app.as_role(Role::Admin);
        let create = "mutation { createNotificationEndpoint(input: {channel: WEBHOOK, name: \"portal\",
            address: \"https://example.org/hook\", events: [\"alert.raised\"]}) { secret endpoint { id events } } }";
        let made = admin.data(create)["createNotificationEndpoint"].clone();
        assert!(made["secret"].text().starts_with("whsec_"), "{made}");
        assert_eq!(made["endpoint"]["events"], json!(["alert.raised"]));
        assert_eq!(admin.codes(create), ["CONFLICT"]);
        let input = json!({ "input": { "id": made["endpoint"]["id"] } });
        let rotated = admin.data_with(
            "mutation ($input: NotificationEndpointInput!) { rotateWebhookSecret(input: $input)
               { secret endpoint { rotatingUntil } } }",
            &input,
        );
        assert_ne!(rotated["rotateWebhookSecret"]["secret"], made["secret"]);
        assert!(rotated["rotateWebhookSecret"]["endpoint"]["rotatingUntil"].is_string(), "{rotated}");
        admin.data_with(
            "mutation ($input: NotificationEndpointInput!) { testNotificationEndpoint(input: $input)
               { notification { state } } }",
            &input,
        );
        admin.data_with(
            "mutation ($input: NotificationEndpointInput!) { disableNotificationEndpoint(input: $input)
               { endpoint { disabledAt disabledReason } } }",
            &input,
        );
        let all = admin
            .data("{ notificationEndpoints { address disabledReason } notifications { nodes { event state error } } }");
        assert_eq!(all["notificationEndpoints"][0]["disabledReason"], "disabled by token:ADMIN-all");
        assert_eq!(all["notifications"]["nodes"][0]["state"], "FAILED", "it waited: {all}");
        for role in [Role::Board, Role::DataTeam, Role::Dashboard] {
            let denied = app.as_role(role).codes("{ notificationEndpoints { id } }");
            assert!(!denied.is_empty() && denied.iter().all(|code| code == "FORBIDDEN"), "{role}: {denied:?}");
        }
    }
}
