//! An operation runs on a thread of its own, with one connection: between its statements nothing is handed from
//! thread to thread, which costs more than the statements themselves.

use super::error::{Code, error, from_store};
use async_graphql::Result;
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, poll_fn};
use futures_util::stream::FuturesUnordered;
use futures_util::task::AtomicWaker;
use schema::db::wanted::{self, Interest};
use schema::db::{Session, StatementCount};
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
    /// Whether anybody waits for it.
    interest: Arc<Interest>,
}

/// Says that nobody waits any more when it goes.
struct Waiting {
    interest: Arc<Interest>,
    db: Db,
    /// Its end wakes whoever waits for something else than a statement.
    _waits: oneshot::Sender<()>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.interest.lose() {
            return;
        }
        let (interest, db) = (Arc::clone(&self.interest), self.db.clone());
        // On a thread of its own: those that may block may all wait for such statements.
        let cancelling = std::thread::Builder::new().spawn(move || {
            if let Err(failure) = interest.cancel(&db) {
                tracing::warn!(error = %failure, "a statement that nobody waits for could not be cancelled");
            }
        });
        if let Err(failure) = cancelling {
            tracing::warn!(error = %failure, "a statement that nobody waits for could not be cancelled");
        }
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

/// Runs an operation on a thread that may block. Where whoever awaits it stops waiting, it is broken off: the
/// statement under way is cancelled, a statistic ends with its stage.
pub async fn on_a_thread<T: Send + 'static>(
    db: &Db,
    operation: impl Future<Output = T> + Send + 'static,
    later: Later,
) -> std::result::Result<T, Broken> {
    let (waits, waits_no_more) = oneshot::channel::<()>();
    let waiting = Waiting { interest: Arc::default(), db: db.clone(), _waits: waits };
    let interest = Arc::clone(&waiting.interest);
    let span = tracing::Span::current();
    let work = move || {
        let _in_span = span.enter();
        wanted::works_for(Some(Arc::clone(&interest)));
        HELD.set(Some(Held { session: None, interest }));
        let _end = End;
        let ran = catch_unwind(AssertUnwindSafe(|| Handle::current().block_on(drive(operation, later, waits_no_more))));
        ran.unwrap_or(Err(Broken::Panicked))
    };
    let outcome = tokio::task::spawn_blocking(work).await.unwrap_or(Err(Broken::Panicked));
    drop(waiting);
    outcome
}

/// The thread goes on to other work when it goes.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        // First, should giving the connection back panic.
        wanted::works_for(None);
        HELD.set(None);
    }
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
    HELD.with_borrow(|held| held.as_ref().is_some_and(|held| held.interest.is_lost()))
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
        let Some(Held { session, .. }) = held else { return Err(work) };
        let open = match session.take() {
            Some(open) => Ok(open),
            None => wanted::go_on().and_then(|()| db.session(count)),
        };
        let mut open = match open {
            Ok(open) => open,
            Err(e) => return Ok(Err(from_store(e))),
        };
        Ok(match catch_unwind(AssertUnwindSafe(|| open.read(work))) {
            Ok(found) => {
                *session = Some(open);
                found.map_err(from_store)
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
    let is_operation = HELD.with_borrow_mut(|held| {
        // It may need a connection of its own, and others may while it works.
        held.as_mut().map(|held| held.session = None).is_some()
    });
    if !is_operation {
        return Err(work);
    }
    if let Err(failure) = wanted::go_on() {
        return Ok(Err(from_store(failure)));
    }
    Ok(catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(broke_off(&*panic))))
}

/// Computes on a thread of a lower priority, see [`jobs::compute_pool`], for the operation of this thread. A panic in it is an
/// error of its caller.
pub async fn compute<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    // It ends with its stage, too, where nobody waits for the operation any more.
    let interest = HELD.with_borrow(|held| held.as_ref().map(|held| Arc::clone(&held.interest)));
    let span = tracing::Span::current();
    let computed = jobs::compute_pool::spawn(move || {
        let _in_span = span.enter();
        wanted::works_for(interest);
        let _end = End;
        wanted::go_on().map_err(from_store)?;
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(broke_off(&*panic)))
    });
    computed.await.unwrap_or_else(|failure| Err(broke_off(&failure)))
}

fn broke_off(panic: &(dyn Any + Send)) -> async_graphql::Error {
    let message = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = message.unwrap_or("no message"), "a request broke off");
    error(Code::Internal, "the request broke off; the server's log says why")
}
