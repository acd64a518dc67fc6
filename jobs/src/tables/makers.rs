//! Declares how each table is built: per piece of the snapshot, or as a whole.

use super::names::{Context, Emit};
use super::piece_rows::PieceRows;
use super::{
    ColumnSet, Table, Wanted, allegations, calendar, categories, complaints, flag_numbers, flags, incidents,
    job_results, measures, people, postings, recurrence_complaints, recurrence_exposure, responses, sources, units,
    workload,
};
use crate::JobError;
use arrow_array::RecordBatch;
use schema::Conn;
use schema::events::Entity;
use schema::states::StateTable;

/// Builds columns of a piece of the snapshot.
pub(super) type MakeColumns = fn(&Context<'_>, &PieceRows, ColumnSet) -> Result<RecordBatch, JobError>;
/// Builds all columns of the rows that belong to the complaints of a piece of the snapshot.
pub(super) type MakeRelatedRows = fn(&Context<'_>, &PieceRows, &mut Conn) -> Result<RecordBatch, JobError>;
/// Builds all rows of a table.
pub(super) type MakeWhole = fn(&Context<'_>, &mut Conn, &mut Emit<'_>) -> Result<(), JobError>;

/// The way in which a table is built.
pub(super) enum Maker {
    /// Built per snapshot piece, without the database.
    OfPiece(OfPiece),
    /// Built per snapshot piece from the rows of the database that belong to its complaints. Each change of such a row
    /// is an event of its complaint, so the piece changes, too. The second value, if any, builds some columns without
    /// the database; it is used as long as a question reads no other column.
    RelatedRows(MakeRelatedRows, Option<OfPiece>),
    /// Rebuilt whole when one of these changes occurs, or when units, categories or the day change.
    Whole(&'static [Upon], MakeWhole),
}

/// Columns that the snapshot suffices for.
#[derive(Clone, Copy)]
pub(super) struct OfPiece {
    pub make: MakeColumns,
    /// Whether a column is one of them.
    has: fn(&str) -> bool,
    /// Whether a column holds pseudonyms of officers or enterprises.
    names: fn(&str) -> bool,
}

impl OfPiece {
    /// Whether all of these columns are among them.
    pub fn suffices(&self, wanted: Wanted) -> bool {
        ColumnSet::named(wanted.table, self.has).has_all(wanted.columns)
    }

    /// Whether one of these columns holds pseudonyms of officers or enterprises.
    pub fn names(&self, wanted: Wanted) -> bool {
        ColumnSet::named(wanted.table, self.names).has_any(wanted.columns)
    }
}

impl Maker {
    /// The function that makes these columns of the snapshot alone; None if that does not suffice.
    pub fn of_piece(&self, wanted: Wanted) -> Option<OfPiece> {
        match self {
            Self::OfPiece(made) | Self::RelatedRows(_, Some(made)) => Some(*made).filter(|made| made.suffices(wanted)),
            Self::RelatedRows(_, None) | Self::Whole(..) => None,
        }
    }
}

/// The events that change a table that is made as a whole.
#[derive(Debug, Clone, Copy)]
pub(super) enum Upon {
    Event(Entity),
    State(StateTable),
    /// A change of an officer or enterprise.
    People,
    /// Any change of complaints.
    Complaints,
    /// The same, for a reader from whom some complaints are withheld.
    Withheld,
}

const FLAGS: &[Upon] = &[
    Upon::State(StateTable::Flags),
    Upon::State(StateTable::FlagAssessments),
    Upon::State(StateTable::JobRuns),
    Upon::Event(Entity::Merge),
    Upon::Event(Entity::Postings),
];

/// The tables, and how each is made.
pub(super) static MAKERS: [(&Table, Maker); 20] = [
    (
        &complaints::TABLE,
        Maker::OfPiece(OfPiece { make: complaints::make, has: |_| true, names: |name| name == "enterprise" }),
    ),
    (
        &allegations::TABLE,
        Maker::RelatedRows(
            allegations::make,
            Some(OfPiece {
                make: allegations::of_snapshot,
                has: |name| !matches!(name, "category" | "unit" | "decided_on"),
                names: |_| true,
            }),
        ),
    ),
    (&responses::TABLE, Maker::RelatedRows(responses::make, None)),
    (&units::TABLE, Maker::Whole(&[], units::make)),
    (&categories::TABLE, Maker::Whole(&[], categories::make)),
    (&people::officers::TABLE, Maker::Whole(&[Upon::People, Upon::Withheld], people::officers::make)),
    (&postings::TABLE, Maker::Whole(&[Upon::Event(Entity::Postings), Upon::Event(Entity::Merge)], postings::make)),
    (&people::enterprises::TABLE, Maker::Whole(&[Upon::People, Upon::Withheld], people::enterprises::make)),
    (&workload::TABLE, Maker::Whole(&[Upon::Event(Entity::Workload), Upon::Event(Entity::Merge)], workload::make)),
    (
        &recurrence_complaints::TABLE,
        Maker::Whole(
            &[Upon::Complaints, Upon::People, Upon::Event(Entity::Postings), Upon::Event(Entity::Merge)],
            recurrence_complaints::make,
        ),
    ),
    (
        &recurrence_exposure::TABLE,
        Maker::Whole(
            &[Upon::People, Upon::Event(Entity::Workload), Upon::Event(Entity::Postings), Upon::Event(Entity::Merge)],
            recurrence_exposure::make,
        ),
    ),
    (&incidents::TABLE, Maker::Whole(&[Upon::Event(Entity::Incident)], incidents::make)),
    (&flags::flags_table::TABLE, Maker::Whole(FLAGS, flags::flags_table::make)),
    (&flag_numbers::TABLE, Maker::Whole(FLAGS, flag_numbers::make)),
    (
        &flags::evidence::TABLE,
        Maker::Whole(
            &[
                Upon::State(StateTable::Flags),
                Upon::State(StateTable::FlagAssessments),
                Upon::Complaints,
                Upon::Event(Entity::Merge),
                Upon::Event(Entity::Postings),
            ],
            flags::evidence::make,
        ),
    ),
    (
        &flags::reviews::TABLE,
        Maker::Whole(
            &[
                Upon::State(StateTable::Flags),
                Upon::State(StateTable::FlagReviews),
                Upon::Event(Entity::Merge),
                Upon::Event(Entity::Postings),
            ],
            flags::reviews::make,
        ),
    ),
    (&measures::TABLE, Maker::Whole(&[Upon::Event(Entity::Measure), Upon::Event(Entity::Merge)], measures::make)),
    (
        &job_results::TABLE,
        Maker::Whole(&[Upon::State(StateTable::JobResults), Upon::State(StateTable::JobRuns)], job_results::make),
    ),
    (&calendar::TABLE, Maker::Whole(&[Upon::Complaints, Upon::Event(Entity::HolidayYear)], calendar::make)),
    (&sources::TABLE, Maker::RelatedRows(sources::make, None)),
];

/// The maker of a table.
///
/// # Errors
/// When it is none of [`super::TABLES`].
pub(super) fn maker(table: &'static Table) -> Result<&'static Maker, JobError> {
    let found = MAKERS.iter().find(|(one, _)| one.name == table.name);
    found.map(|(_, maker)| maker).ok_or_else(|| JobError::Question(format!("there is no table {}", table.name)))
}
