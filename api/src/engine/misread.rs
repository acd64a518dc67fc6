//! Refuses SQL that DataFusion silently answers differently from PostgreSQL. The refusal says what to write instead.

use super::subquery_shapes::is_correlated;
use super::synonyms::is_series;
use api::sql::misread::{FRACTION_OF_FIELD, JOINS, OF_INTERVALS, QUANTIFIED, SAMPLE, SERIES, SETS, SIMILAR, UNKNOWN};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::InSubquery;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, Operator};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    DateTimeField, Expr as SqlExpr, Interval, Join, JoinConstraint, JoinOperator, ObjectNamePart, Query, Select,
    SelectItem, SetExpr, SetOperator, SetQuantifier, TableFactor, Visit, Visitor, visit_expressions,
};
use std::ops::ControlFlow;

/// Refuses a text with a clause that the engine ignores or takes for another one.
///
/// # Errors
/// When it has one.
pub fn in_text(statement: &Statement) -> Result<()> {
    let found = match statement {
        Statement::Statement(statement) => statement.visit(&mut Clauses),
        Statement::Explain(explained) => return in_text(&explained.statement),
        // What else there is, is refused as a whole.
        _ => ControlFlow::Continue(()),
    };
    match found {
        ControlFlow::Break(message) => Err(DataFusionError::Plan(message.into())),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Clauses;

impl Visitor for Clauses {
    type Break = &'static str;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Self::Break> {
        set_operations(&query.body)
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Self::Break> {
        if select.projection.iter().any(computes_with_series) {
            return ControlFlow::Break(SERIES);
        }
        select.from.iter().try_for_each(|from| joins(&from.joins))
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Self::Break> {
        match factor {
            TableFactor::Table { sample: Some(_), .. } | TableFactor::Derived { sample: Some(_), .. } => {
                ControlFlow::Break(SAMPLE)
            }
            TableFactor::NestedJoin { table_with_joins, .. } => joins(&table_with_joins.joins),
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_expr(&mut self, expression: &SqlExpr) -> ControlFlow<Self::Break> {
        match expression {
            SqlExpr::SimilarTo { .. } => ControlFlow::Break(SIMILAR),
            SqlExpr::AnyOp { right, .. } | SqlExpr::AllOp { right, .. } if is_subquery(right) => {
                ControlFlow::Break(QUANTIFIED)
            }
            SqlExpr::Interval(interval) if drops_fraction(interval) => ControlFlow::Break(FRACTION_OF_FIELD),
            SqlExpr::Function(function) => match function.name.0.as_slice() {
                [ObjectNamePart::Identifier(name)] => of_intervals(&name.value),
                _ => ControlFlow::Continue(()),
            },
            _ => ControlFlow::Continue(()),
        }
    }
}

/// Whether a column is computed of `generate_series(…)`, which is a list to the engine.
fn computes_with_series(item: &SelectItem) -> bool {
    let (SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. }) = item else {
        return false;
    };
    let found =
        visit_expressions(
            expression,
            |part| {
                if is_series(part) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
    found.is_break() && !is_series(expression)
}

/// INTERSECT ALL and EXCEPT ALL: DataFusion tests whether a row exists on the other side, and does not count
/// duplicates.
fn set_operations(body: &SetExpr) -> ControlFlow<&'static str> {
    let SetExpr::SetOperation { left, op, set_quantifier, right } = body else { return ControlFlow::Continue(()) };
    let counts_rows = matches!(set_quantifier, SetQuantifier::All | SetQuantifier::AllByName);
    if counts_rows && !matches!(op, SetOperator::Union) {
        return ControlFlow::Break(SETS);
    }
    set_operations(left)?;
    set_operations(right)
}

/// RIGHT and FULL joins with USING or NATURAL: DataFusion takes the common column from the left side, where it is NULL
/// for rows of the right side alone.
fn joins(joins: &[Join]) -> ControlFlow<&'static str> {
    joins.iter().try_for_each(|join| match &join.join_operator {
        JoinOperator::Right(JoinConstraint::Using(_) | JoinConstraint::Natural)
        | JoinOperator::RightOuter(JoinConstraint::Using(_) | JoinConstraint::Natural)
        | JoinOperator::FullOuter(JoinConstraint::Using(_) | JoinConstraint::Natural) => ControlFlow::Break(JOINS),
        _ => ControlFlow::Continue(()),
    })
}

/// Whether PostgreSQL would cut off what is smaller than the field after an interval literal.
fn drops_fraction(interval: &Interval) -> bool {
    use DateTimeField::{Microsecond, Microseconds, Millisecond, Milliseconds, Second, Seconds};
    let has_whole_numbers = interval.leading_field.as_ref().is_some_and(|field| {
        !matches!(field, Second | Seconds | Millisecond | Milliseconds | Microsecond | Microseconds)
    });
    has_whole_numbers && interval.value.to_string().contains('.')
}

fn of_intervals(function: &str) -> ControlFlow<&'static str> {
    match OF_INTERVALS.iter().find(|(name, _)| name.eq_ignore_ascii_case(function)) {
        Some((_, advice)) => ControlFlow::Break(*advice),
        None => ControlFlow::Continue(()),
    }
}

fn is_subquery(expression: &SqlExpr) -> bool {
    match expression {
        SqlExpr::Subquery(_) => true,
        SqlExpr::Nested(inner) => is_subquery(inner),
        _ => false,
    }
}

/// Refuses a condition whose result depends on whether `IN (SELECT …)` is NULL. DataFusion plans such a condition,
/// where it is part of a larger one, as a join with a mark that is only true or false. [`super::subqueries`] has made
/// numbers of rows of most such conditions before.
///
/// # Errors
/// When the plan has one.
pub fn in_plan(plan: &LogicalPlan) -> Result<()> {
    let mut is_misread = false;
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Filter(filter) = node {
            is_misread |= misreads(&filter.predicate, &merge_schema(&node.inputs()), Position::Conjunct)?;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    if is_misread { Err(DataFusionError::Plan(UNKNOWN.into())) } else { Ok(()) }
}

/// The position of a part within a condition.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// All parts at this position must be true. DataFusion plans each of them separately.
    Conjunct,
    /// NULL and FALSE are equivalent here.
    Alternative,
    /// NULL and FALSE give different rows.
    Value,
}

/// Whether the result of a part of a condition depends on whether `IN (SELECT …)` is NULL.
///
/// # Errors
/// When the part cannot be walked.
pub fn misreads(part: &Expr, schema: &DFSchema, position: Position) -> Result<bool> {
    match part {
        Expr::InSubquery(inner) => in_subquery(inner, inner.negated, schema, position),
        Expr::Not(inner) if position == Position::Conjunct && matches!(inner.as_ref(), Expr::InSubquery(_)) => {
            match inner.as_ref() {
                Expr::InSubquery(inner) => in_subquery(inner, !inner.negated, schema, position),
                other => misreads(other, schema, position),
            }
        }
        Expr::BinaryExpr(both) if position != Position::Value && matches!(both.op, Operator::And | Operator::Or) => {
            let position = if both.op == Operator::And { position } else { Position::Alternative };
            Ok(misreads(&both.left, schema, position)? || misreads(&both.right, schema, position)?)
        }
        other => {
            let mut is_misread = false;
            other.apply_children(|child| {
                is_misread |= misreads(child, schema, Position::Value)?;
                Ok(if is_misread { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
            })?;
            Ok(is_misread)
        }
    }
}

fn in_subquery(inner: &InSubquery, is_negated: bool, schema: &DFSchema, position: Position) -> Result<bool> {
    let is_safe = match position {
        // Without a column, or with further conditions, the engine does not look for nulls.
        Position::Conjunct => !is_negated || (inner.expr.any_column_refs() && !is_correlated(&inner.subquery)),
        Position::Alternative => !is_negated,
        Position::Value => false,
    };
    let of_subquery = inner.subquery.subquery.schema().fields().first();
    let may_be_unknown =
        inner.expr.nullable(schema).unwrap_or(true) || of_subquery.is_none_or(|field| field.is_nullable());
    Ok((!is_safe && may_be_unknown) || misreads(&inner.expr, schema, Position::Value)?)
}

#[cfg(test)]
mod tests {
    use super::super::statement::parse;

    #[test]
    fn clauses_that_the_engine_misreads_are_refused() {
        let two = "(VALUES (1), (2)) AS t (a)";
        for text in [
            format!("SELECT 'abc' SIMILAR TO '%b%' FROM {two}"),
            format!("SELECT a FROM {two} EXCEPT ALL SELECT 1"),
            format!("SELECT a FROM {two} UNION SELECT 3 INTERSECT ALL SELECT 1"),
            format!("SELECT * FROM (SELECT a FROM {two} EXCEPT ALL SELECT 1) s"),
            format!("SELECT a FROM {two} FULL JOIN (VALUES (2)) AS u (a) USING (a)"),
            format!("SELECT a FROM {two} RIGHT JOIN (VALUES (2)) AS u (a) USING (a)"),
            format!("SELECT a FROM {two} NATURAL RIGHT OUTER JOIN (VALUES (2)) AS u (a)"),
            format!("SELECT 1 FROM ({two} NATURAL FULL JOIN (VALUES (2)) AS u (a))"),
            "SELECT COUNT(*) FROM complaints TABLESAMPLE BERNOULLI (10)".to_owned(),
            format!("SELECT a FROM {two} WHERE a = ANY (SELECT 2)"),
            format!("EXPLAIN SELECT a FROM {two} WHERE a >= ALL (SELECT a FROM {two})"),
            "SELECT age(received_at, now()) FROM complaints".to_owned(),
            "SELECT now() - make_interval(days => 2)".to_owned(),
            "SELECT JUSTIFY_HOURS(INTERVAL '36 hours')".to_owned(),
            "SELECT now() - INTERVAL '1.5' DAY".to_owned(),
            "SELECT generate_series(1, 3) + 1".to_owned(),
        ] {
            assert!(parse(&text).is_err(), "{text}");
        }
        for text in [
            format!("SELECT a FROM {two} EXCEPT SELECT 1 UNION ALL SELECT 2"),
            format!("SELECT a FROM {two} LEFT JOIN (VALUES (2)) AS u (a) USING (a)"),
            format!("SELECT t.a FROM {two} FULL JOIN (VALUES (2)) AS u (a) ON t.a = u.a"),
            format!("SELECT a FROM {two} WHERE a = ANY (ARRAY[1, 2])"),
            "SELECT generate_series(1, 3) AS n, 2".to_owned(),
            "SELECT INTERVAL '1.5' SECOND, INTERVAL '1.5 days', INTERVAL '2' HOUR".to_owned(),
        ] {
            assert!(parse(&text).is_ok(), "{text}");
        }
    }
}
