//! Measures about officers: the list, and one measure with its outcome.

mod forms;
mod list;
mod one;

use crate::web::text;
use actix_web::web::{ServiceConfig, get, post};
use serde_json::Value;

pub fn routes(config: &mut ServiceConfig) {
    config
        .route("/measures", get().to(list::list))
        .route("/measures", post().to(list::record))
        .route("/measures/{id}", get().to(one::one))
        .route("/measures/{id}", post().to(one::change));
}

/// The code of an officer and its name; empty for null.
fn officer(officer: &Value) -> String {
    let parts = [text(&officer["code"]), text(&officer["name"])];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}
