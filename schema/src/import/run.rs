//! An import from beginning to end.

use super::kinds::{Kind, Outcome};
use super::notices::{Notices, Watch};
use super::reader::Rows;
use super::row::{Columns, Row};
use super::seen::Seen;
use super::stage::{Group, Groups, Staged, sorted};
use super::tally::{Tallied, Tally};
use super::{ImportError, Mapping, Reject, RejectSink};
use crate::db::{Db, StoreError};
use crate::events::Entity;
use crate::register::demonstration;
use crate::sql_types::Id;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::Read;

/// How to import.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Check everything and write nothing.
    pub dry_run: bool,
}

/// What an import did. `rows` counts rows of the file, the others things of the kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    pub rows: u64,
    pub read: u64,
    pub imported: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub rejected: u64,
}

/// Told now and then: bytes of the file read, rows read, things written; returns false to stop.
pub trait Progress {
    fn reading(&mut self, bytes: u64, rows: u64) -> bool;
    fn writing(&mut self, summary: &Summary) -> bool;
}

/// What every kind of import knows while it writes.
pub struct Context<'a> {
    pub columns: &'a Columns<'a>,
    pub mapping: &'a Mapping,
    /// What the batch under way made of codes that nobody knew.
    made: RefCell<Vec<(Entity, Id, String)>>,
}

impl Context<'_> {
    /// Notes what was made because the register did not know its code.
    pub fn made(&self, all: impl Iterator<Item = (Entity, Id, String)>) {
        self.made.borrow_mut().extend(all);
    }
}

/// Things in one transaction, and rows that they may have.
const BATCH_THINGS: usize = 5_000;
const BATCH_ROWS: usize = 20_000;
/// A batch that lost a race against another writer is tried again.
const TRIES: usize = 3;

/// An import to be run.
#[derive(Clone, Copy)]
pub struct Import<'a> {
    pub db: &'a Db,
    pub kind: Kind,
    /// The name of the file, for messages.
    pub name: &'a str,
    pub mapping: &'a Mapping,
    pub options: &'a Options,
}

/// What comes of it, filled while it runs: right also where an error stops it.
pub struct Report<'a> {
    pub summary: Summary,
    pub rejects: RejectSink<'a>,
    pub notices: Notices<'a>,
    /// What was met in the columns, once the import is through.
    pub tallied: Tallied,
    pub progress: &'a mut dyn Progress,
}

/// Imports a file.
///
/// Everything written so far stays written when an error stops an import half-way; the same
/// import run again ends where an undisturbed one would have.
///
/// # Errors
/// Where the database holds a demonstration: nobody could tell real complaints from invented ones. Else what is wrong with
/// the file or with the database.
pub fn run(import: Import<'_>, input: Box<dyn Read>, report: &mut Report<'_>) -> Result<(), ImportError> {
    if !import.options.dry_run {
        import.db.read(demonstration::refuse)?;
    }
    let result = run_into(import, input, report);
    if result.is_err() && report.summary.rows == 0 {
        return result;
    }
    result.and(report.rejects.finish())
}

fn run_into(import: Import<'_>, input: Box<dyn Read>, report: &mut Report<'_>) -> Result<(), ImportError> {
    let Import { kind, mapping, .. } = import;
    let mut rows = Rows::open(import.name, input, mapping)?;
    let columns = Columns::bind(mapping, kind.fields(), &rows.header)?;
    report.rejects.header(&rows.header)?;
    let context = Context { columns: &columns, mapping, made: RefCell::default() };
    // Both the reader and the writer report into these.
    let shared = RefCell::new(report);
    let failed = Cell::new(None);
    let is_broken = Cell::new(false);
    let watch = RefCell::new(Watch::new(kind, &columns));
    let tally = RefCell::new(Tally::new(kind, &columns));

    let staged = std::iter::from_fn(|| {
        loop {
            let mut row = match rows.next() {
                Ok(next) => next?,
                Err(e) => {
                    failed.set(Some(e));
                    is_broken.set(true);
                    return None;
                }
            };
            let report = &mut **shared.borrow_mut();
            report.summary.rows += 1;
            let read = report.summary.rows;
            if read.is_multiple_of(4096) && !report.progress.reading(rows.bytes_read(), read) {
                failed.set(Some(ImportError::Stopped));
                return None;
            }
            Watch::see(&columns, &rows.header, &mut row, &mut report.notices);
            watch.borrow_mut().note(&columns, &row);
            tally.borrow_mut().note(&columns, &row);
            match kind.key(&columns.of(&row)) {
                Ok(key) => return Some(Staged { key, row }),
                Err(reject) => {
                    // A row that does not say what it belongs to is a thing of its own.
                    report.summary.read += 1;
                    report.summary.rejected += 1;
                    if let Err(e) = report.rejects.reject(&reject, &row.record) {
                        failed.set(Some(e));
                        return None;
                    }
                }
            }
        }
    });

    if mapping.adjacent {
        let written = write_all(import, &context, Groups::new(staged.map(Ok)), &shared, &tally, &is_broken);
        failed.take().map_or(written, Err)?;
    } else {
        let sorted = sorted(staged)?;
        if let Some(e) = failed.take() {
            return Err(e);
        }
        write_all(import, &context, Groups::new(sorted), &shared, &tally, &is_broken)?;
    }
    let report = shared.into_inner();
    report.tallied = tally.into_inner().done(&columns, report.rejects.by_column());
    watch.into_inner().tell(&columns, import.db, &mut report.notices)?;
    Ok(())
}

