//! A complaint with what belongs to it, as it is changed and stored together.

use crate::domain::calendar::local_date;
use crate::domain::tree::UnitTree;
use crate::events::{Fields, fields_of};
use crate::models::{Complaint, ComplaintClock, ComplaintMatter, ComplaintOfficer};
use crate::sql_types::Timestamp;

/// A complaint and its allegations, in the order of (officer, ordinal).
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    pub complaint: Complaint,
    pub officers: Vec<ComplaintOfficer>,
    /// The allegations against no named officer, in order, if there are several; `complaint` holds the first.
    pub matters: Vec<ComplaintMatter>,
    /// The rounds of the legal clock, in order; empty for a complaint in its first round whose clock is unchanged.
    pub clocks: Vec<ComplaintClock>,
}

/// The columns of a complaint that follow from others: events do not hold them.
pub(crate) const DERIVED: [&str; 3] = ["due_on", "answered_on", "clock_stopped_since"];

impl Case {
    /// The fields of the case as its events store them.
    pub fn fields(&self) -> Fields {
        let mut fields = fields_of(&self.complaint);
        // The event has columns for these.
        fields.remove("id");
        fields.remove("recorded_at");
        DERIVED.iter().for_each(|column| {
            fields.remove(*column);
        });
        if !self.clocks.is_empty() {
            fields.insert("clocks".into(), rows_of(&self.clocks));
        }
        if !self.officers.is_empty() {
            fields.insert("officers".into(), rows_of(&self.officers));
        }
        if !self.matters.is_empty() {
            fields.insert("matters".into(), rows_of(&self.matters));
        }
        fields
    }

    /// Sets the unit's ancestors as of the complaint's [`reference_day`].
    pub fn set_ancestors(&mut self, tree: &UnitTree) {
        let complaint = &mut self.complaint;
        let ancestors = complaint
            .unit_id
            .map(|unit| tree.ancestors_on(unit, reference_day(complaint.received_at, complaint.occurred_at)))
            .unwrap_or_default();
        complaint.department_id = ancestors.department;
        complaint.branch_id = ancestors.branch;
        complaint.team_id = ancestors.team;
    }
}

/// The rows of a complaint as its events store them.
fn rows_of(rows: &[impl serde::Serialize]) -> serde_json::Value {
    let without_id = |row| {
        let mut row = fields_of(row);
        row.remove("complaint_id");
        row
    };
    serde_json::json!(rows.iter().map(without_id).collect::<Vec<_>>())
}

/// The day whose unit tree and postings apply to a complaint: the day of occurrence, else of receipt.
pub fn reference_day(received_at: Timestamp, occurred_at: Option<Timestamp>) -> chrono::NaiveDate {
    local_date(occurred_at.unwrap_or(received_at))
}
