//! Subscriptions to digests on the page: each reader manages its own, sees what would be sent, and reads what was.

use super::Visitor;
use crate::program;
use crate::reader_digests::{branches, config, run, token, world};
use schema::enums::{DigestSection, Role};
use serde_json::{Value, json};
use tests::fixtures::Files;
use tests::{Client, Json, MailServer, TestApp};

const HOME: &str = "/digests/subscriptions";

fn subscription(client: &Client<'_>) -> Value {
    let query = "{ digestSubscriptions { id address locale sections schedule condition minOverdue quietUntil } }";
    client.data(query)["digestSubscriptions"][0].clone()
}

/// The fields of a form, without those of sections.
fn wish<'w>(step: &'w str, more: &[(&'w str, &'w str)]) -> Vec<(&'w str, &'w str)> {
    let times = [("rhythm", "OTHER"), ("schedule", "0 7 * * *"), ("timezone", "Asia/Ho_Chi_Minh")];
    let own = [("step", step), ("locale", "VI")].into_iter().chain(times);
    let own = own.filter(|(name, _)| more.iter().all(|(other, _)| other != name));
    own.chain([("sections", "")]).chain(more.iter().copied()).collect()
}

#[test]
fn each_reader_is_offered_the_sections_that_its_digests_have() {
    let files = Files::new();
    let app = TestApp::sqlite().world().keyed(&files).arguments(&["--no-jobs"]).start();
    let all = DigestSection::WORDS;
    let offered = |client: &Client<'_>| -> Vec<&'static str> {
        let page = Visitor::signed_in(app.server(), &client.token).get(HOME);
        assert_eq!(page.status, 200, "{page:?}");
        all.iter().copied().filter(|word| page.text.contains(&format!("value=\"{word}\""))).collect()
    };
    assert_eq!(offered(&app.as_role(Role::Board)), all);
    let of_a_unit = ["FLAGS", "MEASURES", "OVERDUE", "RISING", "NUMBERS", "ANSWERS"];
    assert_eq!(offered(&app.as_head("02CV")), of_a_unit);
    assert_eq!(offered(&app.as_role(Role::DataTeam)), ["OVERDUE", "RISING", "NUMBERS", "ANSWERS"]);

    // A member of the Board enters a unit: the API refuses what the digest about it lacks.
    let mut board = Visitor::signed_in(app.server(), &app.as_role(Role::Board).token);
    let own = [("address", "board@example.org"), ("condition", "ALWAYS"), ("sections", "FLAGS")];
    let about = |more: &[(&'static str, &'static str)]| wish("add", &[&own[..], more].concat());
    let refused = board.post_with_secret(HOME, &about(&[("sections", "REGISTER"), ("unit", "02CV")]));
    assert!(refused.status == 422 && refused.text.contains("không có phần “Thay đổi của dữ liệu”"), "{refused:?}");
    assert_eq!(board.post_with_secret(HOME, &about(&[("sections", "REGISTER")])).status, 303);
    for (name, role, sections) in [("head", "UNIT_HEAD", "PROPOSALS"), ("data", "DATA_TEAM", "FLAGS,NUMBERS")] {
        let unit: &[&str] = if role == "UNIT_HEAD" { &["--unit", "02CV"] } else { &[] };
        token(&app.database, name, &[&["--role", role][..], unit].concat());
        let args = ["digest", "subscribe", "--email", "x@example.org", "--locale", "vi", "--reader", name];
        let refused = program().run(&app.database, args.into_iter().chain(["--sections", sections]));
        assert!(refused.status == 1 && refused.err.contains("have no section"), "{name}: {refused:?}");
    }
}

