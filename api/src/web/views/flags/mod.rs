//! Flags: the list, and one flag with its evidence, its numbers and the forms of decisions.

mod decide;
mod evidence;
mod left_out;
mod list;
mod numbers;
mod one;
mod pictures;

use crate::web::{Visit, name, text};
use actix_web::web::{ServiceConfig, get, post};
use serde_json::Value;

pub fn routes(config: &mut ServiceConfig) {
    config
        .route("/flags", get().to(list::list))
        .route("/flags/{id}", get().to(one::one))
        .route("/flags/{id}", post().to(decide::decide));
}

/// The flagged officer or branch, by its code and its name.
pub fn subject(visit: &Visit, flag: &Value) -> String {
    let (officer, unit) = (&flag["officer"], &flag["unit"]);
    match officer["code"].as_str() {
        Some(code) => [code, text(&officer["name"])].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>(),
        None => vec![text(&unit["code"]), name(unit, visit.locale())],
    }
    .join(" · ")
}
