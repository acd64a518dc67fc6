//! The filter of escalations.

use crate::graphql::filter::{
    BooleanOps, DateOps, DateTimeOps, OptionalCondition, ReferenceData, balanced, filter, null_op,
};
use crate::graphql::types::{ComplaintFilter, UnitFilter};
use diesel::prelude::*;
use schema::db::MultiBackend;
use schema::queries::{Pred, in_select, not_true, waiting};
use schema::refusal::FilterRefusal;
use schema::tables::{complaints, escalations, units};

/// Rounds of which the filter on levels knows: more than any complaint has.
const ROUNDS: i32 = 100;

filter! {
    /// Conditions on escalations, joined by AND.
    EscalationFilter over escalations {
        /// 1 or 2; another number gives BAD_USER_INPUT.
        level: i32 => by(of_level),
        /// Whether the complaint is open and not answered in its present round.
        open: BooleanOps => by(is_open),
        due_on: DateOps => value(escalations::due_on),
        escalated_at: DateTimeOps => time(escalations::escalated_at),
        unit: UnitFilter => relation(escalations::unit_id => units, units::id.nullable()),
        complaint: ComplaintFilter => relation(escalations::complaint_id => complaints, complaints::id),
    }
}

/// Stored levels count on from round to round.
fn of_level(level: &i32, _: &ReferenceData) -> OptionalCondition<escalations::table> {
    if !(1..=2).contains(level) {
        return Err(FilterRefusal::NoSuchLevel { level: *level }.into());
    }
    let levels: Vec<i32> = (0..ROUNDS).map(|round| 2 * round + level).collect();
    Ok(Some(Box::new(escalations::level.eq_any(levels).nullable())))
}

/// Operators on whether the complaint waits for an answer, which is never null.
fn is_open(ops: &BooleanOps, _: &ReferenceData) -> OptionalCondition<escalations::table> {
    let open = || -> Pred<escalations::table> {
        let complaints = complaints::table.into_boxed::<MultiBackend>().filter(waiting()).select(complaints::id);
        Box::new(in_select(escalations::complaint_id, complaints))
    };
    let mut conditions: Vec<Pred<escalations::table>> = Vec::new();
    for wanted in [ops.eq, ops.ne.map(|ne| !ne)].into_iter().flatten() {
        conditions.push(if wanted { open() } else { Box::new(not_true(open())) });
    }
    null_op!(conditions, ops, escalations::complaint_id);
    Ok(balanced(conditions, |a, b| Box::new(a.and(b))))
}
