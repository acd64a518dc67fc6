//! Builds the columns of the snapshot from rows of complaints; and the encoding of allegations in them.

use super::people::{Enterprises, Officers};
use super::places::{IndexBuilder, IndexList, ListLengths};
use super::reference::Reference;
use super::rounds::{self, ClockRows};
use crate::facts::days::day_number;
use chrono::NaiveDate;
use diesel::prelude::*;
use polars::prelude::{
    BooleanChunkedBuilder, ChunkedBuilder, Column, DataFrame, DataType, Expr, Field, Float64Type, Int32Type, Int64Type,
    IntoColumn, ListBuilderTrait, ListPrimitiveChunkedBuilder, PolarsResult, PrimitiveChunkedBuilder, UInt32Type, col,
};
use schema::domain::calendar::local_date;
use schema::domain::state::is_void;
use schema::enums::{Attribution, CategoryKind, Channel, ComplaintState, Finding, LegalForm, PeerGroup};
use schema::tables::complaints;
use schema::{Id, Timestamp};

/// The fields of a complaint in the snapshot.
#[derive(Queryable, Selectable)]
#[diesel(table_name = complaints)]
pub(super) struct Row {
    pub id: Id,
    received_at: Timestamp,
    department_id: Option<Id>,
    branch_id: Option<Id>,
    team_id: Option<Id>,
    unit_id: Option<Id>,
    responsible_unit_id: Option<Id>,
    category_id: Option<Id>,
    legal_form: LegalForm,
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
    version: i32,
    due_on: Option<NaiveDate>,
    answered_on: Option<NaiveDate>,
}

/// An allegation: complaint, officer, finding, day of the decision, attribution.
pub(super) type Allegation = (Id, Id, Finding, Option<NaiveDate>, Attribution);

/// A word in the column `named` holds, from its low bits on, the finding, the attribution, and the officer's place + 1.
/// A complaint has a word for each allegation, or, if it names no officer, one word with officer 0, attribution 0 and
/// its own finding.
const FINDING_BITS: u32 = 3;
const ATTRIBUTION_BITS: u32 = 2;
const OFFICER_FROM: u32 = FINDING_BITS + ATTRIBUTION_BITS;

/// The column with the number of the episode of each complaint.
pub(super) const EPISODE: &str = "episode";

type Days = PrimitiveChunkedBuilder<Int32Type>;

/// A complaint with the lists in which its places are looked up.
struct Placed<'a> {
    row: &'a Row,
    /// The place of its category, which other columns need, too.
    category: Option<u32>,
    reference: &'a Reference,
    enterprises: &'a Enterprises,
}

impl Placed<'_> {
    fn unit(&self, id: Option<Id>) -> Option<u32> {
        self.reference.unit_index(id?)
    }
}

