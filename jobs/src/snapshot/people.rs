//! Officers and enterprises in memory, so that a page of results needs no query for their names.

use super::shared::{SharedList, SharedMap, Text, Texts};
use crate::facts::EnterpriseFact;
use chrono::NaiveDate;
use schema::Id;
use schema::models::{Enterprise, Officer};

#[derive(Debug, Clone)]
struct EnterpriseRow {
    id: Id,
    /// Shared by enterprises that count as one.
    place: u32,
    tax_code: Text,
    name: Text,
    group: Text,
}

/// Enterprises, and their places: numbers from 0, which enterprises that count as one share.
#[derive(Debug, Clone, Default)]
pub struct Enterprises {
    rows: SharedList<EnterpriseRow>,
    texts: Texts,
    row_of: SharedMap<Id>,
    by_counts_as: SharedMap<Box<str>>,
    /// Places of enterprises with a group, which `by_counts_as` does not find by tax code.
    by_tax_code: SharedMap<Box<str>>,
    /// The row of the representative enterprise of each place.
    first: SharedList<u32>,
}

impl Enterprises {
    pub(super) fn add(&mut self, enterprise: Enterprise) {
        let Enterprise { id, tax_code, name, group_code } = enterprise;
        let place = u32::try_from(self.first.len()).unwrap_or(u32::MAX);
        let row = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        if self.row_of.get(&id).is_some() {
            return;
        }
        let (tax, of, group) =
            (self.texts.add(Some(&tax_code)), self.texts.add(name.as_deref()), self.texts.add(group_code.as_deref()));
        let grouped = group_code.is_some().then(|| tax_code.as_str().into());
        let counts_as = EnterpriseFact { tax_code, group_code }.counts_as();
        let place = self.by_counts_as.get_or_insert(counts_as.into_boxed_str(), place);
        if let Some(tax_code) = grouped {
            self.by_tax_code.insert(tax_code, place);
        }
        // The lowest id represents a place, whatever the order of arrival, so that all nodes show the same.
        match self.first.get(place as usize) {
            None => self.first.push(row),
            Some(first) if self.rows.get(*first as usize).is_some_and(|other| other.id > id) => {
                if let Some(first) = self.first.get_mut(place as usize) {
                    *first = row;
                }
            }
            Some(_) => {}
        }
        self.rows.push(EnterpriseRow { id, place, tax_code: tax, name: of, group });
        self.row_of.insert(id, row);
    }

    /// Updates the name of an enterprise that has a place. False where its tax code or group changed: it may then
    /// belong to another place, and nothing is updated.
    pub(super) fn update_unless_moved(&mut self, enterprise: &Enterprise) -> bool {
        let Some(at) = self.row_of.get(&enterprise.id).map(|row| row as usize) else { return true };
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
        Some(self.rows.get(self.row_of.get(&id)? as usize)?.place)
    }

    /// An enterprise; None when it is newer than the snapshot.
    pub fn get(&self, id: Id) -> Option<Enterprise> {
        let row = self.rows.get(self.row_of.get(&id)? as usize)?;
        Some(Enterprise {
            id,
            tax_code: self.texts.owned(row.tax_code),
            name: self.texts.get(row.name).map(str::to_owned),
            group_code: self.texts.get(row.group).map(str::to_owned),
        })
    }

    /// The place of an enterprise with a group, by its tax code.
    pub fn place_of_tax_code(&self, tax_code: &str) -> Option<u32> {
        self.by_tax_code.get(tax_code)
    }

    /// The place of an enterprise by its key: `group:CODE`, else a tax code without its branch suffix.
    pub fn place_of(&self, counts_as: &str) -> Option<u32> {
        self.by_counts_as.get(counts_as)
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

/// Officers, and their places: numbers from 0.
#[derive(Debug, Clone, Default)]
pub struct Officers {
    rows: SharedList<OfficerRow>,
    texts: Texts,
    by_id: SharedMap<Id>,
    by_code: SharedMap<Box<str>>,
}

impl Officers {
    /// Adds or updates an officer; a code never changes.
    pub(super) fn put(&mut self, officer: &Officer) {
        let next = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let place = self.by_id.get_or_insert(officer.id, next);
        let row = OfficerRow {
            id: officer.id,
            code: self.texts.add(Some(&officer.code)),
            name: self.texts.add(officer.name.as_deref()),
            rank: self.texts.add(officer.rank.as_deref()),
            appointed_on: officer.appointed_on,
            unknown: officer.unknown,
        };
        match self.rows.get_mut(place as usize) {
            Some(existing) => *existing = row,
            None => {
                self.by_code.insert(officer.code.as_str().into(), place);
                self.rows.push(row);
            }
        }
    }

    pub fn place(&self, id: Id) -> Option<u32> {
        self.by_id.get(&id)
    }

    pub fn place_of(&self, code: &str) -> Option<u32> {
        self.by_code.get(code)
    }

    pub fn at(&self, place: u32) -> Option<Id> {
        Some(self.rows.get(place as usize)?.id)
    }

    /// An officer; None when newer than the snapshot.
    pub fn get(&self, id: Id) -> Option<Officer> {
        let row = self.rows.get(self.place(id)? as usize)?;
        Some(Officer {
            id,
            code: self.texts.owned(row.code),
            name: self.texts.get(row.name).map(str::to_owned),
            rank: self.texts.get(row.rank).map(str::to_owned),
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
mod tests {
    use super::*;

    fn enterprise(id: u128, tax_code: &str) -> Enterprise {
        Enterprise { id: Id(uuid::Uuid::from_u128(id)), tax_code: tax_code.into(), name: None, group_code: None }
    }

    #[test]
    fn who_stands_for_enterprises_that_count_as_one_does_not_depend_on_who_came_first() {
        let whole = enterprise(2, "0314409058");
        let branch = enterprise(1, "0314409058-002");
        for order in [[&whole, &branch], [&branch, &whole]] {
            let mut enterprises = Enterprises::default();
            order.into_iter().for_each(|one| enterprises.add(one.clone()));
            assert_eq!((enterprises.places(), enterprises.at(0)), (1, Some(branch.id)));
            assert_eq!(enterprises.place(whole.id), enterprises.place(branch.id));
        }
    }
}
