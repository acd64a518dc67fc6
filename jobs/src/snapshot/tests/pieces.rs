//! A snapshot that was refreshed is the one that is read anew, whatever the size of its pieces, and shares what it can.

use super::super::comparison::first_rows;
use super::super::episodes;
use super::super::pieces::{IdHalves, Pieces};
use super::*;
use crate::statistics::{Answer, Bucket, Dimension, Measure, Order, Question, SelectedMeasures, statistics};
use polars::prelude::{
    Column, DataType, Expr, IntoColumn, ListBuilderTrait, ListPrimitiveChunkedBuilder, UInt32Type, col, lit,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schema::enums::{ComplaintEventKind, ComplaintState};
use schema::models::Complaint;
use schema::register::complaints::{Case, insert, load, update};
use std::collections::BTreeMap;

const SIZES: [usize; 4] = [1, 2, 7, 1_000];

/// A complaint of a made-up register.
#[derive(Debug, Clone)]
struct Row {
    day: i32,
    enterprise: Option<u32>,
    unit: Option<u32>,
    cost: Option<i64>,
    words: Vec<u32>,
}

type Rows = BTreeMap<IdHalves, Row>;

fn frame<'r>(rows: impl Iterator<Item = (&'r IdHalves, &'r Row)>) -> DataFrame {
    let rows: Vec<(&IdHalves, &Row)> = rows.collect();
    let none: Vec<Option<u32>> = vec![None; rows.len()];
    let mut named = ListPrimitiveChunkedBuilder::<UInt32Type>::new("named".into(), 0, 0, DataType::UInt32);
    rows.iter().for_each(|(_, row)| named.append_slice(&row.words));
    let columns = vec![
        Column::new("id_high".into(), rows.iter().map(|(id, _)| id.0).collect::<Vec<u64>>()),
        Column::new("id_low".into(), rows.iter().map(|(id, _)| id.1).collect::<Vec<u64>>()),
        Column::new("received".into(), rows.iter().map(|(_, row)| i64::from(row.day) * 1_000).collect::<Vec<i64>>()),
        Column::new("day".into(), rows.iter().map(|(_, row)| row.day).collect::<Vec<i32>>()),
        Column::new("branch".into(), &none),
        Column::new("department".into(), &none),
        Column::new("unit".into(), rows.iter().map(|(_, row)| row.unit).collect::<Vec<_>>()),
        Column::new("enterprise".into(), rows.iter().map(|(_, row)| row.enterprise).collect::<Vec<_>>()),
        Column::new("cost".into(), rows.iter().map(|(_, row)| row.cost).collect::<Vec<_>>()),
        named.finish().into_column(),
        Column::new("episode".into(), vec![0u32; rows.len()]),
    ];
    DataFrame::new(rows.len(), columns).expect("columns")
}

fn random_row(random: &mut ChaCha8Rng, id: IdHalves) -> Row {
    Row {
        // Ids ascend with the days, but not strictly.
        day: i32::try_from(id.0).expect("a small id") * 3 + random.random_range(0..5),
        enterprise: random.random_bool(0.8).then(|| random.random_range(0..3)),
        unit: random.random_bool(0.8).then(|| random.random_range(0..2)),
        cost: random.random_bool(0.5).then(|| random.random_range(0..1_000)),
        words: (0..random.random_range(1..4)).map(|_| random.random_range(0..99)).collect(),
    }
}

/// The pieces of a register that is read anew.
fn read(rows: &Rows, most: usize) -> Pieces {
    let mut pieces = Pieces::new(most);
    let all: Vec<(&IdHalves, &Row)> = rows.iter().collect();
    all.chunks(most).for_each(|part| pieces.push(frame(part.iter().copied())).expect("a piece"));
    episodes::number_all(&mut pieces).expect("episodes");
    pieces
}

