//! The filter of a list of complaints that the arguments of an address say.

use crate::web::{Problem, Visit};
use chrono::{Days, NaiveDate};
use schema::enums::{Channel, ComplaintState, Finding, LegalForm};
use serde_json::{Map, Value, json};

/// The arguments that a filter reads.
pub const ARGUMENTS: [&str; 17] = [
    "search",
    "state",
    "unit",
    "responsible",
    "category",
    "from",
    "until",
    "overdue",
    "officer",
    "enterprise",
    "finding",
    "channel",
    "form",
    "confidential",
    "anonymous",
    "blames",
    "order",
];

/// The arguments that stand below *more filters*.
const MORE: [&str; 9] =
    ["officer", "enterprise", "finding", "channel", "form", "confidential", "anonymous", "blames", "category"];

/// The orders, by the words of the address, with their fields and directions.
pub const ORDERS: [(&str, &str, &str); 5] = [
    ("received", "RECEIVED_AT", "DESC"),
    ("overdue", "OVERDUE_DAYS", "DESC"),
    ("due", "DUE_ON", "ASC"),
    ("changed", "STATE_SINCE", "DESC"),
    ("cost", "COST_VND", "DESC"),
];

/// Whether the address uses one of the further filters.
pub fn has_more(visit: &Visit) -> bool {
    MORE.iter().any(|name| visit.argument(name).is_some())
}

/// The order that the address asks for.
pub fn order(visit: &Visit) -> Value {
    let asked = visit.argument("order").unwrap_or_default();
    let (_, field, direction) = ORDERS.iter().find(|(word, ..)| *word == asked).unwrap_or(&ORDERS[0]);
    json!([{ "field": field, "direction": direction }])
}

/// A filter in the making.
struct Reading<'v> {
    visit: &'v Visit,
    filter: Map<String, Value>,
    problems: Vec<Problem>,
}

impl<'v> Reading<'v> {
    /// Adds a condition on an argument.
    fn condition(&mut self, argument: &str, field: &str, condition: impl FnOnce(&'v str) -> Value) {
        if let Some(value) = self.visit.argument(argument) {
            self.filter.insert(field.to_owned(), condition(value));
        }
    }

    /// An argument that is one of some words.
    fn choice(&mut self, argument: &str, words: &[&str]) -> Option<&'v str> {
        let given = self.visit.argument(argument)?;
        if !words.contains(&given) {
            self.problems.push(Problem::of(argument, self.visit.t("complaints-not-a-choice")));
            return None;
        }
        Some(given)
    }

    fn word(&mut self, argument: &str, field: &str, words: &[&str]) {
        if let Some(given) = self.choice(argument, words) {
            self.filter.insert(field.to_owned(), json!({ "eq": given }));
        }
    }

    fn flag(&mut self, argument: &str, field: &str) {
        if let Some(given) = self.choice(argument, &["1", "0"]) {
            self.filter.insert(field.to_owned(), json!({ "eq": given == "1" }));
        }
    }

    fn day(&mut self, argument: &str) -> Option<NaiveDate> {
        let day = self.visit.argument(argument)?.parse().ok();
        if day.is_none() {
            self.problems.push(Problem::of(argument, self.visit.t("layout-not-a-date")));
        }
        day
    }
}

/// The filter, and what is wrong with it. Fields by which the role may not filter are left out.
pub fn filter(visit: &Visit) -> (Map<String, Value>, Vec<Problem>) {
    let mut reading = Reading { visit, filter: Map::new(), problems: Vec::new() };
    if visit.may("ComplaintFilter", "search") {
        let field = if visit.argument("search").is_some_and(is_reference) { "reference" } else { "search" };
        reading.condition("search", field, Value::from);
    }
    reading.word("state", "state", ComplaintState::WORDS);
    reading.word("channel", "channel", Channel::WORDS);
    reading.word("form", "legalForm", LegalForm::WORDS);
    reading.condition("unit", "unit", |code| json!({ "within": code }));
    reading.condition("responsible", "responsibleUnit", |code| json!({ "within": code }));
    reading.condition("category", "category", |code| json!({ "within": code }));
    for (argument, field) in [
        ("overdue", "overdue"),
        ("confidential", "confidential"),
        ("anonymous", "anonymous"),
        ("blames", "blamesSystem"),
    ] {
        reading.flag(argument, field);
    }
    if visit.may("ComplaintFilter", "enterprise") {
        reading.condition("enterprise", "enterprise", |code| json!({ "taxCode": { "eq": code } }));
    }
    let mut allegation = Map::new();
    if let Some(finding) = reading.choice("finding", Finding::WORDS) {
        allegation.insert("finding".to_owned(), json!({ "eq": finding }));
    }
    if let Some(code) = visit.argument("officer").filter(|_| visit.may("AllegationFilter", "officer")) {
        allegation.insert("officer".to_owned(), json!({ "code": { "eq": code } }));
    }
    if !allegation.is_empty() {
        reading.filter.insert("officers".to_owned(), allegation.into());
    }
    let (from, until) = (reading.day("from"), reading.day("until"));
    let received = between(from, until);
    if !received.is_empty() {
        reading.filter.insert("receivedAt".to_owned(), received.into());
    }
    (reading.filter, reading.problems)
}

/// Moments from the beginning of a day to the end of another one, in Vietnam.
pub fn between(from: Option<NaiveDate>, until: Option<NaiveDate>) -> Map<String, Value> {
    let midnight = |day: NaiveDate| Value::from(format!("{day}T00:00:00+07:00"));
    let mut moments = Map::new();
    moments.extend(from.map(|from| ("gte".to_owned(), midnight(from))));
    let after = until.and_then(|until| until.checked_add_days(Days::new(1)));
    moments.extend(after.map(|after| ("lt".to_owned(), midnight(after))));
    moments
}

/// Whether a text has the form of a reference, such as PA-20101231-7F3KQ2M9ZX.
pub fn is_reference(text: &str) -> bool {
    let mut parts = text.split('-');
    let (begin, day, rest) = (parts.next(), parts.next(), parts.next());
    let is_day = day.is_some_and(|day| day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit()));
    begin == Some("PA") && is_day && rest.is_some_and(|rest| rest.len() == 10) && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_vietnam_and_references_are_recognised() {
        let day = |text: &str| text.parse().ok();
        let moments = Value::from(between(day("2024-01-31"), day("2024-01-31")));
        assert_eq!(moments, json!({ "gte": "2024-01-31T00:00:00+07:00", "lt": "2024-02-01T00:00:00+07:00" }));
        assert!(is_reference("PA-20101231-7F3KQ2M9ZX"));
        for other in ["PA-1", "Hồ sơ", "PA-20101231-7F3KQ2M9ZX-1", ""] {
            assert!(!is_reference(other), "{other}");
        }
    }
}
