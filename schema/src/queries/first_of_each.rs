//! The first complaints of each of several parents, in one statement: of each unit of a page, say.

use super::keyset::{Direction, Pred, Window};
use super::lists::ComplaintSort;
use super::shuffled::Shuffled;
use crate::db::dialect::KEYS_PER_QUERY;
use crate::db::{Backend, Conn, MultiBackend, StoreError};
use crate::models::Complaint;
use crate::sql_types::{Id, Uid};
use crate::tables::complaints;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::BigInt;
use std::collections::HashMap;

/// What complaints belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Parent {
    Department,
    Branch,
    Team,
    /// The unit itself: for one whose level is not stored with complaints.
    Unit,
    Category,
    Enterprise,
    /// Whoever is named.
    Officer,
}

impl Parent {
    const fn sql(self) -> &'static str {
        match self {
            Self::Department => "complaints.department_id",
            Self::Branch => "complaints.branch_id",
            Self::Team => "complaints.team_id",
            Self::Unit => "complaints.unit_id",
            Self::Category => "complaints.category_id",
            Self::Enterprise => "complaints.enterprise_id",
            Self::Officer => "named.officer_id",
        }
    }
}

/// An order as SQL, or as an expression of its own.
fn sort_sql(sort: ComplaintSort) -> Result<&'static str, Shuffled> {
    match sort {
        ComplaintSort::ReceivedAt => Ok("complaints.received_at"),
        ComplaintSort::RecordedAt => Ok("complaints.recorded_at"),
        ComplaintSort::StateSince => Ok("complaints.state_since"),
        ComplaintSort::CostVnd => Ok("coalesce(complaints.cost_vnd, -1)"),
        ComplaintSort::DelayHours => Ok("coalesce(complaints.delay_hours, -1.0)"),
        ComplaintSort::Shuffled(by) => Err(Shuffled::by(by)),
    }
}

type SortSql = (Result<&'static str, Shuffled>, Direction);

/// `FROM complaints … WHERE parent IN (…) AND …`, which both statements have.
struct Of<'a> {
    parent: Parent,
    ids: &'a [Id],
    conditions: Vec<Pred<complaints::table>>,
    /// Whether each row looks whether anybody waits: what PostgreSQL is told, SQLite has to ask.
    asks: bool,
}

impl Of<'_> {
    fn from<'b>(&'b self, pass: &mut AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        pass.push_sql(" FROM complaints");
        if self.parent == Parent::Officer {
            // One may stand in a complaint with several allegations.
            pass.push_sql(
                " JOIN (SELECT DISTINCT complaint_id, officer_id FROM complaint_officers WHERE officer_id IN (",
            );
            self.list(pass)?;
            pass.push_sql(")) AS named ON named.complaint_id = complaints.id WHERE 1 = 1");
        } else {
            pass.push_sql(" WHERE ");
            pass.push_sql(self.parent.sql());
            pass.push_sql(" IN (");
            self.list(pass)?;
            pass.push_sql(")");
        }
        if self.asks {
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

/// The statement for the first of each: pairs of parent and complaint, in order.
struct FirstOfEach<'a> {
    of: Of<'a>,
    order: Vec<SortSql>,
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
        let parent = self.of.parent.sql();
        pass.push_sql("SELECT parent, id FROM (SELECT ");
        pass.push_sql(parent);
        pass.push_sql(" AS parent, complaints.id AS id, row_number() OVER (PARTITION BY ");
        pass.push_sql(parent);
        pass.push_sql(" ORDER BY ");
        for (nth, (sort, direction)) in self.order.iter().enumerate() {
            if nth > 0 {
                pass.push_sql(", ");
            }
            match sort {
                Ok(sql) => pass.push_sql(sql),
                Err(shuffled) => shuffled.walk_ast(pass.reborrow())?,
            }
            let up = direction.reversed_if(self.backward) == Direction::Asc;
            pass.push_sql(if up { " ASC" } else { " DESC" });
        }
        pass.push_sql(") AS place");
        self.of.from(&mut pass)?;
        pass.push_sql(") AS ranked WHERE place <= ");
        pass.push_bind_param::<BigInt, _>(&self.limit)?;
        pass.push_sql(" ORDER BY parent, place");
        Ok(())
    }
}

/// The statement that counts.
struct CountOfEach<'a>(Of<'a>);

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

/// A part of a list of complaints, of one parent.
#[derive(Debug, Clone, Default)]
pub struct Part {
    pub rows: Vec<Complaint>,
    pub more: bool,
}

/// The same part of the list of each parent; `filter` makes the condition anew for each statement.
///
/// # Errors
/// `Rule` where a cursor belongs to another order.
pub fn first_complaints_of(
    conn: &mut Conn,
    parent: Parent,
    ids: &[Id],
    filter: &dyn Fn() -> Result<Option<Pred<complaints::table>>, StoreError>,
    order: &[(ComplaintSort, Direction)],
    window: &Window,
) -> Result<HashMap<Id, Part>, StoreError> {
    let mut found: HashMap<Id, Part> = HashMap::new();
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        let mut conditions: Vec<Pred<complaints::table>> = filter()?.into_iter().collect();
        conditions.extend(ComplaintSort::bounds(order, window)?);
        let limit = i64::try_from(window.limit).unwrap_or(i64::MAX).saturating_add(1);
        let of = Of { parent, ids: chunk, conditions, asks: conn.backend() == Backend::Sqlite };
        // As in lists: what makes the order total goes the way of its last part.
        let last = order.last().map_or(Direction::Asc, |(_, direction)| *direction);
        let sorts = order.iter().map(|(sort, direction)| (sort_sql(*sort), *direction));
        let order = sorts.chain([(Ok("complaints.id"), last)]).collect();
        let query = FirstOfEach { of, order, backward: window.backward, limit };
        let pairs: Vec<(Id, Id)> = query.load(conn)?;
        let mut wanted: Vec<Id> = pairs.iter().map(|(_, id)| *id).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let rows: Vec<Complaint> =
            complaints::table.filter(complaints::id.eq_any(&wanted)).select(Complaint::as_select()).load(conn)?;
        let rows: HashMap<Id, Complaint> = rows.into_iter().map(|row| (row.id, row)).collect();
        for (parent, id) in pairs {
            let part = found.entry(parent).or_default();
            if part.rows.len() == window.limit {
                part.more = true;
            } else {
                part.rows.extend(rows.get(&id).cloned());
            }
        }
    }
    if window.backward {
        found.values_mut().for_each(|part| part.rows.reverse());
    }
    Ok(found)
}

/// How many complaints each parent has; one that has none is left out.
pub fn count_complaints_of(
    conn: &mut Conn,
    parent: Parent,
    ids: &[Id],
    filter: &dyn Fn() -> Result<Option<Pred<complaints::table>>, StoreError>,
) -> Result<HashMap<Id, i64>, StoreError> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        let conditions = filter()?.into_iter().collect();
        let of = Of { parent, ids: chunk, conditions, asks: conn.backend() == Backend::Sqlite };
        let counts: Vec<(Id, i64)> = CountOfEach(of).load(conn)?;
        found.extend(counts);
    }
    Ok(found)
}
