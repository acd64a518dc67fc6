//! The facts that statistics read: the fields of complaints, allegations, units and the rest that they need.

use crate::facts::allegations::Allegations;
use crate::facts::compact_complaints::{ComplaintFact, Complaints};
use crate::facts::minhash::TextSketch;
use crate::facts::monthly_workload::Workload;
use polars::prelude::PlRandomState;
use schema::Id;
use schema::domain::tree::UnitTree;
use schema::enums::CategoryKind;
use schema::models::{Posting, Unit, UnitParent};
use std::collections::{HashMap, HashSet};
use std::mem::take;
use std::sync::Arc;

#[derive(Debug, Clone, PartialEq)]
pub struct CategoryFact {
    pub kind: CategoryKind,
    pub serious: bool,
}

/// Items by id. Millions of rows look them up: the hash is faster than the standard one, and has a random seed, too.
pub type ById<T> = HashMap<Id, T, PlRandomState>;

/// All facts of the register that the recurrence statistics read.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Ordered by id.
    pub complaints: Complaints,
    pub allegations: Allegations,
    pub units: ById<Unit>,
    pub parents: ById<Vec<UnitParent>>,
    pub postings: ById<Vec<Posting>>,
    pub officer_codes: ById<String>,
    pub enterprises: ById<EnterpriseFact>,
    pub categories: ById<CategoryFact>,
    pub workload: Workload,
    /// Sketches of the texts of complaints about conduct: see [`Facts::load_texts`]. The texts are dropped, because
    /// statistics only need their similarity.
    pub texts: ById<Arc<TextSketch>>,
    /// The complaints that are linked to another one that says the same. Only their originals count.
    pub duplicates: HashSet<Id>,
    /// The register position at which the facts were read.
    pub position: i64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct EnterpriseFact {
    pub tax_code: String,
    pub group_code: Option<String>,
}

impl Facts {
    /// The tree of all units.
    pub fn tree(&self) -> UnitTree {
        UnitTree::new(self.units.values(), self.parents.values().flatten())
    }

    /// Takes out what exposures are made of, except the workload: units, postings and the codes of officers.
    pub(super) fn take_work(&mut self) -> Self {
        Self {
            units: take(&mut self.units),
            parents: take(&mut self.parents),
            postings: take(&mut self.postings),
            officer_codes: take(&mut self.officer_codes),
            position: self.position,
            ..Self::default()
        }
    }

    /// Puts back what [`Self::take_work`] took out.
    pub(super) fn put_back(&mut self, work: Self) {
        let Self { units, parents, postings, officer_codes, .. } = work;
        (self.units, self.parents, self.postings, self.officer_codes) = (units, parents, postings, officer_codes);
    }

    /// The complaints that count: a duplicate is left out, because its original counts.
    pub fn counted(&self) -> impl Iterator<Item = ComplaintFact> {
        self.complaints.iter().filter(|fact| !self.duplicates.contains(&fact.id))
    }
}

impl EnterpriseFact {
    /// The key that enterprises counted as one share: the group, else the tax code without its branch suffix.
    pub fn counts_as(&self) -> String {
        match &self.group_code {
            Some(group) => format!("group:{group}"),
            None => schema::domain::tax_code::enterprise_of(&self.tax_code).to_owned(),
        }
    }
}

/// An officer or a branch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    pub code: String,
    pub id: Id,
}
