//! The filter of job runs.

use crate::graphql::filter::{DateOps, DateTimeOps, IdOps, RunStateOps, StringOps, filter};
use diesel::prelude::*;
use schema::tables::job_runs;

filter! {
    /// Conditions on job runs, joined by AND.
    JobRunFilter over job_runs {
        id: IdOps => id(job_runs::id),
        job: StringOps => text(job_runs::job),
        state: RunStateOps => word(job_runs::state),
        as_of: DateOps => value(job_runs::as_of),
        started_at: DateTimeOps => time(job_runs::started_at),
    }
}
