//! Thread pool for CPU-bound work: statistics and jobs.
//!
//! Its threads have a lower priority than those that answer requests. A page needs a CPU for a millisecond or
//! two; at equal priority it would wait for as long as the scheduler lets a statistic run.

use rustix::process::nice;
use std::io;
use std::sync::LazyLock;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// Added to the nice value of a thread. When a request thread wants the same CPU, a compute thread gets about
/// a tenth of it: computations slow down under load but still finish.
const NICENESS: i32 = 10;
/// Maximum number of threads; further work queues. Admission control lets no more run at once: four
/// statistics, two scheduled jobs and two that clients started.
const THREADS: usize = 8;

/// Never shut down, so that a process that exits does not wait for computations.
static COMPUTE: LazyLock<io::Result<Runtime>> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(THREADS)
        .thread_name("compute")
        .on_thread_start(lower_priority)
        .build()
});

/// Runs CPU-bound work on a low-priority thread. The priority is lowered on Linux only.
pub fn spawn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    match &*COMPUTE {
        Ok(runtime) => runtime.spawn_blocking(work),
        Err(error) => {
            tracing::warn!(%error, "could not start the compute threads: statistics share the threads of requests");
            tokio::task::spawn_blocking(work)
        }
    }
}

/// Lowers the priority of the threads of polars until the process exits.
pub fn lower_polars() {
    polars_core::runtime::THREAD_POOL.broadcast(|_| lower_priority());
}

/// Lowers the priority of the current thread.
fn lower_priority() {
    // Linux only: on other systems `nice` applies to the whole process.
    if cfg!(target_os = "linux")
        && let Err(error) = nice(NICENESS)
    {
        tracing::debug!(%error, "could not lower the priority of a thread");
    }
}
