//! An operation runs on a thread of its own, with one connection: between its statements nothing is handed from
//! thread to thread, which costs more than the statements themselves.

use super::error::{Code, error, from_store};
use async_graphql::Result;
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, poll_fn};
use futures_util::stream::FuturesUnordered;
use futures_util::task::AtomicWaker;
use schema::db::{Session, StatementCount, wanted};
use schema::{Conn, Db, StoreError};
use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

thread_local! {
    /// What the operation of this thread has taken; None on threads that run none.
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

/// What the operation of a thread holds.
struct Held {
    /// Its connection, from its first statement on and until it has to wait for something else.
    session: Option<Session>,
    /// Whether nobody waits for it any more.
    abandoned: Arc<AtomicBool>,
}

/// Says that nobody waits any more when it goes.
struct Waiting {
    abandoned: Arc<AtomicBool>,
    /// Its end wakes whoever waits for something else than a statement.
    _waits: oneshot::Sender<()>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.abandoned.store(true, Ordering::SeqCst);
    }
}

/// Work that an operation leaves for when it can go on no further: loaders wait so until all keys of a level are
/// known.
#[derive(Clone, Default)]
pub struct Later(Arc<Mutex<Vec<BoxFuture<'static, ()>>>>);

impl Later {
    pub fn push(&self, work: BoxFuture<'static, ()>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(work);
    }

    fn take(&self) -> Vec<BoxFuture<'static, ()>> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How an operation ended that did not come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// It panicked; the log says where.
    Panicked,
    /// Nobody waits for it any more.
    Abandoned,
}

/// Runs an operation on a thread that may block. Where whoever awaits it stops waiting, it is broken off at the
/// next statement.
pub async fn on_a_thread<T: Send + 'static>(
    operation: impl Future<Output = T> + Send + 'static,
    later: Later,
) -> std::result::Result<T, Broken> {
    let (waits, waits_no_more) = oneshot::channel::<()>();
    let waiting = Waiting { abandoned: Arc::default(), _waits: waits };
    let abandoned = Arc::clone(&waiting.abandoned);
    let span = tracing::Span::current();
    let work = move || {
        let _in_span = span.enter();
        wanted::unless(Some(Arc::clone(&abandoned)));
        HELD.set(Some(Held { session: None, abandoned }));
        let ran = catch_unwind(AssertUnwindSafe(|| Handle::current().block_on(drive(operation, later, waits_no_more))));
        HELD.set(None);
        wanted::unless(None);
        ran.unwrap_or(Err(Broken::Panicked))
    };
    let outcome = tokio::task::spawn_blocking(work).await.unwrap_or(Err(Broken::Panicked));
    drop(waiting);
    outcome
}

async fn drive<T>(
    operation: impl Future<Output = T>,
    later: Later,
    waits_no_more: oneshot::Receiver<()>,
) -> std::result::Result<T, Broken> {
    let mut operation = pin!(operation);
    let mut abandoned = pin!(waits_no_more);
    let mut left = FuturesUnordered::new();
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    // Without a budget: that of the runtime is not given anew within one turn, and there is nobody to give way to.
    let driven = poll_fn(|context| {
        woken.outside.register(context.waker());
        if abandoned.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(Broken::Abandoned));
        }
        loop {
            if is_abandoned() {
                return Poll::Ready(Err(Broken::Abandoned));
            }
            woken.again.store(false, Ordering::SeqCst);
            if let Poll::Ready(done) = operation.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Poll::Ready(Ok(done));
            }
            left.extend(later.take());
            // It only paused: not all that it will ask for is known yet.
            if woken.again.load(Ordering::SeqCst) {
                continue;
            }
            while let Poll::Ready(Some(())) = left.poll_next_unpin(context) {}
            if !woken.again.load(Ordering::SeqCst) {
                // While it waits for something else (a turn, a write), others may have the connection.
                HELD.with_borrow_mut(|held| held.as_mut().and_then(|held| held.session.take()));
                return Poll::Pending;
            }
        }
    });
    tokio::task::unconstrained(driven).await
}

fn is_abandoned() -> bool {
    HELD.with_borrow(|held| held.as_ref().is_some_and(|held| held.abandoned.load(Ordering::SeqCst)))
}

/// Tells whether an operation can go on.
#[derive(Default)]
struct Woken {
    again: AtomicBool,
    outside: AtomicWaker,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.again.store(true, Ordering::SeqCst);
        self.outside.wake();
    }
}

/// Reads on the thread of the operation, if this is one; gives the work back where it is not. A panic in it is
/// an error of its caller.
pub fn read_here<T, W>(db: &Db, count: &StatementCount, work: W) -> std::result::Result<Result<T>, W>
where
    W: FnOnce(&mut Conn) -> std::result::Result<T, StoreError>,
{
    HELD.with_borrow_mut(|held| {
        let Some(Held { session, abandoned }) = held else { return Err(work) };
        if abandoned.load(Ordering::SeqCst) {
            return Ok(Err(nobody_waits()));
        }
        let open = match session.take() {
            Some(open) => Ok(open),
            None => db.session(count),
        };
        let mut open = match open {
            Ok(open) => open,
            Err(e) => return Ok(Err(from_store(e))),
        };
        Ok(match catch_unwind(AssertUnwindSafe(|| open.read(work))) {
            Ok(found) => {
                *session = Some(open);
                // It failed because it was broken off.
                found.map_err(|e| if abandoned.load(Ordering::SeqCst) { nobody_waits() } else { from_store(e) })
            }
            Err(panic) => {
                // Nobody knows in what state it left the connection.
                open.close();
                Err(broke_off(&*panic))
            }
        })
    })
}

/// Does what is no statement (a statistic, a write) on the thread of the operation, if this is one; gives the work
/// back where it is not. An operation that waited for another thread to do it could wait for ever: that many may wait
/// at once that no thread is left.
pub fn work_here<T, W>(work: W) -> std::result::Result<Result<T>, W>
where
    W: FnOnce() -> Result<T>,
{
    let Some(abandoned) = HELD.with_borrow_mut(|held| {
        let held = held.as_mut()?;
        // It may need a connection of its own, and others may while it works.
        held.session = None;
        Some(held.abandoned.load(Ordering::SeqCst))
    }) else {
        return Err(work);
    };
    if abandoned {
        return Ok(Err(nobody_waits()));
    }
    Ok(catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(broke_off(&*panic))))
}

fn nobody_waits() -> async_graphql::Error {
    error(Code::Timeout, "nobody waits for the answer any more")
}

fn broke_off(panic: &(dyn Any + Send)) -> async_graphql::Error {
    let message = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = message.unwrap_or("no message"), "a request broke off");
    error(Code::Internal, "the request broke off; the server's log says why")
}
