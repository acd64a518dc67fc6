//! The numbers of the month, with their usual range and those of a year before.

use crate::web::views::numbers::{
    Form, MEASURES, Measure, by_month, drawn, formatted, midnight, month_of, trend_of, with_list,
};
use crate::web::{Cell, Page, PageError, Picture, Table, Visit, amount};
use chrono::{Datelike, Days, Months, NaiveDate};
use jobs::charts::trend::TrendMonth;
use serde_json::json;

const MONTHS: &str = include_str!("../../queries/today-months.graphql");

/// Months that a picture shows, and months that the usual range of each rests on.
const SHOWN: u32 = 13;
const BEFORE: u32 = 12;

/// Shown for a number that is unknown, or withheld from the reader.
const NONE: &str = "–";

/// The numbers of the month, each with the name of its picture.
static SHOWN_MEASURES: [(&Measure, &str); 5] = [
    (&MEASURES[0], "trend-complaints"),
    (&MEASURES[1], "trend-enterprises"),
    (&MEASURES[3], "trend-cost"),
    (&MEASURES[5], "trend-share"),
    (&MEASURES[6], "trend-median"),
];

/// Adds the table of the month. The pictures are the number of complaints, and what is outside of its usual range.
///
/// # Errors
/// The errors of the question.
pub async fn add(visit: &Visit, page: Page, today: NaiveDate) -> Result<(Page, Vec<Picture>), PageError> {
    if !visit.may("Query", "complaintStatistics") {
        return Ok((page, Vec::new()));
    }
    let this_month = month_of(today);
    let from = this_month - Months::new(SHOWN + BEFORE);
    // Some roles read only whole months.
    let so_far = visit.may("StatisticsMeasures", "overdue");
    let before = if so_far { today + Days::new(1) } else { this_month };
    let data = visit.query(MONTHS, json!({ "from": midnight(from), "before": midnight(before) })).await?;
    let months = by_month(&data["complaintStatistics"]["rows"]);
    let last = this_month - Months::new(1);
    let (mut rows, mut pictures, mut has_numbers) = (Vec::new(), Vec::new(), false);
    for (measure, picture) in &SHOWN_MEASURES {
        let trend = trend_of(&months, measure, (last, SHOWN, so_far));
        let Some(month) = trend.last() else { continue };
        let mut row = row(visit, measure, month);
        if so_far {
            let now = months.get(&this_month).and_then(|month| amount(&month[measure.field]));
            has_numbers |= now.is_some();
            row.push(counted(visit, measure, cell(visit, measure.form, now), (this_month, today)));
        }
        rows.push(row);
        let is_unusual = month.value.zip(month.usual).is_some_and(|(value, usual)| value < usual.0 || value > usual.1);
        let has_months = trend.iter().any(|month| month.value.is_some());
        has_numbers |= has_months;
        if has_months && (measure.field == "complaints" || is_unusual) {
            pictures.push(drawn(visit, picture, name_of(visit, measure), measure.form, trend)?);
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
    let caption =
        visit.t_with("today-month-caption", &[("month", format!("{:02}/{}", last.month(), last.year()).into())]);
    let page = page.with("has_numbers", has_numbers).table(Table::new("month", caption, &columns, rows));
    Ok((page, pictures))
}

/// The name of a measure on this page.
fn name_of(visit: &Visit, measure: &Measure) -> String {
    visit.t(&format!("today-measure-{}", measure.field))
}

fn cell(visit: &Visit, form: Form, value: Option<f64>) -> Cell {
    value.map_or_else(
        || Cell::text(NONE),
        |value| match form {
            Form::Share => Cell::share(value, formatted(visit, form, value)),
            _ => Cell::number(value, formatted(visit, form, value)),
        },
    )
}

/// The number of complaints with a link to their list; another measure as it is.
fn counted(visit: &Visit, measure: &Measure, number: Cell, days: (NaiveDate, NaiveDate)) -> Cell {
    if measure.field == "complaints" { with_list(visit, number, days, &[]) } else { number }
}

/// The last whole month of a measure.
fn row(visit: &Visit, measure: &Measure, last: &TrendMonth) -> Vec<Cell> {
    let days = (last.month, last.month + Months::new(1) - Days::new(1));
    let mut value = counted(visit, measure, cell(visit, measure.form, last.value), days);
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
    let usual = last.usual.map(|(low, high)| {
        format!("{} – {}", formatted(visit, measure.form, low), formatted(visit, measure.form, high))
    });
    vec![
        Cell::text(name_of(visit, measure)),
        value,
        Cell::text(usual.unwrap_or_else(|| NONE.to_owned())),
        cell(visit, measure.form, last.before),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeMap;

    #[test]
    fn months_without_rows_are_zero_only_within_the_register() {
        let day = |month| NaiveDate::from_ymd_opt(2026, month, 1).unwrap();
        let (march, may) = (json!({ "complaints": 3 }), json!({ "complaints": 5, "shareAnsweredInTime": null }));
        let months: BTreeMap<NaiveDate, &Value> = [(day(3), &march), (day(5), &may)].into();
        let values = |measure: &Measure| -> Vec<Option<f64>> {
            trend_of(&months, measure, (day(5), SHOWN, true)).iter().skip(9).map(|month| month.value).collect()
        };
        assert_eq!(values(&MEASURES[0]), [None, Some(3.0), Some(0.0), Some(5.0)]);
        assert_eq!(values(&MEASURES[5]), [None; 4]);
        let withheld = trend_of(&months, &MEASURES[0], (day(5), SHOWN, false));
        assert_eq!(withheld[11].value, None);
    }
}
