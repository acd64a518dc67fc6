//! The process in which a question runs, and how it is asked.
//!
//! The asker writes a line of JSON and then each table as an Arrow stream; the worker writes a line of JSON. Both
//! are this very program.

use super::check::{Question, SqlError};
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

/// How much a question may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    pub rows: u32,
    /// Of the worker's process, in megabytes.
    pub memory_mb: u32,
    /// Of its answer, which its asker has to hold.
    pub answer_bytes: u32,
    pub time: Duration,
}

/// How often it is looked whether anybody waits for the answer.
const LOOKS_EVERY: Duration = Duration::from_millis(50);
/// The command of the program that starts a worker.
pub const COMMAND: &str = "sql-worker";

#[derive(Serialize, Deserialize)]
struct Asked {
    sql: String,
    rows: u32,
    memory_mb: u32,
    /// Seconds of processor time, of all threads together.
    cpu_seconds: u64,
    /// The process that asks: the worker ends with it.
    parent: u32,
    /// Names of the tables, and the bytes of each.
    tables: Vec<(String, u64)>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error(transparent)]
    Sql(#[from] SqlError),
    #[error("the question took longer than {} ms and was broken off", .0.as_millis())]
    Timeout(Duration),
    #[error("SQL: the engine broke off; it may have needed more than {0} MB: ask for fewer rows or groups")]
    Broken(u32),
    #[error("the SQL worker: {0}")]
    Worker(String),
}

/// Asks a worker and waits for the answer. The worker is ended when its time is over.
///
/// # Errors
/// Where the question is wrong, or takes too much.
pub fn ask(
    question: &Question,
    tables: Vec<(&'static str, DataFrame)>,
    allowed: Allowance,
) -> Result<Answer, AskError> {
    let began = Instant::now();
    let failed = |e: &dyn std::fmt::Display| AskError::Worker(e.to_string());
    let mut streams = Vec::with_capacity(tables.len());
    for (name, mut table) in tables {
        let mut stream = Vec::new();
        IpcStreamWriter::new(&mut stream).finish(&mut table).map_err(|e| failed(&e))?;
        streams.push((name.to_owned(), stream));
    }
    let asked = Asked {
        sql: question.sql.clone(),
        rows: allowed.rows,
        memory_mb: allowed.memory_mb,
        cpu_seconds: cpu_seconds(allowed.time),
        parent: std::process::id(),
        tables: streams.iter().map(|(name, stream)| (name.clone(), stream.len() as u64)).collect(),
    };
    let mut line = serde_json::to_vec(&asked).map_err(|e| failed(&e))?;
    line.push(b'\n');
    let mut worker = Ended(start().map_err(|e| failed(&e))?);
    let (Some(mut input), Some(output)) = (worker.0.stdin.take(), worker.0.stdout.take()) else {
        return Err(AskError::Worker("it has no pipes".into()));
    };
    // A worker that ends early closes the pipe: what it says counts.
    std::thread::spawn(move || {
        let _closed = input.write_all(&line);
        for (_, stream) in &streams {
            let _closed = input.write_all(stream);
        }
    });
    let most = u64::from(allowed.answer_bytes);
    let (told, heard) = channel();
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let read = BufReader::new(output).take(most + 1).read_to_end(&mut text);
        let _nobody_waits = told.send(read.map(|_| text));
    });
    let text = loop {
        let left = allowed.time.saturating_sub(began.elapsed());
        match heard.recv_timeout(left.min(LOOKS_EVERY)) {
            Ok(read) => break read.map_err(|e| failed(&e))?,
            Err(RecvTimeoutError::Timeout) if left > LOOKS_EVERY && check_cancelled().is_ok() => {}
            Err(RecvTimeoutError::Timeout) => return Err(AskError::Timeout(allowed.time)),
            Err(RecvTimeoutError::Disconnected) => return Err(AskError::Broken(allowed.memory_mb)),
        }
    };
    if text.len() as u64 > most {
        let message = format!("the answer has more than {most} bytes: ask for fewer rows or columns");
        return Err(AskError::Sql(SqlError(message)));
    }
    // Whoever was ended by the system wrote nothing, or half of it.
    let outcome: Result<Answer, String> =
        serde_json::from_slice(&text).map_err(|_| AskError::Broken(allowed.memory_mb))?;
    outcome.map_err(|message| AskError::Sql(SqlError(message)))
}

/// The processor time of a question that may take so long: each processor may be busy for all of it.
fn cpu_seconds(time: Duration) -> u64 {
    let processors = std::thread::available_parallelism().map_or(1, |number| number.get() as u64);
    (time.as_secs() + 1).saturating_mul(processors) + 1
}

/// A worker that ends with this.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _gone_already = self.0.kill();
        let _status = self.0.wait();
    }
}

fn start() -> std::io::Result<Child> {
    // Also where the file has been replaced by a newer one meanwhile.
    let program = if cfg!(target_os = "linux") { "/proc/self/exe".into() } else { std::env::current_exe()? };
    Command::new::<std::path::PathBuf>(program)
        .arg(COMMAND)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
}

/// The worker: answers one question from standard input on standard output.
///
/// # Errors
/// Where it is not asked as it should be.
pub fn work() -> Result<(), JobError> {
    let wrong = |e: &dyn std::fmt::Display| JobError::Question(e.to_string());
    // The asker may be killed and then ends nothing: the system does.
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|e| wrong(&e))?;
    let mut input = BufReader::new(std::io::stdin().lock());
    let mut line = String::new();
    input.read_line(&mut line).map_err(|e| wrong(&e))?;
    let asked: Asked = serde_json::from_str(&line).map_err(|e| wrong(&e))?;
    if std::os::unix::process::parent_id() != asked.parent {
        return Err(wrong(&"the process that asked is gone"));
    }
    rlimit::Resource::CPU.set(asked.cpu_seconds, asked.cpu_seconds).map_err(|e| wrong(&e))?;
    let bytes = u64::from(asked.memory_mb) * 1024 * 1024;
    rlimit::Resource::AS.set(bytes, bytes).map_err(|e| wrong(&e))?;
    let mut tables = Vec::with_capacity(asked.tables.len());
    for (name, length) in asked.tables {
        let mut stream = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        (&mut input).take(length).read_to_end(&mut stream).map_err(|e| wrong(&e))?;
        tables.push((name, IpcStreamReader::new(Cursor::new(stream)).finish()?));
    }
    let outcome = catch_unwind(AssertUnwindSafe(|| answer(tables, &asked.sql, asked.rows)));
    let outcome: Result<Answer, String> = match outcome {
        Ok(outcome) => outcome.map_err(|SqlError(message)| message),
        // What the engine says when it breaks off is for those who build it.
        Err(_) => Err("the engine broke off on this question: write it in another way".into()),
    };
    serde_json::to_writer(std::io::stdout().lock(), &outcome).map_err(|e| wrong(&e))
}
