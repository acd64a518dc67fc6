//! The metrics of jobs and mail for operators: the last success and the next run of each job, and the age of waiting
//! mail.

use super::Service;
use chrono::{DateTime, Utc};
use jobs::digest::{outbox, reader};
use jobs::notify;
use jobs::runner::job::Job;
use jobs::runner::ledger;
use jobs::runner::on_demand::OnDemand;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use schema::enums::RunState;
use schema::{Conn, Db, StoreError, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// The numbers are reused for this long: counting many runs is slow.
const REUSED_FOR: Duration = Duration::from_secs(10);

type Seconds = Gauge<f64, AtomicU64>;

/// The state of the jobs and of the mail.
#[derive(Debug, Clone)]
pub struct JobMetrics {
    /// The number of runs by job and state.
    runs: Vec<(String, RunState, i64)>,
    jobs: Vec<JobHealth>,
    queues: Vec<Queue>,
}

/// Items that wait for delivery.
#[derive(Debug, Clone)]
struct Queue {
    name: &'static str,
    waiting: i64,
    /// When the oldest item that waits was made.
    oldest: Option<Timestamp>,
}

#[derive(Debug, Clone)]
struct JobHealth {
    name: &'static str,
    /// When the last run that succeeded ended.
    last_success: Option<Timestamp>,
    /// The next scheduled time; None if the job is disabled or paused.
    next: Option<Timestamp>,
    paused: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RunLabels {
    job: String,
    state: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobLabels {
    job: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QueueLabels {
    queue: &'static str,
}

/// The metrics of the jobs; None if the database does not answer.
pub async fn job_metrics(service: &Service) -> Option<JobMetrics> {
    let (db, on_demand) = (service.app.db.clone(), Arc::clone(&service.app.on_demand));
    service.watched.cached_or_query(REUSED_FOR, move || read(&db, &on_demand).ok()).await
}

fn read(db: &Db, on_demand: &OnDemand) -> Result<JobMetrics, StoreError> {
    let names: Vec<&'static str> = on_demand.jobs().iter().map(Job::name).collect();
    let (runs, rows, last, queues) = db.read(|conn| {
        let runs = ledger::count_runs(conn)?;
        Ok((runs, ledger::states(conn)?, ledger::last_successes(conn, names)?, queues(conn)?))
    })?;
    let now = Timestamp::now();
    let health_of = |job: &'static dyn Job| {
        let name = job.name();
        let paused = rows.iter().any(|row| row.job == name && row.paused_at.is_some());
        let plan = on_demand.settings().plan(job).ok().filter(|plan| plan.enabled && !paused);
        JobHealth {
            name,
            last_success: last.get(name).and_then(|run| run.finished_at),
            next: plan.and_then(|plan| plan.schedule.next_after(now)),
            paused,
        }
    };
    let jobs = on_demand.jobs().iter().map(health_of).collect();
    Ok(JobMetrics { runs, jobs, queues })
}

/// All queues of the outbox.
fn queues(conn: &mut Conn) -> Result<Vec<Queue>, StoreError> {
    let of = |name, (waiting, oldest)| Queue { name, waiting, oldest };
    Ok(vec![
        of("digests", outbox::undelivered(conn)?),
        of("reader-digests", reader::outbox::undelivered(conn)?),
        of("notifications", notify::outbox::undelivered(conn)?),
    ])
}

impl JobMetrics {
    /// The jobs, for `/readyz`.
    pub fn jobs_json(&self) -> Value {
        let shown = |job: &JobHealth| {
            let JobHealth { name, last_success, next, paused } = job;
            json!({ "name": name, "lastSuccess": last_success, "next": next, "paused": paused })
        };
        self.jobs.iter().map(shown).collect()
    }

    /// The waiting deliveries, for `/readyz`.
    pub fn undelivered_json(&self) -> Value {
        let shown = |queue: &Queue| {
            let Queue { name, waiting, oldest } = queue;
            json!({ "queue": name, "waiting": waiting, "oldest": oldest })
        };
        self.queues.iter().map(shown).collect()
    }

    /// The metrics. A new registry for each scrape: a state without runs would otherwise keep its last number.
    pub fn registry(self, prefix: &str) -> Registry {
        let runs = Family::<RunLabels, Gauge>::default();
        for (job, state, number) in self.runs {
            runs.get_or_create(&RunLabels { job, state: state.to_string() }).set(number);
        }
        let (last, next) = (Family::<JobLabels, Seconds>::default(), Family::<JobLabels, Seconds>::default());
        let paused = Family::<JobLabels, Gauge>::default();
        for job in &self.jobs {
            let labels = JobLabels { job: job.name };
            if let Some(at) = job.last_success {
                last.get_or_create(&labels).set(since_epoch(at));
            }
            if let Some(at) = job.next {
                next.get_or_create(&labels).set(since_epoch(at));
            }
            paused.get_or_create(&labels).set(i64::from(job.paused));
        }
        let (waiting, oldest) = (Family::<QueueLabels, Gauge>::default(), Family::<QueueLabels, Seconds>::default());
        for queue in &self.queues {
            let labels = QueueLabels { queue: queue.name };
            waiting.get_or_create(&labels).set(queue.waiting);
            let age = queue.oldest.map(|at| (Utc::now() - at.utc()).as_seconds_f64().max(0.0));
            oldest.get_or_create(&labels).set(age.unwrap_or(0.0));
        }

        let mut registry = Registry::with_prefix(prefix);
        registry.register("job_runs", "Runs of jobs in the ledger, by state", runs);
        registry.register("job_paused", "Whether a job is paused on all nodes", paused);
        registry.register_with_unit(
            "job_last_success_timestamp",
            "When the last run of a job that succeeded ended; missing if none did",
            Unit::Seconds,
            last,
        );
        registry.register_with_unit(
            "job_next_run_timestamp",
            "The next scheduled time of a job; missing if it is disabled or paused",
            Unit::Seconds,
            next,
        );
        registry.register("undelivered", "Deliveries that wait", waiting);
        registry.register_with_unit(
            "undelivered_oldest_age",
            "Time since the oldest item that waits for delivery was made; 0 if none waits",
            Unit::Seconds,
            oldest,
        );
        registry
    }
}

/// Seconds since 1970, as Prometheus writes times.
fn since_epoch(at: Timestamp) -> f64 {
    (at.utc() - DateTime::UNIX_EPOCH).as_seconds_f64()
}
