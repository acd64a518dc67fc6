//! Runs the operations of a WebSocket and sends their answers or events under their id.

use crate::access::Viewer;
use crate::budget::Budget;
use crate::graphql::error::{Code, UNREACHABLE};
use crate::http::Service;
use crate::http::operation::{Attempt, budget, finish, request, run};
use crate::http::post_operation::{OperationOutcome, audit};
use crate::http::prepare::{Ready, prepare};
use crate::http::prepared::Prepared;
use crate::http::protocol::{Body, OperationResult, coded};
use crate::http::rights::RightsWatch;
use actix_web::web::Data;
use actix_ws::Session;
use async_graphql::ServerError;
use futures_util::StreamExt;
use schema::enums::Locale;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Largest message, in bytes: a socket queues some messages, and a client may read slowly.
const LARGEST_MESSAGE: usize = 1024 * 1024;
/// Deadline of a subscription, which has no deadline of its own.
const NO_DEADLINE: Duration = Duration::from_secs(365 * 24 * 3_600);

/// Runs one operation: sends the answer of a query or mutation, or the events of a subscription until it ends.
pub(super) async fn operate(
    service: &Data<Service>,
    mut session: Session,
    viewer: &Viewer,
    id: &str,
    body: Body,
    locale: Locale,
) {
    let mut rights = RightsWatch::over(service, viewer);
    if !rights.are_valid().await {
        return end_without_answer(&mut session, &rights, id).await;
    }
    let budget = budget(service, Some(viewer));
    let outcome = match prepare(service, Some(viewer), body, locale, &budget).await {
        Ok(Ready::Checked(prepared)) if prepared.is_subscription() => {
            return subscribed(service, &mut session, viewer, &mut rights, id, &prepared).await;
        }
        Ok(Ready::Checked(prepared)) => run(service, Some(viewer), *prepared, &budget).await,
        Ok(Ready::Answered(outcome)) => outcome,
        Err(outcome) => return refuse(&mut session, id, &outcome.errors).await,
    };
    // The answer to a write is always sent, so that the client does not repeat the write.
    if outcome.refused.is_some() || (outcome.size() > LARGEST_MESSAGE && !outcome.wrote) {
        return refuse_answer(&mut session, id, &outcome).await;
    }
    if session.text(outcome.as_next(id)).await.is_ok() {
        complete(&mut session, id).await;
    }
}

async fn subscribed(
    service: &Data<Service>,
    session: &mut Session,
    viewer: &Viewer,
    rights: &mut RightsWatch,
    id: &str,
    prepared: &Prepared,
) {
    let seen = Arc::default();
    let budget = Budget::until(Instant::now() + NO_DEADLINE, prepared.limits());
    let (request, _) = request(service, Some(viewer), prepared, None, &seen, &budget, &Attempt::default());
    // A subscription without events also discloses something, so it is audited.
    audit(service, Some(viewer), prepared, &seen, OperationOutcome::Answered).await;
    let mut responses = std::pin::pin!(service.schema.execute_stream(request));
    let mut first = true;
    while let Some(mut response) = responses.next().await {
        // The token may have been revoked since the last event.
        if !rights.are_valid().await {
            return end_without_answer(session, rights, id).await;
        }
        finish(prepared, &mut response);
        let failed = response.data == async_graphql::Value::Null && !response.errors.is_empty();
        let outcome = OperationResult::of_answer(response, &budget, true);
        budget.renew();
        let audit_outcome =
            if outcome.errors.is_empty() { OperationOutcome::Answered } else { OperationOutcome::Failed };
        audit(service, Some(viewer), prepared, &seen, audit_outcome).await;
        if (first && failed) || outcome.size() > LARGEST_MESSAGE {
            return refuse_answer(session, id, &outcome).await;
        }
        first = false;
        if session.text(outcome.as_next(id)).await.is_err() {
            return;
        }
    }
    complete(session, id).await;
}

/// Ends an operation without an answer. If the viewer has lost its rights, the socket is closed instead.
async fn end_without_answer(session: &mut Session, rights: &RightsWatch, id: &str) {
    if !rights.is_lost() {
        refuse(session, id, &[coded(Code::Unavailable, UNREACHABLE)]).await;
    }
}

/// Sends the errors of an operation, or an error that the answer is too large for a socket.
async fn refuse_answer(session: &mut Session, id: &str, outcome: &OperationResult) {
    if outcome.size() <= LARGEST_MESSAGE {
        return refuse(session, id, &outcome.errors).await;
    }
    let message = format!("an answer over a socket has at most {LARGEST_MESSAGE} bytes: send the operation over HTTP");
    refuse(session, id, &[coded(Code::BadUserInput, message)]).await;
}

async fn refuse(session: &mut Session, id: &str, errors: &[ServerError]) {
    let _gone = session.text(json!({ "type": "error", "id": id, "payload": errors }).to_string()).await;
}

async fn complete(session: &mut Session, id: &str) {
    let _gone = session.text(json!({ "type": "complete", "id": id }).to_string()).await;
}
