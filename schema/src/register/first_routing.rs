//! The responsible units of complaints that the register held before it knew such units. The migration routed them;
//! here one event records that for all of them, and earlier assignments are undone that overwrote the unit complained
//! about.
//!
//! An event for each complaint would double the history of a large register without telling more: what the migration
//! set follows from the category and the unit of the complaint at that position, and from the owners of categories,
//! which the event lists. Verification derives it from there ([`FirstRouting::unit_of`]).

use super::complaints::{self, Case};
use super::tree::load_tree;
use crate::db::readable::Readable;
use crate::db::{Conn, StoreError, WriteTx};
use crate::domain::ids::reference_id;
use crate::each;
use crate::enums::{ComplaintEventKind, ReferenceEventKind};
use crate::events::{Entity, Fields, ReferenceEvent};
use crate::sql_types::{Id, JsonValue};
use crate::tables::{complaint_events, complaints as complaint_table, issue_categories, reference_events};
use diesel::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// The actor of the events.
pub(crate) const ACTOR: &str = "migration";

/// Complaints whose events are read at once.
const AT_ONCE: i64 = 1_000;

/// The reason in the events that undo an assignment.
const REASON: &str = "An earlier assignment had replaced the unit complained about: it is restored, and the unit that \
                      the complaint was assigned to is responsible.";

/// Records what the migration has set, and undoes earlier assignments. An empty register needs no event.
///
/// # Errors
/// If the database cannot be read or written.
pub(crate) fn record(tx: &mut WriteTx<'_>) -> Result<(), StoreError> {
    let any: Option<Id> = complaint_table::table.select(complaint_table::id).first(tx.conn).optional()?;
    if any.is_none() {
        return Ok(());
    }
    let categories: Vec<(Id, Option<Id>, Option<Id>)> = issue_categories::table
        .select((issue_categories::id, issue_categories::parent_id, issue_categories::owner_unit_id))
        .load(tx.conn)?;
    let own: HashMap<Id, Option<Id>> = categories.iter().map(|(id, _, owner)| (*id, *owner)).collect();
    let owner = |(id, above, owner): &(Id, Option<Id>, Option<Id>)| {
        let owner = owner.or_else(|| own.get(&(*above)?).copied().flatten())?;
        Some((id.to_string(), json!(owner)))
    };
    let owners: Map<String, Value> = categories.iter().filter_map(owner).collect();
    tx.record_reference(ReferenceEvent {
        entity: Entity::FirstRouting,
        entity_id: event_id(),
        kind: ReferenceEventKind::Created,
        effective_at: tx.now,
        before: None,
        after: Some(Fields::from_iter([("owners".to_owned(), owners.into())])),
    });
    undo_assignments(tx)
}

/// The id of the entity of the one event.
fn event_id() -> Id {
    reference_id(Entity::FirstRouting, "complaints")
}

/// The values that the migration set, as its event records them.
pub(crate) struct FirstRouting {
    pub position: i64,
    owners: Map<String, Value>,
}

impl FirstRouting {
    /// Reads the event; None for a register that held no complaint then, or if the event cannot be read.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn load(conn: &mut Conn) -> Result<Option<Self>, StoreError> {
        let found: Option<Readable<(i64, Option<JsonValue>)>> = reference_events::table
            .filter(reference_events::entity.eq(Entity::FirstRouting.as_str()))
            .filter(reference_events::entity_id.eq(event_id()))
            .order(reference_events::position)
            .select((reference_events::position, reference_events::after))
            .first(conn)
            .optional()?;
        Ok(found.and_then(|row| row.0.ok()).map(|(position, after)| {
            let owners = after.and_then(|after| after.0.get("owners").and_then(Value::as_object).cloned());
            Self { position, owners: owners.unwrap_or_default() }
        }))
    }

    /// The responsible unit that a complaint with these fields was given.
    pub fn unit_of(&self, complaint: &Fields) -> Option<Value> {
        let category = complaint.get("category_id").and_then(Value::as_str);
        let owner = category.and_then(|category| self.owners.get(category));
        let place = || ["branch_id", "department_id", "unit_id"].iter().find_map(|field| complaint.get(*field));
        owner.or_else(place).cloned()
    }
}

#[derive(QueryableByName)]
struct Assigned {
    #[diesel(sql_type = crate::sql_types::Uid)]
    complaint_id: Id,
}

/// The fields of an event before and after.
type Change = (Option<JsonValue>, Option<JsonValue>);

