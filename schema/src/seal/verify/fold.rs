//! The state of a row as its events say it, compared with the row.

use super::super::rows::Event;
use super::problem::{Findings, Problem};
use crate::enums::{Chain, Side};
use crate::events::{Fields, commitment};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A personal value beside an event.
#[derive(Debug)]
pub struct SideValue {
    pub place: (i64, i32),
    pub side: Side,
    pub field: String,
    pub salt: Vec<u8>,
    pub value: String,
    /// Whether it is the one that its event commits to, once that was checked.
    pub is_committed: bool,
}

/// The fields that events left a row with.
#[derive(Debug, Default)]
pub struct State {
    pub fields: Fields,
    /// Of each personal column: the event that commits to it, and the name that the event has for it.
    personal: BTreeMap<String, ((i64, i32), String)>,
}

impl State {
    /// Takes what an event says after it; `column` gives the column of a field that has another name.
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

    /// The columns in which a row differs from the state, each with `changed` or `unverifiable`.
    pub fn differences(&self, row: &Fields, values: &[SideValue]) -> Vec<(String, &'static str)> {
        let others = row.keys().filter(|column| !self.fields.contains_key(*column));
        let differs = |column: &String| {
            let (Some(says), Some(is)) = (self.fields.get(column), row.get(column)) else { return Some("changed") };
            let (Some(commitment), Some(text)) = (committed(says), is.as_str()) else {
                return (!same(says, is)).then_some("changed");
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

/// Whether each personal value beside the events is the one that its event commits to, and there. One that is gone and stands
/// in the row is told with the row ([`State::differences`]).
pub fn check_values(chain: Chain, events: &[Event], values: &mut [SideValue], findings: &mut Findings) {
    for SideValue { place, side, field, salt, value, is_committed } in values.iter_mut() {
        let event = events.iter().find(|event| event.place() == *place);
        let document = event.map(|event| if *side == Side::Before { &event.before } else { &event.after });
        let committed = document.and_then(|document| committed(document.get(field.as_str())?));
        *is_committed = committed == Some(&commitment(salt, field, value));
        if !*is_committed {
            let (position, ordinal) = *place;
            let message = format!("the {field} of row {position}.{ordinal} is not the one that the row commits to");
            findings.tell(Problem {
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
                let stands = side == Side::After && newest.get(field.as_str()) == Some(&event.place());
                if stands || find(values, event.place(), side, field).is_some() {
                    continue;
                }
                let when = if side == Side::Before { "before" } else { "after" };
                let (position, ordinal) = event.place();
                let message = format!("the {field} {when} row {position}.{ordinal} was erased");
                findings.tell(Problem {
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

/// Whether two values are the same. A fraction may have been read from another form of the same number.
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

/// How rows that an event lists together differ from those that are there.
#[derive(Debug)]
pub struct ListDifference {
    /// The row: what the event says of it, else what is there.
    pub row: Fields,
    pub kind: &'static str,
    pub column: Option<String>,
}

/// Compares rows by their keys. A field that is null counts as left out.
pub fn list_differences(says: Option<&Value>, is: Vec<Fields>, key: &[&str]) -> Vec<ListDifference> {
    let key_of = |row: &Fields| key.iter().map(|column| row.get(*column).map(Value::to_string)).collect::<Vec<_>>();
    let without_null = |mut row: Fields| {
        row.retain(|_, value| !value.is_null());
        row
    };
    let said = says.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object).cloned();
    let mut said: BTreeMap<_, Fields> = said.map(without_null).map(|row| (key_of(&row), row)).collect();
    let mut differences = Vec::new();
    for row in is.into_iter().map(without_null) {
        let Some(says) = said.remove(&key_of(&row)) else {
            differences.push(ListDifference { row, kind: "inserted", column: None });
            continue;
        };
        let columns: BTreeSet<&String> = says.keys().chain(row.keys()).collect();
        for column in columns {
            let equal = says.get(column).zip(row.get(column)).is_some_and(|(says, is)| same(says, is));
            if !equal {
                let column = Some(column.clone());
                differences.push(ListDifference { row: says.clone(), kind: "changed", column });
            }
        }
    }
    differences.extend(said.into_values().map(|row| ListDifference { row, kind: "removed", column: None }));
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
        let says = json!([{"unit_id": "a", "valid_to": null}, {"unit_id": "b", "valid_to": "2024-01-01"}]);
        let row = |value: Value| value.as_object().cloned().unwrap_or_default();
        let is = vec![row(json!({"unit_id": "b", "valid_to": "2025-01-01"})), row(json!({"unit_id": "c"}))];
        let found: Vec<_> = list_differences(Some(&says), is, &["unit_id"])
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
