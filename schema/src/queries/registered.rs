//! Complaints by the number that another register gave them.

use crate::db::MultiBackend;
use crate::tables::{complaint_sources, complaints};
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::prelude::{QueryResult, TextExpressionMethods};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Bool, Nullable, Text};

/// Whether a source is a register from which complaints were imported. The keys of those who submit are theirs, and stand beside
/// them under names with a colon, which no register has.
#[diesel::dsl::auto_type]
pub fn of_a_register() -> _ {
    complaint_sources::source.not_like("%:%")
}

/// Whether another register calls a complaint so, letter for letter.
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
        // PostgreSQL joins indexes over OR where one side is a list of keys, which a subquery is not: a search for a text would
        // read all rows.
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
