//! Hearing of what others commit.

use super::connection::Target;
use super::{Conn, Db, StoreError};
use diesel::PgConnection;
use diesel::connection::SimpleConnection;
use std::time::Duration;

/// The channel on which PostgreSQL tells of commits.
pub(super) const CHANNEL: &str = "phananh";
/// How often it is looked whether something came; that is no statement.
const LOOK_EVERY: Duration = Duration::from_millis(25);
const AFTER_FAILURE: Duration = Duration::from_secs(2);

impl Db {
    /// Calls `changed` soon after each commit of any node, on the thread that calls this, until it returns
    /// false; it is called now and then also when nothing happened. SQLite does not tell of commits: there
    /// it is called every so often.
    pub fn listen(&self, mut changed: impl FnMut(bool) -> bool) {
        let Some(target) = self.told_by() else {
            while changed(false) {
                std::thread::sleep(LOOK_EVERY * 4);
            }
            return;
        };
        // What happened while nobody listened is looked for once.
        while changed(true) {
            if let Err(error) = heard(target, &mut changed) {
                tracing::warn!(%error, "commits of other nodes are not heard of for the moment");
            }
            std::thread::sleep(AFTER_FAILURE);
        }
    }
}

fn heard(target: &Target, changed: &mut impl FnMut(bool) -> bool) -> Result<(), StoreError> {
    let Conn::Pg(mut conn) = target.connect()? else { return Ok(()) };
    conn.batch_execute(&format!("LISTEN {CHANNEL}"))?;
    while changed(any(&mut conn)?) {
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

fn any(conn: &mut PgConnection) -> Result<bool, StoreError> {
    let mut any = false;
    for notification in conn.notifications_iter() {
        notification?;
        any = true;
    }
    Ok(any)
}
