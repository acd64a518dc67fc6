//! Routing: which unit has to answer a complaint. A routing rule in force on the day of receipt decides, the most
//! specific one of those that match; else the owner of the category (or of the category above it); else the branch
//! complained about, or the department or the unit where there is no branch. For a unit that has ended its successor
//! answers.

use super::complaints::{self, Case, reference_day};
use super::reference::{Stored, existing_id, upsert};
use crate::db::{Conn, StoreError, WriteTx, dialect};
use crate::domain::calendar::{is_valid_on, local_date};
use crate::domain::ids::random_id;
use crate::domain::state::is_waiting;
use crate::domain::tree::UnitTree;
use crate::enums::CategoryKind;
use crate::models::{IssueCategory, RoutingRule, Unit};
use crate::sql_types::Id;
use crate::tables::{issue_categories, routing_rules};
use chrono::NaiveDate;
use diesel::prelude::*;
use std::collections::HashMap;

/// The properties of a complaint that routing uses.
#[derive(Debug, Clone, Copy)]
pub struct Matter {
    pub category: Option<Id>,
    /// The unit complained about.
    pub unit: Option<Id>,
    /// The day whose unit tree applies.
    pub day: NaiveDate,
    /// The day on which a rule must be in force.
    pub received_on: NaiveDate,
    /// The day on which the unit has to answer: if it has ended before, its successor of that day does.
    pub asked_on: NaiveDate,
}

/// The rule that decided a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoutedBy {
    /// The rule with this id.
    Rule(Id),
    /// The owner of this category.
    Owner(Id),
    /// The unit complained about.
    Place,
}

/// The unit that has to answer, and why; no unit if the register knows no responsible one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    pub unit: Option<Id>,
    /// The unit that has ended, if its successor answers instead.
    pub in_place_of: Option<Id>,
    pub by: RoutedBy,
}

/// The rules and the owners of categories.
#[derive(Debug, Clone, Default)]
pub struct Routing {
    rules: Vec<RoutingRule>,
    categories: HashMap<Id, CategoryRoute>,
}

#[derive(Debug, Clone, Copy)]
struct CategoryRoute {
    above: Option<Id>,
    kind: CategoryKind,
    owner: Option<Id>,
}

/// Precision with which a rule names a complaint: by its own category (2) or the one above (1), by its kind, and by how
/// near its unit is. Two rules of one rank that match one complaint have the same conditions.
type Rank = (u8, bool, Option<std::cmp::Reverse<usize>>);

