//! The client of a cluster: asks questions, and ends the session when it is dropped.

use super::Address;
use super::answer::{ClusterAnswer, Question};
use super::rpc::Connection;
use super::session::{Sessions, Views};
use crate::sql::{QueryError, QueryLimits};
use std::thread::Builder;
use std::time::Duration;

/// The end of a session may take this long.
const RELEASES_WITHIN: Duration = Duration::from_secs(2);

/// A cluster. Questions about the same state of the lake share a session.
pub struct Cluster {
    address: Address,
    sessions: Sessions,
}

impl Cluster {
    pub fn new(address: Address) -> Self {
        Self { address, sessions: Sessions::default() }
    }

    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Asks a question, which [`text`](super::text) has checked. Blocks until the first rows or an error.
    ///
    /// # Errors
    /// The variants of [`QueryError`].
    pub fn ask(&self, sql: String, views: Views, limits: QueryLimits) -> Result<ClusterAnswer, QueryError> {
        let (address, sessions) = (self.address.clone(), self.sessions.clone());
        ClusterAnswer::begin(Question { address, sessions, sql, views, limits })
    }
}

impl Drop for Cluster {
    /// Ends the session, so that the cluster stops its workers.
    fn drop(&mut self) {
        let Some(session) = self.sessions.take() else { return };
        let address = self.address.clone();
        // On a thread of its own: `block_on` panics on a thread that runs futures.
        let releasing = Builder::new().name("sql-release".into()).spawn(move || release(&address, &session));
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
