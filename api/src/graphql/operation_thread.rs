//! An operation runs on a thread of its own, with one connection: handing work from thread to thread between its statements
//! costs more than the statements themselves.

use super::error::{Code, error, from_store};
use async_graphql::Result;
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, poll_fn};
use futures_util::stream::FuturesUnordered;
use futures_util::task::AtomicWaker;
use schema::db::cancellation::{self, CancelToken};
use schema::db::{ReadSession, StatementCount};
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
    /// The state of the operation of this thread; None on threads that run none.
    static STATE: RefCell<Option<ThreadState>> = const { RefCell::new(None) };
}

/// What the operation of a thread holds.
struct ThreadState {
    /// Its connection, from its first statement on and until it has to wait for something else.
    session: Option<ReadSession>,
    /// Cancelled when its client disconnects or its deadline passes.
    token: Arc<CancelToken>,
}

/// Cancels the operation when it is dropped.
struct Waiting {
    token: Arc<CancelToken>,
    db: Db,
    /// Its end wakes an operation that waits for something else than a statement.
    _waits: oneshot::Sender<()>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.token.cancel() {
            return;
        }
        let (token, db) = (Arc::clone(&self.token), self.db.clone());
        // On a thread of its own: those that may block may all wait for such statements.
        let cancelling = std::thread::Builder::new().spawn(move || {
            if let Err(failure) = token.cancel_statement(&db) {
                tracing::warn!(error = %failure, "a statement of a cancelled operation could not be cancelled");
            }
        });
        if let Err(failure) = cancelling {
            tracing::warn!(error = %failure, "a statement of a cancelled operation could not be cancelled");
        }
    }
}

/// Work that an operation leaves for when it can go on no further: loaders wait so until all keys of a level are
/// known.
#[derive(Clone, Default)]
pub struct DeferredLoads(Arc<Mutex<Vec<BoxFuture<'static, ()>>>>);

impl DeferredLoads {
    pub fn push(&self, work: BoxFuture<'static, ()>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(work);
    }

    fn take(&self) -> Vec<BoxFuture<'static, ()>> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How an operation ended that did not come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupted {
    /// It panicked; the log says where.
    Panicked,
    /// Its client disconnected, or its deadline passed.
    Cancelled,
}

/// Runs an operation on a thread that may block. Dropping this future cancels the operation: its statement under way is
/// cancelled, a statistic ends with its stage.
///
/// # Errors
/// How the operation was interrupted.
pub async fn run_operation<T: Send + 'static>(
    db: &Db,
    operation: impl Future<Output = T> + Send + 'static,
    deferred: DeferredLoads,
) -> std::result::Result<T, Interrupted> {
    let (waits, disconnected) = oneshot::channel::<()>();
    let waiting = Waiting { token: Arc::default(), db: db.clone(), _waits: waits };
    let token = Arc::clone(&waiting.token);
    let span = tracing::Span::current();
    let work = move || {
        let _in_span = span.enter();
        cancellation::set_cancel_token(Some(Arc::clone(&token)));
        STATE.set(Some(ThreadState { session: None, token }));
        let _end = End;
        let ran =
            catch_unwind(AssertUnwindSafe(|| Handle::current().block_on(drive(operation, deferred, disconnected))));
        ran.unwrap_or(Err(Interrupted::Panicked))
    };
    let outcome = tokio::task::spawn_blocking(work).await.unwrap_or(Err(Interrupted::Panicked));
    drop(waiting);
    outcome
}

/// The thread goes on to other work when it goes.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        // First, should giving the connection back panic.
        cancellation::set_cancel_token(None);
        STATE.set(None);
    }
}

async fn drive<T>(
    operation: impl Future<Output = T>,
    deferred: DeferredLoads,
    disconnected: oneshot::Receiver<()>,
) -> std::result::Result<T, Interrupted> {
    let mut operation = pin!(operation);
    let mut cancelled = pin!(disconnected);
    let mut left = FuturesUnordered::new();
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    // Without a budget: that of the runtime is not given anew within one turn, and there is nobody to give way to.
    let driven = poll_fn(|context| {
        woken.outside.register(context.waker());
        if cancelled.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(Interrupted::Cancelled));
        }
        loop {
            if is_cancelled() {
                return Poll::Ready(Err(Interrupted::Cancelled));
            }
            woken.again.store(false, Ordering::SeqCst);
            if let Poll::Ready(done) = operation.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Poll::Ready(Ok(done));
            }
            left.extend(deferred.take());
            // It only paused: not all that it will ask for is known yet.
            if woken.again.load(Ordering::SeqCst) {
                continue;
            }
            while let Poll::Ready(Some(())) = left.poll_next_unpin(context) {}
            if !woken.again.load(Ordering::SeqCst) {
                // While it waits for something else (a turn, a write), others may have the connection.
                STATE.with_borrow_mut(|state| state.as_mut().and_then(|state| state.session.take()));
                return Poll::Pending;
            }
        }
    });
    tokio::task::unconstrained(driven).await
}

fn is_cancelled() -> bool {
    STATE.with_borrow(|state| state.as_ref().is_some_and(|state| state.token.is_cancelled()))
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
    STATE.with_borrow_mut(|state| {
        let Some(ThreadState { session, .. }) = state else { return Err(work) };
        let open = match session.take() {
            Some(open) => Ok(open),
            None => cancellation::check_cancelled().and_then(|()| db.session(count)),
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
                Err(panic_error(&*panic))
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
    let is_operation = STATE.with_borrow_mut(|state| {
        // It may need a connection of its own, and others may while it works.
        state.as_mut().map(|state| state.session = None).is_some()
    });
    if !is_operation {
        return Err(work);
    }
    if let Err(failure) = cancellation::check_cancelled() {
        return Ok(Err(from_store(failure)));
    }
    Ok(catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(panic_error(&*panic))))
}

/// Computes on a thread of a lower priority, see [`jobs::compute_pool`], for the operation of this thread. A panic in it is an
/// error of its caller.
pub async fn compute<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    // It ends with its stage, too, where the operation is cancelled.
    let token = STATE.with_borrow(|state| state.as_ref().map(|state| Arc::clone(&state.token)));
    let span = tracing::Span::current();
    let computed = jobs::compute_pool::spawn(move || {
        let _in_span = span.enter();
        cancellation::set_cancel_token(token);
        let _end = End;
        cancellation::check_cancelled().map_err(from_store)?;
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(panic_error(&*panic)))
    });
    computed.await.unwrap_or_else(|failure| Err(panic_error(&failure)))
}

fn panic_error(panic: &(dyn Any + Send)) -> async_graphql::Error {
    let message = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = message.unwrap_or("no message"), "a request broke off");
    error(Code::Internal, "the request broke off; the server's log says why")
}
