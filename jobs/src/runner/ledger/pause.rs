//! Pausing jobs. The pause is stored in the row of the job, so that all nodes obey it.

use super::rows::locked;
use diesel::prelude::*;
use schema::db::WriteTx;
use schema::db::dialect::database_time;
use schema::models::Job as JobRow;
use schema::refusal::JobRefusal;
use schema::states::StateTable;
use schema::tables::jobs;
use schema::{Db, StoreError, Timestamp};

/// A pause of a job.
#[derive(Debug, Clone, Copy)]
pub struct Pause<'p> {
    /// The actor of the pause.
    pub by: &'p str,
    pub reason: Option<&'p str>,
}

/// Pauses a job, or resumes it (None), also when it is paused, or not paused, already. A paused job starts no scheduled
/// run; runs by hand start.
///
/// Scheduled times that pass while a job is paused count as missed.
///
/// # Errors
/// If the database cannot be written.
pub fn set_paused(db: &Db, job: &str, pause: Option<Pause<'_>>) -> Result<JobRow, StoreError> {
    let committed = db.write("job", |tx| {
        let now = database_time(tx.conn)?;
        let row = locked(tx, job, now)?;
        store(tx, row, pause, now)
    })?;
    Ok(committed.value)
}

/// Pauses a job that is not paused, or resumes a paused one (None). `actor` is who does.
///
/// # Errors
/// `Conflict` when another client did so before.
pub fn change_pause(db: &Db, actor: &str, job: &str, pause: Option<Pause<'_>>) -> Result<JobRow, StoreError> {
    let committed = db.write(actor, |tx| {
        let now = database_time(tx.conn)?;
        let row = locked(tx, job, now)?;
        match (row.paused_at, pause) {
            (Some(since), Some(_)) => {
                let by = row.paused_by.as_deref().unwrap_or("an unknown actor");
                let since = since.utc().format("%Y-%m-%d %H:%M:%SZ").to_string();
                Err(JobRefusal::Paused { job: job.to_owned(), by: by.to_owned(), since }.into())
            }
            (None, None) => Err(JobRefusal::NotPaused { job: job.to_owned() }.into()),
            _ => store(tx, row, pause, now),
        }
    })?;
    Ok(committed.value)
}

fn store(
    tx: &mut WriteTx<'_>,
    mut row: JobRow,
    pause: Option<Pause<'_>>,
    now: Timestamp,
) -> Result<JobRow, StoreError> {
    row.paused_at = pause.map(|_| row.paused_at.unwrap_or(now));
    row.paused_by = pause.map(|pause| pause.by.to_owned());
    row.pause_reason = pause.and_then(|pause| pause.reason).map(str::to_owned);
    diesel::update(jobs::table.find(&row.job))
        .set((
            jobs::paused_at.eq(row.paused_at),
            jobs::paused_by.eq(&row.paused_by),
            jobs::pause_reason.eq(&row.pause_reason),
        ))
        .execute(tx.conn)?;
    tx.record_state(StateTable::Jobs, &row.job);
    Ok(row)
}
