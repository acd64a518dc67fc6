//! The complaints of a unit: those about it, and those that it has to answer; each as conditions of SQL, as a check of
//! a single row, and as conditions over the columns of a snapshot.
//!
//! A complaint is about a unit by the ancestors stored with it, as of its day. The responsible unit is one of these
//! (the branch, for most complaints), or a unit elsewhere: the headquarters unit of the field, or one that the
//! complaint was transferred to. The present tree says which units are above a unit elsewhere, and above the
//! responsible unit of each complaint that waits for an answer: the head of a unit that is now above the responsible
//! unit has to act on them. A complaint that a unit has answered stays with the units above that unit on the day of the
//! complaint.

use super::column_conditions::{is_one_of, within_columns, within_places};
use super::within;
use chrono::NaiveDate;
use diesel::prelude::*;
use jobs::snapshot::{ColumnCondition, IndexColumn, Nullable, Reference, Snapshot};
use polars::prelude::{Expr, col};
use schema::Id;
use schema::domain::state;
use schema::domain::tree::UnitTree;
use schema::enums::UnitKind;
use schema::models::Complaint;
use schema::queries::{Pred, answered_elsewhere, not_true, waiting};
use schema::tables::complaints;

/// A part of the complaints of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Whole,
    /// Complaints about the unit or a unit below it.
    About,
    /// Complaints that the unit or a unit below it must answer, and that are about another unit.
    Elsewhere,
    /// The others: complaints that wait for a unit that is in the subtree today, and was not on the day of the
    /// complaint.
    Moved,
}

/// A unit with the ids by which its complaints are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfUnit {
    unit: Id,
    kind: Option<UnitKind>,
    /// Units below it for which complaints do not store it as an ancestor.
    below: Vec<Id>,
    /// The subtree today, root included.
    answering: Vec<Id>,
    /// Units of the subtree that joined it later or will leave it.
    moved: Vec<Id>,
}

impl OfUnit {
    /// The complaints of a unit as of a day, which decides who answers those that wait.
    pub fn new(tree: &UnitTree, unit: Id, today: NaiveDate) -> Self {
        Self {
            unit,
            kind: tree.kind(unit),
            below: tree.descendants_without_stored_ancestor(unit),
            answering: tree.sorted_below_on(unit, today),
            moved: tree.moved_below_on(unit, today),
        }
    }

    /// Whether one index has the complaints about the unit in their order.
    pub fn has_one_index(&self) -> bool {
        self.below.is_empty()
    }

    /// The parts of the whole that may have complaints.
    pub fn parts(&self) -> impl Iterator<Item = Part> {
        let moved = (!self.moved.is_empty()).then_some(Part::Moved);
        [Part::About, Part::Elsewhere].into_iter().chain(moved)
    }

    /// Complaints about the unit or the units below it.
    fn about(&self) -> Pred<complaints::table> {
        within(self.unit, self.kind, self.below.clone())
    }

    /// Complaints that the unit or one below it answers, and that are about none of the units above the one that
    /// answers.
    fn elsewhere(&self) -> Pred<complaints::table> {
        Box::new(answered_elsewhere().and(answered_by(&self.answering)))
    }

    /// Complaints that wait for a unit that moved below the unit.
    fn moved(&self) -> Pred<complaints::table> {
        Box::new(waiting().and(answered_by(&self.moved)))
    }

    /// The complaints of a part.
    pub fn condition(&self, part: Part) -> Pred<complaints::table> {
        match part {
            Part::Whole if self.moved.is_empty() => Box::new(self.about().or(self.elsewhere())),
            Part::Whole => Box::new(self.about().or(self.elsewhere()).or(self.moved())),
            Part::About => self.about(),
            Part::Elsewhere => Box::new(self.elsewhere().and(not_true(self.about()))),
            Part::Moved => Box::new(self.moved().and(not_true(answered_elsewhere())).and(not_true(self.about()))),
        }
    }

