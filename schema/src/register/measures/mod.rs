//! Measures taken about officers (S7), such as a reassignment or suspension: recording, extending, ending,
//! lifting and voiding them.

mod suspension;

pub use suspension::Extension;

use super::aliases::Aliases;
use super::clock::clock_rules;
use super::reference::{change, lock_at_version, version_conflict};
use super::tree::load_tree;
use crate::db::{Conn, StoreError, WriteTx};
use crate::domain::calendar::local_date;
use crate::domain::ids::{random_id, reference_id};
use crate::domain::suspension::{SuspensionLimits, SuspensionRules};
use crate::each;
use crate::enums::{MeasureBasisKind, MeasureKind, MeasureState, SuspensionGround};
use crate::events::Entity;
use crate::models::{Flag, Measure, MeasureComplaint};
use crate::refusal::MeasureRefusal;
use crate::sql_types::Id;
use crate::tables::{complaint_officers, flags, measure_complaints, measures, postings};
use chrono::NaiveDate;
use diesel::prelude::*;
use serde::Serialize;

/// A measure, not yet recorded.
#[derive(Debug, Clone)]
pub struct NewMeasure {
    /// The code of the officer.
    pub officer: String,
    pub kind: MeasureKind,
    pub grounds: String,
    pub decision_maker: String,
    pub decision_number: Option<String>,
    pub decided_on: NaiveDate,
    pub starts_on: NaiveDate,
    /// The last day. A suspension without one lasts as long as its limit allows.
    pub ends_on: Option<NaiveDate>,
    /// Required of a suspension.
    pub ground: Option<SuspensionGround>,
    /// The explanation of the officer before the decision.
    pub explanation: Option<String>,
    /// When the officer said it; by default on the day of the decision.
    pub explained_on: Option<NaiveDate>,
    /// When the officer refused to explain.
    pub explanation_refused_on: Option<NaiveDate>,
    /// The flag that the measure rests on; the caller checks that the recording unit sees it.
    pub flag: Option<Id>,
    /// The complaints that it rests on; the caller checks that the recording unit sees them.
    pub complaints: Vec<Id>,
    /// The reason why it rests on neither.
    pub no_basis_reason: Option<String>,
}

/// A later change to a measure.
#[derive(Debug, Clone)]
pub enum MeasureStep {
    /// Sets the last day, or corrects it.
    End { on: NaiveDate, reason: String },
    /// Ends the measure early: `on` is its last day.
    Lift { on: NaiveDate, reason: String },
    /// Extends a suspension.
    Extend(Extension),
    /// Marks the measure as recorded by mistake.
    Void { reason: String },
}

/// A measure with the complaints that it rests on, as its event stores them.
#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    measure: &'a Measure,
    complaints: Vec<Id>,
}

/// The state of a measure on a day.
pub fn state_on(measure: &Measure, day: NaiveDate) -> MeasureState {
    let is_over = measure.ends_on.is_some_and(|end| end < day);
    if measure.void_reason.is_some() {
        MeasureState::Void
    } else if day < measure.starts_on {
        MeasureState::Upcoming
    } else if is_over && measure.lifted_on.is_some() {
        MeasureState::Lifted
    } else if is_over {
        MeasureState::Lapsed
    } else if measure.extended_from.is_some_and(|from| from < day) {
        MeasureState::Extended
    } else {
        MeasureState::InForce
    }
}

