//! SQL for analysts. All interfaces (GraphQL, `POST /sql`, the PostgreSQL protocol, saved queries, the command line)
//! call [`SqlService`], which passes the question to an engine process.

mod asking;
pub mod audit;
pub mod cells;
pub mod formats;
mod lake;
pub mod misread;
mod named;
mod parameter;
mod pool;
mod process;
mod program;
pub mod protocol;
mod question;
mod result;
mod saved;
mod service;

pub use lake::Lake;
pub use parameter::Parameter;
pub(crate) use process::Answer;
pub use question::{QueryError, QueryLimits, SqlAsker, SqlQuestion};
pub use result::SqlResult;
pub use saved::SavedRun;
pub use service::{Description, SqlCounts, SqlService, SqlSource};

/// The version of PostgreSQL that the server reports: clients choose their queries of the catalog by it.
pub const POSTGRES_VERSION: &str = "16.6";
