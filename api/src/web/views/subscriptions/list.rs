//! The list of subscriptions, and the form that adds one.

use super::{HOME, about, all, condition, forms, schedule, sections, state};
use crate::web::views::conditions::word;
use crate::web::views::form::Form;
use crate::web::views::sending;
use crate::web::{Cell, Page, PageError, Posted, Problem, Table, Visit, text};
use actix_web::HttpResponse;
use serde_json::Value;

pub async fn list(visit: Visit) -> HttpResponse {
    let page = page(&visit, &forms::new(&visit), Vec::new()).await;
    visit.respond(page)
}

/// The handler of the form that adds a subscription.
pub async fn add(posted: Posted) -> HttpResponse {
    let sent = added(&posted).await;
    sending::answer(&posted.visit, sent, HOME, "done-subscriptions-add")
}

async fn added(posted: &Posted) -> Result<Option<Page>, PageError> {
    let mut forms = forms::new(&posted.visit);
    let ask = |form: &Form, _: i64| forms::ask_subscribe(form, form.value("address"));
    let problems = sending::send(posted, &mut forms, ask).await?;
    match problems.is_empty() {
        true => Ok(None),
        false => page(&posted.visit, &forms, problems).await.map(Some),
    }
}

async fn page(visit: &Visit, forms: &[Form], problems: Vec<Problem>) -> Result<Page, PageError> {
    let all = all(visit).await?;
    let columns =
        ["address", "reader", "standing", "unit", "schedule", "condition", "sections", "language", "quiet", "next"];
    let columns = columns.map(|column| visit.t(&format!("subscriptions-{column}")));
    let rows = all.iter().map(|subscription| row(visit, subscription));
    let key = match (visit.may("Mutation", "subscribeToDigests"), visit.session.viewer.is_external_jwt()) {
        (true, true) => "subscriptions-about-account",
        (true, false) => "subscriptions-about",
        (false, _) => "subscriptions-about-admin",
    };
    Ok(Page::new("subscriptions.html", visit.t("subscriptions-title"))
        .table(Table::new("subscriptions", visit.t("subscriptions-caption"), &columns, rows))
        .with("about", visit.t(key))
        .with("forms", forms)
        .problems(problems))
}

fn row(visit: &Visit, subscription: &Value) -> Vec<Cell> {
    vec![
        Cell::link(text(&subscription["address"]), format!("{HOME}/{}", text(&subscription["id"]))),
        Cell::text(text(&subscription["reader"])),
        state(visit, subscription),
        Cell::text(about(visit, subscription)),
        Cell::text(schedule(visit, subscription)),
        Cell::text(condition(visit, subscription)),
        Cell::text(sections(visit, subscription)),
        Cell::text(word(visit, "subscriptions-locale", &subscription["locale"])),
        visit.day_cell(&subscription["quietUntil"]),
        visit.time_cell(&subscription["next"]),
    ]
}
