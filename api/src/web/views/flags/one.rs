//! Shows one flag: its sentences, numbers, evidence and decisions, and the forms of further decisions.

use super::evidence::{EVIDENCE, enterprise_with, episode_days, episodes, evidence, offer_without, table};
use super::left_out::{left_out, offers};
use super::numbers::{days_of_rule, enterprises, main_window, sentence, windows, without};
use super::pictures::{limits, time_line};
use super::subject;
use crate::web::address::address;
use crate::web::views::conditions::word;
use crate::web::{Cell, Page, PageError, Problem, Table, Visit, name, text};
use actix_web::HttpResponse;
use schema::enums::Locale;
use serde_json::{Value, json};

/// Query for roles that read decisions and runs.
const WHOLE: &str = include_str!("../../queries/flags-one-board.graphql");
/// Query for roles that do not.
const PART: &str = include_str!("../../queries/flags-one-head.graphql");
const MEASURES: &str = include_str!("../../queries/flags-measures.graphql");
const DERIVED: &str = include_str!("../../queries/flags-derived.graphql");

/// Complaints of the evidence that a page shows, the latest first.
const COMPLAINTS: u32 = 200;

/// The values of a form that was refused: the page shows them again.
#[derive(Debug, Default)]
pub struct Refused {
    pub problems: Vec<Problem>,
    pub reason: String,
    pub notified_on: String,
    pub explanation: String,
}

pub async fn one(visit: Visit) -> HttpResponse {
    let page = page(&visit, Refused::default()).await;
    visit.respond(page)
}

/// Asks for the flag of the address.
///
/// # Errors
/// `NotFound` if it does not exist or the reader may not see it; else the errors of the question.
async fn ask(visit: &Visit) -> Result<Value, PageError> {
    let document = if visit.may("Flag", "reviews") { WHOLE } else { PART };
    let mut data = match visit.query(document, json!({ "id": visit.part("id") })).await {
        Ok(data) => data,
        // A value that is not an id.
        Err(PageError::Refused(_)) => return Err(PageError::NotFound),
        Err(error) => return Err(error),
    };
    match data["flag"].take() {
        Value::Null => Err(PageError::NotFound),
        flag => Ok(flag),
    }
}

/// The page of the flag of the address.
///
/// # Errors
/// The errors of its questions.
pub async fn page(visit: &Visit, refused: Refused) -> Result<Page, PageError> {
    let flag = ask(visit).await?;
    let subject = subject(visit, &flag);
    let officer = flag["officer"]["code"].as_str();
    let ids = flag["evidenceIds"].as_array().map(Vec::as_slice).unwrap_or_default();
    let new: Vec<&str> = flag["newEvidenceIds"].as_array().into_iter().flatten().map(text).collect();
    let most = COMPLAINTS.min(visit.service.settings.limits(Some(visit.role())).page_size);
    // The questions do not depend on one another.
    let (found, measures, derived) = tokio::try_join!(
        async {
            match ids.is_empty() {
                true => Ok(Value::Null),
                false => visit.query(EVIDENCE, json!({ "ids": ids, "first": most })).await,
            }
        },
        async {
            match officer {
                Some(code) => visit.query(MEASURES, json!({ "officer": code })).await,
                None => Ok(Value::Null),
            }
        },
        derived(visit, &flag),
    )?;
    let mut complaints = evidence(visit, &found["complaints"], officer, &new);
    if offers(visit, &flag) {
        offer_without(visit, &mut complaints);
    }
    let episodes = episodes(&complaints, episode_days(&flag["run"]["rules"]));
    let numbers = &flag["numbers"];
    let window = main_window(numbers, days_of_rule(&flag["run"]["rules"], &flag["tier"]));
    let title = visit.t_with("flags-one-title", &[("subject", subject.as_str().into())]);
    let mut page = Page::new("flags-one.html", title);
    let (mut said, mut limits_of_it) = (None, None);
    if let Some(window) = window {
        said = Some(sentence(visit, &subject, window, officer.is_some()));
        limits_of_it = limits(visit, numbers, window)?;
        page = page.table(windows(visit, numbers)).table(enterprises(visit, window));
        let largest = window["adjusted"]["largest"].as_i64().and_then(|count| enterprise_with(&episodes, count));
        if let Some(table) = without(visit, window, largest) {
            page = page.table(table);
        }
    }
    let mut problems = refused.problems;
    let left_out = match left_out(visit, &flag, &complaints).await {
        Err(PageError::Refused(_)) => {
            problems.push(Problem::of_form(visit.t("flags-left-out-unknown")));
            None
        }
        found => found?,
    };
    let (said_without, chosen) = left_out.unzip();
    if let Some(table) = chosen.flatten() {
        page = page.table(table);
    }
    let time_line = time_line(visit, &flag, &subject, &episodes, &measures["measures"])?;
    let reason = if visit.locale() == Locale::En { &flag["reasonEn"] } else { &flag["reasonVi"] };
    Ok(page
        .table(table(visit, &complaints))
        .table(reviews(visit, &flag))
        .with("facts", facts(visit, &flag))
        .with("sentence", said)
        .with("reason", reason.as_str())
        .with("unadjusted", numbers["unadjusted"].as_bool().unwrap_or(false))
        .with("limits", limits_of_it)
        .with("left_out", said_without)
        .with("time_line", time_line)
        .with("hidden", ids.len().saturating_sub(complaints.len()))
        .with("complaints", &complaints)
        .with("explanations", explanations(visit, &flag))
        .with("run", run(visit, &flag))
        .with("derives", derives(visit))
        .with("derived", derived)
        .with("steps", steps(visit, &flag))
        .with("explains", visit.may("Mutation", "recordExplanation") && officer.is_some() && waits(&flag))
        .with("is_officer", officer.is_some())
        .with("measure", measure_form(visit, &flag))
        .with("address", format!("/flags/{}", text(&flag["id"])))
        .with("run_id", text(&flag["runId"]))
        .with("given_reason", refused.reason)
        .with("given_day", refused.notified_on)
        .with("given_explanation", refused.explanation)
        .problems(problems))
}

