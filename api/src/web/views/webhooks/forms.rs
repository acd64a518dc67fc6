//! The forms about endpoints, and their mutations.

use crate::web::views::conditions::options;
use crate::web::views::form::{Field, Form, Kind};
use crate::web::views::sending::input;
use crate::web::{Visit, text};
use jobs::notify::EVENTS;
use schema::enums::NotificationChannel;
use serde_json::{Value, json};

const CREATE: &str = include_str!("../../queries/webhooks-do-create.graphql");
const ROTATE: &str = include_str!("../../queries/webhooks-do-rotate.graphql");
const TEST: &str = include_str!("../../queries/webhooks-do-test.graphql");
const DISABLE: &str = include_str!("../../queries/webhooks-do-disable.graphql");
const ENABLE: &str = include_str!("../../queries/webhooks-do-enable.graphql");

/// The languages of mails.
const LOCALES: [&str; 2] = ["VI", "EN"];

/// The key of the words of an event.
pub fn key_of(event: &str) -> String {
    format!("webhooks-event-{}", event.replace('.', "-"))
}

/// The forms, each with the endpoints that it fits.
pub fn all(visit: &Visit, endpoints: &[Value]) -> Vec<Form> {
    if !visit.may("Mutation", "createNotificationEndpoint") {
        return Vec::new();
    }
    let mut forms = vec![form(visit, "create").fields(of_new(visit))];
    let is_enabled = |endpoint: &Value| endpoint["disabledAt"].is_null();
    let is_webhook = |endpoint: &Value| endpoint["channel"] == NotificationChannel::Webhook.as_str();
    let mut add = |step: &'static str, fits: &dyn Fn(&Value) -> bool| {
        let fitting: Vec<&Value> = endpoints.iter().filter(|endpoint| fits(endpoint)).collect();
        if !fitting.is_empty() {
            let choices = std::iter::once((String::new(), "—".to_owned())).chain(fitting.into_iter().map(choice));
            forms.push(form(visit, step).fields([field(visit, Kind::Choice, "id").options(choices).required()]));
        }
    };
    add("test", &is_enabled);
    add("rotate", &is_webhook);
    add("disable", &is_enabled);
    add("enable", &|endpoint: &Value| !is_enabled(endpoint));
    forms
}

/// An endpoint as a choice of a form.
pub fn choice(endpoint: &Value) -> (String, String) {
    let words = format!("{} · {}", text(&endpoint["name"]), text(&endpoint["address"]));
    (text(&endpoint["id"]).to_owned(), words)
}

fn of_new(visit: &Visit) -> Vec<Field> {
    let help = |field: Field, name: &str| field.help(visit.t(&format!("webhooks-input-{name}-help")));
    let events = EVENTS.iter().map(|event| ((*event).to_owned(), visit.t(&key_of(event))));
    vec![
        field(visit, Kind::Choice, "channel")
            .options(options(visit, "webhooks-channel", NotificationChannel::WORDS))
            .value(NotificationChannel::Webhook.as_str())
            .required(),
        field(visit, Kind::Text, "name").required(),
        help(field(visit, Kind::Text, "address").required(), "address"),
        help(field(visit, Kind::Several, "events").options(events), "events"),
        help(
            field(visit, Kind::Choice, "locale")
                .options(options(visit, "webhooks-locale", &LOCALES))
                .value(LOCALES[0])
                .required(),
            "locale",
        ),
    ]
}

/// The mutation of a form, and its input.
pub fn ask(form: &Form) -> (&'static str, Value) {
    if form.step == "create" {
        let mut input = input(form, &["channel", "name", "address", "locale"]);
        let events: Vec<&str> = form.value("events").split_whitespace().collect();
        input.insert("events".into(), json!(events));
        return (CREATE, input.into());
    }
    let document = match form.step {
        "rotate" => ROTATE,
        "test" => TEST,
        "disable" => DISABLE,
        _ => ENABLE,
    };
    (document, json!({ "id": form.value("id") }))
}

fn form(visit: &Visit, step: &'static str) -> Form {
    let (title, help) = (format!("webhooks-do-{step}"), format!("webhooks-do-{step}-help"));
    Form::new(step, visit.t(&title), visit.t(&help), 0)
}

fn field(visit: &Visit, kind: Kind, name: &str) -> Field {
    Field::new(kind, name, visit.t(&format!("webhooks-input-{name}")))
}