/// Declares the columns of places: the name of a column, the list of its places, and how the place of a complaint is
/// found. Statistics can group by each of them.
macro_rules! place_columns {
    ($( $(#[$doc:meta])* $variant:ident, $column:ident, $list:expr, $place:expr; )+) => {
        /// A column of places: indices into lists, null for none.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum IndexColumn { $( $(#[$doc])* $variant ),+ }

        impl IndexColumn {
            pub const fn name(self) -> &'static str {
                match self { $( Self::$variant => stringify!($column) ),+ }
            }

            pub const fn list(self) -> IndexList {
                match self { $( Self::$variant => $list ),+ }
            }
        }

        /// The builders of these columns.
        struct IndexColumns { $( $column: IndexBuilder ),+ }

        impl IndexColumns {
            fn new(rows: usize, lengths: ListLengths) -> Self {
                Self { $( $column: IndexBuilder::new(stringify!($column), rows, $list, lengths) ),+ }
            }

            fn push(&mut self, complaint: &Placed<'_>) {
                $(
                    let place: fn(&Placed<'_>) -> Option<u32> = $place;
                    self.$column.append(place(complaint));
                )+
            }

            fn into_columns(self) -> Vec<Column> {
                vec![ $( self.$column.into_column() ),+ ]
            }
        }
    };
}

place_columns! {
    Department, department, IndexList::Units, |of| of.unit(of.row.department_id);
    Branch, branch, IndexList::Units, |of| of.unit(of.row.branch_id);
    Team, team, IndexList::Units, |of| of.unit(of.row.team_id);
    Unit, unit, IndexList::Units, |of| of.unit(of.row.unit_id);
    /// The unit that has to answer.
    ResponsibleUnit, responsible_unit, IndexList::Units, |of| of.unit(of.row.responsible_unit_id);
    Category, category, IndexList::Categories, |of| of.category;
    /// The first-level category: the one above the category, or the category itself.
    CategoryGroup, category_group, IndexList::Categories, |of| of.reference.category_group(of.category?);
    /// The kind of the category.
    Kind, kind, IndexList::Words(CategoryKind::WORDS), |of| {
        of.reference.categories.get(of.category? as usize).map(|category| category.kind.place())
    };
    /// Never null.
    LegalForm, legal_form, IndexList::Words(LegalForm::WORDS), |of| Some(of.row.legal_form.place());
    /// The peer group of the unit complained about, or, if it has none, of the unit above it on the day of the
    /// complaint.
    PeerGroup, peer_group, IndexList::Words(PeerGroup::WORDS), |of| {
        of.reference.peer_group([of.row.unit_id, of.row.team_id, of.row.branch_id, of.row.department_id])
    };
    /// Never null.
    Channel, channel, IndexList::Words(Channel::WORDS), |of| Some(of.row.channel.place());
    /// Never null.
    State, state, IndexList::Words(ComplaintState::WORDS), |of| Some(of.row.state.place());
    /// Null for an anonymous complaint.
    Enterprise, enterprise, IndexList::Enterprises, |of| of.enterprises.place(of.row.enterprise_id?);
}

/// Builders of the columns, in their final representation to save memory.
pub(super) struct Columns {
    id_high: Vec<u64>,
    id_low: Vec<u64>,
    version: Vec<i32>,
    received: Vec<i64>,
    day: Vec<i32>,
    places: IndexColumns,
    lengths: ListLengths,
    cost: PrimitiveChunkedBuilder<Int64Type>,
    delay: PrimitiveChunkedBuilder<Float64Type>,
    blames: BooleanChunkedBuilder,
    confidential: BooleanChunkedBuilder,
    named: ListPrimitiveChunkedBuilder<UInt32Type>,
    due: Days,
    answered: Days,
    ended: Days,
    escalated: Days,
    rounds: ListPrimitiveChunkedBuilder<Int32Type>,
    /// The day as of which findings count.
    today: NaiveDate,
    /// The complaints with a finding that counts from a later day, and that day.
    later: Vec<(NaiveDate, Id)>,
}

impl Columns {
    /// Reserves memory for `rows` complaints, whose findings count as of `today`.
    pub fn new(rows: usize, today: NaiveDate, reference: &Reference) -> Self {
        Self::reserved(rows, today, ListLengths::of(reference))
    }

    fn reserved(rows: usize, today: NaiveDate, lengths: ListLengths) -> Self {
        let days = |name: &str| Days::new(name.into(), rows);
        Self {
            id_high: Vec::with_capacity(rows),
            id_low: Vec::with_capacity(rows),
            version: Vec::with_capacity(rows),
            received: Vec::with_capacity(rows),
            day: Vec::with_capacity(rows),
            places: IndexColumns::new(rows, lengths),
            lengths,
            cost: PrimitiveChunkedBuilder::new("cost".into(), rows),
            delay: PrimitiveChunkedBuilder::new("delay".into(), rows),
            blames: BooleanChunkedBuilder::new("blames".into(), rows),
            confidential: BooleanChunkedBuilder::new("confidential".into(), rows),
            named: ListPrimitiveChunkedBuilder::new("named".into(), rows, rows, DataType::UInt32),
            due: days("due"),
            answered: days("answered"),
            ended: days("ended"),
            escalated: days("escalated"),
            rounds: ListPrimitiveChunkedBuilder::new("rounds".into(), rows, 0, DataType::Int32),
            today,
            later: Vec::new(),
        }
    }

    /// The word of an allegation in the column `named`.
    pub fn word_of(&mut self, allegation: &Allegation, officers: &Officers) -> u32 {
        let (complaint, officer, finding, decided_on, attribution) = *allegation;
        word(officers.place(officer), attribution, self.effective(complaint, finding, decided_on))
    }

    /// A finding counts from the day on which it was decided.
    fn effective(&mut self, complaint: Id, finding: Finding, decided_on: Option<NaiveDate>) -> Finding {
        match decided_on.filter(|day| *day > self.today) {
            Some(day) => {
                self.later.push((day, complaint));
                Finding::Pending
            }
            None => finding,
        }
    }

    /// The complaints whose columns change on a later day, without any write, and that day.
    pub fn take_later(&mut self) -> Vec<(NaiveDate, Id)> {
        std::mem::take(&mut self.later)
    }

    /// Appends a complaint; `named` has the words of its allegations.
    pub fn push(
        &mut self,
        row: &Row,
        clock: &ClockRows,
        named: &[u32],
        reference: &Reference,
        enterprises: &Enterprises,
    ) {
        let (high, low) = row.id.0.as_u64_pair();
        let day = local_date(row.received_at);
        let category = row.category_id.and_then(|id| reference.category_index(id));
        self.id_high.push(high);
        self.id_low.push(low);
        self.version.push(row.version);
        self.received.push(row.received_at.micros());
        self.day.push(day_number(day));
        self.places.push(&Placed { row, category, reference, enterprises });
        self.cost.append_option(row.cost_vnd);
        self.delay.append_option(row.delay_hours);
        self.blames.append_value(row.blames_system);
        self.confidential.append_value(row.confidential);
        if named.is_empty() {
            let finding = self.effective(row.id, row.finding.unwrap_or(Finding::Pending), row.decided_on);
            self.named.append_slice(&[own_word(finding)]);
        } else {
            self.named.append_slice(named);
        }
        let since = || day_number(local_date(row.state_since));
        self.due.append_option(row.due_on.map(day_number));
        self.answered.append_option(row.answered_on.map(day_number));
        self.ended.append_option((row.state == ComplaintState::Closed || is_void(row.state)).then(since));
        self.escalated.append_option(clock.escalated_on.map(day_number));
        match rounds::encoded(&clock.rounds) {
            Some(words) => self.rounds.append_slice(&words),
            None => self.rounds.append_null(),
        }
    }

    /// The number of complaints.
    pub fn height(&self) -> usize {
        self.day.len()
    }

    /// Takes the complaints out, and reserves memory for `rows` further ones.
    ///
    /// # Errors
    /// If the columns differ in length.
    pub fn take_frame(&mut self, rows: usize) -> PolarsResult<DataFrame> {
        let mut next = Self::reserved(rows, self.today, self.lengths);
        next.later = self.take_later();
        std::mem::replace(self, next).into_frame()
    }

    /// The columns; all episodes are 0 ([`super::episodes`]).
    ///
    /// # Errors
    /// If the columns differ in length.
    pub fn into_frame(mut self) -> PolarsResult<DataFrame> {
        let rows = self.height();
        let mut columns = vec![
            Column::new("id_high".into(), self.id_high),
            Column::new("id_low".into(), self.id_low),
            Column::new("version".into(), self.version),
            Column::new("received".into(), self.received),
            Column::new("day".into(), self.day),
        ];
        columns.extend(self.places.into_columns());
        columns.extend([
            self.cost.finish().into_column(),
            self.delay.finish().into_column(),
            self.blames.finish().into_column(),
            self.confidential.finish().into_column(),
            self.named.finish().into_column(),
            self.due.finish().into_column(),
            self.answered.finish().into_column(),
            self.ended.finish().into_column(),
            self.escalated.finish().into_column(),
            self.rounds.finish().into_column(),
            Column::new(EPISODE.into(), vec![0u32; rows]),
        ]);
        DataFrame::new(rows, columns)
    }
}

/// Encodes an allegation as a word of the column `named`.
pub(crate) fn word(officer: Option<u32>, attribution: Attribution, finding: Finding) -> u32 {
    match officer {
        Some(place) => (place + 1) << OFFICER_FROM | attribution.place() << FINDING_BITS | finding.place(),
        None => own_word(finding),
    }
}

/// The same of the finding of a complaint that names no officer.
pub(super) fn own_word(finding: Finding) -> u32 {
    finding.place()
}

/// The same word with the place of the officer in another list.
pub(super) fn with_officer(word: u32, officer: Option<u32>) -> u32 {
    officer.map_or(0, |place| place + 1) << OFFICER_FROM | word & ((1 << OFFICER_FROM) - 1)
}

/// The same word before the decision.
pub(super) fn undecided(word: u32) -> u32 {
    word >> FINDING_BITS << FINDING_BITS | Finding::Pending.place()
}

/// Decodes a word of the column `named`: the officer's place, if any, and the number of the finding.
pub fn meaning(word: u32) -> (Option<u32>, u32) {
    ((word >> OFFICER_FROM).checked_sub(1), word & ((1 << FINDING_BITS) - 1))
}

/// The number of the attribution in a word of the column `named`; None if it names no officer.
pub fn attribution(word: u32) -> Option<u32> {
    let (officer, _) = meaning(word);
    officer.map(|_| word >> FINDING_BITS & ((1 << ATTRIBUTION_BITS) - 1))
}

/// A condition over the column `named`: some word satisfies `wanted`.
pub fn any_named(wanted: impl Fn(u32) -> bool + Send + Sync + 'static) -> Expr {
    let of_each = move |column: Column| -> PolarsResult<Column> {
        let lists = column.list()?;
        let mut found = Vec::with_capacity(lists.len());
        for words in lists.amortized_iter() {
            found.push(match words {
                Some(words) => words.as_ref().u32()?.iter().flatten().any(&wanted),
                None => false,
            });
        }
        Ok(Column::new(column.name().clone(), found))
    };
    col("named").map(of_each, |_, field| Ok(Field::new(field.name().clone(), DataType::Boolean)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_holds_an_allegation() {
        for officer in [Some(0), Some(7), Some(99_999), None] {
            for attribution_word in [Attribution::Asserted, Attribution::Confirmed] {
                for finding in [Finding::Pending, Finding::Sustained, Finding::Exonerated] {
                    let word = word(officer, attribution_word, finding);
                    assert_eq!(meaning(word), (officer, finding.place()));
                    assert_eq!(attribution(word), officer.map(|_| attribution_word.place()));
                    assert_eq!(meaning(with_officer(word, Some(3))), (Some(3), finding.place()));
                    assert_eq!(with_officer(with_officer(word, None), officer), word);
                    assert_eq!(meaning(undecided(word)), (officer, Finding::Pending.place()));
                    assert_eq!(attribution(undecided(word)), attribution(word));
                }
            }
        }
        assert!(Finding::WORDS.len() <= 1 << FINDING_BITS && Attribution::WORDS.len() <= 1 << ATTRIBUTION_BITS);
    }
}
