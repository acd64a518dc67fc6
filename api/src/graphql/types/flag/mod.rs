//! Flags: the type, its evidence, lists, filter, order and mutations.

mod evidence;
mod filter;
mod found;
mod list;
mod mutation;
mod order;
mod reproduction;
mod without;

pub use evidence::{ExposureBasis, FlagReview};
pub use filter::FlagFilter;
pub use found::{FlagsFound, FoundFlag};
pub use list::FlagQueries;
pub use mutation::FlagMutations;
pub use order::FlagOrder;
pub use reproduction::RunReproduction;
pub use without::FlagWithoutEnterprise;

use crate::graphql::connection::connection;
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::enums::{FlagState, Proposed, SubjectKind, Tier};
use crate::graphql::loaders::AssessmentKey;
use crate::graphql::loaders::{
    JobRunKey, OfficerKey, ReviewsKey, TiersKey, UnitKey, VisibleComplaintKey, loaders, one, reference_row,
};
use crate::graphql::scalars::Moment;
use crate::graphql::scalars::id;
use crate::graphql::types::{JobRun, Officer, Unit};
use async_graphql::{Context, ID, Object, Result};
use evidence::{FlagExplanation, FlagNumbers, FlagTier};
use schema::models;

connection!(Flag by FlagSort, FlagConnection, FlagEdge);

pub struct Flag(pub models::Flag);

impl From<models::Flag> for Flag {
    fn from(row: models::Flag) -> Self {
        Self(row)
    }
}

impl Flag {
    async fn assessment(&self, ctx: &Context<'_>) -> Result<Option<models::FlagAssessment>> {
        self.looked_at(ctx)?;
        one(loaders(ctx)?, AssessmentKey(self.0.id)).await
    }

    /// The assessment, for the numbers in it; None for a viewer who does not see every complaint.
    async fn counted(&self, ctx: &Context<'_>) -> Result<Option<models::FlagAssessment>> {
        self.looked_at(ctx)?;
        if viewer(ctx)?.sees_every_complaint() { self.assessment(ctx).await } else { Ok(None) }
    }

    /// Notes for the audit log that the viewer saw the file of the officer: a flag is a part of it.
    fn looked_at(&self, ctx: &Context<'_>) -> Result<()> {
        if let Some(officer) = self.0.officer_id {
            request(ctx)?.note_shown(|seen| &mut seen.files, officer);
        }
        Ok(())
    }
}

/// A flag on an officer or a branch with recurrent complaints. It proposes a review; it does not say that
/// anyone did wrong.
#[Object]
impl Flag {
    pub async fn id(&self, ctx: &Context<'_>) -> Result<ID> {
        self.looked_at(ctx)?;
        Ok(id(self.0.id))
    }

    async fn subject_kind(&self) -> SubjectKind {
        self.0.subject_kind.into()
    }

    /// The flagged officer; null for a branch.
    async fn officer(&self, ctx: &Context<'_>) -> Result<Option<Officer>> {
        let Some(officer) = self.0.officer_id else { return Ok(None) };
        self.looked_at(ctx)?;
        Ok(reference_row(ctx, OfficerKey(officer)).await?.map(Officer))
    }

