//! The postings of an officer: where the officer served, and when.

use crate::db::{StoreError, WriteTx};
use crate::each;
use crate::enums::ReferenceEventKind;
use crate::events::{Entity, Fields, ReferenceEvent};
use crate::models::Posting;
use crate::sql_types::Id;
use crate::tables::postings;
use diesel::prelude::*;
use serde_json::json;

/// Replaces the postings of an officer, and records the event.
///
/// # Errors
/// If the database refuses a row.
pub(crate) fn replace_postings(
    tx: &mut WriteTx<'_>,
    officer: Id,
    before: &[Posting],
    after: &[Posting],
) -> Result<(), StoreError> {
    diesel::delete(postings::table.filter(postings::officer_id.eq(officer))).execute(tx.conn)?;
    each!(&mut *tx.conn, c => diesel::insert_into(postings::table).values(after).execute(c)?);
    let fields = |rows: &[Posting]| Fields::from_iter([("postings".to_owned(), json!(rows))]);
    tx.record_reference(ReferenceEvent {
        entity: Entity::Postings,
        entity_id: officer,
        kind: if before.is_empty() { ReferenceEventKind::Created } else { ReferenceEventKind::Updated },
        effective_at: tx.now,
        before: Some(fields(before)),
        after: Some(fields(after)),
    });
    Ok(())
}
