//! Whether everything that was sealed is still there, as it was.

use super::rows::{MARK, Marked, marked};
use super::{SealName, hash, name, signature};
use crate::db::{Conn, Db, MultiBackend, StoreError};
use crate::enums::{Chain, Side};
use crate::events::commitment;
use crate::keys::Keys;
use crate::models::Seal;
use crate::sql_types::{Id, JsonValue};
use crate::tables::{audit_log, audit_position, complaint_events, reference_events, register_position, seals};
use diesel::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;

/// Something that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    pub chain: Chain,
    /// `changed`, `removed`, `inserted`, `seal-changed`, `seal-removed`, `cut-off` or `key-missing`.
    pub kind: &'static str,
    /// The row: its position, and its number among those of the position.
    pub position: Option<i64>,
    pub ordinal: Option<i32>,
    /// The seal that noticed it, or that is concerned itself.
    pub seal: Option<i64>,
    pub message: String,
}

/// What was verified of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChainReport {
    pub chain: Chain,
    pub seals: i64,
    pub rows: i64,
    /// Rows after the last seal: they will be sealed within seconds where a server runs.
    pub unsealed: i64,
    pub newest: Option<SealName>,
}

/// The outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub verified: bool,
    pub chains: Vec<ChainReport>,
    pub problems: Vec<Problem>,
}

/// Problems that are told of one chain; more say nothing new.
const MOST: usize = 100;

/// Verifies all chains. `known`: seals that were seen elsewhere, printed in a digest say; if one of them is
/// gone, or another, the end of its chain was cut off or replaced.
pub fn verify(db: &Db, keys: &Keys, known: &[SealName]) -> Result<Report, StoreError> {
    let mut report = Report { verified: true, chains: Vec::new(), problems: Vec::new() };
    db.read_snapshot(|conn| {
        for chain in Chain::ALL {
            of_chain(conn, keys, chain, known, &mut report)?;
        }
        register(conn, &mut report)
    })?;
    report.verified = report.problems.is_empty();
    Ok(report)
}

fn of_chain(
    conn: &mut Conn,
    keys: &Keys,
    chain: Chain,
    known: &[SealName],
    report: &mut Report,
) -> Result<(), StoreError> {
    let began = report.problems.len();
    let problem = |kind, seal: Option<i64>, message: String| Problem {
        chain,
        kind,
        position: None,
        ordinal: None,
        seal,
        message,
    };
    for position in before_the_first(conn, chain)? {
        let message = format!("a row of position {position} was put in: positions begin with 1");
        report.problems.push(Problem { position: Some(position), ..problem("inserted", None, message) });
    }
    values(conn, chain, began, report)?;
    let numbers: Vec<i64> =
        seals::table.filter(seals::chain.eq(chain)).order(seals::number).select(seals::number).load(conn)?;
    let mut of_chain = ChainReport { chain, seals: 0, rows: 0, unsealed: 0, newest: None };
    let mut last: Option<Seal> = None;
    for number in numbers {
        // One at a time: marks of a million rows need not be in memory at once.
        let seal: Seal = seals::table.find((chain, number)).select(Seal::as_select()).first(conn)?;
        let expected = last.as_ref().map_or(1, |last| last.number + 1);
        if seal.number != expected {
            let message = format!("seal {expected} is missing; the next is {}", seal.number);
            report.problems.push(problem("seal-removed", Some(expected), message));
        }
        let follows = match &last {
            None => seal.number != 1 || seal.previous == [0; 32] && seal.after == 0,
            Some(last) => seal.number != last.number + 1 || seal.previous == last.hash && seal.after == last.until,
        };
        let version = u32::try_from(seal.key_version).unwrap_or_default();
        match signature(keys, &seal) {
            None => {
                let message = format!("seal {number} was signed with key {version}, which the key file does not have");
                report.problems.push(problem("key-missing", Some(number), message));
            }
            Some(signature) if hash(&seal) != seal.hash || signature != seal.signature || !follows => {
                let message = format!("seal {number} is not the one that was made");
                report.problems.push(problem("seal-changed", Some(number), message));
            }
            Some(_) => {}
        }
        rows(conn, &seal, began, report)?;
        of_chain.seals += 1;
        of_chain.rows += seal.rows;
        of_chain.newest = Some(name(&seal));
        for known in known.iter().filter(|known| known.chain == chain && known.number == number) {
            if of_chain.newest.as_ref() != Some(known) {
                let message = format!("seal {number} was {} once: the end of the chain was replaced", known.hash);
                report.problems.push(problem("cut-off", Some(number), message));
            }
        }
        last = Some(seal);
    }
    let end = last.as_ref().map_or(0, |seal| seal.number);
    for known in known.iter().filter(|known| known.chain == chain && known.number > end) {
        let message = format!("seal {} was seen once and is not there: the end of the chain was cut off", known.number);
        report.problems.push(problem("cut-off", Some(known.number), message));
    }
    let until = last.as_ref().map_or(0, |seal| seal.until);
    of_chain.unsealed = unsealed(conn, chain, until)?;
    report.chains.push(of_chain);
    Ok(())
}