    /// Complaints that the unit or one below it has to answer.
    pub fn answered(&self) -> Pred<complaints::table> {
        let responsible = complaints::responsible_unit_id;
        let by_department: Pred<complaints::table> = Box::new(responsible.eq(complaints::department_id));
        let by_branch: Pred<complaints::table> = Box::new(responsible.eq(complaints::branch_id));
        let by_present_tree: Pred<complaints::table> = Box::new(waiting().or(answered_elsewhere()));
        let here = self.about().and(not_true(by_present_tree)).and(responsible.is_not_null());
        // A unit does not answer for the one above it.
        let here: Pred<complaints::table> = match self.kind {
            Some(UnitKind::Branch) => Box::new(here.and(not_true(by_department))),
            Some(UnitKind::Team) => Box::new(here.and(not_true(by_department)).and(not_true(by_branch))),
            _ => Box::new(here),
        };
        Box::new(here.or(waiting().and(answered_by(&self.answering))).or(self.elsewhere()))
    }

    /// Whether a complaint is about the unit or a unit below it.
    pub fn is_about(&self, complaint: &Complaint) -> bool {
        let own = [complaint.unit_id, complaint.department_id, complaint.branch_id, complaint.team_id];
        own.contains(&Some(self.unit)) || complaint.unit_id.is_some_and(|own| self.below.contains(&own))
    }

    /// Whether a complaint belongs to a part.
    pub fn contains(&self, complaint: &Complaint, part: Part) -> bool {
        let by = |units: &[Id]| complaint.responsible_unit_id.is_some_and(|unit| units.contains(&unit));
        let elsewhere = || is_elsewhere(complaint) && by(&self.answering);
        let moved = || is_waiting(complaint) && by(&self.moved);
        match part {
            Part::Whole => self.is_about(complaint) || elsewhere() || moved(),
            Part::About => self.is_about(complaint),
            Part::Elsewhere => !self.is_about(complaint) && elsewhere(),
            Part::Moved => !self.is_about(complaint) && !is_elsewhere(complaint) && moved(),
        }
    }

    /// Whether the unit or one below it has to answer a complaint.
    pub fn answers(&self, complaint: &Complaint) -> bool {
        let Some(responsible) = complaint.responsible_unit_id else { return false };
        if is_waiting(complaint) || is_elsewhere(complaint) {
            return self.answering.contains(&responsible);
        }
        let by_department = complaint.department_id == Some(responsible);
        let by_branch = complaint.branch_id == Some(responsible);
        self.is_about(complaint)
            && match self.kind {
                Some(UnitKind::Branch) => !by_department,
                Some(UnitKind::Team) => !by_department && !by_branch,
                _ => true,
            }
    }

    /// The complaints of a part, over the columns of a snapshot.
    pub fn expression(&self, snapshot: &Snapshot, part: Part) -> Expr {
        let about = || within_columns(snapshot, self.unit, &self.below);
        let elsewhere = || is_elsewhere_columns().and(answered_by_columns(snapshot, &self.answering));
        let moved = || is_waiting_columns().and(answered_by_columns(snapshot, &self.moved));
        match part {
            Part::Whole if self.moved.is_empty() => about().or(elsewhere()),
            Part::Whole => about().or(elsewhere()).or(moved()),
            Part::About => about(),
            Part::Elsewhere => elsewhere().and(about().not()),
            Part::Moved => moved().and(is_elsewhere_columns().not()).and(about().not()),
        }
    }

    /// The complaints of a part, as a condition for pages. None if the snapshot does not know the unit.
    pub fn column_condition(&self, reference: &Reference, part: Part) -> Option<ColumnCondition> {
        let about = within_places(reference, self.unit, &self.below)?;
        let by = |units: &[Id]| {
            let places = units.iter().filter_map(|unit| reference.unit_index(*unit));
            ColumnCondition::one_of(IndexColumn::ResponsibleUnit, places)
        };
        let levels = [IndexColumn::Unit, IndexColumn::Team, IndexColumn::Branch, IndexColumn::Department];
        let is_none_of_them = levels.map(|level| ColumnCondition::Same(IndexColumn::ResponsibleUnit, level).negated());
        let elsewhere = ColumnCondition::All([by(&self.answering)].into_iter().chain(is_none_of_them).collect());
        let moved = ColumnCondition::All(vec![
            by(&self.moved),
            ColumnCondition::Null(Nullable::Answered),
            ColumnCondition::Null(Nullable::Ended),
        ]);
        Some(match part {
            Part::Whole if self.moved.is_empty() => ColumnCondition::Any(vec![about, elsewhere]),
            Part::Whole => ColumnCondition::Any(vec![about, elsewhere, moved]),
            Part::About => about,
            Part::Elsewhere => ColumnCondition::All(vec![elsewhere, about.negated()]),
            Part::Moved => ColumnCondition::All(vec![moved, elsewhere.negated(), about.negated()]),
        })
    }

