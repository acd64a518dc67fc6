//! The problems that a verification finds, and their collection.

use crate::enums::Chain;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};

/// A difference from what was recorded, or something that cannot be verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The chain concerned; None for all or none of them.
    pub chain: Option<Chain>,
    /// A row is `changed`, `removed`, `inserted` or `unverifiable`. A chain is `seal-changed`, `seal-removed`,
    /// `cut-off`, `key-missing`, `no-seals`, `no-witness` or `unsealed`.
    pub kind: &'static str,
    /// Table, name of the row, its key in the database, and column. None for an event.
    pub table: Option<&'static str>,
    pub row: Option<String>,
    pub id: Option<String>,
    pub column: Option<String>,
    /// The place of the event: position, and ordinal within the position.
    pub position: Option<i64>,
    pub ordinal: Option<i32>,
    /// The seal that reveals the problem, or that has it.
    pub seal: Option<i64>,
    pub message: String,
}

impl Problem {
    /// A problem of a chain.
    pub fn of(chain: impl Into<Option<Chain>>, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            chain: chain.into(),
            kind,
            table: None,
            row: None,
            id: None,
            column: None,
            position: None,
            ordinal: None,
            seal: None,
            message: message.into(),
        }
    }

    /// A problem of a value, with its own message.
    pub fn of_column(chain: Option<Chain>, row: &RowName, column: &str, message: String) -> Self {
        Self {
            table: Some(row.table),
            row: Some(row.name.clone()),
            id: Some(row.id.clone()),
            column: Some(column.to_owned()),
            ..Self::of(chain, "changed", message)
        }
    }

    /// A problem of a row.
    pub fn of_row(chain: impl Into<Option<Chain>>, row: &RowName, kind: &'static str, column: Option<&str>) -> Self {
        let column_is = column.unwrap_or("the row");
        let what = match kind {
            "inserted" => "the row was inserted: no event of its chain created it".to_owned(),
            "removed" => "the row was removed: the chain's events still contain it".to_owned(),
            "unverifiable" => {
                format!("{column_is} cannot be verified: its value beside the event is gone, but the row still has one")
            }
            _ => format!("{column_is} was changed: the chain's events have another value"),
        };
        let RowName { table, name, id } = row;
        Self {
            table: Some(table),
            row: Some(name.clone()),
            id: Some(id.clone()),
            column: column.map(str::to_owned),
            ..Self::of(chain, kind, format!("{table} {name}: {what}"))
        }
    }
}

/// Key by which reports name a row.
#[derive(Debug, Clone)]
pub struct RowName {
    pub table: &'static str,
    /// Its code, reference or other name for people.
    pub name: String,
    pub id: String,
}

/// Problems listed per table, or per chain; the rest is only counted.
const MOST: usize = 100;

/// The problems, and the numbers of rows compared.
#[derive(Debug, Default)]
pub struct Findings {
    pub problems: Vec<Problem>,
    counts: HashMap<(Option<Chain>, Option<&'static str>), usize>,
    /// Problems reported already: a value may be checked more than once.
    reported: HashSet<ProblemKey>,
    /// Problems that are counted and not listed.
    pub more: u64,
    pub rows: BTreeMap<&'static str, u64>,
}

/// The key of a problem: table, kind, row, id, column.
type ProblemKey = (&'static str, &'static str, Option<String>, Option<String>, Option<String>);

impl Findings {
    pub fn report(&mut self, problem: Problem) {
        if let Some(table) = problem.table
            && !self.reported.insert((
                table,
                problem.kind,
                problem.row.clone(),
                problem.id.clone(),
                problem.column.clone(),
            ))
        {
            return;
        }
        let count = self.counts.entry((problem.chain, problem.table)).or_default();
        *count += 1;
        if *count > MOST {
            self.more += 1;
        } else {
            self.problems.push(problem);
        }
    }

    /// Whether another problem of a table would only be counted, so that its name need not be looked up.
    pub fn is_full(&self, chain: Chain, table: &'static str) -> bool {
        self.counts.get(&(Some(chain), Some(table))).is_some_and(|count| *count >= MOST)
    }

    pub fn count(&mut self, table: &'static str, rows: usize) {
        *self.rows.entry(table).or_default() += rows as u64;
    }

    /// Adds the findings of another thread.
    pub fn merge(&mut self, other: Self) {
        self.more += other.more;
        for (table, rows) in other.rows {
            *self.rows.entry(table).or_default() += rows;
        }
        other.problems.into_iter().for_each(|problem| self.report(problem));
    }
}
