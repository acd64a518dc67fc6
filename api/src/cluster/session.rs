//! A session of a cluster, and the views in it.

use super::messages::{Command, CreateView, DataSource, ExecutePlanRequest, Plan, Read, Relation};
use super::rpc::Connection;
use crate::sql::QueryError;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// Settings of Spark that answers depend on, or without which it refuses a question.
const SETTINGS: [(&str, &str); 3] = [
    ("spark.sql.session.timeZone", "UTC"),
    ("spark.sql.ansi.enabled", "true"),
    // The counts of recurrence have more levels of subqueries than Spark resolves by default.
    ("spark.sql.analyzer.maxIterations", "1000"),
];
/// The name of this client in the logs of the cluster.
const CLIENT: &str = "phananh";

/// The views that a question reads, and their files.
#[derive(Debug, Clone)]
pub struct Views {
    /// The name of the state of the lake. Each state has a session with its own views.
    pub state: String,
    /// Tables with the paths of their files, as the cluster sees them.
    pub tables: Vec<(String, Vec<String>)>,
}

/// A session with the views of one state of the lake. It is kept, because Sail starts workers for each session.
#[derive(Debug, Clone)]
struct Session {
    id: String,
    state: String,
    is_set: bool,
    views: BTreeSet<String>,
}

/// The session of a cluster, which questions about the same state of the lake share.
#[derive(Debug, Clone, Default)]
pub struct Sessions {
    session: Arc<Mutex<Option<Session>>>,
}

impl Sessions {
    /// A session with these views. `begun` gets its id before the views are made, so that the caller can cancel.
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

    /// Takes the session out, so that the caller ends it. Returns its id; None if no session has begun.
    pub fn take(&self) -> Option<String> {
        self.lock().take().map(|session| session.id)
    }

    /// Forgets a session: the next question begins a new one.
    pub fn forget(&self, id: &str) {
        self.lock().take_if(|session| session.id == id);
    }

    /// The session of a state. A session of another state stays open for the questions that run in it; the cluster ends
    /// it after a long idle time.
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
