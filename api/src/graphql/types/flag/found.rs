//! Lists what one recurrence run found: its subjects and their tiers.

use super::evidence::FlagNumbers;
use crate::graphql::enums::{Proposed, SubjectKind, Tier};
use crate::graphql::scalars::id;
use async_graphql::{ID, Result, SimpleObject};
use chrono::NaiveDate;
use jobs::flags::Stored;

/// The findings of one recurrence run, whatever became of the flags since.
#[derive(SimpleObject)]
pub struct FlagsFound {
    /// The as-of day of the run.
    pub as_of: NaiveDate,
    pub run_id: ID,
    /// In the order of kind and code.
    pub found: Vec<FoundFlag>,
}

/// An officer or a branch that a run found.
#[derive(SimpleObject)]
pub struct FoundFlag {
    subject_kind: SubjectKind,
    /// The code of the officer, or of the branch.
    code: String,
    tier: Tier,
    /// The measure that the tier proposes for this kind of subject.
    proposed: Proposed,
    numbers: FlagNumbers,
    /// The reason in Vietnamese.
    reason_vi: String,
    /// The reason in English.
    reason_en: String,
    /// Ids of the complaints that the run counted.
    evidence_ids: Vec<ID>,
    /// The present flag on the subject; null if only runs for past days found it.
    flag_id: Option<ID>,
}

impl FoundFlag {
    /// Converts a stored assessment.
    ///
    /// # Errors
    /// If its evidence or its numbers cannot be parsed.
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
