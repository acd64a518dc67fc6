//! Bursts of technical complaints: a scan over units and windows of hours against the usual rate of each.
//!
//! The usual rate is that of the eight weeks before, by the hour of the week. A count is compared with a negative
//! binomial distribution: a Poisson count whose rate is known only from those weeks, and drifts. Windows end at full
//! hours, the present one included, so that looking more often makes no further false alarms.
//!
//! `false_alarms_per_month` bounds the expected false alarms of all units together: each count gets an equal part of
//! it (Bonferroni). Windows overlap, so the real number is smaller.

use crate::numeric::negative_binomial;
use schema::{Id, Timestamp};
use std::collections::{BTreeSet, HashMap};

/// A technical complaint: when it came, and the department and the branch that it is about.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    pub at: Timestamp,
    pub department: Option<Id>,
    pub branch: Option<Id>,
}

/// The rules of the scan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BurstRules {
    /// The most false alarms that a month may be expected to have.
    pub false_alarms_per_month: f64,
    /// The fewest complaints of a burst.
    pub least: u32,
}

impl Default for BurstRules {
    fn default() -> Self {
        Self { false_alarms_per_month: 0.5, least: 5 }
    }
}

/// More complaints in some hours than chance explains.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Burst {
    /// The unit; None for all units together.
    pub unit: Option<Id>,
    pub from: Timestamp,
    pub to: Timestamp,
    pub complaints: u32,
    /// Expected number of complaints in these hours.
    pub expected: f64,
    /// The probability of as many or more by chance.
    pub probability: f64,
}

/// Lengths of windows, in hours.
const WINDOWS: [i64; 5] = [1, 2, 4, 8, 24];
/// A burst is current as long as a window that shows it ended at most this many hours ago.
const STANDS: i64 = 6;
/// The days of which the usual rate is taken: eight of each day of the week.
pub const BASE_DAYS: i64 = 56;
/// Days between these and the present one, so that no window reaches into them.
pub const GAP_DAYS: i64 = 2;
/// Drift of rates from the usual one, as a coefficient of variation: seasons, and more trade.
const DRIFT: f64 = 0.2;
/// Weight of the mean over all hours in the profile of hours, in complaints.
const EVEN: f64 = 24.0;

const MICROS_PER_HOUR: i64 = 3_600_000_000;
/// Vietnam is seven hours ahead of UTC, without daylight saving time.
const AHEAD: i64 = 7;
const HOURS_PER_WEEK: usize = 168;
const HOURS_PER_MONTH: f64 = 730.5;

/// The local hour of a moment, counted from 1970-01-01 00:00.
fn hour_of(at: Timestamp) -> i64 {
    at.micros().div_euclid(MICROS_PER_HOUR) + AHEAD
}

fn start_of(hour: i64) -> Timestamp {
    Timestamp::from_micros((hour - AHEAD) * MICROS_PER_HOUR).unwrap_or_else(Timestamp::now)
}

/// The hour of the week, from Monday 00:00.
fn hour_of_week(hour: i64) -> usize {
    // 1970-01-01 was a Thursday.
    usize::try_from((hour + 3 * 24).rem_euclid(168)).unwrap_or(0)
}

/// The bursts at a moment, at most one for each unit, the most surprising first. `arrivals` may hold more than the days
/// that the scan reads.
pub fn bursts(arrivals: &[Arrival], now: Timestamp, rules: BurstRules) -> Vec<Burst> {
    let present = hour_of(now);
    let today = present - present.rem_euclid(24);
    let base_until = today - GAP_DAYS * 24;
    let base_from = base_until - BASE_DAYS * 24;
    let mut base = HashMap::new();
    let mut by_hour = [0.0; HOURS_PER_WEEK];
    let mut recent = Vec::new();
    let mut units = BTreeSet::new();
    for arrival in arrivals.iter().filter(|arrival| arrival.at <= now) {
        let hour = hour_of(arrival.at);
        if hour < base_from {
            continue;
        }
        units.extend([arrival.department, arrival.branch].into_iter().flatten());
        if hour < base_until {
            by_hour[hour_of_week(hour)] += 1.0;
            for unit in of(arrival) {
                *base.entry(unit).or_insert(0_u32) += 1;
            }
        } else if hour > present - STANDS - WINDOWS[WINDOWS.len() - 1] {
            recent.push((hour, *arrival));
        }
    }
    if recent.len() < usize::try_from(rules.least).unwrap_or(usize::MAX) {
        return Vec::new();
    }
    let tests = (units.len() + 1) as f64 * WINDOWS.len() as f64 * HOURS_PER_MONTH;
    let scan = Scan {
        shares: shares(&by_hour),
        base,
        recent,
        present,
        least: rules.least,
        threshold: rules.false_alarms_per_month / tests,
    };
    scan.found()
}

