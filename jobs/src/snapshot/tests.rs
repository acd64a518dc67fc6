mod pieces;

use super::*;
use crate::invented_register::invented_register;
use crate::runner::settings::SnapshotSettings;
use chrono::{Days, TimeDelta};
use diesel::dsl::count_star;
use diesel::prelude::*;
use polars::prelude::lit;
use schema::enums::Finding;
use schema::tables::{complaint_events, complaint_officers, complaints};
use std::collections::HashSet;

/// The number of complaints with an allegation that has a finding.
fn with_finding(snapshot: &Snapshot, finding: Finding) -> usize {
    let named = snapshot.facts.column("named").expect("a column").list().expect("lists").clone();
    let says = |words: polars::series::amortized_iter::AmortSeries| {
        words.as_ref().u32().expect("words").iter().flatten().any(|word| meaning(word).1 == finding as u32)
    };
    named.amortized_iter().flatten().filter(|words| says(words.clone())).count()
}

#[test]
fn a_finding_counts_from_its_day_on_without_any_write() {
    let (_folder, db) = invented_register(300, 4);
    let now = Timestamp::now();
    let tomorrow = local_date(now) + Days::new(1);
    let (finding, day) = (Some(Finding::Exonerated), Some(tomorrow));
    let (allegations, without_officer) = db
        .write("test", |tx| {
            use complaint_officers::dsl as allegation;
            let names = complaint_officers::table.select(complaint_officers::complaint_id).distinct().limit(3);
            let named: Vec<Id> = names.load(tx.conn)?;
            diesel::update(allegation::complaint_officers.filter(allegation::complaint_id.eq_any(&named)))
                .set((allegation::finding.eq(Finding::Exonerated), allegation::decided_on.eq(day)))
                .execute(tx.conn)?;
            let all = complaint_officers::table.select(complaint_officers::complaint_id);
            let others: Vec<Id> =
                complaints::table.filter(complaints::id.ne_all(all)).select(complaints::id).limit(2).load(tx.conn)?;
            diesel::update(complaints::table.filter(complaints::id.eq_any(&others)))
                .set((complaints::finding.eq(finding), complaints::decided_on.eq(day)))
                .execute(tx.conn)?;
            Ok((named.len(), others.len()))
        })
        .expect("findings of tomorrow")
        .value;
    assert!(allegations > 0 && without_officer > 0);
    let store = SnapshotStore::load_by(&db, || now).expect("a snapshot");
    let settings = SnapshotSettings { keep: true, folder: None, from_complaints: 0 };
    let file = SnapshotFile::of(&db, &settings, None).expect("a file");
    file.keep(&db, &store.current(), AT_THE_END);
    let before = with_finding(&store.current(), Finding::Exonerated);
    // Refreshed on the same day, nothing changes.
    store.refresh_by(&db, || now).expect("a refresh");
    assert_eq!(with_finding(&store.current(), Finding::Exonerated), before);
    let a_day_later = Timestamp::from(now.utc() + TimeDelta::days(1));
    store.refresh_by(&db, || a_day_later).expect("a refresh");
    let refreshed = store.current();
    assert_eq!(with_finding(&refreshed, Finding::Exonerated), before + allegations + without_officer);
    let all: i64 = db.read(|conn| Ok(complaints::table.select(count_star()).first(conn)?)).expect("a count");
    assert_eq!(i64::try_from(refreshed.facts.height()), Ok(all), "no complaint stands twice");
    // A clock that was ahead and is right again takes the findings back.
    let ahead = SnapshotStore::load_by(&db, || a_day_later).expect("a snapshot");
    ahead.refresh_by(&db, || now).expect("a refresh");
    assert_eq!(with_finding(&ahead.current(), Finding::Exonerated), before);
    assert_eq!(ahead.current().as_of, now);
    // A snapshot from the file of the day before is the same, and so is one loaded on that day.
    let resumed = file.load(&db, &|| a_day_later).expect("a snapshot from the file");
    assert_eq!(with_finding(&resumed, Finding::Exonerated), before + allegations + without_officer);
    let loaded = SnapshotStore::load_by(&db, || a_day_later).expect("a snapshot");
    assert_eq!(with_finding(&loaded.current(), Finding::Exonerated), before + allegations + without_officer);
}

#[test]
fn a_register_that_another_history_replaced_is_read_in_full() {
    let (_folder, db) = invented_register(300, 4);
    let store = SnapshotStore::load(&db).expect("a snapshot");
    let first = store.current().reading;
    let contents = store.current().contents_version;
    store.refresh(&db).expect("a refresh");
    assert_eq!(store.current().reading, first, "nothing was written");
    assert_eq!(store.current().contents_version, contents, "what was computed from it stays true");
    let (part, other) =
        (store.current().of(lit(true)).expect("a part"), store.current().with(&store.current().facts, 1));
    let versions = HashSet::from([contents, part.contents_version, other.contents_version]);
    assert_eq!(versions.len(), 3, "rows that a computation chose are other contents");
    // The node that took over wrote the same position in its own way.
    let replaced = db.write("test", |tx| {
        diesel::update(complaints::table).set(complaints::cost_vnd.eq(Some(7_i64))).execute(tx.conn)?;
        Ok(diesel::update(complaint_events::table).set(complaint_events::actor.eq("other")).execute(tx.conn)?)
    });
    assert!(replaced.expect("replaced").value > 0);
    let settings = SnapshotSettings { keep: true, folder: None, from_complaints: 0 };
    let file = SnapshotFile::of(&db, &settings, None).expect("a file");
    file.keep(&db, &store.current(), AT_THE_END);
    assert!(file.load(&db, &Timestamp::now).is_none(), "the file has the signature of what it holds");
    store.refresh(&db).expect("a refresh");
    assert_ne!(store.current().reading, first);
    assert!(!versions.contains(&store.current().contents_version));
    let loaded = SnapshotStore::load(&db).expect("a snapshot").current();
    assert!(store.current().agrees_with(&loaded).expect("columns"));
}
