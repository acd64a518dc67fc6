//! The tree of units, whose parents change over time: ancestors and descendants of a unit on a day, and the unit that
//! goes on after one has ended.

use super::calendar::is_valid_on;
use crate::enums::UnitKind;
use crate::models::{Unit, UnitParent};
use crate::sql_types::Id;
use chrono::NaiveDate;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::{PoisonError, RwLock};

/// The longest chain of parents that is followed; a longer one must be a circle.
const DEEPEST: usize = 16;

/// The longest chain of successors that is followed; a longer one must be a circle.
const MOST_SUCCESSORS: usize = 16;

/// The ancestors of a unit by level, including the unit itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Ancestors {
    pub department: Option<Id>,
    pub branch: Option<Id>,
    pub team: Option<Id>,
}

/// All units and their parents over time.
#[derive(Debug, Clone, Default)]
pub struct UnitTree {
    kinds: HashMap<Id, UnitKind>,
    parents: HashMap<Id, Vec<(NaiveDate, Option<NaiveDate>, Id)>>,
    /// The last days of units that have a successor, with that successor.
    successors: HashMap<Id, (NaiveDate, Id)>,
    /// Cache of [`Self::descendants_without_stored_ancestor`].
    beside: Memo<Id>,
    /// Cache of [`Self::sorted_below_on`].
    below: Memo<(Id, NaiveDate)>,
    /// Cache of [`Self::moved_below_on`].
    moved: Memo<(Id, NaiveDate)>,
}

/// A cache of lists of units; a clone of a tree starts with an empty one.
#[derive(Debug)]
struct Memo<K>(RwLock<HashMap<K, Vec<Id>>>);

impl<K> Default for Memo<K> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<K> Clone for Memo<K> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<K: Copy + Eq + Hash> Memo<K> {
    /// Returns the cached units, else those that `find` returns.
    fn get(&self, key: K, find: impl FnOnce() -> Vec<Id>) -> Vec<Id> {
        let cached = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        cached.unwrap_or_else(|| {
            let found = find();
            self.0.write().unwrap_or_else(PoisonError::into_inner).insert(key, found.clone());
            found
        })
    }
}

/// A chain of parents that leads back to its start.
#[derive(Debug, thiserror::Error)]
#[error("the parents of unit {unit} form a circle on {day}")]
pub struct Circle {
    pub unit: Id,
    pub day: NaiveDate,
}

