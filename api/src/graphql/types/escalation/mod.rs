//! Escalations of overdue complaints: the type, its list and order.

mod filter;
mod list;

pub use filter::EscalationFilter;
pub use list::EscalationQueries;

use crate::graphql::connection::connection;
use crate::graphql::context::request;
use crate::graphql::execute::{Boxed, Inline};
use crate::graphql::loaders::{ComplaintKey, UnitKey, loaders, one, reference_row};
use crate::graphql::scalars::Moment;
use crate::graphql::types::order::order;
use crate::graphql::types::{Complaint, Unit};
use async_graphql::{Context, Object, Result};
use chrono::NaiveDate;
use schema::models;
use schema::queries::EscalationSort;

connection!(Escalation by EscalationSort, EscalationConnection, EscalationEdge);

order!(EscalationOrderField, EscalationOrder, EscalationSort { EscalatedAt, DueOn } default EscalatedAt Desc);

pub struct Escalation(pub models::Escalation);

impl From<models::Escalation> for Escalation {
    fn from(row: models::Escalation) -> Self {
        Self(row)
    }
}

/// An escalation of a complaint that was not answered by its deadline.
#[Object]
impl Escalation {
    /// The complaint; null if you may not see it.
    async fn complaint(&self, ctx: &Context<'_>) -> Result<Option<Boxed<Complaint>>> {
        let found = one(loaders(ctx)?, ComplaintKey(self.0.complaint_id)).await?;
        request(ctx)?.charge_texts(found.iter().map(|row| row.text.as_ref()))?;
        request(ctx)?.note_complaints(found.iter().map(|row| row.id));
        Ok(found.map(Complaint).map(Boxed))
    }

    /// The level: 1 is the unit above the responsible unit. 2 is the level above that, once twice the time allowed has
    /// passed.
    async fn level(&self) -> i32 {
        (self.0.level - 1) % 2 + 1
    }

    /// The round of the complaint, from 1.
    async fn round(&self) -> i32 {
        (self.0.level - 1) / 2 + 1
    }

    /// The unit whose head has to act; null without a unit above: then the Board acts.
    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Inline<Unit>>> {
        let Some(unit) = self.0.unit_id else { return Ok(None) };
        Ok(reference_row(ctx, UnitKey(unit)).await?.map(Unit).map(Inline))
    }

    /// The deadline that passed.
    async fn due_on(&self) -> NaiveDate {
        self.0.due_on
    }

    async fn escalated_at(&self) -> Moment {
        self.0.escalated_at.into()
    }
}
