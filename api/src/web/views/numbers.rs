//! Shared by views of numbers: the measures of statistics, the format of numbers, and whole months.

use crate::web::address::address;
use crate::web::{Cell, PageError, Picture, Visit, amount, picture};
use chrono::{Datelike, Months, NaiveDate};
use jobs::charts::trend::{self, TrendData, TrendMonth};
use schema::Timestamp;
use schema::domain::calendar::local_date;
use serde_json::Value;
use std::collections::BTreeMap;

/// Format in which a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Count,
    /// An amount in whole đồng.
    Money,
    /// From 0 to 1.
    Share,
    Days,
    Hours,
}

/// A measure of statistics.
#[derive(Debug, PartialEq, Eq)]
pub struct Measure {
    /// Its name in the answer; its words are `numbers-measure-…`.
    pub field: &'static str,
    /// Its value of the enum `StatisticsMeasure`.
    pub value: &'static str,
    pub form: Form,
}

/// The measures of statistics, in the order in which a reader is offered them.
pub static MEASURES: [Measure; 12] = [
    Measure { field: "complaints", value: "COMPLAINTS", form: Form::Count },
    Measure { field: "distinctEnterprises", value: "DISTINCT_ENTERPRISES", form: Form::Count },
    Measure { field: "episodes", value: "EPISODES", form: Form::Count },
    Measure { field: "costVnd", value: "COST_VND", form: Form::Money },
    Measure { field: "delayHours", value: "DELAY_HOURS", form: Form::Hours },
    Measure { field: "shareAnsweredInTime", value: "SHARE_ANSWERED_IN_TIME", form: Form::Share },
    Measure { field: "medianDaysToResponse", value: "MEDIAN_DAYS_TO_RESPONSE", form: Form::Days },
    Measure { field: "open", value: "OPEN", form: Form::Count },
    Measure { field: "overdue", value: "OVERDUE", form: Form::Count },
    Measure { field: "escalated", value: "ESCALATED", form: Form::Count },
    Measure { field: "reopened", value: "REOPENED", form: Form::Count },
    Measure { field: "distinctOfficers", value: "DISTINCT_OFFICERS", form: Form::Count },
];

impl Measure {
    /// Its name in the language of the reader.
    pub fn name(&self, visit: &Visit) -> String {
        visit.t(&format!("numbers-measure-{}", self.field))
    }
}

/// A number as the reader writes it.
pub fn formatted(visit: &Visit, form: Form, value: f64) -> String {
    match form {
        Form::Count | Form::Money => visit.number(value, 0),
        Form::Share => format!("{}%", visit.number(value * 100.0, 1)),
        Form::Days | Form::Hours => visit.number(value, 1),
    }
}

/// The cell of a number of an answer; empty for null.
pub fn cell(visit: &Visit, form: Form, value: &Value) -> Cell {
    amount(value).map_or_else(Cell::default, |number| match form {
        Form::Share => Cell::share(number, formatted(visit, form, number)),
        _ => Cell::number(number, formatted(visit, form, number)),
    })
}

/// The cell of a number of a group: a suppressed group says so.
pub fn cell_of_group(visit: &Visit, form: Form, group: &Value, field: &str) -> Cell {
    match group["suppressed"].as_bool() {
        Some(true) => Cell::text(visit.t("numbers-suppressed")),
        _ => cell(visit, form, &group[field]),
    }
}

/// A number with a link to the list of the complaints that it counts: received on days from the first to the last one,
/// and with the arguments of a filter. For readers who see no complaints it stays a number.
pub fn with_list(visit: &Visit, number: Cell, (from, until): (NaiveDate, NaiveDate), filter: &[(&str, &str)]) -> Cell {
    if number.number.is_none() || !visit.may("Query", "complaints") {
        return number;
    }
    let (from, until) = (from.to_string(), until.to_string());
    let days = [("counted", "1"), ("from", from.as_str()), ("until", until.as_str())];
    let list = address("/complaints", days.into_iter().chain(filter.iter().copied()));
    Cell { href: Some(list), ..number }
}

