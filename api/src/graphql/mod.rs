//! The GraphQL schema.

pub mod connection;
pub mod context;
mod enums;
pub mod error;
mod filters;
mod loaders;
mod mutation;
pub mod order;
mod page;
mod query;
mod scalars;
mod statistics;
mod types;

pub use loaders::Loaders;

use async_graphql::{EmptySubscription, SDLExportOptions, Schema};
use mutation::Mutation;
use query::Query;

/// Our schema.
pub type PhananhSchema = Schema<Query, Mutation, EmptySubscription>;

/// Deepest nesting of a query, and its most fields.
const DEEPEST: usize = 15;
const COMPLEXITY: usize = 2_000;
const DEEPEST_RECURSION: usize = 48;

/// Builds the schema. In production it gives no suggestions in its errors.
pub fn schema(dev: bool) -> PhananhSchema {
    let builder = Schema::build(Query, Mutation, EmptySubscription)
        .limit_depth(DEEPEST)
        .limit_complexity(COMPLEXITY)
        .limit_recursive_depth(DEEPEST_RECURSION);
    if dev { builder.finish() } else { builder.disable_suggestions().finish() }
}

/// The schema in the schema language, in an order that does not change.
pub fn sdl(schema: &PhananhSchema) -> String {
    schema.sdl_with_options(SDLExportOptions::new().sorted_fields().sorted_arguments().sorted_enum_items())
}
