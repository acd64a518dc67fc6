//! Issue categories: new ones, their names, kind, deadline and owner, and their end.

use super::checks::{code, day, listed, name, optional_name, rule};
use super::{Seen, locked, placeholder};
use crate::db::{StoreError, WriteTx, dialect};
use crate::domain::calendar::is_valid_on;
use crate::domain::ids::reference_id;
use crate::enums::{CategoryKind, DeadlineUnit, UnitKind};
use crate::events::Entity;
use crate::models::{IssueCategory, UNKNOWN_START, Unit};
use crate::refusal::CodeRefusal;
use crate::register::reference::{Stored, existing_id, upsert};
use crate::sql_types::Id;
use crate::tables::issue_categories;
use chrono::NaiveDate;
use diesel::prelude::*;

/// A category, not yet in the register.
#[derive(Debug, Clone)]
pub struct NewCategory {
    pub code: String,
    /// The code of the category above it.
    pub parent: Option<String>,
    pub name_vi: String,
    pub name_en: Option<String>,
    pub kind: CategoryKind,
    pub serious: bool,
    pub deadline_days: Option<i32>,
    /// The kind of days in which the deadline is counted.
    pub deadline_unit: DeadlineUnit,
    /// The code of the headquarters unit in charge.
    pub owner: Option<String>,
}

/// New values of a category; None leaves a value as it is, and `Some(None)` removes it.
#[derive(Debug, Clone, Default)]
pub struct CategoryChange {
    pub parent: Option<Option<String>>,
    pub name_vi: Option<String>,
    pub name_en: Option<Option<String>>,
    pub kind: Option<CategoryKind>,
    pub serious: Option<bool>,
    pub deadline_days: Option<Option<i32>>,
    pub deadline_unit: Option<DeadlineUnit>,
    pub owner: Option<Option<String>>,
}

/// The longest deadline in days.
const LONGEST_DEADLINE: i32 = 3_650;

/// Why a category may not be below a parent, where the parent is below `above_parent` and the category itself may be a
/// parent: there are two levels.
pub fn breaks_levels(above_parent: Option<Id>, is_parent: bool) -> Option<&'static str> {
    match (above_parent, is_parent) {
        (Some(_), _) => Some("is itself below a category: there are two levels"),
        (None, true) => Some("cannot be the parent: this category is a parent itself, and there are two levels"),
        (None, false) => None,
    }
}

/// Makes a category. Completes the placeholder that an import made of the code, if there is one.
///
/// # Errors
/// `Rule` names the invalid field; `Conflict` if there is a category with the code.
pub fn create_category(tx: &mut WriteTx<'_>, new: &NewCategory) -> Result<IssueCategory, StoreError> {
    let category_code = code("code", &new.code)?;
    // Complaints may be filed under the placeholder: its deadline changes them.
    dialect::lock_tree_exclusive(tx.conn)?;
    let id = reference_id(Entity::Category, &category_code);
    let before = placeholder::<IssueCategory>(tx, &category_code, |category| category.unknown)?;
    let category = IssueCategory {
        id,
        code: category_code,
        parent_id: parent(tx, id, new.parent.as_deref())?,
        name_vi: name("nameVi", &new.name_vi)?,
        name_en: optional_name("nameEn", new.name_en.as_deref())?,
        kind: new.kind,
        serious: new.serious,
        deadline_days: deadline(new.deadline_days)?,
        deadline_unit: stored_unit(new.deadline_unit),
        owner_unit_id: owner(tx, new.owner.as_deref())?,
        unknown: false,
        valid_to: before.and_then(|before| before.valid_to),
    };
    upsert(tx, vec![category.clone()])?;
    Ok(category)
}

/// Changes a category. A placeholder becomes a described category when it gets a name. Another deadline changes the
/// complaints filed under the category.
///
/// # Errors
/// `NotFound`; `Conflict` if the category is at another revision; `Rule` names the invalid field.
pub fn change_category(tx: &mut WriteTx<'_>, seen: &Seen, change: CategoryChange) -> Result<IssueCategory, StoreError> {
    // Before the row: every change of deadlines takes the locks in this order.
    dialect::lock_tree_exclusive(tx.conn)?;
    let mut category: IssueCategory = locked(tx, seen)?;
    if let Some(above) = change.parent {
        category.parent_id = parent(tx, category.id, above.as_deref())?;
    }
    if let Some(name_vi) = change.name_vi {
        category.name_vi = name("nameVi", &name_vi)?;
        category.unknown = false;
    }
    if let Some(name_en) = change.name_en {
        category.name_en = optional_name("nameEn", name_en.as_deref())?;
    }
    category.kind = change.kind.unwrap_or(category.kind);
    category.serious = change.serious.unwrap_or(category.serious);
    if let Some(days) = change.deadline_days {
        category.deadline_days = deadline(days)?;
    }
    if let Some(unit) = change.deadline_unit {
        category.deadline_unit = stored_unit(unit);
    }
    if let Some(unit) = change.owner {
        category.owner_unit_id = owner(tx, unit.as_deref())?;
    }
    upsert(tx, vec![category.clone()])?;
    Ok(category)
}

