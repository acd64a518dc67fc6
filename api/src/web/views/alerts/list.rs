//! The list of alerts.

use super::forms::{self, ask};
use super::subjects::{ALL_UNITS, Subjects, is_never_made};
use crate::web::address::address;
use crate::web::templates::in_vietnam;
use crate::web::views::conditions::{Conditions, argument_values, options, word};
use crate::web::views::form::Form;
use crate::web::views::{paging, sending};
use crate::web::{Cell, Page, PageError, Posted, Problem, Table, Visit, nodes, text};
use actix_web::HttpResponse;
use fluent_bundle::FluentValue;
use schema::enums::AlertKind;
use serde_json::{Value, json};

const LIST: &str = include_str!("../../queries/alerts-list.graphql");

/// Alerts of a page.
const ROWS: u32 = 25;
/// Active alerts, and alerts that are over.
const STATES: [&str; 2] = ["STANDING", "CLEARED"];

pub async fn list(visit: Visit) -> HttpResponse {
    let shown = load_page(&visit).await;
    visit.respond(shown)
}

/// The handler of the forms.
pub async fn change(posted: Posted) -> HttpResponse {
    let sent = changed(&posted).await;
    let done = format!("done-alerts-{}", posted.field("step"));
    sending::answer(&posted.visit, sent, "/alerts", &done)
}

async fn changed(posted: &Posted) -> Result<Option<Page>, PageError> {
    let mut forms = forms::of_reader(&posted.visit).await?;
    let problems = sending::send(posted, &mut forms, |form, _| ask(form)).await?;
    match problems.is_empty() {
        true => Ok(None),
        false => page(&posted.visit, &forms, problems).await.map(Some),
    }
}

async fn load_page(visit: &Visit) -> Result<Page, PageError> {
    let forms = forms::of_reader(visit).await?;
    page(visit, &forms, Vec::new()).await
}

/// The page with its forms, and what is wrong with the one that was sent.
async fn page(visit: &Visit, forms: &[Form], mut problems: Vec<Problem>) -> Result<Page, PageError> {
    let [standing, cleared] = STATES;
    let states = [(standing, json!({ "isNull": true })), (cleared, json!({ "isNull": false }))];
    let conditions = Conditions::new(visit)
        .word(("kind", "alerts-kind"), "kind", AlertKind::WORDS, "alerts-kind")
        .choice(("state", "alerts-state"), "clearedAt", &states, "alerts-state")
        .at("subject", &["subject", "eq"])
        .days("day", "alerts");
    let listed = conditions.ask(LIST, ROWS).await?;
    problems.extend(listed.problems);
    let list = &listed.data["alerts"];
    let (newer, older) = paging::links(visit, list);
    Ok(Page::new("alerts.html", visit.t("alerts-title"))
        .table(table(visit, list).await?)
        .with("total", list["totalCount"].as_u64())
        .with("kinds", options(visit, "alerts-kind", AlertKind::WORDS))
        .with("states", options(visit, "alerts-state", &STATES))
        .with("given", argument_values(visit, &["kind", "state", "subject", "from", "until"]))
        .with("newer", newer)
        .with("older", older)
        .with("forms", forms)
        .problems(problems))
}

/// The table of some alerts, with the names of their subjects.
///
/// # Errors
/// The errors of the question for the subjects.
pub async fn table(visit: &Visit, alerts: &Value) -> Result<Table, PageError> {
    let subjects = Subjects::load(visit, alerts).await?;
    let columns = ["subject", "kind", "raised", "cleared", "details"];
    let columns = columns.map(|column| visit.t(&format!("alerts-{column}")));
    let rows = nodes(alerts).map(|alert| {
        let cleared = match alert["clearedAt"].is_null() {
            true => Cell::text(visit.t("alerts-stands")).marked("mark-late"),
            false => visit.time_cell(&alert["clearedAt"]),
        };
        vec![
            subjects.cell(visit, alert),
            Cell::text(word(visit, "alerts-kind", &alert["kind"])),
            visit.time_cell(&alert["raisedAt"]),
            cleared,
            match complaints(visit, alert) {
                Some(list) => Cell::link(details(visit, alert), list),
                None => Cell::text(details(visit, alert)),
            },
        ]
    });
    Ok(Table::new("alerts", visit.t("alerts-caption"), &columns, rows))
}

/// The list of the complaints of a burst, which the alert counts.
fn complaints(visit: &Visit, alert: &Value) -> Option<String> {
    if alert["kind"] != "TECHNICAL_BURST" || !visit.may("Query", "complaints") {
        return None;
    }
    let bounds = [("from", "from"), ("until", "to")].map(|(argument, field)| {
        let moment = in_vietnam(text(&alert["details"][field]))?;
        Some((argument, moment.format("%Y-%m-%dT%H:%M:%S").to_string()))
    });
    let mut asked: Vec<(&str, String)> = bounds.into_iter().collect::<Option<_>>()?;
    asked.push(("kind", "TECHNICAL".to_owned()));
    let subject = text(&alert["subject"]);
    if subject != ALL_UNITS {
        asked.push(("unit", subject.to_owned()));
    }
    Some(address("/complaints", asked.iter().map(|(name, value)| (*name, value.as_str()))))
}

/// The numbers and times of an alert, in a sentence.
fn details(visit: &Visit, alert: &Value) -> String {
    let of = &alert["details"];
    let number = |name: &'static str, digits: usize| -> (&'static str, FluentValue<'static>) {
        (name, visit.number(of[name].as_f64().unwrap_or_default(), digits).into())
    };
    let time = |name: &'static str| -> (&'static str, FluentValue<'static>) { (name, visit.time(&of[name]).into()) };
    // The setting may be as small as 0.001.
    let false_alarms = of["falseAlarmsPerMonth"].as_f64().unwrap_or_default();
    let kind = text(&alert["kind"]);
    let values = match kind {
        "TECHNICAL_BURST" => vec![
            number("complaints", 0),
            number("expected", 1),
            ("falseAlarmsPerMonth", visit.number_at_most(false_alarms, 3).into()),
            time("from"),
            time("to"),
        ],
        "JOB_FAILED" => vec![time("scheduledAt"), number("attempts", 0)],
        "JOB_MISSED" => vec![time("scheduledAt")],
        "COMPLAINT_ESCALATED" => {
            vec![("due", visit.date(&of["dueOn"]).into()), ("unit", text(&of["unit"]).to_owned().into())]
        }
        "DIGEST_UNDELIVERED" if is_never_made(alert) => vec![time("scheduledAt")],
        "DIGEST_UNDELIVERED" => vec![("asOf", visit.date(&of["asOf"]).into()), number("deliveries", 0)],
        _ => Vec::new(),
    };
    let key =
        if is_never_made(alert) { "alerts-details-not-made".to_owned() } else { format!("alerts-details-{kind}") };
    let told = visit.t_with(&key, &values);
    // The condition ended and began again on the same day.
    if of["standsAgain"] == true { format!("{told} {}", visit.t("alerts-again")) } else { told }
}
