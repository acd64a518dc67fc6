//! The page in a real browser.

use super::in_browser;
use crate::reader_digests::{DAY, branches, world};
use serde_json::{Value, json};
use tests::{Json, Role, TestApp, chromium, node};

#[test]
fn a_view_opens_its_query_in_graphiql_which_asks_as_the_reader() {
    let app = TestApp::sqlite().world().start();
    let found = in_browser("graphiql.js", app.server(), &[&app.as_role(Role::Board).token, "/complaints"]);
    asked_in_graphiql(&found);
    assert_eq!((&found["notes"], &found["banner"]), (&json!([]), &json!(false)), "{found}");
    // The letters of code are those that the page brings along: a machine may have none for Vietnamese.
    assert!(found["letters"]["looked"].integer() > 0, "{found}");
    assert_eq!(found["letters"]["borrowed"], json!([]), "{found}");
}

/// Checks that the query of a view, and one of GraphiQL's own, were answered to a reader who signed in.
#[track_caller]
pub fn asked_in_graphiql(found: &Value) {
    assert_eq!((&found["signedIn"], &found["status"]), (&json!(["Hôm nay"]), &json!(200)), "{found}");
    assert_eq!(found["path"], "/graphiql", "{found}");
    assert!(found["asked"].text().starts_with("query Page"), "the query of the view: {found}");
    for answer in ["answer", "own"] {
        let answer = found[answer].text();
        assert!(answer.contains("totalCount") && answer.contains("nodes") && !answer.contains("errors"), "{answer}");
    }
}

#[test]
fn a_filter_keeps_the_focus_and_announces_what_it_found() {
    let app = TestApp::sqlite().world().start();
    let found = in_browser("filter.js", app.server(), &[&app.as_role(Role::Board).token]);
    assert_eq!(found["stays"], true, "{found}");
    assert_eq!(found["focus"], "overdue", "{found}");
    assert_eq!(found["announced"], found["shown"], "{found}");
    assert!(found["search"].as_str().is_some_and(|search| search.contains("overdue=1")), "{found}");
    assert_eq!((&found["typed"], &found["focusWhileTyped"]), (&json!("2024-01-01"), &json!("from")), "{found}");
    assert_eq!(found["searchWhileTyped"], found["search"], "a day counts once its field is left");
}

#[test]
fn a_reader_is_told_before_the_session_ends_and_may_stay() {
    let app = TestApp::sqlite().world().arguments(&["--no-jobs"]).start();
    let found = in_browser("idle.js", app.server(), &[&app.as_role(Role::Board).token]);
    assert_eq!(found["early"], "", "not before two minutes are left");
    assert!(found["notice"].text().contains("đăng xuất trong vòng hai phút"), "{found}");
    assert_eq!((&found["role"], &found["violations"]), (&json!("alert"), &json!([])), "{found}");
    assert_eq!(
        found["stayed"],
        json!(["add-address", "not-sent@example.org"]),
        "what was typed, and where it was typed: {found}"
    );
    assert_eq!(found["ended"], "/sign-in?next=%2Fdigests%2Fsubscriptions", "{found}");
    assert_eq!(found["typed"], "not-sent@example.org", "it can still be copied");
}

#[test]
fn pages_and_digests_are_printed_dark_on_light_on_a4() {
    for app in TestApp::both().filled(world).arguments(&["--no-jobs"]) {
        app.run(&["jobs", "run", "digest", "--as-of", DAY]);
        let board = app.as_role(Role::Board);
        let data =
            board.data("{ digests(filter: {locale: {eq: VI}}) { nodes { id } } flags(first: 1) { nodes { id } } }");
        let digest = format!("/digests/{}", data["digests"]["nodes"][0]["id"].text());
        let message = format!("{digest}/message");
        let flag = format!("/flags/{}", data["flags"]["nodes"][0]["id"].text());
        let [branch, _] = branches(&app).map(|code| format!("/units/{code}"));
        let of_one = [&flag, &branch, &digest, &message].map(String::as_str);
        let paths = [&["/", "/overdue", "/flags"][..], &of_one[..]].concat();
        let said = node("print.js", &[chromium(), &app.server().address, &board.token, &paths.join(",")]);
        let found: Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
        for path in paths {
            let (page, of) = (&found[path], format!("{path} on {}", app.database.name));
            assert_eq!(page["shows"], json!([]), "{of} prints what can only be clicked: {page}");
            assert_eq!(
                (&page["ground"], &page["text"]),
                (&json!("rgb(255, 255, 255)"), &json!("rgb(0, 0, 0)")),
                "{of}"
            );
            assert!(page["wide"].integer() <= 688, "{of} is wider than the sheet: {page}");
            assert_eq!(page["rows"], true, "{of}: a row may be cut");
            assert_eq!(page["sheet"], json!([595, 842]), "{of}: A4 in points");
            if !page["link"].is_null() {
                assert_eq!(page["link"], json!(["rgb(0, 0, 0)", "none"]), "{of}: addresses are not printed");
            }
        }
    }
}
