//! The thread that writes batches while the next one is read and checked, and the report on both in the order of the
//! file.

use super::kinds::{Batch, Context, RowOutcome};
use super::report::{Import, Report};
use super::row::{Columns, Row};
use super::stage::Group;
use super::tally::Tally;
use super::{ImportError, Reject, RejectSink};
use crate::db::{Db, StoreError};
use crate::events::Entity;
use crate::sql_types::Id;
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::sync::mpsc::{Receiver, Sender, SyncSender};

/// Attempts to write a batch that conflicts with a concurrent writer.
const TRIES: usize = 3;

/// Rejected rows that wait for the batches before them, at most; the reader waits then, so that memory stays bounded.
const MOST_WAITING_ROWS: usize = 20_000;

/// A batch that was written.
pub(super) struct Written {
    groups: Vec<Group>,
    outcomes: Vec<RowOutcome>,
    /// Missing reference data that the batch created.
    created: Vec<(Entity, Id, String)>,
    /// Corrections of the Board that the batch kept, as notices.
    kept: Vec<String>,
}

/// Writes batches, one transaction each, until there are no more or one fails.
pub(super) fn write_batches(
    import: Import<'_>,
    columns: &Columns<'_>,
    batches: &Receiver<Batch>,
    written: &Sender<Result<Written, ImportError>>,
) {
    let context = Context::new(columns, import.mapping);
    let mut deferral = Deferral::of(import);
    for batch in batches {
        let result = write(import, &context, batch);
        let stored = result.as_ref().map(|written| written.groups.len()).ok();
        if written.send(result).is_err() {
            return;
        }
        let Some(stored) = stored else { return };
        deferral.note(stored);
    }
}

/// Number of complaints from which an import defers indexes: most of a batch, after which there are more as a rule. If
/// there are not, a few thousand keys are sorted again, which takes less than a second.
const LONG: usize = 4_000;

/// Defers the indexes of a long import into an empty register.
struct Deferral<'a> {
    db: &'a Db,
    is_due: bool,
    stored: usize,
}

impl<'a> Deferral<'a> {
    fn of(import: Import<'a>) -> Self {
        let Import { db, options, .. } = import;
        let is_due = options.defers_indexes && !options.dry_run && db.can_defer_indexes().unwrap_or(false);
        Self { db, is_due, stored: 0 }
    }

    /// Notes that a number of complaints was written.
    fn note(&mut self, complaints: usize) {
        self.stored += complaints;
        if !self.is_due || self.stored < LONG {
            return;
        }
        self.is_due = false;
        // An import with all indexes only takes longer.
        if let Err(error) = self.db.defer_indexes() {
            tracing::info!(%error, "this import keeps all indexes");
        }
    }
}

