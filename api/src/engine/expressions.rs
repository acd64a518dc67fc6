//! Expressions that tools of PostgreSQL write and the engine does not know: a flag compared with a text
//! (`overdue = 'f'`) and a multiple of an interval (`INTERVAL '5 minutes' * 3`).

use arrow_array::IntervalMonthDayNanoArray;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, IntervalMonthDayNanoType};
use arrow_buffer::IntervalMonthDayNano;
use arrow_cast::cast;
use arrow_schema::{DataType, IntervalUnit};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{
    Cast, ColumnarValue, Expr, ExprSchemable, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use datafusion::sql::sqlparser::ast::BinaryOperator;
use std::sync::Arc;

const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);
/// PostgreSQL counts the fraction of a month in months of 30 days.
const DAYS_OF_MONTH: f64 = 30.0;
const SECONDS_OF_DAY: f64 = 86_400.0;
const MICROSECONDS_OF_SECOND: f64 = 1e6;
const NANOSECONDS_OF_MICROSECOND: f64 = 1e3;

/// Plans such expressions.
#[derive(Debug)]
pub struct PostgresExpressions {
    multiply: Arc<ScalarUDF>,
}

impl PostgresExpressions {
    pub fn new() -> Self {
        let signature = Signature::any(2, Volatility::Immutable);
        Self { multiply: Arc::new(ScalarUDF::new_from_impl(Multiply { signature })) }
    }

    fn multiplied(&self, interval: Expr, number: Expr) -> PlannerResult<RawBinaryExpr> {
        let number = Expr::Cast(Cast::new(Box::new(number), DataType::Float64));
        let arguments = vec![interval, number];
        PlannerResult::Planned(Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(&self.multiply), arguments)))
    }
}

impl ExprPlanner for PostgresExpressions {
    fn plan_binary_op(&self, mut written: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let is = |one: &Expr, what: fn(&DataType) -> bool| one.get_type(schema).is_ok_and(|of| what(&of));
        let is_flag = |of: &DataType| *of == DataType::Boolean;
        let is_interval = |of: &DataType| matches!(of, DataType::Interval(_));
        match written.op {
            BinaryOperator::Eq | BinaryOperator::NotEq => {
                if let Some(flag) = flag(&written.right).filter(|_| is(&written.left, is_flag)) {
                    written.right = flag;
                } else if let Some(flag) = flag(&written.left).filter(|_| is(&written.right, is_flag)) {
                    written.left = flag;
                }
            }
            BinaryOperator::Multiply if is(&written.left, is_interval) && is(&written.right, DataType::is_numeric) => {
                return Ok(self.multiplied(written.left, written.right));
            }
            BinaryOperator::Multiply if is(&written.right, is_interval) && is(&written.left, DataType::is_numeric) => {
                return Ok(self.multiplied(written.right, written.left));
            }
            _ => {}
        }
        Ok(PlannerResult::Original(written))
    }
}

/// Parses a boolean as PostgreSQL does.
fn flag(text: &Expr) -> Option<Expr> {
    let Expr::Literal(ScalarValue::Utf8(Some(text)), _) = text else { return None };
    match text.trim().to_ascii_lowercase().as_str() {
        "t" | "true" | "y" | "yes" | "on" | "1" => Some(lit(true)),
        "f" | "false" | "n" | "no" | "off" | "0" => Some(lit(false)),
        _ => None,
    }
}

/// An interval multiplied by a number.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Multiply {
    signature: Signature,
}

impl ScalarUDFImpl for Multiply {
    fn name(&self) -> &'static str {
        "multiply_interval"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(INTERVAL)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [intervals, numbers] = arguments.args.as_slice() else {
            return Err(DataFusionError::Internal("an interval multiplied by nothing".into()));
        };
        let intervals = cast(&intervals.to_array_of_size(arguments.number_rows)?, &INTERVAL)?;
        let numbers = cast(&numbers.to_array_of_size(arguments.number_rows)?, &DataType::Float64)?;
        let intervals = intervals.as_primitive::<IntervalMonthDayNanoType>();
        let both = intervals.iter().zip(numbers.as_primitive::<Float64Type>());
        let multiplied = both.map(|(interval, number)| interval.zip(number).map(|(i, n)| times(i, n)).transpose());
        let multiplied: IntervalMonthDayNanoArray = multiplied.collect::<Result<_>>()?;
        Ok(ColumnarValue::Array(Arc::new(multiplied)))
    }
}