    /// The flagged branch; null for an officer.
    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        let Some(unit) = self.0.unit_id else { return Ok(None) };
        Ok(reference_row(ctx, UnitKey(unit)).await?.map(Unit))
    }

    async fn tier(&self, ctx: &Context<'_>) -> Result<Tier> {
        self.looked_at(ctx)?;
        Ok(self.0.tier.into())
    }

    /// The measure that the tier proposes for this kind of subject. The gravest for a branch is INSPECTION.
    async fn proposed(&self, ctx: &Context<'_>) -> Result<Proposed> {
        self.looked_at(ctx)?;
        Ok(self.0.tier.proposed(self.0.subject_kind).into())
    }

    async fn state(&self, ctx: &Context<'_>) -> Result<FlagState> {
        self.looked_at(ctx)?;
        Ok(self.0.state.into())
    }

    /// The time at which the flag was opened, or opened again.
    async fn opened_at(&self, ctx: &Context<'_>) -> Result<Moment> {
        self.looked_at(ctx)?;
        Ok(self.0.opened_at.into())
    }

    /// The time of the last change of the flag.
    async fn changed_at(&self, ctx: &Context<'_>) -> Result<Moment> {
        self.looked_at(ctx)?;
        Ok(self.0.changed_at.into())
    }

    /// The numbers of the latest run. Null if you do not see every complaint, as a unit head or an officer:
    /// they would reveal how many complaints are hidden from you, and so would numbers that are missing only
    /// where some are hidden.
    async fn numbers(&self, ctx: &Context<'_>) -> Result<Option<FlagNumbers>> {
        let Some(assessment) = self.counted(ctx).await? else { return Ok(None) };
        FlagNumbers::of(&assessment.numbers.0).map(Some)
    }

    /// The reason in Vietnamese; null as for `numbers`.
    async fn reason_vi(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.counted(ctx).await?.map(|assessment| assessment.reason_vi))
    }

    /// The reason in English; null as for `numbers`.
    async fn reason_en(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.counted(ctx).await?.map(|assessment| assessment.reason_en))
    }

    /// Ids of the complaints that the latest run counted, among those that you may see.
    async fn evidence_ids(&self, ctx: &Context<'_>) -> Result<Vec<ID>> {
        let Some(assessment) = self.assessment(ctx).await? else { return Ok(Vec::new()) };
        visible_ids(ctx, serde_json::from_value(assessment.evidence.0)?).await
    }

    /// Ids of the evidence that is new since the flag was last dismissed or upheld; null if it never was.
    async fn new_evidence_ids(&self, ctx: &Context<'_>) -> Result<Option<Vec<ID>>> {
        let evidence = self.assessment(ctx).await?.and_then(|assessment| assessment.new_evidence);
        let Some(evidence) = evidence else { return Ok(None) };
        Ok(Some(visible_ids(ctx, serde_json::from_value(evidence.0)?).await?))
    }

    /// The id of the latest run that found this flag.
    async fn run_id(&self, ctx: &Context<'_>) -> Result<ID> {
        self.looked_at(ctx)?;
        Ok(id(self.0.run_id))
    }

    /// The explanations of the officer, with the times of the notices, the oldest first.
    async fn explanations(&self, ctx: &Context<'_>) -> Result<Vec<FlagExplanation>> {
        self.looked_at(ctx)?;
        let rows = one(loaders(ctx)?, ReviewsKey(self.0.id)).await?.unwrap_or_default();
        // A unit head does not read what the Board recorded with a decision.
        let all = viewer(ctx)?.role == schema::enums::Role::Board;
        let shown = rows.into_iter().filter(|row| all || row.from_state == row.to_state);
        Ok(shown.filter_map(FlagExplanation::of).collect())
    }

    /// Decisions and explanations, the oldest first.
    async fn reviews(&self, ctx: &Context<'_>) -> Result<Vec<FlagReview>> {
        self.looked_at(ctx)?;
        let rows = one(loaders(ctx)?, ReviewsKey(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(FlagReview).collect())
    }

    /// The tiers that runs found, each from the first as-of day with it, the oldest first.
    async fn tiers(&self, ctx: &Context<'_>) -> Result<Vec<FlagTier>> {
        self.looked_at(ctx)?;
        let found = one(loaders(ctx)?, TiersKey(self.0.id)).await?.unwrap_or_default();
        Ok(found.into_iter().map(|(since, tier)| FlagTier { since, tier: tier.into() }).collect())
    }

    /// The latest run that found this flag, with its rules, code version and hash.
    async fn run(&self, ctx: &Context<'_>) -> Result<Option<JobRun>> {
        self.looked_at(ctx)?;
        Ok(one(loaders(ctx)?, JobRunKey(self.0.run_id)).await?.map(JobRun))
    }
}

/// The complaints of `ids` that the viewer may see: a confidential one is hidden from a unit head. Notes them for the
/// audit log.
///
/// # Errors
/// If the database cannot be read.
pub async fn visible_ids(ctx: &Context<'_>, ids: Vec<schema::Id>) -> Result<Vec<ID>> {
    let scope = viewer(ctx)?.scope(&snapshot(ctx)?.reference.tree);
    let mut ids = ids;
    if scope.condition().is_some() {
        // The loader looks up the ids of all flags of a page together.
        let found =
            loaders(ctx)?.load_many(ids.iter().copied().map(VisibleComplaintKey)).await.map_err(|e| (*e).clone())?;
        ids.retain(|one| found.contains_key(&VisibleComplaintKey(*one)));
    }
    request(ctx)?.note_complaints(ids.iter().copied());
    Ok(ids.into_iter().map(id).collect())
}
