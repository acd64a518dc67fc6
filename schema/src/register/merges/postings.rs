//! The postings that a merge gives to an officer, and that a split takes back in their form at that time.

use crate::db::{Conn, StoreError, WriteTx};
use crate::events::Entity;
use crate::models::Posting;
use crate::register::postings::replace_postings;
use crate::sql_types::{Id, JsonValue};
use crate::tables::{postings, reference_events};
use chrono::NaiveDate;
use diesel::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// The key of a posting of an officer: its first day and its unit.
type Key = (NaiveDate, Id);

/// Gives the postings of one officer to another one, who keeps those that both have.
///
/// # Errors
/// If the database fails.
pub(super) fn move_postings(tx: &mut WriteTx<'_>, from: Id, into: Id) -> Result<(), StoreError> {
    let (of_from, of_into) = (postings_of(tx.conn, from)?, postings_of(tx.conn, into)?);
    let mut all: BTreeMap<Key, Posting> =
        of_from.iter().map(|row| (key(row), Posting { officer_id: into, ..row.clone() })).collect();
    all.extend(of_into.iter().map(|row| (key(row), row.clone())));
    let all: Vec<Posting> = all.into_values().collect();
    set_postings(tx, from, &of_from, &[])?;
    set_postings(tx, into, &of_into, &all)
}

/// Takes back the postings that a merge at a position moved, as later changes left them: one that was ended stays
/// ended, one that goes on at the successor of its unit goes on there, and one that is gone stays gone. A posting that
/// both officers had stays with the other one, too.
///
/// # Errors
/// If the database fails.
pub(super) fn take_back_postings(tx: &mut WriteTx<'_>, position: i64, from: Id, into: Id) -> Result<(), StoreError> {
    let of_from = changes_at(tx.conn, position, from)?.into_iter().flat_map(|change| change.before);
    let of_from: BTreeMap<Key, Posting> = of_from.map(|row| (key(&row), row)).collect();
    let (now, later) = (postings_of(tx.conn, into)?, changes_after(tx.conn, position, into)?);
    // There is no event of the merge where the other officer had the same postings.
    let merge = changes_at(tx.conn, position, into)?.pop().unwrap_or_else(|| {
        let same = later.first().map_or(&now, |change| &change.before);
        Change { before: same.clone(), after: same.clone() }
    });
    let mut taken: BTreeSet<Key> = of_from.keys().copied().collect();
    let mut own: BTreeSet<Key> = merge.before.iter().map(key).collect();
    for change in &later {
        taken = change.follow(&taken);
        own = change.follow(&own);
    }
    let is_taken = |row: &&Posting| taken.contains(&key(row));
    let rest: Vec<Posting> = now.iter().filter(|row| own.contains(&key(row)) || !is_taken(row)).cloned().collect();
    let mut back: BTreeMap<Key, Posting> = BTreeMap::new();
    for row in now.iter().filter(is_taken) {
        // A posting without later changes gets its values from before the merge, also where the other officer kept its
        // own.
        let was = of_from.get(&key(row)).filter(|_| merge.after.contains(row)).cloned();
        back.insert(key(row), was.unwrap_or_else(|| Posting { officer_id: from, ..row.clone() }));
    }
    set_postings(tx, into, &now, &rest)?;
    let now = postings_of(tx.conn, from)?;
    back.extend(now.iter().map(|row| (key(row), row.clone())));
    let back: Vec<Posting> = back.into_values().collect();
    set_postings(tx, from, &now, &back)
}

fn key(row: &Posting) -> Key {
    (row.valid_from, row.unit_id)
}

fn postings_of(conn: &mut Conn, officer: Id) -> Result<Vec<Posting>, StoreError> {
    Ok(postings::table
        .filter(postings::officer_id.eq(officer))
        .order((postings::valid_from, postings::unit_id))
        .select(Posting::as_select())
        .load(conn)?)
}

/// Replaces the postings of an officer, with an event if they differ.
fn set_postings(tx: &mut WriteTx<'_>, officer: Id, before: &[Posting], after: &[Posting]) -> Result<(), StoreError> {
    if before == after {
        return Ok(());
    }
    replace_postings(tx, officer, before, after)
}

/// The postings of an officer before and after one change.
struct Change {
    before: Vec<Posting>,
    after: Vec<Posting>,
}

