//! Officers and enterprises in memory, so that a page of results needs no query for their names.

use super::shared::{SharedIndex, SharedList, Text, Texts};
use crate::JobError;
use crate::facts::EnterpriseFact;
use crate::row_by_row::for_each;
use chrono::NaiveDate;
use diesel::connection::DefaultLoadingMode;
use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;
use schema::domain::tax_code::enterprise_of;
use schema::models::{Enterprise, Officer};
use schema::tables::{enterprises, officers};
use schema::{Conn, Id};

/// Reads all enterprises in the order in which the database has them: in that of ids, an SQLite database is read many
/// times over, or kept in memory.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn read_enterprises(conn: &mut Conn) -> Result<EnterpriseRows, JobError> {
    let mut all = EnterpriseRows::default();
    for_each!(conn, enterprises::table.select(Enterprise::as_select()), Enterprise, |row| all.add(&row));
    Ok(all)
}

/// Reads all officers, as [`read_enterprises`].
///
/// # Errors
/// If the database cannot be read.
pub(super) fn read_officers(conn: &mut Conn) -> Result<OfficerRows, JobError> {
    let mut all = OfficerRows::default();
    for_each!(conn, officers::table.select(Officer::as_select()), Officer, |row| all.add(&row));
    Ok(all)
}

#[derive(Debug, Clone)]
struct EnterpriseRow {
    id: Id,
    /// Shared by enterprises that count as one.
    place: u32,
    tax_code: Text,
    name: Text,
    group: Text,
}

impl EnterpriseRow {
    /// The row of an enterprise that has no place yet.
    fn new(enterprise: &Enterprise, texts: &mut Texts) -> Self {
        Self {
            id: enterprise.id,
            place: u32::MAX,
            tax_code: texts.add(Some(&enterprise.tax_code)),
            name: texts.add(enterprise.name.as_deref()),
            group: texts.add(enterprise.group_code.as_deref()),
        }
    }
}

/// Enterprises, and their places: numbers from 0, which enterprises that count as one share.
#[derive(Debug, Clone, Default)]
pub struct Enterprises {
    rows: SharedList<EnterpriseRow>,
    texts: Texts,
    /// Rows by id.
    by_id: SharedIndex,
    /// Places by what an enterprise counts as.
    by_counts_as: SharedIndex,
    /// Rows of enterprises with a group, which `by_counts_as` does not find by tax code.
    by_tax_code: SharedIndex,
    /// The row of the representative enterprise of each place.
    first: SharedList<u32>,
}

impl Enterprises {
    pub(super) fn add(&mut self, enterprise: &Enterprise) {
        if self.row_of(enterprise.id).is_none() {
            let row = EnterpriseRow::new(enterprise, &mut self.texts);
            self.push(row);
        }
    }

    /// Adds a row whose texts are there, with a place.
    fn push(&mut self, mut row: EnterpriseRow) {
        let number = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let tax_code = self.texts.owned(row.tax_code);
        let group_code = self.texts.get(row.group).map(str::to_owned);
        if group_code.is_some() {
            self.by_tax_code.insert(tax_code.as_str(), number);
        }
        let counts_as = EnterpriseFact { tax_code, group_code }.counts_as();
        row.place = match self.index_of(&counts_as) {
            Some(place) => place,
            None => {
                let place = u32::try_from(self.first.len()).unwrap_or(u32::MAX);
                self.by_counts_as.insert(counts_as.as_str(), place);
                place
            }
        };
        // The lowest id represents a place, whatever the order of arrival, so that all nodes show the same.
        match self.first.get(row.place as usize) {
            None => self.first.push(number),
            Some(first) if self.rows.get(*first as usize).is_some_and(|other| other.id > row.id) => {
                if let Some(first) = self.first.get_mut(row.place as usize) {
                    *first = number;
                }
            }
            Some(_) => {}
        }
        self.by_id.insert(&row.id, number);
        self.rows.push(row);
    }

    fn row_of(&self, id: Id) -> Option<usize> {
        let is_it = |row: u32| self.rows.get(row as usize).is_some_and(|row| row.id == id);
        self.by_id.get(&id, is_it).map(|row| row as usize)
    }

