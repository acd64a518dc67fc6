//! Reading the ledger (jobs and their runs), and deleting old runs.

use diesel::prelude::*;
use schema::db::WriteTx;
use schema::enums::{RunOrigin, RunState};
use schema::models::{Job as JobRow, JobRun};
use schema::states::StateTable;
use schema::tables::{
    digests, escalations, flag_assessments, flag_reviews, flags, job_results, job_runs, jobs, reader_digests,
};
use schema::{Conn, Id, StoreError, Timestamp};
use std::collections::HashMap;

/// The rows of all jobs that the ledger has seen.
///
/// # Errors
/// If the database cannot be read.
pub fn states(conn: &mut Conn) -> Result<Vec<JobRow>, StoreError> {
    Ok(jobs::table.order(jobs::job).select(JobRow::as_select()).load(conn)?)
}

/// The last run that succeeded of each of these jobs.
///
/// # Errors
/// If the database cannot be read.
pub fn last_successes<'j>(
    conn: &mut Conn,
    jobs: impl IntoIterator<Item = &'j str>,
) -> Result<HashMap<String, JobRun>, StoreError> {
    let mut found = HashMap::new();
    for job in jobs {
        let run: Option<JobRun> = job_runs::table
            .filter(job_runs::job.eq(job))
            .filter(job_runs::state.eq(RunState::Succeeded))
            .order(job_runs::scheduled_at.desc())
            .select(JobRun::as_select())
            .first(conn)
            .optional()?;
        found.extend(run.map(|run| (job.to_owned(), run)));
    }
    Ok(found)
}

/// The latest runs, newest first, of one job or of all.
///
/// # Errors
/// If the database cannot be read.
pub fn history(conn: &mut Conn, job: Option<&str>, limit: i64) -> Result<Vec<JobRun>, StoreError> {
    let mut query = job_runs::table.into_boxed();
    if let Some(job) = job {
        query = query.filter(job_runs::job.eq(job.to_owned()));
    }
    Ok(query
        .order((job_runs::started_at.desc(), job_runs::id.desc()))
        .limit(limit)
        .select(JobRun::as_select())
        .load(conn)?)
}

/// The number of runs by job and state.
///
/// # Errors
/// If the database cannot be read.
pub fn count_runs(conn: &mut Conn) -> Result<Vec<(String, RunState, i64)>, StoreError> {
    let counts = job_runs::table
        .group_by((job_runs::job, job_runs::state))
        .select((job_runs::job, job_runs::state, diesel::dsl::count_star()))
        .load(conn)?;
    Ok(counts)
}

/// Deletes at most `most` runs that started before a time and that nothing refers to; returns how many.
///
/// # Errors
/// If the database cannot be written.
pub fn forget(tx: &mut WriteTx<'_>, before: Timestamp, most: i64) -> Result<usize, StoreError> {
    let stay = newest(tx.conn, tx.now)?;
    let old: Vec<Id> = job_runs::table
        .filter(job_runs::started_at.lt(before))
        .filter(job_runs::state.ne(RunState::Running))
        .filter(job_runs::retry_at.is_null())
        // A run with a hash can be reproduced.
        .filter(job_runs::result_hash.is_null())
        .filter(job_runs::id.ne_all(stay))
        .filter(job_runs::id.ne_all(job_results::table.select(job_results::run_id)))
        .filter(job_runs::id.ne_all(flags::table.select(flags::run_id)))
        .filter(job_runs::id.ne_all(flag_assessments::table.select(flag_assessments::run_id)))
        .filter(job_runs::id.ne_all(flag_reviews::table.select(flag_reviews::run_id)))
        .filter(job_runs::id.ne_all(escalations::table.select(escalations::run_id)))
        .filter(job_runs::id.ne_all(digests::table.select(digests::run_id)))
        .filter(job_runs::id.ne_all(reader_digests::table.select(reader_digests::run_id)))
        .order(job_runs::started_at)
        .limit(most)
        .select(job_runs::id)
        .load(tx.conn)?;
    diesel::delete(job_runs::table.filter(job_runs::id.eq_any(&old))).execute(tx.conn)?;
    old.iter().for_each(|id| tx.record_state(StateTable::JobRuns, id));
    Ok(old.len())
}

/// The newest scheduled run of each job, from which `claim` continues.
fn newest(conn: &mut Conn, now: Timestamp) -> Result<Vec<Id>, StoreError> {
    let times: Vec<(String, Option<Timestamp>)> = job_runs::table
        .filter(job_runs::origin.eq(RunOrigin::Scheduled))
        .filter(job_runs::scheduled_at.le(now))
        .group_by(job_runs::job)
        .select((job_runs::job, diesel::dsl::max(job_runs::scheduled_at)))
        .load(conn)?;
    times
        .into_iter()
        .filter_map(|(job, at)| Some((job, at?)))
        .map(|(job, at)| {
            let runs = job_runs::table.filter(job_runs::job.eq(job)).filter(job_runs::scheduled_at.eq(at));
            Ok(runs.select(job_runs::id).first(conn)?)
        })
        .collect()
}
