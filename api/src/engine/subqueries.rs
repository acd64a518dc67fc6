//! Subqueries in forms that the engine executes as PostgreSQL does.
//!
//! - One that gives a value and has no row gives null, also where its column never is null.
//! - One that compares with columns outside of it may give the value of its only row, or of its first (`LIMIT 1`). The
//!   engine takes aggregates alone: the first value stands for the only one, and more than one row is an error.
//! - `EXISTS` and `IN` stand anywhere: they become numbers of rows. The engine joins with them in WHERE alone.
//! - `NOT IN` is unknown where the engine would take it for true ([`super::misread`]).

use super::misread::{Position, misreads};
use super::single_row::{maybe_null, single_row};
use super::subquery_shapes::{is_correlated, is_one_row};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, ScalarValue, Spans};
use datafusion::error::Result;
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::first_last::first_value;
use datafusion::logical_expr::expr::{Case, InSubquery};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::{conjunction, merge_schema, split_conjunction_owned};
use datafusion::logical_expr::{
    Aggregate, Expr, FetchType, JoinType, Limit, LogicalPlan, LogicalPlanBuilder, SkipType, SortExpr, Subquery, lit,
};
use std::sync::Arc;

/// The plan with such subqueries.
///
/// # Errors
/// When the plan cannot be made anew.
pub fn as_postgresql(plan: LogicalPlan) -> Result<LogicalPlan> {
    let rewritten = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Aggregate(of) if of.group_expr.iter().chain(&of.aggr_expr).any(is_moved) => {
            Ok(Transformed::yes(LogicalPlan::Aggregate(beside_input(of)?)))
        }
        other => in_node(other),
    })?;
    Ok(rewritten.data)
}

fn in_node(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    if !node.expressions().iter().any(has_subquery) {
        return Ok(Transformed::no(node));
    }
    let schema = merge_schema(&node.inputs());
    let is_filter = matches!(node, LogicalPlan::Filter(_));
    let names = NamePreserver::new(&node);
    node.map_expressions(|expression| {
        let name = names.save(&expression);
        let rewritten = if is_filter { in_filter(expression, &schema)? } else { rewritten(expression, &schema, true)? };
        Ok(if rewritten.transformed { rewritten.update_data(|one| name.restore(one)) } else { rewritten })
    })?
    .map_data(LogicalPlan::recompute_schema)
}

/// The engine joins with `EXISTS` and `IN`, unless a condition depends on whether it is unknown.
fn in_filter(condition: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let mut changed = false;
    let mut parts = Vec::new();
    for part in split_conjunction_owned(condition.clone()) {
        let is_unknown = misreads(&part, schema, Position::Conjunct)?;
        let part = rewritten(part, schema, is_unknown)?;
        changed |= part.transformed;
        parts.push(part.data);
    }
    Ok(match conjunction(parts) {
        Some(made) if changed => Transformed::yes(made),
        _ => Transformed::no(condition),
    })
}

/// `counts` tells whether numbers of rows stand for `EXISTS` and `IN`.
fn rewritten(expression: Expr, schema: &DFSchema, counts: bool) -> Result<Transformed<Expr>> {
    expression.transform_up(|one| {
        let made = match &one {
            Expr::ScalarSubquery(of) => value(of)?,
            // It has a row whatever it compares with.
            Expr::Exists(of) if is_correlated(&of.subquery) && is_one_row(&of.subquery.subquery) => {
                Some(lit(!of.negated))
            }
            Expr::InSubquery(of) if is_correlated(&of.subquery) && is_one_row(&of.subquery.subquery) => {
                let (sought, value) = (of.expr.as_ref().clone(), Expr::ScalarSubquery(of.subquery.clone()));
                Some(if of.negated { sought.not_eq(value) } else { sought.eq(value) })
            }
            Expr::Exists(of) if counts => {
                let rows = number_of(without_order(&of.subquery.subquery)?, lit(1_i64))?;
                Some(if of.negated { rows.eq(lit(0_i64)) } else { rows.gt(lit(0_i64)) })
            }
            Expr::InSubquery(of) if counts => in_counts(of, schema)?,
            _ => None,
        };
        Ok(made.map_or_else(|| Transformed::no(one), Transformed::yes))
    })
}

