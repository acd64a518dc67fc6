//! Stores changes of alerts, and queues the messages about them.

use super::{Changes, Found, readers};
use crate::digest::reader::AccountRule;
use crate::notify::{ALERT_CLEARED, ALERT_RAISED, Audience, Item, post};
use diesel::prelude::*;
use schema::db::WriteTx;
use schema::domain::calendar::local_date;
use schema::domain::ids::random_id;
use schema::each;
use schema::models::Alert;
use schema::states::StateTable;
use schema::tables::alerts;
use schema::{Id, JsonValue, StoreError};
use serde_json::json;
use std::collections::HashMap;

/// The detail of an alert that became active again after its readers got the message that it is over.
const AGAIN: &str = "standsAgain";

/// Writes the changes in the transaction that ends the run, and queues the messages to those who may see them; returns
/// the number of messages.
///
/// # Errors
/// If the database cannot be written.
pub fn apply(tx: &mut WriteTx<'_>, rule: &AccountRule, changes: Changes) -> Result<usize, StoreError> {
    let mut raised = Vec::new();
    for Found { kind, subject, details, head } in changes.raised {
        let row = Alert {
            id: random_id(),
            kind,
            subject,
            day: local_date(tx.now),
            details: JsonValue(details),
            raised_at: tx.now,
            cleared_at: None,
            principal_id: head.map(|head| head.principal),
            unit_id: head.map(|head| head.unit),
        };
        each!(&mut *tx.conn, c => diesel::insert_into(alerts::table).values(&row).execute(c)?);
        tx.record_state(StateTable::Alerts, &row.id);
        raised.push(row);
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
    // Readers of an alert that became active again still have the message that it is over: they need no second one.
    let is_believed = |one: &Alert| one.details.0[AGAIN].as_bool() != Some(true);
    let cleared: Vec<Alert> = changes.cleared.into_iter().filter(is_believed).collect();
    let told = raised.iter().chain(&cleared).filter(|alert| alert.principal_id.is_none());
    let ids: Vec<Id> = told.map(|alert| alert.id).collect();
    let readers = readers::of_alerts(tx.conn, rule, &ids)?;
    let item = |alert: Alert| item(alert, &readers);
    let raised: Vec<Item> = raised.into_iter().map(item).collect();
    let cleared: Vec<Item> = cleared.into_iter().map(item).collect();
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

/// The event of an alert. `readers` has those who may see an alert of the Board.
fn item(alert: Alert, readers: &HashMap<Id, Vec<Id>>) -> Item {
    let thin = json!({ "alert": alert.id, "kind": alert.kind, "subject": alert.subject });
    let audience = match alert.principal_id {
        Some(head) => Audience::Head(head),
        None => Audience::Board(readers.get(&alert.id).cloned().unwrap_or_default()),
    };
    Item { thin, details: alert.details.0, audience }
}
