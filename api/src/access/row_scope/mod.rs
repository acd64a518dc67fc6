//! Row scope: which rows a viewer may read. It has three forms: conditions of SQL, a check of a single row, and
//! conditions over the columns of a snapshot, which differ for statistics and pages ([`columns`]). A test compares them
//! with one another, and with the rows that `jobs::tables` gives the same viewer for SQL and for exports of tables.

mod alerts;
mod column_conditions;
mod columns;
mod deliveries;
mod readers;
mod saved_queries;
#[cfg(test)]
mod tests;
mod unit;

pub use column_conditions::{is_one_of, within_columns, within_places};
pub use unit::{OfUnit, Part};

use super::Viewer;
use crate::config::Limits;
use chrono::NaiveDate;
use diesel::dsl::not;
use diesel::prelude::*;
use jobs::statistics::Thresholds;
use schema::Id;
use schema::db::MultiBackend;
use schema::domain::tree::UnitTree;
use schema::enums::{GuidanceState, Role, UnitKind};
use schema::models::Complaint;
use schema::queries::{Pred, flags_of_branches_served, flags_on_officer, in_select, merged_into, not_true};
use schema::tables::{
    complaint_officers, complaints, correction_proposal_officers, correction_proposals, digests, enterprises,
    escalations, flags, guidance_documents, measures, merges, officers, postings, unit_responses,
};

impl Viewer {
    /// The unit of a UNIT_HEAD and the units below it today, in the order of ids.
    fn units_headed(&self, tree: &UnitTree, unit: Id) -> Vec<Id> {
        tree.sorted_below_on(unit, self.today())
    }

    /// Whether this viewer is a UNIT_HEAD whose unit is this one, or lies above it today.
    pub fn heads(&self, tree: &UnitTree, unit: Id) -> bool {
        let own = self.unit_id.filter(|_| self.role == Role::UnitHead);
        own.is_some_and(|own| tree.is_within_on(unit, own, self.today()))
    }

    /// The flags that this viewer may see; None for all of them.
    ///
    /// A UNIT_HEAD sees the flags of branches and officers in its units as of now. No viewer sees the flag on itself:
    /// that flag goes to the level above. A flag on an officer who was merged counts as one on the officer into whom
    /// the merge led. A Board member who is an officer also sees no flags of branches where it ever served: complaints
    /// that name it may have raised them, and it would decide in its own case.
    pub fn flags(&self, tree: &UnitTree) -> Option<Pred<flags::table>> {
        let rows: Option<Pred<flags::table>> = match (self.role, self.unit_id) {
            (Role::Board, _) => None,
            (Role::UnitHead, Some(unit)) => {
                let below = self.units_headed(tree, unit);
                let posted = || posted_on(self.today(), below.clone()).select(postings::officer_id.nullable());
                let merged = merged_into(Box::new(in_select(merges::into_officer_id, posted())));
                let on_officers = in_select(flags::officer_id, posted()).or(in_select(flags::officer_id, merged));
                Some(Box::new(flags::unit_id.eq_any(below.clone()).or(on_officers)))
            }
            _ => Some(Box::new(flags::id.is_null().nullable())),
        };
        let Some(own) = self.officer_id else { return rows };
        let of_others: Pred<flags::table> = Box::new(not_true(flags_on_officer(own)));
        let of_others: Pred<flags::table> = match self.role {
            Role::UnitHead => of_others,
            _ => Box::new(of_others.and(not_true(flags_of_branches_served(own)))),
        };
        Some(match rows {
            None => of_others,
            Some(rows) => Box::new(rows.and(of_others)),
        })
    }

    /// The measures that this viewer may see; None for all of them. A UNIT_HEAD sees measures about officers who
    /// serve in its units now or served there at the time, and measures that its units recorded. No viewer sees
    /// measures about itself.
    pub fn measures(&self, tree: &UnitTree) -> Option<Pred<measures::table>> {
        let rows: Option<Pred<measures::table>> = match (self.role, self.unit_id) {
            (Role::Board, _) => None,
            (Role::UnitHead, Some(unit)) => {
                let below = self.units_headed(tree, unit);
                let served = measures::unit_id.eq_any(below.clone());
                let recorded = measures::recorded_by_unit_id.eq_any(below.clone());
                let serves =
                    in_select(measures::officer_id, posted_on(self.today(), below).select(postings::officer_id));
                Some(Box::new(served.or(recorded).nullable().or(serves)))
            }
            _ => Some(Box::new(measures::id.is_null().nullable())),
        };
        let Some(own) = self.officer_id else { return rows };
        let of_others: Pred<measures::table> = Box::new(measures::officer_id.ne(own).nullable());
        Some(match rows {
            None => of_others,
            Some(rows) => Box::new(rows.and(of_others)),
        })
    }

