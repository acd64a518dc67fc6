//! Mutations of corrections and of proposed ones.

use super::CorrectionProposal;
use super::input::CorrectComplaintInput;
use crate::access::{Scope, Viewer};
use crate::graphql::context::{own_unit, request, snapshot, viewer};
use crate::graphql::error::from_store;
use crate::graphql::execute::blocking;
use crate::graphql::input::{LONG, optional, required};
use crate::graphql::scalars::parse_id;
use crate::graphql::types::Complaint;
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use schema::db::WriteTx;
use schema::queries::correction_proposal_meets;
use schema::refusal::CorrectionRefusal;
use schema::register::complaints::{Case, load};
use schema::register::{correct, decide_correction, propose_correction, withdraw_correction};
use schema::{Id, StoreError};

/// The decision about a proposed correction.
#[derive(Debug, InputObject)]
pub struct DecideCorrectionInput {
    pub proposal_id: ID,
    /// The version of the proposal that you read; another version gives CONFLICT.
    pub expected_version: i32,
    /// Whether the complaint is corrected.
    pub accept: bool,
    /// Required to refuse. At most 100,000 characters.
    pub reason: Option<String>,
}

/// A proposed correction to withdraw.
#[derive(Debug, InputObject)]
pub struct WithdrawCorrectionInput {
    pub proposal_id: ID,
    /// The version of the proposal that you read; another version gives CONFLICT.
    pub expected_version: i32,
    /// At most 100,000 characters.
    pub reason: Option<String>,
}

#[derive(SimpleObject)]
pub struct CorrectComplaintPayload {
    pub complaint: Complaint,
    /// The position of the register after the change, for `minPosition`.
    pub position: Option<i64>,
}

#[derive(SimpleObject)]
pub struct CorrectionProposalPayload {
    pub proposal: CorrectionProposal,
    /// The position of the register after the change, for `minPosition`.
    pub position: Option<i64>,
}

#[derive(Default)]
pub struct CorrectionMutations;

#[Object]
impl CorrectionMutations {
    /// Corrects what the register says of a complaint, in any state. The correction is one step of its history, and
    /// later imports do not undo it. NOT_FOUND if you may not see the complaint, BAD_USER_INPUT names the field that
    /// is wrong, CONFLICT if the complaint has changed.
    async fn correct_complaint(
        &self,
        ctx: &Context<'_>,
        input: CorrectComplaintInput,
    ) -> Result<CorrectComplaintPayload> {
        let (id, expected) = (parse_id(&input.complaint_id)?, input.expected_version);
        let reason = required("reason", &input.reason, LONG)?;
        let correction = input.correction()?;
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        let scope = viewer.scope(&snapshot(ctx)?.reference.tree);
        let done = blocking(move || {
            let write = app.db.write(&viewer.actor(), |tx| {
                refuse_hidden(tx, &scope, id)?;
                let case = correct(tx, id, expected, &correction, &reason)?;
                refuse_own_case(&viewer, &case)?;
                Ok(case)
            });
            write.map_err(from_store)
        })
        .await?;
        request(ctx)?.note_complaints([id]);
        Ok(CorrectComplaintPayload { complaint: Complaint(done.value.complaint), position: done.position })
    }

    /// Proposes a correction of a complaint to the Board, as the head of a unit. FORBIDDEN if you head no unit; else
    /// errors as for `correctComplaint`, which checks the same input.
    async fn propose_correction(
        &self,
        ctx: &Context<'_>,
        input: CorrectComplaintInput,
    ) -> Result<CorrectionProposalPayload> {
        let unit = own_unit(ctx)?;
        let (id, expected) = (parse_id(&input.complaint_id)?, input.expected_version);
        let reason = required("reason", &input.reason, LONG)?;
        let correction = input.correction()?;
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        let scope = viewer.scope(&snapshot(ctx)?.reference.tree);
        let done = blocking(move || {
            let write = app.db.write(&viewer.actor(), |tx| {
                refuse_hidden(tx, &scope, id)?;
                propose_correction(tx, unit, id, expected, &correction, &reason)
            });
            write.map_err(from_store)
        })
        .await?;
        request(ctx)?.note_complaints([id]);
        Ok(CorrectionProposalPayload { proposal: done.value.into(), position: done.position })
    }

