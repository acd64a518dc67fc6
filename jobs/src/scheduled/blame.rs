//! The blame check: stores which officers and branches blame the system without a recorded incident.

use crate::JobError;
use crate::analyses::blame::{BlameDocument, BlameRows, BlamingComplaint, blame_check};
use crate::results::result;
use crate::runner::job::{Context, Job, Publish, day_of};
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::db::dialect::current_position;
use schema::enums::ComplaintState;
use schema::models::{JobRun, SystemIncident, Unit, UnitParent};
use schema::queries::linked_complaints;
use schema::tables::{complaint_officers, complaints, officers, system_incidents, unit_parents, units};
use schema::{Conn, Id, StoreError, Timestamp};
use serde_json::json;
use std::collections::{HashMap, HashSet};

pub const NAME: &str = "blame-check";

pub struct BlameCheck;

impl Job for BlameCheck {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "finds officers and branches that blame the system without a recorded incident"
    }

    fn schedule(&self) -> &'static str {
        "0 3 * * 1"
    }

    fn run(&self, context: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError> {
        let as_of = day_of(run)?;
        let read = |conn: &mut Conn| Ok::<_, StoreError>((load(conn, None)?, current_position(conn)?));
        let (rows, position) = context.db.read_snapshot(read)?;
        run.known_at = Some(position);
        let document = blame_check(rows, as_of);
        let flagged = document.subjects.iter().filter(|subject| subject.flagged).count();
        run.summary = Some(
            json!({ "blamed": document.blamed, "withoutIncident": document.without_incident, "flagged": flagged })
                .into(),
        );
        result(run, NAME, as_of, &document)
    }
}

/// The result of the job as of a day without the complaints that name `officer`.
///
/// # Errors
/// When the database fails.
pub fn blame_check_without(conn: &mut Conn, as_of: NaiveDate, officer: Id) -> Result<BlameDocument, StoreError> {
    Ok(blame_check(load(conn, Some(officer))?, as_of))
}

/// Reads what the check needs, without the complaints that name the officer `except`.
fn load(conn: &mut Conn, except: Option<Id>) -> Result<BlameRows, StoreError> {
    type Row = (Id, Timestamp, Option<Timestamp>, Option<Id>, Option<Id>, ComplaintState, Timestamp);
    let rows: Vec<Row> = complaints::table
        .filter(complaints::blames_system.eq(true))
        .order(complaints::id)
        .select((
            complaints::id,
            complaints::received_at,
            complaints::occurred_at,
            complaints::unit_id,
            complaints::branch_id,
            complaints::state,
            complaints::state_since,
        ))
        .load(conn)?;
    let naming: HashSet<Id> = match except {
        None => HashSet::new(),
        Some(officer) => complaint_officers::table
            .filter(complaint_officers::officer_id.eq(officer))
            .select(complaint_officers::complaint_id)
            .load(conn)?
            .into_iter()
            .collect(),
    };
    // A duplicate counts by its original.
    let duplicates: HashSet<Id> = linked_complaints(conn)?.into_iter().collect();
    let complaints = rows
        .into_iter()
        .filter(|(id, ..)| !naming.contains(id) && !duplicates.contains(id))
        .map(|(id, received_at, occurred_at, unit_id, branch_id, state, state_since)| BlamingComplaint {
            id,
            received_at,
            occurred_at,
            unit_id,
            branch_id,
            state,
            state_since,
        })
        .collect();
    let named: Vec<(Id, String)> = complaint_officers::table
        .inner_join(officers::table.on(officers::id.eq(complaint_officers::officer_id)))
        .inner_join(complaints::table.on(complaints::id.eq(complaint_officers::complaint_id)))
        .filter(complaints::blames_system.eq(true))
        .select((complaint_officers::complaint_id, officers::code))
        .distinct()
        .load(conn)?;
    let mut officers_of: HashMap<Id, Vec<String>> = HashMap::new();
    for (complaint, code) in named {
        officers_of.entry(complaint).or_default().push(code);
    }
    Ok(BlameRows {
        complaints,
        officers_of,
        units: units::table.select(Unit::as_select()).load(conn)?,
        parents: unit_parents::table.select(UnitParent::as_select()).load(conn)?,
        incidents: system_incidents::table.select(SystemIncident::as_select()).load(conn)?,
    })
}
