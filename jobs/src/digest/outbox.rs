//! Digest subscriptions and the outbox: one delivery for each digest and recipient, retried until it is sent or has
//! failed for good.

use super::address;
use crate::runner::ledger::still_owned;
use chrono::TimeDelta;
use diesel::prelude::*;
use schema::db::WriteTx;
use schema::domain::ids::random_id;
use schema::each;
use schema::enums::{DeliveryChannel, DeliveryState, Locale};
use schema::models::{Delivery, Digest, DigestSubscription, JobRun};
use schema::states::{StateTable, pair};
use schema::tables::{deliveries, digest_subscriptions, digests};
use schema::{Conn, Db, Id, StoreError, Timestamp};
use std::collections::HashSet;

/// Attempts after which a delivery fails for good.
pub const ATTEMPTS: i32 = 8;

/// Subscribes an address, or changes its language. Another spelling of a subscribed address is the same subscription.
///
/// # Errors
/// `Rule` when the address is invalid.
pub fn subscribe(
    tx: &mut WriteTx<'_>,
    channel: DeliveryChannel,
    address: &str,
    locale: Locale,
) -> Result<DigestSubscription, StoreError> {
    let address = address::check(channel, address).map_err(StoreError::Rule)?;
    let existing = spellings(tx.conn, channel, address)?.into_iter().next();
    if let Some(mut existing) = existing {
        existing.locale = locale;
        if existing.ended_at.is_some() {
            // A subscription that ended had its reader; the new one has none.
            existing = of_the_board(existing.id, channel, &existing.address, locale, existing.created_at);
        }
        each!(&mut *tx.conn, c => diesel::update(digest_subscriptions::table.find(existing.id))
            .set(&existing)
            .execute(c)?);
        tx.record_state(StateTable::DigestSubscriptions, &existing.id);
        return Ok(existing);
    }
    let row = of_the_board(random_id(), channel, address, locale, tx.now);
    each!(&mut *tx.conn, c => diesel::insert_into(digest_subscriptions::table).values(&row).execute(c)?);
    tx.record_state(StateTable::DigestSubscriptions, &row.id);
    Ok(row)
}

/// A subscription without a reader: its address receives the Board's whole digest.
fn of_the_board(
    id: Id,
    channel: DeliveryChannel,
    address: &str,
    locale: Locale,
    created_at: Timestamp,
) -> DigestSubscription {
    DigestSubscription {
        id,
        channel,
        address: address.to_owned(),
        locale,
        created_at,
        ended_at: None,
        principal_id: None,
        role: None,
        unit_id: None,
        sections: None,
        schedule: None,
        timezone: None,
        condition: None,
        min_overdue: None,
        quiet_until: None,
        considered_at: None,
    }
}

/// Ends a subscription and cancels its pending deliveries.
///
/// # Errors
/// `NotFound` when the address is not subscribed.
pub fn unsubscribe(tx: &mut WriteTx<'_>, channel: DeliveryChannel, address: &str) -> Result<(), StoreError> {
    let existing = spellings(tx.conn, channel, address)?;
    let ends: Vec<Id> = existing.iter().filter(|row| row.ended_at.is_none()).map(|row| row.id).collect();
    if ends.is_empty() {
        let message = format!("{address} is not subscribed: `phananh digest subscriptions` lists all");
        return Err(StoreError::NotFound(message));
    }
    end_all(tx, ends)
}

/// Ends a subscription; one that has ended stays as it is.
///
/// # Errors
/// `NotFound` when the subscription does not exist.
pub fn end(tx: &mut WriteTx<'_>, id: Id) -> Result<(), StoreError> {
    let row: Option<DigestSubscription> =
        digest_subscriptions::table.find(id).select(DigestSubscription::as_select()).first(tx.conn).optional()?;
    match row {
        None => Err(StoreError::NotFound(format!("there is no subscription {id}"))),
        Some(row) if row.ended_at.is_some() => Ok(()),
        Some(row) => end_all(tx, vec![row.id]),
    }
}

