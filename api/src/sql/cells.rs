//! The cells of an answer as JSON, and the SQL names of their types.

use super::QueryError;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowTimestampType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{ArrowError, DataType, TimeUnit};
use chrono::{DateTime, FixedOffset, NaiveDate, SecondsFormat, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Number, Value, json};

/// Most significant digits of a decimal number that is written as a JSON number: clients read it as a 64-bit float.
const EXACT_DIGITS: usize = 15;

/// The rows of a batch, each with its values in the order of the columns.
///
/// Days are `YYYY-MM-DD`, instants RFC 3339. NaN and infinity become null. A decimal number with more than 15 digits
/// becomes a text.
///
/// # Errors
/// When a type cannot be shown.
pub fn json_rows(batch: &RecordBatch) -> Result<Vec<Vec<Value>>, QueryError> {
    let mut rows: Vec<Vec<Value>> = (0..batch.num_rows()).map(|_| Vec::with_capacity(batch.num_columns())).collect();
    for column in batch.columns() {
        let values = values(column).map_err(|e| QueryError::Engine(e.to_string()))?;
        for (row, value) in rows.iter_mut().zip(values) {
            row.push(value);
        }
    }
    Ok(rows)
}

/// Names with a number after those that occurred before: an object has each name once.
pub fn distinct_names<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for name in names {
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let free = std::iter::once(name.to_owned()).chain(numbered).find(|one| !distinct.contains(one));
        distinct.extend(free);
    }
    distinct
}

/// The type as PostgreSQL's `information_schema` names it.
pub fn type_name(of: &DataType) -> String {
    match of {
        DataType::Boolean => "boolean".into(),
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => "smallint".into(),
        DataType::Int32 | DataType::UInt16 => "integer".into(),
        DataType::Int64 | DataType::UInt32 => "bigint".into(),
        DataType::Float16 | DataType::Float32 => "real".into(),
        DataType::Float64 => "double precision".into(),
        DataType::UInt64
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => "numeric".into(),
        DataType::Date32 | DataType::Date64 => "date".into(),
        DataType::Timestamp(_, Some(_)) => "timestamp with time zone".into(),
        DataType::Timestamp(_, None) => "timestamp without time zone".into(),
        DataType::Time32(_) | DataType::Time64(_) => "time without time zone".into(),
        DataType::Interval(_) | DataType::Duration(_) => "interval".into(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            "bytea".into()
        }
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            format!("{}[]", type_name(item.data_type()))
        }
        DataType::Struct(_) => "record".into(),
        DataType::Dictionary(_, value) => type_name(value),
        _ => "text".into(),
    }
}

