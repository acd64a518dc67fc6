//! Lists deliveries: which digest was sent to whom, for the Board's digest and those for readers, with their filter and
//! order.

use crate::graphql::connection::{connection, list};
use crate::graphql::context::{snapshot, viewer};
use crate::graphql::enums::{DeliveryChannel, DeliveryState, Locale};
use crate::graphql::filter::{
    BooleanOps, DateOps, DateTimeOps, DeliveryStateOps, Filter, IdOps, LocaleOps, StringOps, both, filter,
};
use crate::graphql::page::PageArgs;
use crate::graphql::scalars::{Moment, id};
use crate::graphql::types::order::order;
use async_graphql::{Context, ID, Object, Result};
use chrono::NaiveDate;
use jobs::digest::reader::outbox::LOST;
use schema::models;
use schema::queries::DigestDeliverySort;
use schema::tables::digest_deliveries;

connection!(DigestDelivery by DigestDeliverySort, DigestDeliveryConnection, DigestDeliveryEdge);

pub struct DigestDelivery(pub models::DigestDelivery);

impl From<models::DigestDelivery> for DigestDelivery {
    fn from(row: models::DigestDelivery) -> Self {
        Self(row)
    }
}

/// What became of a digest on its way to one recipient, without its content.
#[Object]
impl DigestDelivery {
    async fn digest_id(&self) -> ID {
        id(self.0.digest_id)
    }

    async fn subscription_id(&self) -> ID {
        id(self.0.subscription_id)
    }

    /// Whether the digest was made for one reader; else it is that of the Board.
    async fn for_reader(&self) -> bool {
        self.0.for_reader
    }

    /// The name of the principal for whom it was made. Null for the digest of the Board, and for one that was made
    /// before its subscription got another reader, role or unit.
    async fn reader(&self) -> Option<&str> {
        self.0.reader.as_deref()
    }

    async fn reader_id(&self) -> Option<ID> {
        self.0.principal_id.map(id)
    }

    async fn channel(&self) -> DeliveryChannel {
        self.0.channel.into()
    }

    /// The mail address or the folder.
    async fn address(&self) -> &str {
        &self.0.address
    }

    /// The last day that the digest covers.
    async fn as_of(&self) -> NaiveDate {
        self.0.as_of
    }

    /// The language of the digest.
    async fn locale(&self) -> Locale {
        self.0.locale.into()
    }

    /// The time at which the digest was made.
    async fn created_at(&self) -> Moment {
        self.0.created_at.into()
    }

    async fn state(&self) -> DeliveryState {
        self.0.state.into()
    }

    /// Whether nothing was sent because the reader had lost the right to it.
    async fn lost_right(&self) -> bool {
        self.0.error.as_deref().is_some_and(|why| why.starts_with(LOST))
    }

    /// Attempts made so far.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }

    /// Null until the digest is sent.
    async fn sent_at(&self) -> Option<Moment> {
        self.0.sent_at.map(Into::into)
    }

    /// The error of the last attempt, or the reason why nothing was sent; null otherwise.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }
}

filter! {
    /// Conditions on deliveries of digests, joined by AND.
    DigestDeliveryFilter over digest_deliveries {
        digest_id: IdOps => id(digest_deliveries::digest_id),
        subscription_id: IdOps => id(digest_deliveries::subscription_id),
        for_reader: BooleanOps => truth(digest_deliveries::for_reader),
        reader_id: IdOps => id(digest_deliveries::principal_id),
        reader: StringOps => text(digest_deliveries::reader),
        address: StringOps => text(digest_deliveries::address),
        as_of: DateOps => value(digest_deliveries::as_of),
        locale: LocaleOps => word(digest_deliveries::locale),
        created_at: DateTimeOps => time(digest_deliveries::created_at),
        state: DeliveryStateOps => word(digest_deliveries::state),
    }
}

order!(DigestDeliveryOrderField, DigestDeliveryOrder, DigestDeliverySort { CreatedAt } default CreatedAt Desc);

#[derive(Default)]
pub struct DigestDeliveryQueries;

#[Object]
impl DigestDeliveryQueries {
    /// What digest was sent to whom, the latest digests first by default: the digest of the Board and those for
    /// readers. An ADMIN sees all of them, the Board its own and those for its members.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn digest_deliveries(
        &self,
        ctx: &Context<'_>,
        filter: Option<DigestDeliveryFilter>,
        order_by: Option<Vec<DigestDeliveryOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<DigestDeliveryConnection> {
        let page = PageArgs { first, after, last, before };
        let viewer = viewer(ctx)?.clone();
        let reference = snapshot(ctx)?.reference.clone();
        let condition = move || Ok(both!(viewer.digest_deliveries(), filter.condition(&reference)?));
        list::<DigestDelivery>(ctx, page, DigestDeliveryOrder::list(order_by), condition).await
    }
}
