//! Pages from columns are those of a list that is filtered and sorted as a whole.

use super::*;
use crate::snapshot::Parts;
use crate::snapshot::columns::{IndexColumn, word};
use crate::snapshot::pieces::Pieces;
use polars::prelude::{
    Column, DataFrame, DataType, IntoColumn, ListBuilderTrait, ListPrimitiveChunkedBuilder, UInt32Type,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schema::enums::{Attribution, Finding};

/// A complaint of a made-up register.
#[derive(Debug, Clone)]
struct Row {
    id: (u64, u64),
    version: i32,
    received: i64,
    state: u32,
    unit: Option<u32>,
    cost: Option<i64>,
    delay: Option<f64>,
    answered: Option<i32>,
    ended: Option<i32>,
    blames: bool,
    confidential: bool,
    officers: Vec<u32>,
}

fn frame(rows: &[Row]) -> DataFrame {
    let mut named = ListPrimitiveChunkedBuilder::<UInt32Type>::new("named".into(), 0, 0, DataType::UInt32);
    for row in rows {
        // A complaint without officers has one word.
        let words: Vec<u32> = row
            .officers
            .iter()
            .map(|officer| word(Some(*officer), Attribution::Asserted, Finding::Sustained))
            .collect();
        named.append_slice(if words.is_empty() { &[1][..] } else { &words[..] });
    }
    // Narrower than the units, as lists of few words are.
    let state = if rows.len().is_multiple_of(2) {
        Column::new("state".into(), rows.iter().map(|row| row.state as u8).collect::<Vec<u8>>())
    } else {
        Column::new("state".into(), rows.iter().map(|row| row.state as u16).collect::<Vec<u16>>())
    };
    let columns = vec![
        Column::new("id_high".into(), rows.iter().map(|row| row.id.0).collect::<Vec<u64>>()),
        Column::new("id_low".into(), rows.iter().map(|row| row.id.1).collect::<Vec<u64>>()),
        Column::new("version".into(), rows.iter().map(|row| row.version).collect::<Vec<i32>>()),
        Column::new("received".into(), rows.iter().map(|row| row.received).collect::<Vec<i64>>()),
        Column::new("day".into(), vec![0i32; rows.len()]),
        state,
        Column::new("unit".into(), rows.iter().map(|row| row.unit).collect::<Vec<Option<u32>>>()),
        Column::new("cost".into(), rows.iter().map(|row| row.cost).collect::<Vec<Option<i64>>>()),
        Column::new("delay".into(), rows.iter().map(|row| row.delay).collect::<Vec<Option<f64>>>()),
        Column::new("answered".into(), rows.iter().map(|row| row.answered).collect::<Vec<Option<i32>>>()),
        Column::new("ended".into(), rows.iter().map(|row| row.ended).collect::<Vec<Option<i32>>>()),
        Column::new("blames".into(), rows.iter().map(|row| row.blames).collect::<Vec<bool>>()),
        Column::new("confidential".into(), rows.iter().map(|row| row.confidential).collect::<Vec<bool>>()),
        named.finish().into_column(),
        Column::new("episode".into(), vec![0u32; rows.len()]),
    ];
    DataFrame::new(rows.len(), columns).expect("columns")
}

/// A snapshot of rows, which are in the order of ids, in pieces of at most `most` rows.
fn snapshot(rows: &[Row], most: usize) -> Snapshot {
    let mut pieces = Pieces::new(most);
    rows.chunks(most).for_each(|part| pieces.push(frame(part)).expect("a piece"));
    Snapshot {
        facts: frame(rows),
        reference: Arc::default(),
        position: 1,
        as_of: Timestamp::now(),
        demonstration: false,
        enterprises: Arc::default(),
        officers: Arc::default(),
        names_version: 1,
        contents_version: 1,
        transaction: None,
        reading: 1,
        parts: Parts::ALL,
        later: Arc::default(),
        pieces: Arc::new(pieces),
        duplicates: Arc::default(),
        episodes: Arc::default(),
    }
}

/// Rows of many days with some of the same time, and some whose day was corrected.
fn rows(random: &mut ChaCha8Rng, number: usize) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::with_capacity(number);
    for nth in 0..number {
        let day = nth as u64 / 9;
        let of_day = if random.random_bool(0.03) { random.random_range(0..2 * day + 2) } else { day };
        rows.push(Row {
            id: (day, random.random_range(0..u64::MAX)),
            version: random.random_range(1..9),
            received: i64::try_from(of_day).expect("a small day") * 100 + random.random_range(0..4) * 20,
            state: random.random_range(0..4),
            unit: random.random_bool(0.9).then(|| random.random_range(0..6)),
            cost: random.random_bool(0.5).then(|| random.random_range(0..5)),
            delay: random.random_bool(0.5).then(|| f64::from(random.random_range(0..5_i32)) / 2.0),
            answered: random.random_bool(0.6).then_some(7),
            ended: random.random_bool(0.4).then_some(9),
            blames: random.random_bool(0.3),
            confidential: random.random_bool(0.2),
            officers: (0..random.random_range(0..3)).map(|_| random.random_range(0..5)).collect(),
        });
    }
    rows.sort_unstable_by_key(|row| row.id);
    rows
}

