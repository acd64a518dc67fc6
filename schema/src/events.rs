//! The event log of the register: each change with the fields before and after it, its effective and recorded times,
//! and its position.
//!
//! Events are immutable. For a personal value an event holds a salted commitment (HMAC-SHA-256 with a random salt as
//! its key); salt and value are in a side table. So the value can be erased without changing the event that a seal
//! covers.

use crate::db::{Conn, StoreError};
use crate::enums::{ComplaintEventKind, ReferenceEventKind, Side};
use crate::insert_all;
use crate::sql_types::{Id, JsonText, JsonValue, Timestamp};
use crate::tables::{complaint_event_values, complaint_events, reference_event_values, reference_events};
use diesel::prelude::*;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::Sha256;

/// The changed fields of an entity; all of its fields if it was created.
pub type Fields = Map<String, Value>;

/// Fields with personal values.
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

macro_rules! entities {
    ($($variant:ident = $word:literal),+ $(,)?) => {
        /// The kinds of entities with reference events: reference data, guidance, proposals and measures.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Entity { $($variant),+ }

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
#[diesel(table_name = reference_event_values, treat_none_as_default_value = false)]
pub struct ReferenceEventValue {
    pub position: i64,
    pub ordinal: i32,
    pub side: Side,
    pub field: String,
    pub salt: Vec<u8>,
    pub value: String,
}

/// A commitment to a value: it proves that a value shown later is the original, and reveals nothing without the salt.
pub fn commitment(salt: &[u8], field: &str, value: &str) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(salt) else { return String::new() };
    mac.update(field.as_bytes());
    mac.update(&[0]);
    mac.update(value.as_bytes());
    data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes())
}

/// The columns that the events of one transaction share.
#[derive(Clone, Copy)]
pub(crate) struct Stamp<'a> {
    pub position: i64,
    pub recorded_at: Timestamp,
    pub actor: &'a str,
}

#[derive(Debug)]
struct PersonalValue {
    side: Side,
    field: String,
    salt: Vec<u8>,
    value: String,
}

/// Replaces personal values by commitments and pushes the values to `personal`.
fn commit_personal(side: Side, fields: Option<Fields>, personal: &mut Vec<PersonalValue>) -> Option<JsonValue> {
    let mut fields = fields?;
    for field in PERSONAL {
        let Some(value) = fields.get_mut(*field) else { continue };
        let Value::String(text) = value else { continue };
        let salt: [u8; 16] = rand::random();
        let sealed = json!({ "commitment": commitment(&salt, field, text) });
        let Value::String(text) = std::mem::replace(value, sealed) else { continue };
        personal.push(PersonalValue { side, field: (*field).to_owned(), salt: salt.to_vec(), value: text });
    }
    Some(JsonValue(Value::Object(fields)))
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

/// Stores events of one transaction in their order, with ordinals from `first`. Returns the next ordinal.
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
        let mut personal = Vec::new();
        let before = commit_personal(Side::Before, event.before, &mut personal);
        let after = commit_personal(Side::After, event.after, &mut personal);
        values.extend(personal.into_iter().map(|PersonalValue { side, field, salt, value }| ReferenceEventValue {
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
    insert_all!(&mut *conn, reference_events::table, rows.iter());
    insert_all!(&mut *conn, reference_event_values::table, values.iter());
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::{Cover, cover_of, covered_tables};
    use std::collections::BTreeSet;

    /// Text columns of evented tables that are not personal, and that events contain in clear.
    const PUBLIC: &[(&str, &str)] = &[
        ("complaint_matters", "source_codes"),
        ("complaint_officers", "source_codes"),
        ("complaint_sources", "content_hash"),
        ("complaint_sources", "reference"),
        ("complaint_sources", "source"),
        ("complaints", "source_codes"),
        ("enterprises", "group_code"),
        ("guidance_documents", "actor"),
        ("guidance_documents", "number"),
        ("guidance_documents", "title"),
        ("guidance_opinions", "actor"),
        ("issue_categories", "code"),
        ("issue_categories", "name_en"),
        ("issue_categories", "name_vi"),
        ("measures", "actor"),
        ("measures", "decision_number"),
        ("officers", "code"),
        ("officers", "rank"),
        ("proposals", "actor"),
        ("proposals", "title"),
        ("redactions", "actor"),
        ("system_incidents", "description"),
        ("system_incidents", "reference"),
        ("unit_responses", "actor"),
        ("units", "code"),
        ("units", "field"),
        ("units", "name_en"),
        ("units", "name_vi"),
    ];

    /// Columns that have another name in events.
    const RENAMED: [(&str, &str, &str); 2] =
        [("unit_responses", "text", "response_text"), ("redactions", "text", "redacted_text")];

    #[test]
    fn every_text_column_of_an_event_is_personal_or_public() {
        use crate::models as m;
        let tables = [
            m::Complaint::COLUMNS,
            m::ComplaintSource::COLUMNS,
            m::ComplaintOfficer::COLUMNS,
            m::ComplaintMatter::COLUMNS,
            m::UnitResponse::COLUMNS,
            m::Redaction::COLUMNS,
            m::Unit::COLUMNS,
            m::UnitParent::COLUMNS,
            m::Officer::COLUMNS,
            m::Posting::COLUMNS,
            m::Enterprise::COLUMNS,
            m::IssueCategory::COLUMNS,
            m::Workload::COLUMNS,
            m::SystemIncident::COLUMNS,
            m::GuidanceDocument::COLUMNS,
            m::GuidanceOpinion::COLUMNS,
            m::Proposal::COLUMNS,
            m::ProposalCategory::COLUMNS,
            m::ProposalUnit::COLUMNS,
            m::Measure::COLUMNS,
        ];
        let listed: BTreeSet<&str> = tables.iter().map(|(table, _)| *table).collect();
        let is_evented = |table: &&str| cover_of(table) == Some(Cover::Events);
        let with_events: BTreeSet<&str> = covered_tables().into_iter().filter(is_evented).collect();
        assert_eq!(listed, with_events, "the models above are those of the tables with events");
        let mut texts = Vec::new();
        for (table, columns) in tables {
            for (column, _) in columns.iter().filter(|(_, of)| of.contains("String") || of.contains("JsonValue")) {
                let renamed = RENAMED.iter().find(|(of, name, _)| (*of, *name) == (table, *column));
                let field = renamed.map_or(*column, |(_, _, field)| *field);
                let is_public = PUBLIC.contains(&(table, *column));
                assert!(
                    is_public != PERSONAL.contains(&field),
                    "{table}.{column}: a new text column goes into PERSONAL, where a person may be read from it, or \
                     into PUBLIC"
                );
                texts.push((table, *column));
            }
        }
        let unknown: Vec<_> = PUBLIC.iter().filter(|public| !texts.contains(public)).collect();
        assert!(unknown.is_empty(), "no such columns: {unknown:?}");
    }
}
