//! The mutations of endpoints of notifications.

use super::{Notification, NotificationEndpoint};
use crate::graphql::context::{App, request, viewer};
use crate::graphql::enums::{Locale, NotificationChannel};
use crate::graphql::error::{bad_input, from_store};
use crate::graphql::execute::blocking;
use crate::graphql::input::{SHORT, required};
use crate::graphql::scalars::parse_id;
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use jobs::notify::endpoints::{self, NewEndpoint};
use jobs::notify::{outbox, secret};
use schema::db::WriteTx;
use schema::{Id, StoreError, enums, models};

/// A new endpoint.
#[derive(Debug, InputObject)]
pub struct CreateNotificationEndpointInput {
    pub channel: NotificationChannel,
    /// Its purpose, at most 200 characters.
    pub name: String,
    /// An https URL, or a mail address.
    pub address: String,
    /// The language of mails.
    #[graphql(default_with = "Locale::Vi")]
    pub locale: Locale,
    /// The events that it gets: `alert.raised`, `alert.cleared`, and for webhooks `digest.created`; all of these if it
    /// is empty.
    #[graphql(default)]
    pub events: Vec<String>,
    /// The name of a token or an account, of a UNIT_HEAD, BOARD or ADMIN: the endpoint gets the alerts that its holder
    /// may see.
    pub reader: Option<String>,
}

/// An endpoint that exists.
#[derive(Debug, InputObject)]
pub struct NotificationEndpointInput {
    pub id: ID,
}

#[derive(SimpleObject)]
pub struct NotificationEndpointPayload {
    pub endpoint: NotificationEndpoint,
}

#[derive(SimpleObject)]
pub struct NotificationSecretPayload {
    pub endpoint: NotificationEndpoint,
    /// The secret that verifies signatures, shown only here and by `phananh webhook secret`; null for a mail address.
    pub secret: Option<String>,
}

#[derive(SimpleObject)]
pub struct TestNotificationPayload {
    /// The message that is queued: `notifications` shows its delivery.
    pub notification: Notification,
}

#[derive(Default)]
pub struct NotificationMutations;

#[Object]
impl NotificationMutations {
    /// Adds an endpoint, or enables a disabled one of the same address with a new secret. BAD_USER_INPUT if the
    /// address or an event is wrong or the server has no key file, CONFLICT if an enabled endpoint has the address.
    async fn create_notification_endpoint(
        &self,
        ctx: &Context<'_>,
        input: CreateNotificationEndpointInput,
    ) -> Result<NotificationSecretPayload> {
        let name = required("name", &input.name, SHORT)?;
        let app = request(ctx)?.app.clone();
        let row = change(ctx, move |tx| {
            let reader = input.reader.as_deref().map(|name| endpoints::reader_named(tx.conn, name)).transpose()?;
            let new = NewEndpoint {
                channel: input.channel.into(),
                name: &name,
                address: &input.address,
                locale: input.locale.into(),
                events: &input.events,
                reader: reader.as_ref(),
            };
            endpoints::create(tx, app.keys.as_deref(), app.on_demand.settings(), &new)
        })
        .await?;
        with_secret(&request(ctx)?.app, row)
    }

    /// Gives a webhook a new secret. For 24 hours messages are signed with the one before, too. NOT_FOUND if there is
    /// no such endpoint, BAD_USER_INPUT if it is a mail address.
    async fn rotate_webhook_secret(
        &self,
        ctx: &Context<'_>,
        input: NotificationEndpointInput,
    ) -> Result<NotificationSecretPayload> {
        let id = parse_id(&input.id)?;
        let keys = request(ctx)?.app.keys.clone();
        let row = change(ctx, move |tx| endpoints::rotate(tx, keys.as_deref(), id)).await?;
        with_secret(&request(ctx)?.app, row)
    }

    /// Stops messages to an endpoint, and gives up those that wait. NOT_FOUND if it does not exist.
    async fn disable_notification_endpoint(
        &self,
        ctx: &Context<'_>,
        input: NotificationEndpointInput,
    ) -> Result<NotificationEndpointPayload> {
        let id = parse_id(&input.id)?;
        let why = format!("disabled by {}", viewer(ctx)?.actor());
        let row = change(ctx, move |tx| endpoints::disable(tx, id, &why)).await?;
        Ok(NotificationEndpointPayload { endpoint: row.into() })
    }

    /// Starts messages to a disabled endpoint again, with the secret that it has. NOT_FOUND if it does not exist,
    /// BAD_USER_INPUT if the settings permit no message to its address any more.
    async fn enable_notification_endpoint(
        &self,
        ctx: &Context<'_>,
        input: NotificationEndpointInput,
    ) -> Result<NotificationEndpointPayload> {
        let id = parse_id(&input.id)?;
        let app = request(ctx)?.app.clone();
        let row = change(ctx, move |tx| endpoints::enable(tx, id, app.on_demand.settings())).await?;
        Ok(NotificationEndpointPayload { endpoint: row.into() })
    }

    /// Queues the message `webhook.test` for an endpoint. NOT_FOUND if it does not exist, BAD_USER_INPUT if disabled.
    async fn test_notification_endpoint(
        &self,
        ctx: &Context<'_>,
        input: NotificationEndpointInput,
    ) -> Result<TestNotificationPayload> {
        let id: Id = parse_id(&input.id)?;
        let row = change(ctx, move |tx| outbox::post_test(tx, id)).await?;
        Ok(TestNotificationPayload { notification: Notification(row) })
    }
}

/// Changes something in a transaction of the viewer.
async fn change<T: Send + 'static>(
    ctx: &Context<'_>,
    write: impl FnOnce(&mut WriteTx<'_>) -> std::result::Result<T, StoreError> + Send + 'static,
) -> Result<T> {
    let (viewer, app) = (viewer(ctx)?.clone(), request(ctx)?.app.clone());
    let done = blocking(move || app.db.write(&viewer.actor(), write).map_err(from_store)).await?;
    Ok(done.value)
}

fn with_secret(app: &App, row: models::NotificationEndpoint) -> Result<NotificationSecretPayload> {
    let secret = match row.channel {
        enums::NotificationChannel::Webhook => {
            Some(secret(app.keys.as_deref(), &row).map_err(|error| bad_input(error.to_string()))?)
        }
        enums::NotificationChannel::Email => None,
    };
    Ok(NotificationSecretPayload { endpoint: row.into(), secret })
}
