//! The escalation job: escalates overdue complaints to the department, and to the General Department once
//! twice the time allowed has passed.

use crate::JobError;
use crate::analyses::timeliness::handled;
use crate::facts::days::day_number;
use crate::results::{result_row, store_result};
use crate::runner::job::{Context, Job, Publish, day_of};
use crate::snapshot::Snapshot;
use chrono::{Days, NaiveDate};
use diesel::prelude::*;
use polars::prelude::{PolarsResult, col};
use schema::db::dialect::rows_per_insert;
use schema::db::{StoreError, WriteTx};
use schema::each;
use schema::enums::{RunState, UnitKind};
use schema::models::{Escalation, JobRun};
use schema::states::{StateTable, pair};
use schema::tables::{escalations, job_runs};
use schema::{Id, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

pub const NAME: &str = "escalate-overdue";

/// Branches listed in the result, those with the most overdue complaints.
const LISTED: usize = 20;

/// A unit and its overdue complaints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnitOverdue {
    pub code: String,
    pub name_vi: String,
    pub name_en: Option<String>,
    pub overdue: u32,
    /// Days by which the oldest one exceeds its deadline.
    pub oldest_days: i32,
}

/// The result that the job stores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OverdueDocument {
    pub overdue: u32,
    /// Complaints escalated for the first time: to a department, and to the General Department.
    pub newly_escalated: [u32; 2],
    pub branches: Vec<UnitOverdue>,
}

pub struct EscalateOverdue;

impl Job for EscalateOverdue {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "escalates overdue complaints to the level above"
    }

    fn schedule(&self) -> &'static str {
        "5 * * * *"
    }

    fn run(&self, context: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError> {
        let as_of = day_of(run)?;
        let snapshot = context.snapshot()?;
        run.known_at = Some(snapshot.position);
        let overdue = overdue(&snapshot, as_of)?;
        let branches = by_branch(&snapshot, &overdue);
        Ok(Box::new(move |tx, run| {
            // A run for an earlier day than the newest one reports what was overdue, and escalates nothing.
            let newest: Option<NaiveDate> = job_runs::table
                .filter(job_runs::job.eq(NAME))
                .filter(job_runs::state.eq(RunState::Succeeded))
                .select(diesel::dsl::max(job_runs::as_of))
                .first(tx.conn)?;
            let is_for_past_day = newest.is_some_and(|newest| newest > as_of);
            let newly_escalated = if is_for_past_day { [0, 0] } else { escalate(tx, run.id, &overdue)? };
            let total = u32::try_from(overdue.len()).unwrap_or(u32::MAX);
            let document = OverdueDocument { overdue: total, newly_escalated, branches };
            run.summary = Some(json!({ "overdue": total, "newlyEscalated": newly_escalated }).into());
            let row = result_row(run, NAME, as_of, &document);
            store_result(tx, &row)
        }))
    }
}

/// An overdue complaint.
struct Late {
    complaint: Id,
    /// Index into the units of the snapshot's reference data.
    branch: Option<u32>,
    /// Escalation targets: the department, and the General Department.
    department: Option<Id>,
    top: Option<Id>,
    due_on: NaiveDate,
    days_over: i32,
    /// Whether twice the time allowed has passed since receipt.
    twice: bool,
}

fn overdue(snapshot: &Snapshot, as_of: NaiveDate) -> Result<Vec<Late>, JobError> {
    let today = day_number(as_of);
    let rows = handled(&snapshot.facts, today).filter(col("overdue")).collect()?;
    let place = |column: &str| -> PolarsResult<Vec<Option<u32>>> { Ok(rows.column(column)?.u32()?.iter().collect()) };
    let (departments, branches) = (place("department")?, place("branch")?);
    let (high, low) = (rows.column("id_high")?.u64()?, rows.column("id_low")?.u64()?);
    let (day, due) = (rows.column("day")?.i32()?, rows.column("due")?.i32()?);
    let units = &snapshot.reference.units;
    let top = units.iter().find(|unit| unit.kind == UnitKind::GeneralDepartment).map(|unit| unit.id);
    let mut late = Vec::with_capacity(rows.height());
    for at in 0..rows.height() {
        let (Some(high), Some(low), Some(day), Some(due)) = (high.get(at), low.get(at), day.get(at), due.get(at))
        else {
            continue;
        };
        let days_over = today - due;
        late.push(Late {
            complaint: Id(Uuid::from_u64_pair(high, low)),
            branch: branches[at],
            department: departments[at].and_then(|place| units.get(place as usize)).map(|unit| unit.id),
            top,
            due_on: NaiveDate::default() + Days::new(u64::try_from(due).unwrap_or(0)),
            days_over,
            twice: days_over >= due - day,
        });
    }
    Ok(late)
}

fn by_branch(snapshot: &Snapshot, overdue: &[Late]) -> Vec<UnitOverdue> {
    let mut by_branch: BTreeMap<u32, (u32, i32)> = BTreeMap::new();
    for late in overdue {
        let Some(branch) = late.branch else { continue };
        let (count, oldest) = by_branch.entry(branch).or_default();
        *count += 1;
        *oldest = (*oldest).max(late.days_over);
    }
    let mut listed: Vec<UnitOverdue> = by_branch
        .into_iter()
        .filter_map(|(place, (overdue, oldest_days))| {
            let unit = snapshot.reference.units.get(place as usize)?;
            Some(UnitOverdue {
                code: unit.code.clone(),
                name_vi: unit.name_vi.clone(),
                name_en: unit.name_en.clone(),
                overdue,
                oldest_days,
            })
        })
        .collect();
    listed.sort_by(|a, b| (b.overdue, b.oldest_days, &a.code).cmp(&(a.overdue, a.oldest_days, &b.code)));
    listed.truncate(LISTED);
    listed
}

/// Records escalations to levels that a complaint has not reached yet; returns how many are new for each level.
fn escalate(tx: &mut WriteTx<'_>, run_id: Id, overdue: &[Late]) -> Result<[u32; 2], StoreError> {
    let before: HashMap<Id, i32> = escalations::table
        .group_by(escalations::complaint_id)
        .select((escalations::complaint_id, diesel::dsl::max(escalations::level)))
        .load::<(Id, Option<i32>)>(tx.conn)?
        .into_iter()
        .map(|(id, level)| (id, level.unwrap_or(0)))
        .collect();
    let mut rows = Vec::new();
    let mut new = [0, 0];
    let escalated_at: Timestamp = tx.now;
    for late in overdue {
        let level = before.get(&late.complaint).copied().unwrap_or(0);
        for (next, unit_id, reached) in [(1, late.department, true), (2, late.top, late.twice)] {
            if reached && level < next {
                new[usize::from(next == 2)] += 1;
                let complaint_id = late.complaint;
                rows.push(Escalation { complaint_id, level: next, unit_id, due_on: late.due_on, escalated_at, run_id });
            }
        }
    }
    for chunk in rows.chunks(rows_per_insert(6)) {
        each!(&mut *tx.conn, c => diesel::insert_into(escalations::table).values(chunk).execute(c)?);
        chunk.iter().for_each(|row| tx.record_state(StateTable::Escalations, &pair(row.complaint_id, row.level)));
    }
    Ok(new)
}
