//! Sessions that a token of another issuer (JWT) began: the register cannot look it up again.

use super::Visitor;
use serde_json::json;
use tests::foreign_tokens::Issuer;
use tests::{Program, TestApp};

#[test]
fn a_session_ends_where_its_issuer_is_no_longer_configured() {
    let issuer = Issuer::ours();
    for app in TestApp::both().world() {
        let server = issuer.serve(&app.database);
        let mut visitor = Visitor::signed_in(&server, &issuer.token(&json!({})));
        assert!(visitor.is_signed_in());
        // The other server of the database has no [api.jwt].
        let mut there = Visitor { server: app.server(), cookie: visitor.cookie.clone() };
        assert!(!there.is_signed_in(), "{}", app.database.name);
    }
}

#[test]
fn an_account_of_another_issuer_is_told_how_long_it_gets_digests() {
    let issuer = Issuer::ours();
    let app = TestApp::sqlite().world().start();
    let server = issuer.serve(&app.database);
    let mut visitor = Visitor::signed_in(&server, &issuer.token(&json!({})));
    let page = visitor.get("/digests/subscriptions");
    assert!(page.status == 200 && page.text.contains("tài khoản của cơ quan"), "{page:?}");
    assert!(page.text.contains("id=\"do-add\""), "{page:?}");
    let board = Program::built().token(&app.database, "BOARD", None);
    let page = Visitor::signed_in(&server, &board).get("/digests/subscriptions");
    assert!(page.text.contains("id=\"do-add\"") && !page.text.contains("tài khoản của cơ quan"), "{page:?}");
}

#[test]
fn an_officer_who_is_merged_does_not_read_what_then_names_it() {
    const TOTAL: &str = "{ complaints { totalCount } }";
    const MERGE: &str = "mutation ($input: MergeOfficersInput!) { mergeOfficers(input: $input) { position } }";
    let issuer = Issuer::ours();
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let server = issuer.serve(&app.database);
        let member = issuer.token(&json!({ "officer": "CC03" }));
        let mut visitor = Visitor::signed_in(&server, &member);
        let board = Program::built().token(&app.database, "BOARD", None);
        let input = json!({ "input": { "from": "CC03", "into": "CC01", "reason": "Cùng một người." } });
        server.data_with(&board, MERGE, &input);
        let fresh = server.data(&member, TOTAL)["complaints"]["totalCount"].clone();
        let (status, answer) = visitor.graphql(&[("sec-fetch-site", "same-origin")], TOTAL);
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["data"]["complaints"]["totalCount"], fresh, "{}", app.database.name);
        assert_ne!(server.data(&board, TOTAL)["complaints"]["totalCount"], fresh, "complaints name the officer");
    }
}
