//! How well a ranking of today finds those of whom complaints will be sustained (design §5, point 12):
//! rolling origin.
//!
//! At an origin T officers with a complaint before T are ranked by what was known at T, and the top share of
//! them is held against those of whom complaints received in (T, T + horizon] were sustained by the end of
//! the data. Ties at the edge count with their share: no ranking gains by the order of names.

mod history;

pub use history::{Event, History};

use crate::JobError;
use crate::analyses::recurrence::six_digits;
use crate::facts::frames::day_number;
use crate::numeric::shrinkage::{Prior, fit};
use chrono::NaiveDate;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schema::StoreError;
use schema::db::cancellation::check_cancelled;
use serde::Serialize;
use std::collections::{HashMap, HashSet};

/// Days before the origin that windows look back.
const WINDOW: i32 = 730;
/// Days in which a complaint loses half of its weight.
const HALF_LIFE: f64 = 365.0;
/// Resamples of a bootstrap interval, by a fixed seed.
const RESAMPLES: usize = 400;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    pub origins: Vec<NaiveDate>,
    /// Days after the origin.
    pub horizon: i32,
    /// The share of officers that is named.
    pub top: f64,
}

/// How one ranking did at one origin.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    pub origin: NaiveDate,
    pub ranking: &'static str,
    /// Officers with a complaint before the origin, and how many of them are named.
    pub population: usize,
    pub named: usize,
    /// Officers of the population of whom later complaints were sustained.
    pub later_sustained: usize,
    /// Those of them that are named; ties at the edge count with their share.
    pub found: f64,
    /// `found` / `named`, `found` / `later_sustained`, and precision over that of naming at random.
    pub precision: f64,
    pub recall: f64,
    pub lift: f64,
    /// Bootstrap interval of 95 % of the recall, officers resampled.
    pub recall_lower: f64,
    pub recall_upper: f64,
    /// Recall over that of the plain count, with its paired interval.
    pub over_plain: f64,
    pub over_plain_lower: f64,
    pub over_plain_upper: f64,
    /// Days of the horizon for which the register has complaints. Where they are fewer than the horizon, later complaints are
    /// missing, and what was found of them is too little.
    pub observed_days: i32,
}

/// The rankings that are compared, the plain count first.
pub const RANKINGS: [&str; 8] = [
    "plain_count",
    "distinct_enterprises",
    "observed_over_expected",
    "ebgm",
    "eb05",
    "ebgm_whole_history",
    "recency_weighted",
    "recency_and_findings",
];

/// Ranks and compares at each origin.
///
/// # Errors
/// `Cancelled` where whoever waited for this thread stopped waiting.
pub fn backtest(history: &History, question: &Question) -> Result<Vec<Outcome>, JobError> {
    let mut outcomes = Vec::new();
    for origin in &question.origins {
        outcomes.extend(at_origin(history, question, *origin)?);
    }
    Ok(outcomes)
}

/// What is known of one officer at an origin.
#[derive(Debug, Default)]
struct OfficerHistory {
    window: u32,
    history: u32,
    enterprises: HashSet<u32>,
    recency: f64,
    with_findings: f64,
    days: f64,
    /// Days of exposure over the whole history.
    all_days: f64,
    later: bool,
}

