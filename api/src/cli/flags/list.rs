//! The command `flags list`: current flags, or what the run for a day found.

use super::{Who, document, run_for};
use crate::cli::lacks::report;
use crate::cli::output::{Output, print_note_lines, table};
use anyhow::Context;
use chrono::NaiveDate;
use jobs::analyses::recurrence::{Adjusted, WindowNumbers};
use jobs::flags::{self, Stored};
use jobs::snapshot::Reference;
use schema::domain::calendar::{is_valid_on, local_date};
use schema::enums::{FlagState, Proposed, SubjectKind};
use schema::models::JobRun;
use schema::{Db, Id, Timestamp, queries};
use serde::Serialize;
use std::collections::HashSet;
use std::str::FromStr;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Show what the last run for this day found, whatever the flags are now
    #[arg(long, value_name = "DATE", value_parser = crate::cli::jobs::day)]
    as_of: Option<NaiveDate>,
    /// Only these tiers: WATCH, REVIEW, SUSPENSION_REVIEW (the highest, including INSPECTION), INSPECTION (the
    /// highest of branches)
    #[arg(long, value_name = "TIER", value_delimiter = ',', value_parser = word::<Proposed>)]
    tier: Vec<Proposed>,
    /// Only flags whose current state is one of OPEN, ACKNOWLEDGED, UNDER_REVIEW, UPHELD, DISMISSED, EXPIRED,
    /// RETRACTED
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = word::<FlagState>)]
    state: Vec<FlagState>,
    /// Only officers, or only branches
    #[arg(long, value_enum)]
    kind: Option<Who>,
    /// Only branches in this unit or below it, and officers posted there today (with --as-of, on that day)
    #[arg(long, value_name = "CODE")]
    unit: Option<String>,
}

/// Parses an enum name, in any case and with - for _.
fn word<W: FromStr<Err = schema::enums::UnknownWord>>(text: &str) -> Result<W, String> {
    text.to_ascii_uppercase().replace('-', "_").parse().map_err(|e: schema::enums::UnknownWord| e.to_string())
}

/// Runs `phananh flags list`.
///
/// # Errors
/// If there is no run for the day, or no such unit, or the database or the output fails.
pub fn run(db: &Db, args: &Args, out: &Output) -> anyhow::Result<()> {
    let (run, mut found) = match args.as_of {
        None => (db.read(flags::latest)?, db.read(flags::all)?),
        Some(day) => {
            let run = run_for(db, day)?;
            let found = db.read(|conn| flags::of_run(conn, run.id))?;
            (Some(run), found)
        }
    };
    if let Some(run) =
        run.as_ref().filter(|_| if args.as_of.is_some() { found.is_empty() } else { !found.iter().any(is_current) })
    {
        print_run_report(db, run)?;
    }
    let all = found.len();
    if let Some(code) = &args.unit {
        let day = args.as_of.unwrap_or_else(|| local_date(Timestamp::now()));
        let subjects = subjects_of(db, code, day)?;
        found.retain(|stored| subjects.contains(&stored.subject));
    }
    let kind = args.kind.map(SubjectKind::from);
    found.retain(|stored| kind.is_none_or(|kind| kind == stored.kind) && is_of(&args.tier, stored));
    found.retain(|stored| {
        args.state.is_empty() || stored.flag.as_ref().is_some_and(|flag| args.state.contains(&flag.state))
    });
    let documents: Vec<_> = found.iter().map(document).collect();
    let rows = found.iter().map(FlagRow::from_stored).collect::<Result<Vec<_>, _>>()?;
    out.print_document(&documents, &rows, |rows| {
        if rows.is_empty() {
            return match (all, args.as_of) {
                (0, Some(day)) => format!("the run for {day} flagged no officer and no branch"),
                (0, None) if run.is_some() => "there is no flag".to_owned(),
                (0, None) => {
                    "there is no flag, because recurrence has not run: `phananh jobs run recurrence` runs it".to_owned()
                }
                (all, _) => format!("none of {all} flags matches"),
            };
        }
        let state = if args.as_of.is_some() { "STATE NOW" } else { "STATE" };
        table(
            &["SUBJECT", "CODE", "TIER", state, "D 365", "O", "E", "Q", "EB05", "FLAG"],
            rows.iter().map(FlagRow::cells),
        )
    })
}

