//! The arguments of `complaintStatistics`, translated for the snapshot.

use super::enums::{CategoryKind, ComplaintState};
use super::error::bad_input;
use super::page::SortDirection;
use super::scalars::Moment;
use crate::auth::Scope;
use async_graphql::{Enum, InputObject, Result};
use jobs::frames::day_number;
use jobs::snapshot::{Snapshot, kind_place, state_place};
use jobs::statistics::{Dimension, Measure, Question};
use polars::prelude::{Expr, col, lit};
use schema::Id;
use schema::domain::calendar::{local_date, start_of_day};

/// The most groups of one answer.
pub const MOST_GROUPS: usize = 100_000;

/// What complaints are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum StatisticsDimension {
    Department,
    Branch,
    Team,
    Category,
    Kind,
    State,
    /// The month received, in Vietnam.
    Month,
    Year,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum StatisticsMeasure {
    Complaints,
    DistinctEnterprises,
    CostVnd,
    DelayHours,
}

#[derive(Debug, Clone, Copy, InputObject)]
pub struct StatisticsOrder {
    pub field: StatisticsMeasure,
    #[graphql(default_with = "SortDirection::Desc")]
    pub direction: SortDirection,
}

/// Which complaints are counted.
#[derive(Debug, Clone, Default, InputObject)]
pub struct ComplaintStatisticsFilter {
    /// Below the unit of this code, on the complaint's own day.
    pub unit_within: Option<String>,
    /// Codes of categories.
    pub category_in: Option<Vec<String>>,
    pub kind_in: Option<Vec<CategoryKind>>,
    pub state_in: Option<Vec<ComplaintState>>,
    /// The beginning of a local day.
    pub received_from: Option<Moment>,
    /// The beginning of the first local day that is not counted any more.
    pub received_before: Option<Moment>,
}

/// Makes a question of arguments, within what the viewer may see.
pub fn question(
    snapshot: &Snapshot,
    scope: &Scope,
    filter: Option<&ComplaintStatisticsFilter>,
    group_by: &[StatisticsDimension],
    order_by: Option<Vec<StatisticsOrder>>,
    limit: usize,
) -> Result<Question> {
    let mut dimensions: Vec<Dimension> = Vec::new();
    for dimension in group_by {
        let dimension = match dimension {
            StatisticsDimension::Department => Dimension::Department,
            StatisticsDimension::Branch => Dimension::Branch,
            StatisticsDimension::Team => Dimension::Team,
            StatisticsDimension::Category => Dimension::Category,
            StatisticsDimension::Kind => Dimension::Kind,
            StatisticsDimension::State => Dimension::State,
            StatisticsDimension::Month => Dimension::Month,
            StatisticsDimension::Year => Dimension::Year,
        };
        if dimensions.contains(&dimension) {
            return Err(bad_input("groupBy names a dimension twice"));
        }
        dimensions.push(dimension);
    }
    let order_by = order_by
        .unwrap_or_default()
        .into_iter()
        .map(|order| {
            let measure = match order.field {
                StatisticsMeasure::Complaints => Measure::Complaints,
                StatisticsMeasure::DistinctEnterprises => Measure::DistinctEnterprises,
                StatisticsMeasure::CostVnd => Measure::CostVnd,
                StatisticsMeasure::DelayHours => Measure::DelayHours,
            };
            (measure, order.direction == SortDirection::Desc)
        })
        .collect();
    let mut conditions = conditions_of(snapshot, scope);
    if let Some(filter) = filter {
        conditions.extend(own(snapshot, filter)?);
    }
    Ok(Question { filter: conditions.into_iter().reduce(Expr::and), group_by: dimensions, order_by, limit })
}

/// The complaints that a viewer may see.
pub fn scoped(snapshot: &Snapshot, scope: &Scope) -> Expr {
    conditions_of(snapshot, scope).into_iter().reduce(Expr::and).unwrap_or(lit(true))
}

/// Those of them that a unit and everything below it received.
pub fn scoped_within(snapshot: &Snapshot, scope: &Scope, unit: Id) -> Expr {
    let below: Vec<Id> = snapshot.reference.tree.below_beside_ancestors(unit).into_iter().collect();
    scoped(snapshot, scope).and(within(snapshot, unit, &below))
}

/// The day up to which a snapshot knows things.
pub fn today(snapshot: &Snapshot) -> i32 {
    day_number(local_date(snapshot.as_of))
}

/// A number of days that can be looked at.
pub fn days(days: i32) -> Result<i32> {
    if (1..=36_500).contains(&days) { Ok(days) } else { Err(bad_input("days is from 1 to 36,500")) }
}

/// The same complaints as in lists.
fn conditions_of(snapshot: &Snapshot, scope: &Scope) -> Vec<Expr> {
    match scope {
        Scope::Everything => Vec::new(),
        Scope::Unit { unit, below } => vec![col("confidential").not(), within(snapshot, *unit, below)],
        Scope::Nothing => vec![lit(false)],
    }
}

/// Below a unit, by the same rule as [`crate::auth::within`].
fn within(snapshot: &Snapshot, unit: Id, below: &[Id]) -> Expr {
    let place = |id: Id| snapshot.reference.unit_place(id);
    let Some(own) = place(unit) else { return lit(false) };
    let stored = ["unit", "department", "branch", "team"].into_iter().map(|level| equals(level, own));
    let stored = stored.reduce(Expr::or).unwrap_or(lit(false));
    stored.or(any("unit", below.iter().filter_map(|id| place(*id)).collect()))
}

/// Null where the column is null, which a disjunction must not be.
fn equals(column: &str, place: u32) -> Expr {
    col(column).eq(lit(place)).fill_null(lit(false))
}

fn any(column: &str, places: Vec<u32>) -> Expr {
    places.into_iter().map(|place| equals(column, place)).reduce(Expr::or).unwrap_or(lit(false))
}

fn own(snapshot: &Snapshot, filter: &ComplaintStatisticsFilter) -> Result<Vec<Expr>> {
    let reference = &snapshot.reference;
    let mut conditions = Vec::new();
    if let Some(code) = &filter.unit_within {
        let unit =
            reference.unit_by_code(code).ok_or_else(|| bad_input(format!("unitWithin: there is no unit {code:?}")))?;
        let below: Vec<Id> = reference.tree.below_beside_ancestors(unit.id).into_iter().collect();
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
    if let Some(states) = &filter.state_in {
        conditions.push(any("state", states.iter().map(|state| state_place((*state).into())).collect()));
    }
    for (name, moment) in [("receivedFrom", filter.received_from), ("receivedBefore", filter.received_before)] {
        let Some(moment) = moment else { continue };
        let day = local_date(moment.0);
        if start_of_day(day) != moment.0 {
            return Err(bad_input(format!(
                "{name} is not the beginning of a day in Vietnam, such as 2010-01-01T00:00:00+07:00"
            )));
        }
        let number = lit(day_number(day));
        conditions.push(if name == "receivedFrom" { col("day").gt_eq(number) } else { col("day").lt(number) });
    }
    Ok(conditions)
}
