//! Public holidays and the days worked in exchange: years that the register has itself. They replace those of the
//! configuration, which replace those of the program, and the deadlines of complaints follow in the same transaction.

use super::checks::rule;
use crate::db::{Conn, StoreError, WriteTx, dialect};
use crate::domain::ids::reference_id;
use crate::domain::legal_clock::ClockRules;
use crate::domain::working_days::{POSSIBLE_YEARS, YearDays, Years, shipped_years, years_of};
use crate::events::Entity;
use crate::models::HolidayYear;
use crate::queries::holiday_revisions;
use crate::register::clock::{clock_files, days_of, follow_rules, register_holidays};
use crate::register::reference::{Change, Stored, upsert};
use crate::sql_types::{Id, JsonValue};
use crate::tables::holiday_years;
use diesel::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};

/// The source of the days of a year. Later sources win over earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HolidaySource {
    Program,
    Configuration,
    Register,
}

/// A year of the calendar.
#[derive(Debug, Clone, PartialEq)]
pub struct CalendarYear {
    /// The id of its row, whether there is one or not.
    pub id: Id,
    pub year: i32,
    pub days: YearDays,
    pub source: HolidaySource,
    /// The reason for the year in the register; None from another source.
    pub reason: Option<String>,
    /// The position of the last change in the register; 0 if there was none.
    pub revision: i64,
}

/// A year at the revision that the client read.
#[derive(Debug, Clone, Copy)]
pub struct SeenYear {
    pub year: i32,
    /// The revision that was seen.
    pub revision: i64,
}

/// The effects of a change of holidays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedHolidays {
    /// The years in their order, each with what happened to it.
    pub years: Vec<(i32, Change)>,
    /// The number of complaints that got another deadline.
    pub deadlines: usize,
}

/// The years of the calendar in their order: those of the program, of the configuration and of the register.
///
/// # Errors
/// `Rule` if what the register keeps cannot be read.
pub fn calendar_years(conn: &mut Conn) -> Result<Vec<CalendarYear>, StoreError> {
    let mut layers = vec![(HolidaySource::Program, shipped_years())];
    if let Some(text) = clock_files(conn)?.and_then(|files| files.holidays) {
        layers.push((HolidaySource::Configuration, years_of(&text).map_err(|message| rule("holidays", message))?));
    }
    layers.push((HolidaySource::Register, register_holidays(conn)?));
    let mut found: BTreeMap<i32, (HolidaySource, YearDays)> = BTreeMap::new();
    for (source, years) in layers {
        found.extend(years.into_iter().map(|(year, days)| (year, (source, days))));
    }
    let rows: Vec<HolidayYear> = holiday_years::table.select(HolidayYear::as_select()).load(conn)?;
    let ids: Vec<Id> = rows.iter().map(|row| row.id).collect();
    let revisions = holiday_revisions(conn, &ids)?;
    let rows: HashMap<i32, HolidayYear> = rows.into_iter().map(|row| (row.year, row)).collect();
    let year = |(year, (source, days)): (i32, (HolidaySource, YearDays))| {
        let id = id_of(year);
        let reason = rows.get(&year).filter(|_| source == HolidaySource::Register).map(|row| row.reason.clone());
        CalendarYear {
            id,
            year,
            days: days.sorted(),
            source,
            reason,
            revision: revisions.get(&id).copied().unwrap_or(0),
        }
    };
    Ok(found.into_iter().map(year).collect())
}

/// Makes the days of a year those of the register.
///
/// # Errors
/// `Conflict` if the year is at another revision; `Rule` if it is not a year, a day is of another year, a day worked is
/// not a Saturday or Sunday, or the year is missing between two others.
pub fn set_holidays(
    tx: &mut WriteTx<'_>,
    seen: SeenYear,
    days: YearDays,
    reason: &str,
) -> Result<ChangedHolidays, StoreError> {
    locked(tx, seen)?;
    changed(tx, &BTreeMap::from([(seen.year, Some(days))]), reason)
}

/// Leaves a year of the register to the configuration and the program again.
///
/// # Errors
/// `NotFound` if the register has no such year; `Conflict` if it is at another revision; `Rule` if later years of the
/// register would be left without it.
pub fn remove_holidays(tx: &mut WriteTx<'_>, seen: SeenYear, reason: &str) -> Result<ChangedHolidays, StoreError> {
    locked(tx, seen)?;
    removed(tx, seen.year, reason)
}

