//! Compares the rates of episodes before and after a measure, by workload, with those of officers at the same level
//! before about whom nothing was decided: they show what would have become of the officer without it. Pure functions.
//!
//! Measures follow a peak of complaints, and a peak falls by itself: regression to the mean. Officers who had as many
//! episodes with as much work show how far (docs/statistics.md, "Before and after").

use crate::JobError;
use crate::analyses::before_after::{Span, date};
use crate::facts::exposure::{Basis, monthly_spans, of_officers_in};
use crate::facts::{Facts, Subject};
use crate::numeric::rates::{RateRatio, rate_ratio};
use crate::snapshot::{Places, Snapshot, meaning};
use polars::prelude::*;
use schema::Id;
use schema::enums::{CategoryKind, ComplaintState, Finding};
use std::collections::{HashMap, HashSet};

/// Confidence level of the limits.
const CONFIDENCE: f64 = 0.95;
/// Complaints of one enterprise about one officer within this many days are one episode.
const EPISODE_DAYS: i32 = 7;
/// The level is widened if there are fewer officers than this at the level of the officer.
const ENOUGH: usize = 5;
/// Officers are comparable whose work before was from 1/2 to 2 of the officer's.
const ALIKE: f64 = 2.0;

/// Episodes and work of one officer before and after.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Record {
    pub episodes: (u32, u32),
    /// Declarations, or days in posting.
    pub exposure: (f64, f64),
}

/// The officers at the same level without a measure, together.
#[derive(Debug, Clone, PartialEq)]
pub struct Peers {
    pub officers: u32,
    /// The fewest and the most episodes before of these officers.
    pub level: (u32, u32),
    pub together: Record,
    /// Their rate after over that before: what happens without a measure.
    pub ratio: Option<RateRatio>,
    /// The episodes that the officer would have had after at their rate.
    pub expected: f64,
    /// The officer's rate after over theirs.
    pub against: Option<RateRatio>,
}

/// An officer before and after a measure, by workload.
#[derive(Debug, Clone, PartialEq)]
pub struct ByWorkload {
    pub basis: Basis,
    pub own: Record,
    /// The officer's rate after over that before.
    pub ratio: Option<RateRatio>,
    /// None without a comparison, or with too few officers at the level.
    pub peers: Option<Peers>,
}

/// The arguments of [`by_workload`].
#[derive(Debug, Clone, Copy)]
pub struct Question {
    pub officer: Id,
    /// The officer's episodes before and after.
    pub episodes: (u32, u32),
    pub before: Span,
    pub after: Span,
    /// Whether to compare with other officers.
    pub compare: bool,
}

/// Rates of an officer before and after a measure, and of comparable officers. `work` has the postings and the workload
/// of all officers ([`Facts::load_work`]), `decided` the officers about whom a measure started in one of the periods.
/// None if the officer's exposure is unknown in one of the periods.
///
/// # Errors
/// If the snapshot lacks a column.
pub fn by_workload(
    snapshot: &Snapshot,
    work: &Facts,
    decided: &HashSet<Id>,
    question: Question,
) -> Result<Option<ByWorkload>, JobError> {
    let Question { officer, episodes, before, after, compare } = question;
    let Some(own) = snapshot.officers.place(officer) else { return Ok(None) };
    let (basis, exposures) = exposures(snapshot, work, before, after)?;
    let Some(exposure) = exposures.get(&own).copied() else { return Ok(None) };
    let own_record = Record { episodes, exposure };
    let peers = if compare {
        let (then, now) = (episodes_of(&snapshot.facts, before)?, episodes_of(&snapshot.facts, after)?);
        let of = |counts: &HashMap<u32, u32>, place: u32| counts.get(&place).copied().unwrap_or(0);
        let is_other = |place: u32| place != own && snapshot.officers.at(place).is_none_or(|id| !decided.contains(&id));
        let mut others: Vec<(u32, Record)> = exposures
            .iter()
            .filter(|(place, _)| is_other(**place))
            .map(|(place, exposure)| {
                (*place, Record { episodes: (of(&then, *place), of(&now, *place)), exposure: *exposure })
            })
            .collect();
        // Sums of floats depend on their order.
        others.sort_unstable_by_key(|(place, _)| *place);
        let others: Vec<Record> = others.into_iter().map(|(_, record)| record).collect();
        peers(own_record, &others)
    } else {
        None
    };
    Ok(Some(ByWorkload { basis, own: own_record, ratio: change(own_record), peers }))
}

/// The rate after over that before.
fn change(record: Record) -> Option<RateRatio> {
    rate_ratio(record.episodes.1, record.exposure.1, record.episodes.0, record.exposure.0, CONFIDENCE)
}

