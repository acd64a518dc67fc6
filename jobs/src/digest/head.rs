//! The digest about one unit: computed from the rows that its reader may see, because results over all complaints would
//! reveal those that are withheld.

use super::answers::AnswersPart;
use super::board::unit_name;
use super::document::{DigestDocument, Stale, latest, latest_run, pareto};
use super::flagged::{flags_part, states};
use super::head_part::{EscalatedLine, FIRST_DAYS, HeadPart, LateLine, PeersPart, ScorecardPart, WaitingPart};
use super::measured::measures_part;
use super::news::news_part;
use super::numbers::numbers_part;
use super::people::subjects;
use super::reader::{Reader, ReaderRights};
use super::unusual::{UnusualPart, cusum_of};
use crate::JobError;
use crate::analyses::before_after::first_day;
use crate::analyses::category_trends::TrendPeriod;
use crate::analyses::overdue::{OverdueDocument, by_responsible_unit, named_by, overdue};
use crate::analyses::recurrence::round_6_digits;
use crate::analyses::responsible::HEADQUARTERS;
use crate::analyses::timeliness::{
    Handled, TimelinessDocument, UnitTimeliness, handled, of_level, timeliness, times_of_unit,
};
use crate::analyses::trends::trends_of;
use crate::facts::days::day_number;
use crate::flags::{self, Stored};
use crate::numeric::survival::Waiting;
use crate::results::recurrence;
use crate::scheduled;
use crate::snapshot::Snapshot;
use chrono::{Days, NaiveDate};
use diesel::prelude::*;
use polars::prelude::{col, lit};
use schema::db::MultiBackend;
use schema::enums::{FlagState, Role, UnitKind};
use schema::models::{Escalation, JobRun, Unit};
use schema::queries::in_select;
use schema::register::demonstration;
use schema::tables::{escalations, flags as flag_rows, job_runs, measures};
use schema::{Conn, Id, JsonValue};
use serde_json::json;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The most complaints in a list.
const LISTED: usize = 30;
/// The fewest peers for a comparison.
const FEWEST_PEERS: usize = 5;

