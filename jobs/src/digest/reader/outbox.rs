//! The outbox of the digests of readers: each is stored with its delivery, and the reader's rights are checked again
//! before each attempt.

use crate::digest::outbox::{ATTEMPTS, OutgoingDelivery};
use crate::digest::reader::AccountRule;
use crate::digest::{DigestDocument, parsed, reader};
use crate::runner::ledger::still_owned;
use crate::{JobError, snapshot::Reference};
use chrono::{NaiveDate, TimeDelta};
use diesel::prelude::*;
use schema::db::WriteTx;
use schema::each;
use schema::enums::{DeliveryChannel, DeliveryState};
use schema::models::{Delivery, Digest, DigestSubscription, JobRun, ReaderDigest};
use schema::states::StateTable;
use schema::tables::{digest_subscriptions, reader_digests};
use schema::{Conn, Db, Id, StoreError, Timestamp};

/// The prefix of the reason why a reader without the right to a digest was sent nothing.
pub const LOST: &str = "nothing was sent: ";

/// The last digest that was sent to the reader of a subscription before a day, with its document. None when there is
/// none or its document cannot be parsed.
///
/// # Errors
/// If the database cannot be read.
pub fn previous(
    conn: &mut Conn,
    subscription: &DigestSubscription,
    as_of: NaiveDate,
) -> Result<Option<(Id, DigestDocument)>, StoreError> {
    let found: Option<ReaderDigest> = reader_digests::table
        .filter(reader_digests::subscription_id.eq(subscription.id))
        // Earlier digests were sent to another reader, or were about another unit.
        .filter(reader_digests::created_at.ge(subscription.created_at))
        .filter(reader_digests::state.eq(DeliveryState::Sent))
        .filter(reader_digests::as_of.lt(as_of))
        .order(reader_digests::as_of.desc())
        .select(ReaderDigest::as_select())
        .first(conn)
        .optional()?;
    Ok(found.and_then(|digest| parsed(digest.id, digest.document.0)))
}

/// Stores a digest of a reader; false if there is one for the day already. It replaces the note that it could not be
/// made.
///
/// # Errors
/// If the database cannot be written.
pub fn store(tx: &mut WriteTx<'_>, digest: &ReaderDigest) -> Result<bool, StoreError> {
    let existing: Option<(Id, String)> = reader_digests::table
        .filter(reader_digests::subscription_id.eq(digest.subscription_id))
        .filter(reader_digests::as_of.eq(digest.as_of))
        .select((reader_digests::id, reader_digests::subject))
        .first(tx.conn)
        .optional()?;
    if let Some((id, subject)) = existing {
        if !subject.is_empty() || digest.subject.is_empty() {
            return Ok(false);
        }
        diesel::delete(reader_digests::table.find(id)).execute(tx.conn)?;
        tx.record_state(StateTable::ReaderDigests, &id);
    }
    each!(&mut *tx.conn, c => diesel::insert_into(reader_digests::table).values(digest).execute(c)?);
    tx.record_state(StateTable::ReaderDigests, &digest.id);
    Ok(true)
}

/// Records that a scheduled time of a subscription has been handled.
///
/// # Errors
/// If the database cannot be written.
pub fn note_considered(tx: &mut WriteTx<'_>, subscription: Id, at: Timestamp) -> Result<(), StoreError> {
    diesel::update(digest_subscriptions::table.find(subscription))
        .set(digest_subscriptions::considered_at.eq(Some(at)))
        .execute(tx.conn)?;
    Ok(())
}

/// The next due digest of a reader, with its subscription.
fn next(
    conn: &mut Conn,
    now: Timestamp,
    by_mail: bool,
) -> Result<Option<(ReaderDigest, DigestSubscription)>, StoreError> {
    let mut channels = vec![DeliveryChannel::Folder];
    if by_mail {
        channels.push(DeliveryChannel::Email);
    }
    let latest = now.utc() + TimeDelta::minutes(1 << ATTEMPTS);
    Ok(reader_digests::table
        .inner_join(digest_subscriptions::table.on(digest_subscriptions::id.eq(reader_digests::subscription_id)))
        .filter(reader_digests::state.eq(DeliveryState::Pending))
        // An attempt beyond the longest backoff was scheduled while the clock was ahead.
        .filter(reader_digests::next_attempt_at.le(now).or(reader_digests::next_attempt_at.gt(Timestamp::from(latest))))
        .filter(digest_subscriptions::channel.eq_any(&channels))
        .order((reader_digests::next_attempt_at, reader_digests::id))
        .select((ReaderDigest::as_select(), DigestSubscription::as_select()))
        .first(conn)
        .optional()?)
}

