//! `width_bucket(x, low, high, n)` of PostgreSQL: which of `n` parts of equal width from `low` to `high` has a number,
//! 0 before them and `n + 1` behind them. PostgreSQL computes it in double precision, or exactly where one of the
//! numbers is a `numeric` and none is a double ([`super::halves`] tells). Both answers may differ at borders of parts.

use super::quotient::{scale_of, scaled};
use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal256Type, Float64Type, Int64Type};
use arrow_array::{ArrayRef, Int64Array};
use arrow_buffer::i256;
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DECIMAL128_MAX_PRECISION, DataType};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use std::sync::Arc;

pub const NAME: &str = "width_bucket";

/// Digits behind the point of a number that the engine has as a floating-point number and PostgreSQL as a `numeric`.
const DIGITS: i8 = 10;

/// The function in double precision, which has the name of both.
pub fn width_bucket() -> Arc<ScalarUDF> {
    width_bucket_udf(false)
}

/// The exact function.
pub fn exact() -> Arc<ScalarUDF> {
    width_bucket_udf(true)
}

fn width_bucket_udf(is_exact: bool) -> Arc<ScalarUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(WidthBucket { is_exact, signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct WidthBucket {
    is_exact: bool,
    signature: Signature,
}

impl ScalarUDFImpl for WidthBucket {
    fn name(&self) -> &'static str {
        if self.is_exact { "width_bucket_numeric" } else { NAME }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let is_number = |of: &DataType| of.is_numeric() || of.is_null();
        match given {
            [numbers @ .., parts]
                if numbers.len() == 3 && numbers.iter().all(is_number) && (parts.is_integer() || parts.is_null()) =>
            {
                Ok(numbers.iter().map(|of| self.coerced(of)).chain([DataType::Int64]).collect())
            }
            _ => Err(DataFusionError::Plan(format!(
                "{NAME} takes three numbers and a whole number: write {NAME}(x, low, high, n)"
            ))),
        }
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let columns: Vec<ArrayRef> =
            arguments.args.iter().map(|given| given.to_array_of_size(rows)).collect::<Result<_>>()?;
        let [x, low, high, parts] = columns.as_slice() else {
            return Err(DataFusionError::Internal(format!("{NAME} of {} arguments", columns.len())));
        };
        let parts = cast(parts, &DataType::Int64)?;
        let parts = parts.as_primitive::<Int64Type>();
        let buckets: Vec<Option<i64>> = if self.is_exact {
            let scale = [x, low, high].map(|of| scale_of(of.data_type())).into_iter().max().unwrap_or_default();
            let [x, low, high] = [scaled(x, scale)?, scaled(low, scale)?, scaled(high, scale)?];
            let [x, low, high] = [&x, &low, &high].map(AsArray::as_primitive::<Decimal256Type>);
            let numbers = x.iter().zip(low.iter()).zip(high.iter()).zip(parts.iter());
            let found = numbers.map(|(((x, low), high), parts)| match (x, low, high, parts) {
                (Some(x), Some(low), Some(high), Some(parts)) => of_decimals(x, low, high, parts).map(Some),
                _ => Ok(None),
            });
            found.collect::<Result<_>>()?
        } else {
            let [x, low, high] =
                [cast(x, &DataType::Float64)?, cast(low, &DataType::Float64)?, cast(high, &DataType::Float64)?];
            let [x, low, high] = [&x, &low, &high].map(AsArray::as_primitive::<Float64Type>);
            let numbers = x.iter().zip(low.iter()).zip(high.iter()).zip(parts.iter());
            let found = numbers.map(|(((x, low), high), parts)| match (x, low, high, parts) {
                (Some(x), Some(low), Some(high), Some(parts)) => of_doubles(x, low, high, parts).map(Some),
                _ => Ok(None),
            });
            found.collect::<Result<_>>()?
        };
        Ok(ColumnarValue::Array(Arc::new(Int64Array::from(buckets))))
    }
}

impl WidthBucket {
    /// The type in which a number is computed.
    fn coerced(&self, of: &DataType) -> DataType {
        match of {
            _ if !self.is_exact => DataType::Float64,
            of if of.is_decimal() => of.clone(),
            of if of.is_floating() => DataType::Decimal128(DECIMAL128_MAX_PRECISION, DIGITS),
            _ => DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0),
        }
    }
}

fn cast(of: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    Ok(cast_with_options(of, to, &CastOptions { safe: false, ..CastOptions::default() })?)
}

