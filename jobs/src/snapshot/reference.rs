//! Units and issue categories in memory.

use crate::JobError;
use data_encoding::HEXLOWER;
use diesel::prelude::*;
use schema::domain::legal_clock::ClockRules;
use schema::domain::tree::UnitTree;
use schema::enums::{DeadlineUnit, PeerGroup};
use schema::models::{IssueCategory, Unit, UnitParent};
use schema::register::{clock_rules, rules_hash};
use schema::tables::{issue_categories, unit_parents, units};
use schema::{Conn, Id};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::Arc;

/// Units and categories, each ordered by code. The columns of the snapshot refer to them by index ("place").
#[derive(Debug, Clone, Default)]
pub struct Reference {
    pub tree: UnitTree,
    pub units: Vec<Unit>,
    pub categories: Vec<IssueCategory>,
    /// The rules by which deadlines were computed ([`rules_hash`]).
    pub(super) clock: String,
    pub clock_rules: Arc<ClockRules>,
    unit_index: HashMap<Id, u32>,
    category_index: HashMap<Id, u32>,
    unit_by_code: HashMap<String, u32>,
    category_by_code: HashMap<String, u32>,
}

impl Reference {
    /// Reads all units and categories.
    ///
    /// # Errors
    /// When the database fails.
    pub fn load(conn: &mut Conn) -> Result<Self, JobError> {
        let all: Vec<Unit> = units::table.order(units::code).select(Unit::as_select()).load(conn)?;
        let parents: Vec<UnitParent> = unit_parents::table.select(UnitParent::as_select()).load(conn)?;
        let categories: Vec<IssueCategory> =
            issue_categories::table.order(issue_categories::code).select(IssueCategory::as_select()).load(conn)?;
        Ok(Self {
            tree: UnitTree::new(&all, &parents),
            unit_index: (0..).zip(&all).map(|(at, unit)| (unit.id, at)).collect(),
            unit_by_code: (0..).zip(&all).map(|(at, unit)| (unit.code.clone(), at)).collect(),
            category_index: (0..).zip(&categories).map(|(at, category)| (category.id, at)).collect(),
            category_by_code: (0..).zip(&categories).map(|(at, category)| (category.code.clone(), at)).collect(),
            units: all,
            categories,
            clock: rules_hash(conn)?,
            clock_rules: clock_rules(conn)?,
        })
    }

    /// A hash of what the columns depend on in units and categories: their order, the peer groups of units, and the
    /// parents, kinds and deadlines of categories; and the rules of deadlines. Names are not in it, nor the tree of
    /// units: complaints store the units above theirs, and a unit that moves changes them.
    pub(super) fn hash_of_columns(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(&self.clock);
        for unit in &self.units {
            hash.update(unit.id.0.as_bytes());
            // No peer group is none of them.
            hash.update(unit.peer_group.map_or(u32::MAX, PeerGroup::place).to_le_bytes());
        }
        for category in &self.categories {
            hash.update(category.id.0.as_bytes());
            // No category has the id of zeros.
            hash.update(category.parent_id.map_or([0; 16], |above| *above.0.as_bytes()));
            hash.update(category.kind.place().to_le_bytes());
            // No deadline is not a deadline of any number of days.
            hash.update(category.deadline_days.map_or(i64::MIN, i64::from).to_le_bytes());
            hash.update(category.deadline_unit.map_or(u32::MAX, DeadlineUnit::place).to_le_bytes());
        }
        HEXLOWER.encode(&hash.finalize())
    }

    pub fn unit_by_code(&self, code: &str) -> Option<&Unit> {
        self.units.get(*self.unit_by_code.get(code)? as usize)
    }

    pub fn unit(&self, id: Id) -> Option<&Unit> {
        self.units.get(self.unit_index(id)? as usize)
    }

    pub fn category(&self, id: Id) -> Option<&IssueCategory> {
        self.categories.get(self.category_index(id)? as usize)
    }

    pub fn category_by_code(&self, code: &str) -> Option<&IssueCategory> {
        self.categories.get(*self.category_by_code.get(code)? as usize)
    }

    /// A category and those below it.
    pub fn categories_within(&self, id: Id) -> impl Iterator<Item = &IssueCategory> {
        self.categories.iter().filter(move |one| one.id == id || one.parent_id == Some(id))
    }

    /// The place of the first-level category of a category: the one above it, or itself.
    pub fn category_group(&self, place: u32) -> Option<u32> {
        match self.categories.get(place as usize)?.parent_id {
            Some(above) => self.category_index(above),
            None => Some(place),
        }
    }

    /// The place of the peer group of a complaint ([`PeerGroup::WORDS`]): that of the first of its units
    /// that has one.
    pub(super) fn peer_group(&self, units: [Option<Id>; 4]) -> Option<u32> {
        units.into_iter().flatten().find_map(|id| self.unit(id)?.peer_group).map(PeerGroup::place)
    }

    pub fn unit_index(&self, id: Id) -> Option<u32> {
        self.unit_index.get(&id).copied()
    }

    pub fn category_index(&self, id: Id) -> Option<u32> {
        self.category_index.get(&id).copied()
    }
}
