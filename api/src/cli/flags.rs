//! The command `flags`: lists and shows flags, computes numbers and reproduces runs.

mod list;
mod numbers_text;

use super::evidence::evidence_table;
use super::lacks::report;
use super::output::{Output, print_note_lines};
use anyhow::Context;
use chrono::NaiveDate;
use jobs::analyses::recurrence::Rules;
use jobs::flags::{self, Stored};
use jobs::reproduction::{ReplayPosition, reproduce};
use jobs::runner::ledger;
use jobs::scheduled::recurrence::numbers;
use schema::enums::SubjectKind;
use schema::models::JobRun;
use schema::{Db, Id};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;
use uuid::Uuid;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List all flags, one per subject, or what the run for a day found
    List(list::Args),
    /// Show one flag: its numbers, reasons, evidence, rules and hash
    Show {
        /// Id of a flag, or code of an officer or branch
        id: String,
        /// Show what the last run for this day found, whatever the flag is now
        #[arg(long, value_name = "DATE", value_parser = super::jobs::day)]
        as_of: Option<NaiveDate>,
    },
    /// Compute the numbers of all subjects, flagged or not, without storing anything
    Numbers {
        /// Day to compute for [default: yesterday]
        #[arg(long, value_name = "DATE", value_parser = super::jobs::day)]
        as_of: Option<NaiveDate>,
        /// Rules other than the defaults, which are in docs/rules.toml
        #[arg(long, value_name = "RULES.toml")]
        rules: Option<PathBuf>,
        /// Kind of subjects
        #[arg(long, value_enum, default_value_t = Who::Officer)]
        subject: Who,
    },
    /// Compute a run again from the register and compare; exit status 1 if the result differs
    Reproduce {
        /// Id of a run: `phananh jobs history` lists them
        #[arg(value_parser = run_id)]
        run: Uuid,
        /// Position at which to read the register, a number or `now` [default: that of the run]
        #[arg(long, value_name = "POSITION", value_parser = known_at)]
        known_at: Option<ReplayPosition>,
    },
}

/// Officers or branches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Who {
    Officer,
    Branch,
}

impl From<Who> for SubjectKind {
    fn from(who: Who) -> Self {
        match who {
            Who::Officer => Self::Officer,
            Who::Branch => Self::Branch,
        }
    }
}

fn run_id(text: &str) -> Result<Uuid, String> {
    text.parse().map_err(|_| format!("{text:?} is not the id of a run: `phananh jobs history` lists them"))
}

fn known_at(text: &str) -> Result<ReplayPosition, String> {
    if text == "now" {
        return Ok(ReplayPosition::Now);
    }
    match text.parse() {
        Ok(position) if position >= 0 => Ok(ReplayPosition::Position(position)),
        _ => Err(format!("{text:?} is neither `now` nor a position")),
    }
}

