//! Digests for each reader: made for the rights that the reader has when they are sent.

mod compose;
mod condition;
mod eligibility;
pub mod outbox;
mod retention;
mod subscription;
mod test_digest;

pub use compose::{Composed, Made, compose};
pub(crate) use eligibility::valid_principal;
pub use eligibility::{AccountRule, Lost, LostReason};
pub use retention::forget;
pub use subscription::{SCHEDULE, TIMEZONE, Wish, end, first_due, own, sections_of, subscribe};
pub use test_digest::send_on_trial;

use crate::snapshot::Snapshot;
use polars::prelude::Expr;
use schema::domain::calendar::local_date;
use schema::domain::tree::UnitTree;
use schema::enums::Role;
use schema::models::{DigestSubscription, Principal};
use schema::queries::Pred;
use schema::tables::{alerts, complaints, escalations, flags, measures};
use schema::{Conn, Id, StoreError, Timestamp};
use std::fmt::Debug;
use std::sync::OnceLock;

/// A digest that cannot be made is tried each minute for this many hours. A job whose result it reads may be late.
pub const TRIED_HOURS: i64 = 2;

/// The reader of a digest about one unit, or about all units.
#[derive(Debug, Clone, PartialEq)]
pub struct Reader {
    pub principal: Principal,
    /// None: all units.
    pub unit_id: Option<Id>,
}

/// The rights of readers. The `api` crate implements them by the row scope that its lists and statistics use.
pub trait ReaderRights: Debug + Send + Sync {
    /// The complaints of a snapshot that the reader may see.
    fn complaints(&self, reader: &Reader, snapshot: &Snapshot) -> Expr;
    /// The complaints that the reader may see, as rows; None for all of them.
    fn complaint_rows(&self, reader: &Reader, tree: &UnitTree) -> Option<Pred<complaints::table>>;
    /// The flags that the reader may see; None for all of them.
    fn flags(&self, reader: &Reader, tree: &UnitTree) -> Option<Pred<flags::table>>;
    /// The measures that the reader may see; None for all of them.
    fn measures(&self, reader: &Reader, tree: &UnitTree) -> Option<Pred<measures::table>>;
    /// The escalations that the reader may see; None for all of them.
    fn escalations(&self, reader: &Reader, tree: &UnitTree) -> Option<Pred<escalations::table>>;
    /// The alerts that the reader may see; None for all of them.
    fn alerts(&self, reader: &Reader) -> Option<Pred<alerts::table>>;
}

/// The rights of readers.
static RIGHTS: OnceLock<&'static dyn ReaderRights> = OnceLock::new();

/// Sets the rights of readers. Only the first call in a process, at its start, has an effect.
pub fn know_rights(rights: &'static dyn ReaderRights) {
    let _ = RIGHTS.set(rights);
}

/// The rights of readers; None in a process that does not have them.
pub(crate) fn rights() -> Option<&'static dyn ReaderRights> {
    RIGHTS.get().copied()
}

/// The reader of a subscription with the rights of this moment, or why it is sent nothing.
///
/// # Errors
/// If the database cannot be read.
pub fn current_reader(
    conn: &mut Conn,
    tree: &UnitTree,
    rule: &AccountRule,
    subscription: &DigestSubscription,
) -> Result<Result<Reader, Lost>, StoreError> {
    let Some(id) = subscription.principal_id else {
        return Ok(Err(Lost::new(LostReason::Gone, "the subscription has no reader")));
    };
    let principal = match valid_principal(conn, rule, id)? {
        Ok(principal) => principal,
        Err(lost) => return Ok(Err(lost)),
    };
    let name = &principal.name;
    if subscription.role != Some(principal.role) {
        let then = subscription.role.map_or("another role", Role::as_str);
        let why = format!("its reader {name} subscribed as {then} and is a {} now", principal.role);
        return Ok(Err(Lost::new(LostReason::OtherRole, why)));
    }
    let unit = unit_of(tree, &principal, subscription.unit_id);
    Ok(unit.map(|unit_id| Reader { principal, unit_id }).map_err(|why| Lost::new(LostReason::OtherUnit, why)))
}

/// The unit that a principal's digest is about, if it may read about it; None for all units.
///
/// # Errors
/// A message that says why the principal may not read such a digest.
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
            match tree.is_within_on(unit, own, local_date(Timestamp::now())) {
                true => Ok(Some(unit)),
                false => Err(format!("the unit is not below the one of {name} any more")),
            }
        }
        (Role::DataTeam, _) if principal.officer_id.is_some() => {
            Err(format!("{name} is an officer, and digests about all units count complaints that name it"))
        }
        (Role::DataTeam, _) if wanted.is_some() => {
            Err("digests for a DATA_TEAM are about all units: leave the unit out".to_owned())
        }
        (Role::DataTeam, _) => Ok(None),
        (role, _) => Err(format!("a {role} reads no digests: they are for BOARD, UNIT_HEAD and DATA_TEAM")),
    }
}
