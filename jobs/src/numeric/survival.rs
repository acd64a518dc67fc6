//! Survival analysis: time until an event, with censoring.

/// The Kaplan–Meier estimate (Kaplan and Meier 1958, JASA 53:457).
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// (time, share still waiting after it) at each time with an event.
    pub steps: Vec<(f64, f64)>,
}

/// A share up to this counts as at most one half: in floating point, a product of fractions that equals one
/// half is not always 0.5.
const HALF: f64 = 0.5 + 1e-12;

impl Waiting {
    /// `times` are (time, whether it ended with the event); without the event the time is censored, a lower
    /// bound.
    pub fn new(mut times: Vec<(f64, bool)>) -> Self {
        times.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self::of_sorted(&times, |(time, ended)| (*time, *ended, 1))
    }

    /// The same of times that several have: (time, whether it ended with the event, how many).
    pub fn of_counts(mut times: Vec<(f64, bool, u64)>) -> Self {
        times.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self::of_sorted(&times, |one| *one)
    }

    fn of_sorted<T>(times: &[T], parts: impl Fn(&T) -> (f64, bool, u64)) -> Self {
        let number = |same: &[T]| same.iter().map(|one| parts(one).2).sum::<u64>();
        let mut at_risk = number(times);
        let mut share = 1.0;
        let mut steps = Vec::new();
        for same in times.chunk_by(|a, b| parts(a).0 == parts(b).0) {
            let ended: u64 = same.iter().map(&parts).filter(|(_, ended, _)| *ended).map(|(_, _, many)| many).sum();
            if ended > 0 {
                share *= (at_risk - ended) as f64 / at_risk as f64;
                steps.push((parts(&same[0]).0, share));
            }
            at_risk -= number(same);
        }
        Self { steps }
    }

    /// The share still waiting after a time.
    pub fn after(&self, time: f64) -> f64 {
        let before = self.steps.partition_point(|(at, _)| *at <= time);
        before.checked_sub(1).map_or(1.0, |last| self.steps[last].1)
    }

    /// The first time after which at most half are still waiting; None if there is none.
    pub fn median(&self) -> Option<f64> {
        self.steps.iter().find(|(_, share)| *share <= HALF).map(|(time, _)| *time)
    }
}
