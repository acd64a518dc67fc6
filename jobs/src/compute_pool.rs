//! Threads for what computes: statistics and jobs.
//!
//! They have a lower priority than the threads that answer requests. A page needs a processor for a millisecond or two, and
//! would wait for one as long as the scheduler lets a statistic run.

use rustix::process::nice;
use std::io;
use std::sync::LazyLock;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// By how much the priority is lower. A thread then gets about a tenth of a processor that another one wants: what computes
/// becomes slower under load, and still comes to its end.
const NICENESS: i32 = 10;
/// Threads at most; what comes beyond waits. Admission lets fewer compute at once: four statistics and two jobs.
const THREADS: usize = 6;

/// Never shut down: a process that ends does not wait for computations.
static COMPUTE: LazyLock<io::Result<Runtime>> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(THREADS)
        .thread_name("compute")
        .on_thread_start(lower)
        .build()
});

/// Runs work that computes on one of the threads of a lower priority. Only Linux has priorities of threads.
pub fn spawn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    match &*COMPUTE {
        Ok(runtime) => runtime.spawn_blocking(work),
        Err(error) => {
            tracing::warn!(%error, "there are no threads for statistics: they run beside requests");
            tokio::task::spawn_blocking(work)
        }
    }
}

/// Lowers the priority of the threads of polars, for as long as the process runs.
pub fn lower_polars() {
    polars_core::runtime::THREAD_POOL.broadcast(|_| lower());
}

/// Lowers the priority of this thread.
fn lower() {
    // On Linux of the thread, elsewhere of the process: then everything would become slower.
    if cfg!(target_os = "linux")
        && let Err(error) = nice(NICENESS)
    {
        tracing::debug!(%error, "the priority of a thread could not be lowered");
    }
}
