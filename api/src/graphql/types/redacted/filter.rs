//! The filter of redacted complaints.

use crate::graphql::filter::{ComplaintStateOps, Filter, OptionalCondition, ReferenceData, combine};
use crate::graphql::types::{CategoryFilter, ComplaintFilter, UnitFilter};
use async_graphql::InputObject;
use diesel::prelude::*;
use schema::queries::Pred;
use schema::tables::complaints;

/// Conditions on redacted complaints, joined by AND. Other fields of a confidential complaint cannot be
/// filtered by.
#[derive(Debug, Clone, Default, InputObject)]
pub struct RedactedComplaintFilter {
    pub state: Option<ComplaintStateOps>,
    pub unit: Option<UnitFilter>,
    pub category: Option<CategoryFilter>,
    pub and: Option<Vec<RedactedComplaintFilter>>,
    pub or: Option<Vec<RedactedComplaintFilter>>,
    pub not: Option<Box<RedactedComplaintFilter>>,
}

impl Filter for RedactedComplaintFilter {
    type Table = complaints::table;

    fn condition(&self, reference: &ReferenceData) -> OptionalCondition<complaints::table> {
        let Self { state, unit, category, .. } = self.clone();
        let own = ComplaintFilter { state, unit, category, ..ComplaintFilter::default() };
        let mut conditions: Vec<Pred<complaints::table>> = own.condition(reference)?.into_iter().collect();
        combine!(self, conditions, complaints::table, |part: &Self| part.condition(reference))
    }
}
