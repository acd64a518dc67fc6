//! Accounts of another issuer (OpenID Connect, JWT): principals without tokens, of which the register keeps what the
//! issuer last asserted. What is sent to an account without being asked for follows it.

use super::access::{self, JWT_PREFIX};
use super::audit;
use crate::db::{Conn, Db, StoreError, WriteTx};
use crate::each;
use crate::enums::{AuditAction, DeliveryState, Role};
use crate::models::{DigestSubscription, NotificationEndpoint, Principal};
use crate::sql_types::{Id, Timestamp};
use crate::states::StateTable;
use crate::tables::{alerts, digest_subscriptions, notification_endpoints, notifications, principals};
use chrono::TimeDelta;
use diesel::prelude::*;
use serde_json::json;

/// The claims of an issuer about an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// The id of the account, which its issuer and its subject make.
    pub id: Id,
    pub issuer: String,
    pub subject: String,
    pub role: Role,
    pub unit_id: Option<Id>,
    pub officer_id: Option<Id>,
    pub outside: bool,
    /// When the issuer asserted it.
    pub asserted_at: Timestamp,
}

/// An assertion of the same rights is stored again after this time: each is a state of the chain.
const STORED_EVERY: TimeDelta = TimeDelta::minutes(10);

/// Keeps what an issuer asserts of an account. Returns false if the account was disabled, and may do nothing.
///
/// An assertion that is not later than the stored one changes nothing: a token stays valid after its issuer made
/// another one with other rights.
///
/// # Errors
/// If the database cannot be read.
pub fn account_asserted(db: &Db, asserted: &Assertion) -> Result<bool, StoreError> {
    match db.read(|conn| account(conn, asserted.id))? {
        Some(stored) if stored.disabled_at.is_some() => return Ok(false),
        Some(stored) if !is_news(&stored, asserted) => return Ok(true),
        _ => {}
    }
    let actor = format!("token:{JWT_PREFIX}{}", asserted.subject);
    match db.write(&actor, |tx| keep(tx, asserted)) {
        Ok(committed) => Ok(committed.value),
        // A read-only register, such as a replica, still answers; the next use of the account tries again.
        Err(error) => {
            tracing::warn!(account = %asserted.id, %error, "what an issuer asserts could not be stored");
            Ok(true)
        }
    }
}

/// Whether an account was disabled.
///
/// # Errors
/// If the database cannot be read.
pub fn is_disabled(conn: &mut Conn, account: Id) -> Result<bool, StoreError> {
    let disabled: Option<Option<Timestamp>> =
        principals::table.find(account).select(principals::disabled_at).first(conn).optional()?;
    Ok(disabled.flatten().is_some())
}

/// All accounts, by name.
///
/// # Errors
/// If the database cannot be read.
pub fn accounts(conn: &mut Conn) -> Result<Vec<Principal>, StoreError> {
    Ok(principals::table
        .filter(principals::issuer.is_not_null())
        .order(principals::name)
        .select(Principal::as_select())
        .load(conn)?)
}

/// Disables an account: it cannot sign in, its tokens are refused, its sessions end, and nothing is sent to it.
///
/// # Errors
/// `NotFound` if no account has the name.
pub fn disable_account(tx: &mut WriteTx<'_>, name: &str) -> Result<Principal, StoreError> {
    named(tx.conn, name)?;
    access::disable(tx, name)?;
    named(tx.conn, name)
}

/// Enables an account that was disabled: it can sign in again.
///
/// # Errors
/// `NotFound` if no account has the name.
pub fn enable_account(tx: &mut WriteTx<'_>, name: &str) -> Result<Principal, StoreError> {
    let mut account = named(tx.conn, name)?;
    if account.disabled_at.take().is_some() {
        store(tx, &account)?;
        // The log has no action of its own for it.
        audit::note(tx, AuditAction::TokenCreated, json!({ "principal": name, "enabled": true }))?;
    }
    Ok(account)
}

