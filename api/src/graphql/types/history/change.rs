//! A changed field of an entry.

use super::changed_fields::Change;
use super::values::{Period, Value};
use crate::graphql::context::{request, viewer};
use crate::graphql::execute::Inline;
use crate::graphql::loaders::{CategoryKey, EnterpriseKey, Loaders, OfficerKey, UnitKey, loaders, one, reference_row};
use crate::graphql::types::Officer;
use async_graphql::dataloader::Loader;
use async_graphql::{Context, Error, Object, Result};
use schema::enums::{Locale, Side};
use schema::pseudonyms::Subject;
use schema::queries::{ComplaintEventPlace, PersonalText, ReferenceEventPlace};
use schema::{Id, models, queries};
use std::collections::HashMap;
use std::sync::Arc;

/// The personal values of an event of a complaint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ComplaintValuesKey(pub ComplaintEventPlace);

/// The personal values of an event of reference data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReferenceValuesKey(pub ReferenceEventPlace);

/// Defines the loader of the personal values of events.
macro_rules! values_loader {
    ($key:ident, $load:path) => {
        impl Loader<$key> for Loaders {
            type Value = Arc<Vec<PersonalText>>;
            type Error = Arc<Error>;

            async fn load(&self, keys: &[$key]) -> Result<HashMap<$key, Self::Value>, Arc<Error>> {
                let places: Vec<_> = keys.iter().map(|key| key.0).collect();
                let found = self.0.read(move |conn| $load(conn, &places)).await.map_err(Arc::new)?;
                Ok(found.into_iter().map(|(place, values)| ($key(place), Arc::new(values))).collect())
            }
        }
    };
}

values_loader!(ComplaintValuesKey, queries::complaint_event_values_of);
values_loader!(ReferenceValuesKey, queries::reference_event_values_of);

/// The personal values of an event, which are read only when needed.
#[derive(Clone, Copy)]
pub enum Place {
    Complaint(ComplaintEventPlace),
    Reference(ReferenceEventPlace),
}

impl Place {
    /// Reads the personal values of the event. Those of all events of a page are read together.
    ///
    /// # Errors
    /// If the database cannot be read, or the answer is too large.
    pub async fn personal(self, ctx: &Context<'_>) -> Result<Arc<Vec<PersonalText>>> {
        let found = match self {
            Self::Complaint(place) => one(loaders(ctx)?, ComplaintValuesKey(place)).await?,
            Self::Reference(place) => one(loaders(ctx)?, ReferenceValuesKey(place)).await?,
        };
        let values = found.unwrap_or_default();
        request(ctx)?.charge_texts(values.iter().map(|(.., value)| Some(value)))?;
        Ok(values)
    }
}

/// A personal value; None if it was erased.
pub fn personal_value<'v>(values: &'v [PersonalText], side: Side, field: &str) -> Option<&'v str> {
    let found = values.iter().find(|(of, name, _)| *of == side && name == field)?;
    Some(&found.2)
}

/// The changes of an entry as objects.
///
/// # Errors
/// Same errors as [`Place::personal`].
pub async fn objects(
    ctx: &Context<'_>,
    changes: &[Change],
    place: Option<Place>,
) -> Result<Vec<Inline<HistoryChange>>> {
    let is_personal = |change: &Change| [&change.before, &change.after].contains(&&Some(Value::Personal));
    let personal = match place {
        Some(place) if changes.iter().any(is_personal) => place.personal(ctx).await?,
        _ => Arc::default(),
    };
    let mut changes = changes.to_vec();
    if let Some(by) = request(ctx)?.ordering_pseudonyms() {
        // Allegations are in the order of ids, which are derived from officer codes.
        changes.sort_by_cached_key(|change| match change.allegation {
            None => (0, 0),
            Some(of) => of.officer.map_or((2, 0), |officer| (1, by.place(Subject::Officer, officer))),
        });
    }
    let object = |change| Inline(HistoryChange { change, personal: Arc::clone(&personal) });
    Ok(changes.into_iter().map(object).collect())
}

pub struct HistoryChange {
    change: Change,
    personal: Arc<Vec<PersonalText>>,
}

/// A field that a step changed. Values are texts: words, numbers and times as elsewhere in the API, units,
/// categories and officers by their code, enterprises by their tax code.
#[Object]
impl HistoryChange {
    /// The field, as it is called in the API: `state`, `category`, `officers.finding`, `response.text`.
    async fn field(&self) -> &str {
        &self.change.field
    }

    /// The officer whose allegation changed; null for the complaint itself.
    async fn officer(&self, ctx: &Context<'_>) -> Result<Option<Inline<Officer>>> {
        let Some(officer) = self.change.allegation.and_then(|of| of.officer) else { return Ok(None) };
        Ok(reference_row(ctx, OfficerKey(officer)).await?.map(Officer).map(Inline))
    }