/// Ends a category: complaints received after the last day are no longer filed under it. Those that are filed under it
/// keep it.
///
/// # Errors
/// `NotFound`; `Conflict` if the category is at another revision; `Rule` if categories below it are in use.
pub fn close_category(tx: &mut WriteTx<'_>, seen: &Seen, last_day: NaiveDate) -> Result<IssueCategory, StoreError> {
    let mut category: IssueCategory = locked(tx, seen)?;
    let last_day = day("on", last_day)?;
    let below: Vec<String> = issue_categories::table
        .filter(issue_categories::parent_id.eq(category.id))
        .filter(issue_categories::valid_to.is_null().or(issue_categories::valid_to.gt(last_day)))
        .order(issue_categories::code)
        .select(issue_categories::code)
        .load(tx.conn)?;
    if !below.is_empty() {
        let message =
            format!("the categories below it are in use after {last_day} ({}): close them first", listed(&below));
        return Err(rule("category", message));
    }
    category.valid_to = Some(last_day);
    upsert(tx, vec![category.clone()])?;
    Ok(category)
}

/// The id of a category under which complaints of a day are filed.
///
/// # Errors
/// `Rule` names `field` if the code is unknown or the category has ended.
pub fn open_category(
    tx: &mut WriteTx<'_>,
    field: &str,
    category: Option<&str>,
    received_on: NaiveDate,
) -> Result<Option<Id>, StoreError> {
    let Some(id) = existing_id::<IssueCategory>(tx, field, category)? else {
        return Ok(None);
    };
    let ended = IssueCategory::load(tx.conn, &[id])?.remove(&id).and_then(|category| category.valid_to);
    match ended.filter(|_| !is_valid_on(received_on, UNKNOWN_START, ended)) {
        None => Ok(Some(id)),
        Some(last) => {
            let code = category.unwrap_or_default().to_owned();
            Err(CodeRefusal::CategoryEnded { field: field.to_owned(), code, last }.into())
        }
    }
}

/// The id of the parent of a category.
fn parent(tx: &mut WriteTx<'_>, category: Id, parent: Option<&str>) -> Result<Option<Id>, StoreError> {
    let Some(parent_code) = parent else { return Ok(None) };
    let id = reference_id(Entity::Category, parent_code);
    // Locked, so that it does not get a parent itself in the meantime.
    IssueCategory::lock(tx.conn, &[id])?;
    let Some(found) = IssueCategory::load(tx.conn, &[id])?.remove(&id) else {
        let message = format!("there is no category {parent_code:?}: the query `issueCategories` lists the codes");
        return Err(rule("parent", message));
    };
    if id == category {
        return Err(rule("parent", "is the category itself"));
    }
    let below = issue_categories::table.filter(issue_categories::parent_id.eq(category)).count();
    let is_parent = below.get_result::<i64>(tx.conn)? > 0;
    match breaks_levels(found.parent_id, is_parent) {
        None => Ok(Some(id)),
        Some(reason) => Err(rule("parent", format!("{parent_code:?} {reason}"))),
    }
}

fn owner(tx: &mut WriteTx<'_>, unit: Option<&str>) -> Result<Option<Id>, StoreError> {
    let Some(unit_code) = unit else { return Ok(None) };
    let id = reference_id(Entity::Unit, unit_code);
    match Unit::load(tx.conn, &[id])?.remove(&id) {
        Some(unit) if unit.kind == UnitKind::HeadquartersUnit => Ok(Some(id)),
        Some(unit) => Err(rule("owner", format!("{unit_code:?} is a {}: name a HEADQUARTERS_UNIT", unit.kind))),
        None => Err(rule("owner", format!("there is no unit {unit_code:?}: the query `units` lists the codes"))),
    }
}

fn deadline(days: Option<i32>) -> Result<Option<i32>, StoreError> {
    match days {
        Some(days) if !(1..=LONGEST_DEADLINE).contains(&days) => {
            Err(rule("deadlineDays", format!("is {days}: write 1 to {LONGEST_DEADLINE} days, or null for no deadline")))
        }
        days => Ok(days),
    }
}

/// The column of a unit: the default is not stored.
fn stored_unit(unit: DeadlineUnit) -> Option<DeadlineUnit> {
    Some(unit).filter(|unit| *unit != DeadlineUnit::Working)
}
