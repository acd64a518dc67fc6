//! The recomputation of what follows from the rules: when they change, and when the deadline of a category does.

use super::super::complaints;
use super::rules::{KEY, ONLY, clock_files, clock_rules, register_holidays, rules_hash, rules_of};
use super::{ClockInput, clock_of, clock_state, rounds_of_history};
use crate::db::dialect::{self, KEYS_PER_QUERY};
use crate::db::{Conn, Db, MultiBackend, StoreError, WriteTx};
use crate::domain::legal_clock::{Clock, ClockFiles};
use crate::each;
use crate::enums::{ComplaintEventKind, ComplaintState, LegalForm};
use crate::models::{ComplaintClock, RegisterInfo};
use crate::queries::clocks_of;
use crate::sql_types::{Id, JsonValue, Timestamp};
use crate::states::StateTable;
use crate::tables::{complaint_events, complaints as complaint_table, legal_clock, register_info, unit_responses};
use chrono::NaiveDate;
use diesel::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};

/// Complaints per batch of a recomputation.
const BATCH: i64 = 5_000;

/// Makes the register count by the files of a configuration; by those that it has where the configuration names none.
/// Holidays that the register has itself win over those of a file. Computes all deadlines anew if the rules differ from
/// those of the last time.
///
/// # Errors
/// `Rule` if a file cannot be parsed; if the database cannot be written.
pub fn use_rules(db: &Db, configured: Option<&ClockFiles>) -> Result<(), StoreError> {
    let (kept, holidays, hash) =
        db.read(|conn| Ok((clock_files(conn), register_holidays(conn)?, rules_hash(conn)?)))?;
    let kept = match (kept, configured) {
        (Ok(kept), _) => kept,
        // The configuration replaces what cannot be read.
        (Err(_), Some(_)) => None,
        (Err(error), None) => return Err(error),
    };
    let files = configured.cloned().or_else(|| kept.clone());
    if rules_of(files.clone(), holidays)?.hash() == hash && files == kept {
        return Ok(());
    }
    db.write("migrate", |tx| {
        dialect::lock_tree_exclusive(tx.conn)?;
        if let Some(files) = files.as_ref().filter(|files| kept.as_ref() != Some(*files)) {
            let row = RegisterInfo { key: KEY.to_owned(), value: JsonValue(json!(files)) };
            diesel::delete(register_info::table.find(KEY)).execute(tx.conn)?;
            each!(&mut *tx.conn, c => diesel::insert_into(register_info::table).values(&row).execute(c)?);
            tx.record_state(StateTable::RegisterInfo, KEY);
        }
        // Another process may have done it meanwhile.
        follow_rules(tx)
    })?;
    Ok(())
}

/// Computes all deadlines anew if the rules of the register differ from those of the last time. Returns the number of
/// complaints that changed. A change of rules holds the exclusive lock on the tree of units, as for a category
/// ([`recompute`]).
///
/// # Errors
/// If the database fails, or the rules that it holds are not valid.
pub(crate) fn follow_rules(tx: &mut WriteTx<'_>) -> Result<usize, StoreError> {
    tx.clock = None;
    let (wanted, hash) = (clock_rules(tx.conn)?.hash(), rules_hash(tx.conn)?);
    if wanted == hash {
        return Ok(0);
    }
    let changed = recompute_all(tx, None, hash.is_empty())?;
    diesel::update(legal_clock::table.find(ONLY)).set(legal_clock::rules.eq(&wanted)).execute(tx.conn)?;
    Ok(changed)
}

/// Computes the deadlines of complaints of some categories anew.
///
/// # Errors
/// If the database fails, or the rules that it holds are not valid.
pub(crate) fn recompute(tx: &mut WriteTx<'_>, categories: &[Id]) -> Result<(), StoreError> {
    tx.clock = None;
    recompute_all(tx, Some(categories), false).map(|_| ())
}

/// The inputs of the clock of a stored complaint, and its derived columns.
#[derive(Queryable, Selectable)]
#[diesel(table_name = complaint_table)]
struct Row {
    id: Id,
    legal_form: LegalForm,
    received_at: Timestamp,
    category_id: Option<Id>,
    state: ComplaintState,
    state_since: Timestamp,
    due_on: Option<NaiveDate>,
    answered_on: Option<NaiveDate>,
    clock_stopped_since: Option<NaiveDate>,
}

impl Row {
    fn input(&self) -> ClockInput {
        let Self { legal_form, received_at, category_id, state, state_since, .. } = *self;
        ClockInput { legal_form, received_at, category_id, state, state_since }
    }
}

/// The complaints that get a value in one column.
type Changes = BTreeMap<Option<NaiveDate>, Vec<Id>>;

