//! Tests of attacks on the disclosure control: comparing many editions, adding complaints of one's own, and
//! knowing all complaints but the confidential ones. Editions are parts of a generated register.

use super::*;
use crate::invented_register::invented_register;
use crate::snapshot::IndexColumn::{Branch, Category, Channel, Department, Kind, State};
use crate::snapshot::{Places, SnapshotStore};
use crate::statistics::{Answer, statistics};
use polars::prelude::{BooleanChunked, Column, Int32Chunked, IntoColumn};
use std::sync::{Arc, LazyLock};

const SECRET: [u8; 32] = [9; 32];
const GROUPS: [Dimension; 3] = [Dimension::Place(Department), Dimension::Place(Kind), Dimension::Time(Bucket::Year)];

fn register(complaints: usize) -> Arc<Snapshot> {
    let (_folder, db) = invented_register(complaints, 11);
    let register = SnapshotStore::load(&db).expect("a snapshot").current();
    // More complaints are confidential than in the generated register.
    let mut facts = register.facts.clone();
    let confidential: BooleanChunked = (0..facts.height()).map(|row| row % 9 == 0).collect();
    facts.replace("confidential", confidential.with_name("confidential".into()).into_column()).expect("flags");
    Arc::new(register.with(&facts, register.position))
}

/// The register of the tests that need a large one.
static LARGE: LazyLock<Arc<Snapshot>> = LazyLock::new(|| register(6_000));

/// The part of a register with the rows to `keep`.
fn part(snapshot: &Snapshot, keep: &[bool]) -> Snapshot {
    let keep: BooleanChunked = keep.iter().copied().collect();
    snapshot.with(&snapshot.facts.filter(&keep).expect("a part"), snapshot.position)
}

fn edition_of(snapshot: &Snapshot) -> Snapshot {
    Editions::new(SECRET).edition(snapshot).expect("an edition")
}

fn ask(snapshot: &Snapshot, group_by: &[Dimension], shown: bool) -> Answer {
    if shown { ask_of(&edition_of(snapshot), group_by, true) } else { ask_of(snapshot, group_by, false) }
}

/// What is answered of a register, or shown of an edition.
fn ask_of(snapshot: &Snapshot, group_by: &[Dimension], shown: bool) -> Answer {
    let disclosure = shown.then(|| Disclosure {
        thresholds: Thresholds { complaints: 5, enterprises: 3 },
        noise_key: Editions::new(SECRET).noise_key(),
        scope: None,
        listed: Vec::new(),
        span: Span::ALL,
        span_before: Span::ALL,
    });
    let wanted = SelectedMeasures { officers: false, ..SelectedMeasures::ALL };
    let question = Question { group_by: group_by.to_vec(), wanted, disclosure, ..Question::default() };
    statistics(snapshot, &question).expect("an answer")
}

fn by_place(answer: Answer) -> HashMap<Vec<Option<i64>>, GroupResult> {
    answer.groups.into_iter().map(|group| (group.places.clone(), group)).collect()
}

fn flags(snapshot: &Snapshot) -> Vec<bool> {
    let column = snapshot.facts.column("confidential").expect("a column").bool().expect("flags");
    column.iter().map(|flag| flag == Some(true)).collect()
}

