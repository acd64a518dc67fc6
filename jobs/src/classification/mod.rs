//! Classification of complaints by their texts: the classifier suggests categories, and a person confirms one.
//!
//! [`training`] fits a linear [`model`] to hashed [`features`] of complaints that a person classified, calibrates it
//! ([`calibration`]) and measures it on others ([`evaluation`]). Before there is a model, keyword [`rules`] suggest.
//! [`register`] reads and stores. [`emerging`] finds terms that rise. docs/classification.md has methods and results.

mod bytes;
pub mod calibration;
pub mod emerging;
pub mod evaluation;
mod features;
mod model;
pub mod register;
mod rules;
mod text;
pub mod training;

pub use model::Model;
pub use rules::Rules;

/// Categories that a classifier suggests for a text, at most.
pub const SUGGESTIONS: usize = 3;

/// A classifier.
#[derive(Debug, Clone)]
pub enum Classifier {
    /// A version of the trained model.
    Model { version: i32, model: Box<Model> },
    /// The rules, while there is no model.
    Rules(Rules),
}

impl Classifier {
    /// Its name, which is stored with each suggestion.
    pub fn name(&self) -> String {
        match self {
            Self::Model { version, .. } => name_of_version(*version),
            Self::Rules(rules) => name_of_rules(rules),
        }
    }

    /// The codes of the categories that it suggests for a text with its confidence in each, the first first.
    pub fn suggest(&self, text: &str) -> Vec<(String, f64)> {
        match self {
            Self::Model { model, .. } => {
                let ranked = model.ranked(text).into_iter().take(SUGGESTIONS);
                ranked.map(|(label, confidence)| (model.labels[label].clone(), confidence)).collect()
            }
            Self::Rules(rules) => {
                let ranked = rules.ranked(text).into_iter().take(SUGGESTIONS);
                ranked.map(|(category, confidence)| (category.to_owned(), confidence)).collect()
            }
        }
    }
}

/// The name of a version of the model.
pub fn name_of_version(version: i32) -> String {
    format!("model-{version}")
}

/// The name of rules.
pub fn name_of_rules(rules: &Rules) -> String {
    format!("rules-{}", rules.version)
}

/// Certainty of suggestions: the confidence in the first less that in the second (margin sampling: Scheffer, Decomain
/// and Wrobel 2001, IDA, "Active hidden Markov models for information extraction"). 0 without a suggestion.
pub fn margin(confidences: &[f64]) -> f64 {
    let of = |at: usize| confidences.get(at).copied().unwrap_or(0.0);
    (of(0) - of(1)).clamp(0.0, 1.0)
}
