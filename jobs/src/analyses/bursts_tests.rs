//! The scan in invented registers: bursts that were planted are found, and false alarms are as few as the rules say.

use super::*;
use uuid::Uuid;

const BRANCHES: usize = 60;
/// Days after those of the usual rate.
const DAYS: i64 = 80;
const SEEDS: u64 = 20;
const PLANTED: i64 = 3;

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        ((self.unit() * n as f64) as usize).min(n - 1)
    }

    fn poisson(&mut self, mean: f64) -> usize {
        let (mut n, mut time) = (0, -(1.0 - self.unit()).ln());
        while time < mean {
            n += 1;
            time -= (1.0 - self.unit()).ln();
        }
        n
    }
}

fn unit(number: usize) -> Id {
    Id(Uuid::from_u128(number as u128 + 1))
}

fn arrival(hour: i64, minute: i64, branch: usize) -> Arrival {
    let at = (hour - AHEAD) * MICROS_PER_HOUR + minute * 60_000_000;
    Arrival {
        at: Timestamp::from_micros(at).expect("a time"),
        department: Some(unit(1_000 + branch / 6)),
        branch: Some(unit(branch)),
    }
}

/// Monday, 3 March 2025, as an hour.
const START: i64 = 20_150 * 24;

/// Complaints in working hours mostly, with a season; and `size` more in two hours at a branch, three times.
fn register(seed: u64, per_day: f64, size: usize) -> (Vec<Arrival>, Vec<(i64, usize)>) {
    let mut chance = Chance(seed);
    // Some branches have many times the work of others.
    let weights: Vec<f64> = (0..BRANCHES).map(|_| -(1.0 - chance.unit()).ln()).collect();
    let total: f64 = weights.iter().sum();
    let mut arrivals = Vec::new();
    for day in 0..BASE_DAYS + GAP_DAYS + DAYS {
        let level = [1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.2][usize::try_from(day % 7).expect("a day")] * 7.0 / 5.7;
        let season = 1.0 + 0.15 * (day as f64 * std::f64::consts::TAU / 365.0).sin();
        for _ in 0..chance.poisson(per_day * level * season) {
            let (from, to) = if chance.unit() < 0.92 { (7.5, 17.5) } else { (0.0, 24.0) };
            let hour = from + (to - from) * chance.unit();
            let mut left = chance.unit() * total;
            let branch = weights.iter().position(|weight| {
                left -= weight;
                left < 0.0
            });
            arrivals.push(arrival(START + day * 24 + hour as i64, 30, branch.unwrap_or(BRANCHES - 1)));
        }
    }
    let mut planted = Vec::new();
    for number in 0..PLANTED {
        let day = BASE_DAYS + GAP_DAYS + 5 + number * 25;
        let (branch, hour) = (chance.below(BRANCHES), START + day * 24 + 8 + chance.below(8) as i64);
        planted.push((hour, branch));
        arrivals.extend((0..size).map(|one| arrival(hour + one as i64 % 2, 10, branch)));
    }
    (arrivals, planted)
}

/// Looks each hour: the number of planted bursts found, and the false alarms, once for each unit and day.
fn watched(seed: u64, per_day: f64, size: usize) -> (usize, usize) {
    let (arrivals, planted) = register(seed, per_day, size);
    let (mut found, mut false_alarms) = (BTreeSet::new(), BTreeSet::new());
    let first = START + (BASE_DAYS + GAP_DAYS) * 24;
    for hour in first..first + DAYS * 24 {
        let now = Timestamp::from_micros((hour - AHEAD + 1) * MICROS_PER_HOUR - 1).expect("a time");
        for burst in bursts(&arrivals, now, BurstRules::default()) {
            let of = planted.iter().position(|(from, branch)| {
                let above = [None, Some(unit(*branch)), Some(unit(1_000 + branch / 6))];
                (*from..from + 36).contains(&hour) && above.contains(&burst.unit)
            });
            match of {
                Some(number) => found.extend([number]),
                None => false_alarms.extend([(burst.unit, hour / 24)]),
            }
        }
    }
    (found.len(), false_alarms.len())
}

#[test]
fn planted_bursts_are_found_and_false_alarms_are_few() {
    let all: Vec<(usize, usize)> = (0..SEEDS).map(|seed| watched(seed, 12.0, 12)).collect();
    let found: usize = all.iter().map(|(found, _)| found).sum();
    let false_alarms: usize = all.iter().map(|(_, alarms)| alarms).sum();
    let planted = SEEDS as usize * PLANTED as usize;
    let months = SEEDS as f64 * DAYS as f64 / 30.44;
    let most = BurstRules::default().false_alarms_per_month * months;
    println!(
        "{found} of {planted} bursts found, {false_alarms} false alarms in {months:.0} months (at most {most:.0})"
    );
    assert!(found * 10 >= planted * 9, "{found} of {planted} bursts found");
    assert!(false_alarms as f64 <= most, "{false_alarms} false alarms in {months:.0} months");
}

#[test]
fn few_complaints_and_usual_ones_are_no_burst() {
    let now = start_of(START + 70 * 24 + 12);
    let four: Vec<Arrival> = (0..4).map(|_| arrival(START + 70 * 24 + 11, 5, 1)).collect();
    assert_eq!(bursts(&four, now, BurstRules::default()), vec![]);
    // Five an hour on each working day are usual at this branch.
    let usual: Vec<Arrival> = (0..70)
        .filter(|day| day % 7 < 5)
        .flat_map(|day| (0..45).map(move |one| arrival(START + day * 24 + 8 + one / 5, one % 5, 1)))
        .collect();
    let now = start_of(START + 67 * 24 + 17);
    assert_eq!(bursts(&usual, now, BurstRules::default()), vec![]);
}

#[test]
fn a_burst_names_the_branch_and_ends() {
    let (quiet, _) = register(3, 2.0, 0);
    let noon = START + 70 * 24 + 12;
    let mut arrivals = quiet;
    arrivals.extend((0..15).map(|one| arrival(noon, one, 7)));
    let at = |hour: i64| bursts(&arrivals, start_of(hour), BurstRules::default());
    let found = at(noon + 1);
    assert_eq!(found.len(), 1, "the levels above count what the branch does not explain: {found:?}");
    assert_eq!(found[0].unit, Some(unit(7)));
    assert!(found[0].complaints >= 15 && found[0].expected < 1.0 && found[0].probability < 1e-9, "{found:?}");
    assert_eq!(at(noon), vec![], "before it began");
    assert_eq!(at(noon + 24 + STANDS + 1), vec![], "it is over");
}
