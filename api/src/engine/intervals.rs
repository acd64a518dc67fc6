//! Intervals as PostgreSQL compares, casts and adds them. It compares their lengths, with months of 30 days and days of
//! 24 hours, where the engine compares months first, then days, then the rest. A span that becomes an interval has
//! whole days and the rest, where the engine's has hours alone. Where the engine tells equal intervals apart without a
//! comparison that could be rewritten, as in GROUP BY, that is refused.

use super::interval_functions::{Function, NANOSECONDS_OF_DAY};
use super::local_times::compares;
use super::{rewrite, spans};
use arrow_schema::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::{Case, InList};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    Between, BinaryExpr, Cast, Distinct, Expr, ExprSchemable, LogicalPlan, Operator, SortExpr,
};
use datafusion::optimizer::AnalyzerRule;

/// Functions that compare their arguments, or the values of several rows.
const COMPARING: [&str; 5] = ["greatest", "least", "max", "min", "nullif"];
const TOLD_APART: &str = "intervals such as INTERVAL '30 days' and INTERVAL '1 month', which are equal, would be told \
                          apart in GROUP BY, DISTINCT, UNION, joins, windows, IN (SELECT …), MIN, MAX, GREATEST, LEAST \
                          and NULLIF: take EXTRACT(EPOCH FROM …) of them";
const NO_TEXT: &str = "the text of what is computed from several differences of times is not supported: write \
                       EXTRACT(EPOCH FROM …), which has all seconds";

/// Puts functions of intervals in the place of comparisons and casts. It has to follow the coercion of types, which
/// adds casts.
#[derive(Debug)]
pub struct Intervals;

impl AnalyzerRule for Intervals {
    fn name(&self) -> &'static str {
        "intervals"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        refuse(&plan)?;
        rewrite::with_inputs(sorted_by_length(plan)?, rewritten)
    }
}

/// The plan with rows sorted by the lengths of intervals.
fn sorted_by_length(plan: LogicalPlan) -> Result<LogicalPlan> {
    let sorted = plan.transform_up_with_subqueries(|node| {
        if !matches!(node, LogicalPlan::Sort(_)) {
            return Ok(Transformed::no(node));
        }
        let schema = merge_schema(&node.inputs());
        node.map_expressions(|by| {
            Ok(if is_interval(&by, &schema) {
                Transformed::yes(Function::Length.call(by))
            } else {
                Transformed::no(by)
            })
        })
    })?;
    Ok(sorted.data)
}

fn rewritten(expression: Expr, schema: &DFSchema, inputs: &[&LogicalPlan]) -> Result<Transformed<Expr>> {
    let are_intervals = |all: &[&Expr]| all.iter().all(|one| is_interval(one, schema));
    let length = |of: Box<Expr>| Box::new(Function::Length.call(*of));
    Ok(match expression {
        Expr::Cast(cast) => return converted(cast, schema, inputs),
        Expr::BinaryExpr(both) if compares(both.op) && are_intervals(&[both.left.as_ref(), both.right.as_ref()]) => {
            Transformed::yes(Expr::BinaryExpr(BinaryExpr::new(length(both.left), both.op, length(both.right))))
        }
        Expr::BinaryExpr(sum) if matches!(sum.op, Operator::Plus | Operator::Minus) => on_days(sum, schema),
        Expr::Between(of) if are_intervals(&[of.expr.as_ref(), of.low.as_ref(), of.high.as_ref()]) => {
            let compared = Between::new(length(of.expr), of.negated, length(of.low), length(of.high));
            Transformed::yes(Expr::Between(compared))
        }
        Expr::InList(of) if is_interval(&of.expr, schema) && of.list.iter().all(|one| is_interval(one, schema)) => {
            let list = of.list.into_iter().map(|one| Function::Length.call(one)).collect();
            Transformed::yes(Expr::InList(InList::new(length(of.expr), list, of.negated)))
        }
        Expr::Case(Case { expr: Some(expr), when_then_expr, else_expr })
            if is_interval(&expr, schema) && when_then_expr.iter().all(|(when, _)| is_interval(when, schema)) =>
        {
            let when_then = when_then_expr.into_iter().map(|(when, then)| (length(when), then)).collect();
            Transformed::yes(Expr::Case(Case::new(Some(length(expr)), when_then, else_expr)))
        }
        other => Transformed::no(other),
    })
}

