//! Shows how often complaints changed between two positions of the register: the numbers of a digest lead here.

use crate::web::views::arguments::Arguments;
use crate::web::views::conditions::ask;
use crate::web::{Cell, Page, PageError, Table, Visit, text};
use actix_web::HttpResponse;
use serde_json::json;

const CHANGES: &str = include_str!("../../queries/complaints-changes.graphql");

/// The first and the last position that the document takes: after -1 are all changes.
const POSITIONS: (i64, i64) = (-1, 2_147_483_647);

pub async fn list(visit: Visit) -> HttpResponse {
    let page = page(&visit).await;
    visit.respond(page)
}

async fn page(visit: &Visit) -> Result<Page, PageError> {
    if !visit.may("Query", "registerChanges") {
        return Err(PageError::Forbidden);
    }
    let mut arguments = Arguments::new(visit);
    let mut position = |name| arguments.number(name, POSITIONS).unwrap_or(POSITIONS.0);
    let after = position(("after", "complaints-changes-after"));
    let until = position(("until", "complaints-changes-until"));
    let mut problems = arguments.problems();
    let data = ask(visit, CHANGES, json!({ "after": after, "until": until }), &mut problems).await?;
    let changes = data["registerChanges"].as_array().into_iter().flatten();
    let rows = changes.map(|change| {
        let number = change["changes"].as_f64().unwrap_or_default();
        let word = visit.t(&format!("complaints-step-{}", text(&change["kind"])));
        vec![Cell::text(word), Cell::number(number, visit.number(number, 0))]
    });
    let columns = ["change", "times"].map(|column| visit.t(&format!("complaints-changes-{column}")));
    let given = |name: &str| visit.argument(name).unwrap_or_default().to_owned();
    Ok(Page::new("complaints-changes.html", visit.t("complaints-changes-title"))
        .table(Table::new("changes", visit.t("complaints-changes-caption"), &columns, rows))
        .with("after", given("after"))
        .with("until", given("until"))
        .problems(problems))
}
