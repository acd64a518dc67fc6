//! Records unreadable rows, so that verification does not also report what is missing only because of them.

use super::super::coverage::chain_of;
use super::problem::{Findings, Problem, RowName};
use super::storage::{LABELS, called};
use super::stored::key_of;
use crate::db::StoreError;
use crate::db::readable::{Readable, Unreadable};
use crate::sql_types::Id;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use std::collections::HashSet;

/// The unreadable rows of a part, by table and owner.
#[derive(Debug, Default)]
pub struct Broken(HashSet<(&'static str, Id)>);

impl Broken {
    /// Returns the readable rows and reports the others. `owner` is the column with the id of a row's owner.
    pub fn readable<T>(
        &mut self,
        table: &'static str,
        owner: &str,
        rows: Vec<Readable<T>>,
        findings: &mut Findings,
    ) -> Vec<T> {
        self.readable_of(table, |row| row.id(owner), rows, findings)
    }

    pub fn readable_of<T>(
        &mut self,
        table: &'static str,
        owner: impl Fn(&Unreadable) -> Option<Id>,
        rows: Vec<Readable<T>>,
        findings: &mut Findings,
    ) -> Vec<T> {
        let mut readable = Vec::with_capacity(rows.len());
        for row in rows {
            match row.0 {
                Ok(row) => readable.push(row),
                Err(row) => {
                    self.0.extend(owner(&row).map(|owner| (table, owner)));
                    report(table, &row, findings);
                }
            }
        }
        readable
    }

    /// Whether a row of this table and owner could not be read.
    pub fn has(&self, table: &'static str, owner: Id) -> bool {
        self.0.contains(&(table, owner))
    }
}

/// Reports an unreadable row.
pub fn report(table: &'static str, row: &Unreadable, findings: &mut Findings) {
    let keys = key_of(table);
    let parts: Vec<&str> = keys.iter().map(|column| row.text(column).unwrap_or("?")).collect();
    let label = LABELS.iter().find_map(|column| row.text(column));
    let name = called(table, &parts.join(" "), label);
    let column = row.column.as_deref().unwrap_or("?");
    let message = format!("{table} {}: {column} cannot be read: {}", name.name, row.message);
    let numbered = |column: &str| row.number(column).filter(|_| keys.contains(&column));
    findings.report(Problem {
        position: numbered("position").or_else(|| numbered("number")),
        ordinal: numbered("ordinal").and_then(|ordinal| i32::try_from(ordinal).ok()),
        ..Problem::of_column(chain_of(table), &name, column, message)
    });
}

/// Returns the readable rows and reports the others.
pub fn readable<T>(table: &'static str, rows: Vec<Readable<T>>, findings: &mut Findings) -> Vec<T> {
    Broken::default().readable_of(table, |_| None, rows, findings)
}

/// Turns the failed query of a step (a missing table or column, say) into a finding, so that verification goes on.
///
/// # Errors
/// If the error is transient (connection, serialization) or not one of a query.
pub fn attempt(table: &'static str, step: Result<(), StoreError>, findings: &mut Findings) -> Result<(), StoreError> {
    let error = match step {
        Ok(()) => return Ok(()),
        Err(StoreError::Query(error)) => error,
        Err(other) => return Err(other),
    };
    let is_passing = matches!(
        error,
        DieselError::BrokenTransactionManager
            | DieselError::DatabaseError(
                DatabaseErrorKind::ClosedConnection
                    | DatabaseErrorKind::SerializationFailure
                    | DatabaseErrorKind::UnableToSendCommand,
                _
            )
    );
    if is_passing {
        return Err(error.into());
    }
    let message = format!("{table} cannot be compared: {error}");
    let all = RowName { table, name: "*".into(), id: "*".into() };
    findings.report(Problem::of_column(chain_of(table), &all, "*", message));
    Ok(())
}
