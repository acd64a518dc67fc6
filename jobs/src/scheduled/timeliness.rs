//! The timeliness job: how fast departments and branches answer, stored for digests and dashboards.

use crate::JobError;
use crate::analyses::timeliness::timeliness;
use crate::results::result;
use crate::runner::job::{Context, Job, Publish, day_of};
use schema::models::JobRun;
use serde_json::json;

pub const NAME: &str = "timeliness";

pub struct Timeliness;

impl Job for Timeliness {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "computes how fast units answer, with open complaints as censored"
    }

    fn schedule(&self) -> &'static str {
        "15 2 * * *"
    }

    fn run(&self, context: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError> {
        let as_of = day_of(run)?;
        let snapshot = context.snapshot()?;
        run.known_at = Some(snapshot.position);
        let document = timeliness(&snapshot, as_of)?;
        run.summary = Some(json!({ "complaints": document.all.complaints, "overdue": document.all.overdue }).into());
        result(run, NAME, as_of, &document)
    }
}
