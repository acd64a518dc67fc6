//! Significance and shrinkage of counts: p, q, rate ratios with limits, EBGM and EB05 of each subject
//! (docs/statistics.md, "Limits, p and q", "Shrinkage" and "Robustness").

use super::expected::Expected;
use crate::numeric::multiplicity::{benjamini_hochberg, cut_off};
use crate::numeric::poisson::{exact_limits, mid_p_upper_tail};
use crate::numeric::rounding::round_6_digits;
use crate::numeric::shrinkage::{Posterior, Prior, fit};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The prior is one gamma distribution by moments instead of the mixture if there are fewer subjects than this.
const MIXTURE_FROM: usize = 50;

/// The numbers of one subject in one window, adjusted for its exposure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Adjusted {
    /// Episodes that began in the window (O).
    pub observed: u32,
    /// Declarations, or days in posting.
    pub exposure: f64,
    /// Expected episodes (E): this exposure at the rate of the other subjects.
    pub expected: f64,
    /// O / E with exact 95 % limits.
    pub ratio: f64,
    pub lower: f64,
    pub upper: f64,
    /// Mid-p upper tail of the Poisson distribution.
    pub p: f64,
    /// Benjamini and Hochberg (false discovery rate), over all subjects with an expectation.
    pub q: f64,
    /// The rate ratio after shrinkage, and the values that it exceeds and stays below with a probability of
    /// 95 %.
    pub ebgm: f64,
    pub eb05: f64,
    pub eb95: f64,
    /// Episodes of the enterprise with the most, and anonymous episodes.
    pub largest: u32,
    pub anonymous: u32,
    /// p and EB05 without the episodes of the enterprise with the most, and without the anonymous ones.
    pub p_without_largest: f64,
    pub eb05_without_largest: f64,
    pub p_without_anonymous: f64,
    pub eb05_without_anonymous: f64,
    /// Share of E that comes from widened strata.
    pub widened: f64,
    /// Whether some of the exposure was carried over from another month.
    pub carried: bool,
}

/// The numbers of one subject in one window with some of its episodes left out. The prior and E stay as with all of
/// them.
#[derive(Debug, Clone, PartialEq)]
pub struct Rest {
    /// The episodes that are left.
    pub observed: u32,
    pub expected: f64,
    /// The ratio of both, with exact 95 % limits.
    pub ratio: f64,
    pub lower: f64,
    pub upper: f64,
    /// Mid-p upper tail of the Poisson distribution.
    pub p: f64,
    /// EBGM and its limits, as in [`Adjusted`].
    pub ebgm: f64,
    pub eb05: f64,
    pub eb95: f64,
}

/// Variation of the rates of all subjects of a kind in one window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dispersion {
    pub days: i32,
    /// Whether only CONFIRMED attributions count.
    pub confirmed: bool,
    /// Subjects with exposure and a rate to compare with.
    pub subjects: usize,
    pub observed: u32,
    pub expected: f64,
    pub prior: Prior,
    /// False if the fit did not converge: EBGM and its limits then use the best point found.
    pub converged: bool,
}

/// The comparison of all subjects of a kind in one window.
pub struct Comparison {
    pub scatter: Dispersion,
    /// Each subject with an expectation, by place.
    values: HashMap<u32, Values>,
    /// p and q, by [`Values::at`].
    p: Vec<f64>,
    q: Vec<f64>,
}

#[derive(Debug, Clone, Copy)]
struct Values {
    at: usize,
    observed: u32,
    exposure: f64,
    expected: f64,
    widened: f64,
    carried: bool,
}

impl Comparison {
    /// Tests all subjects with an expectation and fits the prior to them. None if no subject has one.
    pub fn new(expected: &Expected, days: i32, confirmed: bool) -> Option<Self> {
        let mut values = HashMap::new();
        let (mut counts, mut expectations) = (Vec::new(), Vec::new());
        for (nth, index) in expected.subjects.iter().enumerate() {
            let Some(e) = expected.expected[nth] else { continue };
            let value = Values {
                at: counts.len(),
                observed: expected.observed[nth],
                exposure: expected.exposure[nth],
                expected: e,
                widened: expected.widened[nth],
                carried: expected.carried[nth],
            };
            values.insert(*index, value);
            counts.push(value.observed);
            expectations.push(e);
        }
        if counts.is_empty() {
            return None;
        }
        let p: Vec<f64> = counts.iter().zip(&expectations).map(|(o, e)| mid_p_upper_tail(*o, *e)).collect();
        let q = benjamini_hochberg(&p);
        let fitted = if counts.len() >= MIXTURE_FROM { fit(&counts, &expectations) } else { None };
        let (prior, converged) = match fitted {
            Some(fitted) => (fitted.prior, fitted.converged),
            None => (Prior::by_moments(&counts, &expectations), counts.len() < MIXTURE_FROM),
        };
        let scatter = Dispersion {
            days,
            confirmed,
            subjects: counts.len(),
            observed: counts.iter().sum(),
            expected: expectations.iter().sum(),
            prior,
            converged,
        };
        Some(Self { scatter, values, p, q })
    }

