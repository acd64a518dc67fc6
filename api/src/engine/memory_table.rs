//! A table of which the engine holds the columns that questions read.

use api::sql::protocol::TableColumns;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::datasource::memory::{DataSourceExec, MemorySourceConfig};
use datafusion::datasource::{TableProvider, TableType};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use jobs::tables::{Column, Table};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Rows of a slice. Threads share the slices of a table.
const SLICE: usize = 32_768;

/// A table. A plan over columns that the question was not given finds no rows, and the table notes which these are.
#[derive(Debug)]
pub struct MemoryTable {
    table: &'static Table,
    /// Without comments: the engine refuses plans whose parts have other metadata than the whole, as a count over a
    /// union of two tables.
    schema: SchemaRef,
    partitions: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By key; the columns of each by index. Columns that the question was not given may be of an earlier state, with
    /// other rows.
    pieces: BTreeMap<u32, BTreeMap<usize, Values>>,
    /// The indices of the columns that the question was given.
    given: BTreeSet<usize>,
    /// Columns that the plan scanned but was not given; empty for a bare `COUNT(*)`.
    needs: Option<BTreeSet<usize>>,
}

#[derive(Debug)]
struct Values {
    values: ArrayRef,
    bytes: u64,
}

impl MemoryTable {
    /// A table without rows, which `partitions` threads read.
    pub fn new(table: &'static Table, partitions: usize) -> Self {
        let fields: Vec<Field> = table.columns.iter().map(Column::field).collect();
        Self { table, schema: Arc::new(Schema::new(fields)), partitions: partitions.max(1), state: Mutex::default() }
    }

    /// Stores a column of a piece in place of an earlier version.
    ///
    /// # Errors
    /// When there is no such column, or it has another type.
    pub fn insert(&self, key: u32, column: &str, values: &ArrayRef) -> Result<()> {
        let index = self.column_index(column)?;
        if self.schema.field(index).data_type() != values.data_type() {
            return Err(DataFusionError::Execution(format!("{}.{column} has another type", self.table.name)));
        }
        let bytes = values.to_data().get_slice_memory_size()? as u64;
        let values = Values { values: Arc::clone(values), bytes };
        self.state().pieces.entry(key).or_default().insert(index, values);
        Ok(())
    }

    /// Removes a piece.
    pub fn remove(&self, key: u32) {
        self.state().pieces.remove(&key);
    }

    /// Begins a question, which has not been given any column yet.
    pub fn begin_question(&self) {
        let mut state = self.state();
        state.given.clear();
        state.needs = None;
    }

    /// Gives the question columns.
    ///
    /// # Errors
    /// When there is no such column.
    pub fn give(&self, columns: &[String]) -> Result<()> {
        let indices = columns.iter().map(|column| self.column_index(column)).collect::<Result<Vec<_>>>()?;
        self.state().given.extend(indices);
        Ok(())
    }

    /// The columns that the question needs beyond those that it was given; None if it has what it reads.
    pub fn needs(&self) -> Option<TableColumns> {
        let needs = self.state().needs.clone()?;
        Some(TableColumns::of(self.table, |index| needs.contains(&index)))
    }

    /// Bytes of all rows.
    pub fn bytes(&self) -> u64 {
        self.state().pieces.values().flat_map(BTreeMap::values).map(|held| held.bytes).sum()
    }

    fn column_index(&self, column: &str) -> Result<usize> {
        let index = self.table.columns.iter().position(|one| one.name == column);
        index.ok_or_else(|| DataFusionError::Execution(format!("there is no column {}.{column}", self.table.name)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rows in the columns of these indices, in partitions.
    fn rows(&self, indices: &[usize], schema: &SchemaRef) -> Result<Vec<Vec<RecordBatch>>> {
        let mut guard = self.state();
        let state = &mut *guard;
        let lacking = indices.iter().copied().filter(|index| !state.given.contains(index)).collect::<Vec<usize>>();
        let Some(counted) = state.given.first().filter(|_| lacking.is_empty()) else {
            state.needs.get_or_insert_default().extend(lacking);
            return Ok(vec![Vec::new()]);
        };
        let incomplete = || DataFusionError::Execution(format!("a piece of {} lacks a column", self.table.name));
        let mut slices = Vec::with_capacity(state.pieces.len());
        for columns in state.pieces.values() {
            let values = |index: &usize| Some(Arc::clone(&columns.get(index)?.values));
            let number = values(counted).ok_or_else(incomplete)?.len();
            let values = indices.iter().map(values).collect::<Option<Vec<ArrayRef>>>().ok_or_else(incomplete)?;
            let number_of_rows = RecordBatchOptions::new().with_row_count(Some(number));
            let rows = RecordBatch::try_new_with_options(Arc::clone(schema), values, &number_of_rows)?;
            slices.extend((0..number).step_by(SLICE).map(|start| rows.slice(start, SLICE.min(number - start))));
        }
        Ok(shared(slices, self.partitions))
    }
}

#[async_trait]
impl TableProvider for MemoryTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let indices = projection.cloned().unwrap_or_else(|| (0..self.table.columns.len()).collect());
        let schema = Arc::new(self.schema.project(&indices)?);
        let rows = self.rows(&indices, &schema)?;
        let show_sizes = state.config_options().explain.show_sizes;
        let source = MemorySourceConfig::try_new(&rows, schema, None)?.with_show_sizes(show_sizes);
        Ok(DataSourceExec::from_data_source(source))
    }
}

/// Divides the slices into this many partitions, each with consecutive ones.
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

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{StringArray, new_empty_array};
    use arrow_schema::DataType;
    use jobs::tables::table;

    fn texts(values: &[&str]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    /// The number of rows of a scan of columns.
    fn scanned(held: &MemoryTable, names: &[&str]) -> usize {
        let indices: Vec<usize> = names.iter().map(|name| held.column_index(name).unwrap()).collect();
        let schema = Arc::new(held.schema.project(&indices).unwrap());
        held.rows(&indices, &schema).unwrap().iter().flatten().map(RecordBatch::num_rows).sum()
    }

    #[test]
    fn columns_that_the_question_was_not_given_are_noted() {
        let held = MemoryTable::new(table("complaints").unwrap(), 2);
        held.insert(7, "kind", &texts(&["CONDUCT", "CONDUCT"])).unwrap();
        held.insert(9, "kind", &texts(&["TECHNICAL"])).unwrap();
        held.begin_question();
        assert_eq!((scanned(&held, &[]), held.needs().unwrap().columns), (0, Vec::new()), "any column");
        held.begin_question();
        held.give(&["kind".into()]).unwrap();
        assert_eq!((scanned(&held, &["kind"]), scanned(&held, &[]), held.needs()), (3, 3, None));
        assert_eq!(scanned(&held, &["kind", "unit", "complaint"]), 0);
        assert_eq!(held.needs().unwrap().columns, ["complaint", "unit"]);
        // Columns of an earlier state may have another number of rows.
        held.insert(9, "unit", &texts(&[])).unwrap();
        assert_eq!(scanned(&held, &["kind"]), 3);
        held.remove(7);
        assert_eq!(scanned(&held, &["kind"]), 1);
        assert!(
            held.insert(9, "kind", &new_empty_array(&DataType::Int64)).is_err() && held.give(&["none".into()]).is_err()
        );
    }
}
