//! The fields that an event of a complaint changed, and which of their values a viewer may read.

use super::rights::{ALLEGATION, COMPLAINT, Field, RESPONSE, ROUND, Rights, Showing, TECHNICAL};
use super::values::{Value, field, fields, name_in_api};
use schema::Id;
use schema::events::{Fields, StoredComplaintEvent};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// A changed field.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The name shown.
    pub field: String,
    /// The name in the event, by which personal values are found.
    pub stored: String,
    pub allegation: Option<AllegationKey>,
    /// Both are None if the change is withheld.
    pub before: Option<Value>,
    pub after: Option<Value>,
    pub withheld: bool,
}

/// The allegation that a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AllegationKey {
    /// None for an allegation against no named officer.
    pub officer: Option<Id>,
    pub ordinal: i32,
}

/// Lists what an event changed, as far as the viewer may read it; `officers` are those whom the complaint names now.
pub fn changed_fields(rights: &Rights, event: &StoredComplaintEvent, officers: &HashSet<Id>) -> Vec<Change> {
    let (before, after) = (fields(event.before.as_ref()), fields(event.after.as_ref()));
    let mut found = Vec::new();
    let mut add = |of: &'static Field, prefix: &str, allegation, before, after| {
        found.extend(change(rights, of, prefix, allegation, before, after));
    };
    let value = |side, of: &Field| field(side, of.stored);
    for of in COMPLAINT {
        add(of, "", None, value(before, of), value(after, of));
    }
    for of in RESPONSE {
        add(of, "response.", None, value(before, of), value(after, of));
    }
    for (list, is_read) in [("officers", true), ("matters", rights.reads_matters())] {
        let (before, after) = (allegations(before, list), allegations(after, list));
        let keys: BTreeSet<AllegationKey> = before.keys().chain(after.keys()).copied().collect();
        let is_named = |key: &AllegationKey| key.officer.is_none_or(|officer| officers.contains(&officer));
        for key in keys.into_iter().filter(|key| is_read && (!rights.reads_only_named() || is_named(key))) {
            for of in ALLEGATION {
                let value = |rows: &BTreeMap<AllegationKey, &Fields>| field(rows.get(&key).copied(), of.stored);
                add(of, &format!("{list}."), Some(key), value(&before), value(&after));
            }
        }
    }
    let (were, are) = (rounds(before), rounds(after));
    for number in were.keys().chain(are.keys()).copied().collect::<BTreeSet<i64>>() {
        // A round begins without any step.
        let is_step = |value: &Value| !matches!(value, Value::Text(text) if text == "0" || text == "false");
        for of in ROUND {
            let value = |rows: &BTreeMap<i64, &Fields>| field(rows.get(&number).copied(), of.stored).filter(is_step);
            add(of, &format!("rounds.{number}."), None, value(&were), value(&are));
        }
    }
    if rights.reads_other_fields() {
        found.extend(other_fields(before, after));
    }
    found
}

/// The change of one field; None if it did not change or is left out.
fn change(
    rights: &Rights,
    of: &'static Field,
    prefix: &str,
    allegation: Option<AllegationKey>,
    before: Option<Value>,
    after: Option<Value>,
) -> Option<Change> {
    let showing = rights.showing(of);
    if !differ(&before, &after) || showing == Showing::LeftOut {
        return None;
    }
    let withheld = showing == Showing::Withheld;
    let shown = |value: Option<Value>| value.filter(|_| !withheld);
    Some(Change {
        field: format!("{prefix}{}", of.of.1),
        stored: of.stored.to_owned(),
        allegation,
        before: shown(before),
        after: shown(after),
        withheld,
    })
}

/// Whether a field changed. Two commitments look alike, whatever they commit to.
#[allow(clippy::ref_option, reason = "both sides of a change are options")]
pub fn differ(before: &Option<Value>, after: &Option<Value>) -> bool {
    before != after || *before == Some(Value::Personal)
}

/// The rows of a list of allegations before or after an event.
fn allegations<'e>(side: Option<&'e Fields>, list: &str) -> BTreeMap<AllegationKey, &'e Fields> {
    let rows = side.and_then(|fields| fields.get(list)?.as_array());
    let rows = rows.into_iter().flatten().filter_map(serde_json::Value::as_object);
    let key = |row: &Fields| AllegationKey {
        officer: row.get("officer_id").and_then(|id| serde_json::from_value(id.clone()).ok()),
        ordinal: row.get("ordinal").and_then(serde_json::Value::as_i64).and_then(|n| n.try_into().ok()).unwrap_or(0),
    };
    rows.map(|row| (key(row), row)).collect()
}

/// The rounds of the legal clock before or after an event, by their numbers.
fn rounds(side: Option<&Fields>) -> BTreeMap<i64, &Fields> {
    let rows = side.and_then(|fields| fields.get("clocks")?.as_array());
    let rows = rows.into_iter().flatten().filter_map(serde_json::Value::as_object);
    rows.filter_map(|row| Some((row.get("round")?.as_i64()?, row))).collect()
}

/// Changes of fields that the API does not show.
fn other_fields(before: Option<&Fields>, after: Option<&Fields>) -> Vec<Change> {
    let is_covered = |stored: &str| {
        TECHNICAL.contains(&stored) || COMPLAINT.iter().chain(RESPONSE).any(|field| field.stored == stored)
    };
    let keys: BTreeSet<&String> = before.into_iter().chain(after).flat_map(Fields::keys).collect();
    let changed = keys.into_iter().filter(|stored| !is_covered(stored)).filter_map(|stored| {
        let (before, after) = (field(before, stored), field(after, stored));
        differ(&before, &after).then(|| Change {
            field: name_in_api(stored),
            stored: stored.clone(),
            allegation: None,
            before,
            after,
            withheld: false,
        })
    });
    changed.collect()
}
