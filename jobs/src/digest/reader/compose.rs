//! Composes and renders a digest for one reader.

use super::condition::unmet;
use super::{AccountRule, Reader, current_reader, outbox, rights, sections_of};
use crate::JobError;
use crate::digest::head::head_document;
use crate::digest::{DigestDocument, Rendered, document, render};
use crate::runner::settings::Settings;
use crate::snapshot::Snapshot;
use chrono::NaiveDate;
use schema::enums::{DigestCondition, Locale, Role};
use schema::models::DigestSubscription;
use schema::{Conn, Db, Id};

/// A digest for a reader, or the reason why it was not made.
#[derive(Debug, Clone)]
pub enum Composed {
    /// The reader lost the right to it.
    Lost(String),
    Made(Box<Made>),
}

#[derive(Debug, Clone)]
pub struct Made {
    pub previous_id: Option<Id>,
    pub document: DigestDocument,
    pub rendered: Rendered,
    pub locale: Locale,
    /// Why it does not meet the condition of the subscription; None if it does.
    pub unmet: Option<String>,
}

impl Made {
    /// Whether it meets the condition of the subscription.
    pub fn is_wanted(&self) -> bool {
        self.unmet.is_none()
    }
}

/// Composes the digest of a subscription as of a day, with the rights that its reader has now, and compares it with the
/// last one that was sent to this reader.
///
/// # Errors
/// `NotFound` when a job has no result up to that day.
pub fn compose(
    db: &Db,
    snapshot: &Snapshot,
    settings: &Settings,
    subscription: &DigestSubscription,
    as_of: NaiveDate,
) -> Result<Composed, JobError> {
    let found = db.read_snapshot(|conn| {
        let rule = AccountRule::of(settings);
        let reader = match current_reader(conn, &snapshot.reference.tree, &rule, subscription)? {
            Ok(reader) => reader,
            Err(lost) => return Ok::<_, JobError>(Err(lost.why)),
        };
        let previous = outbox::previous(conn, subscription, as_of)?;
        let before = previous.as_ref().map(|(_, document)| document);
        let document = of_reader(conn, snapshot, settings, &reader, as_of, before)?;
        Ok(Ok((previous.map(|(id, _)| id), document)))
    })?;
    let (previous_id, mut document) = match found {
        Ok(found) => found,
        Err(why) => return Ok(Composed::Lost(why)),
    };
    document.limit(&sections_of(subscription));
    let rendered = render(&document, subscription.locale, settings.links.base_url.as_deref())?;
    let condition = subscription.condition.unwrap_or(DigestCondition::Always);
    let unmet = unmet(&document, condition, subscription.min_overdue.unwrap_or(0));
    Ok(Composed::Made(Box::new(Made { previous_id, document, rendered, locale: subscription.locale, unmet })))
}

fn of_reader(
    conn: &mut Conn,
    snapshot: &Snapshot,
    settings: &Settings,
    reader: &Reader,
    as_of: NaiveDate,
    before: Option<&DigestDocument>,
) -> Result<DigestDocument, JobError> {
    let Some(unit) = reader.unit_id else {
        let document = document(conn, snapshot, settings.places.as_deref(), as_of, before)?;
        let is_analyst = reader.principal.role == Role::DataTeam;
        return Ok(if is_analyst { document.for_analysts() } else { document });
    };
    let rights = rights().ok_or_else(|| {
        JobError::NotFound("this process does not know the rights of readers: run the job in `phananh`".to_owned())
    })?;
    head_document(conn, snapshot, (reader, unit, rights), as_of, before)
}
