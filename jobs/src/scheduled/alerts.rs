//! The jobs of alerts: one compares what is found with the current alerts, the other sends the messages.

use crate::JobError;
use crate::alerts::{apply, as_allowed, changes};
use crate::digest::reader::AccountRule;
use crate::digest::reader::outbox::LOST;
use crate::notify::outbox::Outgoing;
use crate::notify::{Failure, Sender, outbox};
use crate::runner::job::{Context, Job, Publish};
use schema::models::{JobRun, Notification};
use schema::{Conn, Id, StoreError, Timestamp};
use serde_json::json;

pub struct RaiseAlerts;

impl Job for RaiseAlerts {
    fn name(&self) -> &'static str {
        "alerts"
    }

    fn about(&self) -> &'static str {
        "raises alerts about grave flags, bursts of complaints, jobs and deliveries, and ends those that are over"
    }

    fn schedule(&self) -> &'static str {
        "*/5 * * * *"
    }

    fn always_runs(&self) -> bool {
        false
    }

    fn has_work(&self, context: &Context<'_>, conn: &mut Conn) -> Result<bool, StoreError> {
        Ok(!changes(context, conn, Timestamp::now())?.is_empty())
    }

    fn run(&self, context: &Context<'_>, _: &mut JobRun) -> Result<Publish, JobError> {
        let changes = context.db.read_snapshot(|conn| changes(context, conn, Timestamp::now()))?;
        let rule = AccountRule::of(context.settings);
        Ok(Box::new(move |tx, run| {
            let (raised, cleared) = (changes.raised.len() + changes.again.len(), changes.cleared.len());
            let messages = apply(tx, &rule, changes)?;
            run.summary = Some(json!({ "raised": raised, "cleared": cleared, "messages": messages }).into());
            Ok(())
        }))
    }
}

/// A message as it may be sent now: the rights of its reader may have changed since it was queued.
fn allowed(context: &Context<'_>, (message, endpoint): &Outgoing) -> Result<Result<Outgoing, String>, StoreError> {
    if endpoint.principal_id.is_none() {
        return Ok(Ok((message.clone(), endpoint.clone())));
    }
    let rule = AccountRule::of(context.settings);
    let body = context.db.read(|conn| as_allowed(conn, &rule, endpoint, &message.body))?;
    Ok(body.map(|body| (Notification { body, ..message.clone() }, endpoint.clone())))
}

/// Sends the messages in the outbox of notifications.
pub struct Notify;

impl Job for Notify {
    fn name(&self) -> &'static str {
        "notify"
    }

    fn about(&self) -> &'static str {
        "sends queued notifications to webhooks and mail addresses"
    }

    fn schedule(&self) -> &'static str {
        "* * * * *"
    }

    fn always_runs(&self) -> bool {
        false
    }

    fn has_work(&self, context: &Context<'_>, conn: &mut Conn) -> Result<bool, StoreError> {
        outbox::is_anything_due(conn, context.settings.smtp.is_some())
    }

    /// Commits each attempt on its own, before and after sending: a message cannot be rolled back.
    fn run(&self, context: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError> {
        let by_mail = context.settings.smtp.is_some();
        let mut sender = Sender::new(context.settings);
        let (mut sent, mut failed): (u32, Vec<Id>) = (0, Vec::new());
        while !context.is_stopping() {
            let Some(outgoing) = outbox::take(context.db, run, by_mail, &failed)? else { break };
            let outcome = match allowed(context, &outgoing)? {
                Ok(allowed) => sender.send(&allowed),
                Err(why) => Err(Failure::refusal(format!("{LOST}{why}"))),
            };
            match &outcome {
                Ok(_) => sent += 1,
                Err(failure) => {
                    // An address may hold a secret: only the log of deliveries keeps it.
                    tracing::warn!(message = %outgoing.0.id, status = failure.status, "a notification was not taken");
                    failed.push(outgoing.1.id);
                }
            }
            outbox::record_outcome(context.db, outgoing.0, &outcome)?;
        }
        Ok(Box::new(move |_, run| -> Result<(), StoreError> {
            run.summary = Some(json!({ "sent": sent, "failed": failed.len() }).into());
            Ok(())
        }))
    }
}
