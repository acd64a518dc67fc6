//! Runs each operation on one blocking thread with one connection: handing work between threads after each
//! statement costs more than the statements.
//!
//! With an answer written on the thread of its operation, and [`crate::admission`] running six operations at once on
//! two processors, p99 of a page with 32 connections fell from 54 to 30 ms (docs/benchmarks.md, "The API").

use crate::graphql::error::{Code, error, from_store};
use crate::graphql::reads::{OperationConnection, Reads};
use async_graphql::Result;
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, Either, poll_fn, ready};
use futures_util::stream::FuturesUnordered;
use futures_util::task::AtomicWaker;
use schema::db::StatementCount;
use schema::db::cancellation::{self, CancelToken};
use schema::{Conn, StoreError};
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
    /// The operation of this thread; None on other threads.
    static STATE: RefCell<Option<ThreadState>> = const { RefCell::new(None) };
}

/// The state of the operation that runs on a thread.
struct ThreadState {
    /// The connection, from the first statement until the operation waits for something else.
    session: Option<OperationConnection>,
    /// Cancelled when the client disconnects or the deadline passes.
    token: Arc<CancelToken>,
}

/// Cancels the operation when it is dropped.
struct CancelOnDrop {
    token: Arc<CancelToken>,
    reads: Reads,
    /// Dropped with this: wakes an operation that waits for something other than a statement.
    _connected: oneshot::Sender<()>,
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if !self.token.cancel() {
            return;
        }
        let (token, reads) = (Arc::clone(&self.token), self.reads.clone());
        // A new thread, since all blocking threads may be waiting for such statements.
        let cancelling = std::thread::Builder::new().spawn(move || {
            if let Err(failure) = reads.cancel_statement(&token) {
                tracing::warn!(error = %failure, "cannot cancel the statement of a cancelled operation");
            }
        });
        if let Err(failure) = cancelling {
            tracing::warn!(error = %failure, "cannot cancel the statement of a cancelled operation");
        }
    }
}

/// Loads that an operation defers until it can make no other progress: by then the loaders know all keys of a
/// level.
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

/// The reason why an operation did not complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupted {
    /// The operation panicked; the log says where.
    Panicked,
    /// The client disconnected, or the deadline passed.
    Cancelled,
}

/// Runs an operation on a blocking thread. Dropping this future cancels the operation: its current statement is
/// cancelled, a statistic ends after its stage.
///
/// # Errors
/// The reason why the operation was interrupted.
pub async fn run_operation<T: Send + 'static>(
    reads: &Reads,
    operation: impl Future<Output = T> + Send + 'static,
    deferred: DeferredLoads,
) -> std::result::Result<T, Interrupted> {
    let (connected, disconnected) = oneshot::channel::<()>();
    let cancel_on_drop = CancelOnDrop { token: Arc::default(), reads: reads.clone(), _connected: connected };
    let token = Arc::clone(&cancel_on_drop.token);
    let span = tracing::Span::current();
    let work = move || {
        let _in_span = span.enter();
        cancellation::set_cancel_token(Some(Arc::clone(&token)));
        STATE.set(Some(ThreadState { session: None, token }));
        let _clear_state = ClearThreadState;
        let ran =
            catch_unwind(AssertUnwindSafe(|| Handle::current().block_on(drive(operation, deferred, disconnected))));
        ran.unwrap_or(Err(Interrupted::Panicked))
    };
    let outcome = tokio::task::spawn_blocking(work).await.unwrap_or(Err(Interrupted::Panicked));
    drop(cancel_on_drop);
    outcome
}

/// Clears the state of the thread when dropped: the pool reuses the thread.
struct ClearThreadState;