/// Undoes the assignments that overwrote the unit complained about, some complaints at a time. What the transaction
/// holds in memory are the changed complaints' events: assignments to another unit are rare.
fn undo_assignments(tx: &mut WriteTx<'_>) -> Result<(), StoreError> {
    let tree = load_tree(tx.conn)?;
    let mut after: Option<Id> = None;
    loop {
        let candidates = candidates(tx.conn, after)?;
        let Some(last) = candidates.last() else { return Ok(()) };
        after = Some(*last);
        let mut histories: HashMap<Id, Vec<Change>> = HashMap::new();
        let rows: Vec<(Id, Option<JsonValue>, Option<JsonValue>)> = complaint_events::table
            .filter(complaint_events::complaint_id.eq_any(&candidates))
            .order((complaint_events::complaint_id, complaint_events::position, complaint_events::ordinal))
            .select((complaint_events::complaint_id, complaint_events::before, complaint_events::after))
            .load(tx.conn)?;
        for (id, before, after) in rows {
            histories.entry(id).or_default().push((before, after));
        }
        let mut cases = complaints::load(tx.conn, &candidates)?;
        for id in candidates {
            let (Some(case), Some(history)) = (cases.remove(&id), histories.remove(&id)) else { continue };
            let Some(about) = About::of(&history) else { continue };
            let mut restored = about.restore(&case);
            restored.set_ancestors(&tree);
            let kind = ComplaintEventKind::Updated;
            complaints::update_because(tx, kind, tx.now, &case, &mut restored, Some(REASON))?;
        }
    }
}

/// The next complaints, by id, with an event that may be an assignment: one that changes a unit and is of no import.
fn candidates(conn: &mut Conn, after: Option<Id>) -> Result<Vec<Id>, StoreError> {
    let (text, parameter) = match conn {
        Conn::Pg(_) => ("CAST(after AS text)", "$1"),
        Conn::Sqlite(_) => ("after", "?"),
    };
    let sql = format!(
        "SELECT DISTINCT complaint_id FROM complaint_events WHERE complaint_id > {parameter} \
         AND kind IN ('UPDATED', 'STATE_CHANGED') AND {text} LIKE '%\"unit_id\"%' \
         AND {text} NOT LIKE '%\"content_hash\"%' ORDER BY complaint_id LIMIT {AT_ONCE}"
    );
    // No complaint has the nil id.
    let after = after.unwrap_or(Id(uuid::Uuid::nil()));
    let found: Vec<Assigned> =
        each!(conn, c => diesel::sql_query(sql).bind::<crate::sql_types::Uid, _>(after).load(c)?);
    Ok(found.into_iter().map(|row| row.complaint_id).collect())
}

/// A unit of a complaint: its own, or that of an allegation, by officer (None for a matter) and ordinal.
type Key = Option<(Option<String>, i64)>;

/// The complaint's own unit.
const OWN: Key = None;

/// The units complained about, as they would be without assignments.
struct About {
    units: HashMap<Key, Option<Id>>,
    /// The unit of the last assignment.
    assigned: Id,
}

impl About {
    /// Folds the events of a complaint; None if no assignment changed a unit of it.
    fn of(history: &[(Option<JsonValue>, Option<JsonValue>)]) -> Option<Self> {
        let mut units: HashMap<Key, Option<Id>> = HashMap::new();
        let mut assigned = None;
        for (before, after) in history {
            let Some(after) = after.as_ref().and_then(|after| after.0.as_object()) else { continue };
            let was = before.as_ref().and_then(|before| before.0.as_object()).map(units_in).unwrap_or_default();
            let now = units_in(after);
            // Only an assignment changes the unit of a complaint outside an import. What had no unit keeps what it was
            // given: nothing was overwritten.
            let is_assignment =
                before.is_some() && after.contains_key("unit_id") && !after.contains_key(complaints::CONTENT_HASH);
            if is_assignment {
                assigned = now.get(&OWN).copied().flatten().or(assigned);
            }
            let overwrites = is_assignment && units.get(&OWN).is_some_and(Option::is_some);
            for (field, listed) in [("officers", true), ("matters", false)] {
                if after.contains_key(field) {
                    let is_listed = |key: &Key| key.as_ref().is_some_and(|(officer, _)| officer.is_some() == listed);
                    units.retain(|key, _| !is_listed(key) || now.contains_key(key));
                }
            }
            for (key, unit) in now {
                let is_new = !units.contains_key(&key);
                if is_new || (!overwrites && was.get(&key) != Some(&unit)) {
                    units.insert(key, unit);
                }
            }
        }
        Some(Self { units, assigned: assigned? })
    }

