//! The trends job: stores rising categories, totals of cost and delay, and counts of register events.

use crate::JobError;
use crate::analyses::before_after::first_day;
use crate::analyses::trends::trends;
use crate::results::result;
use crate::runner::job::{Context, Job, Publish, day_of};
use diesel::prelude::*;
use schema::enums::ComplaintEventKind;
use schema::models::JobRun;
use schema::tables::complaint_events;
use schema::{Conn, StoreError};
use serde_json::json;
use std::collections::BTreeMap;

pub const NAME: &str = "trends";

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
        let events = context.db.read(|conn| events(conn, position))?;
        let document = trends(&snapshot, first_day(&snapshot.facts)?, as_of, events)?;
        let rising = document.categories.iter().filter(|category| category.rises).count();
        run.summary = Some(json!({ "rising": rising }).into());
        result(run, NAME, as_of, &document)
    }
}

/// The number of events of each kind up to a position. Escalations, which jobs record, are not corrections.
fn events(conn: &mut Conn, position: i64) -> Result<BTreeMap<String, i64>, StoreError> {
    Ok(complaint_events::table
        .filter(complaint_events::position.le(position))
        .filter(complaint_events::kind.ne(ComplaintEventKind::Updated).or(complaint_events::actor.ne("job")))
        .group_by(complaint_events::kind)
        .select((complaint_events::kind, diesel::dsl::count_star()))
        .load::<(String, i64)>(conn)?
        .into_iter()
        .collect())
}
