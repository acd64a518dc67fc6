//! Subscriptions to digests, previews and trials.

use super::digest::note_looks;
use super::digest_suspension::DigestSuspension;
use super::reader_digest::{ReaderDelivery, ReaderDigest};
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::enums::{DeliveryChannel, DigestCondition, DigestSection, Locale};
use crate::graphql::error::{Code, error, from_job, from_store, refuse};
use crate::graphql::execute::blocking;
use crate::graphql::input::{SHORT, day, required};
use crate::graphql::loaders::{UnitKey, reference_row};
use crate::graphql::scalars::{Moment, id, parse_id};
use crate::graphql::types::Unit;
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::NaiveDate;
use jobs::digest::reader::{self, AccountRule, Composed, Made, Wish, compose, send_on_trial};
use jobs::digest::{html_with_pictures, parts};
use jobs::runner::cron::Schedule;
use schema::domain::calendar::local_date;
use schema::enums::Role;
use schema::refusal::{CodeRefusal, SubscriptionRefusal};
use schema::{Conn, Id, Timestamp, models, queries};

/// Digests that are listed of a subscription.
const SENT: i64 = 50;

pub struct DigestSubscription(pub models::DigestSubscription);

/// A subscription to digests: its contents and its address.
#[Object]
impl DigestSubscription {
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    async fn channel(&self) -> DeliveryChannel {
        self.0.channel.into()
    }

    /// The mail address or the folder.
    async fn address(&self) -> &str {
        &self.0.address
    }

    async fn locale(&self) -> Locale {
        self.0.locale.into()
    }

    /// The name of the principal that reads the digests. They have what it may see when they are sent.
    async fn reader(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let Some(principal) = self.0.principal_id else { return Ok(None) };
        let found = request(ctx)?.read(move |conn| queries::principal_by_id(conn, principal)).await?;
        Ok(found.map(|principal| principal.name))
    }

    /// The unit that the digests are about; null for all units.
    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        let Some(unit) = self.0.unit_id else { return Ok(None) };
        Ok(reference_row(ctx, UnitKey(unit)).await?.map(Unit))
    }

    /// The sections that the digests have; empty means all.
    async fn sections(&self) -> Vec<DigestSection> {
        reader::sections_of(&self.0).into_iter().map(Into::into).collect()
    }

    /// The cron expression of the times at which digests are made.
    async fn schedule(&self) -> Option<&str> {
        self.0.schedule.as_deref()
    }

    /// The time zone of the schedule.
    async fn timezone(&self) -> Option<&str> {
        self.0.timezone.as_deref()
    }

    /// The condition under which a digest is sent at such a time.
    async fn condition(&self) -> Option<DigestCondition> {
        self.0.condition.map(Into::into)
    }

    /// With the condition OVERDUE: a digest has more overdue complaints than this.
    async fn min_overdue(&self) -> Option<i32> {
        self.0.min_overdue
    }

    /// The last day without digests; null if none exists.
    async fn quiet_until(&self) -> Option<NaiveDate> {
        self.0.quiet_until
    }

    /// The next scheduled time.
    async fn next(&self) -> Option<Moment> {
        let (schedule, zone) = (self.0.schedule.as_deref()?, self.0.timezone.as_deref()?);
        Schedule::parse(schedule, zone).ok()?.next_after(Timestamp::now()).map(Into::into)
    }

    /// Until when the reader is sent digests if it does not sign in again; null for a holder of tokens.
    async fn sign_in_by(&self, ctx: &Context<'_>) -> Result<Option<Moment>> {
        let Some(principal) = self.0.principal_id else { return Ok(None) };
        let rule = AccountRule::of(request(ctx)?.app.on_demand.settings());
        let found = request(ctx)?.read(move |conn| queries::principal_by_id(conn, principal)).await?;
        Ok(found.and_then(|principal| rule.until(&principal)).map(Into::into))
    }

    /// Why nothing is sent to the reader at present; null if digests are sent.
    async fn suspension(&self, ctx: &Context<'_>) -> Result<Option<DigestSuspension>> {
        let (subscription, reference) = (self.0.clone(), snapshot(ctx)?.reference.clone());
        let rule = AccountRule::of(request(ctx)?.app.on_demand.settings());
        let read = move |conn: &mut Conn| reader::current_reader(conn, &reference.tree, &rule, &subscription);
        Ok(request(ctx)?.read(read).await?.err().map(Into::into))
    }

    /// The latest 50 digests made for the reader, the latest first; with an id only that one of them.
    async fn digests(&self, ctx: &Context<'_>, id: Option<ID>) -> Result<Vec<ReaderDigest>> {
        let wanted = id.as_ref().map(parse_id).transpose()?;
        // An ADMIN manages subscriptions and reads no digests; another reader's digests have what that reader may see.
        if self.0.principal_id != Some(viewer(ctx)?.principal_id) {
            return Ok(Vec::new());
        }
        let subscription = self.0.clone();
        let rows = request(ctx)?.read(move |conn| reader::outbox::sent(conn, &subscription, SENT)).await?;
        let is_wanted = |row: &models::ReaderDigest| wanted.is_none_or(|wanted| row.id == wanted);
        Ok(rows.into_iter().filter(is_wanted).map(ReaderDigest).collect())
    }

    /// What became of the latest 50 digests for the reader, the latest first, without their contents.
    async fn deliveries(&self, ctx: &Context<'_>) -> Result<Vec<ReaderDelivery>> {
        let subscription = self.0.clone();
        let rows = request(ctx)?.read(move |conn| reader::outbox::delivered(conn, &subscription, SENT)).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }
}

