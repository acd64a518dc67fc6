//! What a resolver works with.

use super::error::{Code, error, from_store};
use super::loaders::Loaders;
use crate::auth::Viewer;
use crate::limits::Limits;
use async_graphql::dataloader::DataLoader;
use async_graphql::{Context, Result};
use jobs::snapshot::{Snapshot, SnapshotStore};
use schema::db::StatementCount;
use schema::{Conn, Db, StoreError};
use std::sync::Arc;

/// What all requests share.
#[derive(Clone)]
pub struct App {
    /// For requests: PostgreSQL breaks off what runs longer than a deadline.
    pub db: Db,
    /// For what may take its time: jobs, and reading the snapshot.
    pub unhurried: Db,
    pub snapshots: Arc<SnapshotStore>,
}

/// What belongs to one request.
#[derive(Clone)]
pub struct RequestContext {
    pub app: App,
    /// None for an introspection without a token.
    pub viewer: Option<Viewer>,
    /// Counts the statements of the request.
    pub statements: StatementCount,
    /// What whoever asks may ask for.
    pub limits: Arc<Limits>,
}

impl RequestContext {
    /// Reads from the database on a thread that may block.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T> {
        let (db, statements) = (self.app.db.clone(), Arc::clone(&self.statements));
        blocking(move || db.read_counted(&statements, work).map_err(from_store)).await
    }
}

/// Runs work that blocks. A panic in it is an error of its caller.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|failure| {
        tracing::error!(error = %failure, "a request broke off");
        Err(error(Code::Internal, "the request broke off; the server's log says why"))
    })
}

pub fn request<'c>(ctx: &Context<'c>) -> Result<&'c RequestContext> {
    ctx.data::<RequestContext>()
}

pub fn viewer<'c>(ctx: &Context<'c>) -> Result<&'c Viewer> {
    request(ctx)?.viewer.as_ref().ok_or_else(|| error(Code::Unauthenticated, "send a token: Authorization: Bearer …"))
}

pub fn loaders<'c>(ctx: &Context<'c>) -> Result<&'c DataLoader<Loaders>> {
    ctx.data::<DataLoader<Loaders>>()
}

pub fn snapshot(ctx: &Context<'_>) -> Result<Arc<Snapshot>> {
    Ok(request(ctx)?.app.snapshots.current())
}
