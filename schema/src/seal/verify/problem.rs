//! What a verification found.

use crate::enums::Chain;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Something that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The chain that tells; None where it is about all of them.
    pub chain: Option<Chain>,
    /// Of rows: `changed`, `removed`, `inserted` or `unverifiable`. Of chains: `seal-changed`, `seal-removed`,
    /// `cut-off`, `key-missing`, `no-seals`, `no-witness` or `unsealed`.
    pub kind: &'static str,
    /// The table, the row as people name it, its key in the database, and the column. None for an event.
    pub table: Option<&'static str>,
    pub row: Option<String>,
    pub id: Option<String>,
    pub column: Option<String>,
    /// The event: its position, and its number among those of the position.
    pub position: Option<i64>,
    pub ordinal: Option<i32>,
    /// The seal that noticed it, or that is concerned itself.
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

    /// A problem of a value, in words of its own.
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
            "inserted" => "no event says that it is there".to_owned(),
            "removed" => "its events say that it is there, and it is not".to_owned(),
            "unverifiable" => {
                format!("{column_is} cannot be verified: its value beside the event is gone, and the row still has one")
            }
            _ => format!("{column_is} is not what its events say"),
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

/// What names a row.
#[derive(Debug, Clone)]
pub struct RowName {
    pub table: &'static str,
    /// The code, the reference, or what else people name it by.
    pub name: String,
    pub id: String,
}

/// Problems that are listed of one table, or of one chain; the rest is counted.
const MOST: usize = 100;

/// The problems, and the rows that were compared.
#[derive(Debug, Default)]
pub struct Findings {
    pub problems: Vec<Problem>,
    told: HashMap<(Option<Chain>, Option<&'static str>), usize>,
    /// A value may be met more than once.
    known: HashSet<Told>,
    /// Problems that are not listed.
    pub more: u64,
    pub rows: BTreeMap<&'static str, u64>,
}

/// By what a problem of a value is known.
type Told = (&'static str, &'static str, Option<String>, Option<String>, Option<String>);

impl Findings {
    pub fn tell(&mut self, problem: Problem) {
        if let Some(table) = problem.table
            && !self.known.insert((
                table,
                problem.kind,
                problem.row.clone(),
                problem.id.clone(),
                problem.column.clone(),
            ))
        {
            return;
        }
        let told = self.told.entry((problem.chain, problem.table)).or_default();
        *told += 1;
        if *told > MOST {
            self.more += 1;
        } else {
            self.problems.push(problem);
        }
    }

    /// Whether another problem of a table would be counted only, so that nothing needs to be looked up for it.
    pub fn is_full(&self, chain: Chain, table: &'static str) -> bool {
        self.told.get(&(Some(chain), Some(table))).is_some_and(|told| *told >= MOST)
    }

    pub fn count(&mut self, table: &'static str, rows: usize) {
        *self.rows.entry(table).or_default() += rows as u64;
    }

    /// Adds what another thread found.
    pub fn merge(&mut self, other: Self) {
        self.more += other.more;
        for (table, rows) in other.rows {
            *self.rows.entry(table).or_default() += rows;
        }
        other.problems.into_iter().for_each(|problem| self.tell(problem));
    }
}
