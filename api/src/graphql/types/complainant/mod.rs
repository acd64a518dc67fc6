//! Gives the complainant, who has the receipt code of a complaint and needs no token, the status of the complaint.

mod mutation;

pub use mutation::ComplainantMutations;

use crate::graphql::context::request;
use crate::graphql::enums::{ComplaintState, ResponseAction};
use crate::graphql::error::{Code, bad_input, error};
use crate::graphql::scalars::Moment;
use async_graphql::{Context, Object, Result, SimpleObject};
use chrono::NaiveDate;
use schema::domain::ids::human_reference;
use schema::domain::receipt_code::ReceiptCode;
use schema::{models, register};

/// A unit as the complainant sees it.
#[derive(SimpleObject)]
pub struct StatusUnit {
    code: String,
    name_vi: String,
    /// Null without an English name.
    name_en: Option<String>,
}

impl From<&models::Unit> for StatusUnit {
    fn from(row: &models::Unit) -> Self {
        Self { code: row.code.clone(), name_vi: row.name_vi.clone(), name_en: row.name_en.clone() }
    }
}

/// An answer that is meant for the complainant.
#[derive(SimpleObject)]
pub struct ComplaintAnswer {
    /// The unit that answered.
    unit: Option<StatusUnit>,
    responded_at: Moment,
    action: ResponseAction,
    text: String,
    /// The outcome in words; null if none was given.
    outcome: Option<String>,
    /// Whether the complainant is satisfied; null if the complainant has not said.
    satisfied: Option<bool>,
}

/// The part of a complaint that the holder of its receipt may know. It names no officer and holds nothing internal.
#[derive(SimpleObject)]
pub struct ComplaintStatus {
    /// The human-readable reference, such as PA-20101231-7F3KQ2M9ZX.
    reference: String,
    received_at: Moment,
    state: ComplaintState,
    /// The time at which the complaint entered its present state.
    state_since: Moment,
    /// The unit that has to answer; null if it is not known yet.
    unit: Option<StatusUnit>,
    /// The last day to answer; null without a deadline.
    due_on: Option<NaiveDate>,
    /// The answers that are meant for the complainant, the oldest first.
    answers: Vec<ComplaintAnswer>,
    /// Whether the last response satisfied the complainant; null if none exists, or the complainant has not said.
    satisfied: Option<bool>,
    /// The number of texts added to the complaint.
    additions: i64,
    /// The last day on which the receipt reopens the complaint; null if it does not.
    reopen_until: Option<NaiveDate>,
}

impl From<register::ComplaintStatus> for ComplaintStatus {
    fn from(status: register::ComplaintStatus) -> Self {
        let register::ComplaintStatus { complaint, unit, due_on, answers, units, additions, reopen_until } = status;
        let answer = |row: models::UnitResponse| ComplaintAnswer {
            unit: units.get(&row.unit_id).map(StatusUnit::from),
            responded_at: row.responded_at.into(),
            action: row.action.into(),
            text: row.text,
            outcome: row.outcome,
            satisfied: row.satisfied,
        };
        Self {
            reference: human_reference(complaint.id),
            received_at: complaint.received_at.into(),
            state: complaint.state.into(),
            state_since: complaint.state_since.into(),
            unit: unit.as_ref().map(StatusUnit::from),
            due_on,
            satisfied: answers.last().and_then(|last| last.satisfied),
            answers: answers.into_iter().map(answer).collect(),
            additions,
            reopen_until,
        }
    }
}

/// Reads a receipt code and counts the attempt, right or wrong.
fn read_code(ctx: &Context<'_>, receipt: &str) -> Result<ReceiptCode> {
    let code = ReceiptCode::parse(receipt).map_err(|e| bad_input(format!("receipt {e}")))?;
    request(ctx)?.app.receipt_limits.count_attempt(&code).map_err(|wait| {
        let seconds = wait.as_secs() + 1;
        let message = format!("codes that begin like this one were tried too often: try again in {seconds} s");
        error(Code::RateLimited, message)
    })?;
    Ok(code)
}

/// The status of the complaint of a code. The audit log notes the complaint and not the code.
async fn status_of(ctx: &Context<'_>, code: ReceiptCode) -> Result<ComplaintStatus> {
    let request = request(ctx)?;
    let days = request.app.receipt_limits.settings.reopen_days;
    let status = request.read(move |conn| register::status_by_receipt(conn, &code, days)).await?;
    request.note_shown(|seen| &mut seen.complaints, status.complaint.id);
    request.charge_texts(status.answers.iter().map(|answer| Some(&answer.text)))?;
    Ok(status.into())
}

#[derive(Default)]
pub struct ComplainantQueries;

#[Object]
impl ComplainantQueries {
    /// The complaint of a receipt code. The query needs no token, but it needs POST. NOT_FOUND if no
    /// complaint has the code, BAD_USER_INPUT if it is mistyped, RATE_LIMITED after too many attempts.
    async fn complaint_status(&self, ctx: &Context<'_>, receipt: String) -> Result<ComplaintStatus> {
        status_of(ctx, read_code(ctx, &receipt)?).await
    }
}