/// `IN` by numbers of rows: of those that are equal, of all, and of those that are not null. None where the value
/// cannot be sought within the subquery.
fn in_counts(of: &InSubquery, schema: &DFSchema) -> Result<Option<Expr>> {
    let plan = of.subquery.subquery.as_ref();
    if of.expr.is_volatile() || of.expr.contains_outer() || has_subquery(&of.expr) || is_volatile(plan)? {
        return Ok(None);
    }
    let column = first_column(plan);
    let equal =
        LogicalPlanBuilder::from(plan.clone()).filter(column.clone().eq(outside(&of.expr, schema)?))?.build()?;
    let is_found = number_of(equal, lit(1_i64))?.gt(lit(0_i64));
    let (all, known) = (number_of(plan.clone(), lit(1_i64))?, number_of(plan.clone(), column)?);
    let is_empty = all.clone().eq(lit(0_i64));
    let is_unknown = of.expr.as_ref().clone().is_null().or(known.lt(all));
    let unknown = Expr::Literal(ScalarValue::Boolean(None), None);
    let cases = [(is_found, lit(!of.negated)), (is_empty, lit(of.negated)), (is_unknown, unknown)];
    let cases = cases.into_iter().map(|(when, then)| (Box::new(when), Box::new(then))).collect();
    Ok(Some(Expr::Case(Case::new(None, cases, Some(Box::new(lit(of.negated)))))))
}

/// The expression as a subquery sees it.
fn outside(expression: &Expr, schema: &DFSchema) -> Result<Expr> {
    let seen = expression.clone().transform_up(|one| match one {
        Expr::Column(column) => {
            let (qualifier, field) = schema.qualified_field_from_column(&column)?;
            let of = Column::from((qualifier, field));
            Ok(Transformed::yes(Expr::OuterReferenceColumn(Arc::clone(field), of)))
        }
        other => Ok(Transformed::no(other)),
    })?;
    Ok(seen.data)
}

/// The value of a subquery that the engine refuses or takes for another one; None keeps it.
fn value(of: &Subquery) -> Result<Option<Expr>> {
    let plan = of.subquery.as_ref();
    if plan.schema().fields().len() != 1 {
        return Ok(None);
    }
    if !is_correlated(of) {
        let (qualifier, field) = plan.schema().qualified_field(0);
        if field.is_nullable() || is_one_row(plan) {
            return Ok(None);
        }
        let column = maybe_null(first_column(plan)).alias_qualified(qualifier.cloned(), field.name());
        let nullable = LogicalPlanBuilder::from(plan.clone()).project(vec![column])?.build()?;
        return Ok(Some(subquery(nullable)));
    }
    if let LogicalPlan::Limit(limit) = plan
        && takes_first(limit)?
    {
        let (input, first, order) = first_of(&limit.input);
        if is_one_row(input) {
            return Ok(Some(subquery(input.clone())));
        }
        return Ok(if is_plain(input) { Some(aggregated(input.clone(), first_value(first, order))?) } else { None });
    }
    if !is_plain(plan) {
        return Ok(None);
    }
    let only = aggregated(plan.clone(), first_value(first_column(plan), Vec::new()))?;
    Ok(Some(single_row(number_of(plan.clone(), lit(1_i64))?, only)))
}

/// What a `LIMIT 1` takes the first row of: the rows, the value, and the order of the rows.
fn first_of(plan: &LogicalPlan) -> (&LogicalPlan, Expr, Vec<SortExpr>) {
    match plan {
        LogicalPlan::Projection(of) => match (of.input.as_ref(), of.expr.as_slice()) {
            (LogicalPlan::Sort(sort), [one]) => (sort.input.as_ref(), one.clone().unalias(), sort.expr.clone()),
            _ => (plan, first_column(plan), Vec::new()),
        },
        LogicalPlan::Sort(sort) => (sort.input.as_ref(), first_column(plan), sort.expr.clone()),
        _ => (plan, first_column(plan), Vec::new()),
    }
}

fn takes_first(limit: &Limit) -> Result<bool> {
    let skips_none = matches!(limit.get_skip_type()?, SkipType::Literal(0));
    Ok(skips_none && matches!(limit.get_fetch_type()?, FetchType::Literal(Some(1))))
}

/// What `EXISTS` looks for, without an order and without a limit that leaves a row.
fn without_order(plan: &LogicalPlan) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Sort(of) => without_order(&of.input),
        LogicalPlan::Limit(of) if matches!(of.get_skip_type()?, SkipType::Literal(0)) => match of.get_fetch_type()? {
            FetchType::Literal(None | Some(1..)) => without_order(&of.input),
            _ => Ok(plan.clone()),
        },
        other => Ok(other.clone()),
    }
}

