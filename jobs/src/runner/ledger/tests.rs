use super::rows::{acquire, locked, new_run, release};
use super::*;
use crate::JobError;
use crate::runner::job::Publish;
use crate::runner::job::{Context, Job};
use crate::runner::settings::Settings;
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::enums::{RunOrigin, RunState};
use schema::models::JobRun;
use schema::tables::{job_runs, jobs};
use schema::{Db, Timestamp, each};
use std::time::Duration;

struct Breaks;

impl Job for Breaks {
    fn name(&self) -> &'static str {
        "breaks"
    }

    fn about(&self) -> &'static str {
        "breaks off"
    }

    fn schedule(&self) -> &'static str {
        "* * * * * *"
    }

    fn run(&self, _: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError> {
        if run.as_of.is_some_and(|day| day < NaiveDate::default()) {
            panic!("on purpose, on {:?}", run.as_of);
        }
        Ok(Box::new(|tx, run| {
            run.summary = Some(serde_json::json!({ "kept": true }).into());
            diesel::update(jobs::table).set(jobs::paused_by.eq(Some("kept"))).execute(tx.conn)?;
            Ok(())
        }))
    }
}

fn database() -> (tempfile::TempDir, Db) {
    let folder = tempfile::tempdir().expect("a folder");
    let db = Db::open(&format!("sqlite:{}", folder.path().join("test.db").display())).expect("a database");
    db.migrate().expect("tables");
    (folder, db)
}

fn context<'c>(db: &'c Db, settings: &'c Settings) -> Context<'c> {
    Context { db, settings, jobs: crate::scheduled::REGISTRY, snapshots: None, rules: None, stop: None }
}

#[test]
fn a_panic_is_a_failed_run_with_its_message_and_the_job_is_free_again() {
    let (_folder, db) = database();
    let settings = Settings::default();
    let context = context(&db, &settings);
    let day = NaiveDate::from_ymd_opt(1969, 1, 1).expect("a date");
    for _ in 0..2 {
        let failed = run_now(&context, &Breaks, day).expect_err("it breaks off");
        assert!(failed.to_string().contains("on purpose"), "{failed}");
    }
    let runs = db.read(|conn| history(conn, None, 10)).expect("runs");
    assert_eq!(runs.len(), 2);
    assert!(runs.iter().all(|run| run.state == RunState::Failed && run.finished_at.is_some()), "{runs:?}");
    assert!(runs[0].error.as_deref().is_some_and(|error| error.contains("on purpose")));
}

#[test]
fn who_lost_its_claim_cannot_write_what_it_found() {
    let (_folder, db) = database();
    let settings = Settings::default();
    let context = context(&db, &settings);
    let now = Timestamp::now();
    let claim = db
        .write("test", |tx| {
            locked(tx, "breaks", now)?;
            let run = JobRun { as_of: Some(NaiveDate::default()), ..new_run("breaks", now, RunOrigin::Manual, now) };
            each!(&mut *tx.conn, c => diesel::insert_into(job_runs::table).values(&run).execute(c)?);
            let claim = acquire(tx, run, Duration::from_secs(60), now)?;
            diesel::update(jobs::table).set(jobs::node.eq(Some("another"))).execute(tx.conn)?;
            Ok(claim)
        })
        .expect("a claim")
        .value;
    let lost =
        execute(&context, &Breaks, &settings.plan(&Breaks).expect("a plan"), claim).expect_err("it was taken over");
    assert!(lost.to_string().contains("taken over"), "{lost}");
    let state = &db.read(states).expect("jobs")[0];
    assert_eq!((state.paused_by.as_deref(), state.node.as_deref()), (None, Some("another")));
    assert_eq!(db.read(|conn| history(conn, None, 1)).expect("runs")[0].state, RunState::Running);
}

