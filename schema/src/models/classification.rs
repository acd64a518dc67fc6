//! Versions of the classifier, and the categories that it suggests.

use crate::sql_types::{Id, JsonValue, Timestamp};
use crate::tables;
use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

model!(
    /// A version of the classifier.
    classifier_models ClassifierModel {
        id: Id,
        /// From 1 without gaps.
        version: i32,
        trained_at: Timestamp,
        /// The last day of receipt of the training data, in the state of the register at `position`.
        as_of: NaiveDate,
        position: i64,
        seed: i64,
        /// Complaints it was trained on, those for calibration and test included.
        examples: i32,
        /// The SHA-256 hash of the weights, in hexadecimal.
        hash: String,
        metrics: JsonValue,
        code_version: String,
        actor: String,
    }
);

model!(
    /// The weights of a version of the classifier.
    classifier_weights ClassifierWeights {
        model_id: Id,
        weights: Vec<u8>,
    }
);

model!(
    /// The last classification of a complaint.
    classifications Classification {
        complaint_id: Id,
        /// The version of the complaint that was read.
        complaint_version: i32,
        /// `model-VERSION`, or `rules-` and the beginning of the hash of the rules.
        classifier: String,
        /// The confidence of the first suggestion less that of the second; the smaller, the less certain.
        margin: f64,
        suggested_at: Timestamp,
    }
);

model!(
    /// A suggested category of a complaint. The first has rank 1.
    category_suggestions CategorySuggestion {
        complaint_id: Id,
        rank: i32,
        category_id: Id,
        confidence: f64,
    }
);
