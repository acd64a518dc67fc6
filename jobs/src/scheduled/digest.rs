//! The digest jobs: one composes the Board's digest from stored results and puts it into the outbox, the other
//! delivers it.

use super::{overdue, timeliness, trends};
use crate::JobError;
use crate::digest::address::check_domain;
use crate::digest::outbox::OutgoingDelivery;
use crate::digest::{LOCALES, before, document, outbox, reader, render};
use crate::notify::{self, Audience, Item};
use crate::results::recurrence;
use crate::runner::job::{Context, Job, Publish, day_of};
use crate::runner::settings::Settings;
use crate::snapshot::Snapshot;
use diesel::prelude::*;
use schema::domain::ids::random_id;
use schema::each;
use schema::models::{Digest as Row, JobRun};
use schema::states::StateTable;
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
        "composes the Board's digest from the results of the other jobs, and queues it for delivery"
    }

    fn schedule(&self) -> &'static str {
        "0 7 * * *"
    }

    fn after(&self) -> &'static [&'static str] {
        &[recurrence::NAME, timeliness::NAME, trends::NAME, overdue::NAME]
    }

    fn run(&self, context: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError> {
        let as_of = day_of(run)?;
        let snapshot = context.snapshot()?;
        let composed = context.db.read_snapshot(|conn| make(conn, &snapshot, run, context.settings))?;
        run.known_at = composed.first().map(|digest| digest.position);
        let by_mail = context.settings.smtp.is_some();
        Ok(Box::new(move |tx, run| {
            let (mut new, mut posted) = (0, 0);
            for mut digest in composed {
                // One digest for each day and language: a second run for a day sends none.
                let existing: Option<Row> = digests::table
                    .filter(digests::as_of.eq(as_of))
                    .filter(digests::locale.eq(digest.locale))
                    .select(Row::as_select())
                    .first(tx.conn)
                    .optional()?;
                if existing.is_some() {
                    continue;
                }
                digest.created_at = tx.now;
                each!(&mut *tx.conn, c => diesel::insert_into(digests::table).values(&digest).execute(c)?);
                tx.record_state(StateTable::Digests, &digest.id);
                new += 1;
                posted += outbox::post(tx, &digest)?;
                let thin = json!({ "digest": digest.id, "asOf": as_of, "locale": digest.locale });
                // No endpoint with a reader wants this event.
                let item = Item { thin, details: json!({}), audience: Audience::Board(Vec::new()) };
                notify::post(tx, notify::DIGEST_CREATED, &[item])?;
            }
            // Warns here, because without a mail server no mail is due and the delivery job does not run.
            if !by_mail {
                warn_of_waiting_mail(outbox::waiting_for_mail(tx.conn)?);
            }
            run.summary = Some(json!({ "digests": new, "posted": posted }).into());
            Ok(())
        }))
    }
}

fn make(conn: &mut Conn, snapshot: &Snapshot, run: &JobRun, settings: &Settings) -> Result<Vec<Row>, JobError> {
    let as_of = day_of(run)?;
    let (places, base_url) = (settings.places.as_deref(), settings.links.base_url.as_deref());
    LOCALES
        .into_iter()
        .map(|locale| {
            let previous = before(conn, as_of, locale)?;
            let document = document(conn, snapshot, places, as_of, previous.as_ref().map(|(_, document)| document))?;
            let rendered = render(&document, locale, base_url)?;
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

/// Checks again whether mail may go to a recipient: the domains may have changed since it subscribed.
fn allowed(context: &Context<'_>, (_, _, recipient): &OutgoingDelivery) -> Result<(), String> {
    check_domain(recipient.channel, &recipient.address, &context.settings.digests.domains)
}

fn warn_of_waiting_mail(digests: i64) {
    if digests > 0 {
        tracing::warn!(digests, "digests wait for a mail server: add [smtp] to the configuration");
    }
}

/// Delivers the digests in the outbox.
pub struct Deliver;

impl Job for Deliver {
    fn name(&self) -> &'static str {
        "deliver-digests"
    }

    fn about(&self) -> &'static str {
        "delivers queued digests by mail or into folders"
    }

    fn schedule(&self) -> &'static str {
        "* * * * *"
    }

    fn always_runs(&self) -> bool {
        false
    }

    fn has_work(&self, context: &Context<'_>, conn: &mut Conn) -> Result<bool, StoreError> {
        let by_mail = context.settings.smtp.is_some();
        Ok(outbox::is_anything_due(conn, by_mail)? || reader::outbox::is_anything_due(conn, by_mail)?)
    }

    /// Commits each delivery on its own, before and after sending: a mail cannot be rolled back.
    fn run(&self, context: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError> {
        let by_mail = context.settings.smtp.is_some();
        if !by_mail {
            warn_of_waiting_mail(context.db.read(outbox::waiting_for_mail)?);
        }
        let mut sender = crate::digest::Sender::new(context.settings);
        let (mut sent, mut failed) = (0, 0);
        let mut deliver = |outgoing: &OutgoingDelivery| {
            let outcome = allowed(context, outgoing).and_then(|()| sender.send(outgoing));
            if outcome.is_err() {
                failed += 1;
                // The server's reply may contain the address: only the delivery log keeps it.
                tracing::warn!(digest = %outgoing.1.id, recipient = %outgoing.2.id, "a digest was not delivered");
            } else {
                sent += 1;
            }
            outcome
        };
        while !context.is_stopping() {
            let Some(outgoing) = outbox::take(context.db, run, by_mail)? else { break };
            let outcome = deliver(&outgoing);
            outbox::record_outcome(context.db, outgoing.0, &outcome)?;
        }
        let rule = reader::AccountRule::of(context.settings);
        while !context.is_stopping() {
            let Some(outgoing) = reader::outbox::take(context.db, run, by_mail, &rule)? else { break };
            let outcome = deliver(&outgoing);
            reader::outbox::record_outcome(context.db, outgoing.1.id, &outcome)?;
        }
        Ok(Box::new(move |_, run| -> Result<(), StoreError> {
            run.summary = Some(json!({ "sent": sent, "failed": failed }).into());
            Ok(())
        }))
    }
}
