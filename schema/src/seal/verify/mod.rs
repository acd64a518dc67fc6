//! Verification: checks that sealed rows are unchanged, and that every row matches its chain.

mod broken;
mod chain;
mod clock;
mod complaints;
mod derived;
mod expected;
mod fold;
mod gaps;
mod leases;
mod migrations;
mod names;
mod parts;
mod problem;
mod reference;
mod state_chain;
mod storage;
mod stored;
mod sums;

pub use chain::{ChainReport, Positions};
pub use leases::LONGEST_LEASE;
pub use problem::Problem;

use super::SealName;
use super::witness::Witnessed;
use crate::db::dialect::{begin_snapshot, rollback, scanning};
use crate::db::readable::Readable;
use crate::db::{Conn, Db, StoreError};
use crate::enums::Chain;
use crate::keys::Keys;
use crate::models::Seal;
use crate::sql_types::Id;
use crate::states::StateTable;
use crate::tables::{complaint_events, reference_events, seals};
use broken::{attempt, readable};
use chain::Trusted;
use derived::Derived;
use diesel::prelude::*;
use parts::{Part, Queue, Task};
use problem::Findings;
use serde::Serialize;
use std::sync::{Mutex, PoisonError};
use stored::{Stored, stored};
use sums::{Spans, Sums};

/// The scope of a verification, and its keys.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'s> {
    /// None: signatures are not checked, and the report is not `verified`.
    pub keys: Option<&'s Keys>,
    /// Seals seen outside the database, for example in a digest. If one is missing or differs, the end of its chain was
    /// cut off or replaced.
    pub expected_seals: &'s [SealName],
    /// The seals of a witness folder. If given, it must have seals of each chain that has seals.
    pub witness: Option<&'s Witnessed>,
    /// Compares only rows written after these positions; None for all rows.
    pub since: Option<Positions>,
}

/// The outcome of a verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub verified: bool,
    /// Whether all rows were compared, and not only those since given positions.
    pub all: bool,
    /// Totals of all chains.
    pub seals: i64,
    pub sealed: i64,
    pub unsealed: i64,
    pub chains: Vec<ChainReport>,
    /// Rows compared, by table.
    pub tables: Vec<TableReport>,
    /// The positions up to which the chains were verified.
    pub positions: Positions,
    pub problems: Vec<Problem>,
    /// Problems that are not listed, because their table or chain has too many.
    pub more: u64,
}

/// Number of compared rows of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TableReport {
    pub table: &'static str,
    pub rows: u64,
}

/// The most threads that verify parts, each with its own connection.
const THREADS: usize = 4;

/// Verifies the chains, and every row against its chain.
///
/// # Errors
/// If the database cannot be read. Problems of the register are in the report.
pub fn verify(db: &Db, scope: Scope<'_>) -> Result<Report, StoreError> {
    let mut findings = Findings::default();
    let mut expected_seals = scope.expected_seals.to_vec();
    expected_seals.extend(scope.witness.iter().flat_map(|witness| &witness.seals).cloned());
    let trusted = Trusted { keys: scope.keys, seals: &expected_seals };
    step(db, "__diesel_schema_migrations", &mut findings, migrations::verify)?;
    let mut positions = Positions::default();
    step(db, "register_position", &mut findings, |conn, findings| {
        positions = chain::ends(conn, findings)?;
        Ok(())
    })?;
    let mut chains = Vec::new();
    let mut spans = Vec::new();
    for chain in Chain::ALL {
        let mut found = (ChainReport::of(chain), Spans::new());
        step(db, "seals", &mut findings, |conn, findings| {
            found = chain::seals_of(conn, &trusted, chain, |seal| at_once(&scope, seal), findings)?;
            Ok(())
        })?;
        chains.push(found.0);
        spans.push(found.1);
    }
    if let [of_complaints, of_reference, ..] = spans.as_slice() {
        let stored = stored();
        let mut queue = Queue::of_storage(stored.len());
        match scope.since {
            None => queue = queue.then_all(),
            Some(since) => {
                let mut changed = Vec::new();
                step(db, "complaint_events", &mut findings, |conn, findings| {
                    changed = changed_since(conn, since.register, findings)?;
                    Ok(())
                })?;
                queue = queue.then_some(changed);
            }
        }
        let spans = Pair { complaints: of_complaints, reference: of_reference };
        let sums = verify_parts(db, queue, &stored, &spans, &mut findings)?;
        if scope.since.is_none() {
            compare_differing_seals(db, &spans, &sums, &mut findings)?;
        }
    }
    step(db, "reference_event_values", &mut findings, reference::stray_values)?;
    step(db, "seals", &mut findings, chain::unknown_chain_seals)?;
    // Always all of them: they are few, and access rights depend on some.
    for table in StateTable::ALL {
        step(db, table.name(), &mut findings, |conn, findings| state_chain::verify(conn, *table, findings))?;
    }
    step(db, "jobs", &mut findings, leases::verify)?;
    // Last, because it skips positions that are reported already.
    step(db, "register_position", &mut findings, gaps::verify)?;
    Ok(report(&scope, chains, positions, findings))
}

