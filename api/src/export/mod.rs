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
use self::pages::{Named, PAGE, Page, SortedNamed, read_pages};
use anyhow::Context;
use chrono::NaiveDate;
use jobs::snapshot::Reference;
use schema::db::SharedSnapshot;
use schema::enums::Role;
use schema::models::NamedOfficer;
use schema::pseudonyms::{Audience, Pseudonyms};
use schema::queries::{self, Pred};
use schema::tables::complaints as complaint_table;
use schema::{Conn, Db, Id, StoreError};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

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
/// must run it within one read snapshot of the database, on a connection of `db`.
///
/// A thread of its own makes the columns and pseudonyms of a page, while the database finds the next one. Where another
/// connection can read the same snapshot, it reads the officers of whole exports: a connection waits while the database
/// works, and the database while the rows of an answer are decoded.
///
/// # Errors
/// If the database or `take` fails.
pub fn read(
    db: &Db,
    conn: &mut Conn,
    pseudonyms: &Pseudonyms,
    selection: &Selection<'_>,
    take: &mut Take<'_>,
) -> anyhow::Result<()> {
    let reference = &Reference::load(conn)?;
    let (day, references) = (selection.day, selection.references);
    let shared = if (selection.filter)()?.is_none() { db.share_snapshot(conn)? } else { None };
    std::thread::scope(|scope| {
        let (sender, pages) = sync_channel::<Page>(1);
        let (ranges, asked) = sync_channel::<[Id; 2]>(RANGES);
        let (answers, named) = sync_channel::<Vec<NamedOfficer>>(1);
        // Without another connection the range cannot be sent, and this connection reads the officers.
        let beside = shared.map(|shared| scope.spawn(move || read_named(shared, &asked, &answers)));
        let building = scope.spawn(move || -> anyhow::Result<()> {
            let mut names = Names::new(pseudonyms);
            for page in pages {
                let mut columns = Columns::new(reference, pseudonyms.version(), day, references);
                let named = SortedNamed::new(match page.named {
                    Named::Here(named) => named,
                    Named::Beside => named.recv().context("the officers of the export cannot be read")?,
                });
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
        let ask = |ends: [Id; 2]| ranges.send(ends).is_ok();
        let read = read_pages(conn, pseudonyms.shuffle(), selection, PAGE, &ask, &mut |page| {
            sender.send(page).map_err(|_| anyhow::anyhow!("the rows of the export cannot be taken"))
        });
        drop((sender, ranges));
        let beside = beside.map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        let built = building.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // If the other connection failed, the columns were not made for that reason; and if these or `take` failed, the
        // reader ended for that one.
        beside.transpose()?;
        built?;
        read
    })
}

/// Ranges of ids that wait for the other connection, which is at most a page behind.
const RANGES: usize = 4;

/// Reads the officers that the complaints of ranges of ids name.
fn read_named(
    shared: SharedSnapshot,
    asked: &Receiver<[Id; 2]>,
    answers: &SyncSender<Vec<NamedOfficer>>,
) -> anyhow::Result<()> {
    shared.read(|conn| {
        for ends in asked {
            if answers.send(queries::named_officers_between(conn, ends)?).is_err() {
                // The export failed, and needs no more.
                break;
            }
        }
        Ok(())
    })
}
