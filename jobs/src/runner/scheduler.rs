//! The scheduler of a node: a tick each second (tokio-cron-scheduler) wakes workers, and the ledger decides which
//! runs start.
//!
//! Each job has one worker, which claims and executes due runs one after another. On shutdown a worker claims no
//! further run, and ends when its current run has ended.

use crate::JobError;
use crate::compute_pool;
use crate::runner::job::{Context, Job, Registry};
use crate::runner::ledger::{self, Waiting};
use crate::runner::plan::JobPlan;
use crate::runner::settings::Settings;
use crate::snapshot::SnapshotStore;
use schema::{Db, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio_cron_scheduler::{Job as Ticker, JobScheduler};

/// Most concurrent runs of different jobs: they use processors that requests need, too.
const AT_ONCE: usize = 2;

/// The wait after a failed claim: jobs resume soon after the database is back.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// The state that all workers share.
struct Shared {
    db: Db,
    settings: Settings,
    jobs: Registry,
    snapshots: Arc<SnapshotStore>,
    stopping: AtomicBool,
    permits: Semaphore,
}

/// The worker of one job.
struct JobWorker {
    job: &'static dyn Job,
    plan: JobPlan,
    wake: Notify,
    waiting: Waiting,
    /// When the worker last tried to claim a run, in microseconds since 1970.
    looked: AtomicI64,
}

/// A running scheduler.
pub struct Scheduler {
    ticker: JobScheduler,
    tasks: JoinSet<()>,
    workers: Arc<Vec<JobWorker>>,
    shared: Arc<Shared>,
}

impl Scheduler {
    /// Starts the ticker and a worker for each enabled job. The workers catch up on missed times at once.
    ///
    /// # Errors
    /// `Settings` when the schedule of a job is invalid, `Scheduler` when the ticker cannot start.
    pub async fn start(
        db: Db,
        settings: Settings,
        jobs: Registry,
        snapshots: Arc<SnapshotStore>,
    ) -> Result<Self, JobError> {
        let mut workers = Vec::new();
        for job in jobs.iter() {
            let plan =
                settings.plan(job).map_err(|message| JobError::Settings { path: "configuration".into(), message })?;
            if plan.enabled {
                let (wake, looked) = (Notify::new(), AtomicI64::new(0));
                workers.push(JobWorker { job, plan, wake, waiting: Waiting::default(), looked });
            }
        }
        let workers = Arc::new(workers);
        let poll = i64::try_from(settings.scheduler.poll_seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        let shared = Arc::new(Shared {
            db,
            settings,
            jobs,
            snapshots,
            stopping: AtomicBool::new(false),
            permits: Semaphore::new(AT_ONCE),
        });
        let mut tasks = JoinSet::new();
        for at in 0..workers.len() {
            tasks.spawn(work(Arc::clone(&workers), at, Arc::clone(&shared)));
        }
        let ticker = JobScheduler::new().await.map_err(|e| JobError::Scheduler(e.to_string()))?;
        let to_wake = Arc::clone(&workers);
        let every_second = Ticker::new_async("* * * * * *", move |_, _| {
            let workers = Arc::clone(&to_wake);
            Box::pin(async move { wake_due(&workers, poll) })
        })
        .map_err(|e| JobError::Scheduler(e.to_string()))?;
        ticker.add(every_second).await.map_err(|e| JobError::Scheduler(e.to_string()))?;
        ticker.start().await.map_err(|e| JobError::Scheduler(e.to_string()))?;
        Ok(Self { ticker, tasks, workers, shared })
    }

    /// Stops claiming runs, and waits for those in progress.
    pub async fn stop(mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        if let Err(error) = self.ticker.shutdown().await {
            tracing::warn!(%error, "the ticker of the scheduler did not stop");
        }
        for worker in self.workers.iter() {
            worker.wake.notify_one();
        }
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Wakes each worker whose job became due since its last attempt, or whose last attempt is `poll` microseconds ago.
fn wake_due(workers: &[JobWorker], poll: i64) {
    let now = Timestamp::now();
    for worker in workers {
        let looked = worker.looked.load(Ordering::Relaxed);
        let Some(before) = Timestamp::from_micros(looked) else { continue };
        let due = worker.plan.schedule.next_after(before).is_some_and(|slot| slot <= now);
        // A time in the future means that the clock was set back.
        if due || now.micros() - looked >= poll || looked > now.micros() {
            worker.wake.notify_one();
        }
    }
}

async fn work(workers: Arc<Vec<JobWorker>>, at: usize, shared: Arc<Shared>) {
    let worker = &workers[at];
    while !shared.stopping.load(Ordering::SeqCst) {
        worker.looked.store(Timestamp::now().micros(), Ordering::Relaxed);
        let Ok(permit) = shared.permits.acquire().await else { return };
        let (of, with) = (Arc::clone(&workers), Arc::clone(&shared));
        let ran = compute_pool::spawn(move || one_run(&of[at], &with)).await;
        drop(permit);
        let mut look_again = shared.settings.scheduler.poll();
        let job = worker.job.name();
        match ran {
            Ok(Ok(true)) => {
                workers
                    .iter()
                    .filter(|other| other.job.after().contains(&job))
                    .for_each(|other| other.wake.notify_one());
                continue;
            }
            Ok(Ok(false)) => {}
            Ok(Err(error)) => {
                tracing::warn!(job, %error, "claiming a run failed; trying again");
                look_again = look_again.min(AFTER_FAILURE);
            }
            Err(panic) => tracing::error!(job, error = %panic, "the worker of a job panicked"),
        }
        // The timeout covers a clock that is set back, which delays the ticker.
        let _woken_or_late = tokio::time::timeout(look_again, worker.wake.notified()).await;
    }
}

/// Claims and executes one run; false when none is due.
fn one_run(worker: &JobWorker, shared: &Shared) -> Result<bool, JobError> {
    if shared.stopping.load(Ordering::SeqCst) {
        return Ok(false);
    }
    let context = Context {
        db: &shared.db,
        settings: &shared.settings,
        jobs: shared.jobs,
        snapshots: Some(&shared.snapshots),
        rules: None,
        stop: Some(&shared.stopping),
    };
    let JobWorker { job, plan, waiting, .. } = worker;
    let Some(claim) = ledger::claim(&context, *job, plan, waiting)? else { return Ok(false) };
    // `execute` has recorded a failure in the ledger and in the log.
    let _written_down = ledger::execute(&context, *job, plan, claim);
    Ok(true)
}
