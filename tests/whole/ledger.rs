//! Jobs that run by themselves: once, whatever dies; later, if they were missed; again, if they failed.

use crate::program;
use diesel::prelude::*;
use schema::enums::{RunOrigin, RunState};
use schema::models::JobRun;
use schema::tables::{job_runs, jobs};
use schema::{Db, Id, Timestamp};
use serde_json::Value;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tests::{Database, Json, Server, file, fixtures, wait_until};

const SECOND: i64 = 1_000_000;

fn config(folder: &TempDir, text: &str) -> String {
    file(folder.path(), "phananh.toml", text).to_str().expect("a path").to_owned()
}

fn serve(database: &Database, config: &str) -> Server {
    program().serve(database, &["--config", config])
}

/// The runs of a job in the order of their scheduled times.
fn runs(db: &Db, job: &str) -> Vec<JobRun> {
    db.read(|conn| {
        Ok(job_runs::table
            .filter(job_runs::job.eq(job.to_owned()))
            .order(job_runs::scheduled_at)
            .select(JobRun::as_select())
            .load(conn)?)
    })
    .expect("the ledger reads")
}

/// Each second from the first to the last has one run, and it was completed; none overlaps another.
#[track_caller]
fn assert_each_second_ran_once(runs: &[JobRun], at_least: usize) {
    assert!(runs.len() >= at_least, "only {} runs", runs.len());
    for (before, after) in runs.iter().zip(&runs[1..]) {
        assert_eq!(after.scheduled_at.micros() - before.scheduled_at.micros(), SECOND, "{before:?}\n{after:?}");
        assert!(before.finished_at.expect("an end") <= after.started_at, "{before:?}\n{after:?}");
    }
    for run in runs {
        assert_eq!((run.state, run.origin), (RunState::Succeeded, RunOrigin::Scheduled), "{run:?}");
    }
}

const EVERY_SECOND: &str = "
[scheduler]
lease_seconds = 3
poll_seconds = 1
[jobs.escalate-overdue]
schedule = \"* * * * * *\"
missed = \"all\"
";

/// Both for the same two minutes, in which they mostly wait.
#[test]
fn nodes_that_are_killed_again_and_again_run_each_second_once() {
    std::thread::scope(|scope| {
        let on_sqlite = scope.spawn(one_node_on_sqlite_that_is_killed_runs_each_second_once);
        two_nodes_of_which_one_is_killed_again_and_again_run_each_second_once();
        on_sqlite.join().expect("each second ran once on SQLite");
    });
}

fn two_nodes_of_which_one_is_killed_again_and_again_run_each_second_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = config(&folder, EVERY_SECOND);
    let database = Database::postgres();
    // Something to do, so that kills hit runs.
    fixtures::generate(&database, 5_000, 7);
    let db = database.open();
    let mut nodes = [Some(serve(&database, &config)), Some(serve(&database, &config))];
    let end = Instant::now() + Duration::from_secs(120);
    let mut kills = 0;
    while Instant::now() < end {
        std::thread::sleep(Duration::from_millis(1_000 + u64::from(rand_u32() % 6_000)));
        let victim = &mut nodes[rand_u32() as usize % 2];
        victim.take().expect("a node").end_by("KILL");
        *victim = Some(serve(&database, &config));
        kills += 1;
    }
    // A run that the last kill left behind is taken over.
    std::thread::sleep(Duration::from_secs(5));
    for node in nodes {
        assert_eq!(node.expect("a node").end_by("TERM"), Some(0));
    }
    let runs = runs(&db, "escalate-overdue");
    assert!(kills > 10, "{kills} kills");
    assert_each_second_ran_once(&runs, 115);
    let nodes: std::collections::BTreeSet<_> = runs.iter().filter_map(|run| run.node.clone()).collect();
    assert!(nodes.len() > 2, "nobody took part but {nodes:?}");
}

