//! Pages by key: what follows a row is found by the row's own values, so that rows inserted
//! meanwhile neither repeat nor hide others.

use crate::db::{Conn, MultiBackend};
use crate::sql_types::{Id, Timestamp, Uid, UtcMicros};
use chrono::NaiveDate;
use diesel::expression::BoxableExpression;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool, Date, Double, Nullable, Text};
use serde::{Deserialize, Serialize};

/// An expression over a table, whatever it is made of.
pub type Expr<T, ST> = Box<dyn BoxableExpression<T, MultiBackend, SqlType = ST>>;

/// A condition over a table.
pub type Pred<T> = Expr<T, Nullable<Bool>>;

/// What a list can be ordered by.
pub enum SortExpr<T> {
    Time(Expr<T, UtcMicros>),
    Date(Expr<T, Date>),
    Int(Expr<T, BigInt>),
    Double(Expr<T, Double>),
    Text(Expr<T, Text>),
    Id(Expr<T, Uid>),
}

/// The value of a row under such an expression: what a cursor is made of.
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

/// Which part of a list.
#[derive(Debug, Clone, Default)]
pub struct Window {
    pub limit: usize,
    /// Rows behind these keys.
    pub after: Option<Vec<Key>>,
    /// Rows before these keys.
    pub before: Option<Vec<Key>>,
    /// The last rows of the part instead of the first.
    pub backward: bool,
}

/// A part of a list, in the order asked for.
#[derive(Debug, Clone)]
pub struct Slice<M> {
    pub rows: Vec<M>,
    /// Whether more rows follow in the direction of reading.
    pub more: bool,
}

diesel::define_sql_function! {
    /// The first argument, or the second where that is null: nulls come first in every order.
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

/// At least so many rows, of few numbers, so that few statements are prepared: those of usual pages, then powers of two.
pub(super) fn rounded(limit: i64) -> i64 {
    let usual = [2, 6, 11, 26, 51, 101, 201].into_iter().find(|usual| limit <= *usual);
    let power = || limit.unsigned_abs().checked_next_power_of_two().and_then(|power| i64::try_from(power).ok());
    usual.or_else(power).unwrap_or(i64::MAX)
}

/// A query of so many rows, the number being part of its text. PostgreSQL plans a statement anew for each run while it cannot tell
/// whether one plan for all of them would be worse; where it does not know how many rows are wanted, it supposes a tenth of all, and
/// never comes to know. Planning took longer than reading the rows.
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

/// Defines how one table is listed: what it can be ordered by, and functions that read a part of
/// it and count it. The order always ends with what makes it total.
macro_rules! listed {
    (
        $table:ident, $model:ident, $list:ident, $count:ident,
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

            fn key(self, row: &$model) -> Key {
                match self {
                    $(Self::$variant $(($of))? => {
                        let key: &dyn Fn(&$model) -> Key = &$key;
                        key(row)
                    })+
                }
            }

            /// The keys of a row, for a cursor.
            pub fn keys(order: &[(Self, Direction)], row: &$model) -> Vec<Key> {
                let mut keys: Vec<Key> = order.iter().map(|(sort, _)| sort.key(row)).collect();
                $({
                    let key: fn(&$model) -> Key = $ukey;
                    keys.push(key(row));
                })+
                keys
            }

            fn exprs(order: &[(Self, Direction)]) -> Vec<(SortExpr<$table::table>, Direction)> {
                // Where values are equal, later rows stand where the order's own end is.
                let last = order.last().map_or(Direction::Asc, |(_, direction)| *direction);
                let mut exprs: Vec<_> = order.iter().map(|(sort, direction)| (sort.expr(), *direction)).collect();
                $(exprs.push((SortExpr::$ukind(Box::new($uexpr)), last));)+
                exprs
            }

            /// The conditions on the rows of a part of the list.
            ///
            /// # Errors
            /// `Rule` where a cursor belongs to another order.
            pub fn bounds(order: &[(Self, Direction)], window: &Window) -> Result<Vec<Pred<$table::table>>, StoreError> {
                let ends = [(&window.after, false), (&window.before, true)];
                let ends = ends.into_iter().filter_map(|(keys, back)| keys.as_ref().map(|keys| (keys, back)));
                ends.map(|(keys, back)| {
                    Self::beyond(order, keys, back).ok_or_else(|| {
                        StoreError::Rule("the cursor does not belong to this list and order".into())
                    })
                })
                .collect()
            }

            /// Rows beyond some keys; None where the keys are not of this order.
            fn beyond(order: &[(Self, Direction)], keys: &[Key], backward: bool) -> Option<Pred<$table::table>> {
                let places: Vec<_> = Self::exprs(order);
                if places.len() != keys.len() {
                    return None;
                }
                let mut condition: Option<Pred<$table::table>> = None;
                for (at, key) in keys.iter().enumerate().rev() {
                    let up = places[at].1.reversed_if(backward) == Direction::Asc;
                    // The expression is needed twice and cannot be cloned: it is made anew.
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

        /// Reads a part of the list.
        ///
        /// # Errors
        /// `Rule` where a cursor belongs to another order.
        pub fn $list(
            conn: &mut Conn,
            filter: Option<Pred<$table::table>>,
            order: &[($sort, Direction)],
            window: &Window,
        ) -> Result<Slice<$model>, StoreError> {
            let mut query = $table::table.into_boxed::<MultiBackend>();
            // First of all conditions: behind one that a row fails it would not be asked.
            if conn.backend() == Backend::Sqlite {
                query = query.filter(phananh_not_cancelled().nullable());
            }
            if let Some(filter) = filter {
                query = query.filter(filter);
            }
            for bound in $sort::bounds(order, window)? {
                query = query.filter(bound);
            }
            for (expr, direction) in $sort::exprs(order) {
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
            // One row more than asked for tells whether there are more.
            let limit = i64::try_from(window.limit).unwrap_or(i64::MAX).saturating_add(1);
            let mut rows: Vec<$model> = Limited(query.select($model::as_select()), rounded(limit)).load(conn)?;
            let more = rows.len() > window.limit;
            rows.truncate(window.limit);
            if window.backward {
                rows.reverse();
            }
            Ok(Slice { rows, more })
        }

        /// Counts the whole list.
        pub fn $count(conn: &mut Conn, filter: Option<Pred<$table::table>>) -> Result<i64, StoreError> {
            let mut query = $table::table.into_boxed::<MultiBackend>();
            // Without a condition the number is known without looking at rows.
            if filter.is_some() && conn.backend() == Backend::Sqlite {
                query = query.filter(phananh_not_cancelled().nullable());
            }
            if let Some(filter) = filter {
                query = query.filter(filter);
            }
            Ok(query.count().get_result(conn)?)
        }
    };
}
pub(super) use listed;
