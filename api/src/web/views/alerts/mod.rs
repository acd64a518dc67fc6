//! Alerts: what people should know at once, what stands and what is over, each with a link to its subject.

mod list;
mod subjects;

pub use list::table;

use actix_web::web::{ServiceConfig, get};

pub fn routes(config: &mut ServiceConfig) {
    config.route("/alerts", get().to(list::list));
}
