//! The forms about measures, and their mutations.

use crate::web::views::conditions::choices;
use crate::web::views::form::{Field, Form, Kind};
use crate::web::views::sending::input;
use crate::web::{Visit, text};
use schema::enums::{MeasureKind, SuspensionGround};
use serde_json::{Value, json};

const RECORD: &str = include_str!("../../queries/measures-do-record.graphql");
const END: &str = include_str!("../../queries/measures-do-end.graphql");
const LIFT: &str = include_str!("../../queries/measures-do-lift.graphql");
const EXTEND: &str = include_str!("../../queries/measures-do-extend.graphql");
const VOID: &str = include_str!("../../queries/measures-do-void.graphql");

/// Fields of a new measure that the API takes as they are written.
const WRITTEN: [&str; 14] = [
    "officer",
    "kind",
    "ground",
    "grounds",
    "decisionMaker",
    "decisionNumber",
    "decidedOn",
    "startsOn",
    "endsOn",
    "explanation",
    "explainedOn",
    "explanationRefusedOn",
    "noBasisReason",
    "flagId",
];

/// The form for a new measure. Arguments of the address fill in `officer` and `flag`, so that other pages lead here.
pub fn record(visit: &Visit) -> Form {
    let help = |field: Field, name: &str| field.help(visit.t(&format!("measures-input-{name}-help")));
    let argument = |name: &str| visit.argument(name).unwrap_or_default().to_owned();
    let plain = |kind, name: &str| field(visit, kind, name);
    let fields = [
        plain(Kind::Text, "officer").value(argument("officer")).required(),
        plain(Kind::Choice, "kind").options(choices(visit, "measures-kind", MeasureKind::WORDS)).required(),
        plain(Kind::Area, "grounds").required(),
        plain(Kind::Text, "decisionMaker").required(),
        plain(Kind::Text, "decisionNumber"),
        plain(Kind::Date, "decidedOn").required(),
        help(plain(Kind::Date, "startsOn"), "startsOn"),
        help(plain(Kind::Date, "endsOn"), "endsOn"),
        help(plain(Kind::Text, "flagId").value(argument("flag")), "flagId"),
        help(plain(Kind::Area, "complaintIds"), "complaintIds"),
        help(plain(Kind::Area, "noBasisReason"), "noBasisReason"),
        help(
            plain(Kind::Choice, "ground").options(choices(visit, "measures-ground", SuspensionGround::WORDS)),
            "ground",
        ),
        help(plain(Kind::Area, "explanation"), "explanation"),
        plain(Kind::Date, "explainedOn"),
        plain(Kind::Date, "explanationRefusedOn"),
    ];
    let form = form(visit, "record", 0).fields(fields);
    if visit.argument("flag").is_some() { form.unfolded() } else { form }
}

/// The mutation of that form, and its input.
pub fn ask_record(form: &Form) -> (&'static str, Value) {
    let mut input = input(form, &WRITTEN);
    if let Some(flag) = form.given("flagId") {
        input.insert("flagId".into(), last_part(flag).into());
    }
    let complaints: Vec<&str> = form.value("complaintIds").split_whitespace().map(last_part).collect();
    if !complaints.is_empty() {
        input.insert("complaintIds".into(), json!(complaints));
    }
    (RECORD, input.into())
}

/// The id at the end of an address, or the id itself.
fn last_part(text: &str) -> &str {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// The forms of a measure in its present state.
pub fn of_measure(visit: &Visit, measure: &Value) -> Vec<Form> {
    let state = text(&measure["state"]);
    if !visit.may("Mutation", "endMeasure") || state == "VOID" {
        return Vec::new();
    }
    let version = measure["version"].as_i64().unwrap_or_default();
    let reason = || field(visit, Kind::Area, "reason").required();
    let day = |name: &str| field(visit, Kind::Date, name);
    let mut forms = Vec::new();
    if measure["liftedOn"].is_null() {
        if measure["endsOn"].is_string() && ["UPCOMING", "IN_FORCE", "EXTENDED"].contains(&state) {
            forms.push(form(visit, "lift", version).fields([day("liftedOn").required(), reason()]));
        }
        if measure["kind"] == "SUSPENSION" && state == "IN_FORCE" && measure["extension"].is_null() {
            let until = day("endsOn").help(visit.t("measures-input-extend-endsOn-help"));
            forms.push(form(visit, "extend", version).fields([day("decidedOn").required(), until, reason()]));
        }
        forms.push(form(visit, "end", version).fields([day("endsOn").required(), reason()]));
    }
    forms.push(form(visit, "void", version).fields([reason()]));
    forms
}

/// The mutation of a form of a measure, and its input.
pub fn ask_change(form: &Form, id: &str, version: i64) -> (&'static str, Value) {
    let document = match form.step {
        "lift" => LIFT,
        "extend" => EXTEND,
        "end" => END,
        _ => VOID,
    };
    let mut input = input(form, &["liftedOn", "decidedOn", "endsOn", "reason"]);
    input.insert("measureId".into(), id.into());
    input.insert("expectedVersion".into(), json!(version));
    (document, input.into())
}

fn form(visit: &Visit, step: &'static str, version: i64) -> Form {
    let (title, help) = (format!("measures-do-{step}"), format!("measures-do-{step}-help"));
    Form::new(step, visit.t(&title), visit.t(&help), version)
}

fn field(visit: &Visit, kind: Kind, name: &str) -> Field {
    Field::new(kind, name, visit.t(&format!("measures-input-{name}")))
}

#[cfg(test)]
mod tests {
    use super::last_part;

    #[test]
    fn an_id_may_be_written_as_the_address_of_its_page() {
        for text in ["0b1c", "/flags/0b1c", "https://board.example/flags/0b1c?as=csv", "/flags/0b1c/#evidence"] {
            assert_eq!(last_part(text), "0b1c", "{text}");
        }
    }
}
