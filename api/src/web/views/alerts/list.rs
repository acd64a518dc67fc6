//! The list of alerts.

use super::subjects::Subjects;
use crate::web::views::conditions::{Conditions, given, options, word};
use crate::web::views::paging;
use crate::web::{Cell, Page, PageError, Table, Visit, nodes, text};
use actix_web::HttpResponse;
use fluent_bundle::FluentValue;
use schema::enums::AlertKind;
use serde_json::{Value, json};

const LIST: &str = include_str!("../../queries/alerts-list.graphql");

/// Alerts of a page.
const ROWS: u32 = 25;
/// What stands, and what is over.
const STATES: [&str; 2] = ["STANDING", "CLEARED"];

pub async fn list(visit: Visit) -> HttpResponse {
    let page = page(&visit).await;
    visit.respond(page)
}

async fn page(visit: &Visit) -> Result<Page, PageError> {
    let [standing, cleared] = STATES;
    let states = [(standing, json!({ "isNull": true })), (cleared, json!({ "isNull": false }))];
    let conditions = Conditions::new(visit)
        .word("kind", "kind", AlertKind::WORDS)
        .choice("state", "clearedAt", &states)
        .at("subject", &["subject", "eq"])
        .days("day");
    let listed = conditions.ask(LIST, ROWS).await?;
    let list = &listed.data["alerts"];
    let (newer, older) = paging::links(visit, list);
    Ok(Page::new("alerts.html", visit.t("alerts-title"))
        .table(table(visit, list).await?)
        .with("total", list["totalCount"].as_u64())
        .with("kinds", options(visit, "alerts-kind", AlertKind::WORDS))
        .with("states", options(visit, "alerts-state", &STATES))
        .with("given", given(visit, &["kind", "state", "subject", "from", "until"]))
        .with("newer", newer)
        .with("older", older)
        .problems(listed.problems))
}

/// The table of some alerts, with the names of their subjects.
///
/// # Errors
/// As the question for the subjects says.
pub async fn table(visit: &Visit, alerts: &Value) -> Result<Table, PageError> {
    let subjects = Subjects::of(visit, alerts).await?;
    let columns = ["subject", "kind", "raised", "cleared", "details"];
    let columns = columns.map(|column| visit.t(&format!("alerts-{column}")));
    let rows = nodes(alerts).map(|alert| {
        let cleared = match alert["clearedAt"].is_null() {
            true => Cell::text(visit.t("alerts-stands")).marked("mark-late"),
            false => Cell::text(visit.time(&alert["clearedAt"])),
        };
        vec![
            subjects.cell(visit, alert),
            Cell::text(word(visit, "alerts-kind", &alert["kind"])),
            Cell::text(visit.time(&alert["raisedAt"])),
            cleared,
            Cell::text(details(visit, alert)),
        ]
    });
    Ok(Table::new("alerts", visit.t("alerts-caption"), &columns, rows))
}

/// The numbers and times of an alert, in a sentence.
fn details(visit: &Visit, alert: &Value) -> String {
    let of = &alert["details"];
    let number = |name: &'static str, digits: usize| -> (&'static str, FluentValue<'static>) {
        (name, visit.number(of[name].as_f64().unwrap_or_default(), digits).into())
    };
    let time = |name: &'static str| -> (&'static str, FluentValue<'static>) { (name, visit.time(&of[name]).into()) };
    let kind = text(&alert["kind"]);
    let values = match kind {
        "TECHNICAL_BURST" => vec![
            number("complaints", 0),
            number("expected", 1),
            number("falseAlarmsPerMonth", 1),
            time("from"),
            time("to"),
        ],
        "JOB_FAILED" => vec![time("scheduledAt"), number("attempts", 0)],
        "JOB_MISSED" => vec![time("scheduledAt")],
        "DIGEST_UNDELIVERED" => vec![("asOf", visit.date(&of["asOf"]).into()), number("deliveries", 0)],
        _ => Vec::new(),
    };
    let told = visit.t_with(&format!("alerts-details-{kind}"), &values);
    // It was over and began again on its day.
    if of["standsAgain"] == true { format!("{told} {}", visit.t("alerts-again")) } else { told }
}