/// The officers at the level of `own` before: those with as many episodes and alike work. With fewer than five of them
/// the level is widened by one episode at a time, at most by half of the episodes; None if that finds no five.
pub fn peers(own: Record, others: &[Record]) -> Option<Peers> {
    let alike_work = own.exposure.0 / ALIKE..=own.exposure.0 * ALIKE;
    let alike: Vec<&Record> = others.iter().filter(|other| alike_work.contains(&other.exposure.0)).collect();
    let n = own.episodes.0;
    let found = (0..=n / 2).find_map(|width| {
        let level = n - width..=n + width;
        let found: Vec<&Record> = alike.iter().copied().filter(|other| level.contains(&other.episodes.0)).collect();
        (found.len() >= ENOUGH).then_some(found)
    })?;
    let sum = |of: fn(&Record) -> u32| found.iter().map(|record| of(record)).sum::<u32>();
    let work = |of: fn(&Record) -> f64| found.iter().map(|record| of(record)).sum::<f64>();
    let together = Record {
        episodes: (sum(|one| one.episodes.0), sum(|one| one.episodes.1)),
        exposure: (work(|one| one.exposure.0), work(|one| one.exposure.1)),
    };
    let counts = || found.iter().map(|record| record.episodes.0);
    Some(Peers {
        officers: u32::try_from(found.len()).unwrap_or(u32::MAX),
        level: (counts().min().unwrap_or(n), counts().max().unwrap_or(n)),
        together,
        ratio: change(together),
        expected: f64::from(together.episodes.1) / together.exposure.1 * own.exposure.1,
        against: rate_ratio(own.episodes.1, own.exposure.1, together.episodes.1, together.exposure.1, CONFIDENCE),
    })
}

/// The basis of exposure, and the exposure of officers before and after, by their indices.
type Exposures = (Basis, HashMap<u32, (f64, f64)>);

/// The exposure of officers; only where it is known in both periods.
fn exposures(snapshot: &Snapshot, work: &Facts, before: Span, after: Span) -> PolarsResult<Exposures> {
    let places = u32::try_from(snapshot.officers.places()).unwrap_or(u32::MAX);
    let officers: Vec<Subject> = (0..places)
        .filter_map(|place| snapshot.officers.at(place))
        .map(|id| Subject { code: String::new(), id })
        .collect();
    let first = monthly_spans(&[(before.from, before.until)]).len();
    let spans = monthly_spans(&[(before.from, before.until), (after.from, after.until)]);
    let found = of_officers_in(work, &officers, &spans, date(after.until), &|_, _| -1)?;
    let rows = &found.rows;
    let columns = rows.column("subject")?.u32()?.iter().zip(rows.column("span")?.u32()?.iter());
    let mut exposures: HashMap<u32, (f64, f64)> = HashMap::new();
    for ((subject, span), exposure) in columns.zip(rows.column("exposure")?.f64()?.iter()) {
        let (Some(subject), Some(span), Some(exposure)) = (subject, span, exposure) else { continue };
        let sums = exposures.entry(subject).or_default();
        if (span as usize) < first {
            sums.0 += exposure;
        } else {
            sums.1 += exposure;
        }
    }
    exposures.retain(|_, (then, now)| *then > 0.0 && *now > 0.0);
    Ok((found.basis, exposures))
}

/// The number of episodes that began in a span, by the place of the officer: of complaints about conduct that were not
/// withdrawn or rejected by its end, and of officers who were not cleared. They are formed on the whole history first.
///
/// # Errors
/// If `facts` lacks a column of [`Snapshot::facts`] that it reads.
pub fn episodes_of(facts: &DataFrame, span: Span) -> PolarsResult<HashMap<u32, u32>> {
    let (kind, state) = (Places::of(facts, "kind")?, Places::of(facts, "state")?);
    let (day, ended) = (facts.column("day")?.i32()?, facts.column("ended")?.i32()?);
    let enterprise = facts.column("enterprise")?.u32()?;
    let void = [ComplaintState::Withdrawn, ComplaintState::Rejected].map(ComplaintState::place);
    let cleared = [Finding::Unfounded, Finding::Exonerated].map(Finding::place);
    let columns = kind.iter().zip(state.iter()).zip(day.iter().zip(ended.iter())).zip(enterprise.iter());
    let named = facts.column("named")?.list()?.amortized_iter();
    let mut rows: Vec<(u32, Option<u32>, i32, u32)> = Vec::new();
    for (row, ((((kind, state), (day, ended)), enterprise), words)) in (0u32..).zip(columns.zip(named)) {
        let (Some(day), Some(words)) = (day, words) else { continue };
        let is_void = state.is_some_and(|state| void.contains(&state)) && ended.is_some_and(|end| end <= span.until);
        if kind != Some(CategoryKind::Conduct.place()) || day > span.until || is_void {
            continue;
        }
        let mut officers: Vec<u32> = Vec::new();
        for (officer, finding) in words.as_ref().u32()?.iter().flatten().map(meaning) {
            officers.extend(officer.filter(|_| !cleared.contains(&finding)));
        }
        officers.sort_unstable();
        officers.dedup();
        rows.extend(officers.into_iter().map(|officer| (officer, enterprise, day, row)));
    }
    rows.sort_unstable();
    let mut found: HashMap<u32, u32> = HashMap::new();
    let mut open: Option<(u32, u32, i32)> = None;
    for (officer, enterprise, day, _) in rows {
        // An anonymous complaint is an episode of its own.
        let key = enterprise.map(|enterprise| (officer, enterprise));
        let goes_on = key.is_some_and(|(officer, enterprise)| {
            open.is_some_and(|(of, by, first)| (of, by) == (officer, enterprise) && day - first <= EPISODE_DAYS)
        });
        if goes_on {
            continue;
        }
        open = key.map(|(officer, enterprise)| (officer, enterprise, day));
        if (span.from..=span.until).contains(&day) {
            *found.entry(officer).or_default() += 1;
        }
    }
    Ok(found)
}

#[cfg(test)]
#[path = "peers_tests.rs"]
mod tests;
