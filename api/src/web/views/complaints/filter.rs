//! The filter of a list of complaints, from the arguments of an address.

use crate::web::views::arguments::{Arguments, Named};
use crate::web::views::conditions::moments;
use crate::web::{Problem, Visit};
use chrono::Days;
use schema::Timestamp;
use schema::domain::calendar::local_date;
use schema::enums::{CategoryKind, Channel, ComplaintState, Finding, LegalForm};
use serde_json::{Map, Value, json};

/// The arguments that a filter reads.
pub const ARGUMENTS: [&str; 30] = [
    "search",
    "state",
    "unit",
    "responsible",
    "from",
    "until",
    "overdue",
    "order",
    "officer",
    "enterprise",
    "finding",
    "channel",
    "form",
    "confidential",
    "anonymous",
    "blames",
    "category",
    "kind",
    "recorded",
    "due",
    "responded",
    "answered-from",
    "answered-until",
    "due-from",
    "due-until",
    "unit-alone",
    "category-alone",
    "responsible-alone",
    "concerning",
    "counted",
];

/// The number of filters above *more filters*.
const ABOVE_MORE: usize = 8;

/// The conditions for which the server counts all complaints quickly, because its snapshot has a column for each.
const QUICK: [&str; 8] =
    ["state", "channel", "unit", "responsibleUnit", "confidential", "anonymous", "blamesSystem", "receivedAt"];

/// The states in which a complaint waits for an answer.
const WAITING: [&str; 3] = ["RECEIVED", "CLASSIFIED", "ASSIGNED"];

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
    ARGUMENTS[ABOVE_MORE..].iter().any(|name| visit.argument(name).is_some())
}

/// Whether the complaints that a filter selects are counted quickly, however many they are.
pub fn counts_quickly(filter: &Map<String, Value>) -> bool {
    filter.keys().all(|field| QUICK.contains(&field.as_str()))
}

/// The most days in which a deadline may be: a number of three digits stays within the calendar.
const MOST_DAYS: i64 = 999;

/// The order that the address asks for.
fn order(arguments: &mut Arguments<'_>) -> Value {
    let asked = arguments.word(("order", "complaints-order"), &ORDERS.map(|(word, ..)| word), "complaints-order");
    let (_, field, direction) = ORDERS.iter().find(|(word, ..)| asked == Some(*word)).unwrap_or(&ORDERS[0]);
    json!([{ "field": field, "direction": direction }])
}

/// A filter in the making.
struct Reading<'v> {
    visit: &'v Visit,
    arguments: Arguments<'v>,
    filter: Map<String, Value>,
    /// Further conditions on fields that the filter names already.
    all: Vec<Value>,
}