#[test]
fn a_head_subscribes_tries_and_reads_its_digests() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = MailServer::started();
    let config = config(folder.path(), server.port);
    for app in TestApp::both().filled(world).arguments(&["--no-jobs", "--config", &config]) {
        let [unit, _] = branches(&app);
        let head = app.as_holder(&["--name", "head", "--role", "UNIT_HEAD", "--unit", &unit]);
        let mut own = Visitor::signed_in(app.server(), &head.token);
        let home = own.get(HOME);
        assert!(home.status == 200 && home.text.contains("id=\"do-add\""), "{home:?}");

        let address = ("address", "head@example.org");
        for (more, words) in [
            (vec![address, ("condition", "SOMETIMES")], "href=\"#add-condition\""),
            (vec![address, ("condition", "ALWAYS"), ("sections", "WEATHER")], "href=\"#add-sections\""),
            // Only the Board reads this one.
            (vec![address, ("condition", "ALWAYS"), ("sections", "BLAME")], "href=\"#add-sections\""),
            (vec![address, ("condition", "ALWAYS"), ("unit", "nowhere")], "href=\"#add-unit\""),
            (vec![address, ("condition", "ALWAYS"), ("quietUntil", "soon")], "href=\"#add-quietUntil\""),
            (vec![("condition", "ALWAYS")], "href=\"#add-address\""),
            (vec![("address", "head@evil.example"), ("condition", "ALWAYS")], "example.org"),
            (vec![("address", "head.example.org"), ("condition", "ALWAYS")], "href=\"#add-address\""),
            (vec![address, ("condition", "OVERDUE"), ("minOverdue", "-3")], "href=\"#add-minOverdue\""),
            (vec![address, ("condition", "ALWAYS"), ("schedule", "0 8,14 * * *")], "hai giờ trong một ngày"),
            (vec![address, ("condition", "ALWAYS"), ("schedule", "")], "href=\"#add-schedule\""),
            (vec![address, ("condition", "ALWAYS"), ("rhythm", "0 9 * * 1")], "href=\"#add-rhythm\""),
        ] {
            let refused = own.post_with_secret(HOME, &wish("add", &more));
            assert!(refused.status == 422 && refused.text.contains(words), "{more:?}: {refused:?}");
        }
        assert_eq!(subscription(&head), Value::Null, "what was refused changed nothing");
        let more = [
            address,
            ("condition", "OVERDUE"),
            ("minOverdue", "2"),
            ("sections", "OVERDUE"),
            ("sections", "FLAGS"),
            ("quietUntil", "2027-01-31"),
        ];
        assert_eq!(own.post(HOME, &wish("add", &more)).status, 403, "without the secret of the session");
        let added = own.post_with_secret(HOME, &wish("add", &more));
        let shown = format!("{HOME}?done=done-subscriptions-add");
        assert_eq!((added.status, added.header("location")), (303, shown.as_str()), "{added:?}");
        let made = subscription(&head);
        assert_eq!((&made["sections"], &made["minOverdue"]), (&json!(["FLAGS", "OVERDUE"]), &json!(2)));
        assert_eq!(made["quietUntil"], "2027-01-31");
        let path = format!("{HOME}/{}", made["id"].text());
        assert!(own.get(&shown).text.replace("&#x2f;", "/").contains(&format!("href=\"{path}\"")));
        let page = own.get(&path).text;
        assert!(page.contains("value=\"FLAGS\" checked") && !page.contains("value=\"NUMBERS\" checked"), "{page}");

        let changed = own.post_with_secret(&path, &wish("change", &[("condition", "ALWAYS"), ("quietUntil", "")]));
        assert_eq!(changed.status, 303, "{changed:?}");
        let made = subscription(&head);
        assert_eq!((&made["sections"], &made["condition"]), (&json!([]), &json!("ALWAYS")), "no box means all");
        assert_eq!((&made["quietUntil"], &made["address"]), (&Value::Null, &json!("head@example.org")));

        // Usual times have words, and others are shown as they were written.
        let times = |own: &mut Visitor<'_>, more: &[(&str, &str)]| -> (Value, String) {
            let wish = wish("change", &[&[("condition", "ALWAYS")][..], more].concat());
            let changed = own.post_with_secret(&path, &wish);
            assert_eq!(changed.status, 303, "{changed:?}");
            (subscription(&head)["schedule"].clone(), own.get(&path).text.replace("&#x2f;", "/"))
        };
        let (stored, shown) = times(&mut own, &[("rhythm", "0 7 * * 1-5"), ("schedule", "")]);
        assert_eq!(stored, "0 7 * * 1-5");
        assert!(shown.contains("<dd>Từ thứ Hai đến thứ Sáu lúc 7:00 (Asia/Ho_Chi_Minh)</dd>"), "{shown}");
        assert!(shown.contains("<option value=\"0 7 * * 1-5\" selected>"), "{shown}");
        let (stored, shown) = times(&mut own, &[("schedule", "0 7 1,15 * *")]);
        assert_eq!(stored, "0 7 1,15 * *");
        assert!(shown.contains("<dd>0 7 1,15 * * (Asia/Ho_Chi_Minh)</dd>"), "{shown}");
        assert!(shown.contains("<option value=\"OTHER\" selected>"), "{shown}");
        let (_, shown) = times(&mut own, &[("schedule", "30 8 * * 0")]);
        assert!(shown.contains("<option value=\"30 8 * * 0\" selected>Mỗi Chủ nhật lúc 8:30<"), "{shown}");
        assert_eq!(times(&mut own, &[("rhythm", "0 7 * * *")]).0, "0 7 * * *");

        let preview = own.get(&format!("{path}/preview"));
        assert!(preview.status == 200 && preview.text.contains(&format!("[{unit}]")), "{preview:?}");
        let message = own.get(&format!("{path}/preview/message"));
        assert!(message.header("content-security-policy").ends_with("sandbox"), "{message:?}");
        assert!(message.text.contains("<html") && !message.text.contains("cid:"), "{message:?}");
        let before = server.mails().len();
        assert_eq!(own.post_with_secret(&path, &[("step", "test")]).status, 303);
        assert_eq!(server.mails().len(), before + 1);

        for job in ["reader-digests", "deliver-digests"] {
            run(&app.database, job, &config);
        }
        let digests = head.data("{ digestSubscriptions { digests { id state } } }");
        let digest = &digests["digestSubscriptions"][0]["digests"][0];
        assert_eq!(digest["state"], "SENT");
        let sent = format!("{path}/sent/{}", digest["id"].text());
        let page = own.get(&path).text.replace("&#x2f;", "/");
        assert!(page.contains(&format!("href=\"{sent}\"")) && page.contains("Đã gửi"), "{page}");
        let message = own.get(&sent);
        assert!(message.text.contains("src=\"data:image/png;base64,") && !message.text.contains("cid:"), "{message:?}");

        others_manage_nothing_of_it(&app, &path, &sent);
        assert_eq!(subscription(&head)["id"], made["id"]);
        an_admin_ends_it(&app, &path, &sent);
        assert_eq!(subscription(&head), Value::Null);
        assert_eq!(own.get(&path).status, 404);
    }
}

