//! Migrates a database: its tables, and what the program itself changes in older rows.

use crate::db::{DataMigration, Db, MigrationReport, StoreError};
use crate::register::first_routing;

const DATA: [DataMigration; 1] =
    [DataMigration { after: "20261201000031", actor: first_routing::ACTOR, run: first_routing::record }];

impl Db {
    /// Applies pending migrations.
    ///
    /// # Errors
    /// `Newer` if a newer version migrated the database; `Migration` if a migration fails.
    pub fn migrate(&self) -> Result<MigrationReport, StoreError> {
        self.with_connection(|conn| conn.migrate(&DATA))
    }
}
