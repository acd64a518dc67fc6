//! News of a digest since the previous one: complaints received, answered and newly overdue, and what rises.

use super::head_part::FIRST_DAYS;
use crate::JobError;
use crate::analyses::category_trends::CategoryTrend;
use crate::facts::days::day_number;
use crate::snapshot::{Handlings, Snapshot};
use chrono::{Days, NaiveDate};
use diesel::prelude::*;
use schema::enums::ComplaintEventKind;
use schema::tables::complaint_events;
use schema::{Conn, Id};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// News since the previous digest. A first digest covers the last 30 days.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewsPart {
    /// Complaints received after the day of the digest before.
    pub received: u32,
    /// Complaints answered after that day.
    pub answered: u32,
    /// Complaints that are overdue, and whose deadline passed after that day: it was on that day or later.
    pub overdue: u32,
    /// Other complaints that were recorded, or got an answer recorded, since then: those of earlier days.
    pub other: u32,
    /// The codes of the categories that rise and did not in the digest before.
    pub rising: Vec<String>,
    /// The position of the register up to which it looked. None in digests of earlier versions.
    pub position: Option<i64>,
}

/// The content of the previous digest: its day, its news, and the categories that rose.
pub(super) type PreviousDigest<'a> = (NaiveDate, &'a NewsPart, &'a [CategoryTrend]);

/// The news in the complaints of a snapshot as of a day.
///
/// # Errors
/// If the database cannot be read, or polars fails.
pub(super) fn news_part(
    conn: &mut Conn,
    snapshot: &Snapshot,
    trends: &[CategoryTrend],
    as_of: NaiveDate,
    before: Option<PreviousDigest<'_>>,
) -> Result<NewsPart, JobError> {
    let facts = &snapshot.facts;
    let after = before.map_or_else(|| as_of - Days::new(FIRST_DAYS), |(day, ..)| day);
    let recorded = match before.and_then(|(_, news, _)| news.position) {
        Some(position) => recorded_between(conn, position, snapshot.position)?,
        None => HashSet::new(),
    };
    let [from, until] = [after, as_of].map(day_number);
    let is_new = |day: Option<i32>| day.is_some_and(|day| day > from && day <= until);
    let (days, answers) = (facts.column("day")?.i32()?, facts.column("answered")?.i32()?);
    let (high, low) = (facts.column("id_high")?.u64()?, facts.column("id_low")?.u64()?);
    let handled = Handlings::of(facts, until)?;
    let mut part = NewsPart { position: Some(snapshot.position), ..NewsPart::default() };
    let rows = days.iter().zip(answers.iter()).zip(high.iter().zip(low.iter())).zip(handled);
    for (((day, answered), (high, low)), now) in rows {
        if day.is_none_or(|day| day > until) {
            continue;
        }
        let (is_received, is_answered) = (is_new(day), is_new(answered));
        let is_recorded = high.zip(low).is_some_and(|id| recorded.contains(&id));
        part.received += u32::from(is_received);
        part.answered += u32::from(is_answered);
        part.overdue += u32::from(now.overdue && now.due.is_some_and(|due| due >= from));
        part.other += u32::from(is_recorded && !is_received && !is_answered);
    }
    let rose = |code: &str| before.is_some_and(|(.., rising)| rising.iter().any(|then| then.code == code));
    let rising = trends.iter().filter(|category| category.rises && !rose(&category.code));
    part.rising = rising.map(|category| category.code.clone()).collect();
    Ok(part)
}

/// The complaints that were recorded, or got an answer recorded, after one position of the register and up to another.
/// Their ids are as in a snapshot.
fn recorded_between(conn: &mut Conn, after: i64, until: i64) -> Result<HashSet<(u64, u64)>, JobError> {
    let is_wanted = complaint_events::kind
        .eq(ComplaintEventKind::Received)
        .or(complaint_events::kind.eq(ComplaintEventKind::Responded));
    let ids: Vec<Id> = complaint_events::table
        .filter(complaint_events::position.gt(after).and(complaint_events::position.le(until)))
        .filter(is_wanted)
        .select(complaint_events::complaint_id)
        .load(conn)?;
    Ok(ids.into_iter().map(|id| id.0.as_u64_pair()).collect())
}
