//! Whether anybody still waits for what this thread reads, and what becomes of a statement under way where nobody does:
//! PostgreSQL is told to cancel it; SQLite runs a statement to its end unless one of its functions fails, and ours looks
//! here.

use super::{Db, StoreError};
use diesel::SqliteConnection;
use std::cell::RefCell;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long after a signal it is looked whether the process still runs something.
const AGAIN_AFTER: Duration = Duration::from_millis(20);

thread_local! {
    static WORKS_FOR: RefCell<Option<Arc<Interest>>> = const { RefCell::new(None) };
}

/// That somebody waits for some work.
#[derive(Debug, Default)]
pub struct Interest {
    lost: AtomicBool,
    /// The process of PostgreSQL that runs a statement for it.
    runs: Mutex<Option<i32>>,
}

impl Interest {
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }

    /// Nobody waits any more. Says whether a statement is under way that [`Self::cancel`] would end.
    pub fn lose(&self) -> bool {
        self.lost.store(true, Ordering::SeqCst);
        self.runs().is_some()
    }

    /// Cancels the statement under way, and those that are begun before what reads them looks here again.
    ///
    /// # Errors
    /// Where PostgreSQL cannot be told, twice in turn.
    pub fn cancel(&self, db: &Db) -> Result<(), StoreError> {
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

/// From now on this thread works for whoever has this interest; with None nobody can lose it.
pub fn works_for(interest: Option<Arc<Interest>>) {
    WORKS_FOR.set(interest);
}

/// Goes on only where somebody waits for the work of this thread.
///
/// # Errors
/// `Abandoned` where nobody does any more.
pub fn go_on() -> Result<(), StoreError> {
    if is_unwanted() { Err(StoreError::Abandoned) } else { Ok(()) }
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// True. On SQLite only, where it is asked for each row, and fails where nobody waits for the statement.
    fn phananh_wanted() -> Bool;
}

pub(super) fn give(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    Ok(phananh_wanted_utils::register_nondeterministic_impl(conn, || {
        fail_if_unwanted();
        true
    })?)
}

/// Where nobody waits any more, the statement fails here. An unwinding that nobody made by a panic is caught by diesel as
/// one is, and says nothing to the log.
pub(super) fn fail_if_unwanted() {
    if is_unwanted() {
        resume_unwind(Box::new("nobody waits for this statement"));
    }
}

fn is_unwanted() -> bool {
    WORKS_FOR.with_borrow(|interest| interest.as_ref().is_some_and(|interest| interest.is_lost()))
}

/// As long as it lives, a process of PostgreSQL runs statements of this thread.
pub(super) struct Running {
    interest: Arc<Interest>,
    /// What ran before, and goes on when this has ended: a read within a read.
    before: Option<i32>,
}

impl Running {
    /// None where nobody can lose interest.
    pub fn on(process: Option<i32>) -> Option<Self> {
        let interest = WORKS_FOR.with_borrow(Clone::clone)?;
        let before = interest.runs().replace(process?);
        Some(Self { interest, before })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        *self.interest.runs() = self.before;
    }
}

#[cfg(test)]
mod tests {
    use super::super::plain;
    use super::*;
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, RunQueryDsl, sql_query};

    /// It would go on for many seconds, and then end well.
    fn ends_when_nobody_waits(condition: &str) {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        give(&mut conn).unwrap();
        plain::give(&mut conn).unwrap();
        let long = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000000) \
             SELECT count(*) FROM n WHERE {condition}"
        );
        let interest = Arc::new(Interest::default());
        let later = Arc::clone(&interest);
        let leaving = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            later.lose();
        });
        works_for(Some(interest));
        assert!(sql_query(long).execute(&mut conn).is_err());
        leaving.join().unwrap();
        works_for(None);
        conn.batch_execute("SELECT phananh_plain('Đ'), phananh_wanted()").unwrap();
    }

    #[test]
    fn a_search_that_nobody_waits_for_ends() {
        ends_when_nobody_waits("phananh_plain(CAST(i AS TEXT)) = 'x'");
    }

    #[test]
    fn any_statement_that_nobody_waits_for_ends() {
        ends_when_nobody_waits("phananh_wanted() AND i < 0");
    }
}
