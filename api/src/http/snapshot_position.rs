//! Waits until the snapshot holds what the client of a request has to see.

use super::Service;
use super::protocol::{POSITION, position_to_see, refusal};
use crate::graphql::error::Code;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use schema::db::dialect::current_position;
use std::time::Duration;

/// How long to wait for a position: the snapshot follows a write within moments.
const ARRIVES_WITHIN: Duration = Duration::from_secs(2);

/// Waits for the position that the header of a request names.
///
/// # Errors
/// 503 if the snapshot does not hold it in time.
pub async fn wait_for_position(service: &Service, http: &HttpRequest) -> Result<(), HttpResponse> {
    let app = &service.app;
    let mut position = position_to_see(http);
    if app.snapshots.current().position >= position {
        return Ok(());
    }
    if position == i64::MAX {
        // The present one.
        let db = app.background_db.clone();
        let present = tokio::task::spawn_blocking(move || db.read(current_position)).await;
        position = match present {
            Ok(Ok(present)) => present,
            _ => i64::MAX,
        };
    }
    if app.refresher.reaches(position, ARRIVES_WITHIN).await {
        return Ok(());
    }
    let current = app.snapshots.current().position;
    let message =
        format!("{POSITION}: the tables are at position {current} and have not reached the one you name: try again");
    Err(refusal(http, StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, message))
}
