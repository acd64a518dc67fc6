//! Compares reference data, guidance, proposals, measures and merges with their events.

use super::super::rows::{Event, ReferenceRow, reference_event};
use super::broken::{Broken, readable};
use super::derived::Derived;
use super::fold::{SideValue, State, check_values, list_differences};
use super::names::{self, code_of};
use super::parts::{Part, Run, of_part};
use super::problem::{Findings, Problem, RowName};
use super::sums::{Spans, Sums};
use crate::db::readable::{Readable, Unreadable, columns_of};
use crate::db::{Conn, StoreError};
use crate::domain::ids::reference_id;
use crate::enums::{Chain, Side};
use crate::events::{Entity, Fields, fields_of};
use crate::models::{
    CorrectionProposal, CorrectionProposalOfficer, Enterprise, GuidanceDocument, GuidanceOpinion, HolidayYear,
    IssueCategory, Measure, MeasureComplaint, Merge, Officer, Posting, Proposal, ProposalCategory, ProposalUnit,
    RoutingRule, SystemIncident, Unit, UnitParent, Workload,
};
use crate::sql_types::Id;
use crate::tables::{
    correction_proposal_officers, correction_proposals, enterprises, guidance_documents, guidance_opinions,
    holiday_years, issue_categories, measure_complaints, measures, merges, officers, postings, proposal_categories,
    proposal_units, proposals, reference_event_values as side, reference_events, routing_rules, system_incidents,
    unit_parents, units, workload,
};
use diesel::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

const CHAIN: Chain = Chain::Reference;

/// Loads the stored fields of each entity, with its lists.
fn load(
    conn: &mut Conn,
    derived: Derived,
    part: &Part,
    broken: &mut Broken,
    findings: &mut Findings,
) -> Result<BTreeMap<Id, Fields>, StoreError> {
    macro_rules! plain {
        ($table:ident, $model:ident) => {{
            let rows: Vec<Readable<$model>> =
                of_part!(conn, part, $table::id, $table::table.order($table::id).select(columns_of!($model)));
            broken
                .readable(stringify!($table), "id", rows, findings)
                .iter()
                .map(|row| (row.id, fields_of(row)))
                .collect()
        }};
    }
    macro_rules! listed {
        ($table:ident, $model:ident, $id:ident, $found:expr, $field:literal, $row:expr) => {{
            let rows: Vec<Readable<$model>> =
                of_part!(conn, part, $table::$id, $table::table.order($table::$id).select(columns_of!($model)));
            let rows = broken.readable(stringify!($table), stringify!($id), rows, findings);
            let mut lists: BTreeMap<Id, Vec<Value>> = BTreeMap::new();
            rows.iter().for_each(|row| lists.entry(row.$id).or_default().push($row(row)));
            for (id, list) in lists {
                $found.entry(id).or_default().insert($field.to_owned(), list.into());
            }
        }};
    }
    let mut found: BTreeMap<Id, Fields> = BTreeMap::new();
    match derived {
        Derived::Units => found = plain!(units, Unit),
        Derived::Officers => found = plain!(officers, Officer),
        Derived::Enterprises => found = plain!(enterprises, Enterprise),
        Derived::Categories => found = plain!(issue_categories, IssueCategory),
        Derived::RoutingRules => found = plain!(routing_rules, RoutingRule),
        Derived::Holidays => found = plain!(holiday_years, HolidayYear),
        Derived::Workload => found = plain!(workload, Workload),
        Derived::Incidents => found = plain!(system_incidents, SystemIncident),
        Derived::Guidance => found = plain!(guidance_documents, GuidanceDocument),
        Derived::UnitParents => listed!(unit_parents, UnitParent, unit_id, found, "parents", |row: &_| json!(row)),
        Derived::Postings => listed!(postings, Posting, officer_id, found, "postings", |row: &_| json!(row)),
        Derived::Proposals => {
            found = plain!(proposals, Proposal);
            let category = |row: &ProposalCategory| json!(row.category_id);
            listed!(proposal_categories, ProposalCategory, proposal_id, found, "categories", category);
            let unit = |row: &ProposalUnit| json!(row.unit_id);
            listed!(proposal_units, ProposalUnit, proposal_id, found, "units", unit);
        }
        Derived::Measures => {
            found = plain!(measures, Measure);
            let complaint = |row: &MeasureComplaint| json!(row.complaint_id);
            listed!(measure_complaints, MeasureComplaint, measure_id, found, "complaints", complaint);
        }
        Derived::CorrectionProposals => {
            found = plain!(correction_proposals, CorrectionProposal);
            let officer = |row: &CorrectionProposalOfficer| json!(row.officer_id);
            listed!(correction_proposal_officers, CorrectionProposalOfficer, proposal_id, found, "officers", officer);
        }
        Derived::Merges => found = plain!(merges, Merge),
        Derived::Opinions => {
            let rows: Vec<Readable<GuidanceOpinion>> =
                guidance_opinions::table.select(columns_of!(GuidanceOpinion)).load(conn)?;
            let id_of = |document: Id, revision: i64| reference_id(Entity::Opinion, &format!("{document}-{revision}"));
            let id = |row: &GuidanceOpinion| id_of(row.document_id, row.revision.into());
            let owner = |row: &Unreadable| Some(id_of(row.id("document_id")?, row.number("revision")?));
            let rows = broken.readable_of("guidance_opinions", owner, rows, findings);
            found.extend(rows.iter().map(|row| (id(row), fields_of(row))));
            if let Part::Ids(ids) = part {
                found.retain(|id, _| ids.contains(id));
            }
        }
    }
    Ok(found)
}

