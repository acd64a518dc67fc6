use super::evidence::FlagNumbers;
use crate::graphql::enums::{Proposed, SubjectKind, Tier};
use crate::graphql::scalars::id;
use async_graphql::{ID, Result, SimpleObject};
use chrono::NaiveDate;
use jobs::flags::Stored;

/// What one run found, whatever stands today.
#[derive(SimpleObject)]
pub struct FlagsFound {
    pub as_of: NaiveDate,
    pub run_id: ID,
    /// In the order of subjects.
    pub found: Vec<FoundFlag>,
}

/// Somebody whom a run found.
#[derive(SimpleObject)]
pub struct FoundFlag {
    subject_kind: SubjectKind,
    /// The code of the officer, or of the branch.
    code: String,
    tier: Tier,
    /// What was proposed: the tier by the name that fits its subject.
    proposed: Proposed,
    numbers: FlagNumbers,
    reason_vi: String,
    reason_en: String,
    evidence_ids: Vec<ID>,
    /// The flag as it stands today; null for whom only runs of the past found.
    flag_id: Option<ID>,
}

impl FoundFlag {
    pub fn of(stored: Stored) -> Result<Self> {
        let evidence: Vec<schema::Id> = serde_json::from_value(stored.assessment.evidence.0)?;
        Ok(Self {
            subject_kind: stored.kind.into(),
            code: stored.code,
            tier: stored.assessment.tier.into(),
            proposed: stored.assessment.tier.proposed(stored.kind).into(),
            numbers: FlagNumbers::of(&stored.assessment.numbers.0)?,
            reason_vi: stored.assessment.reason_vi,
            reason_en: stored.assessment.reason_en,
            evidence_ids: evidence.into_iter().map(id).collect(),
            flag_id: stored.flag.map(|flag| id(flag.id)),
        })
    }
}
