//! The server refuses requests that are wrong or too large.

use serde_json::{Value, json};
use tests::{Role, TestApp};

#[test]
fn mistakes_in_requests_have_codes_and_tell_nothing_of_the_inside() {
    let app = TestApp::sqlite().world().arguments(&["--dev"]).start();
    let board = app.as_role(Role::Board);
    let json_body = [("content-type", "application/json"), ("accept", "application/graphql-response+json")];
    let bearer = format!("Bearer {}", board.token);
    let with_token = [json_body[0], ("authorization", bearer.as_str()), json_body[1]];
    for (headers, body, status, code) in [
        (&json_body[..], "{\"query\": \"{ complaints { totalCount } }\"}", 401, "UNAUTHENTICATED"),
        (
            &[json_body[0], ("authorization", "Bearer pa_wrong")],
            "{\"query\": \"{ complaints { totalCount } }\"}",
            401,
            "UNAUTHENTICATED",
        ),
        (&with_token, "{\"query\": \"{ complaints {\"}", 400, "GRAPHQL_PARSE_FAILED"),
        (&with_token, "{\"query\": \"{ nonsense }\"}", 400, "GRAPHQL_VALIDATION_FAILED"),
        (&with_token, "{\"query\": \"{ complaint(id: \\\"x\\\") { id } }\"}", 200, "BAD_USER_INPUT"),
        (&with_token, "{}", 400, "BAD_USER_INPUT"),
        (&with_token, "not json", 400, "BAD_USER_INPUT"),
        (
            &[("content-type", "text/plain"), with_token[1]],
            "{\"query\": \"{ complaints { totalCount } }\"}",
            415,
            "BAD_USER_INPUT",
        ),
    ] {
        let answer = app.server().send("POST", "/graphql", headers, body);
        assert_eq!((answer.status, answer.codes()), (status, vec![code.to_owned()]), "{body}: {}", answer.text);
        assert!(!answer.text.contains("SELECT") && !answer.text.contains(".rs"), "{}", answer.text);
    }
    let mutation = "/graphql?query=mutation%20%7B%20submitComplaint(input%3A%20%7BidempotencyKey%3A%20%22x%22%2C\
        %20text%3A%20%22y%22%7D)%20%7B%20id%20%7D%20%7D";
    let intake = format!("Bearer {}", app.as_role(Role::Intake).token);
    let answer = app.server().send("GET", mutation, &[("authorization", &intake)], "");
    assert_eq!(answer.status, 405, "no mutation over GET: {}", answer.text);
    let answer = app.server().send(
        "GET",
        "/graphql?query=%7B%20complaints%20%7B%20totalCount%20%7D%20%7D",
        &with_token[1..2],
        "",
    );
    assert_eq!(answer.json()["data"]["complaints"]["totalCount"], 6);
    assert!(answer.content_type.starts_with("application/json"), "{}", answer.content_type);
    let answer = board.request("{ complaints { totalCount } }");
    assert!(answer.content_type.starts_with("application/graphql-response+json"), "{}", answer.content_type);
    let deep = "parent { ".repeat(40) + "code " + &"} ".repeat(40);
    let answer = board.request(&format!("{{ issueCategories {{ nodes {{ {deep} }} }} }}"));
    assert_eq!(answer.codes(), ["GRAPHQL_VALIDATION_FAILED"], "{}", answer.text);
    let large =
        json!({ "query": format!("{{ complaints {{ totalCount }} }} #{}", "x".repeat(300 * 1024)) }).to_string();
    assert_eq!(app.server().send("POST", "/graphql", &with_token, &large).status, 413);
}

#[test]
fn a_request_of_any_size_leaves_the_server_alive() {
    for app in TestApp::both().world().arguments(&["--dev"]) {
        let board = app.as_role(Role::Board);
        let ask = |filter: &Value| {
            let query = "query ($filter: ComplaintFilter) { complaints(filter: $filter) { totalCount } }";
            board.request_with(query, &json!({ "filter": filter }))
        };
        let many = |n: usize| vec![json!({}); n];
        assert_eq!(ask(&json!({ "or": many(20_000) })).codes(), ["BAD_USER_INPUT"]);
        assert_eq!(ask(&json!({ "and": many(20_000) })).codes(), ["BAD_USER_INPUT"]);
        let wide = ask(&json!({ "or": vec![json!({ "state": { "eq": "RECEIVED" } }); 600] })).json();
        assert_eq!(wide["data"]["complaints"]["totalCount"], 4, "{wide}");
        let codes: Vec<String> = (0..1_500).map(|n| format!("x{n}")).collect();
        assert_eq!(ask(&json!({ "unit": { "code": { "in": codes } } })).json()["data"]["complaints"]["totalCount"], 0);
        let mut deep = json!({ "state": { "eq": "RECEIVED" } });
        for _ in 0..8 {
            deep = json!({ "not": deep });
        }
        assert_eq!(ask(&deep).json()["data"]["complaints"]["totalCount"], 4);
        for _ in 0..10 {
            deep = json!({ "not": deep });
        }
        assert_eq!(ask(&deep).codes(), ["BAD_USER_INPUT"]);
        assert_eq!(app.server().get("/healthz").status, 200);
    }
}

#[test]
fn an_operator_without_a_value_is_a_mistake_and_not_everything() {
    let app = TestApp::sqlite().world().arguments(&["--dev"]).start();
    let board = app.as_role(Role::Board);
    for (query, variables) in [
        ("{ complaints(filter: {state: {eq: null}}) { totalCount } }", json!({})),
        ("query ($s: ComplaintState) { complaints(filter: {state: {eq: $s}}) { totalCount } }", json!({})),
        (
            "query ($f: ComplaintFilter) { complaints(filter: $f) { totalCount } }",
            json!({ "f": { "not": { "text": { "like": null } } } }),
        ),
    ] {
        assert_eq!(board.request_with(query, &variables).codes(), ["BAD_USER_INPUT"], "{query}");
    }
    let query = "query ($s: ComplaintState = ANSWERED) { complaints(filter: {state: {eq: $s}}) { totalCount } }";
    assert_eq!(board.data(query)["complaints"]["totalCount"], 1);
    assert_eq!(board.data("{ complaints(filter: null) { totalCount } }")["complaints"]["totalCount"], 6);
}
