//! Subqueries that compare with columns outside of them. The engine turns them into joins: it computes them for all
//! rows, and compares afterwards. What makes another answer then is refused, with what to write instead.

use super::subquery_shapes::{is_correlated, is_one_row};
use api::sql::misread::{CORRELATED_DISTINCT, CORRELATED_GROUPS, CORRELATED_LIMIT, CORRELATED_ROWS, CORRELATED_WINDOW};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Distinct, Expr, JoinType, LogicalPlan, SkipType, Subquery};

/// Where a subquery stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Exists,
    In,
    Value,
    Lateral,
}

/// Refuses a plan with such a subquery.
///
/// # Errors
/// When it has one.
pub fn refuse(plan: &LogicalPlan) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Join(join) = node
            && let Some(lateral) = lateral(&join.right)
        {
            check(lateral, Kind::Lateral)?;
        }
        node.apply_expressions(|expression| {
            expression.apply(|one| {
                match one {
                    Expr::Exists(of) => check(&of.subquery, Kind::Exists)?,
                    Expr::InSubquery(of) => check(&of.subquery, Kind::In)?,
                    Expr::ScalarSubquery(of) => check(of, Kind::Value)?,
                    _ => {}
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(())
}

fn lateral(plan: &LogicalPlan) -> Option<&Subquery> {
    match plan {
        LogicalPlan::Subquery(of) => Some(of),
        LogicalPlan::SubqueryAlias(of) => lateral(&of.input),
        _ => None,
    }
}

fn check(of: &Subquery, kind: Kind) -> Result<()> {
    if is_correlated(of) { node(&of.subquery, kind, true) } else { Ok(()) }
}

/// `is_top` tells whether only columns are computed above the node.
fn node(plan: &LogicalPlan, kind: Kind, is_top: bool) -> Result<()> {
    if !compares_outside(plan) {
        return Ok(());
    }
    let refused = |message: &str| Err(DataFusionError::Plan(message.into()));
    match plan {
        LogicalPlan::Window(_) => return refused(CORRELATED_WINDOW),
        LogicalPlan::RecursiveQuery(_) => return refused(CORRELATED_ROWS),
        LogicalPlan::Distinct(Distinct::On(_)) => return refused(CORRELATED_DISTINCT),
        LogicalPlan::Aggregate(of) => {
            let has_sets = of.group_expr.iter().any(|one| matches!(one, Expr::GroupingSet(_)));
            let is_alone = is_top && matches!(kind, Kind::Value | Kind::Lateral);
            if has_sets || (of.group_expr.is_empty() && !is_alone) {
                return refused(CORRELATED_GROUPS);
            }
        }
        // A value that is written out would be null where the aggregate has no rows.
        LogicalPlan::Projection(of) if is_one_row(&of.input) && !of.expr.iter().all(Expr::any_column_refs) => {
            return refused(CORRELATED_GROUPS);
        }
        LogicalPlan::Limit(of) => {
            let skips = !matches!(of.get_skip_type()?, SkipType::Literal(0));
            if kind != Kind::Exists || !is_top || skips {
                return refused(CORRELATED_LIMIT);
            }
        }
        LogicalPlan::Join(of) => {
            let is_misread = match of.join_type {
                JoinType::Inner => false,
                JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => {
                    compares_outside(&of.right)
                }
                JoinType::Right | JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => {
                    compares_outside(&of.left)
                }
                JoinType::Full => true,
            };
            if is_misread || (of.join_type != JoinType::Inner && plan.contains_outer_reference()) {
                return refused(CORRELATED_ROWS);
            }
        }
        _ => {}
    }
    let is_top = is_top && matches!(plan, LogicalPlan::Projection(_) | LogicalPlan::SubqueryAlias(_));
    plan.inputs().into_iter().try_for_each(|input| node(input, kind, is_top))
}

/// Whether a plan, or what it reads, compares with columns outside of the subquery. A subquery in FROM has its own.
fn compares_outside(plan: &LogicalPlan) -> bool {
    let is_boundary = |input: &LogicalPlan| matches!(input, LogicalPlan::Subquery(_));
    plan.contains_outer_reference()
        || plan.inputs().into_iter().any(|input| !is_boundary(input) && compares_outside(input))
}
