//! Corrects the allegations of a complaint.

use super::super::administration::open_category;
use super::super::aliases::Aliases;
use super::super::complaints::Case;
use super::super::reference::existing_id;
use super::super::submission::MOST_OFFICERS;
use super::own::{codes, follows, settle};
use super::{Correction, Set, officer_by_code};
use crate::db::{StoreError, WriteTx};
use crate::domain::calendar::local_date;
use crate::enums::{Attribution, Finding};
use crate::models::{ComplaintMatter, ComplaintOfficer, Unit};
use crate::refusal::{CaseRefusal, CorrectionRefusal};
use crate::sql_types::Id;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// An officer whom the complaint is to name, or name with a further allegation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewAllegation {
    /// The code of the officer.
    pub officer: String,
    /// The category and the unit; by default those of the complaint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    pub attribution: Attribution,
}

/// A further allegation that names no officer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewMatter {
    pub category: String,
    /// The unit; by default that of the complaint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// An officer who takes the place of another one in all allegations. Findings about the other one do not pass on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Replacement {
    pub from: String,
    pub to: String,
    /// The attribution; by default unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribution: Option<Attribution>,
}

/// An allegation of a complaint: against an officer, or without one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AllegationKey {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub officer: Option<String>,
    pub ordinal: i32,
}

/// A change of one allegation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AllegationChange {
    #[serde(flatten)]
    pub allegation: AllegationKey,
    #[serde(default, skip_serializing_if = "Set::is_keep")]
    pub category: Set<String>,
    #[serde(default, skip_serializing_if = "Set::is_keep")]
    pub unit: Set<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribution: Option<Attribution>,
}

/// Applies the parts of a correction that concern allegations, in this order: `own`, the category and unit of the
/// complaint; changes, removals, replacements; and what is added.
///
/// # Errors
/// If the correction names what the complaint or the register does not have, or the database fails.
pub(super) fn apply(
    tx: &mut WriteTx<'_>,
    aliases: &Aliases,
    before: &Case,
    after: &mut Case,
    correction: &Correction,
    own: (&Set<Id>, &Set<Id>),
) -> Result<(), StoreError> {
    set_own(before, after, own);
    for change in &correction.change_allegations {
        change_one(tx, aliases, after, change)?;
    }
    for key in &correction.remove_allegations {
        remove_one(tx, aliases, after, key)?;
    }
    for code in &correction.remove_officers {
        let officer = officer_by_code(tx, aliases, "removeOfficers", code)?;
        refuse_unnamed(after, "removeOfficers", code, officer)?;
        after.officers.retain(|row| row.officer_id != officer);
    }
    for replacement in &correction.replace_officers {
        let from = officer_by_code(tx, aliases, "replaceOfficers", &replacement.from)?;
        let to = officer_by_code(tx, aliases, "replaceOfficers", &replacement.to)?;
        refuse_unnamed(after, "replaceOfficers", &replacement.from, from)?;
        if from == to {
            let (code, other) = (replacement.from.clone(), replacement.to.clone());
            return Err(CorrectionRefusal::SameOfficer { code, other }.into());
        }
        let moved = move_rows(after, from, to, |_| true);
        let is_moved = |row: &&mut ComplaintOfficer| row.officer_id == to && moved.contains(&row.ordinal);
        for row in after.officers.iter_mut().filter(is_moved) {
            row.attribution = replacement.attribution.unwrap_or(row.attribution);
            row.finding = Finding::Pending;
            row.decided_on = None;
        }
    }
    for new in &correction.add_officers {
        add_officer(tx, aliases, after, new)?;
    }
    if !correction.add_matters.is_empty() {
        add_matters(tx, before, after, &correction.add_matters)?;
    }
    let named: BTreeSet<Id> = after.officers.iter().map(|row| row.officer_id).collect();
    if named.len() > MOST_OFFICERS {
        return Err(CorrectionRefusal::TooManyOfficers { count: named.len(), most: MOST_OFFICERS }.into());
    }
    if before.officers != after.officers || before.matters != after.matters {
        settle(tx, before, after)?;
    }
    Ok(())
}

