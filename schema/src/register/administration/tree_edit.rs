//! An edit of the tree of units: several changes of units and of their parents, checked and finished together.

use super::checks::{day_before, earlier_end, lasts_until, rule};
use crate::db::{StoreError, WriteTx, dialect};
use crate::domain::calendar::is_valid_on;
use crate::domain::tree::UnitTree;
use crate::models::{UNKNOWN_START, Unit, UnitParent};
use crate::register::reference::upsert;
use crate::register::tree::{replace_parents, rewrite_ancestors};
use crate::sql_types::Id;
use crate::tables::{unit_parents, units};
use chrono::NaiveDate;
use diesel::prelude::*;
use std::collections::{BTreeMap, HashMap, HashSet};

/// All units with their parents, while they are edited. A lock keeps other writers from the tree until the transaction
/// ends.
pub(super) struct TreeEdit {
    before: UnitTree,
    units: HashMap<Id, Unit>,
    by_code: HashMap<String, Id>,
    parents: BTreeMap<Id, Vec<UnitParent>>,
    /// Units that moved, or that count for another level now.
    affected: HashSet<Id>,
    /// Units whose validity or parents changed.
    to_check: HashSet<Id>,
}

impl TreeEdit {
    /// Locks the tree and loads it.
    ///
    /// # Errors
    /// If the lock is not granted in time.
    pub fn begin(tx: &mut WriteTx<'_>) -> Result<Self, StoreError> {
        dialect::lock_tree_exclusive(tx.conn)?;
        let all: Vec<Unit> = units::table.select(Unit::as_select()).load(tx.conn)?;
        let rows: Vec<UnitParent> = unit_parents::table
            .order((unit_parents::unit_id, unit_parents::valid_from))
            .select(UnitParent::as_select())
            .load(tx.conn)?;
        let before = UnitTree::new(&all, &rows);
        let mut parents: BTreeMap<Id, Vec<UnitParent>> = BTreeMap::new();
        for row in rows {
            parents.entry(row.unit_id).or_default().push(row);
        }
        Ok(Self {
            before,
            by_code: all.iter().map(|unit| (unit.code.clone(), unit.id)).collect(),
            units: all.into_iter().map(|unit| (unit.id, unit)).collect(),
            parents,
            affected: HashSet::new(),
            to_check: HashSet::new(),
        })
    }

    /// The unit with a code.
    ///
    /// # Errors
    /// `Rule` names `field` if there is none.
    pub fn by_code(&self, field: &str, code: &str) -> Result<&Unit, StoreError> {
        self.find(code)
            .ok_or_else(|| rule(field, format!("there is no unit {code:?}: the query `units` lists the codes")))
    }

    pub fn find(&self, code: &str) -> Option<&Unit> {
        self.units.get(self.by_code.get(code)?)
    }

    pub fn unit(&self, id: Id) -> Option<&Unit> {
        self.units.get(&id)
    }

    /// The code of a unit, for messages.
    pub fn code(&self, id: Id) -> &str {
        self.unit(id).map_or("?", |unit| &unit.code)
    }

    pub fn parents(&self, unit: Id) -> &[UnitParent] {
        self.parents.get(&unit).map_or(&[], Vec::as_slice)
    }

    /// The parent of a unit on a day.
    pub fn parent_on(&self, unit: Id, day: NaiveDate) -> Option<Id> {
        let found = self.parents(unit).iter().rev().find(|row| is_valid_on(day, row.valid_from, row.valid_to));
        found.map(|row| row.parent_id)
    }

    /// The units that are below a unit directly after a day, as long as they exist themselves, by code.
    pub fn children_after(&self, unit: Id, last_day: NaiveDate) -> Vec<Id> {
        let goes_on = |valid_to: Option<NaiveDate>| valid_to.is_none_or(|to| to > last_day);
        let mut found: Vec<Id> = self
            .parents
            .iter()
            .filter(|(child, rows)| {
                self.unit(**child).is_some_and(|child| goes_on(child.valid_to))
                    && rows.iter().any(|row| row.parent_id == unit && goes_on(row.valid_to))
            })
            .map(|(child, _)| *child)
            .collect();
        found.sort_by(|a, b| self.code(*a).cmp(self.code(*b)));
        found
    }

    /// The tree as it is edited by now.
    pub fn tree(&self) -> UnitTree {
        UnitTree::new(self.units.values(), self.parents.values().flatten())
    }

    /// The unit and everything below it on a day, by code.
    pub fn below_on(&self, unit: Id, day: NaiveDate) -> Vec<Id> {
        let mut found: Vec<Id> = self.tree().below_on(unit, day).into_iter().collect();
        found.sort_by(|a, b| self.code(*a).cmp(self.code(*b)));
        found
    }

    /// Stores a unit.
    ///
    /// # Errors
    /// If the database refuses it.
    pub fn put(&mut self, tx: &mut WriteTx<'_>, unit: &Unit) -> Result<(), StoreError> {
        upsert(tx, vec![unit.clone()])?;
        let id = unit.id;
        self.by_code.insert(unit.code.clone(), id);
        let earlier = self.units.insert(id, unit.clone());
        if earlier.as_ref().is_none_or(|earlier| earlier.kind != unit.kind) {
            self.affected.insert(id);
        }
        let validity = |unit: &Unit| (unit.valid_from, unit.valid_to);
        if earlier.as_ref().map(validity) != Some(validity(unit)) {
            self.to_check.insert(id);
        }
        Ok(())
    }

