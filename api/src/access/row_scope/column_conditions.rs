//! Conditions over the columns of a snapshot that hold places of units.

use jobs::snapshot::Snapshot;
use polars::prelude::{Expr, NamedFrom, Series, col, lit};
use schema::Id;
use schema::enums::UnitKind;

/// Complaints about a unit or the units below it, by the same rule as [`super::within`].
pub fn within_columns(snapshot: &Snapshot, unit: Id, below: &[Id]) -> Expr {
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

/// False where the column is null: in polars, null OR false is null.
fn equals(column: &str, place: u32) -> Expr {
    col(column).eq(lit(place)).fill_null(lit(false))
}

/// Tests membership in one set: polars takes longer to plan a disjunction of hundreds than to evaluate it.
pub fn any(column: &str, places: Vec<u32>) -> Expr {
    let places = Series::new("places".into(), places);
    col(column).is_in(lit(places).implode(false), false).fill_null(lit(false))
}
