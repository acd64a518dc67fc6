//! Which complaints of the snapshot are meant: what a filter asks for, within what the viewer may see.

use super::period::Period;
use crate::auth::{Rows, Scope};
use crate::graphql::enums::{CategoryKind, Channel, ComplaintState, Finding};
use crate::graphql::error::{bad_input, from_job};
use crate::graphql::scalars::Moment;
use async_graphql::{InputObject, Result};
use chrono_tz::Tz;
use jobs::analyses::before_after;
use jobs::facts::EnterpriseFact;
use jobs::snapshot::{FINDING_BITS, Snapshot, channel_place, kind_place, state_place};
use polars::prelude::{DataType, Expr, IntoLazy, NamedFrom, Series, col, lit};
use schema::Id;
use schema::enums::UnitKind;

/// Which complaints are counted.
#[derive(Debug, Clone, Default, InputObject)]
pub struct ComplaintStatisticsFilter {
    /// Below the unit of this code, on the complaint's own day.
    pub unit_within: Option<String>,
    /// Codes of categories.
    pub category_in: Option<Vec<String>>,
    pub kind_in: Option<Vec<CategoryKind>>,
    pub channel_in: Option<Vec<Channel>>,
    pub state_in: Option<Vec<ComplaintState>>,
    /// Only what was found so, of an officer named or of the complaint itself.
    pub finding_in: Option<Vec<Finding>>,
    /// Codes of officers named.
    pub officer_in: Option<Vec<String>>,
    /// Tax codes of enterprises: with those of their group, and their branches.
    pub enterprise_in: Option<Vec<String>>,
    /// Whether the officer blamed the system.
    pub blames_system: Option<bool>,
    pub anonymous: Option<bool>,
    pub received_from: Option<Moment>,
    pub received_before: Option<Moment>,
}

/// Everything that a filter asks of a complaint, and that the viewer may see it.
pub fn conditions(snapshot: &Snapshot, scope: &Scope, filter: Option<&ComplaintStatisticsFilter>) -> Result<Vec<Expr>> {
    let mut conditions = conditions_of(snapshot, scope);
    if let Some(filter) = filter {
        conditions.extend(own(snapshot, filter)?);
        conditions
            .extend(Period::new(filter.received_from, filter.received_before, Tz::Asia__Ho_Chi_Minh)?.conditions());
    }
    Ok(conditions)
}

