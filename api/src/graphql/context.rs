//! The context of resolvers: what all requests share, and what belongs to one request.

use super::audience_view::{AudienceView, AudienceViews};
use super::audit_subjects::{AskedSql, AuditSubjects, EndedSql, ShownIds};
use super::change_feed::ChangeFeed;
use super::error::{Code, bad_input, error, from_store};
use super::exact_snapshots::ExactSnapshots;
use super::execute::object_cache::ObjectCache;
use super::execute::operation_thread::{self, blocking, read_here};
use super::page::Cursors;
use super::reads::{ReadRouter, Reads};
use super::refresher::Refresher;
use super::statistics_cache::{StatisticKey, StatisticsCache, Weighed};
use crate::access::Viewer;
use crate::admission::{Admission, Owner};
use crate::budget::Budget;
use crate::config::Limits;
use crate::receipt_limits::ReceiptLimits;
use crate::sql::SqlService;
use async_graphql::{Context, Result};
use chrono::NaiveDate;
use jobs::results::LatestDocument;
use jobs::results::recurrence::RecurrenceDocument;
use jobs::runner::on_demand::OnDemand;
use jobs::snapshot::{Snapshot, SnapshotStore};
use jobs::statistics::Editions;
use schema::db::StatementCount;
use schema::domain::calendar::local_date;
use schema::domain::suspension::SuspensionLimits;
use schema::enums::{Locale, Role};
use schema::keys::Keys;
use schema::pseudonyms::{Pseudonyms, Subject};
use schema::{Conn, Db, Id, StoreError, Timestamp};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tracing::Instrument;

/// The state that all requests share.
#[derive(Clone)]
pub struct App {
    /// Pool for requests, to the primary: PostgreSQL cancels statements that run longer than a deadline.
    pub db: Db,
    /// Pool for jobs and for reading the snapshot, without that deadline.
    pub background_db: Db,
    /// Whether the primary or the replica answers an operation.
    pub reads: Arc<ReadRouter>,
    pub snapshots: Arc<SnapshotStore>,
    /// Keeps the snapshot up to date.
    pub refresher: Arc<Refresher>,
    /// The editions of the snapshot for viewers of aggregates only.
    pub editions: Arc<Editions>,
    /// None if the server has no key file; then there are no pseudonyms.
    pub keys: Option<Arc<Keys>>,
    pub audiences: Arc<AudienceViews>,
    pub change_feed: ChangeFeed,
    /// Limits on the suspension of officers.
    pub suspension_limits: Arc<SuspensionLimits>,
    /// The JSON of objects in lists.
    pub objects: Arc<ObjectCache>,
    /// The cache of results computed from the snapshot.
    pub statistics_cache: Arc<StatisticsCache>,
    /// The document that the latest recurrence run stored.
    pub latest_recurrence: Arc<LatestDocument<RecurrenceDocument>>,
    /// Whether pages may come from the snapshot.
    pub exact_snapshots: Arc<ExactSnapshots>,
    /// Executes the runs of jobs that clients start.
    pub on_demand: Arc<OnDemand>,
    /// Admission control of statistics.
    pub statistics: Admission,
    /// Admission control of SQL queries.
    pub sql_queries: Admission,
    /// Answers SQL queries.
    pub sql: Arc<SqlService>,
    /// Limits on the tries of receipt codes, and other settings of the intake.
    pub receipt_limits: Arc<ReceiptLimits>,
}