pub struct DigestPreview(Made);

/// The digest that a subscription would get now, which is neither stored nor sent.
#[Object]
impl DigestPreview {
    /// The last day that it covers.
    async fn as_of(&self) -> NaiveDate {
        self.0.document.as_of
    }

    async fn subject(&self) -> &str {
        &self.0.rendered.subject
    }

    /// The message as HTML, with its pictures inside.
    async fn html(&self, ctx: &Context<'_>) -> Result<String> {
        note_looks(ctx, &serde_json::to_value(&self.0.document)?)?;
        let (document, html) = (self.0.document.clone(), self.0.rendered.html.clone());
        let locale = self.0.locale;
        blocking(move || {
            let parts = parts(&document, &html, locale).map_err(from_job)?;
            Ok(html_with_pictures(&html, &parts))
        })
        .await
    }

    /// The message as plain text.
    async fn text(&self, ctx: &Context<'_>) -> Result<&str> {
        note_looks(ctx, &serde_json::to_value(&self.0.document)?)?;
        Ok(&self.0.rendered.text)
    }

    /// Whether it meets the condition of the subscription, without which it would not be sent.
    async fn is_wanted(&self) -> bool {
        self.0.is_wanted()
    }
}

/// A subscription to make. A subscription of the reader with the same address is changed.
#[derive(Debug, InputObject)]
pub struct SubscribeToDigestsInput {
    /// The mail address.
    pub address: String,
    pub locale: Locale,
    /// The code of the unit that the digests are about. By default the unit of a head, and all units for the Board.
    pub unit: Option<String>,
    /// Sections that digests for you have; empty means all.
    #[graphql(default)]
    pub sections: Vec<DigestSection>,
    /// A cron expression of five fields, with one time a day at most; `0 7 * * *` by default.
    pub schedule: Option<String>,
    /// The time zone of the schedule; `Asia/Ho_Chi_Minh` by default.
    pub timezone: Option<String>,
    /// The condition under which a digest is sent; ALWAYS by default.
    pub condition: Option<DigestCondition>,
    /// Required for the condition OVERDUE: a digest has more overdue complaints than this.
    pub min_overdue: Option<i32>,
    /// The last day without digests.
    pub quiet_until: Option<NaiveDate>,
}

/// The end of a subscription.
#[derive(Debug, InputObject)]
pub struct EndDigestSubscriptionInput {
    pub subscription_id: ID,
}

/// A digest on trial.
#[derive(Debug, InputObject)]
pub struct SendTestDigestInput {
    pub subscription_id: ID,
}

#[derive(SimpleObject)]
pub struct DigestSubscriptionPayload {
    pub subscription: DigestSubscription,
}

#[derive(Default)]
pub struct DigestSubscriptionQueries;

#[Object]
impl DigestSubscriptionQueries {
    /// Your current subscriptions to digests, by address, or with an id only that one; an ADMIN sees those of all
    /// readers.
    async fn digest_subscriptions(&self, ctx: &Context<'_>, id: Option<ID>) -> Result<Vec<DigestSubscription>> {
        let (whose, wanted) = (reader_or_all(ctx)?, id.as_ref().map(parse_id).transpose()?);
        let rows = request(ctx)?.read(move |conn| reader::own(conn, whose)).await?;
        let is_wanted = |row: &models::DigestSubscription| wanted.is_none_or(|wanted| row.id == wanted);
        Ok(rows.into_iter().filter(is_wanted).map(DigestSubscription).collect())
    }

    /// The digest that your subscription would get now, up to yesterday; null if you have no such subscription.
    async fn digest_preview(&self, ctx: &Context<'_>, id: ID) -> Result<Option<DigestPreview>> {
        let id = parse_id(&id)?;
        let Some(subscription) = own_subscription(ctx, id).await? else { return Ok(None) };
        Ok(Some(DigestPreview(digest_of(ctx, subscription).await?.1)))
    }
}

#[derive(Default)]
pub struct DigestSubscriptionMutations;

