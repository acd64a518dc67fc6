//! Forms by which a reader gets alerts by mail, and the mutations for them.

use crate::web::views::conditions::options;
use crate::web::views::form::{Field, Form, Kind};
use crate::web::views::sending::input;
use crate::web::{PageError, Visit, text};
use serde_json::{Value, json};

const OWN: &str = include_str!("../../queries/alerts-subscriptions.graphql");
const SUBSCRIBE: &str = include_str!("../../queries/alerts-do-subscribe.graphql");
const END: &str = include_str!("../../queries/alerts-do-end.graphql");

/// The languages of mails.
const LOCALES: [&str; 2] = ["VI", "EN"];

/// The forms of a reader: its address, or the end of what it has.
///
/// # Errors
/// The error that the answer has.
pub async fn of_reader(visit: &Visit) -> Result<Vec<Form>, PageError> {
    if !visit.may("Mutation", "subscribeToAlerts") {
        return Ok(Vec::new());
    }
    let data = visit.query(OWN, json!({})).await?;
    let own: Vec<(String, String)> = data["alertSubscriptions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| (text(&one["id"]).to_owned(), text(&one["address"]).to_owned()))
        .collect();
    let locale = field(visit, Kind::Choice, "locale").options(options(visit, "alerts-locale", &LOCALES));
    let locale = locale.value(visit.locale().as_str().to_uppercase()).required();
    let mut forms = vec![form(visit, "subscribe").fields([field(visit, Kind::Text, "address").required(), locale])];
    if !own.is_empty() {
        let choices = std::iter::once((String::new(), "—".to_owned())).chain(own);
        let chosen = field(visit, Kind::Choice, "subscriptionId").options(choices).required();
        forms.push(form(visit, "end").fields([chosen]));
    }
    Ok(forms)
}

/// The mutation of a form.
pub fn ask(form: &Form) -> (&'static str, Value) {
    match form.step {
        "subscribe" => (SUBSCRIBE, input(form, &["address", "locale"]).into()),
        _ => (END, input(form, &["subscriptionId"]).into()),
    }
}

fn form(visit: &Visit, step: &'static str) -> Form {
    let (title, help) = (format!("alerts-do-{step}"), format!("alerts-do-{step}-help"));
    Form::new(step, visit.t(&title), visit.t(&help), 0)
}

fn field(visit: &Visit, kind: Kind, name: &str) -> Field {
    Field::new(kind, name, visit.t(&format!("alerts-input-{name}")))
}