fn wrong<T>(message: &str) -> Result<T> {
    Err(DataFusionError::Execution(format!("{NAME}: {message}")))
}

/// Refuses a number of parts that PostgreSQL does not take.
fn checked(parts: i64) -> Result<i64> {
    match parts {
        1.. if parts < i64::from(i32::MAX) => Ok(parts),
        1.. => wrong("the number of parts is too large"),
        _ => wrong("the number of parts has to be greater than zero"),
    }
}

/// The part in double precision. The share is computed before it is multiplied, as PostgreSQL does since 2023.
fn of_doubles(x: f64, low: f64, high: f64, parts: i64) -> Result<i64> {
    let parts = checked(parts)?;
    if [x, low, high].into_iter().any(f64::is_nan) {
        return wrong("the number and its bounds cannot be NaN");
    }
    if low.is_infinite() || high.is_infinite() {
        return wrong("the bounds have to be finite");
    }
    if low == high {
        return wrong("the bounds cannot be equal");
    }
    // Parts that descend are those of the negative numbers.
    let (x, low, high) = if low < high { (x, low, high) } else { (-x, -low, -high) };
    if x < low {
        return Ok(0);
    }
    if x >= high {
        return Ok(parts + 1);
    }
    let width = high - low;
    let share = if width.is_finite() { (x - low) / width } else { (x / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0) };
    // The share may have been rounded up to 1.
    Ok(((parts as f64 * share) as i64).min(parts - 1) + 1)
}

/// The exact part.
fn of_decimals(x: i256, low: i256, high: i256, parts: i64) -> Result<i64> {
    let parts = checked(parts)?;
    if low == high {
        return wrong("the bounds cannot be equal");
    }
    let too_large = || DataFusionError::Execution(format!("{NAME}: a number has too many digits"));
    let difference = |one: i256, other: i256| one.checked_sub(other).ok_or_else(too_large);
    let (width, above) = if low < high {
        (difference(high, low)?, difference(x, low)?)
    } else {
        (difference(low, high)?, difference(low, x)?)
    };
    if above < i256::ZERO {
        return Ok(0);
    }
    if above >= width {
        return Ok(parts + 1);
    }
    let part = above.checked_mul(i256::from_i128(parts.into())).and_then(|above| above.checked_div(width));
    let part = part.and_then(i256::to_i128).and_then(|part| i64::try_from(part).ok());
    part.map(|part| part + 1).ok_or_else(too_large)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lie_in_parts_of_equal_width() {
        for (x, low, high, parts, expected) in [
            (5.35, 0.024, 10.06, 5, 3),
            (0.0, 0.0, 10.0, 5, 1),
            (10.0, 0.0, 10.0, 5, 6),
            (-0.1, 0.0, 10.0, 5, 0),
            (9.0, 10.0, 0.0, 5, 1),
            (0.0, 10.0, 0.0, 5, 6),
            (11.0, 10.0, 0.0, 5, 0),
            // 0.29 * 100 is a little less than 29.
            (29.0, 0.0, 100.0, 100, 29),
            (f64::INFINITY, 0.0, 10.0, 5, 6),
            (0.0, -1.7e308, 1.7e308, 4, 3),
        ] {
            assert_eq!(of_doubles(x, low, high, parts).unwrap(), expected, "{x} from {low} to {high}");
        }
        for (x, low, high, parts) in
            [(f64::NAN, 0.0, 1.0, 2), (0.0, f64::NEG_INFINITY, 1.0, 2), (0.0, 1.0, 1.0, 2), (0.0, 0.0, 1.0, 0)]
        {
            assert!(of_doubles(x, low, high, parts).is_err(), "{x} from {low} to {high}");
        }
    }

    #[test]
    fn numerics_are_exact() {
        for (x, low, high, parts, expected) in [
            (29, 0, 100, 100, 30),
            (100, 0, 100, 100, 101),
            (-1, 0, 100, 100, 0),
            (71, 100, 0, 100, 30),
            (100, 100, 0, 4, 1),
        ] {
            let [x, low, high] = [x, low, high].map(i256::from_i128);
            assert_eq!(of_decimals(x, low, high, parts).unwrap(), expected, "{x} from {low} to {high}");
        }
        assert!(of_decimals(i256::ZERO, i256::ONE, i256::ONE, 2).is_err());
        assert!(of_decimals(i256::ONE, i256::ZERO, i256::MAX, 0).is_err());
    }
}
