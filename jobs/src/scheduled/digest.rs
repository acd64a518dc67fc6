//! Makes the Board's digest of stored results, and puts it into the outbox.

use super::{day_of, overdue, recurrence, timeliness, trends};
use crate::JobError;
use crate::digest::{LOCALES, before, document, outbox, render};
use crate::runner::job::{Context, Job, Publish};
use diesel::prelude::*;
use schema::domain::ids::random_id;
use schema::each;
use schema::models::{Digest as Row, JobRun};
use schema::states::Kept;
use schema::tables::digests;
use schema::{Conn, JsonValue, StoreError};
use serde_json::json;

pub const NAME: &str = "digest";

pub struct Digest;

impl Job for Digest {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "writes the Board's digest of what the other jobs found, and posts it"
    }

    fn schedule(&self) -> &'static str {
        "0 7 * * *"
    }

    fn after(&self) -> &'static [&'static str] {
        &[recurrence::NAME, timeliness::NAME, trends::NAME, overdue::NAME]
    }

    fn run(&self, context: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError> {
        let as_of = day_of(run)?;
        let made = context.db.read_snapshot(|conn| make(conn, run))?;
        run.known_at = made.first().map(|digest| digest.position);
        let by_mail = context.settings.smtp.is_some();
        Ok(Box::new(move |tx, run| {
            let (mut new, mut posted) = (0, 0);
            for mut digest in made {
                // One for each day and language: whoever has it is not sent another.
                let stands: Option<Row> = digests::table
                    .filter(digests::as_of.eq(as_of))
                    .filter(digests::locale.eq(digest.locale))
                    .select(Row::as_select())
                    .first(tx.conn)
                    .optional()?;
                if stands.is_some() {
                    continue;
                }
                digest.created_at = tx.now;
                each!(&mut *tx.conn, c => diesel::insert_into(digests::table).values(&digest).execute(c)?);
                tx.keep(Kept::Digests, &digest.id);
                new += 1;
                posted += outbox::post(tx, &digest)?;
            }
            // Told where digests are posted: without a mail server nothing is due, and deliveries do not run.
            if !by_mail {
                warn_of_waiting_mail(outbox::waiting_for_mail(tx.conn)?);
            }
            run.summary = Some(json!({ "digests": new, "posted": posted }).into());
            Ok(())
        }))
    }
}

fn make(conn: &mut Conn, run: &JobRun) -> Result<Vec<Row>, JobError> {
    let as_of = day_of(run)?;
    LOCALES
        .into_iter()
        .map(|locale| {
            let previous = before(conn, as_of, locale)?;
            let document = document(conn, as_of, previous.as_ref().map(|(_, document)| document))?;
            let rendered = render(&document, locale)?;
            Ok(Row {
                id: random_id(),
                run_id: run.id,
                previous_id: previous.map(|(id, _)| id),
                as_of,
                locale,
                subject: rendered.subject,
                html: rendered.html,
                text: rendered.text,
                position: document.position,
                document: JsonValue(json!(document)),
                created_at: run.started_at,
            })
        })
        .collect()
}

fn warn_of_waiting_mail(digests: i64) {
    if digests > 0 {
        tracing::warn!(digests, "digests wait for a mail server: the configuration has no [smtp]");
    }
}

/// Brings what lies in the outbox to its recipients.
pub struct Deliver;

impl Job for Deliver {
    fn name(&self) -> &'static str {
        "deliver-digests"
    }

    fn about(&self) -> &'static str {
        "brings posted digests to their recipients, each once"
    }

    fn schedule(&self) -> &'static str {
        "* * * * *"
    }

    fn has_work(&self, context: &Context<'_>, conn: &mut Conn) -> Result<bool, StoreError> {
        outbox::is_anything_due(conn, context.settings.smtp.is_some())
    }

    /// A mail is on its way before its row can say so: this job writes as it goes.
    fn run(&self, context: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError> {
        let by_mail = context.settings.smtp.is_some();
        if !by_mail {
            warn_of_waiting_mail(context.db.read(outbox::waiting_for_mail)?);
        }
        let mut sender = crate::digest::Sender::new(context.settings);
        let (mut sent, mut failed) = (0, 0);
        while !context.is_stopping() {
            let Some(parcel) = outbox::take(context.db, run, by_mail)? else { break };
            let outcome = sender.send(&parcel);
            if outcome.is_err() {
                failed += 1;
                // The server's words may hold the address: they stand in the delivery log alone.
                tracing::warn!(digest = %parcel.1.id, recipient = %parcel.2.id, "a digest was not delivered");
            } else {
                sent += 1;
            }
            outbox::settle(context.db, parcel.0, &outcome)?;
        }
        Ok(Box::new(move |_, run| -> Result<(), StoreError> {
            run.summary = Some(json!({ "sent": sent, "failed": failed }).into());
            Ok(())
        }))
    }
}
