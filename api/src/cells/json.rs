//! Cells as JSON. Days are `YYYY-MM-DD`, instants RFC 3339. NaN and infinity become texts, and so does a whole or
//! decimal number with more than 15 digits.

use super::answer;
use super::number::{is_exact, not_finite};
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{ArrowError, DataType};
use serde_json::{Map, Number, Value, json};

/// The values of an array as JSON.
///
/// # Errors
/// If a value of the array cannot be formatted.
pub fn values(array: &dyn Array) -> Result<Vec<Value>, ArrowError> {
    macro_rules! numbers {
        ($of:ty) => {
            array.as_primitive::<$of>().iter().map(|number| json!(number)).collect()
        };
    }
    macro_rules! long {
        ($of:ty) => {
            array.as_primitive::<$of>().iter().map(|number| number.map_or(Value::Null, whole)).collect()
        };
    }
    Ok(match array.data_type() {
        DataType::Null => vec![Value::Null; array.len()],
        DataType::Boolean => array.as_boolean().iter().map(|flag| json!(flag)).collect(),
        DataType::Int8 => numbers!(Int8Type),
        DataType::Int16 => numbers!(Int16Type),
        DataType::Int32 => numbers!(Int32Type),
        DataType::Int64 => long!(Int64Type),
        DataType::UInt8 => numbers!(UInt8Type),
        DataType::UInt16 => numbers!(UInt16Type),
        DataType::UInt32 => numbers!(UInt32Type),
        DataType::UInt64 => long!(UInt64Type),
        // The shortest digits of the 32-bit number, not those of the nearest 64-bit one.
        DataType::Float32 => array
            .as_primitive::<Float32Type>()
            .iter()
            .map(|number| number.and_then(|number| number.to_string().parse().ok()).map_or(Value::Null, float))
            .collect(),
        DataType::Float64 => {
            array.as_primitive::<Float64Type>().iter().map(|number| number.map_or(Value::Null, float)).collect()
        }
        DataType::Utf8 => array.as_string::<i32>().iter().map(|text| json!(text)).collect(),
        DataType::LargeUtf8 => array.as_string::<i64>().iter().map(|text| json!(text)).collect(),
        DataType::Utf8View => array.as_string_view().iter().map(|text| json!(text)).collect(),
        DataType::Date32 | DataType::Timestamp(..) => times(array)?,
        DataType::List(_) => lists(array, array.as_list::<i32>().iter())?,
        DataType::LargeList(_) => lists(array, array.as_list::<i64>().iter())?,
        DataType::FixedSizeList(..) => lists(array, array.as_fixed_size_list().iter())?,
        DataType::Struct(fields) => {
            let parts = array.as_struct();
            let columns: Vec<Vec<Value>> =
                parts.columns().iter().map(|column| values(column)).collect::<Result<_, _>>()?;
            let object = |row: usize| -> Map<String, Value> {
                let cells = columns.iter().map(|column| column.get(row).cloned().unwrap_or_default());
                fields.iter().map(|field| field.name().clone()).zip(cells).collect()
            };
            (0..array.len()).map(|row| if array.is_null(row) { Value::Null } else { object(row).into() }).collect()
        }
        DataType::Dictionary(_, value) => values(&arrow_cast::cast(array, value)?)?,
        of => {
            let is_decimal = of.is_decimal();
            let options = FormatOptions::default();
            let formatter = ArrayFormatter::try_new(array, &options)?;
            let text = |row: usize| -> Result<Value, ArrowError> {
                if array.is_null(row) {
                    return Ok(Value::Null);
                }
                let text = formatter.value(row).try_to_string()?;
                Ok(if is_decimal { decimal(text) } else { Value::String(text) })
            };
            (0..array.len()).map(text).collect::<Result<_, _>>()?
        }
    })
}

fn lists(
    array: &dyn Array,
    items: impl Iterator<Item = Option<arrow_array::ArrayRef>>,
) -> Result<Vec<Value>, ArrowError> {
    let mut all = Vec::with_capacity(array.len());
    for item in items {
        all.push(match item {
            Some(item) => Value::Array(values(&item)?),
            None => Value::Null,
        });
    }
    Ok(all)
}

fn float(number: f64) -> Value {
    Number::from_f64(number).map_or_else(|| not_finite(number).into(), Value::Number)
}

/// A whole number: as a number if every client holds all of its digits.
fn whole<N: Copy + ToString + Into<Value>>(number: N) -> Value {
    let text = number.to_string();
    if is_exact(&text) { number.into() } else { Value::String(text) }
}

/// A decimal number: as a number if a 64-bit float holds all of its digits.
fn decimal(text: String) -> Value {
    if !is_exact(&text) {
        return Value::String(text);
    }
    match (text.parse::<i64>(), text.parse::<f64>()) {
        (Ok(whole), _) => json!(whole),
        (Err(_), Ok(number)) => float(number),
        (Err(_), Err(_)) => Value::String(text),
    }
}

/// Days and instants as texts; one out of the range of calendars is null.
fn times(array: &dyn Array) -> Result<Vec<Value>, ArrowError> {
    let Some(write) = answer::writer(array) else { return Ok(vec![Value::Null; array.len()]) };
    let text = |row: usize| -> Result<Value, ArrowError> {
        let mut text = String::new();
        if !array.is_null(row) {
            write(row, &mut text).map_err(|e| ArrowError::ExternalError(Box::new(e)))?;
        }
        Ok(if text.is_empty() { Value::Null } else { Value::String(text) })
    };
    (0..array.len()).map(text).collect()
}

/// A value as text: strings without quotes, null as an empty string, a list with `;` between its values.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(text).collect::<Vec<_>>().join(";"),
        other => other.to_string(),
    }
}