/// The choices of an enum with their words, whose keys are `prefix-VALUE`.
pub fn options(visit: &Visit, prefix: &str, values: &[&'static str]) -> Vec<(&'static str, String)> {
    values.iter().map(|value| (*value, visit.t(&format!("{prefix}-{value}")))).collect()
}

/// Today in Vietnam.
pub fn today() -> NaiveDate {
    local_date(Timestamp::now())
}

/// The first day of the month of a day.
pub fn month_of(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

/// When a day begins in Vietnam.
pub fn midnight(day: NaiveDate) -> String {
    format!("{day}T00:00:00+07:00")
}

/// The rows of statistics by month, by the first day of each.
pub fn by_month(rows: &Value) -> BTreeMap<NaiveDate, &Value> {
    let rows = rows.as_array().into_iter().flatten();
    rows.filter_map(|row| Some((format!("{}-01", row["month"].as_str()?).parse().ok()?, row))).collect()
}

/// Draws a measure over the last `shown` whole months, each with the month a year before. `complete` says that a month
/// without a row has no complaints: from some roles small groups are withheld.
///
/// # Errors
/// `Internal` if the words of charts are broken.
pub fn trend(
    visit: &Visit,
    table: &'static str,
    what: String,
    rows: &Value,
    measure: &Measure,
    period: (NaiveDate, u32, bool),
) -> Result<Picture, PageError> {
    drawn(visit, table, what, measure.form, trend_of(&by_month(rows), measure, period))
}

/// Draws the months of [`trend_of`].
///
/// # Errors
/// `Internal` if the words of charts are broken.
pub fn drawn(
    visit: &Visit,
    table: &'static str,
    what: String,
    form: Form,
    mut months: Vec<TrendMonth>,
) -> Result<Picture, PageError> {
    // The axis names per cent.
    if form == Form::Share {
        let percent = |value: f64| value * 100.0;
        for month in &mut months {
            month.value = month.value.map(percent);
            month.before = month.before.map(percent);
            month.usual = month.usual.map(|(low, high)| (percent(low), percent(high)));
        }
    }
    let data = TrendData { what, months };
    picture(table, visit.locale(), |words, style| trend::chart(&data, words, style))
}

/// The last `shown` whole months of a measure up to `last`, each with its usual range and the month a year before.
pub fn trend_of(
    months: &BTreeMap<NaiveDate, &Value>,
    measure: &Measure,
    (last, shown, complete): (NaiveDate, u32, bool),
) -> Vec<TrendMonth> {
    /// Months that a usual range rests on.
    const BEFORE: u32 = 12;
    let first = months.keys().next().copied();
    let is_sum = matches!(measure.form, Form::Count | Form::Money | Form::Hours);
    let value = |month: NaiveDate| match months.get(&month) {
        Some(row) => amount(&row[measure.field]),
        // Before the first complaint there was no register.
        None => (complete && is_sum && first.is_some_and(|first| first < month)).then_some(0.0),
    };
    let shown = (0..shown).rev().map(|ago| last - Months::new(ago));
    let shown = shown.map(|month| {
        let before: Vec<f64> = (1..=BEFORE).filter_map(|ago| value(month - Months::new(ago))).collect();
        let usual = jobs::numeric::usual::usual(&before, measure.form == Form::Count);
        let usual = usual.map(|(low, high)| match measure.form {
            Form::Share => (low, high.min(1.0)),
            _ => (low, high),
        });
        TrendMonth { month, value: value(month), before: value(month - Months::new(12)), usual }
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::allowed;
    use schema::enums::Role;
    use serde_json::json;

    #[test]
    fn every_measure_exists_in_the_schema() {
        for measure in &MEASURES {
            assert!(allowed(Role::Board, "StatisticsMeasure", measure.value), "{measure:?}");
            assert!(allowed(Role::Board, "ComplaintStatisticsRow", measure.field), "{measure:?}");
        }
    }

    #[test]
    fn a_trend_has_the_year_before_and_zeros_only_where_nothing_is_withheld() {
        let day = |year, month| NaiveDate::from_ymd_opt(year, month, 1).unwrap();
        let rows = json!([
            { "month": "2025-03", "complaints": 7 },
            { "month": "2026-01", "complaints": 4 },
            { "month": "2026-03", "complaints": 9 },
        ]);
        let values = |complete| -> Vec<(Option<f64>, Option<f64>)> {
            let months = trend_of(&by_month(&rows), &MEASURES[0], (day(2026, 3), 3, complete));
            months.iter().map(|month| (month.value, month.before)).collect()
        };
        assert_eq!(values(true), [(Some(4.0), None), (Some(0.0), None), (Some(9.0), Some(7.0))]);
        assert_eq!(values(false), [(Some(4.0), None), (None, None), (Some(9.0), Some(7.0))]);
    }
}
