//! The history of units, officers, categories, enterprises and years of holidays. That of an officer has the measures
//! about the officer, too, for the Board.

use super::actor::HistoryActor;
use super::change::{HistoryChange, Place, objects};
use super::changed_fields::{Change, differ};
use super::page;
use super::values::{Period, Value, field, fields, name_in_api};
use crate::graphql::connection::connection;
use crate::graphql::context::viewer;
use crate::graphql::enums::ReferenceEventKind;
use crate::graphql::execute::Inline;
use crate::graphql::loaders::{Loaders, loaders, one};
use crate::graphql::page::{PageArgs, SortDirection};
use crate::graphql::scalars::{Moment, id};
use async_graphql::dataloader::Loader;
use async_graphql::{Context, Error, ID, Object, Result};
use chrono::NaiveDate;
use schema::enums::Role;
use schema::events::{Entity, Fields, StoredReferenceEvent};
use schema::models::UNKNOWN_START;
use schema::{Conn, Id, StoreError, queries};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

connection!(ReferenceHistoryEntry, ReferenceHistoryConnection, ReferenceHistoryEdge);

/// The kinds of reference data with a history in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Recorded {
    Unit,
    Officer,
    Category,
    Enterprise,
    HolidayYear,
}

impl Recorded {
    /// The entities whose events have its id.
    const fn entities(self) -> &'static [Entity] {
        match self {
            Self::Unit => &[Entity::Unit, Entity::UnitParents],
            Self::Officer => &[Entity::Officer, Entity::Postings],
            Self::Category => &[Entity::Category],
            Self::Enterprise => &[Entity::Enterprise],
            Self::HolidayYear => &[Entity::HolidayYear],
        }
    }

    /// Whether its rows come and go with complaints: then a history tells when a complaint came in.
    const fn comes_with_complaints(self) -> bool {
        matches!(self, Self::Officer | Self::Enterprise)
    }
}

/// The events of a row of reference data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReferenceHistoryKey {
    of: Recorded,
    id: Id,
}

impl Loader<ReferenceHistoryKey> for Loaders {
    type Value = Arc<Vec<StoredReferenceEvent>>;
    type Error = Arc<Error>;

    async fn load(
        &self,
        keys: &[ReferenceHistoryKey],
    ) -> Result<HashMap<ReferenceHistoryKey, Self::Value>, Arc<Error>> {
        let mut alike: HashMap<Recorded, Vec<Id>> = HashMap::new();
        for key in keys {
            alike.entry(key.of).or_default().push(key.id);
        }
        let mut all = HashMap::with_capacity(keys.len());
        for (of, ids) in alike {
            let found = self.0.read(move |conn| events_of(conn, of, &ids)).await.map_err(Arc::new)?;
            all.extend(found.into_iter().map(|(id, events)| (ReferenceHistoryKey { of, id }, Arc::new(events))));
        }
        Ok(all)
    }
}

/// The events of rows of reference data, in the order of the register.
fn events_of(conn: &mut Conn, of: Recorded, ids: &[Id]) -> Result<HashMap<Id, Vec<StoredReferenceEvent>>, StoreError> {
    let mut found = queries::reference_events_of(conn, of.entities(), ids)?;
    if of == Recorded::Officer {
        for (officer, events) in queries::measure_events_of(conn, ids)? {
            let all = found.entry(officer).or_default();
            all.extend(events);
            all.sort_by_key(|event| (event.position, event.ordinal));
        }
    }
    Ok(found)
}

