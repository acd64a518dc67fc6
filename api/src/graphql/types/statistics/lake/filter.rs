//! The filter of `complaintStatistics`, and the row scope of the viewer, as a condition over the lake. It selects the
//! same complaints as the columns of the snapshot do: a test of whole programs compares the two.

use crate::access::{OfUnit, Scope, within_places};
use crate::graphql::context::RequestContext;
use crate::graphql::error::from_store;
use crate::graphql::filter::today;
use crate::graphql::types::complaint::snapshot_filter::{answered, cost, delay, received, truth};
use crate::graphql::types::statistics::filter::{ComplaintStatisticsFilter, unknown_unit};
use crate::graphql::types::statistics::selection::{categories_of, units_of};
use crate::graphql::types::unit::unit_of_within;
use crate::graphql::types::{ResponsibleUnitOps, UnitFilter};
use async_graphql::Result;
use futures_util::future::BoxFuture;
use jobs::lake::Condition;
use jobs::snapshot::{ColumnCondition, Comparison, IndexColumn, Nullable, Reference, Snapshot};
use schema::Id;

/// The context in which a filter is translated.
#[derive(Clone, Copy)]
pub struct Translation<'e> {
    pub request: &'e RequestContext,
    pub snapshot: &'e Snapshot,
    pub scope: &'e Scope,
}

impl<'e> Translation<'e> {
    /// The row scope, and what a filter selects. The filter's own limits on allegations are left out: a question has
    /// them.
    ///
    /// # Errors
    /// BAD_USER_INPUT if a code is unknown.
    pub async fn question(self, filter: Option<&'e ComplaintStatisticsFilter>) -> Result<Condition> {
        // None for a unit that the snapshot does not know: no complaint is its.
        let visible = self.scope.column_condition(self.snapshot).unwrap_or(ColumnCondition::Constant(false));
        let mut all = vec![Condition::Columns(visible)];
        if let Some(filter) = filter {
            all.push(self.part(filter).await?);
        }
        Ok(Condition::All(all))
    }

