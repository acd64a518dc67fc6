use super::*;
use ::tests::Database;
use jobs::snapshot::SnapshotStore;
use polars::prelude::IntoLazy;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schema::Db;
use schema::register::complaints::load;
use schema::world::{self, Parameters};
use std::collections::BTreeSet;

/// A generated register in which more complaints are confidential.
fn register(database: &Database, seed: u64) -> Db {
    let db = database.open();
    let until = chrono::NaiveDate::from_ymd_opt(2025, 12, 31).unwrap();
    world::generate(&db, Parameters { complaints: 500, seed, until }, &mut |_| true).unwrap();
    db.write("test", |tx| {
        let all: Vec<Id> = complaints::table.order(complaints::id).select(complaints::id).load(tx.conn)?;
        let some: Vec<Id> = all.into_iter().step_by(5).collect();
        diesel::update(complaints::table.filter(complaints::id.eq_any(&some)))
            .set(complaints::confidential.eq(true))
            .execute(tx.conn)?;
        Ok(())
    })
    .unwrap();
    db
}

/// The complaints of the register that three forms of a scope select.
fn selected(db: &Db, snapshot: &jobs::snapshot::Snapshot, scope: &Scope, all: &[Id]) -> [BTreeSet<Id>; 3] {
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
    [by_sql.into_iter().collect(), by_row.map(|(id, _)| *id).collect(), by_column.collect()]
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
        let (mut some, mut none) = (0, 0);
        for n in 0..120 {
            let role =
                [Role::Board, Role::UnitHead, Role::UnitHead, Role::DataTeam, Role::Dashboard, Role::Intake][n % 6];
            let viewer = Viewer {
                token_id: Id(uuid::Uuid::nil()),
                principal_id: Id(uuid::Uuid::nil()),
                name: "test".into(),
                role,
                unit_id: (role == Role::UnitHead).then(|| units[random.random_range(0..units.len())]),
                officer_id: random.random_bool(0.6).then(|| officers[random.random_range(0..officers.len())]),
                outside: false,
                expires_at: None,
            };
            let [by_sql, by_row, by_column] = selected(&db, &snapshot, &viewer.scope(tree), &all);
            assert_eq!(by_sql, by_row, "{viewer:?}");
            assert_eq!(by_sql, by_column, "{viewer:?}");
            some += usize::from(!by_sql.is_empty() && by_sql.len() < all.len());
            none += usize::from(by_sql.is_empty());
        }
        assert!(some >= 30 && none >= 20, "{some} {none}");
    }
}
