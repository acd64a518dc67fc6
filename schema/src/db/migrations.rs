//! Migrations, embedded in the binary, one set for each database.

use super::{Conn, StoreError, dialect};
use diesel::migration::MigrationSource;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");

/// The migration from which on the chain of states has runs that are under way.
const RUNS_UNDER_WAY: &str = "20261128000016";

/// The migrations that a call applied, by name; empty where there was nothing to do.
#[derive(Debug, Clone, serde::Serialize)]
pub struct MigrationReport {
    pub applied: Vec<String>,
}

impl Conn {
    /// Applies what is pending. Two nodes that start at once take turns.
    pub fn migrate(&mut self) -> Result<MigrationReport, StoreError> {
        dialect::hold_migration_lock(self)?;
        let applied = match self {
            Self::Pg(c) => c.run_pending_migrations(POSTGRES).map(|done| names(&done)),
            Self::Sqlite(c) => c.run_pending_migrations(SQLITE).map(|done| names(&done)),
        };
        let applied = applied.map_err(|e| StoreError::Migration(e.to_string()));
        // While the lock is held, so that nobody writes between the tables and what is known of their rows.
        let applied = applied.and_then(|applied| {
            crate::states::take_over(self)?;
            if applied.iter().any(|version| version == RUNS_UNDER_WAY) {
                crate::states::take_over_runs(self)?;
            }
            Ok(applied)
        });
        dialect::release_migration_lock(self)?;
        applied.map(|applied| MigrationReport { applied })
    }

    /// Reverts everything: for tests of the `down` scripts.
    pub fn revert_all_migrations(&mut self) -> Result<(), StoreError> {
        match self {
            Self::Pg(c) => c.revert_all_migrations(POSTGRES).map(|_| ()),
            Self::Sqlite(c) => c.revert_all_migrations(SQLITE).map(|_| ()),
        }
        .map_err(|e| StoreError::Migration(e.to_string()))
    }

    /// The versions of the migrations of this binary.
    pub fn known_migrations(&self) -> Result<Vec<String>, StoreError> {
        let versions = match self {
            Self::Pg(_) => versions::<diesel::pg::Pg>(&POSTGRES),
            Self::Sqlite(_) => versions::<diesel::sqlite::Sqlite>(&SQLITE),
        };
        versions.map_err(|e| StoreError::Migration(e.to_string()))
    }

    /// Whether the database holds a register: some migration was applied to it.
    pub fn holds_register(&mut self) -> Result<bool, StoreError> {
        if !dialect::has_table(self, "__diesel_schema_migrations")? {
            return Ok(false);
        }
        let applied = match self {
            Self::Pg(c) => c.applied_migrations().map(|all| !all.is_empty()),
            Self::Sqlite(c) => c.applied_migrations().map(|all| !all.is_empty()),
        };
        applied.map_err(|e| StoreError::Migration(e.to_string()))
    }

    /// Migrations of this binary that the database lacks.
    pub fn has_pending_migrations(&mut self) -> Result<bool, StoreError> {
        match self {
            Self::Pg(c) => c.has_pending_migration(POSTGRES),
            Self::Sqlite(c) => c.has_pending_migration(SQLITE),
        }
        .map_err(|e| StoreError::Migration(e.to_string()))
    }
}

fn versions<DB: diesel::backend::Backend>(
    source: &impl MigrationSource<DB>,
) -> Result<Vec<String>, Box<dyn std::error::Error + Send + Sync>> {
    Ok(source.migrations()?.iter().map(|migration| migration.name().version().to_string()).collect())
}

fn names(versions: &[diesel::migration::MigrationVersion<'_>]) -> Vec<String> {
    versions.iter().map(ToString::to_string).collect()
}
