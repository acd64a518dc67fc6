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

/// Whether two postings have a day in common.
pub(crate) fn overlap(one: &Posting, other: &Posting) -> bool {
    let (first, second) = if one.valid_from <= other.valid_from { (one, other) } else { (other, one) };
    first.valid_to.is_none_or(|last_day| last_day >= second.valid_from)
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::UNKNOWN_START;
    use chrono::NaiveDate;
    use uuid::Uuid;

    #[test]
    fn postings_overlap_from_their_first_to_their_last_day() {
        let day = |day: u32| NaiveDate::from_ymd_opt(2024, 1, day).expect("a day");
        let posting = |from: Option<u32>, to: Option<u32>| Posting {
            officer_id: Id(Uuid::from_u128(1)),
            unit_id: Id(Uuid::from_u128(2)),
            valid_from: from.map_or(UNKNOWN_START, day),
            valid_to: to.map(day),
        };
        for (one, other, is) in [
            ((Some(1), Some(10)), (Some(11), None), false),
            ((Some(1), Some(10)), (Some(10), None), true),
            ((Some(5), None), (Some(1), Some(4)), false),
            ((Some(5), None), (None, Some(5)), true),
            ((None, None), (Some(7), Some(7)), true),
            ((Some(3), Some(4)), (Some(1), Some(9)), true),
        ] {
            let (one, other) = (posting(one.0, one.1), posting(other.0, other.1));
            assert_eq!([overlap(&one, &other), overlap(&other, &one)], [is, is], "{one:?} {other:?}");
        }
    }
}