/// The state of one request.
#[derive(Clone)]
pub struct RequestContext {
    pub app: App,
    /// None without a token: for the holder of a receipt, or an introspection.
    pub viewer: Option<Viewer>,
    /// The database that [`Self::read`] reads.
    pub reads: Reads,
    /// The pseudonyms and cursors of the audience of the viewer.
    pub audience_view: Arc<AudienceView>,
    /// Counts the SQL statements of the request.
    pub statements: StatementCount,
    /// The limits of the viewer's role.
    pub limits: Arc<Limits>,
    /// The default language of names.
    pub locale: Locale,
    /// The position that the tables of its SQL must hold, by the request's header; `i64::MIN` without one.
    pub at_least: i64,
    /// Whether the operation is a query, which writes nothing.
    pub is_query: bool,
    /// Held by the field that computes, so that an operation with many such fields takes one permit only.
    pub computes: Arc<tokio::sync::Mutex<()>>,
    /// Whether each response key occurs once in its selection, without directives.
    pub selects_each_field_once: bool,
    /// Whether the operation consists of lists of complaints, whose whole answers are kept.
    pub selects_lists_only: bool,
    /// The deadline, and the bytes that the answer may have.
    pub budget: Budget,
    /// Whether panics of fields are caught, because a field panicked in an earlier run of this request.
    pub catches_panics: bool,
    /// Whether the operation shows the id or the content of complaints.
    pub shows_complaints: bool,
    /// The subjects that the viewer was shown, for the audit log.
    pub seen: Arc<Mutex<AuditSubjects>>,
    /// The snapshot that was at the register's position after the request arrived; None if it lagged behind, or the
    /// operation has no list of complaints at the root.
    pub exact: Option<Arc<Snapshot>>,
}

impl RequestContext {
    /// The day that all of the operation sees.
    pub fn today(&self) -> NaiveDate {
        self.viewer.as_ref().map_or_else(|| local_date(Timestamp::now()), Viewer::today)
    }

    /// A name in a language, by default that of the request. Vietnamese without an English name.
    pub fn name_in<'n>(&self, locale: Option<Locale>, name_vi: &'n str, name_en: Option<&'n str>) -> &'n str {
        let english = name_en.filter(|_| locale.unwrap_or(self.locale) == Locale::En);
        english.unwrap_or(name_vi)
    }