/// Verifies a part: adds the marks of its events to the sums and compares its rows with the events.
///
/// # Errors
/// If the database fails.
pub fn verify(
    conn: &mut Conn,
    derived: Derived,
    part: &Part,
    spans: &Spans,
    sums: &mut Sums,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let entity = derived.entity().as_str();
    let mut broken = Broken::default();
    let rows: Vec<Readable<ReferenceRow>> = of_part!(
        conn,
        part,
        reference_events::entity_id,
        reference_events::table.filter(reference_events::entity.eq(entity)).order((
            reference_events::entity_id,
            reference_events::position,
            reference_events::ordinal
        ))
    );
    let mut events = Vec::with_capacity(rows.len());
    for row in broken.readable("reference_events", "entity_id", rows, findings) {
        let (mark, event) = reference_event(row)?;
        spans.add(sums, &mark);
        events.push(event);
    }
    let mut values = values(conn, entity, part, findings)?;
    let mut found = load(conn, derived, part, &mut broken, findings)?;
    let count = |field: Option<&str>| -> usize {
        let lists = found.values().filter_map(|fields| fields.get(field?)?.as_array()).map(Vec::len);
        if field.is_none() { found.len() } else { lists.sum() }
    };
    let counts: Vec<_> = derived.lists().iter().map(|(field, table, _)| (*table, count(Some(field)))).collect();
    if !derived.is_list() {
        findings.count(derived.table(), count(None));
    }
    counts.into_iter().for_each(|(table, rows)| findings.count(table, rows));
    let mut events = Run::new(events, |event| event.entity_id);
    while let Some(id) = events.head() {
        let events = events.take(id);
        let mut values: Vec<SideValue> =
            events.iter().filter_map(|event| values.remove(&event.place())).flatten().collect();
        check_values(CHAIN, &events, &mut values, findings);
        let expected = expected_state(events);
        let row = found.remove(&id);
        // With an unreadable event the expected rows are unknown.
        if !broken.has("reference_events", id) {
            compare(conn, (derived, id), Some(expected), row, &values, &broken, findings)?;
        }
    }
    for (id, row) in found {
        if !broken.has("reference_events", id) {
            compare(conn, (derived, id), None, Some(row), &[], &broken, findings)?;
        }
    }
    Ok(())
}

