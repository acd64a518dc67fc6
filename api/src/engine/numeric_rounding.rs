//! Rounds numbers that PostgreSQL has as `numeric` and the engine as floating-point numbers. `0.285` is a little less
//! than that in binary, so that its third digit would be rounded down, and `0.29 * 100` is a little less than 29. What
//! is rounded are the 15 digits that a floating-point number holds exactly.

use arrow_array::Float64Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_cast::cast;
use arrow_schema::DataType;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::Arc;

/// Digits behind the first one, of those that are exact.
const DIGITS: i64 = 14;
/// The part of a number by which it may miss a border, such as a whole number, and still stand for it. Digits that are
/// not exact are smaller by far.
const NEAR: f64 = 1e-13;
/// Most digits behind the point that a number is written with.
const MOST_DIGITS: i64 = 17;

/// How a number loses its digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rounding {
    Round,
    Floor,
    Ceil,
    Truncate,
}

impl Rounding {
    /// The rounding of a function of the engine.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "round" => Some(Self::Round),
            "floor" => Some(Self::Floor),
            "ceil" => Some(Self::Ceil),
            "trunc" => Some(Self::Truncate),
            _ => None,
        }
    }

    /// The call of the function for a number, and for digits behind the point.
    pub fn call(self, arguments: Vec<Expr>) -> Expr {
        let signature = Signature::any(arguments.len(), Volatility::Immutable);
        let function = Arc::new(ScalarUDF::new_from_impl(Rounded { rounding: self, signature }));
        Expr::ScalarFunction(ScalarFunction::new_udf(function, arguments))
    }

    /// The whole number, unless digits that are not exact decide which one it is. Writing all digits takes longer.
    fn whole(self, number: f64) -> Option<f64> {
        let border = if self == Self::Round { number.trunc() + 0.5_f64.copysign(number) } else { number.round() };
        let is_clear = (number - border).abs() > number.abs() * NEAR;
        // A numeric zero has no sign.
        is_clear.then(|| self.of_all_digits(number) + 0.0)
    }

    /// The whole number by all digits, also those that are not exact.
    fn of_all_digits(self, number: f64) -> f64 {
        match self {
            Self::Round => number.round(),
            Self::Floor => number.floor(),
            Self::Ceil => number.ceil(),
            Self::Truncate => number.trunc(),
        }
    }

    /// The number with this many digits behind the point.
    fn apply(self, number: f64, digits: i64) -> f64 {
        if digits == 0
            && let Some(whole) = self.whole(number)
        {
            return whole;
        }
        if digits >= 0 && number.fract() == 0.0 {
            return number;
        }
        let written = format!("{number:.14e}");
        let Some((mantissa, exponent)) = written.split_once('e').filter(|_| number.is_finite()) else { return number };
        let (Ok(mantissa), Ok(exponent)) = (mantissa.replace('.', "").parse::<i128>(), exponent.parse::<i64>()) else {
            return number;
        };
        // Digits of the mantissa that are cut off.
        let cut = (DIGITS - exponent).saturating_sub(digits);
        if cut < 0 && digits == 0 {
            return self.of_all_digits(number);
        }
        if cut < 0 {
            // More digits are asked for than are exact.
            let digits = usize::try_from(digits).ok().filter(|_| self == Self::Round && digits <= MOST_DIGITS);
            return digits.and_then(|digits| format!("{number:.digits$}").parse().ok()).unwrap_or(number);
        }
        // Of all digits there is but the sign left.
        let cut_off = u32::try_from(cut).ok().and_then(|cut| 10_i128.checked_pow(cut)).unwrap_or(i128::MAX);
        let (whole, rest) = (mantissa / cut_off, mantissa % cut_off);
        let away = match self {
            Self::Round if rest.unsigned_abs() >= cut_off.unsigned_abs().div_ceil(2) => rest.signum(),
            Self::Floor if rest < 0 => -1,
            Self::Ceil if rest > 0 => 1,
            _ => 0,
        };
        format!("{}e{}", whole + away, digits.saturating_neg()).parse().unwrap_or(number)
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Rounded {
    rounding: Rounding,
    signature: Signature,
}

impl ScalarUDFImpl for Rounded {
    fn name(&self) -> &'static str {
        match self.rounding {
            Rounding::Round => "round_numeric",
            Rounding::Floor => "floor_numeric",
            Rounding::Ceil => "ceil_numeric",
            Rounding::Truncate => "trunc_numeric",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let column = |index: usize, of: &DataType| -> Result<_> {
            let given = arguments.args.get(index).ok_or_else(|| DataFusionError::Internal("no number".into()))?;
            Ok(cast(&given.to_array_of_size(arguments.number_rows)?, of)?)
        };
        let numbers = column(0, &DataType::Float64)?;
        let numbers = numbers.as_primitive::<Float64Type>();
        let made: Float64Array = if arguments.args.len() == 1 {
            numbers.iter().map(|number| number.map(|number| self.rounding.apply(number, 0))).collect()
        } else {
            let digits = column(1, &DataType::Int64)?;
            let both = numbers.iter().zip(digits.as_primitive::<Int64Type>().iter());
            both.map(|(number, digits)| Some(self.rounding.apply(number?, digits?))).collect()
        };
        Ok(ColumnarValue::Array(Arc::new(made)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_rounded_as_they_are_written() {
        use Rounding::{Ceil, Floor, Round, Truncate};
        for (rounding, number, digits, expected) in [
            (Round, 0.285, 2, 0.29),
            (Round, -0.285, 2, -0.29),
            (Round, 1.005, 2, 1.01),
            (Round, 2.5, 0, 3.0),
            (Round, -2.5, 0, -3.0),
            (Round, 0.4, 0, 0.0),
            (Round, 1_250.0, -2, 1_300.0),
            (Round, 49.0, -2, 0.0),
            (Round, 1_234_567_890_123.456, 2, 1_234_567_890_123.46),
            (Round, 12_345_678_901_234.567, 2, 12_345_678_901_234.57),
            (Round, 1e300, 2, 1e300),
            (Round, 1e-300, 2, 0.0),
            (Floor, 0.29 * 100.0, 0, 29.0),
            (Floor, -0.5, 0, -1.0),
            (Floor, 500.0 / 56.0, 0, 8.0),
            (Floor, -500.0 / 56.0, 0, -9.0),
            (Floor, 3.0 - 1e-9, 0, 2.0),
            (Floor, 1e-300, 0, 0.0),
            (Ceil, 0.1 * 3.0 * 10.0, 0, 3.0),
            (Ceil, 1e-300, 0, 1.0),
            (Ceil, -0.5, 0, 0.0),
            (Ceil, 8.000_000_1, 0, 9.0),
            (Round, 2.5 - 1e-9, 0, 2.0),
            (Round, -2.5 + 1e-15, 0, -3.0),
            (Floor, 1_234_567_890_123_456.5, 0, 1_234_567_890_123_456.0),
            (Round, 1_234_567_890_123_456.5, 0, 1_234_567_890_123_457.0),
            (Truncate, -8.9, 0, -8.0),
            (Truncate, 2.567, 1, 2.5),
            (Truncate, -0.29 * 100.0, 0, -29.0),
            (Truncate, 0.0, 0, 0.0),
        ] {
            let found = rounding.apply(number, digits);
            assert!((found - expected).abs() <= expected.abs() * 1e-16, "{rounding:?}({number}, {digits}): {found}");
        }
        assert!(
            [Floor.apply(0.4, 0), Ceil.apply(-0.4, 0), Round.apply(-0.4, 0)].iter().all(|zero| zero.is_sign_positive())
        );
        assert!(Round.apply(f64::NAN, 2).is_nan() && Round.apply(f64::INFINITY, 2).is_infinite());
    }
}
