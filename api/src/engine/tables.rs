//! The tables, as the engine holds them from one question to the next.

use super::memory_table::MemoryTable;
use api::sql::protocol::{ColumnName, LakeTables, PieceName, TableColumns};
use arrow_array::RecordBatch;
use datafusion::catalog::{MemorySchemaProvider, SchemaProvider};
use datafusion::datasource::TableProvider;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::{DataFusionError, Result};
use jobs::tables::TABLES;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The tables of one reader.
pub struct Tables {
    provider: Arc<MemorySchemaProvider>,
    by_name: BTreeMap<&'static str, Arc<MemoryTable>>,
}

impl Tables {
    /// All tables that the reader may ask, without rows. Those that only a BOARD reads are unknown to others.
    ///
    /// # Errors
    /// When the engine refuses one.
    pub fn new(board: bool, partitions: usize) -> Result<Self> {
        let mut tables = Self { provider: Arc::new(MemorySchemaProvider::new()), by_name: BTreeMap::new() };
        for &table in TABLES.iter().filter(|table| board || !table.board_only) {
            let table_rows = Arc::new(MemoryTable::new(table, partitions));
            tables.provider.register_table(table.name.to_owned(), Arc::clone(&table_rows) as Arc<dyn TableProvider>)?;
            tables.by_name.insert(table.name, table_rows);
        }
        Ok(tables)
    }

    /// The schema that the tables are in.
    pub fn provider(&self) -> Arc<dyn SchemaProvider> {
        Arc::clone(&self.provider) as Arc<dyn SchemaProvider>
    }

    /// Stores a column of a piece in place of an earlier version.
    ///
    /// # Errors
    /// When there is no such column, or it has another type.
    pub fn insert(&self, name: &ColumnName, rows: &RecordBatch) -> Result<()> {
        let [values] = rows.columns() else {
            return Err(DataFusionError::Execution(format!("not one column of {}", name.table)));
        };
        self.table(&name.table)?.insert(name.key, &name.column, values)
    }

    /// Removes a piece.
    ///
    /// # Errors
    /// When there is no such table.
    pub fn remove(&self, name: &PieceName) -> Result<()> {
        self.table(&name.table)?.remove(name.key);
        Ok(())
    }

    /// Begins a question, for which these columns and no others are as they are now.
    ///
    /// # Errors
    /// When there is no such column.
    pub fn give(&self, given: &[TableColumns]) -> Result<()> {
        self.by_name.values().for_each(|table| table.begin_question());
        given.iter().try_for_each(|one| self.table(&one.table)?.give(&one.columns))
    }

    /// The columns that plans of the question read and that it was not given.
    pub fn needs(&self) -> Vec<TableColumns> {
        self.by_name.values().filter_map(|table| table.needs()).collect()
    }

    /// Reads tables from the files of a lake.
    ///
    /// # Errors
    /// When there is no such table, or the engine refuses a file.
    pub fn read_lake(&self, files: &LakeTables) -> Result<()> {
        for (name, paths) in &files.0 {
            let table = self.table(name)?;
            let urls = paths.iter().map(ListingTableUrl::parse).collect::<Result<Vec<_>>>()?;
            // The columns have plain texts, as those of other tables.
            let format = ParquetFormat::default().with_force_view_types(false);
            let options = ListingOptions::new(Arc::new(format));
            let config = ListingTableConfig::new_with_multi_paths(urls)
                .with_listing_options(options)
                .with_schema(table.schema());
            let listed = ListingTable::try_new(config)?;
            self.provider.deregister_table(name)?;
            self.provider.register_table(name.to_owned(), Arc::new(listed))?;
        }
        Ok(())
    }

    /// Bytes of all rows.
    pub fn bytes(&self) -> u64 {
        self.by_name.values().map(|table| table.bytes()).sum()
    }

    fn table(&self, name: &str) -> Result<&MemoryTable> {
        let table = self.by_name.get(name).map(|table| &**table);
        table.ok_or_else(|| DataFusionError::Execution(format!("there is no table {name}")))
    }
}
