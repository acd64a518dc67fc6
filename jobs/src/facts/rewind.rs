//! What the register knew at a position: the facts of now, with every later change undone,
//! newest first.

use crate::JobError;
use crate::facts::minhash::TextSketch;
use crate::facts::{AllegationFact, ComplaintFact, Facts};
use diesel::prelude::*;
use schema::enums::Side;
use schema::events::Fields;
use schema::models::{Posting, UnitParent};
use schema::tables::{complaint_event_values, complaint_events, reference_events};
use schema::{Conn, Id, JsonValue};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// A later change: what stood before it, or None where nothing did.
#[derive(Debug, Clone)]
pub struct Change {
    pub entity: String,
    pub id: Id,
    pub before: Option<Fields>,
    /// The words that stood before, where the change touched them and they were not erased since.
    pub text: Option<String>,
}

/// The changes after a position, newest first.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    pub complaints: Vec<Change>,
    pub reference: Vec<Change>,
}

impl Changes {
    /// Reads the changes after `known_at`, in the same read as the facts.
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

/// Takes back changes, newest first.
///
/// # Errors
/// Where an event does not read as what it should be: the history was damaged.
pub fn undo(facts: &mut Facts, changes: &Changes) -> Result<(), JobError> {
    undo_complaints(facts, &changes.complaints)?;
    for change in &changes.reference {
        undo_reference(facts, change)?;
    }
    Ok(())
}

fn undo_complaints(facts: &mut Facts, changes: &[Change]) -> Result<(), JobError> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut gone = HashSet::new();
    for change in changes {
        let Some(before) = &change.before else {
            gone.insert(change.id);
            continue;
        };
        let at = facts.complaints.binary_search_by_key(&change.id, |fact| fact.id);
        let Ok(at) = at else {
            return Err(JobError::History(format!("an event changes complaint {}, which is not there", change.id)));
        };
        let fact: &mut ComplaintFact = &mut facts.complaints[at];
        restore(before, "received_at", &mut fact.received_at)?;
        restore(before, "occurred_at", &mut fact.occurred_at)?;
        restore(before, "enterprise_id", &mut fact.enterprise_id)?;
        restore(before, "unit_id", &mut fact.unit_id)?;
        restore(before, "category_id", &mut fact.category_id)?;
        restore(before, "state", &mut fact.state)?;
        restore(before, "state_since", &mut fact.state_since)?;
        restore(before, "finding", &mut fact.finding)?;
        restore(before, "decided_on", &mut fact.decided_on)?;
        restore(before, "received_precision", &mut fact.received_precision)?;
        if before.contains_key("text") {
            match &change.text {
                Some(text) => facts.texts.insert(change.id, TextSketch::of(text)),
                None => facts.texts.remove(&change.id),
            };
        }
        let mut rows: Option<Vec<AllegationFact>> = None;
        restore(before, "officers", &mut rows)?;
        if before.contains_key("officers") {
            let mut rows = rows.unwrap_or_default();
            for row in &mut rows {
                row.complaint_id = change.id;
            }
            facts.allegations.insert(change.id, rows);
        }
    }
    facts.complaints.retain(|fact| !gone.contains(&fact.id));
    facts.allegations.retain(|id, _| !gone.contains(id));
    Ok(())
}

fn undo_reference(facts: &mut Facts, change: &Change) -> Result<(), JobError> {
    let id = change.id;
    match (change.entity.as_str(), &change.before) {
        ("unit", None) => {
            facts.units.remove(&id);
        }
        ("unit", Some(before)) => {
            let unit = known(&mut facts.units, id, "unit")?;
            restore(before, "kind", &mut unit.kind)?;
            restore(before, "code", &mut unit.code)?;
            restore(before, "peer_group", &mut unit.peer_group)?;
            restore(before, "valid_from", &mut unit.valid_from)?;
            restore(before, "valid_to", &mut unit.valid_to)?;
        }
        ("unit_parents", before) => {
            let mut rows: Option<Vec<UnitParent>> = None;
            if let Some(before) = before {
                restore(before, "parents", &mut rows)?;
            }
            facts.parents.insert(id, rows.unwrap_or_default());
        }
        ("postings", before) => {
            let mut rows: Option<Vec<Posting>> = None;
            if let Some(before) = before {
                restore(before, "postings", &mut rows)?;
            }
            facts.postings.insert(id, rows.unwrap_or_default());
        }
        ("officer", None) => {
            facts.officer_codes.remove(&id);
        }
        ("enterprise", None) => {
            facts.enterprises.remove(&id);
        }
        ("enterprise", Some(before)) => {
            restore(before, "group_code", &mut known(&mut facts.enterprises, id, "enterprise")?.group_code)?;
        }
        ("issue_category", None) => {
            facts.categories.remove(&id);
        }
        ("issue_category", Some(before)) => {
            let category = known(&mut facts.categories, id, "category")?;
            restore(before, "kind", &mut category.kind)?;
            restore(before, "serious", &mut category.serious)?;
        }
        ("workload", None) => {
            facts.workload.remove(&id);
        }
        ("workload", Some(before)) => {
            let row = known(&mut facts.workload, id, "workload")?;
            restore(before, "unit_id", &mut row.unit_id)?;
            restore(before, "officer_id", &mut row.officer_id)?;
            restore(before, "month", &mut row.month)?;
            restore(before, "declarations", &mut row.declarations)?;
        }
        // Nothing of the others is read by this statistic.
        _ => {}
    }
    Ok(())
}

fn known<'f, T>(facts: &'f mut HashMap<Id, T>, id: Id, what: &str) -> Result<&'f mut T, JobError> {
    facts.get_mut(&id).ok_or_else(|| JobError::History(format!("an event changes {what} {id}, which is not there")))
}

/// Sets a field to what stood before, where the change touched it.
fn restore<T: DeserializeOwned>(before: &Fields, field: &str, place: &mut T) -> Result<(), JobError> {
    let Some(value) = before.get(field) else { return Ok(()) };
    *place = serde_json::from_value(value.clone())
        .map_err(|e| JobError::History(format!("the field {field} of an event does not read: {e}")))?;
    Ok(())
}
