//! Today: the active alerts, what changed since the reader last looked, what waits for it, the numbers of the month
//! with their usual range, and pictures of what is unusual.

mod alerts;
mod months;
mod unusual;
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
    // On the first visit the page shows the changes of one day.
    let from = since.unwrap_or_else(|| Timestamp::from(now.utc() - chrono::TimeDelta::days(1)));
    // Each part asks on its own, and the parts ask at the same time.
    let (alerts, waiting, (months, mut pictures), (unusual, more)) = tokio::try_join!(
        alerts::add(visit, Page::part()),
        waiting::add(visit, Page::part(), from, today),
        months::add(visit, Page::part(), today),
        unusual::add(visit, Page::part()),
    )?;
    pictures.extend(more);
    Ok([alerts, waiting, months, unusual].into_iter().fold(page, Page::and).with("pictures", pictures))
}
