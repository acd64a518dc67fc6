//! The exposure of officers.

use super::columns::Columns;
use super::{Basis, Daily, Exposure, Span, daily, date, days_of_month, first_of_month, overlap, spans};
use crate::facts::days::day_number;
use crate::facts::officer_workload::OfficerWorkload;
use crate::facts::{Facts, Subject, Workload, WorkloadRow};
use chrono::{Months, NaiveDate};
use polars::prelude::PolarsResult;
use polars_core::runtime::THREAD_POOL;
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSlice;
use schema::Id;
use schema::models::Posting;
use std::cell::LazyCell;
use std::collections::{HashMap, HashSet};

/// Officers whose exposures one thread computes at a time.
const AT_ONCE: usize = 4_096;

/// The exposure of officers: each month's workload, spread evenly over the officer's posted days in it. When no
/// officer has workload, or fewer than half as many as have postings, it is the posted days of all instead.
///
/// `groups` gives the peer group of a unit on a day.
///
/// # Errors
/// When polars fails to aggregate.
pub fn of_officers(
    facts: &Facts,
    officers: &[Subject],
    as_of: NaiveDate,
    groups: &dyn Fn(Id, NaiveDate) -> i32,
) -> PolarsResult<Exposure> {
    of_officers_in(facts, officers, &spans(as_of), as_of, groups)
}

/// Like [`of_officers`], in other spans, such as [`super::monthly_spans`]. Workload of months after `as_of` does not
/// count.
///
/// # Errors
/// When polars fails to aggregate.
pub fn of_officers_in(
    facts: &Facts,
    officers: &[Subject],
    spans: &[Span],
    as_of: NaiveDate,
    groups: &dyn Fn(Id, NaiveDate) -> i32,
) -> PolarsResult<Exposure> {
    let workload = OfficerWorkload::new(&facts.workload, officers, as_of);
    // Workload of a few officers must not leave all others without exposure.
    let posted = officers.iter().filter(|officer| facts.postings.contains_key(&officer.id)).count();
    let handles = workload.officers();
    let basis = if handles > 0 && 2 * handles >= posted { Basis::Declarations } else { Basis::PostingDays };
    let days = spans.iter().map(|span| span.from).min().zip(spans.iter().map(|span| span.to).max());
    let groups = groups_of_units(facts, &workload, spans, groups);
    let officer_exposure = OfficerExposure { workload: &facts.workload, basis, spans, days, groups };
    let none = Vec::new();
    let parts: Vec<Columns> = THREAD_POOL.install(|| {
        let chunks = officers.par_chunks(AT_ONCE).enumerate();
        let part = |(nth, officers): (usize, &[Subject])| {
            let mut columns = Columns::default();
            for (at, officer) in (nth * AT_ONCE..).zip(officers) {
                let index = u32::try_from(at).unwrap_or(u32::MAX);
                let postings = facts.postings.get(&officer.id).unwrap_or(&none);
                officer_exposure.add(&mut columns, index, postings, workload.of(at));
                columns.add_up();
            }
            columns
        };
        chunks.map(part).collect()
    });
    // The columns are in memory twice for a moment.
    drop(workload);
    let mut columns = Columns::with_capacity(parts.iter().map(Columns::len).sum());
    parts.into_iter().for_each(|part| columns.append(part));
    columns.into_exposure(basis)
}

/// The peer groups of a unit in a span.
#[derive(Clone, Copy)]
struct UnitGroups {
    /// The peer group on the first day of the span.
    on_day: i32,
    /// The peer group on the first day of its month.
    on_month: i32,
}

/// The peer groups of all units that officers work at, by span.
fn groups_of_units(
    facts: &Facts,
    workload: &OfficerWorkload<'_>,
    spans: &[Span],
    groups: &dyn Fn(Id, NaiveDate) -> i32,
) -> HashMap<Id, Vec<UnitGroups>> {
    let posted = facts.postings.values().flatten().map(|posting| posting.unit_id);
    let units: HashSet<Id> = posted.chain(workload.units()).collect();
    let of_unit = |unit: Id| {
        let in_span = |span: &Span| UnitGroups {
            on_day: groups(unit, date(span.from)),
            on_month: groups(unit, first_of_month(date(span.from))),
        };
        (unit, spans.iter().map(in_span).collect())
    };
    units.into_iter().map(of_unit).collect()
}

