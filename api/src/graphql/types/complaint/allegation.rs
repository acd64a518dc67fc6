//! The allegations of a complaint against officers, and the matters of one that names none.

use super::{category, unit};
use crate::graphql::enums::{Attribution, Finding};
use crate::graphql::execute::Inline;
use crate::graphql::loaders::{OfficerKey, reference_row};
use crate::graphql::scalars::Json;
use crate::graphql::types::{IssueCategory, Officer, Unit};
use async_graphql::{Context, Object, Result};
use chrono::NaiveDate;
use schema::JsonValue;
use schema::models;

pub struct Allegation {
    officer_id: Option<schema::Id>,
    ordinal: i32,
    unit_id: Option<schema::Id>,
    category_id: Option<schema::Id>,
    attribution: schema::enums::Attribution,
    finding: schema::enums::Finding,
    decided_on: Option<NaiveDate>,
    source_codes: Option<JsonValue>,
}

impl From<models::ComplaintOfficer> for Allegation {
    fn from(row: models::ComplaintOfficer) -> Self {
        Self {
            officer_id: Some(row.officer_id),
            ordinal: row.ordinal,
            unit_id: row.unit_id,
            category_id: row.category_id,
            attribution: row.attribution,
            finding: row.finding,
            decided_on: row.decided_on,
            source_codes: row.source_codes,
        }
    }
}

impl From<models::ComplaintMatter> for Allegation {
    fn from(row: models::ComplaintMatter) -> Self {
        Self {
            officer_id: None,
            ordinal: row.ordinal,
            unit_id: row.unit_id,
            category_id: row.category_id,
            attribution: schema::enums::Attribution::Asserted,
            finding: row.finding,
            decided_on: row.decided_on,
            source_codes: row.source_codes,
        }
    }
}

/// An allegation of a complaint against one officer, or against no officer in particular.
#[Object]
impl Allegation {
    /// The officer; null for a matter that names none.
    async fn officer(&self, ctx: &Context<'_>) -> Result<Option<Inline<Officer>>> {
        let Some(officer) = self.officer_id else { return Ok(None) };
        Ok(reference_row(ctx, OfficerKey(officer)).await?.map(Officer).map(Inline))
    }

    /// Tells several allegations against one officer apart, and several matters: `correctComplaint` takes it.
    async fn ordinal(&self) -> i32 {
        self.ordinal
    }

    /// The unit of the officer or the matter; null if unknown.
    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Inline<Unit>>> {
        unit(ctx, self.unit_id).await
    }

    /// The category; null until one is given.
    async fn category(&self, ctx: &Context<'_>) -> Result<Option<Inline<IssueCategory>>> {
        category(ctx, self.category_id).await
    }

    /// Whether the enterprise only asserts that it was this officer, or the Board has confirmed it.
    async fn attribution(&self) -> Attribution {
        self.attribution.into()
    }

    async fn finding(&self) -> Finding {
        self.finding.into()
    }

    /// The day of the finding; null until there is one.
    async fn decided_on(&self) -> Option<NaiveDate> {
        self.decided_on
    }

    /// The codes of the imported register, unchanged; null if none exists.
    async fn source_codes(&self) -> Option<Json<&serde_json::Value>> {
        self.source_codes.as_ref().map(|codes| Json(&codes.0))
    }
}
