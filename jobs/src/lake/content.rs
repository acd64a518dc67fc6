//! A hash of the rows of a part. It depends on the rows and their order only, and neither on how they came in batches
//! nor on how Parquet encodes them.

use crate::tables::Table;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{ArrowError, DataType, TimeUnit};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// The content of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Summary {
    pub rows: u64,
    pub content: String,
}

/// Computes a [`Summary`]. Each column has its own hash, because rows arrive column by column.
pub(super) struct Content {
    columns: Vec<Sha256>,
    rows: u64,
    bytes: Vec<u8>,
}

impl Content {
    pub fn new(table: &Table) -> Self {
        let column = |name: &str, of: &DataType, nullable: bool| {
            Sha256::new_with_prefix(format!("{name}\0{of}\0{nullable}\0").as_bytes())
        };
        let columns = table.columns.iter().map(|one| column(one.name, &one.of.arrow(), one.nullable)).collect();
        Self { columns, rows: 0, bytes: Vec::new() }
    }

    /// Adds rows.
    ///
    /// # Errors
    /// If a column has a type that tables do not have.
    pub fn add(&mut self, rows: &RecordBatch) -> Result<(), ArrowError> {
        for (hash, column) in self.columns.iter_mut().zip(rows.columns()) {
            self.bytes.clear();
            push(column.as_ref(), &mut self.bytes)?;
            hash.update(&self.bytes);
        }
        self.rows += rows.num_rows() as u64;
        Ok(())
    }

    pub fn finish(self) -> Summary {
        let mut all = Sha256::new_with_prefix(self.rows.to_le_bytes());
        for column in self.columns {
            all.update(column.finalize());
        }
        Summary { rows: self.rows, content: HEXLOWER.encode(&all.finalize()) }
    }
}

/// Appends the values of a column so that different columns give different bytes.
fn push(column: &dyn Array, to: &mut Vec<u8>) -> Result<(), ArrowError> {
    match column.data_type() {
        DataType::Utf8 => {
            for value in column.as_string::<i32>().iter() {
                push_value(value.map(|text| text.len() as u64).map(u64::to_le_bytes), to);
                to.extend_from_slice(value.unwrap_or_default().as_bytes());
            }
        }
        DataType::Int64 => {
            column.as_primitive::<Int64Type>().iter().for_each(|one| push_value(one.map(i64::to_le_bytes), to));
        }
        DataType::Float64 => {
            column.as_primitive::<Float64Type>().iter().for_each(|one| push_value(one.map(f64::to_le_bytes), to));
        }
        DataType::Boolean => {
            column.as_boolean().iter().for_each(|one| push_value(one.map(|flag| [u8::from(flag)]), to));
        }
        DataType::Date32 => {
            column.as_primitive::<Date32Type>().iter().for_each(|one| push_value(one.map(i32::to_le_bytes), to));
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let times = column.as_primitive::<TimestampMicrosecondType>();
            times.iter().for_each(|one| push_value(one.map(i64::to_le_bytes), to));
        }
        DataType::Decimal128(..) => {
            column.as_primitive::<Decimal128Type>().iter().for_each(|one| push_value(one.map(i128::to_le_bytes), to));
        }
        DataType::List(_) => {
            for value in column.as_list::<i32>().iter() {
                push_value(value.as_ref().map(|list| (list.len() as u64).to_le_bytes()), to);
                if let Some(list) = value {
                    push(list.as_ref(), to)?;
                }
            }
        }
        other => return Err(ArrowError::SchemaError(format!("tables of the lake have no columns of type {other}"))),
    }
    Ok(())
}

fn push_value<const N: usize>(value: Option<[u8; N]>, to: &mut Vec<u8>) {
    to.push(u8::from(value.is_some()));
    to.extend(value.into_iter().flatten());
}
