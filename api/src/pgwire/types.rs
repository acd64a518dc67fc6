//! The PostgreSQL types of the columns of an answer.

use arrow_schema::{DataType, Field, IntervalUnit, TimeUnit};
use pgwire::api::Type;
use pgwire::api::portal::Format;
use pgwire::api::results::{FieldFormat, FieldInfo};
use std::sync::Arc;

/// The metadata with which the catalog marks columns of `oid`, `regclass` and the like. Its arrays hold `Int32`.
const OID_ALIAS: &str = "pg.oid_alias";
/// The metadata with which the catalog marks columns of the internal type `"char"`. Its arrays hold texts.
const INTERNAL_CHAR: &str = "pg.char";

/// The type that is reported to clients.
pub fn pg_type(field: &Field) -> Type {
    let alias = field.metadata().get(OID_ALIAS).filter(|_| *field.data_type() == DataType::Int32);
    if let Some(alias) = alias.and_then(|name| oid_alias(name)) {
        return alias;
    }
    if field.metadata().contains_key(INTERNAL_CHAR) && is_text(field.data_type()) {
        return Type::CHAR;
    }
    of_arrow(field.data_type())
}

fn is_text(of: &DataType) -> bool {
    matches!(of, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn oid_alias(name: &str) -> Option<Type> {
    Some(match name {
        "oid" => Type::OID,
        "regproc" => Type::REGPROC,
        "regprocedure" => Type::REGPROCEDURE,
        "regoper" => Type::REGOPER,
        "regoperator" => Type::REGOPERATOR,
        "regclass" => Type::REGCLASS,
        "regtype" => Type::REGTYPE,
        "regnamespace" => Type::REGNAMESPACE,
        "regrole" => Type::REGROLE,
        _ => return None,
    })
}

/// The PostgreSQL type of an Arrow type. What PostgreSQL has no type for is shown as text.
pub fn of_arrow(of: &DataType) -> Type {
    match of {
        DataType::Boolean => Type::BOOL,
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => Type::INT2,
        DataType::Int32 | DataType::UInt16 => Type::INT4,
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => Type::INT8,
        DataType::Float16 | DataType::Float32 => Type::FLOAT4,
        DataType::Float64 => Type::FLOAT8,
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            Type::NUMERIC
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => Type::BYTEA,
        DataType::Date32 | DataType::Date64 => Type::DATE,
        DataType::Time32(_) | DataType::Time64(_) => Type::TIME,
        DataType::Timestamp(_, None) => Type::TIMESTAMP,
        DataType::Timestamp(_, Some(_)) => Type::TIMESTAMPTZ,
        DataType::Interval(_) | DataType::Duration(_) => Type::INTERVAL,
        DataType::Dictionary(_, value) => of_arrow(value),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => array_of(&of_arrow(item.data_type())),
        _ => Type::TEXT,
    }
}

/// The array type of an element type. A list of lists is shown as text.
fn array_of(element: &Type) -> Type {
    match *element {
        Type::BOOL => Type::BOOL_ARRAY,
        Type::INT2 => Type::INT2_ARRAY,
        Type::INT4 => Type::INT4_ARRAY,
        Type::INT8 => Type::INT8_ARRAY,
        Type::FLOAT4 => Type::FLOAT4_ARRAY,
        Type::FLOAT8 => Type::FLOAT8_ARRAY,
        Type::NUMERIC => Type::NUMERIC_ARRAY,
        Type::BYTEA => Type::BYTEA_ARRAY,
        Type::DATE => Type::DATE_ARRAY,
        Type::TIME => Type::TIME_ARRAY,
        Type::TIMESTAMP => Type::TIMESTAMP_ARRAY,
        Type::TIMESTAMPTZ => Type::TIMESTAMPTZ_ARRAY,
        Type::INTERVAL => Type::INTERVAL_ARRAY,
        Type::TEXT => Type::TEXT_ARRAY,
        _ => Type::TEXT,
    }
}

/// The Arrow type that values are cast to before they are written; None for those that are shown as text.
pub fn canonical(of: &DataType) -> Option<DataType> {
    Some(match of {
        DataType::Boolean => DataType::Boolean,
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => DataType::Int16,
        DataType::Int32 | DataType::UInt16 => DataType::Int32,
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => DataType::Int64,
        DataType::Float16 | DataType::Float32 => DataType::Float32,
        DataType::Float64 => DataType::Float64,
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Decimal128(..) | DataType::Decimal256(..) => of.clone(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            DataType::Binary
        }
        DataType::Date32 | DataType::Date64 => DataType::Date32,
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time64(TimeUnit::Microsecond),
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        DataType::Interval(_) | DataType::Duration(_) => DataType::Interval(IntervalUnit::MonthDayNano),
        DataType::Dictionary(_, value) => return canonical(value),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => match of_arrow(of) {
            Type::TEXT => return None,
            // A list of nulls is a list of texts.
            _ => {
                let of_items = canonical(item.data_type()).unwrap_or(DataType::Utf8);
                DataType::List(Arc::new(Field::new_list_field(of_items, true)))
            }
        },
        _ => return None,
    })
}

/// The columns of an answer as they are reported to clients.
pub fn fields(schema: &arrow_schema::Schema, format: &Format) -> Vec<FieldInfo> {
    let described = |(index, field): (usize, &Arc<Field>)| {
        let of = pg_type(field);
        let (size, modifier) = size_and_modifier(&of, field.data_type());
        FieldInfo::new(field.name().clone(), None, None, of, format_of(format, index))
            .with_type_size(size)
            .with_type_modifier(modifier)
    };
    schema.fields().iter().enumerate().map(described).collect()
}

/// The format of the column or parameter at an index. Where a client names too few formats, it is text.
pub fn format_of(format: &Format, index: usize) -> FieldFormat {
    match format {
        Format::UnifiedText => FieldFormat::Text,
        Format::UnifiedBinary => FieldFormat::Binary,
        Format::Individual(codes) => codes.get(index).map_or(FieldFormat::Text, |code| FieldFormat::from(*code)),
    }
}

/// `typlen` and `atttypmod`.
fn size_and_modifier(of: &Type, arrow: &DataType) -> (i16, i32) {
    let size = match *of {
        Type::BOOL | Type::CHAR => 1,
        Type::INT2 => 2,
        Type::INT4 | Type::FLOAT4 | Type::DATE => 4,
        Type::INT8 | Type::FLOAT8 | Type::TIME | Type::TIMESTAMP | Type::TIMESTAMPTZ => 8,
        Type::INTERVAL => 16,
        Type::OID | Type::REGPROC | Type::REGCLASS | Type::REGTYPE | Type::REGNAMESPACE | Type::REGROLE => 4,
        _ => -1,
    };
    let modifier = match arrow {
        DataType::Decimal128(precision, scale) if *scale >= 0 => {
            ((i32::from(*precision) << 16) | i32::from(*scale)) + 4
        }
        _ => -1,
    };
    (size, modifier)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_the_tables_has_one_of_postgresql() {
        let utc = Some("UTC".into());
        let texts = DataType::List(Arc::new(Field::new_list_field(DataType::Utf8View, true)));
        for (arrow, expected) in [
            (DataType::Utf8View, Type::TEXT),
            (DataType::UInt64, Type::INT8),
            (DataType::Date32, Type::DATE),
            (DataType::Timestamp(TimeUnit::Nanosecond, utc), Type::TIMESTAMPTZ),
            (DataType::Decimal128(18, 0), Type::NUMERIC),
            (DataType::Null, Type::TEXT),
            (texts.clone(), Type::TEXT_ARRAY),
            (DataType::List(Arc::new(Field::new_list_field(texts, true))), Type::TEXT),
        ] {
            assert_eq!(of_arrow(&arrow), expected, "{arrow}");
        }
    }

    #[test]
    fn columns_of_the_catalog_keep_their_types() {
        let marked = |of: DataType, key: &str, value: &str| {
            pg_type(&Field::new("c", of, true).with_metadata([(key.to_owned(), value.to_owned())].into()))
        };
        assert_eq!(marked(DataType::Int32, OID_ALIAS, "regtype"), Type::REGTYPE);
        assert_eq!(marked(DataType::Int32, OID_ALIAS, "other"), Type::INT4);
        assert_eq!(marked(DataType::Utf8, INTERNAL_CHAR, "char"), Type::CHAR);
    }
}
