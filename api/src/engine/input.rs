//! The frames that the engine reads.

use api::sql::protocol::{
    ASK, Ask, CANCEL, COLUMN, ColumnName, DROP, LAKE, LakeTables, PieceName, SETUP, Setup, read_column, read_frame,
    read_json,
};
use arrow_array::RecordBatch;
use std::io::{self, BufReader};
use tokio::sync::{mpsc, watch};

/// Frames that wait for the session. Columns are large.
const WAITING: usize = 4;

/// A message to the engine. Cancellations are no messages, because they must not wait in the queue.
pub enum Told {
    Setup(Setup),
    Column(ColumnName, RecordBatch),
    Drop(PieceName),
    Lake(LakeTables),
    Ask(Box<Ask>),
}

/// The messages that a thread reads from the standard input.
pub struct Input {
    pub told: mpsc::Receiver<Told>,
    /// The number of the last question that was cancelled.
    pub cancelled: watch::Receiver<u64>,
}

impl Input {
    /// Starts to read. The process ends with its input, because the program that asks has gone.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start() -> io::Result<Self> {
        let (to_session, told) = mpsc::channel(WAITING);
        let (cancel, cancelled) = watch::channel(0);
        std::thread::Builder::new().name("input".into()).spawn(move || {
            let read = read(&to_session, &cancel);
            std::process::exit(i32::from(read.is_err()));
        })?;
        Ok(Self { told, cancelled })
    }
}

fn read(to_session: &mpsc::Sender<Told>, cancel: &watch::Sender<u64>) -> io::Result<()> {
    let mut input = BufReader::with_capacity(1 << 16, io::stdin().lock());
    while let Some((kind, content)) = read_frame(&mut input)? {
        let told = match kind {
            SETUP => Told::Setup(read_json(&content)?),
            COLUMN => {
                let (name, rows) = read_column(&content)?;
                Told::Column(name, rows)
            }
            DROP => Told::Drop(read_json(&content)?),
            LAKE => Told::Lake(read_json(&content)?),
            ASK => Told::Ask(Box::new(read_json(&content)?)),
            CANCEL => {
                cancel.send_replace(read_json(&content)?);
                continue;
            }
            _ => return Err(io::ErrorKind::InvalidData.into()),
        };
        if to_session.blocking_send(told).is_err() {
            return Ok(());
        }
    }
    Ok(())
}
