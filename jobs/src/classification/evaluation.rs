//! Compares suggestions with what a person decided, and with two baselines: the most frequent category, and the keyword
//! rules.

use super::calibration::{Bin, curve, expected_error};
use crate::analyses::recurrence::round_6_digits;
use serde::{Deserialize, Serialize};

/// A text with its true category and what was suggested. Categories are indices into the labels of the corpus.
#[derive(Debug, Clone)]
pub struct Suggested {
    pub truth: usize,
    /// The first suggestions of the model with their calibrated confidence, at most [`super::SUGGESTIONS`].
    pub suggestions: Vec<(usize, f64)>,
    /// The confidence of the first suggestion before calibration.
    pub uncalibrated: f64,
    /// The probability that the model gives to the true category.
    pub of_truth: f64,
    /// The first suggestion of the rules, and the most frequent category of the texts that the model learnt from.
    pub rules: Option<usize>,
    pub majority: usize,
}

/// The measures of one category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CategoryMeasures {
    pub category: String,
    /// Texts of this category, and texts for which it is the first suggestion.
    pub examples: usize,
    pub suggested: usize,
    /// The share of its texts for which it is the first suggestion, by the model and by the rules.
    pub recall: f64,
    pub rules_recall: f64,
    /// The share of the texts for which it is the first suggestion that are of this category.
    pub precision: f64,
}

/// The measures of all texts. Shares are from 0 to 1, rounded to 6 digits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evaluation {
    /// Texts that the model had not learnt from.
    pub examples: usize,
    /// Different texts among all, those that the model learnt from included.
    pub distinct_texts: usize,
    /// The share of first suggestions that are right, and of texts whose category is among the suggestions.
    pub accuracy: f64,
    pub among_suggestions: f64,
    /// The mean over categories of the harmonic mean of recall and precision.
    pub macro_f1: f64,
    /// The mean of −ln p, where p is the probability of the true category, at least 1e-9.
    pub log_loss: f64,
    /// The expected calibration error of first suggestions, and the same before calibration.
    pub calibration_error: f64,
    pub uncalibrated_error: f64,
    /// The accuracy of the most frequent category, and of the rules; texts for which the rules suggest something.
    pub majority_accuracy: f64,
    pub rules_accuracy: f64,
    pub rules_answered: f64,
    /// Measures of each category, by code.
    pub categories: Vec<CategoryMeasures>,
    pub curve: Vec<Bin>,
}

impl Evaluation {
    /// Measures suggestions. `labels` are the codes of all categories.
    pub fn of(labels: &[String], suggested: &[Suggested], distinct_texts: usize) -> Self {
        let calibrated: Vec<(f64, bool)> =
            suggested.iter().filter_map(|one| first(one).map(|f| (f.1, f.0 == one.truth))).collect();
        let before: Vec<(f64, bool)> =
            suggested.iter().filter_map(|one| first(one).map(|f| (one.uncalibrated, f.0 == one.truth))).collect();
        let loss: f64 = suggested.iter().map(|one| -one.of_truth.max(1e-9).ln()).sum();
        let curve: Vec<Bin> = curve(&calibrated).into_iter().map(rounded).collect();
        let mut categories: Vec<CategoryMeasures> = labels
            .iter()
            .enumerate()
            .map(|(label, code)| of_category(label, code, suggested))
            .filter(|category| category.examples + category.suggested > 0)
            .collect();
        categories.sort_by(|a, b| a.category.cmp(&b.category));
        let with_examples: Vec<&CategoryMeasures> = categories.iter().filter(|one| one.examples > 0).collect();
        let f1: f64 = with_examples.iter().map(|one| harmonic(one.recall, one.precision)).sum();
        Self {
            examples: suggested.len(),
            distinct_texts,
            accuracy: share(suggested, &|one| first(one).is_some_and(|(label, _)| label == one.truth)),
            among_suggestions: share(suggested, &|one| one.suggestions.iter().any(|(label, _)| *label == one.truth)),
            macro_f1: round_6_digits(f1 / with_examples.len().max(1) as f64),
            log_loss: round_6_digits(loss / suggested.len().max(1) as f64),
            calibration_error: round_6_digits(expected_error(&curve)),
            uncalibrated_error: round_6_digits(expected_error(&super::calibration::curve(&before))),
            majority_accuracy: share(suggested, &|one| one.majority == one.truth),
            rules_accuracy: share(suggested, &|one| one.rules == Some(one.truth)),
            rules_answered: share(suggested, &|one| one.rules.is_some()),
            categories,
            curve,
        }
    }
}