    /// The guidance documents that this viewer may see; None for all of them. A UNIT_HEAD sees all issued documents,
    /// and the drafts of its own unit and the units below it.
    pub fn guidance(&self, tree: &UnitTree) -> Option<Pred<guidance_documents::table>> {
        match (self.role, self.unit_id) {
            (Role::Board, _) => None,
            (Role::UnitHead, Some(unit)) => {
                let below = self.units_headed(tree, unit);
                let issued = guidance_documents::state.eq(GuidanceState::Issued);
                Some(Box::new(guidance_documents::unit_id.eq_any(below).or(issued).nullable()))
            }
            _ => Some(Box::new(guidance_documents::id.is_null().nullable())),
        }
    }

    /// The proposed corrections that this viewer may see; None for all of them. A UNIT_HEAD sees those of its own unit
    /// and the units below it, but of no complaint that is confidential by now: a proposal says what that hides. No
    /// viewer sees a proposal that names it, or that is about a complaint that does.
    pub fn correction_proposals(&self, tree: &UnitTree) -> Option<Pred<correction_proposals::table>> {
        let rows: Option<Pred<correction_proposals::table>> = match (self.role, self.unit_id) {
            (Role::Board, _) => None,
            (Role::UnitHead, Some(unit)) => {
                let below = self.units_headed(tree, unit);
                let open = complaints::table
                    .into_boxed::<MultiBackend>()
                    .filter(not(complaints::confidential).nullable())
                    .select(complaints::id);
                let open = in_select(correction_proposals::complaint_id, open);
                Some(Box::new(correction_proposals::unit_id.eq_any(below).nullable().and(open)))
            }
            _ => Some(Box::new(correction_proposals::id.is_null().nullable())),
        };
        let Some(own) = self.officer_id else { return rows };
        let proposed = correction_proposal_officers::table
            .into_boxed::<MultiBackend>()
            .filter(correction_proposal_officers::officer_id.eq(own).nullable())
            .select(correction_proposal_officers::proposal_id);
        let named = complaint_officers::table
            .into_boxed::<MultiBackend>()
            .filter(complaint_officers::officer_id.eq(own).nullable())
            .select(complaint_officers::complaint_id);
        let of_own =
            in_select(correction_proposals::id, proposed).or(in_select(correction_proposals::complaint_id, named));
        let of_others: Pred<correction_proposals::table> =
            Box::new(not_true::<correction_proposals::table>(Box::new(of_own)));
        Some(match rows {
            None => of_others,
            Some(rows) => Box::new(rows.and(of_others)),
        })
    }

    /// The merges that this viewer may see; None for all of them. An officer sees none: one of them may tell of
    /// complaints that name the officer.
    pub fn merges(&self) -> Option<Pred<merges::table>> {
        let sees_all = self.role == Role::Board && !self.is_an_officer();
        (!sees_all).then(|| Box::new(merges::id.is_null().nullable()) as Pred<merges::table>)
    }

    /// The escalations that this viewer may see; None for all of them. A UNIT_HEAD sees those that name its unit or a
    /// unit below it now, of complaints that it sees: the days of a confidential one would tell when it was received.
    /// No viewer sees those of complaints that name the viewer.
    pub fn escalations(&self, tree: &UnitTree) -> Option<Pred<escalations::table>> {
        let scope = self.scope(tree);
        let of = |visible: Pred<complaints::table>| {
            let ids = complaints::table.into_boxed::<MultiBackend>().filter(visible).select(complaints::id);
            in_select(escalations::complaint_id, ids)
        };
        match (self.role, self.unit_id) {
            (Role::Board, _) => Some(Box::new(of(scope.condition()?))),
            (Role::UnitHead, Some(unit)) => {
                let below = self.units_headed(tree, unit);
                // The scope of a unit always has a condition.
                Some(Box::new(escalations::unit_id.eq_any(below).and(of(scope.condition()?))))
            }
            _ => Some(Box::new(escalations::complaint_id.is_null().nullable())),
        }
    }

    /// The digests that this viewer may see; None for all of them. An officer sees none: their totals count
    /// complaints that name the officer, and leaving those out would reveal them.
    pub fn digests(&self) -> Option<Pred<digests::table>> {
        self.is_an_officer().then(|| Box::new(digests::id.is_null().nullable()) as Pred<digests::table>)
    }

