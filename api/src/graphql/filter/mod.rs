//! Filters: input objects with operators, combined by `and`, `or` and `not`, also through relations. Each leaf
//! becomes a SQL condition over a table. The conditions are built when the query runs, on a thread that may
//! block.
//!
//! [`filter!`] declares a filter beside its type; this module holds the operators and how conditions are joined.

mod ops;

pub use ops::*;

use chrono::NaiveDate;
use schema::domain::calendar::local_date;
use schema::queries::Pred;
use schema::{StoreError, Timestamp};

/// The reference data that conditions need: units by code, and the unit tree.
pub type ReferenceData = std::sync::Arc<jobs::snapshot::Reference>;

/// A condition over a table; None selects every row.
pub type OptionalCondition<T> = Result<Option<Pred<T>>, StoreError>;

/// A filter over a table, declared by [`filter!`].
pub trait Filter {
    type Table;

    /// The condition of the filter.
    ///
    /// # Errors
    /// `Rule` if a value is wrong, such as the code of a unit that does not exist.
    fn condition(&self, reference: &ReferenceData) -> OptionalCondition<Self::Table>;
}

impl<F: Filter> Filter for Option<F> {
    type Table = F::Table;

    fn condition(&self, reference: &ReferenceData) -> OptionalCondition<F::Table> {
        self.as_ref().map_or(Ok(None), |filter| filter.condition(reference))
    }
}

impl<F: Filter> Filter for Box<F> {
    type Table = F::Table;

    fn condition(&self, reference: &ReferenceData) -> OptionalCondition<F::Table> {
        self.as_ref().condition(reference)
    }
}

/// The present day, for conditions that depend on it: a filter does not know its operation.
pub(super) fn today() -> NaiveDate {
    local_date(Timestamp::now())
}

/// Joins conditions in pairs, so that the expression of many is balanced and not deep.
pub(super) fn balanced<C>(mut conditions: Vec<C>, join: impl Fn(C, C) -> C) -> Option<C> {
    while conditions.len() > 1 {
        let mut pairs = conditions.into_iter();
        let mut joined = Vec::with_capacity(pairs.len().div_ceil(2));
        while let Some(first) = pairs.next() {
            joined.push(match pairs.next() {
                Some(second) => join(first, second),
                None => first,
            });
        }
        conditions = joined;
    }
    conditions.pop()
}

/// Adds `and`, `or` and `not` of a filter to its own conditions and joins them all. An empty `or` is false; an
/// empty `not` negates true, so it is false.
macro_rules! combine {
    ($filter:expr, $conditions:ident, $table:ty, $make:expr) => {{
        let make = $make;
        let truth = |sql: &str| -> schema::queries::Pred<$table> {
            Box::new(diesel::dsl::sql::<diesel::sql_types::Bool>(sql).nullable())
        };
        if let Some(parts) = &$filter.and {
            for part in parts {
                $conditions.extend(make(part)?);
            }
        }
        if let Some(parts) = &$filter.or {
            let mut any = Vec::with_capacity(parts.len());
            for part in parts {
                any.push(make(part)?.unwrap_or_else(|| truth("1 = 1")));
            }
            let any = $crate::graphql::filter::balanced(any, |a, b| Box::new(a.or(b)));
            $conditions.push(any.unwrap_or_else(|| truth("1 = 0")));
        }
        if let Some(part) = &$filter.not {
            $conditions.push(match make(part)? {
                Some(part) => Box::new(schema::queries::not_true(part)),
                None => truth("1 = 0"),
            });
        }
        Ok($crate::graphql::filter::balanced($conditions, |a, b| Box::new(a.and(b))))
    }};
}
pub(in crate::graphql) use combine;

