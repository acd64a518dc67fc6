//! Measures taken about officers (S7): who decided what, on which grounds, and for how long.

use super::reference::{change, claim_version, outdated};
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
    /// The flag that led to it: one that is there for who records it.
    pub flag: Option<Id>,
}

/// What is said of a measure later.
#[derive(Debug, Clone)]
pub enum MeasureStep {
    /// The last day, also another than was said before.
    End { on: NaiveDate, reason: String },
    /// It was recorded by mistake.
    Void { reason: String },
}

/// Records a measure that was decided about an officer who served in a unit, or below it, on the day.
///
/// # Errors
/// `Rule` where the officer did not, where dates cannot be, and where the flag is about somebody else.
pub fn record_measure(
    tx: &mut WriteTx<'_>,
    unit: Id,
    except_officer: Option<Id>,
    new: NewMeasure,
) -> Result<Measure, StoreError> {
    let missing =
        || StoreError::Rule(format!("officer: {:?} did not serve in your unit on {}", new.officer, new.decided_on));
    // One who is not known served nowhere, and nobody records anything about himself.
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
        return Err(StoreError::Rule("decidedOn lies in the future".into()));
    }
    if new.starts_on < new.decided_on {
        return Err(StoreError::Rule("startsOn lies before decidedOn".into()));
    }
    if new.ends_on.is_some_and(|day| day < new.starts_on) {
        return Err(StoreError::Rule("endsOn lies before startsOn".into()));
    }
    if let Some(flag) = new.flag {
        let found: Option<Flag> = flags::table.find(flag).select(Flag::as_select()).first(tx.conn).optional()?;
        if found.is_none_or(|flag| flag.officer_id != Some(officer_id)) {
            return Err(no_such_flag());
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

/// What is said where a flag is not there for who asks, and where there is none.
pub fn no_such_flag() -> StoreError {
    StoreError::Rule("flagId: there is no such flag on this officer".into())
}

/// Says when a measure ends, or that it is void, as `expected_version` knows it. `seen` says whether it is there for who
/// asks, and `own` whether that is who recorded it, or stands above.
///
/// # Errors
/// `NotFound`; `Conflict` where it was changed by somebody else or is void; `Rule` where it was recorded by others, or the
/// day cannot be.
pub fn change_measure(
    tx: &mut WriteTx<'_>,
    id: Id,
    expected_version: i32,
    step: MeasureStep,
    seen: impl FnOnce(&mut Conn) -> Result<bool, StoreError>,
    own: impl FnOnce(&Measure) -> bool,
) -> Result<Measure, StoreError> {
    let missing = || StoreError::NotFound("there is no such measure".into());
    if !seen(tx.conn)? {
        return Err(missing());
    }
    let claimed = claim_version!(tx, measures, id, expected_version);
    let found: Option<Measure> = measures::table.find(id).select(Measure::as_select()).first(tx.conn).optional()?;
    let before = found.ok_or_else(missing)?;
    if !own(&before) {
        return Err(StoreError::Rule("another unit recorded the measure: its head, or one above, changes it".into()));
    }
    if !claimed {
        return Err(outdated("measure", before.version, expected_version));
    }
    if before.void_reason.is_some() {
        return Err(StoreError::Conflict("the measure is void: nothing is said of it any more".into()));
    }
    let mut now = before.clone();
    match step {
        MeasureStep::End { on, .. } if on < before.starts_on => {
            return Err(StoreError::Rule("endsOn lies before the measure started".into()));
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