/// Whether a digest of a reader is due.
///
/// # Errors
/// If the database cannot be read.
pub fn is_anything_due(conn: &mut Conn, by_mail: bool) -> Result<bool, StoreError> {
    Ok(next(conn, Timestamp::now(), by_mail)?.is_some())
}

/// Takes the next due digest, and counts the attempt before it is made. A digest whose reader lost the right to it, or
/// unsubscribed, or whose last attempt was interrupted, fails and is not sent.
///
/// # Errors
/// `Conflict` when another node has taken over the run that delivers.
pub fn take(db: &Db, run: &JobRun, by_mail: bool, rule: &AccountRule) -> Result<Option<OutgoingDelivery>, JobError> {
    loop {
        let tree = db.read(|conn| Ok(Reference::load(conn)))??.tree;
        let taken = db.write("job", |tx| {
            still_owned(tx, run)?;
            let now = tx.now;
            let Some((mut digest, subscription)) = next(tx.conn, now, by_mail)? else { return Ok(None) };
            let why = match reader::current_reader(tx.conn, &tree, rule, &subscription)? {
                _ if subscription.ended_at.is_some() => Some("unsubscribed before it was sent".to_owned()),
                _ if digest.attempts >= ATTEMPTS => {
                    Some("the node went away in the last attempt: `phananh digest retry` sends it once more".to_owned())
                }
                Err(lost) => Some(format!("{LOST}{lost}")),
                // A digest for another reader or about another unit was made for other rights.
                Ok(_) if digest.created_at < subscription.created_at => {
                    Some(format!("{LOST}its address has another reader or unit now"))
                }
                Ok(_) => None,
            };
            match &why {
                Some(why) => {
                    tracing::warn!(digest = %digest.id, recipient = %subscription.id, why, "a digest was not sent");
                    digest.state = DeliveryState::Failed;
                    digest.error = Some(why.clone());
                }
                None => {
                    digest.attempts += 1;
                    let wait = TimeDelta::minutes(1 << digest.attempts.clamp(0, 10));
                    digest.next_attempt_at = (now.utc() + wait).into();
                }
            }
            update(tx, &digest)?;
            Ok(Some((digest, subscription, why.is_some())))
        })?;
        match taken.value {
            None => return Ok(None),
            Some((_, _, true)) => {}
            Some((digest, subscription, false)) => return Ok(Some(outgoing(digest, subscription))),
        }
    }
}

/// The form in which the outbox of the Board's digests sends.
pub fn outgoing(digest: ReaderDigest, subscription: DigestSubscription) -> OutgoingDelivery {
    let delivery = Delivery {
        digest_id: digest.id,
        subscription_id: subscription.id,
        state: digest.state,
        attempts: digest.attempts,
        next_attempt_at: digest.next_attempt_at,
        // The same for every attempt, so that mail clients drop a duplicate.
        message_id: format!("{}.{}", digest.id, subscription.id),
        sent_at: digest.sent_at,
        error: digest.error,
    };
    let digest = Digest {
        id: digest.id,
        run_id: digest.run_id,
        previous_id: None,
        as_of: digest.as_of,
        locale: digest.locale,
        subject: digest.subject,
        html: digest.html,
        text: digest.text,
        document: digest.document,
        position: digest.position,
        created_at: digest.created_at,
    };
    (delivery, digest, subscription)
}

fn update(tx: &mut WriteTx<'_>, digest: &ReaderDigest) -> Result<(), StoreError> {
    let delivered = (
        reader_digests::state.eq(digest.state),
        reader_digests::attempts.eq(digest.attempts),
        reader_digests::next_attempt_at.eq(digest.next_attempt_at),
        reader_digests::sent_at.eq(digest.sent_at),
        reader_digests::error.eq(digest.error.as_deref()),
    );
    diesel::update(reader_digests::table.find(digest.id)).set(delivered).execute(tx.conn)?;
    tx.record_state(StateTable::ReaderDigests, &digest.id);
    Ok(())
}

