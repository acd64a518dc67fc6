//! Runs an import: reads a file, groups its rows, and writes them in batches, one transaction each.

use super::kinds::{Context, Kind, Outcome};
use super::notices::{Notices, Watch};
use super::reader::Rows;
use super::row::{Columns, Row};
use super::seen::SeenKeys;
use super::stage::{Group, Groups, Staged, sorted};
use super::tally::{Tallied, Tally};
use super::{ImportError, Mapping, Reject, RejectSink};
use crate::db::{Db, StoreError};
use crate::register::demonstration;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::Read;

/// Options of an import.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Check everything, but roll every transaction back.
    pub dry_run: bool,
}

/// The result of an import. `rows` counts rows of the file, the other fields count entities of the kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    pub rows: u64,
    pub read: u64,
    pub imported: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub rejected: u64,
}

/// Receives the progress: bytes and rows read, entities written. Returns false to stop the import.
pub trait Progress {
    fn reading(&mut self, bytes: u64, rows: u64) -> bool;
    fn writing(&mut self, summary: &Summary) -> bool;
}

/// The most entities in one transaction, and the most rows; a batch ends when it reaches either.
const BATCH_ENTITIES: usize = 5_000;
const BATCH_ROWS: usize = 20_000;
/// Attempts to write a batch that conflicts with a concurrent writer.
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

/// The outcome of an import, filled while it runs; it is also correct where an error stops the import.
pub struct Report<'a> {
    pub summary: Summary,
    pub rejects: RejectSink<'a>,
    pub notices: Notices<'a>,
    /// The report on the columns, filled when the import has finished.
    pub tallied: Tallied,
    pub progress: &'a mut dyn Progress,
}

/// Imports a file.
///
/// When an error stops an import, committed batches stay. Running the same import again gives the same result as one
/// uninterrupted run.
///
/// # Errors
/// Where the database holds demonstration data (real complaints could not be told from invented ones), or where the
/// file or the database fails.
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
    let context = Context::new(&columns, mapping);
    // The reader and the writer share the report and the first error.
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
            Watch::strip_hidden(&columns, &rows.header, &mut row, &mut report.notices);
            watch.borrow_mut().note(&columns, &row);
            tally.borrow_mut().note(&columns, &row);
            match kind.key(&columns.of(&row)) {
                Ok(key) => return Some(Staged { key, row }),
                Err(reject) => {
                    // A row without a key counts as an entity of its own.
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
    watch.into_inner().report(&columns, import.db, &mut report.notices)?;
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
    let limit = if kind.is_one_transaction() { usize::MAX } else { BATCH_ENTITIES };
    let rows_limit = if kind.is_one_transaction() { usize::MAX } else { BATCH_ROWS };
    let mut batch = Vec::new();
    let mut rows = 0;
    let mut seen = if import.mapping.adjacent { Some(SeenKeys::new()?) } else { None };
    for group in groups {
        let group = group?;
        rows += group.rows.len();
        batch.push(group);
        if batch.len() >= limit || rows >= rows_limit {
            write_batch(import, context, std::mem::take(&mut batch), &mut seen, shared, tally)?;
            rows = 0;
        }
    }
    // The last rows before a read error may be damaged too, so the unfinished batch is not written.
    if batch.is_empty() || is_broken.get() {
        return Ok(());
    }
    write_batch(import, context, batch, &mut seen, shared, tally)
}

fn write_batch(
    import: Import<'_>,
    context: &Context<'_>,
    batch: Vec<Group>,
    seen: &mut Option<SeenKeys>,
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
            // The later rows of an entity would replace its first ones.
            let reason = "earlier rows of this complaint were imported already: the rows are not adjacent. \
                          Remove rows = \"adjacent\" from the mapping and import again";
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
        context.take_created();
        match import.db.write_unless(import.options.dry_run, &actor, |tx| import.kind.apply(tx, context, &good)) {
            Ok(committed) => break committed.value,
            Err(e) if e.is_lost_race() && tries < TRIES => tries += 1,
            Err(e) => return Err(explained(e)),
        }
    };
    tally.borrow_mut().record_created(context.take_created());
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

/// Rejects all rows of an entity because one of them is bad: each with its own reason, or with a reference to the bad
/// row.
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
            "the disk of the database is full ({text}): make room and run the same import again; it continues where it stopped"
        )));
    }
    ImportError::Store(error)
}
