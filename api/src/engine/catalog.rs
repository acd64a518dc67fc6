//! `pg_catalog`, which tools ask for tables and columns.

use super::pg_functions;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use datafusion_pg_catalog::pg_catalog::context::EmptyContextProvider;
use datafusion_pg_catalog::setup_pg_catalog;

/// The name of the catalog: what tools call the database.
pub const CATALOG: &str = "phananh";
/// The schema of the tables.
pub const SCHEMA: &str = "public";

/// Adds `pg_catalog` and its functions to a context.
///
/// # Errors
/// When the engine refuses them.
pub fn add(context: &SessionContext) -> Result<(), DataFusionError> {
    setup_pg_catalog(context, CATALOG, EmptyContextProvider).map_err(|e| *e)?;
    pg_functions::register(context)
}

/// What occurs in texts that use the catalog or a function of it.
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
