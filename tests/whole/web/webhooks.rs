//! Endpoints of notifications on the page: an ADMIN adds them and sees each secret once; others see nothing.

use super::Visitor;
use schema::enums::Role;
use schema::keys::Keys;
use tests::fixtures::Files;
use tests::{Answer, Json, TestApp};

const HOME: &str = "/webhooks";

/// The secret that a page shows.
#[track_caller]
fn secret(page: &Answer) -> String {
    assert_eq!(page.status, 200, "{page:?}");
    let rest = page.text.split("id=\"secret\" tabindex=\"0\">").nth(1).unwrap_or_else(|| panic!("{page:?}"));
    rest.split('<').next().expect("a secret").to_owned()
}

#[test]
fn an_administrator_manages_endpoints() {
    let files = Files::new();
    let key = files.path().join("key");
    Keys::create(&key).expect("a key file");
    for app in TestApp::both().world().arguments(&["--no-jobs", "--key-file", key.to_str().expect("a path")]) {
        let admin = app.as_role(Role::Admin);
        let mut own = Visitor::signed_in(app.server(), &admin.token);
        let new = [
            ("step", "create"),
            ("channel", "WEBHOOK"),
            ("name", "Cổng thông tin"),
            ("address", "https://example.org/hook"),
            ("locale", "VI"),
            ("events", ""),
            ("events", "alert.raised"),
            ("events", "digest.created"),
        ];
        let with = |name: &str, value: &'static str| {
            new.map(|(field, first)| (field, if field == name { value } else { first }))
        };
        for (wrong, words) in [
            (with("name", ""), "href=\"#create-name\""),
            (with("channel", "PIGEON"), "href=\"#create-channel\""),
            (with("events", "nothing"), "href=\"#create-events\""),
            (with("name", "Cổng\u{202e}"), "href=\"#create-name\""),
            (with("address", "ftp://example.org"), "href=\"#create-address\""),
            (with("address", "https://169.254.169.254/"), "webhooks.allow_networks"),
            (with("address", "https://[::1]/"), "href=\"#create-address\""),
        ] {
            let refused = own.post_with_secret(HOME, &wrong);
            assert!(refused.status == 422 && refused.text.contains(words), "{wrong:?}: {refused:?}");
        }
        assert_eq!(own.post(HOME, &new).status, 403, "without the secret of the session");
        let created = own.post_with_secret(HOME, &new);
        let first = secret(&created);
        assert!(first.starts_with("whsec_") && created.header("cache-control").contains("no-store"), "{created:?}");
        assert_eq!(own.post_with_secret(HOME, &new).status, 422, "the address has an endpoint");
        let list = own.get(HOME).text;
        assert!(list.contains("Cổng thông tin") && !list.contains("whsec_"), "a secret is shown once: {list}");
        let data = admin.data("{ notificationEndpoints { id events } }");
        assert_eq!(data["notificationEndpoints"][0]["events"].list().len(), 2);
        let id = data["notificationEndpoints"][0]["id"].text();

        let done = |step: &str| format!("{HOME}?done=done-webhooks-{step}");
        let rotated = own.post_with_secret(HOME, &[("step", "rotate"), ("id", id)]);
        assert_ne!(secret(&rotated), first);
        let tested = own.post_with_secret(HOME, &[("step", "test"), ("id", id)]);
        assert_eq!((tested.status, tested.header("location")), (303, done("test").as_str()), "{tested:?}");
        let log = |own: &mut Visitor<'_>, filter: &str| {
            own.get(&format!("{HOME}?as=csv&table=messages&{filter}")).text.lines().count() - 1
        };
        let of_it = format!("endpoint={id}");
        for (filter, count) in [
            ("", 1),
            (of_it.as_str(), 1),
            ("event=webhook.test", 1),
            ("event=alert.raised", 0),
            ("until=2024-01-01", 0),
        ] {
            assert_eq!(log(&mut own, filter), count, "{filter}");
        }
        assert_eq!(own.get(&format!("{HOME}?endpoint=x")).status, 422);
        let disabled = own.post_with_secret(HOME, &[("step", "disable"), ("id", id)]);
        assert_eq!((disabled.status, disabled.header("location")), (303, done("disable").as_str()), "{disabled:?}");
        let list = own.get(HOME).text;
        assert!(list.contains("Đã ngừng từ") && !list.contains("id=\"do-test\""), "{list}");
        let enabled = own.post_with_secret(HOME, &[("step", "enable"), ("id", id)]);
        assert_eq!((enabled.status, enabled.header("location")), (303, done("enable").as_str()), "{enabled:?}");

        let mail = [
            ("step", "create"),
            ("channel", "EMAIL"),
            ("name", "Phòng trực"),
            ("address", "duty@example.org"),
            ("locale", "VI"),
        ];
        let added = own.post_with_secret(HOME, &mail);
        assert_eq!((added.status, added.header("location")), (303, done("create").as_str()), "mail has no secret");

        for role in [Role::Board, Role::Dashboard] {
            let mut other = Visitor::signed_in(app.server(), &app.as_role(role).token);
            assert_eq!(other.get(HOME).status, 403, "{role}");
            assert_eq!(other.post_with_secret(HOME, &[("step", "rotate"), ("id", id)]).status, 403, "{role}");
            assert!(!other.get("/").text.contains("webhooks"), "{role}");
        }
    }
}
