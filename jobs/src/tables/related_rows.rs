//! Loads the related rows of snapshot pieces from the database, over several connections.

use super::makers::MakeRelatedRows;
use super::names::Context;
use super::piece_rows::PieceRows;
use crate::JobError;
use arrow_array::RecordBatch;
use schema::{Conn, Db};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{Builder, available_parallelism, scope};

/// Most threads that read the rows of one table, each over a connection of its own.
const READERS: usize = 4;
/// The pieces for which another reader is worth its connection.
const PIECES: usize = 4;

/// The rows of a table that belong to each of some pieces of the snapshot. Where there are many, and connections to
/// spare, other threads help: the database computes on one processor what a connection asks, and decoding takes as long.
///
/// # Errors
/// When the database fails, or a column is missing.
pub(super) fn read_related_rows(
    db: &Db,
    conn: &mut Conn,
    context: &Context<'_>,
    pieces: &[&PieceRows],
    make: MakeRelatedRows,
) -> Result<Vec<RecordBatch>, JobError> {
    let (next, gives_up) = (AtomicUsize::new(0), AtomicBool::new(false));
    let read = |conn: &mut Conn, found: &mut Vec<(usize, RecordBatch)>| -> Result<(), JobError> {
        while !gives_up.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(piece) = pieces.get(index) else { break };
            found.push((index, make(context, piece, conn)?));
        }
        Ok(())
    };
    let help = || {
        let mut found = Vec::new();
        // What a helper does not read, this thread reads, which then has the error, too.
        let _reads_no_more: Result<(), JobError> = db.read_snapshot(|conn| read(conn, &mut found));
        found
    };
    let found = scope(|scope| {
        let helpers: Vec<_> = (0..helpers(db, pieces.len()))
            .filter_map(|_| Builder::new().name("sql-tables".into()).spawn_scoped(scope, help).ok())
            .collect();
        let mut found = Vec::with_capacity(pieces.len());
        let own = read(conn, &mut found);
        gives_up.store(own.is_err(), Ordering::Relaxed);
        for helper in helpers {
            found.extend(helper.join().unwrap_or_default());
        }
        own.map(|()| found)
    })?;
    let mut rows: Vec<Option<RecordBatch>> = vec![None; pieces.len()];
    for (index, made) in found {
        rows[index] = Some(made);
    }
    let all = pieces.iter().zip(rows);
    all.map(|(piece, rows)| rows.map_or_else(|| make(context, piece, conn), Ok)).collect()
}

/// The number of further threads that read pieces: fewer than half of the idle connections.
fn helpers(db: &Db, pieces: usize) -> usize {
    let (open, idle) = db.connections();
    let free = db.most_connections().saturating_sub(open.saturating_sub(idle));
    let processors = available_parallelism().map_or(1, usize::from);
    let readers = processors.min(READERS).min(pieces / PIECES);
    readers.saturating_sub(1).min(usize::try_from(free / 2).unwrap_or_default())
}
