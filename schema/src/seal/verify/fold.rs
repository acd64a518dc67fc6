//! Rebuilds the state of a row from its events and compares it with the row.

use super::super::rows::Event;
use super::problem::{Findings, Problem};
use crate::enums::{Chain, Side};
use crate::events::{Fields, commitment};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A personal value, stored apart from the event that commits to it.
#[derive(Debug)]
pub struct SideValue {
    pub place: (i64, i32),
    pub side: Side,
    pub field: String,
    pub salt: Vec<u8>,
    pub value: String,
    /// Whether it matches the commitment of its event; set by [`check_values`].
    pub is_committed: bool,
}

/// The fields of a row after its events.
#[derive(Debug, Default)]
pub struct State {
    pub fields: Fields,
    /// The event that commits to each personal column, and the field's name in the event.
    personal: BTreeMap<String, ((i64, i32), String)>,
}

impl State {
    /// Applies the `after` fields of an event; `column` gives the column of a field that has another name.
    pub fn apply(&mut self, after: Fields, place: (i64, i32), column: impl Fn(&str) -> Option<&'static str>) {
        for (field, value) in after {
            let name = column(&field).map(str::to_owned);
            if value.is_null() {
                self.fields.remove(name.as_ref().unwrap_or(&field));
                continue;
            }
            if committed(&value).is_some() {
                self.personal.insert(name.clone().unwrap_or_else(|| field.clone()), (place, field.clone()));
            }
            self.fields.insert(name.unwrap_or(field), value);
        }
    }

    /// The columns in which a row differs from the state, each with the kind `changed` or `unverifiable`.
    pub fn differences(&self, row: &Fields, values: &[SideValue]) -> Vec<(String, &'static str)> {
        let others = row.keys().filter(|column| !self.fields.contains_key(*column));
        let differs = |column: &String| {
            let (Some(expected), Some(actual)) = (self.fields.get(column), row.get(column)) else {
                return Some("changed");
            };
            let (Some(commitment), Some(text)) = (committed(expected), actual.as_str()) else {
                return (!same(expected, actual)).then_some("changed");
            };
            let (place, field) = self.personal.get(column)?;
            match find(values, *place, Side::After, field) {
                None => Some("unverifiable"),
                Some(value) if value.is_committed && value.value == text => None,
                Some(value) => (self::commitment(&value.salt, field, text) != commitment).then_some("changed"),
            }
        };
        self.fields.keys().chain(others).filter_map(|column| Some((column.clone(), differs(column)?))).collect()
    }
}

fn committed(value: &Value) -> Option<&str> {
    let fields = value.as_object().filter(|fields| fields.len() == 1)?;
    fields.get("commitment")?.as_str()
}

fn find<'v>(values: &'v [SideValue], place: (i64, i32), side: Side, field: &str) -> Option<&'v SideValue> {
    values.iter().find(|value| value.place == place && value.side == side && value.field == field)
}

/// Reports personal values that do not match the commitment of their event, or are missing. [`State::differences`]
/// checks the newest value of each field together with the row.
pub fn check_values(chain: Chain, events: &[Event], values: &mut [SideValue], findings: &mut Findings) {
    for SideValue { place, side, field, salt, value, is_committed } in values.iter_mut() {
        let event = events.iter().find(|event| event.place() == *place);
        let document = event.map(|event| if *side == Side::Before { &event.before } else { &event.after });
        let committed = document.and_then(|document| committed(document.get(field.as_str())?));
        *is_committed = committed == Some(&commitment(salt, field, value));
        if !*is_committed {
            let (position, ordinal) = *place;
            let message =
                format!("the {field} of event {position}.{ordinal} does not match the commitment in the event");
            findings.report(Problem {
                position: Some(position),
                ordinal: Some(ordinal),
                ..Problem::of(chain, "changed", message)
            });
        }
    }
    let newest = newest_values(events);
    for event in events {
        for (side, document) in [(Side::Before, &event.before), (Side::After, &event.after)] {
            let personal = document.as_object().into_iter().flatten().filter(|(_, value)| committed(value).is_some());
            for (field, _) in personal {
                let is_newest = side == Side::After && newest.get(field.as_str()) == Some(&event.place());
                if is_newest || find(values, event.place(), side, field).is_some() {
                    continue;
                }
                let when = if side == Side::Before { "before" } else { "after" };
                let (position, ordinal) = event.place();
                let message = format!("the {field} {when} event {position}.{ordinal} was erased");
                findings.report(Problem {
                    position: Some(position),
                    ordinal: Some(ordinal),
                    ..Problem::of(chain, "removed", message)
                });
            }
        }
    }
}

