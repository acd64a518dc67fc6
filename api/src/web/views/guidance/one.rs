//! Shows one guidance document: its text, the opinions of the Board, and the forms of further steps.

use super::forms;
use crate::web::views::conditions::word;
use crate::web::views::form::Form;
use crate::web::views::sending;
use crate::web::{Cell, Page, PageError, Posted, Problem, Table, Visit, nodes, text};
use actix_web::HttpResponse;
use serde_json::{Value, json};

const ONE: &str = include_str!("../../queries/guidance-one.graphql");

pub async fn one(visit: Visit) -> HttpResponse {
    let page = load_page(&visit).await;
    visit.respond(page)
}

/// The handler of the forms of a document.
pub async fn change(posted: Posted) -> HttpResponse {
    let sent = changed(&posted).await;
    let done = format!("done-guidance-{}", posted.field("step"));
    sending::answer(&posted.visit, sent, &format!("/guidance/{}", posted.visit.part("id")), &done)
}

async fn load_page(visit: &Visit) -> Result<Page, PageError> {
    let document = find(visit).await?;
    let forms = forms::of_document(visit, &document);
    Ok(page(visit, &document, &forms, Vec::new()))
}

async fn changed(posted: &Posted) -> Result<Option<Page>, PageError> {
    let visit = &posted.visit;
    let document = find(visit).await?;
    let mut forms = forms::of_document(visit, &document);
    let ask = |form: &Form, version| forms::ask_change(form, visit.part("id"), version);
    let problems = sending::send(posted, &mut forms, ask).await?;
    Ok((!problems.is_empty()).then(|| page(visit, &document, &forms, problems)))
}

async fn find(visit: &Visit) -> Result<Value, PageError> {
    match visit.query(ONE, json!({ "id": visit.part("id") })).await {
        Ok(data) => nodes(&data["guidanceDocuments"]).next().cloned().ok_or(PageError::NotFound),
        // A value that is not an id names no object.
        Err(PageError::Refused(_)) => Err(PageError::NotFound),
        Err(error) => Err(error),
    }
}

fn page(visit: &Visit, document: &Value, forms: &[Form], problems: Vec<Problem>) -> Page {
    let columns = ["revision", "verdict", "given", "opinion"].map(|column| visit.t(&format!("guidance-{column}")));
    let opinions = document["opinions"].as_array().into_iter().flatten();
    let rows = opinions.map(|opinion| {
        let revision = opinion["revision"].as_f64().unwrap_or_default();
        vec![
            Cell::number(revision, visit.number(revision, 0)),
            Cell::text(word(visit, "guidance-verdict", &opinion["verdict"])),
            visit.time_cell(&opinion["givenAt"]),
            Cell::text(text(&opinion["text"])),
        ]
    });
    Page::new("guidance-one.html", text(&document["title"]))
        .table(Table::new("opinions", visit.t("guidance-opinions"), &columns, rows))
        .with("document", document)
        .with("state", word(visit, "guidance-state", &document["state"]))
        .with("forms", forms)
        .problems(problems)
}
