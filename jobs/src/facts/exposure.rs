//! Exposure: the declarations that a subject handled, or the days in posting.
//!
//! The recurrence statistics compare counts with those of peers at equal exposure (docs/statistics.md, "Observed and
//! expected"). This module computes exposures by span, a range of days within one month and the same windows;
//! [`crate::analyses::recurrence`] compares.

mod columns;
mod officers;

pub use officers::{of_officers, of_officers_in};

use crate::facts::days::day_number;
use crate::facts::lookback::WINDOWS;
use crate::facts::{Facts, Subject, WorkloadRow};
use chrono::{Datelike, Days, Months, NaiveDate};
use columns::Columns;
use polars::prelude::*;
use schema::Id;
use schema::domain::tree::UnitTree;
use schema::models::Posting;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// The unit of exposure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Basis {
    /// Declarations handled.
    Declarations,
    /// Days in posting of the officer, or of all officers of the branch.
    PostingDays,
    /// No subject has known exposure.
    #[default]
    None,
}

/// The exposure of all subjects of a kind in the longest window.
///
/// `rows` has one row for each subject, peer group and span, in this order:
///
/// | column | type | meaning |
/// | --- | --- | --- |
/// | `subject` | u32 | index into the subjects |
/// | `group` | i32 | peer group of the branch; −1 for none |
/// | `span` | u32 | index into [`spans`] |
/// | `month` | u32 | months since the first of the longest window |
/// | `exposure` | f64 | declarations or days, by `basis`; > 0 |
/// | `carried` | bool | whether another month's rate stands in for a missing one |
#[derive(Debug, Clone, Default)]
pub struct Exposure {
    pub basis: Basis,
    pub rows: DataFrame,
}

/// A range of days within one month that no window boundary divides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Days since 1970, both inclusive.
    pub from: i32,
    pub to: i32,
    /// Months since the first of the longest window.
    pub month: u32,
}

/// Divides the longest window into spans, at the starts of months and of windows; in order of time.
pub fn spans(as_of: NaiveDate) -> Vec<Span> {
    let last = day_number(as_of);
    let mut starts: Vec<i32> = WINDOWS.iter().map(|days| last - days + 1).collect();
    let first = starts.iter().copied().min().unwrap_or(last);
    let mut month = first_of_month(date(first)) + Months::new(1);
    while month <= as_of {
        starts.push(day_number(month));
        month = month + Months::new(1);
    }
    starts.sort_unstable();
    starts.dedup();
    let ends = starts.iter().skip(1).map(|next| next - 1).chain([last]);
    let since = months(date(first));
    starts
        .iter()
        .zip(ends)
        .map(|(from, to)| Span { from: *from, to, month: (months(date(*from)) - since).unsigned_abs() })
        .collect()
}

/// Divides ranges of days (both ends included) at the starts of months; range by range, each in order of time.
pub fn monthly_spans(ranges: &[(i32, i32)]) -> Vec<Span> {
    let since = ranges.iter().map(|(from, _)| months(date(*from))).min().unwrap_or(0);
    let mut spans = Vec::new();
    for (from, to) in ranges {
        let mut at = *from;
        while at <= *to {
            let next = day_number(first_of_month(date(at)) + Months::new(1));
            spans.push(Span { from: at, to: (*to).min(next - 1), month: (months(date(at)) - since).unsigned_abs() });
            at = next;
        }
    }
    spans
}

fn date(day: i32) -> NaiveDate {
    let since = NaiveDate::default();
    if day < 0 { since - Days::new(day.unsigned_abs().into()) } else { since + Days::new(day.unsigned_abs().into()) }
}

fn months(day: NaiveDate) -> i32 {
    day.year() * 12 + day.month0() as i32
}

fn first_of_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

fn days_of_month(month: NaiveDate) -> f64 {
    f64::from(day_number(month + Months::new(1)) - day_number(month))
}

/// Daily rates by month. A missing month takes the rate of the last month before it, else of the first one after it.
#[derive(Debug, Default)]
struct Daily(BTreeMap<NaiveDate, f64>);

impl Daily {
    /// The daily rate of a month, and whether it is carried over from another month.
    fn of(&self, month: NaiveDate) -> Option<(f64, bool)> {
        if let Some(rate) = self.0.get(&month) {
            return Some((*rate, false));
        }
        let before = self.0.range(..month).next_back();
        before.or_else(|| self.0.range(month..).next()).map(|(_, rate)| (*rate, true))
    }
}

