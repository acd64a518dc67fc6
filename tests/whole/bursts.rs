//! Registers with planted bursts, as `phananh generate` stores them: the truth file says what was planted, and the scan
//! finds it. `jobs::alerts::study` counts found bursts and false alarms in more of them, without storing them.

use crate::program;
use ::jobs::alerts::study::watched;
use ::jobs::analyses::bursts::{Arrival, BurstRules};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use schema::enums::CategoryKind;
use schema::tables::{complaints, issue_categories, units};
use schema::world::{Bursts, Parameters, UNTIL, outline};
use schema::{Conn, Id, StoreError, Timestamp};
use serde_json::Value;
use std::collections::HashMap;
use tests::fixtures::Files;
use tests::{Database, Json};

/// A technical complaint of a register: when it came, its department, its branch, and the code of its category.
type Row = (Timestamp, Option<Id>, Option<Id>, String);

/// The technical complaints, and the codes of units.
fn read(conn: &mut Conn) -> Result<(Vec<Row>, HashMap<Id, String>), StoreError> {
    let rows = complaints::table
        .inner_join(issue_categories::table.on(issue_categories::id.nullable().eq(complaints::category_id)))
        .filter(issue_categories::kind.eq(CategoryKind::Technical))
        .select((complaints::received_at, complaints::department_id, complaints::branch_id, issue_categories::code))
        .load(conn)?;
    let codes: Vec<(Id, String)> = units::table.select((units::id, units::code)).load(conn)?;
    Ok((rows, codes.into_iter().collect()))
}

fn time(text: &str) -> Timestamp {
    text.parse::<DateTime<Utc>>().expect("a time").into()
}

#[test]
fn a_generated_register_holds_the_bursts_of_its_truth_and_the_scan_finds_them() {
    for (database, seed) in [(Database::sqlite(), 1), (Database::postgres(), 2)] {
        let files = Files::new();
        let file = files.path().join("truth.json").display().to_string();
        let seed_text = seed.to_string();
        let args = ["generate", "--complaints", "3000", "--seed", &seed_text, "--bursts", "3", "--truth", &file];
        let made = program().json(&database, &args);
        assert_eq!(made["complaints"], 3_036);
        let truth: Value = serde_json::from_str(&std::fs::read_to_string(&file).expect("a file")).expect("JSON");
        let (rows, codes) = database.open().read(read).expect("the register");

        // What is stored is what studies watch.
        let bursts = Bursts { number: 3, size: 12 };
        let world = outline(Parameters { complaints: 3_000, seed, until: UNTIL, bursts }).expect("a world");
        let known = world.complaints.iter().map(|one| (one.at, Some(one.department), Some(one.branch)));
        let mut known: Vec<(Timestamp, Option<Id>, Option<Id>)> = known.collect();
        let mut stored: Vec<_> = rows.iter().map(|(at, department, branch, _)| (*at, *department, *branch)).collect();
        known.sort_unstable();
        stored.sort_unstable();
        assert!(known == stored, "{} and {} technical complaints", known.len(), stored.len());

        let planted = truth["bursts"].list();
        assert_eq!(planted.len(), 3);
        for burst in planted {
            let (from, until) = (time(burst["from"].text()), time(burst["until"].text()));
            let is_of = |(at, _, branch, category): &&Row| {
                let unit = branch.and_then(|branch| codes.get(&branch));
                let is_there = unit.is_some_and(|code| burst["unit"] == code.as_str());
                is_there && *at >= from && *at < until && burst["category"] == category.as_str()
            };
            assert!(rows.iter().filter(is_of).count() >= 12, "{burst}");
            assert_eq!(burst["complaints"], 12);
            assert!(burst["usual"].number() < 1.0, "{burst}");
        }

        let arrivals = rows.iter().map(|(at, department, branch, _)| Arrival {
            at: *at,
            department: *department,
            branch: *branch,
        });
        let arrivals: Vec<Arrival> = arrivals.collect();
        let watched = watched(&arrivals, &world.failures, &world.bursts, UNTIL, BurstRules::default());
        assert_eq!(watched.found(), 3, "{watched:?}");
    }
}

#[test]
fn the_truth_of_a_stored_register_with_bursts_can_be_written_later() {
    let files = Files::new();
    let database = Database::sqlite();
    let generate = |more: &[&str]| {
        let args = ["generate", "--complaints", "500", "--seed", "5", "--bursts", "2", "--burst-size", "7"];
        program().run(&database, [&args[..], more].concat())
    };
    generate(&[]).ok();
    let file = files.path().join("later.json").display().to_string();
    generate(&["--truth", &file]).ok();
    let truth: Value = serde_json::from_str(&std::fs::read_to_string(&file).expect("a file")).expect("JSON");
    assert_eq!(truth["bursts"].list().len(), 2);
    // Another number of bursts is another register.
    let elsewhere = files.path().join("other.json").display().to_string();
    let refused = program().run(&database, ["generate", "--complaints", "500", "--seed", "5", "--truth", &elsewhere]);
    assert!(refused.status == 1 && refused.err.contains("demonstration data already"), "{refused:?}");
    let wrong = program().run(&database, ["generate", "--complaints", "500", "--seed", "5", "--burst-size", "7"]);
    assert_eq!(wrong.status, 2, "{wrong:?}");
}
