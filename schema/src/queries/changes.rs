//! The changes since an earlier read, for code that polls the register.

use crate::db::{Conn, StoreError};
use crate::enums::{ComplaintEventKind, RunState};
use crate::sql_types::{Id, Timestamp};
use crate::tables::{alerts, complaint_events, flags, job_runs};
use diesel::prelude::*;
use std::collections::{BTreeMap, HashMap};

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

/// The time at which each of the `most` latest alerts was over; None for one that is still current.
///
/// # Errors
/// If the database cannot be read.
pub fn ends_of_latest_alerts(conn: &mut Conn, most: i64) -> Result<HashMap<Id, Option<Timestamp>>, StoreError> {
    let latest = alerts::table.order((alerts::raised_at.desc(), alerts::id.desc()));
    let rows = latest.select((alerts::id, alerts::cleared_at)).limit(most);
    Ok(rows.load::<(Id, Option<Timestamp>)>(conn)?.into_iter().collect())
}

/// The number of events of complaints of each kind after a position of the register, and up to another one. Escalations,
/// which jobs record, are not corrections.
///
/// # Errors
/// If the database cannot be read.
pub fn event_counts_between(conn: &mut Conn, after: i64, until: i64) -> Result<BTreeMap<String, i64>, StoreError> {
    let counts = complaint_events::table
        .filter(complaint_events::position.gt(after).and(complaint_events::position.le(until)))
        .filter(complaint_events::kind.ne(ComplaintEventKind::Updated).or(complaint_events::actor.ne("job")))
        .group_by(complaint_events::kind)
        .select((complaint_events::kind, diesel::dsl::count_star()));
    Ok(counts.load::<(String, i64)>(conn)?.into_iter().collect())
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
