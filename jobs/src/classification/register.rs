//! Reads what a model learns from, and the classifier of the register; stores new versions of the model.

use super::evaluation::Evaluation;
use super::training::{Corpus, Trained};
use super::{Classifier, Model, Rules, name_of_rules, name_of_version};
use crate::JobError;
use chrono::NaiveDate;
use schema::db::dialect::current_position;
use schema::db::{StoreError, WriteTx};
use schema::models::ClassifierModel;
use schema::queries;
use schema::register::{NewClassifier, store_classifier};
use schema::{Conn, Id};
use serde_json::json;
use sha2::{Digest, Sha256};
use siphasher::sip::SipHasher13;
use std::collections::HashMap;
use std::path::Path;

/// The complaints that a person classified, as texts with categories.
#[derive(Debug, Clone)]
pub struct Confirmed {
    pub corpus: Corpus,
    /// The position of the register at which they were read.
    pub position: i64,
    /// Number of texts in the register; the corpus has at most as many as were asked for.
    pub available: usize,
}

/// Reads the complaints received up to a day whose category a person confirmed, at most `most` of them: a sample that
/// depends on the seed alone. They are in the order of ids, which is the same on both databases.
///
/// Call it in a transaction that reads one snapshot.
///
/// # Errors
/// If the database cannot be read.
pub fn confirmed(conn: &mut Conn, as_of: NaiveDate, most: usize, seed: u64) -> Result<Confirmed, StoreError> {
    let position = current_position(conn)?;
    let mut rows = queries::confirmed_categories(conn, as_of)?;
    let available = rows.len();
    if available > most {
        let hasher = SipHasher13::new_with_keys(seed, 1);
        let draw = |id: &Id| hasher.hash(id.0.as_bytes());
        rows.select_nth_unstable_by_key(most, |(id, _)| (draw(id), *id));
        rows.truncate(most);
        rows.sort_unstable();
    }
    let codes: HashMap<Id, String> =
        queries::category_ids_by_code(conn)?.into_iter().map(|(code, id)| (id, code)).collect();
    let ids: Vec<Id> = rows.iter().map(|(id, _)| *id).collect();
    let mut texts = queries::texts_of(conn, &ids)?;
    let with_text = |(id, category): (Id, Id)| Some((texts.remove(&id)?, codes.get(&category)?.clone()));
    let corpus = Corpus::new(rows.into_iter().filter_map(with_text));
    Ok(Confirmed { corpus, position, available })
}

/// The classifier of the register: the newest version of the model, or the rules of a file (by default those of the
/// program) while there is none.
///
/// # Errors
/// `Rules` if the file is wrong; `History` if the stored weights are not those that the version was stored with.
pub fn current(conn: &mut Conn, rules: Option<&Path>) -> Result<Classifier, JobError> {
    let Some(newest) = queries::newest_classifier(conn)? else { return Ok(Classifier::Rules(Rules::load(rules)?)) };
    let wrong = |what: &str| JobError::History(format!("the weights of version {} {what}", newest.version));
    let stored = queries::weights_of(conn, newest.id)?.ok_or_else(|| wrong("are missing"))?;
    if hash(&stored.weights) != newest.hash {
        return Err(wrong("have another hash than classifier_models says"));
    }
    let model = Model::from_bytes(&stored.weights).ok_or_else(|| wrong("are not those of a model"))?;
    Ok(Classifier::Model { version: newest.version, model: Box::new(model) })
}

/// The name of [`current`], without its weights.
///
/// # Errors
/// Same errors as [`current`].
pub fn current_name(conn: &mut Conn, rules: Option<&Path>) -> Result<String, JobError> {
    match queries::newest_classifier(conn)? {
        Some(newest) => Ok(name_of_version(newest.version)),
        None => Ok(name_of_rules(&Rules::load(rules)?)),
    }
}

/// Stores a trained model as the next version. Returns the newest version instead, and false, if that has the same
/// weights.
///
/// # Errors
/// If the database cannot be written.
pub fn store(
    tx: &mut WriteTx<'_>,
    trained: &Trained,
    confirmed: &Confirmed,
    as_of: NaiveDate,
    seed: u32,
) -> Result<(ClassifierModel, bool), StoreError> {
    let weights = trained.model.to_bytes();
    let new = NewClassifier {
        as_of,
        position: confirmed.position,
        seed: i64::from(seed),
        examples: i32::try_from(confirmed.corpus.examples.len()).unwrap_or(i32::MAX),
        hash: hash(&weights),
        weights,
        metrics: metrics(&trained.evaluation),
        code_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    store_classifier(tx, new)
}

/// The measures of an evaluation as JSON.
pub fn metrics(evaluation: &Evaluation) -> serde_json::Value {
    json!(evaluation)
}

/// The SHA-256 hash of weights, in hexadecimal.
fn hash(weights: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(weights))
}
