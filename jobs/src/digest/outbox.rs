//! Who gets digests, and the outbox: one delivery for each digest and recipient, tried until it
//! is done or given up.

use super::address;
use crate::runner::ledger::still_owned;
use chrono::TimeDelta;
use diesel::prelude::*;
use schema::db::WriteTx;
use schema::domain::ids::random_id;
use schema::each;
use schema::enums::{DeliveryChannel, DeliveryState, Locale};
use schema::models::{Delivery, Digest, DigestSubscription, JobRun};
use schema::states::{Kept, pair};
use schema::tables::{deliveries, digest_subscriptions, digests};
use schema::{Conn, Db, Id, StoreError, Timestamp};
use std::collections::HashSet;

/// A delivery that fails so often is given up.
pub const ATTEMPTS: i32 = 8;

/// Subscribes an address, or changes its language. Another spelling of an address that is subscribed is the same one.
pub fn subscribe(
    tx: &mut WriteTx<'_>,
    channel: DeliveryChannel,
    address: &str,
    locale: Locale,
) -> Result<DigestSubscription, StoreError> {
    let address = address::check(channel, address).map_err(StoreError::Rule)?;
    let known = spellings(tx.conn, channel, address)?.into_iter().next();
    if let Some(mut known) = known {
        known.locale = locale;
        known.ended_at = None;
        diesel::update(digest_subscriptions::table.find(known.id))
            .set((digest_subscriptions::locale.eq(locale), digest_subscriptions::ended_at.eq(None::<Timestamp>)))
            .execute(tx.conn)?;
        tx.keep(Kept::DigestSubscriptions, &known.id);
        return Ok(known);
    }
    let row = DigestSubscription {
        id: random_id(),
        channel,
        address: address.to_owned(),
        locale,
        created_at: tx.now,
        ended_at: None,
    };
    each!(&mut *tx.conn, c => diesel::insert_into(digest_subscriptions::table).values(&row).execute(c)?);
    tx.keep(Kept::DigestSubscriptions, &row.id);
    Ok(row)
}

