//! The changes of the register after a position, with the values before each.

use crate::JobError;
use diesel::prelude::*;
use schema::db::cancellation::check_cancelled;
use schema::db::dialect::KEYS_PER_QUERY;
use schema::enums::Side;
use schema::events::Fields;
use schema::tables::{complaint_event_values, complaint_events, reference_events};
use schema::{Conn, Id, JsonValue};
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::HashMap;

/// A later change of one entity.
#[derive(Debug, Clone)]
pub struct Change {
    pub entity: String,
    pub id: Id,
    /// The changed fields with their values before; None when the change created the entity.
    pub before: Option<Fields>,
    /// The text before, when the change touched it and it was not erased since.
    pub text: Option<String>,
}

/// The changes after a position, newest first.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    pub complaints: Vec<Change>,
    pub reference: Vec<Change>,
}

/// An event of a complaint: its complaint, position and ordinal, and the fields before.
type EventRow = (Id, i64, i32, Option<JsonValue>);

const EVENT: (
    complaint_events::complaint_id,
    complaint_events::position,
    complaint_events::ordinal,
    complaint_events::before,
) = (complaint_events::complaint_id, complaint_events::position, complaint_events::ordinal, complaint_events::before);

/// A text before an event: the complaint, position and ordinal of the event, and the text.
type TextRow = (Id, i64, i32, String);

const TEXT: (
    complaint_event_values::complaint_id,
    complaint_event_values::position,
    complaint_event_values::ordinal,
    complaint_event_values::value,
) = (
    complaint_event_values::complaint_id,
    complaint_event_values::position,
    complaint_event_values::ordinal,
    complaint_event_values::value,
);

impl Changes {
    /// Reads the changes after `as_of_position`. Call it in the read that loads the facts.
    ///
    /// # Errors
    /// When the database fails.
    pub fn load_after(conn: &mut Conn, as_of_position: i64) -> Result<Self, JobError> {
        let texts: Vec<TextRow> = complaint_event_values::table
            .filter(complaint_event_values::position.gt(as_of_position))
            .filter(complaint_event_values::field.eq("text"))
            .filter(complaint_event_values::side.eq(Side::Before))
            .select(TEXT)
            .load(conn)?;
        let events: Vec<EventRow> = complaint_events::table
            .filter(complaint_events::position.gt(as_of_position))
            .order((complaint_events::position.desc(), complaint_events::ordinal.desc()))
            .select(EVENT)
            .load(conn)?;
        Ok(Self { complaints: of_events(events, texts), reference: Self::load_reference(conn, as_of_position)? })
    }

    /// Reads the changes of some complaints after `as_of_position`, newest first.
    ///
    /// # Errors
    /// When the database fails or the work is cancelled.
    pub(super) fn load_of(conn: &mut Conn, as_of_position: i64, complaints: &[Id]) -> Result<Vec<Change>, JobError> {
        let (mut texts, mut events): (Vec<TextRow>, Vec<EventRow>) = (Vec::new(), Vec::new());
        for chunk in complaints.chunks(KEYS_PER_QUERY) {
            let more: Vec<TextRow> = complaint_event_values::table
                .filter(complaint_event_values::complaint_id.eq_any(chunk))
                .filter(complaint_event_values::position.gt(as_of_position))
                .filter(complaint_event_values::field.eq("text"))
                .filter(complaint_event_values::side.eq(Side::Before))
                .select(TEXT)
                .load(conn)?;
            texts.extend(more);
            let more: Vec<EventRow> = complaint_events::table
                .filter(complaint_events::complaint_id.eq_any(chunk))
                .filter(complaint_events::position.gt(as_of_position))
                .select(EVENT)
                .load(conn)?;
            events.extend(more);
            check_cancelled()?;
        }
        events.sort_unstable_by_key(|(_, position, ordinal, _)| Reverse((*position, *ordinal)));
        Ok(of_events(events, texts))
    }

    /// Reads the changes of what is of no single complaint after `as_of_position`, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) fn load_reference(conn: &mut Conn, as_of_position: i64) -> Result<Vec<Change>, JobError> {
        let rows: Vec<(String, Id, Option<JsonValue>)> = reference_events::table
            .filter(reference_events::position.gt(as_of_position))
            .order((reference_events::position.desc(), reference_events::ordinal.desc()))
            .select((reference_events::entity, reference_events::entity_id, reference_events::before))
            .load(conn)?;
        let change = |(entity, id, before)| Change { entity, id, before: fields(before), text: None };
        Ok(rows.into_iter().map(change).collect())
    }
}

/// The changes of complaints, in the order of their events.
fn of_events(events: Vec<EventRow>, texts: Vec<TextRow>) -> Vec<Change> {
    let mut texts: HashMap<(Id, i64, i32), String> =
        texts.into_iter().map(|(id, position, ordinal, value)| ((id, position, ordinal), value)).collect();
    let change = |(id, position, ordinal, before): EventRow| Change {
        entity: "complaint".into(),
        id,
        before: fields(before),
        text: texts.remove(&(id, position, ordinal)),
    };
    events.into_iter().map(change).collect()
}

fn fields(document: Option<JsonValue>) -> Option<Fields> {
    match document?.0 {
        Value::Object(fields) => Some(fields),
        _ => None,
    }
}