impl Routing {
    /// Reads all rules and categories.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn load(conn: &mut Conn) -> Result<Self, StoreError> {
        let rules = rules(conn)?;
        let categories: Vec<(Id, Option<Id>, CategoryKind, Option<Id>)> = issue_categories::table
            .select((
                issue_categories::id,
                issue_categories::parent_id,
                issue_categories::kind,
                issue_categories::owner_unit_id,
            ))
            .load(conn)?;
        let categories =
            categories.into_iter().map(|(id, above, kind, owner)| (id, CategoryRoute { above, kind, owner }));
        Ok(Self { rules, categories: categories.collect() })
    }

    /// The rule with an id.
    pub fn rule(&self, id: Id) -> Option<&RoutingRule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// The unit that has to answer a complaint.
    pub fn route(&self, tree: &UnitTree, matter: Matter) -> Route {
        let (decided, by) = self.decided(tree, matter);
        let unit = decided.map(|unit| tree.going_on(unit, matter.asked_on));
        Route { unit, in_place_of: decided.filter(|_| unit != decided), by }
    }

    /// The unit that has to answer a complaint as long as it exists, and what decides.
    fn decided(&self, tree: &UnitTree, matter: Matter) -> (Option<Id>, RoutedBy) {
        let place = || {
            let unit = matter.unit?;
            let ancestors = tree.ancestors_on(unit, matter.day);
            Some(ancestors.branch.or(ancestors.department).unwrap_or(unit))
        };
        let in_force = self.rules.iter().filter(|rule| is_valid_on(matter.received_on, rule.valid_from, rule.valid_to));
        let ranked = in_force.filter_map(|rule| Some((self.rank(tree, rule, matter)?, rule)));
        if let Some((_, rule)) = ranked.max_by_key(|(rank, _)| *rank) {
            return (rule.responsible_unit_id.or_else(place), RoutedBy::Rule(rule.id));
        }
        match matter.category.and_then(|category| self.owner(category)) {
            Some((owned, owner)) => (Some(owner), RoutedBy::Owner(owned)),
            None => (place(), RoutedBy::Place),
        }
    }

    /// The owner of a category, or of the one above it, with that category.
    fn owner(&self, category: Id) -> Option<(Id, Id)> {
        let own = self.categories.get(&category)?;
        let above = || Some((own.above?, self.categories.get(&own.above?)?.owner?));
        own.owner.map(|owner| (category, owner)).or_else(above)
    }

    /// Precision with which a rule names a complaint; None if the complaint does not meet it.
    fn rank(&self, tree: &UnitTree, rule: &RoutingRule, matter: Matter) -> Option<Rank> {
        let own = matter.category.and_then(|category| self.categories.get(&category));
        let by_category = match rule.category_id {
            None => 0,
            Some(_) if rule.category_id == matter.category => 2,
            Some(_) if own.is_some_and(|own| own.above == rule.category_id) => 1,
            Some(_) => return None,
        };
        if rule.kind.is_some() && own.map(|own| own.kind) != rule.kind {
            return None;
        }
        let by_unit = match rule.unit_id {
            None => None,
            Some(unit) => Some(std::cmp::Reverse(tree.steps_up_on(matter.unit?, unit, matter.day)?)),
        };
        Some((by_category, rule.kind.is_some(), by_unit))
    }
}

impl Case {
    /// The properties of this complaint that routing asks for. While it waits it needs a unit that exists today; later
    /// the one that existed when it was received is as good, which an import of history then finds.
    fn matter(&self, today: NaiveDate) -> Matter {
        let complaint = &self.complaint;
        let received_on = local_date(complaint.received_at);
        Matter {
            category: complaint.category_id,
            unit: complaint.unit_id,
            day: reference_day(complaint.received_at, complaint.occurred_at),
            received_on,
            asked_on: if is_waiting(complaint.state) { received_on.max(today) } else { received_on },
        }
    }

    /// Sets the responsible unit by the rules.
    pub fn route(&mut self, routing: &Routing, tree: &UnitTree, today: NaiveDate) {
        self.complaint.responsible_unit_id = routing.route(tree, self.matter(today)).unit;
    }

    /// Routes a complaint anew that a file changed, if the rules name another unit now than for what it was before. A
    /// complaint that was assigned or answered, or has ended, keeps its unit, and so does one whose unit a person has
    /// chosen. A successor of the unit that the rules name was not chosen: it took over. A complaint that waits again
    /// goes to the successor of its unit.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn route_unless_assigned(
        &mut self,
        conn: &mut Conn,
        before: &Self,
        routing: &Routing,
        tree: &UnitTree,
        today: NaiveDate,
    ) -> Result<(), StoreError> {
        let by_rules = |case: &Self| routing.decided(tree, case.matter(today)).0;
        let (was, is) = (by_rules(before), by_rules(self));
        let kept = before.complaint.responsible_unit_id;
        let took_over = kept.zip(was).is_some_and(|(unit, was)| tree.succeeds(unit, was));
        let is_moved = is != was && (kept == was || took_over);
        // Without a responsible unit before, no unit loses the complaint.
        if is_moved && (kept.is_none() || complaints::follows_rules(conn, &before.complaint)?) {
            self.route(routing, tree, today);
        } else if is_waiting(self.complaint.state) {
            self.complaint.responsible_unit_id = kept.map(|unit| tree.going_on(unit, today));
        }
        Ok(())
    }
}

