//! Batched loads of the histories of complaints and of reference data: one statement for each kind (and chunk of ids).

use crate::db::{Conn, StoreError, dialect::KEYS_PER_QUERY};
use crate::enums::Side;
use crate::events::{Entity, StoredComplaintEvent, StoredReferenceEvent};
use crate::models::Principal;
use crate::sql_types::Id;
use crate::tables::{
    complaint_event_values, complaint_events, measures, principals, reference_event_values, reference_events,
};
use diesel::prelude::*;
use std::collections::{BTreeSet, HashMap, HashSet};

/// The place of an event of a complaint: the complaint, the position of its transaction, and its ordinal there.
pub type ComplaintEventPlace = (Id, i64, i32);

/// The place of an event of reference data: the position of its transaction, and its ordinal there.
pub type ReferenceEventPlace = (i64, i32);

/// A personal value of an event: its side, its field and its text.
pub type PersonalText = (Side, String, String);

/// The events of complaints, in the order of the register.
///
/// # Errors
/// If the database cannot be read.
pub fn complaint_events_of(
    conn: &mut Conn,
    complaints: &[Id],
) -> Result<HashMap<Id, Vec<StoredComplaintEvent>>, StoreError> {
    let mut found: HashMap<Id, Vec<StoredComplaintEvent>> = HashMap::new();
    for chunk in complaints.chunks(KEYS_PER_QUERY) {
        let rows: Vec<StoredComplaintEvent> = complaint_events::table
            .filter(complaint_events::complaint_id.eq_any(chunk))
            .order((complaint_events::complaint_id, complaint_events::position, complaint_events::ordinal))
            .select(StoredComplaintEvent::as_select())
            .load(conn)?;
        for row in rows {
            found.entry(row.complaint_id).or_default().push(row);
        }
    }
    Ok(found)
}

/// The personal values of events of complaints. An erased value is missing.
///
/// # Errors
/// If the database cannot be read.
pub fn complaint_event_values_of(
    conn: &mut Conn,
    places: &[ComplaintEventPlace],
) -> Result<HashMap<ComplaintEventPlace, Vec<PersonalText>>, StoreError> {
    let mut found: HashMap<ComplaintEventPlace, Vec<PersonalText>> = HashMap::new();
    // Each place binds two keys at most.
    for chunk in places.chunks(KEYS_PER_QUERY / 2) {
        let wanted: HashSet<ComplaintEventPlace> = chunk.iter().copied().collect();
        // Sets: an id or position of several places is bound once.
        let complaints: BTreeSet<Id> = chunk.iter().map(|(complaint, ..)| *complaint).collect();
        let positions: BTreeSet<i64> = chunk.iter().map(|(_, position, _)| *position).collect();
        type Row = (Id, i64, i32, Side, String, String);
        let rows: Vec<Row> = complaint_event_values::table
            .filter(complaint_event_values::complaint_id.eq_any(complaints))
            .filter(complaint_event_values::position.eq_any(positions))
            .select((
                complaint_event_values::complaint_id,
                complaint_event_values::position,
                complaint_event_values::ordinal,
                complaint_event_values::side,
                complaint_event_values::field,
                complaint_event_values::value,
            ))
            .load(conn)?;
        for (complaint, position, ordinal, side, field, value) in rows {
            let place = (complaint, position, ordinal);
            if wanted.contains(&place) {
                found.entry(place).or_default().push((side, field, value));
            }
        }
    }
    Ok(found)
}

/// The events of some entities with some ids, in the order of the register.
///
/// # Errors
/// If the database cannot be read.
pub fn reference_events_of(
    conn: &mut Conn,
    entities: &[Entity],
    ids: &[Id],
) -> Result<HashMap<Id, Vec<StoredReferenceEvent>>, StoreError> {
    let words: Vec<&str> = entities.iter().map(|entity| entity.as_str()).collect();
    let mut found: HashMap<Id, Vec<StoredReferenceEvent>> = HashMap::new();
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        let rows: Vec<StoredReferenceEvent> = reference_events::table
            .filter(reference_events::entity.eq_any(&words))
            .filter(reference_events::entity_id.eq_any(chunk))
            .order((reference_events::entity_id, reference_events::position, reference_events::ordinal))
            .select(StoredReferenceEvent::as_select())
            .load(conn)?;
        for row in rows {
            found.entry(row.entity_id).or_default().push(row);
        }
    }
    Ok(found)
}

/// The events of the measures about officers, by officer, in no order.
///
/// # Errors
/// If the database cannot be read.
pub fn measure_events_of(
    conn: &mut Conn,
    officers: &[Id],
) -> Result<HashMap<Id, Vec<StoredReferenceEvent>>, StoreError> {
    let mut officer_of: HashMap<Id, Id> = HashMap::new();
    for chunk in officers.chunks(KEYS_PER_QUERY) {
        let rows: Vec<(Id, Id)> = measures::table
            .filter(measures::officer_id.eq_any(chunk))
            .select((measures::id, measures::officer_id))
            .load(conn)?;
        officer_of.extend(rows);
    }
    let of_officers: Vec<Id> = officer_of.keys().copied().collect();
    let mut found: HashMap<Id, Vec<StoredReferenceEvent>> = HashMap::new();
    for (measure, events) in reference_events_of(conn, &[Entity::Measure], &of_officers)? {
        if let Some(officer) = officer_of.get(&measure) {
            found.entry(*officer).or_default().extend(events);
        }
    }
    Ok(found)
}

/// The personal values of events of reference data. An erased value is missing.
///
/// # Errors
/// If the database cannot be read.
pub fn reference_event_values_of(
    conn: &mut Conn,
    places: &[ReferenceEventPlace],
) -> Result<HashMap<ReferenceEventPlace, Vec<PersonalText>>, StoreError> {
    let mut found: HashMap<ReferenceEventPlace, Vec<PersonalText>> = HashMap::new();
    for chunk in places.chunks(KEYS_PER_QUERY / 2) {
        let wanted: HashSet<ReferenceEventPlace> = chunk.iter().copied().collect();
        // An import stores many events at one position, so the ordinals count, too.
        let positions: BTreeSet<i64> = chunk.iter().map(|(position, _)| *position).collect();
        let ordinals: BTreeSet<i32> = chunk.iter().map(|(_, ordinal)| *ordinal).collect();
        type Row = (i64, i32, Side, String, String);
        let rows: Vec<Row> = reference_event_values::table
            .filter(reference_event_values::position.eq_any(positions))
            .filter(reference_event_values::ordinal.eq_any(ordinals))
            .select((
                reference_event_values::position,
                reference_event_values::ordinal,
                reference_event_values::side,
                reference_event_values::field,
                reference_event_values::value,
            ))
            .load(conn)?;
        for (position, ordinal, side, field, value) in rows {
            if wanted.contains(&(position, ordinal)) {
                found.entry((position, ordinal)).or_default().push((side, field, value));
            }
        }
    }
    Ok(found)
}

/// The principals with some names, but for accounts of another issuer: the register has only their rights of now.
///
/// # Errors
/// If the database cannot be read.
pub fn principals_by_name(conn: &mut Conn, names: &[String]) -> Result<HashMap<String, Principal>, StoreError> {
    let mut found = HashMap::new();
    for chunk in names.chunks(KEYS_PER_QUERY) {
        let rows: Vec<Principal> = principals::table
            .filter(principals::name.eq_any(chunk))
            .filter(principals::issuer.is_null())
            .select(Principal::as_select())
            .load(conn)?;
        found.extend(rows.into_iter().map(|row| (row.name.clone(), row)));
    }
    Ok(found)
}
