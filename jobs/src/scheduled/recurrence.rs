//! The recurrence job: loads facts, assesses officers and branches, hashes the run and stores flags; and
//! [`reproduce`], which derives a past run again and compares hashes.

use crate::JobError;
use crate::analyses::recurrence::{
    Assessed, Assessment, Available, Comparison, Dispersion, MissingData, Rules, assess_kind, available, counts_of,
    cusum_series, funnel_plot,
};
use crate::facts::Changes;
use crate::facts::Facts;
use crate::facts::exposure::Basis;
use crate::facts::frames::{Frames, TEXT_DAYS, frames};
use crate::facts::monthly::monthly_sources;
use crate::facts::rewind::rewind;
use crate::flags::CountedComplaints;
use crate::flags::{self, Stored};
use crate::results::recurrence::{KindDocument, NAME, RecurrenceDocument};
use crate::results::{result_row, store_result};
use crate::run_hash::{EXPOSURES, RunHashes, output, run_hashes};
use crate::runner::job::{Context, Job, Publish, day_of};
use crate::runner::ledger;
use chrono::{Days, NaiveDate};
use schema::enums::SubjectKind;
use schema::models::JobRun;
use schema::{Db, Id};
use serde::Serialize;
use serde_json::{Value, json};

const TEXTS: Days = Days::new(TEXT_DAYS.unsigned_abs() as u64);

/// The outputs of a run, computed from the register and not stored yet.
#[derive(Debug, Clone)]
pub struct Derived {
    pub known_at: i64,
    pub assessments: Vec<Assessment>,
    pub hashes: RunHashes,
    pub document: RecurrenceDocument,
    pub counted: CountedComplaints,
}

/// Builds the frames as of a day from the register at a position (None: now); returns the position, too.
///
/// # Errors
/// `History` when later events cannot be undone.
pub fn load_frames(db: &Db, as_of: NaiveDate, known_at: Option<i64>) -> Result<(Frames, i64), JobError> {
    let (mut facts, changes, known_at) = db.read_snapshot(|conn| {
        let mut facts = Facts::load(conn)?;
        let known_at = known_at.unwrap_or(facts.position);
        let changes = if known_at < facts.position { Changes::load_after(conn, known_at)? } else { Changes::default() };
        facts.load_texts(conn, as_of - TEXTS, as_of, &changes)?;
        Ok::<_, JobError>((facts, changes, known_at))
    })?;
    rewind(&mut facts, &changes)?;
    Ok((frames(&facts, as_of)?, known_at))
}

/// Computes a run: a deterministic function of the register at a position, the day and the rules.
///
/// # Errors
/// As [`load_frames`]; `Polars` when a computation fails.
pub fn derive(db: &Db, as_of: NaiveDate, known_at: Option<i64>, rules: &Rules) -> Result<Derived, JobError> {
    let (frames, known_at) = load_frames(db, as_of, known_at)?;
    let mut officers = assess_kind(&frames, SubjectKind::Officer, as_of, rules)?;
    let mut branches = assess_kind(&frames, SubjectKind::Branch, as_of, rules)?;
    let mut assessments = std::mem::take(&mut officers.found);
    assessments.append(&mut branches.found);
    let hashes = run_hashes(&frames, &assessments, as_of, rules)?;
    let rows = [(SubjectKind::Officer, &officers.rows), (SubjectKind::Branch, &branches.rows)];
    let available = available(&frames, as_of, &rows)?;
    let days = u64::from(available.days.unsigned_abs());
    let monthly =
        if frames.by_month.is_empty() { Vec::new() } else { db.read(|conn| monthly_sources(conn, as_of, days))? };
    let document = RecurrenceDocument {
        monthly,
        lacks: available.lacks(rules, [officers.basis, branches.basis]),
        available,
        funnel: branches.longest.as_ref().map(|longest| funnel_plot(&frames, longest)).unwrap_or_default(),
        cusum: cusum_series(&frames, &frames.exposure[1], &branches, as_of)?,
        officers: of_kind(&officers),
        branches: of_kind(&branches),
    };
    let counted = CountedComplaints::new(&frames, &officers, &branches)?;
    Ok(Derived { known_at, assessments, hashes, document, counted })
}

/// The statistics of all subjects of a kind in the longest window, unrounded.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Numbers {
    pub as_of: NaiveDate,
    pub kind: SubjectKind,
    pub basis: Basis,
    /// None when no subject has exposure.
    pub scatter: Option<Dispersion>,
    /// By code; only subjects with an expected count.
    pub subjects: Vec<SubjectNumbers>,
    /// All subjects, with exposure or without; most complaints first.
    pub counts: Vec<SubjectCounts>,
    pub available: Available,
    /// Which data the rules need and the register lacks.
    pub lacks: Vec<MissingData>,
}

/// The counts of one subject in the longest window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubjectCounts {
    pub code: String,
    pub complaints: u32,
    pub episodes: u32,
    pub enterprises: u32,
    pub enterprises_confirmed: u32,
    pub anonymous: u32,
    pub serious: u32,
}

/// The statistics of one subject; `docs/statistics.md` defines each.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubjectNumbers {
    pub code: String,
    pub observed: u32,
    pub exposure: f64,
    pub expected: f64,
    pub ratio: f64,
    pub lower: f64,
    pub upper: f64,
    pub p: f64,
    pub q: f64,
    pub ebgm: f64,
    pub eb05: f64,
    pub eb95: f64,
    pub widened: f64,
    pub carried: bool,
}

