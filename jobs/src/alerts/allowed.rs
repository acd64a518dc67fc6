//! Keeps of a message what its reader may still see when it is sent: its rights may have changed since the message was
//! queued.

use super::heads;
use super::readers::{alert_of, items, reader_of, visible};
use crate::digest::reader::{self, AccountRule};
use schema::models::NotificationEndpoint;
use schema::{Conn, Id, StoreError};
use serde_json::Value;
use std::collections::HashSet;

/// The message to a reader as it may be sent now, without what the reader may no longer see; or why it may not be sent.
///
/// # Errors
/// If the database cannot be read.
pub fn as_allowed(
    conn: &mut Conn,
    rule: &AccountRule,
    endpoint: &NotificationEndpoint,
    body: &str,
) -> Result<Result<String, String>, StoreError> {
    let reader = match reader_of(conn, rule, endpoint)? {
        Ok(reader) => reader,
        Err(why) => return Ok(Err(why)),
    };
    let Some(rights) = reader::rights() else {
        return Ok(Err("this process does not know the rights of readers".to_owned()));
    };
    let Ok(mut message) = serde_json::from_str::<Value>(body) else {
        return Ok(Err("its content cannot be parsed".to_owned()));
    };
    let hidden: HashSet<Id> = if reader.unit_id.is_some() {
        heads::hidden(conn, &reader, rights, items(&message["data"]))?
    } else {
        let named: Vec<Id> = items(&message["data"]).filter_map(alert_of).collect();
        let visible = visible(conn, rights, &reader, &named)?;
        named.into_iter().filter(|alert| !visible.contains(alert)).collect()
    };
    // A test of the endpoint names no alert.
    let stays = |item: &Value| alert_of(item).is_none_or(|alert| !hidden.contains(&alert));
    if let Value::Array(all) = &mut message["data"] {
        all.retain(stays);
    }
    let is_empty = match &message["data"] {
        Value::Array(all) => all.is_empty(),
        one => !stays(one),
    };
    Ok(if is_empty { Err("its reader may not see the alert any more".to_owned()) } else { Ok(message.to_string()) })
}
