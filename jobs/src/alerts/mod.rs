//! Alerts: findings that people should know at once. A job compares the findings with the active alerts, raises new
//! alerts, and clears the alerts whose finding is over.
//!
//! Each subject has at most one alert a day. If a finding is over and begins again on the same day, the job makes the
//! cleared alert active again. It sends no message about that, nor when it clears this alert again.

mod allowed;
mod digests;
mod heads;
mod readers;
mod runs;
mod store;
pub mod study;
mod technical;

pub use allowed::as_allowed;
pub use store::apply;

use crate::runner::job::Context;
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::domain::calendar::local_date;
use schema::enums::{AlertKind, FlagState, Tier};
use schema::models::Alert;
use schema::tables::{alerts, flags};
use schema::{Conn, Id, StoreError, Timestamp};
use serde_json::{Value, json};

/// A finding: a condition that is true now.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub kind: AlertKind,
    pub subject: String,
    /// Numbers, times and codes; no personal data.
    pub details: Value,
    /// The only reader, a head of a unit; None if it is for the Board, of which each reader gets what it may see.
    pub head: Option<ForHead>,
}

/// A head of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForHead {
    pub principal: Id,
    pub unit: Id,
}

/// The changes to write.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    pub raised: Vec<Found>,
    /// Cleared alerts of the same day that become active again.
    pub again: Vec<Id>,
    pub cleared: Vec<Alert>,
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        self.raised.is_empty() && self.again.is_empty() && self.cleared.is_empty()
    }

    /// The changes from the known alerts, which are active or of today, to the findings.
    fn between(earlier: Vec<Alert>, found: &[Found], today: NaiveDate) -> Self {
        let mut changes = Self::default();
        for one in found {
            let of_it: Vec<&Alert> = earlier.iter().filter(|alert| is_of(alert, one)).collect();
            if of_it.iter().any(|alert| alert.cleared_at.is_none()) {
                continue;
            }
            match of_it.iter().find(|alert| alert.day == today) {
                Some(alert) => changes.again.push(alert.id),
                None => changes.raised.push(one.clone()),
            }
        }
        let is_over = |alert: &Alert| alert.cleared_at.is_none() && !found.iter().any(|one| is_of(alert, one));
        changes.cleared = earlier.into_iter().filter(is_over).collect();
        changes
    }
}

fn is_of(alert: &Alert, found: &Found) -> bool {
    let head = found.head.map(|head| (head.principal, head.unit));
    alert.kind == found.kind && alert.subject == found.subject && alert.principal_id.zip(alert.unit_id) == head
}

/// The changes since the last run.
///
/// # Errors
/// If the database cannot be read.
pub fn changes(context: &Context<'_>, conn: &mut Conn, now: Timestamp) -> Result<Changes, StoreError> {
    let today = local_date(now);
    let earlier: Vec<Alert> = alerts::table
        .filter(alerts::cleared_at.is_null().or(alerts::day.eq(today)))
        .order((alerts::raised_at, alerts::id))
        .select(Alert::as_select())
        .load(conn)?;
    let mut found = suspensions(conn)?;
    found.extend(technical::bursts_now(conn, now, context.settings)?);
    found.extend(runs::failed_or_missed(context, conn, now)?);
    found.extend(digests::undelivered(conn, now)?);
    found.extend(digests::never_made(conn, now, context.settings)?);
    found.extend(heads::found(conn, now, context.settings, &earlier)?);
    Ok(Changes::between(earlier, &found, today))
}

/// Flags of the gravest tier that are still open.
fn suspensions(conn: &mut Conn) -> Result<Vec<Found>, StoreError> {
    let open: Vec<Id> = flags::table
        .filter(flags::state.eq(FlagState::Open))
        .filter(flags::tier.eq(Tier::SuspensionReview))
        .order((flags::opened_at, flags::id))
        .select(flags::id)
        .load(conn)?;
    let found = |id: Id| found_of(AlertKind::SuspensionReview, id.to_string(), json!({ "flag": id }));
    Ok(open.into_iter().map(found).collect())
}

/// A finding for the Board.
fn found_of(kind: AlertKind, subject: String, details: Value) -> Found {
    Found { kind, subject, details, head: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::JsonValue;
    use schema::domain::ids::random_id;

    fn found(subject: &str) -> Found {
        found_of(AlertKind::JobFailed, subject.into(), json!({}))
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
            principal_id: None,
            unit_id: None,
        }
    }

    #[test]
    fn a_subject_is_told_once_a_day_and_ends_when_it_is_over() {
        let today = NaiveDate::from_ymd_opt(2025, 3, 3).expect("a date");
        let yesterday = NaiveDate::from_ymd_opt(2025, 3, 2).expect("a date");
        let earlier =
            [alert("stands", yesterday, false), alert("over today", today, true), alert("over", today, false)];
        let again = earlier[1].id;
        let found = vec![found("stands"), found("over today"), found("new")];
        let changes = Changes::between(earlier.to_vec(), &found, today);
        assert_eq!(changes.raised.iter().map(|one| one.subject.as_str()).collect::<Vec<_>>(), ["new"]);
        assert_eq!(changes.again, [again]);
        assert_eq!(changes.cleared.iter().map(|one| one.subject.as_str()).collect::<Vec<_>>(), ["over"]);
        assert!(Changes::between(Vec::new(), &[], today).is_empty());
    }

    #[test]
    fn the_alert_of_a_head_is_no_alert_of_another_reader() {
        let today = NaiveDate::from_ymd_opt(2025, 3, 3).expect("a date");
        let head = ForHead { principal: random_id(), unit: random_id() };
        let of_head = Found { head: Some(head), ..found("a") };
        let changes = Changes::between(vec![alert("a", today, false)], &[found("a"), of_head.clone()], today);
        assert_eq!(changes.raised, std::slice::from_ref(&of_head));
        let mut earlier = alert("a", today, false);
        (earlier.principal_id, earlier.unit_id) = (Some(head.principal), Some(head.unit));
        assert!(Changes::between(vec![earlier.clone()], &[of_head], today).is_empty());
        let elsewhere = Found { head: Some(ForHead { unit: random_id(), ..head }), ..found("a") };
        let changes = Changes::between(vec![earlier], &[elsewhere], today);
        assert_eq!((changes.raised.len(), changes.cleared.len()), (1, 1), "the head moved to another unit");
    }

    #[test]
    fn the_same_kind_of_another_subject_is_another_alert() {
        let today = NaiveDate::from_ymd_opt(2025, 3, 3).expect("a date");
        let changes = Changes::between(vec![alert("a", today, false)], &[found("a"), found("b")], today);
        assert_eq!((changes.raised.len(), changes.cleared.len()), (1, 0));
    }
}
