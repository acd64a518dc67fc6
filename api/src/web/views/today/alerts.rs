//! The active alerts.

use crate::web::views::alerts::table;
use crate::web::{Page, PageError, Visit, nodes};
use serde_json::json;

const STANDING: &str = include_str!("../../queries/today-alerts.graphql");

/// Adds the latest active alerts, for readers who may see them.
///
/// # Errors
/// The errors of the questions.
pub async fn add(visit: &Visit, page: Page) -> Result<Page, PageError> {
    if !visit.may("Query", "alerts") {
        return Ok(page);
    }
    let data = visit.query(STANDING, json!({})).await?;
    let alerts = &data["alerts"];
    if nodes(alerts).next().is_none() {
        return Ok(page);
    }
    let table = table(visit, alerts).await?;
    Ok(page.table(table).with("alerts", alerts["totalCount"].as_u64()))
}
