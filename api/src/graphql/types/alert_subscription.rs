//! The mail addresses to which readers get the alerts that they may see.

use crate::graphql::context::{request, viewer};
use crate::graphql::enums::Locale;
use crate::graphql::error::from_store;
use crate::graphql::execute::blocking;
use crate::graphql::scalars::{id, parse_id};
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use jobs::notify::endpoints::{self, NewEndpoint};
use schema::db::WriteTx;
use schema::enums::NotificationChannel;
use schema::models::NotificationEndpoint;
use schema::refusal::SubscriptionRefusal;
use schema::{Id, StoreError, queries};

/// A mail address to which you get the alerts that you may see.
#[derive(SimpleObject)]
pub struct AlertSubscription {
    id: ID,
    address: String,
    /// The language of the mails.
    locale: Locale,
}

impl From<NotificationEndpoint> for AlertSubscription {
    fn from(row: NotificationEndpoint) -> Self {
        Self { id: id(row.id), address: row.address, locale: row.locale.into() }
    }
}

#[derive(Debug, InputObject)]
pub struct SubscribeToAlertsInput {
    pub address: String,
    /// The language of the mails.
    #[graphql(default_with = "Locale::Vi")]
    pub locale: Locale,
}

#[derive(Debug, InputObject)]
pub struct EndAlertSubscriptionInput {
    pub subscription_id: ID,
}

#[derive(SimpleObject)]
pub struct AlertSubscriptionPayload {
    subscription: AlertSubscription,
}

/// Whether an endpoint is a current subscription of a reader.
fn is_of(row: &NotificationEndpoint, reader: Id) -> bool {
    row.principal_id == Some(reader) && row.channel == NotificationChannel::Email && row.disabled_at.is_none()
}

#[derive(Default)]
pub struct AlertSubscriptionQueries;

#[Object]
impl AlertSubscriptionQueries {
    /// The mail addresses to which you get the alerts that you may see.
    async fn alert_subscriptions(&self, ctx: &Context<'_>) -> Result<Vec<AlertSubscription>> {
        let reader = viewer(ctx)?.principal_id;
        let all = request(ctx)?.read(endpoints::all).await?;
        Ok(all.into_iter().filter(|row| is_of(row, reader)).map(Into::into).collect())
    }
}

#[derive(Default)]
pub struct AlertSubscriptionMutations;

#[Object]
impl AlertSubscriptionMutations {
    /// Sends you alerts by mail, as far as you may see them then: a UNIT_HEAD those about its units, others those of
    /// the Board. BAD_USER_INPUT if the address or its domain is wrong, CONFLICT if it gets alerts already.
    async fn subscribe_to_alerts(
        &self,
        ctx: &Context<'_>,
        input: SubscribeToAlertsInput,
    ) -> Result<AlertSubscriptionPayload> {
        let (viewer, app) = (viewer(ctx)?.clone(), request(ctx)?.app.clone());
        let row = change(ctx, move |tx| {
            let reader = queries::principal_by_id(tx.conn, viewer.principal_id)?;
            let reader = reader.ok_or(SubscriptionRefusal::AlertsForHolders)?;
            let new = NewEndpoint {
                channel: NotificationChannel::Email,
                name: "alerts by mail",
                address: &input.address,
                locale: input.locale.into(),
                events: &[],
                reader: Some(&reader),
            };
            endpoints::create(tx, app.keys.as_deref(), app.on_demand.settings(), &new)
        })
        .await?;
        Ok(AlertSubscriptionPayload { subscription: row.into() })
    }

    /// Sends you no more alerts to an address. NOT_FOUND if you have no such subscription.
    async fn end_alert_subscription(
        &self,
        ctx: &Context<'_>,
        input: EndAlertSubscriptionInput,
    ) -> Result<AlertSubscriptionPayload> {
        let (id, reader) = (parse_id(&input.subscription_id)?, viewer(ctx)?.principal_id);
        let row = change(ctx, move |tx| {
            if !endpoints::all(tx.conn)?.iter().any(|row| row.id == id && is_of(row, reader)) {
                return Err(StoreError::NotFound(format!("you have no current subscription {id}")));
            }
            endpoints::disable(tx, id, "its reader ended it")
        })
        .await?;
        Ok(AlertSubscriptionPayload { subscription: row.into() })
    }
}

/// Changes something in a transaction of the viewer.
async fn change(
    ctx: &Context<'_>,
    write: impl FnOnce(&mut WriteTx<'_>) -> std::result::Result<NotificationEndpoint, StoreError> + Send + 'static,
) -> Result<NotificationEndpoint> {
    let (viewer, app) = (viewer(ctx)?.clone(), request(ctx)?.app.clone());
    let done = blocking(move || app.db.write(&viewer.actor(), write).map_err(from_store)).await?;
    Ok(done.value)
}
