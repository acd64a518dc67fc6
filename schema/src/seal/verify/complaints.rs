//! Compares complaints and their dependent rows with their events.

use super::super::rows::{ComplaintRow, complaint_event};
use super::broken::Broken;
use super::clock::clock_by_events;
use super::expected::Expected;
use super::fold::{SideValue, State, check_values, list_differences};
use super::names::{self, code_of};
use super::parts::{Part, Run, of_part};
use super::problem::{Findings, Problem, RowName};
use super::sums::{Spans, Sums};
use crate::db::readable::{Readable, columns_of};
use crate::db::{Conn, StoreError};
use crate::domain::ids::{human_reference, is_complaint_id_of};
use crate::domain::legal_clock::Clock;
use crate::enums::Chain;
use crate::events::{ComplaintEventValue, Entity, Fields, fields_of};
use crate::models::{
    Complaint, ComplaintAddition, ComplaintClock, ComplaintLink, ComplaintMatter, ComplaintOfficer, ComplaintSource,
    Redaction, UnitResponse,
};
use crate::register::complaints::{CONTENT_HASH, DERIVED};
use crate::register::first_routing::FirstRouting;
use crate::sql_types::Id;
use crate::tables::{
    complaint_additions, complaint_clocks, complaint_event_values, complaint_events, complaint_links,
    complaint_matters, complaint_officers, complaint_sources, complaints, redactions, unit_responses,
};
use diesel::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;

const CHAIN: Chain = Chain::Complaints;

/// Verifies a part: adds the marks of its events to the sums and compares its rows with the events.
///
/// # Errors
/// If the database fails.
pub fn verify(
    conn: &mut Conn,
    part: &Part,
    spans: &Spans,
    sums: &mut Sums,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    use complaint_event_values as side;
    let mut broken = Broken::default();
    let first_routing = FirstRouting::load(conn)?;
    let clock = clock_by_events(conn)?;
    let rows: Vec<Readable<ComplaintRow>> = of_part!(
        conn,
        part,
        complaint_events::complaint_id,
        complaint_events::table.order((
            complaint_events::complaint_id,
            complaint_events::position,
            complaint_events::ordinal
        ))
    );
    let mut events = Vec::with_capacity(rows.len());
    for row in broken.readable("complaint_events", "complaint_id", rows, findings) {
        let (mark, event) = complaint_event(row)?;
        spans.add(sums, &mark);
        events.push(event);
    }
    let values: Vec<Readable<ComplaintEventValue>> = of_part!(
        conn,
        part,
        side::complaint_id,
        side::table.order((side::complaint_id, side::position, side::ordinal)).select(columns_of!(ComplaintEventValue))
    );
    let complaints: Vec<Readable<Complaint>> =
        of_part!(conn, part, complaints::id, complaints::table.order(complaints::id).select(columns_of!(Complaint)));
    let officers: Vec<Readable<ComplaintOfficer>> = of_part!(
        conn,
        part,
        complaint_officers::complaint_id,
        complaint_officers::table.order(complaint_officers::complaint_id).select(columns_of!(ComplaintOfficer))
    );
    let matters: Vec<Readable<ComplaintMatter>> = of_part!(
        conn,
        part,
        complaint_matters::complaint_id,
        complaint_matters::table.order(complaint_matters::complaint_id).select(columns_of!(ComplaintMatter))
    );
    let rounds: Vec<Readable<ComplaintClock>> = of_part!(
        conn,
        part,
        complaint_clocks::complaint_id,
        complaint_clocks::table
            .order((complaint_clocks::complaint_id, complaint_clocks::round))
            .select(columns_of!(ComplaintClock))
    );
    let responses: Vec<Readable<UnitResponse>> = of_part!(
        conn,
        part,
        unit_responses::complaint_id,
        unit_responses::table.order(unit_responses::complaint_id).select(columns_of!(UnitResponse))
    );
    let sources: Vec<Readable<ComplaintSource>> = of_part!(
        conn,
        part,
        complaint_sources::complaint_id,
        complaint_sources::table.order(complaint_sources::complaint_id).select(columns_of!(ComplaintSource))
    );
    let redacted: Vec<Readable<Redaction>> = of_part!(
        conn,
        part,
        redactions::complaint_id,
        redactions::table.order(redactions::complaint_id).select(columns_of!(Redaction))
    );
    let additions: Vec<Readable<ComplaintAddition>> = of_part!(
        conn,
        part,
        complaint_additions::complaint_id,
        complaint_additions::table.order(complaint_additions::complaint_id).select(columns_of!(ComplaintAddition))
    );
    let links: Vec<Readable<ComplaintLink>> = of_part!(
        conn,
        part,
        complaint_links::complaint_id,
        complaint_links::table.order(complaint_links::complaint_id).select(columns_of!(ComplaintLink))
    );
    let values = broken.readable("complaint_event_values", "complaint_id", values, findings);
    let complaints = broken.readable("complaints", "id", complaints, findings);
    let officers = broken.readable("complaint_officers", "complaint_id", officers, findings);
    let matters = broken.readable("complaint_matters", "complaint_id", matters, findings);
    let rounds = broken.readable("complaint_clocks", "complaint_id", rounds, findings);
    let responses = broken.readable("unit_responses", "complaint_id", responses, findings);
    let sources = broken.readable("complaint_sources", "complaint_id", sources, findings);
    let redacted = broken.readable("redactions", "complaint_id", redacted, findings);
    let additions = broken.readable("complaint_additions", "complaint_id", additions, findings);
    let links = broken.readable("complaint_links", "complaint_id", links, findings);
    findings.count("complaints", complaints.len());
    findings.count("complaint_officers", officers.len());
    findings.count("complaint_matters", matters.len());
    findings.count("complaint_clocks", rounds.len());
    findings.count("unit_responses", responses.len());
    findings.count("complaint_sources", sources.len());
    findings.count("redactions", redacted.len());
    findings.count("complaint_additions", additions.len());
    findings.count("complaint_links", links.len());
    let mut events = Run::new(events, |event| event.entity_id);
    let mut values = Run::new(values, |value| value.complaint_id);
    let mut complaints = Run::new(complaints, |row| row.id);
    let mut officers = Run::new(officers, |row| row.complaint_id);
    let mut matters = Run::new(matters, |row| row.complaint_id);
    let mut rounds = Run::new(rounds, |row| row.complaint_id);
    let mut responses = Run::new(responses, |row| row.complaint_id);
    let mut sources = Run::new(sources, |row| row.complaint_id);
    let mut redacted = Run::new(redacted, |row| row.complaint_id);
    let mut additions = Run::new(additions, |row| row.complaint_id);
    let mut links = Run::new(links, |row| row.complaint_id);
    loop {
        let heads = [
            events.head(),
            values.head(),
            complaints.head(),
            officers.head(),
            matters.head(),
            rounds.head(),
            responses.head(),
            sources.head(),
            redacted.head(),
            additions.head(),
            links.head(),
        ];
        let Some(id) = heads.into_iter().flatten().min() else { return Ok(()) };
        let events = events.take(id);
        let mut values: Vec<SideValue> = values.take(id).into_iter().map(side_value).collect();
        check_values(CHAIN, &events, &mut values, findings);
        let expected = Expected::of(id, events, first_routing.as_ref());
        let rows = Rows {
            id,
            complaint: complaints.take(id).pop(),
            officers: officers.take(id),
            matters: matters.take(id),
            rounds: rounds.take(id),
            responses: responses.take(id),
            sources: sources.take(id),
            redaction: redacted.take(id).pop(),
            additions: additions.take(id),
            link: links.take(id).pop(),
        };
        // With an unreadable event the expected rows are unknown.
        if !broken.has("complaint_events", id) {
            rows.compare(conn, expected, &clock, &values, &broken, findings)?;
        }
    }
}

