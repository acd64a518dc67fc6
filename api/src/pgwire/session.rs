//! The session of a client that has logged in.

use super::errors::{error, fatal, with_hint};
use super::gate::{Gate, Rights};
use super::settings::Settings;
use super::stop::{Registered, Running};
use crate::access::Viewer;
use crate::config::Limits;
use crate::sql::SqlAsker;
use pgwire::api::ClientInfo;
use pgwire::error::PgWireResult;
use pgwire::messages::response::TransactionStatus;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of the prepared statements and bound parameters of a session.
const KEPT_BYTES: usize = 8 * 1024 * 1024;
/// Portals of a session: each may hold an answer.
pub const PORTALS: usize = 8;

/// The session of a client.
pub struct Session {
    pub gate: Arc<dyn Gate>,
    pub viewer: Viewer,
    pub asker: SqlAsker,
    pub settings: Settings,
    registered: Registered,
    rights: tokio::sync::Mutex<Box<dyn Rights>>,
    kept: Mutex<Kept>,
    /// The permits for answers of all tokens.
    answers: Arc<TokenPermits>,
    /// Permit for one of the connections that the token may have.
    _permit: TokenPermit,
}

/// Bytes of what a client keeps in its session, by name.
#[derive(Default)]
struct Kept {
    statements: HashMap<String, usize>,
    portals: HashMap<String, usize>,
}

impl Session {
    pub fn new(
        gate: Arc<dyn Gate>,
        (viewer, asker): (Viewer, SqlAsker),
        registered: Registered,
        (permit, answers): (TokenPermit, Arc<TokenPermits>),
    ) -> Self {
        let rights = tokio::sync::Mutex::new(gate.rights(&viewer));
        let settings = Settings::of(&viewer.name);
        Self { gate, viewer, asker, settings, registered, rights, kept: Mutex::default(), answers, _permit: permit }
    }

    /// The session of a client.
    ///
    /// # Errors
    /// If the client has not logged in.
    pub fn of<C: ClientInfo>(client: &C) -> PgWireResult<Arc<Self>> {
        client.session_extensions().get::<Self>().ok_or_else(|| fatal("28000", "log in first"))
    }

    /// Checks that the token is still valid.
    ///
    /// # Errors
    /// Ends the session otherwise.
    pub async fn check(&self) -> PgWireResult<()> {
        match self.rights.lock().await.are_valid().await {
            true => Ok(()),
            false => Err(fatal("28000", "the token has expired, was revoked or has other rights now")),
        }
    }

    /// Counts a question.
    ///
    /// # Errors
    /// If the token exceeds its rate limit.
    pub fn count(&self) -> PgWireResult<()> {
        self.gate.count(&self.viewer).map_err(|wait| {
            let failure = error("53400", "the token asks more questions a minute than it may");
            with_hint(failure, format!("try again in {} s", wait.as_secs() + 1))
        })
    }

    /// Takes one of the permits that the token has for answers. An answer stays in memory until its client has read it.
    ///
    /// # Errors
    /// If the token holds too many answers.
    pub fn keep_answer(&self) -> PgWireResult<TokenPermit> {
        self.answers.take(self.viewer.token_id).ok_or_else(|| {
            let most = self.answers.per_token;
            let failure = error("53200", format!("the token holds {most} answers that are not read to their end"));
            with_hint(failure, "read them to their end, or close their portals or connections")
        })
    }

    pub fn begin(&self) -> Running {
        self.registered.current.begin(&self.gate)
    }

    pub fn limits(&self) -> Arc<Limits> {
        self.gate.limits(&self.viewer)
    }

    /// Time that a question may take: the limit of the role, or less where the client says so.
    pub fn time(&self) -> Duration {
        let most = self.limits().deadline();
        self.settings.statement_timeout().map_or(most, |own| own.min(most))
    }

    /// Makes room for a prepared statement.
    ///
    /// # Errors
    /// If the session keeps too much.
    pub fn keep_statement(&self, name: &str, bytes: usize) -> PgWireResult<()> {
        let mut kept = self.kept();
        kept.statements.insert(name.to_owned(), bytes + name.len());
        let all = kept.bytes();
        if all > KEPT_BYTES {
            kept.statements.remove(name);
        }
        room(all)
    }

    /// Makes room for a portal.
    ///
    /// # Errors
    /// If the session keeps too much.
    pub fn keep_portal(&self, name: &str, bytes: usize) -> PgWireResult<()> {
        let mut kept = self.kept();
        kept.portals.insert(name.to_owned(), bytes + name.len());
        let (all, portals) = (kept.bytes(), kept.portals.len());
        if all > KEPT_BYTES || portals > PORTALS {
            kept.portals.remove(name);
        }
        room(all)?;
        match portals > PORTALS {
            true => Err(error("53400", format!("a session has at most {PORTALS} open portals: close some"))),
            false => Ok(()),
        }
    }

    pub fn forget_statement(&self, name: &str) {
        self.kept().statements.remove(name);
    }

    pub fn forget_portal(&self, name: &str) {
        self.kept().portals.remove(name);
    }

    pub fn forget_portals(&self) {
        self.kept().portals.clear();
    }

    /// Removes all prepared statements, and returns their names.
    pub fn forget_statements(&self) -> Vec<String> {
        self.kept().statements.drain().map(|(name, _)| name).collect()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn bytes(&self) -> usize {
        self.statements.values().chain(self.portals.values()).sum()
    }
}

fn room(bytes: usize) -> PgWireResult<()> {
    match bytes > KEPT_BYTES {
        true => Err(error("53400", "the session keeps too many prepared statements: close some (DEALLOCATE ALL)")),
        false => Ok(()),
    }
}

/// Refuses a statement in a transaction that failed.
///
/// # Errors
/// `25P02`.
pub fn refuse_in_failed_transaction<C: ClientInfo>(client: &C) -> PgWireResult<()> {
    match client.transaction_status() {
        TransactionStatus::Error => {
            let failure =
                error("25P02", "current transaction is aborted, commands ignored until end of transaction block");
            Err(with_hint(failure, "send ROLLBACK"))
        }
        _ => Ok(()),
    }
}

/// Number of connections or answers of each token.
pub struct TokenPermits {
    per_token: usize,
    by_token: Mutex<HashMap<schema::Id, Arc<Semaphore>>>,
}

/// The permit of a connection or answer among those of its token, given back when dropped.
pub type TokenPermit = OwnedSemaphorePermit;

impl TokenPermits {
    pub fn new(per_token: usize) -> Self {
        Self { per_token, by_token: Mutex::default() }
    }

    /// None if the token has all that it may have.
    pub fn take(&self, token: schema::Id) -> Option<TokenPermit> {
        let mut by_token = self.by_token.lock().unwrap_or_else(PoisonError::into_inner);
        // Remove the tokens that hold none.
        by_token.retain(|_, permits| permits.available_permits() < self.per_token);
        let permits = by_token.entry(token).or_insert_with(|| Arc::new(Semaphore::new(self.per_token)));
        Arc::clone(permits).try_acquire_owned().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_gets_its_permits_back() {
        let permits = TokenPermits::new(2);
        let [one, other] = [1, 2].map(|number| schema::Id(uuid::Uuid::from_u128(number)));
        let held = [permits.take(one), permits.take(one)];
        assert!(held.iter().all(Option::is_some) && permits.take(one).is_none());
        assert!(permits.take(other).is_some(), "each token has its own");
        drop(held);
        assert!(permits.take(one).is_some());
        assert!(permits.by_token.lock().unwrap().len() <= 2, "tokens without connections are forgotten");
    }
}
