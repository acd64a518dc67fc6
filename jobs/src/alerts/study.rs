//! Measures how many bursts the job tells of, and how many alarms are false, in generated worlds whose bursts are
//! known: for the study of alerts and for tests. Alerts are raised and cleared as the job does it, without a database.

use super::{Changes, Found, technical};
use crate::analyses::bursts::{Arrival, BASE_DAYS, Burst, BurstRules, GAP_DAYS, bursts};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use schema::domain::calendar::{local_date, start_of_day};
use schema::domain::ids::random_id;
use schema::models::Alert;
use schema::world::{Outline, Parameters, RecordedFailure, TrueBurst, outline};
use schema::{Id, JsonValue, StoreError, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// The last days of a world, which are scanned: the generator plants its bursts there.
const DAYS: i64 = 120;
const DAYS_OF_A_MONTH: f64 = 30.44;
/// The time between two scans during a planted burst, as the job scans. At other times one scan ends each hour: windows
/// end at full hours, so that more scans raise no further alarms.
const BETWEEN_LOOKS: TimeDelta = TimeDelta::minutes(5);
/// An alarm counts as the alarm of a planted burst if it is raised within this time after the burst begins: a window of
/// a day may hold the burst, and the alarm remains for six hours after that window.
const IS_TOLD: TimeDelta = TimeDelta::hours(36);
/// A recorded failure explains the alarms of this time: complaints about it come on its day and the two after it, and
/// remain in windows for another day.
const AFTER_FAILURE: TimeDelta = TimeDelta::days(4);

/// The results of scanning one world, or several.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Watched {
    pub planted: u32,
    /// The minutes from the beginning of a planted burst to its alarm, for each burst that was found.
    pub minutes: Vec<i64>,
    /// Alarms that neither a planted burst nor a recorded failure explains.
    pub false_alarms: u32,
    /// Alarms that recorded failures explain.
    pub after_failures: u32,
    pub months: f64,
    /// The months in which an alarm would have been false, because nothing explained it. Each unit counts by an equal
    /// part, as it has an equal part of the bound.
    pub unexplained_months: f64,
}

impl Watched {
    pub fn found(&self) -> u32 {
        u32::try_from(self.minutes.len()).unwrap_or(u32::MAX)
    }

    /// Adds the results of another world.
    pub fn add(&mut self, other: Self) {
        self.planted += other.planted;
        self.minutes.extend(other.minutes);
        self.false_alarms += other.false_alarms;
        self.after_failures += other.after_failures;
        self.months += other.months;
        self.unexplained_months += other.unexplained_months;
    }
}

/// Scans the last days of a world that is not stored.
///
/// # Errors
/// `Rule` for invalid parameters.
pub fn watch(parameters: Parameters, rules: BurstRules) -> Result<Watched, StoreError> {
    let Outline { complaints, failures, bursts } = outline(parameters)?;
    let arrivals: Vec<Arrival> = complaints
        .into_iter()
        .map(|one| Arrival { at: one.at, department: Some(one.department), branch: Some(one.branch) })
        .collect();
    Ok(watched(&arrivals, &failures, &bursts, parameters.until, rules))
}

/// Scans the last days of a register, up to the end of a day.
pub fn watched(
    arrivals: &[Arrival],
    failures: &[RecordedFailure],
    planted: &[TrueBurst],
    until: NaiveDate,
    rules: BurstRules,
) -> Watched {
    let end = start_of_day(until + Days::new(1)).utc();
    let begin = end - TimeDelta::days(DAYS);
    let read_from = Timestamp::from(begin - TimeDelta::days(BASE_DAYS + GAP_DAYS + 1));
    let arrivals: Vec<Arrival> = arrivals.iter().filter(|one| one.at >= read_from).copied().collect();
    let mut minutes: BTreeMap<usize, i64> = BTreeMap::new();
    let (mut false_alarms, mut after_failures) = (0, 0);
    let mut alerts = Alerts::default();
    for now in looks(begin, end, planted) {
        for burst in alerts.raised(&bursts(&arrivals, now.into(), rules), now.into(), rules) {
            if let Some(number) = planted.iter().position(|one| tells_of(&burst, one, now)) {
                minutes.entry(number).or_insert((now - planted[number].from.utc()).num_minutes());
            } else if failures.iter().any(|failure| explains(failure, &burst)) {
                after_failures += 1;
            } else {
                false_alarms += 1;
            }
        }
    }
    Watched {
        planted: u32::try_from(planted.len()).unwrap_or(u32::MAX),
        minutes: minutes.into_values().collect(),
        false_alarms,
        after_failures,
        months: DAYS as f64 / DAYS_OF_A_MONTH,
        unexplained_months: unexplained_days(&arrivals, failures, planted, (begin, end)) / DAYS_OF_A_MONTH,
    }
}

