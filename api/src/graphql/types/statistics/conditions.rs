//! Polars conditions over the facts of a snapshot: a filter, within the row scope of the viewer.

use super::period::Period;
use crate::access::{Rows, Scope, any, within_columns};
use crate::graphql::enums::{CategoryKind, Channel, ComplaintState, Finding};
use crate::graphql::error::{bad_input, from_job};
use crate::graphql::scalars::Moment;
use async_graphql::{InputObject, Result};
use chrono_tz::Tz;
use jobs::analyses::before_after;
use jobs::facts::EnterpriseFact;
use jobs::snapshot::{Snapshot, channel_place, kind_place, state_place};
use polars::prelude::{Expr, IntoLazy, col, lit};
use schema::Id;

/// Which complaints to count. An unknown unit or category code gives BAD_USER_INPUT.
#[derive(Debug, Clone, Default, InputObject)]
pub struct ComplaintStatisticsFilter {
    /// The code of a unit: complaints about it and the units below it, on the day of each complaint.
    pub unit_within: Option<String>,
    /// Codes of categories.
    pub category_in: Option<Vec<String>>,
    pub kind_in: Option<Vec<CategoryKind>>,
    pub channel_in: Option<Vec<Channel>>,
    pub state_in: Option<Vec<ComplaintState>>,
    /// Complaints with one of these findings, of an officer named or of the complaint itself.
    pub finding_in: Option<Vec<Finding>>,
    /// Codes of officers named. An unknown code gives BAD_USER_INPUT if you see every complaint, else it
    /// selects nothing.
    pub officer_in: Option<Vec<String>>,
    /// Tax codes of enterprises; their groups and branches are included. An unknown code selects nothing.
    pub enterprise_in: Option<Vec<String>>,
    /// Whether the officer blamed the IT system.
    pub blames_system: Option<bool>,
    pub anonymous: Option<bool>,
    /// Received at this time or later. Not after `receivedBefore`.
    pub received_from: Option<Moment>,
    /// Received before this time.
    pub received_before: Option<Moment>,
}

/// The row scope and the conditions of a filter, to be joined by AND.
///
/// # Errors
/// BAD_USER_INPUT if a code is unknown or the period ends before it begins.
pub fn conditions(snapshot: &Snapshot, scope: &Scope, filter: Option<&ComplaintStatisticsFilter>) -> Result<Vec<Expr>> {
    let mut conditions = scope.expressions(snapshot);
    if let Some(filter) = filter {
        conditions.extend(own(snapshot, filter)?);
        conditions
            .extend(Period::new(filter.received_from, filter.received_before, Tz::Asia__Ho_Chi_Minh)?.conditions());
    }
    Ok(conditions)
}

/// The places of officers in the snapshot.
///
/// # Errors
/// BAD_USER_INPUT for an unknown code, if the viewer sees every complaint. Other viewers must not learn whether
/// a code exists, so an unknown code selects nothing.
pub fn officers(snapshot: &Snapshot, scope: &Scope, codes: &[String]) -> Result<Vec<u32>> {
    let sees_all = scope.rows == Rows::Everything && scope.except_officer.is_none();
    let places = codes.iter().map(|code| match snapshot.officers.place_of(code) {
        None if sees_all => Err(bad_input(format!("officerIn: there is no officer {code:?}"))),
        place => Ok(place),
    });
    Ok(places.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// The first day of the register (days since 1970); None if it is empty. A unit head gets the same day as the
/// Board, but complaints that name the viewer are left out.
///
/// # Errors
/// If the computation fails.
pub fn first_day(snapshot: &Snapshot, scope: &Scope) -> Result<Option<i32>> {
    let whole = Scope { rows: Rows::Everything, except_officer: scope.except_officer };
    let first = match whole.expressions(snapshot).into_iter().reduce(Expr::and) {
        None => before_after::first_day(&snapshot.facts),
        Some(visible) => {
            snapshot.facts.clone().lazy().filter(visible).collect().and_then(|facts| before_after::first_day(&facts))
        }
    };
    first.map_err(|e| from_job(e.into()))
}

/// Complaints of some categories and the categories below them, about some units and the units below those. An
/// empty list means all.
pub fn concerning(snapshot: &Snapshot, categories: &[Id], units: &[Id]) -> Expr {
    let reference = &snapshot.reference;
    let mut conditions = Vec::new();
    if !categories.is_empty() {
        let is_within = |one: &schema::models::IssueCategory| {
            categories.contains(&one.id) || one.parent_id.is_some_and(|parent| categories.contains(&parent))
        };
        let places =
            reference.categories.iter().filter(|one| is_within(one)).filter_map(|one| reference.category_place(one.id));
        conditions.push(any("category", places.collect()));
    }
    if !units.is_empty() {
        let of_each = units
            .iter()
            .map(|unit| within_columns(snapshot, *unit, &reference.tree.descendants_without_stored_ancestor(*unit)));
        conditions.extend(of_each.reduce(Expr::or));
    }
    conditions.into_iter().reduce(Expr::and).unwrap_or(lit(true))
}

pub(super) fn own(snapshot: &Snapshot, filter: &ComplaintStatisticsFilter) -> Result<Vec<Expr>> {
    let reference = &snapshot.reference;
    let mut conditions = Vec::new();
    if let Some(code) = &filter.unit_within {
        let unit =
            reference.unit_by_code(code).ok_or_else(|| bad_input(format!("unitWithin: there is no unit {code:?}")))?;
        let below: Vec<Id> = reference.tree.descendants_without_stored_ancestor(unit.id);
        conditions.push(within_columns(snapshot, unit.id, &below));
    }
    if let Some(codes) = &filter.category_in {
        let mut places = Vec::new();
        for code in codes {
            let category = reference.categories.iter().find(|category| category.code == *code);
            let place = category.and_then(|category| reference.category_place(category.id));
            places.push(place.ok_or_else(|| bad_input(format!("categoryIn: there is no category {code:?}")))?);
        }
        conditions.push(any("category", places));
    }
    if let Some(kinds) = &filter.kind_in {
        conditions.push(any("kind", kinds.iter().map(|kind| kind_place((*kind).into())).collect()));
    }
    if let Some(channels) = &filter.channel_in {
        conditions.push(any("channel", channels.iter().map(|channel| channel_place((*channel).into())).collect()));
    }
    if let Some(states) = &filter.state_in {
        conditions.push(any("state", states.iter().map(|state| state_place((*state).into())).collect()));
    }
    if let Some(tax_codes) = &filter.enterprise_in {
        let mut places = Vec::new();
        for code in tax_codes {
            let fact = EnterpriseFact { tax_code: code.clone(), group_code: None };
            let place = snapshot
                .enterprises
                .place_of_tax_code(code)
                .or_else(|| snapshot.enterprises.place_of(&fact.counts_as()));
            // An enterprise without complaints is no error: it selects nothing.
            places.extend(place);
        }
        conditions.push(any("enterprise", places));
    }
    if let Some(blames) = filter.blames_system {
        conditions.push(col("blames").eq(lit(blames)));
    }
    if let Some(anonymous) = filter.anonymous {
        conditions.push(if anonymous { col("enterprise").is_null() } else { col("enterprise").is_not_null() });
    }
    Ok(conditions)
}
