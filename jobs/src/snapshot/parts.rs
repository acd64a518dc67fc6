//! The parts of the register that a snapshot holds. A server holds all of them. A command that asks one question reads
//! what the question needs.

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::prelude::QueryResult;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};

/// Some parts of the register. Each snapshot holds units and categories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts(u8);

impl Parts {
    pub const NONE: Self = Self(0);
    /// The complaints that count: ids, times, states and whatever else no complaint lacks.
    pub const COMPLAINTS: Self = Self(1);
    /// Their units, and the peer group of these.
    pub const UNITS: Self = Self(1 << 1);
    /// Their categories, with group and kind.
    pub const CATEGORIES: Self = Self(1 << 2);
    /// Cost and delay.
    pub const AMOUNTS: Self = Self(1 << 3);
    /// Deadlines, answers, rounds and escalations.
    pub const CLOCK: Self = Self(1 << 4);
    /// The enterprises, and those of complaints.
    pub const ENTERPRISES: Self = Self(1 << 5);
    /// The officers, allegations against them, and findings.
    pub const OFFICERS: Self = Self(1 << 6);
    /// All of these, and the episodes.
    pub const ALL: Self = Self(u8::MAX);

    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether all of some parts are among them.
    pub const fn has(self, others: Self) -> bool {
        others.0 & !self.0 == 0
    }
}

/// A column that may be missing, or NULL in its place where the question does not need it: the database then sends
/// nothing of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct IfRead<C> {
    column: C,
    is_read: bool,
}

impl<C> IfRead<C> {
    pub fn new(column: C, is_read: bool) -> Self {
        Self { column, is_read }
    }
}

impl<C: Expression> Expression for IfRead<C> {
    type SqlType = C::SqlType;
}

impl<C, T> AppearsOnTable<T> for IfRead<C> where C: AppearsOnTable<T> {}
impl<C, T> SelectableExpression<T> for IfRead<C> where C: SelectableExpression<T> {}

impl<C> ValidGrouping<()> for IfRead<C> {
    type IsAggregate = is_aggregate::No;
}

impl<C> QueryId for IfRead<C> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C, DB> QueryFragment<DB> for IfRead<C>
where
    C: QueryFragment<DB>,
    DB: Backend,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if self.is_read {
            return self.column.walk_ast(pass);
        }
        pass.push_sql("NULL");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_join_and_compare() {
        let both = Parts::UNITS.and(Parts::CLOCK);
        assert!(both.has(Parts::UNITS) && both.has(Parts::NONE) && both.has(both) && Parts::ALL.has(both));
        assert!(!both.has(Parts::OFFICERS) && !Parts::NONE.has(Parts::UNITS) && !both.has(Parts::ALL));
        let named = [
            Parts::COMPLAINTS,
            Parts::UNITS,
            Parts::CATEGORIES,
            Parts::AMOUNTS,
            Parts::CLOCK,
            Parts::ENTERPRISES,
            Parts::OFFICERS,
        ];
        let together = named.into_iter().fold(Parts::NONE, Parts::and);
        assert!(!together.has(Parts::ALL), "episodes are in a full reading only");
    }
}