    /// A filter without its limits on allegations.
    fn part(self, filter: &'e ComplaintStatisticsFilter) -> BoxFuture<'e, Result<Condition>> {
        Box::pin(async move {
            // No `..`: a new field does not compile until it is decided here what the lake makes of it.
            let ComplaintStatisticsFilter {
                unit_within,
                unit,
                responsible_unit_within,
                responsible_unit,
                category,
                enterprise_in: _,
                blames_system,
                anonymous,
                confidential,
                cost_vnd,
                delay_hours,
                answered_on,
                received_at,
                received_from,
                received_before,
                and,
                or,
                not,
                // `sets` has these.
                category_in: _,
                kind_in: _,
                channel_in: _,
                state_in: _,
                dimensions: _,
                // `whole` has these, and for the whole filter the question.
                finding_in: _,
                finding: _,
                attribution: _,
                officer_in: _,
            } = filter;
            let reference = &self.snapshot.reference;
            let categories = match category {
                Some(filter) => Some(categories_of(self.request, reference, filter).await?),
                None => None,
            };
            let sets = filter.sets(reference, categories)?;
            let mut own: Vec<ColumnCondition> = sets.iter().map(|(column, places)| one_of(*column, places)).collect();
            if let Some(code) = unit_within {
                own.push(within(reference, unit_of("unitWithin", code, reference)?));
            }
            if let Some(code) = responsible_unit_within {
                let unit = unit_of("responsibleUnitWithin", code, reference)?;
                own.push(OfUnit::new(&reference.tree, unit, today()).answered_places(reference));
            }
            if let Some(ops) = responsible_unit {
                own.extend(of_responsible_unit(ops, reference)?);
            }
            let enterprises = filter.enterprises(self.snapshot);
            own.extend(enterprises.map(|places| ColumnCondition::one_of(IndexColumn::Enterprise, places)));
            own.extend(blames_system.map(|blames| is(blames, ColumnCondition::Blames)));
            let without_enterprise = ColumnCondition::Null(Nullable::Place(IndexColumn::Enterprise));
            own.extend(anonymous.map(|anonymous| is(anonymous, without_enterprise)));
            own.extend(confidential.as_ref().map(|ops| truth(ops, &ColumnCondition::Confidential)));
            own.extend(cost_vnd.as_ref().map(cost));
            own.extend(delay_hours.as_ref().map(delay));
            own.extend(answered_on.as_ref().map(answered));
            own.extend(received_at.as_ref().map(received));
            let from = received_from.as_ref().map(|moment| Comparison::AtLeast(moment.0.micros()));
            let before = received_before.as_ref().map(|moment| Comparison::Below(moment.0.micros()));
            own.extend(from.into_iter().chain(before).map(ColumnCondition::Received));
            let mut all: Vec<Condition> = own.into_iter().map(Condition::Columns).collect();
            if let Some(filter) = unit {
                all.push(self.units(filter).await?);
            }
            for part in and.iter().flatten() {
                all.push(self.whole(part).await?);
            }
            if let Some(parts) = or {
                let mut any = Vec::with_capacity(parts.len());
                for part in parts {
                    any.push(self.whole(part).await?);
                }
                all.push(Condition::Any(any));
            }
            if let Some(part) = not {
                all.push(Condition::Not(Box::new(self.whole(part).await?)));
            }
            Ok(Condition::All(all))
        })
    }

    /// A part of a filter, with its limits on allegations.
    async fn whole(self, filter: &'e ComplaintStatisticsFilter) -> Result<Condition> {
        let limits = filter.allegations(self.snapshot, self.scope)?;
        let own = self.part(filter).await?;
        Ok(if limits.are_limited() { Condition::All(vec![own, Condition::Allegation(limits)]) } else { own })
    }

    /// A filter of units: `within` is by the day of each complaint.
    fn units(self, filter: &'e UnitFilter) -> BoxFuture<'e, Result<Condition>> {
        Box::pin(async move {
            let reference = &self.snapshot.reference;
            let mut all = Vec::new();
            if let Some(code) = &filter.within {
                let unit = unit_of_within(reference, code).map_err(from_store)?;
                all.push(Condition::Columns(within(reference, unit.id)));
            }
            if let Some(places) = units_of(self.request, reference, filter).await? {
                all.push(Condition::Columns(ColumnCondition::one_of(IndexColumn::Unit, places)));
            }
            for part in filter.and.iter().flatten() {
                all.push(self.units(part).await?);
            }
            if let Some(parts) = &filter.or {
                let mut any = Vec::with_capacity(parts.len());
                for part in parts {
                    any.push(self.units(part).await?);
                }
                all.push(Condition::Any(any));
            }
            if let Some(part) = &filter.not {
                all.push(Condition::Not(Box::new(self.units(part).await?)));
            }
            Ok(Condition::All(all))
        })
    }
}

fn unit_of(argument: &str, code: &str, reference: &Reference) -> Result<Id> {
    let unit = reference.unit_by_code(code).map(|unit| unit.id);
    unit.ok_or_else(|| unknown_unit(argument, code))
}

fn within(reference: &Reference, unit: Id) -> ColumnCondition {
    let below = reference.tree.descendants_without_stored_ancestor(unit);
    within_places(reference, unit, &below).unwrap_or(ColumnCondition::Constant(false))
}

/// The condition that a column has one of some places; None means no value.
fn one_of(column: IndexColumn, places: &[Option<u32>]) -> ColumnCondition {
    let chosen = ColumnCondition::one_of(column, places.iter().copied().flatten());
    if places.contains(&None) {
        ColumnCondition::Any(vec![chosen, ColumnCondition::Null(Nullable::Place(column))])
    } else {
        chosen
    }
}

fn is(wanted: bool, condition: ColumnCondition) -> ColumnCondition {
    if wanted { condition } else { condition.negated() }
}

/// The conditions of operators on the unit that has to answer.
fn of_responsible_unit(ops: &ResponsibleUnitOps, reference: &Reference) -> Result<Vec<ColumnCondition>> {
    let ResponsibleUnitOps { eq, r#in, within, is_null } = ops;
    let unit_id = |code: &String| unit_of("responsibleUnit", code, reference);
    let mut conditions = Vec::new();
    let lists = [eq.as_ref().map(std::slice::from_ref), r#in.as_deref()];
    for codes in lists.into_iter().flatten() {
        let ids = codes.iter().map(unit_id).collect::<Result<Vec<Id>>>()?;
        let places = ids.into_iter().filter_map(|id| reference.unit_index(id));
        conditions.push(ColumnCondition::one_of(IndexColumn::ResponsibleUnit, places));
    }
    if let Some(code) = within {
        conditions.push(OfUnit::new(&reference.tree, unit_id(code)?, today()).answered_places(reference));
    }
    let without_unit = ColumnCondition::Null(Nullable::Place(IndexColumn::ResponsibleUnit));
    conditions.extend(is_null.map(|null| is(null, without_unit)));
    Ok(conditions)
}
