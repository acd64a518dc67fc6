//! How each table is made: from the pieces of the snapshot, or as a whole.

use super::names::{Context, Emit};
use super::piece_rows::PieceRows;
use super::{
    Table, allegations, calendar, categories, complaints, flag_numbers, flags, incidents, job_results, measures,
    people, postings, responses, sources, units, workload,
};
use crate::JobError;
use arrow_array::RecordBatch;
use schema::Conn;
use schema::events::Entity;
use schema::states::StateTable;

/// How a table is made.
pub(super) enum Maker {
    /// Of each piece of the snapshot, without the database.
    OfPiece(fn(&Context<'_>, &PieceRows) -> Result<RecordBatch, JobError>),
    /// Of the rows of the database that belong to the complaints of each piece of the snapshot. Whatever changes such a
    /// row is an event of its complaint, so that the piece is another one, too.
    BesidePiece(fn(&Context<'_>, &PieceRows, &mut Conn) -> Result<RecordBatch, JobError>),
    /// As a whole, which changes upon these changes, and with units, categories and the day.
    Whole(&'static [Upon], fn(&Context<'_>, &mut Conn, &mut Emit<'_>) -> Result<(), JobError>),
}

/// What changes a table that is made as a whole.
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
pub(super) static MAKERS: [(&Table, Maker); 18] = [
    (&complaints::TABLE, Maker::OfPiece(complaints::make)),
    (&allegations::TABLE, Maker::BesidePiece(allegations::make)),
    (&responses::TABLE, Maker::BesidePiece(responses::make)),
    (&units::TABLE, Maker::Whole(&[], units::make)),
    (&categories::TABLE, Maker::Whole(&[], categories::make)),
    (&people::officers::TABLE, Maker::Whole(&[Upon::People, Upon::Withheld], people::officers::make)),
    (&postings::TABLE, Maker::Whole(&[Upon::Event(Entity::Postings), Upon::Event(Entity::Merge)], postings::make)),
    (&people::enterprises::TABLE, Maker::Whole(&[Upon::People, Upon::Withheld], people::enterprises::make)),
    (&workload::TABLE, Maker::Whole(&[Upon::Event(Entity::Workload), Upon::Event(Entity::Merge)], workload::make)),
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
    (&sources::TABLE, Maker::BesidePiece(sources::make)),
];

/// How a table is made.
///
/// # Errors
/// When it is none of [`super::TABLES`].
pub(super) fn maker(table: &'static Table) -> Result<&'static Maker, JobError> {
    let found = MAKERS.iter().find(|(one, _)| one.name == table.name);
    found.map(|(_, maker)| maker).ok_or_else(|| JobError::Question(format!("there is no table {}", table.name)))
}
