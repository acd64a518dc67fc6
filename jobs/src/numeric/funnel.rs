//! Funnel plots: control limits for units that differ by chance and by over-dispersion.
//!
//! Spiegelhalter 2005 (Statistics in Medicine 24:1185), with additive over-dispersion on the square-root
//! scale as in Spiegelhalter and others 2012 (JRSS A 175:1).

use super::poisson::Limits;

/// Two-sided normal quantiles of 95 % and 99.8 %, rounded as usual for funnel plots.
pub const Z_95: f64 = 1.959_964;
pub const Z_998: f64 = 3.090_232;

/// Variation of the counts of units around their expectations.
#[derive(Debug, Clone, PartialEq)]
pub struct Funnel {
    /// (√(O/E) − 1) · 2√E of each unit.
    pub z: Vec<f64>,
    /// Mean of the winsorised z²: 1 if units differ by chance alone.
    pub phi: f64,
    /// Variance between units on the square-root scale, by moments; at least 0.
    pub tau2: f64,
}

/// Estimates the over-dispersion of units with `expected` > 0. The lowest and the highest tenth of z are
/// winsorised: the funnel is to show outliers, so these must not widen it.
pub fn funnel(observed: &[f64], expected: &[f64]) -> Funnel {
    let z: Vec<f64> = observed.iter().zip(expected).map(|(o, e)| ((o / e).sqrt() - 1.0) * 2.0 * e.sqrt()).collect();
    let units = z.len() as f64;
    if z.is_empty() {
        return Funnel { z, phi: 1.0, tau2: 0.0 };
    }
    let mut sorted = z.clone();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (quantile(&sorted, 0.1), quantile(&sorted, 0.9));
    let phi = z.iter().map(|z| z.clamp(low, high).powi(2)).sum::<f64>() / units;
    // Weights are 1 / s², with s = 1 / (2√E).
    let (sum, squares) = expected.iter().fold((0.0, 0.0), |(a, b), e| (a + 4.0 * e, b + 16.0 * e * e));
    let scale = sum - squares / sum;
    let tau2 = if scale > 0.0 { ((units * phi - (units - 1.0)) / scale).max(0.0) } else { 0.0 };
    Funnel { z, phi, tau2 }
}

impl Funnel {
    /// The limits of O/E for a unit with this expectation; `z` is the normal quantile.
    pub fn limits(&self, expected: f64, z: f64) -> Limits {
        let spread = z * (1.0 / (4.0 * expected) + self.tau2).sqrt();
        Limits { lower: (1.0 - spread).max(0.0).powi(2), upper: (1.0 + spread).powi(2) }
    }
}

/// A quantile of sorted values by linear interpolation.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let below = at.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (at - below as f64) * (sorted[above] - sorted[below])
}
