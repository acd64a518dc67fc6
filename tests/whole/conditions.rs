//! A value that a client leaves out, sets to null or writes in another way never silently changes what it asks for.

use crate::fuzz::{Types, named};
use async_graphql::parser::types::{BaseType, Type};
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use tests::fixtures::Files;
use tests::{Client, Json, Role, TestApp};

/// The number of principals whose names begin with a text.
fn principals(admin: &Client<'_>, beginning: &str) -> usize {
    let all = admin.data("{ principals(first: 200) { nodes { name } } }");
    let nodes = all["principals"]["nodes"].list();
    nodes.iter().filter(|node| node["name"].text().starts_with(beginning)).count()
}

#[test]
fn the_default_of_a_variable_decides_in_directives() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (admin, board) = (app.as_role(Role::Admin), app.as_role(Role::Board));
        let make = "createToken(input: {name: \"ghost\", role: BOARD})";
        let below = "{ principal { name } }";
        for document in [
            format!("mutation R($skip: Boolean = true) {{ {make} @skip(if: $skip) {below} __typename }}"),
            format!("mutation R($do: Boolean! = false) {{ {make} @include(if: $do) {below} __typename }}"),
            format!(
                "mutation R($skip: Boolean = true) {{ ...F @skip(if: $skip) __typename }} fragment F on Mutation {{ {make} {below} }}"
            ),
            format!("mutation R($skip: Boolean = true) {{ ... @skip(if: $skip) {{ {make} {below} }} __typename }}"),
            format!(
                "mutation R($skip: Boolean = true) {{ ...F __typename }} fragment F on Mutation {{ {make} @skip(if: $skip) {below} }}"
            ),
            format!(
                "query Q {{ __typename }} mutation R($skip: Boolean = true) {{ {make} @skip(if: $skip) {below} __typename }}"
            ),
        ] {
            let body = json!({ "query": document, "operationName": "R" }).to_string();
            let headers =
                [("content-type", "application/json"), ("authorization", &*format!("Bearer {}", admin.token))];
            let answer = app.server().send("POST", "/graphql", &headers, &body);
            assert_eq!(answer.json()["data"], json!({ "__typename": "Mutation" }), "{document}: {answer:?}");
            assert_eq!(principals(&admin, "ghost"), 0, "{}: {document}", app.database.name);
        }
        // A given value takes precedence over the default.
        let made = format!("mutation R($skip: Boolean = true) {{ {make} @skip(if: $skip) {below} }}");
        admin.data_with(&made, &json!({ "skip": false }));
        assert_eq!(principals(&admin, "ghost"), 1);
        let nested = "query Q($count: Boolean = true, $no: Boolean = false) { complaints(first: 1) {
            totalCount @include(if: $count) nodes { version unit @skip(if: $count) { code } category @include(if: $no) { code } } } }";
        let page = board.data(nested);
        assert_eq!(page["complaints"]["totalCount"], 6, "{page}");
        assert_eq!(page["complaints"]["nodes"][0].object().len(), 1, "{page}");
    }
}

/// A way from an argument of a query to an input type: the field of the query, the type of its argument, and the fields
/// between, each with whether it is a list.
#[derive(Clone)]
struct Way {
    field: String,
    argument: String,
    of: String,
    between: Vec<(String, bool)>,
}

impl Way {
    /// The argument with a condition that is null at the end of the way.
    fn with_null(&self, condition: &str) -> Value {
        self.between.iter().rev().fold(
            json!({ condition: null }),
            |inner, (field, is_list)| json!({ field: if *is_list { json!([inner]) } else { inner } }),
        )
    }
}

fn is_list(of: &Type) -> bool {
    matches!(of.base, BaseType::List(_))
}

/// The shortest way to each type of conditions.
fn ways(types: &Types) -> HashMap<String, Way> {
    let mut found: HashMap<String, Way> = HashMap::new();
    let mut next: VecDeque<(String, Way)> = VecDeque::new();
    for (field, _, arguments) in &types.outputs["Query"] {
        for (argument, of) in arguments.iter().filter(|(_, of)| types.inputs.contains_key(&named(of)) && !is_list(of)) {
            let way = Way { field: field.clone(), argument: argument.clone(), of: of.to_string(), between: Vec::new() };
            next.push_back((named(of), way));
        }
    }
    while let Some((of, way)) = next.pop_front() {
        if found.contains_key(&of) {
            continue;
        }
        for (field, below) in &types.inputs[&of] {
            if types.inputs.contains_key(&named(below)) {
                let mut longer = way.clone();
                longer.between.push((field.clone(), is_list(below)));
                next.push_back((named(below), longer));
            }
        }
        found.insert(of, way);
    }
    found
}

