//! The archive of the Board's digests: messages, recipients and deliveries; and what digest was sent to whom.

use super::conditions::{Conditions, argument_values, options, word};
use super::{message, paging};
use crate::web::{Cell, Page, PageError, Table, Visit, nodes, text};
use actix_web::HttpResponse;
use actix_web::web::{ServiceConfig, get};
use schema::enums::DeliveryState;
use serde_json::{Value, json};

const LIST: &str = include_str!("../queries/digests-list.graphql");
const ONE: &str = include_str!("../queries/digests-one.graphql");
const MESSAGE: &str = include_str!("../queries/digests-message.graphql");
const SENT: &str = include_str!("../queries/digests-sent.graphql");

/// Digests or deliveries of a page.
const ROWS: u32 = 25;
/// The languages of digests.
const LOCALES: [&str; 2] = ["VI", "EN"];

pub fn routes(config: &mut ServiceConfig) {
    config
        .route("/digests", get().to(list))
        // Before the digests by their ids: the first route that fits is taken.
        .route("/digests/sent", get().to(sent))
        .route("/digests/{id}", get().to(one))
        .route("/digests/{id}/message", get().to(as_sent));
}

async fn list(visit: Visit) -> HttpResponse {
    let page = archive(&visit).await;
    visit.respond(page)
}

async fn sent(visit: Visit) -> HttpResponse {
    let page = deliveries(&visit).await;
    visit.respond(page)
}

async fn one(visit: Visit) -> HttpResponse {
    let page = digest(&visit).await;
    visit.respond(page)
}

/// The message as it was sent.
async fn as_sent(visit: Visit) -> HttpResponse {
    match find(&visit, MESSAGE).await {
        Ok(digest) => message::answer(message::with_pictures(&digest).await),
        Err(error) => visit.refuse(&error),
    }
}

async fn archive(visit: &Visit) -> Result<Page, PageError> {
    let conditions = Conditions::new(visit)
        .word(("locale", "digests-language"), "locale", &LOCALES, "digests-locale")
        .days("asOf", "digests");
    let listed = conditions.ask(LIST, ROWS).await?;
    let list = &listed.data["digests"];
    let (newer, older) = paging::links(visit, list);
    let columns = ["subject", "day", "language", "made", "sent", "pending", "failed"];
    let columns = columns.map(|column| visit.t(&format!("digests-{column}")));
    let rows = nodes(list).map(|digest| row(visit, digest));
    Ok(Page::new("digests.html", visit.t("digests-title"))
        .table(Table::new("digests", visit.t("digests-caption"), &columns, rows))
        .with("total", list["totalCount"].as_u64())
        .with("locales", options(visit, "digests-locale", &LOCALES))
        .with("given", argument_values(visit, &["locale", "from", "until"]))
        .with("newer", newer)
        .with("older", older)
        .problems(listed.problems))
}

fn row(visit: &Visit, digest: &Value) -> Vec<Cell> {
    let deliveries = || digest["deliveries"].as_array().into_iter().flatten();
    let count = |state: &str| {
        let number = deliveries().filter(|delivery| delivery["state"] == state).map(|_| 1.0).sum::<f64>();
        let cell = Cell::number(number, visit.number(number, 0));
        if state == "FAILED" && number > 0.0 { cell.marked("mark-late") } else { cell }
    };
    vec![
        Cell::link(text(&digest["subject"]), format!("/digests/{}", text(&digest["id"]))),
        visit.day_cell(&digest["asOf"]),
        Cell::text(word(visit, "digests-locale", &digest["locale"])),
        visit.time_cell(&digest["createdAt"]),
        count("SENT"),
        count("PENDING"),
        count("FAILED"),
    ]
}

