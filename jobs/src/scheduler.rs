//! The scheduler of a node: tokio-cron-scheduler rings once a second, and the ledger decides.
//!
//! One worker for each job claims what is due and does it, one run after another. Who is told to
//! stop claims nothing more, and ends when its run has ended.

use crate::JobError;
use crate::compute;
use crate::job::{Context, JOBS, Job};
use crate::ledger::{self, Waiting};
use crate::settings::{JobPlan, Settings};
use crate::snapshot::SnapshotStore;
use schema::{Db, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio_cron_scheduler::{Job as Bell, JobScheduler};

/// Runs of different jobs at one time: they compute, and there are other things to do.
const AT_ONCE: usize = 2;

/// How soon the ledger is asked again that could not be: jobs go on once the database is back.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// What the workers share.
struct Shared {
    db: Db,
    settings: Settings,
    snapshots: Arc<SnapshotStore>,
    stopping: AtomicBool,
    turns: Semaphore,
}

/// A job and what wakes its worker.
struct Line {
    job: &'static dyn Job,
    plan: JobPlan,
    wake: Notify,
    waiting: Waiting,
    /// When the worker looked last, in microseconds.
    looked: AtomicI64,
}

/// A scheduler that runs.
pub struct Scheduler {
    bell: JobScheduler,
    workers: JoinSet<()>,
    lines: Arc<Vec<Line>>,
    shared: Arc<Shared>,
}

impl Scheduler {
    /// Starts the bell and the workers. What was missed is caught up at once.
    pub async fn start(db: Db, settings: Settings, snapshots: Arc<SnapshotStore>) -> Result<Self, JobError> {
        let mut lines = Vec::new();
        for job in JOBS {
            let plan = settings
                .plan(job.name())
                .map_err(|message| JobError::Settings { path: "configuration".into(), message })?;
            if plan.enabled {
                let (wake, looked) = (Notify::new(), AtomicI64::new(0));
                lines.push(Line { job: *job, plan, wake, waiting: Waiting::default(), looked });
            }
        }
        let lines = Arc::new(lines);
        let poll = i64::try_from(settings.scheduler.poll_seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        let shared = Arc::new(Shared {
            db,
            settings,
            snapshots,
            stopping: AtomicBool::new(false),
            turns: Semaphore::new(AT_ONCE),
        });
        let mut workers = JoinSet::new();
        for at in 0..lines.len() {
            workers.spawn(work(Arc::clone(&lines), at, Arc::clone(&shared)));
        }
        let bell = JobScheduler::new().await.map_err(|e| JobError::Scheduler(e.to_string()))?;
        let rung = Arc::clone(&lines);
        let every_second = Bell::new_async("* * * * * *", move |_, _| {
            let lines = Arc::clone(&rung);
            Box::pin(async move { ring(&lines, poll) })
        })
        .map_err(|e| JobError::Scheduler(e.to_string()))?;
        bell.add(every_second).await.map_err(|e| JobError::Scheduler(e.to_string()))?;
        bell.start().await.map_err(|e| JobError::Scheduler(e.to_string()))?;
        Ok(Self { bell, workers, lines, shared })
    }

    /// Claims nothing more, and waits for the runs under way.
    pub async fn stop(mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        if let Err(error) = self.bell.shutdown().await {
            tracing::warn!(%error, "the bell did not stop");
        }
        for line in self.lines.iter() {
            line.wake.notify_one();
        }
        while self.workers.join_next().await.is_some() {}
    }
}

/// Wakes whoever has something due since it looked last, or has not looked for long.
fn ring(lines: &[Line], poll: i64) {
    let now = Timestamp::now();
    for line in lines {
        let looked = line.looked.load(Ordering::Relaxed);
        let Some(before) = Timestamp::from_micros(looked) else { continue };
        let due = line.plan.schedule.next_after(before).is_some_and(|slot| slot <= now);
        // A clock that was ahead looked later than it is.
        if due || now.micros() - looked >= poll || looked > now.micros() {
            line.wake.notify_one();
        }
    }
}

async fn work(lines: Arc<Vec<Line>>, at: usize, shared: Arc<Shared>) {
    while !shared.stopping.load(Ordering::SeqCst) {
        lines[at].looked.store(Timestamp::now().micros(), Ordering::Relaxed);
        let Ok(turn) = shared.turns.acquire().await else { return };
        let (of, with) = (Arc::clone(&lines), Arc::clone(&shared));
        let ran = compute::spawn(move || one_run(&of[at], &with)).await;
        drop(turn);
        let mut look_again = shared.settings.scheduler.poll();
        match ran {
            Ok(Ok(true)) => {
                let name = lines[at].job.name();
                lines.iter().filter(|line| line.job.after().contains(&name)).for_each(|line| line.wake.notify_one());
                continue;
            }
            Ok(Ok(false)) => {}
            Ok(Err(error)) => {
                tracing::warn!(job = lines[at].job.name(), %error, "the ledger could not be asked");
                look_again = look_again.min(AFTER_FAILURE);
            }
            Err(panic) => tracing::error!(job = lines[at].job.name(), error = %panic, "a worker broke off"),
        }
        // The bell goes by the clock, which may be set back; so much time passes in any case.
        let rung = lines[at].wake.notified();
        let _rung_or_late = tokio::time::timeout(look_again, rung).await;
    }
}

/// Does one run; false where nothing was due.
fn one_run(line: &Line, shared: &Shared) -> Result<bool, JobError> {
    if shared.stopping.load(Ordering::SeqCst) {
        return Ok(false);
    }
    let context = Context {
        db: &shared.db,
        settings: &shared.settings,
        snapshots: Some(&shared.snapshots),
        rules: None,
        stop: Some(&shared.stopping),
    };
    let Some(claim) = ledger::claim(&context, line.job, &line.plan, &line.waiting)? else { return Ok(false) };
    // Its failure stands in the ledger and in the log.
    let _written_down = ledger::execute(&context, line.job, &line.plan, claim);
    Ok(true)
}
