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
use schema::{Id, JsonValue, StoreError};
use serde_json::{Value, json};

/// The detail of an alert that stood again after people were told that it was over.
const AGAIN: &str = "standsAgain";

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
    for id in changes.again {
        stand_again(tx, id)?;
    }
    let over: Vec<Id> = changes.cleared.iter().map(|alert| alert.id).collect();
    let now = tx.now;
    diesel::update(alerts::table.filter(alerts::id.eq_any(&over)))
        .set(alerts::cleared_at.eq(Some(now)))
        .execute(tx.conn)?;
    over.iter().for_each(|id| tx.record_state(StateTable::Alerts, id));
    // Of those that stood again people believe that they are over.
    let is_believed = |one: &Alert| one.details.0[AGAIN].as_bool() != Some(true);
    let cleared: Vec<Item> = changes
        .cleared
        .into_iter()
        .filter(is_believed)
        .map(|one| item(one.id, one.kind, &one.subject, one.details.0))
        .collect();
    Ok(post(tx, ALERT_RAISED, &raised)? + post(tx, ALERT_CLEARED, &cleared)?)
}

fn stand_again(tx: &mut WriteTx<'_>, id: Id) -> Result<(), StoreError> {
    let mut row: Alert = alerts::table.find(id).select(Alert::as_select()).first(tx.conn)?;
    row.cleared_at = None;
    row.details.0[AGAIN] = json!(true);
    each!(&mut *tx.conn, c => diesel::update(alerts::table.find(id)).set(&row).execute(c)?);
    tx.record_state(StateTable::Alerts, &id);
    Ok(())
}

fn item(id: Id, kind: AlertKind, subject: &str, details: Value) -> Item {
    Item { thin: json!({ "alert": id, "kind": kind, "subject": subject }), details }
}
