//! Flags, their assessments and their reviews.

use super::keyset::Pred;
use crate::db::dialect::KEYS_PER_QUERY;
use crate::db::{Conn, MultiBackend, StoreError};
use crate::enums::Tier;
use crate::models::{Flag, FlagAssessment, FlagReview};
use crate::sql_types::Id;
use crate::tables::{flag_assessments, flag_reviews, flags, job_runs};
use chrono::NaiveDate;
use diesel::prelude::*;
use std::collections::HashMap;

/// Flags by id, those that meet a condition. The condition is built again for each statement.
///
/// # Errors
/// If the database cannot be read.
pub fn flags_by_id(
    conn: &mut Conn,
    ids: &[Id],
    condition: impl Fn() -> Option<Pred<flags::table>>,
) -> Result<HashMap<Id, Flag>, StoreError> {
    let mut found = HashMap::with_capacity(ids.len());
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        let mut query = flags::table.into_boxed::<MultiBackend>().filter(flags::id.eq_any(chunk.to_vec()).nullable());
        if let Some(condition) = condition() {
            query = query.filter(condition);
        }
        let rows: Vec<Flag> = query.select(Flag::as_select()).load(conn)?;
        found.extend(rows.into_iter().map(|row| (row.id, row)));
    }
    Ok(found)
}

/// The assessment of each flag by the last run that flagged its subject.
///
/// # Errors
/// If the database cannot be read.
pub fn assessments_of(conn: &mut Conn, flag_ids: &[Id]) -> Result<HashMap<Id, FlagAssessment>, StoreError> {
    let mut found = HashMap::new();
    for chunk in flag_ids.chunks(KEYS_PER_QUERY) {
        let rows: Vec<FlagAssessment> = flag_assessments::table
            .inner_join(
                flags::table
                    .on(flags::id.eq(flag_assessments::flag_id).and(flags::run_id.eq(flag_assessments::run_id))),
            )
            .filter(flag_assessments::flag_id.eq_any(chunk))
            .select(FlagAssessment::as_select())
            .load(conn)?;
        found.extend(rows.into_iter().map(|row| (row.flag_id, row)));
    }
    Ok(found)
}

/// The tiers that runs found for flags, each from the as-of day of the first run with it, oldest first.
///
/// # Errors
/// If the database cannot be read.
pub fn tiers_of(conn: &mut Conn, flag_ids: &[Id]) -> Result<HashMap<Id, Vec<(NaiveDate, Tier)>>, StoreError> {
    let mut found: HashMap<Id, Vec<(NaiveDate, Tier)>> = HashMap::new();
    for chunk in flag_ids.chunks(KEYS_PER_QUERY) {
        let rows: Vec<(Id, Tier, Option<NaiveDate>)> = flag_assessments::table
            .inner_join(job_runs::table.on(job_runs::id.eq(flag_assessments::run_id)))
            .filter(flag_assessments::flag_id.eq_any(chunk))
            .order((job_runs::as_of, job_runs::started_at))
            .select((flag_assessments::flag_id, flag_assessments::tier, job_runs::as_of))
            .load(conn)?;
        for (flag, tier, as_of) in rows {
            let (tiers, Some(day)) = (found.entry(flag).or_default(), as_of) else { continue };
            // A later run for the same day replaces the earlier one.
            tiers.retain(|(since, _)| *since < day);
            if tiers.last().is_none_or(|(_, before)| *before != tier) {
                tiers.push((day, tier));
            }
        }
    }
    Ok(found)
}

/// The reviews of flags, oldest first.
///
/// # Errors
/// If the database cannot be read.
pub fn reviews_of(conn: &mut Conn, flag_ids: &[Id]) -> Result<HashMap<Id, Vec<FlagReview>>, StoreError> {
    let rows: Vec<FlagReview> = flag_reviews::table
        .filter(flag_reviews::flag_id.eq_any(flag_ids))
        .order((flag_reviews::reviewed_at, flag_reviews::id))
        .select(FlagReview::as_select())
        .load(conn)?;
    let mut found: HashMap<Id, Vec<FlagReview>> = HashMap::new();
    for row in rows {
        found.entry(row.flag_id).or_default().push(row);
    }
    Ok(found)
}