fn compares<T: PartialOrd>(comparison: &Comparison<T>, value: &T) -> bool {
    match comparison {
        Comparison::Is(other) => value == other,
        Comparison::IsNot(other) => value != other,
        Comparison::OneOf(others) => others.iter().any(|other| other == value),
        Comparison::Above(other) => value > other,
        Comparison::AtLeast(other) => value >= other,
        Comparison::Below(other) => value < other,
        Comparison::AtMost(other) => value <= other,
    }
}

/// A condition on one row.
fn holds(condition: &ColumnCondition, row: &Row) -> bool {
    let place = |column: &IndexColumn| if *column == IndexColumn::State { Some(row.state) } else { row.unit };
    match condition {
        ColumnCondition::Constant(all) => *all,
        ColumnCondition::All(parts) => parts.iter().all(|part| holds(part, row)),
        ColumnCondition::Any(parts) => parts.iter().any(|part| holds(part, row)),
        ColumnCondition::Not(part) => !holds(part, row),
        ColumnCondition::Place(column, wanted) => place(column) == Some(*wanted),
        ColumnCondition::OneOf(column, chosen) => {
            place(column).is_some_and(|place| chosen.get(place as usize) == Some(&true))
        }
        ColumnCondition::Same(one, other) => place(one).is_some() && place(one) == place(other),
        ColumnCondition::Null(Nullable::Place(column)) => place(column).is_none(),
        ColumnCondition::Null(Nullable::Cost) => row.cost.is_none(),
        ColumnCondition::Null(Nullable::Delay) => row.delay.is_none(),
        ColumnCondition::Null(Nullable::Answered) => row.answered.is_none(),
        ColumnCondition::Null(Nullable::Ended) => row.ended.is_none(),
        ColumnCondition::Received(comparison) => compares(comparison, &row.received),
        ColumnCondition::Cost(comparison) => row.cost.is_some_and(|cost| compares(comparison, &cost)),
        ColumnCondition::Delay(comparison) => row.delay.is_some_and(|delay| compares(comparison, &delay)),
        ColumnCondition::Answered(comparison) => row.answered.is_some_and(|day| compares(comparison, &day)),
        ColumnCondition::Blames => row.blames,
        ColumnCondition::Confidential => row.confidential,
        ColumnCondition::Names(officer) => row.officers.contains(officer),
    }
}

