//! Maps values to px, and chooses the values that an axis names.

use chrono::{Datelike, Days, Months, NaiveDate};

/// The largest magnitude that a chart draws: larger values would overflow.
const MOST: f64 = 1e15;

/// A linear map of values to px.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    from: f64,
    to: f64,
    start: f64,
    end: f64,
}

impl Scale {
    /// Maps `from` to `start` and `to` to `end`.
    pub fn new(from: f64, to: f64, start: f64, end: f64) -> Self {
        let to = if to > from { to } else { from + 1.0 };
        Self { from, to, start, end }
    }

    /// The place of a value; values beyond an end lie on it.
    pub fn at(&self, value: f64) -> f64 {
        let share = (drawable(value) - self.from) / (self.to - self.from);
        self.start + share.clamp(0.0, 1.0) * (self.end - self.start)
    }
}

/// A value that can be drawn: finite and not too large.
pub fn drawable(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value.clamp(-MOST, MOST) }
}

/// Round values from 0 to at least `most`, about `count` of them.
pub fn ticks(most: f64, count: usize) -> Vec<f64> {
    let most = drawable(most);
    if most <= 0.0 {
        return vec![0.0, 1.0];
    }
    let rough = most / count.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|step| step * power).find(|step| *step >= rough * 0.999_999);
    let step = step.unwrap_or(10.0 * power);
    let steps = (most / step - 1e-9).ceil().max(1.0) as usize;
    (0..=steps).map(|n| n as f64 * step).collect()
}

/// Like [`ticks`], in whole numbers: for counts.
pub fn whole_ticks(most: f64, count: usize) -> Vec<f64> {
    let found = ticks(most, count);
    let step = found[1];
    if step.fract() == 0.0 {
        return found;
    }
    let step = step.ceil();
    let steps = (drawable(most) / step).ceil().max(1.0) as usize;
    (0..=steps).map(|n| n as f64 * step).collect()
}

/// The intervals between the dates of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateStep {
    Days,
    Months,
}

/// Chooses at most `most` dates from `from` to `to`: first days of months, or days when the time is short.
pub fn dates(from: NaiveDate, to: NaiveDate, most: usize) -> (Vec<NaiveDate>, DateStep) {
    let days = (to - from).num_days().max(0);
    let most = most.max(1) as i64;
    if days <= 62 {
        let step = [1, 2, 7, 14, 28, 62].into_iter().find(|step| days / step < most).unwrap_or(62);
        let found = (0..=days / step).filter_map(|n| from.checked_add_days(Days::new((n * step) as u64)));
        return (found.collect(), DateStep::Days);
    }
    let months = month_number(to) - month_number(from) + 1;
    let step = [1, 2, 3, 6, 12, 24, 60, 120, 600].into_iter().find(|step| months / step < most).unwrap_or(1200);
    let mut found = Vec::new();
    let mut month = from.with_day(1).unwrap_or(from);
    while month <= to {
        if month >= from
            && i64::from(month.month0()) % step.min(12) == 0
            && i64::from(month.year()) % (step / 12).max(1) == 0
        {
            found.push(month);
        }
        match month.checked_add_months(Months::new(1)) {
            Some(next) => month = next,
            None => break,
        }
    }
    (found, DateStep::Months)
}

/// Months since the year 0.
pub fn month_number(day: NaiveDate) -> i64 {
    i64::from(day.year()) * 12 + i64::from(day.month0())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_the_largest_value() {
        assert_eq!(ticks(9.0, 4), [0.0, 2.5, 5.0, 7.5, 10.0]);
        assert_eq!(ticks(100.0, 5), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(whole_ticks(3.0, 4), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(whole_ticks(0.0, 4), [0.0, 1.0]);
        assert_eq!(whole_ticks(9.0, 4), [0.0, 3.0, 6.0, 9.0]);
        for most in [f64::NAN, f64::INFINITY, -1.0, 1e-12, 0.3, 7.0, 1e14, 1e300] {
            let found = ticks(most, 5);
            assert!(found.len() >= 2 && found.len() <= 8, "{most}: {found:?}");
            assert!(found.last().is_some_and(|last| *last >= drawable(most) * 0.999_999), "{most}: {found:?}");
        }
    }

    #[test]
    fn dates_are_few_and_inside() {
        let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        for (from, to) in [
            (day(2026, 1, 1), day(2026, 1, 1)),
            (day(2026, 1, 1), day(2026, 2, 20)),
            (day(2025, 3, 5), day(2026, 2, 20)),
            (day(1990, 3, 5), day(2026, 2, 20)),
        ] {
            for most in [2, 4, 8] {
                let (found, _) = dates(from, to, most);
                assert!(!found.is_empty() && found.len() <= most + 1, "{from} {to} {most}: {found:?}");
                assert!(found.iter().all(|date| *date >= from && *date <= to), "{found:?}");
            }
        }
        let (found, step) = dates(day(2025, 1, 1), day(2025, 12, 31), 6);
        assert_eq!((found.len(), step), (4, DateStep::Months));
    }

    #[test]
    fn a_scale_keeps_values_inside() {
        let scale = Scale::new(0.0, 0.0, 10.0, 20.0);
        assert_eq!((scale.at(0.0), scale.at(f64::NAN), scale.at(1e300)), (10.0, 10.0, 20.0));
    }
}
