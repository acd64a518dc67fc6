//! The configuration file: every setting with its default. `docs/phananh.toml` has them all.

use crate::JobError;
use crate::runner::cron::Schedule;
use crate::runner::job::{Job, Registry};
use schema::keys::Keys;
use schema::seal::LONGEST_LEASE;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What a configuration file may say.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    pub scheduler: SchedulerSettings,
    /// By the name of the job.
    pub jobs: BTreeMap<String, JobSettings>,
    pub smtp: Option<SmtpSettings>,
    pub audit: AuditSettings,
    pub database: DatabaseSettings,
    pub retention: RetentionSettings,
    /// What the server reads.
    pub api: Option<toml::Table>,
    /// The keys of the key file, where there is one: not a setting, but what is needed beside them.
    #[serde(skip)]
    pub keys: Option<Arc<Keys>>,
}

/// How runs are claimed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SchedulerSettings {
    /// How long a run belongs to a node that does not renew its claim: after a crash another takes
    /// it over so late.
    pub lease_seconds: u64,
    /// How often a node looks for runs that others left behind, and for those to be tried again.
    pub poll_seconds: u64,
}

impl Default for SchedulerSettings {
    fn default() -> Self {
        Self { lease_seconds: 60, poll_seconds: 10 }
    }
}

impl SchedulerSettings {
    pub fn lease(&self) -> Duration {
        Duration::from_secs(self.lease_seconds)
    }

    /// How often a node looks for what is due without being told.
    pub fn poll(&self) -> Duration {
        Duration::from_secs(self.poll_seconds)
    }
}

/// What to do about times that passed while no node was up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Missed {
    /// Run for the latest of them.
    Latest,
    /// Run for each of them, the oldest first.
    All,
    /// Wait for the next one.
    Skip,
}

/// When a job runs. What is left out is as by default for the job.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JobSettings {
    pub enabled: Option<bool>,
    /// A cron expression of five fields, or of six with seconds first.
    pub schedule: Option<String>,
    pub timezone: Option<String>,
    pub missed: Option<Missed>,
    /// How often a failed run is tried again.
    pub retries: Option<u32>,
    /// How long until the first retry; each further one waits twice as long, up to an hour.
    pub backoff_seconds: Option<u64>,
    /// How long a run waits for those of the jobs whose results it reads.
    pub wait_seconds: Option<u64>,
    /// Rules of the recurrence job other than the defaults.
    pub rules: Option<PathBuf>,
}

/// How a server uses the database.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseSettings {
    /// The most connections of a node.
    pub connections: u32,
}

impl Default for DatabaseSettings {
    fn default() -> Self {
        Self { connections: 34 }
    }
}

impl DatabaseSettings {
    const LEAST: u32 = 12;
    /// One hears of commits, one cancels statements.
    const BESIDE: u32 = 2;

    /// Of the requests, and as many of jobs and all else that takes its time.
    pub fn of_a_pool(&self) -> u32 {
        (self.connections.max(Self::LEAST) - Self::BESIDE) / 2
    }
}

/// For how long what is of no further use stays.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionSettings {
    /// Runs of jobs on which nothing depends.
    pub runs_days: u32,
    /// Deliveries of digests that were sent or given up.
    pub deliveries_days: u32,
}

impl Default for RetentionSettings {
    fn default() -> Self {
        Self { runs_days: 90, deliveries_days: 365 }
    }
}

/// What is kept of seals outside the database.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditSettings {
    /// A folder to which the name of each new seal is appended: best one that another machine keeps.
    pub witness: Option<PathBuf>,
}

/// The server that takes mail.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpSettings {
    pub host: String,
    pub port: Option<u16>,
    /// The address that digests come from.
    pub from: String,
    #[serde(default)]
    pub encryption: Encryption,
    pub username: Option<String>,
    /// A file that holds the password: it does not belong into a configuration.
    pub password_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encryption {
    /// TLS from the first byte (port 465).
    Tls,
    /// Plain at first, then TLS, or nothing is sent (port 587).
    #[default]
    Starttls,
    /// For a server on the same machine (port 25).
    None,
}