#[track_caller]
fn assert_same(pieces: &Pieces, rows: &Rows, most: usize) {
    let facts = if rows.is_empty() { frame(rows.iter()) } else { pieces.facts().expect("a frame") };
    let whole = read(rows, usize::MAX);
    let expected = if rows.is_empty() { frame(rows.iter()) } else { whole.facts().expect("a frame") };
    assert_eq!(facts.height(), expected.height());
    let mut own = facts.drop_many(["episode"]);
    assert!(own.rechunk_mut().equals_missing(&expected.drop_many(["episode"])), "in pieces of {most}");
    let episodes = |of: &DataFrame| first_rows(of.column("episode").expect("a column")).expect("numbers");
    assert_eq!(episodes(&facts), episodes(&expected));
    for piece in &pieces.list {
        let days: Vec<i32> =
            piece.rows().column("day").expect("a column").i32().expect("days").iter().flatten().collect();
        assert!((1..=most).contains(&days.len()), "{} of {most} rows", days.len());
        assert_eq!(piece.rows().max_n_chunks(), 1);
        assert_eq!((Some(&piece.first_day()), Some(&piece.last_day())), (days.iter().min(), days.iter().max()));
    }
    if let [all @ .., _] = pieces.list.as_slice() {
        let mut pairs = all.iter().zip(&pieces.list[1..]);
        assert!(pairs.all(|(a, b)| a.rows().height() + b.rows().height() > most / 2), "crumbs");
    }
}

#[test]
fn pieces_after_any_changes_are_those_of_a_new_reading() {
    for seed in 0..40 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let most = SIZES[seed as usize % SIZES.len()];
        let mut rows = Rows::new();
        for _ in 0..random.random_range(0..60) {
            let id = (random.random_range(0..30), random.random_range(0..1_000));
            rows.insert(id, random_row(&mut random, id));
        }
        let mut pieces = read(&rows, most);
        for _ in 0..25 {
            let mut changed: Vec<IdHalves> = Vec::new();
            for _ in 0..random.random_range(1..8) {
                let known = rows.keys().copied().nth(random.random_range(0..rows.len().max(1)));
                let (id, is_gone) = match (known, random.random_range(0..4)) {
                    (Some(id), 0) => (id, true),
                    (Some(id), 1 | 2) => (id, false),
                    _ => ((random.random_range(0..30), random.random_range(0..1_000)), false),
                };
                let now = if is_gone { None } else { Some(random_row(&mut random, id)) };
                // Like most writes: no other day, enterprise or unit.
                let is_small = random.random_bool(0.5);
                match now {
                    None => {
                        rows.remove(&id);
                    }
                    Some(now) => match rows.get_mut(&id) {
                        Some(row) if is_small => row.cost = now.cost,
                        _ => {
                            rows.insert(id, now);
                        }
                    },
                }
                changed.push(id);
            }
            // Some complaint that never was.
            changed.push((random.random_range(0..40), 1_001));
            changed.sort_unstable();
            changed.dedup();
            let fresh = frame(changed.iter().filter_map(|id| rows.get_key_value(id)));
            let next = episodes::changed(&pieces, &changed, fresh).expect("pieces");
            assert_same(&next, &rows, most);
            pieces = next;
        }
    }
}

