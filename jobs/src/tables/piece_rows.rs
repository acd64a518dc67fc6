//! The complaints of a piece of the snapshot as a reader sees them: which, under which pseudonyms, and in which order.

use super::TableReader;
use super::names::Context;
use crate::JobError;
use crate::snapshot::{Officers, Piece, meaning};
use arrow_array::StringArray;
use arrow_array::builder::StringBuilder;
use polars::prelude::DataFrame;
use schema::Id;
use schema::pseudonyms::Subject;
use std::sync::{Arc, OnceLock};
use uuid::Uuid;

/// The place of a row that the reader does not see.
const HIDDEN: u32 = u32::MAX;

/// Characters of a pseudonym.
const NAME: usize = 27;

/// The complaints of a piece of the snapshot.
pub(super) struct PieceRows {
    pub piece: Arc<Piece>,
    /// The rows that the reader sees, by the day, which is visible, then in a secret order: that of the piece, by ids,
    /// would reveal identities.
    pub order: Vec<u32>,
    /// The place of each row of the piece in this order.
    places: Vec<u32>,
    /// The pseudonym of the complaint of each row of the piece, computed on first use.
    names: OnceLock<StringArray>,
}

impl PieceRows {
    /// # Errors
    /// If a column is missing.
    pub fn of(piece: &Arc<Piece>, officers: &Officers, reader: &TableReader) -> Result<Self, JobError> {
        let facts = piece.rows();
        let (high, low) = (facts.column("id_high")?.u64()?, facts.column("id_low")?.u64()?);
        let days = facts.column("day")?.i32()?;
        let hidden = names_reader(facts, reader.officer.and_then(|officer| officers.place(officer)))?;
        let shuffle = reader.pseudonyms.shuffle();
        let mut seen: Vec<(i32, u64, u32)> = Vec::with_capacity(facts.height());
        let ids = high.iter().zip(low.iter()).map(|(high, low)| (high.unwrap_or_default(), low.unwrap_or_default()));
        for (((row, (high, low)), day), hidden) in (0..).zip(ids).zip(days.iter()).zip(hidden) {
            if !hidden {
                seen.push((day.unwrap_or_default(), shuffle.place(high, low), row));
            }
        }
        seen.sort_unstable();
        let order: Vec<u32> = seen.into_iter().map(|(_, _, row)| row).collect();
        let mut places = vec![HIDDEN; facts.height()];
        for (place, row) in (0..).zip(&order) {
            places[*row as usize] = place;
        }
        Ok(Self { piece: Arc::clone(piece), order, places, names: OnceLock::new() })
    }

    /// The pseudonyms of the complaints by the rows of the piece, empty for those that the reader does not see. `reader`
    /// is the one whom the rows are for.
    ///
    /// # Errors
    /// If a column is missing.
    pub fn names(&self, reader: &TableReader) -> Result<&StringArray, JobError> {
        if let Some(names) = self.names.get() {
            return Ok(names);
        }
        let facts = self.piece.rows();
        let (high, low) = (facts.column("id_high")?.u64()?, facts.column("id_low")?.u64()?);
        let mut names = StringBuilder::with_capacity(facts.height(), facts.height() * NAME);
        let mut name = String::with_capacity(NAME);
        let ids = high.iter().zip(low.iter()).map(|(high, low)| (high.unwrap_or_default(), low.unwrap_or_default()));
        for ((high, low), place) in ids.zip(&self.places) {
            name.clear();
            if *place != HIDDEN {
                reader.pseudonyms.append(Subject::Complaint, Id(Uuid::from_u64_pair(high, low)), &mut name);
            }
            names.append_value(&name);
        }
        Ok(self.names.get_or_init(|| names.finish()))
    }

    /// The place of a row in the order; None if the reader does not see it.
    pub fn place(&self, row: usize) -> Option<u32> {
        self.places.get(row).copied().filter(|place| *place != HIDDEN)
    }

    /// The place of a complaint in the order, and its row; None if it is not in the piece, or not for the reader.
    ///
    /// # Errors
    /// If a column is missing.
    pub fn find(&self, complaint: Id) -> Result<Option<(u32, usize)>, JobError> {
        let Some(row) = self.piece.row(complaint)? else { return Ok(None) };
        Ok(self.place(row).map(|place| (place, row)))
    }
}

/// Whether each complaint names an officer, given as a place.
///
/// # Errors
/// If a column is missing.
pub(super) fn names_reader(facts: &DataFrame, officer: Option<u32>) -> Result<Vec<bool>, JobError> {
    if officer.is_none() {
        return Ok(vec![false; facts.height()]);
    }
    let mut found = Vec::with_capacity(facts.height());
    for words in facts.column("named")?.list()?.amortized_iter() {
        found.push(match words {
            Some(words) => words.as_ref().u32()?.iter().flatten().any(|word| meaning(word).0 == officer),
            None => false,
        });
    }
    Ok(found)
}

/// Whether the reader sees a complaint, and under which pseudonym; None if it does not count, or is not for the reader.
///
/// # Errors
/// If a column is missing.
pub(super) fn complaint(of: &Context<'_>, id: Id) -> Result<Option<String>, JobError> {
    let Some((piece, row)) = of.snapshot.find(id)? else { return Ok(None) };
    if let Some(officer) = of.reader.officer.and_then(|officer| of.snapshot.officers.place(officer)) {
        let lists = piece.rows().column("named")?.list()?;
        if let Some(words) = lists.get_as_series(row)
            && words.u32()?.iter().flatten().any(|word| meaning(word).0 == Some(officer))
        {
            return Ok(None);
        }
    }
    Ok(Some(of.reader.pseudonyms.of(Subject::Complaint, id)))
}
