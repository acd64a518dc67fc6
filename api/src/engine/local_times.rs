//! Times as PostgreSQL computes with them, where the engine answers something else without a word.
//!
//! - `AT TIME ZONE` of an instant is a local time. The engine's is the instant again, whose zone it forgets where it
//!   compares with a day.
//! - A span, as the difference of two instants, is longer than an interval by its length. The engine compares months,
//!   then days, then the rest, and a span has only the rest.
//! - A day plus hours is a time. The engine's is a day, so that hours are lost: that is refused. Where an interval is
//!   computed, [`super::intervals`] does so.

use super::interval_functions::{NANOSECONDS_OF_DAY, NO_HOURS};
use super::rewrite;
use arrow_buffer::IntervalMonthDayNano;
use arrow_schema::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::{DataFusionError, Result};
use datafusion::functions::datetime::to_local_time;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Between, BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator};

/// The zone of instants, which a session has and all tables: a cast to it is no `AT TIME ZONE` that changes a clock.
pub const ZONE_OF_INSTANTS: &str = "UTC";

/// PostgreSQL compares a month as this many days.
const DAYS_OF_MONTH: i64 = 30;

/// The plan of a question with times as PostgreSQL has them.
///
/// # Errors
/// When a part of the plan is refused.
pub fn as_postgresql(plan: LogicalPlan) -> Result<LogicalPlan> {
    rewrite::expressions(plan, rewritten)
}

fn rewritten(expression: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    // A parameter has no type yet.
    let type_of = |one: &Expr| one.get_type(schema).ok();
    let has_zone = |one: &Expr| matches!(type_of(one), Some(DataType::Timestamp(_, Some(_))));
    match expression {
        Expr::Cast(cast) if has_other_zone(cast.field.data_type()) && has_zone(&cast.expr) => {
            let local = ScalarFunction::new_udf(to_local_time(), vec![Expr::Cast(cast)]);
            Ok(Transformed::yes(Expr::ScalarFunction(local)))
        }
        // A negated literal stays a literal.
        Expr::Negative(of) => Ok(match negated(&of) {
            Some(literal) => Transformed::yes(literal),
            None => Transformed::no(Expr::Negative(of)),
        }),
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if compares(op) => {
            let mut sides = [*left, *right];
            let changed = with_spans(&mut sides, schema);
            let [left, right] = sides;
            let compared = Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)));
            Ok(if changed { Transformed::yes(compared) } else { Transformed::no(compared) })
        }
        Expr::Between(Between { expr, negated, low, high }) => {
            let mut sides = [*expr, *low, *high];
            let changed = with_spans(&mut sides, schema);
            let [expr, low, high] = sides.map(Box::new);
            let compared = Expr::Between(Between::new(expr, negated, low, high));
            Ok(if changed { Transformed::yes(compared) } else { Transformed::no(compared) })
        }
        Expr::BinaryExpr(sum) if matches!(sum.op, Operator::Plus | Operator::Minus) => {
            let is_day = |one: &Expr| type_of(one) == Some(DataType::Date32);
            let loses = |day: &Expr, interval: &Expr| has_hours(interval) && is_day(day);
            if loses(&sum.left, &sum.right) || loses(&sum.right, &sum.left) {
                return Err(DataFusionError::Plan(NO_HOURS.into()));
            }
            Ok(Transformed::no(Expr::BinaryExpr(sum)))
        }
        other => Ok(Transformed::no(other)),
    }
}

pub fn compares(operator: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(operator, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

fn has_other_zone(of: &DataType) -> bool {
    matches!(of, DataType::Timestamp(_, Some(zone)) if zone.as_ref() != ZONE_OF_INSTANTS)
}

/// Whether this is an interval that is written out and holds less than whole days.
fn has_hours(interval: &Expr) -> bool {
    matches!(
        interval,
        Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(interval)), _)
            if interval.nanoseconds % NANOSECONDS_OF_DAY != 0
    )
}

/// The negative of an interval that is written out.
fn negated(interval: &Expr) -> Option<Expr> {
    match interval {
        Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(interval)), _) => {
            Some(Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(interval.checked_neg()?)), None))
        }
        _ => None,
    }
}

/// Turns intervals that are written out beside a span into spans, and tells whether it did. Beside an interval that is
/// computed a span becomes an interval.
fn with_spans(sides: &mut [Expr], schema: &DFSchema) -> bool {
    let is = |side: &Expr, what: fn(&DataType) -> bool| side.get_type(schema).is_ok_and(|of| what(&of));
    let is_span = |of: &DataType| matches!(of, DataType::Duration(_));
    let is_interval = |of: &DataType| matches!(of, DataType::Interval(_));
    let has_span = sides.iter().any(|side| is(side, is_span));
    let is_computed = |side: &Expr| is(side, is_interval) && span(side).is_none();
    if !has_span || sides.iter().any(is_computed) {
        return false;
    }
    let mut changed = false;
    for side in sides {
        if let Some(span) = span(side) {
            *side = span;
            changed = true;
        }
    }
    changed
}

/// An interval that is written out, as a span of microseconds.
fn span(interval: &Expr) -> Option<Expr> {
    let Expr::Literal(ScalarValue::IntervalMonthDayNano(interval), _) = interval else { return None };
    Some(Expr::Literal(ScalarValue::DurationMicrosecond(interval.map(microseconds)), None))
}

/// The length in microseconds, at most that of the longest span.
fn microseconds(interval: IntervalMonthDayNano) -> i64 {
    let days = i64::from(interval.months) * DAYS_OF_MONTH + i64::from(interval.days);
    days.saturating_mul(NANOSECONDS_OF_DAY / 1_000).saturating_add(interval.nanoseconds / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_as_long_as_thirty_days() {
        let length = |months, days, nanoseconds| microseconds(IntervalMonthDayNano::new(months, days, nanoseconds));
        assert_eq!(length(1, 0, 0), length(0, 30, 0));
        assert_eq!(length(0, 1, 0), length(0, 0, NANOSECONDS_OF_DAY));
        assert_eq!(length(0, -1, 3_600_000_000_000), -82_800_000_000);
        assert_eq!(length(i32::MAX, i32::MAX, i64::MAX), i64::MAX);
    }
}
