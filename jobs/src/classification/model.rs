//! Multinomial logistic regression over sparse features: L-BFGS minimises the mean cross-entropy with an L2 penalty
//! (Nocedal and Wright 2006, Numerical Optimization, algorithm 7.4; the optimiser is that of `argmin`).
//!
//! Crates with logistic regression (`linfa-logistic`, `smartcore`) take dense matrices: 20,000 texts in 32,768 buckets
//! are 5 GB, of which 1 % is not zero. `liblinear` is sparse, but a binding to C++. The loss is convex, so which
//! optimiser finds its minimum makes no difference but time.

use super::features::{Features, Vector};
use argmin::core::{CostFunction, Error, Executor, Gradient};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use std::cell::RefCell;

/// Vectors that L-BFGS remembers.
const MEMORY: usize = 5;
/// The optimiser ends after this many iterations, or when the norm of the gradient is below the tolerance. What is left
/// changes no suggestion.
const ITERATIONS: u64 = 40;
const GRADIENT_TOLERANCE: f64 = 1e-4;
/// Most evaluations of the loss.
const EVALUATIONS: u32 = 80;
/// The penalty is that of a prior with this variance of each weight.
const PRIOR_VARIANCE: f64 = 10.0;

/// A linear model: `weights` holds those of the first feature for each label, then those of the second, and so on.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The codes of the categories that it knows.
    pub labels: Vec<String>,
    pub features: Features,
    pub weights: Vec<f32>,
    pub biases: Vec<f32>,
    /// Scores are divided by it before they become probabilities ([`super::calibration`]).
    pub temperature: f64,
}

impl Model {
    /// The score of each label.
    pub fn scores(&self, text: &str) -> Vec<f64> {
        let labels = self.labels.len();
        let mut scores: Vec<f64> = self.biases.iter().map(|bias| f64::from(*bias)).collect();
        for (index, value) in self.features.of(text) {
            let from = index as usize * labels;
            for (score, weight) in scores.iter_mut().zip(&self.weights[from..from + labels]) {
                *score += value * f64::from(*weight);
            }
        }
        scores
    }

    /// The labels with their probabilities, the most probable first.
    pub fn ranked(&self, text: &str) -> Vec<(usize, f64)> {
        ranked(&self.scores(text), self.temperature)
    }
}

/// Labels by probability, where `scores` are divided by `temperature`. Equal ones stay in the order of labels.
pub fn ranked(scores: &[f64], temperature: f64) -> Vec<(usize, f64)> {
    let mut probabilities: Vec<f64> = scores.iter().map(|score| score / temperature).collect();
    softmax(&mut probabilities);
    let mut ranked: Vec<(usize, f64)> = probabilities.into_iter().enumerate().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranked
}

/// Turns scores into probabilities; returns the logarithm of the sum of their exponentials.
pub fn softmax(scores: &mut [f64]) -> f64 {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - most).exp();
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
    most + sum.ln()
}

/// Fits a model to texts with the indices of their labels. `labels` has at least two. The temperature is 1.
///
/// The result depends on the order of the texts by no more than rounding; in one order it is always the same.
pub fn fit(labels: Vec<String>, texts: &[(&str, usize)]) -> Model {
    let features = Features::of_sample(texts.iter().map(|(text, _)| *text));
    let rows = texts.iter().map(|(text, label)| (features.of(text), *label)).collect();
    let sample = Sample { rows, labels: labels.len(), features: features.buckets.len() };
    let point = minimum(&sample);
    let (weights, biases) = point.split_at(sample.features * sample.labels);
    let narrow = |values: &[f64]| values.iter().map(|value| *value as f32).collect::<Vec<f32>>();
    Model { labels, features, weights: narrow(weights), biases: narrow(biases), temperature: 1.0 }
}

/// The sample to fit.
struct Sample {
    rows: Vec<(Vector, usize)>,
    labels: usize,
    features: usize,
}

impl Sample {
    /// The loss at a point, and its gradient. A point holds the weights, then the biases, which have no penalty.
    fn evaluate(&self, point: &[f64]) -> (f64, Vec<f64>) {
        let number = self.rows.len() as f64;
        let penalty = 1.0 / (number * PRIOR_VARIANCE);
        let weights = self.features * self.labels;
        let mut gradient: Vec<f64> = point[..weights].iter().map(|weight| penalty * weight).collect();
        gradient.resize(point.len(), 0.0);
        let mut loss = 0.5 * penalty * point[..weights].iter().map(|weight| weight * weight).sum::<f64>();
        let mut scores = vec![0.0; self.labels];
        for (vector, label) in &self.rows {
            scores.copy_from_slice(&point[weights..]);
            for (index, value) in vector {
                let from = *index as usize * self.labels;
                for (score, weight) in scores.iter_mut().zip(&point[from..from + self.labels]) {
                    *score += value * weight;
                }
            }
            let of_label = scores[*label];
            loss += (softmax(&mut scores) - of_label) / number;
            scores[*label] -= 1.0;
            scores.iter_mut().for_each(|slope| *slope /= number);
            for (index, value) in vector {
                let from = *index as usize * self.labels;
                for (slope, part) in gradient[from..from + self.labels].iter_mut().zip(&scores) {
                    *slope += value * part;
                }
            }
            for (slope, part) in gradient[weights..].iter_mut().zip(&scores) {
                *slope += part;
            }
        }
        (loss, gradient)
    }
}

