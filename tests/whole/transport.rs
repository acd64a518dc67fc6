//! GraphQL over HTTP: media types, status codes, lists of operations, persisted and trusted ones, limits.

use crate::program;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;
use tests::fixtures::{self, Files};
use tests::{Answer, Client, Database, Json, Role, TestApp, node};

const RESPONSE: &str = "application/graphql-response+json";

fn post(asker: &Client<'_>, accept: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {}", asker.token);
    let mut headers = vec![("content-type", "application/json"), ("authorization", &*bearer)];
    if !accept.is_empty() {
        headers.push(("accept", accept));
    }
    asker.server.send("POST", "/graphql", &headers, &body.to_string())
}

fn get(asker: &Client<'_>, query: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
    let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let bearer = format!("Bearer {}", asker.token);
    let mut all = vec![("authorization", &*bearer)];
    all.extend(headers);
    asker.server.send("GET", &format!("/graphql?{}", query.join("&")), &all, "")
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn every_audit_of_graphql_over_http_is_met() {
    let database = Database::sqlite();
    let token = program().token(&database, "BOARD", None);
    for args in [&[][..], &["--dev"]] {
        let server = program().serve(&database, args);
        let results = node("audit.js", &[&format!("{}/graphql", server.address), &token]);
        let results: Vec<Value> = serde_json::from_str(&results).unwrap();
        assert!(results.len() > 50, "{}", results.len());
        let missed: Vec<&Value> = results.iter().filter(|result| result["status"] != "ok").collect();
        assert!(missed.is_empty(), "{args:?}: {missed:#?}");
    }
}

#[test]
fn the_status_says_what_became_of_a_request_to_those_who_can_read_it() {
    let app = TestApp::sqlite().world().start();
    let (board, head) = (app.as_role(Role::Board), app.as_head("02CV"));
    let unknown = Client { server: app.server(), token: "pa_wrong".to_owned() };
    let ask = |asker: &Client<'_>, accept: &str, query: &str| post(asker, accept, &json!({ "query": query }));
    for (query, code, modern, legacy) in [
        ("{ serviceInfo { version } }", None, 200, 200),
        ("{ serviceInfo {", Some("GRAPHQL_PARSE_FAILED"), 400, 200),
        ("{ nothing }", Some("GRAPHQL_VALIDATION_FAILED"), 400, 200),
        ("query($n: Int!) { units(first: $n) { totalCount } }", Some("BAD_USER_INPUT"), 400, 200),
        ("{ unit { code } }", Some("BAD_USER_INPUT"), 200, 200),
    ] {
        for (accept, status) in [(RESPONSE, modern), ("application/json", legacy), ("", legacy), ("*/*", legacy)] {
            let answer = ask(&board, accept, query);
            assert_eq!(answer.status, status, "{accept} {query}: {answer:?}");
            assert_eq!(answer.codes(), code.into_iter().collect::<Vec<_>>(), "{query}");
            let media = if accept == RESPONSE { RESPONSE } else { "application/json" };
            assert_eq!(answer.content_type, format!("{media}; charset=utf-8"), "{accept}");
            // The answer to an operation that never ran has no data, not even null.
            let ran = modern == 200;
            assert_eq!(answer.json().get("data").is_some(), ran, "{query}: {answer:?}");
        }
    }
    assert_eq!(ask(&head, RESPONSE, "{ officers { totalCount } }").status, 403);
    assert_eq!(ask(&unknown, RESPONSE, "{ __typename }").status, 401);
    assert_eq!(ask(&app.anonymous(), RESPONSE, "{ __typename }").status, 401);
    let quality = ask(&board, &format!("application/json;q=0.5, {RESPONSE};q=0.9"), "{ __typename }");
    assert_eq!(quality.content_type, format!("{RESPONSE}; charset=utf-8"));
    assert_eq!(ask(&board, "text/html", "{ __typename }").status, 406);
    let bearer = format!("Bearer {}", board.token);
    let form = [("content-type", "application/x-www-form-urlencoded"), ("authorization", &*bearer)];
    assert_eq!(app.server().send("POST", "/graphql", &form, "query={__typename}").status, 415);
    let plain = [("content-type", "text/plain"), ("authorization", &*bearer)];
    let unchecked = app.server().send("POST", "/graphql", &plain, r#"{"query":"{__typename}"}"#);
    assert_eq!(unchecked.status, 415, "a browser sends text/plain without a preflight");
    for body in ["", "{", "[]", "17", "null", r#"{"query": 1}"#, r#"{"query": "{__typename}", "variables": []}"#] {
        let headers = [("content-type", "application/json"), ("authorization", &*bearer)];
        let answer = app.server().send("POST", "/graphql", &headers, body);
        assert_eq!((answer.status, answer.codes()), (400, vec!["BAD_USER_INPUT".to_owned()]), "{body}: {answer:?}");
    }
}

#[test]
fn get_is_for_queries_and_answers_of_the_snapshot_have_a_tag() {
    let app = TestApp::sqlite().world().start();
    let (board, head) = (app.as_role(Role::Board), app.as_head("02CV"));
    let answer =
        get(&board, &[("query", "query($c: String) { unit(code: $c) { code } }"), ("variables", r#"{"c":"02"}"#)], &[]);
    assert_eq!(answer.json()["data"]["unit"]["code"], "02", "{answer:?}");
    assert_eq!(answer.header("etag"), "", "a unit comes from the database");
    for wrong in [&[("query", "{__typename}"), ("variables", "{")][..], &[("query", "{")], &[("query", "")], &[]] {
        assert_eq!(get(&board, wrong, &[("accept", RESPONSE)]).status, 400, "{wrong:?}");
    }
    let mutation = "mutation { submitComplaint(input: {}) { reference } }";
    assert!(matches!(get(&board, &[("query", mutation)], &[]).status, 403 | 405));
    let intake = app.as_role(Role::Intake);
    let valid = "mutation A { submitComplaint(input: {text: \"x\"}) { reference } } query B { __typename }";
    let refused = get(&intake, &[("query", valid), ("operationName", "A")], &[]);
    assert_eq!((refused.status, refused.header("allow")), (405, "POST"), "{refused:?}");
    assert_eq!(get(&intake, &[("query", valid), ("operationName", "B")], &[]).status, 200);

    let statistics = [("query", "{ complaintStatistics(groupBy: [CATEGORY]) { rows { complaints } } }")];
    let first = get(&board, &statistics, &[]);
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("W/\"") && first.header("cache-control").contains("private"), "{first:?}");
    let again = get(&board, &statistics, &[("if-none-match", &tag)]);
    assert_eq!((again.status, &*again.text), (304, ""));
    let other = get(&head, &statistics, &[("if-none-match", &tag)]);
    assert_eq!(other.status, 200, "the head of a unit sees other rows");
    for (query, has_tag) in [
        (
            "{ complaintStatistics(groupBy: [BRANCH]) { rows { ...R } } } fragment R on ComplaintStatisticsRow { branch { code } }",
            true,
        ),
        // A flag can change while the register stays the same.
        ("{ complaintStatistics(groupBy: [BRANCH]) { rows { branch { flag { state } } } } }", false),
        (
            "{ complaintStatistics(groupBy: [BRANCH]) { rows { ...R } } } fragment R on ComplaintStatisticsRow { branch { flag { state } } }",
            false,
        ),
        ("{ complaintStatistics(groupBy: [BRANCH]) { rows { branch { complaints { totalCount } } } } }", false),
    ] {
        let answer = get(&board, &[("query", query)], &[]);
        assert_eq!((answer.status, !answer.header("etag").is_empty()), (200, has_tag), "{query}: {answer:?}");
    }
    let row = "PN-1;05/01/2024;;;02CV;;TD2;;;;;x;";
    let csv = format!("{}\n{row}\n", fixtures::COMPLAINTS.lines().next().unwrap());
    app.import("complaints", csv, fixtures::COMPLAINTS_MAP);
    let changed = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        get(&board, &statistics, &[("if-none-match", &tag)]).status == 200
    });
    assert!(changed, "a new complaint changes the answer");
}

#[test]
fn operations_come_in_lists_and_by_their_hash() {
    let app = TestApp::sqlite().start();
    let (board, anonymous) = (app.as_role(Role::Board), app.anonymous());
    let list = json!([{ "query": "{ __typename }" }, { "query": "{ nothing }" }, { "query": 7 }, { "query": "{ serviceInfo { version } }" }]);
    let answers = post(&board, RESPONSE, &list);
    let all = answers.json();
    assert_eq!((answers.status, all.list().len()), (200, 4), "{answers:?}");
    assert_eq!(all[0]["data"]["__typename"], "Query");
    assert_eq!(all[1]["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(all[2]["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    assert!(all[3]["data"]["serviceInfo"]["version"].is_string());
    let many = Value::Array(vec![json!({ "query": "{ __typename }" }); 11]);
    assert_eq!(post(&board, RESPONSE, &many).status, 400, "more than a list may have");

    let query = "query Named { serviceInfo { version } }";
    let hash: String = Sha256::digest(query.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
    let by_hash = json!({ "extensions": extensions });
    // A client without a token adds no operation, and does not learn which ones the server knows.
    assert_eq!(post(&anonymous, RESPONSE, &json!({ "query": query, "extensions": extensions })).status, 401);
    assert_eq!(post(&anonymous, RESPONSE, &by_hash).status, 401);
    let unknown = post(&board, "", &by_hash);
    assert_eq!((unknown.status, unknown.codes()), (200, vec!["PERSISTED_QUERY_NOT_FOUND".to_owned()]));
    assert_eq!(unknown.json()["errors"][0]["message"], "PersistedQueryNotFound");
    let wrong = post(&board, "", &json!({ "query": "{ __typename }", "extensions": extensions }));
    assert_eq!(wrong.codes(), ["BAD_USER_INPUT"], "the hash of another text");
    let taught = post(&board, "", &json!({ "query": query, "extensions": extensions }));
    assert!(taught.json()["data"]["serviceInfo"]["version"].is_string());
    assert_eq!(post(&board, "", &by_hash).json()["data"], taught.json()["data"]);
    let without_token = post(&anonymous, "", &by_hash);
    assert_eq!(without_token.codes(), ["UNAUTHENTICATED"], "{without_token:?}");
    let by_url = get(&board, &[("extensions", &extensions.to_string())], &[]);
    assert_eq!(by_url.json()["data"], taught.json()["data"], "{by_url:?}");
}

#[test]
fn each_limit_is_told_and_holds() {
    let files = Files::new();
    let config = files.put(
        "phananh.toml",
        "[api.limits]\nbody_bytes = 3000\ntokens = 120\ndepth = 4\nfields = 20\naliases = 3\nroot_fields = 4\n\
         directives = 2\nargument_values = 20\ncost = 300\npage_size = 50\n[api.roles.INTAKE]\nbatch = 2\n",
    );
    let app = TestApp::sqlite().world().arguments(&["--config", config.to_str().unwrap()]).start();
    let (board, intake) = (app.as_role(Role::Board), app.as_role(Role::Intake));
    let told = board.data("{ serviceInfo { limits { bodyBytes tokens depth cost pageSize batch } } }");
    let expected = json!({ "bodyBytes": 3000, "tokens": 120, "depth": 4, "cost": 300, "pageSize": 50, "batch": 10 });
    assert_eq!(told["serviceInfo"]["limits"], expected);
    assert_eq!(intake.data("{ serviceInfo { limits { batch } } }")["serviceInfo"]["limits"]["batch"], 2);
    let spread = "fragment A on Unit { code ...B ...B } fragment B on Unit { code ...C ...C } fragment C on Unit { code code code }";
    for (query, word) in [
        (format!("{{ units {{ nodes {{ {} }} }} }}", "code ".repeat(130)), "tokens"),
        ("{ units { nodes { parents { unit { code } } } } }".into(), "levels"),
        (format!("{{ units {{ nodes {{ ...A }} }} }} {spread}"), "fields"),
        (
            "{ a: units { totalCount } b: units { totalCount } c: units { totalCount } d: units { totalCount } }"
                .into(),
            "aliases",
        ),
        (format!("{{ {} }}", "serviceInfo { version } ".repeat(5)), "root fields"),
        (
            "{ units { totalCount @skip(if: false) @include(if: true) nodes @skip(if: false) { code } } }".into(),
            "directives",
        ),
        (format!("{{ units(filter: {{code: {{in: [{}]}}}}) {{ totalCount }} }}", "\"a\",".repeat(25)), "values"),
        ("{ complaints(first: 50) { nodes { responses(first: 10) { totalCount } } } }".into(), "rows"),
        ("{ units(first: 51) { totalCount } }".into(), "50"),
    ] {
        let answer = board.request(&query);
        assert!(answer.text.contains(word), "{word}: {answer:?}");
        assert!(matches!(answer.codes()[0].as_str(), "GRAPHQL_VALIDATION_FAILED" | "BAD_USER_INPUT"), "{answer:?}");
    }
    // A page size in a variable counts as well.
    let sized = "query($n: Int) { complaints(first: $n) { nodes { responses(first: $n) { totalCount } } } }";
    assert_eq!(board.request_with(sized, &json!({ "n": 10 })).status, 200);
    assert_eq!(board.request_with(sized, &json!({ "n": 40 })).codes(), ["BAD_USER_INPUT"]);
    let large = board.request(&format!("{{ __typename }} #{}", "x".repeat(3000)));
    assert_eq!((large.status, large.codes()), (413, vec!["BAD_USER_INPUT".to_owned()]));
    // A list ordered by a measure costs as much as a statistic, and a list of units as much as four.
    let ranked = |name: &str| format!("{name}: units(first: 1, orderBy: {{measure: COMPLAINTS}}) {{ totalCount }}");
    let one = board.request(&format!("{{ {} }}", ranked("a")));
    assert_eq!((one.status, one.codes()), (200, Vec::new()), "{}", one.text);
    let two = board.request(&format!("{{ {} {} }}", ranked("a"), ranked("b")));
    assert_eq!(two.codes(), ["BAD_USER_INPUT"], "{}", two.text);

    let roomy = program().serve(&app.database, &[]);
    let board = Client { server: &roomy, token: board.token };
    let anonymous = Client { server: &roomy, token: String::new() };
    // The server refuses fragments that multiply before it walks through them.
    let names: Vec<String> = (0..40).map(|n| format!("fragment F{n} on Unit {{ ...F{0} ...F{0} }}", n + 1)).collect();
    let bomb = format!("{{ units {{ nodes {{ ...F0 }} }} }} {} fragment F40 on Unit {{ code }}", names.join(" "));
    assert_eq!(board.request(&bomb).status, 400);
    // Brackets within brackets would overflow the parser's stack, also without a token.
    let deep =
        format!("{{ units(filter: {{code: {{in: {}{}}}}}) {{ totalCount }} }}", "[".repeat(2_400), "]".repeat(2_400));
    for asker in [&board, &anonymous] {
        assert!(matches!(asker.request(&deep).status, 400 | 401));
    }
    let sized = "{ complaints(first: 200, last: null) { nodes { responses(first: null, last: 200) { totalCount } } } }";
    assert_eq!(board.codes(sized), ["BAD_USER_INPUT"], "`last` is a size, too");
    assert_eq!(board.request("{ __typename }").status, 200);
}

#[test]
fn a_deadline_ends_an_operation_and_rates_are_kept_for_each_token() {
    let files = Files::new();
    let config = files.put(
        "phananh.toml",
        "[api.limits]\ndeadline_ms = 1\n[api.roles.ADMIN]\nrequests_per_minute = 5\ndeadline_ms = 10000\n",
    );
    for app in TestApp::both().generated(3_000, 7).arguments(&["--config", config.to_str().unwrap()]) {
        let (board, admin) = (app.as_role(Role::Board), app.as_role(Role::Admin));
        let slow = "{ complaints(first: 200) { totalCount nodes { text officers { officer { name } } } } }";
        let answer = board.request(slow);
        assert_eq!((answer.status, answer.codes()), (504, vec!["TIMEOUT".to_owned()]), "{answer:?}");
        for _ in 0..5 {
            assert_eq!(admin.request("{ __typename }").status, 200);
        }
        let refused = admin.request("{ __typename }");
        assert_eq!((refused.status, refused.codes()), (429, vec!["RATE_LIMITED".to_owned()]), "{refused:?}");
        assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|wait| (1..=60).contains(&wait)), "{refused:?}");
        assert_ne!(board.request("{ __typename }").status, 429, "another token");
    }
}

#[test]
fn a_role_can_be_held_to_its_allow_list() {
    for database in Database::both() {
        fixtures::fill(&database);
        let token = program().token(&database, "UNIT_HEAD", Some("02CV"));
        let board = program().token(&database, "BOARD", None);
        let files = Files::new();
        let listed = files.put(
            "list.graphql",
            "query Count($u: String!) { unit(code: $u) { code, kind } }\nquery All { units { totalCount } }",
        );
        let trust = |name: &str, file: &str| {
            program().run(&database, ["token", "trust", "--name", name, file, "--format", "json"])
        };
        assert_eq!(trust("UNIT_HEAD-02CV", listed.to_str().unwrap()).ok().json(), json!({ "added": 2, "known": 0 }));
        assert_eq!(trust("UNIT_HEAD-02CV", listed.to_str().unwrap()).ok().json(), json!({ "added": 0, "known": 2 }));
        assert_eq!(trust("nobody", listed.to_str().unwrap()).status, 1);
        let wrong = trust("UNIT_HEAD-02CV", files.put("x.graphql", "{ a").to_str().unwrap());
        assert!(wrong.status == 1 && wrong.err.contains("x.graphql"), "{wrong:?}");
        let server = program().serve_configured(&database, "[api]\ntrusted_operations = [\"UNIT_HEAD\"]\n");
        let ask = |token: &str, query: &str| server.graphql(token, query, &json!({ "u": "02" }));
        assert_eq!(
            ask(&token, "query Other ($u:String!) {unit(code:$u){kind code}}").json()["data"]["unit"]["code"],
            "02"
        );
        let refused = ask(&token, "query Count($u: String!) { unit(code: $u) { code kind nameVi } }");
        assert_eq!((refused.status, refused.codes()), (403, vec!["FORBIDDEN".to_owned()]));
        assert_eq!(ask(&token, "{ __schema { queryType { name } } }").status, 403);
        assert_eq!(ask(&board, "{ units { totalCount } }").status, 200);
    }
}