/// Computes the exposure of one officer after the other.
struct OfficerExposure<'s> {
    workload: &'s Workload,
    basis: Basis,
    spans: &'s [Span],
    /// The first and the last day of all spans.
    days: Option<(i32, i32)>,
    groups: HashMap<Id, Vec<UnitGroups>>,
}

impl OfficerExposure<'_> {
    fn groups_of(&self, unit: Id) -> &[UnitGroups] {
        self.groups.get(&unit).map(Vec::as_slice).unwrap_or_default()
    }

    /// Adds the exposures of the officer at `index`, with the workload `by_unit`.
    fn add(&self, columns: &mut Columns, index: u32, postings: &[Posting], by_unit: &[&WorkloadRow]) {
        if self.basis == Basis::Declarations && by_unit.is_empty() {
            return;
        }
        if postings.is_empty() {
            self.add_without_postings(columns, index, by_unit);
            return;
        }
        let Some((first, last)) = self.days else { return };
        let mut units: Vec<Id> = postings.iter().map(|posting| posting.unit_id).collect();
        units.sort_unstable();
        units.dedup();
        let posted_anywhere = |month: NaiveDate| {
            let (from, to) = (day_number(month), day_number(month + Months::new(1)) - 1);
            let posted: i32 = postings.iter().map(|posting| overlap(posting, from, to)).sum();
            if posted == 0 { days_of_month(month) } else { f64::from(posted) }
        };
        let of_units = |wanted: &dyn Fn(Id) -> bool| -> Vec<&WorkloadRow> {
            by_unit.iter().filter(|row| wanted(self.workload.unit(row))).copied().collect()
        };
        // Workload recorded for units other than those of the postings is spread over all postings.
        let elsewhere = daily(&of_units(&|at| !units.contains(&at)), posted_anywhere);
        // A unit without workload takes the officer's rate from other units, as after a move. Few have none.
        let before = LazyCell::new(|| daily(by_unit, posted_anywhere));
        for unit in &units {
            let there: Vec<&Posting> = postings.iter().filter(|posting| posting.unit_id == *unit).collect();
            // Most former postings ended before the spans.
            if there.iter().all(|posting| overlap(posting, first, last) == 0) {
                continue;
            }
            let posted_days = |month: NaiveDate| {
                let (from, to) = (day_number(month), day_number(month + Months::new(1)) - 1);
                let posted: i32 = there.iter().map(|posting| overlap(posting, from, to)).sum();
                if posted == 0 { days_of_month(month) } else { f64::from(posted) }
            };
            let here = daily(&of_units(&|at| at == *unit), posted_days);
            let rate = |month: NaiveDate| match (here.of(month), elsewhere.of(month)) {
                (Some((a, carried)), Some((b, also))) => Some((a + b, carried || also)),
                (Some(found), None) | (None, Some(found)) => Some(found),
                (None, None) => before.of(month).map(|(rate, _)| (rate, true)),
            };
            for ((at, span), group) in self.spans.iter().enumerate().zip(self.groups_of(*unit)) {
                let days: i32 = there.iter().map(|posting| overlap(posting, span.from, span.to)).sum();
                if days == 0 {
                    continue;
                }
                let month = first_of_month(date(span.from));
                let (rate, carried) = match self.basis {
                    Basis::PostingDays => (1.0, false),
                    _ => match rate(month) {
                        Some(found) => found,
                        None => continue,
                    },
                };
                columns.push(index, group.on_day, at, *span, rate * f64::from(days), carried);
            }
        }
    }

    /// Adds an officer without postings as posted at the units of the workload rows, from the first month on.
    fn add_without_postings(&self, columns: &mut Columns, index: u32, by_unit: &[&WorkloadRow]) {
        for rows in by_unit.chunk_by(|a, b| a.unit == b.unit) {
            let daily: Daily = daily(rows, days_of_month);
            let since = daily.0.keys().next().map_or(i32::MAX, |first| day_number(*first));
            let in_spans = self.spans.iter().enumerate().zip(self.groups_of(self.workload.unit(rows[0])));
            for ((at, span), group) in in_spans.filter(|((_, span), _)| span.from >= since) {
                let month = first_of_month(date(span.from));
                let Some((rate, carried)) = daily.of(month) else { continue };
                let days = f64::from(span.to - span.from + 1);
                columns.push(index, group.on_month, at, *span, rate * days, carried);
            }
        }
    }
}
