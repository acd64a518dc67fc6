//! Conditions on the legal clock of complaints, and their escalations.

use super::in_select::in_select;
use super::keyset::Pred;
use super::not_true::not_true;
use crate::db::{Conn, MultiBackend, StoreError, dialect::KEYS_PER_QUERY};
use crate::enums::ComplaintEventKind;
use crate::enums::ComplaintState::{Assigned, Classified, Received};
use crate::models::Escalation;
use crate::sql_types::Id;
use crate::tables::{complaint_clocks, complaint_events, complaints, escalations};
use chrono::{Days, NaiveDate};
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Bool, Date, Nullable};
use std::collections::{HashMap, HashSet};

/// Complaints that are overdue on a day: open, not answered in the present round, and due before that day, or before
/// the one on which the clock was stopped.
pub fn overdue_on(today: NaiveDate) -> Pred<complaints::table> {
    due_before(today, today)
}

/// Complaints that wait, and were due before a day by the [`counted_deadline`] of today.
fn due_before(day: NaiveDate, today: NaiveDate) -> Pred<complaints::table> {
    // A stop only moves the day on: the first condition finds all of them by its index.
    let runs = complaints::clock_stopped_since.is_null();
    let is_before = runs.or(counted_deadline(today).lt(day));
    Box::new(complaints::due_on.lt(day).and(is_before).and(waiting()))
}

/// Complaints that are open and not answered in their present round.
pub fn waiting() -> Pred<complaints::table> {
    // Without an answer no complaint is in another open state.
    let open = complaints::state.eq_any(vec![Received, Classified, Assigned]);
    Box::new(complaints::answered_on.is_null().and(open).nullable())
}

/// Complaints that are overdue by at least this many days; all of them for 0 days or fewer.
pub fn overdue_by(today: NaiveDate, days: i32) -> Pred<complaints::table> {
    let Ok(more) = u64::try_from(i64::from(days) - 1) else {
        return Box::new(complaints::id.is_not_null().nullable());
    };
    match today.checked_sub_days(Days::new(more)) {
        // Nothing was due before the register begins.
        Some(day) if day >= NaiveDate::default() => due_before(day, today),
        _ => Box::new(complaints::id.is_null().nullable()),
    }
}

/// Complaints with an earlier round that was answered late.
fn late_before() -> Pred<complaints::table> {
    let late = complaint_clocks::table
        .into_boxed::<MultiBackend>()
        .filter(complaint_clocks::answered_on.gt(complaint_clocks::due_on))
        .select(complaint_clocks::complaint_id);
    Box::new(in_select(complaints::id, late))
}

/// Complaints that were answered by their deadline in each round.
pub fn answered_in_time() -> Pred<complaints::table> {
    Box::new(complaints::answered_on.le(complaints::due_on).and(not_true(late_before())))
}

/// Complaints that were answered late in a round, or are overdue on a day.
pub fn answered_late(today: NaiveDate) -> Pred<complaints::table> {
    Box::new(complaints::answered_on.gt(complaints::due_on).or(late_before()).or(overdue_on(today)))
}

/// The deadline of a complaint, moved on by the days since its clock was stopped.
#[derive(Debug, Clone, Copy)]
pub(super) struct CountedDeadline(NaiveDate);

/// The deadline by which a complaint is as many days overdue today as it was on the day on which its clock was stopped.
pub(super) fn counted_deadline(today: NaiveDate) -> CountedDeadline {
    CountedDeadline(today)
}

impl Expression for CountedDeadline {
    type SqlType = Nullable<Date>;
}

impl AppearsOnTable<complaints::table> for CountedDeadline {}
impl SelectableExpression<complaints::table> for CountedDeadline {}

impl ValidGrouping<()> for CountedDeadline {
    type IsAggregate = is_aggregate::No;
}

impl QueryId for CountedDeadline {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<MultiBackend> for CountedDeadline {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        let (before, after) = match pass.backend() {
            MultiBackend::Pg(_) => ("(complaints.due_on + coalesce(", " - complaints.clock_stopped_since, 0))"),
            MultiBackend::Sqlite(_) => (
                "date(complaints.due_on, coalesce(CAST(julianday(",
                ") - julianday(complaints.clock_stopped_since) AS INTEGER), 0) || ' days')",
            ),
        };
        pass.push_sql(before);
        pass.push_bind_param::<Date, _>(&self.0)?;
        pass.push_sql(after);
        Ok(())
    }
}

