//! The command `jobs`: runs, lists, pauses and resumes jobs.

use super::lacks::{monthly, report};
use super::output::{Output, print_note, table};
use anyhow::Context as _;
use chrono::NaiveDate;
use jobs::analyses::recurrence::Rules;
use jobs::flags;
use jobs::runner::job::{Context, Job};
use jobs::runner::ledger::{self, Pause};
use jobs::runner::settings::Settings;
use jobs::scheduled::REGISTRY;
use schema::domain::calendar::{FIRST_DAY, LAST_DAY, is_sensible, local_date};
use schema::domain::inert;
use schema::models::{Job as JobRow, JobRun};
use schema::{Db, Timestamp};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// The longest reason of a pause, in characters.
const LONGEST_REASON: usize = 500;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Run a job now
    Run {
        /// Name of the job: `phananh jobs list` shows them
        name: String,
        /// Day to run for [default: yesterday]
        #[arg(long, value_name = "DATE", value_parser = day)]
        as_of: Option<NaiveDate>,
        /// Rules of the job recurrence other than the defaults, which are in docs/rules.toml
        #[arg(long, value_name = "RULES.toml")]
        rules: Option<PathBuf>,
    },
    /// List the jobs and when they run
    List,
    /// List the runs, newest first
    History {
        /// Only runs of this job
        #[arg(long, value_name = "NAME")]
        job: Option<String>,
        /// Maximum number of runs
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=1_000_000))]
        limit: i64,
    },
    /// Stop the scheduled runs of a job
    Pause {
        /// Name of the job
        name: String,
        /// Why: `jobs list` shows it
        #[arg(long)]
        reason: Option<String>,
    },
    /// Start the scheduled runs of a paused job again
    Resume {
        /// Name of the job
        name: String,
    },
}