/// The last event that sets each field.
fn newest_values(events: &[Event]) -> BTreeMap<&str, (i64, i32)> {
    let mut newest = BTreeMap::new();
    for event in events {
        for field in event.after.as_object().into_iter().flatten().map(|(field, _)| field.as_str()) {
            newest.insert(field, event.place());
        }
    }
    newest
}

/// Whether two values are equal. A fraction may have been parsed from another notation of the same number.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) if x.is_f64() || y.is_f64() => {
            let read_again = |number: &serde_json::Number| number.to_string().parse::<serde_json::Number>().ok();
            x.as_f64() == y.as_f64()
                || read_again(x).and_then(|x| x.as_f64()) == y.as_f64()
                || read_again(y).and_then(|y| y.as_f64()) == x.as_f64()
        }
        (Value::Array(x), Value::Array(y)) => x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y)),
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len() && x.iter().all(|(key, x)| y.get(key).is_some_and(|y| same(x, y)))
        }
        _ => a == b,
    }
}

/// A difference between the rows that an event lists and the stored rows.
#[derive(Debug)]
pub struct ListDifference {
    /// The row as the event lists it, otherwise as it is stored.
    pub row: Fields,
    pub kind: &'static str,
    pub column: Option<String>,
}

/// Compares rows by their keys. A null field counts as absent.
pub fn list_differences(expected: Option<&Value>, actual: Vec<Fields>, key: &[&str]) -> Vec<ListDifference> {
    let key_of = |row: &Fields| key.iter().map(|column| row.get(*column).map(Value::to_string)).collect::<Vec<_>>();
    let without_null = |mut row: Fields| {
        row.retain(|_, value| !value.is_null());
        row
    };
    let expected_rows = expected.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object).cloned();
    let mut expected_rows: BTreeMap<_, Fields> =
        expected_rows.map(without_null).map(|row| (key_of(&row), row)).collect();
    let mut differences = Vec::new();
    for row in actual.into_iter().map(without_null) {
        let Some(expected) = expected_rows.remove(&key_of(&row)) else {
            differences.push(ListDifference { row, kind: "inserted", column: None });
            continue;
        };
        let columns: BTreeSet<&String> = expected.keys().chain(row.keys()).collect();
        for column in columns {
            let equal =
                expected.get(column).zip(row.get(column)).is_some_and(|(expected, actual)| same(expected, actual));
            if !equal {
                let column = Some(column.clone());
                differences.push(ListDifference { row: expected.clone(), kind: "changed", column });
            }
        }
    }
    differences.extend(expected_rows.into_values().map(|row| ListDifference { row, kind: "removed", column: None }));
    differences
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_the_same_in_every_form() {
        for (a, b, is) in [
            (json!(12.0), json!(12), true),
            (json!(0.1), json!(1e-1), true),
            (json!(12.5), json!(12.25), false),
            (json!({"a": [1.0, null]}), json!({"a": [1, null]}), true),
            (json!("1"), json!(1), false),
        ] {
            assert_eq!(same(&a, &b), is, "{a} {b}");
        }
    }

    #[test]
    fn rows_of_a_list_are_told_apart_by_their_keys() {
        let listed = json!([{"unit_id": "a", "valid_to": null}, {"unit_id": "b", "valid_to": "2024-01-01"}]);
        let row = |value: Value| value.as_object().cloned().unwrap_or_default();
        let stored = vec![row(json!({"unit_id": "b", "valid_to": "2025-01-01"})), row(json!({"unit_id": "c"}))];
        let found: Vec<_> = list_differences(Some(&listed), stored, &["unit_id"])
            .into_iter()
            .map(|one| (one.kind, one.row["unit_id"].clone(), one.column))
            .collect();
        let expected = [
            ("changed", json!("b"), Some("valid_to".to_owned())),
            ("inserted", json!("c"), None),
            ("removed", json!("a"), None),
        ];
        assert_eq!(found, expected);
    }
}
