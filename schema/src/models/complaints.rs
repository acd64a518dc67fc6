//! Complaints and what belongs to them.

use crate::domain::state::is_open;
use crate::enums::{
    Attribution, Channel, ComplaintState, DatePrecision, Finding, LegalForm, ResponseAction, ResponseVisibility,
};
use crate::sql_types::{Id, JsonValue, Timestamp};
use crate::tables;
use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

model!(complaints Complaint {
    id: Id,
    received_at: Timestamp,
    occurred_at: Option<Timestamp>,
    recorded_at: Timestamp,
    legal_form: LegalForm,
    channel: Channel,
    /// None for an anonymous complaint.
    enterprise_id: Option<Id>,
    unit_id: Option<Id>,
    /// The ancestors of the unit as of the complaint's own day, and the unit itself among them.
    department_id: Option<Id>,
    branch_id: Option<Id>,
    team_id: Option<Id>,
    category_id: Option<Id>,
    declaration_number: Option<String>,
    text: Option<String>,
    cost_vnd: Option<i64>,
    delay_hours: Option<f64>,
    blames_system: bool,
    confidential: bool,
    state: ComplaintState,
    state_since: Timestamp,
    version: i32,
    /// The finding on a complaint that names no officer; None if undecided.
    finding: Option<Finding>,
    decided_on: Option<NaiveDate>,
    source_codes: Option<JsonValue>,
    /// How coarse the date of receipt is: MONTH if the source gives only the month; None if it gives the day.
    received_precision: Option<DatePrecision>,
    /// The unit that has to answer; `unit_id` is the unit complained about. None if the register knows no such unit.
    responsible_unit_id: Option<Id>,
    /// The last day to answer in the present round; None without a deadline. This and the next two follow from the
    /// other columns, the rounds, the responses and the calendar ([`crate::domain::legal_clock`]): events do not hold
    /// them.
    due_on: Option<NaiveDate>,
    /// The day of the answer in the present round.
    answered_on: Option<NaiveDate>,
    /// Since when the clock is stopped; None while it runs, and once the complaint is answered or has ended.
    clock_stopped_since: Option<NaiveDate>,
});

impl Complaint {
    /// A complaint in the state RECEIVED with these values and without any other. Code that stores complaints sets
    /// further columns by struct update, and does not name the columns that it has no values for.
    ///
    /// A column that every complaint must have is a parameter here: then a writer without it does not compile.
    pub fn received(
        id: Id,
        received_at: Timestamp,
        recorded_at: Timestamp,
        legal_form: LegalForm,
        channel: Channel,
    ) -> Self {
        Self {
            id,
            received_at,
            occurred_at: None,
            recorded_at,
            legal_form,
            channel,
            enterprise_id: None,
            unit_id: None,
            department_id: None,
            branch_id: None,
            team_id: None,
            category_id: None,
            declaration_number: None,
            text: None,
            cost_vnd: None,
            delay_hours: None,
            blames_system: false,
            confidential: false,
            state: ComplaintState::Received,
            state_since: received_at,
            version: 1,
            finding: None,
            decided_on: None,
            source_codes: None,
            received_precision: None,
            responsible_unit_id: None,
            due_on: None,
            answered_on: None,
            clock_stopped_since: None,
        }
    }

    /// The unit that has to answer the complaint; None if the register knows no such unit.
    pub fn unit_in_charge(&self) -> Option<Id> {
        self.responsible_unit_id
    }

    /// The days by which the complaint exceeds its deadline on a day; 0 unless it is open and not answered in its
    /// present round. On the last day it is not overdue, and while its clock is stopped the number of days stays.
    pub fn overdue_days(&self, today: NaiveDate) -> i64 {
        let is_waiting = is_open(self.state) && self.answered_on.is_none();
        days_over(self.due_on.filter(|_| is_waiting), self.clock_stopped_since, today)
    }

    /// Whether the complaint was answered by its deadline in each round; None while that is not known, and without a
    /// deadline. `rounds` are all of its rounds.
    pub fn answered_in_time(&self, rounds: &[ComplaintClock], today: NaiveDate) -> Option<bool> {
        let is_late = |row: &ComplaintClock| row.due_on.zip(row.answered_on).is_some_and(|(due, at)| at > due);
        if rounds.iter().any(is_late) || self.overdue_days(today) > 0 {
            return Some(false);
        }
        self.due_on.zip(self.answered_on).map(|(due, at)| at <= due)
    }
}

/// The version of a complaint, and its sort keys.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = tables::complaints)]
pub struct ComplaintStub {
    pub id: Id,
    pub version: i32,
    pub received_at: Timestamp,
    pub recorded_at: Timestamp,
    pub state_since: Timestamp,
    pub cost_vnd: Option<i64>,
    pub delay_hours: Option<f64>,
    pub state: ComplaintState,
    pub due_on: Option<NaiveDate>,
    pub answered_on: Option<NaiveDate>,
    pub clock_stopped_since: Option<NaiveDate>,
}

