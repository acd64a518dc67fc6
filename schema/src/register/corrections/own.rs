//! The category and unit that a complaint has from its allegations, and its own finding.

use super::super::complaints::Case;
use super::super::reference::Stored;
use crate::db::{StoreError, WriteTx};
use crate::enums::Finding;
use crate::models::{ComplaintOfficer, IssueCategory, Officer, Unit};
use crate::sql_types::Id;
use std::collections::HashMap;

/// The codes of what the allegations of a case refer to: allegations are in the order of codes, bytewise.
pub(super) struct Codes {
    officers: HashMap<Id, Officer>,
    categories: HashMap<Id, IssueCategory>,
    units: HashMap<Id, Unit>,
}

/// Loads the codes that a case refers to.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn codes(tx: &mut WriteTx<'_>, case: &Case) -> Result<Codes, StoreError> {
    let officers: Vec<Id> = case.officers.iter().map(|row| row.officer_id).collect();
    let of = |row: &ComplaintOfficer| [row.category_id, row.unit_id];
    let [mut categories, mut units] = [Vec::new(), Vec::new()];
    let matters = case.matters.iter().map(|row| [row.category_id, row.unit_id]);
    for [category, unit] in case.officers.iter().map(of).chain(matters) {
        categories.extend(category);
        units.extend(unit);
    }
    Ok(Codes {
        officers: Officer::load(tx.conn, &officers)?,
        categories: IssueCategory::load(tx.conn, &categories)?,
        units: Unit::load(tx.conn, &units)?,
    })
}

/// The category and the unit of an allegation.
struct CategoryAndUnit {
    category: Option<Id>,
    unit: Option<Id>,
}

impl Codes {
    fn of(&self, category: Option<Id>, unit: Option<Id>) -> (Option<&str>, Option<&str>) {
        let category = category.and_then(|id| self.categories.get(&id)).map(|row| row.code.as_str());
        (category, unit.and_then(|id| self.units.get(&id)).map(|row| row.code.as_str()))
    }

    /// The category and the unit of the lowest allegation; those without an officer come first.
    fn lowest(&self, case: &Case) -> Option<CategoryAndUnit> {
        let matters = case.matters.iter().map(|row| (None, row.category_id, row.unit_id, row.ordinal));
        let officers = case.officers.iter().map(|row| {
            let code = self.officers.get(&row.officer_id).map(|officer| officer.code.as_str());
            (code, row.category_id, row.unit_id, row.ordinal)
        });
        let rank = |(officer, category, unit, ordinal): &(Option<&str>, Option<Id>, Option<Id>, i32)| {
            let (category, unit) = self.of(*category, *unit);
            (officer.map(str::to_owned), category.map(str::to_owned), unit.map(str::to_owned), *ordinal)
        };
        matters.chain(officers).min_by_key(rank).map(|(_, category, unit, _)| CategoryAndUnit { category, unit })
    }
}

/// Whether the category and unit of a complaint are those of its lowest allegation. Otherwise it has one without an
/// officer, which is on the complaint itself.
pub(super) fn follows(codes: &Codes, case: &Case) -> bool {
    let Some(CategoryAndUnit { category, unit }) = codes.lowest(case) else { return true };
    category.is_none_or(|category| case.complaint.category_id == Some(category))
        && unit.is_none_or(|unit| case.complaint.unit_id == Some(unit))
}

/// Gives a complaint the category and the unit of its lowest allegation, after its allegations have changed. The last
/// allegation without an officer moves onto the complaint.
///
/// # Errors
/// If the database cannot be read.
pub(in crate::register) fn settle(tx: &mut WriteTx<'_>, before: &Case, after: &mut Case) -> Result<(), StoreError> {
    if before.matters != after.matters {
        let complaint = &mut after.complaint;
        match after.matters.as_slice() {
            [] => {
                complaint.finding = None;
                complaint.decided_on = None;
                complaint.source_codes = None;
            }
            [one] => {
                complaint.category_id = one.category_id;
                complaint.unit_id = one.unit_id;
                complaint.finding = Some(one.finding).filter(|finding| *finding != Finding::Pending);
                complaint.decided_on = one.decided_on;
                complaint.source_codes.clone_from(&one.source_codes);
                after.matters.clear();
                return Ok(());
            }
            several => {
                complaint.finding = own_finding(&several.iter().map(|row| row.finding).collect::<Vec<_>>());
                let decided = several.iter().filter_map(|row| row.decided_on).max();
                complaint.decided_on = decided.filter(|_| complaint.finding.is_some());
                complaint.source_codes = None;
            }
        }
    } else if after.matters.is_empty() && !follows(&codes(tx, before)?, before) {
        return Ok(());
    }
    if let Some(CategoryAndUnit { category, unit }) = codes(tx, after)?.lowest(after) {
        after.complaint.category_id = category.or(after.complaint.category_id);
        after.complaint.unit_id = unit.or(after.complaint.unit_id);
    }
    Ok(())
}

/// The finding of a complaint, from those of its allegations that name no officer. It is decided when all of them are
/// decided, or when one is sustained; None before that.
pub(crate) fn own_finding(findings: &[Finding]) -> Option<Finding> {
    let found = |finding| findings.contains(&finding);
    if !found(Finding::Sustained) && found(Finding::Pending) {
        return None;
    }
    [Finding::Sustained, Finding::NotSustained, Finding::Unfounded, Finding::Exonerated]
        .into_iter()
        .find(|one| found(*one))
}