fn one_node_on_sqlite_that_is_killed_runs_each_second_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = config(&folder, EVERY_SECOND);
    let database = Database::sqlite();
    fixtures::generate(&database, 2_000, 1);
    let mut node = serve(&database, &config);
    let end = Instant::now() + Duration::from_secs(120);
    while Instant::now() < end {
        std::thread::sleep(Duration::from_millis(2_000 + u64::from(rand_u32() % 4_000)));
        node.end_by("KILL");
        node = serve(&database, &config);
    }
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(node.end_by("TERM"), Some(0));
    assert_each_second_ran_once(&runs(&database.open(), "escalate-overdue"), 38);
}

fn rand_u32() -> u32 {
    uuid::Uuid::new_v4().as_fields().0
}

#[test]
fn a_run_that_a_dead_node_left_behind_is_done_again_and_one_by_hand_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = config(&folder, "[scheduler]\nlease_seconds = 2\npoll_seconds = 1\n");
    for database in Database::both() {
        let db = database.open();
        for (job, origin) in [("trends", RunOrigin::Scheduled), ("timeliness", RunOrigin::Manual)] {
            let run = program().json(&database, &["jobs", "run", job]);
            let id: Id = Id(run["run"].text().parse().expect("an id"));
            // A node that is gone in the middle of the run leaves this state.
            db.write("test", |tx| {
                diesel::delete(schema::tables::job_results::table).execute(tx.conn)?;
                diesel::update(job_runs::table.find(id))
                    .set((
                        job_runs::state.eq(RunState::Running),
                        job_runs::finished_at.eq(None::<Timestamp>),
                        job_runs::origin.eq(origin),
                        job_runs::node.eq(Some("gone")),
                    ))
                    .execute(tx.conn)?;
                diesel::update(jobs::table.find(job))
                    .set((
                        jobs::run_id.eq(Some(id)),
                        jobs::node.eq(Some("gone")),
                        jobs::lease_until
                            .eq(Some(Timestamp::from_micros(tx.now.micros() + 2 * SECOND).expect("a time"))),
                    ))
                    .execute(tx.conn)?;
                Ok(())
            })
            .expect("the ledger is changed");
        }
        let busy = program().run(&database, ["jobs", "run", "trends"]);
        assert_eq!(busy.status, 1);
        assert!(busy.err.contains("trends is running already, on gone"), "{busy:?}");

        let node = serve(&database, &config);
        wait_until(20, "taking over", || runs(&db, "trends").iter().all(|run| run.state != RunState::Running));
        wait_until(20, "failing", || runs(&db, "timeliness").iter().all(|run| run.state != RunState::Running));
        let taken = &runs(&db, "trends")[0];
        assert_eq!((taken.state, taken.attempt), (RunState::Succeeded, 2), "{taken:?}");
        let failed = &runs(&db, "timeliness")[0];
        assert_eq!((failed.state, failed.attempt), (RunState::Failed, 1), "{failed:?}");
        assert!(failed.error.as_deref().expect("an error").contains("gone went away"), "{failed:?}");
        assert_eq!(node.end_by("INT"), Some(0));
    }
}

/// A schedule of which no time is near.
fn hourly() -> String {
    let minute = Timestamp::now().micros() / (60 * SECOND) % 60;
    format!("{} * * * *", (minute + 30) % 60)
}

/// Sets the time at which the ledger first saw each job to a week ago.
fn a_week_ago(db: &Db) {
    db.write("test", |tx| {
        let since = Timestamp::from_micros(tx.now.micros() - 7 * 24 * 3600 * SECOND).expect("a time");
        diesel::update(jobs::table).set(jobs::since.eq(since)).execute(tx.conn)?;
        Ok(())
    })
    .expect("the ledger is changed");
}

fn jobs_in_ledger(db: &Db) -> i64 {
    db.read(|conn| Ok(jobs::table.count().get_result(conn)?)).expect("the ledger reads")
}

/// How many jobs a node runs that is not configured.
pub fn scheduled_by_default() -> i64 {
    let settings = ::jobs::runner::settings::Settings::default();
    ::jobs::scheduled::REGISTRY.iter().filter(|job| job.is_configured(&settings)).count() as i64
}

