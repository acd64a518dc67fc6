//! Restores the facts as of an earlier register position by undoing every later change, newest first.

use crate::JobError;
use crate::facts::minhash::TextSketch;
use crate::facts::{
    AllegationFact, ById, CategoryFact, Change, Changes, ComplaintFact, EnterpriseFact, Facts, WorkloadFact,
};
use schema::Id;
use schema::events::{Entity, Fields};
use schema::models::{Posting, Unit, UnitParent};
use schema::register::DUPLICATE_OF;
use serde::de::DeserializeOwned;
use std::collections::HashSet;
use std::sync::Arc;

/// Undoes changes, newest first.
///
/// # Errors
/// `History` when an event cannot be parsed or refers to a missing entity: the history is damaged.
pub fn rewind(facts: &mut Facts, changes: &Changes) -> Result<(), JobError> {
    rewind_complaints(facts, &changes.complaints)?;
    let mut created = HashSet::new();
    if changes.reference.iter().any(|change| change.entity == Entity::Workload.as_str()) {
        facts.workload.order();
    }
    for change in &changes.reference {
        rewind_reference(facts, change, &mut created)?;
    }
    if !created.is_empty() {
        facts.workload.remove(&created);
    }
    Ok(())
}

fn rewind_complaints(facts: &mut Facts, changes: &[Change]) -> Result<(), JobError> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut removed = HashSet::new();
    for change in changes {
        let Some(before) = &change.before else {
            removed.insert(change.id);
            continue;
        };
        let place = facts.complaints.place(change.id).ok_or_else(|| missing(change.id, "complaint"))?;
        let mut fact = facts.complaints.at(place);
        // No `..`: a field that is added to the facts does not compile until it is restored here, too.
        let ComplaintFact {
            id: _,
            received_at,
            occurred_at,
            enterprise_id,
            unit_id,
            category_id,
            state,
            state_since,
            finding,
            decided_on,
            received_precision,
        } = &mut fact;
        restore(before, "received_at", received_at)?;
        restore(before, "occurred_at", occurred_at)?;
        restore(before, "enterprise_id", enterprise_id)?;
        restore(before, "unit_id", unit_id)?;
        restore(before, "category_id", category_id)?;
        restore(before, "state", state)?;
        restore(before, "state_since", state_since)?;
        restore(before, "finding", finding)?;
        restore(before, "decided_on", decided_on)?;
        restore(before, "received_precision", received_precision)?;
        facts.complaints.replace(place, &fact);
        if before.contains_key("text") {
            match &change.text {
                Some(text) => facts.texts.insert(change.id, Arc::new(TextSketch::of(text))),
                None => facts.texts.remove(&change.id),
            };
        }
        match before.get(DUPLICATE_OF) {
            None => {}
            Some(original) if original.is_null() => {
                facts.duplicates.remove(&change.id);
            }
            Some(_) => {
                facts.duplicates.insert(change.id);
            }
        }
        let mut rows: Option<Vec<AllegationFact>> = None;
        restore(before, "officers", &mut rows)?;
        if before.contains_key("officers") {
            let mut rows = rows.unwrap_or_default();
            for row in &mut rows {
                row.complaint_id = change.id;
            }
            facts.allegations.replace(change.id, &rows);
        }
    }
    facts.complaints.retain(|id| !removed.contains(&id));
    facts.allegations.retain(|id| !removed.contains(&id));
    Ok(())
}

