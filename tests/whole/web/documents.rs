//! The GraphQL documents of the page, against the schema.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::fixtures::Files;
use tests::{Json, node, project};

#[test]
fn the_documents_of_the_page_follow_the_schema() {
    let files = Files::new();
    let schema = files.put("schema.graphql", api::graphql::sdl(&api::graphql::schema(false)));
    let folder = project().join("api/src/web/queries");
    let paths = [schema.to_str().expect("a path"), folder.to_str().expect("a path")];
    let said = node("documents.js", &paths);
    let found: Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
    assert_eq!(found["wrong"], json!([]));
    let names: Vec<&str> = found["names"].list().iter().map(Json::text).collect();
    assert!(names.len() > 15, "{names:?}");
    // Metrics and the audit log show the names.
    assert!(names.iter().all(|name| name.starts_with("Page")), "{names:?}");
    let different: BTreeSet<&&str> = names.iter().collect();
    assert_eq!(different.len(), names.len(), "two operations have one name: {names:?}");
}
