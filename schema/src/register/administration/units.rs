//! Units: new ones, their names and kind, their place in the tree from a day on, and their end.

use super::checks::{code, day, lasts_until, listed, name, optional_name, rule};
use super::tree_edit::TreeEdit;
use super::{Seen, locked, placeholder};
use crate::db::{StoreError, WriteTx};
use crate::domain::calendar::{is_valid_on, start_of_day};
use crate::domain::ids::reference_id;
use crate::enums::{PeerGroup, UnitKind};
use crate::events::Entity;
use crate::models::{Officer, Posting, UNKNOWN_START, Unit};
use crate::register::reference::Stored;
use crate::register::replace_postings;
use crate::register::succession::{hand_over_if_ended, waiting_for};
use crate::sql_types::Id;
use crate::tables::{complaints, postings};
use chrono::{Days, NaiveDate};
use diesel::prelude::*;
use std::collections::BTreeMap;

/// A unit, not yet in the register.
#[derive(Debug, Clone)]
pub struct NewUnit {
    pub code: String,
    pub name_vi: String,
    pub name_en: Option<String>,
    pub kind: UnitKind,
    pub peer_group: Option<PeerGroup>,
    pub field: Option<String>,
    /// The code of the unit above it.
    pub parent: Option<String>,
    /// The first day; None for no known beginning.
    pub valid_from: Option<NaiveDate>,
}

/// New values of a unit; None leaves a value as it is, and `Some(None)` removes it.
#[derive(Debug, Clone, Default)]
pub struct UnitChange {
    pub name_vi: Option<String>,
    pub name_en: Option<Option<String>>,
    pub kind: Option<UnitKind>,
    pub peer_group: Option<Option<PeerGroup>>,
    pub field: Option<Option<String>>,
    /// The code of the unit that goes on after the last day, which the unit has already.
    pub successor: Option<Option<String>>,
    /// A later last day of a unit that has one; `Some(None)` for no end.
    pub valid_to: Option<Option<NaiveDate>>,
}

/// The changes by the end of a unit, by codes.
#[derive(Debug, Clone)]
pub struct ClosedUnit {
    pub unit: Unit,
    /// The units that were below it, and are below the successor now.
    pub moved: Vec<String>,
    /// The officers whose posting goes on at the successor.
    pub officers: Vec<Officer>,
    /// The complaints that waited for its answer. The successor has them if the last day has passed, else from the day
    /// after it on.
    pub open_complaints: i64,
}

impl NewUnit {
    /// The row of the unit.
    ///
    /// # Errors
    /// `Rule` names the invalid field.
    pub(super) fn row(&self) -> Result<Unit, StoreError> {
        let unit_code = code("code", &self.code)?;
        Ok(Unit {
            id: reference_id(Entity::Unit, &unit_code),
            code: unit_code,
            name_vi: name("nameVi", &self.name_vi)?,
            name_en: optional_name("nameEn", self.name_en.as_deref())?,
            kind: self.kind,
            peer_group: self.peer_group,
            field: optional_name("field", self.field.as_deref())?,
            valid_from: self.valid_from.map(|from| day("validFrom", from)).transpose()?.unwrap_or(UNKNOWN_START),
            valid_to: None,
            unknown: false,
            successor_id: None,
        })
    }
}

/// Makes a unit. Completes the placeholder that an import made of the code, if there is one.
///
/// # Errors
/// `Rule` names the invalid field; `Conflict` if there is a unit with the code.
pub fn create_unit(tx: &mut WriteTx<'_>, new: &NewUnit) -> Result<Unit, StoreError> {
    let mut edit = TreeEdit::begin(tx)?;
    let unit = new.row()?;
    create(tx, &mut edit, &unit, new.parent.as_deref())?;
    edit.finish(tx)?;
    Ok(unit)
}

/// Makes a unit within an edit.
///
/// # Errors
/// `Rule` if there is no such parent; `Conflict` if there is a unit with the code.
pub(super) fn create(
    tx: &mut WriteTx<'_>,
    edit: &mut TreeEdit,
    unit: &Unit,
    parent: Option<&str>,
) -> Result<(), StoreError> {
    placeholder::<Unit>(tx, &unit.code, |unit| unit.unknown)?;
    let parent = parent.map(|parent| edit.by_code("parent", parent).map(|parent| parent.id)).transpose()?;
    edit.put(tx, unit)?;
    match parent {
        Some(parent) => edit.put_below(tx, unit.id, parent, unit.valid_from),
        None => Ok(()),
    }
}