/// Compares the rows of a seal with what they were.
fn rows(conn: &mut Conn, seal: &Seal, began: usize, report: &mut Report) -> Result<(), StoreError> {
    let place = |mark: &Marked| (mark.position, mark.ordinal);
    let sealed = seal.marks.chunks(MARK).filter_map(Marked::read).map(|mark| (place(&mark), mark));
    let mut sealed: BTreeMap<(i64, i32), Marked> = sealed.collect();
    let mut tell = |kind, (position, ordinal): (i64, i32), what: &str| {
        if report.problems.len() < began + MOST {
            report.problems.push(Problem {
                chain: seal.chain,
                kind,
                position: Some(position),
                ordinal: Some(ordinal),
                seal: Some(seal.number),
                message: format!("row {position}.{ordinal} {what} after seal {} was made", seal.number),
            });
        }
    };
    for mark in marked(conn, seal.chain, seal.after, seal.until)? {
        match sealed.remove(&place(&mark)) {
            None => tell("inserted", place(&mark), "was put in"),
            Some(was) if was != mark => tell("changed", place(&mark), "was changed"),
            Some(_) => {}
        }
    }
    for gone in sealed.into_keys() {
        tell("removed", gone, "was removed");
    }
    Ok(())
}

fn unsealed(conn: &mut Conn, chain: Chain, until: i64) -> Result<i64, StoreError> {
    Ok(match chain {
        Chain::Complaints => {
            complaint_events::table.filter(complaint_events::position.gt(until)).count().get_result(conn)?
        }
        Chain::Reference => {
            reference_events::table.filter(reference_events::position.gt(until)).count().get_result(conn)?
        }
        Chain::Audit => audit_log::table.filter(audit_log::number.gt(until)).count().get_result(conn)?,
    })
}

/// Positions are dense: the last one has its rows, also where nothing is sealed yet.
fn register(conn: &mut Conn, report: &mut Report) -> Result<(), StoreError> {
    let position: i64 = register_position::table.select(register_position::value).first(conn)?;
    let of_complaints: Option<i64> =
        complaint_events::table.select(diesel::dsl::max(complaint_events::position)).first(conn)?;
    let of_reference: Option<i64> =
        reference_events::table.select(diesel::dsl::max(reference_events::position)).first(conn)?;
    let audited: i64 = audit_position::table.select(audit_position::value).first(conn)?;
    let last_entry: Option<i64> = audit_log::table.select(diesel::dsl::max(audit_log::number)).first(conn)?;
    let ends = [
        (Chain::Complaints, position, of_complaints.max(of_reference).unwrap_or(0), "the register"),
        (Chain::Audit, audited, last_entry.unwrap_or(0), "the audit log"),
    ];
    for (chain, should, is, what) in ends {
        if is != should {
            let message = format!("{what} was at position {should}, and its last row is of {is}: its end was cut off");
            let kind = "cut-off";
            report.problems.push(Problem { chain, kind, position: Some(is), ordinal: None, seal: None, message });
        }
    }
    Ok(())
}

