//! The recurrence job: loads facts, assesses officers and branches, hashes the run and stores flags.

use crate::JobError;
use crate::analyses::recurrence::{
    Assessed, Assessment, Available, Numbers, Rules, assess_kind, available, cusum_series, funnel_plot, subject_numbers,
};
use crate::facts::exposure::Basis;
use crate::facts::frames::{COMPARED_TEXTS, Frames, into_frames};
use crate::facts::monthly::monthly_sources;
use crate::facts::present::{TWO_OF_CONNECTIONS, present_frames};
use crate::facts::rewind::rewind;
use crate::facts::{Changes, Facts, Workload};
use crate::flags::{self, CountedComplaints};
use crate::results::recurrence::{COMPARED, ComparedDocument, KindDocument, NAME, RecurrenceDocument};
use crate::results::{result_row, store_result};
use crate::run_hash::{RunHashes, hashes_of, input_hashes};
use crate::runner::job::{Context, Job, Publish, day_of};
use chrono::NaiveDate;
use polars_core::runtime::THREAD_POOL;
use schema::db::dialect::{current_position, scanning};
use schema::enums::SubjectKind;
use schema::models::JobRun;
use schema::{Conn, Db};
use serde_json::{Value, json};
use std::panic::resume_unwind;
use std::thread;

/// The outputs of a run, computed from the register and not stored yet.
#[derive(Debug, Clone)]
pub struct Derived {
    pub known_at: i64,
    pub assessments: Vec<Assessment>,
    pub hashes: RunHashes,
    pub document: RecurrenceDocument,
    pub compared: ComparedDocument,
    pub counted: CountedComplaints,
}

/// Loads the facts of the register at a position (None: now), with the texts that frames as of a day compare; returns
/// the position, too.
///
/// # Errors
/// `History` when later events cannot be undone.
pub fn load_facts(db: &Db, as_of: NaiveDate, known_at: Option<i64>) -> Result<(Facts, i64), JobError> {
    let (mut facts, changes, known_at) = thread::scope(|scope| {
        // Reading the workload takes about as long as reading the complaints. Most connections are left to others.
        let beside = (db.most_connections() >= TWO_OF_CONNECTIONS).then(|| scope.spawn(|| workload_and_position(db)));
        let load = |conn: &mut Conn| {
            let mut facts = Facts::load_without_workload(conn)?;
            let known_at = known_at.unwrap_or(facts.position);
            let changes =
                if known_at < facts.position { Changes::load_after(conn, known_at)? } else { Changes::default() };
            facts.load_texts(conn, as_of - COMPARED_TEXTS, as_of, &changes)?;
            let beside = beside.map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
            facts.workload = match beside {
                Some(Ok((position, workload))) if position == facts.position => workload,
                // Somebody wrote between the two reads, or no second connection was free.
                _ => Facts::load_workload_with_ids(conn)?,
            };
            Ok::<_, JobError>((facts, changes, known_at))
        };
        db.read_snapshot(|conn| scanning(conn, load))
    })?;
    rewind(&mut facts, &changes)?;
    Ok((facts, known_at))
}

/// The workload, and the position of the register at which it was read.
fn workload_and_position(db: &Db) -> Result<(i64, Workload), JobError> {
    db.read_snapshot(|conn| scanning(conn, |conn| Ok((current_position(conn)?, Facts::load_workload_with_ids(conn)?))))
}

/// Builds the frames as of a day from the register at a position (None: now); returns the position, too.
///
/// # Errors
/// As [`load_facts`].
pub fn load_frames(db: &Db, as_of: NaiveDate, known_at: Option<i64>) -> Result<(Frames, i64), JobError> {
    if known_at.is_none() {
        return present_frames(db, as_of);
    }
    let (facts, known_at) = load_facts(db, as_of, known_at)?;
    Ok((into_frames(facts, as_of)?, known_at))
}

/// Computes a run: a deterministic function of the register at a position, the day and the rules.
///
/// # Errors
/// As [`load_frames`]; `Polars` when a computation fails.
pub fn derive(db: &Db, as_of: NaiveDate, known_at: Option<i64>, rules: &Rules) -> Result<Derived, JobError> {
    let (frames, known_at) = load_frames(db, as_of, known_at)?;
    // Much of an assessment runs on one thread.
    let ((officers, branches), inputs) = THREAD_POOL.join(
        || {
            THREAD_POOL.join(
                || assess_kind(&frames, SubjectKind::Officer, as_of, rules),
                || assess_kind(&frames, SubjectKind::Branch, as_of, rules),
            )
        },
        || input_hashes(&frames),
    );
    let (mut officers, mut branches) = (officers?, branches?);
    let mut assessments = std::mem::take(&mut officers.found);
    assessments.append(&mut branches.found);
    let hashes = hashes_of(inputs?, &assessments, as_of, rules);
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
    let compared = ComparedDocument { officers: officers.comparisons, branches: branches.comparisons };
    Ok(Derived { known_at, assessments, hashes, document, compared, counted })
}

/// Computes the statistics of all subjects of a kind as of a day; stores nothing.
///
/// # Errors
/// If the register cannot be read or its history does not match it; `Cancelled` if the work was cancelled.
pub fn numbers(db: &Db, as_of: NaiveDate, rules: &Rules, kind: SubjectKind) -> Result<Numbers, JobError> {
    let (frames, _) = load_frames(db, as_of, None)?;
    Ok(subject_numbers(&frames, kind, as_of, rules)?)
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
            store_result(tx, &result_row(run, NAME, as_of, &derived.document))?;
            store_result(tx, &result_row(run, COMPARED, as_of, &derived.compared))
        }))
    }
}