/// A page of the history of a row of reference data. The histories of all rows of a page are loaded together.
///
/// # Errors
/// BAD_USER_INPUT if a page argument is wrong.
pub async fn history_of_reference(
    ctx: &Context<'_>,
    of: Recorded,
    id: Id,
    direction: SortDirection,
    arguments: PageArgs,
) -> Result<ReferenceHistoryConnection> {
    let viewer = viewer(ctx)?;
    let events = one(loaders(ctx)?, ReferenceHistoryKey { of, id }).await?.unwrap_or_default();
    let mut all: Vec<Entry> = events.iter().map(entry).filter(|entry| !entry.changes.is_empty()).collect();
    if viewer.role != Role::Board {
        // An ADMIN manages officers and reads no measure about them.
        all.retain(|entry| entry.measure.is_none());
    }
    if of.comes_with_complaints() {
        if viewer.is_an_officer() {
            // Withheld from each of them: an enterprise or officer may be known from a complaint about the viewer.
            all.clear();
        }
        if viewer.role == Role::Admin {
            // A placeholder tells that a complaint came in.
            all.retain(|entry| !entry.is_placeholder);
        }
    }
    let place = |entry: &Entry| (entry.place.0, i64::from(entry.place.1));
    page(ctx, &all, place, direction, &arguments, ReferenceHistoryEntry)
}

#[derive(Debug, Clone)]
struct Entry {
    place: (i64, i32),
    kind: schema::enums::ReferenceEventKind,
    recorded_at: schema::Timestamp,
    effective_at: schema::Timestamp,
    actor: String,
    changes: Vec<Change>,
    /// The measure that it is about.
    measure: Option<Id>,
    /// Whether it created a row of which only the code was known.
    is_placeholder: bool,
}

/// Fields of a measure that number it, or repeat what its entry says.
const OF_THE_STEP: &[&str] = &["actor", "complaints", "officer_id", "recorded_at", "version"];

fn entry(event: &StoredReferenceEvent) -> Entry {
    let (before, after) = (fields(event.before.as_ref()), fields(event.after.as_ref()));
    let is_unknown = after.and_then(|after| after.get("unknown")).and_then(serde_json::Value::as_bool);
    let measure = (event.entity == Entity::Measure.as_str()).then_some(event.entity_id);
    let mut changes = changes(before, after);
    if measure.is_some() {
        changes.retain(|change| !OF_THE_STEP.contains(&change.stored.as_str()));
        changes.iter_mut().for_each(|change| change.field = format!("measure.{}", change.field));
    }
    Entry {
        place: (event.position, event.ordinal),
        kind: event.kind,
        recorded_at: event.recorded_at,
        effective_at: event.effective_at,
        actor: event.actor.clone(),
        changes,
        measure,
        is_placeholder: is_unknown == Some(true),
    }
}

fn changes(before: Option<&Fields>, after: Option<&Fields>) -> Vec<Change> {
    let mut found = Vec::new();
    let keys: BTreeSet<&String> = before.into_iter().chain(after).flat_map(Fields::keys).collect();
    for stored in keys {
        let change = |before, after| Change {
            field: name_in_api(stored),
            stored: stored.clone(),
            allegation: None,
            before,
            after,
            withheld: false,
        };
        match stored.as_str() {
            "id" => {}
            "parents" | "postings" => {
                let (before, after) = (periods(before, stored), periods(after, stored));
                let begun: BTreeSet<&(NaiveDate, Id)> = before.keys().chain(after.keys()).collect();
                let value = |rows: &BTreeMap<(NaiveDate, Id), Period>, key: &(NaiveDate, Id)| {
                    rows.get(key).cloned().map(Value::Period)
                };
                let changed = begun.into_iter().map(|key| (value(&before, key), value(&after, key)));
                found.extend(changed.filter(|(was, is)| was != is).map(|(was, is)| change(was, is)));
            }
            _ => {
                let (was, is) = (value(before, stored), value(after, stored));
                if differ(&was, &is) {
                    found.push(change(was, is));
                }
            }
        }
    }
    found
}

/// The value of a field. A first day that is not known is none.
fn value(side: Option<&Fields>, stored: &str) -> Option<Value> {
    let unknown = Value::Text(UNKNOWN_START.to_string());
    field(side, stored).filter(|value| stored != "valid_from" || *value != unknown)
}