fn side_value(row: ComplaintEventValue) -> SideValue {
    let ComplaintEventValue { position, ordinal, side, field, salt, value, .. } = row;
    SideValue { place: (position, ordinal), side, field, salt, value, is_committed: false }
}

/// The stored rows of a complaint.
struct Rows {
    id: Id,
    complaint: Option<Complaint>,
    officers: Vec<ComplaintOfficer>,
    matters: Vec<ComplaintMatter>,
    rounds: Vec<ComplaintClock>,
    responses: Vec<UnitResponse>,
    sources: Vec<ComplaintSource>,
    redaction: Option<Redaction>,
    additions: Vec<ComplaintAddition>,
    link: Option<ComplaintLink>,
}

impl Rows {
    fn compare(
        self,
        conn: &mut Conn,
        mut expected: Expected,
        clock: &Clock,
        values: &[SideValue],
        broken: &Broken,
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        let Self { id, complaint, officers, matters, rounds, responses, sources, redaction, additions, link } = self;
        let name = |table| RowName { table, name: human_reference(id), id: id.to_string() };
        let of_response =
            |key: String| RowName { table: "unit_responses", name: format!("{} {key}", human_reference(id)), id: key };
        let is_known = expected.complaint.is_some();
        if !broken.has("complaints", id) {
            let mut actual = complaint.as_ref().map(fields_of);
            let is_derived = complaint.as_ref().is_some_and(|row| expected.set_clock(id, row, clock));
            if let Some(actual) = actual.as_mut().filter(|_| !is_derived) {
                DERIVED.iter().for_each(|column| {
                    actual.remove(*column);
                });
            }
            one(|| name("complaints"), expected.complaint.as_ref(), actual, values, findings);
        }
        let officers = officers.iter().map(fields_of).map(|mut row| {
            row.remove("complaint_id");
            row
        });
        let differences = list_differences(expected.officers.as_ref(), officers.collect(), &["officer_id", "ordinal"]);
        for difference in differences {
            let table = "complaint_officers";
            if difference.kind == "removed" && broken.has(table, id) {
                continue;
            }
            if findings.is_full(CHAIN, table) {
                findings.more += 1;
                continue;
            }
            let officer = code_of(conn, Entity::Officer, difference.row.get("officer_id"))?;
            let key = names::joined(&difference.row, &["officer_id", "ordinal"]);
            let name = RowName { table, name: format!("{} {officer}", human_reference(id)), id: format!("{id} {key}") };
            findings.report(Problem::of_row(CHAIN, &name, difference.kind, difference.column.as_deref()));
        }
        let matters = matters.iter().map(fields_of).map(|mut row| {
            row.remove("complaint_id");
            row
        });
        for difference in list_differences(expected.matters.as_ref(), matters.collect(), &["ordinal"]) {
            let ordinal = names::joined(&difference.row, &["ordinal"]);
            let (table, id) = ("complaint_matters", format!("{id} {ordinal}"));
            let name = RowName { table, name: format!("{} {ordinal}", name(table).name), id };
            findings.report(Problem::of_row(CHAIN, &name, difference.kind, difference.column.as_deref()));
        }
        let rounds = rounds.iter().map(fields_of).map(|mut row| {
            row.remove("complaint_id");
            row
        });
        for difference in list_differences(expected.rounds.as_ref(), rounds.collect(), &["round"]) {
            let (table, round) = ("complaint_clocks", names::joined(&difference.row, &["round"]));
            if difference.kind == "removed" && broken.has(table, id) {
                continue;
            }
            let name = RowName { table, name: format!("{} {round}", name(table).name), id: format!("{id} {round}") };
            findings.report(Problem::of_row(CHAIN, &name, difference.kind, difference.column.as_deref()));
        }
        for response in responses {
            let key = response.id.to_string();
            let state = expected.responses.remove(&key);
            one(|| of_response(key), state.as_ref(), Some(fields_of(&response)), values, findings);
        }
        let missing = Some(expected.responses).filter(|_| !broken.has("unit_responses", id));
        for (key, state) in missing.into_iter().flatten() {
            one(|| of_response(key), Some(&state), None, values, findings);
        }
        compare_additions(id, additions, &mut expected.additions, values, broken, findings);
        let link = link.as_ref().map(fields_of);
        if !broken.has("complaint_links", id) {
            one(|| name("complaint_links"), expected.link.as_ref(), link, values, findings);
        }
        let redaction = redaction.as_ref().map(fields_of);
        if !broken.has("redactions", id) {
            one(|| name("redactions"), expected.redaction.as_ref(), redaction, values, findings);
        }
        if !broken.has("complaint_sources", id) {
            compare_sources(id, is_known, &sources, expected.content_hash.as_ref(), findings);
        }
        Ok(())
    }
}

