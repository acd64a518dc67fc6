//! Succession: the successor of a unit that has ended takes over the complaints that wait for its answer.
//!
//! Routing asks the tree who answers ([`UnitTree::going_on`](crate::domain::tree::UnitTree::going_on)). Complaints that
//! wait when a unit ends are handed over with its end if that day has passed, else by the job `hand-over` on the day
//! after. One that is reopened later goes to the successor at once.

use super::complaints::{self, Case};
use super::reference::{Stored, existing_id};
use super::tree::load_tree;
use crate::db::dialect::{self, KEYS_PER_QUERY};
use crate::db::{Conn, StoreError, WriteTx};
use crate::domain::calendar::local_date;
use crate::domain::state::is_waiting;
use crate::domain::tree::UnitTree;
use crate::enums::ComplaintEventKind;
use crate::enums::ComplaintState::{Assigned, Classified, Received};
use crate::models::Unit;
use crate::refusal::CodeRefusal;
use crate::sql_types::Id;
use crate::tables::{complaints as complaint_table, units};
use chrono::{Days, NaiveDate};
use diesel::prelude::*;

/// Complaints that are read and written at once.
const AT_ONCE: usize = 1_000;

/// Hands over complaints that wait for the answer of units whose last day is `last_day` or an earlier one, at most
/// `limit` of them, each by an event. Returns their number; 0 once none is left whose unit has a successor.
///
/// # Errors
/// If the database fails, or a lock is not granted in time.
pub fn hand_over_after(tx: &mut WriteTx<'_>, last_day: NaiveDate, limit: usize) -> Result<usize, StoreError> {
    // The lock on the tree comes first, as in all writers of complaints.
    dialect::lock_tree_shared(tx.conn)?;
    let tree = load_tree(tx.conn)?;
    let day = (last_day + Days::new(1)).max(local_date(tx.now));
    let mut number = 0;
    for ended in ended_by(tx.conn, last_day)? {
        if number >= limit {
            break;
        }
        let Some(successor) = successor_on(tx.conn, &tree, ended.id, day)? else { continue };
        let ids = waiting_for(tx.conn, &[ended.id], limit - number)?;
        number += hand_over(tx, &ended, &successor, &ids)?;
    }
    Ok(number)
}

/// Counts the complaints that wait for the answer of units whose last day is `last_day` or an earlier one.
///
/// # Errors
/// If the database cannot be read.
pub fn waiting_after(conn: &mut Conn, last_day: NaiveDate) -> Result<i64, StoreError> {
    let ended: Vec<Id> = ended_by(conn, last_day)?.into_iter().map(|unit| unit.id).collect();
    let mut number = 0;
    for chunk in ended.chunks(KEYS_PER_QUERY) {
        number += complaint_table::table
            .filter(complaint_table::responsible_unit_id.eq_any(chunk))
            .filter(complaint_table::state.eq_any([Received, Classified, Assigned]))
            .count()
            .get_result::<i64>(conn)?;
    }
    Ok(number)
}

/// Hands over what waits for a unit, if its last day has passed and it has a successor. Returns the number of
/// complaints.
///
/// # Errors
/// If the database fails.
pub(super) fn hand_over_if_ended(tx: &mut WriteTx<'_>, tree: &UnitTree, unit: &Unit) -> Result<usize, StoreError> {
    let today = local_date(tx.now);
    if unit.valid_to.is_none_or(|last_day| last_day >= today) {
        return Ok(0);
    }
    let Some(successor) = successor_on(tx.conn, tree, unit.id, today)? else { return Ok(0) };
    let ids = waiting_for(tx.conn, &[unit.id], usize::MAX)?;
    hand_over(tx, unit, &successor, &ids)
}

