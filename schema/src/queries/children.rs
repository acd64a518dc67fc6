//! Batched loads of the children of a page: one statement for each kind (and chunk of ids), not one for each row. Here
//! those of reference data, runs, digests and tokens.

use crate::db::{Conn, StoreError, dialect::KEYS_PER_QUERY};
use crate::models::{
    ApiToken, Delivery, DigestSubscription, Enterprise, IssueCategory, JobRun, Officer, Unit, UnitParent,
};
use crate::register::reference::Stored;
use crate::sql_types::Id;
use crate::tables::{api_tokens, deliveries, digest_subscriptions, job_runs, unit_parents};
use diesel::prelude::*;
use std::collections::HashMap;

/// The units with some ids.
///
/// # Errors
/// If the database cannot be read.
pub fn units_by_id(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, Unit>, StoreError> {
    Unit::load(conn, ids)
}

/// The officers with some ids.
///
/// # Errors
/// If the database cannot be read.
pub fn officers_by_id(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, Officer>, StoreError> {
    Officer::load(conn, ids)
}

/// The enterprises with some ids.
///
/// # Errors
/// If the database cannot be read.
pub fn enterprises_by_id(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, Enterprise>, StoreError> {
    Enterprise::load(conn, ids)
}

/// The categories with some ids.
///
/// # Errors
/// If the database cannot be read.
pub fn categories_by_id(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, IssueCategory>, StoreError> {
    IssueCategory::load(conn, ids)
}

/// The parents of units over time, oldest first.
///
/// # Errors
/// If the database cannot be read.
pub fn parents_of(conn: &mut Conn, units: &[Id]) -> Result<HashMap<Id, Vec<UnitParent>>, StoreError> {
    let mut found: HashMap<Id, Vec<UnitParent>> = HashMap::new();
    for chunk in units.chunks(KEYS_PER_QUERY) {
        let rows: Vec<UnitParent> = unit_parents::table
            .filter(unit_parents::unit_id.eq_any(chunk))
            .order((unit_parents::unit_id, unit_parents::valid_from))
            .select(UnitParent::as_select())
            .load(conn)?;
        for row in rows {
            found.entry(row.unit_id).or_default().push(row);
        }
    }
    Ok(found)
}

/// The tokens of principals, oldest first.
///
/// # Errors
/// If the database cannot be read.
pub fn tokens_of(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, Vec<ApiToken>>, StoreError> {
    let mut found: HashMap<Id, Vec<ApiToken>> = HashMap::new();
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        let rows: Vec<ApiToken> = api_tokens::table
            .filter(api_tokens::principal_id.eq_any(chunk))
            .order((api_tokens::created_at, api_tokens::id))
            .select(ApiToken::as_select())
            .load(conn)?;
        for row in rows {
            found.entry(row.principal_id).or_default().push(row);
        }
    }
    Ok(found)
}

/// The runs of jobs with some ids.
///
/// # Errors
/// If the database cannot be read.
pub fn job_runs_by_id(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, JobRun>, StoreError> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        let rows: Vec<JobRun> =
            job_runs::table.filter(job_runs::id.eq_any(chunk)).select(JobRun::as_select()).load(conn)?;
        found.extend(rows.into_iter().map(|row| (row.id, row)));
    }
    Ok(found)
}

/// The deliveries of digests, with their recipients.
///
/// # Errors
/// If the database cannot be read.
pub fn deliveries_of(
    conn: &mut Conn,
    ids: &[Id],
) -> Result<HashMap<Id, Vec<(Delivery, DigestSubscription)>>, StoreError> {
    let mut found: HashMap<Id, Vec<(Delivery, DigestSubscription)>> = HashMap::new();
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        let rows: Vec<(Delivery, DigestSubscription)> = deliveries::table
            .inner_join(digest_subscriptions::table.on(digest_subscriptions::id.eq(deliveries::subscription_id)))
            .filter(deliveries::digest_id.eq_any(chunk))
            .order((digest_subscriptions::channel, digest_subscriptions::address))
            .select((Delivery::as_select(), DigestSubscription::as_select()))
            .load(conn)?;
        for row in rows {
            found.entry(row.0.digest_id).or_default().push(row);
        }
    }
    Ok(found)
}
