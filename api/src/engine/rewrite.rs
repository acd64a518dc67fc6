//! Rewrites the expressions of a plan.

use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, LogicalPlan};

/// The plan with each part of its expressions rewritten, the inner parts first. Columns keep their names.
///
/// # Errors
/// When a part is refused.
pub fn expressions(
    plan: LogicalPlan,
    rewrite: impl Fn(Expr, &DFSchema) -> Result<Transformed<Expr>>,
) -> Result<LogicalPlan> {
    with_context(plan, |node| merge_schema(&node.inputs()), rewrite)
}

/// Like the function above, with the inputs of the node that contains the expression.
///
/// # Errors
/// When a part is refused.
pub fn with_inputs(
    plan: LogicalPlan,
    rewrite: impl Fn(Expr, &DFSchema, &[&LogicalPlan]) -> Result<Transformed<Expr>>,
) -> Result<LogicalPlan> {
    let of_node = |node: &LogicalPlan| {
        let inputs: Vec<LogicalPlan> = node.inputs().into_iter().cloned().collect();
        (merge_schema(&node.inputs()), inputs)
    };
    with_context(plan, of_node, |expression, (schema, inputs)| {
        let inputs: Vec<&LogicalPlan> = inputs.iter().collect();
        rewrite(expression, schema, &inputs)
    })
}

/// Like the function above, with what the rewriter must know of the node.
fn with_context<C>(
    plan: LogicalPlan,
    context: impl Fn(&LogicalPlan) -> C,
    rewrite: impl Fn(Expr, &C) -> Result<Transformed<Expr>>,
) -> Result<LogicalPlan> {
    let rewritten = plan.transform_up_with_subqueries(|node| {
        let context = context(&node);
        let names = NamePreserver::new(&node);
        node.map_expressions(|expression| {
            let name = names.save(&expression);
            let rewritten = expression.transform_up(|one| rewrite(one, &context))?;
            Ok(if rewritten.transformed { rewritten.update_data(|one| name.restore(one)) } else { rewritten })
        })?
        .map_data(LogicalPlan::recompute_schema)
    })?;
    Ok(rewritten.data)
}
