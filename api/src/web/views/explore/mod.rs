//! Explore: statistics of complaints by the dimensions that the reader chooses, as a chart and as a table.

mod answer;
mod days;
mod dimensions;
pub mod lists;
mod question;

use crate::web::Visit;
use actix_web::HttpResponse;
use actix_web::web::{ServiceConfig, get};

pub fn routes(config: &mut ServiceConfig) {
    config.route("/explore", get().to(explore));
}

async fn explore(visit: Visit) -> HttpResponse {
    let page = answer::page(&visit).await;
    visit.respond(page)
}