    /// The number of the allegation, which distinguishes several against one officer; null for the complaint itself.
    async fn ordinal(&self) -> Option<i32> {
        self.change.allegation.map(|of| of.ordinal)
    }

    /// The value before the step; null if there was none, if it is withheld or was erased.
    async fn before(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.text(ctx, Side::Before).await
    }

    /// The value after the step; null if none exists, if it is withheld or was erased.
    async fn after(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.text(ctx, Side::After).await
    }

    /// The present name of the unit, category, officer or enterprise in `before`; null for other values, and
    /// where you read a pseudonym.
    async fn before_name(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.name(ctx, Side::Before).await
    }

    /// The present name of the unit, category, officer or enterprise in `after`; null for other values, and
    /// where you read a pseudonym.
    async fn after_name(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.name(ctx, Side::After).await
    }

    /// Whether you may only know that the field changed: you may not read earlier values of it.
    async fn withheld(&self) -> bool {
        self.change.withheld
    }

    /// Whether a value was erased from the register, before or after the step.
    async fn erased(&self) -> bool {
        [Side::Before, Side::After].into_iter().any(|side| {
            self.value(side) == Some(&Value::Personal)
                && personal_value(&self.personal, side, &self.change.stored).is_none()
        })
    }
}

impl HistoryChange {
    fn value(&self, side: Side) -> Option<&Value> {
        match side {
            Side::Before => self.change.before.as_ref(),
            Side::After => self.change.after.as_ref(),
        }
    }

    async fn text(&self, ctx: &Context<'_>, side: Side) -> Result<Option<String>> {
        let request = request(ctx)?;
        let hides = viewer(ctx)?.sees_pseudonyms_alone();
        Ok(match self.value(side) {
            None => None,
            Some(Value::Text(text)) => Some(text.clone()),
            Some(Value::Personal) => personal_value(&self.personal, side, &self.change.stored).map(str::to_owned),
            Some(Value::Unit(id)) => unit(ctx, *id).await?.map(|unit| unit.code),
            Some(Value::Period(period)) => self.period(ctx, period).await?,
            Some(Value::Category(id)) => reference_row(ctx, CategoryKey(*id)).await?.map(|category| category.code),
            Some(Value::Officer(id)) if hides => Some(request.pseudonym(Subject::Officer, *id)?),
            Some(Value::Officer(id)) => {
                request.note_shown(|seen| &mut seen.officers, *id);
                reference_row(ctx, OfficerKey(*id)).await?.map(|officer| officer.code)
            }
            Some(Value::Enterprise(id)) if hides => Some(request.pseudonym(Subject::Enterprise, *id)?),
            Some(Value::Enterprise(id)) => {
                request.note_shown(|seen| &mut seen.enterprises, *id);
                reference_row(ctx, EnterpriseKey(*id)).await?.map(|enterprise| enterprise.tax_code)
            }
        })
    }

    async fn period(&self, ctx: &Context<'_>, period: &Period) -> Result<Option<String>> {
        let found = unit(ctx, period.unit).await?;
        Ok(found.map(|unit| format!("{} {}", unit.code, period.days())))
    }

    async fn name(&self, ctx: &Context<'_>, side: Side) -> Result<Option<String>> {
        let request = request(ctx)?;
        let hides = viewer(ctx)?.sees_pseudonyms_alone();
        let named = |vi: String, en: Option<String>| match request.locale {
            Locale::En => en.unwrap_or(vi),
            Locale::Vi => vi,
        };
        Ok(match self.value(side) {
            Some(Value::Unit(id) | Value::Period(Period { unit: id, .. })) => {
                unit(ctx, *id).await?.map(|unit| named(unit.name_vi, unit.name_en))
            }
            Some(Value::Category(id)) => {
                let found = reference_row(ctx, CategoryKey(*id)).await?;
                found.map(|category| named(category.name_vi, category.name_en))
            }
            Some(Value::Officer(id)) if !hides => {
                request.note_shown(|seen| &mut seen.officers, *id);
                reference_row(ctx, OfficerKey(*id)).await?.and_then(|officer| officer.name)
            }
            Some(Value::Enterprise(id)) if !hides => {
                request.note_shown(|seen| &mut seen.enterprises, *id);
                reference_row(ctx, EnterpriseKey(*id)).await?.and_then(|enterprise| enterprise.name)
            }
            _ => None,
        })
    }
}

async fn unit(ctx: &Context<'_>, id: Id) -> Result<Option<models::Unit>> {
    reference_row(ctx, UnitKey(id)).await
}
