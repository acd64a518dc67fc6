//! The numbers of a flag without the complaints of one enterprise.

use async_graphql::SimpleObject;
use jobs::analyses::recurrence::{Rest, WindowWithout, WithoutEnterprise};

/// The numbers of a flag without the complaints of one enterprise about its subject. The other subjects, the expected
/// episodes and campaigns stay as in the run that found the flag.
#[derive(SimpleObject)]
pub struct FlagWithoutEnterprise {
    /// Whether the numbers still meet the limits of the tier on `q` and `eb05`. The limit on enterprises is tested with
    /// all of them. Null where the numbers are not adjusted for workload.
    holds: Option<bool>,
    /// One entry for each window of the flag, the shortest first.
    windows: Vec<FlagWindowWithoutEnterprise>,
}

/// The counts of one window of days without an enterprise.
#[derive(SimpleObject)]
pub struct FlagWindowWithoutEnterprise {
    /// Length of the window in days.
    days: i32,
    /// Complaints of the enterprise, which are left out.
    left_out: u32,
    /// The other complaints about conduct that count.
    complaints: u32,
    /// Their episodes that began in the window.
    episodes: u32,
    /// Enterprises that made them; a campaign counts as one.
    distinct_enterprises: u32,
    /// Complaints in a serious category.
    serious: u32,
    /// Numbers adjusted for exposure; null in windows that no tier uses, and without exposure.
    adjusted: Option<AdjustedWithoutEnterprise>,
    /// The same, of complaints with a CONFIRMED attribution.
    adjusted_confirmed: Option<AdjustedWithoutEnterprise>,
}

/// Observed against expected episodes without an enterprise, adjusted for exposure and after shrinkage.
#[derive(SimpleObject)]
pub struct AdjustedWithoutEnterprise {
    /// Episodes that began in the window, without those of the enterprise alone.
    observed: u32,
    /// Episodes expected from the exposure at the rate of the other subjects (E), as with all enterprises.
    expected: f64,
    /// Observed / expected.
    ratio: f64,
    /// Lower exact 95 % limit of the ratio.
    ratio_lower: f64,
    /// Upper exact 95 % limit of the ratio.
    ratio_upper: f64,
    /// Mid-p upper tail of the Poisson distribution.
    p: f64,
    /// The rate ratio after empirical Bayes shrinkage (EBGM).
    ebgm: f64,
    /// The rate ratio is above this value with probability 95 % (EB05).
    eb05: f64,
    /// The rate ratio is below this value with probability 95 % (EB95).
    eb95: f64,
}

impl From<WithoutEnterprise> for FlagWithoutEnterprise {
    fn from(numbers: WithoutEnterprise) -> Self {
        Self { holds: numbers.holds, windows: numbers.windows.into_iter().map(Into::into).collect() }
    }
}

impl From<WindowWithout> for FlagWindowWithoutEnterprise {
    fn from(window: WindowWithout) -> Self {
        Self {
            days: window.days,
            left_out: window.left_out,
            complaints: window.complaints,
            episodes: window.episodes,
            distinct_enterprises: window.enterprises,
            serious: window.serious,
            adjusted: window.adjusted.map(Into::into),
            adjusted_confirmed: window.adjusted_confirmed.map(Into::into),
        }
    }
}

impl From<Rest> for AdjustedWithoutEnterprise {
    fn from(rest: Rest) -> Self {
        Self {
            observed: rest.observed,
            expected: rest.expected,
            ratio: rest.ratio,
            ratio_lower: rest.lower,
            ratio_upper: rest.upper,
            p: rest.p,
            ebgm: rest.ebgm,
            eb05: rest.eb05,
            eb95: rest.eb95,
        }
    }
}
