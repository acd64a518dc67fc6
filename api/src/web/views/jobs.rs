//! Jobs: when each last succeeded and runs next, its runs, and starting and pausing by hand.

use super::conditions::{Conditions, argument_values, options, word};
use super::form::{Field, Form, Kind};
use super::{paging, sending};
use crate::web::{Cell, Page, PageError, Posted, Problem, Table, Visit, nodes, text};
use actix_web::HttpResponse;
use actix_web::web::{ServiceConfig, get, post};
use schema::enums::RunState;
use serde_json::{Value, json};

const JOBS: &str = include_str!("../queries/jobs-list.graphql");
const RUNS: &str = include_str!("../queries/jobs-runs.graphql");
const RUN: &str = include_str!("../queries/jobs-do-run.graphql");
const PAUSE: &str = include_str!("../queries/jobs-do-pause.graphql");
const RESUME: &str = include_str!("../queries/jobs-do-resume.graphql");

/// Runs of a page.
const ROWS: u32 = 25;

pub fn routes(config: &mut ServiceConfig) {
    config.route("/jobs", get().to(list)).route("/jobs", post().to(change));
}

async fn list(visit: Visit) -> HttpResponse {
    let page = load_page(&visit).await;
    visit.respond(page)
}

async fn change(posted: Posted) -> HttpResponse {
    let sent = changed(&posted).await;
    let done = format!("done-jobs-{}", posted.field("step"));
    sending::answer(&posted.visit, sent, "/jobs", &done)
}

async fn load_page(visit: &Visit) -> Result<Page, PageError> {
    let jobs = jobs(visit).await?;
    page(visit, &jobs, &forms(visit, &jobs), Vec::new()).await
}

async fn changed(posted: &Posted) -> Result<Option<Page>, PageError> {
    let visit = &posted.visit;
    let jobs = jobs(visit).await?;
    let mut forms = forms(visit, &jobs);
    let ask = |form: &Form, _: i64| {
        let document = match form.step {
            "run" => RUN,
            "pause" => PAUSE,
            _ => RESUME,
        };
        (document, Value::from(sending::input(form, &["name", "asOf", "reason"])))
    };
    let problems = sending::send(posted, &mut forms, ask).await?;
    match problems.is_empty() {
        true => Ok(None),
        false => page(visit, &jobs, &forms, problems).await.map(Some),
    }
}

async fn jobs(visit: &Visit) -> Result<Vec<Value>, PageError> {
    let data = visit.query(JOBS, json!({})).await?;
    Ok(data["jobs"].as_array().cloned().unwrap_or_default())
}

/// The forms for readers who may start and pause jobs.
fn forms(visit: &Visit, jobs: &[Value]) -> Vec<Form> {
    let form = |step: &'static str| {
        let (title, help) = (format!("jobs-do-{step}"), format!("jobs-do-{step}-help"));
        Form::new(step, visit.t(&title), visit.t(&help), 0)
    };
    let field = |kind, name: &str| Field::new(kind, name, visit.t(&format!("jobs-input-{name}")));
    let choice = |of: &dyn Fn(&Value) -> bool| {
        let names = jobs.iter().filter(|job| of(job)).map(|job| text(&job["name"]).to_owned());
        let none = std::iter::once((String::new(), "—".to_owned()));
        field(Kind::Choice, "name").options(none.chain(names.map(|name| (name.clone(), name)))).required()
    };
    let mut forms = Vec::new();
    if visit.may("Mutation", "runJob") {
        let day = field(Kind::Date, "asOf").help(visit.t("jobs-input-asOf-help"));
        forms.push(form("run").fields([choice(&|_| true), day]));
    }
    if visit.may("Mutation", "pauseJob") {
        let runs = |job: &Value| job["pausedAt"].is_null();
        forms.push(form("pause").fields([choice(&runs), field(Kind::Text, "reason")]));
    }
    if visit.may("Mutation", "resumeJob") && jobs.iter().any(|job| job["pausedAt"].is_string()) {
        forms.push(form("resume").fields([choice(&|job| job["pausedAt"].is_string())]));
    }
    forms
}

