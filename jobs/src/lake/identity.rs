//! Identifies a lake: its register, its role and its pseudonym key.
//!
//! The manifest names the register by codes (HMAC) of events: it does not reveal their times, and only the holder of
//! the key file compares them.

use super::failed;
use super::manifest::Manifest;
use crate::JobError;
use data_encoding::HEXLOWER;
use diesel::prelude::*;
use schema::db::dialect::current_position;
use schema::enums::Role;
use schema::keys::Keys;
use schema::register::rules_hash;
use schema::tables::{complaint_events, reference_events};
use schema::{Conn, Db, StoreError, Timestamp};
use std::path::Path;

const PURPOSE: &str = "lake";

/// The properties that a lake must share with the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub role: Role,
    pub key_version: u32,
    /// Names the key: two key files may have keys of one version.
    pub key: String,
    /// Names the register by its first event; None if it has none.
    pub register: Option<String>,
}

/// An event of the register: its position and the time of its transaction.
type Event = (i64, Timestamp);

impl Identity {
    /// The identity of a lake that is made now.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn of(db: &Db, keys: &Keys, role: Role) -> Result<Self, StoreError> {
        let first = db.read(first_event)?;
        let register = first.map(|event| code_of(keys, "register", event));
        let key = code(keys, &[b"key"]);
        Ok(Self { role, key_version: keys.version(), key, register })
    }

    /// Refuses a lake that is not this one.
    ///
    /// # Errors
    /// `Lake`, which names the difference and the remedy.
    pub fn check(&self, root: &Path, manifest: &Manifest) -> Result<(), JobError> {
        let remedy = "name another folder, or make this one anew with `phananh lake sync DIR --anew`";
        if manifest.role != self.role {
            return Err(failed(root, format!("it is made for {}, not for {}: {remedy}", manifest.role, self.role)));
        }
        if manifest.key_version != self.key_version {
            let message = format!(
                "its pseudonyms are of key version {}, and the present one is {}: no pseudonym of one joins with the \
                 other; {remedy}",
                manifest.key_version, self.key_version
            );
            return Err(failed(root, message));
        }
        if manifest.key != self.key {
            return Err(failed(root, format!("its pseudonyms are of another key file: name that one, or {remedy}")));
        }
        // A lake of an empty register may go on with the first event.
        if manifest.register.is_some() && manifest.register != self.register {
            return Err(failed(root, format!("it is of another register: check --database, or {remedy}")));
        }
        Ok(())
    }
}

/// Refuses a lake that is not one of this register and of the present key.
///
/// # Errors
/// `Lake`, with what differs and what to do; else if the database cannot be read.
pub fn check_register(db: &Db, keys: &Keys, root: &Path, manifest: &Manifest) -> Result<(), JobError> {
    Identity::of(db, keys, manifest.role)?.check(root, manifest)
}

/// Whether no event came after the state of a lake.
///
/// # Errors
/// If the database cannot be read.
pub fn is_newest(db: &Db, keys: &Keys, manifest: &Manifest) -> Result<bool, StoreError> {
    let newest = db.read(|conn| newest_event(conn, i64::MAX))?;
    Ok(newest.map(|event| code_of(keys, "mark", event)) == manifest.mark)
}

/// The position of a register, with codes that identify it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub position: i64,
    /// Names the newest event up to some position; None without an event.
    pub mark: Option<String>,
    /// The hash of the rules of deadlines, whose changes are in no event.
    pub clock: String,
}

/// The present position, and the newest event up to `position`.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn standing(db: &Db, keys: &Keys, position: i64) -> Result<Standing, StoreError> {
    let (now, event, clock) = db.read_snapshot(|conn| {
        Ok::<_, StoreError>((current_position(conn)?, newest_event(conn, position)?, rules_hash(conn)?))
    })?;
    Ok(Standing { position: now, mark: event.map(|event| code_of(keys, "mark", event)), clock })
}

fn first_event(conn: &mut Conn) -> Result<Option<Event>, StoreError> {
    let of_complaints: Option<Event> = complaint_events::table
        .order(complaint_events::position.asc())
        .select((complaint_events::position, complaint_events::recorded_at))
        .first(conn)
        .optional()?;
    let of_reference_data: Option<Event> = reference_events::table
        .order(reference_events::position.asc())
        .select((reference_events::position, reference_events::recorded_at))
        .first(conn)
        .optional()?;
    Ok(of_complaints.into_iter().chain(of_reference_data).min())
}

fn newest_event(conn: &mut Conn, position: i64) -> Result<Option<Event>, StoreError> {
    let of_complaints: Option<Event> = complaint_events::table
        .filter(complaint_events::position.le(position))
        .order(complaint_events::position.desc())
        .select((complaint_events::position, complaint_events::recorded_at))
        .first(conn)
        .optional()?;
    let of_reference_data: Option<Event> = reference_events::table
        .filter(reference_events::position.le(position))
        .order(reference_events::position.desc())
        .select((reference_events::position, reference_events::recorded_at))
        .first(conn)
        .optional()?;
    Ok(of_complaints.into_iter().chain(of_reference_data).max())
}

fn code_of(keys: &Keys, what: &str, (position, recorded_at): Event) -> String {
    code(keys, &[what.as_bytes(), &position.to_le_bytes(), &recorded_at.micros().to_le_bytes()])
}

/// A code of the current key; the first half of it tells registers apart.
fn code(keys: &Keys, message: &[&[u8]]) -> String {
    let code = keys.code(keys.version(), PURPOSE, message).unwrap_or_default();
    HEXLOWER.encode(&code[..16])
}
