//! How far the numbers that readers of aggregates alone are shown lie from the true ones, and what an attacker who
//! takes all tables together gets of the cells that are hidden: the tables of `docs/statistics.md`.
//!
//!     disclosure_study COMPLAINTS SEED
//!
//! The attacker knows which cells of branch, category and month are hidden. He estimates the count of each from all
//! lines of the tables that it lies in (its quarter less the other months, its kind less the other categories, and so
//! on, each also divided by channel and by state), weighs the estimates by their variances, and rounds what he gets to
//! what a hidden cell may have.

use chrono::NaiveDate;
use jobs::snapshot::IndexColumn::{Branch, Category, Channel, Department, Kind, State};
use jobs::snapshot::{Snapshot, SnapshotStore};
use jobs::statistics::{
    Bucket, Dimension, Disclosure, Editions, GroupResult, NoiseKey, Question, SelectedMeasures, Span, Thresholds,
    statistics,
};
use schema::world::{self, Bursts, Parameters};
use schema::{Db, Timestamp};
use std::collections::HashMap;

type Failure = Box<dyn std::error::Error>;

const THRESHOLDS: Thresholds = Thresholds { complaints: 5, enterprises: 3 };
const SECRET: [u8; 32] = [7; 32];

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [complaints, seed] = args.as_slice() else { return Err("COMPLAINTS SEED".into()) };
    let folder = tempfile::tempdir()?;
    let db = Db::open(&format!("sqlite:{}", folder.path().join("world.db").display()))?;
    db.migrate()?;
    let until = NaiveDate::from_ymd_opt(2025, 12, 31).ok_or("a date")?;
    let parameters =
        Parameters { complaints: complaints.parse()?, seed: seed.parse()?, until, bursts: Bursts::default() };
    world::generate(&db, parameters, &mut |_| true)?;
    let store = SnapshotStore::load(&db)?;
    let began = std::time::Instant::now();
    let edition = Editions::new(SECRET).current(&store, 24 * 60, Timestamp::now())?;
    println!("an edition of {complaints} complaints is made in {} ms\n", began.elapsed().as_millis());
    durations(&store.current(), &edition)?;
    distances(&edition)?;
    attack(&edition)
}

/// The groups of a question, as they are or as they are shown.
fn ask(
    snapshot: &Snapshot,
    group_by: &[Dimension],
    shown: bool,
) -> Result<HashMap<Vec<Option<i64>>, GroupResult>, Failure> {
    let disclosure = shown.then(|| Disclosure {
        thresholds: THRESHOLDS,
        noise_key: NoiseKey(SECRET),
        scope: None,
        listed: Vec::new(),
        span: Span::ALL,
        span_before: Span::ALL,
    });
    let wanted = SelectedMeasures { officers: false, ..SelectedMeasures::ALL };
    let question = Question { group_by: group_by.to_vec(), wanted, disclosure, ..Question::default() };
    Ok(statistics(snapshot, &question)?.groups.into_iter().map(|group| (group.places.clone(), group)).collect())
}

/// How long the same question takes with exact numbers and with those of fixed cells: the median of nine.
fn durations(exact: &Snapshot, edition: &Snapshot) -> Result<(), Failure> {
    let group_by = [Dimension::Place(Department), Dimension::Place(Category), Dimension::Time(Bucket::Month)];
    let median = |snapshot: &Snapshot, shown: bool| -> Result<u128, Failure> {
        let mut times = Vec::new();
        for _ in 0..9 {
            let began = std::time::Instant::now();
            ask(snapshot, &group_by, shown)?;
            times.push(began.elapsed().as_micros());
        }
        times.sort_unstable();
        Ok(times[4])
    };
    let (exact, shown) = (median(exact, false)?, median(edition, true)?);
    println!("department by category by month, all measures: exact {exact} µs, disclosed {shown} µs\n");
    Ok(())
}