    /// Computes a statistic on a low-priority thread. Each operation computes one at a time; admission control
    /// limits them over all operations.
    ///
    /// # Errors
    /// The error of `work`.
    pub async fn compute<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        self.compute_within(&self.app.statistics, Box::new(work)).await
    }

    /// Like [`Self::compute`], once for all that ask for the statistic of a key; None: for this field alone.
    ///
    /// # Errors
    /// The error of `work`.
    pub async fn compute_once<T: Weighed>(
        &self,
        key: Option<StatisticKey>,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<Arc<T>> {
        let computing = self.compute(work);
        match key {
            Some(key) => {
                let computing = async { computing.await.map(|computed| (computed, true)) };
                Box::pin(self.app.statistics_cache.get_or_compute(key, computing)).await
            }
            None => Box::pin(computing).await.map(Arc::new),
        }
    }

    /// The same as [`Self::compute`] for a SQL query, with separate permits.
    ///
    /// # Errors
    /// Same errors as [`Self::compute`].
    pub async fn run_sql<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        self.compute_within(&self.app.sql_queries, Box::new(work)).await
    }

    async fn compute_within<T: Send + 'static>(
        &self,
        places: &Admission,
        work: Box<dyn FnOnce() -> Result<T> + Send>,
    ) -> Result<T> {
        let _alone = self.computes.lock().await;
        let permit = places.acquire(Owner::of(self.viewer.as_ref())).await;
        // The permit moves with the work: cancelled work occupies a thread until its stage ends.
        let work = move || {
            let _permit = permit;
            work()
        };
        operation_thread::compute(Box::new(work)).await
    }

    /// Notes a shown subject for the audit log.
    pub fn note_shown(&self, kind: impl Fn(&mut AuditSubjects) -> &mut ShownIds, id: Id) {
        AuditSubjects::record(&kind, id);
        kind(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner)).add(id);
    }

    /// Notes the subjects that a cached object shows.
    pub fn note_all_shown(&self, subjects: &AuditSubjects) {
        AuditSubjects::record_all(subjects);
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).extend(subjects);
    }

    /// Notes shown complaints, if the operation shows their ids or content.
    pub fn note_complaints(&self, ids: impl IntoIterator<Item = Id>) {
        if self.shows_complaints {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            ids.into_iter().for_each(|id| seen.complaints.add(id));
        }
    }

    /// Counts texts that are copied into the answer: one list may occur in it many times.
    ///
    /// # Errors
    /// BAD_USER_INPUT if the answer is too large; the writer then refuses it as a whole.
    pub fn charge_texts<'t>(&self, texts: impl IntoIterator<Item = Option<&'t String>>) -> Result<()> {
        self.budget.read(texts);
        match self.budget.is_spent() {
            true => Err(bad_input("the answer is too large: ask for smaller pages or fewer fields")),
            false => Ok(()),
        }
    }

    /// Notes a SQL query that begins, for the audit log, also if the client does not wait for its end. Returns its
    /// place for [`Self::note_sql_end`].
    pub fn note_sql(&self, text: String) -> usize {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.sql.push(AskedSql { text, began: Instant::now(), end: None });
        seen.sql.len() - 1
    }

    /// Notes how a SQL query ended: the rows of its answer, or why it has none.
    pub fn note_sql_end(&self, index: usize, rows: std::result::Result<u64, String>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(asked) = seen.sql.get_mut(index) {
            asked.end = Some(EndedSql { took: asked.began.elapsed(), rows });
        }
    }

    /// The pseudonyms of the audience of the viewer.
    ///
    /// # Errors
    /// FORBIDDEN if the server has no key file.
    pub fn pseudonyms(&self) -> Result<&Pseudonyms> {
        self.audience_view.pseudonyms.as_ref().ok_or_else(|| {
            error(Code::Forbidden, "there are no pseudonyms: the server was started without a key file (--key-file)")
        })
    }

    /// The pseudonym of a subject.
    ///
    /// # Errors
    /// FORBIDDEN if the server has no key file.
    pub fn pseudonym(&self, subject: Subject, id: Id) -> Result<String> {
        Ok(self.pseudonyms()?.of(subject, id))
    }

    /// The cursors of the audience of the viewer.
    pub fn cursors(&self) -> &Cursors {
        &self.audience_view.cursors
    }

    /// The pseudonyms that replace ids in orders, for a viewer of pseudonyms only; None for others.
    pub fn ordering_pseudonyms(&self) -> Option<&Pseudonyms> {
        let hides = self.viewer.as_ref().is_some_and(Viewer::sees_pseudonyms_alone);
        self.audience_view.pseudonyms.as_ref().filter(|_| hides)
    }

    /// Reads from the database on a thread that may block. A query may read from the replica: what must see the present
    /// takes [`App::db`].
    ///
    /// # Errors
    /// The store error, as [`from_store`] shows it.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T> {
        let span = tracing::info_span!("database");
        let work = match span.in_scope(|| read_here(&self.reads, &self.statements, work)) {
            Ok(found) => return found,
            Err(work) => work,
        };
        let (reads, statements) = (self.reads.clone(), Arc::clone(&self.statements));
        // Boxed: what waits for another thread is compiled once for each result, and not for each read.
        let work: Box<dyn FnOnce() -> Result<T> + Send> =
            Box::new(move || reads.session(&statements).map_err(from_store)?.read(work));
        blocking(work).instrument(span).await
    }
}

/// The context of the request.
///
/// # Errors
/// If the schema runs without a [`RequestContext`].
pub fn request<'c>(ctx: &Context<'c>) -> Result<&'c RequestContext> {
    ctx.data::<RequestContext>()
}

/// The viewer of the request.
///
/// # Errors
/// `UNAUTHENTICATED` if the request has no token.
pub fn viewer<'c>(ctx: &Context<'c>) -> Result<&'c Viewer> {
    request(ctx)?.viewer.as_ref().ok_or_else(|| error(Code::Unauthenticated, "send a token: Authorization: Bearer …"))
}

/// The unit of which the viewer is the head.
///
/// # Errors
/// FORBIDDEN for other viewers.
pub fn own_unit(ctx: &Context<'_>) -> Result<Id> {
    let viewer = viewer(ctx)?;
    match (viewer.role, viewer.unit_id) {
        (Role::UnitHead, Some(unit)) => Ok(unit),
        _ => Err(error(Code::Forbidden, "only the head of a unit may do this")),
    }
}

/// The snapshot that statistics of the request are computed from.
///
/// # Errors
/// If the schema runs without a [`RequestContext`].
pub fn snapshot(ctx: &Context<'_>) -> Result<Arc<Snapshot>> {
    Ok(request(ctx)?.app.snapshots.current())
}
