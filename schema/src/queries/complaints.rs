//! Complaints by their ids and within conditions, and those that the Board has redacted.

use super::in_select::in_select;
use super::keyset::Pred;
use crate::db::dialect::KEYS_PER_QUERY;
use crate::db::{Conn, MultiBackend, StoreError};
use crate::models::Complaint;
use crate::sql_types::{Id, Timestamp};
use crate::tables::{complaints, redactions};
use diesel::prelude::*;
use std::collections::HashMap;

/// The complaints among some ids that meet a condition.
fn among<'q>(ids: &[Id], condition: Option<Pred<complaints::table>>) -> complaints::BoxedQuery<'q, MultiBackend> {
    let query = complaints::table.into_boxed::<MultiBackend>().filter(complaints::id.eq_any(ids.to_vec()).nullable());
    match condition {
        Some(condition) => query.filter(condition),
        None => query,
    }
}

/// Complaints by id, those that meet a condition. The condition is built again for each statement.
///
/// # Errors
/// If the condition is wrong, or the database cannot be read.
pub fn complaints_by_id(
    conn: &mut Conn,
    ids: &[Id],
    condition: impl Fn() -> Result<Option<Pred<complaints::table>>, StoreError>,
) -> Result<HashMap<Id, Complaint>, StoreError> {
    let mut found = HashMap::with_capacity(ids.len());
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        let rows: Vec<Complaint> = among(chunk, condition()?).select(Complaint::as_select()).load(conn)?;
        found.extend(rows.into_iter().map(|row| (row.id, row)));
    }
    Ok(found)
}

/// The ids among `ids` whose complaints meet a condition. The condition is built again for each statement.
///
/// # Errors
/// If the database cannot be read.
pub fn complaint_ids_among(
    conn: &mut Conn,
    ids: &[Id],
    condition: impl Fn() -> Option<Pred<complaints::table>>,
) -> Result<Vec<Id>, StoreError> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        found.extend(among(chunk, condition()).select(complaints::id).load::<Id>(conn)?);
    }
    Ok(found)
}

/// The complaints of a page by their ids, in one statement.
///
/// # Errors
/// If the database cannot be read, or there are more ids than a statement may have parameters.
pub fn complaints_of_page(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, Complaint>, StoreError> {
    let rows: Vec<Complaint> =
        complaints::table.filter(complaints::id.eq_any(ids)).select(Complaint::as_select()).load(conn)?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// The condition for complaints received at `from` or later, and before `until`; None for all complaints.
pub fn received_between(from: Option<Timestamp>, until: Option<Timestamp>) -> Option<Pred<complaints::table>> {
    let from = from.map(|at| Box::new(complaints::received_at.ge(at).nullable()) as Pred<complaints::table>);
    let until = until.map(|at| Box::new(complaints::received_at.lt(at).nullable()) as Pred<complaints::table>);
    match (from, until) {
        (Some(from), Some(until)) => Some(Box::new(from.and(until))),
        (from, until) => from.or(until),
    }
}

/// Complaints received in one of two periods, each from its first moment to before its second.
pub fn received_in_either(one: [Timestamp; 2], other: [Timestamp; 2]) -> Pred<complaints::table> {
    let within =
        |[from, until]: [Timestamp; 2]| complaints::received_at.ge(from).and(complaints::received_at.lt(until));
    Box::new(within(one).or(within(other)).nullable())
}

/// Complaints that another unit has to answer than those that they are about: the responsible unit is neither the unit
/// complained about nor stored as its team, branch or department. An index of its own has these.
pub fn answered_elsewhere() -> Pred<complaints::table> {
    let responsible = complaints::responsible_unit_id;
    let is_not_unit = complaints::unit_id.is_null().nullable().or(responsible.ne(complaints::unit_id));
    let is_not_team = complaints::team_id.is_null().nullable().or(responsible.ne(complaints::team_id));
    let is_not_branch = complaints::branch_id.is_null().nullable().or(responsible.ne(complaints::branch_id));
    let is_not_department =
        complaints::department_id.is_null().nullable().or(responsible.ne(complaints::department_id));
    let all = responsible.is_not_null().nullable().and(is_not_unit).and(is_not_team);
    Box::new(all.and(is_not_branch).and(is_not_department))
}

/// Whether a complaint exists and meets a condition.
///
/// # Errors
/// If the database cannot be read.
pub fn complaint_meets(conn: &mut Conn, id: Id, condition: Pred<complaints::table>) -> Result<bool, StoreError> {
    let query = complaints::table.into_boxed::<MultiBackend>().filter(condition.and(complaints::id.eq(id)));
    Ok(query.count().get_result::<i64>(conn)? > 0)
}

/// Narrows `confidential` to complaints that the Board has redacted.
fn redacted(confidential: Pred<complaints::table>) -> Pred<complaints::table> {
    let redacted = redactions::table.into_boxed::<MultiBackend>().select(redactions::complaint_id);
    Box::new(confidential.and(in_select(complaints::id, redacted)))
}

/// The ids of the redacted complaints among the confidential ones.
///
/// # Errors
/// If the database cannot be read.
pub fn ids_of_redacted_complaints(
    conn: &mut Conn,
    confidential: Pred<complaints::table>,
) -> Result<Vec<Id>, StoreError> {
    let query = complaints::table.into_boxed::<MultiBackend>().filter(redacted(confidential));
    Ok(query.select(complaints::id).load(conn)?)
}

/// The redacted complaints among the confidential ones that meet a condition: id and time of receipt.
///
/// # Errors
/// If the database cannot be read.
pub fn times_of_redacted_complaints(
    conn: &mut Conn,
    confidential: Pred<complaints::table>,
    condition: Option<Pred<complaints::table>>,
) -> Result<Vec<(Id, Timestamp)>, StoreError> {
    let query = complaints::table.into_boxed::<MultiBackend>();
    let redacted = redacted(confidential);
    let query = match condition {
        Some(condition) => query.filter(redacted.and(condition)),
        None => query.filter(redacted),
    };
    Ok(query.select((complaints::id, complaints::received_at)).load(conn)?)
}
