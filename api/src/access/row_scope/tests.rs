mod people;

use super::*;
use crate::sql::SqlAsker;
use ::tests::Database;
use arrow_array::{Array, StringArray};
use jobs::snapshot::{Reading, Snapshot, SnapshotStore};
use jobs::tables::{TABLES, Table, TableCache};
use polars::prelude::IntoLazy;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schema::domain::calendar::local_date;
use schema::enums::ComplaintState;
use schema::keys::Keys;
use schema::models::UnitParent;
use schema::pseudonyms::Subject;
use schema::register::complaints::load;
use schema::tables::unit_parents;
use schema::world::{self, Bursts, Parameters};
use schema::{Db, Timestamp, each};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A generated register in which more complaints are confidential or wait for an answer, some were transferred to any
/// unit, and every third branch moved to another department since.
fn register(database: &Database, seed: u64) -> Db {
    let db = database.open();
    let until = NaiveDate::from_ymd_opt(2025, 12, 31).unwrap();
    world::generate(&db, Parameters { complaints: 500, seed, until, bursts: Bursts::default() }, &mut |_| true)
        .unwrap();
    db.write("test", |tx| {
        let all: Vec<Id> = complaints::table.order(complaints::id).select(complaints::id).load(tx.conn)?;
        let some: Vec<Id> = all.iter().copied().step_by(5).collect();
        diesel::update(complaints::table.filter(complaints::id.eq_any(&some)))
            .set(complaints::confidential.eq(true))
            .execute(tx.conn)?;
        let waiting: Vec<Id> = all.iter().copied().step_by(4).collect();
        diesel::update(complaints::table.filter(complaints::id.eq_any(&waiting)))
            .set((complaints::state.eq(ComplaintState::Assigned), complaints::answered_on.eq(None::<NaiveDate>)))
            .execute(tx.conn)?;
        let units: Vec<Id> = schema::tables::units::table
            .order(schema::tables::units::id)
            .select(schema::tables::units::id)
            .load(tx.conn)?;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        for complaint in all.iter().step_by(3) {
            let unit = random.random_bool(0.9).then(|| units[random.random_range(0..units.len())]);
            diesel::update(complaints::table.find(*complaint))
                .set(complaints::responsible_unit_id.eq(unit))
                .execute(tx.conn)?;
        }
        let of_kind = |kind: UnitKind| {
            schema::tables::units::table
                .filter(schema::tables::units::kind.eq(kind))
                .order(schema::tables::units::id)
                .select(schema::tables::units::id)
        };
        let departments: Vec<Id> = of_kind(UnitKind::ProvincialDepartment).load(tx.conn)?;
        let branches: Vec<Id> = of_kind(UnitKind::Branch).load(tx.conn)?;
        for (branch, department) in branches.iter().step_by(3).zip(departments.iter().cycle()) {
            diesel::update(unit_parents::table.filter(unit_parents::unit_id.eq(*branch)))
                .set(unit_parents::valid_to.eq(Some(until)))
                .execute(tx.conn)?;
            let valid_from = until + chrono::Days::new(1);
            let row = UnitParent { unit_id: *branch, valid_from, valid_to: None, parent_id: *department };
            each!(&mut *tx.conn, c => diesel::insert_into(unit_parents::table).values(&row).execute(c)?);
        }
        Ok(())
    })
    .unwrap();
    db
}

fn viewer(role: Role, unit_id: Option<Id>, officer_id: Option<Id>) -> Viewer {
    Viewer {
        token_id: Id(uuid::Uuid::nil()),
        principal_id: Id(uuid::Uuid::nil()),
        name: "test".into(),
        role,
        unit_id,
        officer_id,
        outside: false,
        expires_at: None,
        day: None,
    }
}