/// Undoes a change of reference data. Rows of the workload are found by their ids; one that the change `created` is left
/// to be removed.
fn rewind_reference(facts: &mut Facts, change: &Change, created: &mut HashSet<Id>) -> Result<(), JobError> {
    let id = change.id;
    // An event of an unknown entity was written by another program, which `audit verify` reports.
    let Some(entity) = Entity::of_word(&change.entity) else { return Ok(()) };
    // No `_`: an entity that gets events does not compile until it is decided here whether statistics read it.
    match (entity, &change.before) {
        (Entity::Unit, None) => {
            facts.units.remove(&id);
        }
        (Entity::Unit, Some(before)) => {
            // Statistics read no name, no field, not how a unit became known and not its successor.
            let Unit {
                id: _,
                code,
                kind,
                peer_group,
                valid_from,
                valid_to,
                name_vi: _,
                name_en: _,
                field: _,
                unknown: _,
                successor_id: _,
            } = fact_mut(&mut facts.units, id, "unit")?;
            restore(before, "kind", kind)?;
            restore(before, "code", code)?;
            restore(before, "peer_group", peer_group)?;
            restore(before, "valid_from", valid_from)?;
            restore(before, "valid_to", valid_to)?;
        }
        (Entity::UnitParents, before) => {
            let mut rows: Option<Vec<UnitParent>> = None;
            if let Some(before) = before {
                restore(before, "parents", &mut rows)?;
            }
            facts.parents.insert(id, rows.unwrap_or_default());
        }
        (Entity::Postings, before) => {
            let mut rows: Option<Vec<Posting>> = None;
            if let Some(before) = before {
                restore(before, "postings", &mut rows)?;
            }
            // An officer without postings has no entry: exposures tell the two apart.
            match rows.filter(|rows| !rows.is_empty()) {
                Some(rows) => facts.postings.insert(id, rows),
                None => facts.postings.remove(&id),
            };
        }
        (Entity::Officer, None) => {
            facts.officer_codes.remove(&id);
        }
        (Entity::Enterprise, None) => {
            facts.enterprises.remove(&id);
        }
        (Entity::Enterprise, Some(before)) => {
            // A tax code identifies its enterprise and never changes.
            let EnterpriseFact { tax_code: _, group_code } = fact_mut(&mut facts.enterprises, id, "enterprise")?;
            restore(before, "group_code", group_code)?;
        }
        (Entity::Category, None) => {
            facts.categories.remove(&id);
        }
        (Entity::Category, Some(before)) => {
            let CategoryFact { kind, serious } = fact_mut(&mut facts.categories, id, "category")?;
            restore(before, "kind", kind)?;
            restore(before, "serious", serious)?;
        }
        (Entity::Workload, None) => {
            created.insert(id);
        }
        (Entity::Workload, Some(before)) => {
            let row = facts.workload.get(id).filter(|_| !created.contains(&id));
            let mut row = row.ok_or_else(|| missing(id, "workload"))?;
            let WorkloadFact { unit_id, officer_id, month, declarations } = &mut row;
            restore(before, "unit_id", unit_id)?;
            restore(before, "officer_id", officer_id)?;
            restore(before, "month", month)?;
            restore(before, "declarations", declarations)?;
            facts.workload.replace(id, &row);
        }
        // A code identifies its officer and never changes; statistics read nothing else of officers. What a merge
        // moved has events of its own.
        (Entity::Officer, Some(_))
        | (Entity::Incident | Entity::Guidance | Entity::Opinion | Entity::Proposal | Entity::Measure, _)
        // Recurrence reads the unit complained about, never the one that has to answer, and no deadline.
        | (Entity::RoutingRule | Entity::HolidayYear | Entity::FirstRouting, _)
        | (Entity::CorrectionProposal | Entity::Merge, _) => {}
    }
    Ok(())
}

fn fact_mut<'f, T>(facts: &'f mut ById<T>, id: Id, what: &str) -> Result<&'f mut T, JobError> {
    facts.get_mut(&id).ok_or_else(|| missing(id, what))
}

fn missing(id: Id, what: &str) -> JobError {
    JobError::History(format!("an event changes {what} {id}, which does not exist"))
}

/// Sets a field to its value before the change, if the change touched it.
fn restore<T: DeserializeOwned>(before: &Fields, field: &str, place: &mut T) -> Result<(), JobError> {
    let Some(value) = before.get(field) else { return Ok(()) };
    *place = serde_json::from_value(value.clone())
        .map_err(|e| JobError::History(format!("the field {field} of an event cannot be parsed: {e}")))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Workload;
    use chrono::NaiveDate;
    use serde_json::json;
    use uuid::Uuid;

    fn id(n: u128) -> Id {
        Id(Uuid::from_u128(n))
    }

    fn change(n: u128, before: Option<i64>) -> Change {
        let before = before.and_then(|declarations| json!({ "declarations": declarations }).as_object().cloned());
        Change { entity: Entity::Workload.as_str().into(), id: id(n), before, text: None }
    }

    #[test]
    fn workload_in_no_order_is_restored_by_its_id() {
        let mut workload = Workload::default();
        for (n, declarations) in [(3, 30), (1, 10), (2, 20)] {
            let fact = WorkloadFact { unit_id: id(100), officer_id: None, month: NaiveDate::default(), declarations };
            workload.push_with_id(id(n), &fact);
        }
        let mut facts = Facts { workload, ..Facts::default() };
        // Row 3 was changed twice after it was created, row 1 once.
        let reference = vec![change(3, Some(29)), change(1, Some(9)), change(3, Some(28)), change(3, None)];
        rewind(&mut facts, &Changes { complaints: Vec::new(), reference }).expect("a rewind");
        let handled: Vec<i64> = facts.workload.rows().iter().map(|row| row.declarations).collect();
        assert_eq!(handled, [9, 20], "of rows 1 and 2");
        let unknown = Changes { complaints: Vec::new(), reference: vec![change(4, Some(1))] };
        assert!(matches!(rewind(&mut facts, &unknown), Err(JobError::History(_))));
    }
}
