//! API access: principals, their tokens, and the allow-lists of their operations.

use crate::db::dialect::KEYS_PER_QUERY;
use crate::db::{Conn, StoreError, WriteTx};
use crate::domain::ids::{random_id, reference_id};
use crate::domain::inert;
use crate::each;
use crate::enums::{AuditAction, Role};
use crate::events::Entity;
use crate::models::{ApiToken, Officer, Principal, TrustedOperation, Unit};
use crate::register::aliases::Aliases;
use crate::register::audit;
use crate::register::reference::Stored;
use crate::register::web_sessions::end_sessions_of;
use crate::sql_types::{Id, Timestamp};
use crate::states::{StateTable, pair};
use crate::tables::{api_tokens, principals, trusted_operations};
use diesel::prelude::*;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashSet};

/// The prefix of every token, so that secret scanners find leaked ones.
const PREFIX: &str = "pa_";

/// The principal that a token is issued to.
#[derive(Debug, Clone, Copy)]
pub struct Holder<'a> {
    pub name: &'a str,
    pub role: Role,
    /// The code of the unit of a UNIT_HEAD.
    pub unit: Option<&'a str>,
    /// The code of the officer that the principal is.
    pub officer: Option<&'a str>,
    /// Whether the data shown to the principal leaves the organisation.
    pub outside: bool,
}

/// The reserved prefix for the names of clients that authenticate with a JWT of another issuer.
pub const JWT_PREFIX: &str = "jwt:";

/// Creates a principal and its first token, or a further token for the principal of that name.
///
/// Returns the token itself: only its hash is stored, so it cannot be shown again.
///
/// # Errors
/// `Rule` for an invalid name, unit, officer or role; `Conflict` if the name is disabled, taken or easily confused with
/// another.
pub fn create_token(
    tx: &mut WriteTx<'_>,
    holder: Holder<'_>,
    expires_at: Option<Timestamp>,
) -> Result<String, StoreError> {
    let Holder { name, role, unit, officer, outside } = holder;
    let name = inert::name("the name of a token", name, 100).map_err(StoreError::Rule)?;
    if name.to_lowercase().starts_with(JWT_PREFIX) {
        let message =
            format!("the name of a token must not begin with {JWT_PREFIX}: it marks tokens of other issuers (JWT)");
        return Err(StoreError::Rule(message));
    }
    if outside && role != Role::Dashboard {
        let message = format!("only aggregates may leave the organisation, and a {role} sees more: leave outside out");
        return Err(StoreError::Rule(message));
    }
    let unit_id = match (role, unit) {
        (Role::UnitHead, None) => return Err(StoreError::Rule("a UNIT_HEAD needs a unit: --unit CODE".into())),
        (Role::UnitHead, Some(code)) => {
            let id = reference_id(Entity::Unit, code);
            if Unit::load(tx.conn, &[id])?.is_empty() {
                return Err(StoreError::Rule(format!("there is no unit {code:?}: import units first")));
            }
            Some(id)
        }
        (_, Some(_)) => return Err(StoreError::Rule(format!("a {role} has no unit: leave --unit out"))),
        (_, None) => None,
    };
    let officer_id = match officer {
        None => None,
        Some(code) => {
            let id = reference_id(Entity::Officer, code);
            // Submitted complaints may name made-up codes: a placeholder (`unknown`) does not prove an officer.
            if Officer::load(tx.conn, &[id])?.get(&id).is_none_or(|officer| officer.unknown) {
                return Err(StoreError::Rule(format!("there is no officer {code:?}: import officers first")));
            }
            Some(id)
        }
    };
    let existing: Option<Principal> =
        principals::table.filter(principals::name.eq(name)).select(Principal::as_select()).first(tx.conn).optional()?;
    let principal_id = match existing {
        Some(principal) if principal.disabled_at.is_some() => {
            return Err(StoreError::Conflict(format!("{name:?} was disabled: choose another name")));
        }
        Some(principal)
            if (principal.role, principal.unit_id, principal.officer_id, principal.outside)
                == (role, unit_id, officer_id, outside) =>
        {
            principal.id
        }
        Some(principal) if (principal.role, principal.unit_id, principal.officer_id) == (role, unit_id, officer_id) => {
            let other = if outside { "within" } else { "outside" };
            return Err(StoreError::Conflict(format!(
                "{name:?} is already used {other} the organisation: choose another name"
            )));
        }
        Some(principal) => {
            let message = format!("{name:?} is already a {} with other settings: choose another name", principal.role);
            return Err(StoreError::Conflict(message));
        }
        None => {
            let names: Vec<String> = principals::table.select(principals::name).load(tx.conn)?;
            if let Some(other) = names.iter().find(|other| inert::looks_like(name, other)) {
                return Err(StoreError::Conflict(format!(
                    "{name:?} looks like {other:?}, which exists: choose another name"
                )));
            }
            let row = Principal {
                id: random_id(),
                name: name.to_owned(),
                role,
                unit_id,
                created_at: tx.now,
                disabled_at: None,
                officer_id,
                outside,
                issuer: None,
                subject: None,
                asserted_at: None,
            };
            each!(&mut *tx.conn, c => diesel::insert_into(principals::table).values(&row).execute(c)?);
            tx.record_state(StateTable::Principals, &row.id);
            row.id
        }
    };
    let secret: [u8; 32] = rand::random();
    let token = format!("{PREFIX}{}", data_encoding::BASE64URL_NOPAD.encode(&secret));
    let row = ApiToken {
        id: random_id(),
        principal_id,
        hash: hash(&token),
        created_at: tx.now,
        expires_at,
        revoked_at: None,
        last_used_at: None,
    };
    each!(&mut *tx.conn, c => diesel::insert_into(api_tokens::table).values(&row).execute(c)?);
    tx.record_state(StateTable::ApiTokens, &row.id);
    let mut whose = json!({ "principal": name, "role": role, "token": row.id });
    if outside {
        whose["outside"] = true.into();
    }
    audit::note(tx, AuditAction::TokenCreated, whose)?;
    Ok(token)
}