/// The values of an array as JSON.
fn values(array: &dyn Array) -> Result<Vec<Value>, ArrowError> {
    macro_rules! numbers {
        ($of:ty) => {
            array.as_primitive::<$of>().iter().map(|number| json!(number)).collect()
        };
    }
    macro_rules! instants {
        ($of:ty, $zone:expr) => {
            array.as_primitive::<$of>().iter().map(|at| json!(at.and_then(|at| instant::<$of>(at, $zone)))).collect()
        };
    }
    Ok(match array.data_type() {
        DataType::Null => vec![Value::Null; array.len()],
        DataType::Boolean => array.as_boolean().iter().map(|flag| json!(flag)).collect(),
        DataType::Int8 => numbers!(Int8Type),
        DataType::Int16 => numbers!(Int16Type),
        DataType::Int32 => numbers!(Int32Type),
        DataType::Int64 => numbers!(Int64Type),
        DataType::UInt8 => numbers!(UInt8Type),
        DataType::UInt16 => numbers!(UInt16Type),
        DataType::UInt32 => numbers!(UInt32Type),
        DataType::UInt64 => numbers!(UInt64Type),
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
        DataType::Date32 => array.as_primitive::<Date32Type>().iter().map(|day| json!(day.and_then(date))).collect(),
        DataType::Timestamp(unit, zone) => match unit {
            TimeUnit::Second => instants!(TimestampSecondType, zone.as_deref()),
            TimeUnit::Millisecond => instants!(TimestampMillisecondType, zone.as_deref()),
            TimeUnit::Microsecond => instants!(TimestampMicrosecondType, zone.as_deref()),
            TimeUnit::Nanosecond => instants!(TimestampNanosecondType, zone.as_deref()),
        },
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
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

/// A decimal number: as a number if a 64-bit float holds all of its digits.
fn decimal(text: String) -> Value {
    let digits = text.trim_start_matches(['-', '0', '.']).bytes().filter(u8::is_ascii_digit).count();
    if digits > EXACT_DIGITS {
        return Value::String(text);
    }
    match (text.parse::<i64>(), text.parse::<f64>()) {
        (Ok(whole), _) => json!(whole),
        (Err(_), Ok(number)) => float(number),
        (Err(_), Err(_)) => Value::String(text),
    }
}

fn date(days: i32) -> Option<NaiveDate> {
    NaiveDate::default().checked_add_signed(TimeDelta::days(i64::from(days)))
}

/// An instant as RFC 3339 in its time zone; without a time zone, a local time.
fn instant<T: ArrowTimestampType>(at: i64, zone: Option<&str>) -> Option<String> {
    let utc: DateTime<Utc> = match T::UNIT {
        TimeUnit::Second => DateTime::from_timestamp(at, 0)?,
        TimeUnit::Millisecond => DateTime::from_timestamp_millis(at)?,
        TimeUnit::Microsecond => DateTime::from_timestamp_micros(at)?,
        TimeUnit::Nanosecond => DateTime::from_timestamp_nanos(at),
    };
    let Some(zone) = zone else { return Some(utc.naive_utc().format("%Y-%m-%dT%H:%M:%S%.f").to_string()) };
    let form = SecondsFormat::AutoSi;
    Some(match (zone.parse::<Tz>(), zone.parse::<FixedOffset>()) {
        (Ok(zone), _) => utc.with_timezone(&zone).to_rfc3339_opts(form, true),
        (Err(_), Ok(offset)) => utc.with_timezone(&offset).to_rfc3339_opts(form, true),
        (Err(_), Err(_)) => utc.to_rfc3339_opts(form, true),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{ArrayRef, Decimal128Array, Float64Array, ListArray, StringArray, TimestampMicrosecondArray};
    use std::sync::Arc;

    fn cells(array: impl Array + 'static) -> Vec<Value> {
        let array: ArrayRef = Arc::new(array);
        let batch = RecordBatch::try_from_iter_with_nullable([("c", array, true)]).unwrap();
        json_rows(&batch).unwrap().into_iter().flatten().collect()
    }

    #[test]
    fn numbers_that_json_cannot_hold_are_texts_or_null() {
        assert_eq!(
            cells(Float64Array::from(vec![Some(0.1), Some(f64::NAN), None])),
            [json!(0.1), json!(null), json!(null)]
        );
        let money = Decimal128Array::from(vec![Some(12), None, Some(1_234_567_890_123_456)]);
        let money = money.with_precision_and_scale(28, 0).unwrap();
        assert_eq!(cells(money), [json!(12), json!(null), json!("1234567890123456")]);
        let cents = Decimal128Array::from(vec![-5, 1_050]).with_precision_and_scale(10, 2).unwrap();
        assert_eq!(cells(cents), [json!(-0.05), json!(10.5)]);
    }

    #[test]
    fn names_of_an_object_are_distinct() {
        assert_eq!(
            distinct_names(["code", "n", "code", "code_2", "code"].into_iter()),
            ["code", "n", "code_2", "code_2_2", "code_3"]
        );
    }

    #[test]
    fn instants_have_their_zone() {
        let at = || TimestampMicrosecondArray::from(vec![1_700_000_000_500_000]);
        assert_eq!(cells(at().with_timezone("UTC")), [json!("2023-11-14T22:13:20.500Z")]);
        assert_eq!(cells(at().with_timezone("Asia/Ho_Chi_Minh")), [json!("2023-11-15T05:13:20.500+07:00")]);
        assert_eq!(cells(at().with_timezone("+07:00")), [json!("2023-11-15T05:13:20.500+07:00")]);
        assert_eq!(cells(at()), [json!("2023-11-14T22:13:20.500")]);
    }

    #[test]
    fn lists_are_lists() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
        let field = Arc::new(arrow_schema::Field::new_list_field(DataType::Utf8, true));
        let offsets = arrow_buffer::OffsetBuffer::from_lengths([2, 0]);
        assert_eq!(cells(ListArray::new(field.clone(), offsets, texts, None)), [json!(["a", "b"]), json!([])]);
        assert_eq!(type_name(&DataType::List(field)), "text[]");
    }
}
