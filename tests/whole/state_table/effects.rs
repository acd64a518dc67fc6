//! What the register holds, and what an allowed operation must have left in it.

use super::table::{Row, STATES};
use diesel::prelude::*;
use schema::db::dialect::current_position;
use schema::events::{StoredComplaintEvent, StoredReferenceEvent};
use schema::register::complaints::{Case, load};
use schema::tables::{complaint_events, complaints, reference_events};
use schema::{Conn, Db, Id, JsonValue, StoreError};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tests::Database;

/// The events that what is allowed leaves: of a row, in the state of a column (`*`: in all others). An event is its
/// kind with the fields that it changed, and before these what it is about, unless it is about the complaint.
const EVENTS: &[(&str, &str, &str)] = &[
    ("classifyComplaint", "RE", "STATE_CHANGED category_id state"),
    // The deadline of the first round follows the category.
    ("classifyComplaint", "RO", "UPDATED category_id clocks"),
    ("classifyComplaint", "*", "UPDATED category_id"),
    ("confirmClassifications", "RE", "STATE_CHANGED category_id state"),
    ("confirmClassifications", "RO", "UPDATED category_id clocks"),
    ("confirmClassifications", "*", "UPDATED category_id"),
    ("assignComplaint", "CL", "STATE_CHANGED responsible_unit_id state"),
    ("assignComplaint", "*", "UPDATED responsible_unit_id"),
    ("transferComplaint", "*", "UPDATED reason responsible_unit_id"),
    ("transferRedactedComplaint", "*", "UPDATED reason responsible_unit_id"),
    ("respondToComplaint", "RE", "STATE_CHANGED state; STATE_CHANGED state; STATE_CHANGED state; RESPONDED"),
    ("respondToComplaint", "CL", "STATE_CHANGED state; STATE_CHANGED state; RESPONDED"),
    ("respondToComplaint", "AN", "RESPONDED"),
    ("respondToComplaint", "*", "STATE_CHANGED state; RESPONDED"),
    ("respondToRedactedComplaint", "RE", "STATE_CHANGED state; STATE_CHANGED state; STATE_CHANGED state; RESPONDED"),
    ("respondToRedactedComplaint", "CL", "STATE_CHANGED state; STATE_CHANGED state; RESPONDED"),
    ("respondToRedactedComplaint", "AN", "RESPONDED"),
    ("respondToRedactedComplaint", "*", "STATE_CHANGED state; RESPONDED"),
    ("redactComplaint", "*", "UPDATED redacted_text"),
    // A reopened complaint begins a round.
    ("changeComplaintState/ASSIGNED", "*", "STATE_CHANGED clocks reason state"),
    ("changeComplaintState/CLOSED", "*", "STATE_CHANGED reason state"),
    ("changeComplaintState/WITHDRAWN", "*", "STATE_CHANGED reason state"),
    ("changeComplaintState/REJECTED", "*", "STATE_CHANGED reason state"),
    ("acceptComplaint", "*", "UPDATED clocks"),
    ("extendDeadline", "*", "UPDATED clocks reason"),
    ("suspendClock", "*", "UPDATED clocks reason"),
    ("resumeClock", "*", "UPDATED clocks reason"),
    ("recordFinding", "*", "UPDATED decided_on finding"),
    ("correctComplaint", "*", "CORRECTED cost_vnd reason"),
    ("proposeCorrection", "*", "correction_proposal CREATED"),
    ("decideCorrection/accept", "*", "CORRECTED cost_vnd reason; correction_proposal UPDATED decided_by state"),
    ("decideCorrection/refuse", "*", "correction_proposal UPDATED decided_by decision_reason state"),
    ("withdrawCorrection", "*", "correction_proposal UPDATED decided_by state"),
    ("linkDuplicate", "*", "UPDATED duplicate_of reason"),
    ("unlinkDuplicate", "*", "UPDATED duplicate_of reason"),
    ("mergeOfficers", "*", "CORRECTED merge_id officers reason; merge CREATED"),
    ("splitOfficer/move", "*", "CORRECTED officers reason"),
    ("splitOfficer/undo", "*", "CORRECTED merge_id officers reason; merge UPDATED split_actor split_at split_reason"),
    ("mergeEnterprises", "*", "CORRECTED enterprise_id merge_id reason; merge CREATED"),
    ("splitEnterprise/move", "*", "CORRECTED enterprise_id reason"),
    (
        "splitEnterprise/undo",
        "*",
        "CORRECTED enterprise_id merge_id reason; merge UPDATED split_actor split_at split_reason",
    ),
    // A receipt has a state in the chain, and no event.
    ("renewReceipt", "*", ""),
    ("confirmSatisfaction/yes", "*", "UPDATED satisfied"),
    ("confirmSatisfaction/no", "AN", "UPDATED satisfied; STATE_CHANGED clocks reason state"),
    ("confirmSatisfaction/no", "*", "UPDATED satisfied"),
    ("reopenByReceipt", "*", "STATE_CHANGED clocks reason state"),
    ("addToComplaint", "*", "UPDATED addition_ordinal addition_text"),
    ("withdrawByReceipt", "*", "STATE_CHANGED reason state"),
];