/// A unit head knows all complaints of the unit but the confidential ones, and compares their number with the
/// shown one for eighty days. On each day some complaints are added.
#[test]
fn the_editions_of_eighty_days_do_not_tell_how_many_complaints_are_confidential() {
    const DAYS: usize = 80;
    let all: &Snapshot = &LARGE;
    let confidential = flags(all);
    // Half of the known complaints arrive one after the other, so that the larger groups change every day.
    let comes_on = |row: usize| if row.is_multiple_of(2) { row / 2 % DAYS } else { 0 };
    let is_here = |row: usize, day: usize| confidential[row] || comes_on(row) <= day;
    let by: [&[Dimension]; 5] = [
        &[Dimension::Place(Department)],
        &[Dimension::Place(Kind)],
        &[Dimension::Place(Channel)],
        &[Dimension::Place(State)],
        &[Dimension::Time(Bucket::Year)],
    ];
    let mut estimates: Vec<(f64, f64)> = Vec::new();
    let secret = part(all, &confidential);
    let rows = 0..confidential.len();
    let mut of_groups: Vec<HashMap<Vec<Option<i64>>, Vec<f64>>> = vec![HashMap::new(); by.len()];
    for day in 0..DAYS {
        let is_present: Vec<bool> = rows.clone().map(|row| is_here(row, day)).collect();
        let is_known: Vec<bool> = rows.clone().map(|row| is_here(row, day) && !confidential[row]).collect();
        let (known, edition) = (part(all, &is_known), edition_of(&part(all, &is_present)));
        for (group_by, differences) in by.into_iter().zip(&mut of_groups) {
            let known_cells = by_place(ask_of(&known, group_by, false));
            for (places, cell) in by_place(ask_of(&edition, group_by, true)) {
                if let Some(known_cell) = known_cells.get(&places).filter(|_| !cell.suppressed) {
                    let difference = f64::from(cell.measures.complaints) - f64::from(known_cell.measures.complaints);
                    differences.entry(places).or_default().push(difference);
                }
            }
        }
    }
    for (group_by, differences) in by.into_iter().zip(&of_groups) {
        let secret = by_place(ask(&secret, group_by, false));
        estimates.extend(differences.iter().filter(|(_, days)| days.len() == DAYS).map(|(places, days)| {
            let truth = secret.get(places).map_or(0, |cell| cell.measures.complaints);
            (days.iter().sum::<f64>() / days.len() as f64, f64::from(truth))
        }));
    }
    let exact = estimates.iter().filter(|(estimate, truth)| (estimate - truth).abs() < 0.5).count();
    let error = |of: &dyn Fn(f64) -> f64| {
        estimates.iter().map(|(estimate, truth)| of(estimate - truth)).sum::<f64>() / estimates.len() as f64
    };
    assert!(estimates.len() >= 40, "{}", estimates.len());
    // The noise that does not average out is one of five numbers.
    assert!(exact * 5 < estimates.len() * 2, "{exact} of {}", estimates.len());
    assert!(error(&|error| error.powi(2)) > 1.2, "{}", error(&|error| error.powi(2)));
    assert!(error(&|error| error).abs() < 0.6, "the noise is not unbiased: {}", error(&|error| error));
}

/// An attacker raises the cost of an own complaint until the sum of its group is suppressed. At that point
/// the ratio of the own cost to that of the others would follow from the dominance limit.
#[test]
fn when_a_sum_vanishes_does_not_tell_the_cost_of_the_others() {
    let all: &Snapshot = &LARGE;
    let rows = all.facts.height();
    let group_by = [Dimension::Place(Branch), Dimension::Time(Bucket::Year)];
    let cells = by_place(ask(all, &group_by, true));
    let column = |name: &str| all.facts.column(name).expect("a column").clone();
    let day = column("day");
    let branch = Places::of(&all.facts, "branch").expect("places");
    let day = day.i32().expect("days");
    let cost = column("cost");
    let costs: Vec<i64> = cost.i64().expect("costs").iter().map(Option::unwrap_or_default).collect();
    let places = |row: usize| {
        let january = Bucket::Year.start(day.get(row)?);
        Some(vec![branch.get(row).map(i64::from), Some(i64::from(january))])
    };
    let enterprise = column("enterprise");
    let enterprise = enterprise.u32().expect("places");
    let confidential = flags(all);
    let (mut probed, mut near, mut errors) = (0, 0, 0.0);
    let mut seen = std::collections::HashSet::new();
    for own in (0..rows).filter(|row| !confidential[*row] && enterprise.get(*row).is_some()) {
        let Some(places) = places(own).filter(|places| cells.get(places).is_some_and(|cell| !cell.suppressed)) else {
            continue;
        };
        let of_cell: Vec<usize> = (0..rows).filter(|row| same(&places, branch, day, *row)).collect();
        let is_alone = of_cell.iter().filter(|row| enterprise.get(**row) == enterprise.get(own)).count() == 1;
        if !is_alone || of_cell.len() > 30 || !seen.insert(places.clone()) {
            continue;
        }
        let others: i64 =
            of_cell.iter().filter(|row| **row != own && !confidential[**row]).map(|row| costs[*row]).sum();
        let keep: Vec<bool> = (0..rows).map(|row| of_cell.contains(&row)).collect();
        let own_at = of_cell.iter().position(|row| *row == own).expect("its own");
        let cell = part(all, &keep);
        let is_hidden = |amount: i64| {
            let mut of_costs: Vec<i64> = of_cell.iter().map(|row| costs[*row]).collect();
            of_costs[own_at] = amount;
            let mut facts = cell.facts.clone();
            facts.replace("cost", Column::new("cost".into(), of_costs)).expect("costs");
            ask(&cell.with(&facts, 0), &group_by, true).groups.iter().any(|group| group.cost_hidden)
        };
        // The sum must be suppressed as soon as the own cost exceeds that of the others.
        let (mut shown, mut hidden) = (others / 10, others * 10);
        if others == 0 || is_hidden(shown) || !is_hidden(hidden) {
            continue;
        }
        assert!(is_hidden(others + 1), "one enterprise has more than half");
        while hidden - shown > others / 10_000 + 1 {
            let middle = i64::midpoint(shown, hidden);
            if is_hidden(middle) { hidden = middle } else { shown = middle }
        }
        let estimate = hidden as f64 * 0.6 / 0.4;
        let error = (estimate - others as f64).abs() / others as f64;
        (probed, near, errors) = (probed + 1, near + i32::from(error < 0.01), errors + error);
        if probed == 40 {
            break;
        }
    }
    assert!(probed >= 20, "{probed}");
    assert!(near * 5 < probed, "{near} of {probed} are known to within 1 %");
    assert!(errors / f64::from(probed) > 0.04, "{}", errors / f64::from(probed));
}

