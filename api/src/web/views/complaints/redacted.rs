//! Confidential complaints as a unit reads them: the text that the Board redacted. Heads answer and transfer them here.

use super::{code_and_name, options};
use crate::web::views::arguments::Arguments;
use crate::web::views::form::{Field, Form, Kind};
use crate::web::views::{paging, sending};
use crate::web::{Cell, Page, PageError, Posted, Problem, Table, Visit, nodes, text};
use actix_web::HttpResponse;
use schema::enums::{ComplaintState, ResponseAction, ResponseVisibility};
use serde::Serialize;
use serde_json::{Value, json};

const LIST: &str = include_str!("../../queries/complaints-redacted.graphql");
const RESPOND: &str = include_str!("../../queries/complaints-do-respond-redacted.graphql");
const TRANSFER: &str = include_str!("../../queries/complaints-do-transfer-redacted.graphql");

/// The step of the form by which a head transfers a complaint.
const TRANSFERS: &str = "transfer";
/// Complaints of a page.
const ROWS: u32 = 10;
/// The word of an address for the states in which a complaint waits for an answer.
const WAITING: &str = "waiting";
const WAITING_STATES: [&str; 3] = ["RECEIVED", "CLASSIFIED", "ASSIGNED"];

/// A complaint as the template shows it.
#[derive(Serialize)]
struct Shown {
    pseudonym: String,
    facts: Vec<(String, String)>,
    is_late: bool,
    text: String,
    forms: Vec<Form>,
}

pub async fn list(visit: Visit) -> HttpResponse {
    let shown = match load(&visit).await {
        Ok(data) => Ok(page(&visit, &data, all(&visit, &data), Vec::new())),
        Err(PageError::Refused(problems)) => Ok(page(&visit, &Value::Null, Vec::new(), problems)),
        Err(error) => Err(error),
    };
    visit.respond(shown)
}

pub async fn change(posted: Posted) -> HttpResponse {
    posted.respond(attempt(&posted).await)
}

async fn attempt(posted: &Posted) -> Result<HttpResponse, PageError> {
    let visit = &posted.visit;
    let data = load(visit).await?;
    let mut shown = all(visit, &data);
    let forms = shown.iter_mut().flat_map(|one| &mut one.forms);
    let problems = sending::send(posted, forms, |form, version| request(posted, form, version)).await?;
    if !problems.is_empty() {
        return Ok(visit.respond(Ok(page(visit, &data, shown, problems))));
    }
    let done = match posted.field("step") {
        TRANSFERS => "done-complaints-transfer",
        _ => "done-complaints-respond",
    };
    Ok(visit.go_to("/complaints/redacted", Some(done)))
}

/// The mutation of a form and its input.
fn request(posted: &Posted, form: &Form, version: i64) -> (&'static str, Value) {
    let mut input = json!({ "pseudonym": posted.field("subject"), "expectedVersion": version });
    if form.step == TRANSFERS {
        (input["unit"], input["reason"]) = (form.value("unit").into(), form.value("reason").into());
        return (TRANSFER, input);
    }
    (input["action"], input["text"]) = (form.value("action").into(), form.value("text").into());
    (input["outcome"], input["visibility"]) = (form.given("outcome").into(), form.value("visibility").into());
    (RESPOND, input)
}

async fn load(visit: &Visit) -> Result<Value, PageError> {
    if !visit.may("Query", "redactedComplaints") {
        return Err(PageError::Forbidden);
    }
    let mut arguments = Arguments::new(visit);
    let mut variables = json!({ "filter": {} });
    match arguments.one_of(("state", "complaints-state"), &states(visit)) {
        Some(WAITING) => variables["filter"]["state"] = json!({ "in": WAITING_STATES }),
        Some(state) => variables["filter"]["state"] = json!({ "eq": state }),
        None => {}
    }
    arguments.check()?;
    if let Some(unit) = visit.argument("unit") {
        variables["filter"]["unit"] = json!({ "within": unit });
    }
    paging::ask(visit, ROWS, &mut variables);
    match visit.query(LIST, variables).await {
        // The role may ask this: the server has no key file for pseudonyms.
        Err(PageError::Forbidden) => {
            Err(PageError::Refused(vec![Problem::of_form(visit.t("complaints-redacted-no-key"))]))
        }
        answer => answer,
    }
}

