//! Reads the register's position for many requests at once.
//!
//! At most one read is under way. A request that arrives during a read waits for the next one: that read begins after
//! the request arrived, so the request sees every write that was committed before.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// A request waits this long. A read takes a millisecond; a request that gets no position goes without.
const PATIENCE: Duration = Duration::from_secs(1);

/// Reads the position for the requests of a node.
pub struct PositionReader(Arc<Shared>);

struct Shared {
    read: Box<dyn Fn() -> Option<i64> + Send + Sync>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The requests that the next read answers.
    waiting: Vec<oneshot::Sender<i64>>,
    /// Whether a thread reads.
    is_reading: bool,
}

impl PositionReader {
    /// `read` reads the position, on a thread that may block; None if it fails.
    pub fn new(read: impl Fn() -> Option<i64> + Send + Sync + 'static) -> Self {
        Self(Arc::new(Shared { read: Box::new(read), state: Mutex::default() }))
    }

    /// The position, read after this call. None if it cannot be read in time.
    pub async fn read(&self) -> Option<i64> {
        let (answer, answered) = oneshot::channel();
        let is_first = {
            let mut state = self.0.state();
            state.waiting.push(answer);
            !std::mem::replace(&mut state.is_reading, true)
        };
        if is_first {
            let shared = Arc::clone(&self.0);
            drop(tokio::task::spawn_blocking(move || shared.answer_all()));
        }
        tokio::time::timeout(PATIENCE, answered).await.ok()?.ok()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads until no request waits.
    fn answer_all(&self) {
        while let Some(waiting) = self.next_requests() {
            // A request whose sender is dropped gets no position.
            let read = catch_unwind(AssertUnwindSafe(&self.read));
            if let Ok(Some(position)) = read {
                for request in waiting {
                    // The request may have been given up.
                    let _gone = request.send(position);
                }
            }
        }
    }

    /// The requests that wait; None, and the end of the reading, if there are none.
    fn next_requests(&self) -> Option<Vec<oneshot::Sender<i64>>> {
        let mut state = self.state();
        let waiting = std::mem::take(&mut state.waiting);
        state.is_reading = !waiting.is_empty();
        state.is_reading.then_some(waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::sync::mpsc;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().expect("a runtime")
    }

    /// A reader that counts its reads from 1, each of which begins with a message and ends with another.
    fn stepped() -> (Arc<PositionReader>, mpsc::Receiver<()>, mpsc::Sender<()>) {
        let ((began, begins), (end, ends)) = (mpsc::channel(), mpsc::channel());
        let (reads, ends) = (AtomicI64::new(0), Mutex::new(ends));
        let reader = PositionReader::new(move || {
            let number = reads.fetch_add(1, Ordering::SeqCst) + 1;
            began.send(()).ok()?;
            ends.lock().ok()?.recv().ok()?;
            Some(number)
        });
        (Arc::new(reader), begins, end)
    }

    #[test]
    fn requests_that_arrive_during_a_read_share_the_next_one() {
        runtime().block_on(async {
            let (reader, begins, end) = stepped();
            let request = || {
                let reader = Arc::clone(&reader);
                tokio::spawn(async move { reader.read().await })
            };
            let first = request();
            begins.recv().expect("the first read");
            let later = [request(), request(), request()];
            while reader.0.state().waiting.len() < later.len() {
                tokio::task::yield_now().await;
            }
            (0..2).for_each(|_| end.send(()).expect("a read ends"));
            assert_eq!(first.await.expect("no panic"), Some(1));
            for request in later {
                assert_eq!(request.await.expect("no panic"), Some(2), "read after it arrived");
            }
            // The thread ends its reading.
            while reader.0.state().is_reading {
                tokio::task::yield_now().await;
            }
        });
    }

    #[test]
    fn failed_reads_give_none_and_the_next_one_answers() {
        runtime().block_on(async {
            let reads = AtomicI64::new(0);
            let reader = PositionReader::new(move || match reads.fetch_add(1, Ordering::SeqCst) {
                0 => None,
                1 => panic!("a read of this test"),
                number => Some(number),
            });
            assert_eq!((reader.read().await, reader.read().await), (None, None));
            assert_eq!(reader.read().await, Some(2));
        });
    }

    #[test]
    fn waiting_requests_time_out_when_a_read_hangs() {
        runtime().block_on(async {
            let (reader, _begins, end) = stepped();
            assert_eq!(reader.read().await, None);
            drop(end);
        });
    }
}
