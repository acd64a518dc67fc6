//! Reproduction of a recurrence run: [`reproduce`] derives the run again from the register, compares the hashes and
//! names the first difference.

use crate::JobError;
use crate::analyses::recurrence::Rules;
use crate::flags::{self, Stored};
use crate::run_hash::{EXPOSURES, output};
use crate::runner::ledger;
use crate::scheduled::recurrence::{Derived, derive};
use chrono::NaiveDate;
use schema::enums::SubjectKind;
use schema::models::JobRun;
use schema::{Db, Id};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

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
    /// The code of the officer whom the first difference is about.
    #[serde(skip)]
    pub officer: Option<String>,
}

/// A difference in words, and the code of the officer whom it is about.
struct Difference {
    says: String,
    officer: Option<String>,
}

impl Difference {
    /// A difference that concerns the whole run.
    fn of_run(says: impl Into<String>) -> Self {
        Self { says: says.into(), officer: None }
    }

    /// A difference in the output of one subject.
    fn of_subject(says: String, output: &Value) -> Self {
        let is_officer = output["kind"] == SubjectKind::Officer.as_str();
        Self { says, officer: output["code"].as_str().filter(|_| is_officer).map(str::to_owned) }
    }
}

/// The register position that a reproduction uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayPosition {
    /// The position that the run recorded.
    Recorded,
    Now,
    Position(i64),
}

/// A run of recurrence, and what it recorded to be derived again.
pub struct Recorded {
    pub run: JobRun,
    pub as_of: NaiveDate,
    pub hash: String,
    pub rules: Rules,
}

impl Recorded {
    /// Reads a run.
    ///
    /// # Errors
    /// `NotFound` when the run does not exist or has no result; `Store` when the database fails.
    pub fn find(db: &Db, id: Id) -> Result<Self, JobError> {
        let run = db.read(|conn| ledger::find(conn, id))?;
        let as_of = run.as_of.ok_or_else(|| incomplete(&run))?;
        let hash = run.result_hash.clone().ok_or_else(|| incomplete(&run))?;
        let rules: Option<Rules> = run.rules.clone().and_then(|rules| serde_json::from_value(rules.0).ok());
        let rules = rules.ok_or_else(|| incomplete(&run))?;
        Ok(Self { run, as_of, hash, rules })
    }

    /// The register position that the run used.
    ///
    /// # Errors
    /// `NotFound` when the run recorded none.
    pub fn as_of_position(&self) -> Result<i64, JobError> {
        self.run.known_at.ok_or_else(|| incomplete(&self.run))
    }
}

fn incomplete(run: &JobRun) -> JobError {
    JobError::NotFound(format!(
        "run {} of {} has no result to reproduce: take a successful one of those that `phananh jobs history --job \
         recurrence` lists",
        run.id, run.job
    ))
}

/// Derives a run again from the register and compares inputs and outputs with those recorded.
///
/// # Errors
/// `NotFound` when the run does not exist or has no result to compare; else as [`derive()`].
pub fn reproduce(db: &Db, id: Id, at: ReplayPosition) -> Result<Reproduction, JobError> {
    let recorded = Recorded::find(db, id)?;
    let position = match at {
        ReplayPosition::Recorded => Some(recorded.as_of_position()?),
        ReplayPosition::Now => None,
        ReplayPosition::Position(position) => Some(position),
    };
    let Recorded { run, as_of, hash: recorded_hash, rules } = recorded;
    let derived = derive(db, as_of, position, &rules)?;
    let stored = db.read(|conn| flags::of_run(conn, id))?;
    let first = first_difference(&run, &stored, &derived);
    let (first_difference, officer) = first.map_or((None, None), |first| (Some(first.says), first.officer));
    Ok(Reproduction {
        run: id,
        as_of,
        known_at: derived.known_at,
        reproduced: first_difference.is_none(),
        recorded_hash,
        derived_hash: derived.hashes.result_hash,
        first_difference,
        officer,
    })
}

fn first_difference(run: &JobRun, stored: &[Stored], derived: &Derived) -> Option<Difference> {
    let inputs = run.inputs.as_ref().map_or(Value::Null, |inputs| inputs.0.clone());
    if let Some(difference) = differing_month(&inputs, &derived.hashes.inputs) {
        return Some(Difference::of_run(difference));
    }
    let now: Vec<Value> = derived.assessments.iter().map(output).collect();
    let then: Vec<Value> = stored.iter().map(|stored| stored.output.clone()).collect();
    for (was, is) in then.iter().zip(&now) {
        if was != is {
            return Some(differing_output(was, is));
        }
    }
    if let Some(gone) = then.get(now.len()) {
        return Some(only_once(gone, GONE));
    }
    if let Some(new) = now.get(then.len()) {
        return Some(only_once(new, NEW));
    }
    let same = run.result_hash.as_deref() == Some(&derived.hashes.result_hash);
    (!same).then(|| Difference::of_run("the recorded hash differs, though inputs and outputs are the same"))
}

const GONE: &str = "had a flag in the stored run but has none now";
const NEW: &str = "has a flag now but had none in the stored run";

/// A subject that only one of the two found.
fn only_once(found: &Value, verb: &str) -> Difference {
    Difference::of_subject(format!("outputs: {} {} {verb}", found["kind"], found["code"]), found)
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

fn differing_output(was: &Value, is: &Value) -> Difference {
    let subject = |value: &Value| (value["kind"].clone(), value["code"].clone());
    if subject(was) != subject(is) {
        return if subject(was).1.as_str() < subject(is).1.as_str() {
            only_once(was, GONE)
        } else {
            only_once(is, NEW)
        };
    }
    let about = format!("{} {}", was["kind"], was["code"]);
    let says = if was["tier"] != is["tier"] {
        format!("outputs: tier of {about}: {} then, {} now", was["tier"], is["tier"])
    } else if was["numbers"] != is["numbers"] {
        format!("outputs: numbers of {about}: {} then, {} now", was["numbers"], is["numbers"])
    } else {
        // Their numbers say enough; an audit log of looks would have to name each complaint.
        let ids = |output: &Value| -> BTreeSet<String> {
            let all = output["evidence"].as_array().into_iter().flatten();
            all.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let (then, now) = (ids(was), ids(is));
        let (gone, new) = (then.difference(&now).count(), now.difference(&then).count());
        format!("outputs: evidence of {about}: {gone} of {} complaints are gone, {new} are new", then.len())
    };
    Difference::of_subject(says, was)
}
