//! Endpoints of notifications, and the messages sent to them.

mod mutation;

pub use mutation::NotificationMutations;

use crate::graphql::connection::{connection, list};
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::enums::{DeliveryState, Locale, NotificationChannel};
use crate::graphql::filter::{DateTimeOps, Filter, IdOps, StringOps, filter};
use crate::graphql::page::PageArgs;
use crate::graphql::scalars::{Moment, id};
use crate::graphql::types::order::order;
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use jobs::notify::endpoints;
use schema::models;
use schema::queries::NotificationSort;
use schema::tables::notifications;

connection!(Notification by NotificationSort, NotificationConnection, NotificationEdge);

/// A receiver of alerts: a webhook by Standard Webhooks, or a mail address.
#[derive(SimpleObject)]
pub struct NotificationEndpoint {
    pub id: ID,
    pub channel: NotificationChannel,
    /// Its purpose.
    pub name: String,
    /// The URL or the mail address.
    pub address: String,
    /// The language of mails.
    pub locale: Locale,
    /// The events that it gets.
    pub events: Vec<String>,
    /// Until when messages are also signed with the secret from before the last rotation; null if they are not.
    pub rotating_until: Option<Moment>,
    pub created_at: Moment,
    /// The actor that added it: `token:NAME`, or `cli`.
    pub created_by: String,
    /// Since when nothing is sent to it; null if it is enabled.
    pub disabled_at: Option<Moment>,
    pub disabled_reason: Option<String>,
    /// The reader whose alerts the endpoint gets, as far as the reader may see them; null for the alerts of the Board.
    pub reader_id: Option<ID>,
}

impl From<models::NotificationEndpoint> for NotificationEndpoint {
    fn from(row: models::NotificationEndpoint) -> Self {
        let events = endpoints::events_of(&row);
        let is_rotating = endpoints::is_rotating(&row, schema::Timestamp::now());
        Self {
            id: id(row.id),
            channel: row.channel.into(),
            name: row.name,
            address: row.address,
            locale: row.locale.into(),
            events,
            rotating_until: row.previous_until.filter(|_| is_rotating).map(Into::into),
            created_at: row.created_at.into(),
            created_by: row.created_by,
            disabled_at: row.disabled_at.map(Into::into),
            disabled_reason: row.disabled_reason,
            reader_id: row.principal_id.map(id),
        }
    }
}

pub struct Notification(pub models::Notification);

impl From<models::Notification> for Notification {
    fn from(row: models::Notification) -> Self {
        Self(row)
    }
}

/// A message on its way to an endpoint.
#[Object]
impl Notification {
    /// The id; the header `webhook-id` has it after `msg_`.
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    async fn endpoint_id(&self) -> ID {
        id(self.0.endpoint_id)
    }

    /// The event, such as `alert.raised`.
    async fn event(&self) -> &str {
        &self.0.event
    }

    /// The JSON that is sent, or the content of the mail.
    async fn body(&self) -> &str {
        &self.0.body
    }

    async fn state(&self) -> DeliveryState {
        self.0.state.into()
    }

    /// Attempts made so far.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }

    /// The time of the next attempt; null if the message was sent or given up.
    async fn next_attempt_at(&self) -> Option<Moment> {
        let is_pending = self.0.state == schema::enums::DeliveryState::Pending;
        is_pending.then(|| self.0.next_attempt_at.into())
    }

    async fn created_at(&self) -> Moment {
        self.0.created_at.into()
    }

    /// Null until the message is sent.
    async fn sent_at(&self) -> Option<Moment> {
        self.0.sent_at.map(Into::into)
    }

    /// The HTTP status of the last attempt; null if there was no answer.
    async fn status(&self) -> Option<i32> {
        self.0.status
    }

    /// The error of the last attempt.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }
}

filter! {
    /// Conditions on notifications, joined by AND.
    NotificationFilter over notifications {
        id: IdOps => id(notifications::id),
        endpoint_id: IdOps => id(notifications::endpoint_id),
        event: StringOps => text(notifications::event),
        created_at: DateTimeOps => time(notifications::created_at),
    }
}

order!(NotificationOrderField, NotificationOrder, NotificationSort { CreatedAt } default CreatedAt Desc);

#[derive(Default)]
pub struct NotificationQueries;

#[Object]
impl NotificationQueries {
    /// The endpoints of notifications, disabled ones included.
    async fn notification_endpoints(&self, ctx: &Context<'_>) -> Result<Vec<NotificationEndpoint>> {
        viewer(ctx)?;
        let all = request(ctx)?.read(endpoints::all).await?;
        Ok(all.into_iter().map(NotificationEndpoint::from).collect())
    }

    /// Messages to endpoints, the latest first by default.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn notifications(
        &self,
        ctx: &Context<'_>,
        filter: Option<NotificationFilter>,
        order_by: Option<Vec<NotificationOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<NotificationConnection> {
        let page = PageArgs { first, after, last, before };
        viewer(ctx)?;
        let reference = snapshot(ctx)?.reference.clone();
        list::<Notification>(ctx, page, NotificationOrder::list(order_by), move || filter.condition(&reference)).await
    }
}
