//! Digests that did not reach their recipients: those that were not sent, and those that were not even made.

use super::{Found, found_of};
use crate::digest::reader::outbox::LOST;
use crate::digest::reader::{self, AccountRule, TRIED_HOURS};
use crate::runner::settings::Settings;
use crate::snapshot::Reference;
use chrono::{NaiveDate, TimeDelta};
use diesel::prelude::*;
use schema::domain::calendar::local_date;
use schema::enums::{AlertKind, DeliveryState};
use schema::models::DigestSubscription;
use schema::tables::{deliveries, digest_subscriptions, digests, reader_digests};
use schema::{Conn, Id, StoreError, Timestamp};
use serde_json::json;
use std::collections::BTreeMap;

/// The delivery of a digest may take this many hours.
const UNDELIVERED_HOURS: i64 = 1;
/// A digest older than this raises no alert.
const DIGEST_DAYS: i64 = 7;

/// Digests that have not reached all their recipients.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn undelivered(conn: &mut Conn, now: Timestamp) -> Result<Vec<Found>, StoreError> {
    let before = |hours: i64| Timestamp::from(now.utc() - TimeDelta::hours(hours));
    let late = deliveries::state.eq(DeliveryState::Pending).and(digests::created_at.lt(before(UNDELIVERED_HOURS)));
    let rows: Vec<(Id, NaiveDate)> = deliveries::table
        .inner_join(digests::table.on(digests::id.eq(deliveries::digest_id)))
        .inner_join(digest_subscriptions::table.on(digest_subscriptions::id.eq(deliveries::subscription_id)))
        .filter(digest_subscriptions::ended_at.is_null())
        .filter(digests::created_at.gt(before(24 * DIGEST_DAYS)))
        .filter(deliveries::state.eq(DeliveryState::Failed).or(late))
        .select((digests::id, digests::as_of))
        .load(conn)?;
    let late =
        reader_digests::state.eq(DeliveryState::Pending).and(reader_digests::created_at.lt(before(UNDELIVERED_HOURS)));
    let of_readers: Vec<(Id, NaiveDate, Option<String>)> = reader_digests::table
        .inner_join(digest_subscriptions::table.on(digest_subscriptions::id.eq(reader_digests::subscription_id)))
        .filter(digest_subscriptions::ended_at.is_null())
        .filter(reader_digests::created_at.gt(before(24 * DIGEST_DAYS)))
        .filter(reader_digests::state.eq(DeliveryState::Failed).or(late))
        .select((reader_digests::id, reader_digests::as_of, reader_digests::error))
        .load(conn)?;
    // A digest that its reader may no longer read is not sent: that is not a failure, and the delivery log shows it.
    let of_readers = of_readers
        .into_iter()
        .filter(|(.., error)| !error.as_deref().is_some_and(|error| error.starts_with(LOST)))
        .map(|(id, as_of, _)| (id, as_of));
    let mut by_digest: BTreeMap<(NaiveDate, Id), u32> = BTreeMap::new();
    for (id, as_of) in rows.into_iter().chain(of_readers) {
        *by_digest.entry((as_of, id)).or_default() += 1;
    }
    let found = by_digest.into_iter().map(|((as_of, id), count)| {
        let details = json!({ "digest": id, "asOf": as_of, "deliveries": count });
        found_of(AlertKind::DigestUndelivered, id.to_string(), details)
    });
    Ok(found.collect())
}

/// Digests of readers that were due and do not exist: the job that makes them is paused or stuck. While it works, a
/// digest that it cannot make, or that its reader does not want, is not due any more after the hours for which it is
/// tried.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn never_made(conn: &mut Conn, now: Timestamp, settings: &Settings) -> Result<Vec<Found>, StoreError> {
    let patience = TimeDelta::hours(TRIED_HOURS + UNDELIVERED_HOURS);
    let late: Vec<(DigestSubscription, Timestamp)> = reader::own(conn, None)?
        .into_iter()
        .filter_map(|subscription| {
            let due = reader::first_due(&subscription)?;
            (due.utc() + patience <= now.utc()).then_some((subscription, due))
        })
        .collect();
    if late.is_empty() {
        return Ok(Vec::new());
    }
    let tree = Reference::load(conn).map_err(|error| StoreError::Rule(error.to_string()))?.tree;
    let rule = AccountRule::of(settings);
    let mut found = Vec::new();
    for (subscription, due) in late {
        // Nothing would be sent to a reader who lost the right to it. A run by hand makes a digest, and leaves its
        // scheduled time as it is.
        let is_missing = reader::current_reader(conn, &tree, &rule, &subscription)?.is_ok()
            && !is_made(conn, &subscription, local_date(due))?;
        if is_missing {
            let details = json!({ "subscription": subscription.id, "scheduledAt": due });
            found.push(found_of(AlertKind::DigestUndelivered, subscription.id.to_string(), details));
        }
    }
    Ok(found)
}

/// Whether a subscription has a digest of the day before a day, which is the last that it covers, or of a later one.
fn is_made(conn: &mut Conn, subscription: &DigestSubscription, day: NaiveDate) -> Result<bool, StoreError> {
    let made: i64 = reader_digests::table
        .filter(reader_digests::subscription_id.eq(subscription.id))
        .filter(reader_digests::created_at.ge(subscription.created_at))
        .filter(reader_digests::as_of.ge(day.pred_opt().unwrap_or(day)))
        .count()
        .get_result(conn)?;
    Ok(made > 0)
}