/// Whether a flag waits for a decision.
fn waits(flag: &Value) -> bool {
    matches!(flag["state"].as_str(), Some("OPEN" | "ACKNOWLEDGED" | "UNDER_REVIEW"))
}

/// The form for a measure about the officer that rests on the flag; None for a role that records none, and for a flag
/// that has ended.
fn measure_form(visit: &Visit, flag: &Value) -> Option<String> {
    let is_current = waits(flag) || flag["state"] == "UPHELD";
    let officer = flag["officer"]["code"].as_str().filter(|_| is_current && visit.may("Mutation", "recordMeasure"))?;
    Some(format!("{}#do-record", address("/measures", [("officer", officer), ("flag", text(&flag["id"]))])))
}

/// The properties of the flag: pairs of names and values.
fn facts(visit: &Visit, flag: &Value) -> Vec<(String, String)> {
    let mut all = vec![
        ("tier", word(visit, "tier", &flag["tier"])),
        ("proposed", word(visit, "flags-proposed", &flag["proposed"])),
        ("state", word(visit, "flag-state", &flag["state"])),
        ("opened", visit.date(&flag["openedAt"])),
        ("changed", visit.date(&flag["changedAt"])),
        ("rank", text(&flag["officer"]["rank"]).to_owned()),
    ];
    // The postings are ordered by time: the last one is the present one, or the latest.
    if let Some(posting) = flag["officer"]["postings"].as_array().and_then(|all| all.last()) {
        all.push(("posting", name(&posting["unit"], visit.locale()).to_owned()));
    }
    all.retain(|(_, value)| !value.is_empty());
    all.into_iter().map(|(key, value)| (visit.t(&format!("flags-{key}")), value)).collect()
}

fn reviews(visit: &Visit, flag: &Value) -> Table {
    let columns = ["decided", "actor", "from-state", "to-state", "reason", "notified", "explanation"];
    let columns = columns.map(|column| visit.t(&format!("flags-{column}")));
    let rows = flag["reviews"].as_array().into_iter().flatten().map(|review| {
        vec![
            visit.time_cell(&review["reviewedAt"]),
            Cell::text(text(&review["actor"])),
            Cell::text(word(visit, "flag-state", &review["fromState"])),
            Cell::text(word(visit, "flag-state", &review["toState"])),
            Cell::text(text(&review["reason"])),
            visit.day_cell(&review["notifiedOn"]),
            Cell::text(text(&review["explanation"])),
        ]
    });
    Table::new("reviews", visit.t("flags-reviews"), &columns, rows)
}

/// The explanation of the officer: the day of the notice, the words, and when they were recorded.
fn explanations(visit: &Visit, flag: &Value) -> Vec<(String, String, String)> {
    let all = flag["explanations"].as_array().into_iter().flatten();
    all.map(|one| {
        (visit.date(&one["notifiedOn"]), text(&one["explanation"]).to_owned(), visit.time(&one["recordedAt"]))
    })
    .collect()
}

/// The run that found the flag; None for a reader who may not read runs.
fn run(visit: &Visit, flag: &Value) -> Option<Value> {
    let run = flag.get("run").filter(|run| !run.is_null())?;
    Some(json!({
        "asOf": visit.date(&run["asOf"]),
        "startedAt": visit.time(&run["startedAt"]),
        "position": run["knownAt"].as_f64().map(|position| visit.number(position, 0)),
        "codeVersion": run["codeVersion"],
        "hash": run["hash"],
        "rules": serde_json::to_string_pretty(&run["rules"]).unwrap_or_default(),
        "command": format!("phananh flags reproduce {}", text(&run["id"])),
    }))
}

/// Whether the reader may have the run derived again. It counts complaints that name an officer.
fn derives(visit: &Visit) -> bool {
    visit.may("Query", "runReproduction") && !visit.session.viewer.is_an_officer()
}

/// The run derived again, if the address asks for it.
///
/// # Errors
/// The errors of the question.
async fn derived(visit: &Visit, flag: &Value) -> Result<Option<Value>, PageError> {
    if visit.argument("derive").is_none() || !derives(visit) {
        return Ok(None);
    }
    let mut data = visit.query(DERIVED, json!({ "id": flag["runId"] })).await?;
    Ok(Some(data["runReproduction"].take()).filter(|derived| !derived.is_null()))
}

/// The decisions that the reader may record: the next states, without those that need grounds, and whether the flag
/// can be decided.
fn steps(visit: &Visit, flag: &Value) -> Option<Vec<&'static str>> {
    if !visit.may("Mutation", "reviewFlag") || !waits(flag) {
        return None;
    }
    Some(match flag["state"].as_str() {
        Some("OPEN") => vec!["ACKNOWLEDGED", "UNDER_REVIEW"],
        Some("ACKNOWLEDGED") => vec!["UNDER_REVIEW"],
        _ => Vec::new(),
    })
}
