//! What is under way: runs, leases, deliveries that wait, and a server that seals.

use super::register::{Prepared, key_file};
use crate::program;
use diesel::prelude::*;
use schema::Conn;
use schema::states::{StateTable, column_hashes, earlier_form, row_hash, rows_after};
use schema::tables::seals;
use tests::fixtures::Files;
use tests::verification::{found, verify};
use tests::{Database, wait_until};

/// SQL for moments: a minute and a century from now.
fn moments(database: &Database) -> [&'static str; 2] {
    match database.name {
        "sqlite" => ["(unixepoch() + 60) * 1000000", "4102444800000000"],
        _ => ["now() + interval '1 minute'", "timestamptz '2100-01-01'"],
    }
}

#[test]
fn what_keeps_a_job_or_a_delivery_from_running_is_named() {
    for prepared in Prepared::both() {
        let Prepared { database, key } = &prepared;
        let [soon, far] = moments(database);
        let random = if database.name == "sqlite" { "randomblob(16)" } else { "gen_random_uuid()" };
        let run = |at: &str, node: &str| {
            format!(
                "INSERT INTO job_runs (id, job, scheduled_at, started_at, state, code_version, origin, attempt, node) \
                 SELECT {random}, 'trends', {at}, started_at, 'RUNNING', code_version, 'SCHEDULED', 1, {node} \
                 FROM job_runs WHERE job = 'timeliness'"
            )
        };
        let lease = |run: &str, node: &str, until: &str| {
            format!("UPDATE jobs SET run_id = {run}, node = {node}, lease_until = {until} WHERE job = 'trends'")
        };
        let invented = "(SELECT id FROM job_runs WHERE job = 'trends' AND state = 'RUNNING')";
        let ended = "(SELECT max(id) FROM job_runs WHERE job = 'trends' AND state = 'SUCCEEDED')";
        let of_another = "(SELECT max(id) FROM job_runs WHERE job = 'timeliness')";
        let ended =
            if database.name == "sqlite" { ended.to_owned() } else { ended.replace("max(id)", "max(id::text)::uuid") };
        let of_another = if database.name == "sqlite" {
            of_another.to_owned()
        } else {
            of_another.replace("max(id)", "max(id::text)::uuid")
        };
        for (sql, expected) in [
            (run(far, "NULL"), &["job_runs +"][..]),
            (format!("{}; {}", run(soon, "'x'"), lease(invented, "'x'", soon)), &["job_runs +"]),
            (format!("{}; {}", run(soon, "'x'"), lease(invented, "'x'", far)), &["job_runs +", "jobs.lease_until"]),
            (format!("{}; {}", run(soon, "'x'"), lease(invented, "'y'", soon)), &["job_runs +", "jobs.node"]),
            (lease("NULL", "NULL", soon), &["jobs.lease_until"]),
            (lease("NULL", "'x'", far), &["jobs.lease_until"]),
            (lease("NULL", "'x'", "NULL"), &["jobs.node"]),
            (lease(&ended, "'x'", soon), &["jobs.run_id"]),
            (lease(&of_another, "'x'", soon), &["jobs.run_id"]),
            (lease(random, "'x'", soon), &["jobs.run_id"]),
            (
                format!("UPDATE deliveries SET next_attempt_at = {far} WHERE state = 'PENDING'"),
                &["deliveries.next_attempt_at"],
            ),
            ("UPDATE deliveries SET attempts = 8 WHERE state = 'PENDING'".to_owned(), &["deliveries.attempts"]),
            ("UPDATE deliveries SET attempts = -9 WHERE state = 'PENDING'".to_owned(), &["deliveries.attempts"]),
        ] {
            let copy = database.copy();
            copy.tamper(&sql);
            let (status, report) = verify(&copy, key, &[]);
            assert_eq!((status, found(&report)), (1, expected.iter().map(|e| (*e).to_owned()).collect()), "{sql}");
        }
    }
}

