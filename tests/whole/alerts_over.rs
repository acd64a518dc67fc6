//! When alerts about bursts, missed jobs and digests begin, and when they are over.

use crate::alerts::{Place, alerts, change, of_kind};
use crate::head_alerts::burst;
use crate::reader_digests::{DAY, run, subscribe, token, world};
use crate::web::Visitor;
use chrono::{NaiveDate, TimeDelta};
use diesel::prelude::*;
use schema::Timestamp;
use schema::enums::{DeliveryState, RunOrigin};
use schema::tables::{complaints, deliveries, digest_subscriptions, digests, job_runs, jobs};
use serde_json::{Value, json};
use tests::{Json, Role, TestApp};

/// Runs the job and returns the active alerts of a kind.
fn standing(app: &TestApp, place: &Place, config: &str, kind: &str) -> Vec<Value> {
    place.job(&app.database, config, "alerts");
    let mut found = of_kind(&alerts(&app.database), kind);
    found.retain(|one| one["clearedAt"].is_null());
    found
}

/// Lets the complaints of a burst have come some hours ago.
fn move_burst(app: &TestApp, hours: i64) {
    change(&app.database, |tx| {
        let [then, recent] = [hours, 48].map(|hours| Timestamp::from(tx.now.utc() - TimeDelta::hours(hours)));
        diesel::update(complaints::table.filter(complaints::received_at.gt(recent)))
            .set(complaints::received_at.eq(then))
            .execute(tx.conn)?;
        Ok(())
    });
}

#[test]
fn a_burst_is_over_six_hours_after_the_last_window_that_shows_it() {
    let place = Place::new();
    let config = place.config("");
    for app in TestApp::both().generated(3_000, 7).arguments(&["--no-jobs"]) {
        let (branch, ..) = burst(&app);
        let stands = || standing(&app, &place, &config, "TECHNICAL_BURST");
        let raised = stands();
        assert!(raised.len() == 1 && raised[0]["subject"] == json!(branch), "{}: {raised:?}", app.database.name);
        // A window of 24 hours that ended five hours ago holds what came 28 hours ago.
        for hours in [5, 27] {
            move_burst(&app, hours);
            assert_eq!(stands(), raised, "{hours} hours after it on {}", app.database.name);
        }
        move_burst(&app, 30);
        assert_eq!(stands(), Vec::<Value>::new(), "{}", app.database.name);
        let all = of_kind(&alerts(&app.database), "TECHNICAL_BURST");
        assert!(all.len() == 1 && all[0]["id"] == raised[0]["id"], "{all:?}");
    }
}

#[test]
fn an_alert_about_a_missed_job_is_over_when_the_job_is_paused_or_runs() {
    let place = Place::new();
    let config = place.config("");
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let database = &app.database;
        app.run(&["jobs", "run", "trends", "--as-of", "2024-03-31"]);
        change(database, |tx| {
            let days_ago = Timestamp::from(tx.now.utc() - TimeDelta::days(3));
            diesel::update(jobs::table.filter(jobs::job.eq("trends")))
                .set(jobs::since.eq(days_ago))
                .execute(tx.conn)?;
            Ok(())
        });
        let is_missed = || {
            let found = standing(&app, &place, &config, "JOB_MISSED");
            found.iter().any(|one| one["subject"] == "trends")
        };
        assert!(is_missed(), "{}", database.name);
        app.run(&["jobs", "pause", "trends"]);
        assert!(!is_missed(), "nobody waits for a paused job: {}", database.name);
        app.run(&["jobs", "resume", "trends"]);
        assert!(is_missed(), "{}", database.name);
        change(database, |tx| {
            diesel::update(job_runs::table.filter(job_runs::job.eq("trends")))
                .set(job_runs::origin.eq(RunOrigin::Scheduled))
                .execute(tx.conn)?;
            Ok(())
        });
        assert!(!is_missed(), "it ran: {}", database.name);
    }
}

