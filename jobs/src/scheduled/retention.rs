//! The retention job: deletes old runs, deliveries and digests of readers, so that the ledger stays bounded and what
//! digests say of people is not kept for good.
//!
//! It keeps every run that a statistic, flag or digest refers to or that can be reproduced. It never deletes from
//! the audit log, the events or the seals. The chain of states records each deletion.

use crate::JobError;
use crate::digest::{outbox, reader};
use crate::notify;
use crate::runner::job::{Context, Job, Publish};
use crate::runner::ledger::{self, still_owned};
use chrono::TimeDelta;
use schema::db::WriteTx;
use schema::models::JobRun;
use schema::{StoreError, Timestamp};
use serde_json::json;

/// Rows deleted in one transaction; other writers proceed between two.
const AT_ONCE: i64 = 1_000;

pub struct Retention;

impl Job for Retention {
    fn name(&self) -> &'static str {
        "retention"
    }

    fn about(&self) -> &'static str {
        "deletes old runs, deliveries and digests of readers that nothing refers to"
    }

    fn schedule(&self) -> &'static str {
        "15 3 * * *"
    }

    /// Commits batch by batch: one transaction for all would block other writers.
    fn run(&self, context: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError> {
        let settings = &context.settings.retention;
        context.db.clean_search_index()?;
        context.db.make_deferred_indexes()?;
        let now = Timestamp::now();
        let ago = |days: u32| Timestamp::from(now.utc() - TimeDelta::days(i64::from(days)));
        let (runs, deliveries) = (ago(settings.runs_days), ago(settings.deliveries_days));
        let messages = all(context, run, |tx| notify::outbox::forget(tx, deliveries, AT_ONCE))?;
        let deliveries = all(context, run, |tx| outbox::forget(tx, deliveries, AT_ONCE))?;
        let digests = ago(settings.reader_digests_days);
        // Before the runs that made them.
        let digests = all(context, run, |tx| reader::forget(tx, digests, AT_ONCE))?;
        let runs = all(context, run, |tx| ledger::forget(tx, runs, AT_ONCE))?;
        Ok(Box::new(move |_, run| {
            let gone = json!({
                "runs": runs,
                "deliveries": deliveries,
                "notifications": messages,
                "readerDigests": digests,
            });
            run.summary = Some(gone.into());
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