/// The fields of a response in its event, which only it has.
const RESPONSE: &str = "RESPONDED action responded_at response_id response_text response_unit_id visibility";

/// The events that a row must leave in the state of a column.
pub fn expected_events(row: &Row, column: usize) -> String {
    let of_row = || EVENTS.iter().filter(|(name, ..)| *name == row.name);
    let exact = of_row().find(|(_, of, _)| *of == STATES[column].0);
    let (.., events) = exact.or_else(|| of_row().find(|(_, of, _)| *of == "*")).expect("the events of the row");
    events.replace("RESPONDED", RESPONSE)
}

/// Whether the events of a row change the complaint, and not only what is beside it.
pub fn number_of_versions(events: &str) -> usize {
    let of_complaint = |event: &&str| event.starts_with(char::is_uppercase);
    events.split("; ").filter(of_complaint).count()
}

/// Tables that a server writes whatever is asked: what was asked, the seals, and parts of the index of searches.
const LOGS: [&str; 2] = ["audit_log", "seals"];

/// What the register holds.
pub struct Register {
    pub position: i64,
    /// All complaints, with their allegations and rounds.
    pub cases: HashMap<Id, Case>,
    /// How many rows each table has.
    pub rows: BTreeMap<String, i64>,
}

impl Register {
    pub fn read(database: &Database, db: &Db) -> Self {
        let read = |conn: &mut Conn| -> Result<(i64, HashMap<Id, Case>), StoreError> {
            let ids: Vec<Id> = complaints::table.select(complaints::id).load(conn)?;
            Ok((current_position(conn)?, load(conn, &ids)?))
        };
        let (position, cases) = db.read(read).expect("the register");
        let mut rows = database.rows();
        rows.retain(|table, _| !LOGS.contains(&table.as_str()) && !table.starts_with("search_"));
        Self { position, cases, rows }
    }

    /// The complaints that another reading has otherwise, or not at all.
    pub fn differing(&self, other: &Self) -> BTreeSet<Id> {
        let ids = self.cases.keys().chain(other.cases.keys());
        ids.filter(|id| self.cases.get(*id) != other.cases.get(*id)).copied().collect()
    }
}

/// What one transaction recorded.
#[derive(Debug, Default)]
pub struct Recorded {
    pub complaints: BTreeSet<Id>,
    pub events: Vec<String>,
}

/// What each transaction after a position recorded.
pub fn recorded_since(db: &Db, position: i64) -> BTreeMap<i64, Recorded> {
    let read = |conn: &mut Conn| -> Result<(Vec<StoredComplaintEvent>, Vec<StoredReferenceEvent>), StoreError> {
        let of_complaints = complaint_events::table
            .filter(complaint_events::position.gt(position))
            .order((complaint_events::position, complaint_events::ordinal))
            .select(StoredComplaintEvent::as_select())
            .load(conn)?;
        let of_others = reference_events::table
            .filter(reference_events::position.gt(position))
            .order((reference_events::position, reference_events::ordinal))
            .select(StoredReferenceEvent::as_select())
            .load(conn)?;
        Ok((of_complaints, of_others))
    };
    let (of_complaints, of_others) = db.read(read).expect("the events");
    let mut found: BTreeMap<i64, Recorded> = BTreeMap::new();
    for event in of_complaints {
        let one = found.entry(event.position).or_default();
        one.complaints.insert(event.complaint_id);
        one.events.push(told(event.kind.as_str(), event.before.as_ref(), event.after.as_ref()));
    }
    for event in of_others {
        let kind = format!("{} {}", event.entity, event.kind);
        let text = told(&kind, event.before.as_ref(), event.after.as_ref());
        found.entry(event.position).or_default().events.push(text);
    }
    found
}

/// An event as [`EVENTS`] writes it. Of what was created only the kind is told.
fn told(kind: &str, before: Option<&JsonValue>, after: Option<&JsonValue>) -> String {
    const NUMBERS: [&str; 2] = ["version", "state_since"];
    let Some(before) = before else { return kind.to_owned() };
    let field = |side: &JsonValue, name: &str| side.0.get(name).cloned().unwrap_or(Value::Null);
    let after = after.expect("an event that tells what changed");
    let names = after.0.as_object().expect("fields").keys().filter(|name| !NUMBERS.contains(&name.as_str()));
    let mut words: Vec<&str> =
        names.filter(|name| field(before, name) != field(after, name)).map(String::as_str).collect();
    words.sort_unstable();
    words.insert(0, kind);
    words.join(" ")
}
