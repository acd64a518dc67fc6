//! The table `recurrence_exposure`: what the complaints about an officer are compared with.

use super::columns::{Day, Flag, Float, Text, declare_table};
use super::names::{Context, Emit};
use super::recurrence_complaints::peer_group;
use crate::JobError;
use crate::facts::days::{day_number, day_of};
use crate::facts::exposure::{Basis, monthly_spans, of_officers_in, spans};
use crate::facts::frames::NO_GROUP;
use crate::facts::{Facts, Subject};
use chrono::{Datelike, NaiveDate};
use schema::{Conn, Id};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;

declare_table! {
    "recurrence_exposure": "Exposure of officers as recurrence has it on the day of the data, one row for each officer, peer group and range of days; of the last two years."
    {
        officer: Text = "Pseudonym of the officer.",
        peer_group: Text = "Peer group of the branch where the officer served on the first day; NONE without one.",
        month: Day = "First day of the month in which the range lies.",
        first_day: Day = "First day of the range.",
        last_day: Day = "Last day of the range.",
        exposure: Float = "Declarations handled, or days in posting, in the range.",
        carried: Flag = "Whether the rate of another month stands in for a missing one.",
        basis: Text = "What the exposure is: DECLARATIONS or POSTING_DAYS.",
    }
    month_of: "month"
}

/// The days before the day of the data that the table goes back.
const BACK: i32 = 729;

/// A row as it is sorted: the first day, the pseudonym, the last day, the peer group, exposure and carried.
type Found<'a> = (i32, Cow<'a, str>, i32, &'static str, f64, bool);

/// The rows, by day and pseudonym.
///
/// # Errors
/// When the database fails, or a computation does.
pub(super) fn make(of: &Context<'_>, conn: &mut Conn, emit: &mut Emit<'_>) -> Result<(), JobError> {
    // All workload: a month without any takes the rate of the last one before it, however long ago.
    let facts = Facts::load_work(conn, NaiveDate::default(), of.day)?;
    let known = &of.snapshot.officers;
    let places = 0..u32::try_from(known.places()).unwrap_or(u32::MAX);
    let officers: Vec<Subject> =
        places.filter_map(|index| Some(Subject { code: String::new(), id: known.at(index)? })).collect();
    let within = spans(of.day);
    let last = day_number(of.day);
    let before = within.first().map_or(last, |span| span.from - 1);
    let mut spans = monthly_spans(&[(last - BACK, before)]);
    spans.extend(within);
    let reference = &of.snapshot.reference;
    let cache: RefCell<HashMap<(Id, NaiveDate), i32>> = RefCell::default();
    let groups = |unit: Id, day: NaiveDate| {
        let group = |branch: Id| reference.unit(branch)?.peer_group.map(|group| group as i32);
        let find = || reference.tree.ancestors_on(unit, day).branch.and_then(group).unwrap_or(NO_GROUP);
        *cache.borrow_mut().entry((unit, day)).or_insert_with(find)
    };
    let exposure = of_officers_in(&facts, &officers, &spans, of.day, &groups)?;
    let basis = match exposure.basis {
        Basis::Declarations => "DECLARATIONS",
        Basis::PostingDays => "POSTING_DAYS",
        Basis::None => "NONE",
    };
    let rows = &exposure.rows;
    let (subjects, groups) = (rows.column("subject")?.u32()?, rows.column("group")?.i32()?);
    let (places, handled) = (rows.column("span")?.u32()?, rows.column("exposure")?.f64()?);
    let carried = rows.column("carried")?.bool()?;
    let mut found: Vec<Found<'_>> = Vec::with_capacity(rows.height());
    let columns = subjects.iter().zip(groups.iter()).zip(places.iter().zip(handled.iter())).zip(carried.iter());
    for (((subject, group), (index, handled)), carried) in columns {
        let (Some(subject), Some(index), Some(handled)) = (subject, index, handled) else { continue };
        let (Some(officer), Some(span)) = (officers.get(subject as usize), spans.get(index as usize)) else { continue };
        let group = peer_group(group.unwrap_or(NO_GROUP));
        found.push((span.from, of.officer(officer.id), span.to, group, handled, carried == Some(true)));
    }
    found.sort_unstable_by(|a, b| (a.0, &a.1, a.2, a.3).cmp(&(b.0, &b.1, b.2, b.3)));
    let mut rows = Rows::new(found.len());
    for (from, officer, to, peer_group, handled, carried) in &found {
        let first_day = day_of(*from);
        rows.push(Row {
            officer,
            peer_group,
            month: first_day.with_day(1).unwrap_or(first_day),
            first_day,
            last_day: day_of(*to),
            exposure: *handled,
            carried: *carried,
            basis,
        });
    }
    emit(rows.finish()?)
}
