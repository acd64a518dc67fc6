//! The first complaints, and the number of complaints, of each of several parents (such as the units of a page), in one
//! statement.

use super::complaints::complaints_of_page;
use super::keyset::{Direction, Pred, SortExpr, Window};
use super::lists::ComplaintSort;
use crate::db::dialect::KEYS_PER_QUERY;
use crate::db::{Backend, Conn, MultiBackend, StoreError};
use crate::models::Complaint;
use crate::sql_types::{Id, Uid};
use crate::tables::complaints;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::BigInt;
use std::collections::HashMap;

/// The kind of parent that complaints belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Parent {
    Department,
    Branch,
    Team,
    /// The complaint's own unit: for units whose level is not stored as an ancestor.
    Unit,
    /// The unit that has to answer.
    ResponsibleUnit,
    /// A category: its own complaints and those of the categories below it.
    Category,
    Enterprise,
    /// A named officer.
    Officer,
}

impl Parent {
    const fn sql(self) -> &'static str {
        match self {
            Self::Department => "complaints.department_id",
            Self::Branch => "complaints.branch_id",
            Self::Team => "complaints.team_id",
            Self::Unit => "complaints.unit_id",
            Self::ResponsibleUnit => "complaints.responsible_unit_id",
            Self::Category => "classified.above",
            Self::Enterprise => "complaints.enterprise_id",
            Self::Officer => "named.officer_id",
        }
    }
}

/// `FROM complaints … WHERE parent IN (…) AND …`, shared by both statements.
struct Selection<'a> {
    parent: Parent,
    ids: &'a [Id],
    conditions: Vec<Pred<complaints::table>>,
    /// Whether each row checks for cancellation: SQLite has to poll, PostgreSQL receives a cancel request.
    checks_cancellation: bool,
}

impl Selection<'_> {
    fn from<'b>(&'b self, pass: &mut AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        pass.push_sql(" FROM complaints");
        if self.parent == Parent::Officer {
            // DISTINCT: a complaint may hold several allegations against one officer.
            pass.push_sql(
                " JOIN (SELECT DISTINCT complaint_id, officer_id FROM complaint_officers WHERE officer_id IN (",
            );
            self.list(pass)?;
            pass.push_sql(")) AS named ON named.complaint_id = complaints.id WHERE 1 = 1");
        } else {
            if self.parent == Parent::Category {
                pass.push_sql(
                    " JOIN (SELECT id, id AS above FROM issue_categories UNION ALL SELECT id, parent_id AS above \
                     FROM issue_categories WHERE parent_id IS NOT NULL) AS classified \
                     ON classified.id = complaints.category_id",
                );
            }
            pass.push_sql(" WHERE ");
            pass.push_sql(self.parent.sql());
            pass.push_sql(" IN (");
            self.list(pass)?;
            pass.push_sql(")");
        }
        if self.checks_cancellation {
            pass.push_sql(" AND phananh_not_cancelled()");
        }
        for condition in &self.conditions {
            pass.push_sql(" AND ");
            condition.walk_ast(pass.reborrow())?;
        }
        Ok(())
    }

    fn list<'b>(&'b self, pass: &mut AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        for (nth, id) in self.ids.iter().enumerate() {
            if nth > 0 {
                pass.push_sql(", ");
            }
            pass.push_bind_param::<Uid, _>(id)?;
        }
        Ok(())
    }
}

/// The statement for the first complaints of each parent: (parent id, complaint id), in order.
struct FirstOfEach<'a> {
    selection: Selection<'a>,
    order: Vec<(SortExpr<complaints::table>, Direction)>,
    backward: bool,
    limit: i64,
}

impl QueryId for FirstOfEach<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for FirstOfEach<'_> {
    type SqlType = (Uid, Uid);
}

impl RunQueryDsl<Conn> for FirstOfEach<'_> {}

