//! Compares the migrations recorded in the database with those of the program.

use super::broken::readable;
use super::problem::{Findings, Problem, RowName};
use crate::db::readable::Readable;
use crate::db::{Conn, StoreError, embedded_migrations};
use crate::tables::__diesel_schema_migrations as ran;
use diesel::prelude::*;
use std::collections::BTreeSet;

const TABLE: &str = "__diesel_schema_migrations";

/// Reports known migrations without a row, and rows of unknown migrations.
///
/// # Errors
/// If the database fails.
pub fn verify(conn: &mut Conn, findings: &mut Findings) -> Result<(), StoreError> {
    let expected = embedded_migrations()?;
    let rows: Vec<Readable<String>> = ran::table.select(ran::version).load(conn)?;
    let found: BTreeSet<String> = readable(TABLE, rows, findings).into_iter().collect();
    let mut report = |version: &String, kind, message: String| {
        let name = RowName { table: TABLE, name: version.clone(), id: version.clone() };
        findings.report(Problem { message, ..Problem::of_row(None, &name, kind, None) });
    };
    for version in expected.difference(&found) {
        let message = format!(
            "{TABLE} {version}: the row is missing: it was removed, or `phananh migrate` has not run since the program \
             was updated"
        );
        report(version, "removed", message);
    }
    for version in found.difference(expected) {
        let message =
            format!("{TABLE} {version}: the row was inserted, or a newer version of the program migrated the database");
        report(version, "inserted", message);
    }
    Ok(())
}
