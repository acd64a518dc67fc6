//! Conditions over the columns of a snapshot that hold places of units: as expressions of polars, and for pages.

use jobs::snapshot::{ColumnCondition, IndexColumn, Reference, Snapshot};
use polars::prelude::{Expr, NamedFrom, Series, col, lit};
use schema::Id;
use schema::enums::UnitKind;

/// Complaints about a unit or the units below it, by the same rule as [`super::within`].
pub fn within_columns(snapshot: &Snapshot, unit: Id, below: &[Id]) -> Expr {
    let place = |id: Id| snapshot.reference.unit_index(id);
    let Some(own) = place(unit) else { return lit(false) };
    let stored = equals(level(&snapshot.reference, unit).name(), own);
    if below.is_empty() {
        return stored;
    }
    stored.or(is_one_of("unit", below.iter().filter_map(|id| place(*id)).collect()))
}

/// The same for pages. None if the snapshot does not know the unit.
pub fn within_places(reference: &Reference, unit: Id, below: &[Id]) -> Option<ColumnCondition> {
    let stored = ColumnCondition::Place(level(reference, unit), reference.unit_index(unit)?);
    if below.is_empty() {
        return Some(stored);
    }
    let below = below.iter().filter_map(|id| reference.unit_index(*id));
    Some(ColumnCondition::Any(vec![stored, ColumnCondition::one_of(IndexColumn::Unit, below)]))
}

/// The column that holds a unit as an ancestor of the unit of a complaint, or as that itself.
fn level(reference: &Reference, unit: Id) -> IndexColumn {
    match reference.tree.kind(unit) {
        Some(UnitKind::ProvincialDepartment) => IndexColumn::Department,
        Some(UnitKind::Branch) => IndexColumn::Branch,
        Some(UnitKind::Team) => IndexColumn::Team,
        _ => IndexColumn::Unit,
    }
}

/// False where the column is null: in polars, null OR false is null.
fn equals(column: &str, place: u32) -> Expr {
    col(column).eq(lit(place)).fill_null(lit(false))
}

/// Tests membership in one set: polars takes longer to plan a disjunction of hundreds than to evaluate it.
pub fn is_one_of(column: &str, places: Vec<u32>) -> Expr {
    let places = Series::new("places".into(), places);
    col(column).is_in(lit(places).implode(false), false).fill_null(lit(false))
}
