//! Parameters: `$1`, `$2`, …

use api::sql::Parameter;
use api::sql::cells::type_name;
use arrow_schema::{DECIMAL128_MAX_PRECISION, DataType, Field, Schema};
use chrono::NaiveDate;
use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use std::collections::HashMap;

/// Digits behind the point of decimal numbers where the context of a parameter gives no type: so many, or as many more
/// as the number has.
const DECIMALS: usize = 9;
/// Most significant digits of a floating-point number that are those of the number which was written.
const EXACT_DIGITS: usize = 15;

/// The plan with the values of its parameters, each of the type that its place asks for.
///
/// # Errors
/// When a value is missing, too many or not of that type.
pub fn bind(plan: LogicalPlan, parameters: &[Parameter]) -> Result<LogicalPlan, DataFusionError> {
    let types = plan.get_parameter_types()?;
    let wanted = count(&types)?;
    if wanted != parameters.len() {
        return Err(wrong(format!("the query has {wanted} parameters, and {} values were given", parameters.len())));
    }
    if parameters.is_empty() {
        return Ok(plan);
    }
    let value = |(parameter, number): (&Parameter, usize)| {
        let name = format!("${number}");
        let expected = types.get(&name).cloned().flatten();
        let (value, own) = scalar(parameter);
        match expected.or(own) {
            None => Ok(value),
            Some(of) => of_type(&value, &of).map_err(|message| wrong(format!("parameter {name}: {message}"))),
        }
    };
    let values: Vec<ScalarValue> = parameters.iter().zip(1..).map(value).collect::<Result<_, _>>()?;
    plan.with_param_values(values)
}

/// The types of the parameters as a schema; Null where the context gives none.
///
/// # Errors
/// When a parameter has no number.
pub fn describe(plan: &LogicalPlan) -> Result<Schema, DataFusionError> {
    let types = plan.get_parameter_types()?;
    let field = |number: usize| {
        let name = format!("${number}");
        let of = types.get(&name).cloned().flatten().unwrap_or(DataType::Null);
        Field::new(name, of, true)
    };
    Ok(Schema::new((1..=count(&types)?).map(field).collect::<Vec<_>>()))
}

/// The largest number of a parameter.
fn count(types: &HashMap<String, Option<DataType>>) -> Result<usize, DataFusionError> {
    let mut most = 0;
    for name in types.keys() {
        let number = name.strip_prefix('$').and_then(|number| number.parse::<usize>().ok());
        match number {
            Some(number @ 1..=1_000) => most = most.max(number),
            _ => return Err(wrong(format!("the parameter {name} has no number: write $1, $2, …"))),
        }
    }
    Ok(most)
}

/// A value of a type, if it is that very value: a fraction is not cut off, and no digit is lost.
fn of_type(value: &ScalarValue, of: &DataType) -> Result<ScalarValue, String> {
    let cast = value.cast_to(of).map_err(|e| e.strip_backtrace())?;
    let is_same = match value {
        ScalarValue::Float64(Some(number)) if of.is_integer() || of.is_decimal() => {
            let is_written = of.is_integer() || significant_digits(*number) <= EXACT_DIGITS;
            is_written && cast.cast_to(&DataType::Float64).is_ok_and(|back| back == *value)
        }
        ScalarValue::Utf8(Some(text)) if of.is_decimal() => decimals(text) <= scale(of),
        _ => true,
    };
    match is_same {
        true => Ok(cast),
        false => Err(format!(
            "a {} would not hold {value} exactly: cast the parameter, as in CAST($1 AS DOUBLE PRECISION) or \
             CAST($1 AS NUMERIC(38, 10)), or write a decimal number as a text",
            type_name(of)
        )),
    }
}

fn significant_digits(number: f64) -> usize {
    let text = format!("{number:e}");
    text.split('e').next().unwrap_or_default().bytes().filter(u8::is_ascii_digit).count()
}

/// Digits behind the point of a decimal number, which may have an exponent, without zeros at the end.
fn decimals(text: &str) -> usize {
    let (digits, exponent) = text.trim().split_once(['e', 'E']).unwrap_or((text.trim(), "0"));
    let behind = digits.split_once('.').map_or(0, |(_, behind)| behind.trim_end_matches('0').len());
    let moved = i64::try_from(behind).unwrap_or(i64::MAX).saturating_sub(exponent.parse().unwrap_or(0));
    usize::try_from(moved).unwrap_or(0)
}

fn scale(of: &DataType) -> usize {
    match of {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => usize::try_from(*scale).unwrap_or(0),
        _ => 0,
    }
}

/// A value, and the type that it takes where the context gives none.
fn scalar(parameter: &Parameter) -> (ScalarValue, Option<DataType>) {
    let value = match parameter {
        Parameter::Null => ScalarValue::Null,
        Parameter::Flag(flag) => ScalarValue::Boolean(Some(*flag)),
        Parameter::Whole(number) => ScalarValue::Int64(Some(*number)),
        Parameter::Float(number) => ScalarValue::Float64(Some(*number)),
        Parameter::Text(text) => ScalarValue::Utf8(Some(text.clone())),
        Parameter::Day(day) => {
            let days = day.signed_duration_since(NaiveDate::default()).num_days();
            ScalarValue::Date32(i32::try_from(days).ok())
        }
        Parameter::Instant(at) => ScalarValue::TimestampMicrosecond(Some(at.timestamp_micros()), Some("UTC".into())),
        Parameter::Decimal(text) => {
            let scale = decimals(text).max(DECIMALS).min(usize::from(DECIMAL128_MAX_PRECISION));
            let of = i8::try_from(scale).ok().map(|scale| DataType::Decimal128(DECIMAL128_MAX_PRECISION, scale));
            return (ScalarValue::Utf8(Some(text.clone())), of);
        }
    };
    (value, None)
}

fn wrong(message: String) -> DataFusionError {
    DataFusionError::Plan(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_that_of_the_question_or_refused() {
        let money = DataType::Decimal128(18, 0);
        let cents = DataType::Decimal128(18, 2);
        let float = |number: f64| ScalarValue::Float64(Some(number));
        let text = |text: &str| ScalarValue::Utf8(Some(text.to_owned()));
        for (value, of) in [
            (float(2.0), &DataType::Int64),
            (float(-3.0), &money),
            (float(0.1), &cents),
            (text("1.50"), &cents),
            (text("7"), &money),
            (float(0.1 + 0.2), &DataType::Float64),
            (ScalarValue::Null, &money),
        ] {
            assert!(of_type(&value, of).is_ok(), "{value} as {of}");
        }
        for (value, of) in [
            (float(1.5), &DataType::Int64),
            (float(1.5), &money),
            (float(0.125), &cents),
            (float(1_234_567_890_123_456.8), &cents),
            (text("1.505"), &cents),
            (text("0.4"), &money),
            (text("x"), &money),
        ] {
            assert!(of_type(&value, of).is_err(), "{value} as {of}");
        }
    }
}
