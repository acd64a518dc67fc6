//! The relations of `pg_catalog` about tables, their columns and comments.
//!
//! The catalog's crate numbers tables as it meets them, differently in each process. A tool that learns the number of a
//! table from one engine may ask another one about it, so that the numbers here are the same everywhere.

use super::settings::settings;
use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int16Array, Int32Array, RecordBatch, StringArray, new_null_array,
};
use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{MemTable, SchemaProvider};
use datafusion::datasource::TableProvider;
use datafusion::error::Result;
use datafusion_pg_catalog::pg_catalog::PG_CATALOG_TABLES;
use datafusion_pg_catalog::pg_catalog::oid_field::OID_ALIAS_KEY;
use jobs::tables::{TABLES, Table};
use std::sync::Arc;

/// The number of the first table. PostgreSQL gives the ones below to its own objects.
const FIRST_TABLE: i32 = 16_384;
/// The number of the first table of the catalog that has none in [`WELL_KNOWN`].
const FIRST_OF_CATALOG: i32 = 12_000;
/// The numbers of schemas.
const PUBLIC: i32 = 2_200;
const PG_CATALOG: i32 = 11;
const INFORMATION_SCHEMA: i32 = 13_000;
/// The owner of everything.
const OWNER: i32 = 10;

/// The cursors of a session, of which the engine knows none. Drivers ask for those that they did not declare.
const CURSORS: &str = "pg_cursors";

/// Tables of the catalog by whose numbers tools refer to what a comment or a dependency is about.
const WELL_KNOWN: [(&str, i32); 16] = [
    ("pg_class", CLASS),
    ("pg_attribute", 1_249),
    ("pg_type", 1_247),
    ("pg_proc", 1_255),
    ("pg_database", 1_262),
    ("pg_tablespace", 1_213),
    ("pg_authid", 1_260),
    ("pg_namespace", 2_615),
    ("pg_constraint", 2_606),
    ("pg_index", 2_610),
    ("pg_attrdef", 2_604),
    ("pg_description", 2_609),
    ("pg_trigger", 2_620),
    ("pg_rewrite", 2_618),
    ("pg_extension", 3_079),
    ("pg_sequence", 2_224),
];
const CLASS: i32 = 1_259;

/// Columns of tables without rows that hold vectors, which are texts in the catalog's crate.
const VECTORS: [(&str, DataType); 8] = [
    ("indkey", DataType::Int16),
    ("indoption", DataType::Int16),
    ("indclass", DataType::Int32),
    ("indcollation", DataType::Int32),
    ("conkey", DataType::Int16),
    ("confkey", DataType::Int16),
    ("confdelsetcols", DataType::Int16),
    ("conpfeqop", DataType::Int32),
];

/// The number of a table of that name, which may have a schema and quotes. A table of the schema `public` comes first.
pub fn oid(name: &str, board: bool) -> Option<i32> {
    let name = name.trim();
    if let Ok(number) = name.parse() {
        return Some(number);
    }
    let parts: Vec<String> = name.split('.').map(unquoted).collect();
    match parts.as_slice() {
        [name] => oid_of_table(name, board).or_else(|| oid_of_catalog(name)),
        [schema, name] if schema == "public" => oid_of_table(name, board),
        [schema, name] if schema == "pg_catalog" => oid_of_catalog(name),
        _ => None,
    }
}

/// The comment of a table, or of its n-th column.
pub fn comment(oid: i64, column: Option<i64>) -> Option<&'static str> {
    let table = TABLES.get(usize::try_from(oid - i64::from(FIRST_TABLE)).ok()?)?;
    match column {
        None => Some(table.comment),
        Some(column) => table.columns.get(usize::try_from(column - 1).ok()?).map(|column| column.comment),
    }
}

fn unquoted(part: &str) -> String {
    let quoted = part.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    quoted.map_or_else(|| part.to_lowercase(), str::to_owned)
}

fn tables(board: bool) -> impl Iterator<Item = (i32, &'static Table)> {
    (FIRST_TABLE..).zip(TABLES.iter().copied()).filter(move |(_, table)| board || !table.board_only)
}

fn oid_of_table(name: &str, board: bool) -> Option<i32> {
    tables(board).find(|(_, table)| table.name == name).map(|(oid, _)| oid)
}

