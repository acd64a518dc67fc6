//! What PostgreSQL does not compare or cast: a day with a number, a text column with a number. The engine does, by
//! casts that an analyst does not see: `received_on > 2025` would be true of all days since July 1975.

use super::local_times::compares;
use api::sql::cells::type_name;
use arrow_schema::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};

/// Functions whose arguments have one type.
const OF_ONE_TYPE: [&str; 4] = ["coalesce", "greatest", "least", "nullif"];

/// Types of which values compare with each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Number,
    Text,
    Day,
    Time,
    Span,
    Flag,
}

/// Refuses a plan with such a comparison. It has to come before the coercion of types.
///
/// # Errors
/// When it has one.
pub fn refuse(plan: &LogicalPlan) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        let schema = merge_schema(&node.inputs());
        match node {
            LogicalPlan::Join(of) => of.on.iter().try_for_each(|(left, right)| alike(&[left, right], &schema))?,
            LogicalPlan::Union(of) => {
                let first = of.inputs.first().map(|input| input.schema());
                for other in of.inputs.iter().skip(1) {
                    let pairs = first.into_iter().flat_map(|first| first.fields()).zip(other.schema().fields());
                    for (left, right) in pairs {
                        same_class(left.data_type(), right.data_type())?;
                    }
                }
            }
            _ => {}
        }
        node.apply_expressions(|expression| {
            expression.apply(|one| {
                check(one, &schema)?;
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(())
}

fn check(one: &Expr, schema: &DFSchema) -> Result<()> {
    match one {
        Expr::BinaryExpr(both) if compares(both.op) => alike(&[both.left.as_ref(), both.right.as_ref()], schema),
        Expr::Between(of) => {
            alike(&[of.expr.as_ref(), of.low.as_ref()], schema)?;
            alike(&[of.expr.as_ref(), of.high.as_ref()], schema)
        }
        Expr::InList(of) => of.list.iter().try_for_each(|item| alike(&[of.expr.as_ref(), item], schema)),
        Expr::InSubquery(of) => match (of.expr.get_type(schema), of.subquery.subquery.schema().fields().first()) {
            (Ok(left), Some(right)) if !takes_any_type(&of.expr) => same_class(&left, right.data_type()),
            _ => Ok(()),
        },
        Expr::Case(of) => {
            for (when, _) in &of.when_then_expr {
                match &of.expr {
                    Some(of) => alike(&[of.as_ref(), when.as_ref()], schema)?,
                    None => is_condition(when, schema)?,
                }
            }
            let results = of.when_then_expr.iter().map(|(_, then)| &**then).chain(of.else_expr.as_deref());
            alike(&results.collect::<Vec<_>>(), schema)
        }
        Expr::ScalarFunction(of) if OF_ONE_TYPE.contains(&of.name()) => {
            alike(&of.args.iter().collect::<Vec<_>>(), schema)
        }
        Expr::Cast(of) => match of.expr.get_type(schema) {
            Ok(from) if !takes_any_type(&of.expr) => castable(&from, of.field.data_type()),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Whether an expression takes the type of its place: a text that is written out, null, or a parameter.
fn takes_any_type(one: &Expr) -> bool {
    match one {
        Expr::Literal(ScalarValue::Utf8(_) | ScalarValue::Utf8View(_) | ScalarValue::LargeUtf8(_), _)
        | Expr::Placeholder(_) => true,
        Expr::Alias(of) => takes_any_type(&of.expr),
        _ => false,
    }
}

fn alike(all: &[&Expr], schema: &DFSchema) -> Result<()> {
    let mut types = all.iter().filter(|one| !takes_any_type(one)).filter_map(|one| one.get_type(schema).ok());
    let Some(first) = types.find(|of| class(of).is_some()) else { return Ok(()) };
    types.try_for_each(|other| same_class(&first, &other))
}

fn same_class(left: &DataType, right: &DataType) -> Result<()> {
    match (class(left), class(right)) {
        (Some(one), Some(other)) if one != other => Err(DataFusionError::Plan(format!(
            "{} and {} do not compare: cast one of them, as in EXTRACT(YEAR FROM day) = 2025, day = DATE '2025-01-05' \
             or text = '2'",
            type_name(left),
            type_name(right)
        ))),
        _ => Ok(()),
    }
}

fn is_condition(one: &Expr, schema: &DFSchema) -> Result<()> {
    match one.get_type(schema).ok().filter(|_| !takes_any_type(one)) {
        Some(of) if class(&of).is_some_and(|of| of != Class::Flag) => Err(DataFusionError::Plan(format!(
            "WHEN takes a condition, and no {}: write a comparison, as in WHEN n > 0",
            type_name(&of)
        ))),
        _ => Ok(()),
    }
}

/// Days, times and numbers do not become one another.
fn castable(from: &DataType, to: &DataType) -> Result<()> {
    let is_refused = match (class(from), class(to)) {
        (Some(Class::Day | Class::Time), Some(Class::Number))
        | (Some(Class::Number), Some(Class::Day | Class::Time)) => true,
        (Some(Class::Number), Some(Class::Flag)) => !from.is_integer(),
        _ => false,
    };
    match is_refused {
        true => Err(DataFusionError::Plan(format!(
            "a {} is not cast to {}: write EXTRACT(… FROM …), make_date or a comparison",
            type_name(from),
            type_name(to)
        ))),
        false => Ok(()),
    }
}

fn class(of: &DataType) -> Option<Class> {
    match of {
        DataType::Dictionary(_, value) => class(value),
        DataType::Boolean => Some(Class::Flag),
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => Some(Class::Day),
        DataType::Time32(_) | DataType::Time64(_) => Some(Class::Time),
        DataType::Duration(_) | DataType::Interval(_) => Some(Class::Span),
        of if of.is_string() => Some(Class::Text),
        of if of.is_numeric() => Some(Class::Number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::prelude::SessionContext;

    async fn plan(condition: &str) -> Result<()> {
        let from = "(VALUES (DATE '2025-01-05', '02', 2, true, TIMESTAMP '2025-01-05 10:00:00')) AS t (d, a, n, f, i)";
        let frame = SessionContext::new().sql(&format!("SELECT {condition} AS c FROM {from}")).await?;
        refuse(frame.logical_plan())
    }

    #[tokio::test]
    async fn what_postgresql_does_not_compare_is_refused() {
        for condition in [
            "d = 20250105",
            "d > 2025",
            "a = 2",
            "a IN (2, 3)",
            "a BETWEEN 1 AND 3",
            "d IN (SELECT a FROM (VALUES ('x')) AS u (a))",
            "CASE a WHEN 2 THEN 1 END",
            "CASE WHEN n THEN 1 END",
            "CASE WHEN f THEN d ELSE n END",
            "COALESCE(a, n)",
            "NULLIF(a, 2)",
            "GREATEST(d, 5)",
            "CAST(d AS INT)",
            "CAST(i AS BIGINT)",
            "CAST(n AS DATE)",
            "CAST(2.5 AS BOOLEAN)",
            "n = (SELECT a FROM (VALUES ('x')) AS u (a))",
        ] {
            assert!(plan(condition).await.is_err(), "{condition}");
        }
        for condition in [
            "d = '2025-01-05'",
            "d < i",
            "n = '2'",
            "n IN (2.5, '3')",
            "COALESCE(n, 1.5, NULL)",
            "CASE WHEN f THEN n ELSE NULL END",
            "CAST(n AS BOOLEAN)",
            "CAST('5' AS INT)",
            "CAST(i AS DATE) = d",
            "i - i < INTERVAL '1 day'",
            "EXTRACT(YEAR FROM d) = 2025",
        ] {
            assert!(plan(condition).await.is_ok(), "{condition}");
        }
    }
}
