//! Alerts: what people should know at once. A job compares what is found with the alerts that stand, raises what is new
//! and ends what is over.
//!
//! Of each subject there is at most one alert a day: what is over and begins again on the same day stands again without
//! another message, and ends without another one, too.

mod runs;
mod store;
mod technical;

pub use store::apply;

use crate::digest::reader::outbox::LOST;
use crate::runner::job::Context;
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::domain::calendar::local_date;
use schema::enums::{AlertKind, DeliveryState, FlagState, Tier};
use schema::models::Alert;
use schema::tables::{alerts, deliveries, digest_subscriptions, digests, flags, reader_digests};
use schema::{Conn, Id, StoreError, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How long a digest may be on its way.
const UNDELIVERED_HOURS: i64 = 1;
/// Digests older than this raise no alert any more.
const DIGEST_DAYS: i64 = 7;

/// A condition that holds now.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub kind: AlertKind,
    pub subject: String,
    /// Numbers, times and codes; no personal data.
    pub details: Value,
}

/// What is to be written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    pub raised: Vec<Found>,
    /// Alerts of the same day that stand again.
    pub again: Vec<Id>,
    pub cleared: Vec<Alert>,
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        self.raised.is_empty() && self.again.is_empty() && self.cleared.is_empty()
    }

    /// From the alerts that stand or are of today to what is found.
    fn between(known: Vec<Alert>, found: &[Found], today: NaiveDate) -> Self {
        let mut changes = Self::default();
        for one in found {
            let of_it: Vec<&Alert> = known.iter().filter(|alert| is_of(alert, one)).collect();
            if of_it.iter().any(|alert| alert.cleared_at.is_none()) {
                continue;
            }
            match of_it.iter().find(|alert| alert.day == today) {
                Some(alert) => changes.again.push(alert.id),
                None => changes.raised.push(one.clone()),
            }
        }
        let is_over = |alert: &Alert| alert.cleared_at.is_none() && !found.iter().any(|one| is_of(alert, one));
        changes.cleared = known.into_iter().filter(is_over).collect();
        changes
    }
}

fn is_of(alert: &Alert, found: &Found) -> bool {
    alert.kind == found.kind && alert.subject == found.subject
}

/// What has changed since the last look.
///
/// # Errors
/// If the database cannot be read.
pub fn changes(context: &Context<'_>, conn: &mut Conn, now: Timestamp) -> Result<Changes, StoreError> {
    let today = local_date(now);
    let known: Vec<Alert> = alerts::table
        .filter(alerts::cleared_at.is_null().or(alerts::day.eq(today)))
        .order((alerts::raised_at, alerts::id))
        .select(Alert::as_select())
        .load(conn)?;
    let mut found = suspensions(conn)?;
    found.extend(technical::bursts_now(conn, now, context.settings)?);
    found.extend(runs::failed_or_missed(context, conn, now)?);
    found.extend(undelivered(conn, now)?);
    Ok(Changes::between(known, &found, today))
}

/// Flags of the gravest tier that nobody has taken up.
fn suspensions(conn: &mut Conn) -> Result<Vec<Found>, StoreError> {
    let open: Vec<Id> = flags::table
        .filter(flags::state.eq(FlagState::Open))
        .filter(flags::tier.eq(Tier::SuspensionReview))
        .order((flags::opened_at, flags::id))
        .select(flags::id)
        .load(conn)?;
    let found =
        |id: Id| Found { kind: AlertKind::SuspensionReview, subject: id.to_string(), details: json!({ "flag": id }) };
    Ok(open.into_iter().map(found).collect())
}

/// Digests that have not reached all their recipients.
fn undelivered(conn: &mut Conn, now: Timestamp) -> Result<Vec<Found>, StoreError> {
    let before = |hours: i64| Timestamp::from(now.utc() - chrono::TimeDelta::hours(hours));
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
    // Nothing is sent to a reader who lost the right to it: that is no failure, and the log has it.
    let of_readers = of_readers
        .into_iter()
        .filter(|(.., error)| !error.as_deref().is_some_and(|error| error.starts_with(LOST)))
        .map(|(id, as_of, _)| (id, as_of));
    let mut by_digest: BTreeMap<(NaiveDate, Id), u32> = BTreeMap::new();
    for (id, as_of) in rows.into_iter().chain(of_readers) {
        *by_digest.entry((as_of, id)).or_default() += 1;
    }
    let found = by_digest.into_iter().map(|((as_of, id), count)| Found {
        kind: AlertKind::DigestUndelivered,
        subject: id.to_string(),
        details: json!({ "digest": id, "asOf": as_of, "deliveries": count }),
    });
    Ok(found.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::JsonValue;
    use schema::domain::ids::random_id;

    fn found(subject: &str) -> Found {
        Found { kind: AlertKind::JobFailed, subject: subject.into(), details: json!({}) }
    }

    fn alert(subject: &str, day: NaiveDate, is_over: bool) -> Alert {
        let now = Timestamp::now();
        Alert {
            id: random_id(),
            kind: AlertKind::JobFailed,
            subject: subject.into(),
            day,
            details: JsonValue(json!({})),
            raised_at: now,
            cleared_at: is_over.then_some(now),
        }
    }

    #[test]
    fn a_subject_is_told_once_a_day_and_ends_when_it_is_over() {
        let today = NaiveDate::from_ymd_opt(2025, 3, 3).expect("a date");
        let yesterday = NaiveDate::from_ymd_opt(2025, 3, 2).expect("a date");
        let known = [alert("stands", yesterday, false), alert("over today", today, true), alert("over", today, false)];
        let again = known[1].id;
        let found = vec![found("stands"), found("over today"), found("new")];
        let changes = Changes::between(known.to_vec(), &found, today);
        assert_eq!(changes.raised.iter().map(|one| one.subject.as_str()).collect::<Vec<_>>(), ["new"]);
        assert_eq!(changes.again, [again]);
        assert_eq!(changes.cleared.iter().map(|one| one.subject.as_str()).collect::<Vec<_>>(), ["over"]);
        assert!(Changes::between(Vec::new(), &[], today).is_empty());
    }

    #[test]
    fn the_same_kind_of_another_subject_is_another_alert() {
        let today = NaiveDate::from_ymd_opt(2025, 3, 3).expect("a date");
        let changes = Changes::between(vec![alert("a", today, false)], &[found("a"), found("b")], today);
        assert_eq!((changes.raised.len(), changes.cleared.len()), (1, 0));
    }
}
