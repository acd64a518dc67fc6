//! The views, one file or folder each.

mod alerts;
mod arguments;
mod audit;
mod blame;
mod categories;
mod complaints;
mod conditions;
mod digests;
mod explore;
mod flags;
mod form;
mod guidance;
mod jobs;
mod measures;
mod message;
mod numbers;
mod overdue;
mod paging;
mod sending;
mod subscriptions;
mod today;
mod units;
mod webhooks;

use actix_web::web::ServiceConfig;

/// The routes of all views, one line each.
pub fn routes(config: &mut ServiceConfig) {
    today::routes(config);
    flags::routes(config);
    alerts::routes(config);
    complaints::routes(config);
    overdue::routes(config);
    blame::routes(config);
    guidance::routes(config);
    measures::routes(config);
    // Before the digests: their addresses begin alike, and the first route that fits is taken.
    subscriptions::routes(config);
    digests::routes(config);
    jobs::routes(config);
    webhooks::routes(config);
    audit::routes(config);
    units::routes(config);
    categories::routes(config);
    explore::routes(config);
}
