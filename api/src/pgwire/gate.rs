//! The interface that the server gives the protocol: tokens, limits and the audit log.

use crate::access::Viewer;
use crate::admission::Admission;
use crate::config::Limits;
use crate::sql::{SqlAsker, SqlService};
use async_trait::async_trait;
use schema::db::cancellation::CancelToken;
use schema::register::audit::Audited;
use std::sync::Arc;
use std::time::Duration;

/// The server behind the protocol.
#[async_trait]
pub trait Gate: Send + Sync {
    /// The owner of a token.
    ///
    /// # Errors
    /// If the token is not valid or cannot be looked up.
    async fn login(&self, token: String) -> Result<Viewer, LoginFailure>;

    /// The rights of an owner, watched while the value lives.
    fn rights(&self, viewer: &Viewer) -> Box<dyn Rights>;

    /// The owner as an asker of SQL.
    ///
    /// # Errors
    /// If the owner may not ask SQL. The message says why.
    fn asker(&self, viewer: &Viewer) -> Result<SqlAsker, String>;

    fn limits(&self, viewer: &Viewer) -> Arc<Limits>;

    /// Counts a question towards the rate limit of the token.
    ///
    /// # Errors
    /// The time to wait, if the limit is reached.
    fn count(&self, viewer: &Viewer) -> Result<(), Duration>;

    /// The permits of questions.
    fn permits(&self) -> &Admission;

    fn sql(&self) -> Arc<SqlService>;

    /// Cancels work, and the statement that runs for it.
    fn cancel(&self, token: &Arc<CancelToken>);

    /// Writes an entry of the audit log.
    async fn audit(&self, entry: Audited);
}

/// Whether an owner still has the rights it logged in with.
#[async_trait]
pub trait Rights: Send {
    /// Looks the rights up again if the last look-up is old.
    async fn are_valid(&mut self) -> bool;
}

/// Why a login failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginFailure {
    /// The token is not known, has expired or was revoked.
    Unknown,
    /// The database cannot be reached.
    Unavailable,
}