    /// The p-value threshold that corresponds to q ≤ `limit`; None if no subject reaches it.
    pub fn cut_off(&self, limit: f64) -> Option<f64> {
        cut_off(&self.q, limit)
    }

    /// The numbers of one subject. `largest` of its episodes come from one enterprise, `anonymous` are
    /// anonymous; leaving them out does not change the prior, E and the cut-off of q.
    pub fn numbers_of(&self, index: u32, largest: u32, anonymous: u32) -> Option<Adjusted> {
        let Values { at, observed, exposure, expected, widened, carried } = *self.values.get(&index)?;
        let limits = exact_limits(observed, 0.95).ratio(expected);
        let posterior = self.scatter.prior.posterior(observed, expected);
        let without = |left_out: u32| {
            if left_out == 0 {
                return (self.p[at], posterior.quantile(0.05));
            }
            let (p, posterior) = test(&self.scatter.prior, observed.saturating_sub(left_out), expected);
            (p, posterior.quantile(0.05))
        };
        let (p_without_largest, eb05_without_largest) = without(largest);
        let (p_without_anonymous, eb05_without_anonymous) = without(anonymous);
        Some(Adjusted {
            observed,
            exposure,
            expected,
            ratio: f64::from(observed) / expected,
            lower: limits.lower,
            upper: limits.upper,
            p: self.p[at],
            q: self.q[at],
            ebgm: posterior.ebgm,
            eb05: posterior.quantile(0.05),
            eb95: posterior.quantile(0.95),
            largest,
            anonymous,
            p_without_largest,
            eb05_without_largest,
            p_without_anonymous,
            eb05_without_anonymous,
            widened,
            carried,
        })
    }

    /// O and E of one subject. None if it has no expectation.
    pub fn observed_and_expected(&self, index: u32) -> Option<(u32, f64)> {
        self.values.get(&index).map(|value| (value.observed, value.expected))
    }

    /// (place, O, E) of every subject with an expectation, sorted by place.
    pub fn pairs(&self) -> Vec<(u32, u32, f64)> {
        let mut pairs: Vec<_> =
            self.values.iter().map(|(index, value)| (*index, value.observed, value.expected)).collect();
        pairs.sort_unstable_by_key(|(index, _, _)| *index);
        pairs
    }
}

/// Computes p and the posterior of a count, with the prior of the other subjects as it is.
fn test(prior: &Prior, observed: u32, expected: f64) -> (f64, Posterior) {
    (mid_p_upper_tail(observed, expected), prior.posterior(observed, expected))
}

impl Adjusted {
    /// The same with all numbers rounded as they are stored.
    #[must_use]
    pub fn rounded(&self) -> Self {
        let mut rounded = self.clone();
        for value in [
            &mut rounded.exposure,
            &mut rounded.expected,
            &mut rounded.ratio,
            &mut rounded.lower,
            &mut rounded.upper,
            &mut rounded.p,
            &mut rounded.q,
            &mut rounded.ebgm,
            &mut rounded.eb05,
            &mut rounded.eb95,
            &mut rounded.p_without_largest,
            &mut rounded.eb05_without_largest,
            &mut rounded.p_without_anonymous,
            &mut rounded.eb05_without_anonymous,
            &mut rounded.widened,
        ] {
            *value = round_6_digits(*value);
        }
        rounded
    }
}

impl Rest {
    /// The numbers of the episodes that are left.
    pub(super) fn new(prior: &Prior, observed: u32, expected: f64) -> Self {
        let limits = exact_limits(observed, 0.95).ratio(expected);
        let (p, posterior) = test(prior, observed, expected);
        Self {
            observed,
            expected,
            ratio: f64::from(observed) / expected,
            lower: limits.lower,
            upper: limits.upper,
            p,
            ebgm: posterior.ebgm,
            eb05: posterior.quantile(0.05),
            eb95: posterior.quantile(0.95),
        }
    }

    /// The same with all numbers rounded as those of [`Adjusted`] are stored.
    #[must_use]
    pub fn rounded(&self) -> Self {
        Self {
            observed: self.observed,
            expected: round_6_digits(self.expected),
            ratio: round_6_digits(self.ratio),
            lower: round_6_digits(self.lower),
            upper: round_6_digits(self.upper),
            p: round_6_digits(self.p),
            ebgm: round_6_digits(self.ebgm),
            eb05: round_6_digits(self.eb05),
            eb95: round_6_digits(self.eb95),
        }
    }
}
