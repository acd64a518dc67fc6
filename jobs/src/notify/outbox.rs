//! The outbox of notifications: each is retried until the receiver takes it, or given up after about three days.

use super::post::post_to;
use super::webhook::Failure;
use super::{TEST, endpoints};
use crate::runner::ledger::still_owned;
use chrono::TimeDelta;
use diesel::prelude::*;
use schema::db::WriteTx;
use schema::each;
use schema::enums::{DeliveryState, NotificationChannel};
use schema::models::{JobRun, Notification, NotificationEndpoint};
use schema::refusal::EndpointRefusal;
use schema::states::StateTable;
use schema::tables::{notification_endpoints, notifications};
use schema::{Conn, Db, Id, StoreError, Timestamp};
use serde_json::json;
use std::time::Duration;

/// The waits between attempts, in seconds, as Standard Webhooks proposes.
const WAITS: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// Attempts after which a message fails for good.
pub const ATTEMPTS: i32 = WAITS.len() as i32 + 1;
/// The longest wait that a receiver can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(86_400);

/// A message with its endpoint.
pub type Outgoing = (Notification, NotificationEndpoint);

/// Takes the next due message, and counts the attempt before it is made, so that crashes cannot cause endless retries.
/// Leaves out endpoints that failed in this run: one that does not answer must not delay the others.
///
/// # Errors
/// `Conflict` when another node has taken over the run that sends.
pub fn take(db: &Db, run: &JobRun, by_mail: bool, failed: &[Id]) -> Result<Option<Outgoing>, StoreError> {
    let committed = db.write("job", |tx| {
        still_owned(tx, run)?;
        give_up_on_the_last(tx)?;
        let now = tx.now;
        let Some((mut message, endpoint)) = next(tx.conn, now, by_mail, failed)? else { return Ok(None) };
        message.attempts += 1;
        message.next_attempt_at = (now.utc() + TimeDelta::seconds(wait_after(message.attempts))).into();
        store(tx, &message)?;
        Ok(Some((message, endpoint)))
    })?;
    Ok(committed.value)
}

fn wait_after(attempts: i32) -> i64 {
    let index = usize::try_from(attempts - 1).unwrap_or(0);
    WAITS.get(index).copied().unwrap_or(WAITS[WAITS.len() - 1])
}

fn next(conn: &mut Conn, now: Timestamp, by_mail: bool, failed: &[Id]) -> Result<Option<Outgoing>, StoreError> {
    let mut channels = vec![NotificationChannel::Webhook];
    if by_mail {
        channels.push(NotificationChannel::Email);
    }
    let latest = now.utc() + TimeDelta::seconds(2 * WAITS[WAITS.len() - 1]);
    Ok(notifications::table
        .inner_join(notification_endpoints::table.on(notification_endpoints::id.eq(notifications::endpoint_id)))
        .filter(notifications::state.eq(DeliveryState::Pending))
        // An attempt beyond the longest wait was scheduled while the clock was ahead.
        .filter(notifications::next_attempt_at.le(now).or(notifications::next_attempt_at.gt(Timestamp::from(latest))))
        .filter(notifications::attempts.lt(ATTEMPTS))
        .filter(notification_endpoints::disabled_at.is_null())
        .filter(notification_endpoints::channel.eq_any(&channels))
        .filter(notifications::endpoint_id.ne_all(failed.to_vec()))
        .order((notifications::next_attempt_at, notifications::created_at, notifications::id))
        .select((Notification::as_select(), NotificationEndpoint::as_select()))
        .first(conn)
        .optional()?)
}

/// Whether a message is due, or an interrupted last attempt is to be marked as failed.
///
/// # Errors
/// If the database cannot be read.
pub fn is_anything_due(conn: &mut Conn, by_mail: bool) -> Result<bool, StoreError> {
    let tried: i64 = notifications::table
        .filter(notifications::state.eq(DeliveryState::Pending))
        .filter(notifications::attempts.ge(ATTEMPTS))
        .count()
        .get_result(conn)?;
    Ok(tried > 0 || next(conn, Timestamp::now(), by_mail, &[])?.is_some())
}

/// Fails messages whose last attempt was interrupted. Only one run sends at a time, so an unfinished last attempt
/// belongs to a node that stopped.
fn give_up_on_the_last(tx: &mut WriteTx<'_>) -> Result<(), StoreError> {
    let interrupted = notifications::table
        .filter(notifications::state.eq(DeliveryState::Pending))
        .filter(notifications::attempts.ge(ATTEMPTS));
    let why = "the node went away in the last attempt";
    let given_up = (notifications::state.eq(DeliveryState::Failed), notifications::error.eq(Some(why)));
    let ids: Vec<Id> = each!(&mut *tx.conn, c => diesel::update(interrupted)
        .set(given_up)
        .returning(notifications::id)
        .get_results(c)?);
    ids.iter().for_each(|id| tx.record_state(StateTable::Notifications, id));
    Ok(())
}

