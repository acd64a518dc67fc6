//! What the views show to each role.

use super::Visitor;
use schema::enums::Role;
use tests::TestApp;

#[test]
fn each_role_sees_the_views_that_the_access_table_allows() {
    let files = tests::fixtures::Files::new();
    let app = TestApp::sqlite().world_with_flags("2024-06-30").start();
    let key = files.key_file();
    let server = tests::Program::built().serve(&app.database, &["--key-file", &key]);
    for (role, sees_complaints) in
        [(Role::Board, true), (Role::DataTeam, true), (Role::Dashboard, false), (Role::Admin, false)]
    {
        let mut visitor = Visitor::signed_in(&server, &app.as_role(role).token);
        let today = visitor.get("/");
        assert_eq!(today.status, 200, "{role}: {today:?}");
        assert_eq!(today.text.matches("<h1>").count(), 1);
        assert_eq!(today.text.contains("href=\"&#x2f;complaints\""), sees_complaints, "{role}: {}", today.text);
        let list = visitor.get("/complaints");
        assert_eq!(list.status, if sees_complaints { 200 } else { 403 }, "{role}: {list:?}");
        let shows_text = list.text.contains("/complaints/") || list.text.contains("&#x2f;complaints&#x2f;");
        assert_eq!(shows_text, role == Role::Board, "only those who may read a complaint get a link: {role}");
    }
}

#[test]
fn who_sees_pseudonyms_learns_that_the_server_has_no_key_file() {
    for app in TestApp::both().world() {
        let mut visitor = Visitor::signed_in(app.server(), &app.as_role(Role::DataTeam).token);
        for path in ["/", "/complaints", "/complaints?as=csv"] {
            let page = visitor.get(path);
            assert!(page.status == 403 && page.text.contains("--key-file"), "{path}: {page:?}");
        }
    }
}

#[test]
fn filters_are_in_the_address_and_wrong_ones_are_explained() {
    let app = TestApp::sqlite().world().start();
    let mut visitor = Visitor::signed_in(app.server(), &app.as_role(Role::Board).token);
    let all = visitor.get("/complaints").text;
    let rows = |page: &str| page.matches("<th scope=\"row\">").count();
    assert!(rows(&all) > 1, "{all}");
    let none = visitor.get("/complaints?until=1999-12-31").text;
    assert_eq!(rows(&none), 0, "{none}");
    assert!(none.contains("value=\"1999-12-31\""), "{none}");
    let wrong = visitor.get("/complaints?from=yesterday");
    assert_eq!(wrong.status, 422);
    assert!(wrong.text.contains("href=\"#from\""), "{}", wrong.text);
    let unknown = visitor.get("/complaints?unit=nowhere");
    assert!([200, 422].contains(&unknown.status), "{unknown:?}");
}

#[test]
fn the_page_speaks_the_language_that_its_reader_chose() {
    let app = TestApp::sqlite().world().start();
    let mut visitor = Visitor::signed_in(app.server(), &app.as_role(Role::Board).token);
    assert!(visitor.get("/").text.contains("<h1>Hôm nay</h1>"));
    let chosen = visitor.get("/prefer?language=en&theme=dark&next=/complaints");
    assert_eq!((chosen.status, chosen.header("location")), (303, "/complaints"));
    let cookie = visitor.cookie.clone().expect("a session");
    let english = format!("{cookie}; phananh-language=en; phananh-theme=dark");
    let page = app.server().send("GET", "/", &[("cookie", &english)], "").text;
    assert!(page.contains("<h1>Today</h1>") && page.contains("data-theme=\"dark\""), "{page}");
    assert_eq!(visitor.get("/prefer?next=//elsewhere.example").header("location"), "/");
}

#[test]
fn unknown_addresses_and_assets() {
    let app = TestApp::sqlite().world().start();
    let mut visitor = Visitor::signed_in(app.server(), &app.as_role(Role::Board).token);
    let missing = visitor.get("/nowhere");
    assert_eq!(missing.status, 404);
    assert!(missing.text.contains("<h1>"), "a page for browsers: {}", missing.text);
    assert!(app.server().get("/nowhere").json()["errors"].is_array(), "JSON for programs");
    let page = visitor.get("/").text.replace("&#x2f;", "/");
    let asset =
        page.split("rel=\"stylesheet\" href=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a sheet");
    let sheet = app.server().get(asset);
    assert_eq!(sheet.status, 200);
    assert!(sheet.header("cache-control").contains("immutable") && sheet.text.contains("/assets/inter-"), "{asset}");
    assert_eq!(app.server().get("/assets/templates/layout.html").status, 404);
}
