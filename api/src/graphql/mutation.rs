//! What can be written.

use super::casework::CaseworkMutation;
use super::context::{blocking, request, viewer};
use super::enums::{Channel, FlagState, LegalForm, ResponseAction};
use super::error::{Code, bad_input, error, from_store};
use super::guidance::GuidanceMutation;
use super::input::{LONG, optional, required};
use super::measures::MeasureMutation;
use super::query::seen_flag;
use super::redacted::RedactedMutation;
use super::scalars::{Decimal, Moment, parse_id};
use super::tokens::TokenMutation;
use super::types::{Complaint, Flag, FlagReview, Receipt, UnitResponse};
use async_graphql::{Context, ID, InputObject, MergedObject, Object, Result, SimpleObject};
use chrono::NaiveDate;
use schema::domain::ids::random_id;
use schema::domain::inert::acts;
use schema::enums::Role;
use schema::register::{NewResponse, Submission, respond, source_of, submit};
use schema::{Id, StoreError, Timestamp};

/// A complaint as it is submitted.
#[derive(Debug, InputObject)]
pub struct SubmitComplaintInput {
    /// Chosen by the sender, one for each complaint: sent again with the same content it changes
    /// nothing, with another it is a conflict.
    pub idempotency_key: String,
    /// Now unless told; from 1970 to tomorrow.
    pub received_at: Option<Moment>,
    pub occurred_at: Option<Moment>,
    #[graphql(default_with = "LegalForm::Feedback")]
    pub legal_form: LegalForm,
    #[graphql(default_with = "Channel::Portal")]
    pub channel: Channel,
    /// 10 digits, 13 for a branch, or the 12-digit number of a household business. None for an
    /// anonymous complaint.
    pub tax_code: Option<String>,
    /// Used where the enterprise is new.
    pub enterprise_name: Option<String>,
    /// The code of the unit complained about.
    pub unit: Option<String>,
    /// The code of the category.
    pub category: Option<String>,
    /// The codes of the officers named, at most 50. One that nobody has described yet is taken as it is, for the Board to
    /// resolve.
    #[graphql(default)]
    pub officers: Vec<String>,
    /// 12 digits.
    pub declaration_number: Option<String>,
    pub text: String,
    pub cost_vnd: Option<Decimal>,
    pub delay_hours: Option<f64>,
    #[graphql(default)]
    pub blames_system: bool,
    #[graphql(default)]
    pub confidential: bool,
}

/// A unit's answer.
#[derive(Debug, InputObject)]
pub struct RespondToComplaintInput {
    pub complaint_id: ID,
    /// The version of the complaint that is answered.
    pub expected_version: i32,
    pub action: ResponseAction,
    pub text: String,
    pub outcome: Option<String>,
}

#[derive(SimpleObject)]
pub struct RespondToComplaintPayload {
    pub complaint: Complaint,
    pub response: UnitResponse,
    /// The register's position of the change, for `minPosition`.
    pub position: Option<i64>,
}

/// A decision about a flag.
#[derive(Debug, InputObject)]
pub struct ReviewFlagInput {
    pub flag_id: ID,
    /// ACKNOWLEDGED, UNDER_REVIEW, UPHELD or DISMISSED; no step is taken back.
    pub state: FlagState,
    /// The grounds: required to uphold or dismiss.
    pub reason: Option<String>,
    /// When the officer was told; required, here or in an earlier review, before a flag is upheld.
    pub notified_on: Option<NaiveDate>,
    /// What the officer said, or that nothing was said; required before a flag is upheld.
    pub explanation: Option<String>,
    /// The run whose numbers you looked at (`flag { run { id } }`). If a later run has assessed the flag since, nothing is
    /// decided, and the answer is a CONFLICT.
    pub seen_run_id: Option<ID>,
}

#[derive(SimpleObject)]
pub struct ReviewFlagPayload {
    pub flag: Flag,
    pub review: FlagReview,
}

/// Everything that can be written.
#[derive(MergedObject, Default)]
pub struct Mutation(
    RegisterMutation,
    CaseworkMutation,
    GuidanceMutation,
    MeasureMutation,
    RedactedMutation,
    TokenMutation,
);

#[derive(Default)]
pub struct RegisterMutation;