/// A cast from a span, from an interval or to one.
fn converted(cast: Cast, schema: &DFSchema, inputs: &[&LogicalPlan]) -> Result<Transformed<Expr>> {
    let Ok(from) = cast.expr.get_type(schema) else { return Ok(Transformed::no(Expr::Cast(cast))) };
    let to = cast.field.data_type().clone();
    let made = match (&from, &to) {
        (DataType::Duration(_), DataType::Interval(_)) => Function::OfSpan.call(*cast.expr),
        (from, DataType::Interval(_)) if from.is_string() => Function::OfText.call(*cast.expr),
        (DataType::Duration(_) | DataType::Interval(_), to) if to.is_string() => {
            if !spans::have_days(&cast.expr, inputs) {
                return Err(DataFusionError::Plan(NO_TEXT.into()));
            }
            let text = Function::Text.call(*cast.expr);
            Expr::Cast(Cast { expr: Box::new(text), field: cast.field })
        }
        _ => return Ok(Transformed::no(Expr::Cast(cast))),
    };
    Ok(Transformed::yes(made))
}

/// A day plus or minus an interval, which has to be one of whole days: the sum is a day.
fn on_days(sum: BinaryExpr, schema: &DFSchema) -> Transformed<Expr> {
    let is_day = |one: &Expr| one.get_type(schema).is_ok_and(|of| of == DataType::Date32);
    let BinaryExpr { left, op, right } = sum;
    let whole = |one: Box<Expr>| Box::new(Function::WholeDays.call(*one));
    let (left, right, is_changed) = if is_day(&left) && may_have_hours(&right, schema) {
        (left, whole(right), true)
    } else if is_day(&right) && may_have_hours(&left, schema) {
        (whole(left), right, true)
    } else {
        (left, right, false)
    };
    let sum = Expr::BinaryExpr(BinaryExpr::new(left, op, right));
    if is_changed { Transformed::yes(sum) } else { Transformed::no(sum) }
}

/// Whether it is an interval of which it is not known that it has whole days.
fn may_have_hours(interval: &Expr, schema: &DFSchema) -> bool {
    match interval {
        Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(of)), _) => of.nanoseconds % NANOSECONDS_OF_DAY != 0,
        other => is_interval(other, schema),
    }
}

fn is_interval(one: &Expr, schema: &DFSchema) -> bool {
    one.get_type(schema).is_ok_and(|of| matches!(of, DataType::Interval(_)))
}

