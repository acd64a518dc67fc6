//! Import of responses: the answers of units to complaints that the register already holds.

use super::{Group, RowOutcome, only_row, refuse};
use crate::db::{StoreError, WriteTx, dialect};
use crate::domain::calendar::{check_received, local_date};
use crate::domain::ids::reference_id;
use crate::enums::ResponseAction;
use crate::events::Entity;
use crate::import::Reject;
use crate::import::field::{FieldType::*, fields};
use crate::import::kinds::Context;
use crate::import::row::Cells;
use crate::models::Unit;
use crate::register::complaints;
use crate::register::reference::Stored;
use crate::register::{NewResponse, respond_to};
use crate::sql_types::{Id, Timestamp};
use crate::tables::unit_responses;
use diesel::prelude::*;
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

fields! {
    REFERENCE = "reference", Code, true, "the reference of the complaint in its source";
    COMPLAINT_SOURCE = "complaint_source", Code, false, "the source of the complaint; default: the source of this mapping";
    RESPONSE = "response", Code, false, "the identifier of the response in its source; default: its time";
    UNIT = "unit", Code, false, "the code of the unit that answered; default: the unit complained about";
    RESPONDED = "responded", Time, true, "when the unit answered";
    ACTION = "action", Word(ResponseAction::WORDS), false, "what the unit did; default: OTHER";
    TEXT = "text", Text, false, "the text of the answer";
    OUTCOME = "outcome", Text, false, "the result";
    SATISFIED = "satisfied", Bool, false, "whether the enterprise was satisfied; `no` reopens the complaint";
}

/// Separates the parts of a key: the ASCII unit separator.
const BETWEEN: char = '\u{1f}';

struct Read {
    source: String,
    reference: String,
    response: String,
    unit: Option<Id>,
    responded_at: Timestamp,
    action: ResponseAction,
    text: String,
    outcome: Option<String>,
    satisfied: Option<bool>,
}

/// The source, the reference and the number or time of a response, which identify it.
///
/// # Errors
/// A rejection of the row if one of these cells is blank or wrong.
pub fn key(cells: &Cells<'_>) -> Result<String, Reject> {
    let reference = super::required(cells, REFERENCE)?;
    let source = cells.code(COMPLAINT_SOURCE)?.unwrap_or_else(|| cells.mapping().source.clone());
    let response = match cells.code(RESPONSE)? {
        Some(response) => response,
        None => {
            let at = cells.time(RESPONDED)?.ok_or_else(|| cells.reject(RESPONDED, "is blank"))?;
            at.utc().to_rfc3339()
        }
    };
    Ok(format!("{source}{BETWEEN}{reference}{BETWEEN}{response}"))
}

