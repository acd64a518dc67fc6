//! Exports of tables that analysts also ask in SQL.

use super::file::Take;
use super::matching::Matching;
use super::subject::Subject;
use jobs::JobError;
use jobs::snapshot::Snapshot;
use jobs::tables::{Table, TableReader, stream};
use schema::Db;
use std::sync::Arc;

/// The table of an export, if this reader may read it.
///
/// # Errors
/// If the export has no table, or the reader may not read it.
pub fn table_of(subject: Subject, board: bool) -> Result<&'static Table, String> {
    let name = subject.name();
    let table = subject.table().ok_or_else(|| format!("{name} is no table"))?;
    match table.board_only && !board {
        true => Err(format!("only a BOARD may export {name}")),
        false => Ok(table),
    }
}

/// Passes the rows of a table to `take`, those of the complaints of `matching` only.
///
/// # Errors
/// If the database or `take` fails.
pub fn read_table(
    db: &Db,
    snapshot: &Arc<Snapshot>,
    reader: &TableReader,
    table: &'static Table,
    matching: Option<&Matching>,
    take: &mut Take<'_>,
) -> anyhow::Result<()> {
    let mut failure = None;
    let streamed = stream(db, snapshot, reader, table, &mut |piece| {
        let rows = matching.map_or_else(|| Ok(piece.rows.clone()), |matching| matching.of(&piece.rows));
        rows.and_then(&mut *take).map_err(|error| {
            // The caller gets this error itself, not its text.
            let text = error.to_string();
            failure = Some(error);
            JobError::Question(text)
        })
    });
    match (failure, streamed) {
        (Some(error), _) => Err(error),
        (None, streamed) => Ok(streamed?),
    }
}
