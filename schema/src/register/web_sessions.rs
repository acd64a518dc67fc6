//! Sessions of the web page. A session has the rights of its token, which each request looks up again; one of an
//! external JWT has those of its claims until they expire.

use crate::db::{Conn, StoreError, WriteTx};
use crate::each;
use crate::models::WebSession;
use crate::sql_types::{Id, Timestamp};
use crate::tables::web_sessions;
use chrono::TimeDelta;
use diesel::prelude::*;

/// An ended session is kept this long: by the latest one of a principal, its next session knows when it looked before.
const KEPT_FOR: TimeDelta = TimeDelta::days(400);

/// Stores a session, and notes in it when its principal used another one last.
///
/// # Errors
/// If the database cannot be written.
pub fn begin_session(tx: &mut WriteTx<'_>, session: &WebSession) -> Result<(), StoreError> {
    let of_principal = web_sessions::table.filter(web_sessions::principal_id.eq(session.principal_id));
    let before: Option<Timestamp> = of_principal
        .order(web_sessions::last_seen_at.desc())
        .select(web_sessions::last_seen_at)
        .first(tx.conn)
        .optional()?;
    let old = Timestamp::from(tx.now.utc() - KEPT_FOR);
    each!(&mut *tx.conn, c => diesel::delete(web_sessions::table.filter(web_sessions::last_seen_at.lt(old)))
        .execute(c)?);
    let session = WebSession { last_looked_at: before, ..session.clone() };
    each!(&mut *tx.conn, c => diesel::insert_into(web_sessions::table).values(&session).execute(c)?);
    Ok(())
}

/// The session with this hash of its secret; None if it has ended, or was not used since `idle_since`.
///
/// # Errors
/// If the database cannot be read.
pub fn session_by_hash(
    conn: &mut Conn,
    hash: &[u8],
    now: Timestamp,
    idle_since: Timestamp,
) -> Result<Option<WebSession>, StoreError> {
    Ok(web_sessions::table
        .filter(web_sessions::hash.eq(hash.to_vec()))
        .filter(web_sessions::revoked_at.is_null())
        .filter(web_sessions::expires_at.gt(now))
        .filter(web_sessions::last_seen_at.gt(idle_since))
        .select(WebSession::as_select())
        .first(conn)
        .optional()?)
}

/// Notes that a session is used.
///
/// # Errors
/// If the database cannot be written.
pub fn note_session_use(conn: &mut Conn, session: Id, now: Timestamp) -> Result<(), StoreError> {
    diesel::update(web_sessions::table.find(session)).set(web_sessions::last_seen_at.eq(now)).execute(conn)?;
    Ok(())
}

/// Ends a session.
///
/// # Errors
/// If the database cannot be written.
pub fn end_session(tx: &mut WriteTx<'_>, session: Id) -> Result<(), StoreError> {
    let standing = web_sessions::table.filter(web_sessions::id.eq(session)).filter(web_sessions::revoked_at.is_null());
    each!(&mut *tx.conn, c => diesel::update(standing).set(web_sessions::revoked_at.eq(Some(tx.now))).execute(c)?);
    Ok(())
}

/// Ends all sessions of a principal, and returns their number.
///
/// # Errors
/// If the database cannot be written.
pub fn end_sessions_of(tx: &mut WriteTx<'_>, principal: Id) -> Result<usize, StoreError> {
    let standing =
        web_sessions::table.filter(web_sessions::principal_id.eq(principal)).filter(web_sessions::revoked_at.is_null());
    Ok(each!(&mut *tx.conn, c => diesel::update(standing)
        .set(web_sessions::revoked_at.eq(Some(tx.now)))
        .execute(c)?))
}
