//! The rows of an answer as JSON, and the SQL names of their types.

use super::QueryError;
use crate::cells::{Form, TextColumn, values};
use arrow_array::{Array, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType};
use serde_json::Value;

/// The rows of a batch, each with its values in the order of the columns.
///
/// Days are `YYYY-MM-DD`, instants RFC 3339. NaN and infinity become texts, and so does a whole or decimal number with
/// more than 15 digits.
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

/// The values of a column as PostgreSQL writes them.
///
/// # Errors
/// If the PostgreSQL protocol lacks the type.
pub fn postgres_texts(column: &dyn Array) -> Result<StringArray, ArrowError> {
    let texts = TextColumn::of(column, Form::Postgres)?;
    let text = |row: usize| -> Result<Option<String>, ArrowError> {
        if column.is_null(row) {
            return Ok(None);
        }
        let mut text = String::new();
        texts.write(row, &mut text).map_err(|e| ArrowError::ComputeError(e.to_string()))?;
        Ok(Some(text))
    };
    (0..column.len()).map(text).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{ArrayRef, Decimal128Array, Float64Array, Int64Array, ListArray, TimestampMicrosecondArray};
    use serde_json::json;
    use std::sync::Arc;

    fn cells(array: impl Array + 'static) -> Vec<Value> {
        let array: ArrayRef = Arc::new(array);
        let batch = RecordBatch::try_from_iter_with_nullable([("c", array, true)]).unwrap();
        json_rows(&batch).unwrap().into_iter().flatten().collect()
    }

    #[test]
    fn numbers_that_json_cannot_hold_are_texts() {
        assert_eq!(
            cells(Float64Array::from(vec![Some(0.1), Some(f64::NAN), Some(f64::NEG_INFINITY), None])),
            [json!(0.1), json!("NaN"), json!("-Infinity"), json!(null)]
        );
        let whole = Int64Array::from(vec![Some(-999_999_999_999_999), Some(9_007_199_254_740_993), None]);
        assert_eq!(cells(whole), [json!(-999_999_999_999_999_i64), json!("9007199254740993"), json!(null)]);
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