/// Whether the latest escalation of the present round of a complaint names one of the units of a query.
#[derive(Debug, Clone, Copy)]
pub struct EscalatedTo<Q>(Q);

/// Complaints whose latest escalation in their present round names a unit of a query of ids.
pub fn escalated_to<Q>(units: Q) -> EscalatedTo<Q> {
    EscalatedTo(units)
}

impl<Q> Expression for EscalatedTo<Q> {
    type SqlType = Nullable<Bool>;
}

impl<Q> AppearsOnTable<complaints::table> for EscalatedTo<Q> {}
impl<Q> SelectableExpression<complaints::table> for EscalatedTo<Q> {}

impl<Q> ValidGrouping<()> for EscalatedTo<Q> {
    type IsAggregate = is_aggregate::No;
}

impl<Q> QueryId for EscalatedTo<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: QueryFragment<MultiBackend>> QueryFragment<MultiBackend> for EscalatedTo<Q> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        pass.push_sql(
            "complaints.id IN (SELECT e.complaint_id FROM escalations e WHERE e.level = (SELECT max(h.level) FROM \
             escalations h WHERE h.complaint_id = e.complaint_id) AND e.level > 2 * (coalesce((SELECT max(r.round) \
             FROM complaint_clocks r WHERE r.complaint_id = e.complaint_id), 1) - 1) AND e.unit_id IN (",
        );
        self.0.walk_ast(pass.reborrow())?;
        pass.push_sql("))");
        Ok(())
    }
}

/// The escalations of complaints, in the order of their levels.
///
/// # Errors
/// If the database cannot be read.
pub fn escalations_of(conn: &mut Conn, complaints: &[Id]) -> Result<HashMap<Id, Vec<Escalation>>, StoreError> {
    let mut found: HashMap<Id, Vec<Escalation>> = HashMap::new();
    for chunk in complaints.chunks(KEYS_PER_QUERY) {
        let rows: Vec<Escalation> = escalations::table
            .filter(escalations::complaint_id.eq_any(chunk))
            .order((escalations::complaint_id, escalations::level))
            .select(Escalation::as_select())
            .load(conn)?;
        for row in rows {
            found.entry(row.complaint_id).or_default().push(row);
        }
    }
    Ok(found)
}

/// The escalation of a complaint to a level, if it meets some conditions.
///
/// # Errors
/// If the database cannot be read.
pub fn escalation_to_level(
    conn: &mut Conn,
    complaint: Id,
    level: i32,
    conditions: impl IntoIterator<Item = Pred<escalations::table>>,
) -> Result<Option<Escalation>, StoreError> {
    let mut query = escalations::table
        .into_boxed::<MultiBackend>()
        .filter(escalations::complaint_id.eq(complaint).nullable())
        .filter(escalations::level.eq(level).nullable());
    for condition in conditions {
        query = query.filter(condition);
    }
    Ok(query.select(Escalation::as_select()).first(conn).optional()?)
}

/// The escalations (complaint and level) after a position of the register, and up to another one, in the order of their
/// events.
///
/// # Errors
/// If the database cannot be read.
pub fn escalations_between(conn: &mut Conn, after: i64, until: i64) -> Result<Vec<(Id, i32)>, StoreError> {
    // An escalation and its event have the time of their transaction. The database joins them, because an import leaves
    // a great many other events of this kind.
    let of_event = escalations::complaint_id.eq(complaint_events::complaint_id);
    let at_once = escalations::escalated_at.eq(complaint_events::recorded_at);
    let rows: Vec<(Id, i32)> = complaint_events::table
        .inner_join(escalations::table.on(of_event.and(at_once)))
        .filter(complaint_events::position.gt(after).and(complaint_events::position.le(until)))
        .filter(complaint_events::kind.eq(ComplaintEventKind::Updated))
        .order((complaint_events::position, complaint_events::ordinal, escalations::level))
        .select((escalations::complaint_id, escalations::level))
        .load(conn)?;
    let mut known = HashSet::new();
    Ok(rows.into_iter().filter(|key| known.insert(*key)).collect())
}
