//! Divides parts of times as PostgreSQL does. There `EXTRACT(MONTH FROM …)` is a numeric, so that `EXTRACT(MONTH FROM …)
//! / 3` has a fraction. The engine's is a whole number, whose division cuts it off.

use super::origin::{self, Source};
use super::rewrite;
use arrow_schema::{DECIMAL128_MAX_PRECISION, DataType};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::{BinaryExpr, Cast, Expr, ExprSchemable, LogicalPlan, Operator};
use std::cell::Cell;

/// Functions that are a numeric if one of their arguments is one.
const OF_NUMERICS: [&str; 22] = [
    "abs",
    "ceil",
    "coalesce",
    "first_value",
    "floor",
    "greatest",
    "lag",
    "last_value",
    "lead",
    "least",
    "max",
    "median",
    "min",
    "mode",
    "nth_value",
    "nullif",
    "percentile_cont",
    "percentile_disc",
    "round",
    "signum",
    "sum",
    "trunc",
];
/// Seconds get their fraction later ([`super::date_parts`]).
const NUMERIC: DataType = DataType::Decimal128(DECIMAL128_MAX_PRECISION, 6);
/// Most steps to find out of what one number was made. A subquery in a subquery may double them.
const MOST_STEPS: usize = 10_000;

/// The plan with such divisions. It has to come before types of parts are changed and before halves are rounded.
///
/// # Errors
/// If the plan cannot be rebuilt.
pub fn divided(plan: LogicalPlan) -> Result<LogicalPlan> {
    rewrite::with_inputs(plan, |expression, schema, inputs| {
        Ok(match expression {
            Expr::BinaryExpr(division) if is_of_part(&division, schema, inputs) => {
                let (left, right) = (float(division.left), float(division.right));
                Transformed::yes(Expr::BinaryExpr(BinaryExpr::new(left, Operator::Divide, right)))
            }
            other => Transformed::no(other),
        })
    })
}

/// Whether it divides whole numbers of which one is made of a part of a time.
fn is_of_part(division: &BinaryExpr, schema: &DFSchema, inputs: &[&LogicalPlan]) -> bool {
    let is_whole = |one: &Expr| one.get_type(schema).is_ok_and(|of| of.is_integer());
    if division.op != Operator::Divide || !is_whole(&division.left) || !is_whole(&division.right) {
        return false;
    }
    let looking = Looking { steps: Cell::new(0) };
    looking.is_part(&division.left, inputs) || looking.is_part(&division.right, inputs)
}

/// The number as a numeric, in floating-point numbers. [`super::halves`] knows a numeric by the cast.
fn float(whole: Box<Expr>) -> Box<Expr> {
    let numeric = Expr::Cast(Cast::new(whole, NUMERIC));
    Box::new(Expr::Cast(Cast::new(Box::new(numeric), DataType::Float64)))
}

struct Looking {
    steps: Cell<usize>,
}

impl Looking {
    /// Whether a whole number is made of a part of a time. `inputs` have the columns.
    fn is_part(&self, number: &Expr, inputs: &[&LogicalPlan]) -> bool {
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > MOST_STEPS {
            return false;
        }
        let is = |one: &Expr| self.is_part(one, inputs);
        match number {
            Expr::Alias(alias) => is(&alias.expr),
            Expr::Negative(of) => is(of),
            Expr::BinaryExpr(both) => is(&both.left) || is(&both.right),
            Expr::Case(case) => {
                let mut results = case.when_then_expr.iter().map(|(_, then)| then).chain(&case.else_expr);
                results.any(|one| is(one))
            }
            Expr::ScalarFunction(of) => of.name() == "date_part" || self.of_function(of.name(), &of.args, inputs),
            Expr::AggregateFunction(of) => self.of_function(of.func.name(), &of.params.args, inputs),
            Expr::WindowFunction(of) => self.of_function(of.fun.name(), &of.params.args, inputs),
            Expr::Column(column) => self.has_part(&origin::of_column(column, inputs)),
            Expr::ScalarSubquery(of) => self.has_part(&origin::of_output(&of.subquery, 0)),
            // A cast to a whole number is one.
            _ => false,
        }
    }

    fn of_function(&self, name: &str, arguments: &[Expr], inputs: &[&LogicalPlan]) -> bool {
        OF_NUMERICS.contains(&name) && arguments.iter().any(|one| self.is_part(one, inputs))
    }

    fn has_part(&self, sources: &[Source<'_>]) -> bool {
        sources.iter().any(|source| match source {
            Source::Expression(one, input) => self.is_part(one, input.as_slice()),
            Source::Table | Source::Unknown => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::halves;
    use super::*;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Float64Type;
    use arrow_cast::cast;
    use datafusion::prelude::{DataFrame, SessionContext};

    async fn evaluate(text: &str) -> f64 {
        let (state, plan) = SessionContext::new().sql(text).await.unwrap().into_parts();
        let plan = halves::as_postgresql(divided(plan).unwrap()).unwrap();
        let rows = DataFrame::new(state, plan).collect().await.unwrap();
        cast(rows[0].column(0), &DataType::Float64).unwrap().as_primitive::<Float64Type>().value(0)
    }

    #[tokio::test]
    async fn a_part_is_a_numeric() {
        let days = "(VALUES (DATE '2025-05-02')) AS t (day)";
        for (number, expected) in [
            ("EXTRACT(MONTH FROM day) / 2", 2.5),
            ("(EXTRACT(MONTH FROM day) - 1) / 8", 0.5),
            ("1 / date_part('month', day)", 0.2),
            ("SUM(EXTRACT(MONTH FROM day)) / COUNT(*) / 2", 2.5),
            ("CAST(EXTRACT(MONTH FROM day) / 2 AS BIGINT)", 3.0),
            ("ROUND(EXTRACT(MONTH FROM day) / 2)", 3.0),
            ("CAST(EXTRACT(MONTH FROM day) AS BIGINT) / 2", 2.0),
            ("5 / 2", 2.0),
        ] {
            let found = evaluate(&format!("SELECT {number} AS n FROM {days}")).await;
            assert!((found - expected).abs() < 1e-9, "{number}: {found}");
        }
        let outside = format!("SELECT m / 2 AS n FROM (SELECT EXTRACT(MONTH FROM day) AS m FROM {days}) AS u");
        assert!((evaluate(&outside).await - 2.5).abs() < 1e-9);
    }
}
