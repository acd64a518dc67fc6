//! The rows of a chain in sealing order, and the mark of each: its place and a hash of its canonical JSON (RFC 8785),
//! which is the same on both databases.

use crate::db::readable::{Readable, Unreadable, columns_of};
use crate::db::{Conn, MultiBackend, StoreError};
use crate::enums::{Chain, ComplaintEventKind, ReferenceEventKind};
use crate::models::{AuditEntry, StateEvent};
use crate::sql_types::{Id, JsonValue, Timestamp};
use crate::tables::{audit_log, complaint_events, reference_events, state_events};
use diesel::dsl::count_star;
use diesel::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Bytes of the truncated SHA-256 hash in a mark.
const HASH: usize = 16;
/// Bytes of a mark: position, ordinal, hash.
pub const MARK: usize = 12 + HASH;

/// The mark of a row: its place in the chain and the hash of its contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Marked {
    pub position: i64,
    pub ordinal: i32,
    pub hash: [u8; HASH],
}

impl Marked {
    fn of(position: i64, ordinal: i32, row: &Value) -> Result<Self, StoreError> {
        let canonical = serde_json_canonicalizer::to_vec(row).map_err(|e| StoreError::Rule(e.to_string()))?;
        let mut hash = [0; HASH];
        hash.copy_from_slice(&Sha256::digest(canonical)[..HASH]);
        Ok(Self { position, ordinal, hash })
    }

    pub fn bytes(&self) -> [u8; MARK] {
        let mut bytes = [0; MARK];
        bytes[..8].copy_from_slice(&self.position.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.ordinal.to_be_bytes());
        bytes[12..].copy_from_slice(&self.hash);
        bytes
    }

    pub fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            position: i64::from_be_bytes(bytes.get(..8)?.try_into().ok()?),
            ordinal: i32::from_be_bytes(bytes.get(8..12)?.try_into().ok()?),
            hash: bytes.get(12..)?.try_into().ok()?,
        })
    }
}

/// The last position of the next batch of about `rows` rows after a position; None if there are no rows.
///
/// # Errors
/// If the database fails.
pub fn batch_end(conn: &mut Conn, chain: Chain, after: i64, rows: i64) -> Result<Option<i64>, StoreError> {
    let counts: Vec<(i64, i64)> = match chain {
        Chain::Complaints => complaint_events::table
            .filter(complaint_events::position.gt(after))
            .group_by(complaint_events::position)
            .order(complaint_events::position)
            .select((complaint_events::position, count_star()))
            .limit(rows)
            .load(conn)?,
        Chain::Reference => reference_events::table
            .filter(reference_events::position.gt(after))
            .group_by(reference_events::position)
            .order(reference_events::position)
            .select((reference_events::position, count_star()))
            .limit(rows)
            .load(conn)?,
        Chain::Audit => audit_log::table
            .filter(audit_log::number.gt(after))
            .group_by(audit_log::number)
            .order(audit_log::number)
            .select((audit_log::number, count_star()))
            .limit(rows)
            .load(conn)?,
        Chain::State => state_events::table
            .filter(state_events::number.gt(after))
            .group_by(state_events::number)
            .order(state_events::number)
            .select((state_events::number, count_star()))
            .limit(rows)
            .load(conn)?,
    };
    let mut sum = 0;
    let mut end = None;
    // SQLite sorts values of other types after all numbers, and converts them to some number when it reads them.
    for (position, number) in counts.into_iter().filter(|(position, _)| *position > after) {
        end = Some(position);
        sum += number;
        if sum >= rows {
            break;
        }
    }
    Ok(end)
}

pub(super) type ComplaintRow =
    (Id, i64, i32, ComplaintEventKind, Timestamp, Timestamp, String, Option<JsonValue>, Option<JsonValue>);
pub(super) type ReferenceRow =
    (i64, i32, String, Id, ReferenceEventKind, Timestamp, Timestamp, String, Option<JsonValue>, Option<JsonValue>);

/// Rows read per query: events are large, and one transaction may have written millions.
const AT_ONCE: i64 = 20_000;