fn oid_of_catalog(name: &str) -> Option<i32> {
    let known = WELL_KNOWN.iter().find(|(known, _)| *known == name).map(|(_, oid)| *oid);
    known.or_else(|| (FIRST_OF_CATALOG..).zip(PG_CATALOG_TABLES).find(|(_, one)| **one == name).map(|(oid, _)| oid))
}

/// The catalog's tables, with those about tables and columns replaced.
#[derive(Debug)]
pub struct Relations {
    catalog: Arc<dyn SchemaProvider>,
    board: bool,
}

impl Relations {
    pub fn new(catalog: Arc<dyn SchemaProvider>, board: bool) -> Self {
        Self { catalog, board }
    }

    async fn all(&self) -> Result<Vec<Relation>> {
        let own = |(oid, table): (i32, &Table)| Relation {
            oid,
            name: table.name.to_owned(),
            schema: PUBLIC,
            columns: table.schema(),
        };
        let mut all: Vec<Relation> = tables(self.board).map(own).collect();
        for name in PG_CATALOG_TABLES {
            if let (Some(oid), Some(table)) = (oid_of_catalog(name), self.catalog.table(name).await?) {
                all.push(Relation { oid, name: (*name).to_owned(), schema: PG_CATALOG, columns: table.schema() });
            }
        }
        Ok(all)
    }
}

#[async_trait]
impl SchemaProvider for Relations {
    fn table_names(&self) -> Vec<String> {
        self.catalog.table_names()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if name == CURSORS {
            let columns = ["name", "statement"].map(|name| Field::new(name, DataType::Utf8, true));
            return Ok(Some(Arc::new(MemTable::try_new(Arc::new(Schema::new(columns.to_vec())), vec![Vec::new()])?)));
        }
        let Some(table) = self.catalog.table(name).await? else { return Ok(None) };
        let schema = table.schema();
        let rows = match name.to_ascii_lowercase().as_str() {
            "pg_namespace" => namespaces(&schema)?,
            "pg_class" => classes(&schema, &self.all().await?)?,
            "pg_attribute" => attributes(&schema, &self.all().await?)?,
            "pg_description" => descriptions(&schema, self.board)?,
            "pg_settings" => values_of_settings(&schema)?,
            // There are no indexes and constraints.
            "pg_index" | "pg_constraint" => RecordBatch::new_empty(with_lists(&schema, |name| {
                VECTORS.iter().find(|(vector, _)| *vector == name).map(|(_, of)| of.clone())
            })),
            _ => return Ok(Some(table)),
        };
        Ok(Some(Arc::new(MemTable::try_new(rows.schema(), vec![vec![rows]])?)))
    }

    fn table_exist(&self, name: &str) -> bool {
        name == CURSORS || self.catalog.table_exist(name)
    }
}

/// A table as the catalog knows it. The metadata of its columns may have comments.
struct Relation {
    oid: i32,
    name: String,
    schema: i32,
    columns: SchemaRef,
}

fn namespaces(schema: &SchemaRef) -> Result<RecordBatch> {
    let schema = with_lists(schema, |name| (name == "nspacl").then_some(DataType::Utf8));
    let all = [(PUBLIC, "public"), (PG_CATALOG, "pg_catalog"), (INFORMATION_SCHEMA, "information_schema")];
    rows(
        &schema,
        all.len(),
        &[
            ("oid", numbers(all.iter().map(|(oid, _)| *oid))),
            ("nspname", texts(all.iter().map(|(_, name)| *name))),
            ("nspowner", numbers(all.iter().map(|_| OWNER))),
        ],
    )
}

fn classes(schema: &SchemaRef, all: &[Relation]) -> Result<RecordBatch> {
    let lists =
        ["relacl", "reloptions"].map(|name| Field::new_list(name, Field::new_list_field(DataType::Utf8, true), true));
    let fields: Vec<FieldRef> = schema.fields().iter().cloned().chain(lists.map(Arc::new)).collect();
    let unknown: ArrayRef = Arc::new(Float64Array::from(vec![-1.0; all.len()]));
    let one = |text: &'static str| texts(all.iter().map(move |_| text));
    rows(
        &Arc::new(Schema::new(fields)),
        all.len(),
        &[
            ("oid", numbers(all.iter().map(|one| one.oid))),
            ("relfilenode", numbers(all.iter().map(|one| one.oid))),
            ("relname", texts(all.iter().map(|one| one.name.as_str()))),
            ("relnamespace", numbers(all.iter().map(|one| one.schema))),
            ("relowner", numbers(all.iter().map(|_| OWNER))),
            ("reltuples", unknown),
            ("relpersistence", one("p")),
            ("relkind", one("r")),
            ("relreplident", one("d")),
            ("relispopulated", flags(all.iter().map(|_| true))),
            ("relnatts", small(all.iter().map(|one| one.columns.fields().len()))),
        ],
    )
}

