//! Proportions of small numbers: score limits, binomial tails and shrinkage by a beta prior.

use super::poisson::Limits;
use statrs::distribution::{Binomial, DiscreteCDF};

/// The score limits of Wilson (1927, JASA 22:209); `z` is the normal quantile.
pub fn wilson(successes: u32, of: u32, z: f64) -> Option<Limits> {
    if of == 0 {
        return None;
    }
    let (n, share) = (f64::from(of), f64::from(successes) / f64::from(of));
    let centre = share + z * z / (2.0 * n);
    let spread = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    Some(Limits { lower: ((centre - spread) / scale).max(0.0), upper: ((centre + spread) / scale).min(1.0) })
}

/// P(X ≥ `successes`) for X binomial with `of` trials and probability `share`, exact.
pub fn binomial_upper_tail(successes: u32, of: u32, share: f64) -> f64 {
    if successes == 0 {
        return 1.0;
    }
    Binomial::new(share.clamp(0.0, 1.0), u64::from(of)).map_or(1.0, |binomial| binomial.sf(u64::from(successes - 1)))
}

/// The prior of a unit's share: a beta distribution, given by its mean and its weight in observations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BetaPrior {
    pub mean: f64,
    /// Number of observations that the prior weighs as much as, at least 1; infinite if units differ no more
    /// than by chance.
    pub strength: f64,
}

impl BetaPrior {
    /// Fits the prior to (successes, number) of each unit by moments (Kleinman 1973, JASA 68:46), weighted by
    /// number. None if all numbers are 0.
    pub fn fit(units: &[(u32, u32)]) -> Option<Self> {
        let units: Vec<(f64, f64)> =
            units.iter().filter(|(_, of)| *of > 0).map(|(k, of)| (f64::from(*k), f64::from(*of))).collect();
        let total: f64 = units.iter().map(|(_, of)| of).sum();
        if units.is_empty() {
            return None;
        }
        let mean = units.iter().map(|(k, _)| k).sum::<f64>() / total;
        let scatter: f64 = units.iter().map(|(k, of)| of * (k / of - mean).powi(2)).sum();
        let chance = mean * (1.0 - mean);
        let count = units.len() as f64;
        let squares: f64 = units.iter().map(|(_, of)| of * of).sum::<f64>() / total;
        // E(scatter) = chance · ((k − 1) + ρ · (N − Σn²/N − (k − 1))).
        let room = total - squares - (count - 1.0);
        let within = if chance > 0.0 && room > 0.0 { (scatter / chance - (count - 1.0)) / room } else { 0.0 };
        let strength = if within > 0.0 { (1.0 / within - 1.0).max(1.0) } else { f64::INFINITY };
        Some(Self { mean, strength })
    }

    /// The posterior mean of a unit's share. The fewer complaints a unit has, the more its share shrinks to
    /// the mean, so that one quick answer does not put it on top of a table.
    pub fn shrunk(&self, successes: u32, of: u32) -> f64 {
        if self.strength.is_infinite() {
            return self.mean;
        }
        (f64::from(successes) + self.strength * self.mean) / (f64::from(of) + self.strength)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_those_that_were_published() {
        // Newcombe 1998 (Statistics in Medicine 17:857), table I, method 3.
        let limits = wilson(81, 263, 1.959_964).expect("limits");
        assert!((limits.lower - 0.2553).abs() < 5e-5 && (limits.upper - 0.3662).abs() < 5e-5, "{limits:?}");
        let none = wilson(0, 20, 1.959_964).expect("limits");
        assert!(none.lower == 0.0 && (none.upper - 0.1611).abs() < 5e-5, "{none:?}");
        assert_eq!(wilson(0, 0, 1.96), None);
    }

    #[test]
    fn the_tail_is_the_binomial_one() {
        // By hand: P(X ≥ 2) of 3 with 1/2 is 4/8.
        assert!((binomial_upper_tail(2, 3, 0.5) - 0.5).abs() < 1e-12);
        assert!((binomial_upper_tail(0, 3, 0.5) - 1.0).abs() < 1e-12);
        assert!((binomial_upper_tail(3, 3, 0.25) - 1.0 / 64.0).abs() < 1e-12);
    }

    #[test]
    fn one_good_answer_does_not_beat_a_good_record() {
        let prior = BetaPrior::fit(&[(1, 1), (95, 100), (40, 100), (60, 100), (80, 100)]).expect("a prior");
        assert!(prior.shrunk(1, 1) < prior.shrunk(95, 100), "{prior:?}");
        assert_eq!(BetaPrior::fit(&[(0, 0)]), None);
    }
}
