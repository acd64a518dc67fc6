//! Alerts, active ones and those that are over, each with a link to its subject.

mod forms;
mod list;
mod subjects;

pub use list::table;

use actix_web::web::{ServiceConfig, get, post};

pub fn routes(config: &mut ServiceConfig) {
    config.route("/alerts", get().to(list::list)).route("/alerts", post().to(list::change));
}