/// Declares a filter: for each field its type, and how it becomes a condition.
///
/// | kind | the field | condition |
/// | --- | --- | --- |
/// | `id(column)`, `word(column)`, `truth(column)` | operators | equality |
/// | `time(column)`, `value(column)`, `money(column)` | operators | equality and order |
/// | `text(column)` | operators | equality, order and `like` |
/// | `search(column, …)` | text | the text occurs in one of the columns |
/// | `relation(key => table, id)` | a filter of another table | the row refers to a row that the filter selects |
/// | `category(key, selected)` | a filter of categories | the row refers to one that `selected` reads for the filter |
/// | `through(id => table, near, far => other, id)` | a filter of another table | rows of `table` link to such a row |
/// | `by(function)` | any type | `function(&value, reference)` |
/// | `whole(function)` | any type | `function(&filter)`, for fields that only have a meaning together |
macro_rules! filter {
    (
        $(#[$doc:meta])*
        $name:ident over $table:ident {
            $( $(#[$attribute:meta])* $field:ident: $type:ty => $kind:ident($($arguments:tt)*), )+
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, async_graphql::InputObject)]
        pub struct $name {
            $( $(#[$attribute])* pub $field: Option<$type>, )+
            pub and: Option<Vec<$name>>,
            pub or: Option<Vec<$name>>,
            pub not: Option<Box<$name>>,
        }

        impl $crate::graphql::filter::Filter for $name {
            type Table = $table::table;

            fn condition(
                &self,
                reference: &$crate::graphql::filter::ReferenceData,
            ) -> $crate::graphql::filter::OptionalCondition<$table::table> {
                // Imported here, not beside each filter: who declares a filter need not name diesel.
                use diesel::prelude::*;
                let mut conditions: Vec<schema::queries::Pred<$table::table>> = Vec::new();
                $( $crate::graphql::filter::field_condition!($kind, conditions, self, $field, reference, $($arguments)*); )+
                $crate::graphql::filter::combine!(self, conditions, $table::table, |part: &Self| part.condition(reference))
            }
        }
    };
}
pub(in crate::graphql) use filter;

/// The condition of one field of [`filter!`].
macro_rules! field_condition {
    (id, $conditions:ident, $filter:expr, $field:ident, $reference:ident, $column:expr) => {
        $crate::graphql::filter::equal_ops!($conditions, $filter.$field, $column, $crate::graphql::filter::as_id);
    };
    (word, $conditions:ident, $filter:expr, $field:ident, $reference:ident, $column:expr) => {
        $crate::graphql::filter::equal_ops!($conditions, $filter.$field, $column, $crate::graphql::filter::as_word);
    };
    (truth, $conditions:ident, $filter:expr, $field:ident, $reference:ident, $column:expr) => {
        $crate::graphql::filter::truth_ops!($conditions, $filter.$field, $column);
    };
    (time, $conditions:ident, $filter:expr, $field:ident, $reference:ident, $column:expr) => {
        $crate::graphql::filter::ordered_ops!($conditions, $filter.$field, $column, $crate::graphql::filter::as_time);
    };
    (value, $conditions:ident, $filter:expr, $field:ident, $reference:ident, $column:expr) => {
        $crate::graphql::filter::ordered_ops!($conditions, $filter.$field, $column, $crate::graphql::filter::as_is);
    };
    (money, $conditions:ident, $filter:expr, $field:ident, $reference:ident, $column:expr) => {
        $crate::graphql::filter::ordered_ops!($conditions, $filter.$field, $column, $crate::graphql::filter::as_money);
    };
    (text, $conditions:ident, $filter:expr, $field:ident, $reference:ident, $column:expr) => {
        $crate::graphql::filter::text_ops!($conditions, $filter.$field, $column);
    };
    (search, $conditions:ident, $filter:expr, $field:ident, $reference:ident, $($column:expr),+) => {
        if let Some(text) = &$filter.$field {
            let any: Vec<schema::queries::Pred<_>> = vec![$(Box::new(
                schema::db::search_text::phananh_plain($column.nullable())
                    .like(schema::db::search_text::anywhere(text))
                    .escape('\\'),
            )),+];
            $conditions.extend($crate::graphql::filter::balanced(any, |a, b| Box::new(a.or(b))));
        }
    };
    (relation, $conditions:ident, $filter:expr, $field:ident, $reference:ident, $key:expr => $table:ident, $id:expr) => {
        if let Some(filter) = &$filter.$field {
            let of = $crate::graphql::filter::selected!($table, filter, $reference);
            $conditions.push(Box::new(schema::queries::in_select($key, of.select($id))));
        }
    };
    (category, $conditions:ident, $filter:expr, $field:ident, $reference:ident, $key:expr, $selected:expr) => {
        if let Some(filter) = &$filter.$field {
            let of = $selected(filter, $reference)?;
            let of = of.select(schema::tables::issue_categories::id);
            $conditions.push(Box::new(schema::queries::in_select($key, of)));
        }
    };
    (
        through, $conditions:ident, $filter:expr, $field:ident, $reference:ident,
        $row:expr => $links:ident, $near:expr, $far:expr => $table:ident, $id:expr
    ) => {
        if let Some(filter) = &$filter.$field {
            let of = $crate::graphql::filter::selected!($table, filter, $reference);
            let links = $links::table
                .into_boxed::<schema::db::MultiBackend>()
                .filter(schema::queries::in_select($far, of.select($id)))
                .select($near);
            $conditions.push(Box::new(schema::queries::in_select($row, links)));
        }
    };
    (by, $conditions:ident, $filter:expr, $field:ident, $reference:ident, $condition:expr) => {
        if let Some(value) = &$filter.$field {
            $conditions.extend($condition(value, $reference)?);
        }
    };
    (whole, $conditions:ident, $filter:expr, $field:ident, $reference:ident, $condition:expr) => {
        if $filter.$field.is_some() {
            $conditions.extend($condition($filter)?);
        }
    };
}
pub(in crate::graphql) use field_condition;

/// The query of the rows of a table that a filter selects.
macro_rules! selected {
    ($table:ident, $filter:expr, $reference:expr) => {{
        let mut rows = $table::table.into_boxed::<schema::db::MultiBackend>();
        if let Some(condition) = $crate::graphql::filter::Filter::condition($filter, $reference)? {
            rows = rows.filter(condition);
        }
        rows
    }};
}
pub(in crate::graphql) use selected;

/// Joins two optional conditions by AND.
macro_rules! both {
    ($visible:expr, $selected:expr) => {
        match ($visible, $selected) {
            (None, selected) => selected,
            (visible, None) => visible,
            (Some(visible), Some(selected)) => {
                Some(Box::new(diesel::BoolExpressionMethods::and(visible, selected)) as schema::queries::Pred<_>)
            }
        }
    };
}
pub(crate) use both;
