//! The tables that queries can read: the snapshot with codes and words instead of numbers, and pseudonyms for
//! complaints, officers and enterprises.

use super::check::CheckedQuery;
use super::described::{SOURCES, TABLES};
use crate::facts::days::day_number;
use crate::snapshot::{Handlings, Reference, Snapshot, attribution, meaning};
use crate::sums::costs_and_delays;
use chrono::NaiveDate;
use diesel::prelude::{QueryDsl, RunQueryDsl};
use polars::prelude::*;
use schema::domain::calendar::local_date;
use schema::enums::{Attribution, CategoryKind, Channel, ComplaintState, Finding, LegalForm, PeerGroup};
use schema::models::{IssueCategory, UNKNOWN_START, Unit};
use schema::pseudonyms::{Pseudonyms, Subject};
use schema::queries::of_a_register;
use schema::tables::complaint_sources;
use schema::{Conn, Id, StoreError};
use std::collections::HashMap;

/// Which data the tables show to a reader.
pub struct Visibility<'a> {
    pub pseudonyms: &'a Pseudonyms,
    /// References of complaints in other registers; None for readers who may see only pseudonyms.
    pub sources: Option<&'a [Source]>,
}

/// A complaint, the register from which it was imported, and its reference there.
pub type Source = (Id, String, String);

/// Reads all sources from the database; the snapshot does not hold them, because few queries need them.
///
/// # Errors
/// When the database fails.
pub fn sources(conn: &mut Conn) -> Result<Vec<Source>, StoreError> {
    let columns = (complaint_sources::complaint_id, complaint_sources::source, complaint_sources::reference);
    Ok(complaint_sources::table.filter(of_a_register()).select(columns).load(conn)?)
}

/// The tables that a query names, with the columns that it may use ([`TABLES`]).
///
/// Units and categories have their codes. Enterprises that count as one share a pseudonym. The rows of a day are in a
/// secret order, and the officers of a complaint are ordered by pseudonym: the snapshot's own order, by ids and codes,
/// would reveal identities.
///
/// # Errors
/// When costs or delays overflow in a sum, or a column is missing.
pub fn tables(
    snapshot: &Snapshot,
    visibility: &Visibility<'_>,
    query: &CheckedQuery,
) -> PolarsResult<Vec<(&'static str, DataFrame)>> {
    let mut found = Vec::new();
    let (complaints, allegations) = (query.names("complaints"), query.names("allegations"));
    let sources = visibility.sources.filter(|_| query.names(SOURCES));
    if complaints || allegations || sources.is_some() {
        let facts = &snapshot.facts;
        let order = order(facts, visibility.pseudonyms)?;
        let ids =
            if query.may_need("complaint") { Some(complaint_pseudonyms(facts, visibility.pseudonyms)?) } else { None };
        if complaints {
            let table = self::complaints(snapshot, facts, visibility.pseudonyms, query, ids.as_ref())?;
            found.push(("complaints", table.take(&IdxCa::from_slice("row".into(), &order))?));
        }
        if allegations {
            found.push((
                "allegations",
                self::allegations(snapshot, facts, visibility.pseudonyms, &order, ids.as_ref())?,
            ));
        }
        if let Some(rows) = sources {
            found.push((SOURCES, references(facts, rows, &order, ids.as_ref())?));
        }
    }
    if query.names("units") {
        found.push(("units", units(&snapshot.reference, local_date(snapshot.as_of))?));
    }
    if query.names("categories") {
        found.push(("categories", categories(&snapshot.reference.categories)?));
    }
    Ok(found)
}