/// The first suggestion with its confidence.
fn first(one: &Suggested) -> Option<(usize, f64)> {
    one.suggestions.first().copied()
}

fn of_category(label: usize, code: &str, suggested: &[Suggested]) -> CategoryMeasures {
    let is_first = |one: &Suggested| first(one).is_some_and(|(suggestion, _)| suggestion == label);
    let examples = count(suggested, &|one| one.truth == label);
    let named = count(suggested, &is_first);
    let right = count(suggested, &|one| one.truth == label && is_first(one));
    let by_rules = count(suggested, &|one| one.truth == label && one.rules == Some(label));
    CategoryMeasures {
        category: code.to_owned(),
        examples,
        suggested: named,
        recall: ratio(right, examples),
        rules_recall: ratio(by_rules, examples),
        precision: ratio(right, named),
    }
}

/// The share of texts of which something is true.
fn share(suggested: &[Suggested], of: &dyn Fn(&Suggested) -> bool) -> f64 {
    ratio(count(suggested, of), suggested.len())
}

fn count(suggested: &[Suggested], of: &dyn Fn(&Suggested) -> bool) -> usize {
    suggested.iter().filter(|one| of(one)).count()
}

fn ratio(part: usize, of: usize) -> f64 {
    if of == 0 { 0.0 } else { round_6_digits(part as f64 / of as f64) }
}

fn harmonic(a: f64, b: f64) -> f64 {
    if a + b > 0.0 { 2.0 * a * b / (a + b) } else { 0.0 }
}

fn rounded(bin: Bin) -> Bin {
    Bin { confidence: round_6_digits(bin.confidence), accuracy: round_6_digits(bin.accuracy), ..bin }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(truth: usize, suggestions: &[(usize, f64)], rules: Option<usize>) -> Suggested {
        let of_truth = suggestions.iter().find(|(label, _)| *label == truth).map_or(0.0, |(_, p)| *p);
        Suggested { truth, suggestions: suggestions.to_vec(), uncalibrated: 1.0, of_truth, rules, majority: 0 }
    }

    #[test]
    fn measures_are_those_counted_by_hand() {
        let labels = ["A", "B", "C"].map(str::to_owned);
        let suggested = [
            one(0, &[(0, 0.9), (1, 0.1)], Some(0)),
            one(0, &[(1, 0.6), (0, 0.4)], None),
            one(1, &[(1, 0.8), (0, 0.2)], Some(0)),
            one(2, &[(1, 0.7), (0, 0.3)], None),
        ];
        let found = Evaluation::of(&labels, &suggested, 4);
        assert_eq!((found.examples, found.accuracy, found.among_suggestions), (4, 0.5, 0.75));
        assert_eq!((found.majority_accuracy, found.rules_accuracy, found.rules_answered), (0.5, 0.25, 0.5));
        let [a, b, c] = &found.categories[..] else { panic!("{:?}", found.categories) };
        assert_eq!((a.examples, a.suggested, a.recall, a.precision, a.rules_recall), (2, 1, 0.5, 1.0, 0.5));
        assert_eq!((b.examples, b.suggested, b.recall), (1, 3, 1.0));
        assert_eq!((c.examples, c.suggested, c.recall, c.precision), (1, 0, 0.0, 0.0));
        // The harmonic means are 2/3, 1/2 and 0.
        assert!((found.macro_f1 - 7.0 / 18.0).abs() < 1e-5, "{}", found.macro_f1);
        let loss = -(0.9_f64.ln() + 0.4_f64.ln() + 0.8_f64.ln() + 1e-9_f64.ln()) / 4.0;
        assert!((found.log_loss - loss).abs() < 1e-4, "{} and {loss}", found.log_loss);
        assert!((found.uncalibrated_error - 0.5).abs() < 1e-9, "{}", found.uncalibrated_error);
    }
}
