//! The configuration file: settings, their defaults and their checks. `docs/phananh.toml` lists them all.

mod notifications;

pub use notifications::{AlertSettings, LinkSettings, WebhookSettings};

use crate::charts::map::Places;
use crate::classification::Rules;
use crate::digest::address;
use crate::lake;
use schema::domain::legal_clock::ClockFiles;
use schema::domain::suspension::SuspensionLimits;
use schema::enums::{DeliveryChannel, Role};
use schema::keys::Keys;
use schema::seal::LONGEST_LEASE;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The contents of a configuration file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    pub scheduler: SchedulerSettings,
    /// Settings of each job, by its name.
    pub jobs: BTreeMap<String, JobSettings>,
    pub smtp: Option<SmtpSettings>,
    pub digests: DigestSettings,
    pub audit: AuditSettings,
    pub database: DatabaseSettings,
    pub retention: RetentionSettings,
    pub snapshot: SnapshotSettings,
    pub lake: LakeSettings,
    pub classification: ClassificationSettings,
    pub calendar: CalendarSettings,
    pub measures: MeasureSettings,
    pub deadlines: DeadlineSettings,
    pub links: LinkSettings,
    pub webhooks: WebhookSettings,
    pub alerts: AlertSettings,
    /// The server's part, which the `api` crate parses.
    pub api: Option<toml::Table>,
    /// SQL over the PostgreSQL protocol, which the `api` crate parses, too.
    pub sql: Option<toml::Table>,
    /// The web page, which the `api` crate parses.
    pub web: Option<toml::Table>,
    /// The keys of the key file; None without one. Not a setting: it travels with the settings to the jobs.
    #[serde(skip)]
    pub keys: Option<Arc<Keys>>,
    /// The shapes of units that `[web]` names; None: those of the program. The `api` crate reads the file.
    #[serde(skip)]
    pub places: Option<Arc<Places>>,
}

/// The addresses to which digests and mails about alerts may be sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DigestSettings {
    /// Domains, with those below them, whose addresses may receive mail; empty allows all.
    pub domains: Vec<String>,
    /// Days after its last sign-in for which an account of another issuer is sent digests and alerts.
    pub account_days: u32,
}

impl Default for DigestSettings {
    fn default() -> Self {
        Self { domains: Vec::new(), account_days: 30 }
    }
}

impl DigestSettings {
    fn check(&self) -> Result<(), String> {
        if !(1..=365).contains(&self.account_days) {
            return Err("digests: account_days must be from 1 to 365".into());
        }
        let is_domain = |domain: &&String| address::check(DeliveryChannel::Email, &format!("a@{domain}")).is_ok();
        match self.domains.iter().find(|domain| !is_domain(domain)) {
            Some(wrong) => Err(format!("digests.domains: {wrong:?} is not a domain: write it like example.org")),
            None => Ok(()),
        }
    }
}

/// Rules by which nodes claim runs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SchedulerSettings {
    /// The lease of a run, which its node renews. After a crash, another node takes the run over when it ends.
    pub lease_seconds: u64,
    /// Interval at which a node looks for abandoned runs and for due retries.
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

    /// Interval at which a node looks for due runs when nothing wakes it.
    pub fn poll(&self) -> Duration {
        Duration::from_secs(self.poll_seconds)
    }
}

/// The treatment of scheduled times that passed while no node was up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Missed {
    /// Run once, for the latest.
    Latest,
    /// Run for each, the oldest first.
    All,
    /// Run for none.
    Skip,
}

/// When a job runs. Fields left out take the job's defaults.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JobSettings {
    pub enabled: Option<bool>,
    /// A cron expression of five fields, or of six with seconds first.
    pub schedule: Option<String>,
    pub timezone: Option<String>,
    pub missed: Option<Missed>,
    /// Retries of a failed run.
    pub retries: Option<u32>,
    /// Backoff before the first retry; it doubles with each further one, up to an hour.
    pub backoff_seconds: Option<u64>,
    /// A run waits this many seconds for the runs of the jobs that it depends on.
    pub wait_seconds: Option<u64>,
    /// A file with rules for the recurrence job, instead of its defaults.
    pub rules: Option<PathBuf>,
}

