//! What is known of a subquery.

use datafusion::logical_expr::{LogicalPlan, Subquery};

/// Whether a subquery compares with columns outside of it.
pub fn is_correlated(of: &Subquery) -> bool {
    !of.outer_ref_columns.is_empty()
}

/// Whether a plan has one row whatever it reads.
pub fn is_one_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(of) => is_one_row(&of.input),
        LogicalPlan::SubqueryAlias(of) => is_one_row(&of.input),
        LogicalPlan::Aggregate(of) => of.group_expr.is_empty(),
        _ => false,
    }
}
