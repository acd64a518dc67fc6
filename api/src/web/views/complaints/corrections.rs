//! Corrections that heads of units proposed: the Board decides about them, heads withdraw their own.

use super::{code_and_name, options, word};
use crate::web::views::arguments::Arguments;
use crate::web::views::form::{Field, Form, Kind};
use crate::web::views::{paging, sending};
use crate::web::{Cell, Page, PageError, Posted, Problem, Table, Visit, nodes, text};
use actix_web::HttpResponse;
use schema::enums::CorrectionState;
use serde::Serialize;
use serde_json::{Value, json};

const LIST: &str = include_str!("../../queries/complaints-corrections.graphql");
const DECIDE: &str = include_str!("../../queries/complaints-do-decide.graphql");
const WITHDRAW: &str = include_str!("../../queries/complaints-do-withdraw-proposal.graphql");

/// The step of the form by which a head withdraws a proposal.
const WITHDRAWS: &str = "withdraw-proposal";
/// Proposals of a page.
const ROWS: u32 = 10;
/// The choice of all states; without a choice the list shows proposals that wait.
const ALL: &str = "ALL";

/// A proposal as the template shows it.
#[derive(Serialize)]
struct Shown {
    title: String,
    /// The address of the complaint; None if the reader may not see it any more.
    complaint: Option<String>,
    facts: Vec<(String, String)>,
    changes: Vec<(String, String)>,
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
        WITHDRAWS => "done-complaints-withdraw-proposal",
        _ => "done-complaints-decide",
    };
    Ok(visit.go_to("/complaints/corrections", Some(done)))
}

/// The mutation of a form and its input.
fn request(posted: &Posted, form: &Form, version: i64) -> (&'static str, Value) {
    let mut input = json!({
        "proposalId": posted.field("subject"), "expectedVersion": version, "reason": form.given("reason"),
    });
    match form.step {
        WITHDRAWS => (WITHDRAW, input),
        step => {
            input["accept"] = (step == "accept-proposal").into();
            (DECIDE, input)
        }
    }
}

async fn load(visit: &Visit) -> Result<Value, PageError> {
    if !visit.may("Query", "correctionProposals") {
        return Err(PageError::Forbidden);
    }
    let mut arguments = Arguments::new(visit);
    let mut variables = json!({ "filter": {} });
    let state = arguments.one_of(("state", "complaints-state"), &states(visit)).unwrap_or("PROPOSED");
    if state != ALL {
        variables["filter"]["state"] = json!({ "eq": state });
    }
    if let Some(complaint) = arguments.id(("complaint", "filters-id")) {
        variables["filter"]["complaintId"] = json!({ "eq": complaint });
    }
    arguments.check()?;
    paging::ask(visit, ROWS, &mut variables);
    visit.query(LIST, variables).await
}

/// The states by which the list can be filtered.
fn states(visit: &Visit) -> Vec<(&'static str, String)> {
    let mut states = options(visit, "proposal", CorrectionState::WORDS);
    states.push((ALL, visit.t("layout-all")));
    states
}

/// The proposals of a page, each with its forms.
fn all(visit: &Visit, data: &Value) -> Vec<Shown> {
    let shown = nodes(&data["correctionProposals"]).enumerate().map(|(index, one)| Shown {
        title: visit.t_with("complaints-proposal", &[("day", visit.date(&one["proposedAt"]).into())]),
        complaint: one["complaintId"].as_str().map(|id| format!("/complaints/{id}")),
        facts: facts(visit, one),
        changes: changes(visit, &one["correction"]),
        forms: forms(visit, index, one),
    });
    shown.collect()
}

fn facts(visit: &Visit, one: &Value) -> Vec<(String, String)> {
    let all = [
        ("state", word(visit, "proposal", &one["state"])),
        ("stateSince", visit.time(&one["stateSince"])),
        ("proposer", text(&one["actor"]).to_owned()),
        ("unit-of-head", code_and_name(visit, &one["unit"])),
        ("reason", text(&one["reason"]).to_owned()),
        ("decisionReason", text(&one["decisionReason"]).to_owned()),
    ];
    let told = all.into_iter().filter(|(_, value)| !value.is_empty());
    told.map(|(field, value)| (visit.t(&format!("complaints-field-{field}")), value)).collect()
}

/// The fields that can be corrected: the names of input fields of `proposeCorrection`, with their words where there are
/// some.
fn changes(visit: &Visit, correction: &Value) -> Vec<(String, String)> {
    const KNOWN: [&str; 10] = [
        "blamesSystem",
        "category",
        "confidential",
        "costVnd",
        "declarationNumber",
        "delayHours",
        "legalForm",
        "occurredAt",
        "taxCode",
        "unit",
    ];
    let shown = |value: &Value| match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let all = correction.as_object().into_iter().flatten();
    let told = all.map(|(name, value)| match KNOWN.contains(&name.as_str()) {
        true => (visit.t(&format!("complaints-input-{name}")), shown(value)),
        false => (name.clone(), shown(value)),
    });
    told.collect()
}

fn forms(visit: &Visit, index: usize, one: &Value) -> Vec<Form> {
    if one["state"] != "PROPOSED" {
        return Vec::new();
    }
    let form = |step: &'static str, requires_reason: bool| {
        let reason = Field::new(Kind::Area, "reason", visit.t("complaints-input-reason"));
        let reason = if requires_reason { reason.required() } else { reason };
        let (title, help) = (format!("complaints-do-{step}"), format!("complaints-do-{step}-help"));
        let version = one["version"].as_i64().unwrap_or_default();
        Form::new(step, visit.t(&title), visit.t(&help), version).for_subject(text(&one["id"]), index).fields([reason])
    };
    let mut forms = Vec::new();
    if visit.may("Mutation", "decideCorrection") {
        forms.extend([form("accept-proposal", false), form("refuse-proposal", true)]);
    }
    if visit.may("Mutation", "withdrawCorrection") {
        forms.push(form(WITHDRAWS, false));
    }
    forms
}

fn page(visit: &Visit, data: &Value, shown: Vec<Shown>, problems: Vec<Problem>) -> Page {
    let list = &data["correctionProposals"];
    let columns = ["proposedAt", "state", "unit-of-head", "reason", "changes", "decisionReason"]
        .map(|field| visit.t(&format!("complaints-field-{field}")));
    let rows = nodes(list).map(|one| {
        let changes = changes(visit, &one["correction"]).into_iter().map(|(name, value)| format!("{name}: {value}"));
        vec![
            visit.time_cell(&one["proposedAt"]),
            Cell::text(word(visit, "proposal", &one["state"])),
            Cell::text(code_and_name(visit, &one["unit"])),
            Cell::text(text(&one["reason"])),
            Cell::text(changes.collect::<Vec<_>>().join("\n")),
            Cell::text(text(&one["decisionReason"])),
        ]
    });
    let (newer, older) = paging::links(visit, list);
    Page::new("complaints-corrections.html", visit.t("complaints-corrections-title"))
        .table(Table::new("corrections", visit.t("complaints-corrections-title"), &columns, rows))
        .with("total", list["totalCount"].as_u64())
        .with("states", states(visit))
        .with("state", visit.argument("state").unwrap_or("PROPOSED"))
        .with("complaint", visit.argument("complaint").unwrap_or_default())
        .with("shown", shown)
        .with("action", visit.link(&[]))
        .with("newer", newer)
        .with("older", older)
        .problems(problems)
}