fn at_origin(history: &History, question: &Question, origin: NaiveDate) -> Result<Vec<Outcome>, StoreError> {
    check_cancelled()?;
    let origin_day = day_number(origin);
    let mut known: Vec<OfficerHistory> = Vec::new();
    for of_officer in history.events.chunk_by(|a, b| a.officer == b.officer) {
        // Sorted by day: the first one decides whether there is any before the origin.
        if of_officer[0].day >= origin_day {
            continue;
        }
        let since = history.since.get(of_officer[0].officer as usize).copied().unwrap_or(i32::MAX);
        let mut officer = OfficerHistory {
            days: f64::from((origin_day - since.max(origin_day - WINDOW)).clamp(1, WINDOW)),
            all_days: f64::from((origin_day - since).max(1)),
            ..OfficerHistory::default()
        };
        for event in of_officer {
            let age = origin_day - event.day;
            if age < 0 {
                officer.later |= -age <= question.horizon && event.sustained.is_some() && event.void.is_none();
            }
            // What was withdrawn by then does not count; what was withdrawn later did.
            if age <= 0 || event.void.is_some_and(|day| day < origin_day) {
                continue;
            }
            officer.history += 1;
            let weight = 0.5_f64.powf(f64::from(age) / HALF_LIFE);
            officer.recency += weight;
            // What was decided by then counts half as much again, or half.
            let by_then = |day: Option<i32>| day.is_some_and(|day| day < origin_day);
            officer.with_findings += weight
                * match (by_then(event.sustained), by_then(event.cleared)) {
                    (true, _) => 1.5,
                    (false, true) => 0.5,
                    (false, false) => 1.0,
                };
            if age <= WINDOW {
                officer.window += 1;
                officer.enterprises.extend(event.enterprise);
            }
        }
        known.push(officer);
    }
    let named = ((known.len() as f64 * question.top).round() as usize).min(known.len());
    if named == 0 {
        return Ok(Vec::new());
    }
    let observed_days = history.last.map_or(0, |last| (last - origin_day).clamp(0, question.horizon));
    let later: Vec<bool> = known.iter().map(|officer| officer.later).collect();
    let weights: Vec<Vec<f64>> = scores(&known).iter().map(|scores| named_weights(scores, named)).collect();
    let resampled = resample(&weights, &later)?;
    let positive = later.iter().filter(|later| **later).count();
    let found_by = |weights: &[f64]| -> f64 {
        weights.iter().zip(&later).filter(|(_, later)| **later).map(|(w, _)| w).sum::<f64>() + 0.0
    };
    let plain = found_by(&weights[0]);
    let outcomes = RANKINGS
        .iter()
        .zip(&weights)
        .zip(&resampled)
        .map(|((ranking, weights), samples)| {
            let found = found_by(weights);
            let share = |part: f64, whole: f64| if whole > 0.0 { six_digits(part / whole) } else { 0.0 };
            let (n, all) = (named as f64, known.len() as f64);
            let recalls: Vec<f64> = samples.iter().map(|sample| sample.0).collect();
            let gains: Vec<f64> = samples.iter().map(|sample| sample.1).collect();
            let ((recall_lower, recall_upper), (over_plain_lower, over_plain_upper)) =
                (interval(recalls), interval(gains));
            Outcome {
                origin,
                ranking,
                observed_days,
                population: known.len(),
                named,
                later_sustained: positive,
                found: six_digits(found),
                precision: share(found, n),
                recall: share(found, positive as f64),
                lift: share(found * all, n * positive as f64),
                recall_lower,
                recall_upper,
                over_plain: share(found, plain),
                over_plain_lower,
                over_plain_upper,
            }
        })
        .collect();
    Ok(outcomes)
}

/// Fewer officers than this, and one gamma by moments takes the place of the mixture.
const MIXTURE_FROM: usize = 50;

/// What the others' rate makes of each officer's days, the officer's own complaints and days left out, and
/// (EBGM, EB05) of each.
fn shrunk(counts: &[u32], days: &[f64]) -> (Vec<f64>, Vec<(f64, f64)>) {
    let all: f64 = counts.iter().map(|n| f64::from(*n)).sum();
    let all_days: f64 = days.iter().sum();
    let expected: Vec<f64> = counts
        .iter()
        .zip(days)
        .map(|(n, days)| {
            let others = all_days - days;
            let rate = if others > 0.0 { (all - f64::from(*n)) / others } else { 0.0 };
            (days * rate).max(1e-12)
        })
        .collect();
    let fitted = if counts.len() >= MIXTURE_FROM { fit(counts, &expected) } else { None };
    let prior = fitted.map_or_else(|| Prior::by_moments(counts, &expected), |fit| fit.prior);
    // Officers of one count and expectation share a posterior.
    let mut seen: HashMap<(u32, u64), (f64, f64)> = HashMap::new();
    let found = counts
        .iter()
        .zip(&expected)
        .map(|(n, e)| {
            *seen.entry((*n, six_digits(*e).to_bits())).or_insert_with(|| {
                let posterior = prior.posterior(*n, six_digits(*e));
                (posterior.ebgm, posterior.quantile(0.05))
            })
        })
        .collect();
    (expected, found)
}

/// The scores of all officers by each ranking.
fn scores(known: &[OfficerHistory]) -> Vec<Vec<f64>> {
    let of = |value: &dyn Fn(&OfficerHistory) -> f64| known.iter().map(value).collect::<Vec<f64>>();
    let counts: Vec<u32> = known.iter().map(|officer| officer.window).collect();
    let (expected, in_window) = shrunk(&counts, &of(&|officer| officer.days));
    let history: Vec<u32> = known.iter().map(|officer| officer.history).collect();
    let (_, in_history) = shrunk(&history, &of(&|officer| officer.all_days));
    vec![
        of(&|officer| f64::from(officer.window)),
        of(&|officer| officer.enterprises.len() as f64),
        counts.iter().zip(&expected).map(|(n, e)| f64::from(*n) / e).collect(),
        in_window.iter().map(|(ebgm, _)| *ebgm).collect(),
        in_window.iter().map(|(_, eb05)| *eb05).collect(),
        in_history.iter().map(|(ebgm, _)| *ebgm).collect(),
        of(&|officer| officer.recency),
        of(&|officer| officer.with_findings),
    ]
}