    /// The complaint with these units.
    fn restore(&self, case: &Case) -> Case {
        let mut restored = case.clone();
        let unit = |key: Key, stored: Option<Id>| self.units.get(&key).copied().unwrap_or(stored);
        restored.complaint.unit_id = unit(OWN, case.complaint.unit_id);
        restored.complaint.responsible_unit_id = Some(self.assigned);
        for row in &mut restored.officers {
            row.unit_id = unit(Some((Some(row.officer_id.to_string()), i64::from(row.ordinal))), row.unit_id);
        }
        for row in &mut restored.matters {
            row.unit_id = unit(Some((None, i64::from(row.ordinal))), row.unit_id);
        }
        restored
    }
}

/// The units that one side of an event names.
fn units_in(fields: &Fields) -> HashMap<Key, Option<Id>> {
    let id = |value: Option<&Value>| value.and_then(Value::as_str).and_then(|text| text.parse::<Id>().ok());
    let mut found = HashMap::new();
    if let Some(unit) = fields.get("unit_id") {
        found.insert(OWN, id(Some(unit)));
    }
    for field in ["officers", "matters"] {
        for row in fields.get(field).and_then(Value::as_array).into_iter().flatten() {
            let officer = row.get("officer_id").and_then(Value::as_str).map(str::to_owned);
            let ordinal = row.get("ordinal").and_then(Value::as_i64).unwrap_or_default();
            found.insert(Some((officer, ordinal)), id(row.get("unit_id")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn id(n: u128) -> Id {
        Id(Uuid::from_u128(n))
    }

    /// The units complained about, and the responsible unit, after these events.
    fn folded(events: &[(Value, Value)]) -> Option<(Option<Id>, Id)> {
        let document = |value: &Value| Some(JsonValue(value.clone())).filter(|_| !value.is_null());
        let history: Vec<_> = events.iter().map(|(before, after)| (document(before), document(after))).collect();
        let about = About::of(&history)?;
        Some((about.units[&OWN], about.assigned))
    }

    #[test]
    fn what_assignments_overwrote_is_found_and_what_imports_say_stays() {
        let of = |unit: u128| json!({ "unit_id": id(unit) });
        let received = (Value::Null, of(1));
        let assigned = |from: u128, to: u128| (of(from), json!({ "unit_id": id(to), "state": "ASSIGNED" }));
        let imported = |from: u128, to: u128| (of(from), json!({ "unit_id": id(to), "content_hash": "x" }));
        assert_eq!(folded(std::slice::from_ref(&received)), None);
        assert_eq!(folded(&[received.clone(), assigned(1, 2)]), Some((Some(id(1)), id(2))));
        assert_eq!(folded(&[received.clone(), assigned(1, 2), assigned(2, 3)]), Some((Some(id(1)), id(3))));
        assert_eq!(folded(&[received.clone(), imported(1, 4)]), None, "an import is no assignment");
        assert_eq!(folded(&[received.clone(), imported(1, 4), assigned(4, 2)]), Some((Some(id(4)), id(2))));
        assert_eq!(folded(&[received, assigned(1, 2), imported(2, 4)]), Some((Some(id(4)), id(2))), "the file knows");
        let nowhere = (Value::Null, json!({ "state": "RECEIVED" }));
        let given = (json!({ "unit_id": null }), of(2));
        assert_eq!(folded(&[nowhere, given]), Some((Some(id(2)), id(2))), "nothing was overwritten");
    }

    #[test]
    fn units_of_allegations_are_restored_with_that_of_the_complaint() {
        let officers = |unit: Option<Id>| json!([{ "officer_id": id(9), "ordinal": 0, "unit_id": unit }]);
        let history = [
            (None, Some(JsonValue(json!({ "unit_id": id(1), "officers": officers(None) })))),
            (
                Some(JsonValue(json!({ "unit_id": id(1), "officers": officers(None) }))),
                Some(JsonValue(json!({ "unit_id": id(2), "officers": officers(Some(id(2))) }))),
            ),
        ];
        let about = About::of(&history).expect("an assignment");
        let of_officer: Key = Some((Some(id(9).to_string()), 0));
        assert_eq!(about.units[&of_officer], None);
        assert_eq!(about.units[&OWN], Some(id(1)));
    }
}