/// Records the outcome of an attempt.
///
/// # Errors
/// If the digest is gone, or the database cannot be written.
pub fn record_outcome(db: &Db, id: Id, outcome: &Result<(), String>) -> Result<(), StoreError> {
    db.write("job", |tx| {
        let mut digest: ReaderDigest =
            reader_digests::table.find(id).select(ReaderDigest::as_select()).first(tx.conn)?;
        match outcome {
            Ok(()) => {
                digest.state = DeliveryState::Sent;
                digest.sent_at = Some(tx.now);
                digest.error = None;
            }
            // The reader unsubscribed during the attempt.
            Err(_) if digest.state != DeliveryState::Pending => return Ok(()),
            Err(why) => {
                digest.error = Some(why.clone());
                if digest.attempts >= ATTEMPTS {
                    digest.state = DeliveryState::Failed;
                }
            }
        }
        update(tx, &digest)
    })?;
    Ok(())
}

/// Queues the failed digests of current subscriptions again, whose readers' rights are checked then; returns how many.
/// A digest that was never made because its reader had lost the right to it stays as it is.
///
/// # Errors
/// If the database cannot be written.
pub fn retry(tx: &mut WriteTx<'_>) -> Result<usize, StoreError> {
    let standing =
        digest_subscriptions::table.filter(digest_subscriptions::ended_at.is_null()).select(digest_subscriptions::id);
    let failed = reader_digests::table
        .filter(reader_digests::state.eq(DeliveryState::Failed))
        .filter(reader_digests::subject.ne(""))
        .filter(reader_digests::subscription_id.eq_any(standing));
    let ids: Vec<Id> = failed.select(reader_digests::id).load(tx.conn)?;
    let fresh = (
        reader_digests::state.eq(DeliveryState::Pending),
        reader_digests::attempts.eq(0),
        reader_digests::next_attempt_at.eq(tx.now),
    );
    diesel::update(reader_digests::table.filter(reader_digests::id.eq_any(&ids))).set(fresh).execute(tx.conn)?;
    ids.iter().for_each(|id| tx.record_state(StateTable::ReaderDigests, id));
    Ok(ids.len())
}

/// The digests of a subscription for its present reader, the latest first.
///
/// # Errors
/// If the database cannot be read.
pub fn sent(conn: &mut Conn, subscription: &DigestSubscription, limit: i64) -> Result<Vec<ReaderDigest>, StoreError> {
    Ok(reader_digests::table
        .filter(reader_digests::subscription_id.eq(subscription.id))
        .filter(reader_digests::created_at.ge(subscription.created_at))
        .order(reader_digests::as_of.desc())
        .limit(limit)
        .select(ReaderDigest::as_select())
        .load(conn)?)
}

/// The delivery of a digest of a reader, without its content.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = reader_digests)]
pub struct Delivered {
    pub as_of: NaiveDate,
    pub created_at: Timestamp,
    pub state: DeliveryState,
    pub attempts: i32,
    pub sent_at: Option<Timestamp>,
    pub error: Option<String>,
}

/// The deliveries of the digests of [`sent`].
///
/// # Errors
/// If the database cannot be read.
pub fn delivered(conn: &mut Conn, subscription: &DigestSubscription, limit: i64) -> Result<Vec<Delivered>, StoreError> {
    Ok(reader_digests::table
        .filter(reader_digests::subscription_id.eq(subscription.id))
        .filter(reader_digests::created_at.ge(subscription.created_at))
        .order(reader_digests::as_of.desc())
        .limit(limit)
        .select(Delivered::as_select())
        .load(conn)?)
}

/// The delivery log of all readers, the latest digests first.
///
/// # Errors
/// If the database cannot be read.
pub fn log(conn: &mut Conn, limit: i64) -> Result<Vec<(ReaderDigest, DigestSubscription)>, StoreError> {
    Ok(reader_digests::table
        .inner_join(digest_subscriptions::table.on(digest_subscriptions::id.eq(reader_digests::subscription_id)))
        .order((reader_digests::as_of.desc(), digest_subscriptions::address))
        .limit(limit)
        .select((ReaderDigest::as_select(), DigestSubscription::as_select()))
        .load(conn)?)
}

/// The number of digests of readers that wait for delivery, and when the oldest of them was made.
///
/// # Errors
/// If the database cannot be read.
pub fn undelivered(conn: &mut Conn) -> Result<(i64, Option<Timestamp>), StoreError> {
    Ok(reader_digests::table
        .filter(reader_digests::state.eq(DeliveryState::Pending))
        .select((diesel::dsl::count_star(), diesel::dsl::min(reader_digests::created_at)))
        .first(conn)?)
}