#[test]
fn a_clock_that_was_ahead_stops_no_job() {
    let (_folder, db) = database();
    let settings = Settings::default();
    let plan = settings.plan(&Breaks).expect("a plan");
    let context = context(&db, &settings);
    let waiting = Waiting::default();
    let lease = Duration::from_secs(60);
    let week = Timestamp::from_micros(Timestamp::now().micros() + 7 * 86_400 * 1_000_000).expect("a time");
    db.write("test", |tx| {
        // The rows of a node that ran for some seconds with its clock a week ahead, and was killed.
        locked(tx, "breaks", week)?;
        for state in [RunState::Succeeded, RunState::Running] {
            let at = Timestamp::from_micros(week.micros() + i64::from(state == RunState::Running)).expect("a time");
            let run = JobRun { state, ..new_run("breaks", at, RunOrigin::Scheduled, at) };
            each!(&mut *tx.conn, c => diesel::insert_into(job_runs::table).values(&run).execute(c)?);
            if state == RunState::Running {
                acquire(tx, run, lease, at)?;
            }
        }
        Ok(())
    })
    .expect("written");
    // The abandoned run is taken over at once, whatever the end of its lease.
    let left =
        claim(&context, &Breaks, &plan, &waiting).expect("the ledger answers").expect("the run that was left behind");
    assert!(left.run.scheduled_at > week && left.run.attempt == 2, "{:?}", left.run);
    db.write("test", |tx| {
        diesel::update(job_runs::table.find(left.run.id))
            .set(job_runs::state.eq(RunState::Succeeded))
            .execute(tx.conn)?;
        release(tx, "breaks")
    })
    .expect("it ends");
    let next = (0..30).find_map(|_| {
        std::thread::sleep(Duration::from_millis(100));
        claim(&context, &Breaks, &plan, &waiting).expect("the ledger answers")
    });
    assert!(next.is_some_and(|next| next.run.scheduled_at < week), "{:?}", db.read(states));
}

#[test]
fn a_run_that_this_node_could_not_end_is_taken_over_by_it_before_its_lease_ends() {
    let (_folder, db) = database();
    let settings = Settings::default();
    let plan = settings.plan(&Breaks).expect("a plan");
    let context = context(&db, &settings);
    let now = Timestamp::now();
    let own_as = |node: Option<&str>| {
        db.write("test", |tx| {
            locked(tx, "breaks", now)?;
            let run = new_run("breaks", Timestamp::now(), RunOrigin::Scheduled, now);
            each!(&mut *tx.conn, c => diesel::insert_into(job_runs::table).values(&run).execute(c)?);
            let claim = acquire(tx, run, Duration::from_secs(600), Timestamp::now())?;
            if let Some(node) = node {
                diesel::update(jobs::table).set(jobs::node.eq(Some(node))).execute(tx.conn)?;
            }
            Ok(claim.run.id)
        })
        .expect("a claim")
        .value
    };
    let of_another = own_as(Some("another"));
    let waiting = Waiting::default();
    assert!(claim(&context, &Breaks, &plan, &waiting).expect("the ledger answers").is_none(), "{of_another:?}");
    let abandoned = own_as(None);
    let again = claim(&context, &Breaks, &plan, &waiting).expect("the ledger answers").expect("a run");
    assert_eq!((again.run.id, again.run.attempt), (abandoned, 2));
}

#[test]
fn a_paused_job_is_claimed_by_no_node_and_catches_up_as_it_is_told() {
    let (_folder, db) = database();
    let settings = Settings::default();
    let plan = settings.plan(&Breaks).expect("a plan");
    let context = context(&db, &settings);
    let waiting = Waiting::default();
    let pause = Pause { by: "token:admin", reason: Some("maintenance") };
    let row = change_pause(&db, "token:admin", "breaks", Some(pause)).expect("it is paused");
    assert_eq!((row.paused_by.as_deref(), row.pause_reason.as_deref()), (Some("token:admin"), Some("maintenance")));
    let again = change_pause(&db, "token:other", "breaks", Some(pause)).expect_err("it is paused already");
    assert!(again.to_string().contains("token:admin"), "{again}");
    // Two times of the schedule pass.
    for _ in 0..22 {
        std::thread::sleep(Duration::from_millis(100));
        assert!(claim(&context, &Breaks, &plan, &waiting).expect("the ledger answers").is_none());
    }
    let row = change_pause(&db, "token:admin", "breaks", None).expect("it is resumed");
    assert_eq!((row.paused_at, row.paused_by, row.pause_reason), (None, None, None));
    change_pause(&db, "token:admin", "breaks", None).expect_err("it is not paused");
    let resumed = Timestamp::now();
    // The job says that the latest missed time counts: one run, of at most a second ago.
    let caught_up = claim(&context, &Breaks, &plan, &waiting).expect("the ledger answers").expect("a run");
    let late = resumed.micros() - caught_up.run.scheduled_at.micros();
    assert!(late <= 2_000_000, "{late} µs: an older time was caught up");
    assert_eq!(db.read(|conn| history(conn, None, 10)).expect("runs").len(), 1);
}
