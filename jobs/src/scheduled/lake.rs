//! The lake job: brings the lake of the configuration up to date. Without `[lake] dir` no run starts.

use crate::JobError;
use crate::lake::{SyncOptions, sync};
use crate::runner::job::{Context, Job, Publish};
use crate::runner::settings::Settings;
use schema::models::JobRun;
use serde_json::json;

pub struct Lake;

impl Job for Lake {
    fn name(&self) -> &'static str {
        "lake"
    }

    fn about(&self) -> &'static str {
        "writes the tables of analysts as Parquet files where they changed"
    }

    fn schedule(&self) -> &'static str {
        "50 * * * *"
    }

    fn is_configured(&self, settings: &Settings) -> bool {
        settings.lake.dir.is_some()
    }

    fn run(&self, context: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError> {
        let settings = &context.settings.lake;
        let missing = |what: &str| JobError::NotFound(format!("the job lake needs {what}"));
        let dir = settings.dir.as_deref().ok_or_else(|| missing("a folder: set dir in [lake] of the configuration"))?;
        let keys = context.settings.keys.as_deref();
        let keys = keys.ok_or_else(|| missing("the key file, which makes pseudonyms: name it with --key-file"))?;
        let options = SyncOptions { role: settings.role, anew: false, keep_hours: settings.keep_hours };
        let done = sync(context.db, keys, dir, options, &|| context.snapshot(), &|| context.is_stopping())?;
        if done.went_back {
            tracing::warn!(position = done.position, "the register went back: the lake has its earlier state now");
        }
        run.known_at = Some(done.position);
        run.summary =
            Some(json!({ "position": done.position, "rows": done.rows, "written": done.written.len() }).into());
        Ok(Box::new(|_, _| Ok(())))
    }
}