fn attributes(schema: &SchemaRef, all: &[Relation]) -> Result<RecordBatch> {
    let each: Vec<(i32, usize, &FieldRef)> = all
        .iter()
        .flat_map(|one| one.columns.fields().iter().enumerate().map(move |(index, field)| (one.oid, index + 1, field)))
        .collect();
    let types: Vec<ColumnType> = each.iter().map(|(_, _, field)| ColumnType::for_field(field)).collect();
    let lengths: ArrayRef = Arc::new(types.iter().map(|of| Some(of.length)).collect::<Int16Array>());
    let schema = with_lists(schema, |name| (name == "attacl").then_some(DataType::Utf8));
    rows(
        &schema,
        each.len(),
        &[
            ("attrelid", numbers(each.iter().map(|(oid, _, _)| *oid))),
            ("attname", texts(each.iter().map(|(_, _, field)| field.name().as_str()))),
            ("attnum", small(each.iter().map(|(_, number, _)| *number))),
            ("attnotnull", flags(each.iter().map(|(_, _, field)| !field.is_nullable()))),
            ("atttypid", numbers(types.iter().map(|of| of.oid))),
            ("attlen", lengths),
            ("attbyval", flags(types.iter().map(|of| of.length > 0))),
            ("attndims", numbers(types.iter().map(|of| of.dimensions))),
            ("attalign", texts(types.iter().map(|of| of.alignment))),
            ("attstorage", texts(types.iter().map(|of| if of.length > 0 { "p" } else { "x" }))),
            ("attcompression", texts(each.iter().map(|_| ""))),
            ("attstattarget", numbers(each.iter().map(|_| -1))),
            ("attcacheoff", numbers(each.iter().map(|_| -1))),
            ("atttypmod", numbers(each.iter().map(|_| -1))),
            ("attislocal", flags(each.iter().map(|_| true))),
        ],
    )
}

fn descriptions(schema: &SchemaRef, board: bool) -> Result<RecordBatch> {
    let all: Vec<(i32, i32, &str)> = tables(board)
        .flat_map(|(oid, table)| {
            let of_columns = (1..).zip(table.columns).map(move |(number, column)| (oid, number, column.comment));
            std::iter::once((oid, 0, table.comment)).chain(of_columns)
        })
        .collect();
    rows(
        schema,
        all.len(),
        &[
            ("objoid", numbers(all.iter().map(|(oid, _, _)| *oid))),
            ("classoid", numbers(all.iter().map(|_| CLASS))),
            ("objsubid", numbers(all.iter().map(|(_, number, _)| *number))),
            ("description", texts(all.iter().map(|(_, _, comment)| *comment))),
        ],
    )
}

fn values_of_settings(schema: &SchemaRef) -> Result<RecordBatch> {
    let all = settings();
    let values = || texts(all.iter().map(|(_, value)| value.as_str()));
    let given = [("name", texts(all.iter().map(|(name, _)| *name))), ("setting", values()), ("reset_val", values())];
    rows(schema, all.len(), &given)
}

/// Rows with the given columns. The other columns hold null, or a value that means nothing.
fn rows(schema: &SchemaRef, number: usize, given: &[(&str, ArrayRef)]) -> Result<RecordBatch> {
    let column = |field: &FieldRef| {
        let found = given.iter().find(|(name, _)| *name == field.name().as_str());
        found.map_or_else(|| nothing(field, number), |(_, values)| Arc::clone(values))
    };
    Ok(RecordBatch::try_new(Arc::clone(schema), schema.fields().iter().map(column).collect())?)
}

