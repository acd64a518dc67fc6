//! The options of an import, and its report.

use super::kinds::Kind;
use super::notices::Notices;
use super::tally::Tallied;
use super::{Mapping, RejectSink};
use crate::db::Db;

/// An import to be run.
#[derive(Clone, Copy)]
pub struct Import<'a> {
    pub db: &'a Db,
    pub kind: Kind,
    /// The name of the file, for messages.
    pub name: &'a str,
    pub mapping: &'a Mapping,
    pub options: &'a Options,
}

/// Options of an import.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Check everything, but roll every transaction back.
    pub dry_run: bool,
    /// Leave indexes out if the register holds no complaints. The caller holds the lock of
    /// [`Db::begin_import`], and calls [`Db::make_deferred_indexes`] in the end.
    pub defers_indexes: bool,
}

/// The outcome of an import, filled while it runs; it is also correct where an error stops the import.
pub struct Report<'a> {
    pub summary: Summary,
    pub rejects: RejectSink<'a>,
    pub notices: Notices<'a>,
    /// The report on the columns, filled when the import has finished.
    pub tallied: Tallied,
    pub progress: &'a mut dyn Progress,
}

/// The result of an import. `rows` counts rows of the file, the other fields count entities of the kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    pub rows: u64,
    pub read: u64,
    pub imported: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub rejected: u64,
}

/// Receives the progress: bytes and rows read, entities written. Returns false to stop the import.
pub trait Progress {
    fn reading(&mut self, bytes: u64, rows: u64) -> bool;
    fn writing(&mut self, summary: &Summary) -> bool;
}
