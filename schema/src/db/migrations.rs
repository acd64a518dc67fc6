//! Migrations, embedded in the binary, one set for each database.

use super::{Conn, StoreError, dialect};
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

/// The migration from which on the chain of states has runs that are under way.
const RUNS_UNDER_WAY: &str = "20261128000016";

/// The versions of the migrations of this binary, of either database.
static KNOWN: LazyLock<Result<BTreeSet<String>, String>> = LazyLock::new(|| {
    let of_postgres = versions::<diesel::pg::Pg>(&POSTGRES).map_err(|e| e.to_string())?;
    let of_sqlite = versions::<diesel::sqlite::Sqlite>(&SQLITE).map_err(|e| e.to_string())?;
    Ok(of_postgres.into_iter().chain(of_sqlite).collect())
});

/// How the tables of a database compare with this binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    Current,
    /// Migrations of this binary are missing.
    Behind,
    /// It has migrations that this binary does not know.
    Ahead(Vec<String>),
}

/// The migrations that a call applied, by name; empty where there was nothing to do.
#[derive(Debug, Clone, serde::Serialize)]
pub struct MigrationReport {
    pub applied: Vec<String>,
}

impl Conn {
    /// Applies what is pending. Several processes that start at once take turns.
    ///
    /// # Errors
    /// `Newer` where the database has migrations that this binary does not know: nothing is changed then.
    pub fn migrate(&mut self) -> Result<MigrationReport, StoreError> {
        if matches!(self, Self::Pg(_)) {
            dialect::hold_migration_lock(self)?;
            let applied = dialect::at_once(self, Self::apply);
            dialect::release_migration_lock(self)?;
            return applied.map(|applied| MigrationReport { applied });
        }
        // The only lock of SQLite is that of a write, for which whoever has nothing to apply does not wait.
        let is_done = self.standing()? == Standing::Current && !crate::states::lacks_rows(self)?;
        let applied = if is_done { Vec::new() } else { dialect::at_once(self, Self::apply)? };
        Ok(MigrationReport { applied })
    }

    /// While a lock is held, so that nobody writes between the tables and what is known of their rows.
    fn apply(&mut self) -> Result<Vec<String>, StoreError> {
        if let Standing::Ahead(migrations) = self.standing()? {
            return Err(StoreError::Newer(migrations));
        }
        let applied = match self {
            Self::Pg(c) => c.run_pending_migrations(POSTGRES).map(|done| names(&done)),
            Self::Sqlite(c) => c.run_pending_migrations(SQLITE).map(|done| names(&done)),
        };
        let applied = applied.map_err(|e| StoreError::Migration(e.to_string()))?;
        crate::states::take_over(self)?;
        if applied.iter().any(|version| version == RUNS_UNDER_WAY) {
            crate::states::take_over_runs(self)?;
        }
        Ok(applied)
    }

    /// How the database stands to this binary. Nothing is written.
    pub fn standing(&mut self) -> Result<Standing, StoreError> {
        let applied = self.applied_migrations()?;
        let known = known_migrations()?;
        let unknown: Vec<String> = applied.iter().filter(|version| !known.contains(*version)).cloned().collect();
        if !unknown.is_empty() {
            return Ok(Standing::Ahead(unknown));
        }
        Ok(if applied.len() < known.len() { Standing::Behind } else { Standing::Current })
    }

    /// Goes on only where this binary knows all that was done to the tables of a migrated database.
    ///
    /// # Errors
    /// `Newer` where it does not: it would write rows that the newer version does not expect.
    pub(super) fn refuse_newer(&mut self) -> Result<(), StoreError> {
        let known = known_migrations()?;
        let mut unknown: Vec<String> = ran::table.order(ran::version).select(ran::version).load(self)?;
        unknown.retain(|version| !known.contains(version));
        if unknown.is_empty() { Ok(()) } else { Err(StoreError::Newer(unknown)) }
    }

    /// The migrations that a database has had; none where it is new.
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

    /// Whether the database holds a register: some migration was applied to it.
    pub fn holds_register(&mut self) -> Result<bool, StoreError> {
        Ok(!self.applied_migrations()?.is_empty())
    }

    /// Reverts everything: for tests of the `down` scripts.
    pub fn revert_all_migrations(&mut self) -> Result<(), StoreError> {
        match self {
            Self::Pg(c) => c.revert_all_migrations(POSTGRES).map(|_| ()),
            Self::Sqlite(c) => c.revert_all_migrations(SQLITE).map(|_| ()),
        }
        .map_err(|e| StoreError::Migration(e.to_string()))
    }
}

/// The versions of the migrations of this binary.
///
/// # Errors
/// Where what is embedded does not read.
pub fn known_migrations() -> Result<&'static BTreeSet<String>, StoreError> {
    KNOWN.as_ref().map_err(|message| StoreError::Migration(message.clone()))
}

fn versions<DB: diesel::backend::Backend>(
    source: &impl MigrationSource<DB>,
) -> Result<Vec<String>, Box<dyn std::error::Error + Send + Sync>> {
    Ok(source.migrations()?.iter().map(|migration| migration.name().version().to_string()).collect())
}

fn names(versions: &[diesel::migration::MigrationVersion<'_>]) -> Vec<String> {
    versions.iter().map(ToString::to_string).collect()
}