/// The units in which a complaint counts, None for all together.
fn of(arrival: &Arrival) -> impl Iterator<Item = Option<Id>> {
    let departments = arrival.department.map(Some);
    let branches = arrival.branch.filter(|branch| Some(*branch) != arrival.department).map(Some);
    departments.into_iter().chain(branches).chain([None])
}

/// The share of a week's complaints that come in each of its hours. Working days have one profile, so that little data
/// suffices.
fn shares(by_hour: &[f64; HOURS_PER_WEEK]) -> [f64; HOURS_PER_WEEK] {
    let days_alike = |hour: usize| -> Vec<usize> {
        match hour / 24 {
            0..=4 => (0..5).map(|day| day * 24 + hour % 24).collect(),
            _ => vec![hour],
        }
    };
    let total: f64 = by_hour.iter().sum();
    let mut shares = [0.0; HOURS_PER_WEEK];
    for (hour, share) in shares.iter_mut().enumerate() {
        let alike = days_alike(hour);
        let mean = alike.iter().map(|one| by_hour[*one]).sum::<f64>() / alike.len() as f64;
        *share = (mean + EVEN / HOURS_PER_WEEK as f64) / (total + EVEN);
    }
    shares
}

struct Scan {
    shares: [f64; HOURS_PER_WEEK],
    /// Complaints of the usual weeks, by unit.
    base: HashMap<Option<Id>, u32>,
    /// The latest complaints, with their hours.
    recent: Vec<(i64, Arrival)>,
    present: i64,
    least: u32,
    threshold: f64,
}

impl Scan {
    /// Bursts from branches up to all units together: a level above counts only what the bursts below do not explain.
    fn found(mut self) -> Vec<Burst> {
        let mut found = Vec::new();
        for level in 0..3 {
            let mut units: Vec<Option<Id>> = self.recent.iter().filter_map(|(_, one)| at_level(one, level)).collect();
            units.sort_unstable();
            units.dedup();
            let bursts: Vec<Burst> = units.into_iter().filter_map(|unit| self.most_surprising(unit, level)).collect();
            let explained: Vec<Option<Id>> = bursts.iter().map(|burst| burst.unit).collect();
            self.recent.retain(|(_, one)| !at_level(one, level).is_some_and(|unit| explained.contains(&unit)));
            found.extend(bursts);
        }
        found.sort_by(|a, b| a.probability.total_cmp(&b.probability).then_with(|| a.unit.cmp(&b.unit)));
        found
    }

    fn most_surprising(&self, unit: Option<Id>, level: usize) -> Option<Burst> {
        let hours: Vec<i64> =
            self.recent.iter().filter(|(_, one)| at_level(one, level) == Some(unit)).map(|(hour, _)| *hour).collect();
        if hours.len() < usize::try_from(self.least).unwrap_or(usize::MAX) {
            return None;
        }
        let base = f64::from(self.base.get(&unit).copied().unwrap_or(0)) + 0.5;
        let per_week = base / (BASE_DAYS as f64 / 7.0);
        let shape = 1.0 / (1.0 / base + DRIFT * DRIFT);
        let mut best: Option<Burst> = None;
        for last in self.present - STANDS + 1..=self.present {
            for length in WINDOWS {
                let first = last - length + 1;
                let complaints = hours.iter().filter(|hour| (first..=last).contains(*hour)).count();
                let complaints = u32::try_from(complaints).unwrap_or(u32::MAX);
                if complaints < self.least {
                    continue;
                }
                let share: f64 = (first..=last).map(|hour| self.shares[hour_of_week(hour)]).sum();
                let expected = per_week * share;
                let probability = negative_binomial::upper_tail(complaints, expected, shape);
                if probability <= self.threshold && best.is_none_or(|best| probability < best.probability) {
                    let (from, to) = (start_of(first), start_of(last + 1));
                    best = Some(Burst { unit, from, to, complaints, expected, probability });
                }
            }
        }
        best
    }
}

/// The unit of a complaint at a level: its branch, its department, all units together. None if it has none there.
fn at_level(arrival: &Arrival, level: usize) -> Option<Option<Id>> {
    match level {
        0 => arrival.branch.filter(|branch| Some(*branch) != arrival.department).map(Some),
        1 => arrival.department.map(Some),
        _ => Some(None),
    }
}

#[cfg(test)]
#[path = "bursts_tests.rs"]
mod tests;