/// Sets the category and the unit of the complaint, and of the allegations that have the same.
fn set_own(before: &Case, after: &mut Case, (category, unit): (&Set<Id>, &Set<Id>)) {
    if let Set::To(category) = category {
        let was = before.complaint.category_id;
        after.complaint.category_id = *category;
        let rows = after.officers.iter_mut().filter(|row| row.category_id.is_none() || row.category_id == was);
        rows.for_each(|row| row.category_id = *category);
        let rows = after.matters.iter_mut().filter(|row| row.category_id == was);
        rows.for_each(|row| row.category_id = *category);
    }
    if let Set::To(unit) = unit {
        let was = before.complaint.unit_id;
        after.complaint.unit_id = *unit;
        after.officers.iter_mut().filter(|row| row.unit_id == was).for_each(|row| row.unit_id = *unit);
        after.matters.iter_mut().filter(|row| row.unit_id == was).for_each(|row| row.unit_id = *unit);
    }
}

/// The day for which the categories of a complaint must be open.
pub(super) fn day(case: &Case) -> NaiveDate {
    local_date(case.complaint.received_at)
}

fn refuse_unnamed(case: &Case, field: &str, code: &str, officer: Id) -> Result<(), StoreError> {
    if case.officers.iter().any(|row| row.officer_id == officer) {
        return Ok(());
    }
    Err(CaseRefusal::OfficerNotNamed { field: field.to_owned(), code: code.to_owned() }.into())
}

fn no_such_allegation(field: &str, key: &AllegationKey) -> StoreError {
    let whose = key.officer.as_deref().map_or_else(|| "without an officer".to_owned(), |code| format!("of {code:?}"));
    CorrectionRefusal::NoSuchAllegation { field: field.to_owned(), whose, ordinal: key.ordinal }.into()
}

fn change_one(
    tx: &mut WriteTx<'_>,
    aliases: &Aliases,
    case: &mut Case,
    change: &AllegationChange,
) -> Result<(), StoreError> {
    const FIELD: &str = "changeAllegations";
    let category = match &change.category {
        Set::Keep => Set::Keep,
        Set::To(code) => Set::To(open_category(tx, "changeAllegations.category", code.as_deref(), day(case))?),
    };
    let unit = match &change.unit {
        Set::Keep => Set::Keep,
        Set::To(code) => Set::To(existing_id::<Unit>(tx, "changeAllegations.unit", code.as_deref())?),
    };
    let missing = || no_such_allegation(FIELD, &change.allegation);
    match &change.allegation.officer {
        Some(code) => {
            let officer = officer_by_code(tx, aliases, FIELD, code)?;
            let key = (officer, change.allegation.ordinal);
            let row = case.officers.iter_mut().find(|row| (row.officer_id, row.ordinal) == key).ok_or_else(missing)?;
            category.apply(&mut row.category_id);
            unit.apply(&mut row.unit_id);
            row.attribution = change.attribution.unwrap_or(row.attribution);
        }
        None if change.attribution.is_some() => {
            return Err(CorrectionRefusal::AttributionOfMatter.into());
        }
        None => {
            let of = change.allegation.ordinal;
            let row = case.matters.iter_mut().find(|row| row.ordinal == of).ok_or_else(missing)?;
            category.apply(&mut row.category_id);
            unit.apply(&mut row.unit_id);
        }
    }
    Ok(())
}

fn remove_one(tx: &mut WriteTx<'_>, aliases: &Aliases, case: &mut Case, key: &AllegationKey) -> Result<(), StoreError> {
    const FIELD: &str = "removeAllegations";
    let place = match &key.officer {
        Some(code) => {
            let officer = officer_by_code(tx, aliases, FIELD, code)?;
            let place = case.officers.iter().position(|row| (row.officer_id, row.ordinal) == (officer, key.ordinal));
            place.map(|place| drop(case.officers.remove(place)))
        }
        None => {
            let place = case.matters.iter().position(|row| row.ordinal == key.ordinal);
            place.map(|place| drop(case.matters.remove(place)))
        }
    };
    place.ok_or_else(|| no_such_allegation(FIELD, key))
}

