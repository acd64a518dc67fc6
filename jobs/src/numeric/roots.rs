//! Roots of functions of one variable.

use argmin::core::{CostFunction, Error, Executor};
use argmin::solver::brent::BrentRoot;

struct Root<F>(F);

impl<F: Fn(f64) -> f64> CostFunction for Root<F> {
    type Param = f64;
    type Output = f64;

    fn cost(&self, x: &f64) -> Result<f64, Error> {
        Ok((self.0)(*x))
    }
}

/// The root of an increasing function, to 1e-12. If the function does not change sign between `low` and
/// `high`, the end nearer to the root.
pub fn increasing(low: f64, high: f64, f: impl Fn(f64) -> f64) -> f64 {
    if f(low) >= 0.0 {
        return low;
    }
    if f(high) <= 0.0 {
        return high;
    }
    let solved = Executor::new(Root(f), BrentRoot::new(low, high, 1e-12)).configure(|s| s.max_iters(200)).run();
    solved.ok().and_then(|solved| solved.state.best_param).unwrap_or(f64::NAN)
}
