//! The history of complaints.

use super::actor::HistoryActor;
use super::change::{HistoryChange, Place, objects, personal_value};
use super::entries::{ComplaintHistoryKind, Entry, entries};
use super::page;
use super::rights::Rights;
use crate::graphql::connection::connection;
use crate::graphql::execute::Inline;
use crate::graphql::loaders::{Loaders, loaders, one};
use crate::graphql::page::{PageArgs, SortDirection};
use crate::graphql::scalars::Moment;
use async_graphql::dataloader::Loader;
use async_graphql::{Context, Error, Object, Result};
use schema::enums::Side;
use schema::{Id, queries};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

connection!(ComplaintHistoryEntry, ComplaintHistoryConnection, ComplaintHistoryEdge);

/// The history of a complaint, as far as the viewer may read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ComplaintHistoryKey(Id);

impl Loader<ComplaintHistoryKey> for Loaders {
    type Value = Arc<Vec<Entry>>;
    type Error = Arc<Error>;

    async fn load(
        &self,
        keys: &[ComplaintHistoryKey],
    ) -> Result<HashMap<ComplaintHistoryKey, Arc<Vec<Entry>>>, Arc<Error>> {
        let Some(viewer) = &self.0.viewer else { return Ok(HashMap::new()) };
        let (rights, viewer_officer) = (Rights::of(viewer), viewer.officer_id);
        let ids: Vec<Id> = keys.iter().map(|key| key.0).collect();
        let needs_officers = rights.reads_only_named();
        let read = self.0.read(move |conn| {
            let officers = if needs_officers { queries::allegations_of(conn, &ids)? } else { HashMap::new() };
            Ok((queries::complaint_events_of(conn, &ids)?, queries::escalations_of(conn, &ids)?, officers))
        });
        let (events, escalations, officers) = read.await.map_err(Arc::new)?;
        let history = |key: &ComplaintHistoryKey| {
            let named = officers.get(&key.0).into_iter().flatten();
            let named: HashSet<Id> = named.map(|row| row.officer_id).collect();
            // A correction may have named the viewer after the complaint was read.
            if viewer_officer.is_some_and(|officer| named.contains(&officer)) {
                return Vec::new();
            }
            let events = events.get(&key.0).map(Vec::as_slice).unwrap_or_default();
            let escalations = escalations.get(&key.0).map(Vec::as_slice).unwrap_or_default();
            entries(&rights, events, escalations, &named)
        };
        Ok(keys.iter().map(|key| (*key, Arc::new(history(key)))).collect())
    }
}

/// A page of the history of a complaint. The histories of all complaints of a page are loaded together.
///
/// # Errors
/// BAD_USER_INPUT if a page argument is wrong.
pub async fn history_of_complaint(
    ctx: &Context<'_>,
    complaint: Id,
    direction: SortDirection,
    arguments: PageArgs,
) -> Result<ComplaintHistoryConnection> {
    let all = one(loaders(ctx)?, ComplaintHistoryKey(complaint)).await?.unwrap_or_default();
    page(ctx, all.as_slice(), |entry: &Entry| entry.place, direction, &arguments, ComplaintHistoryEntry)
}

pub struct ComplaintHistoryEntry(Entry);

impl ComplaintHistoryEntry {
    /// The row that holds its personal values; None for a step that is not an event.
    fn values(&self) -> Option<Place> {
        let Entry { complaint, place: (position, _), .. } = self.0;
        Some(Place::Complaint((complaint, position, self.0.ordinal()?)))
    }
}

/// A step in the history of a complaint. A step of which you may read nothing is left out.
#[Object]
impl ComplaintHistoryEntry {
    /// The time at which the register recorded the step. The entries have this order.
    async fn recorded_at(&self) -> Moment {
        self.0.recorded_at.into()
    }

    /// The time at which the step took effect: for imported history that of its source.
    async fn effective_at(&self) -> Moment {
        self.0.effective_at.into()
    }

    async fn kind(&self) -> ComplaintHistoryKind {
        self.0.kind
    }

    /// The actor.
    async fn actor(&self) -> Inline<HistoryActor> {
        Inline(HistoryActor(self.0.actor.clone()))
    }

    /// The changes of the step.
    async fn changes(&self, ctx: &Context<'_>) -> Result<Vec<Inline<HistoryChange>>> {
        // Boxed: the fields of an object share one future as large as the largest of them.
        Box::pin(objects(ctx, &self.0.changes, self.values())).await
    }

    /// Why, in the words of who did it. Null if no reason was given, if you may not read it, and if it was erased.
    async fn reason(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(Box::pin(self.given_reason(ctx)).await?.flatten())
    }

    /// Whether the reason was erased from the register.
    async fn reason_erased(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(Box::pin(self.given_reason(ctx)).await? == Some(None))
    }
}

impl ComplaintHistoryEntry {
    /// The reason that the viewer may read; Some(None) if it was erased.
    async fn given_reason(&self, ctx: &Context<'_>) -> Result<Option<Option<String>>> {
        let Some(place) = self.values().filter(|_| self.0.has_reason) else { return Ok(None) };
        let values = place.personal(ctx).await?;
        Ok(Some(personal_value(&values, Side::After, "reason").map(str::to_owned)))
    }
}
