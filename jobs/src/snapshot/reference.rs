//! Reference data in memory.

use crate::JobError;
use crate::facts::EnterpriseFact;
use diesel::prelude::*;
use schema::domain::tree::UnitTree;
use schema::models::{IssueCategory, Unit, UnitParent};
use schema::tables::{issue_categories, unit_parents, units};
use schema::{Conn, Id};
use std::collections::HashMap;

/// Units and categories, which filters and answers name by place.
#[derive(Debug, Clone, Default)]
pub struct Reference {
    pub tree: UnitTree,
    pub units: Vec<Unit>,
    pub categories: Vec<IssueCategory>,
    unit_place: HashMap<Id, u32>,
    category_place: HashMap<Id, u32>,
    unit_by_code: HashMap<String, u32>,
}

impl Reference {
    pub(super) fn load(conn: &mut Conn) -> Result<Self, JobError> {
        let all: Vec<Unit> = units::table.order(units::code).select(Unit::as_select()).load(conn)?;
        let parents: Vec<UnitParent> = unit_parents::table.select(UnitParent::as_select()).load(conn)?;
        let categories: Vec<IssueCategory> =
            issue_categories::table.order(issue_categories::code).select(IssueCategory::as_select()).load(conn)?;
        Ok(Self {
            tree: UnitTree::new(&all, &parents),
            unit_place: (0..).zip(&all).map(|(at, unit)| (unit.id, at)).collect(),
            unit_by_code: (0..).zip(&all).map(|(at, unit)| (unit.code.clone(), at)).collect(),
            category_place: (0..).zip(&categories).map(|(at, category)| (category.id, at)).collect(),
            units: all,
            categories,
        })
    }

    pub fn unit_by_code(&self, code: &str) -> Option<&Unit> {
        self.units.get(*self.unit_by_code.get(code)? as usize)
    }

    pub fn unit_place(&self, id: Id) -> Option<u32> {
        self.unit_place.get(&id).copied()
    }

    pub fn category_place(&self, id: Id) -> Option<u32> {
        self.category_place.get(&id).copied()
    }
}

/// Places of enterprises. Those that count as one share a place.
#[derive(Debug, Clone, Default)]
pub struct Enterprises {
    by_id: HashMap<Id, u32>,
    by_name: HashMap<String, u32>,
    /// Of enterprises with a group, whose tax code is not what they count as.
    by_tax_code: HashMap<String, u32>,
    /// The first that was met of each place.
    first: Vec<Id>,
}

impl Enterprises {
    pub(super) fn add(&mut self, rows: Vec<(Id, String, Option<String>)>) {
        for (id, tax_code, group_code) in rows {
            let next = u32::try_from(self.first.len()).unwrap_or(u32::MAX);
            let grouped = group_code.is_some().then(|| tax_code.clone());
            let name = EnterpriseFact { tax_code, group_code }.counts_as();
            let place = *self.by_name.entry(name).or_insert(next);
            if let Some(tax_code) = grouped {
                self.by_tax_code.insert(tax_code, place);
            }
            if place == next {
                self.first.push(id);
            }
            self.by_id.insert(id, place);
        }
    }

    pub fn place(&self, id: Id) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    /// The place of an enterprise that belongs to a group.
    pub fn place_of_tax_code(&self, tax_code: &str) -> Option<u32> {
        self.by_tax_code.get(tax_code).copied()
    }

    /// The place of an enterprise by what it counts as: `group:CODE`, else a tax code without its branch.
    pub fn place_of(&self, counts_as: &str) -> Option<u32> {
        self.by_name.get(counts_as).copied()
    }

    /// One of the enterprises at a place.
    pub fn at(&self, place: u32) -> Option<Id> {
        self.first.get(place as usize).copied()
    }
}

/// Places of officers.
#[derive(Debug, Clone, Default)]
pub struct Officers {
    by_id: HashMap<Id, u32>,
    by_code: HashMap<String, u32>,
    ids: Vec<Id>,
}

impl Officers {
    pub(super) fn add(&mut self, rows: Vec<(Id, String)>) {
        for (id, code) in rows {
            let place = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
            if self.by_id.contains_key(&id) {
                continue;
            }
            self.by_id.insert(id, place);
            self.by_code.insert(code, place);
            self.ids.push(id);
        }
    }

    pub fn place(&self, id: Id) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    pub fn place_of(&self, code: &str) -> Option<u32> {
        self.by_code.get(code).copied()
    }

    pub fn at(&self, place: u32) -> Option<Id> {
        self.ids.get(place as usize).copied()
    }
}
