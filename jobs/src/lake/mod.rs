//! The lake: the tables of analysts as Parquet files in a folder, for tools that read files.
//!
//! | path | contents |
//! | --- | --- |
//! | `<table>/<part>.parquet` | the newest state: a file for each month of a long table, `all.parquet` of another |
//! | `.versions/<table>/<part>-<hash>.parquet` | the same files under names that no other contents ever get |
//! | `manifest.json` | position, key version, and each file with its rows and SHA-256 |
//! | `lake.sql`, `lake.<engine>.sql` | the statements that make the tables in an engine |
//!
//! A sync writes only the parts whose rows changed. It adds new versions next to the old ones, replaces the manifest by
//! a rename, and only then the statements and the newest files, each by a rename. A reader of the manifest or of
//! `lake.sql` therefore reads one state, also while a sync runs: files of the state before stay for some hours. The
//! files of a table's folder are links to versions: a pattern such as `complaints/*.parquet` finds each part once,
//! because a sync replaces the file of a part and never adds a second one.

mod conditions;
mod content;
mod folder;
mod identity;
pub mod invented;
mod manifest;
mod months;
mod parts;
pub mod recurrence;
mod statements;
pub mod statistics;
mod sync;
#[cfg(test)]
mod tests;
mod verify;

pub use conditions::{Condition, Named};
pub use identity::{check_register, is_newest};
pub use manifest::{LakeFile, Manifest, TableFiles};
pub use sync::{SyncOptions, Synced, sync};
pub use verify::{Verified, verify};

use crate::JobError;
use crate::snapshot::Snapshot;
use crate::tables::{TABLES, Table, TableReader};
use schema::enums::Role;
use schema::keys::Keys;
use schema::pseudonyms::Audience;
use std::path::Path;
use std::sync::Arc;

/// The roles for which a lake can be made.
pub const ROLES: [Role; 2] = [Role::DataTeam, Role::Board];

/// Loads the newest snapshot.
pub type Load<'a> = &'a dyn Fn() -> Result<Arc<Snapshot>, JobError>;

/// The tables of a role's lake.
fn tables_of(role: Role) -> impl Iterator<Item = &'static Table> {
    TABLES.iter().copied().filter(move |table| !table.board_only || role == Role::Board)
}

/// The reader for whom the tables of a lake are made: its pseudonyms are those of the role's exports.
fn reader_of(keys: &Keys, role: Role) -> TableReader {
    TableReader { pseudonyms: keys.pseudonyms(Audience::Export(role)), board: role == Role::Board, officer: None }
}

fn failed(at: &Path, message: impl std::fmt::Display) -> JobError {
    JobError::Lake { path: at.display().to_string(), message: message.to_string() }
}