/// Ends a subscription. What lies in the outbox for it is not sent any more.
pub fn unsubscribe(tx: &mut WriteTx<'_>, channel: DeliveryChannel, address: &str) -> Result<(), StoreError> {
    let known = spellings(tx.conn, channel, address)?;
    let ends: Vec<Id> = known.iter().filter(|known| known.ended_at.is_none()).map(|known| known.id).collect();
    if ends.is_empty() {
        let message = format!("{address} is not subscribed: `phananh digest subscriptions` lists who is");
        return Err(StoreError::NotFound(message));
    }
    diesel::update(digest_subscriptions::table.filter(digest_subscriptions::id.eq_any(&ends)))
        .set(digest_subscriptions::ended_at.eq(Some(tx.now)))
        .execute(tx.conn)?;
    ends.iter().for_each(|id| tx.keep(Kept::DigestSubscriptions, id));
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

/// Digests that wait to be sent by mail.
pub fn waiting_for_mail(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(deliveries::table
        .inner_join(digest_subscriptions::table.on(digest_subscriptions::id.eq(deliveries::subscription_id)))
        .filter(deliveries::state.eq(DeliveryState::Pending))
        .filter(digest_subscriptions::channel.eq(DeliveryChannel::Email))
        .count()
        .get_result(conn)?)
}

fn keep_deliveries(tx: &mut WriteTx<'_>, keys: &[(Id, Id)]) {
    keys.iter().for_each(|(digest, recipient)| tx.keep(Kept::Deliveries, &pair(digest, recipient)));
}

/// The subscriptions of an address, however it is spelled; those that are not ended come first.
fn spellings(conn: &mut Conn, channel: DeliveryChannel, address: &str) -> Result<Vec<DigestSubscription>, StoreError> {
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

/// Who is subscribed.
pub fn subscriptions(conn: &mut Conn) -> Result<Vec<DigestSubscription>, StoreError> {
    Ok(digest_subscriptions::table
        .filter(digest_subscriptions::ended_at.is_null())
        .order((digest_subscriptions::channel, digest_subscriptions::address))
        .select(DigestSubscription::as_select())
        .load(conn)?)
}

/// Puts a digest into the outbox, once for each subscriber of its language.
pub fn post(tx: &mut WriteTx<'_>, digest: &Digest) -> Result<usize, StoreError> {
    let recipients = subscriptions(tx.conn)?;
    let mut addresses = HashSet::new();
    let rows: Vec<Delivery> = recipients
        .into_iter()
        .filter(|recipient| recipient.locale == digest.locale)
        // Registers of before hold several spellings of one address.
        .filter(|recipient| {
            addresses.insert((recipient.channel, address::identity(recipient.channel, &recipient.address)))
        })
        .map(|recipient| Delivery {
            digest_id: digest.id,
            subscription_id: recipient.id,
            state: DeliveryState::Pending,
            attempts: 0,
            next_attempt_at: tx.now,
            // Stable: who gets it twice after all shows it once.
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

/// A delivery with what is to be delivered, and to whom.
pub type Parcel = (Delivery, Digest, DigestSubscription);

/// Takes the next delivery that is due out of the outbox: it counts as tried, so that a crash in the
/// middle of it does not end in trying for ever. Mail waits while there is no server to send it by.
///
/// # Errors
/// `Conflict` where the run that delivers has lost its claim: another node delivers by now.
pub fn take(db: &Db, run: &JobRun, by_mail: bool) -> Result<Option<Parcel>, StoreError> {
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

/// The next delivery that is due.
fn next(conn: &mut Conn, now: Timestamp, by_mail: bool) -> Result<Option<Parcel>, StoreError> {
    let mut channels = vec![DeliveryChannel::Folder];
    if by_mail {
        channels.push(DeliveryChannel::Email);
    }
    let latest = now.utc() + TimeDelta::minutes(1 << ATTEMPTS);
    Ok(deliveries::table
        .inner_join(digests::table.on(digests::id.eq(deliveries::digest_id)))
        .inner_join(digest_subscriptions::table.on(digest_subscriptions::id.eq(deliveries::subscription_id)))
        .filter(deliveries::state.eq(DeliveryState::Pending))
        // Where the clock was ahead, an attempt seems to be due in a week: none waits that long.
        .filter(deliveries::next_attempt_at.le(now).or(deliveries::next_attempt_at.gt(Timestamp::from(latest))))
        .filter(deliveries::attempts.lt(ATTEMPTS))
        .filter(digest_subscriptions::ended_at.is_null())
        .filter(digest_subscriptions::channel.eq_any(&channels))
        .order((deliveries::next_attempt_at, deliveries::digest_id, deliveries::subscription_id))
        .select((Delivery::as_select(), Digest::as_select(), DigestSubscription::as_select()))
        .first(conn)
        .optional()?)
}

/// Whether anything is to be delivered, or to be given up.
pub fn is_anything_due(conn: &mut Conn, by_mail: bool) -> Result<bool, StoreError> {
    let tried: i64 = deliveries::table
        .filter(deliveries::state.eq(DeliveryState::Pending))
        .filter(deliveries::attempts.ge(ATTEMPTS))
        .count()
        .get_result(conn)?;
    Ok(tried > 0 || next(conn, Timestamp::now(), by_mail)?.is_some())
}

/// Deletes deliveries that ended before a time; how many.
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

/// Gives up deliveries whose last attempt was interrupted. One run delivers at a time, so a last attempt that has not ended
/// is that of a node that went away; whether its mail arrived is unknown.
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

/// Writes down how a delivery went.
pub fn settle(db: &Db, mut delivery: Delivery, outcome: &Result<(), String>) -> Result<DeliveryState, StoreError> {
    let committed = db.write("job", |tx| {
        let key = (delivery.digest_id, delivery.subscription_id);
        let stands: Delivery = deliveries::table.find(key).select(Delivery::as_select()).first(tx.conn)?;
        if outcome.is_err() && stands.state != DeliveryState::Pending {
            // It was taken back while it was on its way.
            return Ok(stands.state);
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

/// Posts again what was given up, except to those who have unsubscribed; how many.
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

/// The delivery log, newest digest first.
pub fn log(conn: &mut Conn, limit: i64) -> Result<Vec<Parcel>, StoreError> {
    Ok(deliveries::table
        .inner_join(digests::table.on(digests::id.eq(deliveries::digest_id)))
        .inner_join(digest_subscriptions::table.on(digest_subscriptions::id.eq(deliveries::subscription_id)))
        .order((digests::as_of.desc(), digest_subscriptions::address))
        .limit(limit)
        .select((Delivery::as_select(), Digest::as_select(), DigestSubscription::as_select()))
        .load(conn)?)
}
