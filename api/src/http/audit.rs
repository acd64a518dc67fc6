//! The writer of the audit log: entries are handed to it and written in batches, a few times in a second,
//! so that nobody who looks waits for a write. What a node that dies had not written by then is lost.

use schema::Db;
use schema::register::audit::{Audited, write};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinHandle;

/// Entries that may wait; who looks then waits, too.
const WAITING: usize = 10_000;
/// Kilobytes of entries that may wait: one about a long filter has hundreds.
const WAITING_KB: usize = 32 * 1024;
const BATCH: usize = 1_000;
const PAUSE: Duration = Duration::from_millis(200);
const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// Where entries are handed in.
#[derive(Clone)]
pub struct AuditLog {
    entries: Sender<Waiting>,
    room: Arc<Semaphore>,
}

/// An entry with its share of the room.
type Waiting = (Audited, OwnedSemaphorePermit);

impl AuditLog {
    /// Starts the writer.
    pub fn start(db: Db) -> (Self, Writer) {
        let (sender, receiver) = channel(WAITING);
        let (stop, stopped) = oneshot::channel();
        let log = Self { entries: sender, room: Arc::new(Semaphore::new(WAITING_KB)) };
        (log, Writer { stop, task: tokio::spawn(write_all(db, receiver, stopped)) })
    }

    pub async fn add(&self, entry: Audited) {
        let kilobytes = (size(&entry) / 1024 + 1).min(WAITING_KB);
        let room = Arc::clone(&self.room).acquire_many_owned(u32::try_from(kilobytes).unwrap_or(u32::MAX)).await;
        let Ok(room) = room else { return };
        if self.entries.send((entry, room)).await.is_err() {
            tracing::error!("the audit log is closed");
        }
    }
}

/// Bytes of an entry.
fn size(entry: &Audited) -> usize {
    serde_json::to_vec(&entry.objects).map_or(0, |objects| objects.len())
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

async fn write_all(db: Db, mut receiver: Receiver<Waiting>, stopped: oneshot::Receiver<()>) {
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
