//! Measures taken about officers (S7), such as a reassignment or suspension: recording, ending and voiding them.

use super::reference::{change, lock_at_version, version_conflict};
use super::tree::load_tree;
use crate::db::{Conn, StoreError, WriteTx};
use crate::domain::calendar::local_date;
use crate::domain::ids::{random_id, reference_id};
use crate::each;
use crate::enums::MeasureKind;
use crate::events::Entity;
use crate::models::{Flag, Measure};
use crate::sql_types::Id;
use crate::tables::{flags, measures, postings};
use chrono::NaiveDate;
use diesel::prelude::*;

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
    pub ends_on: Option<NaiveDate>,
    /// The flag that led to the measure; the caller checks that the recording unit sees it.
    pub flag: Option<Id>,
}

/// A later change to a measure.
#[derive(Debug, Clone)]
pub enum MeasureStep {
    /// Sets the last day, or corrects it.
    End { on: NaiveDate, reason: String },
    /// Marks the measure as recorded by mistake.
    Void { reason: String },
}

/// Records a measure about an officer who, on the day of the decision, had a posting in `unit` or below it.
/// `except_officer` is the caller, who may not record measures about themselves.
///
/// # Errors
/// `Rule` if the officer had no such posting, a date is invalid or the flag is not about the officer; `Conflict` if the
/// measure is recorded already.
pub fn record_measure(
    tx: &mut WriteTx<'_>,
    unit: Id,
    except_officer: Option<Id>,
    new: NewMeasure,
) -> Result<Measure, StoreError> {
    let missing =
        || StoreError::Rule(format!("officer: {:?} did not serve in your unit on {}", new.officer, new.decided_on));
    // An unknown officer has no posting. The same error for the caller's own code: it reveals nothing more.
    let officer_id = reference_id(Entity::Officer, &new.officer);
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
    let today = local_date(tx.now);
    if new.decided_on > today {
        return Err(StoreError::Rule("decidedOn is in the future".into()));
    }
    if new.starts_on < new.decided_on {
        return Err(StoreError::Rule("startsOn is before decidedOn".into()));
    }
    if new.ends_on.is_some_and(|day| day < new.starts_on) {
        return Err(StoreError::Rule("endsOn is before startsOn".into()));
    }
    if let Some(flag) = new.flag {
        let found: Option<Flag> = flags::table.find(flag).select(Flag::as_select()).first(tx.conn).optional()?;
        if found.is_none_or(|flag| flag.officer_id != Some(officer_id)) {
            return Err(no_such_flag(flag));
        }
    }
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
        return Err(StoreError::Conflict("the measure is recorded already: void that one if it is wrong".into()));
    }
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
        ends_on: new.ends_on,
        end_reason: None,
        flag_id: new.flag,
        void_reason: None,
        recorded_by_unit_id: unit,
        recorded_at: tx.now,
        version: 1,
        actor: tx.actor.to_owned(),
    };
    each!(&mut *tx.conn, c => diesel::insert_into(measures::table).values(&measure).execute(c)?);
    change(tx, Entity::Measure, measure.id, None, &measure);
    Ok(measure)
}

/// One error for a flag that does not exist and for one that the caller may not see.
pub fn no_such_flag(flag: Id) -> StoreError {
    StoreError::Rule(format!(
        "flagId: there is no flag {flag} on this officer: the query `flags` lists those that you may see"
    ))
}

/// Ends or voids a measure that is still at `expected_version`. `seen` tells whether the caller sees the measure, `own`
/// whether the caller may change it.
///
/// # Errors
/// `NotFound`; `Conflict` if the measure is at another version or void; `Rule` if another unit recorded it, or the day
/// is before its start.
pub fn change_measure(
    tx: &mut WriteTx<'_>,
    id: Id,
    expected_version: i32,
    step: MeasureStep,
    seen: impl FnOnce(&mut Conn) -> Result<bool, StoreError>,
    own: impl FnOnce(&Measure) -> bool,
) -> Result<Measure, StoreError> {
    let missing = || StoreError::no_such("measure", &id, "measures");
    if !seen(tx.conn)? {
        return Err(missing());
    }
    let locked = lock_at_version!(tx, measures, id, expected_version);
    let found: Option<Measure> = measures::table.find(id).select(Measure::as_select()).first(tx.conn).optional()?;
    let before = found.ok_or_else(missing)?;
    if !own(&before) {
        return Err(StoreError::Rule("another unit recorded the measure: its head or one above can change it".into()));
    }
    if !locked {
        return Err(version_conflict("measure", before.version, expected_version));
    }
    if before.void_reason.is_some() {
        return Err(StoreError::Conflict("the measure is void: it can no longer be changed".into()));
    }
    let mut now = before.clone();
    match step {
        MeasureStep::End { on, .. } if on < before.starts_on => {
            return Err(StoreError::Rule("endsOn is before the measure started".into()));
        }
        MeasureStep::End { on, reason } => {
            now.ends_on = Some(on);
            now.end_reason = Some(reason);
        }
        MeasureStep::Void { reason } => now.void_reason = Some(reason),
    }
    now.version += 1;
    each!(&mut *tx.conn, c => diesel::update(measures::table.find(id)).set(&now).execute(c)?);
    change(tx, Entity::Measure, id, Some(&before), &now);
    Ok(now)
}