impl ComplaintStub {
    /// Like [`Complaint::overdue_days`].
    pub fn overdue_days(&self, today: NaiveDate) -> i64 {
        let is_waiting = is_open(self.state) && self.answered_on.is_none();
        days_over(self.due_on.filter(|_| is_waiting), self.clock_stopped_since, today)
    }
}

/// The columns of a complaint in exports: neither its text nor other columns that identify it.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = tables::complaints)]
pub struct ExportedComplaint {
    pub id: Id,
    pub received_at: Timestamp,
    pub occurred_at: Option<Timestamp>,
    pub recorded_at: Timestamp,
    pub legal_form: LegalForm,
    pub channel: Channel,
    pub enterprise_id: Option<Id>,
    pub unit_id: Option<Id>,
    pub department_id: Option<Id>,
    pub branch_id: Option<Id>,
    pub team_id: Option<Id>,
    pub category_id: Option<Id>,
    pub cost_vnd: Option<i64>,
    pub delay_hours: Option<f64>,
    pub blames_system: bool,
    pub confidential: bool,
    pub state: ComplaintState,
    pub state_since: Timestamp,
    pub finding: Option<Finding>,
    pub decided_on: Option<NaiveDate>,
    pub responsible_unit_id: Option<Id>,
    pub due_on: Option<NaiveDate>,
    pub answered_on: Option<NaiveDate>,
    pub clock_stopped_since: Option<NaiveDate>,
}

impl ExportedComplaint {
    /// Like [`Complaint::overdue_days`].
    pub fn overdue_days(&self, today: NaiveDate) -> i64 {
        let is_waiting = is_open(self.state) && self.answered_on.is_none();
        days_over(self.due_on.filter(|_| is_waiting), self.clock_stopped_since, today)
    }
}

/// An officer that a complaint names, with the finding.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = tables::complaint_officers)]
pub struct NamedOfficer {
    pub complaint_id: Id,
    pub officer_id: Id,
    pub finding: Finding,
}

/// The days from a deadline to a day, or to the day on which the clock was stopped.
fn days_over(due_on: Option<NaiveDate>, stopped_since: Option<NaiveDate>, today: NaiveDate) -> i64 {
    let until = stopped_since.map_or(today, |day| day.min(today));
    due_on.map_or(0, |due| (until - due).num_days().max(0))
}

model!(complaint_sources ComplaintSource {
    source: String,
    reference: String,
    complaint_id: Id,
    content_hash: String,
});

model!(
    /// One allegation against one officer.
    complaint_officers ComplaintOfficer {
        complaint_id: Id,
        officer_id: Id,
        ordinal: i32,
        category_id: Option<Id>,
        unit_id: Option<Id>,
        attribution: Attribution,
        finding: Finding,
        decided_on: Option<NaiveDate>,
        source_codes: Option<JsonValue>,
    }
);

model!(
    /// One of several allegations in a complaint that names no officer.
    complaint_matters ComplaintMatter {
        complaint_id: Id,
        ordinal: i32,
        category_id: Option<Id>,
        unit_id: Option<Id>,
        finding: Finding,
        decided_on: Option<NaiveDate>,
        source_codes: Option<JsonValue>,
    }
);

model!(
    /// A round of the legal clock: from receipt or from a reopening on. A complaint whose clock was never changed and
    /// that was never reopened has no row.
    complaint_clocks ComplaintClock {
        complaint_id: Id,
        /// From 1.
        round: i32,
        started_at: Timestamp,
        accepted_on: Option<NaiveDate>,
        remote_area: bool,
        /// How often the deadline was extended, and by how many days altogether.
        extensions: i32,
        extended_days: i32,
        /// Periods in which the clock did not run, a list of [`Stop`](crate::domain::legal_clock::Stop).
        stops: Option<JsonValue>,
        /// The deadline and the answer of a round that has ended; None in the last one.
        due_on: Option<NaiveDate>,
        answered_on: Option<NaiveDate>,
    }
);

model!(unit_responses UnitResponse {
    complaint_id: Id,
    id: Id,
    unit_id: Id,
    responded_at: Timestamp,
    recorded_at: Timestamp,
    action: ResponseAction,
    text: String,
    outcome: Option<String>,
    satisfied: Option<bool>,
    actor: String,
    /// Some(true) for what a unit says that is complained about but need not answer: it does not count as an answer.
    statement: Option<bool>,
    /// None: internal, as all responses that were imported.
    visibility: Option<ResponseVisibility>,
});

model!(redactions Redaction {
    complaint_id: Id,
    /// The text of a confidential complaint that the unit may read.
    text: String,
    redacted_at: Timestamp,
    actor: String,
});

model!(
    /// A complaint not answered in time, escalated one level up (1) or two (2) from the responsible unit. Levels count
    /// on from round to round: 3 and 4 are those of the second.
    escalations Escalation {
        complaint_id: Id,
        level: i32,
        unit_id: Option<Id>,
        due_on: NaiveDate,
        escalated_at: Timestamp,
        run_id: Id,
    }
);
