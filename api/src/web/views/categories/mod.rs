//! Categories: a Pareto chart, rising categories, and the effects of proposals.

mod decide;
mod effects;
mod proposals;
mod trends;

use crate::web::{Page, PageError, Problem, Visit};
use actix_web::HttpResponse;
use actix_web::web::{ServiceConfig, get, post};

pub fn routes(config: &mut ServiceConfig) {
    config
        .route("/categories", get().to(list))
        // A refused form is shown at its own address, and may be looked up there again.
        .route("/categories/proposals", get().to(list))
        .route("/categories/proposals/{id}", get().to(list))
        .route("/categories/proposals", post().to(decide::propose))
        .route("/categories/proposals/{id}", post().to(decide::change));
}

/// The values of a form that was refused: the page shows them again.
#[derive(Debug, Default)]
struct Refused {
    problems: Vec<Problem>,
    title: String,
    text: String,
    categories: String,
    units: String,
    /// The proposal that was to change, the grounds and the day.
    proposal: String,
    reason: String,
    day: String,
}

async fn list(visit: Visit) -> HttpResponse {
    let page = page(&visit, Refused::default()).await;
    visit.respond(page)
}

async fn page(visit: &Visit, refused: Refused) -> Result<Page, PageError> {
    // The filter may be wrong, and so may a form.
    let mut problems = Vec::new();
    let page = Page::new("categories.html", visit.t("categories-title"));
    let page = trends::add(visit, page, &mut problems).await?;
    let page = proposals::add(visit, page, &refused, &mut problems).await?;
    problems.extend(refused.problems);
    Ok(page
        .with("given_title", refused.title)
        .with("given_text", refused.text)
        .with("given_categories", refused.categories)
        .with("given_units", refused.units)
        .with("given_proposal", refused.proposal)
        .problems(problems))
}
