//! Stores a world: all of it in one transaction, so that nothing is half-written.

use super::cases::{Made, Maker};
use super::enterprises::enterprises;
use super::people::{self, BASE, People};
use super::plan::{World, plan};
use super::timeline::Timeline;
use super::truth::{TrueOfficer, Truth};
use super::units::{Units, categories, units};
use super::{Parameters, incidents};
use crate::db::dialect::{drop_indexes, make_indexes};
use crate::db::{Db, StoreError, WriteTx};
use crate::enums::ReferenceEventKind;
use crate::events::{Entity, Fields, ReferenceEvent, fields_of};
use crate::insert_all;
use crate::models::{Posting, UnitParent, UnitResponse};
use crate::register::reference::Stored;
use crate::register::{complaints, demonstration};
use crate::sql_types::{Id, Timestamp};
use crate::tables::{postings, unit_parents, unit_responses};
use chrono::NaiveDate;
use diesel::prelude::*;
use serde_json::json;
use std::sync::mpsc::sync_channel;

/// Hears how far the work is; false stops it, and nothing is left behind.
pub trait Progress {
    fn complaints(&mut self, stored: usize) -> bool;
}

impl<F: FnMut(usize) -> bool> Progress for F {
    fn complaints(&mut self, stored: usize) -> bool {
        self(stored)
    }
}

/// Complaints that are made and stored at once.
const BATCH: usize = 1_000;
/// The tables that take most rows.
const FILLED: &[&str] = &[
    "workload",
    "reference_events",
    "complaints",
    "complaint_sources",
    "complaint_officers",
    "complaint_events",
    "unit_responses",
];
/// Batches made ahead of those stored.
const AHEAD: usize = 4;

/// Makes a world and stores it.
///
/// # Errors
/// `Conflict` where the database holds anything already; `Rule` for parameters that make no world.
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
    let seed = parameters.seed;
    let timeline = Timeline::new(parameters.until);
    let mut units = units(seed, timeline.since);
    let people = people::people(seed, parameters.complaints, &timeline, &mut units);
    let enterprises = enterprises(seed, parameters.complaints, &units);
    let incidents = incidents::incidents(seed, &timeline, &units);
    let (category_rows, categories) = categories();
    let world = World {
        seed,
        timeline: &timeline,
        units: &units,
        people: &people,
        enterprises: &enterprises,
        incidents: &incidents,
        categories: &categories,
    };
    let planned = plan(&world, parameters.complaints);
    if !progress.complaints(0) {
        return Err(interrupted());
    }
    let source = format!("demo:{seed}");
    db.write("generate", |tx| {
        demonstration::set_mark(tx, parameters)?;
        let indexes = drop_indexes(tx.conn, FILLED)?;
        store_units(tx, &units)?;
        create(tx, &category_rows)?;
        let (officers, posted) = people::rows(seed, &people, &timeline, &units);
        create(tx, &officers)?;
        store_postings(tx, &posted)?;
        create(tx, &enterprises.rows)?;
        create(tx, &people::workload(&people, &timeline, &units))?;
        create(tx, &incidents::rows(&source, &incidents, &timeline, &units))?;
        let maker = Maker::new(&world, &source, tx.now, tx.actor);
        store_complaints(tx, &maker, &planned, progress)?;
        make_indexes(tx.conn, &indexes)
    })?;
    Ok(truth(parameters, &people, &timeline))
}

/// What is true of a world, whether it is stored anywhere or not.
///
/// # Errors
/// `Rule` for parameters that make no world.
pub fn true_of(parameters: Parameters) -> Result<Truth, StoreError> {
    parameters.check()?;
    let timeline = Timeline::new(parameters.until);
    let mut units = units(parameters.seed, timeline.since);
    let people = people::people(parameters.seed, parameters.complaints, &timeline, &mut units);
    Ok(truth(parameters, &people, &timeline))
}