/// Mean absolute errors by the size of cells.
fn distances(snapshot: &Snapshot) -> Result<(), Failure> {
    use Dimension::{Place, Time};
    let tables: [&[Dimension]; 6] = [
        &[Place(Department), Time(Bucket::Month)],
        &[Place(Department), Place(Category)],
        &[Place(Branch), Time(Bucket::Quarter)],
        &[Place(Branch), Place(Category), Time(Bucket::Month)],
        &[Place(Department), Place(Channel), Place(State)],
        &[Time(Bucket::Year)],
    ];
    let sizes = [5, 10, 20, 50, 100, 500, 5_000, u32::MAX];
    let mut errors: Vec<[Vec<f64>; 5]> = vec![Default::default(); sizes.len()];
    for group_by in tables {
        let shown = ask(snapshot, group_by, true)?;
        for (places, truth) in ask(snapshot, group_by, false)? {
            let Some(shown) = shown.get(&places).filter(|cell| !cell.suppressed) else { continue };
            let (a, b) = (&truth.measures, &shown.measures);
            let size = sizes.iter().rposition(|size| a.complaints >= *size).ok_or("a size")?;
            let relative = |a: f64, b: f64| if a > 0.0 { (a - b).abs() / a * 100.0 } else { 0.0 };
            let of_size = &mut errors[size];
            of_size[0].push(f64::from(a.complaints.abs_diff(b.complaints)));
            of_size[1].push(f64::from(a.distinct_enterprises.abs_diff(b.distinct_enterprises)));
            if !shown.cost_hidden {
                of_size[2].push(relative(a.cost_vnd as f64, b.cost_vnd as f64));
            }
            if let (Some(a), Some(b)) = (a.share_in_time(), b.share_in_time()) {
                of_size[3].push((a - b).abs() * 100.0);
            }
            if let (Some(a), Some(b)) = (a.median_days, b.median_days) {
                of_size[4].push((a - b).abs());
            }
        }
    }
    println!(
        "| complaints | cells | complaints: mean, most | enterprises: mean | cost: mean % | in time: mean points | median: mean days |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for (at, of_size) in errors.iter().enumerate().filter(|(_, errors)| !errors[0].is_empty()) {
        let mean = |all: &[f64]| all.iter().sum::<f64>() / all.len().max(1) as f64;
        let most = of_size[0].iter().copied().fold(0.0, f64::max);
        let [complaints, enterprises, cost, share, median] = of_size.each_ref().map(|all| mean(all));
        let size = sizes[at];
        println!(
            "| from {size} | {} | {complaints:.2}, {most} | {enterprises:.2} | {cost:.1} | {share:.1} | {median:.1} |",
            of_size[0].len()
        );
    }
    Ok(())
}

/// A table as it is shown: the rounding base stands for what is hidden and listed.
struct Table {
    cells: HashMap<Vec<Option<i64>>, f64>,
}

impl Table {
    fn new(snapshot: &Snapshot, group_by: &[Dimension]) -> Result<Self, Failure> {
        let cells = ask(snapshot, group_by, true)?.into_iter();
        let value = |cell: &GroupResult| {
            f64::from(if cell.suppressed { THRESHOLDS.complaints } else { cell.measures.complaints })
        };
        Ok(Self { cells: cells.map(|(places, cell)| (places, value(&cell))).collect() })
    }

    /// The sum of the cells at some places, whatever divides them further; and how many these are.
    fn sums(&self, dimensions: usize) -> HashMap<Vec<Option<i64>>, (f64, f64)> {
        let mut sums: HashMap<Vec<Option<i64>>, (f64, f64)> = HashMap::new();
        for (places, value) in &self.cells {
            let sum = sums.entry(places[..dimensions].to_vec()).or_default();
            *sum = (sum.0 + value, sum.1 + 1.0);
        }
        sums
    }
}

/// The variance of a rounded count.
const VARIANCE: f64 = 5.3;

