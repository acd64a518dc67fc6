//! `div(a, b)` of PostgreSQL: a quotient without its fraction, as a `numeric`. It is exact, which a division of decimal
//! numbers in floating-point numbers is not, and therefore takes none of these.

use arrow_array::cast::AsArray;
use arrow_array::types::Decimal256Type;
use arrow_array::{Array, ArrayRef, Decimal128Array};
use arrow_buffer::i256;
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{ArrowError, DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use std::sync::Arc;

pub const NAME: &str = "div";

/// The type of a quotient, and of a whole number that is divided.
const WHOLE: DataType = DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0);

/// The function.
pub fn quotient() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Quotient { signature: Signature::user_defined(Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Quotient {
    signature: Signature,
}

impl ScalarUDFImpl for Quotient {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [_, _] = given else {
            return Err(DataFusionError::Plan(format!("{NAME} takes two numbers, and not {}", given.len())));
        };
        given.iter().map(numeric).collect()
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(WHOLE)
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = arguments.args.as_slice() else {
            return Err(DataFusionError::Internal(format!("{NAME} of {} arguments", arguments.args.len())));
        };
        let left = left.to_array_of_size(arguments.number_rows)?;
        let right = right.to_array_of_size(arguments.number_rows)?;
        let scale = scale_of(left.data_type()).max(scale_of(right.data_type()));
        let (left, right) = (scaled(&left, scale)?, scaled(&right, scale)?);
        let pairs = left.as_primitive::<Decimal256Type>().iter().zip(right.as_primitive::<Decimal256Type>().iter());
        let quotients = pairs.map(|pair| match pair {
            (Some(left), Some(right)) => whole_part(left, right).map(Some),
            _ => Ok(None),
        });
        let quotients: Vec<Option<i128>> = quotients.collect::<Result<_>>()?;
        let quotients = Decimal128Array::from(quotients).with_precision_and_scale(DECIMAL128_MAX_PRECISION, 0)?;
        Ok(ColumnarValue::Array(Arc::new(quotients)))
    }
}

/// The decimal type of a number that may be divided.
fn numeric(of: &DataType) -> Result<DataType> {
    if of.is_decimal() {
        Ok(of.clone())
    } else if of.is_integer() || of.is_null() {
        Ok(WHOLE)
    } else {
        Err(DataFusionError::Plan(format!("{NAME} divides whole numbers and NUMERIC: cast {of} AS NUMERIC")))
    }
}

/// The digits behind the point of a type.
pub fn scale_of(of: &DataType) -> i8 {
    match of {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => *scale,
        _ => 0,
    }
}

/// The numbers with this many digits behind the point. They have room for all digits of two `Decimal128`.
///
/// # Errors
/// When a number is out of range.
pub fn scaled(of: &ArrayRef, scale: i8) -> Result<ArrayRef> {
    let wide = DataType::Decimal256(DECIMAL256_MAX_PRECISION, scale);
    Ok(cast_with_options(of, &wide, &CastOptions { safe: false, ..CastOptions::default() })?)
}

/// The quotient of two numbers of one scale, truncated toward zero.
fn whole_part(left: i256, right: i256) -> Result<i128> {
    if right == i256::ZERO {
        return Err(ArrowError::DivideByZero.into());
    }
    let has_room = |whole: &i128| whole.unsigned_abs() < 10_u128.pow(u32::from(DECIMAL128_MAX_PRECISION));
    let whole = left.checked_div(right).and_then(i256::to_i128).filter(has_room);
    whole.ok_or_else(|| DataFusionError::Execution(format!("the result of {NAME} has more than 38 digits")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::types::Decimal128Type;
    use datafusion::prelude::SessionContext;

    async fn evaluate(call: &str) -> Result<Option<i128>> {
        let context = SessionContext::new();
        context.register_udf((*quotient()).clone());
        let rows = context.sql(&format!("SELECT {call} AS q")).await?.collect().await?;
        let found = rows[0].column(0).as_primitive::<Decimal128Type>();
        Ok(found.is_valid(0).then(|| found.value(0)))
    }

    #[tokio::test]
    async fn quotients_are_exact_and_truncated() {
        for (call, expected) in [
            ("div(7, 2)", Some(3)),
            ("div(-7, 2)", Some(-3)),
            ("div(7, -2)", Some(-3)),
            ("div(CAST(7.5 AS DECIMAL(5, 1)), CAST(-0.4 AS DECIMAL(9, 4)))", Some(-18)),
            ("div(CAST(0.3 AS DECIMAL(5, 1)), CAST(0.1 AS DECIMAL(5, 1)))", Some(3)),
            ("div(9007199254740993, 1)", Some(9_007_199_254_740_993)),
            ("div(-9223372036854775807 - 1, -1)", Some(9_223_372_036_854_775_808)),
            ("div(NULL, 2)", None),
            ("div(2, NULL)", None),
            ("div(NULL, 0)", None),
        ] {
            assert_eq!(evaluate(call).await.unwrap(), expected, "{call}");
        }
    }

    #[tokio::test]
    async fn what_has_no_exact_quotient_is_refused() {
        let digits = "CAST('99999999999999999999999999999999999999' AS DECIMAL(38, 0))";
        for (call, message) in [
            ("div(1, 0)".to_owned(), "Divide by zero"),
            ("div(CAST(1.5 AS DOUBLE), 2)".to_owned(), "AS NUMERIC"),
            ("div('a', 2)".to_owned(), "AS NUMERIC"),
            ("div(1)".to_owned(), "two numbers"),
            (format!("div({digits}, CAST(0.1 AS DECIMAL(2, 1)))"), "more than 38 digits"),
        ] {
            let refused = evaluate(&call).await.unwrap_err().to_string();
            assert!(refused.contains(message), "{call}: {refused}");
        }
    }
}
