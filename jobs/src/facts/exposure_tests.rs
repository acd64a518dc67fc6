//! Exposures compared with values computed by hand.

use super::*;
use crate::facts::WorkloadFact;
use schema::enums::{PeerGroup, UnitKind};
use schema::models::{UNKNOWN_START, Unit, UnitParent};
use uuid::Uuid;

fn id(n: u128) -> Id {
    Id(Uuid::from_u128(n))
}

fn on(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a date")
}

fn unit(n: u128, kind: UnitKind, group: Option<PeerGroup>) -> Unit {
    Unit {
        id: id(n),
        code: n.to_string(),
        name_vi: n.to_string(),
        name_en: None,
        kind,
        peer_group: group,
        field: None,
        valid_from: UNKNOWN_START,
        valid_to: None,
        unknown: false,
        successor_id: None,
    }
}

/// Branch 1 (a seaport) with teams 11 and 12, branch 2 (an airport).
fn facts(postings: &[(u128, u128, NaiveDate, Option<NaiveDate>)], workload: &[(u128, u128, NaiveDate, i64)]) -> Facts {
    let mut facts = Facts::default();
    for unit in [
        unit(1, UnitKind::Branch, Some(PeerGroup::Seaport)),
        unit(2, UnitKind::Branch, Some(PeerGroup::Airport)),
        unit(11, UnitKind::Team, None),
        unit(12, UnitKind::Team, None),
    ] {
        facts.units.insert(unit.id, unit);
    }
    for team in [11, 12] {
        let parent = UnitParent { unit_id: id(team), valid_from: UNKNOWN_START, valid_to: None, parent_id: id(1) };
        facts.parents.insert(id(team), vec![parent]);
    }
    for (officer, unit, valid_from, valid_to) in postings {
        facts.officer_codes.insert(id(*officer), officer.to_string());
        facts.postings.entry(id(*officer)).or_default().push(Posting {
            officer_id: id(*officer),
            unit_id: id(*unit),
            valid_from: *valid_from,
            valid_to: *valid_to,
        });
    }
    for (officer, unit, month, declarations) in workload {
        facts.workload.push(&WorkloadFact {
            unit_id: id(*unit),
            officer_id: (*officer > 0).then(|| id(*officer)),
            month: *month,
            declarations: *declarations,
        });
    }
    facts
}

/// (month, group, exposure, carried) of subject 0, months added up.
fn exposed(facts: &Facts, kind: usize, subjects: &[u128]) -> (Basis, Vec<(u32, i32, f64, bool)>) {
    let as_of = on(2024, 12, 31);
    let tree = UnitTree::new(facts.units.values(), facts.parents.values().flatten());
    let groups = |unit: Id, day: NaiveDate| {
        let branch = tree.ancestors_on(unit, day).branch;
        branch.and_then(|branch| facts.units[&branch].peer_group).map_or(-1, |group| group as i32)
    };
    let subjects: Vec<Subject> = subjects.iter().map(|n| Subject { code: n.to_string(), id: id(*n) }).collect();
    let exposure = if kind == 0 {
        of_officers(facts, &subjects, as_of, &groups)
    } else {
        of_branches(facts, &subjects, as_of, &tree, &groups)
    };
    let exposure = exposure.expect("exposure");
    let table = exposure
        .rows
        .lazy()
        .filter(col("subject").eq(lit(0u32)))
        .group_by([col("month"), col("group")])
        .agg([col("exposure").sum(), col("carried").any(true)])
        .sort(["month", "group"], SortMultipleOptions::default())
        .collect()
        .expect("a table");
    let rows = (0..table.height())
        .map(|at| {
            (
                table.column("month").expect("months").u32().expect("u32").get(at).expect("a month"),
                table.column("group").expect("groups").i32().expect("i32").get(at).expect("a group"),
                table.column("exposure").expect("exposure").f64().expect("f64").get(at).expect("a number"),
                table.column("carried").expect("carried").bool().expect("bool").get(at).expect("a bool"),
            )
        })
        .collect();
    (exposure.basis, rows)
}

#[track_caller]
fn same(found: &[(u32, i32, f64, bool)], expected: &[(u32, i32, f64, bool)]) {
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(
            (found.0, found.1, found.3),
            (expected.0, expected.1, expected.3),
            "{found:?}, expected {expected:?}"
        );
        assert!((found.2 - expected.2).abs() < 1e-9, "{found:?}, expected {expected:?}");
    }
}

// The window of 365 days before 2024-12-31 begins on 2024-01-02: month 0 is January, 11 December.
const SEA: i32 = PeerGroup::Seaport as i32;
const AIR: i32 = PeerGroup::Airport as i32;

#[test]
fn spans_lie_in_one_month_and_in_the_same_windows() {
    let spans = spans(on(2024, 12, 31));
    let last = day_number(on(2024, 12, 31));
    assert_eq!((spans[0].from, spans[spans.len() - 1].to), (last - 364, last));
    assert!(spans.windows(2).all(|pair| pair[0].to + 1 == pair[1].from));
    for days in WINDOWS {
        assert!(spans.iter().any(|span| span.from == last - days + 1), "{days}");
    }
    assert_eq!((spans[0].month, spans[spans.len() - 1].month), (0, 11));
    let days: i32 = spans.iter().map(|span| span.to - span.from + 1).sum();
    assert_eq!(days, 365);
}

#[test]
fn a_month_is_spread_over_the_days_posted_and_carried_forward() {
    // Posted from 16 November: 150 in 15 days is 10 a day; December has no row.
    let facts = facts(&[(100, 11, on(2024, 11, 16), None)], &[(100, 11, on(2024, 11, 1), 150)]);
    let (basis, rows) = exposed(&facts, 0, &[100]);
    assert_eq!(basis, Basis::Declarations);
    same(&rows, &[(10, SEA, 150.0, false), (11, SEA, 310.0, true)]);
}

