//! The addresses of the lists of complaints that a number counts.

use super::question::Question;
use crate::web::address::address;
use crate::web::{Visit, text};
use chrono::{Days, Months, NaiveDate};
use serde_json::Value;

/// The arguments that have the same meaning for the list of complaints.
const SHARED: [&str; 11] = [
    "unit",
    "category",
    "kind",
    "channel",
    "state",
    "concerning",
    "responsible",
    "responsible-alone",
    "confidential",
    "answered-from",
    "answered-until",
];
/// Arguments that a list supports for today only.
const OF_TODAY: [&str; 3] = ["state", "answered-from", "answered-until"];

/// The first and the last day of a period.
type Span = (Option<NaiveDate>, Option<NaiveDate>);

/// The list of the complaints that a measure counts: those of a group, or without one all that the question selects.
/// None if there is no such list, or the reader may not see it.
pub fn list_address(visit: &Visit, question: &Question, group: Option<&Value>, measure: &str) -> Option<String> {
    if !visit.may("Query", "complaints") {
        return None;
    }
    let mut asked: Vec<(&str, String)> = vec![("counted", "1".to_owned())];
    asked.extend(SHARED.iter().filter_map(|name| Some((*name, visit.argument(name)?.to_owned()))));
    match (measure, question.as_of) {
        ("complaints", _) => {}
        ("overdue", None) => asked.push(("overdue", "1".to_owned())),
        _ => return None,
    }
    let day = |name: &str| -> Option<NaiveDate> { visit.argument(name)?.parse().ok() };
    let last = question.before.and_then(|before| before.pred_opt());
    let mut spans: Vec<Span> = vec![(question.from, last), (day("day-from"), day("day-until")), (None, question.as_of)];
    for one in group.map(|_| question.by.as_slice()).unwrap_or_default() {
        let value = group.map_or(&Value::Null, |group| &group[one.field]);
        match period(one.value, value) {
            Some((from, until)) => spans.push((Some(from), Some(until))),
            None => {
                let condition = condition(visit, one.value, value)?;
                if !asked.contains(&condition) {
                    asked.push(condition);
                }
            }
        }
    }
    if question.as_of.is_some() && asked.iter().any(|(name, _)| OF_TODAY.contains(name)) {
        return None;
    }
    let from = spans.iter().filter_map(|(from, _)| *from).max();
    let until = spans.iter().filter_map(|(_, until)| *until).min();
    let days = [("from", from), ("until", until)].into_iter();
    asked.extend(days.filter_map(|(name, day)| Some((name, day?.to_string()))));
    Some(address("/complaints", asked.iter().map(|(name, value)| (*name, value.as_str()))))
}

/// The argument that selects the complaints of a group with a value of a dimension; None if no argument does.
fn condition(visit: &Visit, dimension: &str, value: &Value) -> Option<(&'static str, String)> {
    let code = || value["code"].as_str().map(str::to_owned);
    let word = || value.as_str().map(str::to_owned);
    Some(match dimension {
        "KIND" => ("kind", word()?),
        "CHANNEL" => ("channel", word()?),
        "STATE" => ("state", word()?),
        "LEGAL_FORM" => ("form", word()?),
        "DEPARTMENT" | "BRANCH" | "TEAM" => ("unit", code()?),
        "UNIT" => ("unit-alone", code()?),
        "RESPONSIBLE_UNIT" => ("responsible-alone", code()?),
        "CATEGORY" => (alone_or_within(value), code()?),
        "CATEGORY_GROUP" => ("category", code()?),
        "OFFICER" if visit.may("AllegationFilter", "officer") => ("officer", code()?),
        // Enterprises of one group are one group, and other dimensions are no conditions of the list.
        _ => return None,
    })
}

/// The argument for complaints with a category, and none below it.
pub fn alone_or_within(category: &Value) -> &'static str {
    if category["parent"].is_null() { "category-alone" } else { "category" }
}

/// The first and the last day of a value of a dimension of time.
fn period(dimension: &str, value: &Value) -> Option<(NaiveDate, NaiveDate)> {
    let (from, months) = match dimension {
        "YEAR" => (NaiveDate::from_ymd_opt(i32::try_from(value.as_i64()?).ok()?, 1, 1)?, 12),
        "QUARTER" => {
            let (year, quarter) = text(value).split_once("-Q")?;
            let month = quarter.parse::<u32>().ok()?.checked_mul(3)?.checked_sub(2)?;
            (NaiveDate::from_ymd_opt(year.parse().ok()?, month, 1)?, 3)
        }
        "MONTH" => (format!("{}-01", text(value)).parse().ok()?, 1),
        "WEEK" | "DAY" => {
            let from: NaiveDate = text(value).parse().ok()?;
            let more = Days::new(if dimension == "WEEK" { 6 } else { 0 });
            return Some((from, from.checked_add_days(more)?));
        }
        _ => return None,
    };
    Some((from, from.checked_add_months(Months::new(months))?.pred_opt()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn periods_have_a_first_and_a_last_day() {
        for (dimension, value, days) in [
            ("YEAR", json!(2024), Some("2024-01-01 2024-12-31")),
            ("QUARTER", json!("2024-Q1"), Some("2024-01-01 2024-03-31")),
            ("QUARTER", json!("2023-Q4"), Some("2023-10-01 2023-12-31")),
            ("MONTH", json!("2024-02"), Some("2024-02-01 2024-02-29")),
            ("WEEK", json!("2024-02-26"), Some("2024-02-26 2024-03-03")),
            ("DAY", json!("2024-02-29"), Some("2024-02-29 2024-02-29")),
            ("QUARTER", json!("2023-Q0"), None),
            ("MONTH", Value::Null, None),
            ("KIND", json!("TECHNICAL"), None),
        ] {
            let found = period(dimension, &value).map(|(from, until)| format!("{from} {until}"));
            assert_eq!(found.as_deref(), days, "{dimension} {value}");
        }
    }
}
