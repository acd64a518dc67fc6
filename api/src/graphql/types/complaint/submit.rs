//! The mutation `submitComplaint`.

use crate::graphql::context::{request, viewer};
use crate::graphql::enums::{Channel, LegalForm};
use crate::graphql::error::{bad_input, from_store};
use crate::graphql::execute::blocking;
use crate::graphql::scalars::{Decimal, Moment};
use crate::graphql::types::Receipt;
use crate::graphql::types::attachment::AttachmentInput;
use crate::graphql::types::duplicate::hints;
use async_graphql::{Context, InputObject, Object, Result};
use schema::domain::inert::is_control_or_hidden;
use schema::enums::Role;
use schema::register::{Submission, source_of, submit};

/// A complaint to submit.
#[derive(Debug, InputObject)]
pub struct SubmitComplaintInput {
    /// The idempotency key, 1 to 200 characters, one for each complaint. The same key with the same content
    /// changes nothing; with other content it gives CONFLICT.
    pub idempotency_key: String,
    /// From 1970 to tomorrow. Default: now.
    pub received_at: Option<Moment>,
    /// From 1970, not after `receivedAt`.
    pub occurred_at: Option<Moment>,
    #[graphql(default_with = "LegalForm::Feedback")]
    pub legal_form: LegalForm,
    /// How it came in. The BOARD and a UNIT_HEAD, who take complaints of callers, must name a channel other than
    /// PORTAL.
    #[graphql(default_with = "Channel::Portal")]
    pub channel: Channel,
    /// The tax code: 10 digits, 13 for a branch, or the 12-digit number of a household business. Leave it out
    /// for an anonymous complaint.
    pub tax_code: Option<String>,
    /// Used only if the register does not know the enterprise.
    pub enterprise_name: Option<String>,
    /// The code of the unit complained about. It must be known.
    pub unit: Option<String>,
    /// The code of the category. It must be known.
    pub category: Option<String>,
    /// The codes of the officers named, at most 50. An unknown code is stored as given, for the Board to
    /// resolve.
    #[graphql(default)]
    pub officers: Vec<String>,
    /// The number of the customs declaration, 12 digits.
    pub declaration_number: Option<String>,
    /// 1 to 100,000 characters.
    pub text: String,
    /// The cost to the enterprise in whole VND, not negative.
    pub cost_vnd: Option<Decimal>,
    /// The delay in hours, not negative.
    pub delay_hours: Option<f64>,
    /// Whether the officer blamed the IT system.
    #[graphql(default)]
    pub blames_system: bool,
    /// Whether the enterprise complains in confidence.
    #[graphql(default)]
    pub confidential: bool,
    /// Files that are stored elsewhere, at most 20.
    #[graphql(default)]
    pub attachments: Vec<AttachmentInput>,
}

#[derive(Default)]
pub struct SubmitMutations;

#[Object]
impl SubmitMutations {
    /// Submits a complaint about any unit, once for each idempotency key. A program submits, or the BOARD or a
    /// UNIT_HEAD that takes the complaint of a caller. BAD_USER_INPUT names the field that is wrong.
    async fn submit_complaint(&self, ctx: &Context<'_>, input: SubmitComplaintInput) -> Result<Receipt> {
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        if viewer.role != Role::Intake && input.channel == Channel::Portal {
            return Err(bad_input("channel: say how the complaint reached you, such as HOTLINE or IN_PERSON"));
        }
        let scope = viewer.scope(&app.snapshots.current().reference.tree);
        let key = input.idempotency_key.trim().to_owned();
        if key.is_empty() || key.chars().count() > 200 || key.chars().any(is_control_or_hidden) {
            return Err(bad_input("idempotencyKey must have 1 to 200 visible characters: use a UUID, for example"));
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
            attachments: input.attachments.into_iter().map(Into::into).collect(),
        };
        let (submitted, hints) = blocking(move || {
            let source = source_of(&viewer.name);
            let write = || app.db.write(&viewer.actor(), |tx| submit(tx, &source, &key, &submission));
            let written = match write() {
                // The same submission ran concurrently and won; the second try finds it.
                Err(failure) if failure.is_lost_race() => write(),
                written => written,
            };
            let written = written.map_err(from_store)?;
            let (id, days) = (written.value.complaint.id, app.receipt_limits.settings.duplicate_days);
            let found = match written.value.created {
                true => app.db.read(|conn| hints(conn, &viewer, &scope, id, days)),
                false => Ok(Vec::new()),
            };
            // The complaint is stored: it must not look as if it were not.
            let hints = found.unwrap_or_else(|error| {
                tracing::warn!(%error, "a submitted complaint could not be compared with others");
                Vec::new()
            });
            Ok::<_, async_graphql::Error>((written, hints))
        })
        .await?;
        let (position, submitted) = (submitted.position, submitted.value);
        Ok(Receipt {
            created: submitted.created,
            position,
            receipt_code: submitted.receipt.map(|code| code.shown()),
            possible_duplicates: hints,
            ..Receipt::of(&submitted.complaint)
        })
    }
}
