//! Rolling-origin backtest of rankings of officers (docs/statistics.md, "Backtest"): how well does a ranking
//! predict sustained complaints?
//!
//! At an origin T, officers with a complaint before T are ranked by what was known at T. The top share is
//! compared with the officers whose complaints received in (T, T + horizon] were sustained by the end of the
//! data. Ties at the cut count fractionally, so that no ranking gains by the order of officers.

mod history;

pub use history::{Event, History};

use crate::JobError;
use crate::analyses::recurrence::round_6_digits;
use crate::facts::days::day_number;
use crate::numeric::shrinkage::{Prior, fit};
use chrono::NaiveDate;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schema::StoreError;
use schema::db::cancellation::check_cancelled;
use serde::Serialize;
use std::collections::{HashMap, HashSet};

/// Length in days of the window before the origin.
const WINDOW: i32 = 730;
/// Days after which the weight of a complaint has halved.
const HALF_LIFE: f64 = 365.0;
/// Resamples of a bootstrap interval; the seed is fixed.
const RESAMPLES: usize = 400;

/// The parameters of a backtest.
#[derive(Debug, Clone)]
pub struct Question {
    pub origins: Vec<NaiveDate>,
    /// Days after the origin in which later complaints are counted.
    pub horizon: i32,
    /// Share of officers that a ranking names, from 0 to 1.
    pub top: f64,
}

/// The result of one ranking at one origin.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RankingOutcome {
    pub origin: NaiveDate,
    pub ranking: &'static str,
    /// Officers with a complaint before the origin.
    pub population: usize,
    pub named: usize,
    /// Officers of the population with a sustained complaint after the origin.
    pub later_sustained: usize,
    /// True positives: named officers with a later sustained complaint; ties at the cut-off count fractionally.
    pub found: f64,
    /// `found` / `named`.
    pub precision: f64,
    /// `found` / `later_sustained`.
    pub recall: f64,
    /// Precision divided by that of naming at random.
    pub lift: f64,
    /// 95 % bootstrap interval of the recall; officers are resampled.
    pub recall_lower: f64,
    pub recall_upper: f64,
    /// Recall divided by that of the plain count, with its paired bootstrap interval.
    pub over_plain: f64,
    pub over_plain_lower: f64,
    pub over_plain_upper: f64,
    /// Days of the horizon for which the register has complaints. If fewer than the horizon, later complaints
    /// are missing and `later_sustained` and `found` are too small.
    pub observed_days: i32,
}

/// The rankings compared, in the order of `scores`. The plain count comes first: it is the baseline.
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

/// Runs the backtest at each origin. An origin at which no officer would be named gives no outcome.
///
/// # Errors
/// `Cancelled` when the work of this thread is cancelled.
pub fn backtest(history: &History, question: &Question) -> Result<Vec<RankingOutcome>, JobError> {
    let mut outcomes = Vec::new();
    for origin in &question.origins {
        outcomes.extend(at_origin(history, question, *origin)?);
    }
    Ok(outcomes)
}

/// The known facts about one officer at an origin.
#[derive(Debug, Default)]
struct OfficerHistory {
    /// Complaints in the window.
    window: u32,
    /// Complaints in the whole history.
    history: u32,
    /// Distinct enterprises in the window.
    enterprises: HashSet<u32>,
    /// Recency-weighted complaints of the whole history, without and with weights for findings.
    recency: f64,
    with_findings: f64,
    /// Days of exposure in the window.
    days: f64,
    /// Days of exposure in the whole history.
    all_days: f64,
    /// Whether a complaint within the horizon was sustained.
    later: bool,
}

fn at_origin(history: &History, question: &Question, origin: NaiveDate) -> Result<Vec<RankingOutcome>, StoreError> {
    check_cancelled()?;
    let origin_day = day_number(origin);
    let mut population: Vec<OfficerHistory> = Vec::new();
    for of_officer in history.events.chunk_by(|a, b| a.officer == b.officer) {
        // Events are sorted by day: the first one tells whether any lies before the origin.
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
            // A complaint withdrawn before the origin does not count; one withdrawn later counted at the
            // origin.
            if age <= 0 || event.void.is_some_and(|day| day < origin_day) {
                continue;
            }
            officer.history += 1;
            let weight = 0.5_f64.powf(f64::from(age) / HALF_LIFE);
            officer.recency += weight;
            // Findings known at the origin change the weight: sustained × 1.5, cleared × 0.5.
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
        population.push(officer);
    }
    let named = ((population.len() as f64 * question.top).round() as usize).min(population.len());
    if named == 0 {
        return Ok(Vec::new());
    }
    let observed_days = history.last.map_or(0, |last| (last - origin_day).clamp(0, question.horizon));
    let later: Vec<bool> = population.iter().map(|officer| officer.later).collect();
    let weights: Vec<Vec<f64>> = scores(&population).iter().map(|scores| named_weights(scores, named)).collect();
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
            let share = |part: f64, whole: f64| if whole > 0.0 { round_6_digits(part / whole) } else { 0.0 };
            let (n, all) = (named as f64, population.len() as f64);
            let recalls: Vec<f64> = samples.iter().map(|sample| sample.0).collect();
            let gains: Vec<f64> = samples.iter().map(|sample| sample.1).collect();
            let ((recall_lower, recall_upper), (over_plain_lower, over_plain_upper)) =
                (interval(recalls), interval(gains));
            RankingOutcome {
                origin,
                ranking,
                observed_days,
                population: population.len(),
                named,
                later_sustained: positive,
                found: round_6_digits(found),
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

/// The prior is one gamma distribution by moments instead of the mixture if there are fewer officers than this.
const MIXTURE_FROM: usize = 50;

/// The expected count of each officer, and (EBGM, EB05). Expected is the officer's days times the rate of all
/// other officers.
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
    // Officers with the same count and expectation share a posterior.
    let mut posteriors: HashMap<(u32, u64), (f64, f64)> = HashMap::new();
    let found = counts
        .iter()
        .zip(&expected)
        .map(|(n, e)| {
            *posteriors.entry((*n, round_6_digits(*e).to_bits())).or_insert_with(|| {
                let posterior = prior.posterior(*n, round_6_digits(*e));
                (posterior.ebgm, posterior.quantile(0.05))
            })
        })
        .collect();
    (expected, found)
}

/// The scores of all officers, one vector for each of [`RANKINGS`].
fn scores(officers: &[OfficerHistory]) -> Vec<Vec<f64>> {
    let of = |value: &dyn Fn(&OfficerHistory) -> f64| officers.iter().map(value).collect::<Vec<f64>>();
    let counts: Vec<u32> = officers.iter().map(|officer| officer.window).collect();
    let (expected, in_window) = shrunk(&counts, &of(&|officer| officer.days));
    let history: Vec<u32> = officers.iter().map(|officer| officer.history).collect();
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

/// The weight with which each officer is named: 1 above the cut, 0 below it, and a fraction for officers tied
/// at it.
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

/// Recall, and recall divided by that of the first ranking, for each ranking and each bootstrap resample of officers.
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

/// The 2.5 % and 97.5 % percentiles.
fn interval(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let at =
        |share: f64| values.get((share * (values.len().max(1) - 1) as f64).round() as usize).copied().unwrap_or(0.0);
    (round_6_digits(at(0.025)), round_6_digits(at(0.975)))
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
            // The later complaint about officer 9 lies beyond the horizon.
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