/// The days that a posting and a span have in common.
fn overlap(posting: &Posting, from: i32, to: i32) -> i32 {
    let begins = day_number(posting.valid_from).max(from);
    let ends = posting.valid_to.map_or(to, |last| day_number(last).min(to));
    (ends - begins + 1).max(0)
}

fn daily(rows: &[&WorkloadRow], days: impl Fn(NaiveDate) -> f64) -> Daily {
    let mut by_month: BTreeMap<NaiveDate, i64> = BTreeMap::new();
    for row in rows {
        *by_month.entry(first_of_month(row.month)).or_default() += row.declarations;
    }
    Daily(by_month.into_iter().map(|(month, handled)| (month, handled.max(0) as f64 / days(month))).collect())
}

/// The exposure of branches: month by month a branch's own workload, else the sum of its units' workload, else of its
/// officers'. Without any workload in the register it is the posted days of officers.
///
/// # Errors
/// When polars fails to aggregate.
pub fn of_branches(
    facts: &Facts,
    branches: &[Subject],
    as_of: NaiveDate,
    tree: &UnitTree,
    groups: &dyn Fn(Id, NaiveDate) -> i32,
) -> PolarsResult<Exposure> {
    let spans = spans(as_of);
    let place: HashMap<Id, u32> = (0u32..).zip(branches).map(|(at, branch)| (branch.id, at)).collect();
    // The workload of a branch itself, of units below it, and of officers in one month; and where that of each branch
    // and month is.
    let mut sums: Vec<[Option<i64>; 3]> = Vec::new();
    let mut handled: HashMap<u32, BTreeMap<NaiveDate, usize>> = HashMap::new();
    // By unit and month, which most rows share with others: its branch's sums, and whether it is the branch itself.
    let mut sums_of: HashMap<(u32, NaiveDate), Option<(usize, bool)>, PlRandomState> = HashMap::default();
    for row in facts.workload.rows().iter().filter(|row| row.month <= as_of) {
        let month = first_of_month(row.month);
        let find = || {
            let unit = facts.workload.unit(row);
            let branch = tree.ancestors_on(unit, month).branch?;
            let months = handled.entry(*place.get(&branch)?).or_default();
            let at = *months.entry(month).or_insert_with(|| {
                sums.push([None; 3]);
                sums.len() - 1
            });
            Some((at, branch == unit))
        };
        let Some((at, is_branch)) = *sums_of.entry((row.unit, month)).or_insert_with(find) else { continue };
        let level = match (row.officer(), is_branch) {
            (Some(_), _) => 2,
            (None, true) => 0,
            (None, false) => 1,
        };
        let sum = &mut sums[at][level];
        *sum = Some(sum.unwrap_or(0) + row.declarations);
    }
    let mut columns = Columns::default();
    if !handled.is_empty() {
        for (at, months) in &handled {
            let daily = Daily(
                months
                    .iter()
                    .filter_map(|(month, at)| {
                        let [own, units, officers] = sums[*at];
                        let sum = own.or(units).or(officers)?;
                        Some((*month, sum.max(0) as f64 / days_of_month(*month)))
                    })
                    .collect(),
            );
            let branch = branches[*at as usize].id;
            let (valid_from, valid_to) = facts.units.get(&branch).map_or((i32::MIN, i32::MAX), |unit| {
                (day_number(unit.valid_from), unit.valid_to.map_or(i32::MAX, day_number))
            });
            for (nth, span) in spans.iter().enumerate() {
                let days = span.to.min(valid_to) - span.from.max(valid_from) + 1;
                let month = first_of_month(date(span.from));
                if let Some((rate, carried)) = daily.of(month).filter(|_| days > 0) {
                    columns.push(*at, groups(branch, date(span.from)), nth, *span, rate * f64::from(days), carried);
                }
            }
        }
        return columns.into_exposure(Basis::Declarations);
    }
    for posting in facts.postings.values().flatten() {
        for (nth, span) in spans.iter().enumerate() {
            let days = overlap(posting, span.from, span.to);
            let branch = tree.ancestors_on(posting.unit_id, date(span.from)).branch;
            if let Some(at) = branch.and_then(|id| place.get(&id).copied()).filter(|_| days > 0) {
                let group = groups(branches[at as usize].id, date(span.from));
                columns.push(at, group, nth, *span, f64::from(days), false);
            }
        }
    }
    columns.into_exposure(Basis::PostingDays)
}

#[cfg(test)]
#[path = "exposure_tests.rs"]
mod tests;
