//! The archive of the Board's digests: what was sent, to whom, and the message itself.

use super::conditions::{Conditions, given, options, word};
use super::{message, paging};
use crate::web::{Cell, Page, PageError, Table, Visit, nodes, text};
use actix_web::HttpResponse;
use actix_web::web::{ServiceConfig, get};
use serde_json::{Value, json};

const LIST: &str = include_str!("../queries/digests-list.graphql");
const ONE: &str = include_str!("../queries/digests-one.graphql");
const MESSAGE: &str = include_str!("../queries/digests-message.graphql");

/// Digests of a page.
const ROWS: u32 = 25;
/// The languages of digests.
const LOCALES: [&str; 2] = ["VI", "EN"];

pub fn routes(config: &mut ServiceConfig) {
    config
        .route("/digests", get().to(list))
        .route("/digests/{id}", get().to(one))
        .route("/digests/{id}/message", get().to(as_sent));
}

async fn list(visit: Visit) -> HttpResponse {
    let page = archive(&visit).await;
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
    let conditions = Conditions::new(visit).word("locale", "locale", &LOCALES).days("asOf");
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
        .with("given", given(visit, &["locale", "from", "until"]))
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
        Cell::text(visit.date(&digest["asOf"])),
        Cell::text(word(visit, "digests-locale", &digest["locale"])),
        Cell::text(visit.time(&digest["createdAt"])),
        count("SENT"),
        count("PENDING"),
        count("FAILED"),
    ]
}

async fn find(visit: &Visit, document: &'static str) -> Result<Value, PageError> {
    match visit.query(document, json!({ "id": visit.part("id") })).await {
        Ok(data) => nodes(&data["digests"]).next().cloned().ok_or(PageError::NotFound),
        // What is no id is the address of nothing.
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
        let state = Cell::text(word(visit, "digests-state", &delivery["state"]));
        vec![
            Cell::text(text(&delivery["address"])),
            Cell::text(word(visit, "digests-channel", &delivery["channel"])),
            if delivery["state"] == "FAILED" { state.marked("mark-late") } else { state },
            Cell::number(attempts, visit.number(attempts, 0)),
            Cell::text(visit.time(&delivery["sentAt"])),
            Cell::text(text(&delivery["error"])),
        ]
    });
    let table = Table::new("deliveries", visit.t("digests-deliveries"), &columns, rows);
    Ok(Page::new("digests-one.html", text(&digest["subject"])).table(table).with("digest", &digest))
}
