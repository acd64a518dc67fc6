//! Alerts: the type, its list, filter and order.

use crate::graphql::connection::{connection, list};
use crate::graphql::context::{snapshot, viewer};
use crate::graphql::enums::AlertKind;
use crate::graphql::filter::{AlertKindOps, DateOps, DateTimeOps, Filter, IdOps, StringOps, both, filter};
use crate::graphql::page::PageArgs;
use crate::graphql::scalars::{Json, Moment, id};
use crate::graphql::types::order::order;
use async_graphql::{Context, ID, Object, Result};
use chrono::NaiveDate;
use schema::models;
use schema::queries::AlertSort;
use schema::tables::alerts;

connection!(Alert by AlertSort, AlertConnection, AlertEdge);

pub struct Alert(pub models::Alert);

impl From<models::Alert> for Alert {
    fn from(row: models::Alert) -> Self {
        Self(row)
    }
}

/// Something that people should know at once.
#[Object]
impl Alert {
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    async fn kind(&self) -> AlertKind {
        self.0.kind.into()
    }

    /// Its subject: the id of a flag, a digest or a complaint, the name of a job, or the code of a unit (`ALL` for all
    /// units). Of a digest that was due and has not been made: the id of the subscription.
    async fn subject(&self) -> &str {
        &self.0.subject
    }

    /// The day on which it was raised (Vietnam). A subject has at most one alert of a kind a day.
    async fn day(&self) -> NaiveDate {
        self.0.day
    }

    /// Numbers and times, by name. Of a burst: `complaints`, how many are usual (`expected`), the hours, and
    /// `falseAlarmsPerMonth`, which bounds how many such alerts chance is expected to raise in a month. `standsAgain`:
    /// it was over and became active again on its day.
    async fn details(&self) -> Json<&serde_json::Value> {
        Json(&self.0.details.0)
    }

    async fn raised_at(&self) -> Moment {
        self.0.raised_at.into()
    }

    /// The time of its end; null while it is active.
    async fn cleared_at(&self) -> Option<Moment> {
        self.0.cleared_at.map(Into::into)
    }
}

filter! {
    /// Conditions on alerts, joined by AND.
    AlertFilter over alerts {
        id: IdOps => id(alerts::id),
        kind: AlertKindOps => word(alerts::kind),
        subject: StringOps => text(alerts::subject),
        day: DateOps => value(alerts::day),
        raised_at: DateTimeOps => time(alerts::raised_at),
        cleared_at: DateTimeOps => time(alerts::cleared_at),
    }
}

order!(AlertOrderField, AlertOrder, AlertSort { RaisedAt } default RaisedAt Desc);

#[derive(Default)]
pub struct AlertQueries;

#[Object]
impl AlertQueries {
    /// Alerts, the latest first by default. Those about flags are for members of the Board who are not officers. A
    /// UNIT_HEAD sees its own, about bursts at its units and complaints escalated to them, once an endpoint has it as
    /// its reader.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn alerts(
        &self,
        ctx: &Context<'_>,
        filter: Option<AlertFilter>,
        order_by: Option<Vec<AlertOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<AlertConnection> {
        let page = PageArgs { first, after, last, before };
        let viewer = viewer(ctx)?.clone();
        let reference = snapshot(ctx)?.reference.clone();
        let condition = move || Ok(both!(viewer.alerts(), filter.condition(&reference)?));
        list::<Alert>(ctx, page, AlertOrder::list(order_by), condition).await
    }
}
