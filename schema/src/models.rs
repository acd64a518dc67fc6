//! One struct for each table: what diesel reads and writes.

use crate::enums::{
    Attribution, CategoryKind, Channel, ComplaintState, DatePrecision, DeliveryChannel, DeliveryState, Finding,
    FlagState, LegalForm, Locale, PeerGroup, ResponseAction, Role, RunOrigin, RunState, SubjectKind, Tier, UnitKind,
};
use crate::sql_types::{Id, JsonValue, Timestamp};
use crate::tables;
use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

/// `valid_from` of what has been so for ever.
pub const SINCE_EVER: NaiveDate = match NaiveDate::from_ymd_opt(1, 1, 1) {
    Some(date) => date,
    None => NaiveDate::MIN,
};

macro_rules! model {
    ($(#[$meta:meta])* $table:ident $name:ident { $($(#[$fmeta:meta])* $field:ident : $type:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset, Serialize, Deserialize)]
        #[diesel(table_name = tables::$table, treat_none_as_default_value = false, treat_none_as_null = true)]
        pub struct $name { $($(#[$fmeta])* pub $field: $type),+ }
    };
}

mod audit;
mod interventions;

pub use audit::{AuditEntry, Seal, StateEvent};
pub use interventions::{GuidanceDocument, GuidanceOpinion, Measure, Proposal, ProposalCategory, ProposalUnit};

model!(units Unit {
    id: Id,
    code: String,
    name_vi: String,
    name_en: Option<String>,
    kind: UnitKind,
    peer_group: Option<PeerGroup>,
    /// The field of a headquarters unit, for routing.
    field: Option<String>,
    valid_from: NaiveDate,
    /// The last day, inclusive; None for "until now".
    valid_to: Option<NaiveDate>,
    /// Made by an import that met its code before anybody described it.
    unknown: bool,
});

model!(unit_parents UnitParent {
    unit_id: Id,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
    parent_id: Id,
});

model!(officers Officer {
    id: Id,
    code: String,
    name: Option<String>,
    rank: Option<String>,
    appointed_on: Option<NaiveDate>,
    unknown: bool,
});

model!(postings Posting {
    officer_id: Id,
    unit_id: Id,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
});

model!(enterprises Enterprise {
    id: Id,
    tax_code: String,
    name: Option<String>,
    group_code: Option<String>,
});

model!(issue_categories IssueCategory {
    id: Id,
    code: String,
    parent_id: Option<Id>,
    name_vi: String,
    name_en: Option<String>,
    kind: CategoryKind,
    serious: bool,
    deadline_days: Option<i32>,
    owner_unit_id: Option<Id>,
    unknown: bool,
});

model!(
    /// Declarations handled in a month by a unit, or by one officer of it.
    workload Workload {
        id: Id,
        unit_id: Id,
        officer_id: Option<Id>,
        month: NaiveDate,
        declarations: i64,
    }
);

model!(system_incidents SystemIncident {
    id: Id,
    reference: String,
    /// None for the whole country.
    unit_id: Option<Id>,
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
    description: Option<String>,
});

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
    /// What was found about a complaint that names no officer; None for not yet.
    finding: Option<Finding>,
    decided_on: Option<NaiveDate>,
    source_codes: Option<JsonValue>,
    /// None where the day is known, or more.
    received_precision: Option<DatePrecision>,
});

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
    /// One of several allegations of a complaint against nobody named.
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
});

model!(redactions Redaction {
    complaint_id: Id,
    /// What of a confidential complaint the unit may read.
    text: String,
    redacted_at: Timestamp,
    actor: String,
});

model!(job_runs JobRun {
    id: Id,
    job: String,
    scheduled_at: Timestamp,
    started_at: Timestamp,
    finished_at: Option<Timestamp>,
    state: RunState,
    as_of: Option<NaiveDate>,
    known_at: Option<i64>,
    rules: Option<JsonValue>,
    rules_version: Option<String>,
    code_version: String,
    inputs: Option<JsonValue>,
    input_hash: Option<String>,
    output_hash: Option<String>,
    result_hash: Option<String>,
    summary: Option<JsonValue>,
    error: Option<String>,
    origin: RunOrigin,
    /// Which attempt this is, from 1.
    attempt: i32,
    /// When a failed run is tried again.
    retry_at: Option<Timestamp>,
    /// Who runs it, or ran it last.
    node: Option<String>,
});

