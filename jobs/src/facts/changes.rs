//! The changes of the register after a position, with what stood before each.

use crate::JobError;
use diesel::prelude::*;
use schema::enums::Side;
use schema::events::Fields;
use schema::tables::{complaint_event_values, complaint_events, reference_events};
use schema::{Conn, Id, JsonValue};
use serde_json::Value;
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

impl Changes {
    /// Reads the changes after `known_at`. Call it in the read that loads the facts.
    ///
    /// # Errors
    /// When the database fails.
    pub fn load_after(conn: &mut Conn, known_at: i64) -> Result<Self, JobError> {
        let mut texts: HashMap<(Id, i64, i32), String> = complaint_event_values::table
            .filter(complaint_event_values::position.gt(known_at))
            .filter(complaint_event_values::field.eq("text"))
            .filter(complaint_event_values::side.eq(Side::Before))
            .select((
                complaint_event_values::complaint_id,
                complaint_event_values::position,
                complaint_event_values::ordinal,
                complaint_event_values::value,
            ))
            .load::<(Id, i64, i32, String)>(conn)?
            .into_iter()
            .map(|(id, position, ordinal, value)| ((id, position, ordinal), value))
            .collect();
        let complaints = complaint_events::table
            .filter(complaint_events::position.gt(known_at))
            .order((complaint_events::position.desc(), complaint_events::ordinal.desc()))
            .select((
                complaint_events::complaint_id,
                complaint_events::position,
                complaint_events::ordinal,
                complaint_events::before,
            ))
            .load::<(Id, i64, i32, Option<JsonValue>)>(conn)?
            .into_iter()
            .map(|(id, position, ordinal, before)| Change {
                entity: "complaint".into(),
                id,
                before: fields(before),
                text: texts.remove(&(id, position, ordinal)),
            })
            .collect();
        let reference = reference_events::table
            .filter(reference_events::position.gt(known_at))
            .order((reference_events::position.desc(), reference_events::ordinal.desc()))
            .select((reference_events::entity, reference_events::entity_id, reference_events::before))
            .load::<(String, Id, Option<JsonValue>)>(conn)?
            .into_iter()
            .map(|(entity, id, before)| Change { entity, id, before: fields(before), text: None })
            .collect();
        Ok(Self { complaints, reference })
    }
}

fn fields(document: Option<JsonValue>) -> Option<Fields> {
    match document?.0 {
        Value::Object(fields) => Some(fields),
        _ => None,
    }
}