fn expected_state(events: Vec<Event>) -> State {
    let mut state = State::default();
    for event in events.into_iter().filter(|event| event.position > 0) {
        let place = event.place();
        if let Value::Object(after) = event.after {
            state.apply(after, place, |_| None);
        }
    }
    state
}

type ValueRow = (i64, i32, Side, String, Vec<u8>, String);
type Values = HashMap<(i64, i32), Vec<SideValue>>;

fn values(conn: &mut Conn, entity: &str, part: &Part, findings: &mut Findings) -> Result<Values, StoreError> {
    let rows: Vec<Readable<ValueRow>> = of_part!(
        conn,
        part,
        reference_events::entity_id,
        side::table
            .inner_join(
                reference_events::table
                    .on(reference_events::position.eq(side::position).and(reference_events::ordinal.eq(side::ordinal)))
            )
            .filter(reference_events::entity.eq(entity))
            .select((side::position, side::ordinal, side::side, side::field, side::salt, side::value))
    );
    let mut values = Values::new();
    for (position, ordinal, side, field, salt, value) in readable("reference_event_values", rows, findings) {
        let place = (position, ordinal);
        values.entry(place).or_default().push(SideValue { place, side, field, salt, value, is_committed: false });
    }
    Ok(values)
}

fn compare(
    conn: &mut Conn,
    (derived, id): (Derived, Id),
    expected: Option<State>,
    actual: Option<Fields>,
    values: &[SideValue],
    broken: &Broken,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let mut actual = actual;
    let has_events = expected.is_some();
    let mut expected = expected.unwrap_or_default();
    for (field, table, key) in derived.lists() {
        let listed = expected.fields.remove(*field).map(as_rows);
        let rows = actual.as_mut().and_then(|actual| actual.remove(*field)).map(as_rows);
        let rows: Vec<Fields> = match rows {
            Some(Value::Array(rows)) => rows.into_iter().filter_map(|row| row.as_object().cloned()).collect(),
            _ => Vec::new(),
        };
        for difference in list_differences(listed.as_ref(), rows, key) {
            if difference.kind == "removed" && broken.has(table, id) {
                continue;
            }
            if findings.is_full(CHAIN, table) {
                findings.more += 1;
                continue;
            }
            let name = RowName { table, name: listed_name(conn, table, id, &difference.row)?, id: id.to_string() };
            findings.report(Problem::of_row(CHAIN, &name, difference.kind, difference.column.as_deref()));
        }
    }
    if derived.is_list() || broken.has(derived.table(), id) {
        return Ok(());
    }
    // An empty state means that only lists are stored for this id, and no row.
    let actual = actual.filter(|fields| !fields.is_empty());
    if actual.is_none() && !has_events {
        return Ok(());
    }
    let (kind, columns) = match (has_events, &actual) {
        (_, None) => ("removed", Vec::new()),
        (false, Some(_)) => ("inserted", Vec::new()),
        (true, Some(actual)) => {
            let differences = expected.differences(actual, values);
            if differences.is_empty() {
                return Ok(());
            }
            ("changed", differences)
        }
    };
    let table = derived.table();
    if findings.is_full(CHAIN, table) {
        findings.more += 1;
        return Ok(());
    }
    let fields = actual.as_ref().unwrap_or(&expected.fields);
    let name = RowName { table, name: name(conn, derived, id, &expected.fields, fields)?, id: id.to_string() };
    if columns.is_empty() {
        findings.report(Problem::of_row(CHAIN, &name, kind, None));
    }
    for (column, kind) in columns {
        findings.report(Problem::of_row(CHAIN, &name, kind, Some(&column)));
    }
    Ok(())
}

/// Turns a list of ids into rows with only an id.
fn as_rows(list: Value) -> Value {
    let Value::Array(list) = list else { return list };
    list.into_iter().map(|row| if row.is_string() { json!({ "id": row }) } else { row }).collect()
}