#[Object]
impl RegisterMutation {
    /// Submits a complaint once.
    async fn submit_complaint(&self, ctx: &Context<'_>, input: SubmitComplaintInput) -> Result<Receipt> {
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        let key = input.idempotency_key.trim().to_owned();
        if key.is_empty() || key.chars().count() > 200 || key.chars().any(acts) {
            return Err(bad_input("idempotencyKey has 1 to 200 characters, for example a UUID"));
        }
        let submission = Submission {
            received_at: input.received_at.map(|moment| moment.0),
            occurred_at: input.occurred_at.map(|moment| moment.0),
            legal_form: input.legal_form.into(),
            channel: input.channel.into(),
            tax_code: input.tax_code.filter(|code| !code.trim().is_empty()),
            enterprise_name: input.enterprise_name,
            unit: input.unit,
            category: input.category,
            officers: input.officers,
            declaration_number: input.declaration_number.filter(|number| !number.trim().is_empty()),
            text: input.text,
            cost_vnd: input.cost_vnd.map(|cost| cost.0),
            delay_hours: input.delay_hours,
            blames_system: input.blames_system,
            confidential: input.confidential,
        };
        let submitted = blocking(move || {
            let source = source_of(&viewer.name);
            let write = || app.db.write(&viewer.actor(), |tx| submit(tx, &source, &key, &submission));
            let written = match write() {
                // The same submission, twice at once: the other one was first.
                Err(failure) if failure.is_lost_race() => write(),
                written => written,
            };
            written.map_err(from_store)
        })
        .await?;
        let (position, submitted) = (submitted.position, submitted.value);
        let complaint = submitted.complaint;
        Ok(Receipt { created: submitted.created, position, ..Receipt::of(&complaint) })
    }

    /// Decides about a flag. The software proposes; a person decides, and says why.
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
                // Nobody decides about himself: the flag is not there for him.
                if seen_flag(viewer.clone(), reference, flag_id)(tx.conn)?.is_none() {
                    return Err(StoreError::NotFound("there is no such flag".into()));
                }
                jobs::flags::review(tx, flag_id, decision)
            });
            let done = done.map_err(from_store)?;
            let (flag, review) = done.value;
            Ok(ReviewFlagPayload { flag: Flag(flag), review: FlagReview(review) })
        })
        .await
    }

    /// Answers a complaint, by the unit responsible.
    async fn respond_to_complaint(
        &self,
        ctx: &Context<'_>,
        input: RespondToComplaintInput,
    ) -> Result<RespondToComplaintPayload> {
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        let scope = viewer.scope(&app.snapshots.current().reference.tree);
        let complaint_id = parse_id(&input.complaint_id)?;
        let (text, outcome) =
            (required("text", &input.text, LONG)?, optional("outcome", input.outcome.as_deref(), LONG)?);
        let (Role::UnitHead, Some(unit_id)) = (viewer.role, viewer.unit_id) else {
            return Err(error(Code::Forbidden, "only the head of the unit responsible answers a complaint"));
        };
        let noting = request(ctx)?.clone();
        blocking(move || {
            let done = app
                .db
                .write(&viewer.actor(), |tx| {
                    let found = schema::register::complaints::load(tx.conn, &[complaint_id])?;
                    // Another unit's complaint is not there for this one.
                    let seen = |case: &schema::register::complaints::Case| {
                        let officers: Vec<Id> = case.officers.iter().map(|row| row.officer_id).collect();
                        scope.contains(&case.complaint, &officers)
                    };
                    if !found.get(&complaint_id).is_some_and(seen) {
                        return Err(StoreError::NotFound("there is no such complaint".into()));
                    }
                    let response = NewResponse {
                        id: random_id(),
                        unit_id,
                        responded_at: Timestamp::now(),
                        action: input.action.into(),
                        text: text.clone(),
                        outcome: outcome.clone(),
                        satisfied: None,
                    };
                    let stored = response.clone();
                    let case = respond(tx, complaint_id, input.expected_version, response)?;
                    Ok((case, stored, tx.now))
                })
                .map_err(from_store)?;
            let (case, response, recorded_at) = done.value;
            noting.saw_complaints([complaint_id]);
            Ok(RespondToComplaintPayload {
                response: UnitResponse(schema::models::UnitResponse {
                    complaint_id,
                    id: response.id,
                    unit_id,
                    responded_at: response.responded_at,
                    recorded_at,
                    action: response.action,
                    text: response.text,
                    outcome: response.outcome,
                    satisfied: None,
                    actor: viewer.actor(),
                }),
                complaint: Complaint(case.complaint),
                position: done.position,
            })
        })
        .await
    }
}
