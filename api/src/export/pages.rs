//! Reads the complaints of an export page by page, in the order of receipt, and those of one moment in a secret order.
//!
//! The database reads by receipt and id, as an index has them. The secret order is a hash of each id. Only complaints of
//! one moment need it, so it is computed here: in the statement it was computed for every row.

use super::Selection;
use crate::graphql::filter::both;
use schema::models::{ComplaintSource, ExportedComplaint, NamedOfficer};
use schema::pseudonyms::Shuffle;
use schema::queries::{self, ComplaintSort, Direction, Key, Window, received_between};
use schema::{Conn, Id, StoreError, Timestamp};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Rows per query: a list query reads one more to detect a next page, which makes a round 8,192.
pub const PAGE: usize = 8_191;

/// Complaints as they are read, with what belongs to them.
pub struct Page {
    pub rows: Vec<ExportedComplaint>,
    pub named: Named,
    pub sources: HashMap<Id, Vec<ComplaintSource>>,
    pub originals: HashMap<Id, Id>,
}

/// The officers that the complaints of a page name.
pub enum Named {
    Here(Vec<NamedOfficer>),
    /// Another connection reads them.
    Beside,
}

/// The officers that complaints name, by complaint.
pub struct SortedNamed(Vec<NamedOfficer>);

impl SortedNamed {
    /// Brings those of one complaint together. The thread that reads leaves that to the one that looks for them.
    pub fn new(mut all: Vec<NamedOfficer>) -> Self {
        // The database finds most in this order.
        all.sort_by_key(|one| one.complaint_id);
        Self(all)
    }

    pub fn of(&self, complaint: Id) -> &[NamedOfficer] {
        let from = self.0.partition_point(|one| one.complaint_id < complaint);
        let rest = &self.0[from..];
        let many = rest.iter().take_while(|one| one.complaint_id == complaint).count();
        &rest[..many]
    }
}

/// Asks another connection for the officers that complaints with ids from the first to the last name. False if there is
/// none.
pub type Ask<'a> = dyn Fn([Id; 2]) -> bool + 'a;

/// Reads the complaints that are selected, about `page` at once.
///
/// # Errors
/// The errors of `take`; if the condition is wrong, or the database fails.
pub fn read_pages(
    conn: &mut Conn,
    shuffle: Shuffle,
    selection: &Selection<'_>,
    page: usize,
    ask: &Ask<'_>,
    take: &mut dyn FnMut(Page) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let is_whole = (selection.filter)()?.is_none();
    let mut take = |conn: &mut Conn, rows: Vec<ExportedComplaint>| -> anyhow::Result<()> {
        take(with_what_belongs_to_them(conn, rows, selection, is_whole, ask)?)
    };
    let order = [(ComplaintSort::ReceivedAt, Direction::Asc)];
    let mut window = Window { limit: page, ..Window::default() };
    // Rows of the last moment that was read: the next page may have more of it.
    let mut held: Vec<ExportedComplaint> = Vec::new();
    loop {
        let slice = ComplaintSort::list_exported(conn, (selection.filter)()?, &order, &window)?;
        let mut rows = std::mem::take(&mut held);
        rows.extend(slice.rows);
        let Some((moment, last)) = rows.last().map(|row| (row.received_at, row.id)) else { return Ok(()) };
        let complete = match slice.more {
            true => rows.partition_point(|row| row.received_at < moment),
            false => rows.len(),
        };
        if complete == 0 {
            // A register of days or months only: one moment may have more complaints than memory should hold.
            read_moment(conn, shuffle, selection, page, moment, &mut take)?;
            window.after = Some(vec![Key::Time(moment), Key::Id(Id(Uuid::max()))]);
            continue;
        }
        window.after = Some(vec![Key::Time(moment), Key::Id(last)]);
        held = rows.split_off(complete);
        for of_one_moment in rows.chunk_by_mut(|a, b| a.received_at == b.received_at) {
            if of_one_moment.len() > 1 {
                ComplaintSort::shuffle(shuffle, of_one_moment);
            }
        }
        take(conn, rows)?;
        if !slice.more {
            return Ok(());
        }
    }
}

/// Reads the complaints of one moment, which the database puts into the secret order.
fn read_moment(
    conn: &mut Conn,
    shuffle: Shuffle,
    selection: &Selection<'_>,
    page: usize,
    moment: Timestamp,
    take: &mut dyn FnMut(&mut Conn, Vec<ExportedComplaint>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let order = [(ComplaintSort::ReceivedAt, Direction::Asc), (ComplaintSort::Shuffled(shuffle), Direction::Asc)];
    let mut window = Window { limit: page, ..Window::default() };
    loop {
        let at_moment = received_between(Some(moment), Timestamp::from_micros(moment.micros() + 1));
        let filter = both!(at_moment, (selection.filter)()?);
        let slice = ComplaintSort::list_exported(conn, filter, &order, &window)?;
        window.after = slice.rows.last().map(|row| ComplaintSort::keys_of_exported(shuffle, row));
        take(conn, slice.rows)?;
        if !slice.more {
            return Ok(());
        }
    }
}

/// Reads what belongs to complaints. Of a whole register it is read by the ids from the first to the last.
fn with_what_belongs_to_them(
    conn: &mut Conn,
    rows: Vec<ExportedComplaint>,
    selection: &Selection<'_>,
    is_whole: bool,
    ask: &Ask<'_>,
) -> anyhow::Result<Page> {
    let ids: Vec<Id> = rows.iter().map(|row| row.id).collect();
    let (named, mut originals) = match ends(&rows).filter(|_| is_whole) {
        Some(ends) => {
            let named = match ask(ends) {
                true => Named::Beside,
                false => Named::Here(queries::named_officers_between(conn, ends)?),
            };
            (named, queries::originals_between(conn, ends)?)
        }
        None => {
            let named = queries::named_officers_of(conn, &ids)?.into_values().flatten().collect();
            (Named::Here(named), queries::originals_of(conn, &ids)?)
        }
    };
    keep_visible(conn, &mut originals, selection)?;
    let sources = if selection.references { queries::sources_of(conn, &ids)? } else { HashMap::new() };
    Ok(Page { rows, named, sources, originals })
}

/// The first and the last id of complaints in the order of receipt, if few others lie between them: ids begin with the
/// day of receipt, but keep it where that was corrected later.
fn ends(rows: &[ExportedComplaint]) -> Option<[Id; 2]> {
    let (first, last) = (rows.iter().map(|row| row.id).min()?, rows.iter().map(|row| row.id).max()?);
    let day = |id: Id| id.0.as_bytes()[..6].iter().fold(0, |all, byte| all << 8 | i64::from(*byte)) / MILLIS_OF_A_DAY;
    let received = rows.last()?.received_at.micros() - rows.first()?.received_at.micros();
    // A day more at each end: the day of an id is one of its own time zone.
    (day(last) - day(first) <= received / (MILLIS_OF_A_DAY * 1_000) + 2).then_some([first, last])
}

const MILLIS_OF_A_DAY: i64 = 86_400_000;

/// Keeps of the originals to which complaints are linked those that the reader may see.
fn keep_visible(conn: &mut Conn, originals: &mut HashMap<Id, Id>, selection: &Selection<'_>) -> Result<(), StoreError> {
    if originals.is_empty() {
        return Ok(());
    }
    let named: Vec<Id> = originals.values().copied().collect();
    let visible: HashSet<Id> = queries::complaint_ids_among(conn, &named, selection.visible)?.into_iter().collect();
    originals.retain(|_, original| visible.contains(original));
    Ok(())
}

#[cfg(test)]
mod tests;
