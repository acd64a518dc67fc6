//! Old runs, deliveries and digests of readers go, what something depends on stays, and the count of runs holds no metrics up.

use crate::program;
use crate::reader_digests::{token, world};
use diesel::prelude::*;
use schema::enums::{DeliveryState, RunOrigin, RunState};
use schema::models::JobRun;
use schema::states::{StateTable, pair};
use schema::tables::{deliveries, digest_subscriptions, job_runs, reader_digests};
use schema::{Db, Id, Timestamp, each};
use std::time::{Duration, Instant};
use tests::fixtures::Files;
use tests::{Beside, Role, TestApp, wait_until};

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
    for app in TestApp::both().generated(1_000, 7) {
        let files = Files::new();
        let key = files.key_file();
        app.run(&["digest", "subscribe", "--folder", files.path().to_str().unwrap(), "--locale", "vi"]);
        for day in ["2025-12-17", "2025-12-31"] {
            for job in ["recurrence", "timeliness", "trends", "escalate-overdue", "digest", "deliver-digests"] {
                app.run(&["jobs", "run", job, "--as-of", day]);
            }
        }
        let db = app.database.open();
        let run = ids(&db, "recurrence")[0];
        let pattern: JobRun = db
            .read(|conn| {
                let one = job_runs::table.filter(job_runs::job.eq("deliver-digests")).select(JobRun::as_select());
                Ok(one.first(conn)?)
            })
            .unwrap();
        let since = ago(200).micros();
        let minutes_later = |n: i64| Timestamp::from_micros(since + n * 60_000_000).unwrap();
        // All runs become old, and many runs follow that did nothing.
        db.write("test", |tx| {
            let all: Vec<Id> = job_runs::table.select(job_runs::id).load(tx.conn)?;
            diesel::update(job_runs::table).set(job_runs::started_at.eq(ago(300))).execute(tx.conn)?;
            all.iter().for_each(|id| tx.record_state(StateTable::JobRuns, id));
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
                tx.record_state(StateTable::JobRuns, &id);
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
            tx.record_state(StateTable::Deliveries, &pair(sent[0].0, sent[0].1));
            Ok(())
        })
        .unwrap();
        let before = app.database.rows();
        let done = program().json(&app.database, &["jobs", "run", "retention"]);
        // All of these runs go but the newest scheduled one, and so do the two that delivered.
        assert_eq!(
            done["summary"],
            serde_json::json!({ "runs": 2_499 + 2, "deliveries": 1, "notifications": 0, "readerDigests": 0 }),
            "{}",
            app.database.name
        );
        let after = app.database.rows();
        for (table, rows) in &before {
            let changed = ["job_runs", "deliveries", "state_events", "jobs"].contains(&table.as_str());
            assert!(changed || after[table] == *rows, "{table}: {rows}, then {}", after[table]);
        }
        let [last] = ids(&db, "deliver-digests")[..] else { panic!("one is left") };
        let last: JobRun =
            db.read(|conn| Ok(job_runs::table.find(last).select(JobRun::as_select()).first(conn)?)).unwrap();
        assert_eq!(last.origin, RunOrigin::Scheduled);
        assert_eq!(last.scheduled_at, minutes_later(2_498));
        app.run(&["flags", "reproduce", &run.to_string()]);
        app.run(&["audit", "seal", "--key-file", &key]);
        app.run(&["audit", "verify", "--key-file", &key]);
        let again = program().json(&app.database, &["jobs", "run", "retention"]);
        let nothing = serde_json::json!({ "runs": 0, "deliveries": 0, "notifications": 0, "readerDigests": 0 });
        assert_eq!(again["summary"], nothing);
    }
}

/// The days of the digests of readers that are stored, with those that they are compared with.
fn of_readers(db: &Db) -> Vec<(String, bool)> {
    let rows = db.read(|conn| {
        let rows = reader_digests::table
            .order(reader_digests::as_of)
            .select((reader_digests::as_of, reader_digests::previous_id))
            .load::<(chrono::NaiveDate, Option<Id>)>(conn)?;
        Ok(rows)
    });
    rows.expect("the digests").into_iter().map(|(day, previous)| (day.to_string(), previous.is_some())).collect()
}

