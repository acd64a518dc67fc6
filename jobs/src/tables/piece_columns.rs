//! Caches table columns per snapshot piece.

use super::makers::MakeColumns;
use super::names::Context;
use super::parallel::in_parallel;
use super::piece_rows::PieceRows;
use super::{ColumnPiece, ColumnSet, Table, Wanted};
use crate::JobError;
use crate::snapshot::Reference;
use arrow_array::{ArrayRef, RecordBatch};
use chrono::NaiveDate;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Returns a version that no other column piece of this process has had.
pub(super) fn next_version() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// The inputs of a column besides the rows of the piece.
#[derive(Clone)]
pub(super) struct Basis {
    pub reference: Arc<Reference>,
    pub day: NaiveDate,
    pub names: u64,
}

impl Basis {
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.reference, &other.reference) && self.day == other.day && self.names == other.names
    }
}

/// A column that was built for a piece.
struct Made {
    /// None after the rows of the snapshot changed: the column must be built again.
    basis: Option<Basis>,
    version: u64,
    values: ArrayRef,
}

/// The columns that were built for a piece of the snapshot.
pub(super) struct PieceColumns {
    pub rows: PieceRows,
    pub key: u32,
    /// Made columns by table and index. Columns with the same basis come from the same rows.
    made: HashMap<(&'static str, usize), Made>,
}

impl PieceColumns {
    /// The piece with new rows. It keeps the columns of the earlier rows, so that unchanged columns keep their version.
    pub fn in_place_of(before: Option<Self>, rows: PieceRows, key: u32) -> Self {
        let mut made = before.map(|before| before.made).unwrap_or_default();
        made.values_mut().for_each(|one| one.basis = None);
        Self { rows, key, made }
    }

    /// The columns that have to be made.
    pub fn lacks(&self, wanted: Wanted, basis: &Basis) -> ColumnSet {
        let is_there = |index: usize| {
            let made = self.made.get(&(wanted.table.name, index));
            made.and_then(|made| made.basis.as_ref()).is_some_and(|before| before.is(basis))
        };
        wanted.columns.places().filter(|index| !is_there(*index)).collect()
    }

    /// Keeps columns of a table. Where the values are those from before, the version stays.
    pub fn keep(&mut self, table: &'static Table, columns: ColumnSet, basis: &Basis, rows: &RecordBatch) {
        for (index, values) in columns.places().zip(rows.columns()) {
            let name = (table.name, index);
            let same = self.made.remove(&name).filter(|before| before.values.as_ref() == values.as_ref());
            let version = same.map_or_else(next_version, |before| before.version);
            self.made.insert(name, Made { basis: Some(basis.clone()), version, values: Arc::clone(values) });
        }
    }

    pub fn columns(&self, wanted: Wanted) -> impl Iterator<Item = ColumnPiece> {
        wanted.columns.places().filter_map(move |column| {
            let Made { version, values, .. } = self.made.get(&(wanted.table.name, column))?;
            Some(ColumnPiece {
                table: wanted.table,
                key: self.key,
                column,
                version: *version,
                values: Arc::clone(values),
            })
        })
    }
}

/// Whether a column of a piece has to be made.
pub(super) fn lack(columns_of_pieces: &[PieceColumns], wanted: Wanted, basis: &Basis) -> bool {
    columns_of_pieces.iter().any(|one| !one.lacks(wanted, basis).is_empty())
}

/// Makes the columns of a table that are missing, on the threads of polars.
///
/// # Errors
/// If the columns of a piece cannot be made.
pub(super) fn make_each(
    columns_of_pieces: &mut [PieceColumns],
    context: &Context<'_>,
    wanted: Wanted,
    basis: &Basis,
    make: MakeColumns,
) -> Result<(), JobError> {
    let missing = columns_of_pieces.iter_mut().map(|one| (one.lacks(wanted, basis), one));
    let missing: Vec<(ColumnSet, &mut PieceColumns)> = missing.filter(|(lacks, _)| !lacks.is_empty()).collect();
    let make = |(lacks, one): &(ColumnSet, &mut PieceColumns)| make(context, &one.rows, *lacks);
    let made = in_parallel(&missing, &make);
    for ((lacks, one), rows) in missing.into_iter().zip(made) {
        one.keep(wanted.table, lacks, basis, &rows?);
    }
    Ok(())
}
