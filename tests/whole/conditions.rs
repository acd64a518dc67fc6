//! What a client leaves out, sets to null or writes in another way never changes in silence what it asks for.

use crate::fuzz::{Types, named};
use crate::program;
use crate::world::{self, Files};
use async_graphql_parser::types::{BaseType, Type};
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use tests::{Database, Server};

/// The names of principals that begin so.
fn principals(server: &Server, admin: &str, beginning: &str) -> usize {
    let all = server.data(admin, "{ principals(first: 200) { nodes { name } } }");
    let nodes = all["principals"]["nodes"].as_array().unwrap();
    nodes.iter().filter(|node| node["name"].as_str().unwrap().starts_with(beginning)).count()
}

#[test]
fn the_default_of_a_variable_decides_in_directives() {
    for database in Database::both() {
        world::fill(&database);
        let admin = program().token(&database, "ADMIN", None);
        let board = program().token(&database, "BOARD", None);
        let server = program().serve(&database, &["--no-jobs"]);
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
            let headers = [("content-type", "application/json"), ("authorization", &*format!("Bearer {admin}"))];
            let answer = server.send("POST", "/graphql", &headers, &body);
            assert_eq!(answer.json()["data"], json!({ "__typename": "Mutation" }), "{document}: {answer:?}");
            assert_eq!(principals(&server, &admin, "ghost"), 0, "{}: {document}", database.name);
        }
        // What is given goes before the default.
        let made = format!("mutation R($skip: Boolean = true) {{ {make} @skip(if: $skip) {below} }}");
        server.data_with(&admin, &made, &json!({ "skip": false }));
        assert_eq!(principals(&server, &admin, "ghost"), 1);
        let nested = "query Q($count: Boolean = true, $no: Boolean = false) { complaints(first: 1) {
            totalCount @include(if: $count) nodes { version unit @skip(if: $count) { code } category @include(if: $no) { code } } } }";
        let page = server.data(&board, nested);
        assert_eq!(page["complaints"]["totalCount"], 6, "{page}");
        assert_eq!(page["complaints"]["nodes"][0].as_object().unwrap().len(), 1, "{page}");
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
    let database = Database::sqlite();
    world::fill(&database);
    let files = Files::new();
    let key = files.path().join("key").display().to_string();
    program().run(&database, ["key", "create", &key]).ok();
    let roles = ["BOARD", "ADMIN", "UNIT_HEAD", "DATA_TEAM"];
    let tokens = roles.map(|role| program().token(&database, role, (role == "UNIT_HEAD").then_some("02")));
    let server = program().serve(&database, &["--no-jobs", "--dev", "--key-file", &key]);
    let types = Types::new(&server.get("/schema.graphql").text);
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
            let answers = tokens.each_ref().map(|token| server.graphql(token, &document, &variables));
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
    for database in Database::both() {
        world::fill(&database);
        let files = Files::new();
        let key = files.path().join("key").display().to_string();
        program().run(&database, ["key", "create", &key]).ok();
        let board = program().token(&database, "BOARD", None);
        let server = program().serve(&database, &["--no-jobs", "--key-file", &key]);
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
                let answer = server.graphql(&board, document, &variables);
                assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{}: {document} {variables}: {answer:?}", database.name);
            }
        }
        let bearer = format!("Bearer {board}");
        for filter in ["{\"unit\":{\"within\":null}}", "{\"search\":null}", "{\"or\":[{\"unit\":null}]}"] {
            let path: String = filter.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let path = format!("/export/complaints.csv?filter={path}");
            let answer = server.send("GET", &path, &[("authorization", &bearer)], "");
            assert_eq!(answer.status, 400, "{filter}: {answer:?}");
        }
        // No filter at all is one that says so.
        for variables in [json!({}), json!({ "f": null }), json!({ "f": {} })] {
            let all = server.data_with(
                &board,
                "query($f: ComplaintFilter) { complaints(filter: $f) { totalCount } }",
                &variables,
            );
            assert_eq!(all["complaints"]["totalCount"], 6);
        }
    }
}

#[test]
fn a_text_is_no_word_of_an_enum() {
    let database = Database::sqlite();
    world::fill(&database);
    let board = program().token(&database, "BOARD", None);
    let server = program().serve(&database, &["--no-jobs"]);
    for document in [
        "{ complaints(filter: {state: {eq: \"CLOSED\"}}) { totalCount } }",
        "{ complaints(filter: {state: {in: [CLOSED, \"RECEIVED\"]}}) { totalCount } }",
        "{ complaintStatistics(groupBy: [\"YEAR\"]) { totals { complaints } } }",
        "{ complaints(orderBy: [{field: RECEIVED_AT, direction: \"DESC\"}]) { totalCount } }",
        "query($f: ComplaintFilter = {state: {eq: \"CLOSED\"}}) { complaints(filter: $f) { totalCount } }",
    ] {
        let answer = server.graphql(&board, document, &json!({}));
        assert!(answer.json()["data"].is_null() && !answer.codes().is_empty(), "{document}: {answer:?}");
    }
    // In variables, which are JSON, words are texts.
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
        server.data_with(&board, document, &variables);
    }
}

#[test]
fn characters_are_found_however_they_are_escaped() {
    for database in Database::both() {
        world::fill(&database);
        let intake = program().token(&database, "INTAKE", None);
        let board = program().token(&database, "BOARD", None);
        let server = program().serve(&database, &["--no-jobs"]);
        let submit = "mutation { submitComplaint(input: {idempotencyKey: \"1\", unit: \"02CV\", category: \"HT\",
            legalForm: FEEDBACK, channel: PORTAL, text: \"vui \\uD83D\\uDE00 \\u{111}\\u1ECFi\"}) { reference } }";
        server.data(&intake, submit);
        for escaped in ["\u{1f600}", "\\uD83D\\uDE00", "\\u{1F600}", "\\u{001f600}"] {
            let document =
                format!("{{ complaints(filter: {{text: {{like: \"%{escaped}%\"}}}}) {{ nodes {{ text }} }} }}");
            let found = server.data(&board, &document);
            assert_eq!(found["complaints"]["nodes"], json!([{ "text": "vui \u{1f600} đỏi" }]), "{document}");
        }
        for wrong in ["\\uD83D", "\\u{110000}", "\\u{}", "\\x41"] {
            let document = format!("{{ complaints(filter: {{search: \"{wrong}\"}}) {{ totalCount }} }}");
            assert_eq!(server.graphql(&board, &document, &json!({})).codes(), ["GRAPHQL_PARSE_FAILED"], "{document}");
        }
    }
}

#[test]
fn a_pattern_ends_with_no_half_of_an_escape() {
    for database in Database::both() {
        world::fill(&database);
        let board = program().token(&database, "BOARD", None);
        let server = program().serve(&database, &["--no-jobs"]);
        let ask = "query($p: String) { complaints(filter: {text: {like: $p}}) { totalCount } }";
        for pattern in ["\\", "a\\", "\\\\\\", "%\\"] {
            let answer = server.graphql(&board, ask, &json!({ "p": pattern }));
            assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{}: {pattern}: {answer:?}", database.name);
        }
        for pattern in ["\\\\", "\\%", "a\\_", "%"] {
            server.data_with(&board, ask, &json!({ "p": pattern }));
        }
        // What is searched for is no pattern.
        let search = "query($p: String) { complaints(filter: {search: $p}) { totalCount } }";
        assert_eq!(server.data_with(&board, search, &json!({ "p": "\\" }))["complaints"]["totalCount"], 0);
    }
}
