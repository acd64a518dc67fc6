//! Guidance documents of headquarters units: the list, and one document with the opinions of the Board.

mod forms;
mod list;
mod one;

use actix_web::web::{ServiceConfig, get, post};

pub fn routes(config: &mut ServiceConfig) {
    config
        .route("/guidance", get().to(list::list))
        .route("/guidance", post().to(list::request))
        .route("/guidance/{id}", get().to(one::one))
        .route("/guidance/{id}", post().to(one::change));
}