    /// Decides about a proposed correction. Accepting it corrects the complaint, with the reason of the proposal.
    /// NOT_FOUND if you may not see it, BAD_USER_INPUT if the reason of a refusal is missing or the correction can
    /// no longer be applied, CONFLICT if the proposal is decided or the complaint has changed since.
    async fn decide_correction(
        &self,
        ctx: &Context<'_>,
        input: DecideCorrectionInput,
    ) -> Result<CorrectionProposalPayload> {
        let (id, expected, accept) = (parse_id(&input.proposal_id)?, input.expected_version, input.accept);
        let reason = optional("reason", input.reason.as_deref(), LONG)?;
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        let reference = snapshot(ctx)?.reference.clone();
        let noting = request(ctx)?.clone();
        blocking(move || {
            let write = app.db.write(&viewer.actor(), |tx| {
                if !correction_proposal_meets(tx.conn, id, viewer.correction_proposals(&reference.tree))? {
                    return Err(StoreError::no_such("proposal", &id, "correctionProposals"));
                }
                let (proposal, case) = decide_correction(tx, id, expected, accept, reason.as_deref())?;
                case.iter().try_for_each(|case| refuse_own_case(&viewer, case))?;
                Ok(proposal)
            });
            let done = write.map_err(from_store)?;
            noting.note_complaints([done.value.complaint_id]);
            Ok(CorrectionProposalPayload { proposal: done.value.into(), position: done.position })
        })
        .await
    }

    /// Withdraws a proposed correction of your unit or a unit below it. FORBIDDEN if you head no unit, NOT_FOUND if
    /// another unit proposed it, CONFLICT if it is decided.
    async fn withdraw_correction(
        &self,
        ctx: &Context<'_>,
        input: WithdrawCorrectionInput,
    ) -> Result<CorrectionProposalPayload> {
        own_unit(ctx)?;
        let (id, expected) = (parse_id(&input.proposal_id)?, input.expected_version);
        let reason = optional("reason", input.reason.as_deref(), LONG)?;
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        let reference = snapshot(ctx)?.reference.clone();
        let done = blocking(move || {
            let write = app.db.write(&viewer.actor(), |tx| {
                if !correction_proposal_meets(tx.conn, id, viewer.correction_proposals(&reference.tree))? {
                    return Err(StoreError::no_such("proposal", &id, "correctionProposals"));
                }
                let own =
                    |proposal: &schema::models::CorrectionProposal| viewer.heads(&reference.tree, proposal.unit_id);
                withdraw_correction(tx, id, expected, reason.as_deref(), own)
            });
            write.map_err(from_store)
        })
        .await?;
        request(ctx)?.note_complaints([done.value.complaint_id]);
        Ok(CorrectionProposalPayload { proposal: done.value.into(), position: done.position })
    }
}

fn officers(case: &Case) -> Vec<Id> {
    case.officers.iter().map(|row| row.officer_id).collect()
}

/// Row scope: a complaint that the viewer may not see answers as one that does not exist.
fn refuse_hidden(tx: &mut WriteTx<'_>, scope: &Scope, id: Id) -> Result<(), StoreError> {
    let found = load(tx.conn, &[id])?;
    if found.get(&id).is_some_and(|case| scope.contains(&case.complaint, &officers(case))) {
        return Ok(());
    }
    Err(StoreError::no_such("complaint", &id, "complaints"))
}

/// An officer decides nothing about their own case, also not whether it is one.
fn refuse_own_case(viewer: &Viewer, case: &Case) -> Result<(), StoreError> {
    match viewer.officer_id {
        Some(own) if officers(case).contains(&own) => Err(CorrectionRefusal::OwnCase.into()),
        _ => Ok(()),
    }
}
