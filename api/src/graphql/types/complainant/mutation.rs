//! The mutations of the holder of a receipt: satisfaction, reopening, additions and withdrawal.

use super::{ComplaintStatus, read_code, status_of};
use crate::graphql::context::request;
use crate::graphql::error::{bad_input, from_store};
use crate::graphql::execute::blocking;
use crate::graphql::input::{optional, required};
use crate::graphql::types::attachment::AttachmentInput;
use async_graphql::{Context, Object, Result};
use schema::register::{RECEIPT_ACTOR, ReceiptStep, act_by_receipt, check_attachments};

/// The longest text of a complainant, in characters.
const LONGEST: usize = 10_000;

#[derive(Default)]
pub struct ComplainantMutations;

#[Object]
impl ComplainantMutations {
    /// Says whether the last answer satisfies the complainant. A complainant who is not satisfied reopens the
    /// complaint with it, if `reopenByReceipt` would. `comment`, at most 10,000 characters, becomes an addition.
    /// NOT_FOUND and RATE_LIMITED as for `complaintStatus`, CONFLICT without an answer since it was last reopened.
    async fn confirm_satisfaction(
        &self,
        ctx: &Context<'_>,
        receipt: String,
        satisfied: bool,
        comment: Option<String>,
    ) -> Result<ComplaintStatus> {
        let comment = optional("comment", comment.as_deref(), LONGEST)?;
        act(ctx, &receipt, ReceiptStep::Confirm { satisfied, comment }).await
    }

    /// Reopens an answered complaint: once, within a number of days after the answer (`reopenUntil`). `reason` has 1
    /// to 10,000 characters. NOT_FOUND and RATE_LIMITED as for `complaintStatus`, CONFLICT if the complaint is not
    /// ANSWERED, was reopened before, or it is too late.
    async fn reopen_by_receipt(&self, ctx: &Context<'_>, receipt: String, reason: String) -> Result<ComplaintStatus> {
        let reason = required("reason", &reason, LONGEST)?;
        act(ctx, &receipt, ReceiptStep::Reopen { reason }).await
    }

    /// Adds a text of 1 to 10,000 characters, and at most 20 attachments, to an open complaint; at most 50 times.
    /// NOT_FOUND and RATE_LIMITED as for `complaintStatus`, CONFLICT if the complaint has ended.
    async fn add_to_complaint(
        &self,
        ctx: &Context<'_>,
        receipt: String,
        text: String,
        #[graphql(default)] attachments: Vec<AttachmentInput>,
    ) -> Result<ComplaintStatus> {
        let text = required("text", &text, LONGEST)?;
        let attachments = attachments.into_iter().map(Into::into).collect();
        let attachments =
            check_attachments(attachments).map_err(|message| bad_input(format!("attachments: {message}")))?;
        act(ctx, &receipt, ReceiptStep::Add { text, attachments }).await
    }

    /// Withdraws an open complaint. `reason` has at most 10,000 characters. NOT_FOUND and RATE_LIMITED as for
    /// `complaintStatus`, CONFLICT if the complaint has ended.
    async fn withdraw_by_receipt(
        &self,
        ctx: &Context<'_>,
        receipt: String,
        reason: Option<String>,
    ) -> Result<ComplaintStatus> {
        let reason = optional("reason", reason.as_deref(), LONGEST)?;
        act(ctx, &receipt, ReceiptStep::Withdraw { reason }).await
    }
}

async fn act(ctx: &Context<'_>, receipt: &str, step: ReceiptStep) -> Result<ComplaintStatus> {
    let code = read_code(ctx, receipt)?;
    let app = request(ctx)?.app.clone();
    let days = app.receipt_limits.settings.reopen_days;
    let own = code.clone();
    blocking(move || {
        let done = app.db.write(RECEIPT_ACTOR, |tx| act_by_receipt(tx, &own, &step, days));
        done.map_err(from_store)
    })
    .await?;
    status_of(ctx, code).await
}