fn end_all(tx: &mut WriteTx<'_>, ends: Vec<Id>) -> Result<(), StoreError> {
    diesel::update(digest_subscriptions::table.filter(digest_subscriptions::id.eq_any(&ends)))
        .set(digest_subscriptions::ended_at.eq(Some(tx.now)))
        .execute(tx.conn)?;
    ends.iter().for_each(|id| tx.record_state(StateTable::DigestSubscriptions, id));
    let waiting = deliveries::table
        .filter(deliveries::subscription_id.eq_any(ends))
        .filter(deliveries::state.eq(DeliveryState::Pending));
    let taken_back =
        (deliveries::state.eq(DeliveryState::Failed), deliveries::error.eq(Some("unsubscribed before it was sent")));
    let taken_back: Vec<(Id, Id)> = each!(&mut *tx.conn, c => diesel::update(waiting)
        .set(taken_back)
        .returning((deliveries::digest_id, deliveries::subscription_id))
        .get_results(c)?);
    keep_deliveries(tx, &taken_back);
    Ok(())
}

/// The number of pending deliveries by mail.
///
/// # Errors
/// If the database cannot be read.
pub fn waiting_for_mail(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(deliveries::table
        .inner_join(digest_subscriptions::table.on(digest_subscriptions::id.eq(deliveries::subscription_id)))
        .filter(deliveries::state.eq(DeliveryState::Pending))
        .filter(digest_subscriptions::channel.eq(DeliveryChannel::Email))
        .count()
        .get_result(conn)?)
}

/// The number of pending deliveries, and when the oldest digest among them was made.
///
/// # Errors
/// If the database cannot be read.
pub fn undelivered(conn: &mut Conn) -> Result<(i64, Option<Timestamp>), StoreError> {
    Ok(deliveries::table
        .inner_join(digests::table.on(digests::id.eq(deliveries::digest_id)))
        .filter(deliveries::state.eq(DeliveryState::Pending))
        .select((diesel::dsl::count_star(), diesel::dsl::min(digests::created_at)))
        .first(conn)?)
}

fn keep_deliveries(tx: &mut WriteTx<'_>, keys: &[(Id, Id)]) {
    keys.iter().for_each(|(digest, recipient)| tx.record_state(StateTable::Deliveries, &pair(digest, recipient)));
}

/// The subscriptions of an address in all its spellings, current ones first.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn spellings(
    conn: &mut Conn,
    channel: DeliveryChannel,
    address: &str,
) -> Result<Vec<DigestSubscription>, StoreError> {
    let wanted = address::identity(channel, address);
    let all: Vec<DigestSubscription> = digest_subscriptions::table
        .filter(digest_subscriptions::channel.eq(channel))
        .order((
            digest_subscriptions::ended_at.is_not_null(),
            digest_subscriptions::created_at,
            digest_subscriptions::id,
        ))
        .select(DigestSubscription::as_select())
        .load(conn)?;
    Ok(all.into_iter().filter(|one| address::identity(channel, &one.address) == wanted).collect())
}

/// The current subscriptions, by channel and address.
///
/// # Errors
/// If the database cannot be read.
pub fn subscriptions(conn: &mut Conn) -> Result<Vec<DigestSubscription>, StoreError> {
    Ok(digest_subscriptions::table
        .filter(digest_subscriptions::ended_at.is_null())
        .order((digest_subscriptions::channel, digest_subscriptions::address))
        .select(DigestSubscription::as_select())
        .load(conn)?)
}

/// Queues a digest for each subscriber of its language; returns the number of deliveries.
///
/// # Errors
/// If the database cannot be written.
pub fn post(tx: &mut WriteTx<'_>, digest: &Digest) -> Result<usize, StoreError> {
    let recipients = subscriptions(tx.conn)?;
    let mut addresses = HashSet::new();
    let rows: Vec<Delivery> = recipients
        .into_iter()
        // Digests of readers are made apart.
        .filter(|recipient| recipient.principal_id.is_none() && recipient.locale == digest.locale)
        // A register may hold several spellings of one address from before they were unified.
        .filter(|recipient| {
            addresses.insert((recipient.channel, address::identity(recipient.channel, &recipient.address)))
        })
        .map(|recipient| Delivery {
            digest_id: digest.id,
            subscription_id: recipient.id,
            state: DeliveryState::Pending,
            attempts: 0,
            next_attempt_at: tx.now,
            // The same for every attempt, so that mail clients drop a duplicate.
            message_id: format!("{}.{}", digest.id, recipient.id),
            sent_at: None,
            error: None,
        })
        .collect();
    if rows.is_empty() {
        return Ok(0);
    }
    each!(&mut *tx.conn, c => diesel::insert_into(deliveries::table).values(&rows).on_conflict_do_nothing().execute(c)?);
    let keys: Vec<(Id, Id)> = rows.iter().map(|row| (row.digest_id, row.subscription_id)).collect();
    keep_deliveries(tx, &keys);
    Ok(rows.len())
}