fn nothing(field: &Field, number: usize) -> ArrayRef {
    match field.data_type() {
        of if field.is_nullable() => new_null_array(of, number),
        DataType::Boolean => Arc::new(BooleanArray::from(vec![false; number])),
        DataType::Int16 => Arc::new(Int16Array::from(vec![0; number])),
        DataType::Int32 => Arc::new(Int32Array::from(vec![0; number])),
        DataType::Float64 => Arc::new(Float64Array::from(vec![0.0; number])),
        DataType::Utf8 => texts(std::iter::repeat_n("", number)),
        of => new_null_array(of, number),
    }
}

/// A schema in which some columns, which may be null then, are lists of a type.
fn with_lists(schema: &SchemaRef, item: impl Fn(&str) -> Option<DataType>) -> SchemaRef {
    let field = |field: &FieldRef| match item(field.name()) {
        Some(of) => Arc::new(Field::new_list(field.name(), Field::new_list_field(of, true), true)),
        None => Arc::clone(field),
    };
    Arc::new(Schema::new(schema.fields().iter().map(field).collect::<Vec<FieldRef>>()))
}

fn numbers(all: impl Iterator<Item = i32>) -> ArrayRef {
    Arc::new(all.map(Some).collect::<Int32Array>())
}

fn texts<'t>(all: impl Iterator<Item = &'t str>) -> ArrayRef {
    Arc::new(all.map(Some).collect::<StringArray>())
}

fn flags(all: impl Iterator<Item = bool>) -> ArrayRef {
    Arc::new(all.map(Some).collect::<BooleanArray>())
}

/// Numbers of columns.
fn small(all: impl Iterator<Item = usize>) -> ArrayRef {
    Arc::new(all.map(|number| i16::try_from(number).ok()).collect::<Int16Array>())
}

/// A type of PostgreSQL.
struct ColumnType {
    oid: i32,
    /// Bytes; -1 where they vary.
    length: i16,
    alignment: &'static str,
    dimensions: i32,
}

impl ColumnType {
    fn for_field(field: &Field) -> Self {
        let (oid, length, alignment) = match field.data_type() {
            DataType::Int32 if field.metadata().contains_key(OID_ALIAS_KEY) => (26, 4, "i"),
            DataType::Boolean => (16, 1, "c"),
            DataType::Int16 => (21, 2, "s"),
            DataType::Int32 => (23, 4, "i"),
            DataType::Int64 => (20, 8, "d"),
            DataType::Float32 => (700, 4, "i"),
            DataType::Float64 => (701, 8, "d"),
            DataType::Date32 => (1_082, 4, "i"),
            DataType::Timestamp(_, None) => (1_114, 8, "d"),
            DataType::Timestamp(_, Some(_)) => (1_184, 8, "d"),
            DataType::Decimal128(..) => (1_700, -1, "i"),
            DataType::List(item) => {
                let oid = match item.data_type() {
                    DataType::Int16 => 1_005,
                    DataType::Int32 => 1_007,
                    _ => 1_009,
                };
                return Self { oid, length: -1, alignment: "i", dimensions: 1 };
            }
            _ => (25, -1, "i"),
        };
        Self { oid, length, alignment, dimensions: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_the_same_numbers_for_all_readers() {
        for board in [true, false] {
            assert_eq!(oid("complaints", board), Some(FIRST_TABLE));
            assert_eq!(oid("public.\"complaints\"", board), Some(FIRST_TABLE));
            assert_eq!(oid("PG_CLASS", board), Some(CLASS));
            assert_eq!(oid("pg_catalog.pg_class", board), Some(CLASS));
            assert_eq!(oid("16390", board), Some(16_390));
            for unknown in ["nothing", "pg_catalog.complaints", "\"COMPLAINTS\"", ""] {
                assert_eq!(oid(unknown, board), None, "{unknown}");
            }
        }
        assert!(oid("sources", true).is_some() && oid("sources", false).is_none(), "only the Board reads it");
    }

    #[test]
    fn no_two_tables_have_one_number() {
        let mut all: Vec<i32> = PG_CATALOG_TABLES.iter().filter_map(|name| oid_of_catalog(name)).collect();
        all.extend(tables(true).map(|(oid, _)| oid));
        let number = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), number);
    }

    #[test]
    fn comments_are_those_of_the_documentation() {
        let table = TABLES[0];
        let first = i64::from(FIRST_TABLE);
        assert_eq!(comment(first, None), Some(table.comment));
        assert_eq!(comment(first, Some(1)), Some(table.columns[0].comment));
        assert_eq!((comment(first, Some(0)), comment(first - 1, None)), (None, None));
    }
}
