//! Exports to files: complaints, tables that belong to them, and statistics. Complaints, officers and enterprises
//! appear under keyed pseudonyms; columns that would identify them (texts, declaration numbers, references) are left
//! out. A file for the Board may include the reference numbers of other registers; its pseudonyms appear in no other
//! file.

mod about;
mod cells;
mod complaints;
mod csv;
mod file;
mod file_pseudonyms;
mod format;
mod matching;
mod pages;
mod statistics;
mod subject;
mod tables;
mod xlsx;

pub use about::{About, Content, Hashing, Manifest};
pub use complaints::complaint_schema;
pub use file::{ExportWriter, Form, Take};
pub use file_pseudonyms::People;
pub use format::Format;
pub use matching::Matching;
pub use statistics::StatisticsQuestion;
pub use subject::Subject;
pub use tables::{read_table, table_of};

use self::complaints::{Beside, Columns, Names};
use self::pages::{PAGE, Page, read_pages};
use chrono::NaiveDate;
use jobs::snapshot::Reference;
use schema::enums::Role;
use schema::pseudonyms::{Audience, Pseudonyms};
use schema::queries::Pred;
use schema::tables::complaints as complaint_table;
use schema::{Conn, StoreError};
use std::sync::mpsc::sync_channel;

/// The audience of a role's export files: it determines their pseudonyms.
pub const fn audience(role: Role, references: bool) -> Audience {
    if references { Audience::Referenced(role) } else { Audience::Export(role) }
}

/// Builds a condition on complaints: each page of a list needs it anew.
pub type Condition<'a> = dyn Fn() -> Result<Option<Pred<complaint_table::table>>, StoreError> + 'a;

/// The complaints of an export, and its optional columns.
pub struct Selection<'a> {
    /// The condition on its complaints.
    pub filter: &'a Condition<'a>,
    /// The row scope of its reader: an original outside of it is not named.
    pub visible: &'a dyn Fn() -> Option<Pred<complaint_table::table>>,
    /// Whether it has the reference numbers of other registers.
    pub references: bool,
    /// The day as of which a complaint is overdue or not.
    pub day: NaiveDate,
}

/// Reads the complaints that match a filter in order of receipt and passes them to `take` page by page. Complaints
/// received at the same moment come in a keyed order, because the order of their ids would identify them. The caller
/// must run it within one read snapshot of the database.
///
/// A thread of its own makes the columns and pseudonyms of a page, while the database finds the next one.
///
/// # Errors
/// If the database or `take` fails.
pub fn read(
    conn: &mut Conn,
    pseudonyms: &Pseudonyms,
    selection: &Selection<'_>,
    take: &mut Take<'_>,
) -> anyhow::Result<()> {
    let reference = &Reference::load(conn)?;
    let (day, references) = (selection.day, selection.references);
    std::thread::scope(|scope| {
        let (sender, pages) = sync_channel::<Page>(1);
        let building = scope.spawn(move || -> anyhow::Result<()> {
            let mut names = Names::new(pseudonyms);
            for page in pages {
                let mut columns = Columns::new(reference, pseudonyms.version(), day, references);
                let named = page.named.sorted();
                for row in &page.rows {
                    let beside = Beside {
                        named: named.of(row.id),
                        sources: page.sources.get(&row.id).map(Vec::as_slice).unwrap_or_default(),
                        original: page.originals.get(&row.id).copied(),
                    };
                    columns.add(row, &beside, &mut names);
                }
                names.limit();
                take(columns.finish()?)?;
            }
            Ok(())
        });
        let read = read_pages(conn, pseudonyms.shuffle(), selection, PAGE, &mut |page| {
            sender.send(page).map_err(|_| anyhow::anyhow!("the rows of the export cannot be taken"))
        });
        drop(sender);
        let built = building.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // If `take` failed, the reader ended for that reason.
        built?;
        read
    })
}
