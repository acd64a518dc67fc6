//! Units and issue categories in memory.

use crate::JobError;
use diesel::prelude::*;
use schema::domain::legal_clock::ClockRules;
use schema::domain::tree::UnitTree;
use schema::models::{IssueCategory, Unit, UnitParent};
use schema::register::{clock_rules, rules_hash};
use schema::tables::{issue_categories, unit_parents, units};
use schema::{Conn, Id};
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
    unit_place: HashMap<Id, u32>,
    category_place: HashMap<Id, u32>,
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
            unit_place: (0..).zip(&all).map(|(at, unit)| (unit.id, at)).collect(),
            unit_by_code: (0..).zip(&all).map(|(at, unit)| (unit.code.clone(), at)).collect(),
            category_place: (0..).zip(&categories).map(|(at, category)| (category.id, at)).collect(),
            category_by_code: (0..).zip(&categories).map(|(at, category)| (category.code.clone(), at)).collect(),
            units: all,
            categories,
            clock: rules_hash(conn)?,
            clock_rules: clock_rules(conn)?,
        })
    }

    pub fn unit_by_code(&self, code: &str) -> Option<&Unit> {
        self.units.get(*self.unit_by_code.get(code)? as usize)
    }

    pub fn unit(&self, id: Id) -> Option<&Unit> {
        self.units.get(self.unit_place(id)? as usize)
    }

    pub fn category(&self, id: Id) -> Option<&IssueCategory> {
        self.categories.get(self.category_place(id)? as usize)
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
            Some(above) => self.category_place(above),
            None => Some(place),
        }
    }

    /// The place of the peer group of a complaint ([`schema::enums::PeerGroup::WORDS`]): that of the first of its units
    /// that has one.
    pub(super) fn peer_group(&self, units: [Option<Id>; 4]) -> Option<u32> {
        units.into_iter().flatten().find_map(|id| self.unit(id)?.peer_group).map(schema::enums::PeerGroup::place)
    }

    pub fn unit_place(&self, id: Id) -> Option<u32> {
        self.unit_place.get(&id).copied()
    }

    pub fn category_place(&self, id: Id) -> Option<u32> {
        self.category_place.get(&id).copied()
    }
}