/// Composes the digest about a unit for its reader as of a day.
///
/// # Errors
/// `NotFound` when a job has no result up to that day, or the register does not have the unit.
pub(super) fn head_document(
    conn: &mut Conn,
    snapshot: &Snapshot,
    (reader, unit, rights): (&Reader, Id, &dyn ReaderRights),
    as_of: NaiveDate,
    before: Option<&DigestDocument>,
) -> Result<DigestDocument, JobError> {
    let reference = &snapshot.reference;
    let unit = reference.unit(unit).ok_or_else(|| JobError::NotFound(format!("the register has no unit {unit}")))?;
    let visible = snapshot.of(rights.complaints(reader, snapshot))?;
    let first = first_day(&snapshot.facts)?;
    let (timeliness_run, of_all): (JobRun, TimelinessDocument) = latest(conn, scheduled::timeliness::NAME, as_of)?;
    let own = timeliness(&visible, as_of)?;
    let line = match unit.kind {
        // The result over all units has no teams.
        UnitKind::Team => of_level(&visible, day_number(as_of), own.days, "team")?,
        kind => of_kind(kind, &own),
    };
    let line = line.into_iter().find(|line| line.code == unit.code);
    let recurrence_run = latest_run(conn, recurrence::NAME, as_of)?;
    let seen = visible_flags(conn, reader, rights, snapshot)?;
    let mut flagged = flags::of_run(conn, recurrence_run.id)?;
    // A dismissed flag proposes no review. A flag that only a run for a past day found has no row, and only the Board
    // sees it.
    flagged.retain(|stored| {
        stored.flag.as_ref().is_some_and(|flag| flag.state != FlagState::Dismissed && seen.contains(&flag.id))
    });
    let states = states_alone(states(conn)?);
    let subjects = subjects(conn, &flagged, as_of)?;
    without_numbers(&mut flagged);
    let trends = trends_of(&visible, first, TrendPeriod::up_to(as_of), BTreeMap::new())?;
    let mut late = overdue(&visible, as_of)?;
    let after = before.map_or(as_of - Days::new(FIRST_DAYS), |before| before.as_of);
    let escalated = escalated(conn, reader, rights, snapshot, (after, as_of))?;
    let all = [&recurrence_run, &timeliness_run];
    let stale = |run: &&JobRun| Some(Stale { job: run.job.clone(), as_of: run.as_of.filter(|day| *day < as_of)? });
    let measures = visible_measures(conn, reader, rights, snapshot)?;
    let before_measures = before.map(|before| (before.as_of, before.position));
    // A flag that the reader may no longer see did not end: the digest leaves it out.
    let flags_before = before.map(|before| {
        let mut flags = before.flags.clone();
        flags.standing.retain(|one| seen.contains(&one.flag));
        for one in &mut flags.standing {
            (one.reason_vi, one.reason_en, one.plain) = (String::new(), String::new(), None);
        }
        flags
    });
    let overdue = OverdueDocument {
        overdue: u32::try_from(late.len()).unwrap_or(u32::MAX),
        newly_escalated: [1, 0].map(|of| number(escalated.iter().filter(|row| row.level % 2 == of).count())),
        escalated_to: named_by(snapshot, escalated.iter().filter_map(|row| row.unit_id)),
        branches: by_responsible_unit(snapshot, &late),
    };
    // As the page: an officer does not read sums that count complaints about the own person.
    let reads_sums = reader.principal.role == Role::Board && reader.principal.officer_id.is_none();
    let series = match unit.kind {
        UnitKind::Branch if reads_sums => flags::document_of_run(conn, recurrence_run.id)?.unwrap_or_default().cusum,
        _ => Vec::new(),
    };
    late.sort_by_key(|one| (Reverse(one.days_over), one.complaint));
    let before_scorecard = col("day").lt_eq(lit(day_number(as_of) - own.days));
    let older = handled(&visible.facts, day_number(as_of))?.filter(col("overdue").and(before_scorecard)).collect()?;
    let older = older.height();
    let name_of = |id: Option<Id>| id.and_then(|id| reference.unit(id)).map(unit_name);
    let head = HeadPart {
        scorecard: scorecard(unit, &own, line, &of_all),
        waiting: waiting(&visible, unit, as_of, own.days)?,
        late: late
            .iter()
            .take(LISTED)
            .map(|one| LateLine {
                complaint: one.complaint,
                unit: one.responsible.and_then(|index| reference.units.get(index as usize)).map(unit_name),
                due_on: one.due_on,
                days_over: one.days_over,
            })
            .collect(),
        older: number(older),
        escalated: escalated
            .iter()
            .take(LISTED)
            .map(|row| EscalatedLine { complaint: row.complaint_id, unit: name_of(row.unit_id), due_on: row.due_on })
            .collect(),
    };
    Ok(DigestDocument {
        as_of,
        previous_as_of: before.map(|before| before.as_of),
        demonstration: demonstration::mark(conn)?.is_some(),
        unit: Some(unit_name(unit)),
        narrowed: reader.principal.unit_id != Some(unit.id) || reader.principal.role != Role::UnitHead,
        analyst: false,
        sections: Vec::new(),
        position: snapshot.position,
        runs: all.iter().map(|run| (run.job.clone(), run.id)).collect(),
        stale: all.iter().filter_map(stale).collect(),
        monthly: Vec::new(),
        flags: flags_part(&flagged, flags_before.as_ref(), &states, subjects),
        measures: measures_part(conn, as_of, snapshot.position, before_measures, Some(&measures))?,
        overdue,
        overdue_on: None,
        recent_days: trends.recent_days,
        before_days: trends.before_days,
        rising: trends.categories.iter().filter(|category| category.rises).cloned().collect(),
        categories: pareto(&trends.categories),
        recent: trends.recent,
        previous: trends.previous,
        answers: AnswersPart {
            days: own.days,
            least: 0,
            share_in_time: own.share_in_time,
            median_days: own.all.median_days,
            best: Vec::new(),
            worst: Vec::new(),
        },
        register: Vec::new(),
        events: BTreeMap::new(),
        events_between: None,
        seals: Vec::new(),
        numbers: numbers_part(&visible.facts, first, as_of)?,
        news: news_part(conn, &visible, &trends.categories, as_of, before.map(DigestDocument::as_previous))?,
        blame: Vec::new(),
        proposals: Vec::new(),
        unusual: UnusualPart { cusum: cusum_of(&unit.code, &series, reference), ..UnusualPart::default() },
        head: Some(head),
    })
}

/// Removes the numbers and the reasons from flags: they count complaints that are withheld from the head of a unit. The
/// API answers null for them, too.
fn without_numbers(flagged: &mut [Stored]) {
    for Stored { assessment, .. } in flagged {
        (assessment.reason_vi, assessment.reason_en) = (String::new(), String::new());
        assessment.numbers = JsonValue(json!({}));
    }
}

