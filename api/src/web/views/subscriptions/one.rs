//! Shows one subscription: its settings, its messages, and the forms that change, test and end it.

use super::{HOME, about, all, condition, forms, schedule, sections, state};
use crate::web::views::conditions::word;
use crate::web::views::form::Form;
use crate::web::views::sending;
use crate::web::{Cell, Page, PageError, Posted, Problem, Table, Visit, text};
use actix_web::HttpResponse;
use serde_json::{Value, json};

const SENT: &str = include_str!("../../queries/subscriptions-sent.graphql");
const DELIVERIES: &str = include_str!("../../queries/subscriptions-deliveries.graphql");

pub async fn one(visit: Visit) -> HttpResponse {
    let page = load_page(&visit).await;
    visit.respond(page)
}

/// The handler of the forms of a subscription.
pub async fn change(posted: Posted) -> HttpResponse {
    let sent = changed(&posted).await;
    let step = posted.field("step");
    let path = if step == "end" { HOME.to_owned() } else { format!("{HOME}/{}", posted.visit.part("id")) };
    sending::answer(&posted.visit, sent, &path, &format!("done-subscriptions-{step}"))
}

async fn load_page(visit: &Visit) -> Result<Page, PageError> {
    let subscription = find(visit).await?;
    page(visit, &subscription, &forms::of_subscription(visit, &subscription), Vec::new()).await
}

async fn changed(posted: &Posted) -> Result<Option<Page>, PageError> {
    let visit = &posted.visit;
    let subscription = find(visit).await?;
    let mut forms = forms::of_subscription(visit, &subscription);
    let ask = |form: &Form, _: i64| forms::ask_change(form, &subscription);
    let problems = sending::send(posted, &mut forms, ask).await?;
    match problems.is_empty() {
        true => Ok(None),
        false => page(visit, &subscription, &forms, problems).await.map(Some),
    }
}

async fn find(visit: &Visit) -> Result<Value, PageError> {
    let all = all(visit).await?;
    all.into_iter().find(|one| one["id"] == visit.part("id")).ok_or(PageError::NotFound)
}

async fn page(visit: &Visit, subscription: &Value, forms: &[Form], problems: Vec<Problem>) -> Result<Page, PageError> {
    let title = visit.t_with("subscriptions-one-title", &[("address", text(&subscription["address"]).into())]);
    let mut page = Page::new("subscriptions-one.html", title);
    // An ADMIN manages subscriptions and reads no digests, but sees their deliveries.
    let (reads, id) = (visit.may("DigestSubscription", "digests"), text(&subscription["id"]));
    page = page.table(if reads { sent(visit, id).await? } else { deliveries(visit, id).await? });
    Ok(page
        .with("subscription", subscription)
        .with("about", about(visit, subscription))
        .with("standing", state(visit, subscription))
        .with("schedule", schedule(visit, subscription))
        .with("condition", condition(visit, subscription))
        .with("sections", sections(visit, subscription))
        .with("language", word(visit, "subscriptions-locale", &subscription["locale"]))
        .with("reads", reads)
        .with("forms", forms)
        .problems(problems))
}

/// The digests that were made for the reader.
async fn sent(visit: &Visit, id: &str) -> Result<Table, PageError> {
    let data = visit.query(SENT, json!({})).await?;
    let own = data["digestSubscriptions"].as_array().into_iter().flatten().find(|one| one["id"] == id);
    let digests = own.and_then(|own| own["digests"].as_array()).into_iter().flatten();
    let columns = ["subject", "day", "made", "state", "attempts", "sent", "error"];
    let columns = columns.map(|column| visit.t(&format!("subscriptions-sent-{column}")));
    let rows = digests.map(|digest| {
        let (subject, attempts) = (text(&digest["subject"]), digest["attempts"].as_f64().unwrap_or_default());
        let state = Cell::text(word(visit, "subscriptions-state", &digest["state"]));
        vec![
            // A reader who had lost the right to it got no digest, only the reason.
            match subject.is_empty() {
                true => Cell::text(visit.t("subscriptions-nothing-sent")),
                false => Cell::link(subject, format!("{HOME}/{id}/sent/{}", text(&digest["id"]))),
            },
            visit.day_cell(&digest["asOf"]),
            visit.time_cell(&digest["createdAt"]),
            if digest["state"] == "FAILED" { state.marked("mark-late") } else { state },
            Cell::number(attempts, visit.number(attempts, 0)),
            visit.time_cell(&digest["sentAt"]),
            Cell::english(text(&digest["error"])),
        ]
    });
    Ok(Table::new("sent", visit.t("subscriptions-sent"), &columns, rows))
}

/// The deliveries of the digests of another reader.
async fn deliveries(visit: &Visit, id: &str) -> Result<Table, PageError> {
    let data = visit.query(DELIVERIES, json!({ "id": id })).await?;
    let own = data["digestSubscriptions"].as_array().and_then(|all| all.first());
    let deliveries = own.and_then(|own| own["deliveries"].as_array()).into_iter().flatten();
    let columns = ["day", "made", "state", "attempts", "sent", "error"];
    let columns = columns.map(|column| visit.t(&format!("subscriptions-sent-{column}")));
    let rows = deliveries.map(|delivery| {
        let attempts = delivery["attempts"].as_f64().unwrap_or_default();
        let state = Cell::text(match delivery["lostRight"].as_bool() {
            Some(true) => visit.t("subscriptions-lost-right"),
            _ => word(visit, "subscriptions-state", &delivery["state"]),
        });
        vec![
            Cell::text(visit.date(&delivery["asOf"])),
            Cell::text(visit.time(&delivery["createdAt"])),
            if delivery["state"] == "FAILED" { state.marked("mark-late") } else { state },
            Cell::number(attempts, visit.number(attempts, 0)),
            Cell::text(visit.time(&delivery["sentAt"])),
            Cell::english(text(&delivery["error"])),
        ]
    });
    Ok(Table::new("deliveries", visit.t("subscriptions-deliveries"), &columns, rows))
}