/// How many values of the rows of a plan are not null, as a value.
fn number_of(plan: LogicalPlan, of: Expr) -> Result<Expr> {
    aggregated(plan, count_udaf().call(vec![of]))
}

fn aggregated(plan: LogicalPlan, aggregate: Expr) -> Result<Expr> {
    Ok(subquery(LogicalPlanBuilder::from(plan).aggregate(Vec::<Expr>::new(), vec![aggregate])?.build()?))
}

fn subquery(plan: LogicalPlan) -> Expr {
    let outer_ref_columns = plan.all_out_ref_exprs();
    Expr::ScalarSubquery(Subquery { subquery: Arc::new(plan), outer_ref_columns, spans: Spans::new() })
}

fn first_column(plan: &LogicalPlan) -> Expr {
    Expr::Column(Column::from(plan.schema().qualified_field(0)))
}

/// Whether an expression has to be computed below an aggregation, where the engine joins with subqueries.
fn is_moved(expression: &Expr) -> bool {
    let is = |one: &Expr| match one {
        Expr::Exists(_) | Expr::InSubquery(_) => true,
        Expr::ScalarSubquery(of) => is_correlated(of),
        _ => false,
    };
    expression.exists(|one| Ok(is(one))).unwrap_or(false)
}

/// An aggregation of the values of subqueries, which its input computes.
fn beside_input(of: Aggregate) -> Result<Aggregate> {
    let names = NamePreserver::new_for_projection();
    let mut moved: Vec<Expr> = Vec::new();
    let mut take = |expression: Expr| -> Result<Expr> {
        if !is_moved(&expression) {
            return Ok(expression);
        }
        let name = names.save(&expression);
        let taken = expression.transform_down(|one| {
            let is_subquery = matches!(one, Expr::Exists(_) | Expr::InSubquery(_) | Expr::ScalarSubquery(_));
            if !is_subquery || !is_moved(&one) {
                return Ok(Transformed::no(one));
            }
            let index = moved.iter().position(|other| *other == one).unwrap_or_else(|| {
                moved.push(one);
                moved.len() - 1
            });
            let column = Expr::Column(Column::new_unqualified(moved_name(index)));
            Ok(Transformed::new(column, true, TreeNodeRecursion::Jump))
        })?;
        Ok(name.restore(taken.data))
    };
    let groups = of.group_expr.into_iter().map(&mut take).collect::<Result<Vec<_>>>()?;
    let aggregates = of.aggr_expr.into_iter().map(&mut take).collect::<Result<Vec<_>>>()?;
    let named = moved.into_iter().enumerate().map(|(index, one)| one.alias(moved_name(index)));
    let columns = of.input.schema().columns().into_iter().map(Expr::Column).chain(named).collect::<Vec<_>>();
    let input = LogicalPlanBuilder::from(of.input.as_ref().clone()).project(columns)?.build()?;
    Aggregate::try_new(Arc::new(in_node(input)?.data), groups, aggregates)
}

fn moved_name(index: usize) -> String {
    format!("__subquery_{index}")
}

fn has_subquery(expression: &Expr) -> bool {
    let is = |one: &Expr| matches!(one, Expr::Exists(_) | Expr::InSubquery(_) | Expr::ScalarSubquery(_));
    expression.exists(|one| Ok(is(one))).unwrap_or(false)
}

