//! The filters by days, and by the unit that has to answer, for roles that read exact numbers: numbers of digests lead
//! to them.

use crate::web::Visit;
use crate::web::views::arguments::Arguments;
use crate::web::views::conditions::between;
use chrono::NaiveDate;
use serde_json::{Map, Value, json};

/// The arguments that these filters read.
pub const ARGUMENTS: [&str; 9] = [
    "day-from",
    "day-until",
    "answered-from",
    "answered-until",
    "as-of",
    "concerning",
    "responsible",
    "responsible-alone",
    "confidential",
];

/// Whether the address uses one of these filters.
pub fn is_used(visit: &Visit) -> bool {
    ARGUMENTS.iter().any(|name| visit.argument(name).is_some())
}

/// Adds the conditions that the arguments say; returns the past day by whose end to count.
pub fn add(visit: &Visit, filter: &mut Map<String, Value>, arguments: &mut Arguments<'_>) -> Option<NaiveDate> {
    let mut day = |name: &str| arguments.day((name, &format!("explore-{name}")));
    let received = between(day("day-from"), day("day-until"));
    let answered = [("gte", day("answered-from")), ("lte", day("answered-until"))];
    let as_of = day("as-of");
    let answered: Map<String, Value> =
        answered.into_iter().filter_map(|(bound, day)| Some((bound.to_owned(), json!(day?)))).collect();
    for (field, bounds) in [("receivedAt", received), ("answeredOn", answered)] {
        if !bounds.is_empty() {
            filter.insert(field.to_owned(), bounds.into());
        }
    }
    let mut responsible = Map::new();
    for (argument, operator) in [("responsible", "within"), ("responsible-alone", "eq")] {
        responsible.extend(visit.argument(argument).map(|code| (operator.to_owned(), code.into())));
    }
    if !responsible.is_empty() {
        filter.insert("responsibleUnit".to_owned(), responsible.into());
    }
    if let Some(code) = visit.argument("concerning") {
        // What the head of the unit reads: complaints about it, and those that it has to answer.
        filter.insert("or".to_owned(), json!([{ "unitWithin": code }, { "responsibleUnitWithin": code }]));
    }
    if let Some(confidential) = arguments.flag(("confidential", "explore-confidential")) {
        filter.insert("confidential".to_owned(), json!({ "eq": confidential }));
    }
    as_of
}
