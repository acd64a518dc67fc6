//! A second connection that reads the snapshot of another one. On PostgreSQL transactions can share a snapshot; on SQLite
//! they cannot.

use super::cancellation::check_cancelled;
use super::dialect::{begin_snapshot, rollback};
use super::{Conn, Db, ReadSession, StoreError};
use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;

/// A connection in a transaction that reads the snapshot of another connection.
pub struct SharedSnapshot(ReadSession);

impl Db {
    /// A second connection that reads the snapshot of `conn`, which [`Db::read_snapshot`] lent. None on SQLite, where
    /// half of the connections are in use, because others need the rest, and where no other connection can read the
    /// snapshot: the server may be at its limit, or a proxy may lead to another server.
    ///
    /// # Errors
    /// If `conn` fails, or the operation is cancelled.
    pub fn share_snapshot(&self, conn: &mut Conn) -> Result<Option<SharedSnapshot>, StoreError> {
        let Conn::Pg(first) = conn else { return Ok(None) };
        let (open, idle) = self.connections();
        if 2 * open.saturating_sub(idle) >= self.most_connections() {
            return Ok(None);
        }
        let name: String = diesel::select(diesel::dsl::sql::<Text>("pg_export_snapshot()")).get_result(first)?;
        let Ok(second) = self.connection() else { return Ok(None) };
        let mut session = ReadSession(second);
        let imported = session.run(|conn| -> Result<(), StoreError> {
            begin_snapshot(conn)?;
            // The server made the name: digits and hyphens.
            if let Conn::Pg(second) = conn {
                second.batch_execute(&format!("SET TRANSACTION SNAPSHOT '{name}'"))?;
            }
            Ok(())
        });
        if let Err(error) = imported {
            session.close();
            check_cancelled()?;
            tracing::debug!(%error, "a second connection cannot read the snapshot of the first");
            return Ok(None);
        }
        Ok(Some(SharedSnapshot(session)))
    }
}

impl SharedSnapshot {
    /// Runs a read on the snapshot, and ends the transaction. `work` may fail with an error type of its own.
    ///
    /// # Errors
    /// The error of `work`, or of the transaction.
    pub fn read<T, E: From<StoreError>>(mut self, work: impl FnOnce(&mut Conn) -> Result<T, E>) -> Result<T, E> {
        self.0.run(|conn| {
            let result = work(conn);
            let ended = rollback(conn);
            let found = result?;
            ended?;
            Ok(found)
        })
    }
}
