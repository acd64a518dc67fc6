//! The rules of suspensions: how long, after which explanation, extended once, and never two at a time.

use super::super::reference::Stored;
use super::NewMeasure;
use crate::db::{Conn, StoreError, WriteTx};
use crate::domain::calendar::local_date;
use crate::domain::suspension::{Limit, SuspensionRules};
use crate::domain::working_days::UnknownYear;
use crate::enums::{MeasureKind, SuspensionGround};
use crate::models::{Flag, Measure, Officer};
use crate::refusal::{MeasureRefusal, SuspensionRefusal};
use crate::sql_types::{Id, Timestamp};
use crate::tables::{flag_reviews, measures};
use chrono::NaiveDate;
use diesel::prelude::*;

/// An extension of a suspension.
#[derive(Debug, Clone)]
pub struct Extension {
    pub decided_on: NaiveDate,
    /// The new last day; None for the latest that the limit allows.
    pub ends_on: Option<NaiveDate>,
    pub reason: String,
}

/// The limits by which a new suspension is recorded, and its last day.
pub(super) struct Terms {
    pub ends_on: NaiveDate,
    pub limits_version: String,
    pub limit: Limit,
}

/// Checks the dates of the officer's explanation, or of the refusal to explain.
///
/// # Errors
/// Refuses an explanation together with a refusal to explain, a day without an explanation, and a day after the
/// decision.
pub(super) fn check_explanation(new: &NewMeasure) -> Result<(), StoreError> {
    if new.explanation.is_some() && new.explanation_refused_on.is_some() {
        return Err(SuspensionRefusal::RefusedThoughExplained.into());
    }
    if new.explanation.is_none() && new.explained_on.is_some() {
        return Err(SuspensionRefusal::ExplanationMissing.into());
    }
    let days = [("explainedOn", new.explained_on), ("explanationRefusedOn", new.explanation_refused_on)];
    for (name, day) in days {
        if let Some(day) = day.filter(|day| *day > new.decided_on) {
            let decided = new.decided_on;
            return Err(SuspensionRefusal::HeardAfter { field: name.to_owned(), day, decided }.into());
        }
    }
    Ok(())
}

/// Checks a new suspension: its ground, that the officer was heard, and its length. Returns the limits that apply.
///
/// # Errors
/// The refusal, if the ground is missing, the officer was not heard, or the suspension would last too long.
pub(super) fn terms(
    tx: &mut WriteTx<'_>,
    rules: SuspensionRules<'_>,
    new: &NewMeasure,
    flag: Option<&Flag>,
) -> Result<Terms, StoreError> {
    let Some(ground) = new.ground else {
        return Err(SuspensionRefusal::GroundMissing { grounds: SuspensionGround::WORDS.join(", ") }.into());
    };
    if new.explanation.is_none()
        && new.explanation_refused_on.is_none()
        && !explained_flag(tx.conn, flag, new.decided_on)?
    {
        return Err(SuspensionRefusal::NotHeard.into());
    }
    let limit = rules.limits.of(Some(ground));
    let latest = rules.last_day(new.starts_on, limit).map_err(unknown_year)?;
    let ends_on = new.ends_on.unwrap_or(latest);
    if ends_on > latest {
        let (start, days) = (new.starts_on, limit.working_days);
        return Err(SuspensionRefusal::Lasts { day: ends_on, start, days, latest }.into());
    }
    Ok(Terms { ends_on, limits_version: rules.limits.version.clone(), limit })
}

/// Whether a flag has an explanation of the officer that was recorded since the flag was last opened, and given by the
/// day of a decision: earlier ones were about other evidence. One that was recorded without a day counts from the day
/// of recording.
fn explained_flag(conn: &mut Conn, flag: Option<&Flag>, decided_on: NaiveDate) -> Result<bool, StoreError> {
    let Some(flag) = flag else { return Ok(false) };
    let explained: Vec<(Option<NaiveDate>, Timestamp)> = flag_reviews::table
        .filter(flag_reviews::flag_id.eq(flag.id))
        .filter(flag_reviews::explanation.is_not_null())
        .filter(flag_reviews::reviewed_at.ge(flag.opened_at))
        .select((flag_reviews::notified_on, flag_reviews::reviewed_at))
        .load(conn)?;
    let by_then = |(on, recorded): (Option<NaiveDate>, Timestamp)| on.unwrap_or(local_date(recorded)) <= decided_on;
    Ok(explained.into_iter().any(by_then))
}