/// Use of the database by a server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseSettings {
    /// Most connections of a node.
    pub connections: u32,
    /// A streaming replica that answers queries.
    pub replica: Option<String>,
    /// The replica may lag this many seconds behind.
    pub replica_lag_seconds: u32,
    pub replica_lag_positions: Option<u32>,
}

impl Default for DatabaseSettings {
    fn default() -> Self {
        Self { connections: 34, replica: None, replica_lag_seconds: 5, replica_lag_positions: None }
    }
}

impl DatabaseSettings {
    const MIN_CONNECTIONS: u32 = 12;
    /// Connections outside the pools: one listens for commits, one cancels statements.
    const RESERVED: u32 = 2;

    /// The size of each of the two connection pools: one for requests, one for jobs and other long work.
    pub fn pool_size(&self) -> u32 {
        (self.connections.max(Self::MIN_CONNECTIONS) - Self::RESERVED) / 2
    }
}

/// Retention of rows that nothing refers to.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionSettings {
    /// Runs of jobs that nothing refers to.
    pub runs_days: u32,
    /// Deliveries of digests that were sent or have failed for good.
    pub deliveries_days: u32,
    /// Digests of readers. The last one that a current reader was sent stays.
    pub reader_digests_days: u32,
}

impl Default for RetentionSettings {
    fn default() -> Self {
        Self { runs_days: 90, deliveries_days: 365, reader_digests_days: 365 }
    }
}

/// The file that keeps the snapshot from one start to the next.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SnapshotSettings {
    /// Whether the file is written and read.
    pub keep: bool,
    /// The folder of the file. Without one the file is next to a SQLite database, and PostgreSQL has no file.
    pub folder: Option<PathBuf>,
    /// The file is written only for registers of at least this many complaints.
    pub from_complaints: u32,
}

impl Default for SnapshotSettings {
    fn default() -> Self {
        Self { keep: true, folder: None, from_complaints: 50_000 }
    }
}

/// The lake that the job `lake` keeps up to date.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LakeSettings {
    /// Its folder; without one there is no lake.
    pub dir: Option<PathBuf>,
    /// The role for which it is made.
    pub role: Role,
    /// Files of earlier states stay this many hours for their readers.
    pub keep_hours: u32,
    /// The cluster that answers questions over the lake, such as `sc://host:15002`; without one this machine does.
    pub engine: Option<String>,
    /// The folder as the cluster sees it, such as `s3a://bucket/lake`; without it `dir`.
    pub url: Option<String>,
}

impl Default for LakeSettings {
    fn default() -> Self {
        Self { dir: None, role: Role::DataTeam, keep_hours: 24, engine: None, url: None }
    }
}

impl LakeSettings {
    fn check(&self) -> Result<(), String> {
        if !lake::ROLES.contains(&self.role) {
            return Err(format!("lake.role: a lake is for DATA_TEAM or BOARD, not for {}", self.role));
        }
        if self.keep_hours > 8_760 {
            return Err("lake: keep_hours must be from 0 to 8760".into());
        }
        if self.dir.is_none() && (self.engine.is_some() || self.url.is_some()) {
            return Err("lake: engine and url need dir, the folder with the manifest of the lake".into());
        }
        Ok(())
    }
}

/// The rules that suggest categories before a model is trained.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClassificationSettings {
    /// A file with keyword rules instead of those of the program.
    pub rules: Option<PathBuf>,
}

/// The calendar of working days.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CalendarSettings {
    /// A file with years of public holidays, in addition to those that come with the program.
    pub holidays: Option<PathBuf>,
}

/// The rules of measures.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MeasureSettings {
    /// A file with limits of suspensions other than the defaults.
    pub limits: Option<PathBuf>,
}

/// The rules of deadlines.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeadlineSettings {
    /// A file with the terms of the law other than the defaults.
    pub terms: Option<PathBuf>,
}

/// The places outside the database in which seals are kept.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditSettings {
    /// The folder to which each new seal's name is appended, preferably on another machine.
    pub witness: Option<PathBuf>,
}