fn named(conn: &mut Conn, name: &str) -> Result<Principal, StoreError> {
    let found = principals::table
        .filter(principals::name.eq(name))
        .filter(principals::issuer.is_not_null())
        .select(Principal::as_select())
        .first(conn)
        .optional()?;
    found.ok_or_else(|| {
        StoreError::NotFound(format!(
            "there is no account {name:?}: `phananh account list` and the query `principals` list their names"
        ))
    })
}

fn account(conn: &mut Conn, id: Id) -> Result<Option<Principal>, StoreError> {
    Ok(principals::table.find(id).select(Principal::as_select()).first(conn).optional()?)
}

/// The fields that decide what an account sees.
fn rights(account: &Principal) -> (Role, Option<Id>, Option<Id>, bool) {
    (account.role, account.unit_id, account.officer_id, account.outside)
}

/// Whether an assertion has to be stored.
fn is_news(stored: &Principal, asserted: &Assertion) -> bool {
    let is_same = rights(stored) == (asserted.role, asserted.unit_id, asserted.officer_id, asserted.outside);
    let least = if is_same { STORED_EVERY } else { TimeDelta::zero() };
    stored.asserted_at.is_none_or(|before| asserted.asserted_at.utc() - before.utc() > least)
}

fn keep(tx: &mut WriteTx<'_>, asserted: &Assertion) -> Result<bool, StoreError> {
    // Waits for a transaction that keeps another assertion of the account.
    each!(&mut *tx.conn, c => diesel::update(principals::table.find(asserted.id))
        .set(principals::subject.eq(Some(asserted.subject.as_str())))
        .execute(c)?);
    let Some(before) = account(tx.conn, asserted.id)? else {
        let row = Principal {
            id: asserted.id,
            name: free_name(tx.conn, asserted)?,
            role: asserted.role,
            unit_id: asserted.unit_id,
            created_at: tx.now,
            disabled_at: None,
            officer_id: asserted.officer_id,
            outside: asserted.outside,
            issuer: Some(asserted.issuer.clone()),
            subject: Some(asserted.subject.clone()),
            asserted_at: Some(asserted.asserted_at),
        };
        each!(&mut *tx.conn, c => diesel::insert_into(principals::table).values(&row).execute(c)?);
        tx.record_state(StateTable::Principals, &row.id);
        return Ok(true);
    };
    if before.disabled_at.is_some() {
        return Ok(false);
    }
    if !is_news(&before, asserted) {
        return Ok(true);
    }
    let after = Principal {
        role: asserted.role,
        unit_id: asserted.unit_id,
        officer_id: asserted.officer_id,
        outside: asserted.outside,
        asserted_at: Some(asserted.asserted_at),
        ..before.clone()
    };
    store(tx, &after)?;
    if rights(&before) != rights(&after) {
        tracing::info!(account = %after.id, role = %after.role, "the issuer of an account gives it other rights");
        follow(tx, &before, &after)?;
    }
    Ok(true)
}

/// The name of a new account. If an account of an earlier issuer has the same subject, the name includes the issuer.
fn free_name(conn: &mut Conn, asserted: &Assertion) -> Result<String, StoreError> {
    let name = format!("{JWT_PREFIX}{}", asserted.subject);
    let is_taken = access::principal_named(conn, &name)?.is_some();
    Ok(if is_taken { format!("{name} ({})", asserted.issuer) } else { name })
}

fn store(tx: &mut WriteTx<'_>, account: &Principal) -> Result<(), StoreError> {
    each!(&mut *tx.conn, c => diesel::update(principals::table.find(account.id)).set(account).execute(c)?);
    tx.record_state(StateTable::Principals, &account.id);
    Ok(())
}

