//! Cancellation: work is cancelled when its client disconnects or its deadline passes. Each thread works for a cancel token.
//!
//! A statement under way is cancelled, too. PostgreSQL takes a request to cancel it over another connection. SQLite runs a
//! statement to its end unless one of its functions fails: ours fails where the token of its thread is cancelled.

use super::{Db, StoreError};
use diesel::SqliteConnection;
use std::cell::RefCell;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long after a request to cancel the process of PostgreSQL is asked again.
const AGAIN_AFTER: Duration = Duration::from_millis(20);

thread_local! {
    static CURRENT: RefCell<Option<Arc<CancelToken>>> = const { RefCell::new(None) };
}

/// Says whether some work is cancelled, and which statement it runs.
#[derive(Debug, Default)]
pub struct CancelToken {
    cancelled: AtomicBool,
    /// The process of PostgreSQL that runs a statement for it.
    runs: Mutex<Option<i32>>,
}

impl CancelToken {
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    /// Cancels the work. Returns whether a statement is under way that [`Self::cancel_statement`] would end.
    pub fn cancel(&self) -> bool {
        self.cancelled.store(true, Ordering::SeqCst);
        self.runs().is_some()
    }

    /// Cancels the statement under way, and those that begin before their reader checks the token again.
    ///
    /// # Errors
    /// Where PostgreSQL cannot be told, twice in turn.
    pub fn cancel_statement(&self, db: &Db) -> Result<(), StoreError> {
        let mut failed = false;
        while self.runs().is_some() {
            let told = db.canceller().and_then(|mut canceller| {
                // Held until the signal is sent: the process may not begin with somebody else's statement before. Between
                // two statements PostgreSQL takes no notice of it.
                let runs = self.runs();
                runs.map_or(Ok(()), |process| canceller.cancel(process))
            });
            match told {
                Err(failure) if failed => return Err(failure),
                told => failed = told.is_err(),
            }
            std::thread::sleep(AGAIN_AFTER);
        }
        Ok(())
    }

    fn runs(&self) -> MutexGuard<'_, Option<i32>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sets the token that this thread works for; with None its work cannot be cancelled.
pub fn set_cancel_token(token: Option<Arc<CancelToken>>) {
    CURRENT.set(token);
}

/// Checks whether the work of this thread is cancelled.
///
/// # Errors
/// `Cancelled` where it is.
pub fn check_cancelled() -> Result<(), StoreError> {
    if is_cancelled() { Err(StoreError::Cancelled) } else { Ok(()) }
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// True. On SQLite only, which calls it for each row; it fails where the statement is cancelled.
    fn phananh_not_cancelled() -> Bool;
}

pub(super) fn register_functions(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    Ok(phananh_not_cancelled_utils::register_nondeterministic_impl(conn, || {
        fail_if_cancelled();
        true
    })?)
}

/// Makes the statement fail where it is cancelled. diesel catches this unwinding as it catches a panic, and since no panic
/// began it, the log has no entry of it.
pub(super) fn fail_if_cancelled() {
    if is_cancelled() {
        resume_unwind(Box::new("this statement is cancelled"));
    }
}

fn is_cancelled() -> bool {
    CURRENT.with_borrow(|token| token.as_ref().is_some_and(|token| token.is_cancelled()))
}

/// As long as it lives, a process of PostgreSQL runs statements of this thread.
pub(super) struct Running {
    token: Arc<CancelToken>,
    /// What ran before, and goes on when this has ended: a read within a read.
    before: Option<i32>,
}

impl Running {
    /// None where the work cannot be cancelled.
    pub fn on(process: Option<i32>) -> Option<Self> {
        let token = CURRENT.with_borrow(Clone::clone)?;
        let before = token.runs().replace(process?);
        Some(Self { token, before })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        *self.token.runs() = self.before;
    }
}

#[cfg(test)]
mod tests {
    use super::super::search_text;
    use super::*;
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, RunQueryDsl, sql_query};

    /// Without cancellation the statement runs for many seconds and succeeds.
    fn ends_when_cancelled(condition: &str) {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        register_functions(&mut conn).unwrap();
        search_text::register_functions(&mut conn).unwrap();
        let long = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000000) \
             SELECT count(*) FROM n WHERE {condition}"
        );
        let token = Arc::new(CancelToken::default());
        let later = Arc::clone(&token);
        let leaving = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            later.cancel();
        });
        set_cancel_token(Some(token));
        assert!(sql_query(long).execute(&mut conn).is_err());
        leaving.join().unwrap();
        set_cancel_token(None);
        conn.batch_execute("SELECT phananh_plain('Đ'), phananh_not_cancelled()").unwrap();
    }

    #[test]
    fn a_cancelled_search_ends() {
        ends_when_cancelled("phananh_plain(CAST(i AS TEXT)) = 'x'");
    }

    #[test]
    fn any_cancelled_statement_ends() {
        ends_when_cancelled("phananh_not_cancelled() AND i < 0");
    }
}