impl<'v> Reading<'v> {
    /// Adds a condition on an argument.
    fn condition(&mut self, argument: &str, field: &str, condition: impl FnOnce(&'v str) -> Value) {
        if let Some(value) = self.visit.argument(argument) {
            self.filter.insert(field.to_owned(), condition(value));
        }
    }

    /// Adds a condition on a field of a field.
    fn inner(&mut self, field: &str, inner: &str, condition: Value) {
        self.filter.entry(field).or_insert_with(|| json!({}))[inner] = condition;
    }

    /// Complaints within every code that an argument has: numbers of groups lead to lists with two.
    fn within(&mut self, argument: &'v str, field: &str) {
        let visit = self.visit;
        let mut codes = visit.arguments(argument);
        if let Some(code) = codes.next() {
            self.inner(field, "within", code.into());
        }
        self.all.extend(codes.map(|code| json!({ field: { "within": code } })));
    }

    fn word(&mut self, name: Named<'_>, field: &str, words: &[&str], prefix: &str) {
        if let Some(given) = self.arguments.word(name, words, prefix) {
            self.filter.insert(field.to_owned(), json!({ "eq": given }));
        }
    }

    fn flag(&mut self, name: Named<'_>, field: &str) {
        if let Some(given) = self.arguments.flag(name) {
            self.filter.insert(field.to_owned(), json!({ "eq": given }));
        }
    }

    /// Conditions on units and on the category.
    fn units_and_category(&mut self) {
        self.within("unit", "unit");
        self.within("category", "category");
        let visit = self.visit;
        if let Some(code) = visit.argument("unit-alone") {
            self.inner("unit", "code", json!({ "eq": code }));
        }
        for (argument, operator) in [("responsible", "within"), ("responsible-alone", "eq")] {
            if let Some(code) = visit.argument(argument) {
                self.inner("responsibleUnit", operator, code.into());
            }
        }
        if let Some(code) = visit.argument("category-alone") {
            // Filtering by a category includes the categories below it, which are not on the first level.
            self.inner("category", "code", json!({ "eq": code }));
            self.inner("category", "parentId", json!({ "isNull": true }));
        }
        if let Some(kind) = self.arguments.word(("kind", "complaints-kind"), CategoryKind::WORDS, "numbers-kind") {
            self.inner("category", "kind", json!({ "eq": kind }));
        }
        // What the head of the unit reads: complaints about it, and those that it has to answer.
        self.condition(
            "concerning",
            "or",
            |code| json!([{ "unit": { "within": code } }, { "responsibleUnit": { "within": code } }]),
        );
    }

    /// Conditions on times: of receipt, of recording, of answers.
    fn times(&mut self) {
        let (from, before) = self.arguments.span("complaints");
        let mut times = vec![("receivedAt", moments(from, before))];
        if self.visit.may("ComplaintFilter", "recordedAt") {
            let since = self.arguments.since(("recorded", "complaints-recorded"));
            times.push(("recordedAt", moments(since, None)));
        }
        let mut day = |name: &str| self.arguments.day((name, &format!("complaints-{name}")));
        let answered = [("gte", day("answered-from")), ("lte", day("answered-until"))];
        let answered = answered.into_iter().filter_map(|(bound, day)| Some((bound.to_owned(), json!(day?))));
        times.push(("answeredOn", answered.collect()));
        if self.visit.may("ComplaintFilter", "responses")
            && let Some(since) = self.arguments.since(("responded", "complaints-responded"))
        {
            let responded: Map<String, Value> =
                [("respondedAt".to_owned(), moments(Some(since), None).into())].into_iter().collect();
            times.push(("responses", responded));
        }
        let given = times.into_iter().filter(|(_, bounds)| !bounds.is_empty());
        self.filter.extend(given.map(|(field, bounds)| (field.to_owned(), bounds.into())));
    }

    /// Complaints whose deadline lies between two days, and those that wait for an answer whose deadline is within some
    /// days from today.
    fn due(&mut self) {
        if !self.visit.may("ComplaintFilter", "dueOn") {
            return;
        }
        let mut day = |name: &str| self.arguments.day((name, &format!("complaints-{name}")));
        let bounds = [("gte", day("due-from")), ("lte", day("due-until"))];
        let bounds = bounds.into_iter().filter_map(|(bound, day)| Some((bound.to_owned(), json!(day?))));
        let bounds: Map<String, Value> = bounds.collect();
        if !bounds.is_empty() {
            self.all.push(json!({ "dueOn": bounds }));
        }
        let days = self.arguments.number(("due", "complaints-due-within"), (0, MOST_DAYS));
        let today = local_date(Timestamp::now());
        let last = days.and_then(|days| today.checked_add_days(Days::new(days.unsigned_abs())));
        let Some(last) = last else { return };
        self.filter.insert("dueOn".to_owned(), json!({ "gte": today.to_string(), "lte": last.to_string() }));
        self.filter.entry("state").or_insert_with(|| json!({ "in": WAITING }));
    }
}

/// The filter and the order that the address asks for, and the problems of both. Fields by which the role may not
/// filter are left out.
pub fn filter_and_order(visit: &Visit) -> (Map<String, Value>, Value, Vec<Problem>) {
    let mut reading = Reading { visit, arguments: Arguments::new(visit), filter: Map::new(), all: Vec::new() };
    if visit.may("ComplaintFilter", "search") {
        let field = if visit.argument("search").is_some_and(is_reference) { "reference" } else { "search" };
        reading.condition("search", field, Value::from);
    }
    reading.word(("state", "complaints-state"), "state", ComplaintState::WORDS, "state");
    reading.word(("channel", "complaints-channel"), "channel", Channel::WORDS, "complaints-channel");
    reading.word(("form", "complaints-form"), "legalForm", LegalForm::WORDS, "complaints-form");
    reading.units_and_category();
    for (name, field) in [
        (("overdue", "complaints-only-overdue"), "overdue"),
        (("confidential", "complaints-confidential"), "confidential"),
        (("anonymous", "complaints-anonymous"), "anonymous"),
        (("blames", "complaints-blames"), "blamesSystem"),
    ] {
        reading.flag(name, field);
    }
    if visit.may("ComplaintFilter", "enterprise") {
        reading.condition("enterprise", "enterprise", |code| json!({ "taxCode": { "eq": code } }));
    }
    let mut allegation = Map::new();
    let finding = reading.arguments.word(("finding", "complaints-finding"), Finding::WORDS, "complaints-finding");
    if let Some(finding) = finding {
        allegation.insert("finding".to_owned(), json!({ "eq": finding }));
    }
    if let Some(code) = visit.argument("officer").filter(|_| visit.may("AllegationFilter", "officer")) {
        allegation.insert("officer".to_owned(), json!({ "code": { "eq": code } }));
    }
    if !allegation.is_empty() {
        reading.filter.insert("officers".to_owned(), allegation.into());
    }
    reading.times();
    if let Some(counted) = reading.arguments.flag(("counted", "complaints-counted")) {
        reading.filter.insert("duplicate".to_owned(), json!({ "eq": !counted }));
    }
    reading.due();
    if !reading.all.is_empty() {
        reading.filter.insert("and".to_owned(), reading.all.into());
    }
    let order = order(&mut reading.arguments);
    (reading.filter, order, reading.arguments.problems())
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
    fn references_are_recognised() {
        assert!(is_reference("PA-20101231-7F3KQ2M9ZX"));
        for other in ["PA-1", "Hồ sơ", "PA-20101231-7F3KQ2M9ZX-1", ""] {
            assert!(!is_reference(other), "{other}");
        }
    }
}
