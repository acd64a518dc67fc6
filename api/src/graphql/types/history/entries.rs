//! The entries of the history of a complaint: what a viewer reads of its events and escalations.

use super::changed_fields::{Change, changed_fields};
use super::rights::Rights;
use super::values::{Value, fields};
use async_graphql::Enum;
use chrono::NaiveDate;
use schema::enums::ComplaintEventKind;
use schema::events::StoredComplaintEvent;
use schema::models::Escalation;
use schema::register::complaints::ESCALATION as ESCALATED;
use schema::{Id, Timestamp};
use serde::Deserialize;
use std::collections::HashSet;

/// The kind of step of an entry in the history of a complaint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ComplaintHistoryKind {
    /// The register stored the complaint. The changes are its first values.
    Received,
    /// A person or an import changed values.
    Updated,
    StateChanged,
    /// A unit responded.
    Responded,
    /// The tree of units was changed, and with it the units above that of the complaint; or the responsible unit ended,
    /// and its successor took over.
    UnitTreeCorrected,
    /// The Board corrected the complaint, or a merge or split of officers or enterprises changed it.
    Corrected,
    /// The job `escalate-overdue` escalated the complaint.
    Escalated,
}

impl From<ComplaintEventKind> for ComplaintHistoryKind {
    fn from(kind: ComplaintEventKind) -> Self {
        match kind {
            ComplaintEventKind::Received => Self::Received,
            ComplaintEventKind::Updated => Self::Updated,
            ComplaintEventKind::StateChanged => Self::StateChanged,
            ComplaintEventKind::Responded => Self::Responded,
            ComplaintEventKind::UnitTreeCorrected => Self::UnitTreeCorrected,
            ComplaintEventKind::Corrected => Self::Corrected,
        }
    }
}

/// The place of an entry in its history: the position of its transaction, and a number there.
pub type Place = (i64, i64);

/// A step in the history of a complaint, as far as the viewer may read it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub complaint: Id,
    pub place: Place,
    pub kind: ComplaintHistoryKind,
    pub recorded_at: Timestamp,
    pub effective_at: Timestamp,
    pub actor: String,
    pub changes: Vec<Change>,
    /// Whether a reason was given that the viewer may read.
    pub has_reason: bool,
}

impl Entry {
    /// The ordinal of the event; None for an entry that is not an event.
    pub fn ordinal(&self) -> Option<i32> {
        i32::try_from(self.place.1).ok()
    }
}

/// The number of the first escalation after the events of a transaction, which have ordinals below it.
const ESCALATION: i64 = 1 << 32;

/// The actor of escalations.
const JOB: &str = "job";

/// The entries of a complaint that the viewer may read, in the order of the register; `events` are in this order, too.
/// An entry of which nothing may be read is left out. `officers` are the officers whom the complaint names now.
pub fn entries(
    rights: &Rights,
    events: &[StoredComplaintEvent],
    escalations: &[Escalation],
    officers: &HashSet<Id>,
) -> Vec<Entry> {
    let mut found = Vec::with_capacity(events.len() + escalations.len());
    let mut earlier = Vec::new();
    let mut is_confidential = false;
    for event in events {
        let was_confidential = is_confidential;
        let after = fields(event.after.as_ref());
        let stated = after.and_then(|after| after.get("confidential")).and_then(serde_json::Value::as_bool);
        is_confidential = stated.unwrap_or(was_confidential);
        if let Some(content) = after.and_then(|after| after.get(ESCALATED)) {
            // The row of the escalation replaces it, unless the row names another unit since.
            let content = EscalationContent::deserialize(content).ok();
            let is_stored = |content: &EscalationContent| {
                escalations.iter().any(|row| row.level == content.level && row.escalated_at == event.recorded_at)
            };
            earlier.extend(content.filter(|content| !is_stored(content)).map(|content| (event.recorded_at, content)));
            continue;
        }
        let changes = changed_fields(rights, event, officers);
        let gives_reason = after.is_some_and(|after| after.get("reason").is_some_and(|reason| !reason.is_null()));
        found.push(Entry {
            complaint: event.complaint_id,
            place: (event.position, i64::from(event.ordinal)),
            kind: event.kind.into(),
            recorded_at: event.recorded_at,
            effective_at: event.effective_at,
            actor: event.actor.clone(),
            changes,
            has_reason: gives_reason && rights.reads_reasons(was_confidential || is_confidential),
        });
    }
    if !rights.reads_history(is_confidential) {
        return Vec::new();
    }
    if let Some(complaint) = events.first().map(|event| event.complaint_id) {
        found.extend(earlier.iter().map(|(at, content)| escalation(complaint, *at, content, events)));
    }
    found.extend(escalations.iter().map(|row| {
        let content = EscalationContent { level: row.level, unit_id: row.unit_id, due_on: row.due_on };
        escalation(row.complaint_id, row.escalated_at, &content, events)
    }));
    found.retain(|entry| !entry.changes.is_empty());
    found.sort_by_key(|entry| entry.place);
    found
}

/// The content of an event of an escalation.
#[derive(Deserialize)]
struct EscalationContent {
    level: i32,
    unit_id: Option<Id>,
    due_on: NaiveDate,
}

