//! Rebuilds the rows of a complaint from its events.

use super::super::rows::Event;
use super::clock::derived_columns;
use super::fold::State;
use crate::domain::legal_clock::Clock;
use crate::events::Fields;
use crate::models::Complaint;
use crate::register::complaints::{CONTENT_HASH, ESCALATION, MERGE};
use crate::register::first_routing::FirstRouting;
use crate::register::{ATTACHMENTS, DUPLICATE_OF};
use crate::sql_types::Id;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The expected rows of a complaint, rebuilt from its events.
#[derive(Default)]
pub struct Expected {
    /// None if the complaint has no events.
    pub complaint: Option<State>,
    pub officers: Option<Value>,
    pub matters: Option<Value>,
    pub rounds: Option<Value>,
    /// The hash of the source; None if the events predate its recording.
    pub content_hash: Option<Value>,
    pub responses: BTreeMap<String, State>,
    pub redaction: Option<State>,
    /// Added rows, by the text of their ordinals.
    pub additions: BTreeMap<String, State>,
    pub link: Option<State>,
}

impl Expected {
    /// Decides by the fields of events, not by their kinds. A complaint that is older than responsible units was given
    /// its own by the first routing, which has one event for all of them.
    pub fn of(id: Id, events: Vec<Event>, first_routing: Option<&FirstRouting>) -> Self {
        let mut expected = Self::default();
        let is_older = |routing: &&FirstRouting| {
            events.iter().any(|event| event.position > 0 && event.position < routing.position)
        };
        let mut first_routing = first_routing.filter(is_older);
        // Positions begin with 1: the program did not write an event below that.
        for event in events.into_iter().filter(|event| event.position > 0) {
            let place = event.place();
            if let Some(routing) = first_routing.filter(|routing| event.position >= routing.position) {
                expected.route(routing);
                first_routing = None;
            }
            let Value::Object(mut after) = event.after else { continue };
            let recorded_at = json!(event.recorded_at);
            let actor = event.actor;
            if let Some(Value::String(response)) = after.get("response_id").cloned() {
                let version = after.remove("version");
                let mut state = State::default();
                state.fields.insert("complaint_id".into(), json!(id));
                state.fields.insert("recorded_at".into(), recorded_at.clone());
                state.fields.insert("actor".into(), actor.clone().into());
                state.apply(std::mem::take(&mut after), place, |field| match field {
                    "response_id" => Some("id"),
                    "response_unit_id" => Some("unit_id"),
                    "response_text" => Some("text"),
                    _ => None,
                });
                expected.responses.insert(response, state);
                after.extend(version.map(|version| ("version".to_owned(), version)));
            }
            if let Some(text) = after.remove("redacted_text") {
                let mut state = State::default();
                state.fields.insert("complaint_id".into(), json!(id));
                state.fields.insert("redacted_at".into(), recorded_at.clone());
                state.fields.insert("actor".into(), actor.clone().into());
                let text = Fields::from_iter([("redacted_text".to_owned(), text)]);
                state.apply(text, place, |_| Some("text"));
                expected.redaction = Some(state);
            }
            expected.take_rows_beside(id, (&recorded_at, actor), place, &mut after);
            after.remove("reason");
            after.remove(MERGE);
            if let Some(officers) = after.remove("officers") {
                expected.officers = Some(officers);
            }
            if let Some(matters) = after.remove("matters") {
                expected.matters = Some(matters);
            }
            if let Some(rounds) = after.remove("clocks") {
                expected.rounds = Some(rounds);
            }
            // The rows of escalations and of attachments have a chain of their own.
            after.remove(ESCALATION);
            after.remove(ATTACHMENTS);
            if let Some(hash) = after.remove(CONTENT_HASH) {
                expected.content_hash = Some(hash);
            }
            let complaint = expected.complaint.get_or_insert_with(|| {
                let mut state = State::default();
                state.fields.insert("id".into(), json!(id));
                state.fields.insert("recorded_at".into(), recorded_at);
                state
            });
            complaint.apply(after, place, |_| None);
        }
        if let Some(routing) = first_routing {
            expected.route(routing);
        }
        expected
    }

    fn route(&mut self, routing: &FirstRouting) {
        let Some(complaint) = &mut self.complaint else { return };
        if let Some(unit) = routing.unit_of(&complaint.fields) {
            complaint.fields.insert("responsible_unit_id".into(), unit);
        }
    }

    /// Takes out of an event what it says of an addition, of a link to another complaint and of an answer.
    fn take_rows_beside(
        &mut self,
        id: Id,
        (recorded_at, actor): (&Value, String),
        place: (i64, i32),
        after: &mut Fields,
    ) {
        if let (Some(ordinal), Some(text)) = (after.remove("addition_ordinal"), after.remove("addition_text")) {
            let mut state = State::default();
            state.fields.insert("complaint_id".into(), json!(id));
            state.fields.insert("received_at".into(), recorded_at.clone());
            let fields = Fields::from_iter([
                ("addition_ordinal".to_owned(), ordinal.clone()),
                ("addition_text".to_owned(), text),
            ]);
            state.apply(fields, place, |field| match field {
                "addition_ordinal" => Some("ordinal"),
                _ => Some("text"),
            });
            self.additions.insert(ordinal.to_string(), state);
        }
        if let Some(original) = after.remove(DUPLICATE_OF) {
            let reason = after.remove("reason");
            self.link = (!original.is_null()).then(|| {
                let mut state = State::default();
                state.fields.insert("complaint_id".into(), json!(id));
                state.fields.insert("linked_at".into(), recorded_at.clone());
                state.fields.insert("actor".into(), actor.into());
                let fields = [("original_id", Some(original)), ("reason", reason)];
                let fields = fields.into_iter().filter_map(|(field, value)| Some((field.to_owned(), value?)));
                state.apply(fields.collect(), place, |_| None);
                state
            });
        }
        if let Some(Value::String(response)) = after.remove("confirmed_response_id") {
            let satisfied = after.remove("satisfied");
            if let Some(state) = self.responses.get_mut(&response) {
                state.fields.extend(satisfied.map(|satisfied| ("satisfied".to_owned(), satisfied)));
            }
        }
    }

    /// Adds the columns that follow from the legal clock; false if [`derived_columns`] does not tell them.
    pub fn set_clock(&mut self, id: Id, row: &Complaint, clock: &Clock) -> bool {
        let Some(state) = &mut self.complaint else { return false };
        let responses = self.responses.values().map(|response| &response.fields);
        let Some(derived) = derived_columns(clock, id, row, &state.fields, self.rounds.as_ref(), responses) else {
            return false;
        };
        state.fields.extend(derived);
        true
    }
}
