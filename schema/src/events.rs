//! The history of the register: every change with what stood before and after it, when it took
//! effect, when it was recorded, and at which position.
//!
//! Events are never changed. A personal value does not stand in an event but a salted commitment
//! to it (HMAC-SHA-256 with a random salt as its key); salt and value stand in a side table. So
//! the value can be erased later without touching the event that a seal will cover.

use crate::db::{Conn, StoreError};
use crate::enums::{ComplaintEventKind, ReferenceEventKind, Side};
use crate::insert_all;
use crate::sql_types::{Id, JsonText, JsonValue, Timestamp};
use crate::tables::{complaint_event_values, complaint_events, reference_event_values, reference_events};
use diesel::prelude::*;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::Sha256;

/// The fields of an entity that changed, or all of them where it was created.
pub type Fields = Map<String, Value>;

/// Fields that hold a personal value.
const PERSONAL: &[&str] = &[
    "text",
    "response_text",
    "redacted_text",
    "reason",
    "declaration_number",
    "name",
    "tax_code",
    "grounds",
    "decision_maker",
    "end_reason",
    "void_reason",
    "outcome",
];

/// A change of one complaint, not yet stored.
#[derive(Debug)]
pub struct ComplaintEvent {
    pub complaint_id: Id,
    pub kind: ComplaintEventKind,
    pub effective_at: Timestamp,
    pub before: Option<Fields>,
    pub after: Option<Fields>,
}

/// A change of a row of reference data, not yet stored.
#[derive(Debug)]
pub struct ReferenceEvent {
    pub entity: Entity,
    pub entity_id: Id,
    pub kind: ReferenceEventKind,
    pub effective_at: Timestamp,
    pub before: Option<Fields>,
    pub after: Option<Fields>,
}

/// The kinds of reference data, and of what is done beside complaints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entity {
    Unit,
    UnitParents,
    Officer,
    Postings,
    Enterprise,
    Category,
    Workload,
    Incident,
    Guidance,
    Opinion,
    Proposal,
    Measure,
}

impl Entity {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::UnitParents => "unit_parents",
            Self::Officer => "officer",
            Self::Postings => "postings",
            Self::Enterprise => "enterprise",
            Self::Category => "issue_category",
            Self::Workload => "workload",
            Self::Incident => "system_incident",
            Self::Guidance => "guidance_document",
            Self::Opinion => "guidance_opinion",
            Self::Proposal => "proposal",
            Self::Measure => "measure",
        }
    }
}

/// The fields in which two states of one entity differ, before and after.
pub fn changed_fields(before: &Fields, after: &Fields) -> Option<(Fields, Fields)> {
    let mut old = Fields::new();
    let mut new = Fields::new();
    let keys = before.keys().chain(after.keys().filter(|key| !before.contains_key(*key)));
    for key in keys {
        let (was, is) = (before.get(key).unwrap_or(&Value::Null), after.get(key).unwrap_or(&Value::Null));
        if was != is {
            old.insert(key.clone(), was.clone());
            new.insert(key.clone(), is.clone());
        }
    }
    if new.is_empty() { None } else { Some((old, new)) }
}

/// The fields of a model as events hold them; a field that is null is left out.
pub fn fields_of(model: &impl serde::Serialize) -> Fields {
    match serde_json::to_value(model) {
        Ok(Value::Object(mut fields)) => {
            fields.retain(|_, value| !value.is_null());
            fields
        }
        _ => Fields::new(),
    }
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = complaint_events)]
pub struct StoredComplaintEvent {
    pub complaint_id: Id,
    pub position: i64,
    pub ordinal: i32,
    pub kind: ComplaintEventKind,
    pub recorded_at: Timestamp,
    pub effective_at: Timestamp,
    pub actor: String,
    pub before: Option<JsonValue>,
    pub after: Option<JsonValue>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = complaint_event_values)]
pub struct ComplaintEventValue {
    pub complaint_id: Id,
    pub position: i64,
    pub ordinal: i32,
    pub side: Side,
    pub field: String,
    pub salt: Vec<u8>,
    pub value: String,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = reference_events, treat_none_as_default_value = false)]
pub struct StoredReferenceEvent {
    pub position: i64,
    pub ordinal: i32,
    pub entity: String,
    pub entity_id: Id,
    pub kind: ReferenceEventKind,
    pub recorded_at: Timestamp,
    pub effective_at: Timestamp,
    pub actor: String,
    pub before: Option<JsonValue>,
    pub after: Option<JsonValue>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = reference_event_values)]
pub struct ReferenceEventValue {
    pub position: i64,
    pub ordinal: i32,
    pub side: Side,
    pub field: String,
    pub salt: Vec<u8>,
    pub value: String,
}

/// A commitment to a value: tells whether a value shown later is the one of then, and nothing of
/// the value itself.
pub fn commitment(salt: &[u8], field: &str, value: &str) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(salt) else { return String::new() };
    mac.update(field.as_bytes());
    mac.update(&[0]);
    mac.update(value.as_bytes());
    data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes())
}