/// Changes the names, the kind, the peer group, the field, the successor or the end of a unit. Another kind changes the
/// level for which the unit counts, also for complaints of the past. A successor goes on at once with what waits for a
/// unit whose last day has passed. A unit may last longer than it was to, or have no end: what went to its successor
/// stays there.
///
/// # Errors
/// `NotFound`; `Conflict` if the unit is at another revision; `Rule` names the invalid field.
pub fn change_unit(tx: &mut WriteTx<'_>, seen: &Seen, mut change: UnitChange) -> Result<Unit, StoreError> {
    let mut edit = TreeEdit::begin(tx)?;
    let before: Unit = locked(tx, seen)?;
    let (successor, valid_to) = (change.successor.take(), change.valid_to.take());
    let mut now = changed(before, change)?;
    if let Some(until) = valid_to {
        last_longer(tx, &mut edit, &mut now, until)?;
    }
    if let Some(code) = successor {
        now.successor_id = code.map(|code| edit.by_code("successor", &code).map(|found| found.id)).transpose()?;
        check_successor(&edit, &now)?;
    }
    edit.put(tx, &now)?;
    hand_over_if_ended(tx, &edit.tree(), &now)?;
    edit.finish(tx)?;
    Ok(now)
}

/// Gives a unit that has a last day a later one, or none. The parent that it had on its last day stays its parent.
///
/// # Errors
/// `Rule` names `validTo`, or `successor` if the successor does not go on after the new last day.
fn last_longer(
    tx: &mut WriteTx<'_>,
    edit: &mut TreeEdit,
    unit: &mut Unit,
    until: Option<NaiveDate>,
) -> Result<(), StoreError> {
    let until = until.map(|until| day("validTo", until)).transpose()?;
    let code = &unit.code;
    let Some(last_day) = unit.valid_to else {
        return match until {
            None => Ok(()),
            Some(_) => Err(rule("validTo", format!("unit {code:?} has no last day: closeUnit ends it"))),
        };
    };
    if let Some(earlier) = until.filter(|until| *until < last_day) {
        return Err(rule(
            "validTo",
            format!("is {earlier}, and the last day of unit {code:?} is {last_day}: closeUnit ends it earlier"),
        ));
    }
    unit.valid_to = until;
    match until {
        None => unit.successor_id = None,
        Some(_) => check_successor(edit, unit)?,
    }
    edit.lengthen(tx, unit.id, last_day, until)
}

/// Checks that the successor of a unit exists on the day after its last one, and does not lead back to it.
///
/// # Errors
/// `Rule` names `successor`.
fn check_successor(edit: &TreeEdit, unit: &Unit) -> Result<(), StoreError> {
    let Some(successor) = unit.successor_id else { return Ok(()) };
    let Some(last_day) = unit.valid_to else {
        return Err(rule(
            "successor",
            format!("unit {:?} has no last day: close it, and name its successor", unit.code),
        ));
    };
    let next_day = last_day + Days::new(1);
    let follows = edit.unit(successor).filter(|unit| is_valid_on(next_day, unit.valid_from, unit.valid_to));
    if successor == unit.id || follows.is_none() {
        return Err(rule(
            "successor",
            format!(
                "{:?} does not go on after unit {:?}: name another unit that exists on {next_day}",
                edit.code(successor),
                unit.code
            ),
        ));
    }
    if edit.tree().succeeds(unit.id, successor) {
        return Err(rule(
            "successor",
            format!("unit {:?} succeeds {:?} itself: name another unit", unit.code, edit.code(successor)),
        ));
    }
    Ok(())
}