/// Handles an unreadable row: its table, and its readable columns.
pub type OnUnreadable<'o> = &'o mut dyn FnMut(&'static str, Unreadable) -> Result<(), StoreError>;

/// The marks of the rows at positions above `after` and up to `until`, sorted.
///
/// # Errors
/// The errors of `on_unreadable`; if the database fails.
pub fn marked(
    conn: &mut Conn,
    chain: Chain,
    after: i64,
    until: i64,
    on_unreadable: OnUnreadable<'_>,
) -> Result<Vec<Marked>, StoreError> {
    let mut marks = match chain {
        Chain::Complaints => complaints(conn, after, until, on_unreadable)?,
        Chain::Reference => reference(conn, after, until, on_unreadable)?,
        Chain::Audit => audit(conn, after, until, on_unreadable)?,
        Chain::State => states(conn, after, until, on_unreadable)?,
    };
    marks.sort_unstable();
    Ok(marks)
}

fn document(value: Option<JsonValue>) -> Value {
    value.map_or(Value::Null, |value| value.0)
}

/// An event that was read for its mark.
#[derive(Debug)]
pub struct Event {
    pub entity_id: Id,
    pub position: i64,
    pub ordinal: i32,
    pub recorded_at: Timestamp,
    pub actor: String,
    pub before: Value,
    pub after: Value,
}

impl Event {
    pub fn place(&self) -> (i64, i32) {
        (self.position, self.ordinal)
    }

    /// Moves the values back out of the canonical form, because documents are too large to copy.
    fn taken(entity_id: Id, place: (i64, i32), recorded_at: Timestamp, row: Value) -> Self {
        let mut parts = match row {
            Value::Array(parts) => parts,
            _ => Vec::new(),
        };
        let mut last = || parts.pop().unwrap_or_default();
        let (after, before) = (last(), last());
        let actor = match last() {
            Value::String(actor) => actor,
            _ => String::new(),
        };
        Self { entity_id, position: place.0, ordinal: place.1, recorded_at, actor, before, after }
    }
}

/// The mark of an event of a complaint, and the event.
///
/// # Errors
/// If the row has no canonical JSON.
pub fn complaint_event(row: ComplaintRow) -> Result<(Marked, Event), StoreError> {
    let (id, position, ordinal, kind, recorded, effective, actor, before, after) = row;
    let (before, after) = (document(before), document(after));
    let row = json!([id, position, ordinal, kind, recorded.micros(), effective.micros(), actor, before, after]);
    Ok((Marked::of(position, ordinal, &row)?, Event::taken(id, (position, ordinal), recorded, row)))
}

/// The mark of an event of reference data, and the event.
///
/// # Errors
/// If the row has no canonical JSON.
pub fn reference_event(row: ReferenceRow) -> Result<(Marked, Event), StoreError> {
    let (position, ordinal, entity, id, kind, recorded, effective, actor, before, after) = row;
    let (before, after) = (document(before), document(after));
    let (recorded_at, effective_at) = (recorded.micros(), effective.micros());
    let row = json!([position, ordinal, entity, id, kind, recorded_at, effective_at, actor, before, after]);
    Ok((Marked::of(position, ordinal, &row)?, Event::taken(id, (position, ordinal), recorded, row)))
}

fn complaints(
    conn: &mut Conn,
    after: i64,
    until: i64,
    on_unreadable: OnUnreadable<'_>,
) -> Result<Vec<Marked>, StoreError> {
    let within = || complaint_events::position.gt(after).and(complaint_events::position.le(until));
    let number: i64 = complaint_events::table.filter(within()).count().get_result(conn)?;
    let mut marks = Vec::with_capacity(usize::try_from(number).unwrap_or_default());
    let mut push = |row: Readable<ComplaintRow>| -> Result<(), StoreError> {
        match row.0 {
            Ok(row) => marks.push(complaint_event(row)?.0),
            Err(row) => on_unreadable("complaint_events", row)?,
        }
        Ok(())
    };
    if number <= AT_ONCE * 2 {
        let rows: Vec<Readable<ComplaintRow>> = complaint_events::table.filter(within()).load(conn)?;
        rows.into_iter().try_for_each(&mut push)?;
        return Ok(marks);
    }
    // Very many rows of few transactions: reads them in parts, by complaint id.
    let mut last: Option<Id> = None;
    loop {
        let mut ids = complaint_events::table.filter(within()).into_boxed::<MultiBackend>();
        if let Some(last) = last {
            ids = ids.filter(complaint_events::complaint_id.gt(last));
        }
        let ids: Vec<Readable<Id>> = ids
            .select(complaint_events::complaint_id)
            .order(complaint_events::complaint_id)
            .limit(AT_ONCE)
            .load(conn)?;
        let ids: Vec<Id> = ids.into_iter().filter_map(|id| id.0.ok()).collect();
        let (Some(first), Some(end)) = (ids.first(), ids.last()) else { return Ok(marks) };
        let part: Vec<Readable<ComplaintRow>> = complaint_events::table
            .filter(within())
            .filter(complaint_events::complaint_id.ge(first).and(complaint_events::complaint_id.le(end)))
            .load(conn)?;
        part.into_iter().try_for_each(&mut push)?;
        last = Some(*end);
    }
}

fn reference(
    conn: &mut Conn,
    after: i64,
    until: i64,
    on_unreadable: OnUnreadable<'_>,
) -> Result<Vec<Marked>, StoreError> {
    let mut marks = Vec::new();
    let (mut position, mut ordinal) = (after, i32::MAX);
    loop {
        let later = reference_events::position
            .gt(position)
            .or(reference_events::position.eq(position).and(reference_events::ordinal.gt(ordinal)));
        let rows: Vec<Readable<ReferenceRow>> = reference_events::table
            .filter(later.and(reference_events::position.le(until)))
            .order((reference_events::position, reference_events::ordinal))
            .limit(AT_ONCE)
            .load(conn)?;
        let Some(last) = rows.last() else { return Ok(marks) };
        let place = match &last.0 {
            Ok(row) => (row.0, row.1),
            Err(row) => (number_of(row, "position"), number_of(row, "ordinal").try_into().unwrap_or_default()),
        };
        // SQLite reads a fraction as a whole number: always advance, so that the loop ends.
        (position, ordinal) = if place > (position, ordinal) { place } else { (position + 1, i32::MIN) };
        for row in rows {
            match row.0 {
                Ok(row) => marks.push(reference_event(row)?.0),
                Err(row) => on_unreadable("reference_events", row)?,
            }
        }
    }
}

fn number_of(row: &Unreadable, column: &str) -> i64 {
    row.number(column).unwrap_or_default()
}

/// The marks of the rows of a table that counts its rows. `load` reads the rows above a number.
fn numbered<R>(
    table: &'static str,
    after: i64,
    on_unreadable: OnUnreadable<'_>,
    mut load: impl FnMut(i64) -> QueryResult<Vec<Readable<R>>>,
    number: impl Fn(&R) -> i64,
    contents: impl Fn(&R) -> Value,
) -> Result<Vec<Marked>, StoreError> {
    let mut marks = Vec::new();
    let mut from = after;
    loop {
        let rows = load(from)?;
        let Some(last) = rows.last() else { return Ok(marks) };
        let end = last.0.as_ref().map_or_else(|row| number_of(row, "number"), &number);
        from = end.max(from + 1);
        for row in rows {
            match row.0 {
                Ok(row) => marks.push(Marked::of(number(&row), 0, &contents(&row))?),
                Err(row) => on_unreadable(table, row)?,
            }
        }
    }
}

fn audit(conn: &mut Conn, after: i64, until: i64, on_unreadable: OnUnreadable<'_>) -> Result<Vec<Marked>, StoreError> {
    let load = |number: i64| {
        audit_log::table
            .filter(audit_log::number.gt(number).and(audit_log::number.le(until)))
            .order(audit_log::number)
            .limit(AT_ONCE)
            .select(columns_of!(AuditEntry))
            .load(conn)
    };
    let contents = |row: &AuditEntry| {
        json!([row.number, row.at.micros(), row.actor, row.role, row.action, row.operation, row.objects.0])
    };
    numbered("audit_log", after, on_unreadable, load, |row: &AuditEntry| row.number, contents)
}

/// Leaves out salts and column hashes: a salt may be erased with its row, and no choice of salt gives another row the
/// same hash.
fn states(conn: &mut Conn, after: i64, until: i64, on_unreadable: OnUnreadable<'_>) -> Result<Vec<Marked>, StoreError> {
    let load = |number: i64| {
        state_events::table
            .filter(state_events::number.gt(number).and(state_events::number.le(until)))
            .order(state_events::number)
            .limit(AT_ONCE)
            .select(columns_of!(StateEvent))
            .load(conn)
    };
    let contents = |row: &StateEvent| {
        let hash = row.hash.as_ref().map(|hash| data_encoding::HEXLOWER.encode(hash));
        json!([row.number, row.table_name, row.row_key, row.recorded_at.micros(), row.actor, hash])
    };
    numbered("state_events", after, on_unreadable, load, |row: &StateEvent| row.number, contents)
}
