//! A session of a cluster, and the views in it.

use super::Address;
use super::answer::{ClusterAnswer, Question};
use super::messages::{Command, CreateView, DataSource, ExecutePlanRequest, Plan, Read, Relation};
use super::rpc::Connection;
use crate::sql::{QueryError, QueryLimits};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;
use uuid::Uuid;

/// What an answer must not depend on the cluster for.
const SETTINGS: [(&str, &str); 2] = [("spark.sql.session.timeZone", "UTC"), ("spark.sql.ansi.enabled", "true")];
/// The name of this client in the logs of the cluster.
const CLIENT: &str = "phananh";

/// How long the end of a session may take.
const RELEASES_WITHIN: Duration = Duration::from_secs(2);

/// The views that a question reads, and their files.
#[derive(Debug, Clone)]
pub struct Views {
    /// Names the state of the lake: views of another state are in another session.
    pub state: String,
    /// Tables with the paths of their files, as the cluster sees them.
    pub tables: Vec<(String, Vec<String>)>,
}

/// A session with the views of one state of the lake. Sail starts workers for each session, so that one lives on.
#[derive(Debug, Clone)]
struct Session {
    id: String,
    state: String,
    is_set: bool,
    views: BTreeSet<String>,
}

/// A cluster. Its session stays from one question to the next.
pub struct Cluster {
    address: Address,
    session: Arc<Mutex<Option<Session>>>,
}

impl Cluster {
    pub fn new(address: Address) -> Self {
        Self { address, session: Arc::default() }
    }

    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Asks a question, which [`text`](super::text) has checked. Blocks until the first rows or an error.
    ///
    /// # Errors
    /// As [`QueryError`] says.
    pub fn ask(&self, sql: String, views: Views, limits: QueryLimits) -> Result<ClusterAnswer, QueryError> {
        let sessions = Sessions { session: Arc::clone(&self.session) };
        ClusterAnswer::begin(Question { address: self.address.clone(), sessions, sql, views, limits })
    }
}

impl Drop for Cluster {
    /// Ends the session, so that the cluster ends its workers.
    fn drop(&mut self) {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(session) = session else { return };
        let address = self.address.clone();
        // A thread of its own: the caller may be one that runs futures.
        let releasing = Builder::new().name("sql-release".into()).spawn(move || release(&address, &session.id));
        if let Ok(thread) = releasing {
            let _released = thread.join();
        }
    }
}

fn release(address: &Address, session: &str) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    let releasing = async { Connection::open(address).await?.release(session).await };
    let released = runtime.block_on(async { tokio::time::timeout(RELEASES_WITHIN, releasing).await });
    if !matches!(released, Ok(Ok(()))) {
        tracing::debug!(%address, "the cluster does not say that it ended a session: it ends idle ones itself");
    }
}

/// What the thread of a question needs of the cluster's session.
pub struct Sessions {
    session: Arc<Mutex<Option<Session>>>,
}

impl Sessions {
    /// A session with these views. `begun` gets its name at once.
    ///
    /// # Errors
    /// When the cluster refuses a view.
    pub async fn with(
        &self,
        connection: &mut Connection,
        views: &Views,
        begun: &mut Option<String>,
    ) -> Result<String, QueryError> {
        let mut session = self.of_state(&views.state);
        *begun = Some(session.id.clone());
        if !session.is_set {
            connection.configure(&session.id, &SETTINGS).await?;
            session.is_set = true;
        }
        for (name, files) in &views.tables {
            if !session.views.contains(name) {
                create(connection, &session.id, name, files).await?;
                session.views.insert(name.clone());
            }
        }
        let id = session.id.clone();
        if let Some(present) = self.lock().as_mut().filter(|present| present.id == id) {
            present.is_set = true;
            present.views.append(&mut session.views);
        }
        Ok(id)
    }

    /// Forgets a session: the next question begins another one.
    pub fn forget(&self, id: &str) {
        self.lock().take_if(|session| session.id == id);
    }

    /// The session of a state. One of another state is left to the questions that run in it: the cluster ends it when
    /// it was idle for long.
    fn of_state(&self, state: &str) -> Session {
        let mut present = self.lock();
        if let Some(session) = present.as_ref().filter(|session| session.state == state) {
            return session.clone();
        }
        let id = Uuid::new_v4().to_string();
        let session = Session { id, state: state.to_owned(), is_set: false, views: BTreeSet::new() };
        *present = Some(session.clone());
        session
    }

    fn lock(&self) -> MutexGuard<'_, Option<Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request to execute a plan.
pub fn request(connection: &Connection, session: &str, operation: &str, plan: Plan) -> ExecutePlanRequest {
    ExecutePlanRequest {
        session_id: session.to_owned(),
        user_context: Some(connection.user()),
        plan: Some(plan),
        client_type: Some(CLIENT.to_owned()),
        operation_id: Some(operation.to_owned()),
    }
}

async fn create(connection: &mut Connection, session: &str, name: &str, files: &[String]) -> Result<(), QueryError> {
    let source = DataSource { format: Some("parquet".to_owned()), paths: files.to_vec(), ..DataSource::default() };
    let input = Relation { read: Some(Read { data_source: Some(source) }), ..Relation::default() };
    let view = CreateView { input: Some(input), name: name.to_owned(), replace: true };
    let plan = Plan { root: None, command: Some(Command { create_view: Some(view) }) };
    let request = request(connection, session, &Uuid::new_v4().to_string(), plan);
    let mut answered = connection.execute(request).await?;
    while connection.next(&mut answered).await?.is_some() {}
    Ok(())
}
