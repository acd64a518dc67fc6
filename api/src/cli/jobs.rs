use super::output::{Output, table};
use anyhow::Context;
use chrono::NaiveDate;
use jobs::recurrence::Rules;
use jobs::{ledger, recurrence_job};
use schema::domain::calendar::local_date;
use schema::models::JobRun;
use schema::{Db, Timestamp};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Run a job now
    Run {
        /// Which job: `phananh jobs list` names them
        name: String,
        /// The day for which it is run; yesterday unless told
        #[arg(long, value_name = "DATE", value_parser = day)]
        as_of: Option<NaiveDate>,
        /// Rules other than the defaults (docs/rules.toml has these)
        #[arg(long, value_name = "RULES.toml")]
        rules: Option<PathBuf>,
    },
    /// The jobs that there are
    List,
    /// The runs that there were, newest first
    History {
        /// How many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
    },
}

pub fn run(db: &Db, command: &Command, out: &Output) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run { name, as_of, rules } => {
            anyhow::ensure!(name == recurrence_job::NAME, "there is no job {name:?}: `phananh jobs list` names them");
            let rules = rules.as_deref().map(Rules::load).transpose()?.unwrap_or_default();
            let as_of = match as_of {
                Some(day) => *day,
                None => local_date(Timestamp::now()).pred_opt().context("there is no yesterday")?,
            };
            let run = recurrence_job::run(db, as_of, &rules)?;
            out.print(&document(&run), |_| text(&run))?;
        }
        Command::List => {
            let jobs: Vec<Value> =
                ledger::JOBS.iter().map(|(name, about)| json!({ "name": name, "about": about })).collect();
            out.print(&jobs, |_| {
                table(&["JOB", "ABOUT"], ledger::JOBS.iter().map(|(name, about)| vec![(*name).into(), (*about).into()]))
            })?;
        }
        Command::History { limit } => {
            let runs = db.read(|conn| ledger::history(conn, *limit))?;
            let documents: Vec<Value> = runs.iter().map(document).collect();
            out.print(&documents, |_| {
                let header = ["RUN", "JOB", "STARTED", "STATE", "AS OF", "KNOWN AT", "RESULT"];
                table(
                    &header,
                    runs.iter().map(|run| {
                        let result = run.error.clone().or_else(|| run.result_hash.clone()).unwrap_or_default();
                        vec![
                            run.id.to_string(),
                            run.job.clone(),
                            run.started_at.utc().format("%Y-%m-%d %H:%M:%SZ").to_string(),
                            run.state.to_string(),
                            run.as_of.map(|day| day.to_string()).unwrap_or_default(),
                            run.known_at.map(|position| position.to_string()).unwrap_or_default(),
                            result,
                        ]
                    }),
                )
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A day as it is written on the command line.
pub fn day(text: &str) -> Result<NaiveDate, String> {
    text.parse().map_err(|_| format!("{text:?} is no date: write it as 2010-12-31"))
}

fn document(run: &JobRun) -> Value {
    json!({
        "run": run.id,
        "job": run.job,
        "state": run.state,
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
    let back = match summary["looksBack"].as_bool() {
        Some(true) => "\na later day was run before: the flags of today stay as they are",
        _ => "",
    };
    format!(
        "run {} of {} as of {}: {} flagged ({} watch, {} review, {} suspension review)\nhash {}{back}",
        run.id,
        run.job,
        run.as_of.map(|day| day.to_string()).unwrap_or_default(),
        summary["flagged"],
        summary["watch"],
        summary["review"],
        summary["suspensionReview"],
        run.result_hash.as_deref().unwrap_or_default()
    )
}
