//! Other people's clients and tools against the server.

use crate::program;
use serde_json::{Value, json};
use std::process::Command;
use tests::fixtures::{self, Files};
use tests::{Database, Json, clients, node, project, python};

/// The schema as a file among the clients, who look for it there.
pub fn schema(name: &str) -> String {
    let path = clients().join(name);
    std::fs::write(&path, api::graphql::sdl(&api::graphql::schema(false))).unwrap();
    path.display().to_string()
}

#[test]
fn the_schema_follows_the_rules_of_relay() {
    let messages = node("relay.js", &[&schema("relay.graphql")]);
    assert_eq!(serde_json::from_str::<Value>(&messages).unwrap(), json!([]));
}

#[test]
fn urql_queries_persists_and_subscribes() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let server = program().serve(&database, &["--no-jobs"]);
    let given = json!({
        "http": format!("{}/graphql", server.address), "ws": format!("{}/graphql/ws", server.address.replace("http", "ws")),
        "board": program().token(&database, "BOARD", None), "intake": program().token(&database, "INTAKE", None),
    });
    let outcome: Value = serde_json::from_str(&node("urql.js", &[&given.to_string()])).unwrap();
    assert_eq!(outcome["first"]["complaints"]["totalCount"], 6, "{outcome}");
    assert_eq!(outcome["second"]["complaints"]["nodes"].list().len(), 3);
    assert_eq!(outcome["code"], "BAD_USER_INPUT");
    assert_eq!(outcome["heard"], json!({ "complaintReceived": { "text": "từ urql" } }));
    // The hash alone at first; the text once it was not known; then the hash is enough.
    let asked: Vec<(bool, bool)> =
        outcome["asked"].list().iter().take(3).map(|one| (one["text"] == true, one["hash"] == true)).collect();
    assert_eq!(asked, [(false, true), (true, true), (false, true)], "{outcome}");
}

#[test]
fn a_typescript_client_is_generated_compiles_and_asks() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let server = program().serve(&database, &["--no-jobs"]);
    let given = json!({
        "schema": schema("codegen.graphql"), "documents": project().join("docs/client").canonicalize().unwrap().join("*.graphql"),
        "http": format!("{}/graphql", server.address), "token": program().token(&database, "BOARD", None),
    });
    let outcome: Value = serde_json::from_str(&node("codegen.js", &[&given.to_string()])).unwrap();
    assert_eq!((&outcome["complaints"], &outcome["total"]), (&json!(6), &json!(6)));
    let ids: std::collections::BTreeSet<&str> = outcome["ids"].list().iter().map(Json::text).collect();
    assert_eq!(ids.len(), 4, "two pages of two");
}

#[test]
fn a_python_client_is_generated_and_asks() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let server = program().serve(&database, &["--no-jobs"]);
    let files = Files::new();
    let given = json!({
        "schema": schema("ariadne.graphql"), "documents": project().join("docs/client").canonicalize().unwrap(), "folder": files.path(),
        "http": format!("{}/graphql", server.address), "token": program().token(&database, "BOARD", None),
    });
    let python = python(&["ariadne_codegen"], &[], &["ariadne-codegen==0.19.0"]);
    let output =
        Command::new(python).arg(project().join("tests/clients/ariadne.py")).arg(given.to_string()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&outcome["complaints"], &outcome["total"]), (&json!(6), &json!(6)));
}

/// What breaks from one schema to another, and what is deprecated without a date.
fn changes(before: &str, after: &str) -> (Vec<String>, Vec<String>) {
    let found: Value = serde_json::from_str(&node("breaking.js", &[before, after])).unwrap();
    let texts = |key: &str| -> Vec<String> { serde_json::from_value(found[key].clone()).unwrap() };
    let undated = texts("deprecated").into_iter().filter(|text| {
        let until = text.split_once(": ").and_then(|(_, reason)| reason.strip_prefix("deprecated until "));
        until.and_then(|rest| rest.get(..10)?.parse::<chrono::NaiveDate>().ok()).is_none()
    });
    (texts("breaking"), undated.collect())
}

#[test]
fn no_change_breaks_a_client_unless_it_is_marked() {
    let released = project().join("docs/schema.released.graphql");
    let marked = std::fs::read_to_string(project().join("docs/breaking.txt")).unwrap();
    let marked: Vec<&str> =
        marked.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split(" -- ").next()).collect();
    let (breaking, undated) = changes(&released.display().to_string(), &schema("now.graphql"));
    let unmarked: Vec<&String> = breaking.iter().filter(|change| !marked.contains(&change.as_str())).collect();
    assert!(unmarked.is_empty(), "mark them in docs/breaking.txt with a reason: {unmarked:#?}");
    assert!(undated.is_empty(), "{undated:?}");

    // The comparison itself notices.
    let now = api::graphql::sdl(&api::graphql::schema(false));
    let file = |name: &str, text: &str| {
        let path = clients().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let without = now.replacen("\treceivedAt: DateTime!\n", "", 1);
    let deprecated = now.replacen("\tversion: Int!\n", "\tversion: Int! @deprecated(reason: \"some day\")\n", 1);
    assert!(without != now && deprecated != now);
    let (breaking, _) = changes(&schema("now.graphql"), &file("without.graphql", &without));
    assert_eq!(breaking, ["Complaint.receivedAt was removed."]);
    assert_eq!(changes(&schema("now.graphql"), &file("deprecated.graphql", &deprecated)).1.len(), 1);
}
