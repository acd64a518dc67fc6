//! Maximum likelihood fit of the gamma mixture.

use super::{Gamma, Prior};
use argmin::core::{CostFunction, Error, Executor, Gradient, State};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use polars_core::runtime::RAYON;
use statrs::function::gamma::{digamma, ln_gamma};
use std::cell::Cell;

/// A fitted mixture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    pub prior: Prior,
    /// Including all constants.
    pub negative_log_likelihood: f64,
    /// Whether the gradient at the end is below `GRADIENT_TOLERANCE`. If not, `prior` is the best point found.
    pub converged: bool,
}

/// Parameters on an unbounded scale: ln α1, ln β1, ln α2, ln β2, logit of the share.
type Point = [f64; 5];

/// Bound of the parameters. Beyond e^±10 a parameter changes nothing that matters: a gamma distribution of
/// shape 22,000 varies by 0.7 %, and its distribution function is slow to compute.
const PARAMETER_BOUND: f64 = 10.0;
/// A fit has converged if each component of the gradient of the mean log-likelihood is below this.
const GRADIENT_TOLERANCE: f64 = 1e-5;
/// Maximum values and gradients that one run of the optimiser may ask for.
const EVALUATIONS: u32 = 400;

/// The counts and expectations of all subjects. Terms that depend on the count alone are computed once per
/// distinct count.
struct Data<'d> {
    counts: Vec<u32>,
    /// Index of each subject's count in `counts`.
    place: Vec<u32>,
    expected: &'d [f64],
    /// Σ (n ln E − ln n!).
    constant: f64,
}

impl<'d> Data<'d> {
    fn new(observed: &[u32], expected: &'d [f64]) -> Self {
        let mut counts = observed.to_vec();
        counts.sort_unstable();
        counts.dedup();
        let place = observed.iter().map(|n| counts.partition_point(|other| other < n) as u32).collect();
        let constant = observed
            .iter()
            .zip(expected)
            .filter(|(n, _)| **n > 0)
            .map(|(n, e)| f64::from(*n) * e.ln() - ln_gamma(f64::from(*n) + 1.0))
            .sum();
        Self { counts, place, expected, constant }
    }

    /// The mean negative log-likelihood and its gradient.
    fn evaluate(&self, point: &Point) -> (f64, Point) {
        let (gammas, share) = unpack(point);
        // ln Γ(α + n) − ln Γ(α) and α (ψ(α + n) − ψ(α)) for each distinct count.
        let tables = gammas.map(|gamma| {
            let (ln_of, psi_of) = (ln_gamma(gamma.shape), digamma(gamma.shape));
            let row = |n: &u32| {
                let at = gamma.shape + f64::from(*n);
                if *n == 0 { (0.0, 0.0) } else { (ln_gamma(at) - ln_of, gamma.shape * (digamma(at) - psi_of)) }
            };
            self.counts.iter().map(row).collect::<Vec<(f64, f64)>>()
        });
        let log_share = [share.ln(), (1.0 - share).ln()];
        let log_rate = gammas.map(|gamma| gamma.rate.ln());
        let mut sum = self.constant;
        let mut slope = [0.0; 5];
        for (place, expected) in self.place.iter().zip(self.expected) {
            let n = f64::from(self.counts[*place as usize]);
            let mut terms = [0.0; 2];
            let mut logs = [0.0; 2];
            for one in 0..2 {
                let gamma = gammas[one];
                logs[one] = (gamma.rate + expected).ln();
                terms[one] =
                    log_share[one] + tables[one][*place as usize].0 + gamma.shape * (log_rate[one] - logs[one])
                        - n * logs[one];
            }
            let most = terms[0].max(terms[1]);
            let weights = terms.map(|term| (term - most).exp());
            let total = weights[0] + weights[1];
            sum += most + total.ln();
            for one in 0..2 {
                let weight = weights[one] / total;
                let gamma = gammas[one];
                let by_shape = tables[one][*place as usize].1 + gamma.shape * (log_rate[one] - logs[one]);
                let by_rate = gamma.shape - (gamma.shape + n) * gamma.rate / (gamma.rate + expected);
                slope[2 * one] += weight * by_shape;
                slope[2 * one + 1] += weight * by_rate;
            }
            slope[4] += weights[0] / total - share;
        }
        let scale = -1.0 / self.expected.len() as f64;
        (sum * scale, slope.map(|value| value * scale))
    }
}

fn unpack(point: &Point) -> ([Gamma; 2], f64) {
    let gamma = |at: usize| Gamma { shape: point[at].exp(), rate: point[at + 1].exp() };
    ([gamma(0), gamma(2)], 1.0 / (1.0 + (-point[4]).exp()))
}

/// The objective for the optimiser. It fails outside the bounds and for values that are not finite, since a
/// line search over them would not terminate.
struct Objective<'d> {
    data: &'d Data<'d>,
    left: Cell<u32>,
    /// The last point with its value and gradient: the optimiser asks for them one by one, and for the gradient of a
    /// point that it keeps once more.
    latest: Cell<Option<(Point, f64, Point)>>,
}

impl<'d> Objective<'d> {
    fn new(data: &'d Data<'d>) -> Self {
        Self { data, left: Cell::new(EVALUATIONS), latest: Cell::new(None) }
    }