#[test]
fn what_was_missed_in_a_week_is_caught_up_as_each_job_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let hourly = hourly();
    let config = config(
        &folder,
        &format!(
            "[scheduler]\npoll_seconds = 1\n
             [jobs.timeliness]\nschedule = \"{hourly}\"\nmissed = \"latest\"\n
             [jobs.trends]\nschedule = \"{hourly}\"\nmissed = \"all\"\n
             [jobs.escalate-overdue]\nschedule = \"{hourly}\"\nmissed = \"skip\"\n"
        ),
    );
    for database in Database::both() {
        let node = serve(&database, &config);
        let db = database.open();
        wait_until(20, "the ledger knows the jobs", || jobs_in_ledger(&db) == scheduled_by_default());
        assert_eq!(node.end_by("TERM"), Some(0));
        assert!(runs(&db, "trends").is_empty(), "nothing was due before the ledger had the job");
        a_week_ago(&db);

        let node = serve(&database, &config);
        wait_until(90, "catching up", || runs(&db, "trends").len() >= 168);
        wait_until(20, "the latest", || runs(&db, "timeliness").len() == 1);
        assert_eq!(node.end_by("TERM"), Some(0));
        let all = runs(&db, "trends");
        assert_eq!(all.len(), 168, "{}", database.name);
        for (before, after) in all.iter().zip(&all[1..]) {
            assert_eq!(after.scheduled_at.micros() - before.scheduled_at.micros(), 3600 * SECOND);
            assert!(before.started_at <= after.started_at, "the oldest comes first");
        }
        let latest = runs(&db, "timeliness");
        assert_eq!(latest[0].scheduled_at, all[167].scheduled_at);
        assert!(runs(&db, "escalate-overdue").is_empty());
    }
}

#[test]
fn a_run_that_fails_is_tried_again_later_and_later_and_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let rules = folder.path().join("rules.toml");
    let config = config(
        &folder,
        &format!(
            "[scheduler]\npoll_seconds = 1\n
             [jobs.recurrence]\nschedule = \"{}\"\nretries = 2\nbackoff_seconds = 1\nrules = \"{}\"\n",
            hourly(),
            rules.display()
        ),
    );
    let database = Database::sqlite();
    let db = database.open();
    let node = serve(&database, &config);
    wait_until(20, "the ledger knows the jobs", || jobs_in_ledger(&db) == scheduled_by_default());
    a_week_ago(&db);
    let last = |db: &Db| runs(db, "recurrence").last().cloned();
    wait_until(30, "giving up", || {
        last(&db).is_some_and(|run| run.state == RunState::Failed && run.attempt == 3 && run.retry_at.is_none())
    });
    let given_up = last(&db).expect("a run");
    assert!(given_up.error.as_deref().expect("an error").contains("rules.toml"), "{given_up:?}");
    let took = given_up.started_at.micros() - runs(&db, "recurrence")[0].scheduled_at.micros();
    assert!(took > 3 * SECOND, "one second and then two between the attempts");

    // Put right, the next time comes out well.
    file(folder.path(), "rules.toml", "version = \"mine\"\nepisode_days = 3\n");
    db.write("test", |tx| {
        diesel::delete(job_runs::table).filter(job_runs::job.eq("recurrence")).execute(tx.conn)?;
        Ok(())
    })
    .expect("the ledger is changed");
    wait_until(30, "a good run", || last(&db).is_some_and(|run| run.state == RunState::Succeeded));
    assert_eq!(last(&db).expect("a run").rules_version.as_deref(), Some("mine"));
    assert_eq!(node.end_by("TERM"), Some(0));
}

#[test]
fn a_signal_lets_a_run_finish() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = Database::sqlite();
    fixtures::generate(&database, 12_000, 5);
    let config = config(&folder, &format!("[jobs.recurrence]\nschedule = \"{}\"\n", hourly()));
    let db = database.open();
    let node = serve(&database, &config);
    wait_until(20, "the ledger knows the jobs", || jobs_in_ledger(&db) == scheduled_by_default());
    assert_eq!(node.end_by("TERM"), Some(0));
    a_week_ago(&db);
    let node = serve(&database, &config);
    wait_until(30, "a run", || runs(&db, "recurrence").iter().any(|run| run.state == RunState::Running));
    assert_eq!(node.end_by("TERM"), Some(0));
    let run = &runs(&db, "recurrence")[0];
    assert_eq!((run.state, run.attempt), (RunState::Succeeded, 1), "{run:?}");
    assert!(run.summary.is_some());
}

