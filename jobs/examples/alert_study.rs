//! What the alerts about bursts find in generated worlds with planted ones, and how many are false: the tables of
//! `docs/alerts.md`.
//!
//!     alert_study [SEEDS]
//!
//! Prints Markdown, row by row. Each row is of so many seeds (20 unless told otherwise), each with 120 days that are
//! watched hour by hour.

use jobs::alerts::study::{Watched, watch};
use jobs::analyses::bursts::BurstRules;
use jobs::numeric::poisson::exact_limits;
use schema::world::{Bursts, Parameters, UNTIL};

type Failure = Box<dyn std::error::Error>;

/// Complaints of five years in a world of the usual size.
const COMPLAINTS: usize = 12_000;
/// Sizes of worlds, relative to the usual one, in tenths.
const RATES: [usize; 4] = [5, 10, 20, 50];
/// Complaints of a burst. A burst has five at least.
const SIZES: [u32; 5] = [4, 6, 8, 12, 20];
/// Bursts of each world.
const BURSTS: u32 = 3;
/// Settings of `alerts.false_alarms_per_month`.
const BOUNDS: [f64; 4] = [0.1, 0.5, 2.0, 10.0];

fn main() -> Result<(), Failure> {
    let seeds: u64 = std::env::args().nth(1).map_or(Ok(20), |given| given.parse())?;
    println!("| complaints of five years | complaints of a burst | found | minutes to the alarm | false a month |");
    println!("| --- | --- | --- | --- | --- |");
    for rate in RATES {
        for size in SIZES {
            let all = of_seeds(COMPLAINTS * rate / 10, size, seeds, BurstRules::default())?;
            let complaints = format!("{} ({} ×)", COMPLAINTS * rate / 10, rate as f64 / 10.0);
            println!(
                "| {complaints} | {size} | {} of {} | {} | {} |",
                all.found(),
                all.planted,
                minutes(&all),
                false_alarms(&all)
            );
        }
    }
    println!(
        "\n| `alerts.false_alarms_per_month` | complaints of five years | found | false a month | after failures |"
    );
    println!("| --- | --- | --- | --- | --- |");
    for bound in BOUNDS {
        for rate in RATES {
            let rules = BurstRules { false_alarms_per_month: bound, ..BurstRules::default() };
            let all = of_seeds(COMPLAINTS * rate / 10, 12, seeds, rules)?;
            let (found, planted) = (all.found(), all.planted);
            let after = f64::from(all.after_failures) / all.months;
            let complaints = COMPLAINTS * rate / 10;
            println!("| {bound} | {complaints} | {found} of {planted} | {} | {after:.2} |", false_alarms(&all));
        }
    }
    Ok(())
}

fn of_seeds(complaints: usize, size: u32, seeds: u64, rules: BurstRules) -> Result<Watched, Failure> {
    let mut all = Watched::default();
    for seed in 1..=seeds {
        let bursts = Bursts { number: BURSTS, size };
        all.add(watch(Parameters { complaints, seed, until: UNTIL, bursts }, rules)?);
    }
    Ok(all)
}

/// The median and the greatest.
fn minutes(all: &Watched) -> String {
    let mut sorted = all.minutes.clone();
    sorted.sort_unstable();
    match (sorted.get(sorted.len() / 2), sorted.last()) {
        (Some(median), Some(greatest)) => format!("{median} (at most {greatest})"),
        _ => "–".to_owned(),
    }
}

/// False alarms of a month without anything that explains one, with exact Poisson limits of 95 %.
fn false_alarms(all: &Watched) -> String {
    let limits = exact_limits(all.false_alarms, 0.95);
    let of_a_month = |number: f64| number / all.unexplained_months;
    format!(
        "{:.2} ({:.2}–{:.2})",
        of_a_month(f64::from(all.false_alarms)),
        of_a_month(limits.lower),
        of_a_month(limits.upper)
    )
}
