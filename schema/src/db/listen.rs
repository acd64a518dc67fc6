//! Listens for commits of all nodes (`LISTEN`/`NOTIFY` of PostgreSQL).

use super::dialect::CHANNEL;
use super::target::Target;
use super::{Conn, Db, StoreError};
use diesel::PgConnection;
use diesel::connection::SimpleConnection;
use std::time::Duration;

/// Interval at which the connection is polled for notifications, which sends no statement.
const LOOK_EVERY: Duration = Duration::from_millis(25);
const AFTER_FAILURE: Duration = Duration::from_secs(2);

impl Db {
    /// Polls on the calling thread until `changed` returns false. Passes true soon after a commit of any node and after
    /// each connection, false otherwise. SQLite has no notifications: there it passes false every 100 ms.
    pub fn listen(&self, mut changed: impl FnMut(bool) -> bool) {
        let Some(target) = self.listen_target() else {
            while changed(false) {
                std::thread::sleep(LOOK_EVERY * 4);
            }
            return;
        };
        // Commits may have been missed before the connection.
        while changed(true) {
            if let Err(error) = heard(target, &mut changed) {
                tracing::warn!(%error, "cannot listen for commits of other nodes; trying again");
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
