//! The scan for bursts in 20 generated registers with planted bursts: how many are found, and how many alarms are false.

use crate::program;
use ::jobs::analyses::bursts::{Arrival, Burst, BurstRules, bursts};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use schema::enums::CategoryKind;
use schema::tables::{complaints, issue_categories, system_incidents};
use schema::{Id, StoreError, Timestamp};
use std::collections::BTreeSet;
use tests::{Database, in_parallel};

const SEEDS: u64 = 20;
/// The days that are watched hour by hour, the last ones of the register.
const DAYS: i64 = 120;
const PLANTED: usize = 3;
const SIZE: i64 = 12;
/// Complaints about a recorded failure come within so many days.
const AFTER_FAILURE: i64 = 7;

/// The technical complaints of a register, and its recorded failures with their units.
struct Register {
    arrivals: Vec<Arrival>,
    failures: Vec<(Timestamp, Option<Id>)>,
}

fn register(seed: u64) -> Register {
    let database = Database::sqlite();
    program().run(&database, ["generate", "--complaints", "3000", "--seed", &seed.to_string()]).ok();
    let read = |conn: &mut schema::Conn| -> Result<Register, StoreError> {
        let rows: Vec<(Timestamp, Option<Id>, Option<Id>)> = complaints::table
            .inner_join(issue_categories::table.on(issue_categories::id.nullable().eq(complaints::category_id)))
            .filter(issue_categories::kind.eq(CategoryKind::Technical))
            .order((complaints::received_at, complaints::id))
            .select((complaints::received_at, complaints::department_id, complaints::branch_id))
            .load(conn)?;
        let failures = system_incidents::table.select((system_incidents::started_at, system_incidents::unit_id));
        Ok(Register {
            arrivals: rows.into_iter().map(|(at, department, branch)| Arrival { at, department, branch }).collect(),
            failures: failures.load(conn)?,
        })
    };
    database.open().read(read).expect("the register")
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

/// Whether a recorded failure of the unit, or of all, explains a burst.
fn is_explained(register: &Register, burst: &Burst) -> bool {
    register.failures.iter().any(|(at, unit)| {
        let after = burst.to.utc() - at.utc();
        let is_near = after >= TimeDelta::zero() && after <= TimeDelta::days(AFTER_FAILURE);
        is_near && (unit.is_none() || *unit == burst.unit || burst.unit.is_none())
    })
}

/// Plants bursts and looks each hour: how many are found, and the alarms that nothing explains.
fn watched(seed: u64) -> (usize, usize) {
    let mut register = register(seed);
    let last = time("2025-12-31T00:00:00Z");
    let first = last - TimeDelta::days(DAYS);
    let with_branch: Vec<Arrival> = register.arrivals.iter().filter(|one| one.branch.is_some()).copied().collect();
    let mut planted = Vec::new();
    for number in 0..PLANTED {
        let like = with_branch[(usize::try_from(seed).expect("a seed") * 37 + number * 101) % with_branch.len()];
        // From 09:00 in Vietnam.
        let from = first + TimeDelta::days(10 + 35 * i64::try_from(number).expect("a number")) + TimeDelta::hours(2);
        planted.push((from, like));
        register
            .arrivals
            .extend((0..SIZE).map(|one| Arrival { at: (from + TimeDelta::minutes(one * 9)).into(), ..like }));
    }
    let (mut found, mut false_alarms) = (BTreeSet::new(), BTreeSet::new());
    for hour in 1..=DAYS * 24 {
        let now = first + TimeDelta::hours(hour) - TimeDelta::microseconds(1);
        for burst in bursts(&register.arrivals, now.into(), BurstRules::default()) {
            let of = planted.iter().position(|(from, like)| {
                let is_then = now >= *from && now <= *from + TimeDelta::hours(36);
                is_then && [None, like.branch, like.department].contains(&burst.unit)
            });
            match of {
                Some(number) => found.extend([number]),
                None if is_explained(&register, &burst) => {}
                None => false_alarms.extend([(burst.unit, hour / 24)]),
            }
        }
    }
    (found.len(), false_alarms.len())
}

#[test]
fn planted_bursts_are_found_in_generated_registers_and_false_alarms_are_within_the_stated_rate() {
    let seeds: Vec<u64> = (1..=SEEDS).collect();
    let all = in_parallel(2, &seeds, |seed| watched(*seed));
    let found: usize = all.iter().map(|(found, _)| found).sum();
    let false_alarms: usize = all.iter().map(|(_, alarms)| alarms).sum();
    let planted = seeds.len() * PLANTED;
    let months = seeds.len() as f64 * DAYS as f64 / 30.44;
    let most = BurstRules::default().false_alarms_per_month * months;
    println!(
        "{found} of {planted} bursts found, {false_alarms} false alarms in {months:.0} months (at most {most:.0})"
    );
    assert!(found * 10 >= planted * 9, "{found} of {planted} bursts found");
    assert!(false_alarms as f64 <= most, "{false_alarms} false alarms in {months:.0} months, at most {most:.0}");
}