#[test]
fn old_digests_of_readers_go_and_the_next_one_still_tells_what_is_new_since_the_last() {
    for app in TestApp::both().filled(world).arguments(&["--no-jobs"]) {
        let database = &app.database;
        let files = Files::new();
        let key = files.key_file();
        let folder = files.path().join("mails");
        std::fs::create_dir(&folder).expect("a folder");
        let folder = folder.to_str().expect("a path");
        token(database, "chair", &["--role", "BOARD"]);
        app.run(&["digest", "subscribe", "--folder", folder, "--locale", "vi", "--reader", "chair"]);
        let send = |day: &str| {
            let made = program().json(database, &["jobs", "run", "reader-digests", "--as-of", day]);
            assert_eq!(made["summary"]["digests"], 1, "{day}: {made}");
            let sent = program().json(database, &["jobs", "run", "deliver-digests", "--as-of", day]);
            assert_eq!(sent["summary"]["sent"], 1, "{day}: {sent}");
        };
        ["2025-12-31", "2026-01-01", "2026-01-02"].into_iter().for_each(send);
        let db = database.open();
        let told = |day: &str, compares: bool| (day.to_owned(), compares);
        let all = [told("2025-12-31", false), told("2026-01-01", true), told("2026-01-02", true)];
        assert_eq!(of_readers(&db), all, "{}", database.name);
        let retention = || program().json(database, &["jobs", "run", "retention"])["summary"]["readerDigests"].clone();
        assert_eq!(retention(), 0, "they are of today");
        db.write("test", |tx| {
            let subscriptions: Vec<Id> = digest_subscriptions::table.select(digest_subscriptions::id).load(tx.conn)?;
            diesel::update(digest_subscriptions::table)
                .set(digest_subscriptions::created_at.eq(ago(500)))
                .execute(tx.conn)?;
            let digests: Vec<Id> = reader_digests::table.select(reader_digests::id).load(tx.conn)?;
            diesel::update(reader_digests::table).set(reader_digests::created_at.eq(ago(400))).execute(tx.conn)?;
            subscriptions.iter().for_each(|id| tx.record_state(StateTable::DigestSubscriptions, id));
            digests.iter().for_each(|id| tx.record_state(StateTable::ReaderDigests, id));
            Ok(())
        })
        .expect("they become old");
        assert_eq!(retention(), 2, "{}", database.name);
        assert_eq!(of_readers(&db), [told("2026-01-02", false)], "the last one that was sent stays");
        send("2026-01-03");
        assert_eq!(of_readers(&db)[1], told("2026-01-03", true));
        let text = std::fs::read_to_string(format!("{folder}/phan-anh-2026-01-03-vi.txt")).expect("the last digest");
        assert!(text.contains("So với bản tin đến ngày 02/01/2026."), "{text}");
        assert_eq!(retention(), 1, "another one is the last that was sent");
        app.run(&["audit", "seal", "--key-file", &key]);
        app.run(&["audit", "verify", "--key-file", &key]);
    }
}

#[test]
fn metrics_wait_for_no_count_of_runs_and_name_only_states_that_have_runs() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        app.run(&["jobs", "run", "trends"]);
        let admin = app.as_role(Role::Admin);
        let metrics = || app.server().metrics(&admin.token);
        let told =
            |state: &str| metrics().contains(&format!("phananh_job_runs{{job=\"trends\",state=\"{state}\"}} 1\n"));
        wait_until(10, "runs are counted", || told("SUCCEEDED"));
        let change = "UPDATE job_runs SET state = 'FAILED' WHERE job = 'trends'";
        if app.database.name == "sqlite" {
            app.database.tamper(change);
        } else {
            let mut beside = Beside::new(&app.database);
            beside.lock("job_runs");
            beside.run(change);
            // The server keeps a count for 10 s and gives a new one up after 5 s, so no new count ends meanwhile.
            let end = Instant::now() + Duration::from_secs(20);
            while Instant::now() < end {
                assert!(told("SUCCEEDED"), "{}", metrics());
                std::thread::sleep(Duration::from_millis(200));
            }
            beside.run("COMMIT");
        }
        wait_until(30, "runs are counted again", || told("FAILED"));
        assert!(!told("SUCCEEDED"), "{}", metrics());
    }
}
