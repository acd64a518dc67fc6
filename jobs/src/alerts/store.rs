//! Stores changes of alerts, and queues the messages about them.

use super::{Changes, Found};
use crate::notify::{ALERT_CLEARED, ALERT_RAISED, Item, post};
use diesel::prelude::*;
use schema::db::WriteTx;
use schema::domain::calendar::local_date;
use schema::domain::ids::random_id;
use schema::each;
use schema::enums::AlertKind;
use schema::models::Alert;
use schema::states::StateTable;
use schema::tables::alerts;
use schema::{Id, JsonValue, StoreError, Timestamp};
use serde_json::{Value, json};

/// Writes the changes in the transaction that ends the run; returns the number of messages.
///
/// # Errors
/// If the database cannot be written.
pub fn apply(tx: &mut WriteTx<'_>, changes: Changes) -> Result<usize, StoreError> {
    let mut raised = Vec::new();
    for Found { kind, subject, details } in changes.raised {
        let row = Alert {
            id: random_id(),
            kind,
            subject,
            day: local_date(tx.now),
            details: JsonValue(details),
            raised_at: tx.now,
            cleared_at: None,
        };
        each!(&mut *tx.conn, c => diesel::insert_into(alerts::table).values(&row).execute(c)?);
        tx.record_state(StateTable::Alerts, &row.id);
        raised.push(item(row.id, row.kind, &row.subject, row.details.0));
    }
    end(tx, &changes.again, None)?;
    let over: Vec<Id> = changes.cleared.iter().map(|alert| alert.id).collect();
    let now = tx.now;
    end(tx, &over, Some(now))?;
    let cleared: Vec<Item> =
        changes.cleared.into_iter().map(|one| item(one.id, one.kind, &one.subject, one.details.0)).collect();
    Ok(post(tx, ALERT_RAISED, &raised)? + post(tx, ALERT_CLEARED, &cleared)?)
}

fn end(tx: &mut WriteTx<'_>, ids: &[Id], at: Option<Timestamp>) -> Result<(), StoreError> {
    diesel::update(alerts::table.filter(alerts::id.eq_any(ids))).set(alerts::cleared_at.eq(at)).execute(tx.conn)?;
    ids.iter().for_each(|id| tx.record_state(StateTable::Alerts, id));
    Ok(())
}

fn item(id: Id, kind: AlertKind, subject: &str, details: Value) -> Item {
    Item { thin: json!({ "alert": id, "kind": kind, "subject": subject }), details }
}