#[test]
fn a_change_of_one_complaint_copies_one_column_of_one_piece() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut rows: Rows = (0..70).map(|n| ((n, 5), random_row(&mut random, (n, 5)))).collect();
    let before = read(&rows, 7);
    let id = (37, 5);
    rows.entry(id).and_modify(|row| row.cost = Some(9_999));
    let fresh = frame(rows.get_key_value(&id).into_iter());
    let after = episodes::changed(&before, &[id], fresh).expect("pieces");
    assert_same(&after, &rows, 7);
    let shared: Vec<bool> = before.list.iter().zip(&after.list).map(|(a, b)| Arc::ptr_eq(a, b)).collect();
    assert_eq!(shared, (0..10).map(|nth| nth != 5).collect::<Vec<_>>());
    let values = |pieces: &Pieces, name: &str| {
        let column = pieces.list[5].rows().column(name).expect("a column");
        match name {
            "cost" => column.i64().expect("a type").downcast_iter().next().expect("a chunk").values().as_ptr() as usize,
            "day" => column.i32().expect("a type").downcast_iter().next().expect("a chunk").values().as_ptr() as usize,
            _ => column.u32().expect("a type").downcast_iter().next().expect("a chunk").values().as_ptr() as usize,
        }
    };
    for name in ["day", "unit", "enterprise", "cost", "episode"] {
        assert_eq!(values(&before, name) != values(&after, name), name == "cost", "{name}");
    }
    // A new one at the end leaves all but the last piece.
    let id = (69, 6);
    rows.insert(id, random_row(&mut random, id));
    let next = episodes::changed(&after, &[id], frame(rows.get_key_value(&id).into_iter())).expect("pieces");
    assert_same(&next, &rows, 7);
    assert!(after.list[..9].iter().zip(&next.list).all(|(a, b)| Arc::ptr_eq(a, b)));
    // One that is linked to another is in no piece before and after.
    let same = episodes::changed(&next, &[(37, 6)], frame(std::iter::empty())).expect("pieces");
    assert!(next.list.len() == same.list.len() && next.list.iter().zip(&same.list).all(|(a, b)| Arc::ptr_eq(a, b)));
}

/// Some complaints are changed or withdrawn, and some come.
fn write(db: &Db, random: &mut ChaCha8Rng) {
    let written = db.write("test", |tx| {
        let now = tx.now;
        let ids: Vec<Id> = complaints::table.order(complaints::id).select(complaints::id).load(tx.conn)?;
        for _ in 0..random.random_range(1..6) {
            let [id, other] = [(); 2].map(|()| ids[random.random_range(0..ids.len())]);
            let cases = load(tx.conn, &[id, other])?;
            let (before, other) = (&cases[&id], &cases[&other].complaint);
            let mut after = before.clone();
            let complaint = &mut after.complaint;
            match random.random_range(0..5) {
                0 => {
                    let received = other.received_at;
                    let id = schema::domain::ids::random_complaint_id(local_date(received));
                    let new = Complaint { id, version: 1, ..other.clone() };
                    let case = Case { complaint: new, officers: Vec::new(), matters: Vec::new(), clocks: Vec::new() };
                    insert(tx, &mut [case], &[])?;
                    continue;
                }
                1 => (complaint.state, complaint.state_since) = (ComplaintState::Withdrawn, now),
                2 => {
                    complaint.enterprise_id = other.enterprise_id;
                    complaint.unit_id = other.unit_id;
                    complaint.department_id = other.department_id;
                    complaint.branch_id = other.branch_id;
                    complaint.team_id = other.team_id;
                }
                3 => complaint.received_at = other.received_at,
                _ => {
                    complaint.cost_vnd = random.random_bool(0.7).then(|| random.random_range(0..1_000_000));
                    complaint.delay_hours = Some(f64::from(random.random_range(1..1_000_i32)) / 7.0);
                }
            }
            update(tx, ComplaintEventKind::Updated, now, before, &mut after)?;
        }
        Ok(())
    });
    written.expect("written");
}

/// Questions of every kind: by columns, days and officers; with filters; of all measures and of numbers only.
fn questions() -> Vec<Question> {
    use crate::snapshot::IndexColumn::{Branch, Channel, Department, Enterprise, State};
    let by = [
        vec![],
        vec![Dimension::Place(Department), Dimension::Place(State)],
        vec![Dimension::Place(Branch), Dimension::Time(Bucket::Month)],
        vec![Dimension::Place(Channel), Dimension::Finding],
        vec![Dimension::Officer],
        vec![Dimension::Place(Enterprise), Dimension::Time(Bucket::Week)],
    ];
    let filters: [Option<Expr>; 4] = [
        None,
        Some(col("cost").gt(lit(100_000i64))),
        Some(col("day").lt(lit(19_900)).and(col("confidential").not())),
        Some(col("id_low").eq(lit(1u64))),
    ];
    let mut questions = Vec::new();
    for group_by in by {
        for filter in filters.clone() {
            for (wanted, order) in [
                (SelectedMeasures::ALL, Order::Measure(Measure::DelayHours)),
                (SelectedMeasures::default(), Order::Measure(Measure::Complaints)),
            ] {
                let (group_by, filter, order_by) = (group_by.clone(), filter.clone(), vec![(order, true)]);
                questions.push(Question { group_by, filter, wanted, order_by, limit: 40, ..Question::default() });
            }
        }
    }
    questions
}

