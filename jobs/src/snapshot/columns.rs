//! Complaints as columns.

use super::reference::{Enterprises, Officers, Reference};
use crate::frames::day_number;
use chrono::{Datelike, NaiveDate};
use diesel::prelude::*;
use polars::prelude::{Column, DataFrame, IntoSeries, ListBuilderTrait, ListPrimitiveChunkedBuilder, PolarsResult};
use polars::prelude::{DataType, UInt32Type};
use schema::domain::calendar::local_date;
use schema::domain::state::is_void;
use schema::enums::{CategoryKind, Channel, ComplaintState, Finding};
use schema::tables::complaints;
use schema::{Id, Timestamp};

/// What is read of a complaint.
#[derive(Queryable, Selectable)]
#[diesel(table_name = complaints)]
pub(super) struct Row {
    pub id: Id,
    received_at: Timestamp,
    department_id: Option<Id>,
    branch_id: Option<Id>,
    team_id: Option<Id>,
    unit_id: Option<Id>,
    category_id: Option<Id>,
    channel: Channel,
    state: ComplaintState,
    state_since: Timestamp,
    pub enterprise_id: Option<Id>,
    cost_vnd: Option<i64>,
    delay_hours: Option<f64>,
    blames_system: bool,
    confidential: bool,
    finding: Option<Finding>,
    decided_on: Option<NaiveDate>,
}

/// What is read of an allegation.
pub(super) type Allegation = (Id, Id, Finding, Option<NaiveDate>);

/// What a complaint says of officers: each is named in a word with what was found of it. A complaint that
/// names nobody has one word for its own finding.
pub const FINDING_BITS: u32 = 3;

#[derive(Default)]
pub(super) struct Columns {
    id_high: Vec<u64>,
    id_low: Vec<u64>,
    received: Vec<i64>,
    day: Vec<i32>,
    month: Vec<i32>,
    year: Vec<i32>,
    department: Vec<Option<u32>>,
    branch: Vec<Option<u32>>,
    team: Vec<Option<u32>>,
    unit: Vec<Option<u32>>,
    category: Vec<Option<u32>>,
    kind: Vec<Option<u32>>,
    channel: Vec<u32>,
    state: Vec<u32>,
    enterprise: Vec<Option<u32>>,
    cost: Vec<Option<i64>>,
    delay: Vec<Option<f64>>,
    blames: Vec<bool>,
    confidential: Vec<bool>,
    /// Where the words of each complaint end in `named`.
    named_until: Vec<usize>,
    named: Vec<u32>,
    due: Vec<Option<i32>>,
    answered: Vec<Option<i32>>,
    ended: Vec<Option<i32>>,
}

impl Columns {
    /// `named`: the words of its allegations.
    pub fn push(
        &mut self,
        row: &Row,
        first_response: Option<Timestamp>,
        named: &[u32],
        reference: &Reference,
        enterprises: &Enterprises,
    ) {
        let (high, low) = row.id.0.as_u64_pair();
        let day = local_date(row.received_at);
        let unit = |id: Option<Id>| id.and_then(|id| reference.unit_place(id));
        let category = row.category_id.and_then(|id| reference.category_place(id));
        let kind = category.and_then(|place| reference.categories.get(place as usize)).map(|c| kind_place(c.kind));
        self.id_high.push(high);
        self.id_low.push(low);
        self.received.push(row.received_at.micros());
        self.day.push(day_number(day));
        self.month.push(day.year() * 12 + i32::try_from(day.month0()).unwrap_or(0));
        self.year.push(day.year());
        self.department.push(unit(row.department_id));
        self.branch.push(unit(row.branch_id));
        self.team.push(unit(row.team_id));
        self.unit.push(unit(row.unit_id));
        self.category.push(category);
        self.kind.push(kind);
        self.channel.push(row.channel as u32);
        self.state.push(state_place(row.state));
        self.enterprise.push(row.enterprise_id.and_then(|id| enterprises.place(id)));
        self.cost.push(row.cost_vnd);
        self.delay.push(row.delay_hours);
        self.blames.push(row.blames_system);
        self.confidential.push(row.confidential);
        if named.is_empty() {
            self.named.push(word(None, known(row.finding.unwrap_or(Finding::Pending), row.decided_on)));
        }
        self.named.extend(named);
        self.named_until.push(self.named.len());
        let deadline = category.and_then(|place| reference.categories.get(place as usize)?.deadline_days);
        let since = || day_number(local_date(row.state_since));
        let answered_without_words = matches!(row.state, ComplaintState::Answered | ComplaintState::Closed).then(since);
        self.due.push(deadline.map(|days| day_number(day).saturating_add(days)));
        self.answered.push(first_response.map(|at| day_number(local_date(at))).or(answered_without_words));
        self.ended.push((row.state == ComplaintState::Closed || is_void(row.state)).then(since));
    }

    pub fn into_frame(self) -> PolarsResult<DataFrame> {
        DataFrame::new(
            self.day.len(),
            vec![
                Column::new("id_high".into(), self.id_high),
                Column::new("id_low".into(), self.id_low),
                Column::new("received".into(), self.received),
                Column::new("day".into(), self.day),
                Column::new("month".into(), self.month),
                Column::new("year".into(), self.year),
                Column::new("department".into(), self.department),
                Column::new("branch".into(), self.branch),
                Column::new("team".into(), self.team),
                Column::new("unit".into(), self.unit),
                Column::new("category".into(), self.category),
                Column::new("kind".into(), self.kind),
                Column::new("channel".into(), self.channel),
                Column::new("state".into(), self.state),
                Column::new("enterprise".into(), self.enterprise),
                Column::new("cost".into(), self.cost),
                Column::new("delay".into(), self.delay),
                Column::new("blames".into(), self.blames),
                Column::new("confidential".into(), self.confidential),
                lists("named", &self.named, &self.named_until),
                Column::new("due".into(), self.due),
                Column::new("answered".into(), self.answered),
                Column::new("ended".into(), self.ended),
            ],
        )
    }
}

/// The place of a kind of category in the column `kind`.
pub fn kind_place(kind: CategoryKind) -> u32 {
    kind as u32
}

/// The place of a state in the column `state`.
pub fn state_place(state: ComplaintState) -> u32 {
    state as u32
}

/// The place of a channel in the column `channel`.
pub fn channel_place(channel: Channel) -> u32 {
    channel as u32
}

/// A word of the column `named`.
pub fn word(officer: Option<u32>, finding: Finding) -> u32 {
    officer.map_or(0, |place| place + 1) << FINDING_BITS | finding as u32
}

/// The place of the officer of a word, and the place of the finding.
pub fn meaning(word: u32) -> (Option<u32>, u32) {
    ((word >> FINDING_BITS).checked_sub(1), word & ((1 << FINDING_BITS) - 1))
}

/// The word of an allegation.
pub(super) fn word_of(allegation: &Allegation, officers: &Officers) -> u32 {
    word(officers.place(allegation.1), known(allegation.2, allegation.3))
}

/// A finding counts from its day.
fn known(finding: Finding, decided_on: Option<NaiveDate>) -> Finding {
    let today = local_date(Timestamp::now());
    if decided_on.is_some_and(|day| day > today) { Finding::Pending } else { finding }
}

fn lists(name: &str, values: &[u32], until: &[usize]) -> Column {
    let mut builder =
        ListPrimitiveChunkedBuilder::<UInt32Type>::new(name.into(), until.len(), values.len(), DataType::UInt32);
    let mut from = 0;
    for until in until {
        builder.append_slice(&values[from..*until]);
        from = *until;
    }
    builder.finish().into_series().into()
}
