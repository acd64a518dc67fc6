//! Overdue complaints, the units that have to answer them, and the escalations of complaints.

use super::arguments::Arguments;
use super::complaints::list::{document, due, reference};
use super::complaints::unit_cell;
use super::conditions::{ask, moments};
use super::numbers::{Form, cell};
use super::paging;
use crate::web::{Cell, Page, PageError, Table, Visit, name, nodes, text};
use actix_web::HttpResponse;
use actix_web::web::{ServiceConfig, get};
use serde_json::{Value, json};

const UNITS: &str = include_str!("../queries/overdue-units.graphql");
const ESCALATIONS: &str = include_str!("../queries/overdue-escalations.graphql");

/// Rows of a page.
const ROWS: u32 = 25;
/// More days than a complaint can be overdue.
const MOST_DAYS: i64 = 1_000_000;

pub fn routes(config: &mut ServiceConfig) {
    config.route("/overdue", get().to(overdue)).route("/overdue/escalations", get().to(escalations));
}

async fn overdue(visit: Visit) -> HttpResponse {
    let page = overdue_page(&visit).await;
    visit.respond(page)
}

async fn overdue_page(visit: &Visit) -> Result<Page, PageError> {
    let unit = visit.argument("unit");
    let mut arguments = Arguments::new(visit);
    let mut filter = json!({ "overdue": { "eq": true } });
    let mut of_statistics = json!({});
    if let Some(code) = unit {
        filter["responsibleUnit"] = json!({ "within": code });
        of_statistics["responsibleUnitWithin"] = code.into();
    }
    if let Some(days) = arguments.number(("days", "overdue-at-least"), (0, MOST_DAYS)) {
        filter["overdueDays"] = json!({ "gte": days });
    }
    let mut problems = arguments.problems();
    let mut variables = json!({ "filter": filter, "orderBy": [{ "field": "OVERDUE_DAYS", "direction": "DESC" }] });
    paging::ask(visit, ROWS, &mut variables);
    paging::ask_count(unit.is_none(), &mut variables);
    let list = ask(visit, document(visit), variables, &mut problems).await?;
    let units = ask(visit, UNITS, json!({ "filter": of_statistics }), &mut problems).await?;
    let (newer, older) = paging::links(visit, &list["complaints"]);
    Ok(Page::new("overdue.html", visit.t("overdue-title"))
        .table(units_table(visit, &units["complaintStatistics"]["rows"]))
        .table(complaints_table(visit, &list["complaints"]))
        .with("total", paging::total(&list["complaints"]))
        .with("has_escalations", visit.may("Query", "escalations"))
        .with("unit", unit.unwrap_or_default())
        .with("days", visit.argument("days").unwrap_or_default())
        .with("newer", newer)
        .with("older", older)
        .problems(problems))
}

fn columns<const N: usize>(visit: &Visit, names: [&str; N]) -> [String; N] {
    names.map(|column| visit.t(&format!("overdue-column-{column}")))
}

fn count(visit: &Visit, value: &Value) -> Cell {
    cell(visit, Form::Count, value)
}

/// The units for which most overdue complaints wait.
fn units_table(visit: &Visit, rows: &Value) -> Table {
    let row = |one: &Value| {
        let unit = &one["responsibleUnit"];
        let unit = match unit["code"].as_str() {
            Some(code) => Cell::link(name(unit, visit.locale()), visit.link(&[("unit", Some(code)), ("after", None)])),
            None => Cell::text(visit.t("overdue-no-unit")),
        };
        vec![
            unit,
            count(visit, &one["overdue"]).marked("mark-late"),
            count(visit, &one["open"]),
            count(visit, &one["escalated"]),
        ]
    };
    let columns = columns(visit, ["unit", "overdue", "open", "escalated"]);
    let rows = rows.as_array().into_iter().flatten().map(row);
    Table::new("units", visit.t("overdue-units"), &columns, rows)
}