/// Runs one step of a verification on one snapshot. A failed query becomes a finding, so that the next step still runs.
fn step(
    db: &Db,
    table: &'static str,
    findings: &mut Findings,
    work: impl FnOnce(&mut Conn, &mut Findings) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let taken = db.read_snapshot(|conn| scanning(conn, |conn| work(conn, findings)));
    attempt(table, taken, findings)
}

/// Whether the rows of a seal are compared while the seals are read. A full verification reads the rows of the register
/// by their keys instead.
fn at_once(scope: &Scope<'_>, seal: &Seal) -> bool {
    match scope.since {
        None => matches!(seal.chain, Chain::Audit | Chain::State),
        // Every verification compares all rows without events with their states, so all states are checked.
        Some(since) => seal.chain == Chain::State || seal.until > since.of(seal.chain),
    }
}

struct Pair<T> {
    complaints: T,
    reference: T,
}

fn verify_parts(
    db: &Db,
    queue: Queue,
    stored: &[Stored],
    spans: &Pair<&Spans>,
    findings: &mut Findings,
) -> Result<Pair<Sums>, StoreError> {
    let queue = Mutex::new(queue);
    let work = || {
        let worked = db.read(|conn| scanning(conn, |conn| drain_queue(conn, &queue, stored, spans)));
        if worked.is_err() {
            queue.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        worked
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(THREADS);
    // Leaves half of the connections to others.
    let threads = threads.min(usize::try_from(db.most_connections() / 2).unwrap_or(1)).max(1);
    let found = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect::<Vec<_>>()
    });
    let mut sums = Pair { complaints: spans.complaints.sums(), reference: spans.reference.sums() };
    for part in found {
        let (of_part, sums_of_part) = part?;
        findings.merge(of_part);
        sums.complaints.merge(&sums_of_part.complaints);
        sums.reference.merge(&sums_of_part.reference);
    }
    Ok(sums)
}

/// Verifies parts until the queue is empty, each on one snapshot.
fn drain_queue(
    conn: &mut Conn,
    queue: &Mutex<Queue>,
    stored: &[Stored],
    spans: &Pair<&Spans>,
) -> Result<(Findings, Pair<Sums>), StoreError> {
    let mut findings = Findings::default();
    let mut sums = Pair { complaints: spans.complaints.sums(), reference: spans.reference.sums() };
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next(conn);
        let Some((task, part)) = next else { return Ok((findings, sums)) };
        let verified = part.and_then(|part| {
            begin_snapshot(conn)?;
            let verified = match task {
                Task::Storage(at) => {
                    stored.get(at).map_or(Ok(()), |stored| storage::verify(conn, stored, &mut findings))
                }
                _ => verify_part(conn, task, &part, spans, &mut sums, &mut findings),
            };
            let ended = rollback(conn);
            verified.and(ended)
        });
        attempt(task.table(stored), verified, &mut findings)?;
    }
}