fn write(import: Import<'_>, context: &Context<'_>, mut batch: Batch) -> Result<Written, ImportError> {
    let actor = format!("import:{}", context.mapping.source);
    let mut tries = 1;
    let outcomes = loop {
        context.take_created();
        context.take_kept();
        match import.db.write_unless(import.options.dry_run, &actor, |tx| import.kind.apply(tx, context, &mut batch)) {
            Ok(committed) => break committed.value,
            Err(e) if e.is_lost_race() && tries < TRIES => tries += 1,
            Err(e) => return Err(explained(e)),
        }
    };
    let (created, kept) = (context.take_created(), context.take_kept());
    Ok(Written { groups: batch.groups, outcomes, created, kept })
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

/// The reports to make, in the order of the file: rejects wait for the batches before them.
pub(super) struct Reporter<'o, 'a> {
    pub report: &'o mut Report<'a>,
    tally: &'o RefCell<Tally>,
    written: Receiver<Result<Written, ImportError>>,
    steps: VecDeque<Step>,
    /// The rows of the rejected entities in `steps`: one entity may have many.
    waiting_rows: usize,
    is_stopped: bool,
}

enum Step {
    /// A batch on its way, whose result comes from the writing thread.
    Batch,
    /// An entity that was rejected before it came into a batch.
    Rejected(Group, Vec<Reject>),
}

impl<'o, 'a> Reporter<'o, 'a> {
    pub fn new(
        report: &'o mut Report<'a>,
        tally: &'o RefCell<Tally>,
        written: Receiver<Result<Written, ImportError>>,
    ) -> Self {
        Self { report, tally, written, steps: VecDeque::new(), waiting_rows: 0, is_stopped: false }
    }

    /// Hands a batch to the writing thread, and waits until that has written the one before.
    ///
    /// # Errors
    /// If an earlier batch could not be written, or the import is stopped.
    pub fn hand_over(&mut self, batch: Batch, batches: &SyncSender<Batch>) -> Result<(), ImportError> {
        if batches.send(batch).is_ok() {
            self.steps.push_back(Step::Batch);
            return self.advance();
        }
        // The writing thread has ended: its last result is the error, which `wait` returns.
        self.wait()?;
        Err(ImportError::Stopped)
    }

    /// Rejects an entity that is in no batch.
    ///
    /// # Errors
    /// Same errors as [`Self::hand_over`], or where rejects cannot be written.
    pub fn reject(&mut self, group: Group, reasons: Vec<Reject>) -> Result<(), ImportError> {
        self.waiting_rows += group.rows.len();
        self.steps.push_back(Step::Rejected(group, reasons));
        self.advance()?;
        if self.waiting_rows > MOST_WAITING_ROWS { self.wait() } else { Ok(()) }
    }

    /// Waits for all batches, which are part of the report even where reading them all has failed.
    ///
    /// # Errors
    /// Same errors as [`Self::reject`].
    pub fn finish(mut self) -> Result<(), ImportError> {
        self.wait()
    }

    /// Reports batches that have been written, and rejects that no batch is before.
    fn advance(&mut self) -> Result<(), ImportError> {
        self.report_while(|written| written.try_recv().ok())
    }

    /// Waits for all batches on their way.
    fn wait(&mut self) -> Result<(), ImportError> {
        self.report_while(|written| written.recv().ok())
    }

    fn report_while(
        &mut self,
        next: impl Fn(&Receiver<Result<Written, ImportError>>) -> Option<Result<Written, ImportError>>,
    ) -> Result<(), ImportError> {
        while let Some(step) = self.steps.pop_front() {
            match step {
                Step::Rejected(group, reasons) => {
                    self.waiting_rows -= group.rows.len();
                    let Report { summary, rejects, .. } = &mut *self.report;
                    summary.read += 1;
                    summary.rejected += 1;
                    reject_whole(&group, &reasons, rejects)?;
                }
                Step::Batch => match next(&self.written) {
                    Some(Ok(written)) => self.count(written)?,
                    Some(Err(error)) => {
                        // Drop the later steps: the next import of the file repeats them.
                        self.steps.clear();
                        self.waiting_rows = 0;
                        return Err(error);
                    }
                    None => {
                        self.steps.push_front(Step::Batch);
                        break;
                    }
                },
            }
        }
        if self.is_stopped { Err(ImportError::Stopped) } else { Ok(()) }
    }

    fn count(&mut self, written: Written) -> Result<(), ImportError> {
        let Written { groups, outcomes, created, kept } = written;
        self.tally.borrow_mut().record_created(created);
        let Report { summary, rejects, notices, progress, .. } = &mut *self.report;
        kept.iter().for_each(|message| notices.notice(message));
        for (group, outcome) in groups.iter().zip(outcomes) {
            summary.read += 1;
            match outcome {
                RowOutcome::Imported => summary.imported += 1,
                RowOutcome::Updated => summary.updated += 1,
                RowOutcome::Unchanged => summary.unchanged += 1,
                RowOutcome::Rejected(reasons) => {
                    summary.rejected += 1;
                    reject_whole(group, &reasons, rejects)?;
                }
            }
        }
        self.is_stopped |= !progress.writing(summary);
        Ok(())
    }
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
