//! Divisions behind a condition: `n > 0 AND 1 / n > 0.5`, and a flag of `CASE WHEN n > 0 THEN 1 / n > 0.5 END`. The
//! engine computes both sides for all rows, so that rows which the condition leaves out would fail the question.

use super::{quotient, rewrite};
use arrow_schema::DataType;
use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::utils::{conjunction, split_binary, split_conjunction};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator};
use datafusion::optimizer::AnalyzerRule;

/// Lets the divisor be null where the conditions before it leave the division out. It has to precede
/// [`super::checked_arithmetic`], which puts functions in the place of divisions.
#[derive(Debug)]
pub struct GuardedDivision;

impl AnalyzerRule for GuardedDivision {
    fn name(&self) -> &'static str {
        "guarded_division"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite::expressions(plan, guarded)
    }
}

fn guarded(expression: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    match expression {
        Expr::BinaryExpr(both) if matches!(both.op, Operator::And | Operator::Or) => {
            if !divides(&both.right)? {
                return Ok(Transformed::no(Expr::BinaryExpr(both)));
            }
            // The right side counts where the left one does not decide, thus also where that is unknown.
            let conditions: Vec<Expr> = match both.op {
                Operator::And => usable(split_conjunction(&both.left))?.into_iter().map(Expr::is_not_false).collect(),
                _ => usable(split_binary(&both.left, both.op))?.into_iter().map(Expr::is_not_true).collect(),
            };
            let BinaryExpr { left, op, right } = both;
            let right = behind(*right, &conditions)?;
            Ok(right.update_data(|right| Expr::BinaryExpr(BinaryExpr::new(left, op, Box::new(right)))))
        }
        // Other types are computed only for the rows of their branch.
        Expr::Case(case) if case.expr.is_none() && is_flag(&case, schema) => branches(case),
        other => Ok(Transformed::no(other)),
    }
}

fn is_flag(case: &Case, schema: &DFSchema) -> bool {
    case.when_then_expr.iter().any(|(_, then)| then.get_type(schema).is_ok_and(|of| of == DataType::Boolean))
}

/// Each branch behind its condition, and behind the conditions of those before, which were not met.
fn branches(mut case: Case) -> Result<Transformed<Expr>> {
    let mut unmet: Vec<Expr> = Vec::new();
    let mut changed = false;
    for (when, then) in &mut case.when_then_expr {
        let condition = usable(vec![&**when])?;
        if divides(then)? {
            let met = condition.iter().cloned().map(Expr::is_true);
            let conditions: Vec<Expr> = unmet.iter().cloned().chain(met).collect();
            changed |= put_behind(then, &conditions)?;
        }
        if divides(when)? {
            changed |= put_behind(when, &unmet)?;
        }
        unmet.extend(condition.into_iter().map(Expr::is_not_true));
    }
    if let Some(otherwise) = &mut case.else_expr {
        changed |= put_behind(otherwise, &unmet)?;
    }
    let case = Expr::Case(case);
    Ok(if changed { Transformed::yes(case) } else { Transformed::no(case) })
}

/// The parts that can be computed a second time: no subquery, no random number, and no division, which would have to
/// be guarded itself.
fn usable(parts: Vec<&Expr>) -> Result<Vec<Expr>> {
    let mut usable = Vec::new();
    for part in parts {
        let has_other = part.exists(|one| {
            Ok(is_division(one)
                || matches!(
                    one,
                    Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) | Expr::SetComparison(_)
                ))
        })?;
        if !has_other && !part.is_volatile() {
            usable.push(part.clone());
        }
    }
    Ok(usable)
}

/// The divisor of a division.
fn divisor(one: &mut Expr) -> Option<&mut Expr> {
    match one {
        Expr::BinaryExpr(binary) if matches!(binary.op, Operator::Divide | Operator::Modulo) => {
            Some(binary.right.as_mut())
        }
        Expr::ScalarFunction(function) if function.name() == quotient::NAME => function.args.get_mut(1),
        _ => None,
    }
}

fn is_division(one: &Expr) -> bool {
    match one {
        Expr::BinaryExpr(binary) => matches!(binary.op, Operator::Divide | Operator::Modulo),
        Expr::ScalarFunction(function) => function.name() == quotient::NAME,
        _ => false,
    }
}

fn divides(expression: &Expr) -> Result<bool> {
    expression.exists(|one| Ok(is_division(one)))
}

fn put_behind(expression: &mut Expr, conditions: &[Expr]) -> Result<bool> {
    let behind = behind(std::mem::take(expression), conditions)?;
    *expression = behind.data;
    Ok(behind.transformed)
}

/// An expression whose divisors are null where a condition on the same columns does not hold.
fn behind(expression: Expr, conditions: &[Expr]) -> Result<Transformed<Expr>> {
    expression.transform_up(|mut one| {
        let Some(divisor) = divisor(&mut one) else { return Ok(Transformed::no(one)) };
        let Some(condition) = about(divisor, conditions) else { return Ok(Transformed::no(one)) };
        let guarded = Case::new(None, vec![(Box::new(condition), Box::new(std::mem::take(divisor)))], None);
        *divisor = Expr::Case(guarded);
        Ok(Transformed::yes(one))
    })
}

/// The conditions on columns of a divisor.
fn about(divisor: &Expr, conditions: &[Expr]) -> Option<Expr> {
    let columns = divisor.column_refs();
    conjunction(conditions.iter().filter(|one| !one.column_refs().is_disjoint(&columns)).cloned())
}

#[cfg(test)]
mod tests {
    use super::super::quotient::quotient;
    use super::*;
    use datafusion::logical_expr::{col, lit};

    #[test]
    fn a_divisor_is_null_where_a_condition_on_it_leaves_it_out() {
        let schema = DFSchema::empty();
        let ratio = (lit(1_i64) / col("n")).gt(lit(0_i64));
        let shown = |one: Expr| guarded(one, &schema).unwrap().data.to_string();
        let both = shown(col("n").gt(lit(0_i64)).and(ratio.clone()));
        assert!(both.contains("CASE WHEN n > Int64(0) IS NOT FALSE THEN n END"), "{both}");
        let either = shown(col("n").eq(lit(0_i64)).or(ratio.clone()));
        assert!(either.contains("CASE WHEN n = Int64(0) IS NOT TRUE THEN n END"), "{either}");
        let whole = quotient().call(vec![lit(12_i64), col("n")]).gt(lit(5_i64));
        let both = shown(col("n").not_eq(lit(0_i64)).and(whole));
        assert!(both.contains("div(Int64(12), CASE WHEN n != Int64(0) IS NOT FALSE THEN n END)"), "{both}");
        for unguarded in [col("m").gt(lit(0_i64)).and(ratio.clone()), ratio.clone().and(ratio)] {
            assert!(!guarded(unguarded.clone(), &schema).unwrap().transformed, "{unguarded}");
        }
    }
}