#[test]
fn a_digest_of_the_board_that_waits_for_an_hour_or_fails_is_told_until_it_is_sent() {
    let place = Place::new();
    // Without a mail server mail waits.
    let config = place.config("");
    for app in TestApp::both().filled(world).arguments(&["--no-jobs"]) {
        let database = &app.database;
        subscribe(database, "board@example.org", "vi", &[]);
        assert_eq!(run(database, "digest", &config)["posted"], 1);
        let undelivered = || standing(&app, &place, &config, "DIGEST_UNDELIVERED");
        assert_eq!(undelivered(), Vec::<Value>::new(), "it has just been made: {}", database.name);
        let made = |hours: i64| {
            change(database, |tx| {
                let then = Timestamp::from(tx.now.utc() - TimeDelta::hours(hours));
                diesel::update(digests::table).set(digests::created_at.eq(then)).execute(tx.conn)?;
                Ok(())
            });
        };
        let delivered = |state: DeliveryState| {
            change(database, |tx| {
                diesel::update(deliveries::table).set(deliveries::state.eq(state)).execute(tx.conn)?;
                Ok(())
            });
        };
        made(2);
        let found = undelivered();
        assert!(found.len() == 1, "{}: {found:?}", database.name);
        let details = &found[0]["details"];
        assert_eq!((&details["asOf"], &details["deliveries"]), (&json!(DAY), &json!(1)), "{details}");
        assert_eq!(details["digest"], found[0]["subject"]);
        // The Board opens the digest; an ADMIN, who may not, the runs of the job that sends it.
        let page = |role: Role| {
            let mut visitor = Visitor::signed_in(app.server(), &app.as_role(role).token);
            visitor.get("/alerts?kind=DIGEST_UNDELIVERED").text.replace("&#x2f;", "/")
        };
        let digest = format!("href=\"/digests/{}\"", found[0]["subject"].text());
        assert!(page(Role::Board).contains(&digest), "{}", page(Role::Board));
        assert!(page(Role::Admin).contains("href=\"/jobs?job=deliver-digests\""), "{}", page(Role::Admin));

        delivered(DeliveryState::Sent);
        assert_eq!(undelivered(), Vec::<Value>::new(), "{}", database.name);
        made(0);
        delivered(DeliveryState::Failed);
        assert_eq!(undelivered().len(), 1, "what failed for good is told at once: {}", database.name);
        made(8 * 24);
        assert_eq!(undelivered(), Vec::<Value>::new(), "nobody waits for an old one: {}", database.name);
    }
}

fn change_subscriptions(app: &TestApp, quiet_until: Option<NaiveDate>) {
    change(&app.database, |tx| {
        let days_ago = Timestamp::from(tx.now.utc() - TimeDelta::days(3));
        let all =
            (digest_subscriptions::considered_at.eq(Some(days_ago)), digest_subscriptions::quiet_until.eq(quiet_until));
        diesel::update(digest_subscriptions::table).set(all).execute(tx.conn)?;
        Ok(())
    });
}

#[test]
fn a_readers_digest_that_was_due_and_is_not_made_is_told_until_it_is() {
    let place = Place::new();
    let config = place.config("");
    for app in TestApp::both().filled(world).arguments(&["--no-jobs"]) {
        let database = &app.database;
        for name in ["chair", "former"] {
            token(database, name, &["--role", "BOARD"]);
            subscribe(database, &format!("{name}@example.org"), "vi", &["--reader", name]);
        }
        // One of them has no right to a digest any more: nothing would be sent.
        app.run(&["token", "revoke", "--name", "former"]);
        let undelivered = || standing(&app, &place, &config, "DIGEST_UNDELIVERED");
        assert_eq!(undelivered(), Vec::<Value>::new(), "none is due yet: {}", database.name);
        change_subscriptions(&app, None);
        let found = undelivered();
        assert!(found.len() == 1, "{}: {found:?}", database.name);
        let query = "{ digestSubscriptions { id address } }";
        let listed = app.as_role(Role::Admin).data(query)["digestSubscriptions"].clone();
        let chair = listed.list().iter().find(|one| one["address"] == "chair@example.org").expect("it");
        assert_eq!((&found[0]["subject"], &found[0]["details"]["subscription"]), (&chair["id"], &chair["id"]));
        for role in [Role::Board, Role::Admin] {
            let mut visitor = Visitor::signed_in(app.server(), &app.as_role(role).token);
            let page = visitor.get("/alerts?kind=DIGEST_UNDELIVERED").text.replace("&#x2f;", "/");
            assert!(page.contains("href=\"/jobs?job=reader-digests\"") && page.contains("chưa được lập"), "{page}");
        }
        // The reader wants none for a while.
        change_subscriptions(&app, NaiveDate::from_ymd_opt(2199, 12, 31));
        assert_eq!(undelivered(), Vec::<Value>::new(), "{}", database.name);
        change_subscriptions(&app, None);
        assert_eq!(undelivered().len(), 1, "{}", database.name);
        // A run by hand makes it.
        let made = place.job(database, &config, "reader-digests");
        assert_eq!((&made["digests"], &made["withoutRights"]), (&json!(2), &json!(1)), "{made}");
        assert_eq!(undelivered(), Vec::<Value>::new(), "{}", database.name);
    }
}