#[test]
fn a_condition_that_is_null_is_refused_wherever_it_stands() {
    let files = Files::new();
    let key = files.key_file();
    let app = TestApp::sqlite().world().arguments(&["--no-jobs", "--dev", "--key-file", &key]).start();
    let clients = [app.as_role(Role::Board), app.as_role(Role::Admin), app.as_head("02"), app.as_role(Role::DataTeam)];
    let types = Types::new(&app.server().get("/schema.graphql").text);
    let ways = ways(&types);
    let mut walked = 0;
    for (of, fields) in &types.inputs {
        if !["Filter", "Having", "Ops"].iter().any(|kind| of.ends_with(kind)) {
            continue;
        }
        let way = ways.get(of).unwrap_or_else(|| panic!("no query takes {of}"));
        for (condition, _) in fields {
            let Way { field, argument, of, .. } = way;
            let more = if field == "complaintStatistics" { ", groupBy: [YEAR]" } else { "" };
            let document = format!("query($c: {of}) {{ {field}({argument}: $c{more}) {{ __typename }} }}");
            let variables = json!({ "c": way.with_null(condition) });
            let answers = clients.each_ref().map(|client| client.request_with(&document, &variables));
            for answer in &answers {
                assert!(answer.json()["data"].is_null(), "{document} {variables}: {answer:?}");
            }
            let refused = answers.iter().any(|answer| answer.text.contains("is null"));
            assert!(refused, "{document} {variables}: {answers:?}");
            walked += 1;
        }
    }
    assert!(walked > 150, "{walked} conditions");
}

#[test]
fn a_scope_without_a_value_is_no_scope() {
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = app.world().keyed(&files).arguments(&["--no-jobs"]).start();
        let board = app.as_role(Role::Board);
        for document in [
            "query($u: String) { complaints(filter: {unit: {within: $u}}) { totalCount } }",
            "query($u: String = null) { complaints(filter: {unit: {within: $u}}) { totalCount } }",
            "query($u: UnitFilter) { complaints(filter: {unit: $u}) { totalCount } }",
            "query($u: [ComplaintFilter!]) { complaints(filter: {or: $u}) { totalCount } }",
            "query($u: ComplaintFilter) { complaints(filter: {not: $u}) { totalCount } }",
            "query($u: String) { complaintStatistics(groupBy: [YEAR], filter: {unitWithin: $u}) { totals { complaints } } }",
            "query($u: [String!]) { complaintStatistics(groupBy: [YEAR], filter: {officerIn: $u}) { totals { complaints } } }",
            "query($u: [String!]) { complaintStatistics(groupBy: [YEAR], filter: {categoryIn: $u}) { totals { complaints } } }",
            "query($u: DateTime) { complaintStatistics(groupBy: [YEAR], filter: {receivedFrom: $u}) { totals { complaints } } }",
            "query($u: String) { units { nodes { complaints(filter: {search: $u}) { totalCount } } } }",
            "query($u: String) { complaints(filter: {reference: $u}) { totalCount } }",
            "query($u: IdOps) { complaints(filter: {id: $u}) { totalCount } }",
        ] {
            for variables in [json!({}), json!({ "u": null })] {
                let answer = board.request_with(document, &variables);
                let database = app.database.name;
                assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{database}: {document} {variables}: {answer:?}");
            }
        }
        let bearer = format!("Bearer {}", board.token);
        for filter in ["{\"unit\":{\"within\":null}}", "{\"search\":null}", "{\"or\":[{\"unit\":null}]}"] {
            let path: String = filter.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let path = format!("/export/complaints.csv?filter={path}");
            let answer = app.server().send("GET", &path, &[("authorization", &bearer)], "");
            assert_eq!(answer.status, 400, "{filter}: {answer:?}");
        }
        // A filter that is missing, null or empty as a whole excludes nothing.
        for variables in [json!({}), json!({ "f": null }), json!({ "f": {} })] {
            let all =
                board.data_with("query($f: ComplaintFilter) { complaints(filter: $f) { totalCount } }", &variables);
            assert_eq!(all["complaints"]["totalCount"], 6);
        }
    }
}