/// When and how one job runs, all defaults filled in.
#[derive(Debug, Clone)]
pub struct JobPlan {
    pub enabled: bool,
    pub schedule: Schedule,
    pub missed: Missed,
    pub retries: u32,
    pub backoff: Duration,
    /// How long it waits for those whose results it reads.
    pub wait: Duration,
}

impl Settings {
    /// Reads a configuration file and checks all of it; it may set up the jobs of a registry.
    ///
    /// # Errors
    /// `Settings` where the file cannot be read, or says something that it may not.
    pub fn load(path: &Path, jobs: Registry) -> Result<Self, JobError> {
        let wrong = |message: String| JobError::Settings { path: path.display().to_string(), message };
        let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
        let settings: Self = toml::from_str(&text).map_err(|e| wrong(e.to_string()))?;
        settings.check(jobs).map_err(wrong)?;
        Ok(settings)
    }

    fn check(&self, jobs: Registry) -> Result<(), String> {
        if self.scheduler.lease_seconds < 2 || self.scheduler.poll_seconds == 0 {
            return Err("scheduler: lease_seconds is at least 2, poll_seconds at least 1".into());
        }
        if !(DatabaseSettings::LEAST..=1_000).contains(&self.database.connections) {
            return Err(format!("database: connections is from {} to 1000", DatabaseSettings::LEAST));
        }
        if [self.retention.runs_days, self.retention.deliveries_days].iter().any(|days| !(7..=36_500).contains(days)) {
            return Err("retention: runs_days and deliveries_days are from 7 to 36500".into());
        }
        if self.scheduler.lease() > LONGEST_LEASE {
            return Err(format!("scheduler: lease_seconds is at most {}", LONGEST_LEASE.as_secs()));
        }
        if let Some(smtp) = &self.smtp {
            smtp.from
                .parse::<lettre::message::Mailbox>()
                .map_err(|e| format!("smtp.from {:?} is no mail address: {e}", smtp.from))?;
            let local = matches!(smtp.host.as_str(), "localhost" | "::1") || smtp.host.starts_with("127.");
            if matches!(smtp.encryption, Encryption::None) && !local {
                return Err(format!(
                    "smtp.encryption: \"none\" is for a server on this machine, and {} is not: take starttls or tls",
                    smtp.host
                ));
            }
            if smtp.username.is_some() != smtp.password_file.is_some() {
                return Err("smtp: username and password_file go together".into());
            }
            if let Some(file) = smtp.password_file.as_ref().filter(|file| !file.is_file()) {
                return Err(format!("smtp.password_file: there is no file {}", file.display()));
            }
        }
        for name in self.jobs.keys() {
            let Some(job) = jobs.find(name) else {
                let names: Vec<_> = jobs.iter().map(Job::name).collect();
                return Err(format!("jobs.{name}: there is no such job, only {}", names.join(", ")));
            };
            self.plan(job)?;
        }
        Ok(())
    }

    /// When a job runs.
    ///
    /// # Errors
    /// What is wrong with its schedule or its zone.
    pub fn plan(&self, job: &dyn Job) -> Result<JobPlan, String> {
        let name = job.name();
        let given = self.jobs.get(name).cloned().unwrap_or_default();
        let expression = given.schedule.as_deref().unwrap_or(job.schedule());
        let zone = given.timezone.as_deref().unwrap_or("Asia/Ho_Chi_Minh");
        let schedule = Schedule::parse(expression, zone).map_err(|message| format!("jobs.{name}: {message}"))?;
        Ok(JobPlan {
            enabled: given.enabled.unwrap_or(true),
            schedule,
            missed: given.missed.unwrap_or(job.missed()),
            retries: given.retries.unwrap_or(3),
            backoff: Duration::from_secs(given.backoff_seconds.unwrap_or(30)),
            wait: Duration::from_secs(given.wait_seconds.unwrap_or(3600)),
        })
    }
}
