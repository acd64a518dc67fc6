//! The messages of a subscription: the next one as it would be sent now, and those sent.

use super::HOME;
use crate::web::views::message;
use crate::web::{Page, PageError, Visit, text};
use actix_web::HttpResponse;
use serde_json::{Value, json};

const PREVIEW: &str = include_str!("../../queries/subscriptions-preview.graphql");
const PREVIEW_MESSAGE: &str = include_str!("../../queries/subscriptions-preview-message.graphql");
const MESSAGE: &str = include_str!("../../queries/subscriptions-message.graphql");

/// The message that would be sent now.
pub async fn preview(visit: Visit) -> HttpResponse {
    let page = previewed(&visit, PREVIEW).await.map(|preview| {
        Page::new("subscriptions-preview.html", text(&preview["subject"]))
            .with("preview", &preview)
            .with("back", format!("{HOME}/{}", visit.part("id")))
    });
    visit.respond(page)
}

/// The same as its recipient would see it.
pub async fn preview_message(visit: Visit) -> HttpResponse {
    match previewed(&visit, PREVIEW_MESSAGE).await {
        Ok(preview) => message::answer(text(&preview["html"]).to_owned()),
        Err(error) => visit.refuse(&error),
    }
}

/// A digest as it was sent.
pub async fn sent(visit: Visit) -> HttpResponse {
    match digest(&visit).await {
        Ok(digest) => message::answer(message::with_pictures(&digest).await),
        Err(error) => visit.refuse(&error),
    }
}

async fn previewed(visit: &Visit, document: &'static str) -> Result<Value, PageError> {
    let mut data = find(visit, document, json!({ "id": visit.part("id") })).await?;
    match data["digestPreview"].take() {
        Value::Null => Err(PageError::NotFound),
        preview => Ok(preview),
    }
}

async fn digest(visit: &Visit) -> Result<Value, PageError> {
    let data = find(visit, MESSAGE, json!({ "digest": visit.part("digest") })).await?;
    let mut subscriptions = data["digestSubscriptions"].as_array().into_iter().flatten();
    let own = subscriptions.find(|one| one["id"] == visit.part("id"));
    let digest = own.and_then(|own| own["digests"].as_array()).and_then(|digests| digests.first());
    // A reader who had lost the right to a digest was sent nothing.
    digest.filter(|digest| !text(&digest["html"]).is_empty()).cloned().ok_or(PageError::NotFound)
}

/// Asks about an id of the address. A value that is not an id names no object.
async fn find(visit: &Visit, document: &'static str, variables: Value) -> Result<Value, PageError> {
    match visit.query(document, variables).await {
        Err(PageError::Refused(_)) => Err(PageError::NotFound),
        answer => answer,
    }
}
