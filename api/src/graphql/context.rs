//! What a resolver works with.

use super::change_feed::ChangeFeed;
use super::error::{Code, bad_input, error, from_store};
use super::loaders::Cached;
use super::operation_thread::{self, read_here, work_here};
use super::page::Cursors;
use super::refresher::Refresher;
use super::shown::{Audiences, Shown};
use crate::admission::{Admission, Owner};
use crate::auth::Viewer;
use crate::budget::Budget;
use crate::limits::Limits;
use async_graphql::{Context, Result};
use futures_util::future::{Either, ready};
use jobs::snapshot::{Snapshot, SnapshotStore};
use jobs::statistics::Editions;
use schema::db::StatementCount;
use schema::enums::{Locale, Role};
use schema::keys::Keys;
use schema::pseudonyms::{Pseudonyms, Subject};
use schema::{Conn, Db, Id, StoreError};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use tracing::Instrument;

/// What all requests share.
#[derive(Clone)]
pub struct App {
    /// For requests: PostgreSQL breaks off what runs longer than a deadline.
    pub db: Db,
    /// For what may take its time: jobs, and reading the snapshot.
    pub background_db: Db,
    pub snapshots: Arc<SnapshotStore>,
    /// What brings the snapshot up to date.
    pub refresher: Arc<Refresher>,
    /// What is shown of the snapshot to who sees aggregates alone.
    pub editions: Arc<Editions>,
    /// None where no key file was named: there are no pseudonyms then.
    pub keys: Option<Arc<Keys>>,
    pub audiences: Arc<Audiences>,
    pub change_feed: ChangeFeed,
    /// How many statistics are computed at once.
    pub statistics: Admission,
    /// How many questions in SQL are asked at once.
    pub questions: Admission,
}

/// What belongs to one request.
#[derive(Clone)]
pub struct RequestContext {
    pub app: App,
    /// None for an introspection without a token.
    pub viewer: Option<Viewer>,
    /// Pseudonyms and cursors, which are of the viewer's audience alone.
    pub shown: Arc<Shown>,
    /// Counts the statements of the request.
    pub statements: StatementCount,
    /// The limits of the viewer's role.
    pub limits: Arc<Limits>,
    /// The language of names, unless a field says another.
    pub locale: Locale,
    /// Whether nothing is written.
    pub is_query: bool,
    /// Held by the field that computes: an operation with many such fields takes one place, and not all.
    pub computes: Arc<tokio::sync::Mutex<()>>,
    /// The time and the bytes that the request may take.
    pub budget: Budget,
    /// Whether every field is watched over, because one of them panicked.
    pub watched: bool,
    /// Whether it shows complaints by id or by what was written in them.
    pub shows_complaints: bool,
    /// Who was shown to whoever asks.
    pub seen: Arc<Mutex<Seen>>,
}

/// People and enterprises whose names were shown, officers whose files were, and complaints whose ids or texts were.
#[derive(Debug, Default, Serialize)]
pub struct Seen {
    #[serde(skip_serializing_if = "Noted::is_empty")]
    pub officers: Noted,
    #[serde(skip_serializing_if = "Noted::is_empty")]
    pub enterprises: Noted,
    #[serde(skip_serializing_if = "Noted::is_empty")]
    pub files: Noted,
    #[serde(skip_serializing_if = "Noted::is_empty")]
    pub complaints: Noted,
    /// What was asked in SQL.
    #[serde(skip)]
    pub sql: Vec<String>,
}

impl Seen {
    pub fn is_empty(&self) -> bool {
        [&self.officers, &self.enterprises, &self.files, &self.complaints].into_iter().all(Noted::is_empty)
    }
}

/// Ids that were shown. Fields of one row note the same one after another.
#[derive(Debug, Default)]
pub struct Noted(Vec<Id>);

/// Ids of a kind that an entry of the audit log holds at most; of more, it says how many there were.
const MOST_IDS: usize = 1_000;

impl Noted {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, id: Id) {
        if self.0.last() != Some(&id) {
            self.0.push(id);
        }
    }
}

impl Serialize for Noted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let all: BTreeSet<&Id> = self.0.iter().collect();
        if all.len() <= MOST_IDS {
            return serializer.collect_seq(all);
        }
        let first: Vec<&Id> = all.iter().take(MOST_IDS).copied().collect();
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("count", &all.len())?;
        map.serialize_entry("first", &first)?;
        map.end()
    }
}

impl RequestContext {
    /// Computes a statistic: one at a time for each operation, a few at once for all, on a thread of a lower priority.
    pub async fn compute<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        self.compute_within(&self.app.statistics, work).await
    }

    /// Asks a question in SQL, likewise; these have places of their own.
    pub async fn ask<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        self.compute_within(&self.app.questions, work).await
    }

    async fn compute_within<T: Send + 'static>(
        &self,
        places: &Admission,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let _alone = self.computes.lock().await;
        let permit = places.acquire(Owner::of(self.viewer.as_ref())).await;
        // The permit goes along: cancelled work still has a thread until its stage ends.
        operation_thread::compute(move || {
            let _permit = permit;
            work()
        })
        .await
    }

    /// Notes that somebody was shown.
    pub fn saw(&self, kind: impl FnOnce(&mut Seen) -> &mut Noted, id: Id) {
        kind(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner)).add(id);
    }

    /// Notes the complaints of some rows, where the operation shows which they are or what was written in them.
    pub fn saw_complaints(&self, ids: impl IntoIterator<Item = Id>) {
        if self.shows_complaints {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            ids.into_iter().for_each(|id| seen.complaints.add(id));
        }
    }

    /// Counts the texts of rows that are copied for the answer: one list may stand in it very often.
    ///
    /// # Errors
    /// Where the answer holds too much already; it is refused as a whole.
    pub fn copies<'t>(&self, texts: impl IntoIterator<Item = Option<&'t String>>) -> Result<()> {
        self.budget.read(texts);
        match self.budget.is_spent() {
            true => Err(bad_input("the answer is too large")),
            false => Ok(()),
        }
    }

    /// Notes what was asked in SQL.
    pub fn asked_sql(&self, sql: String) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).sql.push(sql);
    }

    /// The pseudonyms that the viewer sees.
    pub fn pseudonyms(&self) -> Result<&Pseudonyms> {
        self.shown.pseudonyms.as_ref().ok_or_else(|| {
            error(Code::Forbidden, "there are no pseudonyms: the server was started without a key file (--key-file)")
        })
    }

    /// What stands for somebody who is not to be known.
    pub fn pseudonym(&self, subject: Subject, id: Id) -> Result<String> {
        Ok(self.pseudonyms()?.of(subject, id))
    }

    /// The cursors of the viewer's audience.
    pub fn cursors(&self) -> &Cursors {
        &self.shown.cursors
    }

    /// By which pseudonyms people and enterprises are ordered, where the viewer sees nothing else of them.
    pub fn ordering_pseudonyms(&self) -> Option<&Pseudonyms> {
        let hides = self.viewer.as_ref().is_some_and(Viewer::sees_pseudonyms_alone);
        self.shown.pseudonyms.as_ref().filter(|_| hides)
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
