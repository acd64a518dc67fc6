//! The scheduler of a node: tokio-cron-scheduler ticks once a second, and the ledger decides.
//!
//! One worker for each job claims what is due and does it, one run after another. Who is told to
//! stop claims nothing more, and ends when its run has ended.

use crate::JobError;
use crate::compute_pool;
use crate::runner::job::{Context, Job, Registry};
use crate::runner::ledger::{self, Waiting};
use crate::runner::settings::{JobPlan, Settings};
use crate::snapshot::SnapshotStore;
use schema::{Db, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio_cron_scheduler::{Job as Ticker, JobScheduler};

/// Runs of different jobs at one time: they compute, and there are other things to do.
const AT_ONCE: usize = 2;

/// How soon the ledger is asked again that could not be: jobs go on once the database is back.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// What the workers share.
struct Shared {
    db: Db,
    settings: Settings,
    jobs: Registry,
    snapshots: Arc<SnapshotStore>,
    stopping: AtomicBool,
    turns: Semaphore,
}

/// The worker of one job, and what wakes it.
struct JobWorker {
    job: &'static dyn Job,
    plan: JobPlan,
    wake: Notify,
    waiting: Waiting,
    /// When the worker looked last, in microseconds.
    looked: AtomicI64,
}

/// A scheduler that runs.
pub struct Scheduler {
    ticker: JobScheduler,
    tasks: JoinSet<()>,
    workers: Arc<Vec<JobWorker>>,
    shared: Arc<Shared>,
}

impl Scheduler {
    /// Starts the ticker and a worker for each job that the settings enable. The workers catch up on missed times at once.
    ///
    /// # Errors
    /// `Settings` where the schedule of a job is wrong, `Scheduler` where the ticker cannot start.
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
            turns: Semaphore::new(AT_ONCE),
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

    /// Claims nothing more, and waits for the runs under way.
    pub async fn stop(mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        if let Err(error) = self.ticker.shutdown().await {
            tracing::warn!(%error, "the ticker did not stop");
        }
        for worker in self.workers.iter() {
            worker.wake.notify_one();
        }
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Wakes each worker whose job has become due since it looked last, or that has not looked for `poll` microseconds.
fn wake_due(workers: &[JobWorker], poll: i64) {
    let now = Timestamp::now();
    for worker in workers {
        let looked = worker.looked.load(Ordering::Relaxed);
        let Some(before) = Timestamp::from_micros(looked) else { continue };
        let due = worker.plan.schedule.next_after(before).is_some_and(|slot| slot <= now);
        // A clock that was ahead looked later than it is.
        if due || now.micros() - looked >= poll || looked > now.micros() {
            worker.wake.notify_one();
        }
    }
}

async fn work(workers: Arc<Vec<JobWorker>>, at: usize, shared: Arc<Shared>) {
    let worker = &workers[at];
    while !shared.stopping.load(Ordering::SeqCst) {
        worker.looked.store(Timestamp::now().micros(), Ordering::Relaxed);
        let Ok(turn) = shared.turns.acquire().await else { return };
        let (of, with) = (Arc::clone(&workers), Arc::clone(&shared));
        let ran = compute_pool::spawn(move || one_run(&of[at], &with)).await;
        drop(turn);
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
                tracing::warn!(job, %error, "the ledger could not be asked");
                look_again = look_again.min(AFTER_FAILURE);
            }
            Err(panic) => tracing::error!(job, error = %panic, "the worker of a job panicked"),
        }
        // The ticker goes by the clock, which may be set back; so much time passes in any case.
        let _woken_or_late = tokio::time::timeout(look_again, worker.wake.notified()).await;
    }
}

/// Does one run; false where nothing was due.
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
    // Its failure stands in the ledger and in the log.
    let _written_down = ledger::execute(&context, *job, plan, claim);
    Ok(true)
}
