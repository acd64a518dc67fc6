//! Decides how PostgreSQL would split an interval into whole days and a remainder. PostgreSQL keeps days and remainder
//! apart when it sums intervals: two differences of 20 hours make 40 hours and no day. DataFusion keeps one length, so
//! `EXTRACT(DAY)` of such a sum is refused.

use super::origin::{self, Source};
use arrow_schema::DataType;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use std::cell::Cell;

/// Functions of several rows that answer the value of one of them.
const OF_ONE_ROW: [&str; 9] =
    ["first_value", "lag", "last_value", "lead", "max", "min", "mode", "nth_value", "percentile_disc"];
/// Most steps to find out of what one span was made. A subquery in a subquery may double them.
const MOST_STEPS: usize = 10_000;

/// Whether a span, or an interval made of spans, has the days of PostgreSQL. `inputs` have the columns.
pub fn have_days(span: &Expr, inputs: &[&LogicalPlan]) -> bool {
    Looking { steps: Cell::new(0) }.has_days(span, inputs)
}

struct Looking {
    steps: Cell<usize>,
}

impl Looking {
    fn has_days(&self, span: &Expr, inputs: &[&LogicalPlan]) -> bool {
        if self.is_too_long() {
            return false;
        }
        let schema = merge_schema(inputs);
        match span {
            Expr::Column(column) => self.have_days(origin::of_column(column, inputs)),
            Expr::ScalarSubquery(of) => self.have_days(origin::of_output(&of.subquery, 0)),
            Expr::BinaryExpr(both) if is_span(span, &schema) => {
                // A sum or a difference of spans. The difference of two times has no span on a side.
                !is_span(&both.left, &schema) && !is_span(&both.right, &schema)
            }
            Expr::AggregateFunction(of) if is_of_several(of.func.name(), &of.params.args, &schema) => false,
            Expr::WindowFunction(of) if is_of_several(of.fun.name(), &of.params.args, &schema) => false,
            other => {
                let mut have_all = true;
                let looked = other.apply_children(|part| {
                    have_all &= !has_length(part, &schema) || self.has_days(part, inputs);
                    Ok(if have_all { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
                });
                looked.is_ok() && have_all
            }
        }
    }

    fn have_days(&self, sources: Vec<Source<'_>>) -> bool {
        sources.into_iter().all(|source| match source {
            Source::Expression(one, input) => self.has_days(one, input.as_slice()),
            // The tables have no sums.
            Source::Table => true,
            Source::Unknown => false,
        })
    }

    fn is_too_long(&self) -> bool {
        self.steps.set(self.steps.get() + 1);
        self.steps.get() > MOST_STEPS
    }
}

fn is_span(one: &Expr, schema: &DFSchema) -> bool {
    one.get_type(schema).is_ok_and(|of| matches!(of, DataType::Duration(_)))
}

/// Whether a function computes with the spans of several rows.
fn is_of_several(function: &str, arguments: &[Expr], schema: &DFSchema) -> bool {
    !OF_ONE_ROW.contains(&function) && arguments.iter().any(|one| is_span(one, schema))
}

/// Whether it is a span or an interval. What has no type yet may be one.
fn has_length(one: &Expr, schema: &DFSchema) -> bool {
    match one.get_type(schema) {
        Ok(of) => matches!(of, DataType::Duration(_) | DataType::Interval(_)),
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::prelude::SessionContext;

    /// Whether the only column of a question has days.
    async fn has_days(text: &str) -> bool {
        let frame = SessionContext::new().sql(text).await.unwrap();
        Looking { steps: Cell::new(0) }.have_days(origin::of_output(frame.logical_plan(), 0))
    }

    #[tokio::test]
    async fn differences_have_days_and_sums_have_none() {
        let times = "(VALUES (TIMESTAMP '2025-01-03 20:00:00', TIMESTAMP '2025-01-01 00:00:00')) AS t (a, b)";
        for span in [
            "a - b",
            "MAX(a - b)",
            "COALESCE(a - b, NULL)",
            "CASE WHEN a > b THEN a - b ELSE b - a END",
            "(a - b) + INTERVAL '1 day'",
            "MAX(a) - MIN(b)",
            "FIRST_VALUE(a - b) OVER (ORDER BY a)",
            "SUM(INTERVAL '20 hours')",
        ] {
            assert!(has_days(&format!("SELECT {span} AS s FROM {times}")).await, "{span}");
            assert!(has_days(&format!("SELECT s FROM (SELECT {span} AS s FROM {times}) AS u LIMIT 1")).await, "{span}");
        }
        for span in
            ["SUM(a - b)", "AVG(a - b)", "(a - b) + (a - b)", "SUM(a - b) OVER ()", "SUM(a - b) + INTERVAL '1 day'"]
        {
            assert!(!has_days(&format!("SELECT {span} AS s FROM {times}")).await, "{span}");
            assert!(
                !has_days(&format!("SELECT s FROM (SELECT {span} AS s FROM {times}) AS u LIMIT 1")).await,
                "{span}"
            );
        }
    }
}