impl QueryFragment<MultiBackend> for FirstOfEach<'_> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        let parent = self.selection.parent.sql();
        pass.push_sql("SELECT parent, id FROM (SELECT ");
        pass.push_sql(parent);
        pass.push_sql(" AS parent, complaints.id AS id, row_number() OVER (PARTITION BY ");
        pass.push_sql(parent);
        pass.push_sql(" ORDER BY ");
        for (nth, (sort, direction)) in self.order.iter().enumerate() {
            if nth > 0 {
                pass.push_sql(", ");
            }
            sort.walk_ast(pass.reborrow())?;
            let up = direction.reversed_if(self.backward) == Direction::Asc;
            pass.push_sql(if up { " ASC" } else { " DESC" });
        }
        pass.push_sql(") AS place");
        self.selection.from(&mut pass)?;
        pass.push_sql(") AS ranked WHERE place <= ");
        pass.push_bind_param::<BigInt, _>(&self.limit)?;
        pass.push_sql(" ORDER BY parent, place");
        Ok(())
    }
}

/// The statement that counts the complaints of each parent.
struct CountOfEach<'a>(Selection<'a>);

impl QueryId for CountOfEach<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for CountOfEach<'_> {
    type SqlType = (Uid, BigInt);
}

impl RunQueryDsl<Conn> for CountOfEach<'_> {}

impl QueryFragment<MultiBackend> for CountOfEach<'_> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        let parent = self.0.parent.sql();
        pass.push_sql("SELECT ");
        pass.push_sql(parent);
        pass.push_sql(", count(*)");
        self.0.from(&mut pass)?;
        pass.push_sql(" GROUP BY ");
        pass.push_sql(parent);
        Ok(())
    }
}

/// A page of the complaints of one parent; `more` tells whether more follow.
#[derive(Debug, Clone, Default)]
pub struct Page {
    pub rows: Vec<Complaint>,
    pub more: bool,
}

/// The same page of the complaints of each parent; `filter` builds the condition for each statement.
///
/// # Errors
/// `Rule` if a cursor belongs to another order.
pub fn first_complaints_of(
    conn: &mut Conn,
    parent: Parent,
    ids: &[Id],
    filter: &dyn Fn() -> Result<Option<Pred<complaints::table>>, StoreError>,
    order: &[(ComplaintSort, Direction)],
    window: &Window,
) -> Result<HashMap<Id, Page>, StoreError> {
    let mut found: HashMap<Id, Page> = HashMap::new();
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        let mut conditions: Vec<Pred<complaints::table>> = filter()?.into_iter().collect();
        conditions.extend(ComplaintSort::bounds(order, window)?);
        let limit = i64::try_from(window.limit).unwrap_or(i64::MAX).saturating_add(1);
        let selection =
            Selection { parent, ids: chunk, conditions, checks_cancellation: conn.backend() == Backend::Sqlite };
        let query = FirstOfEach { selection, order: ComplaintSort::exprs(order), backward: window.backward, limit };
        let pairs: Vec<(Id, Id)> = query.load(conn)?;
        let mut wanted: Vec<Id> = pairs.iter().map(|(_, id)| *id).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let rows = complaints_of_page(conn, &wanted)?;
        for (parent, id) in pairs {
            let page = found.entry(parent).or_default();
            if page.rows.len() == window.limit {
                page.more = true;
            } else {
                page.rows.extend(rows.get(&id).cloned());
            }
        }
    }
    if window.backward {
        found.values_mut().for_each(|page| page.rows.reverse());
    }
    Ok(found)
}

/// The number of complaints of each parent; parents without any are left out.
///
/// # Errors
/// The error of `filter`; else if the database cannot be read.
pub fn count_complaints_of(
    conn: &mut Conn,
    parent: Parent,
    ids: &[Id],
    filter: &dyn Fn() -> Result<Option<Pred<complaints::table>>, StoreError>,
) -> Result<HashMap<Id, i64>, StoreError> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        let conditions = filter()?.into_iter().collect();
        let selection =
            Selection { parent, ids: chunk, conditions, checks_cancellation: conn.backend() == Backend::Sqlite };
        let counts: Vec<(Id, i64)> = CountOfEach(selection).load(conn)?;
        found.extend(counts);
    }
    Ok(found)
}
