//! Gamma–Poisson shrinkage: the empirical Bayes posterior of a rate ratio given a count.
//!
//! DuMouchel 1999 (The American Statistician 53:177): the prior of rate ratios is a mixture of two gamma
//! distributions fitted to all subjects; a subject's own count updates it.

mod fit;

pub use fit::{Fit, fit};

use super::poisson::gamma_upper_quantile;
use super::roots::increasing;
use serde::{Deserialize, Serialize};
use statrs::function::gamma::{checked_gamma_lr, digamma, ln_gamma};

/// A gamma distribution of rate ratios.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gamma {
    /// α.
    pub shape: f64,
    /// β: the mean is α / β.
    pub rate: f64,
}

/// The prior: how rate ratios differ between subjects.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Prior {
    /// `first` with probability `share`, else `second`.
    Mixture { first: Gamma, second: Gamma, share: f64 },
    /// A single gamma distribution, fitted by moments.
    Single { gamma: Gamma },
    /// All subjects have the same rate ratio.
    Point { mean: f64 },
}

/// The posterior of a rate ratio after a count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Posterior {
    /// The probability of the first component of the mixture (Q_n).
    pub first: f64,
    /// The geometric mean of the rate ratio.
    pub ebgm: f64,
    components: [(f64, Gamma); 2],
    point: Option<f64>,
}

impl Prior {
    /// Fits one gamma distribution by moments: m = ΣO/ΣE, A = ΣE(O/E − m)²/ΣE − m·k/ΣE over k subjects. If A ≤ 0,
    /// chance alone explains how they differ and the prior is a point. For too few subjects to fit a mixture.
    pub fn by_moments(observed: &[u32], expected: &[f64]) -> Self {
        let total: f64 = expected.iter().sum();
        if total <= 0.0 {
            return Self::Point { mean: 0.0 };
        }
        let mean = observed.iter().map(|o| f64::from(*o)).sum::<f64>() / total;
        let scatter: f64 =
            observed.iter().zip(expected).map(|(o, e)| e * (f64::from(*o) / e - mean).powi(2)).sum::<f64>() / total;
        let between = scatter - mean * expected.len() as f64 / total;
        if between <= 0.0 || mean <= 0.0 {
            return Self::Point { mean };
        }
        Self::Single { gamma: Gamma { shape: mean * mean / between, rate: mean / between } }
    }

    /// The posterior after `observed` events where `expected` (> 0) were expected.
    pub fn posterior(&self, observed: u32, expected: f64) -> Posterior {
        let n = f64::from(observed);
        let after = |gamma: Gamma| Gamma { shape: gamma.shape + n, rate: gamma.rate + expected };
        let (first, components, point) = match *self {
            Self::Point { mean } => (1.0, [(1.0, Gamma { shape: 1.0, rate: 1.0 }); 2], Some(mean)),
            Self::Single { gamma } => (1.0, [(1.0, after(gamma)), (0.0, after(gamma))], None),
            Self::Mixture { first, second, share } => {
                let one = share.ln() + log_probability(first, n, expected);
                let two = (-share).ln_1p() + log_probability(second, n, expected);
                let q = 1.0 / (1.0 + (two - one).exp());
                (q, [(q, after(first)), (1.0 - q, after(second))], None)
            }
        };
        let log_mean = |(weight, gamma): (f64, Gamma)| {
            if weight == 0.0 { 0.0 } else { weight * (digamma(gamma.shape) - gamma.rate.ln()) }
        };
        let ebgm = point.unwrap_or_else(|| (log_mean(components[0]) + log_mean(components[1])).exp());
        Posterior { first, ebgm, components, point }
    }
}

impl Posterior {
    /// The quantile of the rate ratio: 0.05 gives EB05, 0.95 gives EB95. Relative error 1e-10.
    pub fn quantile(&self, probability: f64) -> f64 {
        if let Some(mean) = self.point {
            return mean;
        }
        let [one, two] = self.components;
        let of = |gamma: Gamma| gamma_upper_quantile(gamma.shape, 1.0 - probability) / gamma.rate;
        // Ignore a component without weight: its quantile could be anywhere.
        if two.0 < 1e-15 {
            return of(one.1);
        }
        if one.0 < 1e-15 {
            return of(two.1);
        }
        let (a, b) = (of(one.1), of(two.1));
        let (low, high) = (a.min(b).max(f64::MIN_POSITIVE), a.max(b));
        let below = |x: f64| one.0 * cumulative(one.1, x) + two.0 * cumulative(two.1, x) - probability;
        increasing(low.ln(), high.ln(), |log| below(log.exp())).exp()
    }
}

fn cumulative(gamma: Gamma, x: f64) -> f64 {
    checked_gamma_lr(gamma.shape, gamma.rate * x).unwrap_or(0.0)
}

/// The log of the negative binomial probability of `n`, without the terms n! and E^n, which cancel between
/// components.
fn log_probability(gamma: Gamma, n: f64, expected: f64) -> f64 {
    let Gamma { shape, rate } = gamma;
    ln_gamma(shape + n) - ln_gamma(shape) + shape * (rate / (rate + expected)).ln() - n * (rate + expected).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_worked_out_by_hand() {
        // m = 8/4 = 2; A = (1·4 + 1·0 + 2·(1.5 − 2 …)): O/E = 4, 2, 1; E = 1, 1, 2.
        // Σ E (O/E − 2)² = 4 + 0 + 2 = 6; A = 6/4 − 2·3/4 = 0: chance alone.
        assert_eq!(Prior::by_moments(&[4, 2, 2], &[1.0, 1.0, 2.0]), Prior::Point { mean: 2.0 });
        // O/E = 6, 0, 1: Σ E (O/E − 2)² = 16 + 4 + 2 = 22; A = 5.5 − 1.5 = 4: α = 1, β = 1/2.
        let prior = Prior::by_moments(&[6, 0, 2], &[1.0, 1.0, 2.0]);
        assert_eq!(prior, Prior::Single { gamma: Gamma { shape: 1.0, rate: 0.5 } });
        assert_eq!(Prior::by_moments(&[], &[]), Prior::Point { mean: 0.0 });
    }

    #[test]
    fn a_point_prior_gives_its_mean() {
        let posterior = Prior::Point { mean: 0.7 }.posterior(9, 1.0);
        assert_eq!((posterior.ebgm, posterior.quantile(0.05)), (0.7, 0.7));
    }
}
