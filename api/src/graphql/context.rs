//! What a resolver works with.

use super::bus::Bus;
use super::error::{Code, error, from_store};
use super::loaders::Cached;
use super::page::Cursors;
use super::thread::{read_here, work_here};
use crate::auth::Viewer;
use crate::limits::Limits;
use async_graphql::{Context, Result};
use futures_util::future::{Either, ready};
use jobs::snapshot::{Snapshot, SnapshotStore};
use jobs::statistics::Editions;
use schema::db::StatementCount;
use schema::enums::{Locale, Role};
use schema::keys::Keys;
use schema::{Conn, Db, Id, StoreError};
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tracing::Instrument;

/// What all requests share.
#[derive(Clone)]
pub struct App {
    /// For requests: PostgreSQL breaks off what runs longer than a deadline.
    pub db: Db,
    /// For what may take its time: jobs, and reading the snapshot.
    pub unhurried: Db,
    pub snapshots: Arc<SnapshotStore>,
    /// What is shown of the snapshot to who sees aggregates alone.
    pub editions: Arc<Editions>,
    /// None where no key file was named: there are no pseudonyms then.
    pub keys: Option<Arc<Keys>>,
    pub cursors: Cursors,
    pub bus: Bus,
    /// How many statistics are computed at once.
    pub turns: Arc<Semaphore>,
    /// How many questions in SQL are asked at once.
    pub sql_turns: Arc<Semaphore>,
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
    /// The language of names, unless a field says another.
    pub locale: Locale,
    /// Whether nothing is written.
    pub is_query: bool,
    /// Held by the field that computes: those of one operation have one thread, and would only keep turns from others.
    pub computes: Arc<tokio::sync::Mutex<()>>,
    /// Whether every field is watched over, because one of them panicked.
    pub watched: bool,
    /// Who was shown to whoever asks.
    pub seen: Arc<Mutex<Seen>>,
}

/// People and enterprises whose names were shown, and officers whose files were, by id.
#[derive(Debug, Default, Serialize)]
pub struct Seen {
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub officers: BTreeSet<Id>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub enterprises: BTreeSet<Id>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub files: BTreeSet<Id>,
    /// What was asked in SQL.
    #[serde(skip)]
    pub sql: Vec<String>,
}

impl Seen {
    pub fn is_empty(&self) -> bool {
        self.officers.is_empty() && self.enterprises.is_empty() && self.files.is_empty()
    }
}

impl RequestContext {
    /// Notes that somebody was shown.
    pub fn saw(&self, kind: impl FnOnce(&mut Seen) -> &mut BTreeSet<Id>, id: Id) {
        kind(&mut self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)).insert(id);
    }

    /// Notes what was asked in SQL.
    pub fn asked_sql(&self, sql: String) {
        self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).sql.push(sql);
    }

    /// The keys of pseudonyms.
    pub fn keys(&self) -> Result<Arc<Keys>> {
        self.app.keys.clone().ok_or_else(|| {
            error(Code::Forbidden, "there are no pseudonyms: the server was started without a key file (--key-file)")
        })
    }

    /// What stands for somebody who is not to be known.
    pub fn pseudonym(&self, kind: &str, id: Id) -> Result<String> {
        Ok(self.keys()?.pseudonym(kind, id))
    }

    /// Reads from the database on a thread that may block.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T> {
        let span = tracing::info_span!("database");
        let work = match span.in_scope(|| read_here(&self.app.db, &self.statements, work)) {
            Ok(found) => return found,
            Err(work) => work,
        };
        let (db, statements) = (self.app.db.clone(), Arc::clone(&self.statements));
        blocking(move || db.session(&statements).and_then(|mut session| session.read(work)).map_err(from_store))
            .instrument(span)
            .await
    }
}

/// Waits for a turn. It is taken only when whoever waits can use it: a queue would give it to an operation whose thread is
/// busy with something else.
pub async fn turn(turns: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit> {
    loop {
        match Arc::clone(turns).try_acquire_owned() {
            Ok(turn) => return Ok(turn),
            Err(TryAcquireError::NoPermits) => tokio::time::sleep(Duration::from_millis(5)).await,
            Err(TryAcquireError::Closed) => return Err(error(Code::Internal, "the server ends")),
        }
    }
}

/// Runs work that blocks: on the thread of the operation, where there is one. A panic in it is an error of its caller.
pub fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> impl Future<Output = Result<T>> {
    // Done or handed over at once: what awaits it is small then, whatever the work holds.
    let working = match work_here(work) {
        Ok(done) => Either::Left(ready(done)),
        Err(work) => Either::Right(tokio::task::spawn_blocking(work)),
    };
    async move {
        match working {
            Either::Left(done) => done.await,
            Either::Right(working) => working.await.unwrap_or_else(|failure| {
                tracing::error!(error = %failure, "a request broke off");
                Err(error(Code::Internal, "the request broke off; the server's log says why"))
            }),
        }
    }
}

pub fn request<'c>(ctx: &Context<'c>) -> Result<&'c RequestContext> {
    ctx.data::<RequestContext>()
}

pub fn viewer<'c>(ctx: &Context<'c>) -> Result<&'c Viewer> {
    request(ctx)?.viewer.as_ref().ok_or_else(|| error(Code::Unauthenticated, "send a token: Authorization: Bearer …"))
}

/// The unit for which a head acts.
pub fn own_unit(ctx: &Context<'_>) -> Result<Id> {
    let viewer = viewer(ctx)?;
    match (viewer.role, viewer.unit_id) {
        (Role::UnitHead, Some(unit)) => Ok(unit),
        _ => Err(error(Code::Forbidden, "only the head of a unit does this")),
    }
}

pub fn loaders<'c>(ctx: &Context<'c>) -> Result<&'c Cached> {
    ctx.data::<Cached>()
}

pub fn snapshot(ctx: &Context<'_>) -> Result<Arc<Snapshot>> {
    Ok(request(ctx)?.app.snapshots.current())
}
