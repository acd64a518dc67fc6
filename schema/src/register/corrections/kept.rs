//! The corrections of complaints by the Board: a later import of the same complaints does not undo them.

use crate::db::dialect::KEYS_PER_QUERY;
use crate::db::{Conn, StoreError};
use crate::enums::ComplaintEventKind;
use crate::register::complaints::MERGE;
use crate::sql_types::{Id, JsonValue};
use crate::tables::complaint_events;
use diesel::prelude::*;
use std::collections::{BTreeSet, HashMap};

/// The fields that corrections of complaints have set, as events name them. Merges do not count: imports follow them by
/// themselves.
///
/// # Errors
/// If the database cannot be read.
pub fn corrected_fields(conn: &mut Conn, complaints: &[Id]) -> Result<HashMap<Id, BTreeSet<String>>, StoreError> {
    let mut found: HashMap<Id, BTreeSet<String>> = HashMap::new();
    for chunk in complaints.chunks(KEYS_PER_QUERY) {
        let rows: Vec<(Id, Option<JsonValue>)> = complaint_events::table
            .filter(complaint_events::complaint_id.eq_any(chunk))
            .filter(complaint_events::kind.eq(ComplaintEventKind::Corrected))
            .select((complaint_events::complaint_id, complaint_events::after))
            .load(conn)?;
        for (id, after) in rows {
            let Some(fields) = after.as_ref().and_then(|after| after.0.as_object()) else { continue };
            if fields.contains_key(MERGE) {
                continue;
            }
            let fields = fields.keys().filter(|field| !["version", "reason"].contains(&field.as_str()));
            found.entry(id).or_default().extend(fields.cloned());
        }
    }
    Ok(found)
}
