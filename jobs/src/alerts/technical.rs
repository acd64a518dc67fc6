//! Bursts of technical complaints in the register.

use super::Found;
use crate::analyses::bursts::{Arrival, BASE_DAYS, BurstRules, GAP_DAYS, bursts};
use crate::runner::settings::Settings;
use chrono::TimeDelta;
use diesel::prelude::*;
use schema::enums::{AlertKind, CategoryKind};
use schema::tables::{complaints, issue_categories, units};
use schema::{Conn, Id, StoreError, Timestamp};
use serde_json::json;

/// The subject of a burst over all units.
const ALL: &str = "ALL";
/// The hours of which bursts are told; most looks end here, because there are few complaints.
const RECENT_HOURS: i64 = 30;

/// The bursts at a moment. Complaints count once they have a category, and if the time of their receipt is known.
pub fn bursts_now(conn: &mut Conn, now: Timestamp, settings: &Settings) -> Result<Vec<Found>, StoreError> {
    let rules = BurstRules { false_alarms_per_month: settings.alerts.false_alarms_per_month, ..BurstRules::default() };
    let ago = |span: TimeDelta| Timestamp::from(now.utc() - span);
    let recent = arrivals(conn, ago(TimeDelta::hours(RECENT_HOURS)), now)?;
    if recent.len() < usize::try_from(rules.least).unwrap_or(usize::MAX) {
        return Ok(Vec::new());
    }
    let all = arrivals(conn, ago(TimeDelta::days(BASE_DAYS + GAP_DAYS + 1)), now)?;
    let found = bursts(&all, now, rules);
    let ids: Vec<Id> = found.iter().filter_map(|burst| burst.unit).collect();
    let codes: Vec<(Id, String)> =
        units::table.filter(units::id.eq_any(&ids)).select((units::id, units::code)).load(conn)?;
    let subject = |unit: Option<Id>| match unit {
        None => ALL.to_owned(),
        Some(unit) => {
            codes.iter().find(|(id, _)| *id == unit).map_or_else(|| unit.to_string(), |(_, code)| code.clone())
        }
    };
    let found = found.into_iter().map(|burst| Found {
        kind: AlertKind::TechnicalBurst,
        subject: subject(burst.unit),
        details: json!({
            "complaints": burst.complaints,
            "expected": burst.expected,
            "from": burst.from,
            "to": burst.to,
            "probability": burst.probability,
            "falseAlarmsPerMonth": rules.false_alarms_per_month,
        }),
    });
    Ok(found.collect())
}

fn arrivals(conn: &mut Conn, from: Timestamp, until: Timestamp) -> Result<Vec<Arrival>, StoreError> {
    let rows: Vec<(Timestamp, Option<Id>, Option<Id>)> = complaints::table
        .inner_join(issue_categories::table.on(issue_categories::id.nullable().eq(complaints::category_id)))
        .filter(issue_categories::kind.eq(CategoryKind::Technical))
        .filter(complaints::received_at.ge(from))
        .filter(complaints::received_at.le(until))
        .filter(complaints::received_precision.is_null())
        .select((complaints::received_at, complaints::department_id, complaints::branch_id))
        .load(conn)?;
    Ok(rows.into_iter().map(|(at, department, branch)| Arrival { at, department, branch }).collect())
}