fn answers(snapshot: &Snapshot) -> Vec<Answer> {
    questions().iter().map(|question| statistics(snapshot, question).expect("an answer")).collect()
}

#[test]
fn a_snapshot_in_pieces_of_any_size_answers_as_one_that_is_read_anew() {
    let (_folder, db) = invented_register(300, 21);
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let in_pieces_of = |most| SnapshotStore::load_in(&db, Timestamp::now, most).expect("a snapshot");
    let stores = SIZES.map(in_pieces_of);
    let past = NaiveDate::from_ymd_opt(2025, 3, 1).expect("a date");
    let at_a_past_day = |of: &Snapshot| {
        let earlier = db.read_snapshot(|conn| Earlier::read(conn, &of.officers, past, true, true));
        answers(&of.as_of(crate::facts::days::day_number(past), &earlier.expect("earlier")).expect("columns"))
    };
    for round in 0..3 {
        (0..=round).for_each(|_| write(&db, &mut random));
        let fresh = SnapshotStore::load(&db).expect("a snapshot").current();
        assert_eq!(fresh.pieces().len(), 1);
        let expected = answers(&fresh);
        let expected_of_past = if round == 2 { at_a_past_day(&fresh) } else { Vec::new() };
        for (store, most) in stores.iter().zip(SIZES) {
            let reading = store.current().reading;
            store.refresh(&db).expect("a refresh");
            let refreshed = store.current();
            assert_eq!((refreshed.position, refreshed.reading), (fresh.position, reading));
            assert!(refreshed.agrees_with(&fresh).expect("columns"), "in pieces of {most}");
            assert!(refreshed.pieces().len() >= refreshed.facts.height() / most);
            assert!(answers(&refreshed) == expected, "in pieces of {most}");
            assert!(round < 2 || at_a_past_day(&refreshed) == expected_of_past, "in pieces of {most}");
        }
    }
}

#[test]
fn the_file_keeps_the_pieces() {
    let (_folder, db) = invented_register(300, 21);
    let store = SnapshotStore::load_in(&db, Timestamp::now, 7).expect("a snapshot");
    let mut random = ChaCha8Rng::seed_from_u64(6);
    write(&db, &mut random);
    store.refresh(&db).expect("a refresh");
    let settings = SnapshotSettings { keep: true, folder: None, from_complaints: 0 };
    let file = SnapshotFile::of(&db, &settings, None).expect("a file");
    let kept = store.current();
    file.keep(&db, &kept, AT_THE_END);
    let loaded = file.load(&db, &Timestamp::now).expect("a snapshot from the file");
    let heights = |of: &Snapshot| of.pieces().iter().map(|piece| piece.rows().height()).collect::<Vec<_>>();
    assert!(heights(&kept).len() > 40);
    assert_eq!(heights(&loaded), heights(&kept));
    assert!(loaded.facts.equals_missing(&kept.facts) && loaded.agrees_with(&kept).expect("columns"));
}

#[test]
fn a_refresh_without_new_names_shares_all_of_them() {
    let (_folder, db) = invented_register(300, 21);
    let store = SnapshotStore::load(&db).expect("a snapshot");
    let before = store.current();
    write(&db, &mut ChaCha8Rng::seed_from_u64(7));
    store.refresh(&db).expect("a refresh");
    let after = store.current();
    assert!(Arc::ptr_eq(&before.enterprises, &after.enterprises) && Arc::ptr_eq(&before.officers, &after.officers));
    assert!(Arc::ptr_eq(&before.reference, &after.reference));
}
