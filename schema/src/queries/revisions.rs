//! The revisions of reference data: the position of the last change of a row, for optimistic locking.

use crate::db::{Conn, StoreError, dialect::KEYS_PER_QUERY};
use crate::events::Entity;
use crate::sql_types::Id;
use crate::tables::reference_events;
use diesel::prelude::*;
use std::collections::HashMap;

/// The positions of the last changes of units, or of their parents.
///
/// # Errors
/// If the database cannot be read.
pub fn unit_revisions(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, i64>, StoreError> {
    revisions(conn, [Entity::Unit, Entity::UnitParents], ids)
}

/// The positions of the last changes of officers, or of their postings.
///
/// # Errors
/// If the database cannot be read.
pub fn officer_revisions(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, i64>, StoreError> {
    revisions(conn, [Entity::Officer, Entity::Postings], ids)
}

/// The positions of the last changes of categories.
///
/// # Errors
/// If the database cannot be read.
pub fn category_revisions(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, i64>, StoreError> {
    revisions(conn, [Entity::Category, Entity::Category], ids)
}

/// The positions of the last changes of the years of holidays that the register has itself.
///
/// # Errors
/// If the database cannot be read.
pub fn holiday_revisions(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, i64>, StoreError> {
    revisions(conn, [Entity::HolidayYear, Entity::HolidayYear], ids)
}

fn revisions(conn: &mut Conn, entities: [Entity; 2], ids: &[Id]) -> Result<HashMap<Id, i64>, StoreError> {
    let mut found = HashMap::with_capacity(ids.len());
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        let rows: Vec<(Id, Option<i64>)> = reference_events::table
            .filter(reference_events::entity.eq_any(entities.map(Entity::as_str)))
            .filter(reference_events::entity_id.eq_any(chunk))
            .group_by(reference_events::entity_id)
            .select((reference_events::entity_id, diesel::dsl::max(reference_events::position)))
            .load(conn)?;
        found.extend(rows.into_iter().map(|(id, position)| (id, position.unwrap_or(0))));
    }
    Ok(found)
}
