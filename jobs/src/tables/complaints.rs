//! The table `complaints`.

use super::ColumnSet;
use super::columns::{Day, Flag, Float, Instant, Money, Text, Whole, declare_table};
use super::names::Context;
use super::piece_rows::PieceRows;
use crate::JobError;
use crate::facts::days::{day_number, day_of, first_of_month};
use crate::snapshot::{Handling, Handlings, Places, meaning};
use arrow_array::RecordBatch;
use chrono::Datelike;
use polars::prelude::{BooleanChunked, DataFrame, Int32Chunked, PolarsResult};
use schema::Timestamp;
use schema::enums::{CategoryKind, Channel, ComplaintState, Finding, LegalForm, PeerGroup};

declare_table! {
    by column "complaints": "Complaints, one row for each. One that is linked to another as saying the same is left out: the other counts."
    {
        complaint: Text = "Pseudonym of the complaint.",
        received_on: Day = "Day of receipt, in Vietnam's time.",
        month: Day = "First day of the month of receipt.",
        year: Whole = "Year of receipt.",
        department: Option<Text> = "Code of the provincial department complained about, as of the complaint's day.",
        branch: Option<Text> = "Code of the branch complained about, as of the complaint's day.",
        team: Option<Text> = "Code of the team complained about, as of the complaint's day.",
        unit: Option<Text> = "Code of the unit complained about.",
        responsible_unit: Option<Text> = "Code of the unit that has to answer.",
        category: Option<Text> = "Code of the category.",
        category_group: Option<Text> = "Code of the category on the first level: the one above, or the category itself.",
        kind: Option<Text> = "Kind of the category: PROFICIENCY, PROCEDURE, RIGID_HANDLING, TECHNICAL or CONDUCT.",
        legal_form: Text = "FEEDBACK, GRIEVANCE or DENUNCIATION.",
        channel: Text = "Channel of receipt, such as PORTAL or HOTLINE.",
        state: Text = "State of the complaint.",
        enterprise: Option<Text> = "Pseudonym of the enterprise; enterprises that count as one share it. Null for anonymous complaints.",
        cost_vnd: Option<Money> = "Cost to the enterprise in VND.",
        delay_hours: Option<Float> = "Delay in hours.",
        blames_system: Flag = "Whether the officer blamed an information system.",
        confidential: Flag = "Whether the complainant asked for confidentiality.",
        due_on: Option<Day> = "Last day to answer in the present round of the legal clock.",
        answered_on: Option<Day> = "Day of the answer in the present round.",
        ended_on: Option<Day> = "Day on which the complaint was closed, withdrawn or rejected.",
        overdue: Flag = "Whether on the day of the data it waits for an answer and the deadline has passed.",
        received_at: Instant = "Time of receipt.",
        peer_group: Option<Text> = "Peer group of the unit: SEAPORT, AIRPORT, LAND_BORDER, INLAND or OTHER.",
        escalated_on: Option<Day> = "Day of the first escalation.",
        officers: Whole = "Allegations against officers.",
        finding: Option<Text> = "Finding of a complaint that names no officer; null where officers are named: see allegations.",
        was_due: Flag = "Whether on the day of the data a deadline has passed of a round that did not end unanswered.",
        in_time: Flag = "Whether it was due, and each of these rounds was answered by its deadline.",
        reopened: Flag = "Whether it is in a later round than the first.",
        waited_days: Option<Whole> = "Days of the present round to the answer, or without one to the end or to the day on which the clock was stopped, without days of stops. Null while the clock runs.",
        waits_since: Option<Day> = "Day from which the clock runs in the present round, later by the days of stops. Null when it does not run.",
    }
    month_of: "received_on"
}

fn days(facts: &DataFrame, column: &str) -> PolarsResult<Int32Chunked> {
    Ok(facts.column(column)?.i32()?.clone())
}

fn flags(facts: &DataFrame, column: &str) -> PolarsResult<BooleanChunked> {
    Ok(facts.column(column)?.bool()?.clone())
}

/// The word of an enum at the place that a column holds.
fn word(words: &[&'static str], places: Places<'_>, row: usize) -> Option<&'static str> {
    words.get(places.get(row)? as usize).copied()
}

/// Number of allegations of each complaint, or, if it names no officer, its own finding.
fn named(facts: &DataFrame) -> PolarsResult<Vec<(i64, Option<&'static str>)>> {
    let mut found = Vec::with_capacity(facts.height());
    for words in facts.column("named")?.list()?.amortized_iter() {
        let (mut officers, mut finding) = (0, None);
        if let Some(words) = words {
            for word in words.as_ref().u32()?.iter().flatten() {
                match meaning(word) {
                    (Some(_), _) => officers += 1,
                    (None, own) => finding = Finding::WORDS.get(own as usize).copied(),
                }
            }
        }
        found.push((officers, finding.filter(|_| officers == 0)));
    }
    Ok(found)
}