/// The places of officers. Who sees a part of the complaints is not told whether there is an officer of a code: nothing is
/// found of either.
pub fn officers(snapshot: &Snapshot, scope: &Scope, codes: &[String]) -> Result<Vec<u32>> {
    let sees_all = scope.rows == Rows::Everything && scope.except_officer.is_none();
    let places = codes.iter().map(|code| match snapshot.officers.place_of(code) {
        None if sees_all => Err(bad_input(format!("officerIn: there is no officer {code:?}"))),
        place => Ok(place),
    });
    Ok(places.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// The complaints that a viewer may see.
pub fn scoped(snapshot: &Snapshot, scope: &Scope) -> Expr {
    conditions_of(snapshot, scope).into_iter().reduce(Expr::and).unwrap_or(lit(true))
}

/// The snapshot of what a viewer may see.
pub fn seen(snapshot: std::sync::Arc<Snapshot>, scope: &Scope) -> Result<std::sync::Arc<Snapshot>> {
    match conditions_of(&snapshot, scope).into_iter().reduce(Expr::and) {
        None => Ok(snapshot),
        Some(seen) => Ok(std::sync::Arc::new(snapshot.of(seen).map_err(from_job)?)),
    }
}

/// The first day of the register; None where it is empty. It is as old for a head as for the Board, but for nobody by
/// what names himself.
pub fn first_day(snapshot: &Snapshot, scope: &Scope) -> Result<Option<i32>> {
    let whole = Scope { rows: Rows::Everything, except_officer: scope.except_officer };
    let first = match conditions_of(snapshot, &whole).into_iter().reduce(Expr::and) {
        None => before_after::first_day(&snapshot.facts),
        Some(seen) => {
            snapshot.facts.clone().lazy().filter(seen).collect().and_then(|facts| before_after::first_day(&facts))
        }
    };
    first.map_err(|e| from_job(e.into()))
}

/// Those of them that a unit and everything below it received.
pub fn scoped_within(snapshot: &Snapshot, scope: &Scope, unit: Id) -> Expr {
    let below: Vec<Id> = snapshot.reference.tree.below_beside_ancestors(unit);
    scoped(snapshot, scope).and(within(snapshot, unit, &below))
}

/// Complaints of some categories and what lies below them, in some units and what lies below those; where none are named,
/// of all.
pub fn about(snapshot: &Snapshot, categories: &[Id], units: &[Id]) -> Expr {
    let reference = &snapshot.reference;
    let mut conditions = Vec::new();
    if !categories.is_empty() {
        let here = |one: &schema::models::IssueCategory| {
            categories.contains(&one.id) || one.parent_id.is_some_and(|parent| categories.contains(&parent))
        };
        let places =
            reference.categories.iter().filter(|one| here(one)).filter_map(|one| reference.category_place(one.id));
        conditions.push(any("category", places.collect()));
    }
    if !units.is_empty() {
        let of_each = units.iter().map(|unit| within(snapshot, *unit, &reference.tree.below_beside_ancestors(*unit)));
        conditions.extend(of_each.reduce(Expr::or));
    }
    conditions.into_iter().reduce(Expr::and).unwrap_or(lit(true))
}

/// The same complaints as in lists.
pub(super) fn conditions_of(snapshot: &Snapshot, scope: &Scope) -> Vec<Expr> {
    let mut conditions = match &scope.rows {
        Rows::Everything => Vec::new(),
        Rows::Unit { unit, below, .. } => vec![col("confidential").not(), within(snapshot, *unit, below)],
        Rows::Nothing => vec![lit(false)],
    };
    if let Some(place) = scope.except_officer.and_then(|officer| snapshot.officers.place(officer)) {
        // Whatever was found of this officer.
        let words = (0..1u32 << FINDING_BITS).map(|finding| (place + 1) << FINDING_BITS | finding);
        let named = words.map(|word| col("named").list().contains(lit(word).cast(DataType::UInt32), false));
        conditions.extend(named.reduce(Expr::or).map(Expr::not));
    }
    conditions
}

/// Below a unit, by the same rule as [`crate::auth::within`].
pub fn within(snapshot: &Snapshot, unit: Id, below: &[Id]) -> Expr {
    let place = |id: Id| snapshot.reference.unit_place(id);
    let Some(own) = place(unit) else { return lit(false) };
    let level = match snapshot.reference.tree.kind(unit) {
        Some(UnitKind::ProvincialDepartment) => "department",
        Some(UnitKind::Branch) => "branch",
        Some(UnitKind::Team) => "team",
        _ => "unit",
    };
    let stored = equals(level, own);
    if below.is_empty() {
        return stored;
    }
    stored.or(any("unit", below.iter().filter_map(|id| place(*id)).collect()))
}

/// Null where the column is null, which a disjunction must not be.
fn equals(column: &str, place: u32) -> Expr {
    col(column).eq(lit(place)).fill_null(lit(false))
}

/// One set, however many places: a disjunction of hundreds takes longer to read than to answer.
fn any(column: &str, places: Vec<u32>) -> Expr {
    let places = Series::new("places".into(), places);
    col(column).is_in(lit(places).implode(false), false).fill_null(lit(false))
}

pub(super) fn own(snapshot: &Snapshot, filter: &ComplaintStatisticsFilter) -> Result<Vec<Expr>> {
    let reference = &snapshot.reference;
    let mut conditions = Vec::new();
    if let Some(code) = &filter.unit_within {
        let unit =
            reference.unit_by_code(code).ok_or_else(|| bad_input(format!("unitWithin: there is no unit {code:?}")))?;
        let below: Vec<Id> = reference.tree.below_beside_ancestors(unit.id);
        conditions.push(within(snapshot, unit.id, &below));
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
            // One that has never complained is no mistake: there is nothing of it.
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
