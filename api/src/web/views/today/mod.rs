//! Today: the alerts that stand, what changed since the reader last looked, what waits for it, the numbers of the month with their usual
//! range, and pictures of what is unusual.

mod alerts;
mod months;
mod unusual;
pub mod usual;
mod waiting;

use crate::web::{Page, PageError, Visit};
use actix_web::HttpResponse;
use actix_web::web::{ServiceConfig, get};
use schema::Timestamp;
use schema::domain::calendar::local_date;

pub fn routes(config: &mut ServiceConfig) {
    config.route("/", get().to(today));
}

async fn today(visit: Visit) -> HttpResponse {
    let page = page(&visit).await;
    visit.respond(page)
}

async fn page(visit: &Visit) -> Result<Page, PageError> {
    let now = Timestamp::now();
    let today = local_date(now);
    let since = visit.session.last_looked_at;
    let page = Page::new("today.html", visit.t("today-title"))
        .with("since", since.map(|since| since.utc().to_rfc3339()))
        .with("administers", visit.may("Query", "principals"));
    // Who looks for the first time sees what changed within a day.
    let from = since.unwrap_or_else(|| Timestamp::from(now.utc() - chrono::TimeDelta::days(1)));
    let page = alerts::add(visit, page).await?;
    let page = waiting::add(visit, page, from, today).await?;
    let (page, mut pictures) = months::add(visit, page, today).await?;
    let (page, more) = unusual::add(visit, page).await?;
    pictures.extend(more);
    Ok(page.with("pictures", pictures))
}