    /// Updates the name of an enterprise that has a place. False where its tax code or group changed: it may then
    /// belong to another place, and nothing is updated.
    pub(super) fn update_unless_moved(&mut self, enterprise: &Enterprise) -> bool {
        let Some(at) = self.row_of(enterprise.id) else { return true };
        let Some(row) = self.rows.get(at) else { return true };
        let same = self.texts.get(row.tax_code) == Some(&enterprise.tax_code)
            && self.texts.get(row.group) == enterprise.group_code.as_deref();
        if same
            && self.texts.get(row.name) != enterprise.name.as_deref()
            && let Some(row) = self.rows.get_mut(at)
        {
            row.name = self.texts.add(enterprise.name.as_deref());
        }
        same
    }

    pub fn place(&self, id: Id) -> Option<u32> {
        Some(self.rows.get(self.row_of(id)?)?.place)
    }

    /// An enterprise; None when it is newer than the snapshot.
    pub fn get(&self, id: Id) -> Option<Enterprise> {
        let row = self.rows.get(self.row_of(id)?)?;
        Some(Enterprise {
            id,
            tax_code: self.texts.owned(row.tax_code),
            name: self.texts.get(row.name).map(str::to_owned),
            group_code: self.texts.get(row.group).map(str::to_owned),
        })
    }

    /// The place of an enterprise with a group, by its tax code.
    pub fn index_of_tax_code(&self, tax_code: &str) -> Option<u32> {
        let row_at = |row: u32| self.rows.get(row as usize);
        let is_it = |row: u32| row_at(row).is_some_and(|row| self.texts.get(row.tax_code) == Some(tax_code));
        Some(row_at(self.by_tax_code.get(tax_code, is_it)?)?.place)
    }

    /// The place of an enterprise by its key: `group:CODE`, else a tax code without its branch suffix.
    pub fn index_of(&self, counts_as: &str) -> Option<u32> {
        self.by_counts_as.get(counts_as, |place| {
            let row = self.first.get(place as usize).and_then(|row| self.rows.get(*row as usize));
            row.is_some_and(|row| match self.texts.get(row.group) {
                Some(group) => counts_as.strip_prefix("group:") == Some(group),
                None => self.texts.get(row.tax_code).map(enterprise_of) == Some(counts_as),
            })
        })
    }

    /// The representative enterprise of a place.
    pub fn at(&self, place: u32) -> Option<Id> {
        Some(self.rows.get(*self.first.get(place as usize)? as usize)?.id)
    }

    /// All enterprises in the order in which they came, with their places.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = (Id, u32)> {
        self.rows.iter().map(|row| (row.id, row.place))
    }

    /// The number of places.
    pub fn places(&self) -> usize {
        self.first.len()
    }
}

#[derive(Debug, Clone)]
struct OfficerRow {
    id: Id,
    code: Text,
    name: Text,
    rank: Text,
    appointed_on: Option<NaiveDate>,
    unknown: bool,
}

/// Enterprises as they come from the database, in any order.
#[derive(Debug, Default)]
pub(super) struct EnterpriseRows {
    rows: Vec<EnterpriseRow>,
    texts: Texts,
}

impl EnterpriseRows {
    pub fn add(&mut self, enterprise: &Enterprise) {
        self.rows.push(EnterpriseRow::new(enterprise, &mut self.texts));
    }

    /// All enterprises: first those of a list, in its order, then the others by id. None if one of the list is missing.
    pub fn in_order(mut self, list: &[(Id, u32)]) -> Option<Enterprises> {
        let (listed, others) = order(&mut self.rows, list, |row| row.id)?;
        let mut enterprises = Enterprises { texts: self.texts, ..Enterprises::default() };
        listed.into_iter().chain(others).for_each(|at| enterprises.push(self.rows[at].clone()));
        Some(enterprises)
    }
}

/// Sorts rows by id. Returns where those of a list are, in its order, and where the others are. None if one of the list
/// is missing or in it twice.
fn order<R>(rows: &mut [R], list: &[(Id, u32)], id_of: fn(&R) -> Id) -> Option<(Vec<usize>, Vec<usize>)> {
    rows.sort_unstable_by_key(id_of);
    let mut is_listed = vec![false; rows.len()];
    let mut listed = Vec::with_capacity(list.len());
    for (id, _) in list {
        let at = rows.binary_search_by_key(id, id_of).ok()?;
        if std::mem::replace(&mut is_listed[at], true) {
            return None;
        }
        listed.push(at);
    }
    Some((listed, (0..rows.len()).filter(|at| !is_listed[*at]).collect()))
}