/// Gives a complaint that waits again to the successor of its unit, if that one has ended.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn hand_on(tx: &mut WriteTx<'_>, case: &mut Case) -> Result<(), StoreError> {
    let Some(id) = case.complaint.responsible_unit_id else { return Ok(()) };
    let today = local_date(tx.now);
    let has_ended = |unit: &Unit| unit.valid_to.is_some_and(|last_day| last_day < today);
    if Unit::load(tx.conn, &[id])?.get(&id).is_some_and(has_ended) {
        case.complaint.responsible_unit_id = Some(load_tree(tx.conn)?.going_on(id, today));
    }
    Ok(())
}

/// The id of a unit that can answer from today on; None without a code.
///
/// # Errors
/// `Rule` names `field` if the code is unknown, or the unit has ended.
pub(super) fn answering_unit(tx: &mut WriteTx<'_>, field: &str, code: Option<&str>) -> Result<Option<Id>, StoreError> {
    let Some(id) = existing_id::<Unit>(tx, field, code)? else { return Ok(None) };
    let today = local_date(tx.now);
    let ended = Unit::load(tx.conn, &[id])?.remove(&id).and_then(|unit| Some((unit.code, unit.valid_to?)));
    let Some((code, last_day)) = ended.filter(|(_, last_day)| *last_day < today) else { return Ok(Some(id)) };
    let tree = load_tree(tx.conn)?;
    let (field, last) = (field.to_owned(), last_day);
    Err(match successor_on(tx.conn, &tree, id, today)? {
        Some(successor) => CodeRefusal::UnitSucceeded { field, code, last, successor: successor.code },
        None => CodeRefusal::UnitEnded { field, code, last },
    }
    .into())
}

/// The complaints that wait for an answer of some units, in order.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn waiting_for(conn: &mut Conn, units: &[Id], limit: usize) -> Result<Vec<Id>, StoreError> {
    Ok(complaint_table::table
        .filter(complaint_table::responsible_unit_id.eq_any(units))
        .filter(complaint_table::state.eq_any([Received, Classified, Assigned]))
        .order(complaint_table::id)
        .select(complaint_table::id)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .load(conn)?)
}

/// The units whose last day is a day or an earlier one, in the order of their codes.
fn ended_by(conn: &mut Conn, last_day: NaiveDate) -> Result<Vec<Unit>, StoreError> {
    Ok(units::table.filter(units::valid_to.le(last_day)).order(units::code).select(Unit::as_select()).load(conn)?)
}

/// The successor of a unit on a day; None if it is the unit itself.
fn successor_on(conn: &mut Conn, tree: &UnitTree, unit: Id, day: NaiveDate) -> Result<Option<Unit>, StoreError> {
    let next = tree.going_on(unit, day);
    if next == unit {
        return Ok(None);
    }
    Ok(Unit::load(conn, &[next])?.remove(&next))
}

/// Makes the successor responsible for complaints that still wait for a unit, with an event for each. No person chose
/// it: a new category routes such a complaint anew.
fn hand_over(tx: &mut WriteTx<'_>, ended: &Unit, successor: &Unit, ids: &[Id]) -> Result<usize, StoreError> {
    let on = ended.valid_to.map(|last_day| format!(" on {last_day}")).unwrap_or_default();
    let reason = format!("unit {} closed{on}: {} goes on", ended.code, successor.code);
    let mut number = 0;
    for chunk in ids.chunks(AT_ONCE) {
        let mut cases = complaints::load_for_update(tx.conn, chunk)?;
        for before in chunk.iter().filter_map(|id| cases.remove(id)) {
            // Before the lock another client may have answered it or made another unit responsible.
            if before.complaint.responsible_unit_id != Some(ended.id) || !is_waiting(before.complaint.state) {
                continue;
            }
            let mut after = before.clone();
            after.complaint.responsible_unit_id = Some(successor.id);
            let (kind, now) = (ComplaintEventKind::UnitTreeCorrected, tx.now);
            complaints::update_because(tx, kind, now, &before, &mut after, Some(&reason))?;
            number += 1;
        }
    }
    Ok(number)
}
