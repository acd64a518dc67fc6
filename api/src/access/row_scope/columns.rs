//! The row scope over the columns of a snapshot: the same complaints as in lists.

use super::{OfUnit, Rows, Scope};
use jobs::JobError;
use jobs::snapshot::{Snapshot, any_named, meaning};
use polars::prelude::{Expr, NamedFrom, Series, col, lit};
use schema::Id;
use schema::enums::UnitKind;
use std::sync::Arc;

impl Scope {
    /// The scope as conditions, to be joined by AND; none for all complaints.
    pub fn expressions(&self, snapshot: &Snapshot) -> Vec<Expr> {
        let mut conditions = match &self.rows {
            Rows::Everything => Vec::new(),
            Rows::Unit(of, part) => vec![col("confidential").not(), of.expression(snapshot, *part)],
            Rows::Nothing => vec![lit(false)],
        };
        if let Some(place) = self.except_officer.and_then(|officer| snapshot.officers.place(officer)) {
            conditions.push(any_named(move |word| meaning(word).0 == Some(place)).not());
        }
        conditions
    }

    /// The scope as one condition.
    pub fn expression(&self, snapshot: &Snapshot) -> Expr {
        self.expressions(snapshot).into_iter().reduce(Expr::and).unwrap_or(lit(true))
    }

    /// The complaints of the scope that a unit or one below it has to answer.
    pub fn expression_answered(&self, snapshot: &Snapshot, unit: Id) -> Expr {
        self.expression(snapshot).and(OfUnit::new(&snapshot.reference.tree, unit).answered_columns(snapshot))
    }

    /// The snapshot reduced to the scope.
    ///
    /// # Errors
    /// If the computation fails or is cancelled.
    pub fn of_snapshot(&self, snapshot: Arc<Snapshot>) -> Result<Arc<Snapshot>, JobError> {
        match self.expressions(&snapshot).into_iter().reduce(Expr::and) {
            None => Ok(snapshot),
            Some(visible) => Ok(Arc::new(snapshot.of(visible)?)),
        }
    }
}

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
