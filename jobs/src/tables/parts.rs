//! The parts of the snapshot that columns of tables are made of.

use super::{Column, Table, Wanted};
use crate::snapshot::Parts;

/// The parts of the snapshot that columns are made of, for a reader from whom nothing is withheld.
pub fn parts_of(wanted: &[Wanted]) -> Parts {
    let of_table = |one: &Wanted| {
        let columns = one.columns.places().filter_map(|index| one.table.columns.get(index));
        columns.fold(Parts::NONE, |parts, column| parts.and(of_column(one.table, column)))
    };
    wanted.iter().map(of_table).fold(Parts::NONE, Parts::and)
}

/// The parts of which one column is made: all of them where it is not known to need fewer.
fn of_column(table: &Table, column: &Column) -> Parts {
    match (table.name, column.name) {
        ("units" | "categories", _) => Parts::NONE,
        ("complaints", name) => Parts::COMPLAINTS.and(of_complaints(name)),
        _ => Parts::ALL,
    }
}

/// The same of a column of `complaints`, beside the complaints themselves.
fn of_complaints(column: &str) -> Parts {
    match column {
        "complaint" | "received_on" | "received_at" | "month" | "year" | "legal_form" | "channel" | "state"
        | "ended_on" | "blames_system" | "confidential" => Parts::NONE,
        "department" | "branch" | "team" | "unit" | "responsible_unit" | "peer_group" => Parts::UNITS,
        "category" | "category_group" | "kind" => Parts::CATEGORIES,
        "cost_vnd" | "delay_hours" => Parts::AMOUNTS,
        "due_on" | "answered_on" | "escalated_on" | "overdue" | "was_due" | "in_time" | "reopened" | "waited_days"
        | "waits_since" => Parts::CLOCK,
        "enterprise" => Parts::ENTERPRISES,
        "officers" | "finding" => Parts::OFFICERS,
        _ => Parts::ALL,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ColumnSet, TABLES, TableCache, TableReader};
    use super::*;
    use crate::invented_register::invented_register;
    use crate::snapshot::SnapshotStore;
    use arrow_array::ArrayRef;
    use schema::Db;
    use schema::enums::Role;
    use schema::keys::Keys;
    use schema::pseudonyms::Audience;
    use std::sync::Arc;

    fn values(db: &Db, store: &SnapshotStore, reader: &TableReader, wanted: Wanted) -> Vec<ArrayRef> {
        let columns = TableCache::new(reader.clone()).columns(db, &store.current(), &[wanted]).expect("columns");
        columns.into_iter().map(|one| one.values).collect()
    }

    #[test]
    fn a_column_is_the_same_of_its_parts_as_of_the_whole_register() {
        let (_folder, db) = invented_register(300, 4);
        let pseudonyms = Keys::ephemeral().pseudonyms(Audience::Role(Role::DataTeam));
        let reader = TableReader { pseudonyms, board: false, officer: None };
        let whole = SnapshotStore::load(&db).expect("a snapshot");
        let mut in_part = 0;
        for table in ["complaints", "units", "categories"].map(|name| super::super::table(name).expect("a table")) {
            for (index, column) in table.columns.iter().enumerate() {
                let wanted = Wanted::of(table, std::iter::once(index).collect::<ColumnSet>());
                let parts = parts_of(&[wanted]);
                let store = SnapshotStore::begin(&db, None).expect("a snapshot");
                store.provide(&db, parts).expect("parts");
                let snapshot = store.current();
                assert!(snapshot.has(parts), "{}.{}", table.name, column.name);
                in_part += usize::from(!snapshot.has(Parts::ALL));
                let expected = values(&db, &whole, &reader, wanted);
                assert_eq!(values(&db, &store, &reader, wanted), expected, "{}.{}", table.name, column.name);
                assert_eq!(store.full_readings(), 0, "{}.{}", table.name, column.name);
            }
        }
        let of_others = TABLES.iter().filter(|table| !["complaints", "units", "categories"].contains(&table.name));
        let of_others: Vec<Wanted> = of_others.copied().map(Wanted::all).collect();
        assert!(in_part > 40 && of_others.iter().all(|one| parts_of(&[*one]) == Parts::ALL), "{in_part}");
    }

    #[test]
    fn parts_are_read_once_and_a_snapshot_grows_by_further_ones() {
        let (_folder, db) = invented_register(300, 4);
        let store = SnapshotStore::begin(&db, None).expect("a snapshot");
        assert!(store.current().pieces().is_empty() && !store.current().has(Parts::COMPLAINTS));
        store.provide(&db, Parts::COMPLAINTS.and(Parts::CATEGORIES)).expect("parts");
        let first = store.current();
        store.provide(&db, Parts::CATEGORIES).expect("parts");
        assert!(Arc::ptr_eq(&first, &store.current()));
        store.provide(&db, Parts::CLOCK).expect("parts");
        assert!(store.current().has(Parts::CATEGORIES.and(Parts::CLOCK)) && store.full_readings() == 0);
        store.provide(&db, Parts::ALL).expect("parts");
        assert!(store.current().has(Parts::ALL) && store.full_readings() == 1);
        assert_eq!(store.current().pieces().len(), first.pieces().len());
    }
}
