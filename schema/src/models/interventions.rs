//! Guidance, proposals and measures: what the Board and the units do about complaints.

use crate::enums::{GuidanceState, MeasureBasisKind, MeasureKind, OpinionVerdict, ProposalState, SuspensionGround};
use crate::sql_types::{Id, Timestamp};
use crate::tables;
use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

model!(
    /// A guidance document that a headquarters unit drafts.
    guidance_documents GuidanceDocument {
        id: Id,
        unit_id: Id,
        /// The category of complaints that it is about.
        category_id: Option<Id>,
        title: String,
        text: String,
        /// Counts the texts, from 1.
        revision: i32,
        /// The revision about which the Board last gave its opinion.
        opined_revision: Option<i32>,
        state: GuidanceState,
        state_since: Timestamp,
        requested_at: Timestamp,
        /// The number under which it was issued.
        number: Option<String>,
        issued_on: Option<NaiveDate>,
        /// The reason for an issue against the Board's opinion, or for a withdrawal.
        reason: Option<String>,
        version: i32,
        actor: String,
    }
);

model!(
    /// The Board's opinion on one revision of a document.
    guidance_opinions GuidanceOpinion {
        document_id: Id,
        revision: i32,
        verdict: OpinionVerdict,
        text: String,
        given_at: Timestamp,
        actor: String,
    }
);

model!(
    /// A proposal of the Board to the General Department.
    proposals Proposal {
        id: Id,
        title: String,
        text: String,
        state: ProposalState,
        state_since: Timestamp,
        proposed_at: Timestamp,
        implemented_on: Option<NaiveDate>,
        /// The reason for a rejection or a withdrawal.
        reason: Option<String>,
        version: i32,
        actor: String,
    }
);

model!(proposal_categories ProposalCategory {
    proposal_id: Id,
    category_id: Id,
});

model!(proposal_units ProposalUnit {
    proposal_id: Id,
    unit_id: Id,
});

model!(
    /// A measure decided about an officer.
    measures Measure {
        id: Id,
        officer_id: Id,
        /// The officer's unit on the day of the decision.
        unit_id: Id,
        kind: MeasureKind,
        grounds: String,
        decision_maker: String,
        decision_number: Option<String>,
        decided_on: NaiveDate,
        starts_on: NaiveDate,
        /// The last day, also after an extension or a lift; None while it lasts, and for a measure without an end.
        ends_on: Option<NaiveDate>,
        end_reason: Option<String>,
        /// The flag that led to it.
        flag_id: Option<Id>,
        /// The reason why it is void, having been recorded by mistake.
        void_reason: Option<String>,
        /// The unit whose head recorded it.
        recorded_by_unit_id: Id,
        recorded_at: Timestamp,
        version: i32,
        actor: String,
        /// The grounds of the suspension; None for suspensions recorded before grounds were.
        ground: Option<SuspensionGround>,
        /// The explanation of the officer before the decision.
        explanation: Option<String>,
        explained_on: Option<NaiveDate>,
        explanation_refused_on: Option<NaiveDate>,
        /// The limits by which a suspension was recorded, and its own in working days.
        limits_version: Option<String>,
        limit_days: Option<i32>,
        extension_limit_days: Option<i32>,
        /// The last day before the extension.
        extended_from: Option<NaiveDate>,
        extension_decided_on: Option<NaiveDate>,
        extension_reason: Option<String>,
        /// The last day, if the measure was ended early.
        lifted_on: Option<NaiveDate>,
        /// Its basis; None if it was recorded before a basis was required.
        basis: Option<MeasureBasisKind>,
        /// The reason why it rests on neither a flag nor complaints.
        no_basis_reason: Option<String>,
    }
);

model!(measure_complaints MeasureComplaint {
    measure_id: Id,
    complaint_id: Id,
});
