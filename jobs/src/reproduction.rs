//! Reproduction of a recurrence run: [`reproduce`] derives the run again from the register, compares the hashes and
//! names the first difference.

use crate::JobError;
use crate::analyses::recurrence::Rules;
use crate::flags::{self, Stored};
use crate::run_hash::{EXPOSURES, output};
use crate::runner::ledger;
use crate::scheduled::recurrence::{Derived, derive};
use chrono::NaiveDate;
use schema::models::JobRun;
use schema::{Db, Id};
use serde::Serialize;
use serde_json::Value;

/// The outcome of [`reproduce`]: whether the hashes match, and otherwise the first difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reproduction {
    pub run: Id,
    pub as_of: NaiveDate,
    pub known_at: i64,
    pub reproduced: bool,
    pub recorded_hash: String,
    pub derived_hash: String,
    pub first_difference: Option<String>,
}

/// The register position that a reproduction uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownAt {
    /// The position that the run recorded.
    Recorded,
    Now,
    Position(i64),
}

/// Derives a run again from the register and compares inputs and outputs with those recorded.
///
/// # Errors
/// `NotFound` when the run does not exist or has no result to compare; else as [`derive()`].
pub fn reproduce(db: &Db, id: Id, known_at: KnownAt) -> Result<Reproduction, JobError> {
    let run = db.read(|conn| ledger::find(conn, id))?;
    let incomplete = || {
        JobError::NotFound(format!(
            "run {id} of {} has no result to reproduce: take a successful one of those that `phananh jobs history --job \
             recurrence` lists",
            run.job
        ))
    };
    let as_of = run.as_of.ok_or_else(incomplete)?;
    let recorded_hash = run.result_hash.clone().ok_or_else(incomplete)?;
    let rules: Rules =
        run.rules.clone().and_then(|rules| serde_json::from_value(rules.0).ok()).ok_or_else(incomplete)?;
    let position = match known_at {
        KnownAt::Recorded => Some(run.known_at.ok_or_else(incomplete)?),
        KnownAt::Now => None,
        KnownAt::Position(position) => Some(position),
    };
    let derived = derive(db, as_of, position, &rules)?;
    let stored = db.read(|conn| flags::of_run(conn, id))?;
    let first_difference = first_difference(&run, &stored, &derived);
    Ok(Reproduction {
        run: id,
        as_of,
        known_at: derived.known_at,
        reproduced: first_difference.is_none(),
        recorded_hash,
        derived_hash: derived.hashes.result_hash,
        first_difference,
    })
}

fn first_difference(run: &JobRun, stored: &[Stored], derived: &Derived) -> Option<String> {
    let inputs = run.inputs.as_ref().map_or(Value::Null, |inputs| inputs.0.clone());
    if let Some(difference) = differing_month(&inputs, &derived.hashes.inputs) {
        return Some(difference);
    }
    let now: Vec<Value> = derived.assessments.iter().map(output).collect();
    let then: Vec<Value> = stored.iter().map(|stored| stored.output.clone()).collect();
    for (was, is) in then.iter().zip(&now) {
        if was != is {
            return Some(differing_output(was, is));
        }
    }
    if let Some(gone) = then.get(now.len()) {
        return Some(format!(
            "outputs: {} {} had a flag in the stored run but has none now",
            gone["kind"], gone["code"]
        ));
    }
    if let Some(new) = now.get(then.len()) {
        return Some(format!("outputs: {} {} has a flag now but had none in the stored run", new["kind"], new["code"]));
    }
    let same = run.result_hash.as_deref() == Some(&derived.hashes.result_hash);
    (!same).then(|| "the recorded hash differs, though inputs and outputs are the same".to_owned())
}

fn differing_month(then: &Value, now: &Value) -> Option<String> {
    let empty = serde_json::Map::new();
    let (then, now) = (then.as_object().unwrap_or(&empty), now.as_object().unwrap_or(&empty));
    let mut months: Vec<&String> = then.keys().chain(now.keys()).collect();
    months.sort_unstable();
    let month = months.into_iter().find(|month| then.get(*month) != now.get(*month))?;
    let rows = |months: &serde_json::Map<String, Value>| {
        months.get(month).and_then(|month| month["rows"].as_u64()).unwrap_or(0)
    };
    let what = if EXPOSURES.contains(&month.as_str()) {
        format!("the {month} differs")
    } else {
        format!("the allegations of complaints received in {month} differ")
    };
    Some(format!("inputs: {what} ({} rows then, {} now)", rows(then), rows(now)))
}

fn differing_output(was: &Value, is: &Value) -> String {
    let subject = |value: &Value| (value["kind"].clone(), value["code"].clone());
    if subject(was) != subject(is) {
        let (first, verb) = if subject(was).1.as_str() < subject(is).1.as_str() {
            (was, "had a flag in the stored run but has none now")
        } else {
            (is, "has a flag now but had none in the stored run")
        };
        return format!("outputs: {} {} {verb}", first["kind"], first["code"]);
    }
    for field in ["tier", "numbers", "evidence"] {
        if was[field] != is[field] {
            return format!(
                "outputs: {field} of {} {}: {} then, {} now",
                was["kind"], was["code"], was[field], is[field]
            );
        }
    }
    format!("outputs: {} {}", was["kind"], was["code"])
}
