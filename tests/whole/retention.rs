//! What is of no further use goes, what something depends on stays, and many runs slow nothing down.

use crate::broken_off::Beside;
use crate::program;
use crate::world::{self, Files};
use diesel::prelude::*;
use schema::enums::{DeliveryState, RunOrigin, RunState};
use schema::models::JobRun;
use schema::states::{Kept, pair};
use schema::tables::{deliveries, job_runs};
use schema::{Db, Id, Timestamp, each};
use std::time::{Duration, Instant};
use tests::{Database, wait_until};

const DAY: i64 = 86_400_000_000;

fn ago(days: i64) -> Timestamp {
    Timestamp::from_micros(Timestamp::now().micros() - days * DAY).unwrap()
}

fn ids(db: &Db, job: &str) -> Vec<Id> {
    let runs = |conn: &mut schema::Conn| {
        Ok(job_runs::table
            .filter(job_runs::job.eq(job.to_owned()))
            .order(job_runs::started_at)
            .select(job_runs::id)
            .load(conn)?)
    };
    db.read(runs).unwrap()
}

#[test]
fn old_runs_and_deliveries_go_and_what_something_depends_on_stays() {
    for database in Database::both() {
        let files = Files::new();
        let key = files.path().join("key").display().to_string();
        program().run(&database, ["key", "create", &key]).ok();
        program().run(&database, ["generate", "--complaints", "1000", "--seed", "7"]).ok();
        program()
            .run(&database, ["digest", "subscribe", "--folder", files.path().to_str().unwrap(), "--locale", "vi"])
            .ok();
        for day in ["2025-12-17", "2025-12-31"] {
            for job in ["recurrence", "timeliness", "trends", "escalate-overdue", "digest", "deliver-digests"] {
                program().run(&database, ["jobs", "run", job, "--as-of", day]).ok();
            }
        }
        let db = database.open();
        let run = ids(&db, "recurrence")[0];
        let pattern: JobRun = db
            .read(|conn| {
                let one = job_runs::table.filter(job_runs::job.eq("deliver-digests")).select(JobRun::as_select());
                Ok(one.first(conn)?)
            })
            .unwrap();
        let since = ago(200).micros();
        let minutes_later = |n: i64| Timestamp::from_micros(since + n * 60_000_000).unwrap();
        // All that was done was done long ago, and much of nothing since.
        db.write("test", |tx| {
            let all: Vec<Id> = job_runs::table.select(job_runs::id).load(tx.conn)?;
            diesel::update(job_runs::table).set(job_runs::started_at.eq(ago(300))).execute(tx.conn)?;
            all.iter().for_each(|id| tx.keep(Kept::JobRuns, id));
            for n in 0..2_500 {
                let at = minutes_later(n);
                let id = Id(uuid::Uuid::new_v4());
                let origin = if n % 2 == 0 { RunOrigin::Scheduled } else { RunOrigin::Manual };
                let state = if n % 3 == 0 { RunState::Failed } else { RunState::Succeeded };
                let row = JobRun {
                    id,
                    scheduled_at: at,
                    started_at: at,
                    finished_at: Some(at),
                    origin,
                    state,
                    ..pattern.clone()
                };
                each!(&mut *tx.conn, c => diesel::insert_into(job_runs::table).values(&row).execute(c)?);
                tx.keep(Kept::JobRuns, &id);
            }
            let sent: Vec<(Id, Id)> = deliveries::table
                .filter(deliveries::state.eq(DeliveryState::Sent))
                .order(deliveries::sent_at)
                .select((deliveries::digest_id, deliveries::subscription_id))
                .load(tx.conn)?;
            assert_eq!(sent.len(), 2);
            diesel::update(deliveries::table.find(sent[0]))
                .set(deliveries::next_attempt_at.eq(ago(400)))
                .execute(tx.conn)?;
            tx.keep(Kept::Deliveries, &pair(sent[0].0, sent[0].1));
            Ok(())
        })
        .unwrap();
        let before = database.rows();
        let done = program().json(&database, &["jobs", "run", "retention"]);
        // But for the newest that ran by itself; and those two that delivered.
        assert_eq!(done["summary"], serde_json::json!({ "runs": 2_499 + 2, "deliveries": 1 }), "{}", database.name);
        let after = database.rows();
        for (table, rows) in &before {
            let changed = ["job_runs", "deliveries", "state_events", "jobs"].contains(&table.as_str());
            assert!(changed || after[table] == *rows, "{table}: {rows}, then {}", after[table]);
        }
        let [last] = ids(&db, "deliver-digests")[..] else { panic!("one is left") };
        let last: JobRun =
            db.read(|conn| Ok(job_runs::table.find(last).select(JobRun::as_select()).first(conn)?)).unwrap();
        assert_eq!(last.origin, RunOrigin::Scheduled);
        assert_eq!(last.scheduled_at, minutes_later(2_498));
        program().run(&database, ["flags", "reproduce", &run.to_string()]).ok();
        program().run(&database, ["audit", "seal", "--key-file", &key]).ok();
        program().run(&database, ["audit", "verify", "--key-file", &key]).ok();
        let again = program().json(&database, &["jobs", "run", "retention"]);
        assert_eq!(again["summary"], serde_json::json!({ "runs": 0, "deliveries": 0 }));
    }
}

#[test]
fn metrics_wait_for_no_count_of_runs_and_name_only_states_that_have_runs() {
    for database in Database::both() {
        world::fill(&database);
        program().run(&database, ["jobs", "run", "trends"]).ok();
        let admin = program().token(&database, "ADMIN", None);
        let server = program().serve(&database, &["--no-jobs"]);
        let told = |state: &str| {
            server.metrics(&admin).contains(&format!("phananh_job_runs{{job=\"trends\",state=\"{state}\"}} 1\n"))
        };
        wait_until(10, "runs are counted", || told("SUCCEEDED"));
        let change = "UPDATE job_runs SET state = 'FAILED' WHERE job = 'trends'";
        if database.name == "sqlite" {
            database.tamper(change);
        } else {
            let mut beside = Beside::new(&database);
            beside.lock("job_runs");
            beside.run(change);
            // A count stands for 10 s and is broken off after 5 s: none comes to its end meanwhile.
            let end = Instant::now() + Duration::from_secs(20);
            while Instant::now() < end {
                assert!(told("SUCCEEDED"), "{}", server.metrics(&admin));
                std::thread::sleep(Duration::from_millis(200));
            }
            beside.run("COMMIT");
        }
        wait_until(30, "runs are counted again", || told("FAILED"));
        assert!(!told("SUCCEEDED"), "{}", server.metrics(&admin));
    }
}
