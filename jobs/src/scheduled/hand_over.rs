//! The hand-over job: on the day after the last day of a unit, its successor becomes responsible for the complaints
//! that wait for its answer. It leaves no run while nothing waits for a unit that has ended.

use crate::JobError;
use crate::runner::job::{Context, Job, Publish, day_of};
use crate::runner::ledger::still_owned;
use schema::domain::calendar::local_date;
use schema::models::JobRun;
use schema::register::{hand_over_after, waiting_after};
use schema::{Conn, StoreError, Timestamp};
use serde_json::json;

/// Complaints changed in one transaction; other writers proceed between two.
const AT_ONCE: usize = 1_000;

pub struct HandOver;

impl Job for HandOver {
    fn name(&self) -> &'static str {
        "hand-over"
    }

    fn about(&self) -> &'static str {
        "hands complaints that wait for a unit that has ended to its successor"
    }

    fn schedule(&self) -> &'static str {
        "5 0 * * *"
    }

    fn always_runs(&self) -> bool {
        false
    }

    fn has_work(&self, _: &Context<'_>, conn: &mut Conn) -> Result<bool, StoreError> {
        let Some(yesterday) = local_date(Timestamp::now()).pred_opt() else { return Ok(false) };
        Ok(waiting_after(conn, yesterday)? > 0)
    }

    /// Commits batch by batch: a department may leave many complaints. A run for a day is about the units whose last
    /// day is that day or an earlier one.
    fn run(&self, context: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError> {
        let last_day = day_of(run)?;
        let mut handed_over = 0;
        while !context.is_stopping() {
            let some = context.db.write("job", |tx| {
                still_owned(tx, run)?;
                hand_over_after(tx, last_day, AT_ONCE)
            })?;
            if some.value == 0 {
                break;
            }
            handed_over += some.value;
        }
        Ok(Box::new(move |tx, run| {
            // There is no successor for these: an ADMIN names one, or the Board transfers them.
            let without_successor = waiting_after(tx.conn, last_day)?;
            run.summary = Some(json!({ "handedOver": handed_over, "withoutSuccessor": without_successor }).into());
            Ok(())
        }))
    }
}