type Shared<'s, 'a> = RefCell<&'s mut Report<'a>>;

fn write_all(
    import: Import<'_>,
    context: &Context<'_>,
    groups: impl Iterator<Item = Result<Group, ImportError>>,
    shared: &Shared<'_, '_>,
    tally: &RefCell<Tally>,
    is_broken: &Cell<bool>,
) -> Result<(), ImportError> {
    let kind = import.kind;
    let limit = if kind.is_one_transaction() { usize::MAX } else { BATCH_THINGS };
    let rows_limit = if kind.is_one_transaction() { usize::MAX } else { BATCH_ROWS };
    let mut batch = Vec::new();
    let mut rows = 0;
    let mut seen = if import.mapping.adjacent { Some(Seen::new()?) } else { None };
    for group in groups {
        let group = group?;
        rows += group.rows.len();
        batch.push(group);
        if batch.len() >= limit || rows >= rows_limit {
            write_batch(import, context, std::mem::take(&mut batch), &mut seen, shared, tally)?;
            rows = 0;
        }
    }
    // What came last before the file could not be read may be as wrong as what followed.
    if batch.is_empty() || is_broken.get() {
        return Ok(());
    }
    write_batch(import, context, batch, &mut seen, shared, tally)
}

fn write_batch(
    import: Import<'_>,
    context: &Context<'_>,
    batch: Vec<Group>,
    seen: &mut Option<Seen>,
    shared: &Shared<'_, '_>,
    tally: &RefCell<Tally>,
) -> Result<(), ImportError> {
    let again = match seen {
        Some(seen) => seen.note(batch.iter().map(|group| group.key.as_str()))?,
        None => vec![false; batch.len()],
    };
    let mut good = Vec::with_capacity(batch.len());
    for (group, again) in batch.into_iter().zip(again) {
        let mut misshapen: Vec<Reject> =
            group.rows.iter().filter_map(|row| context.columns.check_shape(row).err()).collect();
        if again {
            // The second part of a thing would replace the first.
            let reason = "further rows of a complaint that was complete: the rows are not adjacent, \
                          take rows = \"adjacent\" out of the mapping";
            misshapen.push(Reject { row: group.rows[0].line, column: String::new(), reason: reason.into() });
        }
        if misshapen.is_empty() {
            good.push(group);
        } else {
            let Report { summary, rejects, .. } = &mut **shared.borrow_mut();
            summary.read += 1;
            summary.rejected += 1;
            reject_whole(&group, &misshapen, rejects)?;
        }
    }
    let actor = format!("import:{}", context.mapping.source);
    let mut tries = 1;
    let outcomes = loop {
        context.made.take();
        match import.db.write_unless(import.options.dry_run, &actor, |tx| import.kind.apply(tx, context, &good)) {
            Ok(committed) => break committed.value,
            Err(e) if e.is_lost_race() && tries < TRIES => tries += 1,
            Err(e) => return Err(explained(e)),
        }
    };
    tally.borrow_mut().made(context.made.take());
    let Report { summary, rejects, progress, .. } = &mut **shared.borrow_mut();
    for (group, outcome) in good.iter().zip(outcomes) {
        summary.read += 1;
        match outcome {
            Outcome::Imported => summary.imported += 1,
            Outcome::Updated => summary.updated += 1,
            Outcome::Unchanged => summary.unchanged += 1,
            Outcome::Rejected(reasons) => {
                summary.rejected += 1;
                reject_whole(group, &reasons, rejects)?;
            }
        }
    }
    if progress.writing(summary) { Ok(()) } else { Err(ImportError::Stopped) }
}

/// One bad row rejects its whole thing: all its rows are listed, each with its own reason or
/// with the row that is to blame.
fn reject_whole(group: &Group, reasons: &[Reject], rejects: &mut RejectSink<'_>) -> Result<(), ImportError> {
    let by_row: HashMap<u64, &Reject> = reasons.iter().rev().map(|reject| (reject.row, reject)).collect();
    let mut rows: Vec<&Row> = group.rows.iter().collect();
    rows.sort_by_key(|row| row.line);
    for row in rows {
        match by_row.get(&row.line) {
            Some(reject) => rejects.reject(reject, &row.record)?,
            None => {
                let blame = reasons.first().map_or(row.line, |reject| reject.row);
                let reason = format!("belongs to {:?}, of which row {blame} was rejected", group.name());
                rejects.reject(&Reject { row: row.line, column: String::new(), reason }, &row.record)?;
            }
        }
    }
    Ok(())
}

fn explained(error: StoreError) -> ImportError {
    if error.is_refused_write() {
        let text = error.to_string();
        return ImportError::Store(StoreError::Rule(format!(
            "the disk of the database is full ({text}): make room and run the same import again, it goes on where it stopped"
        )));
    }
    ImportError::Store(error)
}
