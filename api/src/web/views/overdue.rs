//! Overdue complaints, which units they wait for, and the escalations of complaints.

use super::complaints::list::{document, due, reference};
use super::complaints::{between, unit_cell};
use super::paging;
use crate::web::{Cell, Page, PageError, Problem, Table, Visit, name, nodes, text};
use actix_web::HttpResponse;
use actix_web::web::{ServiceConfig, get};
use chrono::NaiveDate;
use serde_json::{Value, json};

const UNITS: &str = include_str!("../queries/overdue-units.graphql");
const ESCALATIONS: &str = include_str!("../queries/overdue-escalations.graphql");

/// Rows of a page.
const ROWS: u32 = 25;

pub fn routes(config: &mut ServiceConfig) {
    config.route("/overdue", get().to(overdue)).route("/overdue/escalations", get().to(escalations));
}

async fn overdue(visit: Visit) -> HttpResponse {
    let page = overdue_page(&visit).await;
    visit.respond(page)
}

async fn overdue_page(visit: &Visit) -> Result<Page, PageError> {
    let unit = visit.argument("unit");
    let mut problems = Vec::new();
    let mut filter = json!({ "overdue": { "eq": true } });
    let mut of_statistics = json!({});
    if let Some(code) = unit {
        filter["responsibleUnit"] = json!({ "within": code });
        of_statistics["responsibleUnitWithin"] = code.into();
    }
    if let Some(given) = visit.argument("days") {
        match given.parse::<u32>() {
            Ok(days) => filter["overdueDays"] = json!({ "gte": days }),
            Err(_) => problems.push(Problem::of("days", visit.t("overdue-not-a-number"))),
        }
    }
    let mut variables = json!({ "filter": filter, "orderBy": [{ "field": "OVERDUE_DAYS", "direction": "DESC" }] });
    paging::ask(visit, ROWS, &mut variables);
    let list = ask(visit, document(visit), variables, &mut problems).await?;
    let units = ask(visit, UNITS, json!({ "filter": of_statistics }), &mut problems).await?;
    let (newer, older) = paging::links(visit, &list["complaints"]);
    Ok(Page::new("overdue.html", visit.t("overdue-title"))
        .table(units_table(visit, &units["complaintStatistics"]["rows"]))
        .table(complaints_table(visit, &list["complaints"]))
        .with("total", list["complaints"]["totalCount"].as_u64())
        .with("has_escalations", visit.may("Query", "escalations"))
        .with("unit", unit.unwrap_or_default())
        .with("days", visit.argument("days").unwrap_or_default())
        .with("newer", newer)
        .with("older", older)
        .problems(problems))
}

/// Asks unless the filter is wrong already; a refusal of the filter is a problem of the page.
async fn ask(
    visit: &Visit,
    document: &'static str,
    variables: Value,
    problems: &mut Vec<Problem>,
) -> Result<Value, PageError> {
    if !problems.is_empty() {
        return Ok(Value::Null);
    }
    match visit.query(document, variables).await {
        Err(PageError::Refused(refused)) => {
            problems.extend(refused);
            Ok(Value::Null)
        }
        answer => answer,
    }
}

fn columns<const N: usize>(visit: &Visit, names: [&str; N]) -> [String; N] {
    names.map(|column| visit.t(&format!("overdue-column-{column}")))
}

fn count(visit: &Visit, value: &Value) -> Cell {
    value.as_f64().map(|number| Cell::number(number, visit.number(number, 0))).unwrap_or_default()
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
    let mut problems = Vec::new();
    let mut filter = json!({});
    if let Some(code) = visit.argument("unit") {
        filter["unit"] = json!({ "within": code });
    }
    match visit.argument("level") {
        Some("1") => filter["level"] = 1.into(),
        Some("2") => filter["level"] = 2.into(),
        _ => {}
    }
    if visit.argument("all").is_none() {
        filter["open"] = json!({ "eq": true });
    }
    let mut day = |name: &str| -> Option<NaiveDate> {
        let day = visit.argument(name)?.parse().ok();
        if day.is_none() {
            problems.push(Problem::of(name, visit.t("layout-not-a-date")));
        }
        day
    };
    let at = between(day("from"), day("until"));
    if !at.is_empty() {
        filter["escalatedAt"] = at.into();
    }
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
            Cell::text(visit.time(&one["escalatedAt"])),
            count(visit, &one["level"]),
            unit,
            Cell::text(visit.date(&one["dueOn"])),
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
