//! Exports: the complaints as a file, with keyed pseudonyms for complaints, officers and enterprises, and without
//! what would tell who they are (texts, declaration numbers, references). A file for the Board may have the numbers of other
//! registers beside them; its pseudonyms are found in no other file.

mod file;
mod row;

pub use file::{ExportWriter, Form, Terms};
pub use row::ExportRow;

use jobs::snapshot::Reference;
use schema::enums::Role;
use schema::pseudonyms::{Audience, Pseudonyms};
use schema::queries::{self, ComplaintSort, Direction, Pred, Window};
use schema::tables::complaints;
use schema::{Conn, StoreError};

/// Complaints that are read at once: with the one that tells of more, a round number, which is what a list reads.
const PAGE: usize = 4_095;

/// Who is given a file of a role, with or without the numbers of other registers.
pub const fn audience(role: Role, references: bool) -> Audience {
    if references { Audience::Referenced(role) } else { Audience::Export(role) }
}

/// Reads the complaints that a filter chooses, in the order in which they were received (those of one moment in a secret
/// one: that of their ids would tell which is which), and hands them over page by page. Call it within one read of the database that sees one state throughout.
///
/// # Errors
/// Where the database fails, or whoever takes the pages.
pub fn read(
    conn: &mut Conn,
    pseudonyms: &Pseudonyms,
    references: bool,
    filter: &dyn Fn() -> Result<Option<Pred<complaints::table>>, StoreError>,
    take: &mut dyn FnMut(Vec<ExportRow>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let reference = Reference::load(conn)?;
    let order =
        [(ComplaintSort::ReceivedAt, Direction::Asc), (ComplaintSort::Shuffled(pseudonyms.shuffle()), Direction::Asc)];
    let mut window = Window { limit: PAGE, ..Window::default() };
    loop {
        let slice = queries::list_complaints(conn, filter()?, &order, &window)?;
        let ids: Vec<schema::Id> = slice.rows.iter().map(|row| row.id).collect();
        let mut allegations = queries::allegations_of(conn, &ids)?;
        let mut sources = if references { Some(queries::sources_of(conn, &ids)?) } else { None };
        window.after = slice.rows.last().map(|row| ComplaintSort::keys(&order, row));
        let rows = slice.rows.iter();
        let rows = rows.map(|row| {
            let named = allegations.remove(&row.id).unwrap_or_default();
            let sources = sources.as_mut().map(|all| all.remove(&row.id).unwrap_or_default());
            ExportRow::new(row, &named, sources, &reference, pseudonyms)
        });
        take(rows.collect())?;
        if !slice.more {
            return Ok(());
        }
    }
}
