//! The views, one file or folder each.

mod complaints;
mod flags;
mod form;
mod overdue;
mod paging;
mod today;

use actix_web::web::ServiceConfig;

/// The routes of all views, one line each.
pub fn routes(config: &mut ServiceConfig) {
    today::routes(config);
    flags::routes(config);
    complaints::routes(config);
    overdue::routes(config);
}