async fn page(visit: &Visit, jobs: &[Value], forms: &[Form], mut problems: Vec<Problem>) -> Result<Page, PageError> {
    let conditions = Conditions::new(visit)
        .at("job", &["job", "eq"])
        .word(("state", "jobs-state"), "state", RunState::WORDS, "jobs-state")
        .moments("startedAt", "jobs");
    let listed = conditions.ask(RUNS, ROWS).await?;
    problems.extend(listed.problems);
    let list = &listed.data["jobRuns"];
    let (newer, older) = paging::links(visit, list);
    let names: Vec<(&str, &str)> = jobs.iter().map(|job| (text(&job["name"]), text(&job["name"]))).collect();
    Ok(Page::new("jobs.html", visit.t("jobs-title"))
        .table(plans(visit, jobs))
        .table(runs(visit, list))
        .with("total", list["totalCount"].as_u64())
        .with("names", names)
        .with("states", options(visit, "jobs-state", RunState::WORDS))
        .with("given", argument_values(visit, &["job", "state", "from", "until"]))
        .with("forms", forms)
        .with("newer", newer)
        .with("older", older)
        .problems(problems))
}

/// The jobs with their purposes and times.
fn plans(visit: &Visit, jobs: &[Value]) -> Table {
    let columns = ["job", "now", "last-success", "next", "schedule", "about"];
    let columns = columns.map(|column| visit.t(&format!("jobs-{column}")));
    let rows = jobs.iter().map(|job| {
        let name = text(&job["name"]);
        // The API describes a job in English.
        let about = visit.t_if_known(&format!("jobs-about-{name}")).unwrap_or_else(|| text(&job["about"]).to_owned());
        let last = visit.time_cell(&job["lastSuccess"]["finishedAt"]);
        let last = match last.text.is_empty() {
            true => Cell::text(visit.t("jobs-never")).marked("mark-late"),
            false => last,
        };
        vec![
            Cell::link(name, format!("/jobs?job={name}")),
            Cell::text(now(visit, job)),
            last,
            visit.time_cell(&job["next"]),
            Cell::text(format!("{} ({})", text(&job["schedule"]), text(&job["timezone"]))),
            Cell::text(about),
        ]
    });
    Table::new("jobs", visit.t("jobs-caption"), &columns, rows)
}

/// The state of a job: it runs, is paused, is switched off, or waits for its time.
fn now(visit: &Visit, job: &Value) -> String {
    if let Some(node) = job["runningOn"].as_str() {
        return visit.t_with("jobs-running-on", &[("node", node.into())]);
    }
    if job["pausedAt"].is_string() {
        let (since, by) = (visit.time(&job["pausedAt"]), text(&job["pausedBy"]));
        let paused = visit.t_with("jobs-paused", &[("since", since.into()), ("by", by.into())]);
        return match job["pauseReason"].as_str() {
            Some(reason) => format!("{paused} {reason}"),
            None => paused,
        };
    }
    visit.t(if job["enabled"] == true { "jobs-waits" } else { "jobs-disabled" })
}

fn runs(visit: &Visit, list: &Value) -> Table {
    let columns = ["started", "job", "state", "origin", "attempt", "day", "finished", "retry", "error"];
    let columns = columns.map(|column| visit.t(&format!("jobs-{column}")));
    let rows = nodes(list).map(|run| {
        let attempt = run["attempt"].as_f64().unwrap_or_default();
        let state = Cell::text(word(visit, "jobs-state", &run["state"]));
        vec![
            visit.time_cell(&run["startedAt"]),
            Cell::text(text(&run["job"])),
            if run["state"] == "FAILED" { state.marked("mark-late") } else { state },
            Cell::text(word(visit, "jobs-origin", &run["origin"])),
            Cell::number(attempt, visit.number(attempt, 0)),
            visit.day_cell(&run["asOf"]),
            visit.time_cell(&run["finishedAt"]),
            visit.time_cell(&run["retryAt"]),
            Cell::english(text(&run["error"])),
        ]
    });
    Table::new("runs", visit.t("jobs-runs"), &columns, rows)
}