/// The parents of a unit, or the postings of an officer, by first day and unit.
fn periods(side: Option<&Fields>, list: &str) -> BTreeMap<(NaiveDate, Id), Period> {
    let rows = side.and_then(|fields| fields.get(list)?.as_array());
    let unit = if list == "parents" { "parent_id" } else { "unit_id" };
    let period = |row: &serde_json::Value| {
        let period = Period { unit: parsed(row, unit)?, from: parsed(row, "valid_from")?, to: parsed(row, "valid_to") };
        Some(((period.from, period.unit), period))
    };
    rows.into_iter().flatten().filter_map(period).collect()
}

fn parsed<T: DeserializeOwned>(row: &serde_json::Value, name: &str) -> Option<T> {
    serde_json::from_value(row.get(name)?.clone()).ok()
}

pub struct ReferenceHistoryEntry(Entry);

/// A step in the history of a unit, an officer, a category, an enterprise or a year of holidays.
#[Object]
impl ReferenceHistoryEntry {
    /// The time at which the register recorded the step. The entries have this order.
    async fn recorded_at(&self) -> Moment {
        self.0.recorded_at.into()
    }

    /// The time at which the step took effect.
    async fn effective_at(&self) -> Moment {
        self.0.effective_at.into()
    }

    async fn kind(&self) -> ReferenceEventKind {
        self.0.kind.into()
    }

    /// The actor.
    async fn actor(&self) -> Inline<HistoryActor> {
        Inline(HistoryActor(self.0.actor.clone()))
    }

    /// The measure about the officer that the step recorded or changed; null for other steps.
    async fn measure_id(&self) -> Option<ID> {
        self.0.measure.map(id)
    }

    /// What the step changed; the fields of a measure are called `measure.kind` and so on. A row of `parents` or
    /// `postings` is a unit with its days, such as `02CV 2020-01-01/2023-12-31`; `..` means an open end.
    async fn changes(&self, ctx: &Context<'_>) -> Result<Vec<Inline<HistoryChange>>> {
        // Boxed: the fields of an object share one future as large as the largest of them.
        Box::pin(objects(ctx, &self.0.changes, Some(Place::Reference(self.0.place)))).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::domain::ids::random_id;
    use serde_json::json;

    fn sides(before: &serde_json::Value, after: &serde_json::Value) -> Vec<Change> {
        changes(before.as_object(), after.as_object())
    }

    #[test]
    fn a_changed_posting_is_one_change_and_an_unchanged_one_is_none() {
        let (officer, [here, there]) = (random_id(), [random_id(), random_id()]);
        let posting = |unit: Id, from: &str, to: Option<&str>| json!({ "officer_id": officer, "unit_id": unit, "valid_from": from, "valid_to": to });
        let first = posting(here, "0001-01-01", Some("2020-12-31"));
        let before = json!({ "postings": [first, posting(there, "2021-01-01", None)] });
        let after = json!({ "postings": [first, posting(there, "2021-01-01", Some("2023-12-31")),
            posting(here, "2024-01-01", None)] });
        let days = |value: &Option<Value>| match value {
            Some(Value::Period(period)) => Some((period.unit, period.days())),
            _ => None,
        };
        let found: Vec<_> = sides(&before, &after).iter().map(|one| (days(&one.before), days(&one.after))).collect();
        assert_eq!(
            found,
            [
                (Some((there, "2021-01-01/..".to_owned())), Some((there, "2021-01-01/2023-12-31".to_owned()))),
                (None, Some((here, "2024-01-01/..".to_owned())))
            ]
        );
        assert!(sides(&json!({ "postings": [first] }), &json!({ "postings": [first] })).is_empty());
    }

    #[test]
    fn a_row_has_names_and_no_unknown_first_day() {
        let unit = json!({ "id": random_id(), "code": "02", "name_vi": "Cục", "valid_from": "0001-01-01" });
        let found = sides(&serde_json::Value::Null, &unit);
        let names: Vec<&str> = found.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(names, ["code", "nameVi"]);
        assert!(found.iter().all(|one| one.before.is_none() && one.after.is_some()));
    }
}
