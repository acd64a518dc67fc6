//! SQL for analysts: every way in (GraphQL, `POST /sql`, the PostgreSQL protocol, saved queries, the command line)
//! asks [`SqlService`], which hands the question to an engine process.

mod parameter;
mod service;

pub use parameter::Parameter;
pub use service::{Description, QueryError, QueryLimits, SqlAsker, SqlQuestion, SqlResult, SqlService};
