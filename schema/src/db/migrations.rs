//! Migrations, embedded in the binary, one set for each database; and how a database compares with them.

use super::{Conn, StoreError, WriteTx, deferred, dialect, search_index};
use crate::tables::__diesel_schema_migrations as ran;
use diesel::dsl::sql;
use diesel::migration::MigrationSource;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::collections::BTreeSet;
use std::sync::LazyLock;

const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");

/// The chain of states includes running job runs from this migration on.
const RUNS_UNDER_WAY: &str = "20261128000016";

/// The versions of this binary's migrations for both databases.
static EMBEDDED: LazyLock<Result<BTreeSet<String>, String>> = LazyLock::new(|| {
    let of_postgres = versions::<diesel::pg::Pg>(&POSTGRES).map_err(|e| e.to_string())?;
    let of_sqlite = versions::<diesel::sqlite::Sqlite>(&SQLITE).map_err(|e| e.to_string())?;
    Ok(of_postgres.into_iter().chain(of_sqlite).collect())
});

/// A change by the program itself, made once, right after it applied a migration and in the same transaction.
pub(crate) struct DataMigration {
    /// The version of the migration.
    pub after: &'static str,
    /// The actor of the events.
    pub actor: &'static str,
    pub run: fn(&mut WriteTx<'_>) -> Result<(), StoreError>,
}

/// Comparison of a database's migrations with those of this binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MigrationStatus {
    Current,
    /// The database lacks migrations of this binary.
    Behind,
    /// The database has migrations that this binary does not know.
    Ahead(Vec<String>),
}

/// The versions of the migrations that a call applied; empty if none was pending.
#[derive(Debug, Clone, serde::Serialize)]
pub struct MigrationReport {
    pub applied: Vec<String>,
}

impl Conn {
    /// Applies pending migrations, each with its step in `data`. Processes that start at the same time take turns.
    ///
    /// # Errors
    /// `Newer` if the database has migrations that this binary does not know; then nothing changes.
    pub(crate) fn migrate(&mut self, data: &[DataMigration]) -> Result<MigrationReport, StoreError> {
        // A process with nothing to apply waits for no lock.
        if self.migration_status()? == MigrationStatus::Current && !crate::states::lacks_rows(self)? {
            return Ok(MigrationReport { applied: Vec::new() });
        }
        // SQLite only has the write lock.
        dialect::hold_migration_lock(self)?;
        let applied = dialect::in_write_transaction(self, |conn| conn.apply(data));
        dialect::release_migration_lock(self)?;
        applied.map(|applied| MigrationReport { applied })
    }

    /// Must run under a lock, so that no write comes between the migrations and the takeover of rows into the chain.
    fn apply(&mut self, data: &[DataMigration]) -> Result<Vec<String>, StoreError> {
        match self.migration_status()? {
            MigrationStatus::Ahead(migrations) => return Err(StoreError::Newer(migrations)),
            MigrationStatus::Behind => {
                let applied = self.applied_migrations()?;
                deferred::make_before_migrations(self, &applied)?;
            }
            MigrationStatus::Current => {}
        }
        let applied = match self {
            Self::Pg(c) => c.run_pending_migrations(POSTGRES).map(|done| names(&done)),
            Self::Sqlite(c) => c.run_pending_migrations(SQLITE).map(|done| names(&done)),
        };
        let applied = applied.map_err(|e| StoreError::Migration(e.to_string()))?;
        search_index::update(self)?;
        crate::states::backfill(self)?;
        if applied.iter().any(|version| version == RUNS_UNDER_WAY) {
            crate::states::backfill_runs(self)?;
        }
        for step in data.iter().filter(|step| applied.iter().any(|version| version == step.after)) {
            WriteTx::within_migration(self, step.actor, step.run)?;
        }
        Ok(applied)
    }

    /// Compares the database with this binary. Writes nothing.
    ///
    /// # Errors
    /// If the list of applied migrations cannot be read.
    pub fn migration_status(&mut self) -> Result<MigrationStatus, StoreError> {
        let applied = self.applied_migrations()?;
        let embedded = embedded_migrations()?;
        let unknown: Vec<String> = applied.iter().filter(|version| !embedded.contains(*version)).cloned().collect();
        if !unknown.is_empty() {
            return Ok(MigrationStatus::Ahead(unknown));
        }
        Ok(if applied.len() < embedded.len() { MigrationStatus::Behind } else { MigrationStatus::Current })
    }

    /// Checks that this binary knows all migrations of a migrated database.
    ///
    /// # Errors
    /// `Newer` if it does not: it would write rows that the newer version does not expect.
    pub(super) fn refuse_newer(&mut self) -> Result<(), StoreError> {
        let embedded = embedded_migrations()?;
        let mut unknown: Vec<String> = ran::table.order(ran::version).select(ran::version).load(self)?;
        unknown.retain(|version| !embedded.contains(version));
        if unknown.is_empty() { Ok(()) } else { Err(StoreError::Newer(unknown)) }
    }

    /// The migrations applied to a database; none if it is new.
    fn applied_migrations(&mut self) -> Result<Vec<String>, StoreError> {
        let is_there: bool = match self {
            Self::Pg(c) => {
                diesel::select(sql::<Bool>("to_regclass('__diesel_schema_migrations') IS NOT NULL")).get_result(c)?
            }
            Self::Sqlite(c) => diesel::select(sql::<Bool>(
                "EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '__diesel_schema_migrations')",
            ))
            .get_result(c)?,
        };
        if !is_there {
            return Ok(Vec::new());
        }
        Ok(ran::table.order(ran::version).select(ran::version).load(self)?)
    }

    /// Whether the database holds a register, that is, any migration was applied to it.
    ///
    /// # Errors
    /// If the list of applied migrations cannot be read.
    pub fn holds_register(&mut self) -> Result<bool, StoreError> {
        Ok(!self.applied_migrations()?.is_empty())
    }

    /// Reverts all migrations, for tests of the `down` scripts.
    ///
    /// # Errors
    /// `Migration` if a `down` script fails.
    pub fn revert_all_migrations(&mut self) -> Result<(), StoreError> {
        match self {
            Self::Pg(c) => c.revert_all_migrations(POSTGRES).map(|_| ()),
            Self::Sqlite(c) => c.revert_all_migrations(SQLITE).map(|_| ()),
        }
        .map_err(|e| StoreError::Migration(e.to_string()))
    }
}

/// The versions of this binary's migrations.
///
/// # Errors
/// If the embedded migrations cannot be read.
pub fn embedded_migrations() -> Result<&'static BTreeSet<String>, StoreError> {
    EMBEDDED.as_ref().map_err(|message| StoreError::Migration(message.clone()))
}

fn versions<DB: diesel::backend::Backend>(
    source: &impl MigrationSource<DB>,
) -> Result<Vec<String>, Box<dyn std::error::Error + Send + Sync>> {
    Ok(source.migrations()?.iter().map(|migration| migration.name().version().to_string()).collect())
}

fn names(versions: &[diesel::migration::MigrationVersion<'_>]) -> Vec<String> {
    versions.iter().map(ToString::to_string).collect()
}
