//! GraphQL over HTTP: media types, status codes, lists of operations, persisted and trusted ones, limits.

use crate::program;
use crate::world::{self, Files};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;
use tests::{Answer, Database, Server, node};

const RESPONSE: &str = "application/graphql-response+json";

/// A server with a configuration file.
pub fn configured(database: &Database, config: &str) -> Server {
    let files = Files::new();
    let path = files.put("phananh.toml", config);
    program().serve(database, &["--config", path.to_str().unwrap()])
}

fn post(server: &Server, token: &str, accept: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {token}");
    let mut headers = vec![("content-type", "application/json"), ("authorization", &*bearer)];
    if !accept.is_empty() {
        headers.push(("accept", accept));
    }
    server.send("POST", "/graphql", &headers, &body.to_string())
}

fn get(server: &Server, token: &str, query: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
    let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let bearer = format!("Bearer {token}");
    let mut all = vec![("authorization", &*bearer)];
    all.extend(headers);
    server.send("GET", &format!("/graphql?{}", query.join("&")), &all, "")
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
    let database = Database::sqlite();
    let token = program().token(&database, "BOARD", None);
    let head = {
        world::fill(&database);
        program().token(&database, "UNIT_HEAD", Some("02CV"))
    };
    let server = program().serve(&database, &[]);
    let ask = |token: &str, accept: &str, query: &str| post(&server, token, accept, &json!({ "query": query }));
    for (query, code, modern, legacy) in [
        ("{ serviceInfo { version } }", None, 200, 200),
        ("{ serviceInfo {", Some("GRAPHQL_PARSE_FAILED"), 400, 200),
        ("{ nothing }", Some("GRAPHQL_VALIDATION_FAILED"), 400, 200),
        ("query($n: Int!) { units(first: $n) { totalCount } }", Some("BAD_USER_INPUT"), 400, 200),
        ("{ unit { code } }", Some("BAD_USER_INPUT"), 200, 200),
    ] {
        for (accept, status) in [(RESPONSE, modern), ("application/json", legacy), ("", legacy), ("*/*", legacy)] {
            let answer = ask(&token, accept, query);
            assert_eq!(answer.status, status, "{accept} {query}: {answer:?}");
            assert_eq!(answer.codes(), code.into_iter().collect::<Vec<_>>(), "{query}");
            let media = if accept == RESPONSE { RESPONSE } else { "application/json" };
            assert_eq!(answer.content_type, format!("{media}; charset=utf-8"), "{accept}");
            // What never ran has no data, not even null.
            let ran = modern == 200;
            assert_eq!(answer.json().get("data").is_some(), ran, "{query}: {answer:?}");
        }
    }
    assert_eq!(ask(&head, RESPONSE, "{ officers { totalCount } }").status, 403);
    assert_eq!(ask("pa_wrong", RESPONSE, "{ __typename }").status, 401);
    assert_eq!(ask("", RESPONSE, "{ __typename }").status, 401);
    let quality = ask(&token, &format!("application/json;q=0.5, {RESPONSE};q=0.9"), "{ __typename }");
    assert_eq!(quality.content_type, format!("{RESPONSE}; charset=utf-8"));
    assert_eq!(ask(&token, "text/html", "{ __typename }").status, 406);
    let bearer = format!("Bearer {token}");
    let form = [("content-type", "application/x-www-form-urlencoded"), ("authorization", &*bearer)];
    assert_eq!(server.send("POST", "/graphql", &form, "query={__typename}").status, 415);
    let plain = [("content-type", "text/plain"), ("authorization", &*bearer)];
    assert_eq!(server.send("POST", "/graphql", &plain, r#"{"query":"{__typename}"}"#).status, 415, "no preflight");
    for body in ["", "{", "[]", "17", "null", r#"{"query": 1}"#, r#"{"query": "{__typename}", "variables": []}"#] {
        let headers = [("content-type", "application/json"), ("authorization", &*bearer)];
        let answer = server.send("POST", "/graphql", &headers, body);
        assert_eq!((answer.status, answer.codes()), (400, vec!["BAD_USER_INPUT".to_owned()]), "{body}: {answer:?}");
    }
}

#[test]
fn get_is_for_queries_and_answers_of_the_snapshot_have_a_tag() {
    let database = Database::sqlite();
    world::fill(&database);
    let (board, head) =
        (program().token(&database, "BOARD", None), program().token(&database, "UNIT_HEAD", Some("02CV")));
    let server = program().serve(&database, &[]);
    let answer = get(
        &server,
        &board,
        &[("query", "query($c: String) { unit(code: $c) { code } }"), ("variables", r#"{"c":"02"}"#)],
        &[],
    );
    assert_eq!(answer.json()["data"]["unit"]["code"], "02", "{answer:?}");
    assert_eq!(answer.header("etag"), "", "a unit comes from the database");
    for wrong in [&[("query", "{__typename}"), ("variables", "{")][..], &[("query", "{")], &[("query", "")], &[]] {
        assert_eq!(get(&server, &board, wrong, &[("accept", RESPONSE)]).status, 400, "{wrong:?}");
    }
    let mutation = "mutation { submitComplaint(input: {}) { reference } }";
    assert!(matches!(get(&server, &board, &[("query", mutation)], &[]).status, 403 | 405));
    let intake = program().token(&database, "INTAKE", None);
    let valid = "mutation A { submitComplaint(input: {text: \"x\"}) { reference } } query B { __typename }";
    let refused = get(&server, &intake, &[("query", valid), ("operationName", "A")], &[]);
    assert_eq!((refused.status, refused.header("allow")), (405, "POST"), "{refused:?}");
    assert_eq!(get(&server, &intake, &[("query", valid), ("operationName", "B")], &[]).status, 200);

    let statistics = [("query", "{ complaintStatistics(groupBy: [CATEGORY]) { rows { complaints } } }")];
    let first = get(&server, &board, &statistics, &[]);
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("W/\"") && first.header("cache-control").contains("private"), "{first:?}");
    let again = get(&server, &board, &statistics, &[("if-none-match", &tag)]);
    assert_eq!((again.status, &*again.text), (304, ""));
    let other = get(&server, &head, &statistics, &[("if-none-match", &tag)]);
    assert_eq!(other.status, 200, "another sees other rows");
    for (query, has_tag) in [
        (
            "{ complaintStatistics(groupBy: [BRANCH]) { rows { ...R } } } fragment R on ComplaintStatisticsRow { branch { code } }",
            true,
        ),
        // A flag changes without the register.
        ("{ complaintStatistics(groupBy: [BRANCH]) { rows { branch { flag { state } } } } }", false),
        (
            "{ complaintStatistics(groupBy: [BRANCH]) { rows { ...R } } } fragment R on ComplaintStatisticsRow { branch { flag { state } } }",
            false,
        ),
        ("{ complaintStatistics(groupBy: [BRANCH]) { rows { branch { complaints { totalCount } } } } }", false),
    ] {
        let answer = get(&server, &board, &[("query", query)], &[]);
        assert_eq!((answer.status, !answer.header("etag").is_empty()), (200, has_tag), "{query}: {answer:?}");
    }
    let files = Files::new();
    let row = "PN-1;05/01/2024;;;02CV;;TD2;;;;;x;";
    let csv = format!("{}\n{row}\n", world::COMPLAINTS.lines().next().unwrap());
    program().run(&database, files.import("complaints", csv, world::COMPLAINTS_MAP)).ok();
    let changed = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        get(&server, &board, &statistics, &[("if-none-match", &tag)]).status == 200
    });
    assert!(changed, "a new complaint changes the answer");
}

#[test]
fn operations_come_in_lists_and_by_their_hash() {
    let database = Database::sqlite();
    let token = program().token(&database, "BOARD", None);
    let server = program().serve(&database, &[]);
    let list = json!([{ "query": "{ __typename }" }, { "query": "{ nothing }" }, { "query": 7 }, { "query": "{ serviceInfo { version } }" }]);
    let answers = post(&server, &token, RESPONSE, &list);
    let all = answers.json();
    assert_eq!((answers.status, all.as_array().unwrap().len()), (200, 4), "{answers:?}");
    assert_eq!(all[0]["data"]["__typename"], "Query");
    assert_eq!(all[1]["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(all[2]["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    assert!(all[3]["data"]["serviceInfo"]["version"].is_string());
    let many = Value::Array(vec![json!({ "query": "{ __typename }" }); 11]);
    assert_eq!(post(&server, &token, RESPONSE, &many).status, 400, "more than a list may have");

    let query = "query Named { serviceInfo { version } }";
    let hash: String = Sha256::digest(query.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
    let by_hash = json!({ "extensions": extensions });
    // Who has no token teaches nothing, and does not learn what is known.
    assert_eq!(post(&server, "", RESPONSE, &json!({ "query": query, "extensions": extensions })).status, 401);
    assert_eq!(post(&server, "", RESPONSE, &by_hash).status, 401);
    let unknown = post(&server, &token, "", &by_hash);
    assert_eq!((unknown.status, unknown.codes()), (200, vec!["PERSISTED_QUERY_NOT_FOUND".to_owned()]));
    assert_eq!(unknown.json()["errors"][0]["message"], "PersistedQueryNotFound");
    let wrong = post(&server, &token, "", &json!({ "query": "{ __typename }", "extensions": extensions }));
    assert_eq!(wrong.codes(), ["BAD_USER_INPUT"], "the hash of another text");
    let taught = post(&server, &token, "", &json!({ "query": query, "extensions": extensions }));
    assert!(taught.json()["data"]["serviceInfo"]["version"].is_string());
    assert_eq!(post(&server, &token, "", &by_hash).json()["data"], taught.json()["data"]);
    let of_nobody = post(&server, "", "", &by_hash);
    assert_eq!(of_nobody.codes(), ["UNAUTHENTICATED"], "{of_nobody:?}");
    let by_url = get(&server, &token, &[("extensions", &extensions.to_string())], &[]);
    assert_eq!(by_url.json()["data"], taught.json()["data"], "{by_url:?}");
}

#[test]
fn each_limit_is_told_and_holds() {
    let database = Database::sqlite();
    world::fill(&database);
    let token = program().token(&database, "BOARD", None);
    let dashboard = program().token(&database, "INTAKE", None);
    let server = configured(
        &database,
        "[api.limits]\nbody_bytes = 3000\ntokens = 120\ndepth = 4\nfields = 20\naliases = 3\nroot_fields = 4\n\
         directives = 2\nargument_values = 20\ncost = 300\npage_size = 50\n[api.roles.INTAKE]\nbatch = 2\n",
    );
    let told = server.data(&token, "{ serviceInfo { limits { bodyBytes tokens depth cost pageSize batch } } }");
    let expected = json!({ "bodyBytes": 3000, "tokens": 120, "depth": 4, "cost": 300, "pageSize": 50, "batch": 10 });
    assert_eq!(told["serviceInfo"]["limits"], expected);
    assert_eq!(server.data(&dashboard, "{ serviceInfo { limits { batch } } }")["serviceInfo"]["limits"]["batch"], 2);
    let spread = "fragment A on Unit { code ...B ...B } fragment B on Unit { code ...C ...C } fragment C on Unit { code code code }";
    for (query, word) in [
        (format!("{{ units {{ nodes {{ {} }} }} }}", "code ".repeat(130)), "words"),
        ("{ units { nodes { parents { unit { code } } } } }".into(), "levels"),
        (format!("{{ units {{ nodes {{ ...A }} }} }} {spread}"), "fields"),
        (
            "{ a: units { totalCount } b: units { totalCount } c: units { totalCount } d: units { totalCount } }"
                .into(),
            "renames",
        ),
        (format!("{{ {} }}", "serviceInfo { version } ".repeat(5)), "operation itself"),
        (
            "{ units { totalCount @skip(if: false) @include(if: true) nodes @skip(if: false) { code } } }".into(),
            "directives",
        ),
        (format!("{{ units(filter: {{code: {{in: [{}]}}}}) {{ totalCount }} }}", "\"a\",".repeat(25)), "values"),
        ("{ complaints(first: 50) { nodes { responses(first: 10) { totalCount } } } }".into(), "rows"),
        ("{ units(first: 51) { totalCount } }".into(), "50"),
    ] {
        let answer = server.graphql(&token, &query, &json!({}));
        assert!(answer.text.contains(word), "{word}: {answer:?}");
        assert!(matches!(answer.codes()[0].as_str(), "GRAPHQL_VALIDATION_FAILED" | "BAD_USER_INPUT"), "{answer:?}");
    }
    // A page size in a variable counts as well.
    let sized = "query($n: Int) { complaints(first: $n) { nodes { responses(first: $n) { totalCount } } } }";
    assert_eq!(server.graphql(&token, sized, &json!({ "n": 10 })).status, 200);
    assert_eq!(server.graphql(&token, sized, &json!({ "n": 40 })).codes(), ["BAD_USER_INPUT"]);
    let large = server.graphql(&token, &format!("{{ __typename }} #{}", "x".repeat(3000)), &json!({}));
    assert_eq!((large.status, large.codes()), (413, vec!["BAD_USER_INPUT".to_owned()]));
    // Fragments that multiply are refused before they are walked through.
    let names: Vec<String> = (0..40).map(|n| format!("fragment F{n} on Unit {{ ...F{0} ...F{0} }}", n + 1)).collect();
    let bomb = format!("{{ units {{ nodes {{ ...F0 }} }} }} {} fragment F40 on Unit {{ code }}", names.join(" "));
    // A list by a measure is a statistic, and one of units four.
    let ranked = |name: &str| format!("{name}: units(first: 1, orderBy: {{measure: COMPLAINTS}}) {{ totalCount }}");
    let one = server.graphql(&token, &format!("{{ {} }}", ranked("a")), &json!({}));
    assert_eq!((one.status, one.codes()), (200, Vec::new()), "{}", one.text);
    let two = server.graphql(&token, &format!("{{ {} {} }}", ranked("a"), ranked("b")), &json!({}));
    assert_eq!(two.codes(), ["BAD_USER_INPUT"], "{}", two.text);
    let roomy = program().serve(&database, &[]);
    assert_eq!(roomy.graphql(&token, &bomb, &json!({})).status, 400);
    // Brackets within brackets would overflow the parser's stack, also without a token.
    let deep =
        format!("{{ units(filter: {{code: {{in: {}{}}}}}) {{ totalCount }} }}", "[".repeat(2_400), "]".repeat(2_400));
    for token in [&*token, ""] {
        assert!(matches!(roomy.graphql(token, &deep, &json!({})).status, 400 | 401));
    }
    let sized = "{ complaints(first: 200, last: null) { nodes { responses(first: null, last: 200) { totalCount } } } }";
    assert_eq!(roomy.graphql(&token, sized, &json!({})).codes(), ["BAD_USER_INPUT"], "`last` is a size, too");
    assert_eq!(roomy.graphql(&token, "{ __typename }", &json!({})).status, 200);
}

#[test]
fn a_deadline_ends_an_operation_and_rates_are_kept_for_each_token() {
    for database in Database::both() {
        program().run(&database, ["generate", "--complaints", "3000", "--seed", "3"]).ok();
        let token = program().token(&database, "BOARD", None);
        let other = program().token(&database, "ADMIN", None);
        let server = configured(
            &database,
            "[api.limits]\ndeadline_ms = 1\n[api.roles.ADMIN]\nrequests_per_minute = 5\ndeadline_ms = 10000\n",
        );
        let slow = "{ complaints(first: 200) { totalCount nodes { text officers { officer { name } } } } }";
        let answer = server.graphql(&token, slow, &json!({}));
        assert_eq!((answer.status, answer.codes()), (504, vec!["TIMEOUT".to_owned()]), "{answer:?}");
        for _ in 0..5 {
            assert_eq!(server.graphql(&other, "{ __typename }", &json!({})).status, 200);
        }
        let refused = server.graphql(&other, "{ __typename }", &json!({}));
        assert_eq!((refused.status, refused.codes()), (429, vec!["RATE_LIMITED".to_owned()]), "{refused:?}");
        assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|wait| (1..=60).contains(&wait)), "{refused:?}");
        assert_ne!(server.graphql(&token, "{ __typename }", &json!({})).status, 429, "another token");
    }
}

#[test]
fn a_role_can_be_held_to_its_allow_list() {
    for database in Database::both() {
        world::fill(&database);
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
        let server = configured(&database, "[api]\ntrusted_operations = [\"UNIT_HEAD\"]\n");
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
