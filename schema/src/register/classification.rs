//! Stores versions of the classifier, and the categories that it suggests.
//!
//! Suggestions are derived from texts and a version of the classifier, and decide nothing: they have neither events nor
//! states. A person confirms a category by [`handle`](super::handle), which is an event.

use crate::db::dialect::KEYS_PER_QUERY;
use crate::db::{StoreError, WriteTx};
use crate::domain::ids::random_id;
use crate::models::{CategorySuggestion, Classification, ClassifierModel, ClassifierWeights};
use crate::queries::newest_classifier;
use crate::sql_types::{Id, JsonValue};
use crate::states::StateTable;
use crate::tables::{category_suggestions, classifications, classifier_models, classifier_weights};
use crate::{each, insert_all};
use chrono::NaiveDate;
use diesel::prelude::*;

/// A version of the classifier that is to be stored.
#[derive(Debug, Clone)]
pub struct NewClassifier {
    pub as_of: NaiveDate,
    pub position: i64,
    pub seed: i64,
    pub examples: i32,
    /// The SHA-256 hash of `weights`, in hexadecimal.
    pub hash: String,
    pub weights: Vec<u8>,
    pub metrics: serde_json::Value,
    pub code_version: String,
}

/// Stores a version of the classifier under the next number. Returns the newest version instead, and false, if that has
/// the same weights.
///
/// # Errors
/// A lost race if another process stores a version at the same time; else if the database cannot be written.
pub fn store_classifier(tx: &mut WriteTx<'_>, new: NewClassifier) -> Result<(ClassifierModel, bool), StoreError> {
    let newest = newest_classifier(tx.conn)?;
    let version = newest.as_ref().map_or(1, |newest| newest.version + 1);
    if let Some(newest) = newest.filter(|newest| newest.hash == new.hash) {
        return Ok((newest, false));
    }
    let model = ClassifierModel {
        id: random_id(),
        version,
        trained_at: tx.now,
        as_of: new.as_of,
        position: new.position,
        seed: new.seed,
        examples: new.examples,
        hash: new.hash,
        metrics: JsonValue(new.metrics),
        code_version: new.code_version,
        actor: tx.actor.to_owned(),
    };
    let weights = ClassifierWeights { model_id: model.id, weights: new.weights };
    each!(&mut *tx.conn, c => diesel::insert_into(classifier_models::table).values(&model).execute(c)?);
    each!(&mut *tx.conn, c => diesel::insert_into(classifier_weights::table).values(&weights).execute(c)?);
    tx.record_state(StateTable::ClassifierModels, &model.id);
    Ok((model, true))
}

/// Stores what a classifier made of complaints, in place of earlier suggestions.
///
/// # Errors
/// If the database cannot be written.
pub fn store_suggestions(
    tx: &mut WriteTx<'_>,
    rows: &[Classification],
    suggestions: &[CategorySuggestion],
) -> Result<(), StoreError> {
    let ids: Vec<Id> = rows.iter().map(|row| row.complaint_id).collect();
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        diesel::delete(category_suggestions::table.filter(category_suggestions::complaint_id.eq_any(chunk)))
            .execute(tx.conn)?;
        diesel::delete(classifications::table.filter(classifications::complaint_id.eq_any(chunk))).execute(tx.conn)?;
    }
    insert_all!(&mut *tx.conn, classifications::table, rows.iter());
    insert_all!(&mut *tx.conn, category_suggestions::table, suggestions.iter());
    Ok(())
}
