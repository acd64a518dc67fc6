//! Shows one measure: the decision, its grounds, and its outcome.

use super::{forms, officer};
use crate::web::views::arguments::Arguments;
use crate::web::views::conditions::word;
use crate::web::views::form::Form;
use crate::web::views::sending;
use crate::web::{Cell, Page, PageError, Posted, Problem, Table, Visit, nodes};
use actix_web::HttpResponse;
use serde_json::{Value, json};
use uuid::Uuid;

const ONE: &str = include_str!("../../queries/measures-one.graphql");

/// Days before the measure that the outcome compares with.
const DAYS: i64 = 180;
/// The longest such period.
const MOST_DAYS: i64 = 3_650;

pub async fn one(visit: Visit) -> HttpResponse {
    let page = load_page(&visit).await;
    visit.respond(page)
}

/// The handler of the forms of a measure.
pub async fn change(posted: Posted) -> HttpResponse {
    let sent = changed(&posted).await;
    let done = format!("done-measures-{}", posted.field("step"));
    sending::answer(&posted.visit, sent, &format!("/measures/{}", posted.visit.part("id")), &done)
}

async fn load_page(visit: &Visit) -> Result<Page, PageError> {
    let (days, problems) = days(visit);
    let measure = match find(visit, days).await {
        // The address has a text that no question takes.
        Err(PageError::Refused(problems)) => return Ok(page(visit, &Value::Null, days, &[], problems)),
        found => found?,
    };
    Ok(page(visit, &measure, days, &forms::of_measure(visit, &measure), problems))
}

async fn changed(posted: &Posted) -> Result<Option<Page>, PageError> {
    let visit = &posted.visit;
    let (days, _) = days(visit);
    let measure = find(visit, days).await?;
    let mut forms = forms::of_measure(visit, &measure);
    let ask = |form: &Form, version| forms::ask_change(form, visit.part("id"), version);
    let problems = sending::send(posted, &mut forms, ask).await?;
    Ok((!problems.is_empty()).then(|| page(visit, &measure, days, &forms, problems)))
}

/// The days of the period before, by the address, and why they cannot be used: then they are those of an address
/// without any.
fn days(visit: &Visit) -> (i64, Vec<Problem>) {
    let mut arguments = Arguments::new(visit);
    let days = arguments.number(("days", "measures-days"), (1, MOST_DAYS));
    (days.unwrap_or(DAYS), arguments.problems())
}

async fn find(visit: &Visit, days: i64) -> Result<Value, PageError> {
    // A value that is not an id names no object.
    if visit.part("id").parse::<Uuid>().is_err() {
        return Err(PageError::NotFound);
    }
    let data = visit.query(ONE, json!({ "id": visit.part("id"), "days": days })).await?;
    nodes(&data["measures"]).next().cloned().ok_or(PageError::NotFound)
}

/// The page of a measure; of its filter alone for null.
fn page(visit: &Visit, measure: &Value, days: i64, forms: &[Form], problems: Vec<Problem>) -> Page {
    let kind = word(visit, "measures-kind", &measure["kind"]);
    let title = match measure.is_null() {
        true => visit.t("measures-title"),
        false => visit.t_with(
            "measures-one-title",
            &[("kind", kind.as_str().into()), ("officer", officer(&measure["officer"]).into())],
        ),
    };
    let mut page = Page::new("measures-one.html", title);
    let outcome = &measure["outcome"];
    if outcome.is_object() {
        page = page.table(periods(visit, outcome));
    }
    page.with("measure", measure)
        .with("kind", kind)
        .with("state", word(visit, "measures-state", &measure["state"]))
        .with("ground", word(visit, "measures-ground", &measure["ground"]))
        .with("basis", word(visit, "measures-basis", &measure["basis"]["kind"]))
        .with("stopped", outcome["stopped"].as_bool())
        .with("last_complaint", outcome["lastComplaintOn"].as_str())
        .with("ratio", ratio(visit, "measures-ratio", &outcome["workload"]["rateRatio"]))
        .with("peers", ratio(visit, "measures-ratio-peers", &outcome["workload"]["peers"]["rateRatio"]))
        .with("days", days)
        .with("forms", forms)
        .problems(problems)
}

/// The complaints before the measure and since.
fn periods(visit: &Visit, outcome: &Value) -> Table {
    let columns = ["period", "from", "until", "days", "complaints", "episodes", "enterprises"];
    let columns = columns.map(|column| visit.t(&format!("measures-outcome-{column}")));
    let rows = ["before", "after"].map(|period| {
        let of = &outcome[period];
        let number = |field: &str| {
            let number = of[field].as_f64().unwrap_or_default();
            Cell::number(number, visit.number(number, 0))
        };
        vec![
            Cell::text(visit.t(&format!("measures-outcome-{period}"))),
            visit.day_cell(&of["from"]),
            visit.day_cell(&of["until"]),
            number("days"),
            number("complaints"),
            number("episodes"),
            number("distinctEnterprises"),
        ]
    });
    Table::new("outcome", visit.t("measures-outcome"), &columns, rows)
}

/// A ratio with its limits, in words; None where it is not known.
fn ratio(visit: &Visit, key: &str, ratio: &Value) -> Option<String> {
    let [now, lower, upper] = ["ratio", "lower", "upper"].map(|field| ratio[field].as_f64());
    let shown = |number: f64| visit.number(number, 2);
    let (now, lower, upper) = (shown(now?), shown(lower?), shown(upper?));
    Some(visit.t_with(key, &[("ratio", now.into()), ("lower", lower.into()), ("upper", upper.into())]))
}
