//! The numbers of a digest's period, with those of the period before and their usual range, and the months that its
//! picture shows. Pure functions of the facts of a snapshot.

use crate::analyses::timeliness::handled;
use crate::facts::days::{day_number, day_of, month_number};
use crate::numeric::usual::usual;
use chrono::{Datelike, NaiveDate};
use polars::prelude::{DataFrame, PolarsResult, col};
use serde::{Deserialize, Serialize};

/// Length of a period in days.
const DAYS: i32 = 30;
/// Earlier periods that give the usual range: about a year.
const EARLIER: usize = 12;
/// Months in the picture.
const MONTHS: i32 = 12;

/// A number of the period, with that of the period before and the usual range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NumberLine {
    /// `received`, `answered`, `overdue` (at the end of the period), `cost` or `delay`.
    pub key: String,
    pub now: f64,
    /// None in a register that is younger than two periods.
    pub before: Option<f64>,
    /// The 95 % prediction interval from the earlier periods, as on the page. None if there are too few of them.
    pub usual: Option<(f64, f64)>,
}

impl NumberLine {
    /// `now` and the earlier periods, the latest first.
    fn new(key: &str, now: f64, earlier: &[f64]) -> Self {
        // A few complaints can make up most of a sum of money or hours, so these are not treated as counts.
        let is_count = !matches!(key, "cost" | "delay");
        Self { key: key.to_owned(), now, before: earlier.first().copied(), usual: usual(earlier, is_count) }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NumbersPart {
    /// Length of the period in days.
    pub days: i32,
    pub lines: Vec<NumberLine>,
    /// Whole months up to the day, the earliest first.
    pub months: Vec<MonthLine>,
}

/// The complaints received in a month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MonthLine {
    /// Its first day.
    pub month: NaiveDate,
    pub complaints: u32,
    /// Complaints received in the same month a year before; None before the register begins.
    pub year_before: Option<u32>,
    pub usual: Option<(f64, f64)>,
}

/// The numbers of some facts as of a day. `first` is the first day of the whole register.
///
/// # Errors
/// If a column is missing or has another type.
pub(super) fn numbers_part(facts: &DataFrame, first: Option<i32>, as_of: NaiveDate) -> PolarsResult<NumbersPart> {
    let until = day_number(as_of);
    // A period that began before the register would have too few complaints.
    let whole = first.map_or(0, |first| (until - first + 1) / DAYS);
    let periods = usize::try_from(whole).unwrap_or(0).clamp(1, EARLIER + 1);
    let mut received = vec![0.0; periods];
    let mut answered = vec![0.0; periods];
    let mut cost = vec![0.0; periods];
    let mut delay = vec![0.0; periods];
    let period = |day: i32| Some(usize::try_from(until - day).ok()? / DAYS as usize).filter(|period| *period < periods);
    let (days, answers) = (facts.column("day")?.i32()?, facts.column("answered")?.i32()?);
    let (costs, delays) = (facts.column("cost")?.i64()?, facts.column("delay")?.f64()?);
    for (((day, answer), vnd), hours) in days.iter().zip(answers.iter()).zip(costs.iter()).zip(delays.iter()) {
        if let Some(period) = day.and_then(period) {
            received[period] += 1.0;
            cost[period] += vnd.unwrap_or(0) as f64;
            delay[period] += hours.unwrap_or(0.0);
        }
        if let Some(period) = answer.and_then(period) {
            answered[period] += 1.0;
        }
    }
    let mut overdue = Vec::with_capacity(periods);
    for day in (0..).map(|period| until - period * DAYS).take(periods) {
        overdue.push(handled(facts, day)?.filter(col("overdue")).select([col("day")]).collect()?.height() as f64);
    }
    let lines =
        [("received", received), ("answered", answered), ("overdue", overdue), ("cost", cost), ("delay", delay)];
    let lines = lines.iter().map(|(key, all)| NumberLine::new(key, all[0], &all[1..])).collect();
    Ok(NumbersPart { days: DAYS, lines, months: months(facts, first, as_of)? })
}

fn months(facts: &DataFrame, first: Option<i32>, as_of: NaiveDate) -> PolarsResult<Vec<MonthLine>> {
    let Some(first) = first else { return Ok(Vec::new()) };
    // A month that is not over would seem to have few complaints.
    let is_over = as_of.succ_opt().is_some_and(|next| next.month() != as_of.month());
    let last = month_number(as_of) - i32::from(!is_over);
    let from = last - 2 * MONTHS + 1;
    let mut counts = vec![0u32; 2 * MONTHS as usize];
    for day in facts.column("day")?.i32()?.iter().flatten() {
        let month = month_number(day_of(day));
        if let Some(count) = usize::try_from(month - from).ok().and_then(|index| counts.get_mut(index)) {
            *count += 1;
        }
    }
    let begins = |month: i32| NaiveDate::from_ymd_opt(month.div_euclid(12), month.rem_euclid(12) as u32 + 1, 1);
    // The first month of the register is seldom complete.
    let is_whole = |month: i32| begins(month).is_some_and(|begins| day_number(begins) >= first);
    let (before, recent) = counts.split_at(MONTHS as usize);
    let earlier: Vec<f64> =
        (from..).zip(before).filter(|(month, _)| is_whole(*month)).map(|(_, count)| f64::from(*count)).collect();
    let usual = usual(&earlier, true);
    let lines = (from + MONTHS..).zip(recent.iter().zip(before)).filter(|(month, _)| is_whole(*month));
    let line = |(month, (now, then)): (i32, (&u32, &u32))| {
        let year_before = is_whole(month - MONTHS).then_some(*then);
        Some(MonthLine { month: begins(month)?, complaints: *now, year_before, usual })
    };
    Ok(lines.filter_map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_range_is_that_of_the_page() {
        let earlier = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        assert_eq!(NumberLine::new("received", 4.0, &earlier).usual, usual(&earlier, true));
        assert_eq!(NumberLine::new("cost", 4.0, &earlier).usual, usual(&earlier, false));
        assert_eq!(NumberLine::new("received", 4.0, &[1.0; 5]).usual, None, "too few");
    }

    #[test]
    fn a_young_register_has_no_period_before() {
        assert_eq!(NumberLine::new("received", 3.0, &[]).before, None);
        assert_eq!(NumberLine::new("received", 3.0, &[0.0]).before, Some(0.0));
    }
}
