//! Time until something happens, where some are still waiting.

/// The Kaplan–Meier estimate (Kaplan and Meier 1958, JASA 53:457).
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// (time, share still waiting after it), at each time at which something happened.
    pub steps: Vec<(f64, f64)>,
}

/// Below this a share counts as a half: the product of fractions that make exactly one half is not
/// always 0.5 in floating point.
const HALF: f64 = 0.5 + 1e-12;

impl Waiting {
    /// `times`, and whether each ended in what is waited for, or is censored: known to have lasted so
    /// long at least.
    pub fn new(mut times: Vec<(f64, bool)>) -> Self {
        times.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut at_risk = times.len();
        let mut share = 1.0;
        let mut steps = Vec::new();
        for same in times.chunk_by(|a, b| a.0 == b.0) {
            let ended = same.iter().filter(|(_, ended)| *ended).count();
            if ended > 0 {
                share *= (at_risk - ended) as f64 / at_risk as f64;
                steps.push((same[0].0, share));
            }
            at_risk -= same.len();
        }
        Self { steps }
    }

    /// The share still waiting after a time.
    pub fn after(&self, time: f64) -> f64 {
        let before = self.steps.partition_point(|(at, _)| *at <= time);
        before.checked_sub(1).map_or(1.0, |last| self.steps[last].1)
    }

    /// The first time after which at most half are still waiting; None where it never comes to that.
    pub fn median(&self) -> Option<f64> {
        self.steps.iter().find(|(_, share)| *share <= HALF).map(|(time, _)| *time)
    }
}