/// Computes the statistics of all subjects of a kind as of a day; stores nothing.
///
/// # Errors
/// If the register cannot be read or its history does not match it; `Cancelled` if the work was cancelled.
pub fn numbers(db: &Db, as_of: NaiveDate, rules: &Rules, kind: SubjectKind) -> Result<Numbers, JobError> {
    let (frames, _) = load_frames(db, as_of, None)?;
    let assessed = assess_kind(&frames, kind, as_of, rules)?;
    let subjects = match kind {
        SubjectKind::Officer => &frames.officers,
        SubjectKind::Branch => &frames.branches,
    };
    let mut rows = Vec::new();
    for (place, _, _) in assessed.longest.iter().flat_map(Comparison::pairs) {
        let numbers = assessed.longest.as_ref().and_then(|longest| longest.numbers_of(place, 0, 0));
        let (Some(subject), Some(numbers)) = (subjects.get(place as usize), numbers) else { continue };
        rows.push(SubjectNumbers {
            code: subject.code.clone(),
            observed: numbers.observed,
            exposure: numbers.exposure,
            expected: numbers.expected,
            ratio: numbers.ratio,
            lower: numbers.lower,
            upper: numbers.upper,
            p: numbers.p,
            q: numbers.q,
            ebgm: numbers.ebgm,
            eb05: numbers.eb05,
            eb95: numbers.eb95,
            widened: numbers.widened,
            carried: numbers.carried,
        });
    }
    let mut counts: Vec<SubjectCounts> = counts_of(&assessed, as_of)?
        .into_iter()
        .filter_map(|(place, window)| {
            Some(SubjectCounts {
                code: subjects.get(place as usize)?.code.clone(),
                complaints: window.complaints,
                episodes: window.episodes,
                enterprises: window.enterprises,
                enterprises_confirmed: window.enterprises_confirmed,
                anonymous: window.anonymous,
                serious: window.serious,
            })
        })
        .collect();
    counts.sort_by(|a, b| b.complaints.cmp(&a.complaints).then_with(|| a.code.cmp(&b.code)));
    let available = available(&frames, as_of, &[(kind, &assessed.rows)])?;
    // Only one kind is assessed here: drop what the register lacks for the other.
    let other = match kind {
        SubjectKind::Officer => {
            [MissingData::Branches, MissingData::ExposureOfBranches, MissingData::ExposureOfBranches]
        }
        SubjectKind::Branch => [MissingData::Officers, MissingData::ExposureOfOfficers, MissingData::Confirmed],
    };
    let lacks = available.lacks(rules, [assessed.basis; 2]).into_iter().filter(|lack| !other.contains(lack)).collect();
    let scatter = assessed.longest.map(|longest| longest.scatter);
    Ok(Numbers { as_of, kind, basis: assessed.basis, scatter, subjects: rows, counts, available, lacks })
}

/// The available data without names of subjects: readers of run summaries may have no access to complaints.
fn numbers_alone(available: &Available) -> Value {
    json!(Available { most: Vec::new(), ..available.clone() })
}

fn of_kind(assessed: &Assessed) -> KindDocument {
    KindDocument {
        basis: assessed.basis,
        scatter: assessed.scatter.clone(),
        without_exposure: assessed.without_exposure.clone(),
    }
}

/// Finds officers and branches with recurring complaints.
pub struct Recurrence;

impl Job for Recurrence {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "finds officers and branches that many different enterprises complain about repeatedly"
    }

    fn schedule(&self) -> &'static str {
        "0 2 * * *"
    }

    fn run(&self, context: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError> {
        let as_of = day_of(run)?;
        let rules = match (context.rules, context.settings.jobs.get(NAME).and_then(|job| job.rules.as_deref())) {
            (Some(rules), _) => rules.clone(),
            (None, Some(path)) => Rules::load(path)?,
            (None, None) => Rules::default(),
        };
        run.rules = Some(json!(rules).into());
        run.rules_version = Some(rules.version.clone());
        let derived = derive(context.db, as_of, None, &rules)?;
        run.known_at = Some(derived.known_at);
        run.inputs = Some(derived.hashes.inputs.clone().into());
        run.input_hash = Some(derived.hashes.input_hash.clone());
        run.output_hash = Some(derived.hashes.output_hash.clone());
        run.result_hash = Some(derived.hashes.result_hash.clone());
        Ok(Box::new(move |tx, run| {
            let mut summary = flags::store(tx, run, as_of, &rules, &derived.assessments, &derived.counted)?;
            summary["unadjusted"] = json!(derived.document.officers.basis == Basis::None);
            summary["withoutExposure"] = json!(derived.document.officers.without_exposure.len());
            summary["basis"] =
                json!({ "officers": derived.document.officers.basis, "branches": derived.document.branches.basis });
            summary["available"] = numbers_alone(&derived.document.available);
            summary["lacks"] = json!(derived.document.lacks);
            summary["monthly"] = json!(derived.document.monthly);
            run.summary = Some(summary.into());
            store_result(tx, &result_row(run, NAME, as_of, &derived.document))
        }))
    }
}

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
