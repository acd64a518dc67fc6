//! Proposed corrections of complaints, and merges of officers and enterprises.

use crate::enums::CorrectionState;
use crate::sql_types::{Id, Timestamp};
use crate::tables;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

model!(
    /// A correction that the head of a unit proposes.
    correction_proposals CorrectionProposal {
        id: Id,
        complaint_id: Id,
        /// The version that the head saw. The correction applies to this version only.
        complaint_version: i32,
        /// A `Correction` as JSON.
        correction: String,
        reason: String,
        state: CorrectionState,
        state_since: Timestamp,
        proposed_at: Timestamp,
        /// The unit of the head.
        unit_id: Id,
        actor: String,
        /// The actor that accepted, refused or withdrew it.
        decided_by: Option<String>,
        decision_reason: Option<String>,
        version: i32,
    }
);

model!(
    /// An officer whom a proposed correction names.
    correction_proposal_officers CorrectionProposalOfficer {
        proposal_id: Id,
        officer_id: Id,
    }
);

model!(
    /// An officer or an enterprise that was merged into another one because they are the same.
    merges Merge {
        id: Id,
        from_officer_id: Option<Id>,
        into_officer_id: Option<Id>,
        from_enterprise_id: Option<Id>,
        into_enterprise_id: Option<Id>,
        reason: String,
        /// How many complaints the merge changed.
        complaints: i32,
        merged_at: Timestamp,
        actor: String,
        /// When the merge was undone; None if it was not.
        split_at: Option<Timestamp>,
        split_reason: Option<String>,
        split_actor: Option<String>,
        version: i32,
    }
);
