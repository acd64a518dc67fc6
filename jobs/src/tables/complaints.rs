//! The table `complaints`.

use super::columns::{Day, Flag, Float, Instant, Money, Text, Whole, declare_table};
use super::names::Context;
use super::piece_rows::PieceRows;
use crate::JobError;
use crate::facts::days::day_number;
use crate::snapshot::{Handlings, meaning};
use arrow_array::RecordBatch;
use chrono::{NaiveDate, TimeDelta};
use polars::prelude::{BooleanChunked, DataFrame, Int32Chunked, PolarsResult, UInt32Chunked};
use schema::Timestamp;
use schema::enums::{CategoryKind, Channel, ComplaintState, Finding, LegalForm, PeerGroup};

declare_table! {
    "complaints": "Complaints, one row for each. One that is linked to another as saying the same is left out: the other counts."
    {
        complaint: Text = "Pseudonym of the complaint.",
        received_on: Day = "Day of receipt, in Vietnam's time.",
        month: Text = "Month of receipt, such as 2025-03.",
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
    }
    month_of: "received_on"
}

/// A day of the snapshot's columns.
pub(super) fn day_of(number: i32) -> NaiveDate {
    NaiveDate::default().checked_add_signed(TimeDelta::days(i64::from(number))).unwrap_or_default()
}

/// A month as the snapshot numbers it, as text.
pub(super) fn month_text(month: i32) -> String {
    format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1)
}

fn numbers(facts: &DataFrame, column: &str) -> PolarsResult<UInt32Chunked> {
    Ok(facts.column(column)?.u32()?.clone())
}

fn days(facts: &DataFrame, column: &str) -> PolarsResult<Int32Chunked> {
    Ok(facts.column(column)?.i32()?.clone())
}

fn flags(facts: &DataFrame, column: &str) -> PolarsResult<BooleanChunked> {
    Ok(facts.column(column)?.bool()?.clone())
}

/// The word of an enum at the place that a column holds.
fn word(words: &[&'static str], places: &UInt32Chunked, row: usize) -> Option<&'static str> {
    words.get(places.get(row)? as usize).copied()
}

/// How many allegations each complaint has, or, if it names no officer, its own finding.
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

/// The complaints of a piece.
///
/// # Errors
/// If a column is missing.
pub(super) fn make(of: &Context<'_>, piece: &PieceRows) -> Result<RecordBatch, JobError> {
    let facts = piece.piece.rows();
    let reference = &of.snapshot.reference;
    let unit = |places: &UInt32Chunked, row: usize| Some(reference.units.get(places.get(row)? as usize)?.code.as_str());
    let category =
        |places: &UInt32Chunked, row: usize| Some(reference.categories.get(places.get(row)? as usize)?.code.as_str());
    let day = |days: &Int32Chunked, row: usize| days.get(row).map(day_of);
    let [department, branch, team, unit_at, responsible_unit] = [
        numbers(facts, "department")?,
        numbers(facts, "branch")?,
        numbers(facts, "team")?,
        numbers(facts, "unit")?,
        numbers(facts, "responsible_unit")?,
    ];
    let (category_at, category_group) = (numbers(facts, "category")?, numbers(facts, "category_group")?);
    let [kind, legal_form, channel, state, peer_group, enterprise] = [
        numbers(facts, "kind")?,
        numbers(facts, "legal_form")?,
        numbers(facts, "channel")?,
        numbers(facts, "state")?,
        numbers(facts, "peer_group")?,
        numbers(facts, "enterprise")?,
    ];
    let [received_on, month, year, due, answered, ended, escalated] = [
        days(facts, "day")?,
        days(facts, "month")?,
        days(facts, "year")?,
        days(facts, "due")?,
        days(facts, "answered")?,
        days(facts, "ended")?,
        days(facts, "escalated")?,
    ];
    let (received, cost, delay) =
        (facts.column("received")?.i64()?, facts.column("cost")?.i64()?, facts.column("delay")?.f64()?);
    let (blames, confidential) = (flags(facts, "blames")?, flags(facts, "confidential")?);
    let handlings = Handlings::of(facts, day_number(of.day))?;
    let named = named(facts)?;
    let mut rows = Rows::new(piece.order.len());
    for row in piece.order.iter().map(|row| *row as usize) {
        let (officers, finding) = named[row];
        rows.push(Row {
            complaint: piece.name(row),
            received_on: day(&received_on, row).unwrap_or_default(),
            month: &month_text(month.get(row).unwrap_or_default()),
            year: year.get(row).map_or(0, i64::from),
            department: unit(&department, row),
            branch: unit(&branch, row),
            team: unit(&team, row),
            unit: unit(&unit_at, row),
            responsible_unit: unit(&responsible_unit, row),
            category: category(&category_at, row),
            category_group: category(&category_group, row),
            kind: word(CategoryKind::WORDS, &kind, row),
            legal_form: word(LegalForm::WORDS, &legal_form, row).unwrap_or_default(),
            channel: word(Channel::WORDS, &channel, row).unwrap_or_default(),
            state: word(ComplaintState::WORDS, &state, row).unwrap_or_default(),
            enterprise: enterprise.get(row).and_then(|place| of.names.enterprise_at(place)),
            cost_vnd: cost.get(row),
            delay_hours: delay.get(row),
            blames_system: blames.get(row) == Some(true),
            confidential: confidential.get(row) == Some(true),
            due_on: day(&due, row),
            answered_on: day(&answered, row),
            ended_on: day(&ended, row),
            overdue: handlings.get(row).is_some_and(|handling| handling.overdue),
            received_at: received.get(row).and_then(Timestamp::from_micros).unwrap_or(of.snapshot.as_of),
            peer_group: word(PeerGroup::WORDS, &peer_group, row),
            escalated_on: day(&escalated, row),
            officers,
            finding,
        });
    }
    rows.finish()
}