/// Like [`remove_holidays`], for a caller without a revision.
///
/// # Errors
/// Same errors as [`remove_holidays`], without `Conflict`.
pub fn forget_holidays(tx: &mut WriteTx<'_>, year: i32, reason: &str) -> Result<ChangedHolidays, StoreError> {
    dialect::lock_tree_exclusive(tx.conn)?;
    removed(tx, year, reason)
}

/// Makes all years of a file those of the register.
///
/// # Errors
/// `Rule` as for [`set_holidays`].
pub fn import_holidays(tx: &mut WriteTx<'_>, years: Years, reason: &str) -> Result<ChangedHolidays, StoreError> {
    dialect::lock_tree_exclusive(tx.conn)?;
    changed(tx, &years.into_iter().map(|(year, days)| (year, Some(days))).collect(), reason)
}

fn id_of(year: i32) -> Id {
    reference_id(Entity::HolidayYear, &year.to_string())
}

/// Optimistic locking of a year, which may have no row yet: the lock on the tree of units covers all years.
///
/// # Errors
/// `Conflict` if it is at another revision.
fn locked(tx: &mut WriteTx<'_>, seen: SeenYear) -> Result<(), StoreError> {
    // Before everything else: every change of deadlines takes the locks in this order.
    dialect::lock_tree_exclusive(tx.conn)?;
    let id = id_of(seen.year);
    let revision = holiday_revisions(tx.conn, &[id])?.remove(&id).unwrap_or(0);
    if revision == seen.revision {
        return Ok(());
    }
    let SeenYear { year, revision: seen } = seen;
    Err(StoreError::Conflict(format!(
        "the holidays of {year} are at revision {revision}, not {seen}: read them again and repeat the change if it \
         still applies"
    )))
}

fn removed(tx: &mut WriteTx<'_>, year: i32, reason: &str) -> Result<ChangedHolidays, StoreError> {
    if !register_holidays(tx.conn)?.contains_key(&year) {
        return Err(StoreError::NotFound(format!(
            "the register has no holidays of {year} itself: the query `holidays` says where those of a year come from"
        )));
    }
    changed(tx, &BTreeMap::from([(year, None)]), reason)
}

/// Stores years that changed, None for one that is left to the configuration and the program, and computes the
/// deadlines of complaints anew. A year whose days are the same stays as it is, with its reason.
fn changed(
    tx: &mut WriteTx<'_>,
    wanted: &BTreeMap<i32, Option<YearDays>>,
    reason: &str,
) -> Result<ChangedHolidays, StoreError> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(rule("reason", "say why the holidays change"));
    }
    let ids: Vec<Id> = wanted.keys().map(|year| id_of(*year)).collect();
    let stored = HolidayYear::load(tx.conn, &ids)?;
    let mut holidays = register_holidays(tx.conn)?;
    let mut rows = Vec::with_capacity(wanted.len());
    for (year, days) in wanted {
        if !POSSIBLE_YEARS.contains(year) {
            let (first, last) = POSSIBLE_YEARS.into_inner();
            return Err(rule("year", format!("is {year}: write one from {first} to {last}")));
        }
        let days = days.clone().map(YearDays::sorted);
        match &days {
            Some(days) => holidays.insert(*year, days.clone()),
            None => holidays.remove(year),
        };
        rows.push(row_of(*year, days, stored.get(&id_of(*year)), reason)?);
    }
    let files = clock_files(tx.conn)?.unwrap_or_default();
    ClockRules::of(&files, &holidays).map_err(|message| rule("holidays", message))?;
    let changes = upsert(tx, rows)?;
    let years = wanted.keys().copied().zip(changes).collect();
    Ok(ChangedHolidays { years, deadlines: follow_rules(tx)? })
}

/// The row of a year with its days.
fn row_of(
    year: i32,
    days: Option<YearDays>,
    stored: Option<&HolidayYear>,
    reason: &str,
) -> Result<HolidayYear, StoreError> {
    if let Some(stored) = stored
        && days_of(stored)? == days
    {
        return Ok(stored.clone());
    }
    let (days_off, days_worked) = days.map(|days| (JsonValue(json!(days.off)), JsonValue(json!(days.worked)))).unzip();
    Ok(HolidayYear { id: id_of(year), year, days_off, days_worked, reason: reason.to_owned() })
}