/// The alerts that are active or of the day.
#[derive(Debug, Default)]
struct Alerts(Vec<Alert>);

impl Alerts {
    /// Raises and clears alerts as the job does, and returns the bursts about which it raises one.
    fn raised(&mut self, bursts: &[Burst], now: Timestamp, rules: BurstRules) -> Vec<Burst> {
        let today = local_date(now);
        self.0.retain(|alert| alert.cleared_at.is_none() || alert.day == today);
        let found: Vec<Found> = bursts.iter().map(|burst| technical::finding(burst, subject(burst), rules)).collect();
        let changes = Changes::between(self.0.clone(), &found, today);
        for alert in &mut self.0 {
            if changes.again.contains(&alert.id) {
                alert.cleared_at = None;
            } else if changes.cleared.iter().any(|over| over.id == alert.id) {
                alert.cleared_at = Some(now);
            }
        }
        let is_raised = |burst: &&Burst| changes.raised.iter().any(|one| one.subject == subject(burst));
        let raised = bursts.iter().filter(is_raised).copied().collect();
        self.0.extend(changes.raised.into_iter().map(|Found { kind, subject, details, .. }| Alert {
            id: random_id(),
            kind,
            subject,
            day: today,
            details: JsonValue(details),
            raised_at: now,
            cleared_at: None,
            principal_id: None,
            unit_id: None,
        }));
        raised
    }
}

/// A unit by its id: studies know no codes.
fn subject(burst: &Burst) -> String {
    burst.unit.map_or_else(|| technical::ALL.to_owned(), |unit| unit.to_string())
}

/// The moments of scans: one at the end of each hour, and more during a planted burst.
fn looks(begin: DateTime<Utc>, end: DateTime<Utc>, planted: &[TrueBurst]) -> BTreeSet<DateTime<Utc>> {
    let hours = (1..=DAYS * 24).map(|hour| begin + TimeDelta::hours(hour) - TimeDelta::microseconds(1));
    let mut all: BTreeSet<DateTime<Utc>> = hours.collect();
    for burst in planted {
        let mut now = burst.from.utc() + BETWEEN_LOOKS;
        while now <= burst.until.utc() && now < end {
            all.insert(now);
            now += BETWEEN_LOOKS;
        }
    }
    all
}

/// Whether an alarm at a moment is about a planted burst: at its branch or a level above.
fn tells_of(alarm: &Burst, planted: &TrueBurst, now: DateTime<Utc>) -> bool {
    let since = now - planted.from.utc();
    since >= TimeDelta::zero() && since <= IS_TOLD && is_at(planted, alarm.unit)
}

/// Whether a planted burst adds to the counts of a unit, or of all units together.
fn is_at(planted: &TrueBurst, unit: Option<Id>) -> bool {
    unit.is_none_or(|unit| planted.units.contains(&unit))
}

/// Whether a recorded failure of the unit, of one below it or of all explains an alarm.
fn explains(failure: &RecordedFailure, alarm: &Burst) -> bool {
    let after = alarm.to.utc() - failure.at.utc();
    after >= TimeDelta::zero() && after <= AFTER_FAILURE && strikes(failure, alarm.unit)
}

fn strikes(failure: &RecordedFailure, unit: Option<Id>) -> bool {
    match (failure.units, unit) {
        (Some(units), Some(unit)) => units.contains(&unit),
        _ => true,
    }
}

