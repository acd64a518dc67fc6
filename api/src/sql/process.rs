//! An engine process, as the program that asks it sees it.

use super::QueryError;
use super::protocol::{
    ASK, Ask, BATCH, CANCEL, ColumnName, DROP, END, End, FAILED, Failed, LAKE, LakeTables, PARAMETERS, PieceName,
    SCHEMA, SETUP, Setup, TableColumns, fingerprint, read_batch, read_frame, read_json, read_schema, write_column,
    write_json,
};
use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use jobs::tables::{ColumnPiece, Wanted};
use schema::db::cancellation::check_cancelled;
use std::collections::{HashMap, HashSet};
use std::io::{self, BufReader, BufWriter, Write};
use std::process::{Child, ChildStdin};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::thread::Builder;
use std::time::{Duration, Instant};

/// Interval at which a waiting thread checks whether its work is cancelled.
const LOOKS_EVERY: Duration = Duration::from_millis(20);
/// A cancelled question may take this long to end; then the process is killed.
const CANCELS_WITHIN: Duration = Duration::from_millis(300);
/// Frames of an answer that wait to be read: a slow reader holds up the engine.
const FRAMES: usize = 2;

/// An answer of an engine process.
#[derive(Debug)]
pub enum Answer {
    Schema(SchemaRef),
    /// Rows, and their bytes.
    Batch(RecordBatch, u64),
    Parameters(SchemaRef),
    End(End),
    Failed(Failed),
}

