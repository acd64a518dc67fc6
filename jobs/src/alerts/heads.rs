//! Alerts for heads of units: about bursts at their units, and about complaints escalated to them. They are computed
//! from the complaints that the head may see, so that no number reveals complaints that are confidential or name the
//! head.

use super::readers::{alert_of, reader_of, thin};
use super::{ForHead, Found, technical};
use crate::digest::reader::{self, AccountRule, Reader, ReaderRights};
use crate::notify::endpoints;
use crate::runner::settings::Settings;
use crate::snapshot::Reference;
use chrono::TimeDelta;
use diesel::prelude::*;
use schema::db::MultiBackend;
use schema::domain::tree::UnitTree;
use schema::enums::AlertKind;
use schema::models::{Alert, Escalation, NotificationEndpoint};
use schema::queries::{in_select, waiting};
use schema::tables::{complaints, escalations};
use schema::{Conn, Id, StoreError, Timestamp};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};

/// An escalation older than this raises no alert.
const ESCALATED_DAYS: i64 = 7;

/// The findings for the heads whose endpoints are enabled. `earlier` has the active alerts.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn found(
    conn: &mut Conn,
    now: Timestamp,
    settings: &Settings,
    earlier: &[Alert],
) -> Result<Vec<Found>, StoreError> {
    let endpoints: Vec<NotificationEndpoint> = endpoints::all(conn)?
        .into_iter()
        .filter(|endpoint| endpoint.unit_id.is_some() && endpoint.disabled_at.is_none())
        .collect();
    let Some(rights) = reader::rights().filter(|_| !endpoints.is_empty()) else { return Ok(Vec::new()) };
    let (reference, rule) = (loaded(conn)?, AccountRule::of(settings));
    // A head may have several endpoints.
    let mut heads: BTreeMap<Id, Reader> = BTreeMap::new();
    for endpoint in &endpoints {
        if let Ok(head) = reader_of(conn, &rule, endpoint)? {
            heads.insert(head.principal.id, head);
        }
    }
    let mut found = Vec::new();
    for head in heads.values() {
        let Some(unit) = head.unit_id else { continue };
        let of = ForHead { principal: head.principal.id, unit };
        let visible = || rights.complaint_rows(head, &reference.tree);
        found.extend(technical::bursts_of_head(conn, now, settings, (of, &reference), visible)?);
        found.extend(escalated(conn, now, (head, of), (rights, &reference), earlier)?);
    }
    Ok(found)
}

fn loaded(conn: &mut Conn) -> Result<Reference, StoreError> {
    Reference::load(conn).map_err(|error| StoreError::Rule(error.to_string()))
}

/// Complaints that were escalated to the units of a head and wait for an answer. An old escalation keeps its alert
/// active, but raises none.
fn escalated(
    conn: &mut Conn,
    now: Timestamp,
    (head, of): (&Reader, ForHead),
    (rights, reference): (&dyn ReaderRights, &Reference),
    earlier: &[Alert],
) -> Result<Vec<Found>, StoreError> {
    let unanswered = complaints::table.into_boxed::<MultiBackend>().filter(waiting()).select(complaints::id);
    let mut query =
        escalations::table.into_boxed::<MultiBackend>().filter(in_select(escalations::complaint_id, unanswered));
    if let Some(visible) = rights.escalations(head, &reference.tree) {
        query = query.filter(visible);
    }
    let mut rows: Vec<Escalation> = query.select(Escalation::as_select()).load(conn)?;
    rows.sort_by_key(|row| (row.complaint_id, row.level));
    let recent = Timestamp::from(now.utc() - TimeDelta::days(ESCALATED_DAYS));
    let stands = |subject: &str| {
        earlier.iter().any(|alert| {
            alert.cleared_at.is_none()
                && alert.kind == AlertKind::ComplaintEscalated
                && alert.principal_id == Some(of.principal)
                && alert.subject == subject
        })
    };
    // The highest level of each complaint.
    let by_complaint: BTreeMap<Id, Escalation> = rows.into_iter().map(|row| (row.complaint_id, row)).collect();
    let found = by_complaint.into_iter().filter_map(|(complaint, row)| {
        let subject = complaint.to_string();
        if row.escalated_at < recent && !stands(&subject) {
            return None;
        }
        let unit = row.unit_id.and_then(|unit| reference.unit(unit)).map(|unit| unit.code.clone());
        Some(Found {
            kind: AlertKind::ComplaintEscalated,
            subject,
            details: json!({ "complaint": complaint, "dueOn": row.due_on, "unit": unit }),
            head: Some(of),
        })
    });
    Ok(found.collect())
}

/// The alerts among some about complaints that a head may not see any more.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn hidden<'v>(
    conn: &mut Conn,
    head: &Reader,
    rights: &dyn ReaderRights,
    items: impl Iterator<Item = &'v Value>,
) -> Result<HashSet<Id>, StoreError> {
    let named: Vec<(Id, Id)> = items.filter_map(|item| Some((alert_of(item)?, complaint_of(item)?))).collect();
    if named.is_empty() {
        return Ok(HashSet::new());
    }
    let tree = loaded(conn)?.tree;
    let complaints: Vec<Id> = named.iter().map(|(_, complaint)| *complaint).collect();
    let visible = visible_of(conn, head, rights, &tree, &complaints)?;
    let hidden = named.into_iter().filter(|(_, complaint)| !visible.contains(complaint));
    Ok(hidden.map(|(alert, _)| alert).collect())
}

/// The complaint that an alert is about.
fn complaint_of(item: &Value) -> Option<Id> {
    let alert = thin(item);
    let is_about_one = alert["kind"] == AlertKind::ComplaintEscalated.as_str();
    alert["subject"].as_str().filter(|_| is_about_one)?.parse().ok().map(Id)
}

fn visible_of(
    conn: &mut Conn,
    head: &Reader,
    rights: &dyn ReaderRights,
    tree: &UnitTree,
    named: &[Id],
) -> Result<HashSet<Id>, StoreError> {
    let mut query = complaints::table.into_boxed::<MultiBackend>().filter(complaints::id.eq_any(named.to_vec()));
    if let Some(visible) = rights.complaint_rows(head, tree) {
        query = query.filter(visible);
    }
    Ok(query.select(complaints::id).load::<Id>(conn)?.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn only_an_escalation_is_about_a_complaint() {
        let id = Id(Uuid::from_u128(7));
        let about = |kind: &str| json!({ "alert": "x", "kind": kind, "subject": id.to_string() });
        assert_eq!(complaint_of(&json!({ "of": about("COMPLAINT_ESCALATED"), "details": {} })), Some(id));
        assert_eq!(complaint_of(&about("COMPLAINT_ESCALATED")), Some(id));
        assert_eq!(complaint_of(&about("TECHNICAL_BURST")), None);
    }
}
