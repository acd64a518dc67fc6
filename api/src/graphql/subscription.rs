//! The subscription root. Each event is read from the database for each subscriber, within the row scope at
//! that moment.

use super::change_feed::{ChangeEvent, next};
use super::context::{request, snapshot, viewer};
use super::error::from_store;
use super::filter::Filter;
use super::types::{Alert, Complaint, ComplaintFilter, Escalation, Flag, JobRun};
use crate::access::Scope;
use async_graphql::{Context, Result, Subscription as GraphqlSubscription};
use futures_util::Stream;
use futures_util::stream::unfold;
use schema::{Conn, StoreError, queries};
use std::sync::Arc;

pub struct Subscription;

/// The stream of the rows that `pick` reads for each event. It ends with its first error.
async fn stream<T, F>(ctx: &Context<'_>, pick: F) -> Result<impl Stream<Item = Result<T>> + use<T, F>>
where
    T: Send + 'static,
    F: Fn(&mut Conn, ChangeEvent) -> Result<Option<T>, StoreError> + Send + Sync + 'static,
{
    let receiver = request(ctx)?.app.change_feed.subscribe().await?;
    let context = request(ctx)?.clone();
    let pick = Arc::new(pick);
    Ok(unfold(Some((receiver, context, pick)), |state| async {
        let (mut receiver, context, pick) = state?;
        loop {
            let happened = match next(&mut receiver).await? {
                Ok(happened) => happened,
                Err(error) => return Some((Err(error), None)),
            };
            let picked = Arc::clone(&pick);
            match context.read(move |conn| picked(conn, happened)).await {
                Ok(None) => {}
                Ok(Some(found)) => return Some((Ok(found), Some((receiver, context, pick)))),
                Err(error) => return Some((Err(error), None)),
            }
        }
    }))
}

#[GraphqlSubscription]
impl Subscription {
    /// Complaints as they are received, on any node. A client that falls 1,024 events behind gets RATE_LIMITED
    /// and must subscribe again.
    async fn complaint_received(
        &self,
        ctx: &Context<'_>,
        filter: Option<ComplaintFilter>,
    ) -> Result<impl Stream<Item = Result<Complaint>> + use<>> {
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        let noting = request(ctx)?.clone();
        // A wrong filter fails at once.
        if let Some(filter) = &filter {
            filter.condition(&snapshot(ctx)?.reference).map_err(from_store)?;
        }
        stream(ctx, move |conn, happened| {
            let ChangeEvent::ComplaintReceived(id) = happened else { return Ok(None) };
            let reference = app.snapshots.current().reference.clone();
            let scope: Scope = viewer.scope(&reference.tree);
            let conditions = [scope.condition(), filter.condition(&reference)?];
            let row = queries::complaint_by_id(conn, id, conditions.into_iter().flatten())?;
            noting.note_complaints(row.iter().map(|row| row.id));
            Ok(row.map(Complaint))
        })
        .await
    }

    /// Escalations of overdue complaints that you may see, as they happen on any node. A slow client gets RATE_LIMITED
    /// as for `complaintReceived`.
    async fn complaint_escalated(&self, ctx: &Context<'_>) -> Result<impl Stream<Item = Result<Escalation>> + use<>> {
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        stream(ctx, move |conn, happened| {
            let ChangeEvent::ComplaintEscalated(id, level) = happened else { return Ok(None) };
            let reference = app.snapshots.current().reference.clone();
            let visible = viewer.escalations(&reference.tree);
            Ok(queries::escalation_to_level(conn, id, level, visible)?.map(Escalation))
        })
        .await
    }

    /// Flags as they are opened, change or are decided. A slow client gets RATE_LIMITED as for
    /// `complaintReceived`.
    async fn flag_changed(&self, ctx: &Context<'_>) -> Result<impl Stream<Item = Result<Flag>> + use<>> {
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        stream(ctx, move |conn, happened| {
            let ChangeEvent::FlagChanged(id) = happened else { return Ok(None) };
            let reference = app.snapshots.current().reference.clone();
            Ok(queries::flag_by_id(conn, id, viewer.flags(&reference.tree))?.map(Flag))
        })
        .await
    }

    /// Alerts as they are raised and end. A slow client gets RATE_LIMITED as for `complaintReceived`.
    async fn alert_changed(&self, ctx: &Context<'_>) -> Result<impl Stream<Item = Result<Alert>> + use<>> {
        let viewer = viewer(ctx)?.clone();
        stream(ctx, move |conn, happened| {
            let ChangeEvent::AlertChanged(id) = happened else { return Ok(None) };
            Ok(queries::alert_by_id(conn, id, viewer.alerts())?.map(Alert))
        })
        .await
    }

    /// Runs of jobs as they start and end. A slow client gets RATE_LIMITED as for `complaintReceived`.
    async fn job_run_changed(&self, ctx: &Context<'_>) -> Result<impl Stream<Item = Result<JobRun>> + use<>> {
        viewer(ctx)?;
        stream(ctx, |conn, happened| {
            let ChangeEvent::JobRunChanged(id) = happened else { return Ok(None) };
            Ok(queries::job_run_by_id(conn, id)?.map(JobRun))
        })
        .await
    }
}
