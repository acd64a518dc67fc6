//! Keyset pagination: the next page starts after the sort keys of the last row, so that concurrent inserts neither
//! repeat nor skip rows.

use super::limited::rounded;
use crate::db::{Conn, MultiBackend, StoreError};
use crate::sql_types::{Id, Timestamp, Uid, UtcMicros};
use chrono::NaiveDate;
use diesel::expression::BoxableExpression;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::{BigInt, Bool, Date, Double, Integer, Nullable, Text};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// A boxed expression over a table.
pub type Expr<T, ST> = Box<dyn BoxableExpression<T, MultiBackend, SqlType = ST>>;

/// A condition over a table.
pub type Pred<T> = Expr<T, Nullable<Bool>>;

/// A sort key as an expression.
pub enum SortExpr<T> {
    Time(Expr<T, UtcMicros>),
    Date(Expr<T, Date>),
    Int(Expr<T, BigInt>),
    Double(Expr<T, Double>),
    Text(Expr<T, Text>),
    Id(Expr<T, Uid>),
}

impl<T> SortExpr<T> {
    /// Writes the expression into a statement.
    ///
    /// # Errors
    /// If diesel cannot write it.
    pub(super) fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        match self {
            Self::Time(expr) => expr.walk_ast(pass),
            Self::Date(expr) => expr.walk_ast(pass),
            Self::Int(expr) => expr.walk_ast(pass),
            Self::Double(expr) => expr.walk_ast(pass),
            Self::Text(expr) => expr.walk_ast(pass),
            Self::Id(expr) => expr.walk_ast(pass),
        }
    }
}

/// The value of a row's sort key. A cursor is a list of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Key {
    Time(Timestamp),
    Date(NaiveDate),
    Int(i64),
    Double(f64),
    Text(String),
    Id(Id),
}

