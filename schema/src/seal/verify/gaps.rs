//! Finds gaps in positions and numbers. Both are dense, so a gap shows that rows were deleted or never stored, even if
//! no seal covered them.

use super::problem::{Findings, Problem};
use crate::db::{Conn, StoreError};
use crate::enums::Chain;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use std::collections::HashSet;

/// Gaps reported per query.
const MOST: i64 = 20;

/// Two consecutive stored numbers with a gap between them.
#[derive(QueryableByName)]
struct Gap {
    #[diesel(sql_type = BigInt)]
    low: i64,
    #[diesel(sql_type = BigInt)]
    high: i64,
}

/// A position with fewer events than its highest ordinal implies.
#[derive(QueryableByName)]
struct Short {
    #[diesel(sql_type = BigInt)]
    place: i64,
    #[diesel(sql_type = BigInt)]
    missing: i64,
}

/// Reports the gaps of each chain, except at positions that another problem names.
///
/// # Errors
/// If the database fails.
pub fn verify(conn: &mut Conn, findings: &mut Findings) -> Result<(), StoreError> {
    let named: HashSet<(Option<Chain>, i64)> =
        findings.problems.iter().filter_map(|problem| Some((problem.chain, problem.position?))).collect();
    let mut problems = Vec::new();
    let numbered = [(Chain::Audit, "audit_log", "number"), (Chain::State, "state_events", "number")];
    for (chain, table, column) in numbered {
        let numbers = numbers(conn, table, column);
        problems.extend(gaps(conn, &numbers)?.into_iter().map(|gap| missing(chain, &gap, "number")));
    }
    let positions = format!(
        "{} UNION {}",
        numbers(conn, "complaint_events", "position"),
        numbers(conn, "reference_events", "position")
    );
    problems.extend(gaps(conn, &positions)?.into_iter().map(|gap| missing(Chain::Complaints, &gap, "position")));
    for (chain, table) in [(Chain::Complaints, "complaint_events"), (Chain::Reference, "reference_events")] {
        for short in short(conn, table)? {
            let message = format!(
                "{} of the events of position {} are missing in {table}: they were deleted or never stored",
                short.missing, short.place
            );
            problems.push(Problem { position: Some(short.place), ..Problem::of(chain, "removed", message) });
        }
    }
    let is_new = |problem: &Problem| problem.position.is_some_and(|at| !named.contains(&(problem.chain, at)));
    problems.into_iter().filter(is_new).for_each(|problem| findings.report(problem));
    Ok(())
}

fn missing(chain: Chain, gap: &Gap, what: &str) -> Problem {
    let (first, last) = (gap.low + 1, gap.high - 1);
    let until = if first == last { String::new() } else { format!(" to {last}") };
    let message = format!("{what} {first}{until} has no rows: they were deleted or never stored");
    Problem { position: Some(first), ..Problem::of(chain, "removed", message) }
}

/// SQL for the positive numbers of a column. Skips values of other types on SQLite; they are reported with their rows.
fn numbers(conn: &Conn, table: &str, column: &str) -> String {
    format!("SELECT \"{column}\" AS n FROM {table} WHERE \"{column}\" > 0{}", integers(conn, &[column]))
}

fn integers(conn: &Conn, columns: &[&str]) -> String {
    match conn {
        Conn::Pg(_) => String::new(),
        Conn::Sqlite(_) => columns.iter().map(|column| format!(" AND typeof(\"{column}\") = 'integer'")).collect(),
    }
}

fn gaps(conn: &mut Conn, numbers: &str) -> Result<Vec<Gap>, StoreError> {
    let neighbours =
        format!("SELECT n AS high, lag(n, 1, CAST(0 AS BIGINT)) OVER (ORDER BY n) AS low FROM ({numbers}) AS numbers");
    let sql =
        format!("SELECT low, high FROM ({neighbours}) AS neighbours WHERE high > low + 1 ORDER BY high LIMIT {MOST}");
    Ok(diesel::sql_query(sql).load(conn)?)
}

fn short(conn: &mut Conn, table: &str) -> Result<Vec<Short>, StoreError> {
    let sql = format!(
        "SELECT \"position\" AS place, CAST(max(ordinal) + 1 - count(*) AS BIGINT) AS missing FROM {table} \
         WHERE \"position\" > 0{} GROUP BY \"position\" HAVING max(ordinal) + 1 > count(*) ORDER BY \"position\" LIMIT {MOST}",
        integers(conn, &["position", "ordinal"])
    );
    Ok(diesel::sql_query(sql).load(conn)?)
}
