//! Measures; and batched loads of the opinions of guidance documents, of the categories and units of proposals, and of
//! the complaints that measures rest on.

use super::keyset::Pred;
use crate::db::dialect::KEYS_PER_QUERY;
use crate::db::{Conn, MultiBackend, StoreError};
use crate::enums::MeasureState;
use crate::models::GuidanceOpinion;
use crate::sql_types::Id;
use crate::tables::{guidance_opinions, measure_complaints, measures, proposal_categories, proposal_units};
use chrono::NaiveDate;
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};

/// Whether a measure exists and meets a condition.
///
/// # Errors
/// If the database cannot be read.
pub fn measure_meets(conn: &mut Conn, id: Id, condition: Option<Pred<measures::table>>) -> Result<bool, StoreError> {
    let mut query = measures::table.into_boxed::<MultiBackend>().filter(measures::id.eq(id).nullable());
    if let Some(condition) = condition {
        query = query.filter(condition);
    }
    Ok(query.count().get_result::<i64>(conn)? > 0)
}

/// Measures that are in a state on a day, as [`state_on`](crate::register::state_on) tells it of one of them.
pub fn measures_in(state: MeasureState, day: NaiveDate) -> Pred<measures::table> {
    let valid = measures::void_reason.is_null();
    let begun = measures::starts_on.le(day);
    let over = measures::ends_on.lt(day);
    let lasts = measures::ends_on.is_null().or(measures::ends_on.ge(day));
    match state {
        MeasureState::Void => Box::new(measures::void_reason.is_not_null().nullable()),
        MeasureState::Upcoming => Box::new(valid.and(measures::starts_on.gt(day)).nullable()),
        MeasureState::Lifted => Box::new(valid.and(begun).and(over).and(measures::lifted_on.is_not_null())),
        MeasureState::Lapsed => Box::new(valid.and(begun).and(over).and(measures::lifted_on.is_null())),
        MeasureState::Extended => Box::new(valid.and(begun).and(lasts).and(measures::extended_from.lt(day))),
        MeasureState::InForce => {
            let as_decided = measures::extended_from.is_null().or(measures::extended_from.ge(day));
            Box::new(valid.and(begun).and(lasts).and(as_decided))
        }
    }
}

/// The Board's opinions about documents, oldest revision first.
///
/// # Errors
/// If the database cannot be read.
pub fn opinions_of(conn: &mut Conn, documents: &[Id]) -> Result<HashMap<Id, Vec<GuidanceOpinion>>, StoreError> {
    let mut found: HashMap<Id, Vec<GuidanceOpinion>> = HashMap::new();
    for chunk in documents.chunks(KEYS_PER_QUERY) {
        let rows: Vec<GuidanceOpinion> = guidance_opinions::table
            .filter(guidance_opinions::document_id.eq_any(chunk))
            .order((guidance_opinions::document_id, guidance_opinions::revision))
            .select(GuidanceOpinion::as_select())
            .load(conn)?;
        for row in rows {
            found.entry(row.document_id).or_default().push(row);
        }
    }
    Ok(found)
}

/// The categories of proposals.
///
/// # Errors
/// If the database cannot be read.
pub fn categories_of_proposals(conn: &mut Conn, proposals: &[Id]) -> Result<HashMap<Id, Vec<Id>>, StoreError> {
    let mut found: HashMap<Id, Vec<Id>> = HashMap::new();
    for chunk in proposals.chunks(KEYS_PER_QUERY) {
        let rows: Vec<(Id, Id)> = proposal_categories::table
            .filter(proposal_categories::proposal_id.eq_any(chunk))
            .order((proposal_categories::proposal_id, proposal_categories::category_id))
            .load(conn)?;
        for (proposal, category) in rows {
            found.entry(proposal).or_default().push(category);
        }
    }
    Ok(found)
}

/// The units of proposals.
///
/// # Errors
/// If the database cannot be read.
pub fn units_of_proposals(conn: &mut Conn, proposals: &[Id]) -> Result<HashMap<Id, Vec<Id>>, StoreError> {
    let mut found: HashMap<Id, Vec<Id>> = HashMap::new();
    for chunk in proposals.chunks(KEYS_PER_QUERY) {
        let rows: Vec<(Id, Id)> = proposal_units::table
            .filter(proposal_units::proposal_id.eq_any(chunk))
            .order((proposal_units::proposal_id, proposal_units::unit_id))
            .load(conn)?;
        for (proposal, unit) in rows {
            found.entry(proposal).or_default().push(unit);
        }
    }
    Ok(found)
}

/// The complaints that measures rest on.
///
/// # Errors
/// If the database cannot be read.
pub fn complaints_of_measures(conn: &mut Conn, measures: &[Id]) -> Result<HashMap<Id, Vec<Id>>, StoreError> {
    let mut found: HashMap<Id, Vec<Id>> = HashMap::new();
    for chunk in measures.chunks(KEYS_PER_QUERY) {
        let rows: Vec<(Id, Id)> = measure_complaints::table
            .filter(measure_complaints::measure_id.eq_any(chunk))
            .order((measure_complaints::measure_id, measure_complaints::complaint_id))
            .load(conn)?;
        for (measure, complaint) in rows {
            found.entry(measure).or_default().push(complaint);
        }
    }
    Ok(found)
}

/// The officers about whom a measure started between two days, both included; void measures do not count.
///
/// # Errors
/// If the database cannot be read.
pub fn officers_with_measures(conn: &mut Conn, from: NaiveDate, until: NaiveDate) -> Result<HashSet<Id>, StoreError> {
    let officers: Vec<Id> = measures::table
        .filter(measures::void_reason.is_null())
        .filter(measures::starts_on.ge(from))
        .filter(measures::starts_on.le(until))
        .select(measures::officer_id)
        .load(conn)?;
    Ok(officers.into_iter().collect())
}