    fn at(&self, point: &[f64]) -> Result<(f64, Point), Error> {
        let point: Point = point.try_into().map_err(|_| Error::msg("five parameters"))?;
        if self.left.get() == 0 || point.iter().any(|value| value.abs() > PARAMETER_BOUND) {
            return Err(Error::msg("out of bounds"));
        }
        self.left.set(self.left.get() - 1);
        if let Some((latest, value, slope)) = self.latest.get()
            && latest == point
        {
            return Ok((value, slope));
        }
        let (value, slope) = self.data.evaluate(&point);
        if !value.is_finite() || slope.iter().any(|value| !value.is_finite()) {
            return Err(Error::msg("not finite"));
        }
        self.latest.set(Some((point, value, slope)));
        Ok((value, slope))
    }
}

impl CostFunction for Objective<'_> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, point: &Vec<f64>) -> Result<f64, Error> {
        Ok(self.at(point)?.0)
    }
}

impl Gradient for Objective<'_> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, point: &Vec<f64>) -> Result<Vec<f64>, Error> {
        Ok(self.at(point)?.1.to_vec())
    }
}

/// Fits the mixture to all subjects, including those without a complaint, from several starting points and
/// keeps the best result. None if all counts are 0.
///
/// `expected` must be positive. One evaluation is linear in the number of subjects and takes the logarithms
/// of two sums for each.
pub fn fit(observed: &[u32], expected: &[f64]) -> Option<Fit> {
    let total: f64 = expected.iter().sum();
    let mean = observed.iter().map(|n| f64::from(*n)).sum::<f64>() / total;
    if !mean.is_finite() || mean <= 0.0 {
        return None;
    }
    let data = Data::new(observed, expected);
    // (mean of the first component as a multiple of the overall mean, its shape, both of the second, share).
    let starts = [
        (5.0, 1.0, 0.85, 3.0, 0.05),
        (2.0, 0.2, 0.5, 2.0, 1.0 / 3.0),
        (20.0, 2.0, 0.9, 2.0, 0.005),
        (1.5, 4.0, 0.6, 4.0, 0.45),
    ];
    let starts = starts.map(|(mean_1, shape_1, mean_2, shape_2, share): (f64, f64, f64, f64, f64)| {
        [
            shape_1.ln(),
            (shape_1 / (mean_1 * mean)).ln(),
            shape_2.ln(),
            (shape_2 / (mean_2 * mean)).ln(),
            (share / (1.0 - share)).ln(),
        ]
    });
    let best = descend_from_each(&data, &starts).into_iter().flatten().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let (point, value) = best;
    let (gammas, share) = unpack(&point);
    let slope = data.evaluate(&point).1;
    Some(Fit {
        prior: ordered(gammas, share),
        negative_log_likelihood: value * expected.len() as f64,
        converged: slope.iter().all(|value| value.abs() < GRADIENT_TOLERANCE),
    })
}

/// The descents from all starting points, in their order, on the threads of polars: none depends on another.
fn descend_from_each(data: &Data<'_>, starts: &[Point]) -> Vec<Option<(Point, f64)>> {
    if starts.len() <= 1 {
        return starts.iter().map(|start| descend(data, *start)).collect();
    }
    let (first, second) = starts.split_at(starts.len() / 2);
    let (mut found, rest) = RAYON.join(|| descend_from_each(data, first), || descend_from_each(data, second));
    found.extend(rest);
    found
}

/// Puts the component with the higher mean first, so that the result does not depend on the starting point.
fn ordered([one, two]: [Gamma; 2], share: f64) -> Prior {
    if one.shape / one.rate >= two.shape / two.rate {
        Prior::Mixture { first: one, second: two, share }
    } else {
        Prior::Mixture { first: two, second: one, share: 1.0 - share }
    }
}

fn descend(data: &Data<'_>, start: Point) -> Option<(Point, f64)> {
    let mut point = start;
    let mut value = data.evaluate(&point).0;
    // A line search that gives up near the optimum is restarted from the point it reached.
    for _ in 0..3 {
        let search = MoreThuenteLineSearch::new().with_c(1e-4, 0.9).ok()?;
        let solver = LBFGS::new(search, 7)
            .with_tolerance_grad(GRADIENT_TOLERANCE / 10.0)
            .ok()?
            .with_tolerance_cost(1e-13)
            .ok()?;
        let ran = Executor::new(Objective::new(data), solver)
            .configure(|state| state.param(point.to_vec()).max_iters(120))
            .run();
        let Ok(ran) = ran else { break };
        let found = ran.state().get_best_param().and_then(|best| Point::try_from(best.as_slice()).ok());
        let Some(found) = found else { break };
        let reached = data.evaluate(&found).0;
        let gained = value - reached;
        if gained > 0.0 {
            (point, value) = (found, reached);
        }
        if gained < 1e-10 {
            break;
        }
    }
    value.is_finite().then_some((point, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_has_its_own_value_and_gradient_however_often_it_is_asked_for() {
        let (observed, expected) = ([0, 3, 1, 7], [1.0, 2.0, 0.5, 1.5]);
        let data = Data::new(&observed, &expected);
        let objective = Objective::new(&data);
        let (one, other) = (vec![0.1, -0.2, 0.3, 0.4, -0.5], vec![0.1, -0.2, 0.3, 0.4, 0.5]);
        for point in [&one, &one, &other, &one, &other, &other] {
            let (value, slope) = data.evaluate(&point.as_slice().try_into().expect("five parameters"));
            assert_eq!(objective.cost(point).expect("a value"), value);
            assert_eq!(objective.gradient(point).expect("a gradient"), slope);
        }
        assert_eq!(objective.left.get(), EVALUATIONS - 12);
    }
}
