//! The operations of a socket: each is run, and its answers or events are sent under its id.

use crate::auth::Viewer;
use crate::budget::Budget;
use crate::graphql::error::{Code, UNREACHABLE};
use crate::http::Service;
use crate::http::operation::{budget, finish, prepare, request, run};
use crate::http::post_operation::{Came, audit};
use crate::http::prepared::Prepared;
use crate::http::protocol::{Body, OperationResult, coded};
use crate::http::rights::Watched;
use actix_web::web::Data;
use actix_ws::Session;
use async_graphql::ServerError;
use futures_util::StreamExt;
use schema::enums::Locale;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Bytes of an answer: a socket queues some of them, and a client may read slowly.
const LARGEST_MESSAGE: usize = 1024 * 1024;
/// Subscriptions have no deadline of their own.
const FAR: Duration = Duration::from_secs(365 * 24 * 3_600);

/// Runs one operation to its end, if it has one.
pub(super) async fn operate(
    service: &Data<Service>,
    mut session: Session,
    viewer: &Viewer,
    id: &str,
    body: Body,
    locale: Locale,
) {
    let mut rights = Watched::over(service, viewer);
    if !rights.stands().await {
        return not_told(&mut session, &rights, id).await;
    }
    let budget = budget(service, Some(viewer));
    let prepared = match prepare(service, Some(viewer), body, locale).await {
        Ok(prepared) => prepared,
        Err(outcome) => return refuse(&mut session, id, &outcome.errors).await,
    };
    if !prepared.is_subscription() {
        let outcome = run(service, Some(viewer), prepared, &budget).await;
        // What says what was written is told in any case.
        if outcome.refused.is_some() || (outcome.size() > LARGEST_MESSAGE && !outcome.wrote) {
            return refuse_answer(&mut session, id, &outcome).await;
        }
        if session.text(outcome.as_next(id)).await.is_ok() {
            complete(&mut session, id).await;
        }
        return;
    }
    subscribed(service, &mut session, viewer, &mut rights, id, &prepared).await;
}

async fn subscribed(
    service: &Data<Service>,
    session: &mut Session,
    viewer: &Viewer,
    rights: &mut Watched,
    id: &str,
    prepared: &Prepared,
) {
    let seen = Arc::default();
    let budget = Budget::until(Instant::now() + FAR, prepared.limits());
    let (request, _) = request(service, Some(viewer), prepared, None, &seen, &budget, false);
    // That nothing happens is an answer, too.
    audit(service, Some(viewer), prepared, &seen, Came::ToAnAnswer).await;
    let mut responses = std::pin::pin!(service.schema.execute_stream(request));
    let mut first = true;
    while let Some(mut response) = responses.next().await {
        // Before each event: the token may have been revoked since the one before.
        if !rights.stands().await {
            return not_told(session, rights, id).await;
        }
        finish(prepared, &mut response);
        let failed = response.data == async_graphql::Value::Null && !response.errors.is_empty();
        let outcome = OperationResult::of_answer(response, &budget, true);
        budget.renew();
        let came = if outcome.errors.is_empty() { Came::ToAnAnswer } else { Came::ToErrors };
        audit(service, Some(viewer), prepared, &seen, came).await;
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

/// Ends an operation of whoever may be told nothing. Where the rights are lost the connection is closed besides.
async fn not_told(session: &mut Session, rights: &Watched, id: &str) {
    if !rights.is_lost() {
        refuse(session, id, &[coded(Code::Unavailable, UNREACHABLE)]).await;
    }
}

/// Tells why there is no answer, or that it is too large for a socket.
async fn refuse_answer(session: &mut Session, id: &str, outcome: &OperationResult) {
    if outcome.size() <= LARGEST_MESSAGE {
        return refuse(session, id, &outcome.errors).await;
    }
    let message = format!("an answer over a socket has at most {LARGEST_MESSAGE} bytes: ask over HTTP");
    refuse(session, id, &[coded(Code::BadUserInput, message)]).await;
}

async fn refuse(session: &mut Session, id: &str, errors: &[ServerError]) {
    let _gone = session.text(json!({ "type": "error", "id": id, "payload": errors }).to_string()).await;
}

async fn complete(session: &mut Session, id: &str) {
    let _gone = session.text(json!({ "type": "complete", "id": id }).to_string()).await;
}