fn same(places: &[Option<i64>], branch: Places<'_>, day: &Int32Chunked, row: usize) -> bool {
    let january = day.get(row).map(|day| Bucket::Year.start(day));
    places[0] == branch.get(row).map(i64::from) && places[1] == january.map(i64::from)
}

/// Everything but the number of complaints is the same with confidential complaints and without them: the
/// rows, the suppression and every other measure.
#[test]
fn nothing_but_the_number_of_complaints_depends_on_confidential_ones() {
    let all = register(3_000);
    let non_confidential: Vec<bool> = flags(&all).iter().map(|secret| !secret).collect();
    let (mut shown, mut hidden, mut counts) = (0, 0, 0);
    let finest = [
        Dimension::Place(Branch),
        Dimension::Place(Category),
        Dimension::Place(Channel),
        Dimension::Time(Bucket::Month),
    ];
    for group_by in
        [&GROUPS[..], &[Dimension::Place(Branch)], &[Dimension::Place(Channel), Dimension::Place(State)], &finest]
    {
        let shown_cells = |snapshot: &Snapshot| -> HashMap<Vec<Option<i64>>, (GroupResult, u32)> {
            let cells = by_place(ask(snapshot, group_by, true)).into_iter();
            let without_count = cells.map(|(places, mut cell)| {
                let complaints = std::mem::take(&mut cell.measures.complaints);
                // Shares are shown in steps, and more complaints give finer steps.
                if let Some(share) = cell.measures.share_in_time() {
                    (cell.measures.due, cell.measures.in_time) = (4, (share * 4.0).round() as u32);
                }
                let most = complaints.max(1);
                cell.measures.episodes = cell.measures.episodes.min(most);
                (places, (cell, complaints))
            });
            without_count.collect()
        };
        let (with, without) = (shown_cells(&all), shown_cells(&part(&all, &non_confidential)));
        let mut keys: Vec<_> = with.keys().chain(without.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        for places in keys {
            let (Some((a, of_a)), Some((b, of_b))) = (with.get(places), without.get(places)) else {
                panic!("{group_by:?} {places:?} is in one answer only");
            };
            let (few, many) = (of_a.min(of_b), of_a.max(of_b));
            counts += usize::from(few != many);
            let same = |a: u32, b: u32| a == b || (a.min(b) == *few && a.max(b) <= *many);
            let measures = (&a.measures, &b.measures);
            assert!(same(measures.0.episodes, measures.1.episodes), "{a:?} {b:?}");
            assert!(same(measures.0.distinct_enterprises, measures.1.distinct_enterprises), "{a:?} {b:?}");
            let rest = |cell: &GroupResult| {
                let of = &cell.measures;
                let sums = (of.cost_vnd, of.delay_hours.to_bits(), of.median_days.map(f64::to_bits));
                (cell.suppressed, cell.cost_hidden, cell.delay_hidden, of.due > 0, sums)
            };
            assert_eq!(rest(a), rest(b), "{group_by:?} {places:?}");
            (shown, hidden) = (shown + usize::from(!a.suppressed), hidden + usize::from(a.suppressed));
        }
    }
    assert!(shown >= 100 && hidden >= 500 && counts >= 30, "{shown} {hidden} {counts}");
}
