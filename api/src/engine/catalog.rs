//! `pg_catalog`, which tools ask for tables and columns.

use super::pg_functions;
use super::relations::Relations;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use datafusion_pg_catalog::pg_catalog::context::EmptyContextProvider;
use datafusion_pg_catalog::setup_pg_catalog;
use std::sync::Arc;

/// The name of the catalog, which tools show as the name of the database.
pub const CATALOG: &str = "phananh";
/// The schema of the tables.
pub const SCHEMA: &str = "public";

const PG_CATALOG: &str = "pg_catalog";

/// Adds `pg_catalog` and its functions to a context. `board`: whether the tables that only a BOARD reads are there.
///
/// # Errors
/// When the engine refuses them.
pub fn add(context: &SessionContext, board: bool) -> Result<(), DataFusionError> {
    setup_pg_catalog(context, CATALOG, EmptyContextProvider).map_err(|e| *e)?;
    let schemas = context.catalog(CATALOG);
    let catalog = schemas.as_ref().and_then(|schemas| schemas.schema(PG_CATALOG));
    if let (Some(schemas), Some(catalog)) = (schemas, catalog) {
        schemas.register_schema(PG_CATALOG, Arc::new(Relations::new(catalog, board)))?;
    }
    pg_functions::register(context, board)
}

/// Words of which a text that uses the catalog, or a function of it, contains one.
const WORDS: [&str; 14] = [
    "pg_",
    "information_schema",
    "current_",
    "session_user",
    "has_",
    "format_type",
    "quote_ident",
    "parse_ident",
    "array_upper",
    "reg",
    "version(",
    "_description",
    "json_build_object",
    "generate_subscripts",
];

/// Whether a text may use the catalog or a function of it. Both are added on their first use, which takes a moment.
pub fn is_named(text: &str) -> bool {
    let text = text.to_lowercase();
    WORDS.iter().any(|word| text.contains(word))
}

/// Whether a plan reads the catalog. Tools ask it as they like.
///
/// # Errors
/// When the plan cannot be walked.
pub fn is_read(plan: &LogicalPlan) -> Result<bool, DataFusionError> {
    let mut is_read = false;
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            is_read |= matches!(scan.table_name.schema(), Some(PG_CATALOG | "information_schema"));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(is_read)
}
