//! The readers who get alerts at addresses of their own, and which alerts they may see.

use crate::digest::reader::{self, AccountRule, Reader, ReaderRights};
use crate::notify::endpoints;
use diesel::prelude::*;
use schema::db::MultiBackend;
use schema::models::NotificationEndpoint;
use schema::tables::alerts;
use schema::{Conn, Id, StoreError};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The reader of an endpoint with the rights of this moment, or why nothing may be sent to it.
///
/// # Errors
/// If the database cannot be read. The inner error says why nothing may be sent.
pub(super) fn reader_of(
    conn: &mut Conn,
    rule: &AccountRule,
    endpoint: &NotificationEndpoint,
) -> Result<Result<Reader, String>, StoreError> {
    let Some(id) = endpoint.principal_id else { return Ok(Err("the endpoint has no reader".to_owned())) };
    let principal = match reader::valid_principal(conn, rule, id)? {
        Ok(principal) => principal,
        Err(lost) => return Ok(Err(lost.why)),
    };
    let name = &principal.name;
    // An endpoint has a unit if its reader was the head of one.
    Ok(match endpoints::unit_of(&principal) {
        Ok(unit_id) if unit_id == endpoint.unit_id => Ok(Reader { principal, unit_id }),
        Ok(Some(_)) if endpoint.unit_id.is_some() => Err(format!("its reader {name} heads another unit now")),
        _ => Err(format!("its reader {name} is a {} now", principal.role)),
    })
}

/// The readers who may see each of these alerts of the Board, by alert. Alerts of heads are separate.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn of_alerts(conn: &mut Conn, rule: &AccountRule, ids: &[Id]) -> Result<HashMap<Id, Vec<Id>>, StoreError> {
    let mut found: HashMap<Id, Vec<Id>> = HashMap::new();
    let Some(rights) = reader::rights().filter(|_| !ids.is_empty()) else { return Ok(found) };
    // A reader may have several endpoints.
    let mut readers: BTreeMap<Id, Reader> = BTreeMap::new();
    for endpoint in endpoints::all(conn)? {
        let is_one = endpoint.principal_id.is_some() && endpoint.unit_id.is_none() && endpoint.disabled_at.is_none();
        if is_one && let Ok(reader) = reader_of(conn, rule, &endpoint)? {
            readers.insert(reader.principal.id, reader);
        }
    }
    for reader in readers.values() {
        for alert in visible(conn, rights, reader, ids)? {
            found.entry(alert).or_default().push(reader.principal.id);
        }
    }
    Ok(found)
}

/// The alerts among `ids` that a reader may see.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn visible(
    conn: &mut Conn,
    rights: &dyn ReaderRights,
    reader: &Reader,
    ids: &[Id],
) -> Result<HashSet<Id>, StoreError> {
    let mut query = alerts::table.into_boxed::<MultiBackend>().filter(alerts::id.eq_any(ids.to_vec()));
    if let Some(visible) = rights.alerts(reader) {
        query = query.filter(visible);
    }
    Ok(query.select(alerts::id).load::<Id>(conn)?.into_iter().collect())
}

/// The alerts of a message: one to a webhook, several in a mail.
pub(super) fn items(data: &Value) -> impl Iterator<Item = &Value> {
    data.as_array().map_or(std::slice::from_ref(data), Vec::as_slice).iter()
}

/// An alert in the form for a webhook; a mail adds details.
pub(super) fn thin(item: &Value) -> &Value {
    if item["of"].is_object() { &item["of"] } else { item }
}

/// The id of an alert.
pub(super) fn alert_of(item: &Value) -> Option<Id> {
    thin(item)["alert"].as_str()?.parse().ok().map(Id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use uuid::Uuid;

    #[test]
    fn the_alerts_of_a_mail_and_of_a_webhook_are_found() {
        let [first, second] = [7, 8].map(|number| Id(Uuid::from_u128(number)));
        let about = |alert: Id| json!({ "alert": alert, "kind": "JOB_FAILED", "subject": "digest" });
        let mail = json!([{ "of": about(first), "details": {} }, { "of": about(second) }]);
        assert_eq!(items(&mail).filter_map(alert_of).collect::<Vec<_>>(), [first, second]);
        assert_eq!(items(&about(first)).filter_map(alert_of).collect::<Vec<_>>(), [first]);
        assert_eq!(items(&json!({})).filter_map(alert_of).count(), 0, "a test");
    }
}