#[Object]
impl DigestSubscriptionMutations {
    /// Subscribes you to digests by mail, or changes your subscription with this address. BAD_USER_INPUT if the
    /// address, its domain, the unit, a section, the schedule or the condition is wrong, CONFLICT if the address has
    /// another subscription.
    async fn subscribe_to_digests(
        &self,
        ctx: &Context<'_>,
        input: SubscribeToDigestsInput,
    ) -> Result<DigestSubscriptionPayload> {
        let viewer = viewer(ctx)?.clone();
        let (app, reference) = (request(ctx)?.app.clone(), snapshot(ctx)?.reference.clone());
        let unit_id = match input.unit.as_deref() {
            None => None,
            Some(code) => {
                let unit = reference.unit_by_code(code.trim());
                Some(unit.ok_or_else(|| refuse(CodeRefusal::UnknownUnit { code: code.to_owned() }))?.id)
            }
        };
        let wish = Wish {
            channel: schema::enums::DeliveryChannel::Email,
            address: required("address", &input.address, SHORT)?,
            locale: input.locale.into(),
            unit_id,
            sections: input.sections.into_iter().map(Into::into).collect(),
            schedule: input.schedule,
            timezone: input.timezone,
            condition: input.condition.unwrap_or(DigestCondition::Always).into(),
            min_overdue: input.min_overdue,
            quiet_until: input.quiet_until.map(|until| day("quietUntil", until)).transpose()?,
        };
        let row = blocking(move || {
            let done = app.db.write(&viewer.actor(), |tx| {
                let principal = queries::principal_by_id(tx.conn, viewer.principal_id)?;
                let principal = principal.ok_or(SubscriptionRefusal::DigestsForHolders)?;
                reader::subscribe(tx, &reference.tree, &principal, &wish, &app.on_demand.settings().digests.domains)
            });
            Ok(done.map_err(from_store)?.value)
        })
        .await?;
        Ok(DigestSubscriptionPayload { subscription: DigestSubscription(row) })
    }

    /// Ends your subscription; an ADMIN ends that of any reader. NOT_FOUND if the subscription does not exist.
    async fn end_digest_subscription(
        &self,
        ctx: &Context<'_>,
        input: EndDigestSubscriptionInput,
    ) -> Result<DigestSubscriptionPayload> {
        let (id, whose, actor) = (parse_id(&input.subscription_id)?, reader_or_all(ctx)?, viewer(ctx)?.actor());
        let app = request(ctx)?.app.clone();
        let row = blocking(move || {
            let done = app.db.write(&actor, |tx| reader::end(tx, id, whose));
            Ok(done.map_err(from_store)?.value)
        })
        .await?;
        Ok(DigestSubscriptionPayload { subscription: DigestSubscription(row) })
    }

    /// Sends the digest that your subscription would get now, marked as a test. NOT_FOUND if you have no such
    /// subscription, BAD_USER_INPUT with the answer of the mail server.
    async fn send_test_digest(
        &self,
        ctx: &Context<'_>,
        input: SendTestDigestInput,
    ) -> Result<DigestSubscriptionPayload> {
        let id = parse_id(&input.subscription_id)?;
        let Some(subscription) = own_subscription(ctx, id).await? else {
            return Err(error(Code::NotFound, format!("you have no current subscription {id}")));
        };
        let (subscription, made) = digest_of(ctx, subscription).await?;
        let app = request(ctx)?.app.clone();
        let subscription = blocking(move || {
            send_on_trial(app.on_demand.settings(), &subscription, &made).map_err(from_job)?;
            Ok(subscription)
        })
        .await?;
        Ok(DigestSubscriptionPayload { subscription: DigestSubscription(subscription) })
    }
}

/// The reader whose subscriptions the viewer manages; None for all readers.
fn reader_or_all(ctx: &Context<'_>) -> Result<Option<Id>> {
    let viewer = viewer(ctx)?;
    Ok((viewer.role != Role::Admin).then_some(viewer.principal_id))
}

/// A current subscription of the viewer.
async fn own_subscription(ctx: &Context<'_>, id: Id) -> Result<Option<models::DigestSubscription>> {
    let principal = viewer(ctx)?.principal_id;
    let all = request(ctx)?.read(move |conn| reader::own(conn, Some(principal))).await?;
    Ok(all.into_iter().find(|row| row.id == id))
}

/// The digest of a subscription up to yesterday.
async fn digest_of(
    ctx: &Context<'_>,
    subscription: models::DigestSubscription,
) -> Result<(models::DigestSubscription, Made)> {
    let request = request(ctx)?;
    let (app, snapshot) = (request.app.clone(), snapshot(ctx)?);
    let computing = request.compute(move || {
        let today = local_date(Timestamp::now());
        let as_of = today.pred_opt().unwrap_or(today);
        let settings = app.on_demand.settings();
        let composed = compose(&app.background_db, &snapshot, settings, &subscription, as_of).map_err(from_job)?;
        match composed {
            Composed::Made(made) => Ok((subscription, *made)),
            Composed::Lost(why) => Err(error(Code::Forbidden, format!("there is no digest for you: {why}"))),
        }
    });
    Box::pin(computing).await
}