/// The order of the rows in the tables: by day, which is visible, then by a secret shuffle.
fn order(facts: &DataFrame, pseudonyms: &Pseudonyms) -> PolarsResult<Vec<IdxSize>> {
    let shuffle = pseudonyms.shuffle();
    let (high, low) = (facts.column("id_high")?.u64()?, facts.column("id_low")?.u64()?);
    let places =
        high.iter().zip(low.iter()).map(|(high, low)| shuffle.place(high.unwrap_or_default(), low.unwrap_or_default()));
    let days = facts.column("day")?.i32()?;
    let mut rows: Vec<(Option<i32>, u64, IdxSize)> =
        days.iter().zip(places).zip(0..).map(|((day, place), row)| (day, place, row)).collect();
    rows.sort_unstable();
    Ok(rows.into_iter().map(|(_, _, row)| row).collect())
}

fn complaint_pseudonyms(facts: &DataFrame, pseudonyms: &Pseudonyms) -> PolarsResult<StringChunked> {
    let (high, low) = (facts.column("id_high")?.u64()?, facts.column("id_low")?.u64()?);
    let ids = high.iter().zip(low.iter()).map(|(high, low)| {
        let id = Id(uuid::Uuid::from_u64_pair(high.unwrap_or(0), low.unwrap_or(0)));
        Some(pseudonyms.of(Subject::Complaint, id))
    });
    Ok(StringChunked::from_iter_options("complaint".into(), ids))
}

fn complaints(
    snapshot: &Snapshot,
    facts: &DataFrame,
    pseudonyms: &Pseudonyms,
    query: &CheckedQuery,
    ids: Option<&StringChunked>,
) -> PolarsResult<DataFrame> {
    let reference = &snapshot.reference;
    let wanted = |name: &str| query.may_need(name);
    if wanted("cost_vnd") || wanted("delay_hours") {
        // The engine's sums wrap on overflow. When the sum of all rows fits, so does that of a part.
        costs_and_delays(facts).map_err(|e| PolarsError::ComputeError(e.to_string().into()))?;
    }
    let mut columns: Vec<Column> = Vec::new();
    // Always included: without a column, the engine could not count rows.
    columns.push(date(facts, "day", "received_on")?);
    if let Some(ids) = ids {
        columns.push(ids.clone().into_column());
    }
    let units: Vec<Option<&str>> = reference.units.iter().map(|unit| Some(unit.code.as_str())).collect();
    let categories: Vec<Option<&str>> = reference.categories.iter().map(|one| Some(one.code.as_str())).collect();
    let words = |all: &[&'static str]| all.iter().map(|word| Some(*word)).collect::<Vec<_>>();
    for (name, names) in [
        ("department", &units),
        ("branch", &units),
        ("team", &units),
        ("unit", &units),
        ("responsible_unit", &units),
        ("category", &categories),
        ("category_group", &categories),
        ("kind", &words(CategoryKind::WORDS)),
        ("legal_form", &words(LegalForm::WORDS)),
        ("channel", &words(Channel::WORDS)),
        ("state", &words(ComplaintState::WORDS)),
    ] {
        if wanted(name) {
            columns.push(named(facts, name, names)?);
        }
    }
    if wanted("month") {
        let month = facts.column("month")?.i32()?;
        let text = |month: i32| format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1);
        let months: StringChunked = month.iter().map(|month| month.map(text)).collect();
        columns.push(months.with_name("month".into()).into_column());
    }
    if wanted("enterprise") {
        let places = u32::try_from(snapshot.enterprises.places()).unwrap_or(u32::MAX);
        let of = |place| Some(pseudonyms.of(Subject::Enterprise, snapshot.enterprises.at(place)?));
        let names: Vec<Option<String>> = (0..places).map(of).collect();
        let names: Vec<Option<&str>> = names.iter().map(Option::as_deref).collect();
        columns.push(named(facts, "enterprise", &names)?);
    }
    for (of, name) in [("due", "due_on"), ("answered", "answered_on"), ("ended", "ended_on")] {
        if wanted(name) {
            columns.push(date(facts, of, name)?);
        }
    }
    if wanted("overdue") {
        let today = day_number(local_date(snapshot.as_of));
        let overdue: Vec<bool> = Handlings::of(facts, today)?.iter().map(|handling| handling.overdue).collect();
        columns.push(Column::new("overdue".into(), overdue));
    }
    for (of, name) in [
        ("year", "year"),
        ("cost", "cost_vnd"),
        ("delay", "delay_hours"),
        ("blames", "blames_system"),
        ("confidential", "confidential"),
    ] {
        if wanted(name) {
            columns.push(facts.column(of)?.clone().with_name(name.into()));
        }
    }
    // The order of `TABLES`.
    let place = |column: &Column| TABLES[0].1.iter().position(|name| *name == column.name().as_str());
    columns.sort_by_key(place);
    DataFrame::new(facts.height(), columns)
}

