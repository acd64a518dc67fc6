//! The endpoints to which alerts are sent, and their messages.

mod forms;
mod list;

use actix_web::web::{ServiceConfig, get, post};

pub fn routes(config: &mut ServiceConfig) {
    config.route("/webhooks", get().to(list::list)).route("/webhooks", post().to(list::change));
}
