//! The frames of the register as it is now, read over two connections.
//!
//! Reading the workload and computing exposures takes about as long as reading complaints and their texts, and neither
//! needs the other. The workload, of which a large register has more rows than of complaints, is gone again before the
//! last texts are read.

use super::frames::{COMPARED_TEXTS, Exposures, Frames};
use super::{Changes, Facts, Workload};
use crate::JobError;
use chrono::NaiveDate;
use schema::db::dialect::{current_position, scanning};
use schema::{Conn, Db};
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// The size of the pool of connections from which on a run reads with two of them: most are left to others.
pub const TWO_OF_CONNECTIONS: u32 = 4;

/// Builds the frames as of a day from the register as it is now; returns its position, too.
///
/// # Errors
/// When the database fails or the work is cancelled; `Polars` when a frame cannot be built.
pub fn present_frames(db: &Db, as_of: NaiveDate) -> Result<(Frames, i64), JobError> {
    let (facts, exposures) = thread::scope(|scope| {
        let (to_beside, from_here) = channel();
        let beside = (db.most_connections() >= TWO_OF_CONNECTIONS)
            .then(|| scope.spawn(move || exposures_beside(db, as_of, &from_here)));
        let load = |conn: &mut Conn| {
            let mut facts = Facts::load_organisation(conn)?;
            facts.load_officer_codes(conn)?;
            if beside.is_some() {
                // The thread waits for it, unless it panicked, which `join` tells.
                let _unless_panicked = to_beside.send(facts.take_work());
            }
            facts.load_all_enterprises(conn)?;
            facts.load_all_complaints(conn)?;
            facts.load_texts(conn, as_of - COMPARED_TEXTS, as_of, &Changes::default())?;
            let mut exposures = None;
            if let Some(thread) = beside {
                let done = thread.join().unwrap_or_else(|panic| resume_unwind(panic));
                let (work, found) = done.expect("it was sent what it waits for");
                facts.put_back(work);
                exposures = found?.filter(|_| facts.names_known_officers());
            }
            let exposures = match exposures {
                Some(exposures) => exposures,
                // Somebody wrote between the two reads, or no second connection was free.
                None => {
                    let workload = Facts::load_workload(conn)?;
                    of_workload(&mut facts, workload, as_of)?
                }
            };
            Ok::<_, JobError>((facts, exposures))
        };
        db.read_snapshot(|conn| scanning(conn, load))
    })?;
    let position = facts.position;
    Ok((exposures.into_frames(&facts, as_of)?, position))
}

/// Reads the workload, and computes the exposures of it and of the facts that it is sent, which it returns. No
/// exposures if it read another state of the register. None if it is sent nothing, because the other thread failed.
fn exposures_beside(
    db: &Db,
    as_of: NaiveDate,
    facts: &Receiver<Facts>,
) -> Option<(Facts, Result<Option<Exposures>, JobError>)> {
    let read = db.read_snapshot(|conn| {
        scanning(conn, |conn| Ok::<_, JobError>((current_position(conn)?, Facts::load_workload(conn)?)))
    });
    let mut facts = facts.recv().ok()?;
    let exposures = match read {
        Ok((position, workload)) if position == facts.position => of_workload(&mut facts, workload, as_of).map(Some),
        _ => Ok(None),
    };
    Some((facts, exposures))
}

/// The exposures of a workload, which is dropped then.
fn of_workload(facts: &mut Facts, workload: Workload, as_of: NaiveDate) -> Result<Exposures, JobError> {
    facts.workload = workload;
    let exposures = Exposures::of(facts, as_of);
    facts.workload = Workload::default();
    exposures
}
