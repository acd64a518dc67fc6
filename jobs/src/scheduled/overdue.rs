//! The escalation job: escalates overdue complaints to the unit above the responsible one, and to the level above that
//! once twice the time allowed has passed. Where another unit has to answer since, or is elsewhere in the tree, the
//! escalation follows.

use crate::JobError;
use crate::analyses::overdue::{Late, OverdueDocument, by_responsible_unit, named_by, overdue};
use crate::results::{result_row, store_result};
use crate::runner::job::{Context, Job, Publish, day_of};
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::db::dialect::{KEYS_PER_QUERY, rows_per_insert};
use schema::db::{Conn, StoreError, WriteTx};
use schema::each;
use schema::enums::{ComplaintEventKind, RunState};
use schema::events::{ComplaintEvent, Fields, fields_of};
use schema::models::{Escalation, JobRun};
use schema::queries::{complaint_ids_among, overdue_on};
use schema::register::complaints::ESCALATION;
use schema::states::{StateTable, pair};
use schema::tables::{escalations, job_runs};
use schema::{Id, Timestamp};
use serde_json::json;
use std::collections::{HashMap, HashSet};

pub const NAME: &str = "escalate-overdue";

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

    /// A complaint that is overdue today is escalated today.
    fn is_for_its_own_day(&self) -> bool {
        true
    }

    fn run(&self, context: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError> {
        let as_of = day_of(run)?;
        let snapshot = context.snapshot()?;
        run.known_at = Some(snapshot.position);
        let overdue = overdue(&snapshot, as_of)?;
        let branches = by_responsible_unit(&snapshot, &overdue);
        Ok(Box::new(move |tx, run| {
            // A run for an earlier day than the newest one reports what was overdue, and escalates nothing.
            let newest: Option<NaiveDate> = job_runs::table
                .filter(job_runs::job.eq(NAME))
                .filter(job_runs::state.eq(RunState::Succeeded))
                .select(diesel::dsl::max(job_runs::as_of))
                .first(tx.conn)?;
            let is_for_past_day = newest.is_some_and(|newest| newest > as_of);
            let (newly_escalated, named) =
                if is_for_past_day { ([0, 0], Vec::new()) } else { escalate(tx, run.id, as_of, &overdue)? };
            let escalated_to = named_by(&snapshot, named);
            let total = u32::try_from(overdue.len()).unwrap_or(u32::MAX);
            let document = OverdueDocument { overdue: total, newly_escalated, escalated_to, branches };
            run.summary = Some(json!({ "overdue": total, "newlyEscalated": newly_escalated }).into());
            let row = result_row(run, NAME, as_of, &document);
            store_result(tx, &row)
        }))
    }
}

/// The event of an escalation: it changes no column of the complaint, and no version.
fn escalated(row: &Escalation) -> ComplaintEvent {
    let mut fields = fields_of(row);
    fields.retain(|field, _| matches!(field.as_str(), "level" | "unit_id" | "due_on"));
    ComplaintEvent {
        complaint_id: row.complaint_id,
        kind: ComplaintEventKind::Updated,
        effective_at: row.escalated_at,
        before: Some(Fields::new()),
        after: Some(Fields::from_iter([(ESCALATION.to_owned(), fields.into())])),
    }
}

/// Records escalations to levels that a complaint has not reached yet, and those that have to name another unit than
/// before; returns how many are new for each level, and the units that both name. What was answered, has ended or has
/// another deadline by now is left out.
fn escalate(
    tx: &mut WriteTx<'_>,
    run_id: Id,
    as_of: NaiveDate,
    overdue: &[Late],
) -> Result<([u32; 2], Vec<Id>), StoreError> {
    let ids: Vec<Id> = overdue.iter().map(|late| late.complaint).collect();
    let still = complaint_ids_among(tx.conn, &ids, || Some(overdue_on(as_of)))?;
    let before = escalations_of(tx.conn, &still)?;
    let still: HashSet<Id> = still.into_iter().collect();
    let (mut rows, mut moved) = (Vec::new(), Vec::new());
    let mut new = [0, 0];
    let escalated_at: Timestamp = tx.now;
    for late in overdue.iter().filter(|late| still.contains(&late.complaint)) {
        let told = before.get(&late.complaint).map_or(&[][..], Vec::as_slice);
        let highest = told.iter().map(|(level, _)| *level).max().unwrap_or(0);
        // Each round has levels of its own.
        let reached_before = 2 * (late.round - 1);
        for (next, unit_id, reached) in [(1, late.above, true), (2, late.top, late.twice)] {
            let (complaint_id, level, due_on) = (late.complaint, reached_before + next, late.due_on);
            let row = Escalation { complaint_id, level, unit_id, due_on, escalated_at, run_id };
            match told.iter().find(|(known, _)| *known == level) {
                Some((_, unit)) if *unit != unit_id => moved.push(row),
                None if reached && highest < level => {
                    new[usize::from(next == 2)] += 1;
                    rows.push(row);
                }
                _ => {}
            }
        }
    }
    for row in &moved {
        diesel::update(escalations::table.find((row.complaint_id, row.level)))
            .set((
                escalations::unit_id.eq(row.unit_id),
                escalations::due_on.eq(row.due_on),
                escalations::escalated_at.eq(row.escalated_at),
                escalations::run_id.eq(row.run_id),
            ))
            .execute(tx.conn)?;
    }
    for chunk in rows.chunks(rows_per_insert(6)) {
        each!(&mut *tx.conn, c => diesel::insert_into(escalations::table).values(chunk).execute(c)?);
    }
    for row in rows.iter().chain(&moved) {
        tx.record_state(StateTable::Escalations, &pair(row.complaint_id, row.level));
        tx.record(escalated(row));
    }
    let named = rows.iter().chain(&moved).filter_map(|row| row.unit_id).collect();
    Ok((new, named))
}

/// The levels and units of the escalations of complaints.
type Escalated = HashMap<Id, Vec<(i32, Option<Id>)>>;

/// The levels and units of the escalations of some complaints.
fn escalations_of(conn: &mut Conn, complaints: &[Id]) -> Result<Escalated, StoreError> {
    let mut found = Escalated::new();
    for chunk in complaints.chunks(KEYS_PER_QUERY) {
        let rows = escalations::table
            .filter(escalations::complaint_id.eq_any(chunk))
            .select((escalations::complaint_id, escalations::level, escalations::unit_id))
            .load::<(Id, i32, Option<Id>)>(conn)?;
        for (complaint, level, unit) in rows {
            found.entry(complaint).or_default().push((level, unit));
        }
    }
    Ok(found)
}