fn others_manage_nothing_of_it(app: &TestApp, path: &str, sent: &str) {
    let mut board = Visitor::signed_in(app.server(), &app.as_role(Role::Board).token);
    assert!(!board.get(HOME).text.contains("head@example.org"));
    for address in [path, sent, &format!("{path}/preview"), &format!("{path}/preview/message"), &format!("{HOME}/x")] {
        assert_eq!(board.get(address).status, 404, "{address}");
    }
    assert_eq!(board.post_with_secret(path, &[("step", "end")]).status, 404);
    let mut dashboard = Visitor::signed_in(app.server(), &app.as_role(Role::Dashboard).token);
    assert_eq!(dashboard.get(HOME).status, 403);
}

fn an_admin_ends_it(app: &TestApp, path: &str, sent: &str) {
    let mut admin = Visitor::signed_in(app.server(), &app.as_role(Role::Admin).token);
    let home = admin.get(HOME).text;
    assert!(home.contains("head@example.org") && !home.contains("id=\"do-add\""), "{home}");
    let page = admin.get(path);
    assert!(page.status == 200 && page.text.contains("id=\"do-end\""), "{page:?}");
    assert!(!page.text.contains("id=\"do-change\"") && !page.text.contains("table-sent"), "{page:?}");
    // What became of it, without its content.
    assert!(page.text.contains("table-deliveries") && page.text.contains("Đã gửi"), "{page:?}");
    assert_eq!((admin.get(sent).status, admin.get(&format!("{path}/preview")).status), (403, 403));
    let ended = admin.post_with_secret(path, &[("step", "end")]);
    let shown = format!("{HOME}?done=done-subscriptions-end");
    assert_eq!((ended.status, ended.header("location")), (303, shown.as_str()), "{ended:?}");
}