#[test]
fn jobs_are_listed_paused_and_resumed_and_wrong_settings_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    for database in Database::both() {
        let names =
            |jobs: &Value| -> Vec<String> { jobs.list().iter().map(|job| job["name"].text().to_owned()).collect() };
        program().run(&database, ["migrate"]).ok();
        let listed = program().json(&database, &["jobs", "list"]);
        assert_eq!(
            names(&listed),
            [
                "recurrence",
                "timeliness",
                "trends",
                "escalate-overdue",
                "blame-check",
                "snapshot",
                "verify-audit",
                "digest",
                "reader-digests",
                "deliver-digests",
                "retention",
                "classify",
                "hand-over",
                "lake",
                "alerts",
                "notify"
            ]
        );
        assert!(listed[0]["next"].is_string() && listed[0]["pausedAt"].is_null(), "{listed}");
        program().run(&database, ["jobs", "pause", "recurrence"]).ok();
        let listed = program().json(&database, &["jobs", "list"]);
        assert!(listed[0]["next"].is_null() && listed[0]["pausedAt"].is_string(), "{listed}");

        let every_second = config(
            &folder,
            "[scheduler]\npoll_seconds = 1\n[jobs.recurrence]\nschedule = \"* * * * * *\"\n
             [jobs.trends]\nschedule = \"* * * * * *\"\n",
        );
        let node = serve(&database, &every_second);
        let db = database.open();
        wait_until(20, "the other job", || runs(&db, "trends").len() > 2);
        assert!(runs(&db, "recurrence").is_empty(), "it is paused");
        let token = program().token(&database, "BOARD", None);
        let data = node.data(&token, "{ jobRuns(first: 1) { nodes { job state origin attempt retryAt } } }");
        assert_eq!(data["jobRuns"]["nodes"][0]["origin"], "SCHEDULED");
        program().run(&database, ["jobs", "resume", "recurrence"]).ok();
        wait_until(20, "it goes on", || !runs(&db, "recurrence").is_empty());
        assert_eq!(node.end_by("TERM"), Some(0));
    }
    let database = Database::sqlite();
    for (wrong, word) in [
        ("[jobs.recurrence]\nschedule = \"0 2 * *\"\n", "five fields"),
        ("[jobs.recurrence]\ntimezone = \"Hanoi\"\n", "Asia/Ho_Chi_Minh"),
        ("[jobs.recurence]\n", "there is no such job"),
        ("[scheduler]\nlease = 3\n", "lease_seconds"),
        ("[jobs.recurrence]\nmissed = \"never\"\n", "latest"),
    ] {
        let refused = program().run(&database, ["jobs", "list", "--config", &config(&folder, wrong)]);
        assert_eq!(refused.status, 1, "{wrong}");
        assert!(refused.err.contains("phananh.toml") && refused.err.contains(word), "{wrong}: {refused:?}");
    }
    program().run(&database, ["migrate"]).ok();
    let refused = program().run(&database, ["jobs", "run", "recurrance"]);
    assert!(refused.status == 1 && refused.err.contains("jobs list"), "{refused:?}");
}

#[test]
fn the_documented_defaults_are_the_defaults() {
    let database = Database::sqlite();
    program().run(&database, ["migrate"]).ok();
    let documented = tests::project().join("docs/phananh.toml");
    let documented = documented.to_str().expect("a path");
    let named = program().json(&database, &["jobs", "list", "--config", documented]);
    let unnamed = program().json(&database, &["jobs", "list"]);
    let without_next = |jobs: Value| -> Vec<Value> {
        let mut jobs = jobs.list().to_vec();
        jobs.iter_mut().for_each(|job| job["next"] = Value::Null);
        jobs
    };
    assert_eq!(without_next(named), without_next(unnamed));
}
