//! The inputs of mutations that forms of complaints make.

use super::steps::ATTRIBUTION;
use crate::web::views::form::Form;
use serde_json::{Map, Value, json};

/// The input of a step of a complaint; `of` is the id of the original of a duplicate.
pub fn input(form: &Form, id: &str, version: i64, of: Option<&str>, category: &str) -> Value {
    let mut input = match form.step {
        "respond" => json!({
            "action": form.value("action"), "text": form.value("text"), "outcome": form.given("outcome"),
            "visibility": form.value("visibility"),
        }),
        "classify" => json!({ "category": form.value("category") }),
        "attribute" => json!({ "category": category, "attributions": attributions(form) }),
        "assign" => json!({ "unit": form.given("unit") }),
        "transfer" => json!({ "unit": form.value("unit"), "reason": form.value("reason") }),
        "accept" => json!({
            "acceptedOn": form.given("acceptedOn"), "remoteArea": form.value("remoteArea") == "true",
            "reason": form.given("reason"),
        }),
        "finding" => json!({
            "officer": form.given("officer"), "finding": form.value("finding"), "decidedOn": form.value("decidedOn"),
        }),
        "redact" => json!({ "text": form.value("text") }),
        "link" => json!({ "of": of, "reason": form.value("reason") }),
        "close" => json!({ "state": "CLOSED", "reason": form.given("reason") }),
        "reopen" => json!({ "state": "ASSIGNED", "reason": form.given("reason") }),
        "reject" => json!({ "state": "REJECTED", "reason": form.given("reason") }),
        "withdraw" => json!({ "state": "WITHDRAWN", "reason": form.given("reason") }),
        "correct" | "propose" => correction(form),
        _ => json!({ "reason": form.value("reason") }),
    };
    input["complaintId"] = id.into();
    input["expectedVersion"] = version.into();
    input
}

/// The attributions that a reader changed.
fn attributions(form: &Form) -> Vec<Value> {
    let of_officers = form.changed().filter_map(|(name, value)| Some((name.strip_prefix(ATTRIBUTION)?, value)));
    of_officers.map(|(officer, value)| json!({ "officer": officer, "attribution": value })).collect()
}

/// The changes of a reader: a field that it left alone is left out, and keeps its value; one that it emptied is null.
fn correction(form: &Form) -> Value {
    let mut input = Map::new();
    for (name, value) in form.changed() {
        let value = match name {
            // The lists of officers below read these.
            "replaceFrom" | "replaceTo" | "removeOfficer" | "addOfficer" | "addAttribution" => continue,
            "blamesSystem" | "confidential" => Value::from(value == "true"),
            _ if value.is_empty() => Value::Null,
            "occurredAt" => moment(value).into(),
            "delayHours" => value.parse::<f64>().map_or(Value::Null, Value::from),
            _ => value.into(),
        };
        input.insert(name.to_owned(), value);
    }
    if let (Some(from), Some(to)) = (form.given("replaceFrom"), form.given("replaceTo")) {
        input.insert("replaceOfficers".to_owned(), json!([{ "from": from, "to": to }]));
    }
    if let Some(officer) = form.given("removeOfficer") {
        input.insert("removeOfficers".to_owned(), json!([officer]));
    }
    if let Some(officer) = form.given("addOfficer") {
        let attribution = form.value("addAttribution");
        input.insert("addOfficers".to_owned(), json!([{ "officer": officer, "attribution": attribution }]));
    }
    input.into()
}

/// A moment in Vietnam, from what a browser sends.
fn moment(text: &str) -> String {
    let at = crate::web::views::form::moment(text);
    at.map_or_else(|| text.to_owned(), |at| format!("{}+07:00", at.format("%Y-%m-%dT%H:%M:%S")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::views::form::{Field, Kind};

    #[test]
    fn every_step_names_the_complaint_and_its_version() {
        let form = Form::new("transfer", "", "", 3);
        let input = input(&form, "id", 3, None, "");
        assert_eq!(input, json!({ "unit": "", "reason": "", "complaintId": "id", "expectedVersion": 3 }));
    }

    #[test]
    fn a_correction_holds_what_was_changed_only() {
        let form = Form::new("correct", "", "", 1).fields([
            Field::new(Kind::Text, "taxCode", "").value("0100233488"),
            Field::new(Kind::Text, "unit", "").value("02CV"),
        ]);
        assert_eq!(correction(&form), json!({}), "nothing was changed");
        assert_eq!(moment("2024-01-05T08:30"), "2024-01-05T08:30:00+07:00");
    }
}
