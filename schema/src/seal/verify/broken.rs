//! Rows that do not read: each is named, and what is missing on their account is not told besides.

use super::super::coverage::chain_of;
use super::problem::{Findings, Problem, RowName};
use super::storage::{LABELS, called};
use super::stored::key_of;
use crate::db::StoreError;
use crate::db::readable::{Readable, Unreadable};
use crate::sql_types::Id;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use std::collections::HashSet;

/// The rows of a part that did not read, by the table and by whom they belong to.
#[derive(Debug, Default)]
pub struct Broken(HashSet<(&'static str, Id)>);

impl Broken {
    /// The rows that read. `owner` is the column that says to whom a row belongs.
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
                    tell(table, &row, findings);
                }
            }
        }
        readable
    }

    /// Whether a row of a table that belongs to somebody did not read.
    pub fn has(&self, table: &'static str, owner: Id) -> bool {
        self.0.contains(&(table, owner))
    }
}

/// Names a row that does not read.
pub fn tell(table: &'static str, row: &Unreadable, findings: &mut Findings) {
    let keys = key_of(table);
    let parts: Vec<&str> = keys.iter().map(|column| row.text(column).unwrap_or("?")).collect();
    let label = LABELS.iter().find_map(|column| row.text(column));
    let name = called(table, &parts.join(" "), label);
    let column = row.column.as_deref().unwrap_or("?");
    let message = format!("{table} {}: {column} does not read: {}", name.name, row.message);
    let numbered = |column: &str| row.number(column).filter(|_| keys.contains(&column));
    findings.tell(Problem {
        position: numbered("position").or_else(|| numbered("number")),
        ordinal: numbered("ordinal").and_then(|ordinal| i32::try_from(ordinal).ok()),
        ..Problem::of_column(chain_of(table), &name, column, message)
    });
}

/// The rows that read, each other one named.
pub fn readable<T>(table: &'static str, rows: Vec<Readable<T>>, findings: &mut Findings) -> Vec<T> {
    Broken::default().readable_of(table, |_| None, rows, findings)
}

/// A step that the database refuses (a table or a column that is gone, say) is a finding, and the others go on.
///
/// # Errors
/// Where the database cannot be asked at all.
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
    findings.tell(Problem::of_column(chain_of(table), &all, "*", message));
    Ok(())
}
