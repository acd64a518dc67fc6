//! The event log of the register: each change with the fields before and after it, its effective and recorded times,
//! and its position.
//!
//! Events are immutable. For a personal value an event holds a salted commitment (HMAC-SHA-256 with a random salt as
//! its key); salt and value are in a side table. So the value can be erased without changing the event that a seal
//! covers.

mod personal;

use crate::db::{Conn, StoreError};
use crate::enums::{ComplaintEventKind, ReferenceEventKind, Side};
use crate::insert_all;
use crate::sql_types::{Id, JsonText, JsonValue, Timestamp};
use crate::tables::{complaint_event_values, complaint_events, reference_event_values, reference_events};
use diesel::prelude::*;
use personal::{PersonalValue, commit_personal};
use serde_json::{Map, Value};

pub use personal::{commitment, is_commitment};

/// The changed fields of an entity; all of its fields if it was created.
pub type Fields = Map<String, Value>;

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

macro_rules! entities {
    ($($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)?) => {
        /// The kinds of entities with reference events: reference data, guidance, proposals, measures and merges.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Entity { $($(#[$doc])* $variant),+ }

        impl Entity {
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The entity of a stored event; None where the program has written no such event.
            pub fn of_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

entities! {
    Unit = "unit",
    UnitParents = "unit_parents",
    Officer = "officer",
    Postings = "postings",
    Enterprise = "enterprise",
    Category = "issue_category",
    Workload = "workload",
    Incident = "system_incident",
    Guidance = "guidance_document",
    Opinion = "guidance_opinion",
    Proposal = "proposal",
    Measure = "measure",
    RoutingRule = "routing_rule",
    HolidayYear = "holiday_year",
    /// The responsible units that all complaints got which the register held before it knew such units: one event.
    FirstRouting = "first_routing",
    CorrectionProposal = "correction_proposal",
    Merge = "merge",
}

/// The fields in which two states of one entity differ, before and after; None if they are equal.
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

/// The fields of a model as events store them, without null fields.
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
#[diesel(table_name = complaint_event_values, treat_none_as_default_value = false)]
pub struct ComplaintEventValue {
    pub complaint_id: Id,
    pub position: i64,
    pub ordinal: i32,
    pub side: Side,
    pub field: String,
    pub salt: Vec<u8>,
    pub value: String,
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = reference_events)]
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
#[diesel(table_name = reference_event_values, treat_none_as_default_value = false)]
pub struct ReferenceEventValue {
    pub position: i64,
    pub ordinal: i32,
    pub side: Side,
    pub field: String,
    pub salt: Vec<u8>,
    pub value: String,
}

/// The columns that the events of one transaction share.
#[derive(Clone, Copy)]
pub(crate) struct Stamp<'a> {
    pub position: i64,
    pub recorded_at: Timestamp,
    pub actor: &'a str,
}

/// A complaint event with commitments in place of personal values: all work that can be done outside the transaction
/// that stores the event.
#[derive(Debug)]
pub struct Prepared {
    complaint_id: Id,
    kind: ComplaintEventKind,
    effective_at: Timestamp,
    before: Option<JsonText>,
    after: Option<JsonText>,
    personal: Vec<PersonalValue>,
}

/// The row of a complaint event.
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
        let mut personal = Vec::new();
        let before = commit_personal(Side::Before, self.before, &mut personal).map(JsonText::from);
        let after = commit_personal(Side::After, self.after, &mut personal).map(JsonText::from);
        let Self { complaint_id, kind, effective_at, .. } = self;
        Prepared { complaint_id, kind, effective_at, before, after, personal }
    }
}

/// The same of an event of reference data.
#[derive(Debug)]
pub struct PreparedReference {
    entity: Entity,
    entity_id: Id,
    kind: ReferenceEventKind,
    effective_at: Timestamp,
    before: Option<JsonText>,
    after: Option<JsonText>,
    personal: Vec<PersonalValue>,
}

/// The row of an event of reference data.
#[derive(Debug, Insertable)]
#[diesel(table_name = reference_events, treat_none_as_default_value = false)]
struct NewReferenceEvent<'a> {
    position: i64,
    ordinal: i32,
    entity: &'a str,
    entity_id: Id,
    kind: ReferenceEventKind,
    recorded_at: Timestamp,
    effective_at: Timestamp,
    actor: &'a str,
    before: Option<JsonText>,
    after: Option<JsonText>,
}

impl ReferenceEvent {
    pub fn prepare(self) -> PreparedReference {
        let mut personal = Vec::new();
        let before = commit_personal(Side::Before, self.before, &mut personal).map(JsonText::from);
        let after = commit_personal(Side::After, self.after, &mut personal).map(JsonText::from);
        let Self { entity, entity_id, kind, effective_at, .. } = self;
        PreparedReference { entity, entity_id, kind, effective_at, before, after, personal }
    }
}

/// Stores events of one transaction in their order, with ordinals from `first`. Returns the next ordinal.
///
/// # Errors
/// If the database cannot be written.
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
        let Prepared { complaint_id, kind, effective_at, before, after, personal } = event;
        values.extend(personal.into_iter().map(|PersonalValue { side, field, salt, value }| ComplaintEventValue {
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
    insert_all!(&mut *conn, complaint_events::table, rows.iter());
    insert_all!(&mut *conn, complaint_event_values::table, values.iter());
    Ok(next)
}

/// Stores events of one transaction in their order, with ordinals from `first`. Returns the next ordinal.
///
/// # Errors
/// If the database cannot be written.
pub(crate) fn store_reference_events(
    conn: &mut Conn,
    stamp: Stamp<'_>,
    first: i32,
    events: Vec<PreparedReference>,
) -> Result<i32, StoreError> {
    let Stamp { position, recorded_at, actor } = stamp;
    let next = first.saturating_add(i32::try_from(events.len()).unwrap_or(i32::MAX));
    let mut rows = Vec::with_capacity(events.len());
    let mut values = Vec::new();
    for (ordinal, event) in (first..).zip(events) {
        let PreparedReference { entity, entity_id, kind, effective_at, before, after, personal } = event;
        values.extend(personal.into_iter().map(|PersonalValue { side, field, salt, value }| ReferenceEventValue {
            position,
            ordinal,
            side,
            field,
            salt,
            value,
        }));
        let entity = entity.as_str();
        rows.push(NewReferenceEvent {
            position,
            ordinal,
            entity,
            entity_id,
            kind,
            recorded_at,
            effective_at,
            actor,
            before,
            after,
        });
    }
    insert_all!(&mut *conn, reference_events::table, rows.iter());
    insert_all!(&mut *conn, reference_event_values::table, values.iter());
    Ok(next)
}