/// Whether a flag is neither expired nor retracted.
fn is_current(stored: &Stored) -> bool {
    stored.flag.as_ref().is_some_and(|flag| !matches!(flag.state, FlagState::Expired | FlagState::Retracted))
}

/// Reports what a run counted and which inputs it lacked.
fn print_run_report(db: &Db, run: &JobRun) -> anyhow::Result<()> {
    let day = run.as_of.map(|day| day.to_string()).unwrap_or_default();
    if let Some(found) = db.read(|conn| flags::document_of_run(conn, run.id))? {
        print_note_lines(&format!("the run for {day}:\n{}", report(&found.available, &found.lacks)));
    }
    Ok(())
}

/// Whether a flag has one of these tiers; true if none is named.
fn is_of(tiers: &[Proposed], stored: &Stored) -> bool {
    let tier = stored.assessment.tier;
    let names = [tier.proposed(stored.kind), tier.proposed(SubjectKind::Officer)];
    tiers.is_empty() || tiers.iter().any(|wanted| names.contains(wanted))
}

/// The branches in a unit or below it on a day, and the officers posted there.
fn subjects_of(db: &Db, code: &str, day: NaiveDate) -> anyhow::Result<HashSet<Id>> {
    let reference = db.read_snapshot(Reference::load)?;
    let unit = reference.unit_by_code(code).with_context(|| super::super::no_unit(code))?;
    let mut subjects = reference.tree.below_on(unit.id, day);
    let posted = db.read(|conn| queries::postings_begun_by(conn, day))?;
    let there: Vec<Id> = posted
        .iter()
        .filter(|posting| is_valid_on(day, posting.valid_from, posting.valid_to) && subjects.contains(&posting.unit_id))
        .map(|posting| posting.officer_id)
        .collect();
    subjects.extend(there);
    Ok(subjects)
}

/// A flag as a row of the list.
#[derive(Serialize)]
struct FlagRow {
    subject: SubjectKind,
    code: String,
    tier: Proposed,
    state: Option<FlagState>,
    /// Counts of the longest window.
    complaints: u32,
    enterprises: u32,
    anonymous: u32,
    observed: Option<u32>,
    expected: Option<f64>,
    ratio: Option<f64>,
    q: Option<f64>,
    eb05: Option<f64>,
    unadjusted: bool,
    flag: Id,
    run: Id,
}

impl FlagRow {
    fn from_stored(stored: &Stored) -> anyhow::Result<Self> {
        let numbers = &stored.assessment.numbers.0;
        let windows: Vec<WindowNumbers> =
            serde_json::from_value(numbers["windows"].clone()).context("the numbers of a flag cannot be parsed")?;
        let longest = windows.last().cloned().unwrap_or_default();
        let adjusted = longest.adjusted.as_ref();
        let number = |of: fn(&Adjusted) -> f64| adjusted.map(of);
        Ok(Self {
            subject: stored.kind,
            code: stored.code.clone(),
            tier: stored.assessment.tier.proposed(stored.kind),
            state: stored.flag.as_ref().map(|flag| flag.state),
            complaints: longest.complaints,
            enterprises: longest.enterprises,
            anonymous: longest.anonymous,
            observed: adjusted.map(|adjusted| adjusted.observed),
            expected: number(|adjusted| adjusted.expected),
            ratio: number(|adjusted| adjusted.ratio),
            q: number(|adjusted| adjusted.q),
            eb05: number(|adjusted| adjusted.eb05),
            unadjusted: numbers["unadjusted"].as_bool().unwrap_or(true),
            flag: stored.assessment.flag_id,
            run: stored.assessment.run_id,
        })
    }

    fn cells(&self) -> Vec<String> {
        let number = |value: Option<f64>| value.map(|value| format!("{value:.2}")).unwrap_or_default();
        vec![
            self.subject.to_string(),
            self.code.clone(),
            self.tier.to_string(),
            self.state.map(|state| state.to_string()).unwrap_or_default(),
            self.enterprises.to_string(),
            self.observed.map(|observed| observed.to_string()).unwrap_or_default(),
            number(self.expected),
            self.q.map(|q| format!("{q:.1e}")).unwrap_or_default(),
            number(self.eb05),
            self.flag.to_string(),
        ]
    }
}