/// Runs `phananh flags`.
///
/// # Errors
/// If there is no such flag or run, the rules cannot be read, or the database or the output fails.
pub fn run(db: &Db, command: &Command, out: &Output) -> anyhow::Result<ExitCode> {
    match command {
        Command::List(args) => list::run(db, args, out)?,
        Command::Show { id, as_of } => show(db, id, *as_of, out)?,
        Command::Numbers { as_of, rules, subject } => {
            let rules = rules.as_deref().map(Rules::load).transpose()?.unwrap_or_default();
            let as_of = as_of.map_or_else(super::jobs::yesterday, Ok)?;
            let numbers = numbers(db, as_of, &rules, (*subject).into())?;
            if !numbers.lacks.is_empty() {
                print_note_lines(&report(&numbers.available, &numbers.lacks));
            }
            // Without exposure there are only counts.
            if numbers.subjects.is_empty() {
                out.print_document(&numbers, &numbers.counts, numbers_text::counts)?;
            } else {
                out.print_document(&numbers, &numbers.subjects, numbers_text::numbers)?;
            }
        }
        Command::Reproduce { run, known_at } => {
            let result = reproduce(db, Id(*run), known_at.unwrap_or(ReplayPosition::Recorded))?;
            out.print(&result, |result| match &result.first_difference {
                None => format!("reproduced: {}", result.derived_hash),
                Some(first) => format!(
                    "differs first in {first}\nrecorded {}\nderived  {}",
                    result.recorded_hash, result.derived_hash
                ),
            })?;
            if !result.reproduced {
                return Ok(ExitCode::from(1));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The last run for a day.
fn run_for(db: &Db, as_of: NaiveDate) -> anyhow::Result<JobRun> {
    db.read(|conn| flags::latest_for(conn, as_of))?.with_context(|| {
        format!("there is no run for {as_of}: `phananh jobs run recurrence --as-of {as_of}` makes one, and `phananh jobs history --job recurrence` lists the runs")
    })
}

fn show(db: &Db, id: &str, as_of: Option<NaiveDate>, out: &Output) -> anyhow::Result<()> {
    let (all, lists) = match as_of {
        None => (db.read(flags::all)?, "`phananh flags list` lists them".to_owned()),
        Some(day) => {
            let run = run_for(db, day)?;
            let lists = format!("`phananh flags list --as-of {day}` lists what the run for that day found");
            (db.read(|conn| flags::of_run(conn, run.id))?, lists)
        }
    };
    let matching: Vec<&Stored> =
        all.iter().filter(|stored| stored.code == id || stored.assessment.flag_id.to_string() == id).collect();
    let stored = match matching[..] {
        [] => anyhow::bail!("there is no flag {id:?}: {lists}"),
        [one] => one,
        _ => anyhow::bail!("{id:?} is the code of an officer and of a branch: name the flag by its id"),
    };
    let run = db.read(|conn| ledger::find(conn, stored.assessment.run_id)).context("the run of the flag")?;
    let complaints = db.read(|conn| flags::evidence(conn, stored))?;
    let mut full = document(stored);
    full["complaints"] = json!(complaints);
    full["asOf"] = json!(run.as_of);
    full["rules"] = json!(run.rules);
    full["codeVersion"] = json!(run.code_version);
    full["hash"] = json!(run.result_hash);
    out.print(&full, |_| {
        format!(
            "{} {}: {}{}\n{}\n{}\n\n{}\n\n{}; as of {}, known at {}\n\nevidence, as the register has it now:\n{}\n\nrules {}\nrun {}, code {}, hash {}",
            stored.kind,
            stored.code,
            stored.assessment.tier.proposed(stored.kind),
            stored.flag.as_ref().map(|flag| format!(" ({})", flag.state)).unwrap_or_default(),
            stored.assessment.reason_vi,
            stored.assessment.reason_en,
            numbers_text::windows(&stored.assessment.numbers.0, run.rules.as_ref().map(|rules| &rules.0)),
            numbers_text::adjustment(&stored.assessment.numbers.0),
            run.as_of.map(|day| day.to_string()).unwrap_or_default(),
            run.known_at.unwrap_or_default(),
            evidence_table(&complaints),
            numbers_text::rules(run.rules.as_ref().map(|rules| &rules.0)),
            run.id,
            run.code_version,
            run.result_hash.as_deref().unwrap_or_default()
        )
    })
}

fn document(stored: &Stored) -> Value {
    let flag = stored.flag.as_ref();
    json!({
        "id": stored.assessment.flag_id,
        "subject": { "kind": stored.kind, "code": stored.code },
        "tier": stored.assessment.tier,
        "proposed": stored.assessment.tier.proposed(stored.kind),
        "state": flag.map(|flag| flag.state),
        "run": stored.assessment.run_id,
        "openedAt": flag.map(|flag| flag.opened_at),
        "changedAt": flag.map(|flag| flag.changed_at),
        "numbers": stored.assessment.numbers,
        "reasonVi": stored.assessment.reason_vi,
        "reasonEn": stored.assessment.reason_en,
        "evidence": stored.assessment.evidence,
    })
}
