//! The table `allegations`.

use super::ColumnSet;
use super::columns::{Day, Text, declare_table};
use super::names::Context;
use super::piece_rows::PieceRows;
use crate::JobError;
use crate::facts::days::day_of;
use crate::snapshot::{attribution, meaning};
use arrow_array::{RecordBatch, StringArray};
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::enums::{Attribution, Finding};
use schema::tables::complaint_officers;
use schema::{Conn, Id};
use std::borrow::Cow;

declare_table! {
    "allegations": "Allegations against officers, one row for each; a complaint may name one officer several times."
    {
        complaint: Text = "Pseudonym of the complaint.",
        officer: Text = "Pseudonym of the officer.",
        category: Option<Text> = "Code of the category of the allegation.",
        unit: Option<Text> = "Code of the unit of the allegation.",
        attribution: Text = "ASSERTED by the enterprise, or CONFIRMED by the Board.",
        finding: Text = "PENDING, SUSTAINED, NOT_SUSTAINED, UNFOUNDED or EXONERATED. It counts from the day of the decision on.",
        decided_on: Option<Day> = "Day of the decision.",
        received_on: Day = "Day of receipt of the complaint, in Vietnam's time.",
    }
    month_of: "received_on"
}

/// Complaint, officer, category, unit, attribution, finding, and day of the decision.
type Stored = (Id, Id, Option<Id>, Option<Id>, Attribution, Finding, Option<NaiveDate>);

/// An allegation as it is sorted: the place of its complaint, then all that the reader sees of it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Allegation<'a> {
    place: u32,
    officer: Cow<'a, str>,
    category: Option<&'a str>,
    unit: Option<&'a str>,
    attribution: &'static str,
    finding: &'static str,
    decided_on: Option<NaiveDate>,
    row: usize,
}

/// The allegations of the complaints of a piece.
///
/// # Errors
/// When the database fails, or a column is missing.
pub(super) fn make(of: &Context<'_>, piece: &PieceRows, conn: &mut Conn) -> Result<RecordBatch, JobError> {
    let (first, last) = piece.piece.span()?;
    let stored: Vec<Stored> = complaint_officers::table
        .filter(complaint_officers::complaint_id.ge(first))
        .filter(complaint_officers::complaint_id.le(last))
        .select((
            complaint_officers::complaint_id,
            complaint_officers::officer_id,
            complaint_officers::category_id,
            complaint_officers::unit_id,
            complaint_officers::attribution,
            complaint_officers::finding,
            complaint_officers::decided_on,
        ))
        .load(conn)?;
    let mut found = Vec::with_capacity(stored.len());
    for (complaint, officer, category, unit, attribution, finding, decided_on) in stored {
        let Some((place, row)) = piece.find(complaint)? else { continue };
        let decided = decided_on.is_none_or(|day| day <= of.day);
        let finding = if decided { finding } else { Finding::Pending };
        found.push(Allegation {
            place,
            officer: of.officer(officer),
            category: category.and_then(|id| of.category(id)),
            unit: unit.and_then(|id| of.unit(id)),
            attribution: attribution.as_str(),
            finding: finding.as_str(),
            decided_on: decided_on.filter(|_| decided),
            row,
        });
    }
    found.sort_unstable();
    rows(&found, piece, Some(piece.names(of.reader)?))
}

/// The same in the columns that the snapshot has: all but the category, the unit and the day of the decision.
///
/// # Errors
/// If a column is missing.
pub(super) fn of_snapshot(of: &Context<'_>, piece: &PieceRows, wanted: ColumnSet) -> Result<RecordBatch, JobError> {
    let facts = piece.piece.rows();
    let mut found = Vec::with_capacity(facts.height());
    for (row, words) in facts.column("named")?.list()?.amortized_iter().enumerate() {
        let (Some(place), Some(words)) = (piece.place(row), words) else { continue };
        for word in words.as_ref().u32()?.iter().flatten() {
            let (Some(officer), finding) = meaning(word) else { continue };
            found.push(Allegation {
                place,
                officer: Cow::Borrowed(of.names.officer_at(officer).unwrap_or_default()),
                category: None,
                unit: None,
                attribution: attribution(word).and_then(|at| word_at(Attribution::WORDS, at)).unwrap_or_default(),
                finding: word_at(Finding::WORDS, finding).unwrap_or_default(),
                decided_on: None,
                row,
            });
        }
    }
    found.sort_unstable();
    // Pseudonyms of complaints are dear.
    let names_complaints = ColumnSet::named(&TABLE, |name| name == "complaint").has_any(wanted);
    let names = if names_complaints { Some(piece.names(of.reader)?) } else { None };
    let all = rows(&found, piece, names)?;
    Ok(all.project(&wanted.places().collect::<Vec<usize>>())?)
}

fn word_at(words: &[&'static str], place: u32) -> Option<&'static str> {
    words.get(place as usize).copied()
}

/// The rows of allegations, without pseudonyms of complaints if there are no names.
fn rows(found: &[Allegation<'_>], piece: &PieceRows, names: Option<&StringArray>) -> Result<RecordBatch, JobError> {
    let days = piece.piece.rows().column("day")?.i32()?;
    let mut rows = Rows::new(found.len());
    for one in found {
        rows.push(Row {
            complaint: names.map_or("", |names| names.value(one.row)),
            officer: &one.officer,
            category: one.category,
            unit: one.unit,
            attribution: one.attribution,
            finding: one.finding,
            decided_on: one.decided_on,
            received_on: day_of(days.get(one.row).unwrap_or_default()),
        });
    }
    rows.finish()
}
