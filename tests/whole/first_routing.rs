//! A register from before responsible units is migrated: each complaint gets one, assignments that overwrote the unit
//! complained about are undone, and what was sealed, verified and reproduced before still is.

use crate::responsible::with_owner;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use schema::Id;
use schema::enums::{ComplaintEventKind, ComplaintState};
use schema::register::{complaints, load_tree};
use schema::tables::{complaint_events, complaints as table, units};
use serde_json::{Value, json};
use tests::fixtures::{self, Files};
use tests::verification::{found, verify};
use tests::{Database, Json, Program};

/// What migration 31 made, undone, and the index that migration 42 made of it.
fn downgrade(database: &Database) {
    let index = match database.name {
        "sqlite" => include_str!("../../migrations/sqlite/2026-12-02-000042_waiting/down.sql"),
        _ => include_str!("../../migrations/postgres/2026-12-02-000042_waiting/down.sql"),
    };
    let down = match database.name {
        "sqlite" => include_str!("../../migrations/sqlite/2026-12-01-000031_responsible_unit/down.sql"),
        _ => include_str!("../../migrations/postgres/2026-12-01-000031_responsible_unit/down.sql"),
    };
    let forget = match database.name {
        "sqlite" => {
            "UPDATE complaint_events SET before = json_remove(before, '$.responsible_unit_id'), \
             after = json_remove(after, '$.responsible_unit_id')"
        }
        _ => {
            "UPDATE complaint_events SET before = before - 'responsible_unit_id', \
             after = after - 'responsible_unit_id'"
        }
    };
    let versions = "'20261201000031', '20261202000042'";
    database.tamper(&format!(
        "{index}; {down}; {forget}; DELETE FROM __diesel_schema_migrations WHERE version IN ({versions})"
    ));
}

/// Assigns a complaint to a unit as earlier versions did: in place of the unit complained about.
fn assign_as_before(database: &Database, reference: &str, unit: &str) {
    let db = database.open();
    let assigned = db.write("token:board", |tx| {
        let id = id_of(tx.conn, reference)?;
        let unit: Id = units::table.filter(units::code.eq(unit)).select(units::id).first(tx.conn)?;
        let case = complaints::load(tx.conn, &[id])?.remove(&id).expect("a complaint");
        let mut now = case.clone();
        now.complaint.unit_id = Some(unit);
        now.officers.iter_mut().for_each(|row| row.unit_id = Some(unit));
        now.set_ancestors(&load_tree(tx.conn)?);
        now.complaint.state = ComplaintState::Assigned;
        now.complaint.state_since = tx.now;
        complaints::update(tx, ComplaintEventKind::StateChanged, tx.now, &case, &mut now)
    });
    assert!(assigned.expect("an assignment").value);
}

fn id_of(conn: &mut schema::Conn, reference: &str) -> Result<Id, schema::StoreError> {
    use schema::tables::complaint_sources as sources;
    Ok(sources::table.filter(sources::reference.eq(reference)).select(sources::complaint_id).first(conn)?)
}

/// Codes of the unit complained about, its branch and the responsible unit; the number of events.
fn state(database: &Database, reference: &str) -> (Value, i64) {
    let db = database.open();
    db.read(|conn| {
        let id = id_of(conn, reference)?;
        let row: (Option<Id>, Option<Id>, Option<Id>) =
            table::table.find(id).select((table::unit_id, table::branch_id, table::responsible_unit_id)).first(conn)?;
        let code = |conn: &mut schema::Conn, unit: Option<Id>| -> Result<Option<String>, schema::StoreError> {
            let Some(unit) = unit else { return Ok(None) };
            Ok(Some(units::table.find(unit).select(units::code).first(conn)?))
        };
        let codes = json!([code(conn, row.0)?, code(conn, row.1)?, code(conn, row.2)?]);
        let events = complaint_events::table.filter(complaint_events::complaint_id.eq(id)).count().get_result(conn)?;
        Ok((codes, events))
    })
    .expect("a complaint")
}

#[test]
fn a_register_of_before_responsible_units_is_routed_and_assignments_are_undone() {
    for database in Database::both() {
        with_owner(&database);
        let files = Files::new();
        let key = files.key_file();
        // PA-5 is about branch 02CV, and names nobody.
        assign_as_before(&database, "PA-5", "CNTT");
        assign_as_before(&database, "PA-5", "03");
        let run = fixtures::run_counting(&database, "2024-03-31");
        downgrade(&database);
        let before = database.rows();
        let db = database.open();
        assert_eq!(state(&database, "PA-5"), (json!(["02CV", "02CV", "03"]), 9), "{}", database.name);
        assert_eq!(state(&database, "PA-1").0, json!(["02CV", "02CV", "02CV"]), "by the rule");
        assert_eq!(state(&database, "KT-1"), (json!(["02CV", "02CV", "CNTT"]), 1), "the owner of the category");
        let after = database.rows();
        let more = |table: &str| after[table] - before[table];
        assert_eq!((more("complaint_events"), more("reference_events")), (1, 1), "one event for all others");
        assert!(db.migrate().expect("nothing to do").applied.is_empty());
        assert_eq!(database.rows(), after);
        // PostgreSQL copies only databases without connections.
        drop(db);
        // The events record the stored values, and a change outside of the program is found.
        Program::built().run(&database, ["audit", "seal", "--key-file", key.as_str()]).ok();
        let (status, report) = verify(&database, &key, &[]);
        assert_eq!((status, found(&report)), (0, vec![]), "{}: {report}", database.name);
        let again = Program::built().json(&database, &["flags", "reproduce", run["run"].text()]);
        assert_eq!(again["reproduced"], true, "{again}");
        for sql in [
            "UPDATE complaints SET responsible_unit_id = (SELECT id FROM units WHERE code = '03') WHERE text = 'Ẩn danh'",
            "UPDATE complaints SET responsible_unit_id = NULL WHERE text = 'Ẩn danh'",
        ] {
            let copy = database.copy();
            copy.tamper(sql);
            let (status, report) = verify(&copy, &key, &[]);
            assert_eq!((status, found(&report)), (1, vec!["complaints.responsible_unit_id".to_owned()]), "{sql}");
        }
    }
}

#[test]
fn a_migration_that_fails_leaves_the_register_as_it_was() {
    for database in Database::both() {
        with_owner(&database);
        assign_as_before(&database, "PA-5", "CNTT");
        downgrade(&database);
        let before = database.rows();
        // The event cannot be stored, as when the disk is full.
        let db = schema::Db::open(&database.url).expect("the database opens");
        db.read(|conn| Ok(conn.batch_execute("ALTER TABLE reference_events RENAME TO elsewhere")?)).expect("renamed");
        assert!(db.migrate().is_err(), "{}", database.name);
        db.read(|conn| Ok(conn.batch_execute("ALTER TABLE elsewhere RENAME TO reference_events")?)).expect("renamed");
        assert_eq!(database.rows(), before, "{}", database.name);
        assert!(!db.migrate().expect("the second try").applied.is_empty());
        assert_eq!(state(&database, "PA-5").0, json!(["02CV", "02CV", "CNTT"]));
    }
}
