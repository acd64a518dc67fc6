//! The table `sources`.

use super::columns::{Text, declare_table};
use super::names::Context;
use super::piece_rows::PieceRows;
use crate::JobError;
use arrow_array::RecordBatch;
use diesel::prelude::*;
use schema::queries::of_a_register;
use schema::tables::complaint_sources;
use schema::{Conn, Id};

declare_table! {
    "sources": "Numbers that other registers gave to complaints. With these registers all pseudonyms can be decoded."
    {
        complaint: Text = "Pseudonym of the complaint.",
        source: Text = "Name of the other register.",
        reference: Text = "Number of the complaint in the other register.",
    }
    board_only: true
}

/// The references of the complaints of a piece in other registers.
///
/// # Errors
/// When the database fails, or a column is missing.
pub(super) fn make(of: &Context<'_>, piece: &PieceRows, conn: &mut Conn) -> Result<RecordBatch, JobError> {
    let (first, last) = piece.piece.span()?;
    let stored: Vec<(Id, String, String)> = complaint_sources::table
        .filter(of_a_register())
        .filter(complaint_sources::complaint_id.ge(first))
        .filter(complaint_sources::complaint_id.le(last))
        .select((complaint_sources::complaint_id, complaint_sources::source, complaint_sources::reference))
        .load(conn)?;
    let mut found: Vec<(u32, &str, &str, usize)> = Vec::with_capacity(stored.len());
    for (complaint, source, reference) in &stored {
        if let Some((index, row)) = piece.find(*complaint)? {
            found.push((index, source.as_str(), reference.as_str(), row));
        }
    }
    found.sort_unstable();
    let names = piece.names(of.reader)?;
    let mut rows = Rows::new(found.len());
    for (_, source, reference, row) in found {
        rows.push(Row { complaint: names.value(row), source, reference });
    }
    rows.finish()
}