/// Revokes all tokens of a principal and returns their number.
///
/// # Errors
/// If the database cannot be written.
pub fn revoke_tokens(tx: &mut WriteTx<'_>, name: &str) -> Result<usize, StoreError> {
    let Some(id) =
        principals::table.filter(principals::name.eq(name)).select(principals::id).first::<Id>(tx.conn).optional()?
    else {
        return Ok(0);
    };
    let standing = api_tokens::table.filter(api_tokens::principal_id.eq(id)).filter(api_tokens::revoked_at.is_null());
    let revoked: Vec<Id> = each!(&mut *tx.conn, c => diesel::update(standing)
        .set(api_tokens::revoked_at.eq(Some(tx.now)))
        .returning(api_tokens::id)
        .get_results(c)?);
    revoked.iter().for_each(|token| tx.record_state(StateTable::ApiTokens, token));
    let revoked = revoked.len();
    if revoked > 0 {
        audit::note(tx, AuditAction::TokenRevoked, json!({ "principal": name, "tokens": revoked }))?;
    }
    Ok(revoked)
}

/// Disables a principal: its tokens are rejected from then on, no new one can be created, and its sessions end.
///
/// # Errors
/// If the database cannot be written.
pub fn disable(tx: &mut WriteTx<'_>, name: &str) -> Result<(), StoreError> {
    let standing = principals::table.filter(principals::name.eq(name)).filter(principals::disabled_at.is_null());
    let disabled: Vec<Id> = each!(&mut *tx.conn, c => diesel::update(standing)
        .set(principals::disabled_at.eq(Some(tx.now)))
        .returning(principals::id)
        .get_results(c)?);
    for principal in &disabled {
        tx.record_state(StateTable::Principals, principal);
        end_sessions_of(tx, *principal)?;
    }
    if !disabled.is_empty() {
        audit::note(tx, AuditAction::TokenRevoked, json!({ "principal": name, "disabled": true }))?;
    }
    Ok(())
}

/// Adds operations, each a (signature, name, document), to a principal's allow-list, and keeps those that are on it
/// already. Returns the number of new ones.
///
/// # Errors
/// `NotFound` if there is no such principal.
pub fn trust_operations(
    tx: &mut WriteTx<'_>,
    name: &str,
    operations: &[(String, Option<String>, String)],
) -> Result<usize, StoreError> {
    let principal_id = principal_named(tx.conn, name)?.ok_or_else(|| {
        StoreError::NotFound(format!("there is no token with the name {name:?}: `phananh token create` makes one"))
    })?;
    let trusted: HashSet<String> = trusted_operations::table
        .filter(trusted_operations::principal_id.eq(principal_id))
        .select(trusted_operations::signature)
        .load(tx.conn)?
        .into_iter()
        .collect();
    let mut rows: BTreeMap<&str, TrustedOperation> = BTreeMap::new();
    for (signature, operation, document) in operations.iter().filter(|(signature, ..)| !trusted.contains(signature)) {
        let row = TrustedOperation {
            principal_id,
            signature: signature.clone(),
            name: operation.clone(),
            document: document.clone(),
            added_at: tx.now,
        };
        rows.insert(signature, row);
    }
    for row in rows.values() {
        each!(&mut *tx.conn, c => diesel::insert_into(trusted_operations::table).values(row).execute(c)?);
        tx.record_state(StateTable::TrustedOperations, &pair(principal_id, &row.signature));
    }
    if !rows.is_empty() {
        let signatures: Vec<&str> = rows.keys().copied().collect();
        audit::note(tx, AuditAction::OperationsTrusted, json!({ "principal": name, "signatures": signatures }))?;
    }
    Ok(rows.len())
}