/// The deliveries of all digests that the reader may see, without the digests.
async fn deliveries(visit: &Visit) -> Result<Page, PageError> {
    let conditions = Conditions::new(visit)
        .at("reader", &["reader", "eq"])
        .word(("state", "digests-state"), "state", DeliveryState::WORDS, "digests-state")
        .word(("locale", "digests-language"), "locale", &LOCALES, "digests-locale")
        .moments("createdAt", "digests");
    let listed = conditions.ask(SENT, ROWS).await?;
    let list = &listed.data["digestDeliveries"];
    let (newer, older) = paging::links(visit, list);
    let columns = ["reader", "address", "day", "language", "made", "state", "sent-at", "attempts", "error"];
    let columns = columns.map(|column| visit.t(&format!("digests-{column}")));
    let rows = nodes(list).map(|delivery| delivery_row(visit, delivery));
    Ok(Page::new("digests-sent.html", visit.t("digests-sent-title"))
        .table(Table::new("deliveries", visit.t("digests-sent-caption"), &columns, rows))
        .with("total", list["totalCount"].as_u64())
        .with("states", options(visit, "digests-state", DeliveryState::WORDS))
        .with("locales", options(visit, "digests-locale", &LOCALES))
        .with("given", argument_values(visit, &["reader", "state", "locale", "from", "until"]))
        .with("newer", newer)
        .with("older", older)
        .problems(listed.problems))
}

fn delivery_row(visit: &Visit, delivery: &Value) -> Vec<Cell> {
    let reader = match (delivery["forReader"] == true, delivery["reader"].as_str()) {
        (false, _) => visit.t("digests-of-board"),
        (true, Some(name)) => name.to_owned(),
        (true, None) => visit.t("digests-reader-before"),
    };
    let state = if delivery["lostRight"] == true {
        // The delivery did not fail: the reader may not have the digest any more.
        Cell::text(visit.t("digests-lost"))
    } else {
        state_cell(visit, delivery)
    };
    let attempts = delivery["attempts"].as_f64().unwrap_or_default();
    vec![
        Cell::text(reader),
        Cell::text(text(&delivery["address"])),
        visit.day_cell(&delivery["asOf"]),
        Cell::text(word(visit, "digests-locale", &delivery["locale"])),
        visit.time_cell(&delivery["createdAt"]),
        state,
        visit.time_cell(&delivery["sentAt"]),
        Cell::number(attempts, visit.number(attempts, 0)),
        Cell::english(text(&delivery["error"])),
    ]
}

fn state_cell(visit: &Visit, delivery: &Value) -> Cell {
    let state = Cell::text(word(visit, "digests-state", &delivery["state"]));
    if delivery["state"] == "FAILED" { state.marked("mark-late") } else { state }
}

async fn find(visit: &Visit, document: &'static str) -> Result<Value, PageError> {
    match visit.query(document, json!({ "id": visit.part("id") })).await {
        Ok(data) => nodes(&data["digests"]).next().cloned().ok_or(PageError::NotFound),
        // A value that is not an id names no object.
        Err(PageError::Refused(_)) => Err(PageError::NotFound),
        Err(error) => Err(error),
    }
}

async fn digest(visit: &Visit) -> Result<Page, PageError> {
    let digest = find(visit, ONE).await?;
    let columns = ["address", "channel", "state", "attempts", "sent-at", "error"];
    let columns = columns.map(|column| visit.t(&format!("digests-{column}")));
    let deliveries = digest["deliveries"].as_array().into_iter().flatten();
    let rows = deliveries.map(|delivery| {
        let attempts = delivery["attempts"].as_f64().unwrap_or_default();
        vec![
            Cell::text(text(&delivery["address"])),
            Cell::text(word(visit, "digests-channel", &delivery["channel"])),
            state_cell(visit, delivery),
            Cell::number(attempts, visit.number(attempts, 0)),
            visit.time_cell(&delivery["sentAt"]),
            Cell::english(text(&delivery["error"])),
        ]
    });
    let table = Table::new("deliveries", visit.t("digests-deliveries"), &columns, rows);
    Ok(Page::new("digests-one.html", text(&digest["subject"])).table(table).with("digest", &digest))
}
