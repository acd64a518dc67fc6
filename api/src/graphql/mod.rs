//! The GraphQL schema.

mod casework;
mod catch;
pub mod change_feed;
mod complaint_children;
pub mod connection;
pub mod context;
mod enums;
pub mod error;
pub mod field_order;
mod filters;
mod guidance;
mod inline_resolver;
mod input;
mod loaders;
mod measures;
mod mutation;
mod node;
pub mod operation_thread;
mod order_by_measure;
mod page;
mod query;
mod redacted;
pub mod refresher;
mod response_children;
mod scalars;
mod shown;
mod statistics;
mod subscription;
mod tokens;
mod types;

pub use filters::ComplaintFilter;
pub use loaders::Loaders;
pub use page::DEFAULT_PAGE;
pub use query::scoped;
pub use shown::{Audiences, Shown};

use async_graphql::{SDLExportOptions, Schema, ValidationMode};
use mutation::Mutation;
use query::Query;
use subscription::Subscription;

/// Our schema.
pub type PhananhSchema = Schema<Query, Mutation, Subscription>;

/// What the executor would take, whatever the limits say: those are looked at before.
const DEEPEST_RECURSION: usize = 64;

/// Builds the schema. In production it gives no suggestions in its errors.
pub fn schema(dev: bool) -> PhananhSchema {
    let builder =
        Schema::build(Query::default(), Mutation::default(), Subscription).limit_recursive_depth(DEEPEST_RECURSION);
    if dev { builder.finish() } else { builder.disable_suggestions().finish() }
}

/// The same, for documents that were found valid with the variables that they come with.
pub fn trusting_schema(dev: bool) -> PhananhSchema {
    let builder = Schema::build(Query::default(), Mutation::default(), Subscription)
        .limit_recursive_depth(DEEPEST_RECURSION)
        .validation_mode(ValidationMode::Fast);
    if dev { builder.finish() } else { builder.disable_suggestions().finish() }
}

/// The same, for when something has panicked: a panic is an error of its field.
pub fn careful_schema(dev: bool) -> PhananhSchema {
    let builder = Schema::build(Query::default(), Mutation::default(), Subscription)
        .limit_recursive_depth(DEEPEST_RECURSION)
        .extension(catch::CatchPanics);
    if dev { builder.finish() } else { builder.disable_suggestions().finish() }
}

/// The schema in the schema language, in an order that does not change.
pub fn sdl(schema: &PhananhSchema) -> String {
    schema.sdl_with_options(SDLExportOptions::new().sorted_fields().sorted_arguments().sorted_enum_items())
}
