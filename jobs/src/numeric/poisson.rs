//! Poisson counts compared with an expectation: exact and approximate confidence limits, and tail
//! probabilities.

use statrs::distribution::{ContinuousCDF, InverseGamma, Normal};
use statrs::function::gamma::{checked_gamma_lr, ln_gamma};

/// A two-sided confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    pub lower: f64,
    pub upper: f64,
}

impl Limits {
    /// Converts limits of a count to limits of its ratio to `expected`.
    pub fn ratio(self, expected: f64) -> Self {
        Self { lower: self.lower / expected, upper: self.upper / expected }
    }
}

/// Exact limits of the mean of a Poisson count (Garwood 1936, Biometrika 28:437): the means at which
/// `observed` or more, and `observed` or fewer, have the probability (1 − `confidence`) / 2. Relative error
/// 1e-12 for counts up to 10,000.
pub fn exact_limits(observed: u32, confidence: f64) -> Limits {
    let tail = (1.0 - confidence) / 2.0;
    let observed = f64::from(observed);
    let lower = if observed == 0.0 { 0.0 } else { gamma_upper_quantile(observed, 1.0 - tail) };
    Limits { lower, upper: gamma_upper_quantile(observed + 1.0, tail) }
}

/// Byar's approximation of the same (Breslow and Day 1987, Statistical Methods in Cancer Research II,
/// formula 2.13); the lower limit is clamped at 0.
pub fn byar_limits(observed: u32, confidence: f64) -> Limits {
    let z = Normal::standard().inverse_cdf(0.5 + confidence / 2.0);
    let (observed, next) = (f64::from(observed), f64::from(observed) + 1.0);
    let cube = |n: f64, z: f64| n * (1.0 - 1.0 / (9.0 * n) + z / (3.0 * n.sqrt())).powi(3);
    let lower = if observed == 0.0 { 0.0 } else { cube(observed, -z).max(0.0) };
    Limits { lower, upper: cube(next, z) }
}

/// P(X ≥ `observed`) for X Poisson with mean `expected`.
pub fn upper_tail(observed: u32, expected: f64) -> f64 {
    if observed == 0 {
        return 1.0;
    }
    if expected <= 0.0 {
        return 0.0;
    }
    checked_gamma_lr(f64::from(observed), expected).unwrap_or(f64::NAN).clamp(0.0, 1.0)
}

/// The mid-p upper tail, P(X > `observed`) + P(X = `observed`) / 2 (Lancaster 1961, JASA 56:223). Its mean is
/// 1/2; that of the exact tail is larger, since counts are discrete.
pub fn mid_p_upper_tail(observed: u32, expected: f64) -> f64 {
    upper_tail(observed.saturating_add(1), expected) + 0.5 * probability(observed, expected)
}

/// P(X = `observed`).
pub fn probability(observed: u32, expected: f64) -> f64 {
    if expected <= 0.0 {
        return if observed == 0 { 1.0 } else { 0.0 };
    }
    let n = f64::from(observed);
    (n * expected.ln() - expected - ln_gamma(n + 1.0)).exp()
}

/// The value that a gamma variable of this shape and rate 1 exceeds with probability `tail`.
pub(super) fn gamma_upper_quantile(shape: f64, tail: f64) -> f64 {
    InverseGamma::new(shape, 1.0).map_or(f64::NAN, |inverse| 1.0 / inverse.inverse_cdf(tail))
}