/// A delivery with its digest and its recipient.
pub type OutgoingDelivery = (Delivery, Digest, DigestSubscription);

/// Takes the next due delivery, and counts the attempt before it is made, so that crashes cannot cause endless
/// retries. The next attempt waits 2, 4, 8 … minutes. Without a mail server (`by_mail`), mail stays pending.
///
/// # Errors
/// `Conflict` when another node has taken over the run that delivers.
pub fn take(db: &Db, run: &JobRun, by_mail: bool) -> Result<Option<OutgoingDelivery>, StoreError> {
    let committed = db.write("job", |tx| {
        still_owned(tx, run)?;
        give_up_on_the_last(tx)?;
        let now = tx.now;
        let Some((mut delivery, digest, recipient)) = next(tx.conn, now, by_mail)? else { return Ok(None) };
        delivery.attempts += 1;
        let wait = TimeDelta::minutes(1 << delivery.attempts.clamp(0, 10));
        delivery.next_attempt_at = (now.utc() + wait).into();
        store(tx, &delivery)?;
        Ok(Some((delivery, digest, recipient)))
    })?;
    Ok(committed.value)
}

/// The next due delivery.
fn next(conn: &mut Conn, now: Timestamp, by_mail: bool) -> Result<Option<OutgoingDelivery>, StoreError> {
    let mut channels = vec![DeliveryChannel::Folder];
    if by_mail {
        channels.push(DeliveryChannel::Email);
    }
    let latest = now.utc() + TimeDelta::minutes(1 << ATTEMPTS);
    Ok(deliveries::table
        .inner_join(digests::table.on(digests::id.eq(deliveries::digest_id)))
        .inner_join(digest_subscriptions::table.on(digest_subscriptions::id.eq(deliveries::subscription_id)))
        .filter(deliveries::state.eq(DeliveryState::Pending))
        // An attempt beyond the longest backoff was scheduled while the clock was ahead.
        .filter(deliveries::next_attempt_at.le(now).or(deliveries::next_attempt_at.gt(Timestamp::from(latest))))
        .filter(deliveries::attempts.lt(ATTEMPTS))
        .filter(digest_subscriptions::ended_at.is_null())
        .filter(digest_subscriptions::channel.eq_any(&channels))
        .order((deliveries::next_attempt_at, deliveries::digest_id, deliveries::subscription_id))
        .select((Delivery::as_select(), Digest::as_select(), DigestSubscription::as_select()))
        .first(conn)
        .optional()?)
}

/// Whether a delivery is due, or an interrupted last attempt is to be marked as failed.
///
/// # Errors
/// If the database cannot be read.
pub fn is_anything_due(conn: &mut Conn, by_mail: bool) -> Result<bool, StoreError> {
    let tried: i64 = deliveries::table
        .filter(deliveries::state.eq(DeliveryState::Pending))
        .filter(deliveries::attempts.ge(ATTEMPTS))
        .count()
        .get_result(conn)?;
    Ok(tried > 0 || next(conn, Timestamp::now(), by_mail)?.is_some())
}

/// Deletes at most `most` deliveries that have ended and whose next attempt lay before a time; returns how many.
///
/// # Errors
/// If the database cannot be written.
pub fn forget(tx: &mut WriteTx<'_>, before: Timestamp, most: i64) -> Result<usize, StoreError> {
    let old: Vec<(Id, Id)> = deliveries::table
        .filter(deliveries::state.ne(DeliveryState::Pending))
        .filter(deliveries::next_attempt_at.lt(before))
        .order((deliveries::next_attempt_at, deliveries::digest_id, deliveries::subscription_id))
        .limit(most)
        .select((deliveries::digest_id, deliveries::subscription_id))
        .load(tx.conn)?;
    for key in &old {
        diesel::delete(deliveries::table.find(*key)).execute(tx.conn)?;
    }
    keep_deliveries(tx, &old);
    Ok(old.len())
}