    /// The same complaints as [`Self::answered`], as a condition on places; none if the snapshot does not know the
    /// unit.
    pub fn answered_places(&self, reference: &Reference) -> ColumnCondition {
        let Some(about) = within_places(reference, self.unit, &self.below) else {
            return ColumnCondition::Constant(false);
        };
        let responsible = IndexColumn::ResponsibleUnit;
        let is_known = || ColumnCondition::Null(Nullable::Place(responsible)).negated();
        let is_not = |level: IndexColumn| ColumnCondition::Same(responsible, level).negated();
        let levels = [IndexColumn::Unit, IndexColumn::Team, IndexColumn::Branch, IndexColumn::Department];
        let elsewhere = ColumnCondition::All([is_known()].into_iter().chain(levels.map(is_not)).collect());
        let waiting = ColumnCondition::All(vec![
            ColumnCondition::Null(Nullable::Answered),
            ColumnCondition::Null(Nullable::Ended),
        ]);
        let by_present_tree = ColumnCondition::Any(vec![elsewhere, waiting]);
        let mut here = vec![about, by_present_tree.clone().negated(), is_known()];
        if matches!(self.kind, Some(UnitKind::Branch | UnitKind::Team)) {
            here.push(is_not(IndexColumn::Department));
        }
        if self.kind == Some(UnitKind::Team) {
            here.push(is_not(IndexColumn::Branch));
        }
        let answering = self.answering.iter().filter_map(|unit| reference.unit_index(*unit));
        let answering = ColumnCondition::one_of(responsible, answering);
        ColumnCondition::Any(vec![ColumnCondition::All(here), ColumnCondition::All(vec![by_present_tree, answering])])
    }

    /// The same complaints as [`Self::answered`], over the columns of a snapshot.
    pub fn answered_columns(&self, snapshot: &Snapshot) -> Expr {
        let is_not = |level: &str| col(RESPONSIBLE).neq_missing(col(level));
        let mut here = within_columns(snapshot, self.unit, &self.below)
            .and(is_elsewhere_columns().or(is_waiting_columns()).not())
            .and(col(RESPONSIBLE).is_not_null());
        if matches!(self.kind, Some(UnitKind::Branch | UnitKind::Team)) {
            here = here.and(is_not("department"));
        }
        if self.kind == Some(UnitKind::Team) {
            here = here.and(is_not("branch"));
        }
        let by_present_tree = is_elsewhere_columns().or(is_waiting_columns());
        here.or(by_present_tree.and(answered_by_columns(snapshot, &self.answering)))
    }
}

/// Complaints that one of some units answers.
fn answered_by(units: &[Id]) -> Pred<complaints::table> {
    // PostgreSQL reads no index in the order of time for a list of units, not even for a list of one.
    match units {
        [one] => Box::new(complaints::responsible_unit_id.eq(*one)),
        all => Box::new(complaints::responsible_unit_id.eq_any(all.to_vec()).nullable()),
    }
}

fn answered_by_columns(snapshot: &Snapshot, units: &[Id]) -> Expr {
    is_one_of(RESPONSIBLE, units.iter().filter_map(|unit| snapshot.reference.unit_index(*unit)).collect())
}

/// The column with the place of the responsible unit.
const RESPONSIBLE: &str = "responsible_unit";

/// Whether another unit has to answer than those that the complaint is about.
fn is_elsewhere(complaint: &Complaint) -> bool {
    let own = [complaint.unit_id, complaint.department_id, complaint.branch_id, complaint.team_id];
    complaint.responsible_unit_id.is_some() && !own.contains(&complaint.responsible_unit_id)
}

/// Whether a complaint waits for an answer, as [`schema::queries::waiting`].
fn is_waiting(complaint: &Complaint) -> bool {
    state::is_waiting(complaint.state) && complaint.answered_on.is_none()
}

/// The same over columns: without an answer no complaint is in another open state.
fn is_waiting_columns() -> Expr {
    col("answered").is_null().and(col("ended").is_null())
}

fn is_elsewhere_columns() -> Expr {
    let levels = ["unit", "team", "branch", "department"];
    let is_none_of_them = levels.into_iter().map(|level| col(RESPONSIBLE).neq_missing(col(level)));
    is_none_of_them.fold(col(RESPONSIBLE).is_not_null(), Expr::and)
}
