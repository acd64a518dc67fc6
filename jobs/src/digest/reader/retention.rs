//! Retention of readers' digests.

use diesel::prelude::*;
use schema::db::WriteTx;
use schema::enums::DeliveryState;
use schema::states::StateTable;
use schema::tables::{digest_subscriptions, reader_digests};
use schema::{Conn, Id, StoreError, Timestamp};
use std::collections::HashMap;

/// Deletes at most `most` digests of readers that were made before a time and wait for no delivery; returns how many.
/// The last one that the reader of a current subscription was sent stays: the next one compares with it.
///
/// # Errors
/// If the database cannot be written.
pub fn forget(tx: &mut WriteTx<'_>, before: Timestamp, most: i64) -> Result<usize, StoreError> {
    let stay: Vec<Id> = last_sent(tx.conn)?;
    let old: Vec<Id> = reader_digests::table
        .filter(reader_digests::state.ne(DeliveryState::Pending))
        .filter(reader_digests::created_at.lt(before))
        .filter(reader_digests::id.ne_all(stay))
        .order((reader_digests::created_at, reader_digests::id))
        .limit(most)
        .select(reader_digests::id)
        .load(tx.conn)?;
    // A digest that is kept must not refer to a deleted one as the digest that it was compared with.
    let naming: Vec<Id> = reader_digests::table
        .filter(reader_digests::previous_id.eq_any(old.clone()))
        .select(reader_digests::id)
        .load(tx.conn)?;
    diesel::update(reader_digests::table.filter(reader_digests::id.eq_any(&naming)))
        .set(reader_digests::previous_id.eq(None::<Id>))
        .execute(tx.conn)?;
    diesel::delete(reader_digests::table.filter(reader_digests::id.eq_any(&old))).execute(tx.conn)?;
    naming.iter().chain(&old).for_each(|id| tx.record_state(StateTable::ReaderDigests, id));
    Ok(old.len())
}

/// The last digest that was sent to the present reader of each current subscription.
fn last_sent(conn: &mut Conn) -> Result<Vec<Id>, StoreError> {
    let sent: Vec<(Id, Id)> = reader_digests::table
        .inner_join(digest_subscriptions::table.on(digest_subscriptions::id.eq(reader_digests::subscription_id)))
        .filter(digest_subscriptions::ended_at.is_null())
        .filter(reader_digests::state.eq(DeliveryState::Sent))
        .filter(reader_digests::created_at.ge(digest_subscriptions::created_at))
        .order(reader_digests::as_of)
        .select((reader_digests::subscription_id, reader_digests::id))
        .load(conn)?;
    // The rows are ordered by day, so the map keeps the latest digest of each subscription.
    let last: HashMap<Id, Id> = sent.into_iter().collect();
    Ok(last.into_values().collect())
}
