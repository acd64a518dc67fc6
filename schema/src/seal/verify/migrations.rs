//! The migrations that the database says it had, compared with those of the program.

use super::broken::readable;
use super::problem::{Findings, Problem, RowName};
use crate::db::readable::Readable;
use crate::db::{Conn, StoreError, known_migrations};
use crate::tables::__diesel_schema_migrations as ran;
use diesel::prelude::*;
use std::collections::BTreeSet;

const TABLE: &str = "__diesel_schema_migrations";

/// Names the migrations of which the row is missing, and rows of migrations that the program does not have.
pub fn verify(conn: &mut Conn, findings: &mut Findings) -> Result<(), StoreError> {
    let known = known_migrations()?;
    let rows: Vec<Readable<String>> = ran::table.select(ran::version).load(conn)?;
    let found: BTreeSet<String> = readable(TABLE, rows, findings).into_iter().collect();
    let mut tell = |version: &String, kind, message: String| {
        let name = RowName { table: TABLE, name: version.clone(), id: version.clone() };
        findings.tell(Problem { message, ..Problem::of_row(None, &name, kind, None) });
    };
    for version in known.difference(&found) {
        let message = format!(
            "{TABLE} {version}: the row is missing: it was removed, or `phananh migrate` has not run since the program \
             was updated"
        );
        tell(version, "removed", message);
    }
    for version in found.difference(known) {
        let message =
            format!("{TABLE} {version}: it was put in, or a newer version of the program migrated the database");
        tell(version, "inserted", message);
    }
    Ok(())
}