fn comparison<T>(random: &mut ChaCha8Rng, mut value: impl FnMut(&mut ChaCha8Rng) -> T) -> Comparison<T> {
    match random.random_range(0..7) {
        0 => Comparison::Is(value(random)),
        1 => Comparison::IsNot(value(random)),
        2 => Comparison::OneOf((0..random.random_range(0..4)).map(|_| value(random)).collect()),
        3 => Comparison::Above(value(random)),
        4 => Comparison::AtLeast(value(random)),
        5 => Comparison::Below(value(random)),
        _ => Comparison::AtMost(value(random)),
    }
}

fn condition(random: &mut ChaCha8Rng, latest: i64, depth: u32) -> ColumnCondition {
    let kinds = if depth == 0 { 10 } else { 13 };
    match random.random_range(0..kinds) {
        0 => ColumnCondition::Constant(random.random_bool(0.7)),
        1 => ColumnCondition::one_of(IndexColumn::State, (0..random.random_range(0..4)).map(|nth| nth * 2)),
        2 => ColumnCondition::one_of(IndexColumn::Unit, [random.random_range(0..6), random.random_range(0..6)]),
        3 => ColumnCondition::Null(
            [Nullable::Place(IndexColumn::Unit), Nullable::Cost, Nullable::Delay, Nullable::Answered, Nullable::Ended]
                [random.random_range(0..5)],
        ),
        4 => ColumnCondition::Received(comparison(random, |random| random.random_range(0..latest / 20) * 20)),
        5 => ColumnCondition::Cost(comparison(random, |random| random.random_range(0..5))),
        6 => ColumnCondition::Delay(comparison(random, |random| f64::from(random.random_range(0..5_i32)) / 2.0)),
        7 if random.random_bool(0.5) => {
            ColumnCondition::Answered(comparison(random, |random| random.random_range(5..10)))
        }
        7 => ColumnCondition::Blames,
        8 if random.random_bool(0.5) => ColumnCondition::Same(IndexColumn::State, IndexColumn::Unit),
        8 => ColumnCondition::Confidential,
        9 => ColumnCondition::Names(random.random_range(0..6)),
        10 => {
            ColumnCondition::All((0..random.random_range(0..4)).map(|_| condition(random, latest, depth - 1)).collect())
        }
        11 => {
            ColumnCondition::Any((0..random.random_range(0..4)).map(|_| condition(random, latest, depth - 1)).collect())
        }
        _ => condition(random, latest, depth - 1).negated(),
    }
}

fn listed(row: &Row) -> Listed {
    let id = Id(uuid::Uuid::from_u64_pair(row.id.0, row.id.1));
    Listed { id, version: row.version, received_at: Timestamp::from_micros(row.received).expect("a time") }
}

/// The page of the whole list.
fn page(rows: &[Row], condition: &ColumnCondition, reading: &Reading) -> (Vec<Listed>, bool) {
    let mut all: Vec<Listed> = rows.iter().filter(|row| holds(condition, row)).map(listed).collect();
    all.sort_unstable_by_key(|row| (row.received_at, row.id));
    if !reading.upwards {
        all.reverse();
    }
    let beyond = |row: &Listed, (at, id): (Timestamp, Id)| match reading.upwards {
        true => (row.received_at, row.id) > (at, id),
        false => (row.received_at, row.id) < (at, id),
    };
    let before = |row: &Listed, bound: (Timestamp, Id)| !beyond(row, bound) && (row.received_at, row.id) != bound;
    all.retain(|row| {
        reading.after.is_none_or(|after| beyond(row, after)) && reading.before.is_none_or(|bound| before(row, bound))
    });
    let more = all.len() > reading.limit;
    all.truncate(reading.limit);
    (all, more)
}