fn compare_additions(
    id: Id,
    additions: Vec<ComplaintAddition>,
    expected: &mut BTreeMap<String, State>,
    values: &[SideValue],
    broken: &Broken,
    findings: &mut Findings,
) {
    const TABLE: &str = "complaint_additions";
    let name = |ordinal: &str| RowName {
        table: TABLE,
        name: format!("{} {ordinal}", human_reference(id)),
        id: format!("{id} {ordinal}"),
    };
    for addition in additions {
        let ordinal = addition.ordinal.to_string();
        let state = expected.remove(&ordinal);
        one(|| name(&ordinal), state.as_ref(), Some(fields_of(&addition)), values, findings);
    }
    if broken.has(TABLE, id) {
        return;
    }
    for (ordinal, state) in std::mem::take(expected) {
        one(|| name(&ordinal), Some(&state), None, values, findings);
    }
}

fn one(
    name: impl FnOnce() -> RowName,
    expected: Option<&State>,
    actual: Option<Fields>,
    values: &[SideValue],
    findings: &mut Findings,
) {
    match (expected, actual) {
        (None, None) => {}
        (None, Some(_)) => findings.report(Problem::of_row(CHAIN, &name(), "inserted", None)),
        (Some(_), None) => findings.report(Problem::of_row(CHAIN, &name(), "removed", None)),
        (Some(expected), Some(actual)) => {
            let differences = expected.differences(&actual, values);
            if differences.is_empty() {
                return;
            }
            let name = name();
            for (column, kind) in differences {
                findings.report(Problem::of_row(CHAIN, &name, kind, Some(&column)));
            }
        }
    }
}

/// A complaint has one source, and its id is a hash of that source.
fn compare_sources(
    id: Id,
    is_known: bool,
    sources: &[ComplaintSource],
    content_hash: Option<&Value>,
    findings: &mut Findings,
) {
    let name = |row: &str| RowName { table: "complaint_sources", name: row.trim().to_owned(), id: id.to_string() };
    for source in sources {
        let name = || name(&format!("{} {}", source.source, source.reference));
        if !is_complaint_id_of(id, &source.source, &source.reference) {
            // The id is a hash of source and reference, and does not tell which of them changed.
            findings.report(Problem::of_row(CHAIN, &name(), "changed", Some("reference")));
        } else if !is_known {
            findings.report(Problem::of_row(CHAIN, &name(), "inserted", None));
        } else if content_hash.is_some_and(|hash| hash != source.content_hash.as_str()) {
            findings.report(Problem::of_row(CHAIN, &name(), "changed", Some(CONTENT_HASH)));
        }
    }
    if is_known && sources.is_empty() {
        findings.report(Problem::of_row(CHAIN, &name(&human_reference(id)), "removed", None));
    }
}
