//! Writes the rows of an answer as messages, in text or binary format.

mod binary;
mod numeric;

use super::types::{canonical, fields};
use crate::cells::{Form, TextColumn};
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{ArrowError, DataType, Schema};
use bytes::{BufMut, BytesMut};
use pgwire::api::portal::Format;
use pgwire::api::results::{FieldFormat, FieldInfo};
use pgwire::messages::data::DataRow;
use std::sync::Arc;

pub use binary::{DAYS_TO_2000, MICROSECONDS_TO_2000};
pub use numeric::decimal_of_binary;

/// Writes rows.
pub struct RowWriter {
    fields: Arc<Vec<FieldInfo>>,
}

impl RowWriter {
    pub fn new(schema: &Schema, format: &Format) -> Self {
        Self { fields: Arc::new(fields(schema, format)) }
    }

    pub fn fields(&self) -> &Arc<Vec<FieldInfo>> {
        &self.fields
    }

    /// The rows of a batch as messages.
    ///
    /// # Errors
    /// When a number does not fit into its PostgreSQL type.
    pub fn rows(&self, batch: &RecordBatch) -> Result<Vec<DataRow>, ArrowError> {
        let columns: Vec<ArrayRef> = batch.columns().iter().map(writable).collect::<Result<_, _>>()?;
        let formats = self.fields.iter().map(FieldInfo::format);
        let columns = columns.iter().zip(formats).map(|(column, format)| Column::of(column.as_ref(), format));
        let columns = columns.collect::<Result<Vec<Column<'_>>, _>>()?;
        let mut rows = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            let mut cells = BytesMut::with_capacity(columns.len() * 12);
            for column in &columns {
                column.put(&mut cells, row)?;
            }
            // PostgreSQL itself allows at most 1,664 columns; the engine's limits are below i16.
            rows.push(DataRow::new(cells, i16::try_from(columns.len()).unwrap_or(i16::MAX)));
        }
        Ok(rows)
    }
}

/// A column of an answer.
struct Column<'a> {
    column: &'a dyn Array,
    /// Writes its texts; None for a column that the client asked for in binary format.
    text: Option<TextColumn<'a>>,
}

impl<'a> Column<'a> {
    fn of(column: &'a dyn Array, format: FieldFormat) -> Result<Self, ArrowError> {
        let text = match format {
            FieldFormat::Text => Some(TextColumn::of(column, Form::Postgres)?),
            FieldFormat::Binary => None,
        };
        Ok(Self { column, text })
    }

    /// Writes a value with its length; -1 means null.
    fn put(&self, cells: &mut BytesMut, row: usize) -> Result<(), ArrowError> {
        let Some(text) = &self.text else {
            binary::put_cell(cells, self.column, row);
            return Ok(());
        };
        if self.column.is_null(row) {
            cells.put_i32(-1);
            return Ok(());
        }
        let begins = cells.len();
        cells.put_i32(0);
        text.write(row, cells).map_err(|e| ArrowError::ExternalError(Box::new(e)))?;
        patch_length(cells, begins);
        Ok(())
    }
}

/// Casts a column to the type that values are written from.
fn writable(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    if let Some(of) = canonical(column.data_type()) {
        let strict = CastOptions { safe: false, ..CastOptions::default() };
        return cast_with_options(column.as_ref(), &of, &strict);
    }
    // The null type has no bitmap of nulls.
    if *column.data_type() == DataType::Null {
        return Ok(Arc::new(StringArray::new_null(column.len())));
    }
    let options = FormatOptions::new();
    let formatter = ArrayFormatter::try_new(column.as_ref(), &options)?;
    let shown = (0..column.len()).map(|row| (!column.is_null(row)).then(|| formatter.value(row).to_string()));
    Ok(Arc::new(shown.collect::<StringArray>()))
}

