//! Bursts of technical complaints in the register.

use super::{ForHead, Found, found_of};
use crate::analyses::bursts::{Arrival, BASE_DAYS, Burst, BurstRules, GAP_DAYS, bursts};
use crate::runner::settings::Settings;
use crate::snapshot::Reference;
use chrono::TimeDelta;
use diesel::prelude::*;
use schema::db::MultiBackend;
use schema::domain::calendar::local_date;
use schema::enums::{AlertKind, CategoryKind};
use schema::queries::Pred;
use schema::tables::{complaints, issue_categories, units};
use schema::{Conn, Id, StoreError, Timestamp};
use serde_json::json;
use std::collections::HashSet;

/// The subject of a burst over all units.
pub(super) const ALL: &str = "ALL";
/// The hours with enough complaints for a burst; most runs end here, because most hours have fewer.
const RECENT_HOURS: i64 = 30;

/// The bursts at a moment. Complaints count once they have a category, and if the time of their receipt is known.
///
/// # Errors
/// If the database fails.
pub fn bursts_now(conn: &mut Conn, now: Timestamp, settings: &Settings) -> Result<Vec<Found>, StoreError> {
    let rules = rules(settings);
    let found = match of_days(conn, now, rules, || None)? {
        Some(all) => bursts(&all, now, rules),
        None => return Ok(Vec::new()),
    };
    let ids: Vec<Id> = found.iter().filter_map(|burst| burst.unit).collect();
    let codes: Vec<(Id, String)> =
        units::table.filter(units::id.eq_any(&ids)).select((units::id, units::code)).load(conn)?;
    let subject = |unit: Option<Id>| match unit {
        None => ALL.to_owned(),
        Some(unit) => {
            codes.iter().find(|(id, _)| *id == unit).map_or_else(|| unit.to_string(), |(_, code)| code.clone())
        }
    };
    Ok(found.into_iter().map(|burst| finding(&burst, subject(burst.unit), rules)).collect())
}

/// The bursts at the units of a head, of complaints that the head may see.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn bursts_of_head(
    conn: &mut Conn,
    now: Timestamp,
    settings: &Settings,
    (head, reference): (ForHead, &Reference),
    visible: impl Fn() -> Option<Pred<complaints::table>>,
) -> Result<Vec<Found>, StoreError> {
    let rules = rules(settings);
    let Some(mut all) = of_days(conn, now, rules, visible)? else { return Ok(Vec::new()) };
    let today = local_date(now);
    let is_own = |unit: &Id| reference.tree.is_within_on(*unit, head.unit, today);
    for arrival in &mut all {
        arrival.department = arrival.department.filter(is_own);
        arrival.branch = arrival.branch.filter(is_own);
    }
    // Here "all units together" are the units of the head.
    let subject = |unit: Option<Id>| reference.unit(unit.unwrap_or(head.unit)).map(|unit| unit.code.clone());
    let found = bursts(&all, now, rules)
        .into_iter()
        .filter_map(|burst| Some(Found { head: Some(head), ..finding(&burst, subject(burst.unit)?, rules) }));
    let mut found: Vec<Found> = found.collect();
    // The head's unit may be found twice: by itself, and as all units together.
    let mut seen = HashSet::new();
    found.retain(|one| seen.insert(one.subject.clone()));
    Ok(found)
}

fn rules(settings: &Settings) -> BurstRules {
    BurstRules { false_alarms_per_month: settings.alerts.false_alarms_per_month, ..BurstRules::default() }
}

/// The finding about a burst; its subject names the unit.
pub(super) fn finding(burst: &Burst, subject: String, rules: BurstRules) -> Found {
    let details = json!({
        "complaints": burst.complaints,
        "expected": burst.expected,
        "from": burst.from,
        "to": burst.to,
        "probability": burst.probability,
        "falseAlarmsPerMonth": rules.false_alarms_per_month,
    });
    found_of(AlertKind::TechnicalBurst, subject, details)
}

/// The technical complaints of the days that a scan reads; None if there are too few recent ones for a burst.
fn of_days(
    conn: &mut Conn,
    now: Timestamp,
    rules: BurstRules,
    visible: impl Fn() -> Option<Pred<complaints::table>>,
) -> Result<Option<Vec<Arrival>>, StoreError> {
    let ago = |span: TimeDelta| Timestamp::from(now.utc() - span);
    let recent = arrivals(conn, (ago(TimeDelta::hours(RECENT_HOURS)), now), visible())?;
    if recent.len() < usize::try_from(rules.least).unwrap_or(usize::MAX) {
        return Ok(None);
    }
    arrivals(conn, (ago(TimeDelta::days(BASE_DAYS + GAP_DAYS + 1)), now), visible()).map(Some)
}

fn arrivals(
    conn: &mut Conn,
    (from, until): (Timestamp, Timestamp),
    visible: Option<Pred<complaints::table>>,
) -> Result<Vec<Arrival>, StoreError> {
    let technical: Vec<Id> = issue_categories::table
        .filter(issue_categories::kind.eq(CategoryKind::Technical))
        .select(issue_categories::id)
        .load(conn)?;
    let mut query = complaints::table
        .into_boxed::<MultiBackend>()
        .filter(complaints::category_id.eq_any(technical))
        .filter(complaints::received_at.ge(from).nullable())
        .filter(complaints::received_at.le(until).nullable())
        .filter(complaints::received_precision.is_null().nullable());
    if let Some(visible) = visible {
        query = query.filter(visible);
    }
    let columns = (complaints::received_at, complaints::department_id, complaints::branch_id);
    let rows = query.select(columns).load::<(Timestamp, Option<Id>, Option<Id>)>(conn)?;
    Ok(rows.into_iter().map(|(at, department, branch)| Arrival { at, department, branch }).collect())
}
