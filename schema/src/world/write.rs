//! Generates a world and stores it in one transaction, so that an interruption leaves nothing behind.

use super::cases::{Generated, Generator};
use super::parts::Parts;
use super::people::{self, BASE};
use super::truth::{TrueBurst, TrueOfficer, Truth};
use super::units::Units;
use super::{Parameters, incidents};
use crate::db::indexes::{Keys, drop_indexes, make_indexes};
use crate::db::{Backend, Db, StoreError, WriteTx, defer};
use crate::enums::ReferenceEventKind;
use crate::events::{Entity, Fields, PreparedReference, ReferenceEvent, fields_of};
use crate::insert_all;
use crate::models::{Posting, UnitParent, UnitResponse};
use crate::register::reference::Stored;
use crate::register::{clock_of, complaints, demonstration};
use crate::sql_types::{Id, Timestamp};
use crate::tables::{postings, unit_parents, unit_responses};
use chrono::NaiveDate;
use diesel::prelude::*;
use serde_json::json;
use std::sync::mpsc::sync_channel;

/// Receives the number of stored complaints. Returning false cancels the generation and rolls it back.
pub trait Progress {
    fn complaints(&mut self, stored: usize) -> bool;
}

impl<F: FnMut(usize) -> bool> Progress for F {
    fn complaints(&mut self, stored: usize) -> bool {
        self(stored)
    }
}

/// Complaints per batch.
const BATCH: usize = 1_000;
/// The tables with the most rows: their indexes and foreign keys are dropped and made again after the inserts.
const FILLED: &[&str] = &[
    "enterprises",
    "officers",
    "postings",
    "workload",
    "reference_events",
    "reference_event_values",
    "complaints",
    "complaint_sources",
    "complaint_officers",
    "complaint_clocks",
    "complaint_events",
    "complaint_event_values",
    "unit_responses",
];
/// Batches that may be generated ahead of the store (backpressure).
const AHEAD: usize = 4;

/// Generates a world and stores it.
///
/// # Errors
/// `Conflict` if the database is not empty; `Rule` for invalid parameters or an interruption.
pub fn generate(db: &Db, parameters: Parameters, progress: &mut dyn Progress) -> Result<Truth, StoreError> {
    parameters.check()?;
    db.read(|conn| {
        if let Some(mark) = demonstration::mark(conn)? {
            return Err(StoreError::Conflict(format!(
                "the database holds demonstration data already (seed {}, {} complaints): take another database",
                mark.seed, mark.complaints
            )));
        }
        if demonstration::is_used(conn)? {
            return Err(StoreError::Conflict(
                "the database holds real data: demonstration data goes into a database of its own".into(),
            ));
        }
        Ok(())
    })?;
    let parts = Parts::of(parameters)?;
    let Parts { timeline, units, people, enterprises, incidents, .. } = &parts;
    let (planned, bursts) = parts.plan();
    if !progress.complaints(0) {
        return Err(interrupted());
    }
    let (seed, world) = (parameters.seed, parts.world());
    let source = format!("demo:{seed}");
    db.write_filling("generate", |tx| {
        demonstration::set_mark(tx, parameters)?;
        let indexes = match db.backend() {
            Backend::Sqlite => drop_indexes(tx.conn, FILLED)?,
            // Made after the commit, when several connections see the rows.
            Backend::Postgres => defer(tx.conn, FILLED, Keys::All, &[]).map(|()| Vec::new())?,
        };
        store_units(tx, units)?;
        create(tx, &parts.category_rows)?;
        let (officers, posted) = people::rows(seed, people, timeline, units);
        create(tx, &officers)?;
        store_postings(tx, &posted)?;
        create(tx, &enterprises.rows)?;
        create(tx, &people::workload(people, timeline, units))?;
        create(tx, &incidents::rows(&source, incidents, timeline, units))?;
        let clock = clock_of(tx)?;
        let generator = Generator::new(&world, &source, tx.now, tx.actor, clock);
        store_complaints(tx, &generator, &planned, progress)?;
        make_indexes(tx.conn, &indexes)
    })?;
    db.make_deferred_indexes()?;
    Ok(truth(&parts, bursts))
}

/// The ground truth of a world, computed without storing it.
///
/// # Errors
/// `Rule` for invalid parameters.
pub fn ground_truth(parameters: Parameters) -> Result<Truth, StoreError> {
    let parts = Parts::of(parameters)?;
    let bursts = if parameters.bursts.number == 0 { Vec::new() } else { parts.plan().1 };
    Ok(truth(&parts, bursts))
}

impl Parameters {
    /// # Errors
    /// `Rule` if the number of complaints, the last day or a burst is out of range.
    pub fn check(self) -> Result<(), StoreError> {
        if !(100..=20_000_000).contains(&self.complaints) {
            return Err(StoreError::Rule("the number of complaints must be between 100 and 20,000,000".into()));
        }
        let (first, last) =
            (NaiveDate::from_ymd_opt(1975, 1, 1), crate::domain::calendar::local_date(Timestamp::now()));
        if first.is_some_and(|first| self.until < first) || self.until > last {
            return Err(StoreError::Rule(format!("the last day must be between 1975-01-01 and today, {last}")));
        }
        self.bursts.check()
    }
}

