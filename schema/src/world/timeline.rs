//! The days of the world, with seasons and growth of the workload.

use crate::domain::calendar::{LOCAL, moment};
use crate::sql_types::Timestamp;
use chrono::{Datelike, Days, Months, NaiveDate, NaiveTime, Weekday};

use super::chance::SeededRng;

/// The length of a world in years.
const YEARS: u32 = 5;

/// Work by month of the year, relative to the mean: little around Tết, much before the end of the year.
const SEASON: [f64; 12] = [0.97, 0.76, 1.0, 0.98, 1.0, 1.0, 1.02, 1.03, 1.03, 1.06, 1.08, 1.07];
/// Growth of the work per year.
const GROWTH: f64 = 0.08;

/// The part of a calendar month within the world.
#[derive(Debug, Clone, Copy)]
pub struct Month {
    pub first: NaiveDate,
    /// The days from..to, counted from the first day of the world; `to` is exclusive.
    pub from: i32,
    pub to: i32,
    /// Work relative to the mean over the whole world.
    pub level: f64,
}

/// All days and months of a world.
pub struct Timeline {
    pub since: NaiveDate,
    pub days: i32,
    pub months: Vec<Month>,
}

impl Timeline {
    pub fn new(until: NaiveDate) -> Self {
        let since = until - Months::new(12 * YEARS) + Days::new(1);
        let day = |date: NaiveDate| i32::try_from((date - since).num_days()).unwrap_or(0);
        let days = day(until) + 1;
        let mut months = Vec::new();
        let mut first = since.with_day(1).unwrap_or(since);
        while first <= until {
            let next = first + Months::new(1);
            let years = f64::from(day(first)) / 365.25;
            let level = SEASON[first.month0() as usize] * (1.0 + GROWTH * years);
            months.push(Month { first, from: day(first).max(0), to: day(next).min(days), level });
            first = next;
        }
        let work: f64 = months.iter().map(|month| month.level * f64::from(month.to - month.from)).sum();
        for month in &mut months {
            month.level *= f64::from(days) / work;
        }
        Self { since, days, months }
    }

    pub fn date(&self, day: i32) -> NaiveDate {
        self.since + chrono::TimeDelta::days(i64::from(day))
    }

    /// A moment of a day, in seconds after its local midnight.
    pub fn moment(&self, day: i32, second: u32) -> Timestamp {
        let time = NaiveTime::from_num_seconds_from_midnight_opt(second.min(86_399), 0).unwrap_or_default();
        // Vietnam has changed no clocks since 1975.
        moment(self.date(day).and_time(time), LOCAL).expect("a local time without a clock change")
    }

    /// The mean level of the last twelve months.
    pub fn level_at_the_end(&self) -> f64 {
        let last = &self.months[self.months.len().saturating_sub(12)..];
        last.iter().map(|month| month.level).sum::<f64>() / last.len() as f64
    }

    /// A random day in from..to, less often a Saturday, seldom a Sunday.
    pub fn some_day(&self, chance: &mut SeededRng, from: i32, to: i32) -> i32 {
        let mut day = from;
        for _ in 0..4 {
            day = from + i32::try_from(chance.below(usize::try_from(to - from).unwrap_or(0))).unwrap_or(0);
            let often = match self.date(day).weekday() {
                Weekday::Sun => 0.2,
                Weekday::Sat => 0.5,
                _ => 1.0,
            };
            if chance.is(often) {
                break;
            }
        }
        day
    }
}

/// A random second of the day, mostly within working hours.
pub fn some_second(chance: &mut SeededRng) -> u32 {
    let (from, to) = if chance.is(0.92) { (7.5, 17.5) } else { (0.0, 24.0) };
    (chance.between(from, to) * 3600.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_years_end_on_the_day_and_their_mean_level_is_one() {
        let until = NaiveDate::from_ymd_opt(2024, 2, 29).expect("a date");
        let timeline = Timeline::new(until);
        assert_eq!(timeline.since, NaiveDate::from_ymd_opt(2019, 3, 1).expect("a date"));
        assert_eq!(timeline.date(timeline.days - 1), until);
        let work: f64 = timeline.months.iter().map(|m| m.level * f64::from(m.to - m.from)).sum();
        assert!((work / f64::from(timeline.days) - 1.0).abs() < 1e-12);
        assert!(timeline.level_at_the_end() > 1.1);
    }
}
