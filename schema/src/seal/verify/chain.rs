//! Checks the seals of a chain: each must be intact, follow the previous one and match its rows.

use super::super::coverage::chain_of;
use super::super::rows::{MARK, Marked, marked};
use super::super::{SealName, hash, name, signature};
use super::broken;
use super::problem::{Findings, Problem, RowName};
use super::sums::Spans;
use crate::db::readable::{Readable, columns_of};
use crate::db::{Conn, StoreError};
use crate::enums::Chain;
use crate::keys::Keys;
use crate::models::Seal;
use crate::sql_types::Timestamp;
use crate::tables::{
    audit_log, audit_position, complaint_events, reference_events, register_position, seals, state_events,
    state_position,
};
use chrono::TimeDelta;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use serde::Serialize;
use std::collections::BTreeMap;

/// The result of the verification of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChainReport {
    pub chain: Chain,
    pub seals: i64,
    pub rows: i64,
    /// Rows after the last seal; a running server seals them within seconds.
    pub unsealed: i64,
    pub newest: Option<SealName>,
}

impl ChainReport {
    /// The report of a chain before verification.
    pub const fn of(chain: Chain) -> Self {
        Self { chain, seals: 0, rows: 0, unsealed: 0, newest: None }
    }
}

/// Rows may stay unsealed for this long.
const UNSEALED: TimeDelta = TimeDelta::minutes(1);

/// The rows and keys that seals are checked against.
pub struct Trusted<'k> {
    pub keys: Option<&'k Keys>,
    /// Seals seen outside the database.
    pub seals: &'k [SealName],
}

/// Verifies the seals of a chain. `compare` selects the seals whose rows are compared immediately; the others are
/// returned as spans.
///
/// # Errors
/// If the database fails.
pub fn seals_of(
    conn: &mut Conn,
    trusted: &Trusted<'_>,
    chain: Chain,
    compare: impl Fn(&Seal) -> bool,
    findings: &mut Findings,
) -> Result<(ChainReport, Spans), StoreError> {
    for position in before_the_first(conn, chain)? {
        let message = format!("a row at position {position} was inserted: positions begin with 1");
        findings.report(Problem { position: Some(position), ..Problem::of(chain, "inserted", message) });
    }
    // Skips numbers that are stored in another form; `storage` reports those.
    let numbers: Vec<i64> = seals::table
        .filter(seals::chain.eq(chain))
        .filter(sql::<Bool>("number = CAST(number AS BIGINT)"))
        .order(seals::number)
        .select(seals::number)
        .load(conn)?;
    let mut report = ChainReport::of(chain);
    let mut spans = Spans::new();
    let mut last: Option<Seal> = None;
    let mut end = 0;
    for number in numbers {
        // One seal at a time, to keep the marks of millions of rows out of memory.
        let seal: Readable<Seal> = seals::table.find((chain, number)).select(columns_of!(Seal)).first(conn)?;
        let mut seal = match seal.0 {
            Ok(seal) => seal,
            Err(row) => {
                broken::report("seals", &row, findings);
                report.seals += 1;
                (last, end) = (None, end.max(number));
                continue;
            }
        };
        link(trusted.keys, last.as_ref().ok_or(end), &seal, findings);
        end = end.max(number);
        if compare(&seal) {
            rows(conn, &seal, findings)?;
        } else {
            spans.push(&seal);
        }
        report.seals += 1;
        report.rows += seal.rows;
        let newest = name(&seal);
        for expected in trusted.seals.iter().filter(|expected| expected.chain == chain && expected.number == number) {
            if newest != *expected {
                let message =
                    format!("seal {number} had the hash {} before: the end of the chain was replaced", expected.hash);
                findings.report(Problem { seal: Some(number), ..Problem::of(chain, "cut-off", message) });
            }
        }
        report.newest = Some(newest);
        seal.marks = Vec::new();
        last = Some(seal);
    }
    let is_outside = |number: i64| number < 1 || number > end;
    for expected in trusted.seals.iter().filter(|expected| expected.chain == chain && is_outside(expected.number)) {
        let message =
            format!("seal {} was seen before and is missing: the end of the chain was cut off", expected.number);
        findings.report(Problem { seal: Some(expected.number), ..Problem::of(chain, "cut-off", message) });
    }
    let until = last.as_ref().map_or(0, |seal| seal.until);
    let (number, oldest) = unsealed(conn, chain, until)?;
    report.unsealed = number;
    let now = Timestamp::now().utc();
    // A row dated in the future is reported, too: it would otherwise never count as old.
    if let Some(oldest) = oldest.filter(|oldest| oldest.utc() + UNSEALED < now || oldest.utc() > now + UNSEALED) {
        let since = oldest.utc().format("%Y-%m-%d %H:%M:%SZ");
        let message = format!("{number} rows are not sealed, the oldest since {since}: run a server with the key file");
        findings.report(Problem::of(chain, "unsealed", message));
    }
    Ok((report, spans))
}