/// Whether an operation is on the allow-list of a principal.
///
/// # Errors
/// If the database cannot be read.
pub fn is_trusted(conn: &mut Conn, principal: Id, signature: &str) -> Result<bool, StoreError> {
    let found = trusted_operations::table.find((principal, signature)).count().get_result::<i64>(conn)?;
    Ok(found > 0)
}

/// The id of the principal with this name.
///
/// # Errors
/// If the database cannot be read.
pub fn principal_named(conn: &mut Conn, name: &str) -> Result<Option<Id>, StoreError> {
    Ok(principals::table.filter(principals::name.eq(name)).select(principals::id).first(conn).optional()?)
}

/// Sets the time at which a token was last used.
///
/// # Errors
/// If the database cannot be written.
pub fn note_use(conn: &mut Conn, token: Id, now: Timestamp) -> Result<(), StoreError> {
    diesel::update(api_tokens::table.find(token)).set(api_tokens::last_used_at.eq(Some(now))).execute(conn)?;
    Ok(())
}

/// The token and its principal; None if the token is unknown, expired or revoked, or its principal disabled.
///
/// # Errors
/// If the database cannot be read.
pub fn authenticate(conn: &mut Conn, token: &str, now: Timestamp) -> Result<Option<(ApiToken, Principal)>, StoreError> {
    if !token.starts_with(PREFIX) {
        return Ok(None);
    }
    let found: Option<(ApiToken, Principal)> = api_tokens::table
        .inner_join(principals::table.on(principals::id.eq(api_tokens::principal_id)))
        .filter(api_tokens::hash.eq(hash(token)))
        .select((ApiToken::as_select(), Principal::as_select()))
        .first(conn)
        .optional()?;
    let mut found: Vec<_> = found.into_iter().filter(|(token, principal)| is_valid(token, principal, now)).collect();
    name_officers_as_merged(conn, &mut found)?;
    Ok(found.pop())
}

/// The valid ones among some tokens, each with its principal.
///
/// # Errors
/// If the database cannot be read.
pub fn standing(conn: &mut Conn, tokens: &[Id], now: Timestamp) -> Result<Vec<(ApiToken, Principal)>, StoreError> {
    let mut all = Vec::with_capacity(tokens.len());
    for chunk in tokens.chunks(KEYS_PER_QUERY) {
        let found: Vec<(ApiToken, Principal)> = api_tokens::table
            .inner_join(principals::table.on(principals::id.eq(api_tokens::principal_id)))
            .filter(api_tokens::id.eq_any(chunk))
            .select((ApiToken::as_select(), Principal::as_select()))
            .load(conn)?;
        all.extend(found.into_iter().filter(|(token, principal)| is_valid(token, principal, now)));
    }
    name_officers_as_merged(conn, &mut all)?;
    Ok(all)
}

/// A principal who is an officer that was merged is the one whom complaints now name: complaints about itself stay
/// withheld from it.
fn name_officers_as_merged(conn: &mut Conn, owners: &mut [(ApiToken, Principal)]) -> Result<(), StoreError> {
    if owners.iter().all(|(_, principal)| principal.officer_id.is_none()) {
        return Ok(());
    }
    let aliases = Aliases::load(conn)?;
    for (_, principal) in owners {
        principal.officer_id = principal.officer_id.map(|officer| aliases.officer(officer));
    }
    Ok(())
}

fn is_valid(token: &ApiToken, principal: &Principal, now: Timestamp) -> bool {
    token.revoked_at.is_none()
        && principal.disabled_at.is_none()
        && token.expires_at.is_none_or(|expires| expires > now)
}

/// A plain SHA-256: a token has 256 random bits, so brute force is hopeless, and a slow hash would delay every request.
fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}