/// Replaces the numbers of a column (u32?) by names.
fn named(facts: &DataFrame, column: &str, names: &[Option<&str>]) -> PolarsResult<Column> {
    let names = StringChunked::from_slice_options(column.into(), names);
    Ok(names.take(facts.column(column)?.u32()?)?.with_name(column.into()).into_column())
}

fn date(facts: &DataFrame, of: &str, name: &str) -> PolarsResult<Column> {
    Ok(facts.column(of)?.cast(&DataType::Date)?.with_name(name.into()))
}

/// An allegation: the place of its complaint, the officer, and the finding and the attribution in words.
type AllegationRow<'a> = (IdxSize, Option<&'a str>, [Option<&'a str>; 2]);

fn allegations(
    snapshot: &Snapshot,
    facts: &DataFrame,
    pseudonyms: &Pseudonyms,
    order: &[IdxSize],
    ids: Option<&StringChunked>,
) -> PolarsResult<DataFrame> {
    let places = u32::try_from(snapshot.officers.places()).unwrap_or(u32::MAX);
    let of = |place| Some(pseudonyms.of(Subject::Officer, snapshot.officers.at(place)?));
    let names: Vec<Option<String>> = (0..places).map(of).collect();
    let mut place_of_row: Vec<IdxSize> = vec![0; order.len()];
    for (place, row) in (0..).zip(order) {
        place_of_row[*row as usize] = place;
    }
    // Sorted by the complaint's position in the output, then by all visible columns.
    let mut allegations: Vec<AllegationRow<'_>> = Vec::new();
    for (words, place) in facts.column("named")?.list()?.amortized_iter().zip(place_of_row) {
        let Some(words) = words else { continue };
        for word in words.as_ref().u32()?.iter().flatten() {
            // A word without an officer is the complaint's own finding.
            if let (Some(named), found) = meaning(word) {
                let officer = names.get(named as usize).and_then(Option::as_deref);
                let finding = Finding::WORDS.get(found as usize).copied();
                let how = attribution(word).and_then(|how| Attribution::WORDS.get(how as usize).copied());
                allegations.push((place, officer, [finding, how]));
            }
        }
    }
    allegations.sort_unstable();
    let mut columns = Vec::new();
    if let Some(ids) = ids {
        let rows = allegations.iter().map(|(place, ..)| order[*place as usize]).collect();
        columns.push(ids.take(&IdxCa::from_vec("row".into(), rows))?.into_column());
    }
    let officers = allegations.iter().map(|(_, officer, _)| *officer);
    columns.push(StringChunked::from_iter_options("officer".into(), officers).into_column());
    for (at, name) in ["finding", "attribution"].into_iter().enumerate() {
        columns.push(texts(name, &allegations, |(.., words)| words[at]));
    }
    DataFrame::new(allegations.len(), columns)
}

/// The table `sources`: references of these complaints in other registers.
fn references(
    facts: &DataFrame,
    rows: &[Source],
    order: &[IdxSize],
    ids: Option<&StringChunked>,
) -> PolarsResult<DataFrame> {
    let (high, low) = (facts.column("id_high")?.u64()?, facts.column("id_low")?.u64()?);
    let mut places: HashMap<(u64, u64), IdxSize> = HashMap::with_capacity(order.len());
    for (place, row) in (0..).zip(order) {
        if let (Some(high), Some(low)) = (high.get(*row as usize), low.get(*row as usize)) {
            places.insert((high, low), place);
        }
    }
    // Skips complaints imported after the snapshot was taken.
    let named = rows.iter().filter_map(|(id, source, reference)| {
        Some((*places.get(&id.0.as_u64_pair())?, source.as_str(), reference.as_str()))
    });
    let mut named: Vec<(IdxSize, &str, &str)> = named.collect();
    named.sort_unstable();
    let mut columns = Vec::new();
    if let Some(ids) = ids {
        let rows = named.iter().map(|(place, ..)| order[*place as usize]).collect();
        columns.push(ids.take(&IdxCa::from_vec("row".into(), rows))?.into_column());
    }
    columns.push(texts("source", &named, |(_, source, _)| Some(*source)));
    columns.push(texts("reference", &named, |(.., reference)| Some(*reference)));
    DataFrame::new(named.len(), columns)
}

fn texts<'a, T>(name: &str, rows: &'a [T], of: impl Fn(&'a T) -> Option<&'a str>) -> Column {
    StringChunked::from_iter_options(name.into(), rows.iter().map(of)).into_column()
}

/// The units. What is above a unit is so on `today`; of a unit that has ended it is so on the last day, and of one that
/// is to come on the first day.
fn units(reference: &Reference, today: NaiveDate) -> PolarsResult<DataFrame> {
    let (rows, tree) = (&reference.units, &reference.tree);
    let day = |unit: &Unit| unit.valid_to.map_or(today, |last| last.min(today)).max(unit.valid_from);
    let code = |id: Option<Id>| Some(reference.unit(id?)?.code.as_str());
    DataFrame::new(
        rows.len(),
        vec![
            texts("code", rows, |unit| Some(&unit.code)),
            texts("name_vi", rows, |unit| Some(&unit.name_vi)),
            texts("name_en", rows, |unit| unit.name_en.as_deref()),
            texts("kind", rows, |unit| Some(unit.kind.as_str())),
            texts("peer_group", rows, |unit| unit.peer_group.map(PeerGroup::as_str)),
            texts("parent", rows, |unit| code(tree.parent_on(unit.id, day(unit)))),
            texts("department", rows, |unit| code(tree.ancestors_on(unit.id, day(unit)).department)),
            texts("branch", rows, |unit| code(tree.ancestors_on(unit.id, day(unit)).branch)),
            days("valid_from", rows, |unit| Some(unit.valid_from).filter(|first| *first != UNKNOWN_START))?,
            days("valid_to", rows, |unit| unit.valid_to)?,
            texts("successor", rows, |unit| code(unit.successor_id)),
        ],
    )
}

fn days(name: &str, rows: &[Unit], of: impl Fn(&Unit) -> Option<NaiveDate>) -> PolarsResult<Column> {
    let numbers: Vec<Option<i32>> = rows.iter().map(|unit| of(unit).map(day_number)).collect();
    Column::new(name.into(), numbers).cast(&DataType::Date)
}

fn categories(rows: &[IssueCategory]) -> PolarsResult<DataFrame> {
    let serious: Vec<bool> = rows.iter().map(|one| one.serious).collect();
    let deadlines: Vec<Option<i32>> = rows.iter().map(|one| one.deadline_days).collect();
    let codes: HashMap<Id, &str> = rows.iter().map(|one| (one.id, one.code.as_str())).collect();
    let parent = |one: &IssueCategory| one.parent_id.and_then(|above| codes.get(&above).copied());
    DataFrame::new(
        rows.len(),
        vec![
            texts("code", rows, |one| Some(&one.code)),
            texts("name_vi", rows, |one| Some(&one.name_vi)),
            texts("name_en", rows, |one| one.name_en.as_deref()),
            texts("kind", rows, |one| Some(one.kind.as_str())),
            Column::new("serious".into(), serious),
            Column::new("deadline_days".into(), deadlines),
            StringChunked::from_iter_options("parent".into(), rows.iter().map(parent)).into_column(),
        ],
    )
}