/// The SMTP server that sends digests.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpSettings {
    pub host: String,
    pub port: Option<u16>,
    /// The sender address of digests.
    pub from: String,
    #[serde(default)]
    pub encryption: Encryption,
    pub username: Option<String>,
    /// The file with the password, which therefore is not in the configuration.
    pub password_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encryption {
    /// TLS from the first byte (port 465).
    Tls,
    /// Upgrades a plain connection to TLS before it sends anything else; fails if that is impossible (port 587).
    #[default]
    Starttls,
    /// No encryption: only for a server on the same machine (port 25).
    None,
}

impl Settings {
    /// The limits of suspensions.
    ///
    /// # Errors
    /// A message about the file that the settings name.
    pub fn suspension_limits(&self) -> Result<SuspensionLimits, String> {
        match &self.measures.limits {
            Some(file) => SuspensionLimits::load(file).map_err(|message| format!("measures.limits: {message}")),
            None => Ok(SuspensionLimits::default()),
        }
    }

    /// The files that change how deadlines are counted; None if the settings name none.
    ///
    /// # Errors
    /// A message about a file that the settings name.
    pub fn clock_files(&self) -> Result<Option<ClockFiles>, String> {
        let files = ClockFiles::read(self.calendar.holidays.as_deref(), self.deadlines.terms.as_deref())?;
        Ok(Some(files).filter(|files| *files != ClockFiles::default()))
    }

    /// Checks everything but the settings of jobs.
    ///
    /// # Errors
    /// Names the first setting that is out of bounds, and what is allowed.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.scheduler.lease_seconds < 2 || self.scheduler.poll_seconds == 0 {
            return Err("scheduler: lease_seconds must be at least 2, poll_seconds at least 1".into());
        }
        if !(DatabaseSettings::MIN_CONNECTIONS..=1_000).contains(&self.database.connections) {
            return Err(format!("database: connections must be from {} to 1000", DatabaseSettings::MIN_CONNECTIONS));
        }
        if !(1..=300).contains(&self.database.replica_lag_seconds) {
            return Err("database: replica_lag_seconds must be from 1 to 300".into());
        }
        let RetentionSettings { runs_days, deliveries_days, reader_digests_days } = self.retention;
        if [runs_days, deliveries_days, reader_digests_days].iter().any(|days| !(7..=36_500).contains(days)) {
            return Err("retention: each number of days must be from 7 to 36500".into());
        }
        // A missing one only costs the next start. In one that is open to all, others could put links and files there.
        if let Some(folder) = &self.snapshot.folder
            && folder.metadata().is_ok_and(|meta| meta.mode() & 0o002 != 0)
        {
            return Err(format!("snapshot.folder: every user can write to {}: use chmod o-w", folder.display()));
        }
        if let Some(file) = &self.classification.rules {
            Rules::load(Some(file)).map_err(|error| format!("classification.rules: {error}"))?;
        }
        self.lake.check()?;
        self.digests.check()?;
        self.links.check()?;
        self.webhooks.check()?;
        self.alerts.check()?;
        self.suspension_limits()?;
        self.clock_files()?;
        if self.scheduler.lease() > LONGEST_LEASE {
            return Err(format!("scheduler: lease_seconds must be at most {}", LONGEST_LEASE.as_secs()));
        }
        if let Some(smtp) = &self.smtp {
            smtp.from
                .parse::<lettre::message::Mailbox>()
                .map_err(|e| format!("smtp.from {:?} is not a mail address: {e}", smtp.from))?;
            let local = matches!(smtp.host.as_str(), "localhost" | "::1") || smtp.host.starts_with("127.");
            if matches!(smtp.encryption, Encryption::None) && !local {
                return Err(format!(
                    "smtp.encryption: \"none\" is only for a server on this machine, not for {}: use starttls or tls",
                    smtp.host
                ));
            }
            if smtp.username.is_some() != smtp.password_file.is_some() {
                return Err("smtp: set both username and password_file, or neither".into());
            }
            if let Some(file) = smtp.password_file.as_ref().filter(|file| !file.is_file()) {
                return Err(format!("smtp.password_file: {} does not exist or is not a file", file.display()));
            }
        }
        Ok(())
    }
}