/// The fraction of months goes on in days, and that of days in the time, as in PostgreSQL: what floating-point numbers
/// lack of a whole day or microsecond is added before the fraction is cut off.
fn times(interval: IntervalMonthDayNano, number: f64) -> Result<IntervalMonthDayNano> {
    let months = f64::from(interval.months) * number;
    let days = f64::from(interval.days) * number;
    let days_of_months = to_microseconds(months.fract() * DAYS_OF_MONTH);
    let seconds = to_microseconds((days.fract() + days_of_months.fract()) * SECONDS_OF_DAY);
    let whole_days = days.trunc() + days_of_months.trunc() + (seconds / SECONDS_OF_DAY).trunc();
    let of_fractions = seconds % SECONDS_OF_DAY * MICROSECONDS_OF_SECOND;
    let time = interval.nanoseconds as f64 / NANOSECONDS_OF_MICROSECOND * number + of_fractions;
    let time = time.round_ties_even() * NANOSECONDS_OF_MICROSECOND;
    let most = f64::from(i32::MAX);
    if months.abs() <= most && whole_days.abs() <= most && time.abs() < i64::MAX as f64 {
        return Ok(IntervalMonthDayNano::new(months.trunc() as i32, whole_days as i32, time as i64));
    }
    Err(DataFusionError::Execution(format!("overflow: an interval multiplied by {number} is out of range")))
}

/// The number with six digits behind the point.
fn to_microseconds(of: f64) -> f64 {
    (of * MICROSECONDS_OF_SECOND).round_ties_even() / MICROSECONDS_OF_SECOND
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::common::cast::as_boolean_array;
    use datafusion::logical_expr::registry::FunctionRegistry;
    use datafusion::prelude::SessionContext;

    #[test]
    fn fractions_go_on_in_smaller_units() {
        let of = IntervalMonthDayNano::new;
        assert_eq!(times(of(1, 1, 1_000), 1.5).unwrap(), of(1, 16, 43_200_000_002_000));
        assert_eq!(times(of(0, 0, 300_000_000_000), 3.0).unwrap(), of(0, 0, 900_000_000_000));
        assert_eq!(
            [1_000, 3_000].map(|time| times(of(0, 0, time), 0.5).unwrap()),
            [0, 2_000].map(|time| of(0, 0, time))
        );
        // 0.9 months are 26.999999999999996 days in floating-point numbers.
        assert_eq!(times(of(1, 0, 0), 2.9).unwrap(), of(2, 27, 0));
        assert_eq!(times(of(-1, -1, 0), 0.1).unwrap(), of(0, -3, -8_640_000_000_000));
        assert_eq!(times(of(1, 1, 0), 0.99).unwrap(), of(0, 30, 59_616_000_000_000));
        assert!(times(of(1, 0, 0), f64::NAN).is_err() && times(of(1, 0, 0), 1e12).is_err());
    }

    #[tokio::test]
    async fn flags_and_intervals_are_those_of_postgresql() {
        let mut context = SessionContext::new();
        context.register_expr_planner(Arc::new(PostgresExpressions::new())).unwrap();
        for text in [
            "SELECT true = 't' AND 'no' = false AND false <> 'true' AND (1 = 1) = 'on'",
            "SELECT INTERVAL '5 minutes' * 3 = INTERVAL '15 minutes' AND 2 * INTERVAL '1 day' = INTERVAL '2 days'",
            "SELECT date_trunc('hour', t) + INTERVAL '15 minutes' * FLOOR(EXTRACT(MINUTE FROM t) / 15) \
             = TIMESTAMP '2026-01-02 03:45:00' FROM (VALUES (TIMESTAMP '2026-01-02 03:59:59')) AS x (t)",
        ] {
            let rows = context.sql(text).await.unwrap().collect().await.unwrap();
            assert!(as_boolean_array(rows[0].column(0)).unwrap().value(0), "{text}");
        }
    }
}