#[test]
fn a_text_is_no_word_of_an_enum() {
    let app = TestApp::sqlite().world().arguments(&["--no-jobs"]).start();
    let board = app.as_role(Role::Board);
    for document in [
        "{ complaints(filter: {state: {eq: \"CLOSED\"}}) { totalCount } }",
        "{ complaints(filter: {state: {in: [CLOSED, \"RECEIVED\"]}}) { totalCount } }",
        "{ complaintStatistics(groupBy: [\"YEAR\"]) { totals { complaints } } }",
        "{ complaints(orderBy: [{field: RECEIVED_AT, direction: \"DESC\"}]) { totalCount } }",
        "query($f: ComplaintFilter = {state: {eq: \"CLOSED\"}}) { complaints(filter: $f) { totalCount } }",
    ] {
        let answer = board.request(document);
        assert!(answer.json()["data"].is_null() && !answer.codes().is_empty(), "{document}: {answer:?}");
    }
    // Variables are JSON, where a word of an enum is a text.
    for (document, variables) in [
        (
            "query($s: ComplaintState!) { complaints(filter: {state: {eq: $s}}) { totalCount } }",
            json!({ "s": "CLOSED" }),
        ),
        (
            "query($f: ComplaintFilter) { complaints(filter: $f) { totalCount } }",
            json!({ "f": { "state": { "in": ["CLOSED"] } } }),
        ),
        ("query($s: ComplaintState = CLOSED) { complaints(filter: {state: {eq: $s}}) { totalCount } }", json!({})),
    ] {
        board.data_with(document, &variables);
    }
}

#[test]
fn characters_are_found_however_they_are_escaped() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (intake, board) = (app.as_role(Role::Intake), app.as_role(Role::Board));
        let submit = "mutation { submitComplaint(input: {idempotencyKey: \"1\", unit: \"02CV\", category: \"HT\",
            legalForm: FEEDBACK, channel: PORTAL, text: \"vui \\uD83D\\uDE00 \\u{111}\\u1ECFi\"}) { reference } }";
        intake.data(submit);
        for escaped in ["\u{1f600}", "\\uD83D\\uDE00", "\\u{1F600}", "\\u{001f600}"] {
            let document =
                format!("{{ complaints(filter: {{text: {{like: \"%{escaped}%\"}}}}) {{ nodes {{ text }} }} }}");
            let found = board.data(&document);
            assert_eq!(found["complaints"]["nodes"], json!([{ "text": "vui \u{1f600} đỏi" }]), "{document}");
        }
        for wrong in ["\\uD83D", "\\u{110000}", "\\u{}", "\\x41"] {
            let document = format!("{{ complaints(filter: {{search: \"{wrong}\"}}) {{ totalCount }} }}");
            assert_eq!(board.codes(&document), ["GRAPHQL_PARSE_FAILED"], "{document}");
        }
    }
}

#[test]
fn a_pattern_ends_with_no_half_of_an_escape() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let ask = "query($p: String) { complaints(filter: {text: {like: $p}}) { totalCount } }";
        for pattern in ["\\", "a\\", "\\\\\\", "%\\"] {
            let answer = board.request_with(ask, &json!({ "p": pattern }));
            assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{}: {pattern}: {answer:?}", app.database.name);
        }
        for pattern in ["\\\\", "\\%", "a\\_", "%"] {
            board.data_with(ask, &json!({ "p": pattern }));
        }
        // The text of a search is no pattern.
        let search = "query($p: String) { complaints(filter: {search: $p}) { totalCount } }";
        assert_eq!(board.data_with(search, &json!({ "p": "\\" }))["complaints"]["totalCount"], 0);
    }
}

#[test]
fn what_is_never_null_is_null_for_no_complaint() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let count = |filter: &str| {
            let found = board.data(&format!("{{ complaints(filter: {filter}) {{ totalCount }} }}"));
            found["complaints"]["totalCount"].integer()
        };
        // `anonymous` is computed, the others are columns.
        for field in ["anonymous", "blamesSystem", "confidential", "id", "receivedAt", "state"] {
            let counts = [
                format!("{{{field}: {{isNull: true}}}}"),
                format!("{{{field}: {{isNull: false}}}}"),
                format!("{{not: {{{field}: {{isNull: true}}}}}}"),
                format!("{{or: [{{{field}: {{isNull: true}}}}]}}"),
            ]
            .map(|filter| count(&filter));
            assert_eq!(counts, [0, 6, 6, 0], "{}: {field}", app.database.name);
        }
        // All operators of a field must hold.
        for (operators, expected) in [
            ("eq: true", 1),
            ("ne: true", 5),
            ("eq: true, ne: true", 0),
            ("eq: true, isNull: false", 1),
            ("eq: false, isNull: false", 5),
            ("eq: false, isNull: true", 0),
        ] {
            assert_eq!(count(&format!("{{anonymous: {{{operators}}}}}")), expected, "{operators}");
        }
    }
}
