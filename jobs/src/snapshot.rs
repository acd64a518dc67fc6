//! The columnar snapshot: the facts of complaints as columns in memory, for aggregates.
//!
//! Loaded at start, refreshed by position, published atomically: who reads holds one state.

use crate::JobError;
use crate::facts::EnterpriseFact;
use crate::frames::day_number;
use arc_swap::ArcSwap;
use chrono::Datelike;
use diesel::prelude::*;
use polars::prelude::{BooleanChunked, Column, DataFrame, PolarsResult};
use schema::db::dialect::{KEYS_PER_QUERY, current_position};
use schema::domain::calendar::local_date;
use schema::domain::state::is_void;
use schema::domain::tree::UnitTree;
use schema::enums::{CategoryKind, ComplaintState, ReferenceEventKind};
use schema::models::{IssueCategory, Unit, UnitParent};
use schema::tables::{
    complaint_events, complaints, enterprises, issue_categories, reference_events, unit_parents, unit_responses, units,
};
use schema::{Conn, Db, Id, Timestamp};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

/// Units and categories, which filters and answers name by place.
#[derive(Debug, Clone, Default)]
pub struct Reference {
    pub tree: UnitTree,
    pub units: Vec<Unit>,
    pub categories: Vec<IssueCategory>,
    unit_place: HashMap<Id, u32>,
    category_place: HashMap<Id, u32>,
    unit_by_code: HashMap<String, u32>,
}

impl Reference {
    fn load(conn: &mut Conn) -> Result<Self, JobError> {
        let all: Vec<Unit> = units::table.order(units::code).select(Unit::as_select()).load(conn)?;
        let parents: Vec<UnitParent> = unit_parents::table.select(UnitParent::as_select()).load(conn)?;
        let categories: Vec<IssueCategory> =
            issue_categories::table.order(issue_categories::code).select(IssueCategory::as_select()).load(conn)?;
        Ok(Self {
            tree: UnitTree::new(&all, &parents),
            unit_place: (0..).zip(&all).map(|(at, unit)| (unit.id, at)).collect(),
            unit_by_code: (0..).zip(&all).map(|(at, unit)| (unit.code.clone(), at)).collect(),
            category_place: (0..).zip(&categories).map(|(at, category)| (category.id, at)).collect(),
            units: all,
            categories,
        })
    }

    pub fn unit_by_code(&self, code: &str) -> Option<&Unit> {
        self.units.get(*self.unit_by_code.get(code)? as usize)
    }

    pub fn unit_place(&self, id: Id) -> Option<u32> {
        self.unit_place.get(&id).copied()
    }

    pub fn category_place(&self, id: Id) -> Option<u32> {
        self.category_place.get(&id).copied()
    }
}

/// One state of the register.
///
/// Columns of `facts`: `id_high`, `id_low` (u64, the id), `day` (i32, local date received),
/// `month` (i32, year × 12 + month − 1), `year` (i32), `department`, `branch`, `team`, `unit`,
/// `category` (u32?, places in [`Reference`]), `kind` (u32?, place in the kinds of categories),
/// `state` (u32), `enterprise` (u32?), `cost` (i64?), `delay` (f64?), `confidential` (bool), and local
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
    enterprises: Arc<Enterprises>,
}

/// Places of enterprises. Those that count as one share a place.
#[derive(Debug, Clone, Default)]
struct Enterprises {
    by_id: HashMap<Id, u32>,
    by_name: HashMap<String, u32>,
}

impl Enterprises {
    fn add(&mut self, rows: Vec<(Id, String, Option<String>)>) {
        for (id, tax_code, group_code) in rows {
            let next = u32::try_from(self.by_name.len()).unwrap_or(u32::MAX);
            let name = EnterpriseFact { tax_code, group_code }.counts_as();
            let place = *self.by_name.entry(name).or_insert(next);
            self.by_id.insert(id, place);
        }
    }
}

#[derive(Queryable)]
struct Row {
    id: Id,
    received_at: Timestamp,
    department_id: Option<Id>,
    branch_id: Option<Id>,
    team_id: Option<Id>,
    unit_id: Option<Id>,
    category_id: Option<Id>,
    state: ComplaintState,
    enterprise_id: Option<Id>,
    cost_vnd: Option<i64>,
    delay_hours: Option<f64>,
    confidential: bool,
    state_since: Timestamp,
}

type RowColumns = (
    complaints::id,
    complaints::received_at,
    complaints::department_id,
    complaints::branch_id,
    complaints::team_id,
    complaints::unit_id,
    complaints::category_id,
    complaints::state,
    complaints::enterprise_id,
    complaints::cost_vnd,
    complaints::delay_hours,
    complaints::confidential,
    complaints::state_since,
);

