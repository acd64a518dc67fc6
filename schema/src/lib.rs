//! The store: tables, models, queries, both database backends, and the rules of the domain that depend on neither a
//! database nor a clock.

pub mod db;
pub mod domain;
pub mod enums;
pub mod events;
pub mod files;
pub mod import;
pub mod keys;
mod migrate;
pub mod models;
pub mod pseudonyms;
pub mod queries;
pub mod refusal;
pub mod register;
pub mod seal;
pub mod sheet;
pub mod sql_types;
pub mod states;
pub mod tables;
pub mod world;

pub use db::{Backend, Conn, Db, StoreError};
pub use sql_types::{Id, JsonText, JsonValue, Timestamp};