/// Fails deliveries whose last attempt was interrupted. Only one run delivers at a time, so an unfinished last attempt
/// belongs to a node that stopped; whether its mail arrived is unknown.
fn give_up_on_the_last(tx: &mut WriteTx<'_>) -> Result<(), StoreError> {
    let broken_off = deliveries::table
        .filter(deliveries::state.eq(DeliveryState::Pending))
        .filter(deliveries::attempts.ge(ATTEMPTS));
    let why = "the node went away in the last attempt: `phananh digest retry` sends it once more";
    let given_up = (deliveries::state.eq(DeliveryState::Failed), deliveries::error.eq(Some(why)));
    let keys: Vec<(Id, Id)> = each!(&mut *tx.conn, c => diesel::update(broken_off)
        .set(given_up)
        .returning((deliveries::digest_id, deliveries::subscription_id))
        .get_results(c)?);
    keep_deliveries(tx, &keys);
    Ok(())
}

/// Records the outcome of an attempt; returns the state of the delivery.
///
/// # Errors
/// If the delivery is gone, or the database cannot be written.
pub fn record_outcome(
    db: &Db,
    mut delivery: Delivery,
    outcome: &Result<(), String>,
) -> Result<DeliveryState, StoreError> {
    let committed = db.write("job", |tx| {
        let key = (delivery.digest_id, delivery.subscription_id);
        let recorded: Delivery = deliveries::table.find(key).select(Delivery::as_select()).first(tx.conn)?;
        if outcome.is_err() && recorded.state != DeliveryState::Pending {
            // The recipient unsubscribed during the attempt.
            return Ok(recorded.state);
        }
        match outcome {
            Ok(()) => {
                delivery.state = DeliveryState::Sent;
                delivery.sent_at = Some(tx.now);
                delivery.error = None;
            }
            Err(why) => {
                delivery.error = Some(why.clone());
                if delivery.attempts >= ATTEMPTS {
                    delivery.state = DeliveryState::Failed;
                }
            }
        }
        store(tx, &delivery)?;
        Ok(delivery.state)
    })?;
    Ok(committed.value)
}

fn store(tx: &mut WriteTx<'_>, delivery: &Delivery) -> Result<(), StoreError> {
    let key = (delivery.digest_id, delivery.subscription_id);
    each!(&mut *tx.conn, c => diesel::update(deliveries::table.find(key)).set(delivery).execute(c)?);
    keep_deliveries(tx, &[key]);
    Ok(())
}

/// Queues failed deliveries to current subscribers again; returns how many.
///
/// # Errors
/// If the database cannot be written.
pub fn retry(tx: &mut WriteTx<'_>) -> Result<usize, StoreError> {
    let standing: Vec<Id> = subscriptions(tx.conn)?.into_iter().map(|row| row.id).collect();
    let failed = deliveries::table
        .filter(deliveries::state.eq(DeliveryState::Failed))
        .filter(deliveries::subscription_id.eq_any(standing));
    let fresh = (
        deliveries::state.eq(DeliveryState::Pending),
        deliveries::attempts.eq(0),
        deliveries::next_attempt_at.eq(tx.now),
    );
    let posted: Vec<(Id, Id)> = each!(&mut *tx.conn, c => diesel::update(failed)
        .set(fresh)
        .returning((deliveries::digest_id, deliveries::subscription_id))
        .get_results(c)?);
    keep_deliveries(tx, &posted);
    Ok(posted.len())
}

/// The delivery log, newest digests first.
///
/// # Errors
/// If the database cannot be read.
pub fn log(conn: &mut Conn, limit: i64) -> Result<Vec<OutgoingDelivery>, StoreError> {
    Ok(deliveries::table
        .inner_join(digests::table.on(digests::id.eq(deliveries::digest_id)))
        .inner_join(digest_subscriptions::table.on(digest_subscriptions::id.eq(deliveries::subscription_id)))
        .order((digests::as_of.desc(), digest_subscriptions::address))
        .limit(limit)
        .select((Delivery::as_select(), Digest::as_select(), DigestSubscription::as_select()))
        .load(conn)?)
}