/// What the events of one transaction have in common.
#[derive(Clone, Copy)]
pub(crate) struct Stamp<'a> {
    pub position: i64,
    pub recorded_at: Timestamp,
    pub actor: &'a str,
}

#[derive(Debug)]
struct Withheld {
    side: Side,
    field: String,
    salt: Vec<u8>,
    value: String,
}

/// Replaces personal values by commitments and hands the values out.
fn withhold(side: Side, fields: Option<Fields>, withheld: &mut Vec<Withheld>) -> Option<JsonValue> {
    let mut fields = fields?;
    for field in PERSONAL {
        let Some(value) = fields.get_mut(*field) else { continue };
        let Value::String(text) = value else { continue };
        let salt: [u8; 16] = rand::random();
        let sealed = json!({ "commitment": commitment(&salt, field, text) });
        let Value::String(text) = std::mem::replace(value, sealed) else { continue };
        withheld.push(Withheld { side, field: (*field).to_owned(), salt: salt.to_vec(), value: text });
    }
    Some(JsonValue(Value::Object(fields)))
}

/// A change of one complaint with its personal values replaced by commitments: everything of it that
/// can be made beside the transaction that stores it.
#[derive(Debug)]
pub struct Prepared {
    complaint_id: Id,
    kind: ComplaintEventKind,
    effective_at: Timestamp,
    before: Option<JsonText>,
    after: Option<JsonText>,
    withheld: Vec<Withheld>,
}

/// A complaint's event as it is stored.
#[derive(Debug, Insertable)]
#[diesel(table_name = complaint_events, treat_none_as_default_value = false)]
struct NewComplaintEvent<'a> {
    complaint_id: Id,
    position: i64,
    ordinal: i32,
    kind: ComplaintEventKind,
    recorded_at: Timestamp,
    effective_at: Timestamp,
    actor: &'a str,
    before: Option<JsonText>,
    after: Option<JsonText>,
}

impl ComplaintEvent {
    pub fn prepare(self) -> Prepared {
        let mut withheld = Vec::new();
        let before = withhold(Side::Before, self.before, &mut withheld).map(JsonText::from);
        let after = withhold(Side::After, self.after, &mut withheld).map(JsonText::from);
        let Self { complaint_id, kind, effective_at, .. } = self;
        Prepared { complaint_id, kind, effective_at, before, after, withheld }
    }
}

/// Stores events of one transaction, in the order in which they were made; the first gets the
/// number given. Returns the number of the next.
pub(crate) fn store_complaint_events(
    conn: &mut Conn,
    stamp: Stamp<'_>,
    first: i32,
    events: Vec<Prepared>,
) -> Result<i32, StoreError> {
    let Stamp { position, recorded_at, actor } = stamp;
    let next = first.saturating_add(i32::try_from(events.len()).unwrap_or(i32::MAX));
    let mut rows = Vec::with_capacity(events.len());
    let mut values = Vec::new();
    for (ordinal, event) in (first..).zip(events) {
        let Prepared { complaint_id, kind, effective_at, before, after, withheld } = event;
        values.extend(withheld.into_iter().map(|Withheld { side, field, salt, value }| ComplaintEventValue {
            complaint_id,
            position,
            ordinal,
            side,
            field,
            salt,
            value,
        }));
        rows.push(NewComplaintEvent {
            complaint_id,
            position,
            ordinal,
            kind,
            recorded_at,
            effective_at,
            actor,
            before,
            after,
        });
    }
    insert_all!(&mut *conn, complaint_events::table, 9, rows.iter());
    insert_all!(&mut *conn, complaint_event_values::table, 7, values.iter());
    Ok(next)
}

/// Stores events of one transaction, in the order in which they were made; the first gets the
/// number given. Returns the number of the next.
pub(crate) fn store_reference_events(
    conn: &mut Conn,
    stamp: Stamp<'_>,
    first: i32,
    events: Vec<ReferenceEvent>,
) -> Result<i32, StoreError> {
    let Stamp { position, recorded_at, actor } = stamp;
    let next = first.saturating_add(i32::try_from(events.len()).unwrap_or(i32::MAX));
    let mut rows = Vec::with_capacity(events.len());
    let mut values = Vec::new();
    for (ordinal, event) in (first..).zip(events) {
        let mut withheld = Vec::new();
        let before = withhold(Side::Before, event.before, &mut withheld);
        let after = withhold(Side::After, event.after, &mut withheld);
        values.extend(withheld.into_iter().map(|Withheld { side, field, salt, value }| ReferenceEventValue {
            position,
            ordinal,
            side,
            field,
            salt,
            value,
        }));
        rows.push(StoredReferenceEvent {
            position,
            ordinal,
            entity: event.entity.as_str().to_owned(),
            entity_id: event.entity_id,
            kind: event.kind,
            recorded_at,
            effective_at: event.effective_at,
            actor: actor.to_owned(),
            before,
            after,
        });
    }
    insert_all!(&mut *conn, reference_events::table, 10, rows.iter());
    insert_all!(&mut *conn, reference_event_values::table, 6, values.iter());
    Ok(next)
}
