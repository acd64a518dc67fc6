//! Subscriptions to digests: those of the reader, or of all readers for an ADMIN; what each wants, what it would get
//! now, and what was sent to it.

mod forms;
mod list;
mod messages;
mod one;
mod rhythm;

use super::conditions::word;
use crate::web::{Cell, PageError, Visit, name, text};
use actix_web::web::{ServiceConfig, get, post};
use serde_json::{Value, json};

const LIST: &str = include_str!("../../queries/subscriptions-list.graphql");

/// The page of the list.
const HOME: &str = "/digests/subscriptions";

pub fn routes(config: &mut ServiceConfig) {
    config
        .route("/digests/subscriptions", get().to(list::list))
        .route("/digests/subscriptions", post().to(list::add))
        .route("/digests/subscriptions/{id}", get().to(one::one))
        .route("/digests/subscriptions/{id}", post().to(one::change))
        .route("/digests/subscriptions/{id}/preview", get().to(messages::preview))
        .route("/digests/subscriptions/{id}/preview/message", get().to(messages::preview_message))
        .route("/digests/subscriptions/{id}/sent/{digest}", get().to(messages::sent));
}

/// The current subscriptions.
async fn all(visit: &Visit) -> Result<Vec<Value>, PageError> {
    let data = visit.query(LIST, json!({})).await?;
    Ok(data["digestSubscriptions"].as_array().cloned().unwrap_or_default())
}

/// The subject of its digests.
fn about(visit: &Visit, subscription: &Value) -> String {
    match subscription["unit"]["code"].as_str() {
        Some(_) => name(&subscription["unit"], visit.locale()).to_owned(),
        None => visit.t("subscriptions-all-units"),
    }
}

/// Whether digests are sent, or why not; and until when they are sent to who does not sign in again.
fn state(visit: &Visit, subscription: &Value) -> Cell {
    let suspension = &subscription["suspension"];
    if !suspension.is_null() {
        return Cell::text(word(visit, "subscriptions-suspended", &suspension["reason"])).marked("mark-late");
    }
    let mut state = match subscription["signInBy"].is_null() {
        true => visit.t("subscriptions-active"),
        false => {
            let until = visit.time(&subscription["signInBy"]);
            visit.t_with("subscriptions-active-until", &[("until", until.into())])
        }
    };
    // A reader who comes back learns here that nothing was sent meanwhile.
    let last = &subscription["deliveries"][0];
    if last["lostRight"] == true {
        let until = visit.time(&last["createdAt"]);
        state = format!("{state} {}", visit.t_with("subscriptions-resumed", &[("until", until.into())]));
    }
    Cell::text(state)
}

/// When a digest is made.
fn schedule(visit: &Visit, subscription: &Value) -> String {
    let cron = text(&subscription["schedule"]);
    let times = rhythm::in_words(visit, cron).unwrap_or_else(|| cron.to_owned());
    format!("{times} ({})", text(&subscription["timezone"]))
}

/// When a digest that was made is sent.
fn condition(visit: &Visit, subscription: &Value) -> String {
    match subscription["minOverdue"].as_f64() {
        Some(number) => {
            let number = visit.number(number, 0);
            visit.t_with("subscriptions-more-overdue", &[("number", number.into())])
        }
        None => word(visit, "subscriptions-condition", &subscription["condition"]),
    }
}

/// The sections of its digests.
fn sections(visit: &Visit, subscription: &Value) -> String {
    let all = subscription["sections"].as_array().into_iter().flatten();
    let words: Vec<String> = all.map(|section| word(visit, "subscriptions-section", section)).collect();
    if words.is_empty() { visit.t("subscriptions-all-sections") } else { words.join(", ") }
}