/// A unit with new values, except its successor. A placeholder becomes a described unit.
///
/// # Errors
/// `Rule` names the invalid field.
pub(super) fn changed(mut unit: Unit, change: UnitChange) -> Result<Unit, StoreError> {
    if let Some(name_vi) = change.name_vi {
        unit.name_vi = name("nameVi", &name_vi)?;
        unit.unknown = false;
    }
    if let Some(name_en) = change.name_en {
        unit.name_en = optional_name("nameEn", name_en.as_deref())?;
    }
    if let Some(kind) = change.kind {
        unit.kind = kind;
    }
    if let Some(peer_group) = change.peer_group {
        unit.peer_group = peer_group;
    }
    if let Some(field) = change.field {
        unit.field = optional_name("field", field.as_deref())?;
    }
    Ok(unit)
}

/// Puts a unit below another one from a day on.
///
/// # Errors
/// `NotFound`; `Conflict` if the unit is at another revision; `Rule` if the parent or the day is wrong, or the parents
/// would form a circle.
pub fn move_unit(tx: &mut WriteTx<'_>, seen: &Seen, parent: &str, from: NaiveDate) -> Result<Unit, StoreError> {
    let mut edit = TreeEdit::begin(tx)?;
    let unit: Unit = locked(tx, seen)?;
    let parent = edit.by_code("parent", parent)?.id;
    edit.move_to(tx, "from", unit.id, parent, day("from", from)?)?;
    edit.finish(tx)?;
    Ok(unit)
}

/// Ends a unit on a day. With a `successor`, by default the one that an earlier call named, the units below it, the
/// postings to it and the complaints that wait for its answer go on there; without one there must be none. Complaints
/// go there at once if the day has passed, else on the day after it. What complaints are about stays the unit of their
/// day.
///
/// # Errors
/// `NotFound`; `Conflict` if the unit is at another revision; `Rule` if a day or the successor is wrong, or lists what
/// hinders.
pub fn close_unit(
    tx: &mut WriteTx<'_>,
    seen: &Seen,
    last_day: NaiveDate,
    successor: Option<&str>,
) -> Result<ClosedUnit, StoreError> {
    let mut edit = TreeEdit::begin(tx)?;
    let unit: Unit = locked(tx, seen)?;
    let successor = successor.map(|code| edit.by_code("successor", code).map(|found| found.id)).transpose()?;
    let closed = close(tx, &mut edit, &unit, day("on", last_day)?, successor)?;
    edit.finish(tx)?;
    Ok(closed)
}

/// Ends a unit within an edit.
///
/// # Errors
/// `Rule`, as [`close_unit`].
pub(super) fn close(
    tx: &mut WriteTx<'_>,
    edit: &mut TreeEdit,
    unit: &Unit,
    last_day: NaiveDate,
    successor: Option<Id>,
) -> Result<ClosedUnit, StoreError> {
    let code = &unit.code;
    let successor = successor.or(unit.successor_id);
    if let Some(closed) = unit.valid_to.filter(|closed| *closed <= last_day) {
        return Err(rule(
            "unit",
            format!("unit {code:?} is closed since {closed}: changeUnit with validTo lets it last longer"),
        ));
    }
    if last_day < unit.valid_from {
        return Err(rule("on", format!("unit {code:?} begins on {}: its last day cannot be earlier", unit.valid_from)));
    }
    let next_day = last_day + Days::new(1);
    let children = edit.children_after(unit.id, last_day);
    let officers = posted_after(tx, unit.id, last_day)?;
    let open_complaints = i64::try_from(waiting_for(tx.conn, &[unit.id], usize::MAX)?.len()).unwrap_or(i64::MAX);
    let Some(successor) = successor else {
        let mut hinders = Vec::new();
        if !children.is_empty() {
            let codes: Vec<String> = children.iter().map(|child| edit.code(*child).to_owned()).collect();
            hinders.push(format!("units below it ({})", listed(&codes)));
        }
        if !officers.is_empty() {
            hinders.push(format!("{} postings that have not ended", officers.len()));
        }
        if open_complaints > 0 {
            hinders.push(format!("{open_complaints} complaints that wait for an answer"));
        }
        if hinders.is_empty() {
            edit.close(tx, unit.id, last_day, None)?;
            let unit = Unit { valid_to: Some(last_day), ..unit.clone() };
            return Ok(ClosedUnit { unit, moved: Vec::new(), officers: Vec::new(), open_complaints });
        }
        return Err(rule(
            "successor",
            format!("unit {code:?} has {}: name a successor for them, or end them first", hinders.join(", ")),
        ));
    };
    let unit = Unit { valid_to: Some(last_day), successor_id: Some(successor), ..unit.clone() };
    check_successor(edit, &unit)?;
    let mut moved = Vec::with_capacity(children.len());
    for child in children {
        // The successor itself may have been below the unit, and stays where it was put.
        if child != successor && edit.parent_on(child, next_day) == Some(unit.id) {
            edit.move_to(tx, "successor", child, successor, next_day)?;
            moved.push(edit.code(child).to_owned());
        }
    }
    carry_over(tx, &officers, unit.id, successor, last_day)?;
    edit.close(tx, unit.id, last_day, Some(successor))?;
    hand_over_if_ended(tx, &edit.tree(), &unit)?;
    let ids: Vec<Id> = officers.into_keys().collect();
    let mut officers: Vec<Officer> = Officer::load(tx.conn, &ids)?.into_values().collect();
    officers.sort_by(|a, b| a.code.cmp(&b.code));
    Ok(ClosedUnit { unit, moved, officers, open_complaints })
}

