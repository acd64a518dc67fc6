//! A job that reads the results of other jobs waits for those jobs, but not for ever.

use crate::program;
use chrono::{DateTime, Days, FixedOffset, NaiveDate, Timelike, Utc};
use diesel::prelude::*;
use schema::enums::{RunOrigin, RunState};
use schema::models::JobRun;
use schema::tables::{digests, job_runs, jobs};
use schema::{Db, JsonValue, Timestamp};
use serde_json::Value;
use tests::{Database, file, wait_until};

const READ: [&str; 4] = ["recurrence", "timeliness", "trends", "escalate-overdue"];

fn local() -> DateTime<FixedOffset> {
    Utc::now().with_timezone(&FixedOffset::east_opt(7 * 3600).unwrap())
}

/// A daily schedule that was last due about an hour ago, and the day that its last run is for.
fn daily(minutes_later: i64) -> (String, NaiveDate) {
    let slot = local() - chrono::TimeDelta::minutes(60 - minutes_later);
    (format!("{} {} * * *", slot.minute(), slot.hour()), slot.date_naive() - Days::new(1))
}

fn runs(db: &Db, job: &str) -> Vec<JobRun> {
    db.read(|conn| {
        let runs = job_runs::table.filter(job_runs::job.eq(job.to_owned()));
        let scheduled = runs.filter(job_runs::origin.eq(RunOrigin::Scheduled));
        Ok(scheduled.order(job_runs::scheduled_at).select(JobRun::as_select()).load(conn)?)
    })
    .unwrap()
}

/// Starts a node as after a night in which it was down while its jobs were due.
fn after_a_night(database: &Database, config: &str) -> (Db, tests::Server) {
    let db = database.open();
    let node = program().serve(database, &["--config", config]);
    let jobs_in_ledger = || db.read(|conn| Ok(jobs::table.count().get_result::<i64>(conn)?)).unwrap();
    wait_until(20, "the ledger knows the jobs", || jobs_in_ledger() == crate::ledger::scheduled_by_default());
    assert_eq!(node.end_by("TERM"), Some(0));
    db.write("test", |tx| {
        let since = Timestamp::from_micros(tx.now.micros() - 24 * 3_600_000_000).unwrap();
        diesel::update(jobs::table).set(jobs::since.eq(since)).execute(tx.conn)?;
        Ok(())
    })
    .unwrap();
    let node = program().serve(database, &["--config", config]);
    (db, node)
}

fn documents(db: &Db) -> Vec<Value> {
    let documents = db.read(|conn| Ok(digests::table.select(digests::document).load::<JsonValue>(conn)?));
    documents.unwrap().into_iter().map(|document| document.0).collect()
}

#[test]
fn a_digest_that_is_caught_up_tells_of_the_runs_that_are_caught_up_with_it() {
    for database in Database::both() {
        let folder = tempfile::tempdir().unwrap();
        let ((read, day), (digest, _)) = (daily(0), daily(1));
        let until = day.to_string();
        program().run(&database, ["generate", "--complaints", "3000", "--seed", "7", "--until", &until]).ok();
        // Results of an earlier day exist: a digest that did not wait would be made of them.
        for job in READ {
            let before = (day - Days::new(7)).to_string();
            program().run(&database, ["jobs", "run", job, "--as-of", &before]).ok();
        }
        let mut config = String::from("[scheduler]\npoll_seconds = 1\n");
        for job in READ {
            config += &format!("[jobs.{job}]\nschedule = \"{read}\"\n");
        }
        config += &format!("[jobs.digest]\nschedule = \"{digest}\"\n");
        let config = file(folder.path(), "phananh.toml", config);
        let (db, node) = after_a_night(&database, config.to_str().unwrap());
        wait_until(90, "the digest", || runs(&db, "digest").iter().any(|run| run.state == RunState::Succeeded));
        let made = runs(&db, "digest").remove(0);
        for job in READ {
            let read = runs(&db, job).remove(0);
            // What is overdue today is escalated today; everything else is about the day that is over.
            let as_of = if job == "escalate-overdue" { day + Days::new(1) } else { day };
            assert_eq!((read.state, read.as_of), (RunState::Succeeded, Some(as_of)), "{read:?}");
            assert!(read.finished_at.unwrap() <= made.started_at, "{}: {read:?} {made:?}", database.name);
        }
        for document in documents(&db) {
            assert_eq!((&document["asOf"], &document["stale"]), (&until.clone().into(), &serde_json::json!([])));
        }
        assert_eq!(node.end_by("TERM"), Some(0));
    }
}

#[test]
fn who_has_waited_long_enough_goes_by_what_there_is_and_says_so() {
    let database = Database::sqlite();
    let folder = tempfile::tempdir().unwrap();
    let ((read, day), (digest, _)) = (daily(0), daily(1));
    program().run(&database, ["generate", "--complaints", "1000", "--seed", "7", "--until", &day.to_string()]).ok();
    let before = (day - Days::new(7)).to_string();
    for job in READ {
        program().run(&database, ["jobs", "run", job, "--as-of", &before]).ok();
    }
    // The rules file does not exist. The recurrence job fails and tries again after an hour; the digest waits for 4 s.
    let mut config = String::from("[scheduler]\npoll_seconds = 1\n");
    for job in READ {
        config += &format!("[jobs.{job}]\nschedule = \"{read}\"\n");
        if job == "recurrence" {
            config += "rules = \"/nowhere/rules.toml\"\nbackoff_seconds = 3600\n";
        }
    }
    config += &format!("[jobs.digest]\nschedule = \"{digest}\"\nwait_seconds = 4\n");
    let config = file(folder.path(), "phananh.toml", config);
    let (db, node) = after_a_night(&database, config.to_str().unwrap());
    wait_until(60, "the digest", || runs(&db, "digest").iter().any(|run| run.state == RunState::Succeeded));
    let failed = runs(&db, "recurrence").remove(0);
    assert!(failed.state == RunState::Failed && failed.retry_at.is_some(), "{failed:?}");
    let waited = runs(&db, "digest")[0].started_at.micros() - failed.finished_at.unwrap().micros();
    assert!(waited >= 2_000_000, "{waited} µs");
    for document in documents(&db) {
        assert_eq!(document["stale"], serde_json::json!([{ "job": "recurrence", "asOf": before }]));
    }
    let log = node.log_after("TERM");
    assert!(log.contains("has waited long enough") && log.contains("lacking=\"recurrence\""), "{log}");
}
