//! The time line of a flag on an officer: its episodes, tiers and measures. Only the Board reads it.

use crate::JobError;
use crate::analyses::recurrence::Rules;
use crate::flags::Stored;
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::db::dialect::KEYS_PER_QUERY;
use schema::domain::calendar::local_date;
use schema::domain::tax_code::enterprise_of;
use schema::enums::{Attribution, MeasureKind, Tier};
use schema::models::JobRun;
use schema::tables::{complaints, measures};
use schema::{Conn, Id, StoreError, Timestamp, queries};
use serde::{Deserialize, Serialize};

/// The list of current flags names the officer. It has no enterprise: the picture shows days and numbers alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimelinePart {
    pub flag: Id,
    pub from: NaiveDate,
    pub to: NaiveDate,
    /// The earliest first.
    pub episodes: Vec<EpisodeLine>,
    /// Each is in force until the next one.
    pub tiers: Vec<TierLine>,
    pub measures: Vec<MeasureSpan>,
}

/// The complaints of one enterprise within a few days, or one anonymous complaint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EpisodeLine {
    /// The day of the first complaint.
    pub day: NaiveDate,
    pub complaints: u32,
    /// Whether one of them is confirmed.
    pub is_confirmed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TierLine {
    pub day: NaiveDate,
    pub tier: Tier,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MeasureSpan {
    pub kind: MeasureKind,
    pub from: NaiveDate,
    /// The last day; None while it is open.
    pub to: Option<NaiveDate>,
}

/// A complaint of the evidence.
struct Dated {
    day: NaiveDate,
    /// The enterprise as the statistic counts it; None for an anonymous complaint.
    enterprise: Option<String>,
    is_confirmed: bool,
}

/// The time line of a flag on an officer up to the day of a run.
///
/// # Errors
/// If the evidence of the flag cannot be parsed, or the database cannot be read.
pub(super) fn timeline_part(
    conn: &mut Conn,
    stored: &Stored,
    run: &JobRun,
    to: NaiveDate,
) -> Result<TimelinePart, JobError> {
    let flag = stored.assessment.flag_id;
    let days = run.rules.as_ref().and_then(|rules| rules.0["episode_days"].as_i64());
    let days = days.unwrap_or_else(|| i64::from(Rules::default().episode_days));
    let episodes = episodes(evidence(conn, stored)?, days);
    let mut tiers: Vec<TierLine> = queries::tiers_of(conn, &[flag])?
        .remove(&flag)
        .unwrap_or_default()
        .into_iter()
        .filter(|(day, _)| *day <= to)
        .map(|(day, tier)| TierLine { day, tier })
        .collect();
    // The assessments of a run for a past day are stored with the run alone.
    if tiers.last().is_none_or(|last| last.tier != stored.assessment.tier) {
        tiers.push(TierLine { day: to, tier: stored.assessment.tier });
    }
    let measures: Vec<MeasureSpan> = measures::table
        .filter(measures::officer_id.eq(stored.subject))
        .filter(measures::void_reason.is_null())
        .filter(measures::decided_on.le(to))
        .filter(measures::starts_on.le(to))
        .order((measures::starts_on, measures::id))
        .select((measures::kind, measures::starts_on, measures::ends_on))
        .load::<(MeasureKind, NaiveDate, Option<NaiveDate>)>(conn)?
        .into_iter()
        .map(|(kind, from, to)| MeasureSpan { kind, from, to })
        .collect();
    let days = episodes.iter().map(|one| one.day).chain(tiers.iter().map(|one| one.day));
    let from = days.chain(measures.iter().map(|one| one.from)).min().unwrap_or(to);
    Ok(TimelinePart { flag, from, to, episodes, tiers, measures })
}

/// The complaints that a flag rests on.
fn evidence(conn: &mut Conn, stored: &Stored) -> Result<Vec<Dated>, JobError> {
    let broken = |e: serde_json::Error| {
        StoreError::Rule(format!("the evidence of flag {} cannot be parsed: {e}", stored.assessment.flag_id))
    };
    let ids: Vec<Id> = serde_json::from_value(stored.assessment.evidence.0.clone()).map_err(broken)?;
    let mut rows: Vec<(Id, Timestamp, Option<Id>)> = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        let found = complaints::table
            .filter(complaints::id.eq_any(chunk))
            .select((complaints::id, complaints::received_at, complaints::enterprise_id))
            .load::<(Id, Timestamp, Option<Id>)>(conn)?;
        rows.extend(found);
    }
    rows.sort_unstable_by_key(|(id, received_at, _)| (*received_at, *id));
    let mut known: Vec<Id> = rows.iter().filter_map(|(.., enterprise)| *enterprise).collect();
    known.sort_unstable();
    known.dedup();
    let enterprises = queries::enterprises_by_id(conn, &known)?;
    let allegations = queries::allegations_of(conn, &ids)?;
    let is_confirmed = |complaint: &Id| {
        let mut all = allegations.get(complaint).into_iter().flatten();
        all.any(|one| one.officer_id == stored.subject && one.attribution == Attribution::Confirmed)
    };
    let counts_as = |enterprise: Id| {
        let found = enterprises.get(&enterprise)?;
        let group = found.group_code.as_ref().map(|group| format!("group:{group}"));
        Some(group.unwrap_or_else(|| enterprise_of(&found.tax_code).to_owned()))
    };
    let dated = rows.iter().map(|(id, received_at, enterprise)| Dated {
        day: local_date(*received_at),
        enterprise: enterprise.and_then(counts_as),
        is_confirmed: is_confirmed(id),
    });
    Ok(dated.collect())
}

/// The episodes of complaints, both with the earliest first. Complaints of an enterprise up to `days` after the first
/// one belong to its episode.
fn episodes(complaints: Vec<Dated>, days: i64) -> Vec<EpisodeLine> {
    let mut found: Vec<(Option<String>, EpisodeLine)> = Vec::new();
    for Dated { day, enterprise, is_confirmed } in complaints {
        let same = |(of, line): &&mut (Option<String>, EpisodeLine)| {
            of.is_some() && *of == enterprise && (day - line.day).num_days() <= days
        };
        match found.iter_mut().find(same) {
            Some((_, line)) => {
                line.complaints += 1;
                line.is_confirmed |= is_confirmed;
            }
            None => found.push((enterprise, EpisodeLine { day, complaints: 1, is_confirmed })),
        }
    }
    found.into_iter().map(|(_, line)| line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_of_one_enterprise_within_a_week_are_one_episode() {
        let day = |of: u32| NaiveDate::from_ymd_opt(2025, 3, of).expect("a day");
        let complaint = |of: u32, enterprise: Option<&str>, is_confirmed: bool| Dated {
            day: day(of),
            enterprise: enterprise.map(str::to_owned),
            is_confirmed,
        };
        let complaints = vec![
            complaint(1, Some("A"), false),
            complaint(2, None, false),
            complaint(2, None, false),
            complaint(8, Some("A"), true),
            complaint(9, Some("A"), false),
            complaint(9, Some("B"), false),
        ];
        let line =
            |of: u32, complaints: u32, is_confirmed: bool| EpisodeLine { day: day(of), complaints, is_confirmed };
        let expected = [line(1, 2, true), line(2, 1, false), line(2, 1, false), line(9, 1, false), line(9, 1, false)];
        assert_eq!(episodes(complaints, 7), expected);
    }
}