impl Change {
    /// The postings that came of some: those of them that are left, and those that took the place of one of them.
    fn follow(&self, keys: &BTreeSet<Key>) -> BTreeSet<Key> {
        let by_key =
            |rows: &[Posting]| -> BTreeMap<Key, Posting> { rows.iter().map(|row| (key(row), row.clone())).collect() };
        let (were, are) = (by_key(&self.before), by_key(&self.after));
        let new: Vec<&Posting> = self.after.iter().filter(|row| !were.contains_key(&key(row))).collect();
        let gone = self.before.iter().filter(|row| !are.contains_key(&key(row))).count();
        let mut found: BTreeSet<Key> = keys.iter().filter(|key| are.contains_key(*key)).copied().collect();
        for row in &new {
            let comes_of = |old: &Posting| match are.get(&key(old)) {
                // The posting ended with its unit, and the new one begins at the successor on the day after.
                Some(ended) => {
                    ended.valid_to != old.valid_to
                        && ended.valid_to == row.valid_from.pred_opt()
                        && ended.unit_id != row.unit_id
                }
                // The new posting begins on the same day at another unit, or is the only posting that was corrected.
                None => old.valid_from == row.valid_from || (gone, new.len()) == (1, 1),
            };
            if self.before.iter().any(|old| keys.contains(&key(old)) && comes_of(old)) {
                found.insert(key(row));
            }
        }
        found
    }
}

type Document = Option<JsonValue>;

/// The change of the postings of an officer at a position, if there is one.
fn changes_at(conn: &mut Conn, position: i64, officer: Id) -> Result<Vec<Change>, StoreError> {
    let rows: Vec<(Document, Document)> = reference_events::table
        .filter(reference_events::position.eq(position))
        .filter(reference_events::entity.eq(Entity::Postings.as_str()))
        .filter(reference_events::entity_id.eq(officer))
        .order(reference_events::ordinal)
        .select((reference_events::before, reference_events::after))
        .load(conn)?;
    Ok(rows.into_iter().map(change_of).collect())
}

/// The changes of the postings of an officer after a position, in their order.
fn changes_after(conn: &mut Conn, position: i64, officer: Id) -> Result<Vec<Change>, StoreError> {
    let rows: Vec<(Document, Document)> = reference_events::table
        .filter(reference_events::position.gt(position))
        .filter(reference_events::entity.eq(Entity::Postings.as_str()))
        .filter(reference_events::entity_id.eq(officer))
        .order((reference_events::position, reference_events::ordinal))
        .select((reference_events::before, reference_events::after))
        .load(conn)?;
    Ok(rows.into_iter().map(change_of).collect())
}

fn change_of((before, after): (Document, Document)) -> Change {
    let read = |document: Document| -> Vec<Posting> {
        let rows = document.and_then(|document| document.0.get("postings").cloned());
        rows.and_then(|rows| serde_json::from_value(rows).ok()).unwrap_or_default()
    };
    Change { before: read(before), after: read(after) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    /// A posting to a unit from one month of 2024 to another one.
    fn posting(unit: u128, from: u32, to: Option<u32>) -> Posting {
        let day = |month: u32, day: u32| NaiveDate::from_ymd_opt(2024, month, day).expect("a day");
        Posting {
            officer_id: Id(Uuid::from_u128(1)),
            unit_id: Id(Uuid::from_u128(unit)),
            valid_from: day(from, 1),
            valid_to: to.map(|month| day(month, 28)),
        }
    }

    fn followed(one: &Posting, before: Vec<Posting>, after: Vec<Posting>) -> Vec<Key> {
        Change { before, after }.follow(&BTreeSet::from([key(one)])).into_iter().collect()
    }

    #[test]
    fn a_posting_is_followed_through_its_changes() {
        let (one, other) = (posting(5, 2, None), posting(6, 4, Some(5)));
        let both = vec![one.clone(), other.clone()];
        let ended = posting(5, 2, Some(8));
        assert_eq!(followed(&one, both.clone(), vec![ended.clone(), other.clone()]), [key(&one)]);
        assert!(followed(&one, both.clone(), vec![other.clone()]).is_empty());
        // Its first day or its unit was corrected.
        for corrected in [posting(5, 3, None), posting(7, 2, None)] {
            let after = vec![other.clone(), corrected.clone()];
            assert_eq!(followed(&one, both.clone(), after.clone()), [key(&corrected)]);
            assert_eq!(followed(&other, both.clone(), after), [key(&other)]);
        }
        // Its unit ended.
        let next = Posting {
            valid_from: ended.valid_to.expect("a last day").succ_opt().expect("a day"),
            ..posting(7, 1, None)
        };
        let after = vec![ended.clone(), other.clone(), next.clone()];
        assert_eq!(followed(&one, both.clone(), after.clone()), [key(&one), key(&next)]);
        assert_eq!(followed(&other, both.clone(), after), [key(&other)]);
        // Another posting began, the day after this one had ended.
        let (before, after) = (vec![ended.clone()], vec![ended.clone(), next]);
        assert_eq!(followed(&one, before, after), [key(&one)]);
    }
}
