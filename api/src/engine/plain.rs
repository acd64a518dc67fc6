//! Converts answers to plain types, which clients know. The engine computes with views and dictionaries, too.

use arrow_array::RecordBatch;
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema, SchemaRef};
use std::sync::Arc;

/// The schema of an answer for a schema of the engine.
pub fn plain_schema(of: &Schema) -> SchemaRef {
    Arc::new(Schema::new(plain_fields(of.fields())))
}

/// Rows with a plain schema.
///
/// # Errors
/// When a number is too large for its plain type.
pub fn plain_rows(rows: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let plain = |(column, field): (&arrow_array::ArrayRef, &Arc<Field>)| {
        if column.data_type() == field.data_type() {
            Ok(Arc::clone(column))
        } else {
            cast_with_options(column, field.data_type(), &options)
        }
    };
    let columns = rows.columns().iter().zip(schema.fields()).map(plain).collect::<Result<Vec<_>, _>>()?;
    let number = arrow_array::RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &number)
}

fn plain_fields(of: &Fields) -> Vec<Field> {
    // Without this, each answer would repeat the comments of the tables. The catalog marks its own types, such as
    // `oid`.
    let plain = |field: &Arc<Field>| {
        let marks = field.metadata().iter().filter(|(key, _)| key.starts_with("pg."));
        let marks = marks.map(|(key, value)| (key.clone(), value.clone())).collect();
        Field::new(field.name(), plain_type(field.data_type()), true).with_metadata(marks)
    };
    of.iter().map(plain).collect()
}

fn plain_type(of: &DataType) -> DataType {
    let item = |field: &Arc<Field>| Arc::new(Field::new_list_field(plain_type(field.data_type()), true));
    match of {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        // Row numbers and ranks.
        DataType::UInt64 => DataType::Int64,
        DataType::Dictionary(_, value) => plain_type(value),
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::ListView(field)
        | DataType::LargeListView(field) => DataType::List(item(field)),
        DataType::Struct(fields) => DataType::Struct(plain_fields(fields).into()),
        other => other.clone(),
    }
}
