//! The tables, as the engine holds them from one question to the next.

use api::sql::protocol::{LakeTables, PieceName};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{ArrowError, Field, Schema, SchemaRef};
use datafusion::catalog::{MemTable, MemorySchemaProvider, SchemaProvider};
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::{DataFusionError, Result};
use jobs::tables::{TABLES, Table, table};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Rows of a slice. Threads share the slices of a table.
const SLICE: usize = 32_768;

/// A piece.
struct Held {
    rows: RecordBatch,
    bytes: u64,
}

/// The schema of a table without comments: the engine refuses plans whose parts have other metadata than the whole, as a
/// count over a union of two tables.
fn without_comments(table: &Table) -> SchemaRef {
    let plain = |field: &Arc<Field>| field.as_ref().clone().with_metadata(HashMap::new());
    Arc::new(Schema::new(table.schema().fields().iter().map(plain).collect::<Vec<Field>>()))
}

/// The tables of one reader.
pub struct Tables {
    provider: Arc<MemorySchemaProvider>,
    pieces: BTreeMap<&'static str, BTreeMap<u32, Held>>,
    changed: BTreeSet<&'static str>,
    partitions: usize,
}

impl Tables {
    /// All tables that the reader may ask, without rows. Those that only a BOARD reads are unknown to others.
    ///
    /// # Errors
    /// When the engine refuses one.
    pub fn new(board: bool, partitions: usize) -> Result<Self> {
        let mut tables = Self {
            provider: Arc::new(MemorySchemaProvider::new()),
            pieces: BTreeMap::new(),
            changed: BTreeSet::new(),
            partitions: partitions.max(1),
        };
        for table in TABLES.iter().filter(|table| board || !table.board_only) {
            tables.pieces.insert(table.name, BTreeMap::new());
            tables.changed.insert(table.name);
        }
        tables.register()?;
        Ok(tables)
    }

    /// The schema that the tables are in.
    pub fn provider(&self) -> Arc<dyn SchemaProvider> {
        Arc::clone(&self.provider) as Arc<dyn SchemaProvider>
    }

    /// Takes a piece in, in the place of an earlier version.
    ///
    /// # Errors
    /// When there is no such table, or its columns are others.
    pub fn put(&mut self, name: &PieceName, rows: &RecordBatch) -> Result<()> {
        let table = self.known(&name.table)?;
        let schema = without_comments(table);
        let is_same = |(a, b): (&Arc<Field>, &Arc<Field>)| a.data_type() == b.data_type();
        let of_table = schema.fields().iter().zip(rows.schema_ref().fields()).all(is_same);
        if !of_table || schema.fields().len() != rows.num_columns() {
            return Err(DataFusionError::Execution(format!("a piece of {} has other columns", table.name)));
        }
        let rows = RecordBatch::try_new(schema, rows.columns().to_vec())?;
        // The columns of a piece lie in one buffer: each counts only its part.
        let sizes = rows.columns().iter().map(|column| column.to_data().get_slice_memory_size());
        let bytes = sizes.sum::<std::result::Result<usize, ArrowError>>()? as u64;
        self.pieces.entry(table.name).or_default().insert(name.key, Held { rows, bytes });
        self.changed.insert(table.name);
        Ok(())
    }

    /// Removes a piece.
    ///
    /// # Errors
    /// When there is no such table.
    pub fn remove(&mut self, name: &PieceName) -> Result<()> {
        let table = self.known(&name.table)?;
        self.pieces.entry(table.name).or_default().remove(&name.key);
        self.changed.insert(table.name);
        Ok(())
    }

    /// Makes what came in visible to questions.
    ///
    /// # Errors
    /// When the engine refuses a table.
    pub fn register(&mut self) -> Result<()> {
        for name in std::mem::take(&mut self.changed) {
            let table = self.known(name)?;
            let slices = self.pieces.get(name).into_iter().flat_map(BTreeMap::values).flat_map(slices);
            let rows = MemTable::try_new(without_comments(table), shared(slices.collect(), self.partitions))?;
            self.provider.deregister_table(name)?;
            self.provider.register_table(name.to_owned(), Arc::new(rows))?;
        }
        Ok(())
    }

    /// Reads tables from the files of a lake.
    ///
    /// # Errors
    /// When there is no such table, or the engine refuses a file.
    pub fn read_lake(&mut self, files: &LakeTables) -> Result<()> {
        for (name, paths) in &files.0 {
            let table = self.known(name)?;
            let urls = paths.iter().map(ListingTableUrl::parse).collect::<Result<Vec<_>>>()?;
            // The columns have plain texts, as those of other tables.
            let format = ParquetFormat::default().with_force_view_types(false);
            let options = ListingOptions::new(Arc::new(format));
            let config = ListingTableConfig::new_with_multi_paths(urls)
                .with_listing_options(options)
                .with_schema(without_comments(table));
            let listed = ListingTable::try_new(config)?;
            self.changed.remove(table.name);
            self.provider.deregister_table(table.name)?;
            self.provider.register_table(table.name.to_owned(), Arc::new(listed))?;
        }
        Ok(())
    }

    /// Whether this is a table with rows of its own.
    pub fn has(&self, name: &str) -> bool {
        self.pieces.contains_key(name)
    }

    /// Bytes of all rows.
    pub fn bytes(&self) -> u64 {
        self.pieces.values().flat_map(BTreeMap::values).map(|held| held.bytes).sum()
    }

    fn known(&self, name: &str) -> Result<&'static Table> {
        let table = table(name).filter(|table| self.pieces.contains_key(table.name));
        table.ok_or_else(|| DataFusionError::Execution(format!("there is no table {name}")))
    }
}

fn slices(held: &Held) -> impl Iterator<Item = RecordBatch> {
    let rows = &held.rows;
    (0..rows.num_rows()).step_by(SLICE).map(move |start| rows.slice(start, SLICE.min(rows.num_rows() - start)))
}

/// The slices in so many partitions, each with consecutive ones.
fn shared(slices: Vec<RecordBatch>, partitions: usize) -> Vec<Vec<RecordBatch>> {
    let each = slices.len().div_ceil(partitions).max(1);
    let mut shared: Vec<Vec<RecordBatch>> = Vec::with_capacity(partitions);
    let mut slices = slices.into_iter().peekable();
    while slices.peek().is_some() {
        shared.push(slices.by_ref().take(each).collect());
    }
    if shared.is_empty() {
        shared.push(Vec::new());
    }
    shared
}
