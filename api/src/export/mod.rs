//! Exports of complaints to files. Complaints, officers and enterprises appear under keyed pseudonyms; columns that
//! would identify them (texts, declaration numbers, references) are left out. A file for the Board may include the
//! reference numbers of other registers; its pseudonyms appear in no other file.

mod file;
mod row;

pub use file::{ExportMetadata, ExportWriter, Format};
pub use row::ExportRow;

use chrono::NaiveDate;
use jobs::snapshot::Reference;
use row::Beside;
use schema::enums::Role;
use schema::pseudonyms::{Audience, Pseudonyms};
use schema::queries::{self, ComplaintSort, Direction, ListOrder, Pred, Window};
use schema::tables::complaints;
use schema::{Conn, Id, StoreError};
use std::collections::{HashMap, HashSet};

/// Rows per query: a list query reads one more to detect a next page, which makes a round 4,096.
const PAGE: usize = 4_095;

/// The audience of a role's export files: it determines their pseudonyms.
pub const fn audience(role: Role, references: bool) -> Audience {
    if references { Audience::Referenced(role) } else { Audience::Export(role) }
}

/// Which complaints an export has, and what it says of them.
pub struct Selection<'a> {
    /// The condition on its complaints, built again for each page.
    pub filter: &'a dyn Fn() -> Result<Option<Pred<complaints::table>>, StoreError>,
    /// The condition on the complaints that its reader may see at all: no other one is named as an original.
    pub visible: &'a dyn Fn() -> Option<Pred<complaints::table>>,
    /// Whether it has the reference numbers of other registers.
    pub references: bool,
    /// The day as of which a complaint is overdue or not.
    pub day: NaiveDate,
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
    selection: &Selection<'_>,
    take: &mut dyn FnMut(Vec<ExportRow>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let reference = Reference::load(conn)?;
    let order =
        [(ComplaintSort::ReceivedAt, Direction::Asc), (ComplaintSort::Shuffled(pseudonyms.shuffle()), Direction::Asc)];
    let mut window = Window { limit: PAGE, ..Window::default() };
    loop {
        let slice = ComplaintSort::list(conn, (selection.filter)()?, &order, &window)?;
        let ids: Vec<Id> = slice.rows.iter().map(|row| row.id).collect();
        let mut allegations = queries::allegations_of(conn, &ids)?;
        let mut sources = if selection.references { Some(queries::sources_of(conn, &ids)?) } else { None };
        let originals = originals(conn, &ids, selection)?;
        window.after = slice.rows.last().map(|row| ComplaintSort::keys(&order, row));
        let rows = slice.rows.iter();
        let rows = rows.map(|row| {
            let named = allegations.remove(&row.id).unwrap_or_default();
            let beside = Beside {
                named: &named,
                sources: sources.as_mut().map(|all| all.remove(&row.id).unwrap_or_default()),
                original: originals.get(&row.id).copied(),
                day: selection.day,
            };
            ExportRow::new(row, beside, &reference, pseudonyms)
        });
        take(rows.collect())?;
        if !slice.more {
            return Ok(());
        }
    }
}

/// The original of each of some complaints that is linked to one, where the reader may see it.
fn originals(conn: &mut Conn, ids: &[Id], selection: &Selection<'_>) -> Result<HashMap<Id, Id>, StoreError> {
    let mut originals = queries::originals_of(conn, ids)?;
    if originals.is_empty() {
        return Ok(originals);
    }
    let named: Vec<Id> = originals.values().copied().collect();
    let visible: HashSet<Id> = queries::complaint_ids_among(conn, &named, selection.visible)?.into_iter().collect();
    originals.retain(|_, original| visible.contains(original));
    Ok(originals)
}
