//! Officers and enterprises that were merged, and single proposals of corrections.

use super::keyset::Pred;
use crate::db::dialect::KEYS_PER_QUERY;
use crate::db::{Conn, MultiBackend, StoreError};
use crate::sql_types::Id;
use crate::tables::{correction_proposals, merges};
use diesel::prelude::*;
use std::collections::HashMap;

/// Defines a function that finds what rows were merged into, by their ids.
macro_rules! merged_into {
    ($(#[$doc:meta])* $function:ident, $from:ident, $into:ident) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// If the database cannot be read.
        pub fn $function(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, Id>, StoreError> {
            let mut found = HashMap::new();
            for chunk in ids.chunks(KEYS_PER_QUERY) {
                let rows: Vec<(Option<Id>, Option<Id>)> = merges::table
                    .filter(merges::split_at.is_null())
                    .filter(merges::$from.eq_any(chunk))
                    .select((merges::$from, merges::$into))
                    .load(conn)?;
                found.extend(rows.into_iter().filter_map(|(from, into)| from.zip(into)));
            }
            Ok(found)
        }
    };
}

merged_into!(
    /// The officers whom officers were merged into.
    officers_merged_into, from_officer_id, into_officer_id
);
merged_into!(
    /// The enterprises that enterprises were merged into.
    enterprises_merged_into, from_enterprise_id, into_enterprise_id
);

/// Whether a proposed correction exists and meets a condition.
///
/// # Errors
/// If the database cannot be read.
pub fn correction_proposal_meets(
    conn: &mut Conn,
    id: Id,
    condition: Option<Pred<correction_proposals::table>>,
) -> Result<bool, StoreError> {
    let mut query =
        correction_proposals::table.into_boxed::<MultiBackend>().filter(correction_proposals::id.eq(id).nullable());
    if let Some(condition) = condition {
        query = query.filter(condition);
    }
    Ok(query.count().get_result::<i64>(conn)? > 0)
}
