//! Flags, their assessments and reviews.

use crate::enums::{FlagState, SubjectKind, Tier};
use crate::sql_types::{Id, JsonValue, Timestamp};
use crate::tables;
use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

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
    /// The evidence that is new since the flag was dismissed or upheld; None before that.
    new_evidence: Option<JsonValue>,
});

model!(
    /// A person's decision about a flag, and its grounds.
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
        /// The officer's explanation.
        explanation: Option<String>,
        /// The evidence that the reviewer had.
        evidence: JsonValue,
        actor: String,
        reviewed_at: Timestamp,
    }
);