/// An escalation. Early ones have no event; each is placed after the events that were recorded before it.
fn escalation(complaint: Id, at: Timestamp, content: &EscalationContent, events: &[StoredComplaintEvent]) -> Entry {
    let before = events.iter().take_while(|event| event.recorded_at <= at).last();
    let position = before.map_or(0, |event| event.position);
    let change = |field: &str, after| Change {
        field: format!("escalation.{field}"),
        stored: field.to_owned(),
        allegation: None,
        before: None,
        after: Some(after),
        withheld: false,
    };
    // Stored levels count on from round to round.
    let mut changes = vec![change("level", Value::Text(((content.level - 1) % 2 + 1).to_string()))];
    changes.extend(content.unit_id.map(|unit| change("unit", Value::Unit(unit))));
    changes.push(change("dueOn", Value::Text(content.due_on.to_string())));
    Entry {
        complaint,
        place: (position, ESCALATION + i64::from(content.level)),
        kind: ComplaintHistoryKind::Escalated,
        recorded_at: at,
        effective_at: at,
        actor: JOB.to_owned(),
        changes,
        has_reason: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::JsonValue;
    use schema::domain::ids::random_id;
    use schema::enums::Role;
    use serde_json::{Value as Json, json};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000).expect("a time")
    }

    /// An event at a position, recorded in the second of that number.
    fn event(
        complaint: Id,
        position: i64,
        kind: ComplaintEventKind,
        before: Json,
        after: Json,
    ) -> StoredComplaintEvent {
        StoredComplaintEvent {
            complaint_id: complaint,
            position,
            ordinal: 0,
            kind,
            recorded_at: at(position),
            effective_at: at(0),
            actor: "token:x".to_owned(),
            before: Some(JsonValue(before)),
            after: Some(JsonValue(after)),
        }
    }

    /// A confidential complaint that was rejected with a reason, until an import made it public.
    fn formerly_confidential(complaint: Id) -> Vec<StoredComplaintEvent> {
        let reason = json!({ "commitment": "00" });
        let received = json!({ "confidential": true, "state": "RECEIVED", "version": 1 });
        let rejected = json!({ "state": "REJECTED", "reason": reason });
        vec![
            event(complaint, 1, ComplaintEventKind::Received, Json::Null, received),
            event(complaint, 2, ComplaintEventKind::StateChanged, json!({ "state": "RECEIVED" }), rejected.clone()),
            event(
                complaint,
                3,
                ComplaintEventKind::Updated,
                json!({ "confidential": true }),
                json!({ "confidential": false }),
            ),
            event(complaint, 4, ComplaintEventKind::StateChanged, json!({ "state": "REJECTED" }), rejected),
            event(
                complaint,
                5,
                ComplaintEventKind::StateChanged,
                json!({ "state": "ANSWERED" }),
                json!({
                    "state": "ASSIGNED", "reason": reason
                }),
            ),
        ]
    }

    #[test]
    fn a_reason_given_in_confidence_stays_the_boards() {
        let events = formerly_confidential(random_id());
        let read = |role, events: &[StoredComplaintEvent]| {
            let found = entries(&Rights::of_role(role, false), events, &[], &HashSet::new());
            found.iter().map(|entry| (entry.place.0, entry.has_reason)).collect::<Vec<_>>()
        };
        // The fourth event changes no state.
        assert_eq!(read(Role::Board, &events), [(1, false), (2, true), (3, false), (5, true)]);
        assert_eq!(read(Role::UnitHead, &events), [(1, false), (2, false), (5, true)]);
        assert!(read(Role::UnitHead, &events[..2]).is_empty(), "it is confidential now");
    }

    #[test]
    fn an_escalation_stands_after_what_was_recorded_before_it() {
        let complaint = random_id();
        let escalation = Escalation {
            complaint_id: complaint,
            level: 1,
            unit_id: None,
            due_on: NaiveDate::default(),
            escalated_at: at(2),
            run_id: random_id(),
        };
        let rights = Rights::of_role(Role::Board, false);
        let found = entries(&rights, &formerly_confidential(complaint), &[escalation], &HashSet::new());
        let kinds: Vec<_> = found.iter().map(|entry| (entry.place.0, entry.ordinal().is_some())).collect();
        assert_eq!(kinds, [(1, true), (2, true), (2, false), (3, true), (5, true)]);
    }

    #[test]
    fn allegations_are_compared_row_by_row() {
        let (complaint, [one, other]) = (random_id(), [random_id(), random_id()]);
        let row = |officer: Id, finding: &str| json!({ "officer_id": officer, "ordinal": 0, "finding": finding });
        let before = json!({ "officers": [row(one, "PENDING"), row(other, "PENDING")] });
        let after = json!({ "officers": [row(one, "SUSTAINED")] });
        let events = [event(complaint, 1, ComplaintEventKind::Updated, before, after)];
        let read = |rights: &Rights| {
            let found = entries(rights, &events, &[], &HashSet::from([one]));
            let changes = found.into_iter().flat_map(|entry| entry.changes);
            changes.map(|change| (change.allegation.and_then(|of| of.officer), change.field)).collect::<HashSet<_>>()
        };
        let named = |officer, field: &str| (Some(officer), format!("officers.{field}"));
        let all = [named(one, "finding"), named(other, "officer"), named(other, "finding")];
        assert_eq!(read(&Rights::of_role(Role::Board, false)), HashSet::from(all));
        for rights in [Rights::of_role(Role::UnitHead, false), Rights::of_role(Role::Board, true)] {
            assert_eq!(read(&rights), HashSet::from([named(one, "finding")]));
        }
    }

    #[test]
    fn the_board_reads_fields_that_the_api_does_not_show() {
        let after = json!({ "received_precision": "MONTH", "version": 1, "content_hash": "x" });
        let events = [event(random_id(), 1, ComplaintEventKind::Received, Json::Null, after)];
        let read = |role| entries(&Rights::of_role(role, false), &events, &[], &HashSet::new());
        let found = read(Role::Board);
        let change = &found[0].changes[0];
        assert_eq!((change.field.as_str(), &change.after), ("receivedPrecision", &Some(Value::Text("MONTH".into()))));
        assert!(read(Role::DataTeam).is_empty() && read(Role::UnitHead).is_empty());
    }
}