const ROW: RowColumns = (
    complaints::id,
    complaints::received_at,
    complaints::department_id,
    complaints::branch_id,
    complaints::team_id,
    complaints::unit_id,
    complaints::category_id,
    complaints::state,
    complaints::enterprise_id,
    complaints::cost_vnd,
    complaints::delay_hours,
    complaints::confidential,
    complaints::state_since,
);

const ENTERPRISE: (enterprises::id, enterprises::tax_code, enterprises::group_code) =
    (enterprises::id, enterprises::tax_code, enterprises::group_code);

/// The snapshot that is current, and the way to a newer one.
pub struct SnapshotStore {
    current: ArcSwap<Snapshot>,
    refreshing: Mutex<()>,
}

impl SnapshotStore {
    /// Loads the first snapshot.
    pub fn load(db: &Db) -> Result<Self, JobError> {
        let snapshot = read(db, load_all)?;
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
        let next = read(db, |conn| {
            let position = current_position(conn)?;
            if position == before.position {
                return Ok(None);
            }
            // New enterprises and officers come with complaints and are read with them.
            let reference_changed = reference_events::table
                .filter(reference_events::position.gt(before.position))
                .filter(
                    reference_events::entity.eq_any(["unit", "unit_parents", "issue_category"]).or(
                        reference_events::entity
                            .eq("enterprise")
                            .and(reference_events::kind.ne(ReferenceEventKind::Created)),
                    ),
                )
                .count()
                .get_result::<i64>(conn)?
                > 0;
            if reference_changed {
                // Places may have moved: all of it is read again.
                return load_all(conn).map(Some);
            }
            refreshed(conn, &before, position).map(Some)
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

/// A read of one state that may fail for reasons of its own.
fn read<T>(db: &Db, work: impl FnOnce(&mut Conn) -> Result<T, JobError>) -> Result<T, JobError> {
    let mut outcome = None;
    db.read_snapshot(|conn| {
        outcome = Some(work(conn));
        Ok(())
    })?;
    outcome.unwrap_or_else(|| Err(JobError::NotFound("nothing was read".into())))
}

fn load_all(conn: &mut Conn) -> Result<Snapshot, JobError> {
    let as_of = Timestamp::now();
    let position = current_position(conn)?;
    let reference = Reference::load(conn)?;
    let mut enterprises = Enterprises::default();
    enterprises.add(enterprises::table.select(ENTERPRISE).order(enterprises::id).load(conn)?);
    let mut columns = Columns::default();
    let responses: HashMap<Id, Timestamp> = unit_responses::table
        .group_by(unit_responses::complaint_id)
        .select((unit_responses::complaint_id, diesel::dsl::min(unit_responses::responded_at)))
        .load::<(Id, Option<Timestamp>)>(conn)?
        .into_iter()
        .filter_map(|(id, first)| Some((id, first?)))
        .collect();
    for row in complaints::table.order(complaints::id).select(ROW).load_iter::<Row, _>(conn)? {
        let row = row?;
        columns.push(&row, responses.get(&row.id).copied(), &reference, &enterprises);
    }
    Ok(Snapshot {
        facts: columns.into_frame()?,
        reference: Arc::new(reference),
        position,
        as_of,
        demonstration: schema::register::demonstration::mark(conn)?.is_some(),
        enterprises: Arc::new(enterprises),
    })
}

/// The snapshot with the complaints that changed after its position read anew.
fn refreshed(conn: &mut Conn, before: &Snapshot, position: i64) -> Result<Snapshot, JobError> {
    let as_of = Timestamp::now();
    let changed: Vec<Id> = complaint_events::table
        .filter(complaint_events::position.gt(before.position))
        .select(complaint_events::complaint_id)
        .distinct()
        .load(conn)?;
    let mut enterprises = (*before.enterprises).clone();
    let mut columns = Columns::default();
    for chunk in changed.chunks(KEYS_PER_QUERY) {
        let rows: Vec<Row> = complaints::table.filter(complaints::id.eq_any(chunk)).select(ROW).load(conn)?;
        let new: HashSet<Id> =
            rows.iter().filter_map(|row| row.enterprise_id).filter(|id| !enterprises.by_id.contains_key(id)).collect();
        let new: Vec<Id> = new.into_iter().collect();
        enterprises.add(
            enterprises::table
                .filter(enterprises::id.eq_any(&new))
                .select(ENTERPRISE)
                .order(enterprises::id)
                .load(conn)?,
        );
        let responses: HashMap<Id, Timestamp> = unit_responses::table
            .filter(unit_responses::complaint_id.eq_any(chunk))
            .group_by(unit_responses::complaint_id)
            .select((unit_responses::complaint_id, diesel::dsl::min(unit_responses::responded_at)))
            .load::<(Id, Option<Timestamp>)>(conn)?
            .into_iter()
            .filter_map(|(id, first)| Some((id, first?)))
            .collect();
        for row in rows {
            columns.push(&row, responses.get(&row.id).copied(), &before.reference, &enterprises);
        }
    }
    let gone: HashSet<(u64, u64)> = changed.iter().map(|id| halves(*id)).collect();
    let high = before.facts.column("id_high")?.u64()?;
    let low = before.facts.column("id_low")?.u64()?;
    let stays: BooleanChunked =
        high.iter().zip(low.iter()).map(|(h, l)| !gone.contains(&(h.unwrap_or(0), l.unwrap_or(0)))).collect();
    let mut facts = before.facts.filter(&stays)?.vstack(&columns.into_frame()?)?;
    facts.rechunk_mut();
    Ok(Snapshot {
        facts,
        reference: Arc::clone(&before.reference),
        position,
        as_of,
        demonstration: before.demonstration,
        enterprises: Arc::new(enterprises),
    })
}

fn halves(id: Id) -> (u64, u64) {
    id.0.as_u64_pair()
}

#[derive(Default)]
struct Columns {
    id_high: Vec<u64>,
    id_low: Vec<u64>,
    day: Vec<i32>,
    month: Vec<i32>,
    year: Vec<i32>,
    department: Vec<Option<u32>>,
    branch: Vec<Option<u32>>,
    team: Vec<Option<u32>>,
    unit: Vec<Option<u32>>,
    category: Vec<Option<u32>>,
    kind: Vec<Option<u32>>,
    state: Vec<u32>,
    enterprise: Vec<Option<u32>>,
    cost: Vec<Option<i64>>,
    delay: Vec<Option<f64>>,
    confidential: Vec<bool>,
    due: Vec<Option<i32>>,
    answered: Vec<Option<i32>>,
    ended: Vec<Option<i32>>,
}

impl Columns {
    fn push(&mut self, row: &Row, first_response: Option<Timestamp>, reference: &Reference, enterprises: &Enterprises) {
        let (high, low) = halves(row.id);
        let day = local_date(row.received_at);
        let unit = |id: Option<Id>| id.and_then(|id| reference.unit_place(id));
        let category = row.category_id.and_then(|id| reference.category_place(id));
        let kind = category.and_then(|place| reference.categories.get(place as usize)).map(|c| kind_place(c.kind));
        self.id_high.push(high);
        self.id_low.push(low);
        self.day.push(day_number(day));
        self.month.push(day.year() * 12 + i32::try_from(day.month0()).unwrap_or(0));
        self.year.push(day.year());
        self.department.push(unit(row.department_id));
        self.branch.push(unit(row.branch_id));
        self.team.push(unit(row.team_id));
        self.unit.push(unit(row.unit_id));
        self.category.push(category);
        self.kind.push(kind);
        self.state.push(state_place(row.state));
        self.enterprise.push(row.enterprise_id.and_then(|id| enterprises.by_id.get(&id).copied()));
        self.cost.push(row.cost_vnd);
        self.delay.push(row.delay_hours);
        self.confidential.push(row.confidential);
        let deadline = category.and_then(|place| reference.categories.get(place as usize)?.deadline_days);
        let since = || day_number(local_date(row.state_since));
        let answered_without_words = matches!(row.state, ComplaintState::Answered | ComplaintState::Closed).then(since);
        self.due.push(deadline.map(|days| day_number(day).saturating_add(days)));
        self.answered.push(first_response.map(|at| day_number(local_date(at))).or(answered_without_words));
        self.ended.push((row.state == ComplaintState::Closed || is_void(row.state)).then(since));
    }

    fn into_frame(self) -> PolarsResult<DataFrame> {
        DataFrame::new(
            self.day.len(),
            vec![
                Column::new("id_high".into(), self.id_high),
                Column::new("id_low".into(), self.id_low),
                Column::new("day".into(), self.day),
                Column::new("month".into(), self.month),
                Column::new("year".into(), self.year),
                Column::new("department".into(), self.department),
                Column::new("branch".into(), self.branch),
                Column::new("team".into(), self.team),
                Column::new("unit".into(), self.unit),
                Column::new("category".into(), self.category),
                Column::new("kind".into(), self.kind),
                Column::new("state".into(), self.state),
                Column::new("enterprise".into(), self.enterprise),
                Column::new("cost".into(), self.cost),
                Column::new("delay".into(), self.delay),
                Column::new("confidential".into(), self.confidential),
                Column::new("due".into(), self.due),
                Column::new("answered".into(), self.answered),
                Column::new("ended".into(), self.ended),
            ],
        )
    }
}

/// The place of a kind of category in the column `kind`.
pub fn kind_place(kind: CategoryKind) -> u32 {
    kind as u32
}

/// The place of a state in the column `state`.
pub fn state_place(state: ComplaintState) -> u32 {
    state as u32
}