/// Rows that no seal covers because they pretend to be older than everything.
fn before_the_first(conn: &mut Conn, chain: Chain) -> Result<Vec<i64>, StoreError> {
    Ok(match chain {
        Chain::Complaints => complaint_events::table
            .filter(complaint_events::position.le(0))
            .select(complaint_events::position)
            .load(conn)?,
        Chain::Reference => reference_events::table
            .filter(reference_events::position.le(0))
            .select(reference_events::position)
            .load(conn)?,
        Chain::Audit => audit_log::table.filter(audit_log::number.le(0)).select(audit_log::number).load(conn)?,
    })
}

/// A personal value beside an event: where it stands, its salt, and the document that commits to it.
type Value = (i64, i32, Side, String, Vec<u8>, String, Option<JsonValue>, Option<JsonValue>);

/// Values that are read at once.
const AT_ONCE: i64 = 20_000;

/// Whether each personal value that still stands is the one that its event commits to. One that was erased is
/// no problem: that is what the commitment is for.
fn values(conn: &mut Conn, chain: Chain, began: usize, report: &mut Report) -> Result<(), StoreError> {
    let mut check = |rows: Vec<Value>| {
        for (position, ordinal, side, field, salt, value, before, after) in rows {
            let document = if side == Side::Before { before } else { after };
            let committed = document.as_ref().and_then(|document| document.0[&field]["commitment"].as_str());
            if committed != Some(&commitment(&salt, &field, &value)) && report.problems.len() < began + MOST {
                report.problems.push(Problem {
                    chain,
                    kind: "changed",
                    position: Some(position),
                    ordinal: Some(ordinal),
                    seal: None,
                    message: format!("the {field} of row {position}.{ordinal} is not the one that the row commits to"),
                });
            }
        }
    };
    match chain {
        Chain::Audit => {}
        Chain::Complaints => {
            use crate::tables::complaint_event_values as values;
            let mut last: Option<Id> = None;
            loop {
                let mut ids = values::table.into_boxed::<MultiBackend>();
                if let Some(last) = last {
                    ids = ids.filter(values::complaint_id.gt(last));
                }
                let ids: Vec<Id> =
                    ids.select(values::complaint_id).order(values::complaint_id).limit(AT_ONCE).load(conn)?;
                let (Some(first), Some(end)) = (ids.first(), ids.last()) else { break };
                let rows: Vec<Value> = values::table
                    .left_join(
                        complaint_events::table.on(complaint_events::complaint_id
                            .eq(values::complaint_id)
                            .and(complaint_events::position.eq(values::position))
                            .and(complaint_events::ordinal.eq(values::ordinal))),
                    )
                    .filter(values::complaint_id.ge(first).and(values::complaint_id.le(end)))
                    .select((
                        values::position,
                        values::ordinal,
                        values::side,
                        values::field,
                        values::salt,
                        values::value,
                        complaint_events::before.nullable(),
                        complaint_events::after.nullable(),
                    ))
                    .load(conn)?;
                check(rows);
                last = Some(*end);
            }
        }
        Chain::Reference => {
            use crate::tables::reference_event_values as values;
            let (mut position, mut ordinal) = (i64::MIN, i32::MAX);
            loop {
                let later =
                    values::position.gt(position).or(values::position.eq(position).and(values::ordinal.gt(ordinal)));
                let rows: Vec<Value> = values::table
                    .left_join(
                        reference_events::table.on(reference_events::position
                            .eq(values::position)
                            .and(reference_events::ordinal.eq(values::ordinal))),
                    )
                    .filter(later)
                    .order((values::position, values::ordinal))
                    .limit(AT_ONCE)
                    .select((
                        values::position,
                        values::ordinal,
                        values::side,
                        values::field,
                        values::salt,
                        values::value,
                        reference_events::before.nullable(),
                        reference_events::after.nullable(),
                    ))
                    .load(conn)?;
                // The values of one row stay together: those of the last are read again with the next ones.
                let Some(last) = rows.last().map(|row| (row.0, row.1)) else { break };
                let whole = i64::try_from(rows.len()).unwrap_or(i64::MAX) < AT_ONCE;
                (position, ordinal) = if whole { last } else { (last.0, last.1 - 1) };
                check(rows);
                if whole {
                    break;
                }
            }
        }
    }
    Ok(())
}
