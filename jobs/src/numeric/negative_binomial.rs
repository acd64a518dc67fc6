//! Negative binomial counts: Poisson counts whose mean is itself uncertain, with a gamma distribution.

use statrs::function::beta::checked_beta_reg;

/// P(X ≥ `observed`) for X negative binomial with a mean and the shape of its gamma distribution: the variance is
/// `mean` + `mean`² / `shape`, and without end of the shape X is Poisson. (Johnson, Kemp and Kotz 2005, Univariate
/// Discrete Distributions, formula 5.31.)
pub fn upper_tail(observed: u32, mean: f64, shape: f64) -> f64 {
    if observed == 0 {
        return 1.0;
    }
    if mean <= 0.0 || shape <= 0.0 {
        return 0.0;
    }
    checked_beta_reg(f64::from(observed), shape, mean / (mean + shape)).unwrap_or(f64::NAN).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::poisson;

    #[test]
    fn the_tail_is_that_of_the_terms() {
        // Shape 2 and mean 3: P(X = 0) = (2/5)², P(X = 1) = 2 · 3/5 · (2/5)².
        for (observed, tail) in [(0, 1.0), (1, 0.84), (2, 0.648)] {
            assert!((upper_tail(observed, 3.0, 2.0) - tail).abs() < 1e-12, "{observed}");
        }
    }

    #[test]
    fn with_a_large_shape_it_is_poisson() {
        for observed in [1, 5, 20] {
            let (own, poisson) = (upper_tail(observed, 4.0, 1e9), poisson::upper_tail(observed, 4.0));
            assert!((own / poisson - 1.0).abs() < 1e-5, "{observed}: {own} {poisson}");
        }
    }
}