/// Records a measure about an officer who, on the day of the decision, had a posting in `unit` or below it.
/// `except_officer` is the caller, who may not record measures about themselves; `sees` tells whether the caller sees a
/// measure. A suspension keeps to the limits, in working days of the register's calendar.
///
/// # Errors
/// `Rule` if the officer had no such posting, a date is invalid, the flag is not about the officer, a complaint does
/// not name the officer, the basis is missing, or a suspension breaks its rules; `Conflict` if the measure is recorded
/// already, or a suspension overlaps another one of the officer.
pub fn record_measure(
    tx: &mut WriteTx<'_>,
    limits: &SuspensionLimits,
    unit: Id,
    except_officer: Option<Id>,
    new: NewMeasure,
    sees: impl Fn(&mut Conn, Id) -> Result<bool, StoreError>,
) -> Result<Measure, StoreError> {
    // A merge of officers waits for it, and then moves the measure, too.
    crate::db::dialect::lock_tree_shared(tx.conn)?;
    let clock = clock_rules(tx.conn)?;
    let rules = SuspensionRules { calendar: &clock.calendar, limits };
    let missing = || StoreError::from(MeasureRefusal::NotServed { officer: new.officer.clone(), day: new.decided_on });
    // An unknown officer has no posting. The same error for the caller's own code: it reveals nothing more.
    let aliases = Aliases::load(tx.conn)?;
    let officer_id = aliases.officer(reference_id(Entity::Officer, &new.officer));
    if except_officer == Some(officer_id) {
        return Err(missing());
    }
    let below = load_tree(tx.conn)?.below_on(unit, new.decided_on);
    let served: Vec<Id> = postings::table
        .filter(postings::officer_id.eq(officer_id))
        .filter(postings::valid_from.le(new.decided_on))
        .filter(postings::valid_to.is_null().or(postings::valid_to.ge(new.decided_on)))
        .order((postings::valid_from.desc(), postings::unit_id))
        .select(postings::unit_id)
        .load(tx.conn)?;
    let unit_id = served.into_iter().find(|unit| below.contains(unit)).ok_or_else(missing)?;
    if new.decided_on > local_date(tx.now) {
        return Err(MeasureRefusal::DecidedInFuture.into());
    }
    if new.starts_on < new.decided_on {
        return Err(MeasureRefusal::StartsBeforeDecision.into());
    }
    if new.ends_on.is_some_and(|day| day < new.starts_on) {
        return Err(MeasureRefusal::EndsBeforeStart.into());
    }
    let flag = flag_on(tx.conn, &aliases, officer_id, new.flag)?;
    let complaints = complaints_naming(tx.conn, officer_id, &new.complaints)?;
    let basis = basis_of(&new)?;
    suspension::check_explanation(&new)?;
    let terms = match new.kind {
        MeasureKind::Suspension => Some(suspension::terms(tx, rules, &new, flag.as_ref())?),
        _ => None,
    };
    let standing = measures::table
        .filter(measures::officer_id.eq(officer_id))
        .filter(measures::kind.eq(new.kind))
        .filter(measures::decided_on.eq(new.decided_on))
        .filter(measures::starts_on.eq(new.starts_on))
        .filter(measures::recorded_by_unit_id.eq(unit))
        .filter(measures::void_reason.is_null())
        .count()
        .get_result::<i64>(tx.conn)?;
    if standing > 0 {
        return Err(MeasureRefusal::Recorded.into());
    }
    if let Some(terms) = &terms {
        suspension::refuse_overlap(tx, officer_id, None, (new.starts_on, terms.ends_on), &sees)?;
    }
    let days = |days: u32| i32::try_from(days).unwrap_or(i32::MAX);
    let measure = Measure {
        id: random_id(),
        officer_id,
        unit_id,
        kind: new.kind,
        grounds: new.grounds,
        decision_maker: new.decision_maker,
        decision_number: new.decision_number,
        decided_on: new.decided_on,
        starts_on: new.starts_on,
        ends_on: terms.as_ref().map(|terms| terms.ends_on).or(new.ends_on),
        end_reason: None,
        flag_id: new.flag,
        void_reason: None,
        recorded_by_unit_id: unit,
        recorded_at: tx.now,
        version: 1,
        actor: tx.actor.to_owned(),
        ground: new.ground,
        explained_on: new.explained_on.or_else(|| new.explanation.is_some().then_some(new.decided_on)),
        explanation: new.explanation,
        explanation_refused_on: new.explanation_refused_on,
        limit_days: terms.as_ref().map(|terms| days(terms.limit.working_days)),
        extension_limit_days: terms.as_ref().map(|terms| days(terms.limit.extension_working_days)),
        limits_version: terms.map(|terms| terms.limits_version),
        extended_from: None,
        extension_decided_on: None,
        extension_reason: None,
        lifted_on: None,
        basis: Some(basis),
        no_basis_reason: new.no_basis_reason,
    };
    let measure_id = measure.id;
    each!(&mut *tx.conn, c => diesel::insert_into(measures::table).values(&measure).execute(c)?);
    for complaint_id in complaints.iter().copied() {
        let row = MeasureComplaint { measure_id, complaint_id };
        each!(&mut *tx.conn, c => diesel::insert_into(measure_complaints::table).values(&row).execute(c)?);
    }
    let whole = Whole { measure: &measure, complaints };
    change(tx, Entity::Measure, measure_id, None, &whole);
    Ok(measure)
}

/// The flag that a measure rests on, which is on its officer, or on one who was merged into it: such a flag remains
/// until the next run.
fn flag_on(conn: &mut Conn, aliases: &Aliases, officer: Id, flag: Option<Id>) -> Result<Option<Flag>, StoreError> {
    let Some(id) = flag else { return Ok(None) };
    let found: Option<Flag> = flags::table.find(id).select(Flag::as_select()).first(conn).optional()?;
    let is_on = |flag: &Flag| flag.officer_id.map(|named| aliases.officer(named)) == Some(officer);
    found.filter(is_on).ok_or_else(|| no_such_flag(id)).map(Some)
}

