//! The writer of the audit log: entries are handed to it and written in batches, a few times in a second,
//! so that nobody who looks waits for a write. What a node that dies had not written by then is lost.

use schema::Db;
use schema::register::audit::{Audited, write};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Entries that may wait; who looks then waits, too.
const WAITING: usize = 10_000;
const BATCH: usize = 1_000;
const PAUSE: Duration = Duration::from_millis(200);
const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// Where entries are handed in.
#[derive(Clone)]
pub struct AuditLog(Sender<Audited>);

impl AuditLog {
    /// Starts the writer.
    pub fn start(db: Db) -> (Self, Writer) {
        let (sender, receiver) = channel(WAITING);
        let (stop, stopped) = oneshot::channel();
        (Self(sender), Writer { stop, task: tokio::spawn(write_all(db, receiver, stopped)) })
    }

    pub async fn add(&self, entry: Audited) {
        if self.0.send(entry).await.is_err() {
            tracing::error!("the audit log is closed");
        }
    }
}

/// The writer at work.
pub struct Writer {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Writer {
    /// Takes no more, and writes what waits.
    pub async fn end(self, within: Duration) {
        let _gone_already = self.stop.send(());
        if tokio::time::timeout(within, self.task).await.is_err() {
            tracing::error!("the end of the audit log could not be written");
        }
    }
}

async fn write_all(db: Db, mut receiver: Receiver<Audited>, stopped: oneshot::Receiver<()>) {
    let mut entries = Vec::with_capacity(BATCH);
    let mut stopped = std::pin::pin!(stopped);
    let mut stopping = false;
    loop {
        tokio::select! {
            _ = &mut stopped, if !stopping => {
                stopping = true;
                receiver.close();
            }
            taken = receiver.recv_many(&mut entries, BATCH) => {
                if taken == 0 {
                    return;
                }
                write_batch(&db, std::mem::take(&mut entries)).await;
                if !stopping {
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

async fn write_batch(db: &Db, entries: Vec<Audited>) {
    let entries = Arc::new(entries);
    loop {
        let (to, batch) = (db.clone(), Arc::clone(&entries));
        let written = tokio::task::spawn_blocking(move || to.write("audit", |tx| write(tx.conn, &batch))).await;
        match written {
            Ok(Ok(_)) => return,
            Ok(Err(error)) => tracing::error!(%error, "the audit log could not be written: trying again"),
            Err(error) => tracing::error!(%error, "the audit log could not be written: trying again"),
        }
        tokio::time::sleep(AFTER_FAILURE).await;
    }
}