/// All rules, the newest first.
///
/// # Errors
/// If the database cannot be read.
pub fn rules(conn: &mut Conn) -> Result<Vec<RoutingRule>, StoreError> {
    Ok(routing_rules::table
        .order((routing_rules::valid_from.desc(), routing_rules::id))
        .select(RoutingRule::as_select())
        .load(conn)?)
}

/// A rule to store, with codes.
#[derive(Debug, Clone)]
pub struct NewRule {
    /// The rule to replace; None for a new one.
    pub id: Option<Id>,
    pub category: Option<String>,
    pub kind: Option<CategoryKind>,
    pub unit: Option<String>,
    /// None for the branch complained about.
    pub responsible_unit: Option<String>,
    pub valid_from: NaiveDate,
    pub valid_to: Option<NaiveDate>,
}

/// Stores a rule, new or in place of an earlier one. Complaints that are routed already keep their unit.
///
/// # Errors
/// `NotFound` if there is no rule to replace; `Rule` names the invalid field; `Conflict` if another rule has the same
/// conditions for some of the days.
pub fn put_rule(tx: &mut WriteTx<'_>, new: &NewRule) -> Result<RoutingRule, StoreError> {
    // Two rules with the same conditions must not pass each other's check.
    dialect::lock_tree_exclusive(tx.conn)?;
    if let Some(id) = new.id {
        rule(tx, id)?;
    }
    let row = RoutingRule {
        id: new.id.unwrap_or_else(random_id),
        category_id: existing_id::<IssueCategory>(tx, "category", new.category.as_deref())?,
        kind: new.kind,
        unit_id: existing_id::<Unit>(tx, "unit", new.unit.as_deref())?,
        responsible_unit_id: existing_id::<Unit>(tx, "responsibleUnit", new.responsible_unit.as_deref())?,
        valid_from: new.valid_from,
        valid_to: new.valid_to,
    };
    if row.category_id.is_none() && row.kind.is_none() && row.unit_id.is_none() {
        return Err(StoreError::Rule(
            "a rule for all complaints is not allowed: give a category, a kind or a unit".into(),
        ));
    }
    checked(tx, row)
}

/// Ends a rule with a day, the last on which it is in force.
///
/// # Errors
/// `NotFound`; `Rule` if the day is before the rule's first day.
pub fn end_rule(tx: &mut WriteTx<'_>, id: Id, last_day: NaiveDate) -> Result<RoutingRule, StoreError> {
    dialect::lock_tree_exclusive(tx.conn)?;
    let ended = RoutingRule { valid_to: Some(last_day), ..rule(tx, id)? };
    checked(tx, ended)
}

fn rule(tx: &mut WriteTx<'_>, id: Id) -> Result<RoutingRule, StoreError> {
    RoutingRule::load(tx.conn, &[id])?
        .remove(&id)
        .ok_or_else(|| StoreError::no_such("routing rule", &id, "routingRules"))
}

fn checked(tx: &mut WriteTx<'_>, row: RoutingRule) -> Result<RoutingRule, StoreError> {
    if row.valid_to.is_some_and(|last| last < row.valid_from) {
        return Err(StoreError::Rule(format!("validTo is before validFrom, {}: correct one of them", row.valid_from)));
    }
    let conditions = |rule: &RoutingRule| (rule.category_id, rule.kind, rule.unit_id);
    let overlaps = |other: &RoutingRule| {
        other.valid_to.is_none_or(|last| row.valid_from <= last)
            && row.valid_to.is_none_or(|last| other.valid_from <= last)
    };
    let others = rules(tx.conn)?;
    let same =
        others.iter().find(|other| other.id != row.id && conditions(other) == conditions(&row) && overlaps(other));
    if let Some(other) = same {
        return Err(StoreError::Conflict(format!(
            "the rule {} has the same conditions from {} on: end it first, or replace it by its id",
            other.id, other.valid_from
        )));
    }
    upsert(tx, vec![row.clone()])?;
    Ok(row)
}

#[cfg(test)]
#[path = "routing_tests.rs"]
mod tests;