/// The complaints that a measure rests on, each once and in order; all of them name its officer.
fn complaints_naming(conn: &mut Conn, officer: Id, complaints: &[Id]) -> Result<Vec<Id>, StoreError> {
    if complaints.is_empty() {
        return Ok(Vec::new());
    }
    let mut wanted = complaints.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    let naming: Vec<Id> = complaint_officers::table
        .filter(complaint_officers::officer_id.eq(officer))
        .filter(complaint_officers::complaint_id.eq_any(wanted.as_slice()))
        .select(complaint_officers::complaint_id)
        .load(conn)?;
    match wanted.iter().find(|id| !naming.contains(id)) {
        Some(other) => Err(no_such_complaint(*other)),
        None => Ok(wanted),
    }
}

/// The basis of a measure. It is required, also if it is explicitly none.
fn basis_of(new: &NewMeasure) -> Result<MeasureBasisKind, StoreError> {
    match (new.flag, new.complaints.is_empty(), &new.no_basis_reason) {
        (None, true, Some(_)) => Ok(MeasureBasisKind::None),
        (None, true, None) => Err(MeasureRefusal::BasisMissing.into()),
        (_, _, Some(_)) => Err(MeasureRefusal::BasisReason.into()),
        (Some(_), _, None) => Ok(MeasureBasisKind::Flag),
        (None, false, None) => Ok(MeasureBasisKind::Complaints),
    }
}

/// Gives the same error for a flag that does not exist and for one that the caller may not see.
pub fn no_such_flag(flag: Id) -> StoreError {
    MeasureRefusal::UnknownFlag { flag: flag.to_string() }.into()
}

/// Gives the same error for a complaint that does not exist, does not name the officer, or may not be seen by the
/// caller.
pub fn no_such_complaint(id: Id) -> StoreError {
    MeasureRefusal::UnknownComplaint { complaint: id.to_string() }.into()
}

/// Ends, lifts, extends or voids a measure that is still at `expected_version`. `sees` tells whether the caller sees a
/// measure, `own` whether the caller may change it.
///
/// # Errors
/// `NotFound`; `Conflict` if the measure is at another version or void, was lifted or extended before, or would overlap
/// another suspension; `Rule` if another unit recorded it, a day is wrong, or a suspension would exceed its limit.
pub fn change_measure(
    tx: &mut WriteTx<'_>,
    limits: &SuspensionLimits,
    id: Id,
    expected_version: i32,
    step: MeasureStep,
    sees: impl Fn(&mut Conn, Id) -> Result<bool, StoreError>,
    own: impl FnOnce(&Measure) -> bool,
) -> Result<Measure, StoreError> {
    // Before the row: a merge of officers writes measures under the exclusive lock.
    crate::db::dialect::lock_tree_shared(tx.conn)?;
    let clock = clock_rules(tx.conn)?;
    let rules = SuspensionRules { calendar: &clock.calendar, limits };
    let missing = || StoreError::no_such("measure", &id, "measures");
    if !sees(tx.conn, id)? {
        return Err(missing());
    }
    let locked = lock_at_version!(tx, measures, id, expected_version);
    let found: Option<Measure> = measures::table.find(id).select(Measure::as_select()).first(tx.conn).optional()?;
    let before = found.ok_or_else(missing)?;
    if !own(&before) {
        return Err(MeasureRefusal::OfAnotherUnit.into());
    }
    if !locked {
        return Err(version_conflict("measure", before.version, expected_version));
    }
    if before.void_reason.is_some() {
        return Err(MeasureRefusal::Void.into());
    }
    let mut now = before.clone();
    match step {
        MeasureStep::End { on, reason } => {
            if on < before.starts_on {
                return Err(MeasureRefusal::EndedBeforeStart.into());
            }
            refuse_lifted(&before)?;
            if before.kind == MeasureKind::Suspension {
                suspension::check_end(tx, rules, &before, on, &sees)?;
            }
            now.ends_on = Some(on);
            now.end_reason = Some(reason);
        }
        MeasureStep::Lift { on, reason } => {
            if on < before.starts_on {
                return Err(MeasureRefusal::LiftedBeforeStart { day: on, start: before.starts_on }.into());
            }
            refuse_lifted(&before)?;
            if let Some(end) = before.ends_on.filter(|end| on >= *end) {
                return Err(MeasureRefusal::LiftedAfterEnd { day: on, end }.into());
            }
            now.lifted_on = Some(on);
            now.ends_on = Some(on);
            now.end_reason = Some(reason);
        }
        MeasureStep::Extend(extension) => now = suspension::extend(tx, rules, &before, extension, &sees)?,
        MeasureStep::Void { reason } => now.void_reason = Some(reason),
    }
    now.version += 1;
    each!(&mut *tx.conn, c => diesel::update(measures::table.find(id)).set(&now).execute(c)?);
    change(tx, Entity::Measure, id, Some(&before), &now);
    Ok(now)
}

fn refuse_lifted(measure: &Measure) -> Result<(), StoreError> {
    match measure.lifted_on {
        None => Ok(()),
        Some(day) => Err(MeasureRefusal::Lifted { day }.into()),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
