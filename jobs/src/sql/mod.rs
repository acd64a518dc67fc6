//! SQL over the snapshot, for analysts.
//!
//! [`check`] parses a query first: only one SELECT over the tables defined here may run, which reads no files and
//! changes nothing. Each query runs in a process of its own ([`worker`]), so that one that exceeds its memory or time,
//! or crashes the engine, does not affect the server.

mod check;
mod described;
mod engine;
mod tables;
pub mod worker;

pub use check::{CheckedQuery, SqlError, check};
pub use described::{SOURCES, TABLES};
pub use engine::{Answer, ColumnType};
pub use tables::{Source, Visibility, sources, tables};
