//! The flags that are about an officer, and those of branches where the officer served. Row scope withholds them from the
//! officer, over GraphQL and in the tables for analysts.

use super::in_select::in_select;
use super::keyset::Pred;
use crate::db::MultiBackend;
use crate::sql_types::Id;
use crate::tables::{flags, merges, postings, unit_parents};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment};

/// The flags on an officer, and on those who were merged into the officer.
pub fn flags_on_officer(officer: Id) -> Pred<flags::table> {
    let merged = merged_into(Box::new(merges::into_officer_id.eq(officer).nullable()));
    Box::new(flags::officer_id.eq(officer).nullable().or(in_select(flags::officer_id, merged)))
}

/// The flags of branches in which an officer ever served, including service in a team below the branch.
pub fn flags_of_branches_served(officer: Id) -> Pred<flags::table> {
    let served = || {
        postings::table
            .into_boxed::<MultiBackend>()
            .filter(postings::officer_id.eq(officer).nullable())
            .select(postings::unit_id)
    };
    let above = |below: Pred<unit_parents::table>| {
        unit_parents::table.into_boxed::<MultiBackend>().filter(below).select(unit_parents::parent_id)
    };
    let one = || above(Box::new(in_select(unit_parents::unit_id, served())));
    // A team may belong to another team.
    let two = above(Box::new(in_select(unit_parents::unit_id, one())));
    let here = served().select(postings::unit_id.nullable());
    let one = one().select(unit_parents::parent_id.nullable());
    let two = two.select(unit_parents::parent_id.nullable());
    Box::new(in_select(flags::unit_id, here).or(in_select(flags::unit_id, one)).or(in_select(flags::unit_id, two)))
}

/// The query that [`merged_into`] returns.
pub struct MergedInto(Pred<merges::table>);

/// The officers whom the merges of a condition merged, and all who were merged into these before, by chains of any
/// length: a query of one column, for [`in_select`]. Merges that were split do not count.
pub fn merged_into(merged: Pred<merges::table>) -> MergedInto {
    MergedInto(merged)
}

impl QueryFragment<MultiBackend> for MergedInto {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        pass.push_sql(
            "WITH RECURSIVE merged (officer_id) AS (SELECT merges.from_officer_id FROM merges WHERE merges.split_at IS \
             NULL AND merges.from_officer_id IS NOT NULL AND (",
        );
        self.0.walk_ast(pass.reborrow())?;
        pass.push_sql(
            ") UNION SELECT merges.from_officer_id FROM merges INNER JOIN merged ON merges.into_officer_id = \
             merged.officer_id WHERE merges.split_at IS NULL) SELECT merged.officer_id FROM merged",
        );
        Ok(())
    }
}
