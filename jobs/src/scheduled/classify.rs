//! The classification job: suggests categories for complaints that wait for one.
//!
//! A job does it, and not the submission of a complaint: complaints also come by import, a new version of the model
//! concerns all that wait, and a sender does not wait for a model. It has nothing to do, and leaves no run, while no
//! complaint is new.

use crate::JobError;
use crate::classification::{Classifier, margin, register};
use crate::runner::job::{Context, Job, Publish};
use crate::runner::ledger::still_owned;
use schema::models::{CategorySuggestion, Classification, JobRun};
use schema::queries::{Unclassified, category_ids_by_code, unclassified};
use schema::register::store_suggestions;
use schema::{Conn, Id, StoreError, Timestamp};
use serde_json::json;
use std::collections::HashMap;
use std::path::Path;

pub const NAME: &str = "classify";

/// Complaints read and stored at once; other writers proceed between two.
const AT_ONCE: i64 = 1_000;

pub struct Classify;

impl Job for Classify {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "suggests categories for complaints that wait for one"
    }

    fn schedule(&self) -> &'static str {
        "*/5 * * * *"
    }

    fn always_runs(&self) -> bool {
        false
    }

    fn has_work(&self, context: &Context<'_>, conn: &mut Conn) -> Result<bool, StoreError> {
        let classifier = match register::current_name(conn, rules(context)) {
            Ok(classifier) => classifier,
            Err(JobError::Store(error)) => return Err(error),
            // A run says what is wrong.
            Err(_) => return Ok(true),
        };
        Ok(!unclassified(conn, &classifier, 1)?.is_empty())
    }

    /// Commits batch by batch: an import may leave many complaints.
    fn run(&self, context: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError> {
        let read = |conn: &mut Conn| {
            Ok::<_, JobError>((register::current(conn, rules(context))?, category_ids_by_code(conn)?))
        };
        let (classifier, categories) = context.db.read_snapshot(read)?;
        let name = classifier.name();
        let (mut read, mut suggested) = (0, 0);
        while !context.is_stopping() {
            let complaints = context.db.read(|conn| unclassified(conn, &name, AT_ONCE))?;
            if complaints.is_empty() {
                break;
            }
            let (rows, suggestions) = suggest(&classifier, &categories, &complaints);
            context.db.write("job", |tx| {
                still_owned(tx, run)?;
                store_suggestions(tx, &rows, &suggestions)
            })?;
            read += rows.len();
            suggested += suggestions.iter().filter(|one| one.rank == 1).count();
        }
        Ok(Box::new(move |_, run| {
            run.summary = Some(json!({ "complaints": read, "suggested": suggested, "classifier": name }).into());
            Ok(())
        }))
    }
}

/// The file with rules of the configuration.
fn rules<'c>(context: &Context<'c>) -> Option<&'c Path> {
    context.settings.classification.rules.as_deref()
}

/// The rows to store for complaints. Categories that the register does not have are left out.
fn suggest(
    classifier: &Classifier,
    categories: &HashMap<String, Id>,
    complaints: &[Unclassified],
) -> (Vec<Classification>, Vec<CategorySuggestion>) {
    let suggested_at = Timestamp::now();
    let name = classifier.name();
    let mut suggestions = Vec::new();
    let rows = complaints.iter().map(|complaint| {
        let found = classifier.suggest(&complaint.text).into_iter();
        let suggested: Vec<(Id, f64)> =
            found.filter_map(|(code, confidence)| Some((*categories.get(&code)?, confidence))).collect();
        let confidences: Vec<f64> = suggested.iter().map(|(_, confidence)| *confidence).collect();
        suggestions.extend(suggested.into_iter().zip(1..).map(|((category_id, confidence), rank)| {
            CategorySuggestion { complaint_id: complaint.id, rank, category_id, confidence: confidence.clamp(0.0, 1.0) }
        }));
        Classification {
            complaint_id: complaint.id,
            complaint_version: complaint.version,
            classifier: name.clone(),
            margin: margin(&confidences),
            suggested_at,
        }
    });
    let rows = rows.collect();
    (rows, suggestions)
}
