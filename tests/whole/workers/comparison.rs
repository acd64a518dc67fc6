//! What the register holds after the work, against what the workers were answered.

use super::beside::BESIDE;
use super::{Done, Seen, Shop};
use diesel::prelude::*;
use schema::domain::state::is_void;
use schema::enums::ComplaintState;
use schema::register::complaints::{ESCALATION, MERGE};
use schema::register::{DUPLICATE_OF, RECEIPT_ACTOR};
use schema::tables::{complaint_events, complaints, correction_proposals};
use schema::{Conn, Id, JsonValue, StoreError};
use serde_json::json;
use std::collections::HashMap;
use tests::{Database, Json};

/// An event: its complaint, its actor, the fields before and after it, and its position.
type Event = (Id, String, Option<JsonValue>, Option<JsonValue>, i64);

/// The rows that the workers wrote.
struct Rows {
    versions: HashMap<Id, i32>,
    events: Vec<Event>,
    proposals: i64,
}

fn rows(conn: &mut Conn) -> Result<Rows, StoreError> {
    let versions: Vec<(Id, i32)> = complaints::table.select((complaints::id, complaints::version)).load(conn)?;
    let events: Vec<Event> = complaint_events::table
        .order((complaint_events::position, complaint_events::ordinal))
        .select((
            complaint_events::complaint_id,
            complaint_events::actor,
            complaint_events::before,
            complaint_events::after,
            complaint_events::position,
        ))
        .load(conn)?;
    let proposals: i64 = correction_proposals::table.count().get_result(conn)?;
    Ok(Rows { versions: versions.into_iter().collect(), events, proposals })
}

/// The version of a complaint on one side of an event.
fn version(side: Option<&JsonValue>) -> Option<i64> {
    side?.0.get("version")?.as_i64()
}

/// The complaint that was withdrawn or rejected at each such position. Its link and those of its duplicates change
/// there, too.
fn ends(events: &[Event]) -> HashMap<i64, Id> {
    let is_end = |after: &JsonValue| {
        let state = after.0.get("state").and_then(|state| state.as_str());
        state.and_then(|state| state.parse::<ComplaintState>().ok()).is_some_and(is_void)
    };
    let ended = events.iter().filter(|(_, _, _, after, _)| after.as_ref().is_some_and(is_end));
    ended.map(|(complaint, .., position)| (*position, *complaint)).collect()
}

impl Shop<'_> {
    /// Each version of each complaint must come from one event, and each event from one change that an answer
    /// confirmed, of this complaint or of its original, or from what went on beside.
    pub fn compare_with_the_events(&self, database: &Database, all: &Seen) {
        let Rows { versions, events, proposals } = database.open().read(rows).expect("the rows");
        assert_eq!(usize::try_from(proposals), Ok(all.proposals), "proposed corrections");
        let ends = ends(&events);
        let has =
            |(_, _, _, after, _): &Event, field: &str| after.as_ref().is_some_and(|after| after.0.get(field).is_some());
        // Merges, what a unit that was closed left to its successor, and links that followed an original.
        let follows = |event: &Event| {
            let is_handed_over = event.1 == self.admin.actor || event.1 == "job";
            // The answer to a member of the Board tells the version that the link gives; a receipt tells no version.
            let is_told = |original: &Id| *original == event.0 && event.1 != RECEIPT_ACTOR;
            let is_relinked = has(event, DUPLICATE_OF) && ends.get(&event.4).is_some_and(|original| !is_told(original));
            has(event, MERGE) || is_handed_over || is_relinked
        };
        for (nth, complaint) in self.complaints.iter().enumerate() {
            let own = events.iter().filter(|event| event.0 == complaint.id);
            // An escalation changes no version.
            let own: Vec<&Event> = own.filter(|event| !has(event, ESCALATION)).collect();
            let last = i64::from(versions[&complaint.id]);
            let numbers: Vec<(Option<i64>, Option<i64>)> = own
                .iter()
                .map(|(_, _, before, after, _)| (version(before.as_ref()), version(after.as_ref())))
                .collect();
            let dense: Vec<(Option<i64>, Option<i64>)> =
                (1..=last).map(|now| (Some(now - 1).filter(|was| *was > 0), Some(now))).collect();
            assert_eq!(numbers, dense, "complaint {nth}: the versions before and after each event, in order");

            let mut told: Vec<(i32, &str)> = Vec::new();
            let mut by_receipt = 0;
            for done in all.done.iter().filter(|done| done.complaint == nth) {
                let actor = done.actor.as_str();
                match done.versions {
                    Some((before, after)) => told.extend((before + 1..=after).map(|now| (now, actor))),
                    None => by_receipt += 1,
                }
            }
            told.sort_unstable();
            let mut recorded: Vec<(i32, &str)> = Vec::new();
            let mut followed = 0;
            for (now, event) in (1..).zip(own) {
                if follows(event) {
                    followed += 1;
                } else {
                    recorded.push((now, event.1.as_str()));
                }
            }
            recorded.retain(|(now, actor)| *now > 1 && *actor != RECEIPT_ACTOR);
            assert_eq!(recorded, told, "complaint {nth}: who made which version, by the events and by the answers");
            let changes = i64::try_from(told.len() + by_receipt + followed).expect("a few");
            assert_eq!(last, 1 + changes, "complaint {nth}: a version for each change");
        }
    }

    /// Each history, on either node, must have an entry for each version and each step of an escalation, and the reasons
    /// of the confirmed changes. An escalation has a second step where another unit has to answer by then.
    pub fn compare_with_the_histories(&self, done: &[Done]) {
        let document = "query ($id: ID!) { complaint(id: $id) { version escalations { level } \
            history(first: 200) { totalCount nodes { kind reason } } } }";
        for (nth, complaint) in self.complaints.iter().enumerate() {
            let answer = self.graphql(nth, &self.board[0].token, document, &json!({ "id": complaint.id })).json();
            let found = &answer["data"]["complaint"];
            let of_escalations = found["history"]["nodes"].list().iter().filter(|entry| entry["kind"] == "ESCALATED");
            let of_escalations = of_escalations.count();
            assert!(of_escalations >= found["escalations"].list().len(), "complaint {nth}: {answer}");
            let steps = found["version"].integer() + i64::try_from(of_escalations).expect("a few");
            assert_eq!(found["history"]["totalCount"].integer(), steps, "complaint {nth}: {answer}");
            let entries = found["history"]["nodes"].list().iter();
            let mut told: Vec<&str> = entries.filter_map(|entry| entry["reason"].as_str()).collect();
            let follows = ["counts in its place", "goes on", BESIDE];
            told.retain(|reason| !follows.iter().any(|end| reason.ends_with(*end)));
            let own = done.iter().filter(|done| done.complaint == nth);
            let mut given: Vec<&str> = own.filter_map(|done| done.reason.as_deref()).collect();
            told.sort_unstable();
            given.sort_unstable();
            assert_eq!(told, given, "complaint {nth}: the reasons of its history, and those of the answers");
        }
    }
}
