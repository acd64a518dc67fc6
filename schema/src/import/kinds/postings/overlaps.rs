//! Finds the rows of a file with which an officer would serve in two units at a time.

use super::super::Group;
use super::{VALID_FROM, VALID_TO};
use crate::import::Reject;
use crate::import::kinds::Context;
use crate::models::{Posting, UNKNOWN_START};
use crate::register::overlap;
use crate::sql_types::Id;
use chrono::NaiveDate;

/// The rejects of the rows of an officer that overlap other postings of the officer, in the file or in the register.
/// Days that stored postings cover already are not a reason to reject, and a row that ends a posting earlier adds none.
/// Of two new rows the one that begins later is refused. `code` gives the code of a unit.
pub fn overlaps(
    context: &Context<'_>,
    group: &Group,
    rows: &[Posting],
    (before, after): (&[Posting], &[Posting]),
    code: &dyn Fn(Id) -> String,
) -> Vec<Reject> {
    let line = |posting: &Posting| rows.iter().position(|row| row == posting).map(|at| group.rows[at].line);
    let is_new = |posting: &Posting| line(posting).is_some() && adds_days(posting, before);
    let mut rejects = Vec::new();
    for (row, source) in rows.iter().zip(&group.rows) {
        let cells = context.columns.of(source);
        let mut others = rows.iter().zip(&group.rows);
        let twin = others.find(|(other, at)| key(other) == key(row) && *other != row && at.line < source.line);
        if let Some((_, at)) = twin {
            let reason = format!("row {} gives this posting another last day: keep one of the two", at.line);
            rejects.push(cells.reject(VALID_TO, reason));
            continue;
        }
        if !is_new(row) {
            continue;
        }
        let counts = |other: &&Posting| key(other) < key(row) || !is_new(other);
        let mut others = after.iter().filter(|other| key(other) != key(row) && overlap(row, other));
        let Some(other) = others.find(counts) else { continue };
        let in_file = line(other);
        let place = in_file.map_or_else(|| "in the register".to_owned(), |line| format!("row {line}"));
        let (field, remedy) = remedy(row, other, in_file.is_some());
        let reason = format!(
            "overlaps the posting to {:?}{} ({place}), and an officer serves in one unit at a time: {remedy}",
            code(other.unit_id),
            days(other)
        );
        rejects.push(cells.reject(field, reason));
    }
    rejects
}

/// The key of a posting of one officer.
fn key(posting: &Posting) -> (NaiveDate, Id) {
    (posting.valid_from, posting.unit_id)
}

/// Whether a posting has days that the stored one with the same unit and first day does not have.
fn adds_days(posting: &Posting, before: &[Posting]) -> bool {
    match before.iter().find(|stored| key(stored) == key(posting)) {
        None => true,
        Some(stored) => match (posting.valid_to, stored.valid_to) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(now), Some(was)) => now > was,
        },
    }
}

/// The field at fault, and what to do.
fn remedy(row: &Posting, other: &Posting, in_file: bool) -> (usize, String) {
    let before = |day: NaiveDate| day.pred_opt().unwrap_or(day);
    if other.valid_from < row.valid_from {
        let by = if in_file { "" } else { " (by a row of this file, or by `endPosting`)" };
        let last = before(row.valid_from);
        return (VALID_FROM, format!("end that one on {last} at the latest{by}, or begin this one after it"));
    }
    if row.valid_from < other.valid_from {
        let last = before(other.valid_from);
        return (VALID_TO, format!("end this one on {last} at the latest, or correct that one (`correctPosting`)"));
    }
    (VALID_FROM, "give one of them other days".to_owned())
}

/// The days of a posting in words.
fn days(posting: &Posting) -> String {
    let from = Some(posting.valid_from).filter(|first| *first != UNKNOWN_START);
    match (from, posting.valid_to) {
        (None, None) => " without a first and a last day".to_owned(),
        (None, Some(to)) => format!(" to {to}"),
        (Some(from), None) => format!(" from {from} on"),
        (Some(from), Some(to)) => format!(" from {from} to {to}"),
    }
}
