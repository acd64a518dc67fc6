//! Exports of complaints to files. Complaints, officers and enterprises appear under keyed pseudonyms; columns that
//! would identify them (texts, declaration numbers, references) are left out. A file for the Board may include the
//! reference numbers of other registers; its pseudonyms appear in no other file.

mod file;
mod row;

pub use file::{ExportMetadata, ExportWriter, Format};
pub use row::ExportRow;

use jobs::snapshot::Reference;
use schema::enums::Role;
use schema::pseudonyms::{Audience, Pseudonyms};
use schema::queries::{self, ComplaintSort, Direction, ListOrder, Pred, Window};
use schema::tables::complaints;
use schema::{Conn, StoreError};

/// Rows per query: a list query reads one more to detect a next page, which makes a round 4,096.
const PAGE: usize = 4_095;

/// The audience of a role's export files: it determines their pseudonyms.
pub const fn audience(role: Role, references: bool) -> Audience {
    if references { Audience::Referenced(role) } else { Audience::Export(role) }
}

/// Reads the complaints that match a filter in order of receipt and passes them to `take` page by page. Complaints
/// received at the same moment come in a keyed order, because the order of their ids would identify them. The caller
/// must run it within one read snapshot of the database.
///
/// # Errors
/// If the database or `take` fails.
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
        let slice = ComplaintSort::list(conn, filter()?, &order, &window)?;
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