/// Refuses a plan that tells equal intervals apart.
fn refuse(plan: &LogicalPlan) -> Result<()> {
    let mut tells_apart = false;
    plan.apply_with_subqueries(|node| {
        let schema = merge_schema(&node.inputs());
        tells_apart |= groups(node, &schema)?;
        node.apply_expressions(|expression| {
            expression.apply(|one| {
                tells_apart |= compares_values(one, &schema);
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    if tells_apart { Err(DataFusionError::Plan(TOLD_APART.into())) } else { Ok(()) }
}

/// Whether a node makes groups or pairs of rows with equal intervals.
fn groups(node: &LogicalPlan, schema: &DFSchema) -> Result<bool> {
    let has_interval = |of: &DFSchema, most: usize| {
        of.fields().iter().take(most).any(|field| matches!(field.data_type(), DataType::Interval(_)))
    };
    Ok(match node {
        LogicalPlan::Aggregate(of) => has_interval(&of.schema, of.group_expr_len()?),
        LogicalPlan::Distinct(Distinct::All(input)) => has_interval(input.schema(), usize::MAX),
        LogicalPlan::Distinct(Distinct::On(of)) => of.on_expr.iter().any(|one| is_interval(one, schema)),
        LogicalPlan::Join(of) => of.on.iter().any(|(left, _)| is_interval(left, schema)),
        _ => false,
    })
}

/// Whether an expression compares intervals within a function, a window or a subquery.
fn compares_values(one: &Expr, schema: &DFSchema) -> bool {
    let has_interval = |all: &[Expr]| all.iter().any(|one| is_interval(one, schema));
    let sorts_by_interval = |all: &[SortExpr]| all.iter().any(|by| is_interval(&by.expr, schema));
    match one {
        Expr::ScalarFunction(of) => COMPARING.contains(&of.name()) && has_interval(&of.args),
        Expr::AggregateFunction(of) => {
            let is_comparing = of.params.distinct || COMPARING.contains(&of.func.name());
            (is_comparing && has_interval(&of.params.args)) || sorts_by_interval(&of.params.order_by)
        }
        Expr::WindowFunction(of) => {
            let is_comparing = of.params.distinct || COMPARING.contains(&of.fun.name());
            (is_comparing && has_interval(&of.params.args))
                || has_interval(&of.params.partition_by)
                || sorts_by_interval(&of.params.order_by)
        }
        Expr::InSubquery(of) => is_interval(&of.expr, schema),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::cast::AsArray;
    use arrow_cast::cast;
    use datafusion::execution::SessionStateBuilder;
    use datafusion::prelude::SessionContext;
    use std::sync::Arc;

    const TIMES: &str = "(VALUES (TIMESTAMP '2025-01-03 05:00:00', TIMESTAMP '2025-01-01 00:00:00')) AS t (a, b)";
    const INTERVALS: &str = "(VALUES (INTERVAL '40 days'), (INTERVAL '1 month'), (INTERVAL '800 hours')) AS t (i)";

    /// The texts of the first column of an answer.
    async fn evaluate(text: &str) -> Result<Vec<String>> {
        let state = SessionStateBuilder::new().with_default_features().with_analyzer_rule(Arc::new(Intervals)).build();
        let context = SessionContext::new_with_state(state);
        let rows = context.sql(text).await?.collect().await?;
        let mut texts = Vec::new();
        for batch in rows {
            let column = cast(batch.column(0), &DataType::Utf8)?;
            texts.extend(column.as_string::<i32>().iter().map(|one| one.unwrap_or("null").to_owned()));
        }
        Ok(texts)
    }

    #[tokio::test]
    async fn intervals_are_compared_by_their_length() {
        for condition in [
            "INTERVAL '30 days' = INTERVAL '1 month'",
            "INTERVAL '25 hours' > INTERVAL '1 day'",
            "INTERVAL '1 day' BETWEEN INTERVAL '23 hours' AND INTERVAL '25 hours'",
            "INTERVAL '1 day' IN (INTERVAL '2 hours', INTERVAL '24 hours')",
            "INTERVAL '1 day' IS NOT DISTINCT FROM INTERVAL '24 hours'",
            "CASE INTERVAL '1 day' WHEN INTERVAL '24 hours' THEN true ELSE false END",
            "a - b > INTERVAL '1 day' + INTERVAL '1 hour'",
        ] {
            let found = evaluate(&format!("SELECT {condition} AS c FROM {TIMES}")).await.unwrap();
            assert_eq!(found, ["true"], "{condition}");
        }
        let sorted = format!("SELECT CAST(i AS TEXT) AS s FROM {INTERVALS} ORDER BY i");
        assert_eq!(evaluate(&sorted).await.unwrap(), ["1 mon", "800:00:00", "40 days"]);
    }

    #[tokio::test]
    async fn casts_are_those_of_postgresql() {
        for (value, expected) in [
            ("CAST(a - b AS TEXT)", "2 days 05:00:00"),
            ("CAST((a - b) + INTERVAL '1 day' AS TEXT)", "3 days 05:00:00"),
            ("CAST(COALESCE(a - b, INTERVAL '1 day') AS TEXT)", "2 days 05:00:00"),
            ("CAST(CAST('5' AS INTERVAL) AS TEXT)", "00:00:05"),
            ("INTERVAL '1 mon 2 days 3 hours 4.5 seconds' || '!'", "1 mon 2 days 03:00:04.5!"),
            ("CAST(DATE '2025-01-01' + CAST('2 days' AS INTERVAL) AS TEXT)", "2025-01-03"),
        ] {
            let found = evaluate(&format!("SELECT {value} AS v FROM {TIMES}")).await.unwrap();
            assert_eq!(found, [expected], "{value}");
        }
    }

    #[tokio::test]
    async fn what_would_tell_equal_intervals_apart_is_refused() {
        for text in [
            format!("SELECT i, COUNT(*) FROM {INTERVALS} GROUP BY i"),
            format!("SELECT DISTINCT i FROM {INTERVALS}"),
            format!("SELECT COUNT(DISTINCT i) FROM {INTERVALS}"),
            format!("SELECT MAX(i) FROM {INTERVALS}"),
            format!("SELECT GREATEST(i, INTERVAL '1 day') FROM {INTERVALS}"),
            format!("SELECT NULLIF(i, INTERVAL '1 day') FROM {INTERVALS}"),
            format!("SELECT i FROM {INTERVALS} UNION SELECT INTERVAL '1 day'"),
            format!("SELECT i FROM {INTERVALS} EXCEPT SELECT INTERVAL '1 day'"),
            format!("SELECT 1 FROM {INTERVALS} JOIN (SELECT i FROM {INTERVALS}) AS u USING (i)"),
            format!("SELECT COUNT(*) OVER (PARTITION BY i) FROM {INTERVALS}"),
            format!("SELECT i FROM {INTERVALS} WHERE i IN (SELECT INTERVAL '1 day')"),
        ] {
            let refused = evaluate(&text).await.unwrap_err().to_string();
            assert!(refused.contains("EPOCH"), "{text}: {refused}");
        }
        for (text, message) in [
            ("SELECT DATE '2025-01-01' + (INTERVAL '12 hours' + INTERVAL '13 hours')".to_owned(), "TIMESTAMP"),
            (format!("SELECT CAST(SUM(a - b) AS TEXT) FROM {TIMES}"), "EPOCH"),
            ("SELECT CAST('soon' AS INTERVAL)".to_owned(), "soon"),
        ] {
            let refused = evaluate(&text).await.unwrap_err().to_string();
            assert!(refused.contains(message), "{text}: {refused}");
        }
    }
}
