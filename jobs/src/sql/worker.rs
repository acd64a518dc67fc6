//! The worker process that executes one query, and the client side that starts it.
//!
//! The parent writes a line of JSON and then each table as an Arrow IPC stream; the worker answers with a line of
//! JSON. Both run the same executable.

use super::check::{CheckedQuery, SqlError};
use super::engine::{Answer, answer};
use crate::JobError;
use polars::io::ipc::{IpcStreamReader, IpcStreamWriter};
use polars::prelude::{DataFrame, SerReader, SerWriter};
use rustix::process::{Signal, set_parent_process_death_signal};
use schema::db::cancellation::check_cancelled;
use serde::{Deserialize, Serialize};
use std::io::{BufRead, BufReader, Cursor, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// The limits of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryLimits {
    pub rows: u32,
    /// Address space of the worker's process, in MB.
    pub memory_mb: u32,
    /// Size of the result, which the parent holds in memory.
    pub answer_bytes: u32,
    pub time: Duration,
}

/// How often the parent checks for cancellation.
const LOOKS_EVERY: Duration = Duration::from_millis(50);
/// The subcommand that starts a worker.
pub const COMMAND: &str = "sql-worker";

#[derive(Serialize, Deserialize)]
struct Request {
    sql: String,
    rows: u32,
    memory_mb: u32,
    /// Seconds of processor time of all threads together.
    cpu_seconds: u64,
    /// The parent's process id: the worker ends with it.
    parent: u32,
    /// Names and lengths in bytes of the table streams.
    tables: Vec<(String, u64)>,
}

/// Why a query has no result.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    #[error(transparent)]
    Sql(#[from] SqlError),
    #[error("the query took longer than {} ms and was cancelled", .0.as_millis())]
    Timeout(Duration),
    #[error("SQL: the engine stopped; it may have needed more than {0} MB: ask for fewer rows or groups")]
    Broken(u32),
    #[error("the SQL worker: {0}")]
    Worker(String),
}

/// Executes a query in a worker and waits for the result. Kills the worker on timeout or cancellation.
///
/// # Errors
/// When the query is invalid or exceeds a limit, or the worker fails.
pub fn ask(
    query: &CheckedQuery,
    tables: Vec<(&'static str, DataFrame)>,
    allowed: QueryLimits,
) -> Result<Answer, QueryError> {
    let began = Instant::now();
    let failed = |e: &dyn std::fmt::Display| QueryError::Worker(e.to_string());
    let mut streams = Vec::with_capacity(tables.len());
    for (name, mut table) in tables {
        let mut stream = Vec::new();
        IpcStreamWriter::new(&mut stream).finish(&mut table).map_err(|e| failed(&e))?;
        streams.push((name.to_owned(), stream));
    }
    let request = Request {
        sql: query.sql.clone(),
        rows: allowed.rows,
        memory_mb: allowed.memory_mb,
        cpu_seconds: cpu_seconds(allowed.time),
        parent: std::process::id(),
        tables: streams.iter().map(|(name, stream)| (name.clone(), stream.len() as u64)).collect(),
    };
    let mut line = serde_json::to_vec(&request).map_err(|e| failed(&e))?;
    line.push(b'\n');
    let mut worker = KillOnDrop(start().map_err(|e| failed(&e))?);
    let (Some(mut input), Some(output)) = (worker.0.stdin.take(), worker.0.stdout.take()) else {
        return Err(QueryError::Worker("standard input and output are not connected".into()));
    };
    // Write errors are ignored: a worker that ends early closes the pipe, and its output decides.
    std::thread::spawn(move || {
        let _closed = input.write_all(&line);
        for (_, stream) in &streams {
            let _closed = input.write_all(stream);
        }
    });
    let most = u64::from(allowed.answer_bytes);
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let read = BufReader::new(output).take(most + 1).read_to_end(&mut text);
        let _nobody_waits = sender.send(read.map(|_| text));
    });
    let text = loop {
        let left = allowed.time.saturating_sub(began.elapsed());
        match receiver.recv_timeout(left.min(LOOKS_EVERY)) {
            Ok(read) => break read.map_err(|e| failed(&e))?,
            Err(RecvTimeoutError::Timeout) if left > LOOKS_EVERY && check_cancelled().is_ok() => {}
            Err(RecvTimeoutError::Timeout) => return Err(QueryError::Timeout(allowed.time)),
            Err(RecvTimeoutError::Disconnected) => return Err(QueryError::Broken(allowed.memory_mb)),
        }
    };
    if text.len() as u64 > most {
        let message = format!("the answer has more than {most} bytes: ask for fewer rows or columns");
        return Err(QueryError::Sql(SqlError(message)));
    }
    // A worker that the system killed wrote nothing, or an incomplete line.
    let outcome: Result<Answer, String> =
        serde_json::from_slice(&text).map_err(|_| QueryError::Broken(allowed.memory_mb))?;
    outcome.map_err(|message| QueryError::Sql(SqlError(message)))
}

/// The processor time that corresponds to a time limit: all processors may be busy throughout.
fn cpu_seconds(time: Duration) -> u64 {
    let processors = std::thread::available_parallelism().map_or(1, |number| number.get() as u64);
    (time.as_secs() + 1).saturating_mul(processors) + 1
}

/// A worker that is killed on drop.
struct KillOnDrop(Child);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        let _gone_already = self.0.kill();
        let _status = self.0.wait();
    }
}

fn start() -> std::io::Result<Child> {
    // /proc/self/exe is this program even after an upgrade replaced its file.
    let program = if cfg!(target_os = "linux") { "/proc/self/exe".into() } else { std::env::current_exe()? };
    Command::new::<std::path::PathBuf>(program)
        .arg(COMMAND)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
}

/// Runs the worker: executes one query from standard input, and writes the result to standard output.
///
/// # Errors
/// When the request is malformed or a limit cannot be set.
pub fn work() -> Result<(), JobError> {
    let wrong = |e: &dyn std::fmt::Display| JobError::Question(e.to_string());
    // A killed parent cannot end its worker: the kernel does.
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|e| wrong(&e))?;
    let mut input = BufReader::new(std::io::stdin().lock());
    let mut line = String::new();
    input.read_line(&mut line).map_err(|e| wrong(&e))?;
    let request: Request = serde_json::from_str(&line).map_err(|e| wrong(&e))?;
    if std::os::unix::process::parent_id() != request.parent {
        return Err(wrong(&"the parent process is gone"));
    }
    rlimit::Resource::CPU.set(request.cpu_seconds, request.cpu_seconds).map_err(|e| wrong(&e))?;
    let bytes = u64::from(request.memory_mb) * 1024 * 1024;
    rlimit::Resource::AS.set(bytes, bytes).map_err(|e| wrong(&e))?;
    let mut tables = Vec::with_capacity(request.tables.len());
    for (name, length) in request.tables {
        let mut stream = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        (&mut input).take(length).read_to_end(&mut stream).map_err(|e| wrong(&e))?;
        tables.push((name, IpcStreamReader::new(Cursor::new(stream)).finish()?));
    }
    let outcome = catch_unwind(AssertUnwindSafe(|| answer(tables, &request.sql, request.rows)));
    let outcome: Result<Answer, String> = match outcome {
        Ok(outcome) => outcome.map_err(|SqlError(message)| message),
        // The engine's panic message would not help the analyst.
        Err(_) => Err("the engine failed on this query: write it in another way".into()),
    };
    serde_json::to_writer(std::io::stdout().lock(), &outcome).map_err(|e| wrong(&e))
}
