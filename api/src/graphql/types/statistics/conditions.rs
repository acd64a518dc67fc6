//! Officers, categories and units as conditions over the facts of a snapshot, and its first day.

use crate::access::{Rows, Scope, is_one_of, within_columns};
use crate::graphql::error::{from_job, refuse};
use async_graphql::Result;
use jobs::analyses::before_after;
use jobs::snapshot::Snapshot;
use polars::prelude::{Expr, IntoLazy, lit};
use schema::Id;
use schema::refusal::FilterRefusal;

/// The places of officers in the snapshot.
///
/// # Errors
/// BAD_USER_INPUT for an unknown code, if the viewer sees every complaint. Other viewers must not learn whether
/// a code exists, so an unknown code selects nothing.
pub fn officers(snapshot: &Snapshot, scope: &Scope, codes: &[String]) -> Result<Vec<u32>> {
    let sees_all = scope.rows == Rows::Everything && scope.except_officer.is_none();
    let places = codes.iter().map(|code| match snapshot.officers.index_of(code) {
        None if sees_all => {
            Err(refuse(FilterRefusal::UnknownOfficer { field: "officerIn".to_owned(), code: code.clone() }))
        }
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
        let all = categories.iter().flat_map(|id| reference.categories_within(*id));
        let places = all.filter_map(|one| reference.category_index(one.id));
        conditions.push(is_one_of("category", places.collect()));
    }
    if !units.is_empty() {
        let of_each = units
            .iter()
            .map(|unit| within_columns(snapshot, *unit, &reference.tree.descendants_without_stored_ancestor(*unit)));
        conditions.extend(of_each.reduce(Expr::or));
    }
    conditions.into_iter().reduce(Expr::and).unwrap_or(lit(true))
}