/// Writes the number of bytes since `begins`, without its own four, at `begins`.
fn patch_length(cells: &mut BytesMut, begins: usize) {
    let length = i32::try_from(cells.len() - begins - 4).unwrap_or(i32::MAX);
    cells[begins..begins + 4].copy_from_slice(&length.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::builder::{ListBuilder, StringBuilder};
    use arrow_array::{
        BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, IntervalMonthDayNanoArray, NullArray,
        TimestampMicrosecondArray, UInt64Array,
    };
    use arrow_buffer::IntervalMonthDayNano;
    use arrow_schema::Field;

    fn batch(columns: Vec<ArrayRef>) -> RecordBatch {
        let fields: Vec<Field> =
            columns.iter().map(|column| Field::new("c", column.data_type().clone(), true)).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
    }

    /// The cells of the first row.
    fn cells(columns: Vec<ArrayRef>, format: &Format) -> Vec<Option<Vec<u8>>> {
        let batch = batch(columns);
        let writer = RowWriter::new(batch.schema_ref(), format);
        let row = writer.rows(&batch).unwrap().remove(0);
        let mut left = &row.data[..];
        let mut cells = Vec::new();
        for _ in 0..row.field_count {
            let length = i32::from_be_bytes(left[..4].try_into().unwrap());
            left = &left[4..];
            cells.push(usize::try_from(length).ok().map(|length| left[..length].to_vec()));
            left = &left[usize::try_from(length).unwrap_or(0)..];
        }
        assert!(left.is_empty());
        cells
    }

    fn texts(columns: Vec<ArrayRef>) -> Vec<Option<String>> {
        let cells = cells(columns, &Format::UnifiedText).into_iter();
        cells.map(|cell| cell.map(|bytes| String::from_utf8(bytes).unwrap())).collect()
    }

    fn list(items: &[Option<&str>]) -> ArrayRef {
        let mut builder = ListBuilder::new(StringBuilder::new());
        builder.append_value(items.iter().copied());
        Arc::new(builder.finish())
    }

    #[test]
    fn texts_are_as_postgresql_writes_them() {
        let instant = TimestampMicrosecondArray::from(vec![1_704_164_645_120_000]).with_timezone("UTC");
        let interval = IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(14, -3, 3_723_500_000_000)]);
        let written = texts(vec![
            Arc::new(BooleanArray::from(vec![true])),
            Arc::new(UInt64Array::from(vec![7])),
            Arc::new(Date32Array::from(vec![19_724])),
            Arc::new(instant),
            Arc::new(Decimal128Array::from(vec![-12_345]).with_precision_and_scale(18, 2).unwrap()),
            Arc::new(Float64Array::from(vec![f64::INFINITY])),
            Arc::new(interval),
            list(&[Some("a b"), None, Some("NULL"), Some("q\"\\"), Some("")]),
            Arc::new(NullArray::new(1)),
            Arc::new(Int64Array::from(vec![None])),
        ]);
        let expected = [
            Some("t"),
            Some("7"),
            Some("2024-01-02"),
            Some("2024-01-02 03:04:05.12+00"),
            Some("-123.45"),
            Some("Infinity"),
            Some("1 year 2 mons -3 days +01:02:03.5"),
            Some(r#"{"a b",NULL,"NULL","q\"\\",""}"#),
            None,
            None,
        ];
        assert_eq!(written.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn binary_values_count_from_the_year_2000() {
        let instant = TimestampMicrosecondArray::from(vec![946_684_801_000_000]).with_timezone("UTC");
        let written = cells(
            vec![Arc::new(Date32Array::from(vec![10_958])), Arc::new(instant), list(&[Some("a"), None])],
            &Format::UnifiedBinary,
        );
        assert_eq!(written[0].as_deref(), Some(&1_i32.to_be_bytes()[..]));
        assert_eq!(written[1].as_deref(), Some(&1_000_000_i64.to_be_bytes()[..]));
        let array: Vec<u8> = [1, 1, 25, 2, 1, 1].iter().flat_map(|n: &i32| n.to_be_bytes()).collect();
        let array = [array, b"a".to_vec(), (-1_i32).to_be_bytes().to_vec()].concat();
        assert_eq!(written[2].as_deref(), Some(&array[..]));
    }

    #[test]
    fn a_number_too_large_for_its_type_is_an_error() {
        let batch = batch(vec![Arc::new(UInt64Array::from(vec![u64::MAX]))]);
        let writer = RowWriter::new(batch.schema_ref(), &Format::UnifiedText);
        assert!(writer.rows(&batch).is_err());
    }
}