#[test]
fn the_window_cuts_a_month_and_what_lies_before_the_first_row_is_carried_back() {
    let facts = facts(&[(100, 1, on(2023, 1, 1), Some(on(2024, 2, 10)))], &[(100, 1, on(2024, 2, 1), 100)]);
    // 10 a day in 10 days of February; the window has January from the 2nd.
    same(&exposed(&facts, 0, &[100]).1, &[(0, SEA, 300.0, true), (1, SEA, 100.0, false)]);
}

#[test]
fn who_moves_is_exposed_in_both_groups_and_goes_on_as_before() {
    // 10 a day in May at the seaport; at the airport in June, without recorded workload.
    let facts = facts(
        &[(100, 11, on(2024, 5, 1), Some(on(2024, 5, 31))), (100, 2, on(2024, 6, 1), Some(on(2024, 6, 30)))],
        &[(100, 11, on(2024, 5, 1), 310)],
    );
    same(&exposed(&facts, 0, &[100]).1, &[(4, SEA, 310.0, false), (5, AIR, 300.0, true)]);
}

#[test]
fn workload_of_another_level_is_spread_over_the_postings_once() {
    // Recorded at the branch; in two teams in March, 10 and 21 days.
    let facts = facts(
        &[(100, 11, on(2024, 3, 1), Some(on(2024, 3, 10))), (100, 12, on(2024, 3, 11), Some(on(2024, 3, 31)))],
        &[(100, 1, on(2024, 3, 1), 310)],
    );
    same(&exposed(&facts, 0, &[100]).1, &[(2, SEA, 310.0, false)]);
}

#[test]
fn without_workload_it_is_days_and_a_few_rows_do_not_take_the_days_of_others() {
    let april = (on(2024, 4, 1), Some(on(2024, 4, 30)));
    let postings = [(100, 11, april.0, april.1), (101, 11, april.0, april.1), (102, 11, april.0, april.1)];
    let (basis, rows) = exposed(&facts(&postings, &[]), 0, &[100, 101, 102]);
    assert_eq!(basis, Basis::PostingDays);
    same(&rows, &[(3, SEA, 30.0, false)]);
    let one_row = facts(&postings, &[(102, 11, on(2024, 4, 1), 500)]);
    assert_eq!(exposed(&one_row, 0, &[100, 101, 102]).0, Basis::PostingDays);
    assert_eq!(exposed(&facts(&[], &[]), 0, &[100]), (Basis::None, vec![]));
}

#[test]
fn who_is_posted_nowhere_is_where_the_workload_is() {
    let mut facts = facts(&[], &[(100, 2, on(2024, 11, 1), 300)]);
    facts.officer_codes.insert(id(100), "100".into());
    same(&exposed(&facts, 0, &[100]).1, &[(10, AIR, 300.0, false), (11, AIR, 310.0, true)]);
}

#[test]
fn a_branch_has_its_own_workload_else_that_of_its_units_else_that_of_its_officers() {
    let months = [
        (0, 1, on(2024, 10, 1), 1_000),
        (0, 11, on(2024, 10, 1), 300),
        (0, 11, on(2024, 11, 1), 300),
        (0, 12, on(2024, 11, 1), 200),
        (100, 11, on(2024, 11, 1), 70),
        (100, 11, on(2024, 12, 1), 62),
    ];
    let (basis, rows) = exposed(&facts(&[], &months), 1, &[1]);
    assert_eq!(basis, Basis::Declarations);
    // October has the first workload; its daily rate is carried back to the months before.
    same(&rows[9..], &[(9, SEA, 1_000.0, false), (10, SEA, 500.0, false), (11, SEA, 62.0, false)]);
    assert!(rows[..9].iter().all(|row| row.3), "{rows:?}");
    let posted = facts(
        &[(100, 11, on(2024, 4, 1), Some(on(2024, 4, 30))), (101, 1, on(2024, 4, 16), Some(on(2024, 4, 30)))],
        &[],
    );
    let (basis, rows) = exposed(&posted, 1, &[1]);
    assert_eq!(basis, Basis::PostingDays);
    same(&rows, &[(3, SEA, 45.0, false)]);
}

#[test]
fn ranges_are_divided_at_the_starts_of_months() {
    let day = |month, day| day_number(on(2024, month, day));
    let spans = monthly_spans(&[(day(1, 15), day(3, 2)), (day(3, 3), day(3, 4))]);
    let expected =
        [(day(1, 15), day(1, 31), 0), (day(2, 1), day(2, 29), 1), (day(3, 1), day(3, 2), 2), (day(3, 3), day(3, 4), 2)];
    assert_eq!(spans.iter().map(|span| (span.from, span.to, span.month)).collect::<Vec<_>>(), expected);
    assert_eq!(monthly_spans(&[(day(1, 2), day(1, 1))]), []);
    // 310 declarations in January, 10 a day; February has none and takes the rate of January.
    let facts = facts(&[(21, 1, on(2020, 1, 1), None)], &[(21, 1, on(2024, 1, 1), 310)]);
    let officers = [Subject { code: "21".into(), id: id(21) }];
    let found = of_officers_in(&facts, &officers, &spans, on(2024, 3, 4), &|_, _| -1).expect("exposure");
    let exposures: Vec<f64> =
        found.rows.column("exposure").expect("exposure").f64().expect("f64").iter().flatten().collect();
    assert_eq!(found.basis, Basis::Declarations);
    assert_eq!(exposures, [170.0, 290.0, 20.0, 20.0]);
}