#[test]
fn a_page_from_columns_is_that_of_the_whole_list() {
    for seed in 0..60 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let most = [1, 7, 900, 2_100, 10_000][seed as usize % 5];
        let number = if most < 100 { random.random_range(1..80) } else { random.random_range(1_000..4_000) };
        let rows = rows(&mut random, number);
        // Some are linked to others: they do not count, but a list has them.
        let (linked, counted): (Vec<Row>, Vec<Row>) = rows.iter().cloned().partition(|row| row.version == 1);
        let duplicates = snapshot(&linked, most).pieces;
        let snapshot = Snapshot { duplicates, ..snapshot(&counted, most) };
        let latest = rows.iter().map(|row| row.received).max().unwrap_or_default() + 40;
        for _ in 0..40 {
            let condition = condition(&mut random, latest, 2);
            let mut bound = || {
                let mut row = rows[random.random_range(0..rows.len())].clone();
                match random.random_range(0..8) {
                    0 => row.received = -1,
                    1 => row.received = latest,
                    2 => row.id = (0, 0),
                    _ => {}
                }
                let row = listed(&row);
                (row.received_at, row.id)
            };
            let bounds = [bound(), bound()];
            let reading = Reading {
                upwards: random.random_bool(0.5),
                after: random.random_bool(0.5).then_some(bounds[0]),
                before: random.random_bool(0.3).then_some(bounds[1]),
                limit: [0, 1, 5, 25, 200][random.random_range(0..5)],
            };
            let found = snapshot.first_rows(&condition, &reading, usize::MAX).expect("columns").expect("a page");
            assert_eq!(found, page(&rows, &condition, &reading), "seed {seed}: {condition:?} {reading:?}");
            let count = rows.iter().filter(|row| holds(&condition, row)).count();
            assert_eq!(snapshot.count(&condition).expect("columns"), Some(count), "seed {seed}: {condition:?}");
        }
    }
}

#[test]
fn an_empty_register_has_empty_pages() {
    let empty = snapshot(&[], 7);
    let reading = Reading { limit: 5, ..Reading::default() };
    for condition in [ColumnCondition::Constant(true), ColumnCondition::Blames] {
        assert_eq!(empty.first_rows(&condition, &reading, 10).expect("columns"), Some((Vec::new(), false)));
        assert_eq!(empty.count(&condition).expect("columns"), Some(0));
    }
}

#[test]
fn a_page_of_the_latest_rows_takes_a_scan_of_few_blocks() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let mut rows = rows(&mut random, 20_000);
    rows.iter_mut().for_each(|row| row.received = i64::try_from(row.id.0).expect("a small day") * 100);
    // The day of the oldest was corrected to that of the latest.
    rows[0].received = rows[19_999].received;
    let snapshot = snapshot(&rows, 6_000);
    let everything = ColumnCondition::Constant(true);
    for upwards in [false, true] {
        let mut reading = Reading { upwards, limit: 25, ..Reading::default() };
        let found = snapshot.first_rows(&everything, &reading, 3 * BLOCK).expect("columns");
        assert_eq!(found.as_ref(), Some(&page(&rows, &everything, &reading)));
        // Neither does one far from the ends.
        let middle = listed(&rows[10_000]);
        reading.after = Some((middle.received_at, middle.id));
        let found = snapshot.first_rows(&everything, &reading, 4 * BLOCK).expect("columns");
        assert_eq!(found.as_ref(), Some(&page(&rows, &everything, &reading)));
        assert_eq!(snapshot.first_rows(&everything, &reading, 10).expect("columns"), None, "more than ten rows");
        let nothing = ColumnCondition::one_of(IndexColumn::State, [77]);
        assert_eq!(snapshot.first_rows(&nothing, &reading, 5_000).expect("columns"), None);
    }
}

#[test]
fn a_snapshot_that_was_made_of_another_one_has_no_pages() {
    let mut of_some = snapshot(&rows(&mut ChaCha8Rng::seed_from_u64(4), 20), 7);
    of_some.pieces = Arc::default();
    let reading = Reading { limit: 5, ..Reading::default() };
    assert_eq!(of_some.first_rows(&ColumnCondition::Blames, &reading, 100).expect("columns"), None);
    assert_eq!(of_some.count(&ColumnCondition::Blames).expect("columns"), None);
}