/// The complaints that are overdue, the longest first.
fn complaints_table(visit: &Visit, list: &Value) -> Table {
    let row = |one: &Value| {
        vec![
            reference(one),
            due(visit, one),
            count(visit, &one["overdueDays"]),
            unit_cell(visit, &one["responsibleUnit"]),
            unit_cell(visit, &one["escalatedTo"]),
            Cell::text(name(&one["category"], visit.locale())),
            Cell::text(visit.t(&format!("state-{}", text(&one["state"])))),
        ]
    };
    let columns = columns(visit, ["complaint", "due", "days", "responsible", "escalated-to", "category", "state"]);
    Table::new("complaints", visit.t("overdue-complaints"), &columns, nodes(list).map(row))
}

async fn escalations(visit: Visit) -> HttpResponse {
    let page = escalations_page(&visit).await;
    visit.respond(page)
}

async fn escalations_page(visit: &Visit) -> Result<Page, PageError> {
    if !visit.may("Query", "escalations") {
        return Err(PageError::Forbidden);
    }
    let mut arguments = Arguments::new(visit);
    let mut filter = json!({});
    let mut units = json!({});
    if let Some(code) = visit.argument("unit") {
        units["within"] = code.into();
    }
    if let Some(code) = visit.argument("named") {
        units["code"] = json!({ "eq": code });
    }
    if units != json!({}) {
        filter["unit"] = units;
    }
    if let Some(confidential) = arguments.flag(("confidential", "overdue-confidential")) {
        filter["complaint"] = json!({ "confidential": { "eq": confidential } });
    }
    match arguments.word(("level", "overdue-column-level"), &["1", "2"], "overdue-level") {
        Some("1") => filter["level"] = 1.into(),
        Some(_) => filter["level"] = 2.into(),
        None => {}
    }
    if visit.argument("all").is_none() {
        filter["open"] = json!({ "eq": true });
    }
    let (from, before) = arguments.span("overdue");
    let at = moments(from, before);
    if !at.is_empty() {
        filter["escalatedAt"] = at.into();
    }
    let mut problems = arguments.problems();
    let mut variables = json!({ "filter": filter });
    paging::ask(visit, ROWS, &mut variables);
    let data = ask(visit, ESCALATIONS, variables, &mut problems).await?;
    let list = &data["escalations"];
    let (newer, older) = paging::links(visit, list);
    let levels = ["1", "2"].map(|level| (level, visit.t(&format!("overdue-level-{level}"))));
    let given = |name: &str| visit.argument(name).unwrap_or_default().to_owned();
    Ok(Page::new("overdue-escalations.html", visit.t("overdue-escalations-title"))
        .table(escalations_table(visit, list))
        .with("total", list["totalCount"].as_u64())
        .with("levels", levels)
        .with("unit", given("unit"))
        .with("named", given("named"))
        .with("confidential", given("confidential"))
        .with("level", given("level"))
        .with("begin", given("from"))
        .with("end", given("until"))
        .with("all", given("all"))
        .with("newer", newer)
        .with("older", older)
        .problems(problems))
}

fn escalations_table(visit: &Visit, list: &Value) -> Table {
    let row = |one: &Value| {
        let complaint = &one["complaint"];
        let unit = match one["unit"].is_null() {
            true => Cell::text(visit.t("role-BOARD")),
            false => unit_cell(visit, &one["unit"]),
        };
        let (complaint_cell, state) = match complaint.is_null() {
            true => (Cell::text(visit.t("overdue-not-visible")), String::new()),
            false => (reference(complaint), visit.t(&format!("state-{}", text(&complaint["state"])))),
        };
        vec![
            complaint_cell,
            visit.time_cell(&one["escalatedAt"]),
            count(visit, &one["level"]),
            unit,
            visit.day_cell(&one["dueOn"]),
            count(visit, &one["round"]),
            unit_cell(visit, &complaint["responsibleUnit"]),
            Cell::text(name(&complaint["category"], visit.locale())),
            Cell::text(state),
        ]
    };
    let columns = columns(
        visit,
        ["complaint", "escalated-at", "level", "escalated-to", "due", "round", "responsible", "category", "state"],
    );
    Table::new("escalations", visit.t("overdue-escalations"), &columns, nodes(list).map(row))
}
