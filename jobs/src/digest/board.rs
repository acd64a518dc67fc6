//! The parts of a digest that only the Board reads: complaints in which officers blame the system, and proposals with
//! their effects.

use super::people::UnitName;
use crate::JobError;
use crate::analyses::before_after::{before_after, first_day};
use crate::analyses::blame::BlameDocument;
use crate::facts::days::day_number;
use crate::scheduled::blame;
use crate::snapshot::Snapshot;
use chrono::{Days, NaiveDate};
use diesel::prelude::*;
use polars::prelude::{Expr, NamedFrom, Series, col, lit};
use schema::domain::calendar::start_of_day;
use schema::enums::{ProposalState, RunState, SubjectKind};
use schema::models::{JobResult, Proposal};
use schema::tables::{job_results, job_runs, proposal_categories, proposal_units, proposals};
use schema::{Conn, Id, StoreError};
use serde::{Deserialize, Serialize};

/// The most lines of each list.
const LISTED: usize = 30;
/// Days before and after a proposal that are compared.
const DAYS: i32 = 90;
/// A digest shows the effect of a proposal for this many days after it came into force.
const TOLD: u64 = 365;

/// A branch or officer that blames the system more often than its peers without a recorded incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlameLine {
    pub kind: SubjectKind,
    pub code: String,
    pub blamed: u32,
    pub without_incident: u32,
    pub share: f64,
    pub peers_share: f64,
    /// Whether the digest before did not have it.
    #[serde(default)]
    pub is_new: bool,
}

/// A proposal whose state changed, or whose effect is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProposalLine {
    pub proposal: Id,
    pub title: String,
    pub state: ProposalState,
    pub implemented_on: Option<NaiveDate>,
    /// Whether the state changed since the digest before.
    pub is_new: bool,
    pub effect: Option<EffectLine>,
}

/// Complaints that a proposal concerns, before and after it came into force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EffectLine {
    pub days_before: i32,
    pub before: u32,
    pub days_after: i32,
    pub after: u32,
    /// Complaints a day after / before; None without complaints before.
    pub ratio: Option<f64>,
    /// The same of all other complaints.
    pub ratio_elsewhere: Option<f64>,
}

/// The latest blame check up to a day; `told` are the lines of the digest before. A register without one has no lines.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn blame_part(conn: &mut Conn, as_of: NaiveDate, told: &[BlameLine]) -> Result<Vec<BlameLine>, StoreError> {
    let found: Option<JobResult> = job_results::table
        .inner_join(job_runs::table.on(job_runs::id.eq(job_results::run_id)))
        .filter(job_results::name.eq(blame::NAME))
        .filter(job_results::as_of.le(as_of))
        .filter(job_runs::state.eq(RunState::Succeeded))
        .order((job_results::as_of.desc(), job_runs::started_at.desc()))
        .select(JobResult::as_select())
        .first(conn)
        .optional()?;
    let document: BlameDocument = found.and_then(|row| serde_json::from_value(row.document.0).ok()).unwrap_or_default();
    let flagged = document.subjects.into_iter().filter(|subject| subject.flagged).take(LISTED);
    Ok(flagged
        .map(|subject| BlameLine {
            is_new: !told.iter().any(|line| (line.kind, &line.code) == (subject.kind, &subject.code)),
            kind: subject.kind,
            code: subject.code,
            blamed: subject.blamed,
            without_incident: subject.without_incident,
            share: subject.share,
            peers_share: subject.peers_share,
        })
        .collect())
}

/// The proposals whose state changed after the day of the digest before, and those in force for at most a year.
///
/// # Errors
/// If the database cannot be read, or polars fails.
pub(super) fn proposals_part(
    conn: &mut Conn,
    snapshot: &Snapshot,
    as_of: NaiveDate,
    after: Option<NaiveDate>,
) -> Result<Vec<ProposalLine>, JobError> {
    let until = start_of_day(as_of + Days::new(1));
    let rows: Vec<Proposal> = proposals::table
        .filter(proposals::state_since.lt(until))
        .order((proposals::state_since.desc(), proposals::id))
        .select(Proposal::as_select())
        .load(conn)?;
    let since = after.map(|day| start_of_day(day + Days::new(1)));
    let told_from = as_of - Days::new(TOLD);
    let mut lines = Vec::new();
    for row in rows {
        let is_new = since.is_none_or(|since| row.state_since >= since);
        let in_force = row.implemented_on.filter(|day| *day > told_from && *day <= as_of);
        if !is_new && in_force.is_none() {
            continue;
        }
        let effect = match in_force {
            Some(day) => effect(conn, snapshot, row.id, day, as_of)?,
            None => None,
        };
        lines.push(ProposalLine {
            proposal: row.id,
            title: row.title,
            state: row.state,
            implemented_on: row.implemented_on,
            is_new,
            effect,
        });
        if lines.len() == LISTED {
            break;
        }
    }
    Ok(lines)
}

fn effect(
    conn: &mut Conn,
    snapshot: &Snapshot,
    proposal: Id,
    day: NaiveDate,
    as_of: NaiveDate,
) -> Result<Option<EffectLine>, JobError> {
    let categories: Vec<Id> = proposal_categories::table
        .filter(proposal_categories::proposal_id.eq(proposal))
        .select(proposal_categories::category_id)
        .load(conn)?;
    let units: Vec<Id> = proposal_units::table
        .filter(proposal_units::proposal_id.eq(proposal))
        .select(proposal_units::unit_id)
        .load(conn)?;
    let concerned = concerned(snapshot, &categories, &units);
    let first = first_day(&snapshot.facts)?;
    // The as-of day counts as a whole, so the next day is "today".
    let today = day_number(as_of) + 1;
    let found = before_after(&snapshot.facts, first, lit(true), concerned, day_number(day), DAYS, today)?;
    Ok(found.map(|found| EffectLine {
        days_before: found.before.days(),
        before: found.concerned.0,
        days_after: found.after.days(),
        after: found.concerned.1,
        ratio: found.ratio.and_then(|ratio| ratio.ratio),
        ratio_elsewhere: found.elsewhere_ratio.and_then(|ratio| ratio.ratio),
    }))
}

/// The complaints of some categories about some units, each with those below it. An empty list means all.
fn concerned(snapshot: &Snapshot, categories: &[Id], units: &[Id]) -> Expr {
    let reference = &snapshot.reference;
    let mut condition = lit(true);
    if !categories.is_empty() {
        let all = categories.iter().flat_map(|id| reference.categories_within(*id));
        condition = condition.and(any("category", all.filter_map(|one| reference.category_index(one.id)).collect()));
    }
    if !units.is_empty() {
        let ever = units.iter().flat_map(|unit| reference.tree.ever_below(*unit)).chain(units.iter().copied());
        let places: Vec<u32> = ever.filter_map(|id| reference.unit_index(id)).collect();
        let levels = ["unit", "team", "branch", "department"].map(|level| any(level, places.clone()));
        condition = condition.and(levels.into_iter().reduce(Expr::or).unwrap_or(lit(true)));
    }
    condition
}

fn any(column: &str, places: Vec<u32>) -> Expr {
    let places = Series::new("places".into(), places);
    col(column).is_in(lit(places).implode(false), false).fill_null(lit(false))
}

/// The name of a unit for a document.
pub(super) fn unit_name(unit: &schema::models::Unit) -> UnitName {
    UnitName { code: unit.code.clone(), name_vi: unit.name_vi.clone(), name_en: unit.name_en.clone() }
}