impl Parameters {
    /// # Errors
    /// Where no world can be made of them.
    pub fn check(self) -> Result<(), StoreError> {
        if !(100..=20_000_000).contains(&self.complaints) {
            return Err(StoreError::Rule("a world has from 100 to 20,000,000 complaints".into()));
        }
        let (first, last) =
            (NaiveDate::from_ymd_opt(1975, 1, 1), crate::domain::calendar::local_date(Timestamp::now()));
        if first.is_some_and(|first| self.until < first) || self.until > last {
            return Err(StoreError::Rule(format!("the last day of a world lies between 1975-01-01 and today, {last}")));
        }
        Ok(())
    }
}

fn interrupted() -> StoreError {
    StoreError::Rule("interrupted: nothing was written".into())
}

/// Stores rows that are new, each with its event.
fn create<M: Stored>(tx: &mut WriteTx<'_>, rows: &[M]) -> Result<(), StoreError> {
    for chunk in rows.chunks(20_000) {
        M::insert(tx.conn, chunk)?;
        for row in chunk {
            created(tx, M::ENTITY, row.id(), fields_of(row));
        }
        tx.store_events()?;
    }
    Ok(())
}

fn created(tx: &mut WriteTx<'_>, entity: Entity, entity_id: Id, after: Fields) {
    let effective_at = tx.now;
    tx.record_reference(ReferenceEvent {
        entity,
        entity_id,
        kind: ReferenceEventKind::Created,
        effective_at,
        before: None,
        after: Some(after),
    });
}

fn store_units(tx: &mut WriteTx<'_>, units: &Units) -> Result<(), StoreError> {
    create(tx, &units.rows)?;
    insert_all!(&mut *tx.conn, unit_parents::table, 4, units.parents.iter());
    for parent in &units.parents {
        let rows: [&UnitParent; 1] = [parent];
        created(tx, Entity::UnitParents, parent.unit_id, list("parents", json!(rows)));
    }
    tx.store_events()
}

fn store_postings(tx: &mut WriteTx<'_>, rows: &[Posting]) -> Result<(), StoreError> {
    insert_all!(&mut *tx.conn, postings::table, 4, rows.iter());
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

/// One thread makes, this one stores.
fn store_complaints(
    tx: &mut WriteTx<'_>,
    maker: &Maker<'_>,
    planned: &[super::plan::Planned],
    progress: &mut dyn Progress,
) -> Result<(), StoreError> {
    let (sender, receiver) = sync_channel::<Vec<Made>>(AHEAD);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for (nth, chunk) in planned.chunks(BATCH).enumerate() {
                let made = chunk.iter().enumerate().map(|(at, one)| maker.make(nth * BATCH + at, one)).collect();
                if sender.send(made).is_err() {
                    // Whoever stores has given up.
                    return;
                }
            }
        });
        let mut stored = 0;
        for made in receiver {
            stored += made.len();
            store_batch(tx, made)?;
            if !progress.complaints(stored) {
                return Err(interrupted());
            }
        }
        Ok(())
    })
}

fn store_batch(tx: &mut WriteTx<'_>, made: Vec<Made>) -> Result<(), StoreError> {
    let mut cases = Vec::with_capacity(made.len());
    let mut sources = Vec::with_capacity(made.len());
    let mut responses: Vec<UnitResponse> = Vec::with_capacity(made.len());
    let mut events = Vec::with_capacity(2 * made.len());
    for one in made {
        events.extend(one.events);
        cases.push(one.case);
        sources.push(one.source);
        responses.extend(one.responses);
    }
    complaints::insert_rows(tx.conn, &cases, &sources)?;
    insert_all!(&mut *tx.conn, unit_responses::table, 10, responses.iter());
    tx.record_prepared(events);
    // A large world would not fit into memory as events.
    tx.store_events()
}

fn truth(parameters: Parameters, people: &People, timeline: &Timeline) -> Truth {
    let level = timeline.level_at_the_end();
    Truth {
        as_of: parameters.until,
        planted: people.planted.clone(),
        officers: people
            .all
            .iter()
            .map(|person| TrueOfficer {
                code: person.code.clone(),
                ratio: person.ratio,
                expected_per_year: BASE * person.work * person.ratio * level,
            })
            .collect(),
    }
}