/// The days in which nothing explained an alarm, as a mean over the units and all units together.
fn unexplained_days(
    arrivals: &[Arrival],
    failures: &[RecordedFailure],
    planted: &[TrueBurst],
    (begin, end): (DateTime<Utc>, DateTime<Utc>),
) -> f64 {
    let counted = arrivals.iter().flat_map(|one| [one.department, one.branch]).flatten().map(Some);
    let units: BTreeSet<Option<Id>> = counted.chain([None]).collect();
    let mut all = TimeDelta::zero();
    for unit in &units {
        let struck = failures.iter().filter(|failure| strikes(failure, *unit));
        let struck = struck.map(|failure| (failure.at.utc(), failure.at.utc() + AFTER_FAILURE));
        let burst = planted.iter().filter(|burst| is_at(burst, *unit));
        let burst = burst.map(|burst| (burst.from.utc(), burst.from.utc() + IS_TOLD));
        let mut explained: Vec<(DateTime<Utc>, DateTime<Utc>)> = struck.chain(burst).collect();
        explained.sort_unstable();
        let mut until = begin;
        for (from, to) in explained {
            all += (from.min(end) - until).max(TimeDelta::zero());
            until = until.max(to).min(end);
        }
        all += end - until;
    }
    all.as_seconds_f64() / 86_400.0 / units.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::poisson;
    use crate::numeric::proportion::binomial_upper_tail;
    use schema::world::{Bursts, UNTIL};

    const SEEDS: u64 = 20;
    /// docs/alerts.md: nine in ten bursts of 12 complaints within two hours are found.
    const SIZE: u32 = 12;
    const FOUND: f64 = 0.9;
    /// The probability with which the test may fail although what it tests holds.
    const BY_CHANCE: f64 = 0.001;

    /// The most false alarms that the bound allows with chance: more have at most that probability.
    fn most(bound: f64) -> u32 {
        (0..).find(|number| poisson::upper_tail(number + 1, bound) <= BY_CHANCE).expect("a number")
    }

    #[test]
    fn the_tolerance_follows_the_bound() {
        // P(X > 5) = 0.00059 and P(X > 4) = 0.00366 for a mean of one; P(X > 0) is 0.001 for a mean of 0.001.
        assert_eq!((most(1.0), most(0.001), most(0.0011)), (5, 0, 1));
    }

    #[test]
    fn in_20_worlds_false_alarms_keep_to_the_bound_and_planted_bursts_are_found() {
        let rules = BurstRules::default();
        for complaints in [3_000, 12_000] {
            let mut all = Watched::default();
            for seed in 1..=SEEDS {
                let bursts = Bursts { number: 3, size: SIZE };
                all.add(watch(Parameters { complaints, seed, until: UNTIL, bursts }, rules).expect("a world"));
            }
            let Watched { planted, false_alarms, unexplained_months, .. } = all;
            let most = most(rules.false_alarms_per_month * unexplained_months);
            let found = all.found();
            let told = format!("{false_alarms} false in {unexplained_months:.0} months, at most {most}");
            println!("{complaints} complaints: {found} of {planted}, {told}");
            assert!(false_alarms <= most, "{told}");
            let so_few = 1.0 - binomial_upper_tail(found + 1, planted, FOUND);
            assert!(so_few > BY_CHANCE, "{found} of {planted} bursts found, probability {so_few}");
            let late = all.minutes.iter().filter(|minutes| **minutes > 120).count();
            assert!(late * 10 <= all.minutes.len(), "alarms come while the bursts do: {:?}", all.minutes);
        }
    }

    fn id(number: u128) -> Id {
        Id(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn an_alert_that_stands_over_midnight_is_one_alarm() {
        let noon = Timestamp::from(start_of_day(UNTIL).utc() - TimeDelta::days(50) + TimeDelta::hours(12));
        let arrivals = [Arrival { at: noon, department: Some(id(1)), branch: Some(id(2)) }; 12];
        let watched = watched(&arrivals, &[], &[], UNTIL, BurstRules::default());
        assert_eq!((watched.false_alarms, watched.after_failures), (1, 0));
        assert!((watched.unexplained_months - watched.months).abs() < 1e-9);
    }

    #[test]
    fn a_failure_explains_alarms_where_it_struck_and_leaves_less_time_for_false_ones() {
        let at = |days: i64, hours: i64| {
            Timestamp::from(start_of_day(UNTIL).utc() - TimeDelta::days(days) + TimeDelta::hours(hours))
        };
        let arrivals: Vec<Arrival> = [(50, 2), (40, 2), (20, 4)]
            .into_iter()
            .flat_map(|(days, branch)| {
                [Arrival { at: at(days, 12), department: Some(id(branch - 1)), branch: Some(id(branch)) }; 12]
            })
            .collect();
        // The first failure struck the branch of the burst, the second struck it too long before, the third another
        // branch.
        let failures = [(50, 2), (45, 2), (20, 2)]
            .map(|(days, branch)| RecordedFailure { at: at(days, 6), units: Some([id(branch), id(branch - 1)]) });
        let watched = watched(&arrivals, &failures, &[], UNTIL, BurstRules::default());
        assert_eq!((watched.after_failures, watched.false_alarms), (1, 2), "{watched:?}");
        // Two units and all together have three times four days less; the two others have all days.
        let days = watched.unexplained_months * DAYS_OF_A_MONTH;
        assert!((days - (3.0 * 108.0 + 2.0 * 120.0) / 5.0).abs() < 1e-6, "{days}");
    }
}
