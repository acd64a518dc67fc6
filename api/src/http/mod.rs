//! HTTP: GraphQL, its explorer, and what those who run the service look at.

mod graphiql;
mod graphql;
mod health;
mod server;

pub use server::{Server, ServerOptions, listen};

use crate::access::Guard;
use crate::graphql::PhananhSchema;
use crate::graphql::context::App;

/// What every handler works with.
pub struct Service {
    pub app: App,
    pub schema: PhananhSchema,
    pub guard: Guard,
    pub sdl: String,
    /// Development: introspection without a token, GraphiQL, suggestions, statement counts.
    pub dev: bool,
}
