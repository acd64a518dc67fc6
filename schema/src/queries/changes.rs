//! What has changed since an earlier read, for those who poll the register.

use crate::db::{Conn, StoreError};
use crate::enums::{ComplaintEventKind, RunState};
use crate::sql_types::{Id, Timestamp};
use crate::tables::{alerts, complaint_events, flags, job_runs};
use diesel::prelude::*;
use std::collections::HashMap;

/// The time of the last change of each flag.
///
/// # Errors
/// If the database cannot be read.
pub fn change_times_of_flags(conn: &mut Conn) -> Result<HashMap<Id, Timestamp>, StoreError> {
    let rows = flags::table.select((flags::id, flags::changed_at)).load::<(Id, Timestamp)>(conn)?;
    Ok(rows.into_iter().collect())
}

/// The state of each of the latest runs of jobs, at most `most` of them.
///
/// # Errors
/// If the database cannot be read.
pub fn states_of_latest_runs(conn: &mut Conn, most: i64) -> Result<HashMap<Id, RunState>, StoreError> {
    let runs = job_runs::table.order(job_runs::started_at.desc()).select((job_runs::id, job_runs::state));
    let rows = runs.limit(most).load::<(Id, RunState)>(conn)?;
    Ok(rows.into_iter().collect())
}

/// Of each of the latest alerts, at most `most` of them, when it was over; None for one that stands.
///
/// # Errors
/// If the database cannot be read.
pub fn ends_of_latest_alerts(conn: &mut Conn, most: i64) -> Result<HashMap<Id, Option<Timestamp>>, StoreError> {
    let latest = alerts::table.order((alerts::raised_at.desc(), alerts::id.desc()));
    let rows = latest.select((alerts::id, alerts::cleared_at)).limit(most);
    Ok(rows.load::<(Id, Option<Timestamp>)>(conn)?.into_iter().collect())
}

/// The complaints received after a position of the register, and up to another one, in the order of their events.
///
/// # Errors
/// If the database cannot be read.
pub fn complaints_received_between(conn: &mut Conn, after: i64, until: i64) -> Result<Vec<Id>, StoreError> {
    let received = complaint_events::table
        .filter(complaint_events::position.gt(after).and(complaint_events::position.le(until)))
        .filter(complaint_events::kind.eq(ComplaintEventKind::Received))
        .order((complaint_events::position, complaint_events::ordinal))
        .select(complaint_events::complaint_id);
    Ok(received.load(conn)?)
}