fn listed_name(conn: &mut Conn, table: &str, id: Id, row: &Fields) -> Result<String, StoreError> {
    let own = Some(Value::String(id.to_string()));
    Ok(match table {
        "unit_parents" => {
            format!("{} {}", code_of(conn, Entity::Unit, own.as_ref())?, names::text(row, "valid_from"))
        }
        "postings" => {
            let officer = code_of(conn, Entity::Officer, own.as_ref())?;
            let unit = code_of(conn, Entity::Unit, row.get("unit_id"))?;
            format!("{officer} {unit} {}", names::text(row, "valid_from"))
        }
        "proposal_units" => format!("{id} {}", code_of(conn, Entity::Unit, row.get("id"))?),
        _ => format!("{id} {}", names::text(row, "id")),
    })
}

/// The name of an entity, from its events where they hold it in the clear.
fn name(conn: &mut Conn, derived: Derived, id: Id, expected: &Fields, actual: &Fields) -> Result<String, StoreError> {
    let clear =
        |field: &str| expected.get(field).or_else(|| actual.get(field)).and_then(Value::as_str).map(str::to_owned);
    let found = match derived {
        Derived::Units | Derived::Officers | Derived::Categories => clear("code"),
        Derived::Enterprises => actual.get("tax_code").and_then(Value::as_str).map(str::to_owned),
        Derived::Incidents => clear("reference"),
        Derived::Holidays => Some(names::text(expected, "year")).filter(|year| !year.is_empty()),
        Derived::Workload => {
            let unit = code_of(conn, Entity::Unit, actual.get("unit_id"))?;
            let officer = code_of(conn, Entity::Officer, actual.get("officer_id"))?;
            let parts = [unit, officer, names::text(actual, "month")];
            Some(parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "))
        }
        Derived::Guidance | Derived::Proposals => clear("title").map(|title| format!("{id} {title}")),
        Derived::Opinions => Some(names::joined(actual, &["document_id", "revision"])),
        Derived::Measures => Some(format!(
            "{} {}",
            code_of(conn, Entity::Officer, actual.get("officer_id"))?,
            names::text(actual, "decided_on")
        )),
        Derived::Merges => {
            let from = code_of(conn, Entity::Officer, actual.get("from_officer_id"))?;
            let into = code_of(conn, Entity::Officer, actual.get("into_officer_id"))?;
            Some(format!("{from} {into}"))
        }
        Derived::UnitParents | Derived::Postings | Derived::RoutingRules | Derived::CorrectionProposals => None,
    };
    Ok(found.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| id.to_string()))
}

/// Adds the marks of events of unknown entities to the sums. There are no rows to compare.
///
/// # Errors
/// If the database fails.
pub fn unknown(conn: &mut Conn, spans: &Spans, sums: &mut Sums, findings: &mut Findings) -> Result<(), StoreError> {
    let entities: Vec<&str> = Derived::ALL.iter().map(|derived| derived.entity().as_str()).collect();
    let rows: Vec<Readable<ReferenceRow>> =
        reference_events::table.filter(reference_events::entity.ne_all(entities)).load(conn)?;
    for row in readable("reference_events", rows, findings) {
        spans.add(sums, &reference_event(row)?.0);
    }
    Ok(())
}

/// Reports values without an event, which the program never writes.
///
/// # Errors
/// If the database fails.
pub fn stray_values(conn: &mut Conn, findings: &mut Findings) -> Result<(), StoreError> {
    let rows: Vec<Readable<(i64, i32, String)>> = side::table
        .left_join(
            reference_events::table
                .on(reference_events::position.eq(side::position).and(reference_events::ordinal.eq(side::ordinal))),
        )
        .filter(reference_events::position.nullable().is_null())
        .limit(100)
        .select((side::position, side::ordinal, side::field))
        .load(conn)?;
    for (position, ordinal, field) in readable("reference_event_values", rows, findings) {
        let message = format!("the {field} of event {position}.{ordinal} is stored, but the event does not exist");
        findings.report(Problem {
            position: Some(position),
            ordinal: Some(ordinal),
            ..Problem::of(CHAIN, "changed", message)
        });
    }
    Ok(())
}
