//! The page in a real browser.

use serde_json::{Value, json};
use tests::{Role, TestApp, chromium, node};

/// The views, without those of one object.
const VIEWS: [&str; 11] = [
    "/",
    "/complaints",
    "/complaints?from=yesterday",
    "/complaints?channel=HOTLINE&order=overdue",
    "/complaints/corrections",
    "/overdue",
    "/overdue?days=many",
    "/overdue/escalations?all=1",
    "/alerts",
    "/alerts?state=STANDING&kind=none",
    "/digests/subscriptions",
];

#[test]
fn the_page_is_accessible_and_asks_nothing_elsewhere() {
    let app = TestApp::sqlite().world_with_flags("2024-06-30").start();
    let board = app.as_role(Role::Board);
    let paths = VIEWS.join(",");
    let said = node("page.js", &[chromium(), &app.server().address, &board.token, &paths]);
    let found: Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
    assert_eq!(found["violations"], json!([]), "axe-core");
    assert_eq!(found["elsewhere"], json!([]), "requests that leave the server");
    assert_eq!(found["errors"], json!([]), "errors of scripts");
    assert_eq!(found["focus"], "skip", "the first stop of the keyboard leads to the content");
    assert_eq!(found["signedIn"], "Hôm nay");
}

#[test]
fn a_filter_keeps_the_focus_and_announces_what_it_found() {
    let app = TestApp::sqlite().world().start();
    let said = node("filter.js", &[chromium(), &app.server().address, &app.as_role(Role::Board).token]);
    let found: Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
    assert_eq!((&found["errors"], &found["stays"]), (&json!([]), &json!(true)), "{found}");
    assert_eq!(found["focus"], "overdue", "{found}");
    assert_eq!(found["announced"], found["shown"], "{found}");
    assert!(found["search"].as_str().is_some_and(|search| search.contains("overdue=1")), "{found}");
    assert_eq!((&found["typed"], &found["focusWhileTyped"]), (&json!("2024-01-01"), &json!("from")), "{found}");
    assert_eq!(found["searchWhileTyped"], found["search"], "a day counts once its field is left");
}
