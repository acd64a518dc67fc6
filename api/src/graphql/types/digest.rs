use crate::graphql::connection::connection;
use crate::graphql::context::{loaders, request};
use crate::graphql::enums::{DeliveryChannel, DeliveryState, Locale};
use crate::graphql::loaders::{DeliveriesKey, one};
use crate::graphql::scalars::{Json, Moment, id};
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::NaiveDate;
use schema::domain::ids::reference_id;
use schema::enums::SubjectKind;
use schema::events::Entity;
use schema::models;

/// A digest as it was written and sent.
pub struct Digest(pub models::Digest);

impl From<models::Digest> for Digest {
    fn from(row: models::Digest) -> Self {
        Self(row)
    }
}

impl Digest {
    /// It says why officers are flagged, which is a page of their files.
    fn looked_at(&self, ctx: &Context<'_>) -> Result<()> {
        // Those that stand, and those that are gone, dismissed or retracted.
        let mut parts = vec![&self.0.document.0["flags"]];
        while let Some(part) = parts.pop() {
            match part {
                serde_json::Value::Array(all) => parts.extend(all),
                serde_json::Value::Object(fields) => {
                    let is_officer = fields.get("kind").is_some_and(|kind| *kind == SubjectKind::Officer.as_str());
                    if let Some(code) = fields.get("code").and_then(|code| code.as_str()).filter(|_| is_officer) {
                        request(ctx)?.saw(|seen| &mut seen.files, reference_id(Entity::Officer, code));
                    }
                    parts.extend(fields.values());
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[Object]
impl Digest {
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The day up to which it goes.
    async fn as_of(&self) -> NaiveDate {
        self.0.as_of
    }

    async fn locale(&self) -> Locale {
        self.0.locale.into()
    }

    async fn subject(&self) -> &str {
        &self.0.subject
    }

    async fn html(&self, ctx: &Context<'_>) -> Result<&str> {
        self.looked_at(ctx)?;
        Ok(&self.0.html)
    }

    async fn text(&self, ctx: &Context<'_>) -> Result<&str> {
        self.looked_at(ctx)?;
        Ok(&self.0.text)
    }

    /// What it says, in no language.
    async fn document(&self, ctx: &Context<'_>) -> Result<Json<&serde_json::Value>> {
        self.looked_at(ctx)?;
        Ok(Json(&self.0.document.0))
    }

    /// The position of the register that it knew.
    async fn position(&self) -> i64 {
        self.0.position
    }

    async fn created_at(&self) -> Moment {
        self.0.created_at.into()
    }

    /// To whom it was sent.
    async fn deliveries(&self, ctx: &Context<'_>) -> Result<Vec<Delivery>> {
        let rows = one(loaders(ctx)?, DeliveriesKey(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(Delivery::from).collect())
    }
}

/// A digest on its way to one recipient.
#[derive(SimpleObject)]
pub struct Delivery {
    pub channel: DeliveryChannel,
    pub address: String,
    pub state: DeliveryState,
    pub attempts: i32,
    pub sent_at: Option<Moment>,
    /// Why the last attempt failed.
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

connection!(Digest, DigestConnection, DigestEdge);