/// Reports seals of unknown chains.
///
/// # Errors
/// If the database fails.
pub fn unknown_chain_seals(conn: &mut Conn, findings: &mut Findings) -> Result<(), StoreError> {
    let rows: Vec<Readable<(String, i64)>> = seals::table
        .filter(seals::chain.ne_all(Chain::WORDS))
        .select((seals::chain, seals::number))
        .limit(100)
        .load(conn)?;
    for (chain, number) in broken::readable("seals", rows, findings) {
        let name = format!("{chain} {number}");
        let name = RowName { table: "seals", name: name.clone(), id: name };
        findings.report(Problem::of_row(None, &name, "inserted", None));
    }
    Ok(())
}

/// Checks that a seal is intact and follows `last`: the previous seal, or the number of one that could not be read.
fn link(keys: Option<&Keys>, last: Result<&Seal, i64>, seal: &Seal, findings: &mut Findings) {
    let (chain, number) = (seal.chain, seal.number);
    let expected = last.map_or_else(|number| number, |last| last.number) + 1;
    if number != expected {
        let message = format!("seal {expected} is missing; the next is {number}");
        findings.report(Problem { seal: Some(expected), ..Problem::of(chain, "seal-removed", message) });
    }
    let follows = match last {
        Err(_) => number != 1 || seal.previous == [0; 32] && seal.after == 0,
        Ok(last) => number != last.number + 1 || seal.previous == last.hash && seal.after == last.until,
    };
    let is_whole = hash(seal) == seal.hash && follows;
    let version = u32::try_from(seal.key_version).unwrap_or_default();
    let problem = match keys.map(|keys| signature(keys, seal)) {
        Some(None) => Some((
            "key-missing",
            format!("seal {number} was signed with key {version}, which the key file does not have"),
        )),
        Some(Some(signature)) if !is_whole || signature != seal.signature => {
            Some(("seal-changed", format!("seal {number} was changed or replaced")))
        }
        None if !is_whole => Some(("seal-changed", format!("seal {number} was changed or replaced"))),
        _ => None,
    };
    if let Some((kind, message)) = problem {
        findings.report(Problem { seal: Some(number), ..Problem::of(chain, kind, message) });
    }
}

/// Compares the rows of a seal with its marks.
///
/// # Errors
/// If the database fails.
pub fn rows(conn: &mut Conn, seal: &Seal, findings: &mut Findings) -> Result<(), StoreError> {
    let place = |mark: &Marked| (mark.position, mark.ordinal);
    let sealed = seal.marks.chunks(MARK).filter_map(Marked::read).map(|mark| (place(&mark), mark));
    let mut sealed: BTreeMap<(i64, i32), Marked> = sealed.collect();
    let mut report = |kind, (position, ordinal): (i64, i32), what: &str| {
        let message = format!("row {position}.{ordinal} {what} after seal {} was made", seal.number);
        findings.report(Problem {
            position: Some(position),
            ordinal: Some(ordinal),
            seal: Some(seal.number),
            ..Problem::of(seal.chain, kind, message)
        });
    };
    let mut unreadable = Vec::new();
    let marks = marked(conn, seal.chain, seal.after, seal.until, &mut |table, row| {
        unreadable.push((table, row));
        Ok(())
    })?;
    for (_, row) in &unreadable {
        let position = row.number("position").or_else(|| row.number("number"));
        let ordinal = row.number("ordinal").map_or(Ok(0), i32::try_from);
        if let (Some(position), Ok(ordinal)) = (position, ordinal) {
            sealed.remove(&(position, ordinal));
        }
    }
    for mark in marks {
        match sealed.remove(&place(&mark)) {
            None => report("inserted", place(&mark), "was inserted"),
            Some(was) if was != mark => report("changed", place(&mark), "was changed"),
            Some(_) => {}
        }
    }
    for gone in sealed.into_keys() {
        report("removed", gone, "was removed");
    }
    unreadable.iter().for_each(|(table, row)| broken::report(table, row, findings));
    Ok(())
}

