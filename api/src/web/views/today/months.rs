//! The numbers of the month, with their usual range and those of a year before.

use super::usual::usual;
use crate::web::{Cell, Page, PageError, Picture, Table, Visit, amount, picture};
use chrono::{Datelike, Days, Months, NaiveDate};
use jobs::charts::trend::{self, TrendData, TrendMonth};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const MONTHS: &str = include_str!("../../queries/today-months.graphql");

/// Months that a picture shows, and months that the usual range of each rests on.
const SHOWN: u32 = 13;
const BEFORE: u32 = 12;

/// A number of the month.
struct Measure {
    /// Its name in the answer.
    field: &'static str,
    /// The name of its picture.
    picture: &'static str,
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Count,
    /// In whole đồng.
    Money,
    /// From 0 to 1.
    Share,
    Days,
}

const MEASURES: [Measure; 5] = [
    Measure { field: "complaints", picture: "trend-complaints", form: Form::Count },
    Measure { field: "distinctEnterprises", picture: "trend-enterprises", form: Form::Count },
    Measure { field: "costVnd", picture: "trend-cost", form: Form::Money },
    Measure { field: "shareAnsweredInTime", picture: "trend-share", form: Form::Share },
    Measure { field: "medianDaysToResponse", picture: "trend-median", form: Form::Days },
];

/// Adds the table of the month. The pictures are the number of complaints, and what is outside of its usual range.
///
/// # Errors
/// As the question says.
pub async fn add(visit: &Visit, page: Page, today: NaiveDate) -> Result<(Page, Vec<Picture>), PageError> {
    if !visit.may("Query", "complaintStatistics") {
        return Ok((page, Vec::new()));
    }
    let this_month = today.with_day(1).unwrap_or(today);
    let from = this_month - Months::new(SHOWN + BEFORE);
    // Some roles read only whole months.
    let so_far = visit.may("StatisticsMeasures", "overdue");
    let before = if so_far { today + Days::new(1) } else { this_month };
    // Days begin at midnight in Vietnam.
    let midnight = |day: NaiveDate| format!("{day}T00:00:00+07:00");
    let data = visit.query(MONTHS, json!({ "from": midnight(from), "before": midnight(before) })).await?;
    let months: BTreeMap<NaiveDate, &Value> = data["complaintStatistics"]["rows"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|row| Some((format!("{}-01", row["month"].as_str()?).parse::<NaiveDate>().ok()?, row)))
        .collect();
    let (mut rows, mut pictures) = (Vec::new(), Vec::new());
    for measure in &MEASURES {
        let trend = trend_of(measure, &months, this_month, so_far);
        let Some(last) = trend.last() else { continue };
        let mut row = row(visit, measure, last);
        if so_far {
            let now = months.get(&this_month).and_then(|month| amount(&month[measure.field]));
            row.push(cell(visit, measure.form, now));
        }
        rows.push(row);
        let is_unusual = last.value.zip(last.usual).is_some_and(|(value, usual)| value < usual.0 || value > usual.1);
        if measure.field == "complaints" || is_unusual {
            pictures.push(drawn(visit, measure, trend)?);
        }
    }
    let mut columns = vec![
        visit.t("today-measure"),
        visit.t("today-month-last"),
        visit.t("today-month-usual"),
        visit.t("today-month-year-before"),
    ];
    if so_far {
        columns.push(visit.t("today-month-now"));
    }
    let last = this_month - Months::new(1);
    let caption =
        visit.t_with("today-month-caption", &[("month", format!("{:02}/{}", last.month(), last.year()).into())]);
    Ok((page.table(Table::new("month", caption, &columns, rows)), pictures))
}

