//! Comparison of two Poisson rates.

use super::roots;
use statrs::distribution::{Beta, ContinuousCDF};

/// A ratio of rates with confidence limits. The ratio and the upper limit are None if there were no events
/// before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateRatio {
    pub ratio: Option<f64>,
    pub lower: f64,
    pub upper: Option<f64>,
}

/// The ratio of two Poisson rates, `now` events in `now_time` to `then` events in `then_time`, with exact
/// limits (Przyborowski and Wilenski 1940, Biometrika 31:313): given the sum, `now` is binomial, and the
/// limits of its share are those of Clopper and Pearson. None without events, or if a time is not positive.
pub fn rate_ratio(now: u32, now_time: f64, then: u32, then_time: f64, confidence: f64) -> Option<RateRatio> {
    if now + then == 0 || now_time <= 0.0 || then_time <= 0.0 {
        return None;
    }
    let tail = (1.0 - confidence) / 2.0;
    let (now, then) = (f64::from(now), f64::from(then));
    let share = |a: f64, b: f64, p: f64| {
        // The beta distribution function is increasing.
        Beta::new(a, b).map_or(f64::NAN, |beta| roots::increasing(0.0, 1.0, |x| beta.cdf(x) - p))
    };
    let odds = |share: f64| share / (1.0 - share) * then_time / now_time;
    Some(RateRatio {
        ratio: (then > 0.0).then(|| (now / now_time) / (then / then_time)),
        lower: if now > 0.0 { odds(share(now, then + 1.0, tail)) } else { 0.0 },
        upper: (then > 0.0).then(|| odds(share(now + 1.0, then, 1.0 - tail))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_those_of_other_software() {
        // The example of R's poisson.test (11 in 800 against 21 in 3011), and scipy 1.13:
        // binomtest(…).proportion_ci("exact").
        let near =
            |found: f64, expected: f64| assert!((found / expected - 1.0).abs() < 1e-7, "{found} is not {expected}");
        let example = rate_ratio(11, 800.0, 21, 3011.0, 0.95).expect("a ratio");
        near(example.ratio.expect("a ratio"), 1.971_488_095);
        near(example.lower, 0.858_426_403);
        near(example.upper.expect("a limit"), 4.277_265_944);
        let stopped = rate_ratio(0, 90.0, 12, 90.0, 0.95).expect("a ratio");
        assert_eq!((stopped.ratio, stopped.lower), (Some(0.0), 0.0));
        near(stopped.upper.expect("a limit"), 0.359_893_817);
        let new = rate_ratio(5, 30.0, 0, 90.0, 0.95).expect("a ratio");
        assert_eq!((new.ratio, new.upper), (None, None));
        near(new.lower, 2.749_067_572);
        let halved = rate_ratio(40, 90.0, 80, 90.0, 0.95).expect("a ratio");
        near(halved.lower, 0.333_217_947);
        near(halved.upper.expect("a limit"), 0.739_669_847);
        assert_eq!(rate_ratio(0, 90.0, 0, 90.0, 0.95), None);
        assert_eq!(rate_ratio(1, 0.0, 1, 90.0, 0.95), None);
    }
}
