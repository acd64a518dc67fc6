//! Moves single complaints from one officer or enterprise to another, because one code may have meant two.

use super::{MOST, enterprise, officer, store};
use crate::db::{StoreError, WriteTx, dialect};
use crate::domain::ids::human_reference;
use crate::register::aliases::Aliases;
use crate::register::complaints::{self, Case};
use crate::register::corrections::move_rows;
use crate::sql_types::Id;

/// Gives what some complaints say about one officer to another one. Findings pass on.
///
/// # Errors
/// `Rule` if a code is unknown, both are the same, or a complaint does not name the officer; `NotFound` if there is no
/// such complaint.
pub fn move_allegations(
    tx: &mut WriteTx<'_>,
    from: &str,
    to: &str,
    ids: &[Id],
    reason: &str,
) -> Result<usize, StoreError> {
    dialect::lock_tree_shared(tx.conn)?;
    let aliases = Aliases::load(tx.conn)?;
    let from_id = aliases.officer(officer(tx.conn, "officer", from)?);
    let to_id = aliases.officer(officer(tx.conn, "to", to)?);
    let named = |case: &Case| case.officers.iter().any(|row| row.officer_id == from_id);
    each_moved(tx, (from, from_id), (to, to_id), ids, reason, named, |case| {
        move_rows(case, from_id, to_id, |_| true);
    })
}

/// Gives some complaints of one enterprise to another one.
///
/// # Errors
/// Same errors as [`move_allegations`].
pub fn move_complaints(
    tx: &mut WriteTx<'_>,
    from: &str,
    to: &str,
    ids: &[Id],
    reason: &str,
) -> Result<usize, StoreError> {
    dialect::lock_tree_shared(tx.conn)?;
    let aliases = Aliases::load(tx.conn)?;
    let from_id = aliases.enterprise(enterprise(tx.conn, "taxCode", from)?);
    let to_id = aliases.enterprise(enterprise(tx.conn, "to", to)?);
    let named = |case: &Case| case.complaint.enterprise_id == Some(from_id);
    each_moved(tx, (from, from_id), (to, to_id), ids, reason, named, |case| {
        case.complaint.enterprise_id = Some(to_id);
    })
}

fn each_moved(
    tx: &mut WriteTx<'_>,
    (from, from_id): (&str, Id),
    (to, to_id): (&str, Id),
    ids: &[Id],
    reason: &str,
    names: impl Fn(&Case) -> bool,
    change: impl Fn(&mut Case),
) -> Result<usize, StoreError> {
    if from_id == to_id {
        return Err(StoreError::Rule(format!("to: {to:?} is the same as {from:?}: name another one")));
    }
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() || ids.len() > MOST {
        return Err(StoreError::Rule(format!("complaintIds: name 1 to {MOST} complaints")));
    }
    let cases = complaints::load_for_update(tx.conn, &ids)?;
    for id in &ids {
        let before = cases.get(id).ok_or_else(|| StoreError::no_such("complaint", id, "complaints"))?;
        if !names(before) {
            return Err(StoreError::Rule(format!(
                "complaintIds: the complaint {} is not about {from:?}: nothing was moved",
                human_reference(*id)
            )));
        }
        let mut after = before.clone();
        change(&mut after);
        store(tx, before, &mut after, None, reason)?;
    }
    Ok(ids.len())
}
