//! SQL over the snapshot, for analysts.
//!
//! A question is read before it runs ([`check`]): it is one SELECT over the tables here, and nothing that reads
//! files or changes anything. It runs in a process of its own ([`worker`]), so that one that needs too much
//! memory or time, or breaks the engine, harms nobody else.

mod check;
mod engine;
mod tables;
pub mod worker;

pub use check::{Question, SqlError, check};
pub use engine::{Answer, ColumnType};
pub use tables::{DESCRIBED, SOURCES, Shown, Source, sources, tables};
