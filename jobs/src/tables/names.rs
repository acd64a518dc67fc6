//! The pseudonyms of officers and enterprises by their places in the snapshot, kept from one snapshot to the next.

use super::TableReader;
use super::parallel::in_parallel;
use crate::JobError;
use crate::snapshot::{Enterprises, Officers, Snapshot};
use arrow_array::RecordBatch;
use chrono::NaiveDate;
use schema::Id;
use schema::pseudonyms::{Pseudonyms, Subject};
use std::borrow::Cow;
use std::sync::Arc;

/// Pseudonyms that a thread makes in one go.
const PART: usize = 1_024;

/// The pseudonyms of the officers and enterprises that a snapshot knows.
#[derive(Default)]
pub(super) struct Names {
    officers: Vec<(Id, String)>,
    enterprises: Vec<(Id, String)>,
    /// Changes whenever an index refers to another officer or enterprise than before.
    version: u64,
    of: Option<(Arc<Officers>, Arc<Enterprises>)>,
}

impl Names {
    /// Brings the names up to date with a snapshot.
    pub fn refresh(&mut self, snapshot: &Snapshot, pseudonyms: &Pseudonyms) {
        let (officers, enterprises) = (&snapshot.officers, &snapshot.enterprises);
        let has = |known: &(Arc<Officers>, Arc<Enterprises>)| {
            Arc::ptr_eq(&known.0, officers) && Arc::ptr_eq(&known.1, enterprises)
        };
        if self.of.as_ref().is_some_and(has) {
            return;
        }
        let changed = bring_up_to_date(
            &mut self.officers,
            officers.places(),
            |place| officers.at(place),
            |id| pseudonyms.of(Subject::Officer, id),
        );
        // A new enterprise that joins a group may become the one that represents it.
        let changed = bring_up_to_date(
            &mut self.enterprises,
            enterprises.places(),
            |place| enterprises.at(place),
            |id| pseudonyms.of(Subject::Enterprise, id),
        ) || changed;
        if changed {
            self.version += 1;
        }
        self.of = Some((Arc::clone(officers), Arc::clone(enterprises)));
    }

    pub fn version(&self) -> u64 {
        self.version
    }

    pub fn officer_at(&self, place: u32) -> Option<&str> {
        self.officers.get(place as usize).map(|(_, name)| name.as_str())
    }

    pub fn enterprise_at(&self, place: u32) -> Option<&str> {
        self.enterprises.get(place as usize).map(|(_, name)| name.as_str())
    }

    /// The officers with their pseudonyms, in the order of pseudonyms.
    pub fn officers(&self) -> Vec<(&str, Id)> {
        let mut all: Vec<(&str, Id)> = self.officers.iter().map(|(id, name)| (name.as_str(), *id)).collect();
        all.sort_unstable();
        all
    }
}

/// Renews the names of indices that refer to another subject than before, and adds those of new indices. Tells whether
/// a place changed that had a name.
fn bring_up_to_date(
    names: &mut Vec<(Id, String)>,
    places: usize,
    at: impl Fn(u32) -> Option<Id>,
    name: impl Fn(Id) -> String + Sync,
) -> bool {
    let known = names.len();
    let mut changed = places < known;
    names.truncate(places);
    let mut new: Vec<Id> = Vec::new();
    for (place, id) in (0..u32::try_from(places).unwrap_or(u32::MAX)).map_while(|place| Some((place, at(place)?))) {
        match names.get_mut(place as usize) {
            Some((of, _)) if *of == id => {}
            Some(renamed) => {
                *renamed = (id, name(id));
                changed = true;
            }
            None => new.push(id),
        }
    }
    let parts: Vec<&[Id]> = new.chunks(PART).collect();
    let named = |part: &&[Id]| part.iter().map(|id| (*id, name(*id))).collect::<Vec<(Id, String)>>();
    names.extend(in_parallel(&parts, &named).into_iter().flatten());
    changed
}

/// Takes the batches of a table, one after the other.
pub(super) type Emit<'a> = dyn FnMut(RecordBatch) -> Result<(), JobError> + 'a;

/// The inputs of all makers of tables: the snapshot, the reader, and names.
pub(super) struct Context<'a> {
    pub snapshot: &'a Snapshot,
    pub reader: &'a TableReader,
    pub names: &'a Names,
    /// The local day of the snapshot.
    pub day: NaiveDate,
}

impl<'a> Context<'a> {
    /// The code of a unit; None for one that is newer than the snapshot.
    pub fn unit(&self, id: Id) -> Option<&'a str> {
        self.snapshot.reference.unit(id).map(|unit| unit.code.as_str())
    }

    /// The code of a category; None for one that is newer than the snapshot.
    pub fn category(&self, id: Id) -> Option<&'a str> {
        self.snapshot.reference.category(id).map(|one| one.code.as_str())
    }

    /// The pseudonym of an officer.
    pub fn officer(&self, id: Id) -> Cow<'a, str> {
        let known = self.snapshot.officers.place(id).and_then(|place| self.names.officer_at(place));
        match known {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(self.reader.pseudonyms.of(Subject::Officer, id)),
        }
    }

    /// The pseudonym of a flag.
    pub fn flag(&self, id: Id) -> String {
        self.reader.pseudonyms.of(Subject::Flag, id)
    }

    /// Whether an officer is the reader.
    pub fn is_reader(&self, officer: Option<Id>) -> bool {
        officer.is_some() && officer == self.reader.officer
    }
}
