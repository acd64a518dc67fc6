//! The table `workload`.

use super::columns::{Day, Text, Whole, declare_table};
use super::names::{Context, Emit};
use crate::JobError;
use crate::row_by_row::for_each;
use chrono::NaiveDate;
use diesel::connection::DefaultLoadingMode;
use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;
use schema::tables::workload;
use schema::{Conn, Id};
use std::borrow::Cow;

declare_table! {
    "workload": "Declarations handled in a month, by a unit as a whole or by one of its officers."
    {
        unit: Text = "Code of the unit.",
        officer: Option<Text> = "Pseudonym of the officer; null for the unit as a whole. Do not add the two kinds of rows.",
        month: Day = "First day of the month.",
        declarations: Whole = "Declarations handled.",
    }
    month_of: "month"
}

/// Rows from which on a batch ends with its month.
const ROWS: usize = 1 << 16;

/// Unit, officer, month, and declarations.
type Stored = (Id, Option<Id>, NaiveDate, i64);

/// The rows of one month as they are sorted.
type OfMonth<'a> = Vec<(&'a str, Option<Cow<'a, str>>, i64)>;

/// The workload, month by month, in the order of codes and pseudonyms.
///
/// # Errors
/// When the database fails, or `emit` does.
pub(super) fn make(of: &Context<'_>, conn: &mut Conn, emit: &mut Emit<'_>) -> Result<(), JobError> {
    let all = workload::table.order(workload::month).select((
        workload::unit_id,
        workload::officer_id,
        workload::month,
        workload::declarations,
    ));
    let (mut rows, mut height) = (Rows::new(0), 0);
    let mut month = NaiveDate::default();
    let mut of_month: OfMonth<'_> = Vec::new();
    for_each!(conn, all, Stored, |row| {
        let (unit, officer, of_row, declarations) = row;
        if of_row != month {
            height += of_month.len();
            push(&mut rows, month, &mut of_month);
            month = of_row;
            if height >= ROWS {
                emit(std::mem::replace(&mut rows, Rows::new(0)).finish()?)?;
                height = 0;
            }
        }
        // A unit that is newer than the snapshot comes with the next one.
        if let Some(unit) = of.unit(unit) {
            of_month.push((unit, officer.map(|officer| of.officer(officer)), declarations));
        }
    });
    push(&mut rows, month, &mut of_month);
    emit(rows.finish()?)
}

/// Moves the rows of a month to the others, in their order.
fn push(rows: &mut Rows, month: NaiveDate, of_month: &mut OfMonth<'_>) {
    of_month.sort_unstable();
    for (unit, officer, declarations) in of_month.drain(..) {
        rows.push(Row { unit, officer: officer.as_deref(), month, declarations });
    }
}