    /// Puts a unit below another one from a day on. The parent that it has until then ends the day before.
    ///
    /// # Errors
    /// `Rule` names `field` if the unit has another parent from a later day on, or does not exist on the day.
    pub fn move_to(
        &mut self,
        tx: &mut WriteTx<'_>,
        field: &str,
        unit: Id,
        parent: Id,
        from: NaiveDate,
    ) -> Result<(), StoreError> {
        let (code, above) = (self.code(unit).to_owned(), self.code(parent).to_owned());
        if self.unit(unit).is_some_and(|unit| !is_valid_on(from, unit.valid_from, unit.valid_to)) {
            return Err(rule(field, format!("unit {code:?} does not exist on {from}: choose a day on which it does")));
        }
        let before = self.parents(unit).to_vec();
        if let Some(later) = before.iter().find(|row| row.valid_from > from) {
            let (day, later) = (later.valid_from, self.code(later.parent_id));
            return Err(rule(
                field,
                format!("unit {code:?} is below {later:?} from {day} on already: choose that day or a later one"),
            ));
        }
        if self.parent_on(unit, from) == Some(parent) {
            return Err(rule(field, format!("unit {code:?} is below {above:?} on {from} already")));
        }
        let mut after: Vec<UnitParent> = before.iter().filter(|row| row.valid_from < from).cloned().collect();
        for row in &mut after {
            row.valid_to = earlier_end(row.valid_to, Some(day_before(from)));
        }
        after.push(UnitParent { unit_id: unit, valid_from: from, valid_to: None, parent_id: parent });
        self.put_parents(tx, unit, &before, after)
    }

    /// Sets the first parent of a new unit.
    ///
    /// # Errors
    /// If the database refuses it.
    pub fn put_below(&mut self, tx: &mut WriteTx<'_>, unit: Id, parent: Id, from: NaiveDate) -> Result<(), StoreError> {
        let before = self.parents(unit).to_vec();
        let after = vec![UnitParent { unit_id: unit, valid_from: from, valid_to: None, parent_id: parent }];
        self.put_parents(tx, unit, &before, after)
    }

    /// Ends the validity of a unit and of its place in the tree, and notes its successor.
    ///
    /// # Errors
    /// If the database refuses it.
    pub fn close(
        &mut self,
        tx: &mut WriteTx<'_>,
        unit: Id,
        last_day: NaiveDate,
        successor_id: Option<Id>,
    ) -> Result<(), StoreError> {
        let before = self.parents(unit).to_vec();
        let mut after: Vec<UnitParent> = before.iter().filter(|row| row.valid_from <= last_day).cloned().collect();
        for row in &mut after {
            row.valid_to = earlier_end(row.valid_to, Some(last_day));
        }
        if after != before {
            self.put_parents(tx, unit, &before, after)?;
        }
        match self.unit(unit).cloned() {
            Some(row) => self.put(tx, &Unit { valid_to: Some(last_day), successor_id, ..row }),
            None => Ok(()),
        }
    }

    /// Lets the parent that a unit had until its last day stay its parent until another day; None for no end.
    ///
    /// # Errors
    /// If the database refuses it.
    pub fn lengthen(
        &mut self,
        tx: &mut WriteTx<'_>,
        unit: Id,
        last_day: NaiveDate,
        until: Option<NaiveDate>,
    ) -> Result<(), StoreError> {
        let before = self.parents(unit).to_vec();
        let mut after = before.clone();
        let last = after.iter_mut().filter(|row| row.valid_to == Some(last_day));
        last.for_each(|row| row.valid_to = until);
        if after == before {
            return Ok(());
        }
        self.put_parents(tx, unit, &before, after)
    }

    fn put_parents(
        &mut self,
        tx: &mut WriteTx<'_>,
        unit: Id,
        before: &[UnitParent],
        after: Vec<UnitParent>,
    ) -> Result<(), StoreError> {
        replace_parents(tx, unit, before, &after)?;
        self.parents.insert(unit, after);
        self.affected.insert(unit);
        self.to_check.insert(unit);
        Ok(())
    }

    /// Checks what was edited, and rewrites the stored ancestors of complaints. Returns the number of changed
    /// complaints.
    ///
    /// # Errors
    /// `Rule` if a unit is above itself, or a parent does not exist as long as the unit is below it.
    pub fn finish(self, tx: &mut WriteTx<'_>) -> Result<usize, StoreError> {
        let problems = self.uncovered();
        if !problems.is_empty() {
            return Err(StoreError::Rule(super::checks::listed(&problems)));
        }
        rewrite_ancestors(tx, &self.before, &self.affected)
    }

    /// The places in the tree that last longer than the parent, among those that were edited.
    fn uncovered(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for row in self.parents.values().flatten() {
            if !self.to_check.contains(&row.unit_id) && !self.to_check.contains(&row.parent_id) {
                continue;
            }
            let (Some(child), Some(parent)) = (self.unit(row.unit_id), self.unit(row.parent_id)) else { continue };
            let from = row.valid_from.max(child.valid_from);
            let to = earlier_end(row.valid_to, child.valid_to);
            if to.is_some_and(|to| to < from) {
                continue;
            }
            if parent.valid_from > from {
                let since = if from == UNKNOWN_START { "always".to_owned() } else { format!("from {from} on") };
                problems.push(format!(
                    "unit {:?} is {since} below {:?}, which begins on {}: take this day, or a later one, as the first",
                    child.code, parent.code, parent.valid_from
                ));
            }
            if !lasts_until(parent.valid_to, to) {
                let end = parent.valid_to.map(|day| day.to_string()).unwrap_or_default();
                problems.push(format!(
                    "unit {:?} is below {:?} after {end}, its last day: move it or close it",
                    child.code, parent.code
                ));
            }
        }
        problems
    }
}