    /// The enterprises that this viewer may see; None for all of them. An officer sees those with a complaint in its
    /// own scope: an enterprise known only from a complaint about the officer would reveal that complaint.
    pub fn enterprises(&self, tree: &UnitTree) -> Option<Pred<enterprises::table>> {
        let visible = self.scope(tree).condition().filter(|_| self.is_an_officer())?;
        let complained = complaints::table
            .into_boxed::<MultiBackend>()
            .filter(visible.and(complaints::enterprise_id.is_not_null()))
            .select(complaints::enterprise_id.assume_not_null());
        Some(Box::new(in_select(enterprises::id, complained)))
    }

    /// The officers that this viewer may see; None for all of them. An officer does not see officers known only from
    /// complaints that also name the viewer. An ADMIN sees no officer of whom only the code is known: a complaint may
    /// have named it.
    pub fn officers(&self, tree: &UnitTree) -> Option<Pred<officers::table>> {
        if self.role == Role::Admin {
            return Some(Box::new(not(officers::unknown).nullable()));
        }
        let (own, visible) = (self.officer_id?, self.scope(tree).condition()?);
        let visible = complaints::table.into_boxed::<MultiBackend>().filter(visible).select(complaints::id);
        let named = complaint_officers::table
            .into_boxed::<MultiBackend>()
            .filter(in_select(complaint_officers::complaint_id, visible))
            .select(complaint_officers::officer_id);
        let described_or_own = not(officers::unknown).or(officers::id.eq(own)).nullable();
        Some(Box::new(described_or_own.or(in_select(officers::id, named))))
    }

    /// Suppression thresholds for small groups, whose counts are rounded; None for viewers who see exact numbers.
    pub fn thresholds(&self, limits: &Limits) -> Option<Thresholds> {
        let (smallest, enterprises) = (limits.smallest_group, limits.smallest_group_enterprises);
        let complaints = if self.outside { smallest.max(limits.smallest_group_outside) } else { smallest };
        (self.role == Role::Dashboard).then_some(Thresholds { complaints, enterprises })
    }

    /// The complaints that this viewer may see.
    ///
    /// A UNIT_HEAD sees the complaints about its unit and the units below it and those that they have to answer, except
    /// confidential ones: of these it reads the Board's redacted text ([`Scope::confidential`]). Complaints that name
    /// the viewer are withheld from it.
    pub fn scope(&self, tree: &UnitTree) -> Scope {
        let rows = match (self.role, self.unit_id) {
            // The access table restricts the fields of these roles, and the thresholds restrict groups.
            (Role::Board | Role::DataTeam | Role::Dashboard, _) => Rows::Everything,
            (Role::UnitHead, Some(unit)) => Rows::Unit(OfUnit::new(tree, unit, self.today()), Part::Whole),
            _ => Rows::Nothing,
        };
        // All DASHBOARD viewers get the same aggregates: a difference between two would reveal complaints that name
        // an officer.
        Scope { rows, except_officer: self.officer_id.filter(|_| self.role != Role::Dashboard) }
    }
}

/// The postings to these units that are in force on a day.
fn posted_on<'q>(day: NaiveDate, units: Vec<Id>) -> postings::BoxedQuery<'q, MultiBackend> {
    postings::table
        .into_boxed::<MultiBackend>()
        .filter(postings::unit_id.eq_any(units).nullable())
        .filter(postings::valid_from.le(day).nullable())
        .filter(postings::valid_to.is_null().nullable().or(postings::valid_to.ge(day)))
}

/// The complaints that a viewer may see: the only definition for lists, single objects and aggregates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub rows: Rows,
    /// Excludes complaints that name this officer.
    pub except_officer: Option<Id>,
}

/// The complaints of a scope, before excluding those that name the viewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rows {
    Everything,
    /// Complaints about a unit, and those that it has to answer.
    Unit(OfUnit, Part),
    Nothing,
}

/// The relation of a complaint to a unit and the units below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitRelation {
    /// Whether the complaint is about one of them.
    pub is_about: bool,
    /// Whether one of them has to answer the complaint.
    pub answers: bool,
}

impl Scope {
    /// The scope as a condition; None for all complaints.
    pub fn condition(&self) -> Option<Pred<complaints::table>> {
        let rows: Option<Pred<complaints::table>> = match &self.rows {
            Rows::Everything => None,
            Rows::Unit(of, part) => {
                let here = of.condition(*part);
                // No bind parameter here: PostgreSQL would estimate that half of all complaints are confidential and
                // replan the statement for each page, because the estimate changes once it knows the value.
                Some(Box::new(not(complaints::confidential).nullable().and(here)))
            }
            Rows::Nothing => Some(Box::new(complaints::confidential.is_null().nullable())),
        };
        let Some(others) = self.others() else { return rows };
        Some(match rows {
            None => others,
            Some(rows) => Box::new(rows.and(others)),
        })
    }