/// The states by which the list can be filtered.
fn states(visit: &Visit) -> Vec<(&'static str, String)> {
    let all = ComplaintState::WORDS.iter().map(|word| (*word, visit.t(&format!("state-{word}"))));
    std::iter::once((WAITING, visit.t("complaints-waiting"))).chain(all).collect()
}

/// The complaints of a page, each with its forms.
fn all(visit: &Visit, data: &Value) -> Vec<Shown> {
    let shown = nodes(&data["redactedComplaints"]).enumerate().map(|(index, one)| Shown {
        pseudonym: text(&one["pseudonym"]).to_owned(),
        facts: facts(visit, one),
        is_late: one["overdue"] == true,
        text: text(&one["text"]).to_owned(),
        forms: forms(visit, index, one),
    });
    shown.collect()
}

fn facts(visit: &Visit, one: &Value) -> Vec<(String, String)> {
    let all = [
        ("month", text(&one["month"]).to_owned()),
        ("state", visit.t(&format!("state-{}", text(&one["state"])))),
        ("unit", code_and_name(visit, &one["unit"])),
        ("responsibleUnit", code_and_name(visit, &one["responsibleUnit"])),
        ("category", code_and_name(visit, &one["category"])),
    ];
    let told = all.into_iter().filter(|(_, value)| !value.is_empty());
    told.map(|(field, value)| (visit.t(&format!("complaints-field-{field}")), value)).collect()
}

fn forms(visit: &Visit, index: usize, one: &Value) -> Vec<Form> {
    let (state, pseudonym) = (text(&one["state"]), text(&one["pseudonym"]));
    let waits = WAITING_STATES.contains(&state);
    let field = |kind: Kind, name: &str| Field::new(kind, name, visit.t(&format!("complaints-input-{name}")));
    let choice = |name: &str, values: &[&str]| {
        let values = options(visit, name, values).into_iter().map(|(value, words)| (value.to_owned(), words));
        field(Kind::Choice, name).options(values)
    };
    let form = |step: &'static str, fields: Vec<Field>| {
        let (title, help) = (format!("complaints-do-{step}"), format!("complaints-do-{step}-help"));
        let version = one["version"].as_i64().unwrap_or_default();
        Form::new(step, visit.t(&title), visit.t(&help), version).for_subject(pseudonym, index).fields(fields)
    };
    let mut forms = Vec::new();
    if visit.may("Mutation", "respondToRedactedComplaint") && (waits || state == "ANSWERED") {
        let fields = vec![
            choice("action", ResponseAction::WORDS).value("EXPLANATION"),
            field(Kind::Area, "text").required(),
            field(Kind::Text, "outcome"),
            choice("visibility", ResponseVisibility::WORDS).value("COMPLAINANT"),
        ];
        forms.push(form("respond", fields));
    }
    if visit.may("Mutation", "transferRedactedComplaint") && waits {
        let fields = vec![field(Kind::Text, "unit").required(), field(Kind::Area, "reason").required()];
        forms.push(form(TRANSFERS, fields));
    }
    forms
}

fn page(visit: &Visit, data: &Value, shown: Vec<Shown>, problems: Vec<Problem>) -> Page {
    let list = &data["redactedComplaints"];
    let columns = ["pseudonym", "month", "state", "unit", "responsibleUnit", "category", "text"]
        .map(|field| visit.t(&format!("complaints-field-{field}")));
    let rows = nodes(list).map(|one| {
        vec![
            Cell::text(text(&one["pseudonym"])),
            Cell::text(text(&one["month"])),
            Cell::text(visit.t(&format!("state-{}", text(&one["state"])))),
            Cell::text(code_and_name(visit, &one["unit"])),
            Cell::text(code_and_name(visit, &one["responsibleUnit"])),
            Cell::text(code_and_name(visit, &one["category"])),
            Cell::text(text(&one["text"])),
        ]
    });
    let (newer, older) = paging::links(visit, list);
    Page::new("complaints-redacted.html", visit.t("complaints-redacted-title"))
        .table(Table::new("redacted", visit.t("complaints-redacted-title"), &columns, rows))
        .with("total", list["totalCount"].as_u64())
        .with("states", states(visit))
        .with("state", visit.argument("state").unwrap_or_default())
        .with("unit", visit.argument("unit").unwrap_or_default())
        .with("shown", shown)
        .with("action", visit.link(&[]))
        .with("newer", newer)
        .with("older", older)
        .problems(problems)
}
