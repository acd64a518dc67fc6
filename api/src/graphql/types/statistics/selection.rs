//! Evaluates a filter over a snapshot, within the row scope of the viewer.

use super::filter::ComplaintStatisticsFilter;
use super::word_sets::Places;
use crate::access::{Scope, is_one_of, within_columns};
use crate::graphql::context::RequestContext;
use crate::graphql::error::from_store;
use crate::graphql::filter::{Filter, ReferenceData, balanced};
use crate::graphql::types::category::with_those_below;
use crate::graphql::types::unit::unit_of_within;
use crate::graphql::types::{CategoryFilter, UnitFilter};
use async_graphql::Result;
use chrono_tz::Tz;
use futures_util::future::BoxFuture;
use jobs::snapshot::{IndexColumn, Snapshot};
use jobs::statistics::{Allegations, Dimension};
use polars::prelude::{Expr, col, lit};
use schema::{Id, queries};
use std::sync::{Arc, Mutex, PoisonError};

/// The complaints and allegations that a filter selects.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Conditions over the columns of the snapshot, to be joined by AND: the row scope and the filter, without its
    /// period.
    pub conditions: Vec<Expr>,
    pub allegations: Allegations,
    /// The dimensions of which the filter allows several values: for a DASHBOARD each is a fixed cell.
    pub listed: Vec<Dimension>,
    /// The places that were read from the database, in the order of the filter. The rest of what is selected depends on
    /// the filter, the viewer, the day and the snapshot alone.
    pub read: Vec<Vec<u32>>,
}

impl Selection {
    /// Evaluates a filter. Conditions on units and categories are read from the database, as in lists.
    ///
    /// # Errors
    /// BAD_USER_INPUT if a code is unknown, or the period of a part ends before it begins.
    pub async fn of(
        request: &RequestContext,
        snapshot: &Snapshot,
        scope: &Scope,
        filter: Option<&ComplaintStatisticsFilter>,
    ) -> Result<Self> {
        let mut conditions = scope.expressions(snapshot);
        let Some(filter) = filter else { return Ok(Self { conditions, ..Self::default() }) };
        let read = Mutex::default();
        let evaluation = Evaluation { request, snapshot, scope, read: &read };
        let Part { conditions: own, allegations, sets } = evaluation.part(filter).await?;
        conditions.extend(own);
        let read = read.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Self { conditions, allegations, listed: listed(&sets), read })
    }

    /// The conditions as one, with that of the filter's period in Vietnam.
    ///
    /// # Errors
    /// BAD_USER_INPUT if the period ends before it begins.
    pub fn condition(&self, filter: Option<&ComplaintStatisticsFilter>) -> Result<Option<Expr>> {
        let period = filter.map(|filter| filter.period(Tz::Asia__Ho_Chi_Minh)).transpose()?;
        let period = period.map(|period| period.conditions()).unwrap_or_default();
        Ok(self.conditions.iter().cloned().chain(period).reduce(Expr::and))
    }
}

/// The dimensions of conditions that allow several values.
pub(super) fn listed(sets: &[(IndexColumn, Places)]) -> Vec<Dimension> {
    let mut listed: Vec<Dimension> = Vec::new();
    for (column, _) in sets.iter().filter(|(_, places)| places.len() > 1) {
        let dimension = Dimension::Place(*column);
        if !listed.contains(&dimension) {
            listed.push(dimension);
        }
    }
    listed
}

/// A filter, or a part of one, over the columns of a snapshot.
struct Part {
    /// Conditions without the period and the limits on allegations. No condition is ever null, so that a negation is
    /// true where it is not true.
    conditions: Vec<Expr>,
    allegations: Allegations,
    sets: Vec<(IndexColumn, Places)>,
}

/// Adds `and`, `or` and `not` of a filter to its own conditions, as `filter::combine!` does in SQL.
macro_rules! combine {
    ($filter:expr, $conditions:ident, |$part:ident| $of:expr) => {
        for $part in $filter.and.iter().flatten() {
            $conditions.extend($of);
        }
        if let Some(parts) = &$filter.or {
            let mut any = Vec::with_capacity(parts.len());
            for $part in parts {
                any.push(all($of));
            }
            $conditions.push(balanced(any, Expr::or).unwrap_or(lit(false)));
        }
        if let Some($part) = &$filter.not {
            $conditions.push(all($of).not());
        }
    };
}

fn all(conditions: Vec<Expr>) -> Expr {
    balanced(conditions, Expr::and).unwrap_or(lit(true))
}