/// The states of flags without the reasons of the Board, whose reviews no head of a unit reads.
fn states_alone(states: BTreeMap<Id, (FlagState, Option<String>)>) -> BTreeMap<Id, (FlagState, Option<String>)> {
    states.into_iter().map(|(id, (state, _))| (id, (state, None))).collect()
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn visible_flags(
    conn: &mut Conn,
    reader: &Reader,
    rights: &dyn ReaderRights,
    snapshot: &Snapshot,
) -> Result<HashSet<Id>, JobError> {
    let mut query = flag_rows::table.into_boxed::<MultiBackend>();
    if let Some(condition) = rights.flags(reader, &snapshot.reference.tree) {
        query = query.filter(condition);
    }
    Ok(query.select(flag_rows::id).load::<Id>(conn)?.into_iter().collect())
}

fn visible_measures(
    conn: &mut Conn,
    reader: &Reader,
    rights: &dyn ReaderRights,
    snapshot: &Snapshot,
) -> Result<HashSet<Id>, JobError> {
    let mut query = measures::table.into_boxed::<MultiBackend>();
    if let Some(condition) = rights.measures(reader, &snapshot.reference.tree) {
        query = query.filter(condition);
    }
    Ok(query.select(measures::id).load::<Id>(conn)?.into_iter().collect())
}

/// The escalations that the reader may see, by runs for the days after one day and up to another, the latest first. The
/// Board's digest counts them by these days, too: a run for a past day writes later.
fn escalated(
    conn: &mut Conn,
    reader: &Reader,
    rights: &dyn ReaderRights,
    snapshot: &Snapshot,
    (after, as_of): (NaiveDate, NaiveDate),
) -> Result<Vec<Escalation>, JobError> {
    let runs = job_runs::table
        .into_boxed::<MultiBackend>()
        .filter(job_runs::as_of.gt(after))
        .filter(job_runs::as_of.le(as_of))
        .select(job_runs::id);
    let mut query = escalations::table.into_boxed::<MultiBackend>().filter(in_select(escalations::run_id, runs));
    if let Some(condition) = rights.escalations(reader, &snapshot.reference.tree) {
        query = query.filter(condition);
    }
    let mut rows: Vec<Escalation> = query.select(Escalation::as_select()).load(conn)?;
    rows.sort_by_key(|row| (Reverse(row.escalated_at), row.complaint_id, row.level));
    Ok(rows)
}

/// The lines of the units of a kind. The General Department has no line, because it comprises all units.
fn of_kind(kind: UnitKind, document: &TimelinessDocument) -> Vec<UnitTimeliness> {
    match kind {
        UnitKind::ProvincialDepartment => document.departments.clone(),
        UnitKind::Branch => document.branches.clone(),
        UnitKind::HeadquartersUnit => document.headquarters.clone(),
        UnitKind::GeneralDepartment | UnitKind::Team => Vec::new(),
    }
}

/// Waiting times of the complaints that the scorecard of a unit counts.
fn waiting(visible: &Snapshot, unit: &Unit, as_of: NaiveDate, days: i32) -> Result<Option<WaitingPart>, JobError> {
    let level = match unit.kind {
        UnitKind::GeneralDepartment => None,
        UnitKind::ProvincialDepartment => Some("department"),
        UnitKind::Branch => Some("branch"),
        UnitKind::HeadquartersUnit => Some(HEADQUARTERS),
        UnitKind::Team => Some("team"),
    };
    let times = times_of_unit(visible, day_number(as_of), days, level.map(|level| (level, unit.id)))?;
    if times.is_empty() {
        return Ok(None);
    }
    let still_waiting: BTreeSet<i32> = times.iter().filter(|(_, answered)| !answered).map(|(days, _)| *days).collect();
    let curve = Waiting::new(times.into_iter().map(|(days, answered)| (f64::from(days), answered)).collect());
    let steps = curve.steps.into_iter().map(|(days, share)| (days, round_6_digits(share)));
    Ok(Some(WaitingPart { steps: steps.collect(), still_waiting: still_waiting.into_iter().collect() }))
}

/// The unit's line from the complaints that its reader may see, and the lines of its peers from all complaints.
fn scorecard(
    unit: &Unit,
    own: &TimelinessDocument,
    line: Option<UnitTimeliness>,
    of_all: &TimelinessDocument,
) -> ScorecardPart {
    let peers = of_kind(unit.kind, of_all).into_iter().filter(|peer| peer.code != unit.code);
    let mut shares: Vec<f64> = peers.filter_map(|peer| peer.share_in_time).collect();
    shares.sort_by(f64::total_cmp);
    let quantile = |share: f64| shares.get(((shares.len().max(1) - 1) as f64 * share).round() as usize).copied();
    let compared = (shares.len() >= FEWEST_PEERS).then_some(());
    let peers = compared.and_then(|()| {
        Some(PeersPart {
            count: shares.len(),
            share_in_time: quantile(0.5)?,
            lowest: quantile(0.1)?,
            highest: quantile(0.9)?,
        })
    });
    let limits = line.as_ref().and_then(|line| line.lower.zip(line.upper));
    let (handled, share_in_time) = match (unit.kind, line) {
        (UnitKind::GeneralDepartment, _) => (own.all.clone(), own.share_in_time),
        (_, Some(line)) => (line.handled, line.share_in_time),
        (_, None) => (Handled::default(), None),
    };
    ScorecardPart {
        is_of_all: unit.kind == UnitKind::GeneralDepartment,
        days: own.days,
        complaints: handled.complaints,
        open: handled.open,
        overdue: handled.overdue,
        share_in_time,
        limits,
        median_days: handled.median_days,
        peers,
    }
}