/// Columns of the complaints of a piece.
///
/// # Errors
/// If a column is missing.
pub(super) fn make(of: &Context<'_>, piece: &PieceRows, wanted: ColumnSet) -> Result<RecordBatch, JobError> {
    let wants = |names: &[&str]| ColumnSet::named(&TABLE, |name| names.contains(&name)).has_any(wanted);
    let facts = piece.piece.rows();
    let reference = &of.snapshot.reference;
    let unit = |places: Places<'_>, row: usize| Some(reference.units.get(places.get(row)? as usize)?.code.as_str());
    let category =
        |places: Places<'_>, row: usize| Some(reference.categories.get(places.get(row)? as usize)?.code.as_str());
    let day = |days: &Int32Chunked, row: usize| days.get(row).map(day_of);
    let [department, branch, team, unit_at, responsible_unit] = [
        Places::of(facts, "department")?,
        Places::of(facts, "branch")?,
        Places::of(facts, "team")?,
        Places::of(facts, "unit")?,
        Places::of(facts, "responsible_unit")?,
    ];
    let (category_at, category_group) = (Places::of(facts, "category")?, Places::of(facts, "category_group")?);
    let [kind, legal_form, channel, state, peer_group, enterprise] = [
        Places::of(facts, "kind")?,
        Places::of(facts, "legal_form")?,
        Places::of(facts, "channel")?,
        Places::of(facts, "state")?,
        Places::of(facts, "peer_group")?,
        Places::of(facts, "enterprise")?,
    ];
    let [received_on, due, answered, ended, escalated] = [
        days(facts, "day")?,
        days(facts, "due")?,
        days(facts, "answered")?,
        days(facts, "ended")?,
        days(facts, "escalated")?,
    ];
    let (received, cost, delay) =
        (facts.column("received")?.i64()?, facts.column("cost")?.i64()?, facts.column("delay")?.f64()?);
    let (blames, confidential) = (flags(facts, "blames")?, flags(facts, "confidential")?);
    let as_of = day_number(of.day);
    // What several columns are computed from, and no others.
    let complaints = if wants(&["complaint"]) { Some(piece.names(of.reader)?) } else { None };
    let named = if wants(&["officers", "finding"]) { named(facts)? } else { Vec::new() };
    let of_handling = ["overdue", "was_due", "in_time", "reopened", "waited_days", "waits_since"];
    let handlings = if wants(&of_handling) { Handlings::of(facts, as_of)? } else { Vec::new() };
    let is = |row: usize, so: fn(&Handling) -> bool| handlings.get(row).is_some_and(so);
    let runs = |handling: &&Handling| handling.waiting && !handling.stopped;
    let values = Values {
        complaint: &|row| complaints.map_or("", |names| names.value(row)),
        received_on: &|row| day(&received_on, row).unwrap_or_default(),
        month: &|row| day(&received_on, row).map(first_of_month).unwrap_or_default(),
        year: &|row| day(&received_on, row).map_or(0, |day| i64::from(day.year())),
        department: &|row| unit(department, row),
        branch: &|row| unit(branch, row),
        team: &|row| unit(team, row),
        unit: &|row| unit(unit_at, row),
        responsible_unit: &|row| unit(responsible_unit, row),
        category: &|row| category(category_at, row),
        category_group: &|row| category(category_group, row),
        kind: &|row| word(CategoryKind::WORDS, kind, row),
        legal_form: &|row| word(LegalForm::WORDS, legal_form, row).unwrap_or_default(),
        channel: &|row| word(Channel::WORDS, channel, row).unwrap_or_default(),
        state: &|row| word(ComplaintState::WORDS, state, row).unwrap_or_default(),
        enterprise: &|row| enterprise.get(row).and_then(|index| of.names.enterprise_at(index)),
        cost_vnd: &|row| cost.get(row),
        delay_hours: &|row| delay.get(row),
        blames_system: &|row| blames.get(row) == Some(true),
        confidential: &|row| confidential.get(row) == Some(true),
        due_on: &|row| day(&due, row),
        answered_on: &|row| day(&answered, row),
        ended_on: &|row| day(&ended, row),
        overdue: &|row| is(row, |handling| handling.overdue),
        received_at: &|row| received.get(row).and_then(Timestamp::from_micros).unwrap_or(of.snapshot.as_of),
        peer_group: &|row| word(PeerGroup::WORDS, peer_group, row),
        escalated_on: &|row| day(&escalated, row),
        officers: &|row| named.get(row).map_or(0, |(officers, _)| *officers),
        finding: &|row| named.get(row).and_then(|(_, finding)| *finding),
        was_due: &|row| is(row, |handling| handling.was_due),
        in_time: &|row| is(row, |handling| handling.in_time),
        reopened: &|row| is(row, |handling| handling.reopened),
        waited_days: &|row| {
            handlings.get(row).filter(|handling| !runs(handling)).map(|handling| i64::from(handling.waited))
        },
        waits_since: &|row| handlings.get(row).filter(runs).map(|handling| day_of(as_of - handling.waited)),
    };
    values.make(&piece.order, wanted)
}