#[test]
fn runs_and_deliveries_of_a_version_before_are_verified() {
    for prepared in Prepared::both() {
        let Prepared { database, key } = &prepared;
        let random = if database.name == "sqlite" { "randomblob(16)" } else { "gen_random_uuid()" };
        // A run under way was in no state.
        database.tamper(&format!(
            "INSERT INTO job_runs (id, job, scheduled_at, started_at, state, code_version, origin, attempt) \
             SELECT {random}, job, recorded.at, started_at, 'RUNNING', code_version, origin, 1 FROM job_runs, \
             (SELECT min(at) AS at FROM audit_log) AS recorded WHERE job = 'timeliness'; \
             DELETE FROM __diesel_schema_migrations WHERE version = '20261128000016'"
        ));
        let (_, report) = verify(database, key, &[]);
        assert_eq!(found(&report), ["__diesel_schema_migrations -", "job_runs +"]);
        // A delivery that waits had fewer columns in its state.
        let db = database.open();
        let mut sql = "DELETE FROM seals WHERE chain = 'STATE'".to_owned();
        db.read(|conn| {
            for row in rows_after(conn, StateTable::Deliveries, None, 100)? {
                let row = row.expect("it reads");
                let fields = earlier_form(StateTable::Deliveries, &row.fields).expect("another form");
                assert!(fields.len() < row.fields.len());
                let bytes = |bytes: &[u8]| {
                    let hex = data_encoding::HEXLOWER.encode(bytes);
                    if matches!(conn, Conn::Sqlite(_)) { format!("x'{hex}'") } else { format!("'\\x{hex}'") }
                };
                let columns = serde_json::Value::from(column_hashes(b"salt", &fields)?);
                sql.push_str(&format!(
                    "; UPDATE state_events SET hash = {}, salt = {}, column_hashes = '{columns}' \
                     WHERE table_name = 'deliveries' AND row_key = '{}'",
                    bytes(&row_hash(b"salt", &fields)?),
                    bytes(b"salt"),
                    row.key
                ));
            }
            Ok(())
        })
        .unwrap();
        drop(db);
        database.tamper(&sql);
        program().run(database, ["audit", "seal", "--key-file", key]).ok();
        let (status, report) = verify(database, key, &[]);
        assert_eq!((status, found(&report)), (0, vec![]), "{}: {report}", database.name);
        let copy = database.copy();
        copy.tamper("UPDATE deliveries SET message_id = 'x' WHERE state = 'PENDING'");
        let (status, report) = verify(&copy, key, &[]);
        assert_eq!((status, found(&report)), (1, vec!["deliveries.message_id".to_owned()]), "{report}");
    }
}

#[test]
fn a_server_under_which_seals_are_deleted_makes_no_new_chain() {
    // Both at once: each waits for its server to seal.
    std::thread::scope(|scope| {
        for database in Database::both() {
            scope.spawn(move || makes_no_new_chain(&database));
        }
    });
}

fn makes_no_new_chain(database: &Database) {
    let files = Files::new();
    let key = key_file(&files);
    tests::fixtures::fill(database);
    program().run(database, ["audit", "seal", "--key-file", &key]).ok();
    let server = program().serve(database, &["--no-jobs", "--key-file", &key]);
    let db = database.open();
    let seals = || db.read(|conn| Ok(seals::table.count().get_result::<i64>(conn)?)).unwrap();
    // The server has looked once for rows, and seals new ones.
    let before = seals();
    program().run(database, ["token", "create", "--name", "first", "--role", "ADMIN"]).ok();
    wait_until(10, "something is sealed", || seals() > before);
    database.tamper("DELETE FROM seals");
    program().run(database, ["token", "create", "--name", "second", "--role", "ADMIN"]).ok();
    std::thread::sleep(std::time::Duration::from_secs(8));
    assert_eq!(verify(database, &key, &[]).1["seals"], 0, "{}: a new chain was begun", database.name);
    let log = server.log_after("TERM");
    assert!(log.contains("deleted or replaced outside the program") && log.contains("COMPLAINTS:"), "{log}");
}
