//! A one-sided Poisson CUSUM: it sums the excess of counts over a reference rate between the expected rate
//! and a multiple of it, and signals when the sum exceeds a limit.
//!
//! Lucas 1985 (Technometrics 27:129); average run lengths by the Markov chain of Brook and Evans 1972
//! (Biometrika 59:539).

use super::poisson::probability;
use nalgebra::{DMatrix, DVector};

/// The reference value k as a multiple of the expected count: between 1 and `rate_ratio`.
pub fn reference(rate_ratio: f64) -> f64 {
    (rate_ratio - 1.0) / rate_ratio.ln()
}

/// The sums after each period: S = max(0, S + O − k·E), never restarted.
pub fn path(observed: &[f64], expected: &[f64], rate_ratio: f64) -> Vec<f64> {
    with_restarts(observed, expected, rate_ratio, f64::INFINITY).0
}

/// The sums, and whether each is a signal (above `limit`). After a signal the sum restarts at 0.
pub fn with_restarts(observed: &[f64], expected: &[f64], rate_ratio: f64, limit: f64) -> (Vec<f64>, Vec<bool>) {
    let k = reference(rate_ratio);
    let mut sum = 0.0_f64;
    observed
        .iter()
        .zip(expected)
        .map(|(o, e)| {
            sum = (sum + o - k * e).max(0.0);
            let signals = sum > limit;
            let shown = sum;
            if signals {
                sum = 0.0;
            }
            (shown, signals)
        })
        .unzip()
}

/// The step to which the Markov chain rounds sums: a quarter of a complaint, or an eighth of a standard
/// deviation if that is more.
fn step(expected: f64) -> f64 {
    (expected.sqrt() / 8.0).max(0.25)
}

/// The in-control average run length: mean number of periods until a false signal, with `expected` in each
/// period. The rounding of sums (see `step`) makes it accurate to about 5 %.
pub fn run_length(expected: f64, rate_ratio: f64, limit: f64) -> f64 {
    let k = reference(rate_ratio) * expected;
    let step = step(expected);
    let states = (limit / step).floor() as usize + 1;
    // (I − P) L = 1, P over the states that do not signal.
    let mut system = DMatrix::<f64>::identity(states, states);
    let most = (expected + 12.0 * expected.sqrt() + 30.0) as u32;
    let least = (expected - 12.0 * expected.sqrt() - 1.0).max(0.0) as u32;
    let probabilities: Vec<f64> = (least..=most).map(|count| probability(count, expected)).collect();
    for from in 0..states {
        for (count, probability) in (least..).zip(&probabilities) {
            let to = from as f64 * step + f64::from(count) - k;
            let to = (to.max(0.0) / step).round() as usize;
            if to >= states {
                break;
            }
            system[(from, to)] -= probability;
        }
    }
    let ones = DVector::from_element(states, 1.0);
    system.lu().solve(&ones).map_or(f64::INFINITY, |lengths| lengths[0])
}

/// The smallest limit, a multiple of the chain's step, whose in-control average run length is at least
/// `periods`. None if `expected` is not positive, or no limit of up to 1,024 steps suffices.
pub fn limit(expected: f64, rate_ratio: f64, periods: f64) -> Option<f64> {
    if expected.is_nan() || expected <= 0.0 {
        return None;
    }
    let step = step(expected);
    let long_enough = |steps: u32| run_length(expected, rate_ratio, f64::from(steps) * step) >= periods;
    let mut high = 4;
    while !long_enough(high) {
        high *= 2;
        if high > 1_024 {
            return None;
        }
    }
    let mut low = 0;
    while high - low > 1 {
        let middle = (low + high) / 2;
        if long_enough(middle) { high = middle } else { low = middle }
    }
    Some(f64::from(high) * step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_gives_the_run_length_asked_for_in_a_simulation() {
        use rand::{RngExt, SeedableRng};
        let mut chance = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let expected = 1.3;
        let limit = limit(expected, 2.0, 260.0).expect("a limit");
        let poisson = |chance: &mut rand_chacha::ChaCha8Rng| {
            let (mut n, mut product) = (0.0, chance.random::<f64>());
            while product > (-expected).exp() {
                n += 1.0;
                product *= chance.random::<f64>();
            }
            n
        };
        let runs = 2_000;
        let mut periods = 0;
        for _ in 0..runs {
            let mut sum = 0.0_f64;
            while sum <= limit {
                sum = (sum + poisson(&mut chance) - reference(2.0) * expected).max(0.0);
                periods += 1;
            }
        }
        let mean = f64::from(periods) / f64::from(runs);
        assert!((220.0..420.0).contains(&mean), "{mean} periods at the limit {limit}");
    }

    #[test]
    fn a_sum_that_signalled_starts_again() {
        let (sums, signals) = with_restarts(&[5.0, 5.0, 0.0], &[1.0, 1.0, 1.0], 2.0, 4.0);
        assert_eq!(signals, [false, true, false]);
        assert!(sums[1] > 4.0 && sums[2] == 0.0, "{sums:?}");
    }
}
