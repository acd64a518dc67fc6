//! Parts of times and of intervals as PostgreSQL counts them. `EXTRACT(SECOND FROM …)` has its fraction, which the
//! engine cuts off. Of the difference of two times the engine counts all hours, minutes and seconds, where PostgreSQL
//! counts those beyond whole days.

use super::interval_functions::Function;
use super::interval_parts::Part;
use super::{rewrite, spans};
use arrow_schema::DataType;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::Transformed;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Cast, Expr, ExprSchemable, LogicalPlan, lit};
use std::sync::Arc;

/// The plan with such parts. A plan that has them already stays as it is.
///
/// # Errors
/// When a part is one that PostgreSQL has not, or that would be another number than PostgreSQL's.
pub fn as_postgresql(plan: LogicalPlan) -> Result<LogicalPlan> {
    rewrite::with_inputs(plan, |expression, schema, inputs| {
        Ok(match in_its_place(&expression, schema, inputs)? {
            Some(exact) => Transformed::yes(exact),
            None => Transformed::no(expression),
        })
    })
}

/// Returns the replacement of an expression; None keeps it.
fn in_its_place(expression: &Expr, schema: &DFSchema, inputs: &[&LogicalPlan]) -> Result<Option<Expr>> {
    let Some((function, name, of)) = part_of(expression) else { return Ok(None) };
    match of.get_type(schema) {
        Ok(DataType::Duration(_) | DataType::Interval(_)) => {
            let part = Part::named(&name).ok_or_else(|| refused(format!("an interval has no part {name}")))?;
            if part != Part::Epoch && !spans::have_days(of, inputs) {
                return Err(refused(format!(
                    "EXTRACT({name} FROM …) of what is computed from several differences of times is not supported: \
                     write EXTRACT(EPOCH FROM …), which has all seconds, and divide"
                )));
            }
            Ok(Some(Function::Part(part).call(of.clone())))
        }
        Ok(DataType::Timestamp(..) | DataType::Time32(_) | DataType::Time64(_)) => {
            let of_one = match Part::named(&name) {
                Some(part @ (Part::Second | Part::Millisecond)) => part.microseconds_of_one(),
                _ => None,
            };
            Ok(of_one.map(|microseconds| {
                let arguments = vec![lit("microsecond"), of.clone()];
                let whole = ScalarFunction::new_udf(Arc::clone(&function.func), arguments);
                float(Expr::ScalarFunction(whole)) / lit(microseconds)
            }))
        }
        _ => Ok(None),
    }
}

fn refused(message: String) -> DataFusionError {
    DataFusionError::Plan(message)
}

fn float(of: Expr) -> Expr {
    Expr::Cast(Cast::new(Box::new(of), DataType::Float64))
}

/// The function, the name of the part, and what it is a part of.
fn part_of(expression: &Expr) -> Option<(&ScalarFunction, String, &Expr)> {
    let Expr::ScalarFunction(function) = expression else { return None };
    match function.args.as_slice() {
        [Expr::Literal(part, _), of] if function.name() == "date_part" => {
            let part = part.try_as_str().flatten()?.trim_matches('\'').to_lowercase();
            Some((function, part, of))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Float64Type;
    use arrow_cast::cast;
    use datafusion::prelude::{DataFrame, SessionContext};

    const TIMES: &str = "(VALUES (TIMESTAMP '2025-01-03 05:06:07.5', TIMESTAMP '2025-01-01 00:00:00')) AS t (a, b)";

    async fn evaluate(part: &str) -> Result<f64> {
        let context = SessionContext::new();
        let frame = context.sql(&format!("SELECT EXTRACT({part}) AS part FROM {TIMES}")).await?;
        let (state, plan) = frame.into_parts();
        let rows = DataFrame::new(state, as_postgresql(as_postgresql(plan)?)?).collect().await?;
        Ok(cast(rows[0].column(0), &DataType::Float64)?.as_primitive::<Float64Type>().value(0))
    }

    #[tokio::test]
    async fn parts_are_those_of_postgresql() {
        for (part, expected) in [
            ("SECOND FROM a", 7.5),
            ("S FROM a", 7.5),
            ("MILLISECONDS FROM a", 7_500.0),
            ("MICROSECONDS FROM a", 7_500_000.0),
            ("SECOND FROM INTERVAL '1 minute 12.25 seconds'", 12.25),
            ("SECOND FROM INTERVAL '-61.5 seconds'", -1.5),
            ("MILLISECONDS FROM INTERVAL '1 minute 59.999999 seconds'", 59_999.999),
            ("MICROSECONDS FROM INTERVAL '59.999999 seconds'", 59_999_999.0),
            ("EPOCH FROM INTERVAL '2 years 3 months 4 days 1.5 seconds'", 71_236_801.5),
            ("QUARTER FROM INTERVAL '20 months'", 3.0),
            ("DECADE FROM INTERVAL '-300 months'", -2.0),
            ("DAY FROM a - b", 2.0),
            ("HOUR FROM a - b", 5.0),
            ("SECOND FROM b - a", -7.5),
            ("EPOCH FROM a - b", 191_167.5),
        ] {
            let found = evaluate(part).await.unwrap();
            assert!((found - expected).abs() < 1e-9, "{part}: {found}");
        }
    }

    #[tokio::test]
    async fn parts_that_postgresql_has_not_are_refused() {
        for (part, message) in [
            ("WEEK FROM INTERVAL '20 days'", "no part week"),
            ("DOW FROM a - b", "no part dow"),
            ("NANOSECOND FROM INTERVAL '1 second'", "no part nanosecond"),
            ("DAY FROM SUM(a - b)", "EPOCH"),
            ("HOUR FROM (a - b) + (a - b)", "EPOCH"),
        ] {
            let refused = evaluate(part).await.unwrap_err().to_string();
            assert!(refused.contains(message), "{part}: {refused}");
        }
        assert!((evaluate("EPOCH FROM SUM(a - b)").await.unwrap() - 191_167.5).abs() < 1e-9);
    }
}
