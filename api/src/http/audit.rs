//! The writer of the audit log. It writes entries in batches a few times per second, so that readers do not wait for
//! a write. When more entries arrive than fit into a batch, the next one follows at once. If the node crashes,
//! unwritten entries are lost.

use schema::Db;
use schema::register::audit::{Audited, write};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinHandle;

/// Queued entries; beyond that, operations wait (backpressure).
const WAITING: usize = 10_000;
/// Queued kilobytes of entries: an entry about a long filter can have hundreds.
const WAITING_KB: usize = 32 * 1024;
/// Entries of a batch. With a pause after each batch of a thousand, no node could show more than 4,300 pages a second.
const BATCH: usize = 4_000;
const PAUSE: Duration = Duration::from_millis(200);
const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// A handle to add entries.
#[derive(Clone)]
pub struct AuditLog {
    entries: Sender<Waiting>,
    room: Arc<Semaphore>,
}

/// An entry with its permit for queue memory.
type Waiting = (Audited, OwnedSemaphorePermit);

impl AuditLog {
    /// Starts the writer task.
    pub fn start(db: Db) -> (Self, Writer) {
        let (sender, receiver) = channel(WAITING);
        let (stop, stopped) = oneshot::channel();
        let log = Self { entries: sender, room: Arc::new(Semaphore::new(WAITING_KB)) };
        (log, Writer { stop, task: tokio::spawn(write_all(db, receiver, stopped)) })
    }

    pub async fn add(&self, entry: Audited) {
        let kilobytes = (entry.objects.as_str().len() / 1024 + 1).min(WAITING_KB);
        let room = Arc::clone(&self.room).acquire_many_owned(u32::try_from(kilobytes).unwrap_or(u32::MAX)).await;
        let Ok(room) = room else { return };
        if self.entries.send((entry, room)).await.is_err() {
            tracing::error!("the audit log is closed: an entry was lost");
        }
    }
}

/// The running writer task.
pub struct Writer {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Writer {
    /// Closes the queue and writes the remaining entries.
    pub async fn end(self, within: Duration) {
        let _gone_already = self.stop.send(());
        if tokio::time::timeout(within, self.task).await.is_err() {
            tracing::error!("the last entries of the audit log could not be written in time");
        }
    }
}

async fn write_all(db: Db, mut receiver: Receiver<Waiting>, stopped: oneshot::Receiver<()>) {
    let mut entries = Vec::new();
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
                if !stopping && taken < BATCH {
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

async fn write_batch(db: &Db, waiting: Vec<Waiting>) {
    let (entries, _room): (Vec<Audited>, Vec<OwnedSemaphorePermit>) = waiting.into_iter().unzip();
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