fn add_officer(
    tx: &mut WriteTx<'_>,
    aliases: &Aliases,
    case: &mut Case,
    new: &NewAllegation,
) -> Result<(), StoreError> {
    let officer_id = officer_by_code(tx, aliases, "addOfficers", &new.officer)?;
    let category = open_category(tx, "addOfficers.category", new.category.as_deref(), day(case))?;
    let unit = existing_id::<Unit>(tx, "addOfficers.unit", new.unit.as_deref())?;
    let row = ComplaintOfficer {
        complaint_id: case.complaint.id,
        officer_id,
        ordinal: free_ordinal(case, officer_id),
        category_id: category.or(case.complaint.category_id),
        unit_id: unit.or(case.complaint.unit_id),
        attribution: new.attribution,
        finding: Finding::Pending,
        decided_on: None,
        source_codes: None,
    };
    let same = |other: &ComplaintOfficer| {
        (other.officer_id, other.category_id, other.unit_id) == (row.officer_id, row.category_id, row.unit_id)
    };
    if case.officers.iter().any(same) {
        return Err(CorrectionRefusal::NamedAlready { code: new.officer.clone() }.into());
    }
    case.officers.push(row);
    case.officers.sort_by_key(|row| (row.officer_id, row.ordinal));
    Ok(())
}

fn free_ordinal(case: &Case, officer: Id) -> i32 {
    let taken = case.officers.iter().filter(|row| row.officer_id == officer).map(|row| row.ordinal);
    taken.max().map_or(0, |last| last.saturating_add(1))
}

/// Adds allegations that name no officer. The only allegation without an officer is on the complaint itself: it becomes
/// the first.
fn add_matters(tx: &mut WriteTx<'_>, before: &Case, after: &mut Case, new: &[NewMatter]) -> Result<(), StoreError> {
    let is_from_officers = follows(&codes(tx, before)?, before);
    let complaint = &after.complaint;
    let has_own = before.officers.is_empty() || !is_from_officers;
    if after.matters.is_empty() && has_own && complaint.category_id.or(complaint.unit_id).is_some() {
        after.matters.push(ComplaintMatter {
            complaint_id: complaint.id,
            ordinal: 0,
            category_id: complaint.category_id,
            unit_id: complaint.unit_id,
            finding: complaint.finding.unwrap_or(Finding::Pending),
            decided_on: complaint.decided_on,
            source_codes: complaint.source_codes.clone(),
        });
    }
    for matter in new {
        let category_id = open_category(tx, "addMatters.category", Some(&matter.category), day(after))?;
        let unit = existing_id::<Unit>(tx, "addMatters.unit", matter.unit.as_deref())?;
        let last = after.matters.iter().map(|row| row.ordinal).max();
        after.matters.push(ComplaintMatter {
            complaint_id: after.complaint.id,
            ordinal: last.map_or(0, |last| last.saturating_add(1)),
            category_id,
            unit_id: unit.or(after.complaint.unit_id),
            finding: Finding::Pending,
            decided_on: None,
            source_codes: None,
        });
    }
    Ok(())
}

/// Gives allegations against one officer, chosen by their ordinals, to another one. Returns their new ordinals.
pub(in crate::register) fn move_rows(case: &mut Case, from: Id, to: Id, which: impl Fn(i32) -> bool) -> Vec<i32> {
    let first = free_ordinal(case, to);
    let chosen = case.officers.iter_mut().filter(|row| row.officer_id == from && which(row.ordinal));
    let moved = chosen
        .zip(first..)
        .map(|(row, ordinal)| {
            row.officer_id = to;
            row.ordinal = ordinal;
            ordinal
        })
        .collect();
    case.officers.sort_by_key(|row| (row.officer_id, row.ordinal));
    moved
}
