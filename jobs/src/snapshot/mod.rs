//! The columnar snapshot: the facts of complaints as columns in memory, for aggregates.
//!
//! Loaded at start, refreshed by position, published atomically: who reads holds one state.

mod columns;
mod episodes;
mod past;
mod people;
mod reference;

pub use columns::{FINDING_BITS, channel_place, kind_place, meaning, state_place};
pub use past::Earlier;
pub use people::{Enterprises, Officers};
pub use reference::Reference;

use crate::JobError;
use arc_swap::ArcSwap;
use columns::{Allegation, Columns, Row, word_of};
use diesel::connection::DefaultLoadingMode;
use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;
use polars::prelude::{BooleanChunked, DataFrame};
use schema::db::dialect::{KEYS_PER_QUERY, current_position};
use schema::enums::ReferenceEventKind;
use schema::models::{Enterprise, Officer};
use schema::tables::{
    complaint_events, complaint_officers, complaints, enterprises, officers, reference_events, unit_responses,
};
use schema::{Conn, Db, Id, Timestamp};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock};

/// One state of the register.
///
/// Columns of `facts`: `id_high`, `id_low` (u64, the id), `received` (i64, microseconds), `day` (i32, local date received),
/// `month` (i32, year × 12 + month − 1), `year` (i32), `department`, `branch`, `team`, `unit`,
/// `category` (u32?, places in [`Reference`]), `kind` (u32?, place in the kinds of categories),
/// `channel`, `state` (u32), `enterprise` (u32?), `cost` (i64?), `delay` (f64?), `blames`, `confidential` (bool), `named` (a list of
/// u32: who is named and what was found, see [`meaning`]; never empty), and local
/// dates: `due` (i32?, the last day to answer on; null for a category without a deadline), `answered`
/// (i32?, the first response, else when it was answered or closed), `ended` (i32?, closed, withdrawn
/// or rejected).
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub facts: DataFrame,
    pub reference: Arc<Reference>,
    pub position: i64,
    pub as_of: Timestamp,
    /// Whether the register holds an invented world.
    pub demonstration: bool,
    pub enterprises: Arc<Enterprises>,
    pub officers: Arc<Officers>,
    /// Made when somebody first asks.
    episodes: Arc<OnceLock<Vec<u32>>>,
}

impl Snapshot {
    /// The same with the complaints alone that a condition chooses.
    pub fn of(&self, chosen: polars::prelude::Expr) -> Result<Self, JobError> {
        use polars::prelude::IntoLazy;
        let facts = self.facts.clone().lazy().filter(chosen).collect()?;
        Ok(Self { facts, episodes: Arc::default(), ..self.clone() })
    }

    /// The same complaints in the same order, with other columns, and another position to say.
    pub(crate) fn with(&self, facts: DataFrame, position: i64) -> Self {
        Self { facts, position, episodes: Arc::default(), ..self.clone() }
    }
}

/// The snapshot that is current, and the way to a newer one.
pub struct SnapshotStore {
    current: ArcSwap<Snapshot>,
    refreshing: Mutex<()>,
}

impl SnapshotStore {
    /// Loads the first snapshot.
    pub fn load(db: &Db) -> Result<Self, JobError> {
        let snapshot = db.read_snapshot(load_all)?;
        Ok(Self { current: ArcSwap::from_pointee(snapshot), refreshing: Mutex::new(()) })
    }