model!(
    /// What the ledger knows of a job: whether it is paused, and who runs it until when.
    jobs Job {
        job: String,
        since: Timestamp,
        paused_at: Option<Timestamp>,
        paused_by: Option<String>,
        run_id: Option<Id>,
        node: Option<String>,
        lease_until: Option<Timestamp>,
    }
);

model!(
    /// What a run computed, for digests and dashboards to read.
    job_results JobResult {
        run_id: Id,
        name: String,
        as_of: NaiveDate,
        document: JsonValue,
    }
);

model!(
    /// A complaint that was not answered in time, brought before the level above (1) and the one above that (2).
    escalations Escalation {
        complaint_id: Id,
        level: i32,
        unit_id: Option<Id>,
        due_on: NaiveDate,
        escalated_at: Timestamp,
        run_id: Id,
    }
);

model!(
    digests Digest {
        id: Id,
        run_id: Id,
        previous_id: Option<Id>,
        as_of: NaiveDate,
        locale: Locale,
        subject: String,
        html: String,
        text: String,
        document: JsonValue,
        position: i64,
        created_at: Timestamp,
    }
);

model!(
    digest_subscriptions DigestSubscription {
        id: Id,
        channel: DeliveryChannel,
        address: String,
        locale: Locale,
        created_at: Timestamp,
        ended_at: Option<Timestamp>,
    }
);

model!(
    /// A digest on its way to one recipient.
    deliveries Delivery {
        digest_id: Id,
        subscription_id: Id,
        state: DeliveryState,
        attempts: i32,
        next_attempt_at: Timestamp,
        message_id: String,
        sent_at: Option<Timestamp>,
        error: Option<String>,
    }
);

model!(flags Flag {
    id: Id,
    subject_kind: SubjectKind,
    officer_id: Option<Id>,
    unit_id: Option<Id>,
    tier: Tier,
    state: FlagState,
    run_id: Id,
    opened_at: Timestamp,
    changed_at: Timestamp,
});

model!(flag_assessments FlagAssessment {
    flag_id: Id,
    run_id: Id,
    tier: Tier,
    numbers: JsonValue,
    reason_vi: String,
    reason_en: String,
    evidence: JsonValue,
    /// What of the evidence was not there when the flag was dismissed or upheld; None before that.
    new_evidence: Option<JsonValue>,
});

model!(
    /// What a person decided about a flag, and on which grounds.
    flag_reviews FlagReview {
        id: Id,
        flag_id: Id,
        /// The run whose assessment was reviewed.
        run_id: Id,
        from_state: FlagState,
        to_state: FlagState,
        reason: Option<String>,
        /// When the officer was told of the flag.
        notified_on: Option<NaiveDate>,
        /// What the officer said.
        explanation: Option<String>,
        /// The evidence that lay before the reviewer.
        evidence: JsonValue,
        actor: String,
        reviewed_at: Timestamp,
    }
);

model!(
    /// What is to be known of the register as a whole.
    register_info RegisterInfo { key: String, value: JsonValue }
);

model!(principals Principal {
    id: Id,
    name: String,
    role: Role,
    unit_id: Option<Id>,
    created_at: Timestamp,
    disabled_at: Option<Timestamp>,
    /// The officer that it is: complaints that name this one are kept from it.
    officer_id: Option<Id>,
    /// Whether what it is shown leaves the house: groups have to be larger for it.
    outside: bool,
});

model!(api_tokens ApiToken {
    id: Id,
    principal_id: Id,
    hash: Vec<u8>,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
});

model!(trusted_operations TrustedOperation {
    principal_id: Id,
    signature: String,
    name: Option<String>,
    document: String,
    added_at: Timestamp,
});
