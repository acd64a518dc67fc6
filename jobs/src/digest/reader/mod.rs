//! Digests for each reader: made for the rights that the reader has when they are sent.

mod compose;
mod condition;
pub mod outbox;
mod subscription;
mod trial;

pub use compose::{Composed, Made, compose};
pub use subscription::{SCHEDULE, TIMEZONE, Wish, end, own, sections_of, subscribe};
pub use trial::send_on_trial;

use crate::snapshot::Snapshot;
use diesel::prelude::*;
use polars::prelude::Expr;
use schema::domain::calendar::local_date;
use schema::domain::tree::UnitTree;
use schema::enums::Role;
use schema::models::{DigestSubscription, Principal};
use schema::queries::Pred;
use schema::tables::{api_tokens, escalations, flags, measures, principals};
use schema::{Conn, Id, StoreError, Timestamp};
use std::fmt::Debug;
use std::sync::OnceLock;

/// The reader of a digest about one unit, or about all units.
#[derive(Debug, Clone, PartialEq)]
pub struct Reader {
    pub principal: Principal,
    /// None: all units.
    pub unit_id: Option<Id>,
}

/// What readers may see. The `api` crate has the one definition, which its lists and statistics use, too.
pub trait ReaderRights: Debug + Send + Sync {
    /// The complaints of a snapshot that the reader may see.
    fn complaints(&self, reader: &Reader, snapshot: &Snapshot) -> Expr;
    /// The flags that the reader may see; None for all of them.
    fn flags(&self, reader: &Reader, tree: &UnitTree) -> Option<Pred<flags::table>>;
    /// The measures that the reader may see; None for all of them.
    fn measures(&self, reader: &Reader, tree: &UnitTree) -> Option<Pred<measures::table>>;
    /// The escalations that the reader may see; None for all of them.
    fn escalations(&self, reader: &Reader, tree: &UnitTree) -> Option<Pred<escalations::table>>;
}

/// What readers may see.
static RIGHTS: OnceLock<&'static dyn ReaderRights> = OnceLock::new();

/// Says what readers may see. The first call in a process counts, at its start.
pub fn know_rights(rights: &'static dyn ReaderRights) {
    let _ = RIGHTS.set(rights);
}

/// The reader of a subscription with the rights of this moment, or why it may not read digests any more.
///
/// # Errors
/// If the database cannot be read.
pub fn current_reader(
    conn: &mut Conn,
    tree: &UnitTree,
    subscription: &DigestSubscription,
) -> Result<Result<Reader, String>, StoreError> {
    let Some(id) = subscription.principal_id else {
        return Ok(Err("the subscription has no reader".to_owned()));
    };
    let found: Option<Principal> = principals::table.find(id).select(Principal::as_select()).first(conn).optional()?;
    let Some(principal) = found else { return Ok(Err("its reader does not exist any more".to_owned())) };
    let now = Timestamp::now();
    let tokens: i64 = api_tokens::table
        .filter(api_tokens::principal_id.eq(id))
        .filter(api_tokens::revoked_at.is_null())
        .filter(api_tokens::expires_at.is_null().or(api_tokens::expires_at.gt(now)))
        .count()
        .get_result(conn)?;
    let name = &principal.name;
    if principal.disabled_at.is_some() {
        return Ok(Err(format!("its reader {name} was disabled")));
    }
    if tokens == 0 {
        return Ok(Err(format!("its reader {name} has no valid token: `phananh token create` makes one")));
    }
    if subscription.role != Some(principal.role) {
        let then = subscription.role.map_or("another role", Role::as_str);
        return Ok(Err(format!("its reader {name} subscribed as {then} and is a {} now", principal.role)));
    }
    Ok(unit_of(tree, &principal, subscription.unit_id).map(|unit_id| Reader { principal, unit_id }))
}

/// The unit that a principal's digest is about, if it may read about it; None for all units.
pub(super) fn unit_of(tree: &UnitTree, principal: &Principal, wanted: Option<Id>) -> Result<Option<Id>, String> {
    let name = &principal.name;
    match (principal.role, principal.unit_id) {
        // The totals of such a digest count complaints that name the officer.
        (Role::Board, _) if principal.officer_id.is_some() && wanted.is_none() => {
            Err(format!("{name} is an officer, and digests about all units count complaints that name it"))
        }
        (Role::Board, _) => Ok(wanted),
        (Role::UnitHead, Some(own)) => {
            let unit = wanted.unwrap_or(own);
            match tree.below_on(own, local_date(Timestamp::now())).contains(&unit) || unit == own {
                true => Ok(Some(unit)),
                false => Err(format!("the unit is not below the one of {name} any more")),
            }
        }
        (role, _) => Err(format!("a {role} reads no digests: they are for BOARD and UNIT_HEAD")),
    }
}
