//! `column IN (SELECT …)` over both databases. diesel's own operator needs a subquery that is valid for each backend,
//! which a boxed query over the multi connection is not.

use crate::db::MultiBackend;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::prelude::QueryResult;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Bool, Nullable};

/// The expression that [`in_select`] returns.
#[derive(Debug, Clone, Copy)]
pub struct InSelect<C, Q> {
    column: C,
    select: Q,
}

/// Whether the value of a column is among the rows of a query of one column.
pub fn in_select<C, Q>(column: C, select: Q) -> InSelect<C, Q> {
    InSelect { column, select }
}

impl<C, Q> Expression for InSelect<C, Q> {
    type SqlType = Nullable<Bool>;
}

impl<C, Q, T> AppearsOnTable<T> for InSelect<C, Q> where C: AppearsOnTable<T> {}
impl<C, Q, T> SelectableExpression<T> for InSelect<C, Q> where C: SelectableExpression<T> {}

impl<C, Q> ValidGrouping<()> for InSelect<C, Q> {
    type IsAggregate = is_aggregate::No;
}

impl<C, Q> QueryId for InSelect<C, Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C, Q> QueryFragment<MultiBackend> for InSelect<C, Q>
where
    C: QueryFragment<MultiBackend>,
    Q: QueryFragment<MultiBackend>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        self.column.walk_ast(pass.reborrow())?;
        pass.push_sql(" IN (");
        self.select.walk_ast(pass.reborrow())?;
        pass.push_sql(")");
        Ok(())
    }
}