impl UnitTree {
    pub fn new<'a>(
        units: impl IntoIterator<Item = &'a Unit>,
        parents: impl IntoIterator<Item = &'a UnitParent>,
    ) -> Self {
        let mut tree = Self::default();
        for unit in units {
            tree.kinds.insert(unit.id, unit.kind);
            if let Some(end) = unit.valid_to.zip(unit.successor_id) {
                tree.successors.insert(unit.id, end);
            }
        }
        for parent in parents {
            tree.parents.entry(parent.unit_id).or_default().push((
                parent.valid_from,
                parent.valid_to,
                parent.parent_id,
            ));
        }
        for spans in tree.parents.values_mut() {
            spans.sort_unstable();
        }
        tree
    }

    /// The parent of a unit on a day. Where two periods overlap, the one that begins later counts.
    pub fn parent_on(&self, unit: Id, day: NaiveDate) -> Option<Id> {
        let spans = self.parents.get(&unit)?;
        spans.iter().rev().find(|(from, to, _)| is_valid_on(day, *from, *to)).map(|(_, _, parent)| *parent)
    }

    /// The ancestors of a unit on a day.
    pub fn ancestors_on(&self, unit: Id, day: NaiveDate) -> Ancestors {
        let mut found = Ancestors::default();
        let mut at = Some(unit);
        for _ in 0..DEEPEST {
            let Some(here) = at else { break };
            let place = match self.kinds.get(&here) {
                Some(UnitKind::ProvincialDepartment) => Some(&mut found.department),
                Some(UnitKind::Branch) => Some(&mut found.branch),
                Some(UnitKind::Team) => Some(&mut found.team),
                _ => None,
            };
            if let Some(place) = place {
                // The walk goes upwards: of two units of one level, keep the lower one.
                place.get_or_insert(here);
            }
            at = self.parent_on(here, day);
        }
        found
    }

    /// The unit and all units that were below it on any day.
    pub fn ever_below(&self, unit: Id) -> HashSet<Id> {
        let mut children: HashMap<Id, Vec<Id>> = HashMap::new();
        for (child, spans) in &self.parents {
            for (_, _, parent) in spans {
                children.entry(*parent).or_default().push(*child);
            }
        }
        let mut found = HashSet::from([unit]);
        let mut next = vec![unit];
        while let Some(at) = next.pop() {
            for child in children.get(&at).into_iter().flatten() {
                if found.insert(*child) {
                    next.push(*child);
                }
            }
        }
        found
    }

    /// The units that were below a unit on some day and whose complaints do not store it as an ancestor: it is above
    /// the stored levels, or of the same level as they are.
    pub fn descendants_without_stored_ancestor(&self, unit: Id) -> Vec<Id> {
        // Cached: every request asks for it, and a tree does not change.
        self.beside.get(unit, || self.find_below_beside_ancestors(unit))
    }

    fn find_below_beside_ancestors(&self, unit: Id) -> Vec<Id> {
        let days: HashSet<NaiveDate> = self.parents.values().flatten().map(|(from, _, _)| *from).collect();
        let stored = |at: Id, day: NaiveDate| {
            let ancestors = self.ancestors_on(at, day);
            [Some(at), ancestors.department, ancestors.branch, ancestors.team].contains(&Some(unit))
        };
        let mut found: Vec<Id> = self
            .ever_below(unit)
            .into_iter()
            .filter(|below| days.iter().any(|day| self.is_within_on(*below, unit, *day) && !stored(*below, *day)))
            .collect();
        found.sort_unstable();
        found
    }

    /// Units in the subtree on `day`, the root included.
    pub fn below_on(&self, unit: Id, day: NaiveDate) -> HashSet<Id> {
        let below = self.ever_below(unit).into_iter();
        below.filter(|one| self.is_within_on(*one, unit, day)).collect()
    }

    /// Units in the subtree on `day`, by id. The result is cached, because every request of a head asks for today.
    pub fn sorted_below_on(&self, unit: Id, day: NaiveDate) -> Vec<Id> {
        self.below.get((unit, day), || {
            let mut found: Vec<Id> = self.below_on(unit, day).into_iter().collect();
            found.sort_unstable();
            found
        })
    }

    /// Units in the subtree on `day` that had another ancestor on any other day, by id. Only complaints about these
    /// units, and about units below them, store other ancestors than those of `day`. The result is cached.
    pub fn moved_below_on(&self, unit: Id, day: NaiveDate) -> Vec<Id> {
        self.moved.get((unit, day), || {
            // Between two of these days nothing changes.
            let days: HashSet<NaiveDate> = self
                .parents
                .values()
                .flatten()
                .flat_map(|(from, to, _)| [Some(*from), to.and_then(|to| to.succ_opt())])
                .flatten()
                .collect();
            // Without a parent a unit has not begun, or has ended.
            let was_elsewhere = |below: Id, day: NaiveDate| {
                self.parent_on(below, day).is_some() && !self.is_within_on(below, unit, day)
            };
            let mut found = self.sorted_below_on(unit, day);
            found.retain(|below| *below != unit && days.iter().any(|day| was_elsewhere(*below, *day)));
            found
        })
    }

    /// Whether a unit is another one, or lies below it on a day.
    pub fn is_within_on(&self, unit: Id, above: Id, day: NaiveDate) -> bool {
        self.steps_up_on(unit, above, day).is_some()
    }

    /// Number of levels that a unit lies below another on a day; 0 for the same unit, None if it does not lie below it.
    pub fn steps_up_on(&self, unit: Id, above: Id, day: NaiveDate) -> Option<usize> {
        let mut at = unit;
        for steps in 0..DEEPEST {
            if at == above {
                return Some(steps);
            }
            at = self.parent_on(at, day)?;
        }
        None
    }

    pub fn kind(&self, unit: Id) -> Option<UnitKind> {
        self.kinds.get(&unit).copied()
    }

    /// The unit that goes on for a unit on a day: itself until its last day, afterwards its successor, or the successor
    /// of that one. Itself, too, if it has no successor, or its successors form a circle.
    pub fn going_on(&self, unit: Id, day: NaiveDate) -> Id {
        let mut at = unit;
        for _ in 0..=MOST_SUCCESSORS {
            match self.successors.get(&at) {
                Some((last_day, successor)) if *last_day < day => at = *successor,
                _ => return at,
            }
        }
        unit
    }

    /// Whether a unit is another one, or succeeds it on any day, directly or after others.
    pub fn succeeds(&self, unit: Id, earlier: Id) -> bool {
        let mut at = earlier;
        for _ in 0..=MOST_SUCCESSORS {
            if at == unit {
                return true;
            }
            let Some((_, successor)) = self.successors.get(&at) else { return false };
            at = *successor;
        }
        false
    }

    /// Checks that no unit is above itself on any day.
    ///
    /// # Errors
    /// The unit and the day of a circle.
    pub fn check_no_circle(&self) -> Result<(), Circle> {
        for (unit, spans) in &self.parents {
            for (day, _, _) in spans {
                let mut at = Some(*unit);
                for _ in 0..=DEEPEST {
                    at = at.and_then(|here| self.parent_on(here, *day));
                    if at == Some(*unit) {
                        return Err(Circle { unit: *unit, day: *day });
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
