//! Waits until the snapshot holds what the client of a request has to see.

use super::Service;
use super::protocol::{position_to_see, refusal};
use crate::graphql::error::Code;
use crate::graphql::snapshot_position::reach_position;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};

/// Waits for the position that the header of a request names.
///
/// # Errors
/// 503 if the snapshot does not hold it in time.
pub async fn wait_for_position(service: &Service, http: &HttpRequest) -> Result<(), HttpResponse> {
    let reached = reach_position(&service.app, position_to_see(http)).await;
    reached.map_err(|message| refusal(http, StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, message))
}