/// A running engine. It is killed on drop.
pub struct Engine {
    child: Child,
    input: Arc<Mutex<BufWriter<ChildStdin>>>,
    answers: Receiver<io::Result<(u8, Vec<u8>)>>,
    /// The versions of the columns that the engine holds of each piece, by the place of the column.
    held: HashMap<(&'static str, u32), HashMap<usize, u64>>,
    /// The state of the lake whose files the engine reads.
    lake: Option<String>,
    number: u64,
    /// Time since which it has been idle.
    pub idle_since: Instant,
}

impl Engine {
    /// Prepares a started process for one reader.
    ///
    /// # Errors
    /// When its standard input or output is not connected, or a thread cannot be started.
    pub fn new(mut child: Child, board: bool) -> io::Result<Self> {
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("standard input and output are not connected"));
        };
        let (sender, answers) = sync_channel(FRAMES);
        let mut input = BufWriter::new(input);
        let read = move || {
            let mut output = BufReader::with_capacity(1 << 16, output);
            while let Some(frame) = read_frame(&mut output).transpose() {
                let failed = frame.is_err();
                if sender.send(frame).is_err() || failed {
                    return;
                }
            }
        };
        Builder::new().name("sql-answers".into()).spawn(read)?;
        // Writing to a process that ended fails; the first question reports why. It is flushed: the engine gets ready
        // while the tables for its first question are made.
        let _ended =
            write_json(&mut input, SETUP, &Setup { fingerprint: fingerprint(), board }).and_then(|()| input.flush());
        let input = Arc::new(Mutex::new(input));
        Ok(Self { child, input, answers, held: HashMap::new(), lake: None, number: 0, idle_since: Instant::now() })
    }

    /// Whether the process runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Names the files of a lake in one state, unless the engine reads that state already.
    ///
    /// # Errors
    /// When the engine ended.
    pub fn read_lake(&mut self, state: &str, tables: &LakeTables) -> io::Result<()> {
        if self.lake.as_deref() == Some(state) {
            return Ok(());
        }
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        write_json(&mut *input, LAKE, tables)?;
        drop(input);
        self.lake = Some(state.to_owned());
        Ok(())
    }

    /// Asks a question: sends the wanted columns that the engine lacks in this version, and the question itself. A
    /// thread writes, so that the caller can watch its deadline. Returns how many columns of pieces are sent.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn ask(&mut self, wanted: &[Wanted], columns: Vec<ColumnPiece>, mut ask: Ask) -> io::Result<u64> {
        self.number += 1;
        ask.number = self.number;
        ask.given = wanted.iter().map(|one| TableColumns::of(one.table, |index| one.columns.has(index))).collect();
        let present: HashSet<(&'static str, u32)> = columns.iter().map(|one| (one.table.name, one.key)).collect();
        let gone: Vec<(&'static str, u32)> = self
            .held
            .keys()
            .copied()
            .filter(|piece| wanted.iter().any(|one| one.table.name == piece.0) && !present.contains(piece))
            .collect();
        for piece in &gone {
            self.held.remove(piece);
        }
        let held = &mut self.held;
        let fresh: Vec<ColumnPiece> = columns
            .into_iter()
            .filter(|one| {
                let of_piece = held.entry((one.table.name, one.key)).or_default();
                of_piece.insert(one.column, one.version) != Some(one.version)
            })
            .collect();
        let sent = fresh.len() as u64;
        let input = Arc::clone(&self.input);
        let write = move || {
            let mut input = input.lock().unwrap_or_else(PoisonError::into_inner);
            // A process that ends early closes its pipe; what it answered decides.
            let _ended = send(&mut *input, &gone, &fresh, &ask);
        };
        Builder::new().name("sql-question".into()).spawn(write)?;
        Ok(sent)
    }

    /// The next part of the answer. Waits until `deadline`, or until the work of this thread is cancelled.
    ///
    /// # Errors
    /// When it takes too long, is cancelled, or the engine ended.
    pub fn next(&mut self, deadline: Instant, memory_mb: u32, time: Duration) -> Result<Answer, QueryError> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.answers.recv_timeout(left.min(LOOKS_EVERY)) {
                Ok(Ok((kind, content))) => {
                    return decoded(kind, &content).map_err(|e| QueryError::Engine(e.to_string()));
                }
                Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => return Err(QueryError::Broken(memory_mb)),
                Err(RecvTimeoutError::Timeout) if left.is_zero() => return Err(QueryError::Timeout(time)),
                Err(RecvTimeoutError::Timeout) => check_cancelled().map_err(|_| QueryError::Cancelled)?,
            }
        }
    }

    /// Cancels the running question. Returns whether it ended in time, so that the engine can be asked again.
    pub fn cancel(&mut self) -> bool {
        {
            // The thread that writes the question still holds the lock: the engine does not read.
            let mut input = match self.input.try_lock() {
                Ok(input) => input,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return false,
            };
            if write_json(&mut *input, CANCEL, &self.number).and_then(|()| input.flush()).is_err() {
                return false;
            }
        }
        let until = Instant::now() + CANCELS_WITHIN;
        loop {
            match self.answers.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Ok((END | FAILED, _))) => return true,
                Ok(Ok(_)) => {}
                Ok(Err(_)) | Err(_) => return false,
            }
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _status = self.child.wait();
    }
}

fn send(to: &mut impl Write, gone: &[(&'static str, u32)], columns: &[ColumnPiece], ask: &Ask) -> io::Result<()> {
    for (table, key) in gone {
        write_json(to, DROP, &PieceName { table: (*table).to_owned(), key: *key })?;
    }
    for ColumnPiece { table, key, column, values, .. } in columns {
        let Some(column) = table.columns.get(*column) else { continue };
        let name = ColumnName { table: table.name.to_owned(), key: *key, column: column.name.to_owned() };
        let schema = Arc::new(Schema::new(vec![column.field()]));
        let rows = RecordBatch::try_new(schema, vec![Arc::clone(values)]).map_err(io::Error::other)?;
        write_column(to, &name, &rows)?;
    }
    write_json(to, ASK, ask)?;
    to.flush()
}

fn decoded(kind: u8, content: &[u8]) -> io::Result<Answer> {
    Ok(match kind {
        SCHEMA => Answer::Schema(read_schema(content)?),
        BATCH => Answer::Batch(read_batch(content)?, content.len() as u64),
        PARAMETERS => Answer::Parameters(read_schema(content)?),
        END => Answer::End(read_json(content)?),
        FAILED => Answer::Failed(read_json(content)?),
        _ => return Err(io::Error::other(format!("it answered with a frame of the unknown kind {kind}"))),
    })
}
