//! The trends job: stores rising categories, totals of cost and delay, and counts of register events.

use crate::JobError;
use crate::analyses::before_after::first_day;
use crate::analyses::trends::trends;
use crate::results::result;
use crate::runner::job::{Context, Job, Publish, day_of};
use schema::models::JobRun;
use schema::queries::event_counts_between;
use serde_json::json;

pub const NAME: &str = "trends";
/// A position before those of all events.
pub const BEFORE_ALL: i64 = -1;

pub struct Trends;

impl Job for Trends {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "finds rising categories, and totals cost, delay and register events"
    }

    fn schedule(&self) -> &'static str {
        "30 2 * * *"
    }

    fn run(&self, context: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError> {
        let as_of = day_of(run)?;
        let snapshot = context.snapshot()?;
        run.known_at = Some(snapshot.position);
        let position = snapshot.position;
        let events = context.db.read(|conn| event_counts_between(conn, BEFORE_ALL, position))?;
        let document = trends(&snapshot, first_day(&snapshot.facts)?, as_of, events)?;
        let rising = document.categories.iter().filter(|category| category.rises).count();
        run.summary = Some(json!({ "rising": rising }).into());
        result(run, NAME, as_of, &document)
    }
}
