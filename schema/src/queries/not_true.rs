//! `condition IS NOT TRUE`: negation in filters. Unlike SQL's NOT it also matches rows for which the condition is NULL.

use super::keyset::Pred;
use crate::db::MultiBackend;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::prelude::QueryResult;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Bool, Nullable};

/// The expression that [`not_true`] returns.
pub struct NotTrue<T>(Pred<T>);

/// True where the condition is false or NULL.
pub fn not_true<T>(condition: Pred<T>) -> NotTrue<T> {
    NotTrue(condition)
}

impl<T> Expression for NotTrue<T> {
    type SqlType = Nullable<Bool>;
}

impl<T> AppearsOnTable<T> for NotTrue<T> {}
impl<T> SelectableExpression<T> for NotTrue<T> {}

impl<T> ValidGrouping<()> for NotTrue<T> {
    type IsAggregate = is_aggregate::No;
}

impl<T> QueryId for NotTrue<T> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T> QueryFragment<MultiBackend> for NotTrue<T> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        pass.push_sql("((");
        self.0.walk_ast(pass.reborrow())?;
        pass.push_sql(") IS NOT TRUE)");
        Ok(())
    }
}
