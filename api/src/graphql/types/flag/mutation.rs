//! Mutations by which people decide about flags and explain them.

use super::{Flag, FlagReview};
use crate::graphql::context::{request, viewer};
use crate::graphql::enums::FlagState;
use crate::graphql::error::from_store;
use crate::graphql::execute::blocking;
use crate::graphql::input::{LONG, day, optional, required};
use crate::graphql::scalars::parse_id;
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::NaiveDate;
use schema::{StoreError, queries};

/// A decision about a flag.
#[derive(Debug, InputObject)]
pub struct ReviewFlagInput {
    pub flag_id: ID,
    /// ACKNOWLEDGED, UNDER_REVIEW, UPHELD or DISMISSED. A step back gives CONFLICT.
    pub state: FlagState,
    /// The grounds, required to uphold or dismiss.
    pub reason: Option<String>,
    /// The day on which the officer was told, not in the future. Required, here or in an earlier review, to
    /// uphold a flag on an officer.
    pub notified_on: Option<NaiveDate>,
    /// What the officer said, or that the officer said nothing. Required, here or in an earlier review, to
    /// uphold a flag on an officer.
    pub explanation: Option<String>,
    /// The run whose numbers you saw (`flag { run { id } }`). If a later run has assessed the flag, the
    /// mutation gives CONFLICT.
    pub seen_run_id: Option<ID>,
}

#[derive(SimpleObject)]
pub struct ReviewFlagPayload {
    pub flag: Flag,
    pub review: FlagReview,
}

/// The explanation of an officer about a flag.
#[derive(Debug, InputObject)]
pub struct RecordExplanationInput {
    pub flag_id: ID,
    /// The day on which the officer was told of the flag, not in the future.
    pub notified_on: NaiveDate,
    /// What the officer said, or that the officer said nothing. 1 to 100,000 characters.
    pub explanation: String,
    /// The run whose numbers the officer was told (`flag { runId }`). If a later run has assessed the flag, the
    /// mutation gives CONFLICT.
    pub seen_run_id: Option<ID>,
}

#[derive(SimpleObject)]
pub struct RecordExplanationPayload {
    pub flag: Flag,
}

#[derive(Default)]
pub struct FlagMutations;

#[Object]
impl FlagMutations {
    /// Records the decision of a person about a flag, with the grounds. NOT_FOUND if you may not see it,
    /// BAD_USER_INPUT if something required is missing, CONFLICT if the state does not allow the step.
    async fn review_flag(&self, ctx: &Context<'_>, input: ReviewFlagInput) -> Result<ReviewFlagPayload> {
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        let flag_id = parse_id(&input.flag_id)?;
        let decision = jobs::flags::Decision {
            state: input.state.into(),
            reason: optional("reason", input.reason.as_deref(), LONG)?,
            notified_on: input.notified_on,
            explanation: optional("explanation", input.explanation.as_deref(), LONG)?,
            seen_run: input.seen_run_id.as_ref().map(parse_id).transpose()?,
        };
        blocking(move || {
            let reference = app.snapshots.current().reference.clone();
            let done = app.db.write(&viewer.actor(), |tx| {
                // A flag on the viewer answers as one that does not exist: no officer decides on their own
                // case.
                if queries::flag_by_id(tx.conn, flag_id, viewer.flags(&reference.tree))?.is_none() {
                    return Err(StoreError::no_such("flag", &flag_id, "flags"));
                }
                jobs::flags::review(tx, flag_id, decision)
            });
            let done = done.map_err(from_store)?;
            let (flag, review) = done.value;
            Ok(ReviewFlagPayload { flag: Flag(flag), review: FlagReview(review) })
        })
        .await
    }

    /// Records when an officer was told of a flag and what the officer said; without both the Board cannot
    /// uphold the flag. NOT_FOUND if you may not see the flag, BAD_USER_INPUT if it is on a branch or the day
    /// is wrong, CONFLICT if it is decided.
    async fn record_explanation(
        &self,
        ctx: &Context<'_>,
        input: RecordExplanationInput,
    ) -> Result<RecordExplanationPayload> {
        let id = parse_id(&input.flag_id)?;
        let explanation = required("explanation", &input.explanation, LONG)?;
        let notified_on = day("notifiedOn", input.notified_on)?;
        let seen_run = input.seen_run_id.as_ref().map(parse_id).transpose()?;
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        let done = blocking(move || {
            let reference = app.snapshots.current().reference.clone();
            let write = app.db.write(&viewer.actor(), |tx| {
                if queries::flag_by_id(tx.conn, id, viewer.flags(&reference.tree))?.is_none() {
                    return Err(StoreError::no_such("flag", &id, "flags"));
                }
                jobs::flags::explain(tx, id, notified_on, explanation, seen_run)
            });
            write.map_err(from_store)
        })
        .await?;
        Ok(RecordExplanationPayload { flag: done.value.into() })
    }
}