/// How much of each officer is among those named: all, nothing, or a share where many stand at the edge
/// with one score.
fn named_weights(scores: &[f64], named: usize) -> Vec<f64> {
    let mut sorted = scores.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let edge = sorted[named - 1];
    let above = scores.iter().filter(|score| **score > edge).count();
    let at = scores.iter().filter(|score| **score == edge).count();
    let share = (named - above) as f64 / at as f64;
    scores
        .iter()
        .map(|score| match score.total_cmp(&edge) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => share,
            std::cmp::Ordering::Less => 0.0,
        })
        .collect()
}

/// (recall, recall over that of the first ranking) of each ranking in each resample of officers.
fn resample(weights: &[Vec<f64>], later: &[bool]) -> Result<Vec<Vec<(f64, f64)>>, StoreError> {
    let mut chance = ChaCha8Rng::seed_from_u64(1);
    let mut samples = vec![Vec::with_capacity(RESAMPLES); weights.len()];
    for _ in 0..RESAMPLES {
        check_cancelled()?;
        let mut found = vec![0.0; weights.len()];
        let mut positive = 0.0;
        for _ in 0..later.len() {
            let at = chance.random_range(0..later.len());
            if later[at] {
                positive += 1.0;
                for (sum, weights) in found.iter_mut().zip(weights) {
                    *sum += weights[at];
                }
            }
        }
        let plain = found[0];
        for (samples, found) in samples.iter_mut().zip(found) {
            let share = |whole: f64| if whole > 0.0 { found / whole } else { 0.0 };
            samples.push((share(positive), share(plain)));
        }
    }
    Ok(samples)
}

/// The middle 95 % of values.
fn interval(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let at =
        |share: f64| values.get((share * (values.len().max(1) - 1) as f64).round() as usize).copied().unwrap_or(0.0);
    (six_digits(at(0.025)), six_digits(at(0.975)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(officer: u32, day: i32, sustained: Option<i32>) -> Event {
        Event { officer, day, enterprise: Some(day.unsigned_abs()), sustained, cleared: None, void: None }
    }

    #[test]
    fn a_ranking_sees_nothing_of_what_comes_after_the_origin() {
        // Sixty officers with one old complaint each; officer 0 has three, and one sustained later.
        let origin = NaiveDate::default() + chrono::Days::new(1_000);
        let mut events: Vec<Event> = (0..60).map(|officer| event(officer, 900, None)).collect();
        events.extend([
            event(0, 901, None),
            event(0, 902, Some(2_000)),
            event(0, 1_100, Some(1_200)),
            event(9, 1_000 + 731, Some(1_900)),
        ]);
        events.sort_by_key(|event| (event.officer, event.day));
        let question = Question { origins: vec![origin], horizon: 730, top: 0.02 };
        let history = History { events, since: vec![0; 60], last: None };
        let outcomes = backtest(&history, &question).unwrap();
        assert_eq!(outcomes.len(), RANKINGS.len());
        for outcome in &outcomes {
            // Officer 9's is beyond the horizon.
            assert_eq!((outcome.population, outcome.named, outcome.later_sustained), (60, 1, 1), "{outcome:?}");
            assert_eq!((outcome.found, outcome.recall, outcome.lift), (1.0, 1.0, 60.0), "{outcome:?}");
        }
    }

    #[test]
    fn a_horizon_that_ends_after_the_register_says_how_much_of_it_was_observed() {
        let events: Vec<Event> = (0..60).map(|officer| event(officer, 900, None)).collect();
        let observed = |last: Option<i32>| {
            let origins = vec![NaiveDate::default() + chrono::Days::new(1_000)];
            let history = History { events: events.clone(), since: vec![0; 60], last };
            backtest(&history, &Question { origins, horizon: 730, top: 0.05 }).unwrap()[0].observed_days
        };
        assert_eq!(
            [Some(5_000), Some(1_730), Some(1_729), Some(1_000), Some(900), None].map(observed),
            [730, 730, 729, 0, 0, 0]
        );
    }

    #[test]
    fn ties_count_with_their_share() {
        assert_eq!(named_weights(&[3.0, 1.0, 1.0, 1.0, 0.0], 2), [1.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 0.0]);
    }

    #[test]
    fn an_origin_before_all_history_gives_nothing() {
        let question = Question { origins: vec![NaiveDate::default()], horizon: 730, top: 0.05 };
        assert_eq!(backtest(&History::default(), &question).unwrap(), []);
    }
}
