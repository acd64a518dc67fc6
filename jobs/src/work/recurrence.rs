//! The recurrence job: facts, frames, assessment, hashes, flags; and the same again for a run of
//! the past.

use crate::JobError;
use crate::canonical::{Digests, digests, output};
use crate::facts::Facts;
use crate::flags::{self, Stored};
use crate::frames::{Frames, frames};
use crate::job::{Context, Job, Publish};
use crate::known::{Changes, undo};
use crate::ledger;
use crate::recurrence::{Assessment, Rules, assess};
use chrono::NaiveDate;
use schema::models::JobRun;
use schema::{Db, Id};
use serde::Serialize;
use serde_json::{Value, json};

pub const NAME: &str = "recurrence";

/// A run derived from the register.
#[derive(Debug, Clone)]
pub struct Derived {
    pub known_at: i64,
    pub assessments: Vec<Assessment>,
    pub digests: Digests,
}

/// Loads what the register knew at a position (None: now), as of a day.
pub fn load_frames(db: &Db, as_of: NaiveDate, known_at: Option<i64>) -> Result<(Frames, i64), JobError> {
    let mut failure = None;
    let loaded = db.read_snapshot(|conn| {
        let read = Facts::load(conn).and_then(|facts| {
            let known_at = known_at.unwrap_or(facts.position);
            let changes =
                if known_at < facts.position { Changes::load_after(conn, known_at)? } else { Changes::default() };
            Ok((facts, changes, known_at))
        });
        match read {
            Ok(read) => Ok(Some(read)),
            Err(JobError::Store(error)) => Err(error),
            Err(other) => {
                failure = Some(other);
                Ok(None)
            }
        }
    })?;
    let Some((mut facts, changes, known_at)) = loaded else {
        return Err(failure.unwrap_or_else(|| JobError::NotFound("nothing was read".into())));
    };
    undo(&mut facts, &changes)?;
    Ok((frames(&facts, as_of)?, known_at))
}

/// Derives a run: a function of what was known, the day and the rules.
pub fn derive(db: &Db, as_of: NaiveDate, known_at: Option<i64>, rules: &Rules) -> Result<Derived, JobError> {
    let (frames, known_at) = load_frames(db, as_of, known_at)?;
    let assessments = assess(&frames, as_of, rules)?;
    let digests = digests(&frames, &assessments, as_of, rules)?;
    Ok(Derived { known_at, assessments, digests })
}

/// Who is complained about again and again.
pub struct Recurrence;

impl Job for Recurrence {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "who is complained about again and again, by many different enterprises"
    }

    fn schedule(&self) -> &'static str {
        "0 2 * * *"
    }

    fn run(&self, context: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError> {
        let as_of = crate::work::day_of(run)?;
        let rules = match (context.rules, context.settings.jobs.get(NAME).and_then(|job| job.rules.as_deref())) {
            (Some(rules), _) => rules.clone(),
            (None, Some(path)) => Rules::load(path)?,
            (None, None) => Rules::default(),
        };
        run.rules = Some(json!(rules).into());
        run.rules_version = Some(rules.version.clone());
        let derived = derive(context.db, as_of, None, &rules)?;
        run.known_at = Some(derived.known_at);
        run.inputs = Some(derived.digests.inputs.clone().into());
        run.input_hash = Some(derived.digests.input_hash.clone());
        run.output_hash = Some(derived.digests.output_hash.clone());
        run.result_hash = Some(derived.digests.result_hash.clone());
        Ok(Box::new(move |tx, run| {
            run.summary = Some(flags::store(tx, run.id, as_of, &rules, &derived.assessments)?.into());
            Ok(())
        }))
    }
}

/// Whether a run could be derived again, and if not, where it first differs.
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

/// Which position a reproduction takes the register at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownAt {
    /// That of the run.
    Recorded,
    Now,
    Position(i64),
}

/// Derives a run again from the tables and compares inputs and outputs.
pub fn reproduce(db: &Db, id: Id, known_at: KnownAt) -> Result<Reproduction, JobError> {
    let run = db.read(|conn| ledger::find(conn, id))?;
    let incomplete = || JobError::NotFound(format!("run {id} of {} has no result to reproduce", run.job));
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
        derived_hash: derived.digests.result_hash,
        first_difference,
    })
}

fn first_difference(run: &JobRun, stored: &[Stored], derived: &Derived) -> Option<String> {
    let inputs = run.inputs.as_ref().map_or(Value::Null, |inputs| inputs.0.clone());
    if let Some(difference) = differing_month(&inputs, &derived.digests.inputs) {
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
        return Some(format!("outputs: {} {} was flagged and is not any more", gone["kind"], gone["code"]));
    }
    if let Some(new) = now.get(then.len()) {
        return Some(format!("outputs: {} {} is flagged and was not", new["kind"], new["code"]));
    }
    let same = run.result_hash.as_deref() == Some(&derived.digests.result_hash);
    (!same).then(|| "the recorded hash itself: inputs and outputs are the same".to_owned())
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
    Some(format!(
        "inputs: the allegations of complaints received in {month} differ ({} rows then, {} now)",
        rows(then),
        rows(now)
    ))
}

fn differing_output(was: &Value, is: &Value) -> String {
    let subject = |value: &Value| (value["kind"].clone(), value["code"].clone());
    if subject(was) != subject(is) {
        let (first, verb) = if subject(was).1.as_str() < subject(is).1.as_str() {
            (was, "was flagged and is not any more")
        } else {
            (is, "is flagged and was not")
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