/// Refuses a suspension from `from` to `to` that overlaps another one of the officer; `except` is itself, where it is
/// recorded already. Until the transaction ends no other transaction writes suspensions of this officer.
///
/// # Errors
/// The refusal, if there is another one; else if the database fails.
pub(super) fn refuse_overlap(
    tx: &mut WriteTx<'_>,
    officer: Id,
    except: Option<Id>,
    (from, to): (NaiveDate, NaiveDate),
    sees: &impl Fn(&mut Conn, Id) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    Officer::lock(tx.conn, &[officer])?;
    let others: Vec<Measure> = measures::table
        .filter(measures::officer_id.eq(officer))
        .filter(measures::kind.eq(MeasureKind::Suspension))
        .filter(measures::void_reason.is_null())
        .filter(measures::starts_on.le(to))
        .filter(measures::ends_on.is_null().or(measures::ends_on.ge(from)))
        .order((measures::starts_on, measures::id))
        .select(Measure::as_select())
        .load(tx.conn)?;
    let Some(other) = others.into_iter().find(|other| Some(other.id) != except) else { return Ok(()) };
    // The days of a measure that the caller may not see are not told.
    let (start, until) = (other.starts_on, to);
    Err(match (sees(tx.conn, other.id)?, other.ends_on) {
        (false, _) => SuspensionRefusal::Overlaps { from, until },
        (true, Some(end)) => SuspensionRefusal::OverlapsEnding { start, end, from, until },
        (true, None) => SuspensionRefusal::OverlapsOpen { start, from, until },
    }
    .into())
}

/// The limit of a recorded suspension; the present one for a suspension recorded before limits were.
fn limit_of(rules: SuspensionRules<'_>, measure: &Measure) -> Limit {
    match (measure.limit_days, measure.extension_limit_days) {
        (Some(days), Some(more)) => Limit {
            working_days: u32::try_from(days).unwrap_or(0),
            extension_working_days: u32::try_from(more).unwrap_or(0),
        },
        _ => rules.limits.of(measure.ground),
    }
}

/// Checks another last day of a suspension.
///
/// # Errors
/// The refusal, if the suspension would last too long or overlap another one; else if the database fails.
pub(super) fn check_end(
    tx: &mut WriteTx<'_>,
    rules: SuspensionRules<'_>,
    measure: &Measure,
    on: NaiveDate,
    sees: &impl Fn(&mut Conn, Id) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    // A suspension recorded before limits were may have lasted longer: what has passed is recorded as it was.
    let has_passed = measure.limit_days.is_none() && on <= local_date(tx.now);
    if !has_passed {
        let limit = limit_of(rules, measure);
        let (latest, days) = match measure.extended_from {
            Some(from) => (rules.last_day_extended(from, limit), limit.extension_working_days),
            None => (rules.last_day(measure.starts_on, limit), limit.working_days),
        };
        let latest = latest.map_err(unknown_year)?;
        if on > latest {
            return Err(match measure.extended_from {
                Some(_) => SuspensionRefusal::ExtensionEndsTooLate { day: on, days, latest },
                None => SuspensionRefusal::EndsTooLate { day: on, days, latest },
            }
            .into());
        }
    }
    if measure.ends_on.is_some_and(|end| on > end) {
        refuse_overlap(tx, measure.officer_id, Some(measure.id), (measure.starts_on, on), sees)?;
    }
    Ok(())
}

/// Extends a suspension, once.
///
/// # Errors
/// The refusal, if the suspension cannot be extended or the extension is invalid; else if the database fails.
pub(super) fn extend(
    tx: &mut WriteTx<'_>,
    rules: SuspensionRules<'_>,
    before: &Measure,
    extension: Extension,
    sees: &impl Fn(&mut Conn, Id) -> Result<bool, StoreError>,
) -> Result<Measure, StoreError> {
    if before.kind != MeasureKind::Suspension {
        return Err(SuspensionRefusal::NotASuspension.into());
    }
    let Some(end) = before.ends_on else {
        return Err(SuspensionRefusal::WithoutEnd.into());
    };
    if let Some(day) = before.lifted_on {
        return Err(SuspensionRefusal::LiftedBefore { day }.into());
    }
    if let Some(from) = before.extended_from {
        return Err(SuspensionRefusal::ExtendedBefore { from, end }.into());
    }
    let limit = limit_of(rules, before);
    if limit.extension_working_days == 0 {
        return Err(SuspensionRefusal::NoExtension.into());
    }
    let decided_on = extension.decided_on;
    if decided_on > local_date(tx.now) {
        return Err(MeasureRefusal::DecidedInFuture.into());
    }
    if decided_on < before.decided_on || decided_on > end {
        let from = before.decided_on;
        return Err(SuspensionRefusal::ExtensionDecided { day: decided_on, from, end }.into());
    }
    let latest = rules.last_day_extended(end, limit).map_err(unknown_year)?;
    let to = extension.ends_on.unwrap_or(latest);
    if to <= end || to > latest {
        let days = limit.extension_working_days;
        return Err(SuspensionRefusal::ExtensionLasts { day: to, end, days, latest }.into());
    }
    refuse_overlap(tx, before.officer_id, Some(before.id), (before.starts_on, to), sees)?;
    let mut now = before.clone();
    now.extended_from = Some(end);
    now.extension_decided_on = Some(decided_on);
    now.extension_reason = Some(extension.reason);
    now.ends_on = Some(to);
    Ok(now)
}

#[allow(clippy::needless_pass_by_value, reason = "the signature that `map_err` takes")]
fn unknown_year(unknown: UnknownYear) -> StoreError {
    SuspensionRefusal::UnknownYear { why: unknown.to_string() }.into()
}
