//! Migrates a database: its tables, and what the program itself changes in older rows.

use crate::db::{DataMigration, Db, MigrationReport, StoreError};
use crate::register::first_routing;

const DATA: [DataMigration; 1] =
    [DataMigration { after: "20261201000031", actor: first_routing::ACTOR, run: first_routing::record }];

impl Db {
    /// Applies pending migrations, and makes the indexes that an import left out which was killed.
    ///
    /// # Errors
    /// `Newer` if a newer version migrated the database; `Migration` if a migration fails.
    pub fn migrate(&self) -> Result<MigrationReport, StoreError> {
        let report = self.with_connection(|conn| conn.migrate(&DATA))?;
        // Without them the register is slow, and that is better than none.
        if let Err(error) = self.make_deferred_indexes() {
            tracing::error!(%error, "the indexes that an import left out could not be made");
        }
        Ok(report)
    }
}
