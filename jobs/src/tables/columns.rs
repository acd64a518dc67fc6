//! Declares a table in the file of its rows: the columns, a row with a field for each of them, and the builders of
//! their arrays.

use super::{ColumnSet, ColumnType, Table};
use crate::JobError;
use crate::facts::days::day_number;
use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use chrono::NaiveDate;
use schema::Timestamp;

/// The content of a column: its type, whether a value may be missing, and how its array is built. `Option<Text>` is a
/// column whose values may be missing.
pub(super) trait Cell {
    const OF: ColumnType;
    const NULLABLE: bool;
    type Value<'a>: Copy;
    type Builder: ArrayBuilder;

    /// A builder with room for some rows.
    fn builder(rows: usize) -> Self::Builder;

    fn append(to: &mut Self::Builder, value: Self::Value<'_>);
}

pub(super) enum Text {}
pub(super) enum Whole {}
pub(super) enum Float {}
pub(super) enum Flag {}
pub(super) enum Day {}
pub(super) enum Instant {}
pub(super) enum Money {}

/// Bytes of a text for which a builder reserves room.
const TEXT: usize = 16;

impl Cell for Text {
    const OF: ColumnType = ColumnType::Text;
    const NULLABLE: bool = false;
    type Value<'a> = &'a str;
    type Builder = StringBuilder;

    fn builder(rows: usize) -> StringBuilder {
        StringBuilder::with_capacity(rows, rows * TEXT)
    }

    fn append(to: &mut StringBuilder, value: &str) {
        to.append_value(value);
    }
}

impl Cell for Option<Text> {
    const OF: ColumnType = ColumnType::Text;
    const NULLABLE: bool = true;
    type Value<'a> = Option<&'a str>;
    type Builder = StringBuilder;

    fn builder(rows: usize) -> StringBuilder {
        Text::builder(rows)
    }