/// Number of ranks that share their texts.
const RANKS: usize = 64;

/// Officers, and their places: numbers from 0.
#[derive(Debug, Clone, Default)]
pub struct Officers {
    rows: SharedList<OfficerRow>,
    texts: OfficerTexts,
    by_id: SharedIndex,
    by_code: SharedIndex,
}

#[derive(Debug, Clone, Default)]
struct OfficerTexts {
    texts: Texts,
    /// Some ranks, which most officers share.
    ranks: Vec<Text>,
}

impl OfficerTexts {
    fn add(&mut self, officer: &Officer) -> OfficerRow {
        let rank = officer.rank.as_deref();
        let existing = self.ranks.iter().copied().find(|existing| self.texts.get(*existing) == rank);
        let rank = existing.unwrap_or_else(|| {
            let rank = self.texts.add(rank);
            if self.ranks.len() < RANKS {
                self.ranks.push(rank);
            }
            rank
        });
        OfficerRow {
            id: officer.id,
            code: self.texts.add(Some(&officer.code)),
            name: self.texts.add(officer.name.as_deref()),
            rank,
            appointed_on: officer.appointed_on,
            unknown: officer.unknown,
        }
    }
}

/// Officers as they come from the database, in any order.
#[derive(Debug, Default)]
pub(super) struct OfficerRows {
    rows: Vec<OfficerRow>,
    texts: OfficerTexts,
}

impl OfficerRows {
    pub fn add(&mut self, officer: &Officer) {
        self.rows.push(self.texts.add(officer));
    }

    /// All officers: first those of a list, in its order, then the others by code. None if one of the list is missing.
    pub fn in_order(mut self, list: &[(Id, u32)]) -> Option<Officers> {
        let (listed, mut others) = order(&mut self.rows, list, |row| row.id)?;
        let code = |at: &usize| self.texts.texts.get(self.rows[*at].code);
        others.sort_unstable_by(|a, b| code(a).cmp(&code(b)));
        let mut officers = Officers { texts: self.texts, ..Officers::default() };
        listed.into_iter().chain(others).for_each(|at| officers.push(self.rows[at].clone()));
        Some(officers)
    }
}

impl Officers {
    /// Adds or updates an officer; a code never changes.
    pub(super) fn put(&mut self, officer: &Officer) {
        let row = self.texts.add(officer);
        match self.place(officer.id).and_then(|place| self.rows.get_mut(place as usize)) {
            Some(existing) => *existing = row,
            None => self.push(row),
        }
    }

    /// Adds a row whose texts are there.
    fn push(&mut self, row: OfficerRow) {
        let place = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        self.by_id.insert(&row.id, place);
        self.by_code.insert(self.texts.texts.get(row.code).unwrap_or_default(), place);
        self.rows.push(row);
    }

    pub fn place(&self, id: Id) -> Option<u32> {
        self.by_id.get(&id, |place| self.at(place) == Some(id))
    }

    pub fn index_of(&self, code: &str) -> Option<u32> {
        self.by_code.get(code, |place| {
            let row = self.rows.get(place as usize);
            row.is_some_and(|row| self.texts.texts.get(row.code) == Some(code))
        })
    }

    pub fn at(&self, place: u32) -> Option<Id> {
        Some(self.rows.get(place as usize)?.id)
    }

    /// An officer; None when newer than the snapshot.
    pub fn get(&self, id: Id) -> Option<Officer> {
        let (row, texts) = (self.rows.get(self.place(id)? as usize)?, &self.texts.texts);
        Some(Officer {
            id,
            code: texts.owned(row.code),
            name: texts.get(row.name).map(str::to_owned),
            rank: texts.get(row.rank).map(str::to_owned),
            appointed_on: row.appointed_on,
            unknown: row.unknown,
        })
    }

    /// All officers in the order of their places.
    pub(super) fn in_order(&self) -> impl Iterator<Item = Id> {
        self.rows.iter().map(|row| row.id)
    }

    /// The number of officers.
    pub fn places(&self) -> usize {
        self.rows.len()
    }
}

#[cfg(test)]
mod tests;
