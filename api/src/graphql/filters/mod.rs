//! Filters: input objects with operators, combined by `and`, `or` and `not`, also through
//! relations. Every leaf becomes a condition over a table; conditions are made when the query
//! runs, on the thread that may block.

mod complaint;
mod interventions;
mod ops;
mod reference;
mod results;

pub use complaint::{ComplaintFilter, RedactedComplaintFilter, ResponseFilter};
pub use interventions::{GuidanceDocumentFilter, MeasureFilter, ProposalFilter};
pub use ops::*;
pub use reference::{CategoryFilter, EnterpriseFilter, OfficerFilter, UnitFilter};
pub use results::{AuditFilter, DigestFilter, FlagFilter, JobRunFilter, PrincipalFilter};

use schema::StoreError;
use schema::db::MultiBackend;
use schema::queries::{Pred, in_select};

/// What filters have to know: units by code and the tree.
pub type ReferenceData = std::sync::Arc<jobs::snapshot::Reference>;

pub(super) type Made<T> = Result<Option<Pred<T>>, StoreError>;

/// Joins conditions two by two, so that an expression of many is wide and not deep.
pub(super) fn balanced<T>(mut conditions: Vec<Pred<T>>, join: impl Fn(Pred<T>, Pred<T>) -> Pred<T>) -> Option<Pred<T>> {
    while conditions.len() > 1 {
        let mut pairs = conditions.into_iter();
        let mut joined = Vec::with_capacity(pairs.len().div_ceil(2));
        while let Some(first) = pairs.next() {
            joined.push(match pairs.next() {
                Some(second) => join(first, second),
                None => first,
            });
        }
        conditions = joined;
    }
    conditions.pop()
}

/// Adds `and`, `or` and `not` of a filter to its own conditions and joins them all. An empty `or`
/// is what the empty disjunction is: false; an empty `not` the negation of true.
macro_rules! combine {
    ($filter:expr, $conditions:ident, $table:ty, $make:expr) => {{
        let make = $make;
        let truth = |sql: &str| -> schema::queries::Pred<$table> {
            Box::new(diesel::dsl::sql::<diesel::sql_types::Bool>(sql).nullable())
        };
        if let Some(parts) = &$filter.and {
            for part in parts {
                $conditions.extend(make(part)?);
            }
        }
        if let Some(parts) = &$filter.or {
            let mut any = Vec::with_capacity(parts.len());
            for part in parts {
                any.push(make(part)?.unwrap_or_else(|| truth("1 = 1")));
            }
            let any = $crate::graphql::filters::balanced(any, |a, b| Box::new(a.or(b)));
            $conditions.push(any.unwrap_or_else(|| truth("1 = 0")));
        }
        if let Some(part) = &$filter.not {
            $conditions.push(match make(part)? {
                Some(part) => Box::new(schema::queries::not_true(part)),
                None => truth("1 = 0"),
            });
        }
        Ok($crate::graphql::filters::balanced($conditions, |a, b| Box::new(a.and(b))))
    }};
}
pub(super) use combine;