    /// The scope in parts that have no complaint in common, of which each has an index in the order of time. One
    /// condition for the complaints about a unit and those that it answers would have none.
    pub fn parts(&self) -> Vec<Self> {
        match &self.rows {
            Rows::Unit(of, Part::Whole) if of.has_one_index() => {
                of.parts().map(|part| Self { rows: Rows::Unit(of.clone(), part), ..*self }).collect()
            }
            _ => vec![self.clone()],
        }
    }

    /// The relation of a complaint to the viewer's unit. None for a viewer without a unit.
    pub fn relation(&self, complaint: &Complaint) -> Option<UnitRelation> {
        match &self.rows {
            Rows::Unit(of, _) => {
                Some(UnitRelation { is_about: of.is_about(complaint), answers: of.answers(complaint) })
            }
            Rows::Everything | Rows::Nothing => None,
        }
    }

    /// Whether the viewer's unit, or one below it, has to answer a complaint.
    pub fn answers(&self, complaint: &Complaint) -> bool {
        self.relation(complaint).is_some_and(|relation| relation.answers)
    }

    /// Restricts a condition to the scope.
    pub fn and(&self, own: Option<Pred<complaints::table>>) -> Option<Pred<complaints::table>> {
        match (self.condition(), own) {
            (None, own) => own,
            (scope, None) => scope,
            (Some(scope), Some(own)) => Some(Box::new(scope.and(own))),
        }
    }

    /// The responses to the complaints of the scope; None for all of them.
    pub fn responses(&self) -> Option<Pred<unit_responses::table>> {
        let visible = self.condition()?;
        let visible = complaints::table.into_boxed::<MultiBackend>().filter(visible).select(complaints::id);
        Some(Box::new(in_select(unit_responses::complaint_id, visible)))
    }

    /// The confidential complaints of the scope. A unit reads their text as redacted by the Board.
    pub fn confidential(&self) -> Pred<complaints::table> {
        let rows: Pred<complaints::table> = match &self.rows {
            Rows::Everything => Box::new(complaints::confidential.nullable()),
            Rows::Unit(of, part) => Box::new(complaints::confidential.nullable().and(of.condition(*part))),
            Rows::Nothing => Box::new(complaints::confidential.is_null().nullable()),
        };
        match self.others() {
            None => rows,
            Some(others) => Box::new(rows.and(others)),
        }
    }

    /// Complaints that do not name the viewer; None if the viewer is not an officer.
    fn others(&self) -> Option<Pred<complaints::table>> {
        Some(Box::new(not_true(self.naming_viewer()?)))
    }

    /// Complaints that name the viewer; None if the viewer is not an officer.
    fn naming_viewer(&self) -> Option<Pred<complaints::table>> {
        let officer = self.except_officer?;
        let named = complaint_officers::table
            .into_boxed::<MultiBackend>()
            .filter(complaint_officers::officer_id.eq(officer).nullable())
            .select(complaint_officers::complaint_id);
        Some(Box::new(in_select(complaints::id, named)))
    }

    /// Whether the scope contains a complaint that names these officers.
    pub fn contains(&self, complaint: &Complaint, officers: &[Id]) -> bool {
        let visible = match &self.rows {
            Rows::Everything => true,
            Rows::Unit(of, part) => !complaint.confidential && of.contains(complaint, *part),
            Rows::Nothing => false,
        };
        visible && self.except_officer.is_none_or(|officer| !officers.contains(&officer))
    }
}

/// Complaints of a unit and the units below it: by the ancestor stored with each complaint at the unit's level, as of
/// the complaint's day, and by the units that do not store this ancestor. The condition uses one column, so that an
/// index returns the complaints in order of time.
pub fn within(unit: Id, kind: Option<UnitKind>, below: Vec<Id>) -> Pred<complaints::table> {
    let stored: Pred<complaints::table> = match kind {
        Some(UnitKind::ProvincialDepartment) => Box::new(complaints::department_id.eq(unit)),
        Some(UnitKind::Branch) => Box::new(complaints::branch_id.eq(unit)),
        Some(UnitKind::Team) => Box::new(complaints::team_id.eq(unit)),
        _ => Box::new(complaints::unit_id.eq(unit).nullable()),
    };
    if below.is_empty() { stored } else { Box::new(stored.or(complaints::unit_id.eq_any(below))) }
}
