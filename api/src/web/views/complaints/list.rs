//! The list of complaints: search, filters, pages.

use super::filter::{ARGUMENTS, ORDERS, counts_quickly, filter_and_order, has_more};
use super::{options, unit_cell};
use crate::web::views::conditions::ask;
use crate::web::views::{numbers, paging};
use crate::web::{Cell, Page, PageError, Table, Visit, name, nodes, text};
use actix_web::HttpResponse;
use schema::enums::{CategoryKind, Channel, ComplaintState, Finding, LegalForm};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Query for roles that see references.
pub const LIST: &str = include_str!("../../queries/complaints-list.graphql");
/// Query for roles that see pseudonyms.
pub const PSEUDONYMS: &str = include_str!("../../queries/complaints-list-pseudonyms.graphql");

/// Complaints of a page.
const ROWS: u32 = 25;

pub async fn list(visit: Visit) -> HttpResponse {
    let page = page(&visit).await;
    visit.respond(page)
}

async fn page(visit: &Visit) -> Result<Page, PageError> {
    let (filter, order, mut problems) = filter_and_order(visit);
    let exact = counts_quickly(&filter);
    let mut variables = json!({ "filter": filter, "orderBy": order });
    paging::ask(visit, ROWS, &mut variables);
    paging::ask_count(exact, &mut variables);
    let data = ask(visit, document(visit), variables, &mut problems).await?;
    let list = &data["complaints"];
    let (newer, older) = paging::links(visit, list);
    let given: BTreeMap<&str, &str> =
        ARGUMENTS.iter().map(|name| (*name, visit.argument(name).unwrap_or_default())).collect();
    let states: Vec<(&str, String)> =
        ComplaintState::WORDS.iter().map(|word| (*word, visit.t(&format!("state-{word}")))).collect();
    let orders: Vec<(&str, String)> =
        ORDERS.iter().map(|(word, ..)| (*word, visit.t(&format!("complaints-order-{word}")))).collect();
    let flag = ["1", "0"].map(|flag| (flag, visit.t(if flag == "1" { "form-yes" } else { "form-no" })));
    Ok(Page::new("complaints.html", visit.t("complaints-title"))
        .table(table(visit, list, "complaints-caption"))
        .with("total", paging::total(list))
        .with("identified", visit.may("ComplaintFilter", "search"))
        .with("has_redacted", visit.may("Query", "redactedComplaints"))
        .with("has_corrections", visit.may("Query", "correctionProposals"))
        .with("has_more", has_more(visit))
        .with("states", states)
        .with("orders", orders)
        .with("flags", flag)
        .with("findings", options(visit, "finding", Finding::WORDS))
        .with("channels", options(visit, "channel", Channel::WORDS))
        .with("forms", options(visit, "form", LegalForm::WORDS))
        .with("kinds", numbers::options(visit, "numbers-kind", CategoryKind::WORDS))
        .with("given", given)
        .with("more_units", visit.arguments("unit").skip(1).collect::<Vec<_>>())
        .with("more_categories", visit.arguments("category").skip(1).collect::<Vec<_>>())
        .with("newer", newer)
        .with("older", older)
        .problems(problems))
}

/// The document of the list for the role of the reader.
pub fn document(visit: &Visit) -> &'static str {
    if visit.may("Complaint", "reference") { LIST } else { PSEUDONYMS }
}

/// The complaints of a page.
pub fn table(visit: &Visit, list: &Value, caption: &str) -> Table {
    let columns = ["reference", "received", "state", "unit", "category", "responsible", "due"]
        .map(|column| visit.t(&format!("complaints-{column}")));
    Table::new("complaints", visit.t(caption), &columns, nodes(list).map(|complaint| row(visit, complaint)))
}

fn row(visit: &Visit, complaint: &Value) -> Vec<Cell> {
    vec![
        reference(complaint),
        visit.day_cell(&complaint["receivedAt"]),
        Cell::text(visit.t(&format!("state-{}", text(&complaint["state"])))),
        unit_cell(visit, &complaint["unit"]),
        Cell::text(name(&complaint["category"], visit.locale())),
        unit_cell(visit, &complaint["responsibleUnit"]),
        due(visit, complaint),
    ]
}

/// The reference of a complaint, which leads to it, or its pseudonym.
pub fn reference(complaint: &Value) -> Cell {
    match complaint["reference"].as_str() {
        Some(reference) => Cell::link(reference, format!("/complaints/{}", text(&complaint["id"]))),
        None => Cell::text(text(&complaint["pseudonym"])),
    }
}

/// The deadline, and whether it has passed.
pub fn due(visit: &Visit, complaint: &Value) -> Cell {
    let mut day = visit.day_cell(&complaint["dueOn"]);
    if complaint["overdue"] == true {
        day.text = visit.t_with("complaints-overdue", &[("day", day.text.into())]);
        day = day.marked("mark-late");
    }
    day
}