/// Runs `phananh jobs`.
///
/// # Errors
/// If there is no such job, an argument is refused, the run fails, or the database or the output fails.
pub fn run(db: &Db, settings: &Settings, command: &Command, out: &Output) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run { name, as_of, rules } => {
            let job = job_named(name)?;
            anyhow::ensure!(
                rules.is_none() || name == jobs::results::recurrence::NAME,
                "--rules are those of the job {}: leave --rules out",
                jobs::results::recurrence::NAME
            );
            let rules = rules.as_deref().map(Rules::load).transpose()?;
            let as_of = as_of.map_or_else(yesterday, Ok)?;
            let today = local_date(Timestamp::now());
            anyhow::ensure!(as_of <= today, "{as_of} is in the future: take a day up to today, {today}");
            let context = Context { db, settings, jobs: REGISTRY, snapshots: None, rules: rules.as_ref(), stop: None };
            // Release the lease, so that the next run need not wait for it to expire.
            let interrupted = db.clone();
            ctrlc::set_handler(move || {
                let given_up = ledger::give_up(&interrupted);
                print_note(if given_up.is_ok() { "interrupted: nothing was written" } else { "interrupted" });
                std::process::exit(130);
            })?;
            let run = ledger::run_now(&context, job, as_of)?;
            let mut lines = vec![text(&run)];
            if let Some(found) = db.read(|conn| flags::document_of_run(conn, run.id))? {
                lines.extend((!found.lacks.is_empty()).then(|| report(&found.available, &found.lacks)));
                lines.extend(monthly(&found.monthly));
            }
            out.print(&document(&run), |_| lines.join("\n"))?;
        }
        Command::List => list(db, settings, out)?,
        Command::History { job, limit } => {
            let job = job.as_deref().map(|name| job_named(name).map(Job::name)).transpose()?;
            let runs = db.read(|conn| ledger::history(conn, job, *limit))?;
            let documents: Vec<Value> = runs.iter().map(document).collect();
            out.print(&documents, |_| {
                let header = ["RUN", "JOB", "SCHEDULED", "STARTED", "STATE", "TRY", "AS OF", "KNOWN AT", "RESULT"];
                table(&header, runs.iter().map(history_row))
            })?;
        }
        Command::Pause { name, reason } => {
            let reason = reason.as_deref().map(|reason| inert::name("the reason", reason, LONGEST_REASON));
            let reason = reason.transpose().map_err(anyhow::Error::msg)?;
            let row = ledger::set_paused(db, job_named(name)?.name(), Some(Pause { by: "cli", reason }))?;
            let paused = json!({ "name": name, "pausedAt": row.paused_at, "reason": row.pause_reason });
            out.print(&paused, |_| format!("{name} is paused: `phananh jobs resume {name}` starts it again"))?;
        }
        Command::Resume { name } => {
            let row = ledger::set_paused(db, job_named(name)?.name(), None)?;
            out.print(&json!({ "name": name, "pausedAt": row.paused_at }), |_| format!("{name} is scheduled again"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn job_named(name: &str) -> anyhow::Result<&'static dyn Job> {
    REGISTRY.find(name).with_context(|| format!("there is no job {name:?}: `phananh jobs list` names them"))
}

/// The default day of runs.
///
/// # Errors
/// If the clock shows the first day of the calendar.
pub fn yesterday() -> anyhow::Result<NaiveDate> {
    local_date(Timestamp::now()).pred_opt().context("there is no yesterday")
}

fn list(db: &Db, settings: &Settings, out: &Output) -> anyhow::Result<()> {
    let states = db.read(ledger::states)?;
    let now = Timestamp::now();
    let mut documents = Vec::new();
    for job in REGISTRY.iter() {
        let plan = settings.plan(job).map_err(anyhow::Error::msg)?;
        let state: Option<&JobRow> = states.iter().find(|state| state.job == job.name());
        let running = state.filter(|state| state.lease_until.is_some_and(|until| until > now));
        let paused_at = state.and_then(|state| state.paused_at);
        let next = (plan.enabled && paused_at.is_none()).then(|| plan.schedule.next_after(now)).flatten();
        documents.push(json!({
            "name": job.name(),
            "about": job.about(),
            "enabled": plan.enabled,
            "schedule": plan.schedule.expression(),
            "timezone": plan.schedule.zone().name(),
            "missed": plan.missed,
            "pausedAt": paused_at,
            "pausedBy": state.and_then(|state| state.paused_by.clone()),
            "pauseReason": state.and_then(|state| state.pause_reason.clone()),
            "next": next,
            "runningOn": running.and_then(|state| state.node.clone()),
        }));
    }
    out.print(&documents, |documents| {
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        table(
            &["JOB", "SCHEDULE", "ZONE", "MISSED", "NEXT", "ABOUT"],
            documents.iter().map(|job| {
                let next = match (&job["enabled"], &job["pausedAt"], &job["runningOn"]) {
                    (_, _, Value::String(node)) => format!("running on {node}"),
                    (Value::Bool(false), _, _) => "disabled".to_owned(),
                    (_, Value::String(_), _) => match &job["pauseReason"] {
                        Value::String(reason) => format!("paused: {reason}"),
                        _ => "paused".to_owned(),
                    },
                    _ => word(&job["next"]),
                };
                vec![
                    word(&job["name"]),
                    word(&job["schedule"]),
                    word(&job["timezone"]),
                    word(&job["missed"]),
                    next,
                    word(&job["about"]),
                ]
            }),
        )
    })
}

/// The summary of a run as text.
fn in_words(summary: &Value) -> String {
    match summary {
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Array(parts) => parts.iter().map(in_words).collect::<Vec<_>>().join(" and "),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| format!("{} {}", spaced(name), in_words(value)))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

/// A camel-case JSON name as words: `newlyEscalated` is "newly escalated".
fn spaced(name: &str) -> String {
    name.chars().fold(String::new(), |mut words, letter| {
        if letter.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
        words
    })
}

fn history_row(run: &JobRun) -> Vec<String> {
    let time = |at: Timestamp| at.utc().format("%Y-%m-%d %H:%M:%SZ").to_string();
    let summary = run.summary.as_ref().map(|summary| in_words(&summary.0));
    vec![
        run.id.to_string(),
        run.job.clone(),
        time(run.scheduled_at),
        time(run.started_at),
        run.state.to_string(),
        run.attempt.to_string(),
        run.as_of.map(|day| day.to_string()).unwrap_or_default(),
        run.known_at.map(|position| position.to_string()).unwrap_or_default(),
        run.error.clone().or_else(|| run.result_hash.clone()).or(summary).unwrap_or_default(),
    ]
}

/// Parses a day of the command line.
///
/// # Errors
/// If the text is not a date, or not within the range of the register.
pub fn day(text: &str) -> Result<NaiveDate, String> {
    let day = text.parse().map_err(|_| format!("{text:?} is not a date: write it as 2010-12-31"))?;
    match is_sensible(day) {
        true => Ok(day),
        false => Err(format!("{text} is out of range: write a day from {FIRST_DAY} to {LAST_DAY}")),
    }
}

fn document(run: &JobRun) -> Value {
    json!({
        "run": run.id,
        "job": run.job,
        "state": run.state,
        "origin": run.origin,
        "attempt": run.attempt,
        "node": run.node,
        "scheduledAt": run.scheduled_at,
        "retryAt": run.retry_at,
        "startedAt": run.started_at,
        "finishedAt": run.finished_at,
        "asOf": run.as_of,
        "knownAt": run.known_at,
        "rulesVersion": run.rules_version,
        "codeVersion": run.code_version,
        "inputHash": run.input_hash,
        "outputHash": run.output_hash,
        "hash": run.result_hash,
        "summary": run.summary,
        "error": run.error,
    })
}

fn text(run: &JobRun) -> String {
    let summary = run.summary.as_ref().map(|summary| &summary.0).unwrap_or(&Value::Null);
    let as_of = run.as_of.map(|day| day.to_string()).unwrap_or_default();
    if run.job != jobs::results::recurrence::NAME {
        return format!("run {} of {} as of {as_of}: {}", run.id, run.job, in_words(summary));
    }
    let back = match summary["looksBack"].as_bool() {
        Some(true) => format!(
            "\na run for a later day exists: the current flags stay as they are, and `phananh flags list --as-of {as_of}` shows what this run found"
        ),
        _ => String::new(),
    };
    let count = |name: &str| summary[name].as_u64().unwrap_or(0);
    format!(
        "run {} of {} as of {as_of}: {} flagged ({} watch, {} review, {} suspension review, {} inspection)\nhash {}{back}",
        run.id,
        run.job,
        count("flagged"),
        count("watch"),
        count("review"),
        count("suspensionReview").saturating_sub(count("inspection")),
        count("inspection"),
        run.result_hash.as_deref().unwrap_or_default()
    )
}
