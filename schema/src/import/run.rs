//! Runs an import: reads a file, groups its rows, and checks them in batches, which another thread writes.

use super::kinds::Batch;
use super::notices::Watch;
use super::reader::Rows;
use super::report::{Import, Report};
use super::row::Columns;
use super::seen::SeenKeys;
use super::stage::{Group, Groups, Staged, sorted};
use super::tally::Tally;
use super::writer::{Reporter, write_batches};
use super::{ImportError, Reject};
use crate::register::demonstration;
use std::cell::{Cell, RefCell};
use std::io::Read;
use std::sync::mpsc::{SyncSender, channel, sync_channel};

/// The most entities in one transaction, and the most rows; a batch ends when it reaches either.
const BATCH_ENTITIES: usize = 5_000;
const BATCH_ROWS: usize = 20_000;

/// Imports a file.
///
/// When an error stops an import, committed batches stay. Running the same import again gives the same result as one
/// uninterrupted run.
///
/// # Errors
/// If the database holds demonstration data (real complaints could not be told from invented ones), or where the
/// file or the database fails.
pub fn run(import: Import<'_>, input: Box<dyn Read>, report: &mut Report<'_>) -> Result<(), ImportError> {
    if !import.options.dry_run {
        import.db.read(demonstration::refuse)?;
    }
    let result = run_into(import, input, report);
    if result.is_err() && report.summary.rows == 0 {
        return result;
    }
    let is_written = result.is_ok() && !import.options.dry_run;
    let cleaned = if is_written { import.db.clean_search_index() } else { Ok(()) };
    result.and(report.rejects.finish()).and(cleaned.map_err(ImportError::Store))
}

fn run_into(import: Import<'_>, input: Box<dyn Read>, report: &mut Report<'_>) -> Result<(), ImportError> {
    let Import { kind, mapping, .. } = import;
    let mut rows = Rows::open(import.name, input, mapping)?;
    let columns = Columns::bind(mapping, kind.fields(), &rows.header)?;
    report.rejects.header(&rows.header)?;
    let watch = RefCell::new(Watch::new(kind, &columns));
    let tally = RefCell::new(Tally::new(kind, &columns));
    std::thread::scope(|scope| {
        // At most two batches are in memory: the one being written and the one being read.
        let (sender, batches) = sync_channel(0);
        let (writer, written) = channel();
        let columns = &columns;
        scope.spawn(move || write_batches(import, columns, &batches, &writer));
        let reporter = RefCell::new(Reporter::new(&mut *report, &tally, written));
        let reader = Reader { import, columns, watch: &watch, tally: &tally, reporter: &reporter, batches: sender };
        let read = reader.read(&mut rows);
        // Dropping the sender ends the writing thread after its last batch.
        drop(reader);
        reporter.into_inner().finish().and(read)
    })?;
    report.tallied = tally.into_inner().done(&columns, report.rejects.by_column());
    watch.into_inner().report(&columns, import.db, &mut report.notices)?;
    Ok(())
}

/// Reads and checks the file, and hands batches to the writing thread.
struct Reader<'r, 'o, 'a> {
    import: Import<'r>,
    columns: &'r Columns<'r>,
    watch: &'r RefCell<Watch>,
    tally: &'r RefCell<Tally>,
    /// Shared between the rows that are read and the batches made of them.
    reporter: &'r RefCell<Reporter<'o, 'a>>,
    batches: SyncSender<Batch>,
}