fn attack(snapshot: &Snapshot) -> Result<(), Failure> {
    use Dimension::{Place, Time};
    let month = Time(Bucket::Month);
    let own = [Place(Branch), Place(Category), month];
    let truth = ask(snapshot, &own, false)?;
    let departments: HashMap<Option<i64>, Option<i64>> = ask(snapshot, &[Place(Branch), Place(Department)], false)?
        .into_keys()
        .map(|places| (places[0], places[1]))
        .collect();
    let above = |places: &[Option<i64>], dimension: Dimension| -> Option<i64> {
        let reference = &snapshot.reference;
        match dimension {
            Place(Department) => departments.get(&places[0]).copied().flatten(),
            Place(Kind) => {
                let category = reference.categories.get(usize::try_from(places[1]?).ok()?)?;
                Some(i64::from(category.kind.place()))
            }
            Time(bucket) => Some(i64::from(bucket.start(i32::try_from(places[2]?).ok()?))),
            _ => None,
        }
    };
    let divisions: [&[Dimension]; 4] = [&[], &[Place(Channel)], &[Place(State)], &[Place(Channel), Place(State)]];
    let lines: [(usize, Option<Dimension>); 5] = [
        (0, Some(Place(Department))),
        (1, Some(Place(Kind))),
        (1, None),
        (2, Some(Time(Bucket::Quarter))),
        (2, Some(Time(Bucket::Year))),
    ];
    // Weighted sums of estimates.
    let mut estimates: HashMap<&Vec<Option<i64>>, (f64, f64)> = HashMap::new();
    let hidden: Vec<&Vec<Option<i64>>> = truth
        .iter()
        .filter(|(_, cell)| cell.measures.complaints < THRESHOLDS.complaints)
        .map(|(places, _)| places)
        .collect();
    for division in divisions {
        let cells = Table::new(snapshot, &[&own[..], division].concat())?.sums(3);
        for (at, line) in lines {
            let mut by: Vec<Dimension> = own.to_vec();
            match line {
                Some(above) => by[at] = above,
                None => drop(by.remove(at)),
            }
            let parents = Table::new(snapshot, &[&by[..], division].concat())?.sums(by.len());
            let parent = |places: &[Option<i64>]| {
                let mut parent = places.to_vec();
                match line {
                    Some(dimension) => parent[at] = above(places, dimension),
                    None => drop(parent.remove(at)),
                }
                parent
            };
            let mut siblings: HashMap<Vec<Option<i64>>, (f64, f64)> = HashMap::new();
            for (places, (value, number)) in &cells {
                let sum = siblings.entry(parent(places)).or_default();
                *sum = (sum.0 + value, sum.1 + number);
            }
            for places in &hidden {
                let parent = parent(places);
                let (Some((all, of_all)), Some((others, of_others))) = (parents.get(&parent), siblings.get(&parent))
                else {
                    continue;
                };
                let (itself, of_itself) = cells.get(*places).copied().unwrap_or_default();
                let weight = 1.0 / (VARIANCE * (of_all + of_others - of_itself + 1.0));
                let sum = estimates.entry(places).or_default();
                *sum = (sum.0 + weight * (all - (others - itself)), sum.1 + weight);
            }
        }
        for places in &hidden {
            let (itself, of_itself) = cells.get(*places).copied().unwrap_or_default();
            let weight = 1.0 / (VARIANCE * (of_itself + 1.0));
            let sum = estimates.entry(places).or_default();
            *sum = (sum.0 + weight * itself, sum.1 + weight);
        }
    }
    let mut by_count: [f64; 5] = [0.0; 5];
    let (mut exact, mut single, mut exact_of_more) = (0.0, 0.0, 0.0);
    let table = Table::new(snapshot, &own)?;
    for places in &hidden {
        let count = f64::from(truth[*places].measures.complaints);
        by_count[count as usize] += 1.0;
        let (sum, weight) = estimates[places];
        let is_exact = f64::from(u8::from(((sum / weight).round().clamp(1.0, 4.0) - count).abs() < 0.5));
        exact += is_exact;
        exact_of_more += if count > 1.0 { is_exact } else { 0.0 };
        single += f64::from(u8::from((table.cells.get(*places).copied().unwrap_or_default() - count).abs() < 0.5));
    }
    let number = hidden.len() as f64;
    let guess = by_count.iter().copied().fold(0.0, f64::max);
    println!("\nhidden cells of branch, category and month: {number}");
    println!("  told exactly by a difference of two answers: {:.1} %", single / number * 100.0);
    println!("  told exactly by all tables together: {:.1} %", exact / number * 100.0);
    println!(
        "  told exactly by all tables together, of the {} with more than one complaint: {:.1} %",
        number - by_count[1],
        exact_of_more / (number - by_count[1]) * 100.0
    );
    println!("  told exactly by who asks nothing and guesses the most frequent count: {:.1} %", guess / number * 100.0);
    Ok(())
}