    pub fn current(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Puts a snapshot that was read anew in the place of the current one, unless that is newer.
    pub fn replace(&self, fresh: &Arc<Snapshot>) {
        let _one_at_a_time = self.refreshing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if self.current().position <= fresh.position {
            self.current.store(Arc::clone(fresh));
        }
    }

    /// Brings the snapshot up to the last commit. Readers go on with the one they hold.
    pub fn refresh(&self, db: &Db) -> Result<(), JobError> {
        let _one_at_a_time = self.refreshing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let before = self.current();
        let next = db.read_snapshot(|conn| {
            let position = current_position(conn)?;
            if position == before.position {
                return Ok(None);
            }
            let reference_changed = reference_events::table
                .filter(reference_events::position.gt(before.position))
                .filter(reference_events::entity.eq_any(["unit", "unit_parents", "issue_category"]))
                .count()
                .get_result::<i64>(conn)?
                > 0;
            let people = if reference_changed { None } else { people_changed(conn, &before)? };
            match people {
                // Places may have moved: all of it is read again.
                None => load_all(conn).map(Some),
                Some(people) => refreshed(conn, &before, people, position).map(Some),
            }
        })?;
        if let Some(next) = next {
            self.current.store(Arc::new(next));
        } else {
            let mut same = (*before).clone();
            same.as_of = Timestamp::now();
            self.current.store(Arc::new(same));
        }
        Ok(())
    }
}

type People = (Arc<Enterprises>, Arc<Officers>);

/// Those that changed after a snapshot, brought up to date, and new officers; None where an enterprise counts as another
/// now. New enterprises come with complaints and are read with them.
fn people_changed(conn: &mut Conn, before: &Snapshot) -> Result<Option<People>, JobError> {
    let changed = |conn: &mut Conn, entity: &str, kinds: &[ReferenceEventKind]| {
        reference_events::table
            .filter(reference_events::position.gt(before.position))
            .filter(reference_events::entity.eq(entity.to_owned()))
            .filter(reference_events::kind.eq_any(kinds.to_vec()))
            .select(reference_events::entity_id)
            .distinct()
            .load::<Id>(conn)
    };
    let [created, updated] = [ReferenceEventKind::Created, ReferenceEventKind::Updated];
    let (mut enterprises, mut officers) = (Arc::clone(&before.enterprises), Arc::clone(&before.officers));
    for chunk in changed(conn, "enterprise", &[updated])?.chunks(KEYS_PER_QUERY) {
        let found = enterprises::table.filter(enterprises::id.eq_any(chunk)).select(Enterprise::as_select());
        for enterprise in found.load(conn)? {
            if !Arc::make_mut(&mut enterprises).renamed(&enterprise) {
                return Ok(None);
            }
        }
    }
    for chunk in changed(conn, "officer", &[created, updated])?.chunks(KEYS_PER_QUERY) {
        let found = officers::table.filter(officers::id.eq_any(chunk)).select(Officer::as_select());
        for officer in found.load(conn)? {
            Arc::make_mut(&mut officers).put(&officer);
        }
    }
    Ok(Some((enterprises, officers)))
}

/// Runs a body for each row of a query, of which no more than one is held in memory.
macro_rules! for_each {
    ($conn:expr, $query:expr, $row:ty, |$one:ident| $body:expr) => {
        match $conn {
            Conn::Pg(conn) => {
                for row in $query.load_iter::<$row, PgRowByRowLoadingMode>(conn)? {
                    let $one = row?;
                    $body;
                }
            }
            Conn::Sqlite(conn) => {
                for row in $query.load_iter::<$row, DefaultLoadingMode>(conn)? {
                    let $one = row?;
                    $body;
                }
            }
        }
    };
}
use for_each;

fn load_all(conn: &mut Conn) -> Result<Snapshot, JobError> {
    let as_of = Timestamp::now();
    let position = current_position(conn)?;
    let reference = Reference::load(conn)?;
    let mut enterprises = Enterprises::default();
    for_each!(conn, enterprises::table.select(Enterprise::as_select()).order(enterprises::id), Enterprise, |row| {
        enterprises.add(row)
    });
    let mut officers = Officers::default();
    for_each!(conn, officers::table.select(Officer::as_select()).order(officers::code), Officer, |row| officers
        .put(&row));
    let first_responses = unit_responses::table
        .group_by(unit_responses::complaint_id)
        .select((unit_responses::complaint_id, diesel::dsl::min(unit_responses::responded_at)))
        .order(unit_responses::complaint_id);
    let mut responses: Vec<(Id, Timestamp)> = Vec::new();
    for_each!(conn, first_responses, (Id, Option<Timestamp>), |row| responses.extend(row.1.map(|at| (row.0, at))));
    let allegations = complaint_officers::table
        .order((complaint_officers::complaint_id, complaint_officers::ordinal))
        .select(ALLEGATION);
    let mut named: Vec<(Id, u32)> = Vec::new();
    for_each!(conn, allegations, Allegation, |row| named.push((row.0, word_of(&row, &officers))));
    let rows = complaints::table.count().get_result::<i64>(conn)?;
    let mut columns = Columns::new(usize::try_from(rows).unwrap_or(0));
    // All three lie in the order of complaints.
    let (mut responses, mut named, mut words) = (responses.as_slice(), named.as_slice(), Vec::new());
    for_each!(conn, complaints::table.order(complaints::id).select(Row::as_select()), Row, |row| {
        words.clear();
        words.extend(next_of(&mut named, row.id));
        let response = next_of(&mut responses, row.id).next();
        columns.push(&row, response, &words, &reference, &enterprises);
    });
    Ok(Snapshot {
        facts: columns.into_frame()?,
        reference: Arc::new(reference),
        position,
        as_of,
        demonstration: schema::register::demonstration::mark(conn)?.is_some(),
        enterprises: Arc::new(enterprises),
        officers: Arc::new(officers),
        episodes: Arc::default(),
    })
}

/// What the head of a list that is ordered by complaint says of one; what lies before it is of none that is asked
/// for.
fn next_of<T: Copy>(list: &mut &[(Id, T)], complaint: Id) -> impl Iterator<Item = T> {
    let from = list.iter().position(|(id, _)| *id >= complaint).unwrap_or(list.len());
    let of = list[from..].iter().position(|(id, _)| *id != complaint).unwrap_or(list.len() - from);
    let (found, rest) = list[from..].split_at(of);
    *list = rest;
    found.iter().map(|(_, value)| *value)
}

const ALLEGATION: (
    complaint_officers::complaint_id,
    complaint_officers::officer_id,
    complaint_officers::finding,
    complaint_officers::decided_on,
) = (
    complaint_officers::complaint_id,
    complaint_officers::officer_id,
    complaint_officers::finding,
    complaint_officers::decided_on,
);

fn first_responses(rows: Vec<(Id, Option<Timestamp>)>) -> HashMap<Id, Timestamp> {
    rows.into_iter().filter_map(|(id, first)| Some((id, first?))).collect()
}

/// Pieces of a frame before they are put together again: new complaints are hung on, and nothing is copied.
const MOST_PIECES: usize = 64;

/// The snapshot with the complaints that changed after its position read anew.
fn refreshed(conn: &mut Conn, before: &Snapshot, people: People, position: i64) -> Result<Snapshot, JobError> {
    let as_of = Timestamp::now();
    let changed: Vec<Id> = complaint_events::table
        .filter(complaint_events::position.gt(before.position))
        .select(complaint_events::complaint_id)
        .distinct()
        .order(complaint_events::complaint_id)
        .load(conn)?;
    let (mut enterprises, mut officers) = people;
    let mut columns = Columns::new(changed.len());
    for chunk in changed.chunks(KEYS_PER_QUERY) {
        let rows: Vec<Row> = complaints::table
            .filter(complaints::id.eq_any(chunk))
            .order(complaints::id)
            .select(Row::as_select())
            .load(conn)?;
        let new: HashSet<Id> =
            rows.iter().filter_map(|row| row.enterprise_id).filter(|id| enterprises.place(*id).is_none()).collect();
        if !new.is_empty() {
            let new: Vec<Id> = new.into_iter().collect();
            let found = enterprises::table.filter(enterprises::id.eq_any(&new)).select(Enterprise::as_select());
            let known = Arc::make_mut(&mut enterprises);
            found.order(enterprises::id).load(conn)?.into_iter().for_each(|one| known.add(one));
        }
        let allegations: Vec<Allegation> = complaint_officers::table
            .filter(complaint_officers::complaint_id.eq_any(chunk))
            .order((complaint_officers::complaint_id, complaint_officers::ordinal))
            .select(ALLEGATION)
            .load(conn)?;
        let new: HashSet<Id> = allegations.iter().map(|row| row.1).filter(|id| officers.place(*id).is_none()).collect();
        if !new.is_empty() {
            let new: Vec<Id> = new.into_iter().collect();
            let found = officers::table.filter(officers::id.eq_any(&new)).select(Officer::as_select());
            let known = Arc::make_mut(&mut officers);
            found.order(officers::code).load(conn)?.iter().for_each(|one| known.put(one));
        }
        let mut named: HashMap<Id, Vec<u32>> = HashMap::new();
        for allegation in &allegations {
            named.entry(allegation.0).or_default().push(word_of(allegation, &officers));
        }
        let responses = first_responses(
            unit_responses::table
                .filter(unit_responses::complaint_id.eq_any(chunk))
                .group_by(unit_responses::complaint_id)
                .select((unit_responses::complaint_id, diesel::dsl::min(unit_responses::responded_at)))
                .load(conn)?,
        );
        for row in rows {
            let words = named.get(&row.id).map_or(&[][..], Vec::as_slice);
            columns.push(&row, responses.get(&row.id).copied(), words, &before.reference, &enterprises);
        }
    }
    if changed.is_empty() {
        return Ok(Snapshot { position, as_of, enterprises, officers, ..before.clone() });
    }
    let gone: HashSet<(u64, u64)> = changed.iter().map(|id| id.0.as_u64_pair()).collect();
    let high = before.facts.column("id_high")?.u64()?;
    let low = before.facts.column("id_low")?.u64()?;
    let stays: BooleanChunked =
        high.iter().zip(low.iter()).map(|(h, l)| !gone.contains(&(h.unwrap_or(0), l.unwrap_or(0)))).collect();
    let kept = if stays.all() { before.facts.clone() } else { before.facts.filter(&stays)? };
    let mut facts = kept.vstack(&columns.into_frame()?)?;
    if facts.first_col_n_chunks() > MOST_PIECES {
        facts.rechunk_mut();
    }
    Ok(Snapshot {
        facts,
        reference: Arc::clone(&before.reference),
        position,
        as_of,
        demonstration: before.demonstration,
        enterprises,
        officers,
        episodes: Arc::default(),
    })
}
