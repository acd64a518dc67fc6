//! Funnel limits: how far units may lie apart by chance, given that they differ anyhow.
//!
//! Spiegelhalter 2005 (Statistics in Medicine 24:1185), with over-dispersion added on the square-root
//! scale as by Spiegelhalter and others 2012 (JRSS A 175:1).

use super::poisson::Limits;

/// Normal quantiles of 95 % and 99.8 %, to the digits that funnels are drawn with.
pub const Z_95: f64 = 1.959_964;
pub const Z_998: f64 = 3.090_232;

/// How units scatter around what was expected of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Funnel {
    /// (√(O/E) − 1) · 2√E of each unit.
    pub z: Vec<f64>,
    /// The mean of the winsorised z²: 1 where chance alone is at work.
    pub phi: f64,
    /// The variance between units on the square-root scale, by moments; never below 0.
    pub tau2: f64,
}

/// Measures the scatter of units with `expected` > 0. The tenth that lies lowest and the tenth that
/// lies highest are taken as no further out than those beside them (winsorised): outliers are what the
/// funnel is to show, they must not widen it.
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
    /// The limits of O/E of a unit of which `expected` was expected.
    pub fn limits(&self, expected: f64, z: f64) -> Limits {
        let spread = z * (1.0 / (4.0 * expected) + self.tau2).sqrt();
        Limits { lower: (1.0 - spread).max(0.0).powi(2), upper: (1.0 + spread).powi(2) }
    }
}

/// A quantile of sorted values, interpolated linearly.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let below = at.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (at - below as f64) * (sorted[above] - sorted[below])
}