impl Reader<'_, '_, '_> {
    fn read(&self, rows: &mut Rows) -> Result<(), ImportError> {
        let Self { import, columns, watch, tally, reporter, .. } = self;
        let failed = Cell::new(None);
        let is_broken = Cell::new(false);
        let fail = |error: ImportError| {
            failed.set(Some(error));
            is_broken.set(true);
        };
        let staged = std::iter::from_fn(|| {
            loop {
                // `Groups` asks again for the group after the one that was cut off.
                if is_broken.get() {
                    return None;
                }
                let mut row = match rows.next() {
                    Ok(next) => next?,
                    Err(e) => {
                        fail(e);
                        return None;
                    }
                };
                let mut reporter = reporter.borrow_mut();
                let report = &mut *reporter.report;
                report.summary.rows += 1;
                let read = report.summary.rows;
                if read.is_multiple_of(4096) && !report.progress.reading(rows.bytes_read(), read) {
                    fail(ImportError::Stopped);
                    return None;
                }
                Watch::strip_hidden(columns, &rows.header, &mut row, &mut report.notices);
                watch.borrow_mut().note(columns, &row);
                tally.borrow_mut().note(columns, &row);
                let key = import.kind.key(&columns.of(&row));
                match key {
                    Ok(key) => return Some(Staged { key, row }),
                    Err(reject) => {
                        // Without a key the row is rejected as a group of one row.
                        let group = Group { key: String::new(), rows: vec![row] };
                        if let Err(e) = reporter.reject(group, vec![reject]) {
                            fail(e);
                            return None;
                        }
                    }
                }
            }
        });
        if import.mapping.adjacent {
            let read = self.batch_all(Groups::new(staged.map(Ok)), &is_broken);
            return failed.take().map_or(read, Err);
        }
        let sorted = sorted(staged)?;
        if let Some(e) = failed.take() {
            return Err(e);
        }
        self.batch_all(Groups::new(sorted), &is_broken)
    }

    fn batch_all(
        &self,
        groups: impl Iterator<Item = Result<Group, ImportError>>,
        is_broken: &Cell<bool>,
    ) -> Result<(), ImportError> {
        let kind = self.import.kind;
        let limit = if kind.is_one_transaction() { usize::MAX } else { BATCH_ENTITIES };
        let rows_limit = if kind.is_one_transaction() { usize::MAX } else { BATCH_ROWS };
        let mut batch = Vec::new();
        let mut rows = 0;
        let mut seen = if self.import.mapping.adjacent { Some(SeenKeys::new()?) } else { None };
        for group in groups {
            let group = group?;
            // The rows before a read error may be damaged too, and those before a stop are not all of their entity.
            if is_broken.get() {
                return Ok(());
            }
            rows += group.rows.len();
            batch.push(group);
            if batch.len() >= limit || rows >= rows_limit {
                self.hand_over(std::mem::take(&mut batch), &mut seen)?;
                rows = 0;
            }
        }
        // Nor is an unfinished batch written whose last group was whole.
        if batch.is_empty() || is_broken.get() {
            return Ok(());
        }
        self.hand_over(batch, &mut seen)
    }

    fn hand_over(&self, batch: Vec<Group>, seen: &mut Option<SeenKeys>) -> Result<(), ImportError> {
        let again = match seen {
            Some(seen) => seen.note(batch.iter().map(|group| group.key.as_str()))?,
            None => vec![false; batch.len()],
        };
        let mut good = Vec::with_capacity(batch.len());
        for (group, again) in batch.into_iter().zip(again) {
            let mut misshapen: Vec<Reject> =
                group.rows.iter().filter_map(|row| self.columns.check_shape(row).err()).collect();
            if again {
                // Earlier rows of this entity are stored or in this batch; importing these rows would overwrite it with
                // part of its data.
                let reason = "earlier rows of this complaint were imported already: the rows are not adjacent. \
                              Remove rows = \"adjacent\" from the mapping and import again";
                misshapen.push(Reject { row: group.rows[0].line, column: String::new(), reason: reason.into() });
            }
            if misshapen.is_empty() {
                good.push(group);
            } else {
                self.reporter.borrow_mut().reject(group, misshapen)?;
            }
        }
        let batch = self.import.kind.parse(self.columns, good);
        self.reporter.borrow_mut().hand_over(batch, &self.batches)
    }
}