impl Key {
    /// The order of two keys of one sort, as the databases have it.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Time(a), Self::Time(b)) => a.cmp(b),
            (Self::Date(a), Self::Date(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Double(a), Self::Double(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Id(a), Self::Id(b)) => a.cmp(b),
            _ => Ordering::Equal,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Direction {
    Asc,
    Desc,
}

impl Direction {
    pub fn reversed_if(self, reversed: bool) -> Self {
        match (self, reversed) {
            (Self::Asc, true) => Self::Desc,
            (Self::Desc, true) => Self::Asc,
            (same, false) => same,
        }
    }
}

/// The page of a list to read.
#[derive(Debug, Clone, Default)]
pub struct Window {
    pub limit: usize,
    /// Lower bound: the page has only rows after these keys.
    pub after: Option<Vec<Key>>,
    /// Upper bound: the page has only rows before these keys.
    pub before: Option<Vec<Key>>,
    /// Takes the last rows in these bounds instead of the first.
    pub backward: bool,
}

impl Window {
    /// The number of rows to read: one more than wanted tells whether there are more.
    pub(super) fn rows_to_read(&self) -> i64 {
        rounded(i64::try_from(self.limit).unwrap_or(i64::MAX).saturating_add(1))
    }

    /// The page made of the rows that were read.
    pub(super) fn slice<M>(&self, mut rows: Vec<M>) -> Slice<M> {
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        if self.backward {
            rows.reverse();
        }
        Slice { rows, more }
    }
}

/// A page of a list, in the requested order.
#[derive(Debug, Clone)]
pub struct Slice<M> {
    pub rows: Vec<M>,
    /// Whether more rows follow in the reading direction.
    pub more: bool,
}

diesel::define_sql_function! {
    /// The first argument, or the second if it is null. The second is below all values: nulls sort as the smallest.
    #[sql_name = "coalesce"]
    fn or_int(value: Nullable<BigInt>, otherwise: BigInt) -> BigInt;
}
diesel::define_sql_function! {
    #[sql_name = "coalesce"]
    fn or_double(value: Nullable<Double>, otherwise: Double) -> Double;
}
diesel::define_sql_function! {
    #[sql_name = "coalesce"]
    fn or_text(value: Nullable<Text>, otherwise: Text) -> Text;
}

diesel::define_sql_function! {
    #[sql_name = "coalesce"]
    fn or_date(value: Nullable<Date>, otherwise: Date) -> Date;
}
diesel::define_sql_function! {
    /// A number of 32 bits, not negative, as a sort key.
    #[sql_name = "abs"]
    fn as_int(value: Integer) -> BigInt;
}

/// The sort orders of the list of one table, and how a page of the list is read. `define_list!` implements it.
pub trait ListOrder: Copy + Send + Sync + 'static {
    type Table: 'static;
    type Row: Send + Sync + 'static;

    /// The sort keys of a row, for a cursor.
    fn keys(order: &[(Self, Direction)], row: &Self::Row) -> Vec<Key>;

    /// Reads a page of the list.
    ///
    /// # Errors
    /// `Rule` if a cursor belongs to another order.
    fn list(
        conn: &mut Conn,
        filter: Option<Pred<Self::Table>>,
        order: &[(Self, Direction)],
        window: &Window,
    ) -> Result<Slice<Self::Row>, StoreError>;

    /// Counts the rows that meet the filter, on all pages.
    ///
    /// # Errors
    /// If the database cannot be read.
    fn count(conn: &mut Conn, filter: Option<Pred<Self::Table>>) -> Result<i64, StoreError>;

    /// The same, up to a number of rows. `searches`: whether the filter looks for a text.
    ///
    /// # Errors
    /// If the database cannot be read.
    fn count_up_to(
        conn: &mut Conn,
        filter: Option<Pred<Self::Table>>,
        most: i64,
        searches: bool,
    ) -> Result<i64, StoreError>;
}

/// Defines the list of one table: its sort orders, and how a page is read and the rows are counted. Every order ends
/// with the unique keys, which make it total.
macro_rules! define_list {
    (
        $table:ident, $model:ident,
        $(#[$doc:meta])* $sort:ident { $($variant:ident $(($of:ident: $given:ty))?: $kind:ident = $expr:expr, $key:expr;)+ }
        unique: $($ukind:ident = $uexpr:expr, $ukey:expr;)+
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $sort { $($variant $(($given))?),+ }

        impl $sort {
            fn expr(self) -> SortExpr<$table::table> {
                match self { $(Self::$variant $(($of))? => SortExpr::$kind(Box::new($expr))),+ }
            }

            /// The sort keys as expressions, with the unique keys at the end.
            pub(super) fn exprs(order: &[(Self, Direction)]) -> Vec<(SortExpr<$table::table>, Direction)> {
                // The unique keys have the direction of the last sort key.
                let last = order.last().map_or(Direction::Asc, |(_, direction)| *direction);
                let mut exprs: Vec<_> = order.iter().map(|(sort, direction)| (sort.expr(), *direction)).collect();
                $(exprs.push((SortExpr::$ukind(Box::new($uexpr)), last));)+
                exprs
            }

            /// The conditions that limit the rows to those between the cursors.
            ///
            /// # Errors
            /// `Rule` if a cursor belongs to another order.
            pub fn bounds(order: &[(Self, Direction)], window: &Window) -> Result<Vec<Pred<$table::table>>, StoreError> {
                let ends = [(&window.after, false), (&window.before, true)];
                let ends = ends.into_iter().filter_map(|(keys, back)| keys.as_ref().map(|keys| (keys, back)));
                ends.map(|(keys, back)| {
                    Self::beyond(order, keys, back)
                        .ok_or_else(|| StoreError::from($crate::refusal::FilterRefusal::OfAnotherList))
                })
                .collect()
            }

            /// The condition for rows beyond some keys; None if the keys belong to another order.
            fn beyond(order: &[(Self, Direction)], keys: &[Key], backward: bool) -> Option<Pred<$table::table>> {
                let places: Vec<_> = Self::exprs(order);
                if places.len() != keys.len() {
                    return None;
                }
                let mut condition: Option<Pred<$table::table>> = None;
                for (at, key) in keys.iter().enumerate().rev() {
                    let up = places[at].1.reversed_if(backward) == Direction::Asc;
                    // The expression is needed twice and cannot be cloned: build it again.
                    let strict = Self::compare(Self::exprs(order).swap_remove(at).0, key, up, false)?;
                    condition = Some(match condition {
                        None => strict,
                        Some(rest) => {
                            let at_least = Self::compare(Self::exprs(order).swap_remove(at).0, key, up, true)?;
                            Box::new(at_least.and(strict.or(rest)))
                        }
                    });
                }
                condition
            }

            fn compare(expr: SortExpr<$table::table>, key: &Key, up: bool, equal: bool) -> Option<Pred<$table::table>> {
                macro_rules! one {
                    ($e:expr, $v:expr) => {
                        match (up, equal) {
                            (true, false) => Box::new($e.gt($v).nullable()) as Pred<$table::table>,
                            (true, true) => Box::new($e.ge($v).nullable()),
                            (false, false) => Box::new($e.lt($v).nullable()),
                            (false, true) => Box::new($e.le($v).nullable()),
                        }
                    };
                }
                Some(match (expr, key) {
                    (SortExpr::Time(e), Key::Time(v)) => one!(e, *v),
                    (SortExpr::Date(e), Key::Date(v)) => one!(e, *v),
                    (SortExpr::Int(e), Key::Int(v)) => one!(e, *v),
                    (SortExpr::Double(e), Key::Double(v)) => one!(e, *v),
                    (SortExpr::Text(e), Key::Text(v)) => one!(e, v.clone()),
                    (SortExpr::Id(e), Key::Id(v)) => one!(e, *v),
                    _ => return None,
                })
            }
        }

        impl $sort {
            /// The query of a page, without its limit and its columns.
            ///
            /// # Errors
            /// `Rule` if a cursor belongs to another order.
            pub(super) fn query(
                conn: &Conn,
                filter: Option<Pred<$table::table>>,
                order: &[(Self, Direction)],
                window: &Window,
            ) -> Result<$table::BoxedQuery<'static, MultiBackend>, StoreError> {
                let mut query = $table::table.into_boxed::<MultiBackend>();
                // The first condition: after a condition that a row fails, SQLite would not call it.
                if conn.backend() == Backend::Sqlite {
                    query = query.filter(phananh_not_cancelled().nullable());
                }
                if let Some(filter) = filter {
                    query = query.filter(filter);
                }
                for bound in Self::bounds(order, window)? {
                    query = query.filter(bound);
                }
                for (expr, direction) in Self::exprs(order) {
                    let up = direction.reversed_if(window.backward) == Direction::Asc;
                    query = match (expr, up) {
                        (SortExpr::Time(e), true) => query.then_order_by(e.asc()),
                        (SortExpr::Time(e), false) => query.then_order_by(e.desc()),
                        (SortExpr::Date(e), true) => query.then_order_by(e.asc()),
                        (SortExpr::Date(e), false) => query.then_order_by(e.desc()),
                        (SortExpr::Int(e), true) => query.then_order_by(e.asc()),
                        (SortExpr::Int(e), false) => query.then_order_by(e.desc()),
                        (SortExpr::Double(e), true) => query.then_order_by(e.asc()),
                        (SortExpr::Double(e), false) => query.then_order_by(e.desc()),
                        (SortExpr::Text(e), true) => query.then_order_by(e.asc()),
                        (SortExpr::Text(e), false) => query.then_order_by(e.desc()),
                        (SortExpr::Id(e), true) => query.then_order_by(e.asc()),
                        (SortExpr::Id(e), false) => query.then_order_by(e.desc()),
                    };
                }
                Ok(query)
            }

            /// The query of all rows that meet the filter, without an order.
            fn unordered(
                conn: &Conn,
                filter: Option<Pred<$table::table>>,
            ) -> $table::BoxedQuery<'static, MultiBackend> {
                let mut query = $table::table.into_boxed::<MultiBackend>();
                // Without a filter SQLite counts without visiting rows: a per-row check would slow it down.
                if filter.is_some() && conn.backend() == Backend::Sqlite {
                    query = query.filter(phananh_not_cancelled().nullable());
                }
                match filter {
                    Some(filter) => query.filter(filter),
                    None => query,
                }
            }
        }

        impl ListOrder for $sort {
        type Table = $table::table;
        type Row = $model;

        fn keys(order: &[(Self, Direction)], row: &$model) -> Vec<Key> {
            let key = |sort: &$sort| match *sort {
                $($sort::$variant $(($of))? => {
                    let key: &dyn Fn(&$model) -> Key = &$key;
                    key(row)
                })+
            };
            let mut keys: Vec<Key> = order.iter().map(|(sort, _)| key(sort)).collect();
            $({
                let key: fn(&$model) -> Key = $ukey;
                keys.push(key(row));
            })+
            keys
        }

        fn list(
            conn: &mut Conn,
            filter: Option<Pred<$table::table>>,
            order: &[(Self, Direction)],
            window: &Window,
        ) -> Result<Slice<$model>, StoreError> {
            let query = Self::query(conn, filter, order, window)?.select($model::as_select());
            Ok(window.slice(Limited(query, window.rows_to_read()).load(conn)?))
        }

        fn count(conn: &mut Conn, filter: Option<Pred<$table::table>>) -> Result<i64, StoreError> {
            Ok(Self::unordered(conn, filter).count().get_result(conn)?)
        }

        fn count_up_to(
            conn: &mut Conn,
            filter: Option<Pred<$table::table>>,
            most: i64,
            searches: bool,
        ) -> Result<i64, StoreError> {
            let one = diesel::dsl::sql::<diesel::sql_types::Integer>("1");
            let query = UpTo::new(Self::unordered(conn, filter).select(one), most, searches);
            Ok(query.get_result::<i64>(conn)?.min(most))
        }
        }
    };
}
pub(super) use define_list;