/// Lets what is sent to an account follow its new rights. What was made for the rights before is not sent any more.
fn follow(tx: &mut WriteTx<'_>, before: &Principal, after: &Principal) -> Result<(), StoreError> {
    let has_moved = (before.role, before.unit_id) != (after.role, after.unit_id);
    let current: Vec<DigestSubscription> = digest_subscriptions::table
        .filter(digest_subscriptions::principal_id.eq(after.id))
        .filter(digest_subscriptions::ended_at.is_null())
        .select(DigestSubscription::as_select())
        .load(tx.conn)?;
    for mut row in current {
        // A role without digests keeps the subscription as it is: its reader gets none until it has another role.
        if has_moved && matches!(after.role, Role::Board | Role::UnitHead | Role::DataTeam) {
            row.role = Some(after.role);
            row.unit_id = after.unit_id;
        }
        // No code reads, compares or sends digests from before.
        row.created_at = tx.now;
        each!(&mut *tx.conn, c => diesel::update(digest_subscriptions::table.find(row.id)).set(&row).execute(c)?);
        tx.record_state(StateTable::DigestSubscriptions, &row.id);
    }
    alerts_follow(tx, after)
}

/// The same for alerts. A head gets those about its unit, the Board and an ADMIN get those of the Board.
fn alerts_follow(tx: &mut WriteTx<'_>, after: &Principal) -> Result<(), StoreError> {
    let endpoints: Vec<NotificationEndpoint> = notification_endpoints::table
        .filter(notification_endpoints::principal_id.eq(after.id))
        .select(NotificationEndpoint::as_select())
        .load(tx.conn)?;
    let ids: Vec<Id> = endpoints.iter().map(|endpoint| endpoint.id).collect();
    for mut row in endpoints {
        // A role without alerts keeps the endpoint as it is.
        let gets_alerts = matches!(after.role, Role::Board | Role::UnitHead | Role::Admin);
        if gets_alerts && row.unit_id != after.unit_id {
            row.unit_id = after.unit_id;
            each!(&mut *tx.conn, c => diesel::update(notification_endpoints::table.find(row.id))
                .set(&row)
                .execute(c)?);
            tx.record_state(StateTable::NotificationEndpoints, &row.id);
        }
    }
    let waiting = notifications::table
        .filter(notifications::endpoint_id.eq_any(ids))
        .filter(notifications::state.eq(DeliveryState::Pending));
    let given_up = (
        notifications::state.eq(DeliveryState::Failed),
        notifications::error.eq(Some("its reader had other rights before it was sent")),
    );
    let failed: Vec<Id> = each!(&mut *tx.conn, c => diesel::update(waiting)
        .set(given_up)
        .returning(notifications::id)
        .get_results(c)?);
    failed.iter().for_each(|id| tx.record_state(StateTable::Notifications, id));
    let standing = alerts::table.filter(alerts::principal_id.eq(after.id)).filter(alerts::cleared_at.is_null());
    let over: Vec<Id> = each!(&mut *tx.conn, c => diesel::update(standing)
        .set(alerts::cleared_at.eq(Some(tx.now)))
        .returning(alerts::id)
        .get_results(c)?);
    over.iter().for_each(|id| tx.record_state(StateTable::Alerts, id));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn asserted(role: Role, minutes: i64) -> Assertion {
        Assertion {
            id: Id(Uuid::from_u128(7)),
            issuer: "https://login.example".into(),
            subject: "an".into(),
            role,
            unit_id: None,
            officer_id: None,
            outside: false,
            asserted_at: Timestamp::from_micros(1_700_000_000_000_000 + minutes * 60_000_000).expect("a time"),
        }
    }

    #[test]
    fn other_rights_are_news_at_once_and_the_same_ones_after_a_while() {
        let stored = Principal {
            id: Id(Uuid::from_u128(7)),
            name: "jwt:an".into(),
            role: Role::Board,
            unit_id: None,
            created_at: asserted(Role::Board, 0).asserted_at,
            disabled_at: None,
            officer_id: None,
            outside: false,
            issuer: Some("https://login.example".into()),
            subject: Some("an".into()),
            asserted_at: Some(asserted(Role::Board, 0).asserted_at),
        };
        assert!(is_news(&stored, &asserted(Role::DataTeam, 1)));
        assert!(!is_news(&stored, &asserted(Role::Board, 1)) && is_news(&stored, &asserted(Role::Board, 11)));
        // An earlier token is still valid, and its rights are not those of the account any more.
        assert!(!is_news(&stored, &asserted(Role::DataTeam, 0)) && !is_news(&stored, &asserted(Role::DataTeam, -5)));
    }
}