fn interrupted() -> StoreError {
    StoreError::Rule("interrupted: nothing was written".into())
}

/// Rows that are inserted at once.
const ROWS: usize = 5_000;

/// Inserts new rows, each with its event, which another thread prepares.
fn create<M: Stored + Sync>(tx: &mut WriteTx<'_>, rows: &[M]) -> Result<(), StoreError> {
    let now = tx.now;
    let (sender, prepared) = sync_channel::<Vec<PreparedReference>>(1);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for chunk in rows.chunks(ROWS) {
                let events = chunk.iter().map(|row| creation(M::ENTITY, row.id(), fields_of(row), now).prepare());
                if sender.send(events.collect()).is_err() {
                    // The storing thread has failed.
                    return;
                }
            }
        });
        for (chunk, events) in rows.chunks(ROWS).zip(prepared) {
            M::insert(tx.conn, chunk)?;
            tx.record_prepared_reference(events);
            tx.store_events()?;
        }
        Ok(())
    })
}

/// The event of a new row.
fn creation(entity: Entity, entity_id: Id, after: Fields, effective_at: Timestamp) -> ReferenceEvent {
    let kind = ReferenceEventKind::Created;
    ReferenceEvent { entity, entity_id, kind, effective_at, before: None, after: Some(after) }
}

fn created(tx: &mut WriteTx<'_>, entity: Entity, entity_id: Id, after: Fields) {
    tx.record_reference(creation(entity, entity_id, after, tx.now));
}

fn store_units(tx: &mut WriteTx<'_>, units: &Units) -> Result<(), StoreError> {
    create(tx, &units.rows)?;
    insert_all!(&mut *tx.conn, unit_parents::table, units.parents.iter());
    for parent in &units.parents {
        let rows: [&UnitParent; 1] = [parent];
        created(tx, Entity::UnitParents, parent.unit_id, list("parents", json!(rows)));
    }
    tx.store_events()
}

fn store_postings(tx: &mut WriteTx<'_>, rows: &[Posting]) -> Result<(), StoreError> {
    insert_all!(&mut *tx.conn, postings::table, rows.iter());
    for of_officer in rows.chunk_by(|a, b| a.officer_id == b.officer_id) {
        created(tx, Entity::Postings, of_officer[0].officer_id, list("postings", json!(of_officer)));
    }
    tx.store_events()
}

fn list(name: &str, rows: serde_json::Value) -> Fields {
    let mut fields = Fields::new();
    fields.insert(name.to_owned(), rows);
    fields
}

/// Another thread generates batches while this one stores them.
fn store_complaints(
    tx: &mut WriteTx<'_>,
    generator: &Generator<'_>,
    planned: &[super::plan::Planned],
    progress: &mut dyn Progress,
) -> Result<(), StoreError> {
    let (sender, receiver) = sync_channel::<Vec<Generated>>(AHEAD);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for (nth, chunk) in planned.chunks(BATCH).enumerate() {
                let generated =
                    chunk.iter().enumerate().map(|(at, one)| generator.generate(nth * BATCH + at, one)).collect();
                if sender.send(generated).is_err() {
                    // The storing thread has failed or was cancelled.
                    return;
                }
            }
        });
        let mut stored = 0;
        for generated in receiver {
            stored += generated.len();
            store_batch(tx, generated)?;
            if !progress.complaints(stored) {
                return Err(interrupted());
            }
        }
        Ok(())
    })
}

fn store_batch(tx: &mut WriteTx<'_>, generated: Vec<Generated>) -> Result<(), StoreError> {
    let mut cases = Vec::with_capacity(generated.len());
    let mut sources = Vec::with_capacity(generated.len());
    let mut responses: Vec<UnitResponse> = Vec::with_capacity(generated.len());
    let mut events = Vec::with_capacity(2 * generated.len());
    for one in generated {
        events.extend(one.events);
        cases.push(one.case);
        sources.push(one.source);
        responses.extend(one.responses);
    }
    complaints::insert_rows(tx.conn, &cases, &sources)?;
    insert_all!(&mut *tx.conn, unit_responses::table, responses.iter());
    tx.record_prepared(events);
    // Store now: the events of a large world would not fit into memory.
    tx.store_events()
}

fn truth(parts: &Parts, bursts: Vec<TrueBurst>) -> Truth {
    let level = parts.timeline.level_at_the_end();
    Truth {
        as_of: parts.parameters.until,
        planted: parts.people.planted.clone(),
        officers: parts
            .people
            .all
            .iter()
            .map(|person| TrueOfficer {
                code: person.code.clone(),
                ratio: person.ratio,
                expected_per_year: BASE * person.work * person.ratio * level,
            })
            .collect(),
        bursts,
    }
}
