//! Calibration of confidence: of the suggestions with confidence 0.8, four in five should be right.
//!
//! Temperature scaling (Guo, Pleiss, Sun and Weinberger 2017, ICML, "On calibration of modern neural networks") divides
//! all scores by one number, which is fitted on texts that the model has not learnt from. It changes no order of
//! suggestions, and with one parameter it needs few texts, where isotonic regression needs many for each category.

use super::model::softmax;
use crate::numeric::roots;

/// The range of 1 / temperature.
const LEAST: f64 = 0.02;
const MOST: f64 = 20.0;

/// The temperature that maximises the likelihood of labels, given their scores; 1 without any.
pub fn temperature(scored: &[(Vec<f64>, usize)]) -> f64 {
    if scored.is_empty() {
        return 1.0;
    }
    // The slope of the negative log-likelihood in 1 / temperature, which increases: the likelihood is log-concave.
    let slope = |inverse: f64| -> f64 {
        let of_one = |(scores, label): &(Vec<f64>, usize)| {
            let mut probabilities: Vec<f64> = scores.iter().map(|score| score * inverse).collect();
            softmax(&mut probabilities);
            let mean: f64 = probabilities.iter().zip(scores).map(|(p, score)| p * score).sum();
            mean - scores[*label]
        };
        scored.iter().map(of_one).sum()
    };
    1.0 / roots::increasing(LEAST, MOST, slope)
}

/// A bin of the calibration curve.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bin {
    /// The confidences of the bin: more than `from`, up to `to`.
    pub from: f64,
    pub to: f64,
    pub examples: usize,
    /// The mean confidence, and the share that is right; 0 without examples.
    pub confidence: f64,
    pub accuracy: f64,
}

/// Bins of the curve.
const BINS: usize = 10;

/// The calibration curve of first suggestions, each with its confidence and whether it is right.
pub fn curve(suggestions: &[(f64, bool)]) -> Vec<Bin> {
    let bin = |confidence: f64| ((confidence * BINS as f64).ceil() as usize).clamp(1, BINS) - 1;
    (0..BINS)
        .map(|at| {
            let inside: Vec<&(f64, bool)> =
                suggestions.iter().filter(|(confidence, _)| bin(*confidence) == at).collect();
            let number = inside.len().max(1) as f64;
            Bin {
                from: at as f64 / BINS as f64,
                to: (at + 1) as f64 / BINS as f64,
                examples: inside.len(),
                confidence: inside.iter().map(|(confidence, _)| confidence).sum::<f64>() / number,
                accuracy: inside.iter().filter(|(_, right)| *right).count() as f64 / number,
            }
        })
        .collect()
}

/// The expected calibration error: the mean distance of confidence and accuracy over the bins, weighted by their
/// examples (Naeini, Cooper and Hauskrecht 2015, AAAI, "Obtaining well calibrated probabilities using Bayesian
/// binning").
pub fn expected_error(curve: &[Bin]) -> f64 {
    let total: usize = curve.iter().map(|bin| bin.examples).sum();
    let distance = |bin: &Bin| bin.examples as f64 * (bin.confidence - bin.accuracy).abs();
    if total == 0 { 0.0 } else { curve.iter().map(distance).sum::<f64>() / total as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_temperature_makes_confidence_the_share_that_is_right() {
        // Two labels whose scores differ by 4: a confidence of 98 %, of which three in four are right. The best
        // temperature makes it 75 %: 4 / t = ln 3.
        let scored: Vec<(Vec<f64>, usize)> = (0..400).map(|n| (vec![4.0, 0.0], usize::from(n % 4 == 0))).collect();
        let found = temperature(&scored);
        assert!((found - 4.0 / 3.0_f64.ln()).abs() < 1e-6, "{found}");
        assert!((temperature(&[]) - 1.0).abs() < 1e-12);
        // Where all are right, confidence cannot be too high: the end of the range.
        assert!((temperature(&[(vec![4.0, 0.0], 0)]) - 1.0 / MOST).abs() < 1e-9);
    }

    #[test]
    fn the_curve_and_its_error_are_those_counted_by_hand() {
        let curve = curve(&[(0.95, true), (0.91, false), (0.1, false), (0.10001, true), (1.0, true)]);
        let examples: Vec<usize> = curve.iter().map(|bin| bin.examples).collect();
        assert_eq!(examples, [1, 1, 0, 0, 0, 0, 0, 0, 0, 3]);
        let last = curve[9];
        assert!((last.confidence - 2.86 / 3.0).abs() < 1e-9 && (last.accuracy - 2.0 / 3.0).abs() < 1e-9, "{last:?}");
        let by_hand = (0.1 + (1.0 - 0.10001) + (2.86 - 2.0)) / 5.0;
        assert!((expected_error(&curve) - by_hand).abs() < 1e-9, "{}", expected_error(&curve));
        assert!(expected_error(&[]).abs() < 1e-12);
    }
}
