use super::evidence::{FlagExplanation, FlagNumbers, FlagReview};
use super::{JobRun, Officer, Unit};
use crate::graphql::connection::connection;
use crate::graphql::context::{loaders, request, snapshot, viewer};
use crate::graphql::enums::{FlagState, Proposed, SubjectKind, Tier};
use crate::graphql::loaders::{AssessmentKey, JobRunKey, OfficerKey, ReviewsKey, SeenKey, UnitKey, known, one};
use crate::graphql::scalars::{Moment, id};
use async_graphql::{Context, ID, Object, Result};
use schema::models;

/// Somebody or something that is complained about again and again. A flag proposes a review; it
/// does not say that anybody did wrong.
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

    /// The same, for what it counts; None for who does not see every complaint.
    async fn counted(&self, ctx: &Context<'_>) -> Result<Option<models::FlagAssessment>> {
        self.looked_at(ctx)?;
        if viewer(ctx)?.sees_every_complaint() { self.assessment(ctx).await } else { Ok(None) }
    }

    /// What is said here of an officer is a page of the officer's file.
    fn looked_at(&self, ctx: &Context<'_>) -> Result<()> {
        if let Some(officer) = self.0.officer_id {
            request(ctx)?.saw(|seen| &mut seen.files, officer);
        }
        Ok(())
    }
}

/// Those of some complaints that the viewer may see: a confidential one is no evidence that a head is shown.
async fn seen(ctx: &Context<'_>, ids: Vec<schema::Id>) -> Result<Vec<ID>> {
    let scope = viewer(ctx)?.scope(&snapshot(ctx)?.reference.tree);
    let mut ids = ids;
    if scope.condition().is_some() {
        // Those of all flags of a page are looked up together.
        let found = loaders(ctx)?.load_many(ids.iter().copied().map(SeenKey)).await.map_err(|e| (*e).clone())?;
        ids.retain(|one| found.contains_key(&SeenKey(*one)));
    }
    request(ctx)?.saw_complaints(ids.iter().copied());
    Ok(ids.into_iter().map(id).collect())
}

#[Object]
impl Flag {
    pub async fn id(&self, ctx: &Context<'_>) -> Result<ID> {
        self.looked_at(ctx)?;
        Ok(id(self.0.id))
    }

    async fn subject_kind(&self) -> SubjectKind {
        self.0.subject_kind.into()
    }

    async fn officer(&self, ctx: &Context<'_>) -> Result<Option<Officer>> {
        let Some(officer) = self.0.officer_id else { return Ok(None) };
        self.looked_at(ctx)?;
        Ok(known(ctx, OfficerKey(officer)).await?.map(Officer))
    }

    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        let Some(unit) = self.0.unit_id else { return Ok(None) };
        Ok(known(ctx, UnitKey(unit)).await?.map(Unit))
    }

    async fn tier(&self, ctx: &Context<'_>) -> Result<Tier> {
        self.looked_at(ctx)?;
        Ok(self.0.tier.into())
    }

    /// What it proposes: the tier by the name that fits its subject. The gravest of a branch is an inspection.
    async fn proposed(&self, ctx: &Context<'_>) -> Result<Proposed> {
        self.looked_at(ctx)?;
        Ok(self.0.tier.proposed(self.0.subject_kind).into())
    }

    async fn state(&self, ctx: &Context<'_>) -> Result<FlagState> {
        self.looked_at(ctx)?;
        Ok(self.0.state.into())
    }

    async fn opened_at(&self, ctx: &Context<'_>) -> Result<Moment> {
        self.looked_at(ctx)?;
        Ok(self.0.opened_at.into())
    }

    async fn changed_at(&self, ctx: &Context<'_>) -> Result<Moment> {
        self.looked_at(ctx)?;
        Ok(self.0.changed_at.into())
    }

    /// Null for who does not see every complaint, a head or an officer: they would tell how many are kept from you, and so would
    /// numbers that are missing only where some are.
    async fn numbers(&self, ctx: &Context<'_>) -> Result<Option<FlagNumbers>> {
        let Some(assessment) = self.counted(ctx).await? else { return Ok(None) };
        FlagNumbers::of(&assessment.numbers.0).map(Some)
    }

    /// In Vietnamese; null where `numbers` is.
    async fn reason_vi(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.counted(ctx).await?.map(|assessment| assessment.reason_vi))
    }

    /// In English; null where `numbers` is.
    async fn reason_en(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.counted(ctx).await?.map(|assessment| assessment.reason_en))
    }

    /// The ids of the complaints behind it, of those that you may see.
    async fn evidence_ids(&self, ctx: &Context<'_>) -> Result<Vec<ID>> {
        let Some(assessment) = self.assessment(ctx).await? else { return Ok(Vec::new()) };
        seen(ctx, serde_json::from_value(assessment.evidence.0)?).await
    }

    /// What of the evidence was not there when the flag was last dismissed or upheld; null where it never
    /// was.
    async fn new_evidence_ids(&self, ctx: &Context<'_>) -> Result<Option<Vec<ID>>> {
        let evidence = self.assessment(ctx).await?.and_then(|assessment| assessment.new_evidence);
        let Some(evidence) = evidence else { return Ok(None) };
        Ok(Some(seen(ctx, serde_json::from_value(evidence.0)?).await?))
    }

    /// The last run that flagged it.
    async fn run_id(&self, ctx: &Context<'_>) -> Result<ID> {
        self.looked_at(ctx)?;
        Ok(id(self.0.run_id))
    }

    /// What the officer said about it, and when the officer was told; oldest first.
    async fn explanations(&self, ctx: &Context<'_>) -> Result<Vec<FlagExplanation>> {
        self.looked_at(ctx)?;
        let rows = one(loaders(ctx)?, ReviewsKey(self.0.id)).await?.unwrap_or_default();
        // What the Board wrote when it decided is the Board's.
        let all = viewer(ctx)?.role == schema::enums::Role::Board;
        let shown = rows.into_iter().filter(|row| all || row.from_state == row.to_state);
        Ok(shown.filter_map(FlagExplanation::of).collect())
    }

    /// What people decided about it, oldest first.
    async fn reviews(&self, ctx: &Context<'_>) -> Result<Vec<FlagReview>> {
        self.looked_at(ctx)?;
        let rows = one(loaders(ctx)?, ReviewsKey(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(FlagReview).collect())
    }

    /// The last run that flagged it, with its rules, code version and hash.
    async fn run(&self, ctx: &Context<'_>) -> Result<Option<JobRun>> {
        self.looked_at(ctx)?;
        Ok(one(loaders(ctx)?, JobRunKey(self.0.run_id)).await?.map(JobRun))
    }
}

connection!(Flag, FlagConnection, FlagEdge);