/// The complaints of the register that the forms of a scope select.
fn selected(db: &Db, snapshot: &Snapshot, scope: &Scope, all: &[Id]) -> [BTreeSet<Id>; 4] {
    let by_sql: Vec<Id> = db
        .read(|conn| {
            let mut query = complaints::table.into_boxed::<MultiBackend>();
            if let Some(condition) = scope.condition() {
                query = query.filter(condition);
            }
            Ok(query.select(complaints::id).load(conn)?)
        })
        .unwrap();
    let cases = db.read(|conn| load(conn, all)).unwrap();
    let by_row = cases.iter().filter(|(_, case)| {
        let officers: Vec<Id> = case.officers.iter().map(|row| row.officer_id).collect();
        scope.contains(&case.complaint, &officers)
    });
    let facts = snapshot.facts.clone().lazy().filter(scope.expression(snapshot)).collect().unwrap();
    let half = |name: &str| facts.column(name).unwrap().u64().unwrap().clone();
    let (high, low) = (half("id_high"), half("id_low"));
    let by_column = high.iter().zip(low.iter()).map(|(high, low)| {
        let (high, low) = (u128::from(high.unwrap()), u128::from(low.unwrap()));
        Id(uuid::Uuid::from_u128(high << 64 | low))
    });
    let condition = scope.column_condition(snapshot).expect("the columns hold what a scope asks for");
    let reading = Reading { limit: all.len(), ..Reading::default() };
    let (listed, more) = snapshot.first_rows(&condition, &reading, usize::MAX).unwrap().expect("a page of all rows");
    assert_eq!((snapshot.count(&condition).unwrap(), more), (Some(listed.len()), false));
    let by_page = listed.into_iter().map(|row| row.id);
    [by_sql.into_iter().collect(), by_row.map(|(id, _)| *id).collect(), by_column.collect(), by_page.collect()]
}

/// The complaints in the tables that an asker reads in SQL, in exports and over the PostgreSQL protocol, by table; each
/// by its pseudonym.
fn in_tables(db: &Db, snapshot: &Arc<Snapshot>, asker: &SqlAsker) -> BTreeMap<&'static str, BTreeSet<String>> {
    let reads_complaints = |table: &&'static Table| {
        asker.reader.may_read(table).is_ok() && table.columns.iter().any(|column| column.name == "complaint")
    };
    let tables: Vec<&'static Table> = TABLES.iter().copied().filter(reads_complaints).collect();
    let mut found: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for piece in TableCache::new(asker.reader.clone()).pieces(db, snapshot, &tables).unwrap() {
        let column = piece.rows.column_by_name("complaint").expect("a column").as_any();
        let column = column.downcast_ref::<StringArray>().expect("texts");
        found.entry(piece.table.name).or_default().extend(column.iter().flatten().map(str::to_owned));
    }
    found
}

#[test]
fn every_form_of_a_scope_selects_the_same_complaints() {
    for (database, seed) in Database::both().into_iter().zip([3, 4]) {
        let db = register(&database, seed);
        let snapshot = SnapshotStore::load(&db).unwrap().current();
        let tree = &snapshot.reference.tree;
        let (all, units, officers): (Vec<Id>, Vec<Id>, Vec<Id>) = db
            .read(|conn| {
                let all = complaints::table.select(complaints::id).load(conn)?;
                let units = schema::tables::units::table.select(schema::tables::units::id).load(conn)?;
                let named = complaint_officers::table.select(complaint_officers::officer_id).distinct().load(conn)?;
                Ok((all, units, named))
            })
            .unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (mut some, mut none, mut asked) = (0, 0, 0);
        let keys = Keys::ephemeral();
        let roles =
            [Role::Board, Role::UnitHead, Role::UnitHead, Role::DataTeam, Role::Dashboard, Role::Intake, Role::Admin];
        for n in 0..140 {
            let role = roles[n % roles.len()];
            let unit = (role == Role::UnitHead).then(|| units[random.random_range(0..units.len())]);
            let officer = random.random_bool(0.6).then(|| officers[random.random_range(0..officers.len())]);
            let viewer = viewer(role, unit, officer);
            let [by_sql, by_row, by_column, by_page] = selected(&db, &snapshot, &viewer.scope(tree), &all);
            assert_eq!(by_sql, by_row, "{viewer:?}");
            assert_eq!(by_sql, by_column, "{viewer:?}");
            assert_eq!(by_sql, by_page, "{viewer:?}");
            if let Some(asker) = SqlAsker::of(&viewer, &keys) {
                let named = by_sql.iter().map(|id| asker.reader.pseudonyms.of(Subject::Complaint, *id));
                let named: BTreeSet<String> = named.collect();
                let in_tables = in_tables(&db, &snapshot, &asker);
                assert!(in_tables.len() >= 3 && in_tables["complaints"] == named, "{viewer:?}");
                for (table, complaints) in in_tables {
                    assert!(complaints.is_subset(&named), "{table} {viewer:?}");
                }
                asked += usize::from(viewer.officer_id.is_some());
            }
            some += usize::from(!by_sql.is_empty() && by_sql.len() < all.len());
            none += usize::from(by_sql.is_empty());
        }
        assert!(some >= 30 && none >= 20 && asked >= 10, "{some} {none} {asked}");
    }
}

