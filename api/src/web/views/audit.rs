//! The audit log: looks at people, exports, questions in SQL, changes of tokens.

use super::conditions::{Conditions, argument_values, options, word};
use super::paging;
use crate::web::{Cell, Page, PageError, Table, Visit, nodes, text};
use actix_web::HttpResponse;
use actix_web::web::{ServiceConfig, get};
use schema::enums::{AuditAction, Role};
use serde_json::Value;

const LIST: &str = include_str!("../queries/audit-list.graphql");

/// Entries of a page.
const ROWS: u32 = 50;
/// Characters of the subject of an action that a cell shows.
const SHOWN: usize = 400;

pub fn routes(config: &mut ServiceConfig) {
    config.route("/audit", get().to(list));
}

async fn list(visit: Visit) -> HttpResponse {
    let page = page(&visit).await;
    visit.respond(page)
}

async fn page(visit: &Visit) -> Result<Page, PageError> {
    let conditions = Conditions::new(visit)
        .word(("action", "audit-action"), "action", AuditAction::WORDS, "audit-action")
        .word(("role", "audit-role"), "role", Role::WORDS, "role")
        .at("actor", &["actor", "eq"])
        .moments("at", "audit");
    let listed = conditions.ask(LIST, ROWS).await?;
    let list = &listed.data["auditLog"];
    let (newer, older) = paging::links(visit, list);
    let columns = ["number", "at", "actor", "role", "action", "operation", "objects"];
    let columns = columns.map(|column| visit.t(&format!("audit-{column}")));
    let rows = nodes(list).map(|entry| row(visit, entry));
    Ok(Page::new("audit.html", visit.t("audit-title"))
        .table(Table::new("audit", visit.t("audit-caption"), &columns, rows))
        .with("total", list["totalCount"].as_u64())
        .with("actions", options(visit, "audit-action", AuditAction::WORDS))
        .with("roles", options(visit, "role", Role::WORDS))
        .with("given", argument_values(visit, &["action", "role", "actor", "from", "until"]))
        .with("newer", newer)
        .with("older", older)
        .problems(listed.problems))
}

fn row(visit: &Visit, entry: &Value) -> Vec<Cell> {
    vec![
        // A number of an entry is a name: it is written without separators.
        Cell::text(entry["number"].as_i64().map(|number| number.to_string()).unwrap_or_default()),
        visit.time_cell(&entry["at"]),
        Cell::text(text(&entry["actor"])),
        Cell::text(word(visit, "role", &entry["role"])),
        Cell::text(word(visit, "audit-action", &entry["action"])),
        Cell::text(text(&entry["operation"])),
        Cell::text(objects(visit, &entry["objects"])),
    ]
}

/// The subject of an action, on one line.
fn objects(visit: &Visit, objects: &Value) -> String {
    if objects.is_null() {
        return String::new();
    }
    let whole = objects.to_string();
    let left = whole.chars().count().saturating_sub(SHOWN);
    if left == 0 {
        return whole;
    }
    let shown: String = whole.chars().take(SHOWN).collect();
    let more = f64::from(u32::try_from(left).unwrap_or(u32::MAX));
    format!("{shown}… {}", visit.t_with("audit-more", &[("count", more.into())]))
}