/// Cache of what the optimiser has evaluated. It asks for the loss and the gradient of a point one after the other, and
/// what it reached is lost when a line search fails near the minimum.
#[derive(Default)]
struct Evaluated {
    number: u32,
    point: Vec<f64>,
    loss: f64,
    gradient: Vec<f64>,
    best: Option<(f64, Vec<f64>)>,
}

struct Objective<'s> {
    sample: &'s Sample,
    evaluated: &'s RefCell<Evaluated>,
}

impl Objective<'_> {
    /// Calls `read` with the evaluation of a point.
    fn at<T>(&self, point: &[f64], read: impl FnOnce(&Evaluated) -> T) -> Result<T, Error> {
        let mut evaluated = self.evaluated.borrow_mut();
        if evaluated.point != point {
            if evaluated.number >= EVALUATIONS {
                return Err(Error::msg("enough evaluations"));
            }
            let (loss, gradient) = self.sample.evaluate(point);
            // A line search over values that are not finite would not end.
            if !loss.is_finite() {
                return Err(Error::msg("not finite"));
            }
            evaluated.number += 1;
            evaluated.point = point.to_vec();
            if evaluated.best.as_ref().is_none_or(|(least, _)| loss < *least) {
                evaluated.best = Some((loss, point.to_vec()));
            }
            evaluated.loss = loss;
            evaluated.gradient = gradient;
        }
        Ok(read(&evaluated))
    }
}

impl CostFunction for Objective<'_> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, point: &Vec<f64>) -> Result<f64, Error> {
        self.at(point, |evaluated| evaluated.loss)
    }
}

impl Gradient for Objective<'_> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, point: &Vec<f64>) -> Result<Vec<f64>, Error> {
        self.at(point, |evaluated| evaluated.gradient.clone())
    }
}

/// The point with the least loss that the optimiser finds from 0.
fn minimum(sample: &Sample) -> Vec<f64> {
    let start = vec![0.0; (sample.features + 1) * sample.labels];
    let evaluated = RefCell::new(Evaluated::default());
    let solver = MoreThuenteLineSearch::new()
        .with_c(1e-4, 0.9)
        .and_then(|search| LBFGS::new(search, MEMORY).with_tolerance_grad(GRADIENT_TOLERANCE));
    if let Ok(solver) = solver {
        let objective = Objective { sample, evaluated: &evaluated };
        let run = Executor::new(objective, solver).configure(|state| state.param(start.clone()).max_iters(ITERATIONS));
        // A line search that fails has come as near to the minimum as rounding lets it: the best point is kept.
        let _reached = run.run();
    }
    evaluated.into_inner().best.map_or(start, |(_, point)| point)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Vec<String> {
        ["A", "B", "C"].map(str::to_owned).to_vec()
    }

    const TEXTS: [(&str, usize); 9] = [
        ("cán bộ quát mắng doanh nghiệp", 0),
        ("cán bộ hách dịch quát nhân viên", 0),
        ("thái độ hách dịch mắng người", 0),
        ("hệ thống treo không truyền được tờ khai", 1),
        ("hệ thống chậm treo cả buổi sáng", 1),
        ("không truyền được tờ khai hệ thống lỗi", 1),
        ("đòi bồi dưỡng mới ký biên bản", 2),
        ("đòi quà bồi dưỡng rồi mới ký", 2),
        ("gợi ý bồi dưỡng đòi thêm tiền", 2),
    ];

    #[test]
    fn the_gradient_is_the_slope_of_the_loss() {
        let features = Features::of_sample(TEXTS.iter().map(|(text, _)| *text));
        let rows = TEXTS.iter().map(|(text, label)| (features.of(text), *label)).collect();
        let sample = Sample { rows, labels: 3, features: features.buckets.len() };
        let point: Vec<f64> = (0..(sample.features + 1) * 3).map(|at| f64::from(at as u32 % 7) / 7.0 - 0.4).collect();
        let (loss, gradient) = sample.evaluate(&point);
        for at in [0, 1, 5, point.len() - 4, point.len() - 1] {
            let mut beside = point.clone();
            beside[at] += 1e-6;
            let slope = (sample.evaluate(&beside).0 - loss) / 1e-6;
            assert!((slope - gradient[at]).abs() < 1e-5, "{at}: {slope} and {}", gradient[at]);
        }
    }

    #[test]
    fn a_fitted_model_ranks_what_is_alike_first_and_is_the_same_each_time() {
        let model = fit(labels(), &TEXTS);
        for (text, label) in [("can bo hach dich", 0), ("hệ thống lỗi, treo", 1), ("đòi bồi dưỡng", 2)] {
            let ranked = model.ranked(text);
            assert_eq!(ranked[0].0, label, "{text}: {ranked:?}");
            let sum: f64 = ranked.iter().map(|(_, probability)| probability).sum();
            assert!((sum - 1.0).abs() < 1e-9 && ranked[0].1 >= ranked[1].1, "{ranked:?}");
        }
        assert_eq!(fit(labels(), &TEXTS), model);
        // Without a feature little but the frequencies of the labels speaks: the biases also carry what all texts share.
        assert!((model.ranked("")[0].1 - 1.0 / 3.0).abs() < 0.1, "{:?}", model.ranked(""));
    }
}
