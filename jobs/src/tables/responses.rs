//! The table `responses`.

use super::columns::{Day, Flag, Instant, Text, declare_table};
use super::names::Context;
use super::piece_rows::PieceRows;
use crate::JobError;
use arrow_array::RecordBatch;
use diesel::prelude::*;
use schema::domain::calendar::local_date;
use schema::enums::{ResponseAction, ResponseVisibility};
use schema::tables::unit_responses;
use schema::{Conn, Id, Timestamp};

declare_table! {
    "responses": "What units answered to complaints, one row for each response."
    {
        complaint: Text = "Pseudonym of the complaint.",
        unit: Text = "Code of the unit that responded.",
        responded_at: Instant = "Time of the response.",
        responded_on: Day = "Day of the response, in Vietnam's time.",
        kind: Text = "EXPLANATION, CORRECTION, GUIDANCE, FORWARDED, MEASURE or OTHER.",
        outcome: Option<Text> = "What the response led to, in the words of the unit. For a BOARD alone; null for others.",
        satisfied: Option<Flag> = "Whether the enterprise was satisfied; null where it is not known.",
        visibility: Text = "For whom it is meant: COMPLAINANT or INTERNAL.",
        is_answer: Flag = "False for a statement of the unit complained about where another one has to answer.",
        recorded_at: Instant = "Time of recording.",
    }
    month_of: "responded_on"
}

/// Complaint, unit, times, kind, outcome, satisfied, statement, and visibility.
type Stored = (
    Id,
    Id,
    Timestamp,
    Timestamp,
    ResponseAction,
    Option<String>,
    Option<bool>,
    Option<bool>,
    Option<ResponseVisibility>,
);

fn times(one: &Stored) -> (Timestamp, Timestamp) {
    (one.2, one.3)
}

/// The responses to the complaints of a piece.
///
/// # Errors
/// When the database fails, or a column is missing.
pub(super) fn make(of: &Context<'_>, piece: &PieceRows, conn: &mut Conn) -> Result<RecordBatch, JobError> {
    let (first, last) = piece.piece.span()?;
    let stored: Vec<Stored> = unit_responses::table
        .filter(unit_responses::complaint_id.ge(first))
        .filter(unit_responses::complaint_id.le(last))
        .select((
            unit_responses::complaint_id,
            unit_responses::unit_id,
            unit_responses::responded_at,
            unit_responses::recorded_at,
            unit_responses::action,
            unit_responses::outcome,
            unit_responses::satisfied,
            unit_responses::statement,
            unit_responses::visibility,
        ))
        .load(conn)?;
    let mut found: Vec<(u32, usize, &str, &Stored)> = Vec::with_capacity(stored.len());
    for one in &stored {
        // A unit that is newer than the snapshot comes with the next one.
        if let (Some((index, row)), Some(unit)) = (piece.find(one.0)?, of.unit(one.1)) {
            found.push((index, row, unit, one));
        }
    }
    found.sort_by(|(a, _, left, one), (b, _, right, other)| {
        (a, times(one), left, one.4).cmp(&(b, times(other), right, other.4))
    });
    let names = piece.names(of.reader)?;
    let mut rows = Rows::new(found.len());
    for (_, row, unit, (_, _, responded_at, recorded_at, action, outcome, satisfied, statement, visibility)) in found {
        rows.push(Row {
            complaint: names.value(row),
            unit,
            responded_at: *responded_at,
            responded_on: local_date(*responded_at),
            kind: action.as_str(),
            outcome: outcome.as_deref().filter(|_| of.reader.board),
            satisfied: *satisfied,
            visibility: visibility.unwrap_or(ResponseVisibility::Internal).as_str(),
            is_answer: *statement != Some(true),
            recorded_at: *recorded_at,
        });
    }
    rows.finish()
}
