//! The branch to which an allegation counts in the frames of recurrence, on the day of its complaint.

use crate::facts::{AllegationFact, ComplaintFact, Facts};
use chrono::NaiveDate;
use polars::prelude::PlRandomState;
use schema::Id;
use schema::domain::calendar::is_valid_on;
use schema::domain::tree::UnitTree;
use schema::models::UnitParent;
use schema::register::complaints::reference_day;
use std::collections::HashMap;

/// Finds the branch to which an allegation counts.
pub(super) struct Branches<'f> {
    facts: &'f Facts,
    tree: UnitTree,
    /// The days on which the tree changes, in order: between two of them it is the same.
    changes: Vec<NaiveDate>,
    /// The branch of a unit, by unit and number of earlier changes.
    cache: HashMap<(Id, usize), Option<Id>, PlRandomState>,
}

impl<'f> Branches<'f> {
    pub fn new(facts: &'f Facts) -> Self {
        let tree = facts.tree();
        let parents = facts.parents.values().flatten();
        let ends = |parent: &UnitParent| parent.valid_to.and_then(|last| last.succ_opt());
        let mut changes: Vec<NaiveDate> =
            parents.flat_map(|parent| [Some(parent.valid_from), ends(parent)]).flatten().collect();
        changes.sort_unstable();
        changes.dedup();
        Self { facts, tree, changes, cache: HashMap::default() }
    }

    /// The branch of the complaint's unit on the day of the complaint.
    pub fn complaint(&mut self, fact: &ComplaintFact) -> Option<Id> {
        self.of_unit(fact.unit_id?, reference_day(fact.received_at, fact.occurred_at))
    }

    /// The branch of the allegation's unit; without one, of the officer's posting on that day; without exactly one
    /// posting, of the complaint's unit.
    pub fn allegation(&mut self, fact: &ComplaintFact, row: &AllegationFact) -> Option<Id> {
        let day = reference_day(fact.received_at, fact.occurred_at);
        if let Some(unit) = row.unit_id {
            return self.of_unit(unit, day);
        }
        let posted = self.facts.postings.get(&row.officer_id).into_iter().flatten();
        let mut posted = posted.filter(|posting| is_valid_on(day, posting.valid_from, posting.valid_to));
        match (posted.next(), posted.next()) {
            (Some(posting), None) => self.of_unit(posting.unit_id, day),
            _ => self.complaint(fact),
        }
    }

    fn of_unit(&mut self, unit: Id, day: NaiveDate) -> Option<Id> {
        let (tree, before) = (&self.tree, self.changes.partition_point(|change| *change <= day));
        *self.cache.entry((unit, before)).or_insert_with(|| tree.ancestors_on(unit, day).branch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::enums::UnitKind;
    use schema::models::{UNKNOWN_START, Unit};
    use uuid::Uuid;

    fn id(n: u128) -> Id {
        Id(Uuid::from_u128(n))
    }

    fn unit(n: u128, kind: UnitKind) -> Unit {
        Unit {
            id: id(n),
            code: n.to_string(),
            name_vi: n.to_string(),
            name_en: None,
            kind,
            peer_group: None,
            field: None,
            valid_from: UNKNOWN_START,
            valid_to: None,
            unknown: false,
            successor_id: None,
        }
    }

    #[test]
    fn a_team_that_moved_counts_to_the_branch_of_the_day() {
        let mut facts = Facts::default();
        for one in [unit(1, UnitKind::Branch), unit(2, UnitKind::Branch), unit(11, UnitKind::Team)] {
            facts.units.insert(one.id, one);
        }
        let day = |month, day| NaiveDate::from_ymd_opt(2024, month, day).expect("a date");
        let parent =
            |valid_from, valid_to, branch| UnitParent { unit_id: id(11), valid_from, valid_to, parent_id: id(branch) };
        let parents = vec![parent(day(2, 1), Some(day(4, 30)), 1), parent(day(6, 1), None, 2)];
        facts.parents.insert(id(11), parents);
        let mut branches = Branches::new(&facts);
        let mut at = day(1, 1);
        while at < day(8, 1) {
            assert_eq!(branches.of_unit(id(11), at), branches.tree.ancestors_on(id(11), at).branch, "{at}");
            at = at.succ_opt().expect("a date");
        }
        assert_eq!(branches.of_unit(id(11), day(4, 30)), Some(id(1)));
        assert_eq!(branches.of_unit(id(11), day(5, 1)), None);
        assert_eq!(branches.of_unit(id(11), day(6, 1)), Some(id(2)));
    }
}
