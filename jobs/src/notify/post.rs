//! Puts events into the outbox, for each endpoint that wants them.

use super::endpoints;
use diesel::prelude::*;
use schema::db::WriteTx;
use schema::domain::ids::random_id;
use schema::each;
use schema::enums::{DeliveryState, NotificationChannel};
use schema::models::{Notification, NotificationEndpoint};
use schema::states::StateTable;
use schema::tables::notifications;
use schema::{Id, StoreError};
use serde_json::{Value, json};

/// An event to notify of.
#[derive(Debug, Clone)]
pub struct Item {
    /// The payload of a webhook: ids and kinds, no personal data.
    pub thin: Value,
    /// The numbers that mails add, without personal data, too.
    pub details: Value,
    pub audience: Audience,
}

/// The recipients of an event.
#[derive(Debug, Clone)]
pub enum Audience {
    /// Endpoints without a reader, and those of these readers, who see it as the Board does.
    Board(Vec<Id>),
    /// A head of a unit.
    Head(Id),
}

impl Audience {
    fn includes(&self, endpoint: &NotificationEndpoint) -> bool {
        match (self, endpoint.principal_id) {
            (Self::Board(_), None) => true,
            (Self::Board(readers), Some(reader)) => endpoint.unit_id.is_none() && readers.contains(&reader),
            (Self::Head(head), reader) => endpoint.unit_id.is_some() && reader == Some(*head),
        }
    }
}

/// Queues messages about events: a webhook gets one for each event, a mail address one for all. Returns the number of
/// messages.
///
/// # Errors
/// If the database cannot be written.
pub fn post(tx: &mut WriteTx<'_>, event: &str, items: &[Item]) -> Result<usize, StoreError> {
    if items.is_empty() {
        return Ok(0);
    }
    let wanting: Vec<NotificationEndpoint> = endpoints::all(tx.conn)?
        .into_iter()
        .filter(|endpoint| endpoint.disabled_at.is_none())
        .filter(|endpoint| endpoints::events_of(endpoint).iter().any(|wanted| wanted == event))
        .collect();
    let mut rows = Vec::new();
    for endpoint in wanting {
        let items: Vec<&Item> = items.iter().filter(|item| item.audience.includes(&endpoint)).collect();
        if items.is_empty() {
            continue;
        }
        match endpoint.channel {
            NotificationChannel::Webhook => {
                rows.extend(items.iter().map(|item| message(tx, endpoint.id, event, &item.thin)));
            }
            NotificationChannel::Email => {
                let all: Vec<Value> =
                    items.iter().map(|item| json!({ "of": item.thin, "details": item.details })).collect();
                rows.push(message(tx, endpoint.id, event, &json!(all)));
            }
        }
    }
    store(tx, &rows)?;
    Ok(rows.len())
}

/// Queues a message to one endpoint.
///
/// # Errors
/// If the database cannot be written.
pub(super) fn post_to(
    tx: &mut WriteTx<'_>,
    endpoint: Id,
    event: &str,
    data: &Value,
) -> Result<Notification, StoreError> {
    let row = message(tx, endpoint, event, data);
    store(tx, std::slice::from_ref(&row))?;
    Ok(row)
}

fn message(tx: &WriteTx<'_>, endpoint_id: Id, event: &str, data: &Value) -> Notification {
    let timestamp = tx.now.utc().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    Notification {
        id: random_id(),
        endpoint_id,
        event: event.to_owned(),
        body: json!({ "type": event, "timestamp": timestamp, "data": data }).to_string(),
        state: DeliveryState::Pending,
        attempts: 0,
        next_attempt_at: tx.now,
        created_at: tx.now,
        sent_at: None,
        status: None,
        error: None,
    }
}

fn store(tx: &mut WriteTx<'_>, rows: &[Notification]) -> Result<(), StoreError> {
    for row in rows {
        each!(&mut *tx.conn, c => diesel::insert_into(notifications::table).values(row).execute(c)?);
        tx.record_state(StateTable::Notifications, &row.id);
    }
    Ok(())
}