/// Stores a batch.
///
/// # Errors
/// If the database fails. A rejected row is no error.
pub fn apply(tx: &mut WriteTx<'_>, context: &Context<'_>, batch: &[Group]) -> Result<Vec<RowOutcome>, StoreError> {
    dialect::lock_tree_shared(tx.conn)?;
    let mut read: Vec<Result<Read, Vec<Reject>>> = batch
        .iter()
        .map(|group| {
            let cells = only_row(context, group)?;
            read(context, group, &cells, tx.now).map_err(|e| vec![e])
        })
        .collect();
    let units: Vec<Id> = read.iter().flatten().filter_map(|row| row.unit).collect();
    let units = Unit::load(tx.conn, &units)?;
    refuse(context, batch, &mut read, |row| {
        let is_known = row.unit.is_none_or(|unit| units.contains_key(&unit));
        (!is_known).then_some((UNIT, "is not known to the register: import units first"))
    });

    let mut by_source: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in read.iter().flatten() {
        by_source.entry(&row.source).or_default().push(&row.reference);
    }
    let mut ids: HashMap<(String, String), Id> = HashMap::new();
    for (source, references) in by_source {
        for (reference, row) in complaints::load_sources(tx.conn, source, &references)? {
            ids.insert((source.to_owned(), reference), row.complaint_id);
        }
    }
    let wanted: Vec<Id> = ids.values().copied().collect();
    let mut cases = complaints::load_for_update(tx.conn, &wanted)?;
    let mut answered: HashSet<(Id, Id)> = HashSet::new();
    for chunk in wanted.chunks(dialect::KEYS_PER_QUERY) {
        answered.extend(
            unit_responses::table
                .filter(unit_responses::complaint_id.eq_any(chunk))
                .select((unit_responses::complaint_id, unit_responses::id))
                .load::<(Id, Id)>(tx.conn)?,
        );
    }

    // Responses are applied in the order of their times, since each one may change the state of its complaint.
    let mut order: Vec<usize> = (0..batch.len()).collect();
    order.sort_by_key(|at| read[*at].as_ref().map(|row| row.responded_at).ok());
    let mut outcomes = vec![RowOutcome::Unchanged; batch.len()];
    for at in order {
        let cells = context.columns.of(&batch[at].rows[0]);
        outcomes[at] = match &read[at] {
            Err(rejects) => RowOutcome::Rejected(rejects.clone()),
            Ok(row) => {
                let found = ids.get(&(row.source.clone(), row.reference.clone())).and_then(|id| cases.remove(id));
                match found {
                    None => {
                        let reason = format!("{:?} is not a complaint of the source {:?}", row.reference, row.source);
                        RowOutcome::Rejected(vec![cells.reject(REFERENCE, reason)])
                    }
                    Some(case) => {
                        let id = case.complaint.id;
                        let response = Id(Uuid::new_v5(&id.0, row.response.as_bytes()));
                        let unit = row.unit.or(case.complaint.unit_id).or(case.complaint.responsible_unit_id);
                        let before = case.clone();
                        let (outcome, case) = match unit {
                            _ if answered.contains(&(id, response)) => (RowOutcome::Unchanged, case),
                            _ if local_date(row.responded_at) < local_date(case.complaint.received_at) => {
                                let reason = "is before the day on which the complaint was received";
                                (RowOutcome::Rejected(vec![cells.reject(RESPONDED, reason)]), case)
                            }
                            None => {
                                let reason = "is blank, and the complaint has no unit: name the unit that answered";
                                (RowOutcome::Rejected(vec![cells.reject(UNIT, reason)]), case)
                            }
                            Some(unit_id) => match respond_to(tx, case, new_response(row, response, unit_id)) {
                                Ok(case) => (RowOutcome::Imported, case),
                                Err(StoreError::Refused(refusal)) if refusal.is_conflict() => {
                                    (RowOutcome::Rejected(vec![cells.reject(REFERENCE, refusal.to_string())]), before)
                                }
                                Err(e) => return Err(e),
                            },
                        };
                        cases.insert(id, case);
                        outcome
                    }
                }
            }
        };
    }
    Ok(outcomes)
}

fn new_response(row: &Read, id: Id, unit_id: Id) -> NewResponse {
    NewResponse {
        id,
        unit_id,
        responded_at: row.responded_at,
        action: row.action,
        text: row.text.clone(),
        outcome: row.outcome.clone(),
        satisfied: row.satisfied,
        is_statement: false,
        visibility: None,
    }
}

fn read(context: &Context<'_>, group: &Group, cells: &Cells<'_>, now: Timestamp) -> Result<Read, Reject> {
    let responded_at = cells.time(RESPONDED)?.ok_or_else(|| cells.reject(RESPONDED, "is blank"))?;
    check_received(responded_at, now).map_err(|e| cells.reject(RESPONDED, e.to_string()))?;
    Ok(Read {
        source: cells.code(COMPLAINT_SOURCE)?.unwrap_or_else(|| context.mapping.source.clone()),
        reference: super::required(cells, REFERENCE)?,
        response: group.key.rsplit(BETWEEN).next().unwrap_or_default().to_owned(),
        unit: cells.code(UNIT)?.map(|code| reference_id(Entity::Unit, &code)),
        responded_at,
        action: cells.word(ACTION)?.unwrap_or(ResponseAction::Other),
        text: cells.text(TEXT)?.map(Into::into).unwrap_or_default(),
        outcome: cells.text(OUTCOME)?.map(Into::into),
        satisfied: cells.truth(SATISFIED)?,
    })
}