/// The whole months of a measure, up to the last one. `complete` says that a month without a row has no complaints:
/// from some roles small groups are withheld.
fn trend_of(
    measure: &Measure,
    months: &BTreeMap<NaiveDate, &Value>,
    this_month: NaiveDate,
    complete: bool,
) -> Vec<TrendMonth> {
    let first = months.keys().next().copied();
    let is_sum = matches!(measure.form, Form::Count | Form::Money);
    let value = |month: NaiveDate| match months.get(&month) {
        Some(row) => amount(&row[measure.field]),
        // Before the first complaint there was no register.
        None => (complete && is_sum && first.is_some_and(|first| first < month)).then_some(0.0),
    };
    let shown = (1..=SHOWN).rev().map(|ago| this_month - Months::new(ago));
    let shown = shown.map(|month| {
        let before: Vec<f64> = (1..=BEFORE).filter_map(|ago| value(month - Months::new(ago))).collect();
        let usual = usual(&before, measure.form == Form::Count).map(|(low, high)| match measure.form {
            Form::Share => (low, high.min(1.0)),
            _ => (low, high),
        });
        TrendMonth { month, value: value(month), before: value(month - Months::new(12)), usual }
    });
    shown.collect()
}

fn cell(visit: &Visit, form: Form, value: Option<f64>) -> Cell {
    value.map_or_else(Cell::default, |value| Cell::number(value, shown(visit, form, value)))
}

/// The last whole month of a measure.
fn row(visit: &Visit, measure: &Measure, last: &TrendMonth) -> Vec<Cell> {
    let mut value = cell(visit, measure.form, last.value);
    if let (Some(number), Some((low, high))) = (last.value, last.usual) {
        let key = match number {
            _ if number > high => Some("today-more-than-usual"),
            _ if number < low => Some("today-less-than-usual"),
            _ => None,
        };
        if let Some(key) = key {
            value.text = visit.t_with(key, &[("value", value.text.clone().into())]);
            value = value.marked("mark-unusual");
        }
    }
    let usual = last
        .usual
        .map(|(low, high)| format!("{} – {}", shown(visit, measure.form, low), shown(visit, measure.form, high)));
    let name = Cell::text(visit.t(&format!("today-measure-{}", measure.field)));
    vec![name, value, Cell::text(usual.unwrap_or_default()), cell(visit, measure.form, last.before)]
}

fn shown(visit: &Visit, form: Form, value: f64) -> String {
    match form {
        Form::Count | Form::Money => visit.number(value, 0),
        Form::Share => format!("{}%", visit.number(value * 100.0, 1)),
        Form::Days => visit.number(value, 1),
    }
}

fn drawn(visit: &Visit, measure: &Measure, mut months: Vec<TrendMonth>) -> Result<Picture, PageError> {
    // The axis names per cent.
    if measure.form == Form::Share {
        let percent = |value: f64| value * 100.0;
        for month in &mut months {
            month.value = month.value.map(percent);
            month.before = month.before.map(percent);
            month.usual = month.usual.map(|(low, high)| (percent(low), percent(high)));
        }
    }
    let what = visit.t(&format!("today-measure-{}", measure.field));
    let data = TrendData { what, months };
    picture(measure.picture, visit.locale(), |words, style| trend::chart(&data, words, style))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_without_rows_are_zero_only_within_the_register() {
        let day = |month| NaiveDate::from_ymd_opt(2026, month, 1).unwrap();
        let (march, may) = (json!({ "complaints": 3 }), json!({ "complaints": 5, "shareAnsweredInTime": null }));
        let months: BTreeMap<NaiveDate, &Value> = [(day(3), &march), (day(5), &may)].into();
        let values = |measure: &Measure| -> Vec<Option<f64>> {
            trend_of(measure, &months, day(6), true).iter().skip(9).map(|month| month.value).collect()
        };
        assert_eq!(values(&MEASURES[0]), [None, Some(3.0), Some(0.0), Some(5.0)]);
        assert_eq!(values(&MEASURES[3]), [None; 4]);
        let withheld = trend_of(&MEASURES[0], &months, day(6), false);
        assert_eq!(withheld[11].value, None);
    }
}
