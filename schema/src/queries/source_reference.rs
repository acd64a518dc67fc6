//! Finds complaints by their number in the register that they were imported from.

use crate::db::MultiBackend;
use crate::tables::{complaint_sources, complaints};
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::prelude::{QueryResult, TextExpressionMethods};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Bool, Nullable, Text};

/// Whether a source is a register from which complaints were imported. Other sources contain a colon: `api:SENDER`,
/// whose references are private idempotency keys, and `demo:SEED`.
#[diesel::dsl::auto_type]
pub fn of_a_register() -> _ {
    complaint_sources::source.not_like("%:%")
}

/// Whether a complaint has this reference in an imported register, compared exactly.
#[derive(Debug, Clone)]
pub struct Registered(String);

pub fn registered(reference: &str) -> Registered {
    Registered(reference.trim().to_owned())
}

impl Expression for Registered {
    type SqlType = Nullable<Bool>;
}

impl AppearsOnTable<complaints::table> for Registered {}
impl SelectableExpression<complaints::table> for Registered {}

impl ValidGrouping<()> for Registered {
    type IsAggregate = is_aggregate::No;
}

impl QueryId for Registered {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<MultiBackend> for Registered {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        // PostgreSQL combines indexes over OR for an array of keys but not for a subquery: a text search with OR would
        // scan the whole table.
        let (before, after) = match pass.backend() {
            MultiBackend::Pg(_) => ("complaints.id = ANY(ARRAY(", "))"),
            MultiBackend::Sqlite(_) => ("complaints.id IN (", ")"),
        };
        pass.push_sql(before);
        pass.push_sql(
            "SELECT complaint_sources.complaint_id FROM complaint_sources WHERE complaint_sources.reference = ",
        );
        pass.push_bind_param::<Text, _>(&self.0)?;
        pass.push_sql(" AND complaint_sources.source NOT LIKE '%:%'");
        pass.push_sql(after);
        Ok(())
    }
}