impl Drop for ClearThreadState {
    fn drop(&mut self) {
        // First the token, in case returning the connection panics.
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
    let wake_flag = Arc::new(WakeFlag::default());
    let waker = Waker::from(Arc::clone(&wake_flag));
    // Without the cooperative budget of the runtime: it is not renewed within one poll, and no other task
    // shares this thread.
    let driven = poll_fn(|context| {
        wake_flag.outside.register(context.waker());
        if cancelled.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(Interrupted::Cancelled));
        }
        loop {
            if is_cancelled() {
                return Poll::Ready(Err(Interrupted::Cancelled));
            }
            wake_flag.again.store(false, Ordering::SeqCst);
            if let Poll::Ready(done) = operation.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Poll::Ready(Ok(done));
            }
            left.extend(deferred.take());
            // The operation woke itself: it will request more loads.
            if wake_flag.again.load(Ordering::SeqCst) {
                continue;
            }
            while let Poll::Ready(Some(())) = left.poll_next_unpin(context) {}
            if !wake_flag.again.load(Ordering::SeqCst) {
                // While the operation waits for a permit or a write, others may use the connection.
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

/// Records wake-ups of the operation.
#[derive(Default)]
struct WakeFlag {
    again: AtomicBool,
    outside: AtomicWaker,
}

impl Wake for WakeFlag {
    fn wake(self: Arc<Self>) {
        self.again.store(true, Ordering::SeqCst);
        self.outside.wake();
    }
}

/// Reads on the thread of the operation. Returns the work unrun in `Err` on any other thread. A panic becomes
/// an error of the caller.
///
/// # Errors
/// Outer: the work itself, on another thread. Inner: the error of `work`, of the connection, or a panic.
pub fn read_here<T, W>(reads: &Reads, count: &StatementCount, work: W) -> std::result::Result<Result<T>, W>
where
    W: FnOnce(&mut Conn) -> std::result::Result<T, StoreError>,
{
    let (mut work, mut found) = (Some(work), None);
    let ran = run_read(reads, count, &mut |conn: &mut Conn| {
        if let Some(work) = work.take() {
            found = Some(work(conn)?);
        }
        Ok(())
    });
    match ran {
        Some(Ok(())) => Ok(Ok(found.expect("a read that succeeds has run its work"))),
        Some(Err(failure)) => Ok(Err(failure)),
        None => Err(work.expect("no work runs on another thread")),
    }
}

/// Runs a read on the thread of the operation; None on any other thread. Compiled for this type of work alone, and not
/// again for each of the many reads.
fn run_read(
    reads: &Reads,
    count: &StatementCount,
    work: &mut dyn FnMut(&mut Conn) -> std::result::Result<(), StoreError>,
) -> Option<Result<()>> {
    STATE.with_borrow_mut(|state| {
        let ThreadState { session, .. } = state.as_mut()?;
        let open = match session.take() {
            Some(open) => Ok(open),
            None => cancellation::check_cancelled().and_then(|()| reads.session(count)),
        };
        let mut open = match open {
            Ok(open) => open,
            Err(e) => return Some(Err(from_store(e))),
        };
        Some(match catch_unwind(AssertUnwindSafe(|| open.read(work))) {
            Ok(found) => {
                *session = Some(open);
                found
            }
            Err(panic) => {
                // The connection may be in any state: close it.
                open.close();
                Err(panic_error(&*panic))
            }
        })
    })
}

/// Runs work other than a statement (a statistic, a write) on the thread of the operation. Returns the work
/// unrun in `Err` on any other thread. Handing it to another thread could deadlock: waiting operations may hold
/// all threads.
///
/// # Errors
/// Outer: the work itself, on another thread. Inner: the error of `work`, a cancelled operation, or a panic.
pub fn work_here<T, W>(work: W) -> std::result::Result<Result<T>, W>
where
    W: FnOnce() -> Result<T>,
{
    match begin_work() {
        Some(Ok(())) => {}
        Some(Err(failure)) => return Ok(Err(failure)),
        None => return Err(work),
    }
    Ok(catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(panic_error(&*panic))))
}

/// Prepares the thread of the operation for other work; None on any other thread.
fn begin_work() -> Option<Result<()>> {
    STATE.with_borrow_mut(|state| {
        // The work may need a separate connection, and others may use this one meanwhile.
        state.as_mut().map(|state| state.session = None)
    })?;
    Some(cancellation::check_cancelled().map_err(from_store))
}

/// Work whose result has no type, so that handing it to another thread is compiled once and not for each work.
type ErasedWork = Box<dyn FnOnce() -> ErasedResult + Send>;
type ErasedResult = Box<dyn Any + Send>;

fn erased<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> ErasedWork {
    Box::new(move || -> ErasedResult { Box::new(work()) })
}

/// The result of [`erased`] work of the same type.
fn with_type<T: 'static>(result: ErasedResult) -> Result<T> {
    *result.downcast::<Result<T>>().expect("the work returns this type")
}

/// Computes on a low-priority thread ([`jobs::compute_pool`]) for the operation of this thread. A panic becomes
/// an error of the caller.
///
/// # Errors
/// The error of `work`; a cancelled operation; a panic.
pub async fn compute<T: Send + 'static>(work: Box<dyn FnOnce() -> Result<T> + Send>) -> Result<T> {
    // With the token the computation ends after its current stage if the operation is cancelled.
    let token = STATE.with_borrow(|state| state.as_ref().map(|state| Arc::clone(&state.token)));
    let span = tracing::Span::current();
    let computed = jobs::compute_pool::spawn(move || {
        let _in_span = span.enter();
        cancellation::set_cancel_token(token);
        let _clear_state = ClearThreadState;
        cancellation::check_cancelled().map_err(from_store)?;
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(panic_error(&*panic)))
    });
    computed.await.unwrap_or_else(|failure| Err(panic_error(&failure)))
}

fn panic_error(panic: &(dyn Any + Send)) -> async_graphql::Error {
    let message = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = message.unwrap_or("no message"), "a request panicked");
    error(Code::Internal, "the request failed; the server's log says why")
}

/// Runs blocking work: on the thread of the operation, if this is one. A panic becomes an error of the caller.
///
/// # Errors
/// The error of `work`, or a panic.
pub fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> impl Future<Output = Result<T>> {
    // The work runs or is handed over right here, so that the returned future is small, whatever the work
    // captures.
    let working = match work_here(work) {
        Ok(done) => Either::Left(ready(done)),
        Err(work) => Either::Right(tokio::task::spawn_blocking(erased(work))),
    };
    async move {
        match working {
            Either::Left(done) => done.await,
            Either::Right(working) => match working.await {
                Ok(result) => with_type(result),
                Err(failure) => {
                    tracing::error!(error = %failure, "a request panicked or was aborted");
                    Err(error(Code::Internal, "the request failed; the server's log says why"))
                }
            },
        }
    }
}