fn verify_part(
    conn: &mut Conn,
    task: Task,
    part: &Part,
    spans: &Pair<&Spans>,
    sums: &mut Pair<Sums>,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    match task {
        Task::Complaints => complaints::verify(conn, part, spans.complaints, &mut sums.complaints, findings),
        Task::Reference(derived) => {
            reference::verify(conn, derived, part, spans.reference, &mut sums.reference, findings)
        }
        Task::Unknown => reference::unknown(conn, spans.reference, &mut sums.reference, findings),
        Task::Storage(_) => Ok(()),
    }
}

/// Compares the seals whose sums differ row by row.
fn compare_differing_seals(
    db: &Db,
    spans: &Pair<&Spans>,
    sums: &Pair<Sums>,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let differing = [
        (Chain::Complaints, spans.complaints.differing(&sums.complaints)),
        (Chain::Reference, spans.reference.differing(&sums.reference)),
    ];
    for (chain, numbers) in differing {
        for number in numbers {
            step(db, "seals", findings, |conn, findings| {
                let seal: Seal = seals::table.find((chain, number)).select(Seal::as_select()).first(conn)?;
                chain::rows(conn, &seal, findings)
            })?;
        }
    }
    Ok(())
}

/// The ids with events after a position.
fn changed_since(conn: &mut Conn, position: i64, findings: &mut Findings) -> Result<Vec<(Task, Vec<Id>)>, StoreError> {
    let complaints: Vec<Readable<Id>> = complaint_events::table
        .filter(complaint_events::position.gt(position))
        .select(complaint_events::complaint_id)
        .distinct()
        .order(complaint_events::complaint_id)
        .load(conn)?;
    let mut tasks = vec![(Task::Complaints, readable("complaint_events", complaints, findings))];
    for derived in Derived::ALL {
        let ids: Vec<Readable<Id>> = reference_events::table
            .filter(reference_events::position.gt(position))
            .filter(reference_events::entity.eq(derived.entity().as_str()))
            .select(reference_events::entity_id)
            .distinct()
            .order(reference_events::entity_id)
            .load(conn)?;
        tasks.push((Task::Reference(*derived), readable("reference_events", ids, findings)));
    }
    Ok(tasks)
}

/// Reports the problems of the witness, and each chain with seals of which it has none.
fn witnessed(witness: &Witnessed, chains: &[ChainReport], findings: &mut Findings) {
    for problem in &witness.problems {
        findings.report(Problem::of(None, "no-witness", problem.clone()));
    }
    for chain in chains.iter().filter(|chain| chain.seals > 0) {
        if !witness.seals.iter().any(|seal| seal.chain == chain.chain) {
            let folder = witness.folder.display();
            let message = format!("the witness {folder} has no seal of this chain: is it the one of this register?");
            findings.report(Problem::of(chain.chain, "no-witness", message));
        }
    }
}

fn report(scope: &Scope<'_>, chains: Vec<ChainReport>, positions: Positions, mut findings: Findings) -> Report {
    let sum = |count: fn(&ChainReport) -> i64| chains.iter().map(count).sum();
    let (seals, sealed, unsealed) = (sum(|chain| chain.seals), sum(|chain| chain.rows), sum(|chain| chain.unsealed));
    if scope.keys.is_none() {
        findings.report(Problem::of(None, "key-missing", "seal signatures cannot be checked without the key file"));
    }
    if let Some(witness) = scope.witness {
        witnessed(witness, &chains, &mut findings);
    }
    if seals == 0 {
        findings.report(Problem::of(None, "no-seals", "there is no seal: the register cannot be verified"));
    }
    Report {
        verified: findings.problems.is_empty(),
        all: scope.since.is_none(),
        seals,
        sealed,
        unsealed,
        chains,
        tables: findings.rows.iter().map(|(table, rows)| TableReport { table, rows: *rows }).collect(),
        positions,
        problems: findings.problems,
        more: findings.more,
    }
}