/// The postings of the officers who serve in a unit after a day: all of each officer, in order.
fn posted_after(tx: &mut WriteTx<'_>, unit: Id, last_day: NaiveDate) -> Result<BTreeMap<Id, Vec<Posting>>, StoreError> {
    let ids: Vec<Id> = postings::table
        .filter(postings::unit_id.eq(unit))
        .filter(postings::valid_to.is_null().or(postings::valid_to.gt(last_day)))
        .select(postings::officer_id)
        .distinct()
        .load(tx.conn)?;
    Officer::lock(tx.conn, &ids)?;
    super::officers::postings_of(tx, &ids)
}

/// Ends the postings to a unit on its last day, and begins each anew at its successor. A posting that would begin later
/// begins there on its day.
fn carry_over(
    tx: &mut WriteTx<'_>,
    officers: &BTreeMap<Id, Vec<Posting>>,
    unit: Id,
    successor: Id,
    last_day: NaiveDate,
) -> Result<(), StoreError> {
    for (officer, before) in officers {
        let mut after: Vec<Posting> = Vec::with_capacity(before.len() + 1);
        for row in before {
            if row.unit_id != unit || row.valid_to.is_some_and(|to| to <= last_day) {
                after.push(row.clone());
                continue;
            }
            if row.valid_from <= last_day {
                after.push(Posting { valid_to: Some(last_day), ..row.clone() });
            }
            let valid_from = row.valid_from.max(last_day + Days::new(1));
            // An officer who serves at the successor already continues there.
            let goes_on = |other: &&Posting| {
                other.unit_id == successor && is_valid_on(valid_from, other.valid_from, other.valid_to)
            };
            if before.iter().any(|other| goes_on(&other)) {
                continue;
            }
            // After a merge an officer may have two postings to one unit: they go on as one, which lasts as long.
            let carried = after.iter().find(goes_on).map(|other| (other.valid_from, other.valid_to));
            match carried {
                None => after.push(Posting { unit_id: successor, valid_from, ..row.clone() }),
                Some((since, last)) if !lasts_until(last, row.valid_to) => {
                    let same = after.iter_mut().filter(|other| (other.unit_id, other.valid_from) == (successor, since));
                    same.for_each(|other| other.valid_to = row.valid_to);
                }
                Some(_) => {}
            }
        }
        after.sort_by_key(|row| (row.valid_from, row.unit_id));
        replace_postings(tx, *officer, before, &after)?;
    }
    Ok(())
}

/// The number of complaints about a unit, and of those received on a day or later.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn complaints_of(tx: &mut WriteTx<'_>, unit: Id, day: NaiveDate) -> Result<(i64, i64), StoreError> {
    let of_unit = || complaints::table.filter(complaints::unit_id.eq(unit));
    let all = of_unit().count().get_result(tx.conn)?;
    let since = start_of_day(day);
    let later = of_unit().filter(complaints::received_at.ge(since)).count().get_result(tx.conn)?;
    Ok((all, later))
}
