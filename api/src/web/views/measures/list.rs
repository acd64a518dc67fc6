//! The list of measures, and the form that records one.

use super::{forms, officer};
use crate::web::views::complaints::unit_cell;
use crate::web::views::conditions::{Conditions, argument_values, options, word};
use crate::web::views::form::Form;
use crate::web::views::{paging, sending};
use crate::web::{Cell, Page, PageError, Posted, Problem, Table, Visit, nodes, text};
use actix_web::HttpResponse;
use schema::enums::{MeasureKind, MeasureState};
use serde_json::Value;

const LIST: &str = include_str!("../../queries/measures-list.graphql");

/// Measures of a page.
const ROWS: u32 = 25;

pub async fn list(visit: Visit) -> HttpResponse {
    let page = page(&visit, &forms(&visit), Vec::new()).await;
    visit.respond(page)
}

/// The handler of the form that records a measure.
pub async fn record(posted: Posted) -> HttpResponse {
    let sent = recorded(&posted).await;
    sending::answer(&posted.visit, sent, "/measures", "done-measures-record")
}

async fn recorded(posted: &Posted) -> Result<Option<Page>, PageError> {
    let mut forms = forms(&posted.visit);
    let problems = sending::send(posted, &mut forms, |form, _| forms::ask_record(form)).await?;
    match problems.is_empty() {
        true => Ok(None),
        false => page(&posted.visit, &forms, problems).await.map(Some),
    }
}

fn forms(visit: &Visit) -> Vec<Form> {
    visit.may("Mutation", "recordMeasure").then(|| forms::record(visit)).into_iter().collect()
}

async fn page(visit: &Visit, forms: &[Form], mut problems: Vec<Problem>) -> Result<Page, PageError> {
    let conditions = Conditions::new(visit)
        .word(("kind", "measures-kind"), "kind", MeasureKind::WORDS, "measures-kind")
        .word(("state", "measures-state"), "state", MeasureState::WORDS, "measures-state")
        .at("unit", &["unit", "within"])
        .at("officer", &["officer", "code", "eq"])
        .ids(("id", "filters-id"), "id")
        .days("decidedOn", "measures");
    let listed = conditions.ask(LIST, ROWS).await?;
    problems.extend(listed.problems);
    let list = &listed.data["measures"];
    let (newer, older) = paging::links(visit, list);
    let columns = ["officer", "kind", "state", "unit", "decided", "starts", "ends", "maker", "number"];
    let columns = columns.map(|column| visit.t(&format!("measures-{column}")));
    let rows = nodes(list).map(|measure| row(visit, measure));
    Ok(Page::new("measures.html", visit.t("measures-title"))
        .table(Table::new("measures", visit.t("measures-caption"), &columns, rows))
        .with("total", list["totalCount"].as_u64())
        .with("kinds", options(visit, "measures-kind", MeasureKind::WORDS))
        .with("states", options(visit, "measures-state", MeasureState::WORDS))
        .with("given", argument_values(visit, &["kind", "state", "unit", "officer", "from", "until"]))
        .with("ids", visit.arguments("id").collect::<Vec<_>>())
        .with("forms", forms)
        .with("newer", newer)
        .with("older", older)
        .problems(problems))
}

fn row(visit: &Visit, measure: &Value) -> Vec<Cell> {
    vec![
        Cell::link(officer(&measure["officer"]), format!("/measures/{}", text(&measure["id"]))),
        Cell::text(word(visit, "measures-kind", &measure["kind"])),
        Cell::text(word(visit, "measures-state", &measure["state"])),
        unit_cell(visit, &measure["unit"]),
        visit.day_cell(&measure["decidedOn"]),
        visit.day_cell(&measure["startsOn"]),
        visit.day_cell(&measure["endsOn"]),
        Cell::text(text(&measure["decisionMaker"])),
        Cell::text(text(&measure["decisionNumber"])),
    ]
}