/// The context in which a filter is evaluated.
#[derive(Clone, Copy)]
struct Evaluation<'e> {
    request: &'e RequestContext,
    snapshot: &'e Snapshot,
    scope: &'e Scope,
    /// See [`Selection::read`].
    read: &'e Mutex<Vec<Vec<u32>>>,
}

impl<'e> Evaluation<'e> {
    fn part(self, filter: &'e ComplaintStatisticsFilter) -> BoxFuture<'e, Result<Part>> {
        Box::pin(async move {
            let categories = match &filter.category {
                Some(filter) => Some(self.noted(categories_of(self.request, &self.snapshot.reference, filter).await?)),
                None => None,
            };
            let sets = filter.sets(&self.snapshot.reference, categories)?;
            let mut conditions: Vec<Expr> = sets.iter().map(|(column, places)| one_of(*column, places)).collect();
            conditions.extend(filter.other_conditions(self.snapshot)?);
            if let Some(units) = &filter.unit {
                conditions.extend(self.units(units).await?);
            }
            combine!(filter, conditions, |part| self.whole(part).await?);
            Ok(Part { conditions, allegations: filter.allegations(self.snapshot, self.scope)?, sets })
        })
    }

    /// Notes places that were read from the database, in an order that does not depend on it.
    fn noted(self, mut places: Vec<u32>) -> Vec<u32> {
        places.sort_unstable();
        self.read.lock().unwrap_or_else(PoisonError::into_inner).push(places.clone());
        places
    }

    /// The conditions of a part of a filter, with its period and its limits on allegations.
    async fn whole(self, filter: &'e ComplaintStatisticsFilter) -> Result<Vec<Expr>> {
        let Part { mut conditions, allegations, .. } = self.part(filter).await?;
        conditions.extend(filter.period(Tz::Asia__Ho_Chi_Minh)?.conditions());
        conditions.extend(allegations.condition());
        Ok(conditions)
    }

    /// The conditions of a filter of units: `within` is by the day of each complaint.
    fn units(self, filter: &'e UnitFilter) -> BoxFuture<'e, Result<Vec<Expr>>> {
        Box::pin(async move {
            let reference = &self.snapshot.reference;
            let mut conditions = Vec::new();
            if let Some(code) = &filter.within {
                let unit = unit_of_within(reference, code).map_err(from_store)?;
                let below = reference.tree.descendants_without_stored_ancestor(unit.id);
                conditions.push(within_columns(self.snapshot, unit.id, &below));
            }
            if let Some(places) = units_of(self.request, reference, filter).await? {
                conditions.push(is_one_of("unit", self.noted(places)));
            }
            combine!(filter, conditions, |part| self.units(part).await?);
            Ok(conditions)
        })
    }
}

/// The places of the units that a filter selects, without its `within` and its parts; None if it has nothing else.
///
/// # Errors
/// BAD_USER_INPUT if the filter is wrong.
pub(super) async fn units_of(
    request: &RequestContext,
    reference: &ReferenceData,
    filter: &UnitFilter,
) -> Result<Option<Vec<u32>>> {
    let plain = UnitFilter { within: None, and: None, or: None, not: None, ..filter.clone() };
    let is_limited = plain.condition(reference).map_err(from_store)?.is_some();
    if !is_limited {
        return Ok(None);
    }
    let of = Arc::clone(reference);
    let ids: Vec<Id> = request.read(move |conn| queries::unit_ids(conn, plain.condition(&of)?)).await?;
    Ok(Some(ids.into_iter().filter_map(|id| reference.unit_index(id)).collect()))
}

/// The places of the categories that a filter selects, with those below them.
///
/// # Errors
/// BAD_USER_INPUT if the filter is wrong.
pub(super) async fn categories_of(
    request: &RequestContext,
    reference: &ReferenceData,
    filter: &CategoryFilter,
) -> Result<Vec<u32>> {
    let (filter, of) = (filter.clone(), Arc::clone(reference));
    let ids: Vec<Id> = request.read(move |conn| queries::category_ids(conn, with_those_below(&filter, &of)?)).await?;
    Ok(ids.into_iter().filter_map(|id| reference.category_index(id)).collect())
}

/// The condition that a column has one of some places.
fn one_of(column: IndexColumn, places: &[Option<u32>]) -> Expr {
    let chosen = is_one_of(column.name(), places.iter().copied().flatten().collect());
    if places.contains(&None) { chosen.or(col(column.name()).is_null()) } else { chosen }
}
