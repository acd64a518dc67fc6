//! Takes away what is of no further use, so that the ledger does not grow without end.
//!
//! What a statistic, a flag or a digest was made by stays, and what a run can be reproduced from: the audit log, the events
//! and the seals are never thinned. That a row was taken away stands in the chain of states.

use crate::JobError;
use crate::digest::outbox;
use crate::runner::job::{Context, Job, Publish};
use crate::runner::ledger::{self, still_owned};
use chrono::TimeDelta;
use schema::db::WriteTx;
use schema::models::JobRun;
use schema::{StoreError, Timestamp};
use serde_json::json;

/// Rows of one transaction: others write between two.
const AT_ONCE: i64 = 1_000;

pub struct Retention;

impl Job for Retention {
    fn name(&self) -> &'static str {
        "retention"
    }

    fn about(&self) -> &'static str {
        "takes away old runs and deliveries that nothing depends on"
    }

    fn schedule(&self) -> &'static str {
        "15 3 * * *"
    }

    /// It writes as it goes: one transaction would keep all others waiting.
    fn run(&self, context: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError> {
        let settings = &context.settings.retention;
        let now = Timestamp::now();
        let ago = |days: u32| Timestamp::from(now.utc() - TimeDelta::days(i64::from(days)));
        let (runs, deliveries) = (ago(settings.runs_days), ago(settings.deliveries_days));
        let deliveries = all(context, run, |tx| outbox::forget(tx, deliveries, AT_ONCE))?;
        let runs = all(context, run, |tx| ledger::forget(tx, runs, AT_ONCE))?;
        Ok(Box::new(move |_, run| {
            run.summary = Some(json!({ "runs": runs, "deliveries": deliveries }).into());
            Ok(())
        }))
    }
}

fn all(
    context: &Context<'_>,
    run: &JobRun,
    mut some: impl FnMut(&mut WriteTx<'_>) -> Result<usize, StoreError>,
) -> Result<usize, JobError> {
    let mut all = 0;
    while !context.is_stopping() {
        let taken = context.db.write("job", |tx| {
            still_owned(tx, run)?;
            some(tx)
        })?;
        if taken.value == 0 {
            break;
        }
        all += taken.value;
    }
    Ok(all)
}