/// Records the outcome of an attempt; returns the state of the message. An endpoint that is gone is disabled.
///
/// # Errors
/// If the message is gone, or the database cannot be written.
pub fn record_outcome(
    db: &Db,
    mut message: Notification,
    outcome: &Result<Option<i32>, Failure>,
) -> Result<DeliveryState, StoreError> {
    let committed = db.write("job", |tx| {
        let recorded: DeliveryState =
            notifications::table.find(message.id).select(notifications::state).first(tx.conn)?;
        if outcome.is_err() && recorded != DeliveryState::Pending {
            // The endpoint was disabled during the attempt.
            return Ok(recorded);
        }
        match outcome {
            Ok(status) => {
                message.state = DeliveryState::Sent;
                message.sent_at = Some(tx.now);
                message.status = *status;
                message.error = None;
            }
            Err(failure) => {
                message.status = failure.status;
                message.error = Some(failure.why.clone());
                if failure.is_gone || failure.is_final || message.attempts >= ATTEMPTS {
                    message.state = DeliveryState::Failed;
                } else if let Some(wait) = failure.retry_after {
                    let wait = TimeDelta::from_std(wait.min(LONGEST_WAIT)).unwrap_or_default();
                    let asked = Timestamp::from(tx.now.utc() + wait);
                    message.next_attempt_at = message.next_attempt_at.max(asked);
                }
            }
        }
        store(tx, &message)?;
        if let Err(failure) = outcome
            && failure.is_gone
        {
            endpoints::disable(tx, message.endpoint_id, "the receiver answered 410 Gone")?;
        }
        Ok(message.state)
    })?;
    Ok(committed.value)
}

fn store(tx: &mut WriteTx<'_>, message: &Notification) -> Result<(), StoreError> {
    each!(&mut *tx.conn, c => diesel::update(notifications::table.find(message.id)).set(message).execute(c)?);
    tx.record_state(StateTable::Notifications, &message.id);
    Ok(())
}

/// Queues a test message to an endpoint.
///
/// # Errors
/// `NotFound` if the endpoint does not exist, `Rule` if it is disabled.
pub fn post_test(tx: &mut WriteTx<'_>, endpoint: Id) -> Result<Notification, StoreError> {
    let row = endpoints::find(tx.conn, endpoint)?;
    if row.disabled_at.is_some() {
        return Err(EndpointRefusal::Disabled { address: row.address }.into());
    }
    post_to(tx, endpoint, TEST, &json!({ "endpoint": endpoint }))
}

/// The latest messages, with their endpoints.
///
/// # Errors
/// If the database cannot be read.
pub fn log(conn: &mut Conn, limit: i64) -> Result<Vec<Outgoing>, StoreError> {
    Ok(notifications::table
        .inner_join(notification_endpoints::table.on(notification_endpoints::id.eq(notifications::endpoint_id)))
        .order((notifications::created_at.desc(), notifications::id))
        .limit(limit)
        .select((Notification::as_select(), NotificationEndpoint::as_select()))
        .load(conn)?)
}

/// Deletes at most `most` messages that have ended and whose next attempt lay before a time; returns how many.
///
/// # Errors
/// If the database cannot be written.
pub fn forget(tx: &mut WriteTx<'_>, before: Timestamp, most: i64) -> Result<usize, StoreError> {
    let old: Vec<Id> = notifications::table
        .filter(notifications::state.ne(DeliveryState::Pending))
        .filter(notifications::next_attempt_at.lt(before))
        .order((notifications::next_attempt_at, notifications::id))
        .limit(most)
        .select(notifications::id)
        .load(tx.conn)?;
    diesel::delete(notifications::table.filter(notifications::id.eq_any(&old))).execute(tx.conn)?;
    old.iter().for_each(|id| tx.record_state(StateTable::Notifications, id));
    Ok(old.len())
}

/// The number of notifications that wait for delivery, and when the oldest of them was made.
///
/// # Errors
/// If the database cannot be read.
pub fn undelivered(conn: &mut Conn) -> Result<(i64, Option<Timestamp>), StoreError> {
    Ok(notifications::table
        .filter(notifications::state.eq(DeliveryState::Pending))
        .select((diesel::dsl::count_star(), diesel::dsl::min(notifications::created_at)))
        .first(conn)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end_with_a_day() {
        let (minute, hour) = (60, 3_600);
        let documented = [5, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour];
        assert_eq!([1, 2, 3, 4, 5, 6, 7, 8, 9].map(wait_after), documented);
        assert_eq!(ATTEMPTS, 10);
        assert!(WAITS.is_sorted());
    }
}
