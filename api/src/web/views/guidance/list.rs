//! The list of guidance documents, and requests for an opinion.

use super::forms;
use crate::web::views::complaints::unit_cell;
use crate::web::views::conditions::{Conditions, argument_values, options, word};
use crate::web::views::form::Form;
use crate::web::views::{paging, sending};
use crate::web::{Cell, Page, PageError, Posted, Problem, Table, Visit, name, nodes, text};
use actix_web::HttpResponse;
use schema::enums::GuidanceState;
use serde_json::{Value, json};

const LIST: &str = include_str!("../../queries/guidance-list.graphql");
const UNIT: &str = include_str!("../../queries/guidance-unit.graphql");

/// Documents of a page.
const ROWS: u32 = 25;

pub async fn list(visit: Visit) -> HttpResponse {
    let page = load_page(&visit).await;
    visit.respond(page)
}

/// The handler of the form that asks for an opinion.
pub async fn request(posted: Posted) -> HttpResponse {
    let sent = requested(&posted).await;
    sending::answer(&posted.visit, sent, "/guidance", "done-guidance-request")
}

async fn load_page(visit: &Visit) -> Result<Page, PageError> {
    let forms = forms(visit).await?;
    page(visit, &forms, Vec::new()).await
}

async fn requested(posted: &Posted) -> Result<Option<Page>, PageError> {
    let mut forms = forms(&posted.visit).await?;
    let problems = sending::send(posted, &mut forms, |form, _| forms::ask_request(form)).await?;
    match problems.is_empty() {
        true => Ok(None),
        false => page(&posted.visit, &forms, problems).await.map(Some),
    }
}

/// The form for a new draft, for the head of a headquarters unit.
async fn forms(visit: &Visit) -> Result<Vec<Form>, PageError> {
    let Some(unit) = visit.session.viewer.unit_id.filter(|_| visit.may("Mutation", "requestOpinion")) else {
        return Ok(Vec::new());
    };
    let data = visit.query(UNIT, json!({ "id": unit.to_string() })).await?;
    let drafts = nodes(&data["units"]).any(|unit| unit["kind"] == "HEADQUARTERS_UNIT");
    Ok(if drafts { vec![forms::request(visit)] } else { Vec::new() })
}

async fn page(visit: &Visit, forms: &[Form], mut problems: Vec<Problem>) -> Result<Page, PageError> {
    let conditions = Conditions::new(visit)
        .at("search", &["search"])
        .word(("state", "guidance-state"), "state", GuidanceState::WORDS, "guidance-state")
        .at("unit", &["unit", "within"])
        .at("category", &["category", "within"])
        .moments("requestedAt", "guidance");
    let listed = conditions.ask(LIST, ROWS).await?;
    problems.extend(listed.problems);
    let list = &listed.data["guidanceDocuments"];
    let (newer, older) = paging::links(visit, list);
    let columns = ["document", "state", "since", "number", "issued", "unit", "category"];
    let columns = columns.map(|column| visit.t(&format!("guidance-{column}")));
    let rows = nodes(list).map(|document| row(visit, document));
    Ok(Page::new("guidance.html", visit.t("guidance-title"))
        .table(Table::new("guidance", visit.t("guidance-caption"), &columns, rows))
        .with("total", list["totalCount"].as_u64())
        .with("states", options(visit, "guidance-state", GuidanceState::WORDS))
        .with("given", argument_values(visit, &["search", "state", "unit", "category", "from", "until"]))
        .with("forms", forms)
        .with("newer", newer)
        .with("older", older)
        .problems(problems))
}

fn row(visit: &Visit, document: &Value) -> Vec<Cell> {
    vec![
        Cell::link(text(&document["title"]), format!("/guidance/{}", text(&document["id"]))),
        Cell::text(word(visit, "guidance-state", &document["state"])),
        visit.day_cell(&document["stateSince"]),
        Cell::text(text(&document["number"])),
        visit.day_cell(&document["issuedOn"]),
        unit_cell(visit, &document["unit"]),
        Cell::text(name(&document["category"], visit.locale())),
    ]
}