    fn append(to: &mut StringBuilder, value: Option<&str>) {
        to.append_option(value);
    }
}

/// Implements [`Cell`] for values that a builder takes as another type.
macro_rules! cells {
    ($( $of:ident: $value:ty as $builder:ty, $new:expr, $into:expr; )+) => {
        $(
            impl Cell for $of {
                const OF: ColumnType = ColumnType::$of;
                const NULLABLE: bool = false;
                type Value<'a> = $value;
                type Builder = $builder;

                fn builder(rows: usize) -> $builder {
                    $new(rows)
                }

                fn append(to: &mut $builder, value: $value) {
                    to.append_value($into(value));
                }
            }

            impl Cell for Option<$of> {
                const OF: ColumnType = ColumnType::$of;
                const NULLABLE: bool = true;
                type Value<'a> = Option<$value>;
                type Builder = $builder;

                fn builder(rows: usize) -> $builder {
                    $new(rows)
                }

                fn append(to: &mut $builder, value: Option<$value>) {
                    to.append_option(value.map($into));
                }
            }
        )+
    };
}

cells! {
    Whole: i64 as Int64Builder, Int64Builder::with_capacity, same;
    Float: f64 as Float64Builder, Float64Builder::with_capacity, same;
    Flag: bool as BooleanBuilder, BooleanBuilder::with_capacity, same;
    Day: NaiveDate as Date32Builder, Date32Builder::with_capacity, day_number;
    Instant: Timestamp as TimestampMicrosecondBuilder, instants, Timestamp::micros;
    Money: i64 as Decimal128Builder, amounts, i128::from;
}

fn same<T>(value: T) -> T {
    value
}

fn instants(rows: usize) -> TimestampMicrosecondBuilder {
    TimestampMicrosecondBuilder::with_capacity(rows).with_data_type(ColumnType::Instant.arrow())
}

fn amounts(rows: usize) -> Decimal128Builder {
    Decimal128Builder::with_capacity(rows).with_data_type(ColumnType::Money.arrow())
}

/// Declares a table: `TABLE`, a `Row` with a field for each column, and `Rows`, which collects rows into a batch. With
/// `by column` it declares `Values` in their place, which makes each column for itself.
macro_rules! declare_table {
    (@month) => { None };
    (@month $month:literal) => { Some($month) };
    (@board) => { false };
    (@board $board:literal) => { $board };
    (
        @table $name:literal: $comment:literal
        { $( $column:ident: $of:ty = $said:literal, )+ }
        { $( $month:literal )? }
        { $( $board:literal )? }
    ) => {
        pub(in crate::tables) static TABLE: $crate::tables::Table = $crate::tables::Table {
            name: $name,
            comment: $comment,
            columns: &[$(
                $crate::tables::Column {
                    name: stringify!($column),
                    of: <$of as $crate::tables::columns::Cell>::OF,
                    nullable: <$of as $crate::tables::columns::Cell>::NULLABLE,
                    comment: $said,
                }
            ),+],
            month_of: $crate::tables::columns::declare_table!(@month $( $month )?),
            board_only: $crate::tables::columns::declare_table!(@board $( $board )?),
        };
    };
    (
        by column $name:literal: $comment:literal
        { $( $column:ident: $of:ty = $said:literal, )+ }
        $( month_of: $month:literal )?
        $( board_only: $board:literal )?
    ) => {
        $crate::tables::columns::declare_table! {
            @table $name: $comment { $( $column: $of = $said, )+ } { $( $month )? } { $( $board )? }
        }

        /// The value of each column, by the place of a row.
        struct Values<'v> {
            $( $column: &'v dyn Fn(usize) -> <$of as $crate::tables::columns::Cell>::Value<'v> ),+
        }

        impl Values<'_> {
            /// The wanted columns of some rows, in their order.
            fn make(
                &self,
                rows: &[u32],
                wanted: $crate::tables::ColumnSet,
            ) -> Result<arrow_array::RecordBatch, $crate::JobError> {
                let each: &[&dyn Fn() -> arrow_array::ArrayRef] =
                    &[ $( &|| $crate::tables::columns::column_of::<$of>(rows, self.$column) ),+ ];
                let columns = wanted.places().filter_map(|index| Some((each.get(index)?)())).collect();
                $crate::tables::columns::some_columns(&TABLE, wanted, columns, rows.len())
            }
        }
    };
    (
        $name:literal: $comment:literal
        { $( $column:ident: $of:ty = $said:literal, )+ }
        $( month_of: $month:literal )?
        $( board_only: $board:literal )?
    ) => {
        $crate::tables::columns::declare_table! {
            @table $name: $comment { $( $column: $of = $said, )+ } { $( $month )? } { $( $board )? }
        }

        #[derive(Clone, Copy)]
        struct Row<'a> {
            $( $column: <$of as $crate::tables::columns::Cell>::Value<'a> ),+
        }

        struct Rows {
            $( $column: <$of as $crate::tables::columns::Cell>::Builder ),+
        }

        impl Rows {
            /// Reserves room for some rows.
            fn new(rows: usize) -> Self {
                Self { $( $column: <$of as $crate::tables::columns::Cell>::builder(rows) ),+ }
            }

            fn push(&mut self, row: Row<'_>) {
                $( <$of as $crate::tables::columns::Cell>::append(&mut self.$column, row.$column); )+
            }

            fn finish(mut self) -> Result<arrow_array::RecordBatch, $crate::JobError> {
                let columns = vec![ $( arrow_array::builder::ArrayBuilder::finish(&mut self.$column) ),+ ];
                $crate::tables::columns::batch(&TABLE, columns)
            }
        }
    };
}
pub(super) use declare_table;

/// The columns of a table as a batch.
///
/// # Errors
/// If the columns do not fit the schema of the table.
pub(super) fn batch(table: &Table, columns: Vec<ArrayRef>) -> Result<RecordBatch, JobError> {
    Ok(RecordBatch::try_new(table.schema(), columns)?)
}

/// The values of a column in some rows, in their order.
pub(super) fn column_of<'v, C: Cell>(rows: &[u32], value: &dyn Fn(usize) -> C::Value<'v>) -> ArrayRef {
    let mut column = C::builder(rows.len());
    for row in rows {
        C::append(&mut column, value(*row as usize));
    }
    ArrayBuilder::finish(&mut column)
}

/// Some columns of a table as a batch.
///
/// # Errors
/// If the columns do not fit the schema of the wanted ones.
pub(super) fn some_columns(
    table: &Table,
    wanted: ColumnSet,
    columns: Vec<ArrayRef>,
    rows: usize,
) -> Result<RecordBatch, JobError> {
    let schema = table.schema().project(&wanted.places().collect::<Vec<usize>>())?;
    let rows = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(schema.into(), columns, &rows)?)
}
