//! The GraphQL schema: queries, mutations, subscriptions, and their resolvers.

mod audience_view;
mod audit_subjects;
pub mod change_feed;
pub mod connection;
pub mod context;
mod enums;
pub mod error;
pub mod exact_snapshots;
pub mod execute;
pub mod filter;
mod input;
pub mod json;
mod loaders;
mod page;
pub mod position_reader;
pub mod reads;
pub mod refresher;
mod scalars;
pub mod snapshot_position;
pub mod statistics_cache;
mod subscription;
mod types;

pub use audience_view::{AudienceView, AudienceViews};
pub use audit_subjects::{AskedSql, AuditSubjects, EndedSql};
pub use exact_snapshots::ExactSnapshots;
pub use loaders::Loaders;
pub use page::DEFAULT_PAGE;
pub use types::ComplaintFilter;
pub use types::complaint::LISTS as COMPLAINT_LISTS;
pub use types::complaint::{ListsWithoutExecutor, answer_without_executor};
pub use types::statistics::{
    Number, Shown, StatisticsDimension, StatisticsMeasure, camel_case, is_part_of_an_answer as is_part_of_a_statistic,
};

use async_graphql::{SDLExportOptions, Schema, ValidationMode};
use subscription::Subscription;
use types::{Mutation, Query};

/// The schema type.
pub type PhananhSchema = Schema<Query, Mutation, Subscription>;

/// Recursion limit of the executor. The limits of a role are lower and are checked first.
const DEEPEST_RECURSION: usize = 64;

/// Builds the schema. In production its errors make no suggestions.
pub fn schema(dev: bool) -> PhananhSchema {
    let builder =
        Schema::build(Query::default(), Mutation::default(), Subscription).limit_recursive_depth(DEEPEST_RECURSION);
    if dev { builder.finish() } else { builder.disable_suggestions().finish() }
}

/// The schema for documents that were already validated together with their variables.
pub fn prevalidated_schema(dev: bool) -> PhananhSchema {
    let builder = Schema::build(Query::default(), Mutation::default(), Subscription)
        .limit_recursive_depth(DEEPEST_RECURSION)
        .validation_mode(ValidationMode::Fast);
    if dev { builder.finish() } else { builder.disable_suggestions().finish() }
}

/// The schema for running a request again after a panic: a panic becomes an error of its field.
pub fn panic_catching_schema(dev: bool) -> PhananhSchema {
    let builder = Schema::build(Query::default(), Mutation::default(), Subscription)
        .limit_recursive_depth(DEEPEST_RECURSION)
        .extension(execute::panics::CatchPanics);
    if dev { builder.finish() } else { builder.disable_suggestions().finish() }
}

/// The schema in SDL, in a stable order.
pub fn sdl(schema: &PhananhSchema) -> String {
    schema.sdl_with_options(SDLExportOptions::new().sorted_fields().sorted_arguments().sorted_enum_items())
}
