//! The forms about a subscription, and their mutations.

use super::rhythm;
use crate::web::views::conditions::options;
use crate::web::views::form::{Field, Form, Kind};
use crate::web::views::sending::input;
use crate::web::{Visit, text};
use jobs::digest::sections::sections_for;
use schema::enums::{DigestCondition, DigestSection};
use serde_json::{Value, json};

const SUBSCRIBE: &str = include_str!("../../queries/subscriptions-do-subscribe.graphql");
const END: &str = include_str!("../../queries/subscriptions-do-end.graphql");
const TEST: &str = include_str!("../../queries/subscriptions-do-test.graphql");

/// The languages of digests.
const LOCALES: [&str; 2] = ["VI", "EN"];

/// The form for a new subscription, for readers of digests.
pub fn new(visit: &Visit) -> Vec<Form> {
    if !visit.may("Mutation", "subscribeToDigests") {
        return Vec::new();
    }
    let first = json!({
        "locale": visit.locale().as_str().to_uppercase(),
        "condition": DigestCondition::Always.as_str(),
        "schedule": "0 7 * * *",
        "timezone": "Asia/Ho_Chi_Minh",
    });
    let address = field(visit, Kind::Text, "address").required();
    vec![form(visit, "add").fields(std::iter::once(address).chain(wishes(visit, &first)))]
}

/// The forms of a subscription.
pub fn of_subscription(visit: &Visit, subscription: &Value) -> Vec<Form> {
    let mut forms = Vec::new();
    // The page subscribes mail addresses; only the command line subscribes folders.
    if visit.may("Mutation", "subscribeToDigests") && subscription["channel"] == "EMAIL" {
        forms.push(form(visit, "change").fields(wishes(visit, subscription)));
    }
    if visit.may("Mutation", "sendTestDigest") {
        forms.push(form(visit, "test"));
    }
    forms.push(form(visit, "end"));
    forms
}

/// The fields of a subscription, with its present values.
fn wishes(visit: &Visit, subscription: &Value) -> Vec<Field> {
    let of = |name: &str| text(&subscription[name]).to_owned();
    let plain = |kind, name: &str| field(visit, kind, name).value(of(name));
    let help = |field: Field, name: &str| field.help(visit.t(&format!("subscriptions-input-{name}-help")));
    let sections: Vec<&str> = subscription["sections"].as_array().into_iter().flatten().map(text).collect();
    // The API refuses the rest, also where a unit is entered here.
    let offered = sections_for(visit.role(), !subscription["unit"].is_null());
    let offered: Vec<&str> = offered.iter().copied().map(DigestSection::as_str).collect();
    let least = subscription["minOverdue"].as_i64().map(|number| number.to_string()).unwrap_or_default();
    let schedule = text(&subscription["schedule"]);
    // The field of cron is for times that have no words.
    let (usual, other) = match rhythm::in_words(visit, schedule) {
        Some(_) => (schedule, ""),
        None => (rhythm::OTHER, schedule),
    };
    vec![
        plain(Kind::Choice, "locale").options(options(visit, "subscriptions-locale", &LOCALES)).required(),
        help(field(visit, Kind::Text, "unit").value(text(&subscription["unit"]["code"])), "unit"),
        help(
            field(visit, Kind::Several, "sections").value(sections.join(" ")).options(options(
                visit,
                "subscriptions-section",
                &offered,
            )),
            "sections",
        ),
        field(visit, Kind::Choice, "rhythm").value(usual).options(rhythm::choices(visit, schedule)).required(),
        help(field(visit, Kind::Text, "schedule").value(other), "schedule"),
        plain(Kind::Text, "timezone").required(),
        plain(Kind::Choice, "condition")
            .options(options(visit, "subscriptions-condition", DigestCondition::WORDS))
            .required(),
        help(field(visit, Kind::Number, "minOverdue").value(least), "minOverdue"),
        help(plain(Kind::Date, "quietUntil"), "quietUntil"),
    ]
}

/// The mutation that subscribes an address, or changes its subscription.
pub fn ask_subscribe(form: &Form, address: &str) -> (&'static str, Value) {
    let mut input = input(form, &["locale", "unit", "timezone", "condition", "quietUntil"]);
    let schedule = match form.value("rhythm") {
        rhythm::OTHER => form.value("schedule"),
        usual => usual,
    };
    // The API refuses an empty schedule. It would choose one itself if there were none.
    input.insert("schedule".into(), schedule.into());
    let sections: Vec<&str> = form.value("sections").split_whitespace().collect();
    input.insert("address".into(), address.into());
    input.insert("sections".into(), json!(sections));
    if form.value("condition") == DigestCondition::Overdue.as_str() {
        // The API says what is wrong with a number below 0.
        let least = form.given("minOverdue").map_or(0, |number| number.parse().unwrap_or(-1_i32));
        input.insert("minOverdue".into(), least.into());
    }
    (SUBSCRIBE, input.into())
}

/// The mutation of a form of a subscription.
pub fn ask_change(form: &Form, subscription: &Value) -> (&'static str, Value) {
    let of_it = || json!({ "subscriptionId": subscription["id"] });
    match form.step {
        "change" => ask_subscribe(form, text(&subscription["address"])),
        "test" => (TEST, of_it()),
        _ => (END, of_it()),
    }
}

fn form(visit: &Visit, step: &'static str) -> Form {
    let (title, help) = (format!("subscriptions-do-{step}"), format!("subscriptions-do-{step}-help"));
    Form::new(step, visit.t(&title), visit.t(&help), 0)
}

fn field(visit: &Visit, kind: Kind, name: &str) -> Field {
    Field::new(kind, name, visit.t(&format!("subscriptions-input-{name}")))
}
