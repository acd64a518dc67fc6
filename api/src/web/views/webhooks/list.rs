//! The endpoints, the forms for them, and the log of messages.

use super::forms::{self, choice, key_of};
use crate::web::views::conditions::{Conditions, argument_values, word};
use crate::web::views::form::Form;
use crate::web::views::sending::{Sent, run};
use crate::web::views::{paging, sending};
use crate::web::{Cell, Page, PageError, Posted, Problem, Table, Visit, nodes, text};
use actix_web::HttpResponse;
use jobs::notify::{EVENTS, TEST};
use serde_json::{Value, json};

const LIST: &str = include_str!("../../queries/webhooks-list.graphql");
const LOG: &str = include_str!("../../queries/webhooks-log.graphql");

/// Messages of a page.
const ROWS: u32 = 25;

pub async fn list(visit: Visit) -> HttpResponse {
    let page = load_page(&visit).await;
    visit.respond(page)
}

/// The handler of all forms. A new secret is only in the answer itself, not in an address that a redirect would name.
pub async fn change(posted: Posted) -> HttpResponse {
    let sent = changed(&posted).await;
    let done = format!("done-webhooks-{}", posted.field("step"));
    sending::answer(&posted.visit, sent, "/webhooks", &done)
}

async fn load_page(visit: &Visit) -> Result<Page, PageError> {
    let endpoints = endpoints(visit).await?;
    page(visit, &endpoints, &forms::all(visit, &endpoints), Vec::new()).await
}

async fn changed(posted: &Posted) -> Result<Option<Page>, PageError> {
    let visit = &posted.visit;
    let endpoints = endpoints(visit).await?;
    let mut forms = forms::all(visit, &endpoints);
    match run(posted, &mut forms, |form, _| forms::ask(form)).await? {
        Sent::Done(data) => Ok(secret(visit, &data)),
        Sent::Wrong(problems) => page(visit, &endpoints, &forms, problems).await.map(Some),
    }
}

async fn endpoints(visit: &Visit) -> Result<Vec<Value>, PageError> {
    let data = visit.query(LIST, json!({})).await?;
    Ok(data["notificationEndpoints"].as_array().cloned().unwrap_or_default())
}

/// The page of a new secret; None if the answer has none.
fn secret(visit: &Visit, data: &Value) -> Option<Page> {
    let answers = ["createNotificationEndpoint", "rotateWebhookSecret"].map(|mutation| &data[mutation]);
    let answer = answers.into_iter().find(|answer| answer["secret"].is_string())?;
    let page = Page::new("webhooks-secret.html", visit.t("webhooks-secret-title"))
        .with("secret", text(&answer["secret"]))
        .with("endpoint", text(&answer["endpoint"]["name"]))
        .with("address", text(&answer["endpoint"]["address"]))
        .with("until", answer["endpoint"]["rotatingUntil"].as_str());
    Some(page)
}

async fn page(
    visit: &Visit,
    endpoints: &[Value],
    forms: &[Form],
    mut problems: Vec<Problem>,
) -> Result<Page, PageError> {
    let conditions = Conditions::new(visit)
        .id(("endpoint", "webhooks-endpoint"), "endpointId")
        .at("event", &["event", "eq"])
        .moments("createdAt", "webhooks");
    let listed = conditions.ask(LOG, ROWS).await?;
    problems.extend(listed.problems);
    let log = &listed.data["notifications"];
    let (newer, older) = paging::links(visit, log);
    let choices: Vec<(String, String)> = endpoints.iter().map(choice).collect();
    let events = EVENTS.iter().chain([&TEST]).map(|event| ((*event).to_owned(), visit.t(&key_of(event))));
    Ok(Page::new("webhooks.html", visit.t("webhooks-title"))
        .table(of_endpoints(visit, endpoints))
        .table(messages(visit, endpoints, log))
        .with("total", log["totalCount"].as_u64())
        .with("choices", choices)
        .with("events", events.collect::<Vec<(String, String)>>())
        .with("given", argument_values(visit, &["endpoint", "event", "from", "until"]))
        .with("forms", forms)
        .with("newer", newer)
        .with("older", older)
        .problems(problems))
}

fn of_endpoints(visit: &Visit, endpoints: &[Value]) -> Table {
    let columns = ["name", "address", "channel", "events", "state", "created", "by"];
    let columns = columns.map(|column| visit.t(&format!("webhooks-{column}")));
    let rows = endpoints.iter().map(|endpoint| {
        let events = endpoint["events"].as_array().into_iter().flatten().map(|event| visit.t(&key_of(text(event))));
        let is_disabled = endpoint["disabledAt"].is_string();
        let state = Cell::text(state(visit, endpoint));
        vec![
            Cell::link(text(&endpoint["name"]), format!("/webhooks?endpoint={}", text(&endpoint["id"]))),
            Cell::text(text(&endpoint["address"])),
            Cell::text(word(visit, "webhooks-channel", &endpoint["channel"])),
            Cell::text(events.collect::<Vec<_>>().join(", ")),
            if is_disabled { state.marked("mark-late") } else { state },
            visit.time_cell(&endpoint["createdAt"]),
            Cell::text(text(&endpoint["createdBy"])),
        ]
    });
    Table::new("endpoints", visit.t("webhooks-caption"), &columns, rows)
}

/// Whether an endpoint gets messages, and by which secrets they are signed.
fn state(visit: &Visit, endpoint: &Value) -> String {
    if endpoint["disabledAt"].is_string() {
        let (since, why) = (visit.time(&endpoint["disabledAt"]), text(&endpoint["disabledReason"]));
        return visit.t_with("webhooks-disabled", &[("since", since.into()), ("why", why.into())]);
    }
    match endpoint["rotatingUntil"].is_string() {
        true => {
            let until = visit.time(&endpoint["rotatingUntil"]);
            visit.t_with("webhooks-rotating", &[("until", until.into())])
        }
        false => visit.t("webhooks-enabled"),
    }
}

fn messages(visit: &Visit, endpoints: &[Value], log: &Value) -> Table {
    let columns = ["made", "endpoint", "event", "delivery", "attempts", "next", "sent", "status", "error"];
    let columns = columns.map(|column| visit.t(&format!("webhooks-{column}")));
    let rows = nodes(log).map(|message| {
        let endpoint = endpoints.iter().find(|endpoint| endpoint["id"] == message["endpointId"]);
        let attempts = message["attempts"].as_f64().unwrap_or_default();
        let state = Cell::text(word(visit, "webhooks-delivery", &message["state"]));
        vec![
            visit.time_cell(&message["createdAt"]),
            Cell::text(endpoint.map(|endpoint| text(&endpoint["name"])).unwrap_or_default()),
            Cell::text(visit.t(&key_of(text(&message["event"])))),
            if message["state"] == "FAILED" { state.marked("mark-late") } else { state },
            Cell::number(attempts, visit.number(attempts, 0)),
            visit.time_cell(&message["nextAttemptAt"]),
            visit.time_cell(&message["sentAt"]),
            // A status is a name: it is written without separators.
            Cell::text(message["status"].as_i64().map(|status| status.to_string()).unwrap_or_default()),
            Cell::english(text(&message["error"])),
        ]
    });
    Table::new("messages", visit.t("webhooks-log"), &columns, rows)
}