fn is_volatile(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        found |= node.expressions().iter().any(Expr::is_volatile);
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// Whether nothing but conditions, joins and columns stands above what compares with columns outside.
fn is_plain(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(of) => is_plain(&of.input),
        LogicalPlan::Filter(of) => is_plain(&of.input),
        LogicalPlan::SubqueryAlias(of) => is_plain(&of.input),
        LogicalPlan::Join(of) if of.join_type == JoinType::Inner => is_plain(&of.left) && is_plain(&of.right),
        other => other.all_out_ref_exprs().is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{correlated, misread};
    use super::*;
    use arrow_array::cast::AsArray;
    use arrow_cast::cast;
    use arrow_schema::DataType;
    use datafusion::prelude::{DataFrame, SessionContext};

    const UNITS: &str = "(VALUES ('a', NULL), ('b', 'a'), ('c', 'a')) AS u (code, parent)";
    const CASES: &str = "(VALUES (1, 'a'), (2, 'a'), (3, 'b'), (4, NULL)) AS c (id, unit)";

    /// The texts of the first column of an answer, sorted.
    async fn evaluate(text: &str) -> Result<Vec<String>> {
        let (state, plan) = SessionContext::new().sql(text).await?.into_parts();
        let plan = as_postgresql(plan)?;
        correlated::refuse(&plan)?;
        misread::in_plan(&plan)?;
        let mut texts = Vec::new();
        for rows in DataFrame::new(state, plan).collect().await? {
            let column = cast(rows.column(0), &DataType::Utf8)?;
            texts.extend(column.as_string::<i32>().iter().map(|one| one.unwrap_or("null").to_owned()));
        }
        texts.sort();
        Ok(texts)
    }

    #[tokio::test]
    async fn values_are_those_of_postgresql() {
        let own = format!("FROM {CASES} WHERE c.unit = u.code");
        for (value, expected) in [
            (format!("(SELECT id {own} AND id > 1)"), ["2", "3", "null"]),
            (format!("(SELECT id {own} ORDER BY id DESC LIMIT 1)"), ["2", "3", "null"]),
            (format!("(SELECT COUNT(*) {own} LIMIT 1)"), ["0", "1", "2"]),
            (format!("EXISTS (SELECT 1 {own})"), ["false", "true", "true"]),
            (format!("CASE WHEN NOT EXISTS (SELECT 1 {own}) THEN 'x' END"), ["null", "null", "x"]),
            (format!("EXISTS (SELECT COUNT(*) {own})"), ["true", "true", "true"]),
            (format!("code IN (SELECT unit FROM {CASES})"), ["null", "true", "true"]),
            (format!("code NOT IN (SELECT unit FROM {CASES} WHERE unit IS NOT NULL)"), ["false", "false", "true"]),
            (format!("2 IN (SELECT COUNT(*) {own})"), ["false", "false", "true"]),
            (format!("(SELECT id FROM {CASES} WHERE id = 7) IS NULL"), ["true", "true", "true"]),
        ] {
            assert_eq!(evaluate(&format!("SELECT {value} AS v FROM {UNITS}")).await.unwrap(), expected, "{value}");
        }
        let several = evaluate(&format!("SELECT (SELECT id {own}) AS v FROM {UNITS}")).await.unwrap_err().to_string();
        assert!(several.contains("more than one row"), "{several}");
    }

    #[tokio::test]
    async fn nulls_are_unknown() {
        for (condition, number) in [
            ("'x' NOT IN (SELECT unit FROM cases)", "0"),
            ("NOT ('x' IN (SELECT unit FROM cases))", "0"),
            ("'x' NOT IN (SELECT unit FROM cases WHERE unit IS NOT NULL)", "3"),
            ("code NOT IN (SELECT unit FROM cases WHERE id > 2)", "0"),
            ("code NOT IN (SELECT unit FROM cases WHERE unit = parent)", "3"),
            ("code NOT IN (SELECT unit FROM cases WHERE id < 3) OR code = 'a'", "3"),
        ] {
            let with = format!("WITH cases AS (SELECT * FROM {CASES})");
            let found = evaluate(&format!("{with} SELECT COUNT(*) AS n FROM {UNITS} WHERE {condition}")).await.unwrap();
            assert_eq!(found, [number], "{condition}");
        }
        let filtered = format!("SELECT COUNT(*) FILTER (WHERE code IN (SELECT unit FROM {CASES})) AS n FROM {UNITS}");
        assert_eq!(evaluate(&filtered).await.unwrap(), ["2"]);
    }

    #[tokio::test]
    async fn what_would_be_computed_over_all_rows_is_refused() {
        let own = format!("FROM {CASES} WHERE c.unit = u.code");
        for text in [
            format!("SELECT k FROM {UNITS} CROSS JOIN LATERAL (SELECT row_number() OVER (ORDER BY id) AS k {own}) x"),
            format!("SELECT n FROM {UNITS} CROSS JOIN LATERAL (SELECT COUNT(*) AS n {own} HAVING COUNT(*) > 1) x"),
            format!("SELECT code FROM {UNITS} WHERE EXISTS (SELECT 1 {own} OFFSET 1)"),
            format!("SELECT (SELECT DISTINCT COUNT(*) {own}) AS n FROM {UNITS}"),
        ] {
            let refused = evaluate(&text).await.unwrap_err().to_string();
            assert!(refused.contains("compares with columns outside"), "{text}: {refused}");
        }
    }
}