/// The number of unsealed rows, and the time of the oldest.
fn unsealed(conn: &mut Conn, chain: Chain, until: i64) -> Result<(i64, Option<Timestamp>), StoreError> {
    macro_rules! after {
        ($table:ident, $position:ident, $at:ident) => {{
            let late = || $table::table.filter($table::$position.gt(until));
            let oldest: Option<Readable<Timestamp>> =
                late().order($table::$at).select($table::$at).first(conn).optional()?;
            (late().count().get_result(conn)?, oldest.and_then(|oldest| oldest.0.ok()))
        }};
    }
    Ok(match chain {
        Chain::Complaints => after!(complaint_events, position, recorded_at),
        Chain::Reference => after!(reference_events, position, recorded_at),
        Chain::Audit => after!(audit_log, number, at),
        Chain::State => after!(state_events, number, recorded_at),
    })
}

/// The last position of the register, the audit log and the chain of states.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Positions {
    pub register: i64,
    pub audit: i64,
    pub state: i64,
}

impl Positions {
    pub const fn of(&self, chain: Chain) -> i64 {
        match chain {
            Chain::Complaints | Chain::Reference => self.register,
            Chain::Audit => self.audit,
            Chain::State => self.state,
        }
    }
}

/// Reads the position counters and reports an end that was cut off: the last position must have rows, sealed or not.
///
/// # Errors
/// If the database fails.
pub fn ends(conn: &mut Conn, findings: &mut Findings) -> Result<Positions, StoreError> {
    macro_rules! last {
        ($table:ident, $position:ident) => {{
            let last: Option<i64> = $table::table.select(diesel::dsl::max($table::$position)).first(conn)?;
            last.unwrap_or(0)
        }};
    }
    macro_rules! position {
        ($table:ident, $last:expr) => {{
            let rows: Vec<Readable<(i32, i64)>> = $table::table.load(conn)?;
            let name = |id: i32| RowName { table: stringify!($table), name: id.to_string(), id: id.to_string() };
            let (mut is_there, mut found) = (false, $last);
            for row in rows {
                match row.0 {
                    Ok((1, value)) => (is_there, found) = (true, value),
                    Ok((id, _)) => {
                        findings.report(Problem::of_row(chain_of(stringify!($table)), &name(id), "inserted", None))
                    }
                    Err(row) => {
                        is_there |= row.number("id") == Some(1) || row.text("id").is_none();
                        broken::report(stringify!($table), &row, findings);
                    }
                }
            }
            if !is_there {
                findings.report(Problem::of_row(chain_of(stringify!($table)), &name(1), "removed", None));
            }
            found
        }};
    }
    let events = last!(complaint_events, position).max(last!(reference_events, position));
    let (audit, states) = (last!(audit_log, number), last!(state_events, number));
    let positions = Positions {
        register: position!(register_position, events),
        audit: position!(audit_position, audit),
        state: position!(state_position, states),
    };
    let ends = [
        (Chain::Complaints, positions.register, events, "the register"),
        (Chain::Audit, positions.audit, audit, "the audit log"),
        (Chain::State, positions.state, states, "the chain of states"),
    ];
    for (chain, should, is, what) in ends {
        if is != should {
            let message = format!("{what} was at position {should}, but its last row is at {is}: its end was cut off");
            findings.report(Problem { position: Some(is), ..Problem::of(chain, "cut-off", message) });
        }
    }
    Ok(positions)
}

/// Positions below 1, which no seal covers and the program never writes.
fn before_the_first(conn: &mut Conn, chain: Chain) -> Result<Vec<i64>, StoreError> {
    macro_rules! early {
        ($table:ident, $position:ident) => {
            $table::table.filter($table::$position.le(0)).select($table::$position).load(conn)?
        };
    }
    Ok(match chain {
        Chain::Complaints => early!(complaint_events, position),
        Chain::Reference => early!(reference_events, position),
        Chain::Audit => early!(audit_log, number),
        Chain::State => early!(state_events, number),
    })
}