/// Returns the number of complaints whose columns changed. With `legacy`, complaints that were reopened before rounds
/// were stored get their rounds, each with an event.
fn recompute_all(tx: &mut WriteTx<'_>, categories: Option<&[Id]>, legacy: bool) -> Result<usize, StoreError> {
    let clock = clock_of(tx)?;
    let mut after: Option<Id> = None;
    let mut changed = 0;
    loop {
        let mut query = complaint_table::table.into_boxed::<MultiBackend>();
        if let Some(after) = after {
            query = query.filter(complaint_table::id.gt(after).nullable());
        }
        if let Some(categories) = categories {
            query = query.filter(complaint_table::category_id.eq_any(categories.to_vec()));
        }
        let rows: Vec<Row> = query.order(complaint_table::id).limit(BATCH).select(Row::as_select()).load(tx.conn)?;
        let Some(last) = rows.last() else { return Ok(changed) };
        after = Some(last.id);
        let ids: Vec<Id> = rows.iter().map(|row| row.id).collect();
        let responses = answers_of(tx.conn, &ids)?;
        if legacy {
            let stored = clocks_of(tx.conn, &ids)?;
            begin_rounds_of_history(tx, &clock, &rows, &stored, &responses)?;
        }
        // This must follow the step above, which stores rounds.
        let rounds = clocks_of(tx.conn, &ids)?;
        let mut changes: [Changes; 3] = Default::default();
        for row in &rows {
            let rounds = rounds.get(&row.id).map_or(&[][..], Vec::as_slice);
            let times = responses.get(&row.id).into_iter().flatten().map(|(at, _)| *at);
            let now = clock_state(&clock, row.input(), rounds, times);
            let columns = [
                (row.due_on, now.due_on),
                (row.answered_on, now.answered_on),
                (row.clock_stopped_since, now.stopped_since),
            ];
            changed += usize::from(columns.iter().any(|(was, is)| was != is));
            for ((was, is), changes) in columns.into_iter().zip(&mut changes) {
                if was != is {
                    changes.entry(is).or_default().push(row.id);
                }
            }
        }
        let [due, answered, stopped] = changes;
        macro_rules! store {
            ($changes:expr, $column:ident) => {
                for (day, ids) in $changes {
                    for chunk in ids.chunks(KEYS_PER_QUERY) {
                        each!(&mut *tx.conn, c => diesel::update(complaint_table::table)
                            .filter(complaint_table::id.eq_any(chunk))
                            .set(complaint_table::$column.eq(day))
                            .execute(c)?);
                    }
                }
            };
        }
        store!(due, due_on);
        store!(answered, answered_on);
        store!(stopped, clock_stopped_since);
    }
}

type Responses = HashMap<Id, Vec<(Timestamp, Option<bool>)>>;

/// The answers to complaints; no statements.
fn answers_of(conn: &mut Conn, complaints: &[Id]) -> Result<Responses, StoreError> {
    let mut found = Responses::new();
    for chunk in complaints.chunks(KEYS_PER_QUERY) {
        let rows: Vec<(Id, Timestamp, Option<bool>)> = unit_responses::table
            .filter(unit_responses::complaint_id.eq_any(chunk))
            .filter(unit_responses::statement.is_null())
            .select((unit_responses::complaint_id, unit_responses::responded_at, unit_responses::satisfied))
            .load(conn)?;
        for (id, at, satisfied) in rows {
            found.entry(id).or_default().push((at, satisfied));
        }
    }
    Ok(found)
}

/// When complaints were set from ANSWERED to ASSIGNED, by their events.
fn reopenings_of(conn: &mut Conn, complaints: &[Id]) -> Result<HashMap<Id, Vec<Timestamp>>, StoreError> {
    let mut found: HashMap<Id, Vec<Timestamp>> = HashMap::new();
    let has = |document: Option<&JsonValue>, state: ComplaintState| {
        document.is_some_and(|document| document.0["state"] == state.as_str())
    };
    for chunk in complaints.chunks(KEYS_PER_QUERY) {
        let rows: Vec<(Id, Timestamp, Option<JsonValue>, Option<JsonValue>)> = complaint_events::table
            .filter(complaint_events::complaint_id.eq_any(chunk))
            .filter(complaint_events::kind.eq(ComplaintEventKind::StateChanged))
            .select((
                complaint_events::complaint_id,
                complaint_events::effective_at,
                complaint_events::before,
                complaint_events::after,
            ))
            .load(conn)?;
        for (id, at, before, after) in rows {
            if has(before.as_ref(), ComplaintState::Answered) && has(after.as_ref(), ComplaintState::Assigned) {
                found.entry(id).or_default().push(at);
            }
        }
    }
    Ok(found)
}

fn begin_rounds_of_history(
    tx: &mut WriteTx<'_>,
    clock: &Clock,
    rows: &[Row],
    stored: &HashMap<Id, Vec<ComplaintClock>>,
    responses: &Responses,
) -> Result<(), StoreError> {
    let ids: Vec<Id> = rows.iter().map(|row| row.id).collect();
    let reopenings = reopenings_of(tx.conn, &ids)?;
    let mut rounds: HashMap<Id, Vec<ComplaintClock>> = HashMap::new();
    for row in rows.iter().filter(|row| !stored.contains_key(&row.id)) {
        let responses = responses.get(&row.id).map_or(&[][..], Vec::as_slice);
        let reopened = reopenings.get(&row.id).map_or(&[][..], Vec::as_slice);
        let found = rounds_of_history(clock, row.id, row.input(), responses, reopened);
        if !found.is_empty() {
            rounds.insert(row.id, found);
        }
    }
    let mut reopened: Vec<Id> = rounds.keys().copied().collect();
    reopened.sort_unstable();
    let mut cases = complaints::load_for_update(tx.conn, &reopened)?;
    for id in reopened {
        let (Some(before), Some(rounds)) = (cases.remove(&id), rounds.remove(&id)) else { continue };
        let mut now = before.clone();
        now.clocks = rounds;
        complaints::update(tx, ComplaintEventKind::Updated, tx.now, &before, &mut now)?;
    }
    Ok(())
}
