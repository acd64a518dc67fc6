//! Complaints: the list, one complaint with what may be done with it, redacted complaints, and proposed corrections.

mod change;
mod changes;
mod corrections;
mod facts;
mod filter;
mod history;
mod input;
pub mod list;
mod one;
mod redacted;
mod steps;

use crate::web::{Cell, PageError, Visit, name, nodes, text};
use actix_web::web::{ServiceConfig, get, post};
use serde_json::{Value, json};

const CATEGORIES: &str = include_str!("../../queries/complaints-categories.graphql");

/// Pages of categories that a form asks for, at most.
const PAGES_OF_CATEGORIES: usize = 5;

pub fn routes(config: &mut ServiceConfig) {
    config
        .route("/complaints", get().to(list::list))
        .route("/complaints/redacted", get().to(redacted::list))
        .route("/complaints/redacted", post().to(redacted::change))
        .route("/complaints/changes", get().to(changes::list))
        .route("/complaints/corrections", get().to(corrections::list))
        .route("/complaints/corrections", post().to(corrections::change))
        .route("/complaints/{id}", get().to(one::one))
        .route("/complaints/{id}", post().to(change::change));
}

/// The word of a value of an enum: `complaints-prefix-VALUE`; empty for null.
pub fn word(visit: &Visit, prefix: &str, value: &Value) -> String {
    value.as_str().map(|value| visit.t(&format!("complaints-{prefix}-{value}"))).unwrap_or_default()
}

/// The values of an enum with their words.
pub fn options<'w>(visit: &Visit, prefix: &str, values: &[&'w str]) -> Vec<(&'w str, String)> {
    values.iter().map(|value| (*value, visit.t(&format!("complaints-{prefix}-{value}")))).collect()
}

/// A unit as a cell that leads to it; empty for null.
pub fn unit_cell(visit: &Visit, unit: &Value) -> Cell {
    match unit["code"].as_str() {
        Some(code) => Cell::link(name(unit, visit.locale()), format!("/units/{}", crate::web::address::encoded(code))),
        None => Cell::default(),
    }
}

/// The code of an object and its name; empty for null.
pub fn code_and_name(visit: &Visit, object: &Value) -> String {
    match object["code"].as_str() {
        Some(code) => format!("{code} · {}", name(object, visit.locale())),
        None => String::new(),
    }
}

/// The categories that a form offers, by their codes.
///
/// # Errors
/// The errors of the question.
async fn categories(visit: &Visit) -> Result<Vec<(String, String)>, PageError> {
    let first = visit.service.settings.limits(Some(visit.role())).page_size;
    let (mut found, mut after) = (Vec::new(), Value::Null);
    for _ in 0..PAGES_OF_CATEGORIES {
        let data = visit.query(CATEGORIES, json!({ "first": first, "after": after })).await?;
        let list = &data["issueCategories"];
        let of_page = nodes(list).map(|one| (text(&one["code"]).to_owned(), code_and_name(visit, one)));
        found.extend(of_page);
        if list["pageInfo"]["hasNextPage"] != true {
            break;
        }
        after = list["pageInfo"]["endCursor"].clone();
    }
    found.sort();
    Ok(found)
}
