//! Exports to files: complaints, tables that belong to them, and statistics. Complaints, officers and enterprises
//! appear under keyed pseudonyms; columns that would identify them (texts, declaration numbers, references) are left
//! out. A file for the Board may include the reference numbers of other registers; its pseudonyms appear in no other
//! file.

mod about;
mod cells;
mod complaints;
mod csv;
mod file;
mod matching;
mod people;
mod statistics;
mod subject;
mod tables;
mod xlsx;

pub use about::{About, Content, Hashing, Manifest};
pub use complaints::complaint_schema;
pub use file::{ExportWriter, Form, Take};
pub use matching::Matching;
pub use people::People;
pub use statistics::StatisticsQuestion;
pub use subject::{Format, Subject};
pub use tables::{read_table, table_of};

use self::complaints::{Beside, Columns, Names};
use chrono::NaiveDate;
use jobs::snapshot::Reference;
use schema::enums::Role;
use schema::models::{ComplaintSource, ExportedComplaint, NamedOfficer};
use schema::pseudonyms::{Audience, Pseudonyms};
use schema::queries::{self, ComplaintSort, Direction, Pred, Window};
use schema::tables::complaints as complaint_table;
use schema::{Conn, Id, StoreError};
use std::collections::{HashMap, HashSet};
use std::sync::mpsc::{SyncSender, sync_channel};

/// Rows per query: a list query reads one more to detect a next page, which makes a round 8,192.
const PAGE: usize = 8_191;

/// The audience of a role's export files: it determines their pseudonyms.
pub const fn audience(role: Role, references: bool) -> Audience {
    if references { Audience::Referenced(role) } else { Audience::Export(role) }
}

/// Builds a condition on complaints: each page of a list needs it anew.
pub type Condition<'a> = dyn Fn() -> Result<Option<Pred<complaint_table::table>>, StoreError> + 'a;

/// Which complaints an export has, and what it says of them.
pub struct Selection<'a> {
    /// The condition on its complaints.
    pub filter: &'a Condition<'a>,
    /// The condition on the complaints that its reader may see at all: no other one is named as an original.
    pub visible: &'a dyn Fn() -> Option<Pred<complaint_table::table>>,
    /// Whether it has the reference numbers of other registers.
    pub references: bool,
    /// The day as of which a complaint is overdue or not.
    pub day: NaiveDate,
}

/// Complaints as they are read, with what belongs to them.
struct Page {
    rows: Vec<ExportedComplaint>,
    named: HashMap<Id, Vec<NamedOfficer>>,
    sources: HashMap<Id, Vec<ComplaintSource>>,
    originals: HashMap<Id, Id>,
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
                for row in &page.rows {
                    let beside = Beside {
                        named: page.named.get(&row.id).map(Vec::as_slice).unwrap_or_default(),
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
        let read = read_pages(conn, pseudonyms, selection, &sender);
        drop(sender);
        let built = building.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // Where the rows could not be taken, reading only ended for that reason.
        built?;
        read
    })
}

/// Reads the complaints page by page.
fn read_pages(
    conn: &mut Conn,
    pseudonyms: &Pseudonyms,
    selection: &Selection<'_>,
    sender: &SyncSender<Page>,
) -> anyhow::Result<()> {
    let shuffle = pseudonyms.shuffle();
    let order = [(ComplaintSort::ReceivedAt, Direction::Asc), (ComplaintSort::Shuffled(shuffle), Direction::Asc)];
    let mut window = Window { limit: PAGE, ..Window::default() };
    loop {
        let slice = ComplaintSort::list_exported(conn, (selection.filter)()?, &order, &window)?;
        let ids: Vec<Id> = slice.rows.iter().map(|row| row.id).collect();
        let named = queries::named_officers_of(conn, &ids)?;
        let sources = if selection.references { queries::sources_of(conn, &ids)? } else { HashMap::new() };
        let originals = originals(conn, &ids, selection)?;
        window.after = slice.rows.last().map(|row| ComplaintSort::keys_of_exported(shuffle, row));
        let page = Page { rows: slice.rows, named, sources, originals };
        sender.send(page).map_err(|_| anyhow::anyhow!("the rows of the export cannot be taken"))?;
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
