//! Cancellation: work is cancelled when its client disconnects or its deadline passes. Each thread works for a cancel
//! token.
//!
//! The running statement is cancelled, too. PostgreSQL takes the request over another connection to the server that runs
//! it: the number of a process means another process on the replica than on the primary. SQLite runs a
//! statement to its end unless a function in it fails; ours fail if the token of their thread is cancelled.

use super::StoreError;
use diesel::SqliteConnection;
use std::cell::RefCell;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

thread_local! {
    static CURRENT: RefCell<Option<Arc<CancelToken>>> = const { RefCell::new(None) };
}

/// Whether some work is cancelled, and which process runs its statement.
#[derive(Debug, Default)]
pub struct CancelToken {
    cancelled: AtomicBool,
    /// The PostgreSQL process that runs a statement for the work.
    runs: Mutex<Option<Process>>,
}

/// A PostgreSQL process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process {
    pub id: i32,
    pub is_of_replica: bool,
}

impl CancelToken {
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    /// Cancels the work. Returns whether a statement is running that [`super::Db::cancel_statement`] would end.
    pub fn cancel(&self) -> bool {
        self.cancelled.store(true, Ordering::SeqCst);
        self.runs().is_some()
    }

    /// The process of PostgreSQL that runs a statement for the work.
    pub(super) fn runs(&self) -> MutexGuard<'_, Option<Process>> {
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
/// `Cancelled` if it is.
pub fn check_cancelled() -> Result<(), StoreError> {
    if is_cancelled() { Err(StoreError::Cancelled) } else { Ok(()) }
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// SQLite only. Called for each row: true, or fails if the statement is cancelled.
    fn phananh_not_cancelled() -> Bool;
}

/// Registers the function by which a statement of SQLite notices that it is cancelled.
///
/// # Errors
/// If SQLite refuses the function.
pub(super) fn register_functions(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    Ok(phananh_not_cancelled_utils::register_nondeterministic_impl(conn, || {
        fail_if_cancelled();
        true
    })?)
}

/// Fails the statement if it is cancelled. diesel catches this unwinding like a panic; `resume_unwind` skips the panic
/// hook, so nothing is logged.
pub(super) fn fail_if_cancelled() {
    if is_cancelled() {
        resume_unwind(Box::new("this statement is cancelled"));
    }
}

fn is_cancelled() -> bool {
    CURRENT.with_borrow(|token| token.as_ref().is_some_and(|token| token.is_cancelled()))
}

/// While this value lives, a PostgreSQL process runs statements for this thread.
pub(super) struct Running {
    token: Arc<CancelToken>,
    /// The process of the enclosing read, restored on drop: reads can nest.
    before: Option<Process>,
}

impl Running {
    /// None if the work cannot be cancelled.
    pub fn on(process: Option<Process>) -> Option<Self> {
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
    use std::time::Duration;

    /// The statement runs for many seconds and succeeds without cancellation.
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
