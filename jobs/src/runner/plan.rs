//! When and how each job runs, by the configuration and by its own defaults.

use crate::JobError;
use crate::runner::cron::Schedule;
use crate::runner::job::{Job, Registry};
use crate::runner::settings::{Missed, Settings};
use schema::domain::toml_text;
use std::path::Path;
use std::time::Duration;

/// When and how one job runs, with all defaults filled in.
#[derive(Debug, Clone)]
pub struct JobPlan {
    pub enabled: bool,
    pub schedule: Schedule,
    pub missed: Missed,
    pub retries: u32,
    pub backoff: Duration,
    /// A run waits this long for the runs of the jobs that it depends on.
    pub wait: Duration,
}

impl Settings {
    /// Reads and checks a configuration file. `jobs` are the jobs that it may configure.
    ///
    /// # Errors
    /// `Settings` when the file cannot be read or a setting is invalid.
    pub fn load(path: &Path, jobs: Registry) -> Result<Self, JobError> {
        let wrong = |message: String| JobError::Settings { path: path.display().to_string(), message };
        let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
        let settings: Self = toml_text::parse(&text).map_err(wrong)?;
        settings.check().and_then(|()| settings.check_jobs(jobs)).map_err(wrong)?;
        Ok(settings)
    }

    fn check_jobs(&self, jobs: Registry) -> Result<(), String> {
        for name in self.jobs.keys() {
            let Some(job) = jobs.find(name) else {
                let names: Vec<_> = jobs.iter().map(Job::name).collect();
                return Err(format!("jobs.{name}: there is no such job; use one of {}", names.join(", ")));
            };
            self.plan(job)?;
        }
        Ok(())
    }

    /// When and how a job runs.
    ///
    /// # Errors
    /// A message about its schedule or time zone.
    pub fn plan(&self, job: &dyn Job) -> Result<JobPlan, String> {
        let name = job.name();
        let given = self.jobs.get(name).cloned().unwrap_or_default();
        let expression = given.schedule.as_deref().unwrap_or(job.schedule());
        let zone = given.timezone.as_deref().unwrap_or("Asia/Ho_Chi_Minh");
        let schedule = Schedule::parse(expression, zone).map_err(|message| format!("jobs.{name}: {message}"))?;
        Ok(JobPlan {
            enabled: given.enabled.unwrap_or(true) && job.is_configured(self),
            schedule,
            missed: given.missed.unwrap_or(job.missed()),
            retries: given.retries.unwrap_or(3),
            backoff: Duration::from_secs(given.backoff_seconds.unwrap_or(30)),
            wait: Duration::from_secs(given.wait_seconds.unwrap_or(3600)),
        })
    }
}