#[test]
fn the_parts_of_a_scope_are_the_scope_and_what_a_unit_answers_has_one_meaning() {
    for (database, seed) in Database::both().into_iter().zip([5, 6]) {
        let db = register(&database, seed);
        let snapshot = SnapshotStore::load(&db).unwrap().current();
        let tree = &snapshot.reference.tree;
        let all: Vec<Id> = db.read(|conn| Ok(complaints::table.select(complaints::id).load(conn)?)).unwrap();
        let cases = db.read(|conn| load(conn, &all)).unwrap();
        let (mut split, mut answered_by, mut moved) = (0, 0, 0);
        let today = local_date(Timestamp::now());
        for unit in &snapshot.reference.units {
            let of = OfUnit::new(tree, unit.id, today);
            let scope = Scope { rows: Rows::Unit(of.clone(), Part::Whole), except_officer: None };
            let [whole, by_row, by_column, by_page] = selected(&db, &snapshot, &scope, &all);
            assert_eq!([&whole; 3], [&by_row, &by_column, &by_page], "{}", unit.code);
            let parts: Vec<BTreeSet<Id>> = scope
                .parts()
                .iter()
                .map(|part| {
                    let [by_sql, by_row, by_column, by_page] = selected(&db, &snapshot, part, &all);
                    assert_eq!([&by_sql; 3], [&by_row, &by_column, &by_page], "{} {part:?}", unit.code);
                    by_sql
                })
                .collect();
            assert_eq!(
                parts.iter().map(BTreeSet::len).sum::<usize>(),
                whole.len(),
                "{}: no complaint twice",
                unit.code
            );
            assert_eq!(parts.iter().flatten().copied().collect::<BTreeSet<Id>>(), whole, "{}", unit.code);
            split += usize::from(parts.iter().filter(|part| !part.is_empty()).count() > 1);
            moved += parts.get(2).map_or(0, BTreeSet::len);
            for (_, case) in cases.iter().filter(|(_, case)| of.answers(&case.complaint)) {
                let by = case.complaint.responsible_unit_id.expect("a unit that answers");
                let waits = schema::domain::state::is_waiting(case.complaint.state);
                assert!(!waits || tree.steps_up_on(by, unit.id, today).is_some(), "{}: above it today", unit.code);
            }

            let answered = complaints::table.into_boxed::<MultiBackend>().filter(of.answered()).select(complaints::id);
            let by_sql: BTreeSet<Id> = db.read(|conn| Ok(answered.load::<Id>(conn)?)).unwrap().into_iter().collect();
            let by_row = cases.iter().filter(|(_, case)| of.answers(&case.complaint)).map(|(id, _)| *id);
            assert_eq!(by_sql, by_row.collect::<BTreeSet<Id>>(), "{}", unit.code);
            let facts = snapshot.facts.clone().lazy().filter(of.answered_columns(&snapshot)).collect().unwrap();
            assert_eq!(facts.height(), by_sql.len(), "{}", unit.code);
            let seen = cases.iter().filter(|(_, case)| of.contains(&case.complaint, Part::Whole)).map(|(id, _)| *id);
            assert!(
                by_sql.is_subset(&seen.collect::<BTreeSet<Id>>()),
                "{}: a head sees what its unit answers",
                unit.code
            );
            answered_by += usize::from(!by_sql.is_empty());
        }
        assert!(split >= 10 && answered_by >= 30 && moved >= 5, "{split} {answered_by} {moved}");
    }
}
