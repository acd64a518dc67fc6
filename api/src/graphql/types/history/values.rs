//! Values of events, with the type of what they refer to.

use crate::graphql::scalars::Moment;
use chrono::NaiveDate;
use schema::domain::ids::human_reference;
use schema::events::{Fields, is_commitment};
use schema::models::UNKNOWN_START;
use schema::{Id, JsonValue, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::Value as Stored;

/// A value before or after a change.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(String),
    Unit(Id),
    Category(Id),
    Officer(Id),
    Enterprise(Id),
    /// A unit for some time: the parent of a unit, or the posting of an officer.
    Period(Period),
    /// A personal value, which is stored apart from the event, or was erased.
    Personal,
}

/// A unit, with the first and the last day.
#[derive(Debug, Clone, PartialEq)]
pub struct Period {
    pub unit: Id,
    pub from: NaiveDate,
    pub to: Option<NaiveDate>,
}

impl Period {
    /// The days as an interval of ISO 8601, with `..` for an open end.
    pub fn days(&self) -> String {
        let open = || "..".to_owned();
        let from = if self.from == UNKNOWN_START { open() } else { self.from.to_string() };
        format!("{from}/{}", self.to.map_or_else(open, |day| day.to_string()))
    }
}

/// The value of a field; None if it has none.
pub fn typed(stored: &str, value: &Stored) -> Option<Value> {
    if value.is_null() {
        return None;
    }
    if is_commitment(value) {
        return Some(Value::Personal);
    }
    let found = match stored {
        "department_id" | "branch_id" | "team_id" | "successor_id" => parsed(value).map(Value::Unit),
        "category_id" | "parent_id" => parsed(value).map(Value::Category),
        "officer_id" => parsed(value).map(Value::Officer),
        "enterprise_id" => parsed(value).map(Value::Enterprise),
        "duplicate_of" => parsed(value).map(|id: Id| Value::Text(human_reference(id))),
        _ if stored.ends_with("unit_id") => parsed(value).map(Value::Unit),
        _ if stored.ends_with("_at") => parsed(value).map(|time: Timestamp| Value::Text(Moment(time).text())),
        _ => None,
    };
    // A damaged value is shown unchanged.
    found.or_else(|| Some(Value::Text(value.as_str().map_or_else(|| value.to_string(), str::to_owned))))
}

fn parsed<T: DeserializeOwned>(value: &Stored) -> Option<T> {
    serde_json::from_value(value.clone()).ok()
}

/// The value of a field of an event before or after it.
pub fn field(fields: Option<&Fields>, stored: &str) -> Option<Value> {
    typed(stored, fields?.get(stored)?)
}

/// The fields of one side of an event.
pub fn fields(side: Option<&JsonValue>) -> Option<&Fields> {
    side?.0.as_object()
}

/// The name of a stored field in the API.
pub fn name_in_api(stored: &str) -> String {
    let mut words = stored.strip_suffix("_id").unwrap_or(stored).split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.extend(letters);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::domain::ids::random_id;
    use serde_json::json;

    #[test]
    fn values_have_the_type_of_their_field() {
        let id = random_id();
        assert_eq!(typed("response_unit_id", &json!(id)), Some(Value::Unit(id)));
        assert_eq!(typed("owner_unit_id", &json!(id)), Some(Value::Unit(id)));
        assert_eq!(typed("successor_id", &json!(id)), Some(Value::Unit(id)));
        assert_eq!(typed("parent_id", &json!(id)), Some(Value::Category(id)));
        assert_eq!(typed("text", &json!({ "commitment": "00" })), Some(Value::Personal));
        assert_eq!(typed("cost_vnd", &json!(1_250_000)), Some(Value::Text("1250000".into())));
        assert_eq!(typed("blames_system", &json!(false)), Some(Value::Text("false".into())));
        assert_eq!(typed("state", &json!("ASSIGNED")), Some(Value::Text("ASSIGNED".into())));
        let local = Value::Text("2024-01-05T08:30:00+07:00".into());
        assert_eq!(typed("occurred_at", &json!("2024-01-05T01:30:00Z")), Some(local));
        assert_eq!(typed("unit_id", &Stored::Null), None);
    }

    #[test]
    fn names_and_days_are_those_of_the_api() {
        assert_eq!(name_in_api("owner_unit_id"), "ownerUnit");
        assert_eq!(name_in_api("name_vi"), "nameVi");
        assert_eq!(name_in_api("code"), "code");
        let day = NaiveDate::from_ymd_opt(2024, 1, 1).expect("a day");
        let period = |from, to| Period { unit: random_id(), from, to }.days();
        assert_eq!(period(UNKNOWN_START, None), "../..");
        assert_eq!(period(day, Some(day)), "2024-01-01/2024-01-01");
    }
}
