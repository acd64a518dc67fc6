//! Today: what changed, what waits, and the numbers of the month, for each role.

use super::Visitor;
use schema::enums::Role;
use tests::TestApp;

#[test]
fn today_shows_each_role_what_concerns_it() {
    for app in TestApp::both().world_with_flags("2024-03-31").arguments(&["--no-jobs"]) {
        let files = tests::fixtures::Files::new();
        let key = app.key_file(&files);
        let arguments = ["--no-jobs", "--key-file", key.to_str().expect("a path")];
        let server = tests::Program::built().serve(&app.database, &arguments);
        let page = |token: &str| {
            let page = Visitor::signed_in(&server, token).get("/");
            assert_eq!(page.status, 200, "{page:?}");
            page.text
        };
        // The words of an answer, and whether the Board, a head, the data team, a dashboard and an administrator get it.
        let shown = [
            ("chờ phân loại", [true, false, false, false, false]),
            ("đến hạn trong 5 ngày tới", [false, true, false, false, false]),
            ("quá hạn trả lời", [true, true, true, false, false]),
            ("table-flags", [true, true, false, false, false]),
            ("table-month", [true, true, true, true, false]),
            ("table-jobs", [false, false, false, false, true]),
        ];
        let tokens = [
            app.as_role(Role::Board).token,
            app.as_head("03TG").token,
            app.as_role(Role::DataTeam).token,
            app.as_role(Role::Dashboard).token,
            app.as_role(Role::Admin).token,
        ];
        for (place, token) in tokens.iter().enumerate() {
            let text = page(token);
            for (words, of) in shown {
                assert_eq!(text.contains(words), of[place], "{words} for {place}: {text}");
            }
        }
        // Who signs in again sees what changed since.
        let again = page(&tokens[0]);
        assert!(again.contains("khi quý vị xem lần trước"), "{again}");
    }
}

#[test]
fn today_compares_the_month_with_its_usual_range() {
    let app = TestApp::sqlite().generated(3_000, 7).start();
    let mut visitor = Visitor::signed_in(app.server(), &app.as_role(Role::Board).token);
    let csv = visitor.get("/?as=csv&table=month").text;
    let line = csv.lines().find(|line| line.starts_with("Phản ánh")).unwrap_or_else(|| panic!("{csv}"));
    let usual = line.split(',').nth(2).unwrap_or_default();
    assert!(usual.contains(" – "), "a range: {line}");
    assert!(visitor.get("/").text.contains("picture-wide"), "the number of complaints is always drawn");
}
