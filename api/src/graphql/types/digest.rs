//! Digests of the Board: the type, its list, filter and order.

use crate::graphql::connection::{connection, list};
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::enums::{DeliveryChannel, DeliveryState, Locale};
use crate::graphql::filter::{DateOps, DateTimeOps, Filter, IdOps, LocaleOps, both, filter};
use crate::graphql::loaders::{DeliveriesKey, loaders, one};
use crate::graphql::page::PageArgs;
use crate::graphql::scalars::{Json, Moment, id};
use crate::graphql::types::order::order;
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::NaiveDate;
use schema::domain::ids::reference_id;
use schema::enums::SubjectKind;
use schema::events::Entity;
use schema::models;
use schema::queries::DigestSort;
use schema::tables::digests;

connection!(Digest by DigestSort, DigestConnection, DigestEdge);

pub struct Digest(pub models::Digest);

impl From<models::Digest> for Digest {
    fn from(row: models::Digest) -> Self {
        Self(row)
    }
}

impl Digest {
    fn looked_at(&self, ctx: &Context<'_>) -> Result<()> {
        note_looks(ctx, &self.0.document.0)
    }
}

/// Notes for the audit log that the viewer saw the files of the flagged officers, and of those about whom a measure was
/// decided: a digest says why they are flagged, and what was decided. `document` is that of the digest.
///
/// # Errors
/// If `ctx` is of no request.
pub(super) fn note_looks(ctx: &Context<'_>, document: &serde_json::Value) -> Result<()> {
    let note = |code: &str| -> Result<()> {
        request(ctx)?.note_shown(|seen| &mut seen.files, reference_id(Entity::Officer, code));
        Ok(())
    };
    let measures = ["listed", "outcomes"].map(|list| document["measures"][list].as_array());
    for measure in measures.into_iter().flatten().flatten() {
        if let Some(code) = measure["officer"].as_str() {
            note(code)?;
        }
    }
    // Current flags, flags that ended, were dismissed or were retracted, and officers and branches that blame the
    // system.
    let mut parts = vec![&document["flags"], &document["blame"]];
    while let Some(part) = parts.pop() {
        match part {
            serde_json::Value::Array(all) => parts.extend(all),
            serde_json::Value::Object(fields) => {
                let is_officer = fields.get("kind").is_some_and(|kind| *kind == SubjectKind::Officer.as_str());
                if let Some(code) = fields.get("code").and_then(|code| code.as_str()).filter(|_| is_officer) {
                    note(code)?;
                }
                parts.extend(fields.values());
            }
            _ => {}
        }
    }
    Ok(())
}

/// A digest of the Board as it was written and sent.
#[Object]
impl Digest {
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The last day that the digest covers.
    async fn as_of(&self) -> NaiveDate {
        self.0.as_of
    }

    /// The language of the digest.
    async fn locale(&self) -> Locale {
        self.0.locale.into()
    }

    /// The subject line of the message.
    async fn subject(&self) -> &str {
        &self.0.subject
    }

    /// The message as HTML.
    async fn html(&self, ctx: &Context<'_>) -> Result<&str> {
        self.looked_at(ctx)?;
        Ok(&self.0.html)
    }

    /// The message as plain text.
    async fn text(&self, ctx: &Context<'_>) -> Result<&str> {
        self.looked_at(ctx)?;
        Ok(&self.0.text)
    }

    /// The content of the digest as JSON, independent of the language.
    async fn document(&self, ctx: &Context<'_>) -> Result<Json<&serde_json::Value>> {
        self.looked_at(ctx)?;
        Ok(Json(&self.0.document.0))
    }

    /// The position of the register that the digest was made from.
    async fn position(&self) -> i64 {
        self.0.position
    }

    async fn created_at(&self) -> Moment {
        self.0.created_at.into()
    }

    /// The deliveries, one for each recipient.
    async fn deliveries(&self, ctx: &Context<'_>) -> Result<Vec<Delivery>> {
        let rows = one(loaders(ctx)?, DeliveriesKey(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(Delivery::from).collect())
    }
}

/// The delivery of a digest to one recipient.
#[derive(SimpleObject)]
pub struct Delivery {
    pub channel: DeliveryChannel,
    /// The mail address or the folder.
    pub address: String,
    pub state: DeliveryState,
    /// Attempts made so far.
    pub attempts: i32,
    /// Null until the digest is sent.
    pub sent_at: Option<Moment>,
    /// The error of the last attempt; null if it succeeded or none was made.
    pub error: Option<String>,
}

impl From<(models::Delivery, models::DigestSubscription)> for Delivery {
    fn from((delivery, recipient): (models::Delivery, models::DigestSubscription)) -> Self {
        Self {
            channel: recipient.channel.into(),
            address: recipient.address,
            state: delivery.state.into(),
            attempts: delivery.attempts,
            sent_at: delivery.sent_at.map(Into::into),
            error: delivery.error,
        }
    }
}

filter! {
    /// Conditions on digests, joined by AND.
    DigestFilter over digests {
        id: IdOps => id(digests::id),
        as_of: DateOps => value(digests::as_of),
        locale: LocaleOps => word(digests::locale),
        created_at: DateTimeOps => time(digests::created_at),
    }
}

order!(DigestOrderField, DigestOrder, DigestSort { CreatedAt } default CreatedAt Desc);

#[derive(Default)]
pub struct DigestQueries;

#[Object]
impl DigestQueries {
    /// Digests of the Board, the latest first by default. Empty if you are an officer: their totals count
    /// complaints that name you.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn digests(
        &self,
        ctx: &Context<'_>,
        filter: Option<DigestFilter>,
        order_by: Option<Vec<DigestOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<DigestConnection> {
        let page = PageArgs { first, after, last, before };
        let viewer = viewer(ctx)?.clone();
        let reference = snapshot(ctx)?.reference.clone();
        let condition = move || Ok(both!(viewer.digests(), filter.condition(&reference)?));
        list::<Digest>(ctx, page, DigestOrder::list(order_by), condition).await
    }
}
