//! The table `postings`.

use super::columns::{Day, Text, declare_table};
use super::names::{Context, Emit};
use crate::JobError;
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::Conn;
use schema::models::{Posting, UNKNOWN_START};
use schema::tables::postings;
use std::borrow::Cow;

declare_table! {
    "postings": "Where officers are and were posted."
    {
        officer: Text = "Pseudonym of the officer.",
        unit: Text = "Code of the unit.",
        valid_from: Option<Day> = "First day; null for no known beginning.",
        valid_to: Option<Day> = "Last day; null while it lasts.",
    }
}

/// The postings, in the order of pseudonyms and days.
///
/// # Errors
/// When the database fails.
pub(super) fn make(of: &Context<'_>, conn: &mut Conn, emit: &mut Emit<'_>) -> Result<(), JobError> {
    let stored: Vec<Posting> = postings::table.select(Posting::as_select()).load(conn)?;
    let mut found: Vec<(Cow<'_, str>, NaiveDate, &str, Option<NaiveDate>)> = Vec::with_capacity(stored.len());
    for one in &stored {
        // A unit that is newer than the snapshot comes with the next one.
        if let Some(unit) = of.unit(one.unit_id) {
            found.push((of.officer(one.officer_id), one.valid_from, unit, one.valid_to));
        }
    }
    found.sort_unstable();
    let mut rows = Rows::new(found.len());
    for (officer, first, unit, valid_to) in &found {
        let valid_from = Some(*first).filter(|first| *first != UNKNOWN_START);
        rows.push(Row { officer, unit, valid_from, valid_to: *valid_to });
    }
    emit(rows.finish()?)
}
