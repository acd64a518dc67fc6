//! Limits in the text of a statement, of pages and of counts.

use crate::db::{Conn, MultiBackend};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::BigInt;

/// Rounds a limit up to that of a usual page, else to a power of two, so that few statements are prepared.
pub(super) fn rounded(limit: i64) -> i64 {
    let usual = [2, 6, 11, 26, 51, 101, 201].into_iter().find(|usual| limit <= *usual);
    let power = || limit.unsigned_abs().checked_next_power_of_two().and_then(|power| i64::try_from(power).ok());
    usual.or_else(power).unwrap_or(i64::MAX)
}

/// A query with its LIMIT in the SQL text instead of a bind parameter. With a parameter, PostgreSQL's generic plan
/// assumes a tenth of all rows and looks too expensive, so each run is planned anew. Planning took longer than reading
/// the rows.
pub(super) struct Limited<Q>(pub Q, pub i64);

impl<Q> QueryId for Limited<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Limited<Q> {
    type SqlType = Q::SqlType;
}

impl<Q> RunQueryDsl<Conn> for Limited<Q> {}

impl<Q: QueryFragment<MultiBackend>> QueryFragment<MultiBackend> for Limited<Q> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        self.0.walk_ast(pass.reborrow())?;
        pass.push_sql(" LIMIT ");
        pass.push_sql(&self.1.to_string());
        Ok(())
    }
}

/// The statement that counts the rows of a query, up to a number of them.
pub(super) struct UpTo<Q> {
    rows: Q,
    /// Rounded up, so that few statements are prepared.
    limit: i64,
    searches: bool,
}

impl<Q> UpTo<Q> {
    /// `searches`: whether the query looks for a text.
    pub(super) fn new(rows: Q, most: i64, searches: bool) -> Self {
        Self { rows, limit: rounded(most), searches }
    }
}

impl<Q> QueryId for UpTo<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q> Query for UpTo<Q> {
    type SqlType = BigInt;
}

impl<Q> RunQueryDsl<Conn> for UpTo<Q> {}

impl<Q: QueryFragment<MultiBackend>> QueryFragment<MultiBackend> for UpTo<Q> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        // PostgreSQL does not know that the search form of a text takes longer than other operators. For the first rows
        // of a search it would rather read the table, and make the form of each text in it, than look into the index of
        // trigrams. It plans a materialized query for all its rows, which it reads by that index, and stops it all the
        // same after as many as are taken from it.
        let by_index = self.searches && matches!(pass.backend(), MultiBackend::Pg(_));
        pass.push_sql(if by_index { "WITH found AS MATERIALIZED (" } else { "SELECT count(*) FROM (" });
        self.rows.walk_ast(pass.reborrow())?;
        pass.push_sql(if by_index { ") SELECT count(*) FROM (SELECT 1 FROM found LIMIT " } else { " LIMIT " });
        pass.push_sql(&self.limit.to_string());
        pass.push_sql(") AS counted");
        Ok(())
    }
}
