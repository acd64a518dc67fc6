//! The job that makes the digests of readers at the times of their subscriptions, each with the rights that its reader
//! has then.

use crate::JobError;
use crate::digest::reader::{self, Composed, TRIED_HOURS, compose, outbox};
use crate::runner::cron::Schedule;
use crate::runner::job::{Context, Job, Publish, day_of};
use chrono::{NaiveDate, TimeDelta};
use schema::domain::calendar::local_date;
use schema::domain::ids::random_id;
use schema::enums::{DeliveryState, RunOrigin};
use schema::models::{DigestSubscription, JobRun, ReaderDigest};
use schema::{Conn, Id, JsonValue, StoreError, Timestamp};
use serde_json::json;

pub const NAME: &str = "reader-digests";

pub struct ReaderDigests;

impl Job for ReaderDigests {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "makes the digests of readers when they are due, and queues them for delivery"
    }

    fn schedule(&self) -> &'static str {
        "* * * * *"
    }

    fn always_runs(&self) -> bool {
        false
    }

    fn has_work(&self, _: &Context<'_>, conn: &mut Conn) -> Result<bool, StoreError> {
        let now = Timestamp::now();
        Ok(reader::own(conn, None)?.iter().any(|subscription| due_at(subscription, now).is_some()))
    }

    /// A scheduled run makes what is due by the schedules of the subscriptions. A run by hand makes the digests of all
    /// readers for its day.
    fn run(&self, context: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError> {
        let now = Timestamp::now();
        let mut due: Vec<(DigestSubscription, NaiveDate, Option<Timestamp>)> = Vec::new();
        for subscription in context.db.read(|conn| reader::own(conn, None))? {
            if run.origin == RunOrigin::Manual {
                due.push((subscription, day_of(run)?, None));
            } else if let Some(at) = due_at(&subscription, now) {
                // The day before its time is over.
                let day = local_date(at);
                due.push((subscription, day.pred_opt().unwrap_or(day), Some(at)));
            }
        }
        let snapshot = context.snapshot()?;
        run.known_at = Some(snapshot.position);
        let (mut made, mut considered) = (Vec::new(), Vec::new());
        let (mut lost, mut unwanted, mut broken) = (0, 0, 0);
        for (subscription, as_of, at) in due {
            if context.is_stopping() {
                break;
            }
            let is_quiet = subscription.quiet_until.is_some_and(|until| local_date(now) <= until);
            if is_quiet {
                tracing::info!(recipient = %subscription.id, "no digest was made: its reader wants none for some days");
                unwanted += 1;
            } else {
                match compose(context.db, &snapshot, context.settings, &subscription, as_of) {
                    Ok(composed) => match row(run.id, &subscription, as_of, composed, now) {
                        Some(row) => {
                            lost += usize::from(row.state == DeliveryState::Failed);
                            made.push(row);
                        }
                        None => unwanted += 1,
                    },
                    // One reader's digest must not keep those of others back. It is tried again at the next minute,
                    // for some time.
                    Err(error) => {
                        tracing::warn!(recipient = %subscription.id, %error, "a digest could not be made");
                        broken += 1;
                        if !at.is_some_and(|at| is_given_up(at, now)) {
                            continue;
                        }
                        let error = Some(format!("it could not be made: {error}"));
                        let none = empty(run.id, &subscription, as_of, now);
                        made.push(ReaderDigest { state: DeliveryState::Failed, error, ..none });
                    }
                }
            }
            considered.extend(at.map(|at| (subscription.id, at)));
        }
        if made.is_empty() && considered.is_empty() && broken > 0 {
            return Err(JobError::NotFound(format!(
                "{broken} digests could not be made: the log of this run names each with the reason"
            )));
        }
        Ok(Box::new(move |tx, run| {
            let mut new = 0;
            for row in &mut made {
                row.created_at = tx.now;
                row.next_attempt_at = tx.now;
                let is_new = outbox::store(tx, row)?;
                new += usize::from(is_new);
                if !is_new {
                    let (recipient, as_of) = (row.subscription_id, row.as_of);
                    tracing::info!(%recipient, %as_of, "the reader has a digest of this day already: no other is sent");
                }
            }
            for (subscription, at) in considered {
                outbox::note_considered(tx, subscription, at)?;
            }
            run.summary =
                Some(json!({ "digests": new, "withoutRights": lost, "notWanted": unwanted, "failed": broken }).into());
            Ok(())
        }))
    }
}

/// The last scheduled time of a subscription that nothing was done about; None if there is none.
fn due_at(subscription: &DigestSubscription, now: Timestamp) -> Option<Timestamp> {
    let (schedule, zone) = (subscription.schedule.as_deref()?, subscription.timezone.as_deref()?);
    let last = Schedule::parse(schedule, zone).ok()?.last_until(now)?;
    (last > subscription.considered_at.unwrap_or(subscription.created_at)).then_some(last)
}

/// Whether a digest that cannot be made is not tried any more.
fn is_given_up(at: Timestamp, now: Timestamp) -> bool {
    at.utc() + TimeDelta::hours(TRIED_HOURS) <= now.utc()
}

/// The row of a digest, or of its absence for lost rights; None if its reader does not want it.
fn row(
    run_id: Id,
    subscription: &DigestSubscription,
    as_of: NaiveDate,
    composed: Composed,
    now: Timestamp,
) -> Option<ReaderDigest> {
    let empty = empty(run_id, subscription, as_of, now);
    match composed {
        Composed::Lost(why) => {
            tracing::warn!(recipient = %subscription.id, why, "a digest was not made: its reader may not read it");
            let error = Some(format!("{}{why}", outbox::LOST));
            Some(ReaderDigest { state: DeliveryState::Failed, error, ..empty })
        }
        Composed::Made(made) => {
            if let Some(why) = made.unmet {
                tracing::info!(recipient = %subscription.id, why, "no digest was made: its reader wants none like it");
                return None;
            }
            Some(ReaderDigest {
                previous_id: made.previous_id,
                subject: made.rendered.subject,
                html: made.rendered.html,
                text: made.rendered.text,
                position: made.document.position,
                document: JsonValue(json!(made.document)),
                ..empty
            })
        }
    }
}

/// A row without a digest.
fn empty(run_id: Id, subscription: &DigestSubscription, as_of: NaiveDate, now: Timestamp) -> ReaderDigest {
    ReaderDigest {
        id: random_id(),
        subscription_id: subscription.id,
        run_id,
        previous_id: None,
        as_of,
        locale: subscription.locale,
        subject: String::new(),
        html: String::new(),
        text: String::new(),
        document: JsonValue(json!({})),
        position: 0,
        created_at: now,
        state: DeliveryState::Pending,
        attempts: 0,
        next_attempt_at: now,
        sent_at: None,
        error: None,
    }
}
