//! The macros that declare the orders of a list: by its fields, or also by a measure of the complaints of each row.

/// Defines the sort fields and the order input of a list. Sorts may hold a value that `list` is given.
macro_rules! order {
    ($field:ident, $order:ident, $sort:path { $($variant:ident $(($value:ident))?),+ } $(given $given:ident: $type:ty,)? default $default:ident $direction:ident) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
        pub enum $field { $($variant),+ }

        #[derive(Debug, Clone, Copy, async_graphql::InputObject)]
        pub struct $order {
            pub field: $field,
            #[graphql(default_with = "crate::graphql::page::SortDirection::Asc")]
            pub direction: $crate::graphql::page::SortDirection,
        }

        impl $order {
            pub fn list(order: Option<Vec<Self>> $(, $given: $type)?) -> Vec<($sort, schema::queries::Direction)> {
                use $sort as Sort;
                match order.filter(|order| !order.is_empty()) {
                    None => vec![(Sort::$default, schema::queries::Direction::$direction)],
                    Some(order) => order
                        .into_iter()
                        .map(|one| (match one.field { $($field::$variant => Sort::$variant $(($value))?),+ }, one.direction.into()))
                        .collect(),
                }
            }
        }
    };
}
pub(in crate::graphql) use order;

/// The same, for a list that can also be ordered by a measure of the complaints of each row.
macro_rules! measured_order {
    ($field:ident, $order:ident, $sort:path { $($variant:ident),+ } default $default:ident $direction:ident) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
        pub enum $field { $($variant),+ }

        /// An order by a field, or by a measure of the complaints of each row. An order by a measure must be
        /// the only one, else BAD_USER_INPUT; rows without complaints come last.
        #[derive(Debug, Clone, async_graphql::InputObject)]
        pub struct $order {
            pub field: Option<$field>,
            /// Default: ASC for a field, DESC for a measure.
            pub direction: Option<$crate::graphql::page::SortDirection>,
            pub measure: Option<$crate::graphql::types::statistics::StatisticsMeasure>,
            /// The complaints to measure. Only with `measure`.
            pub filter: Option<$crate::graphql::types::statistics::ComplaintStatisticsFilter>,
            /// Measure only complaints of the last `days` days (1 to 36,500). Only with `measure`.
            pub days: Option<i32>,
        }

        impl $order {
            /// The fields to order by, or the measure.
            ///
            /// # Errors
            /// BAD_USER_INPUT if an order mixes fields and measures.
            pub fn list(order: Option<Vec<Self>>) -> async_graphql::Result<std::result::Result<Vec<($sort, schema::queries::Direction)>, $crate::graphql::types::statistics::ByMeasure>> {
                use $sort as Sort;
                let mut order = order.unwrap_or_default();
                if let Some(at) = order.iter().position(|one| one.measure.is_some()) {
                    let one = order.swap_remove(at);
                    let (Some(measure), None, true) = (one.measure, one.field, order.is_empty()) else {
                        return Err($crate::graphql::error::bad_input("orderBy: an order by a measure must be the only one"));
                    };
                    let direction = one.direction.unwrap_or($crate::graphql::page::SortDirection::Desc);
                    return Ok(Err($crate::graphql::types::statistics::ByMeasure { measure, direction, filter: one.filter, days: one.days }));
                }
                if order.is_empty() {
                    return Ok(Ok(vec![(Sort::$default, schema::queries::Direction::$direction)]));
                }
                let field = |one: &Self| match one.field {
                    _ if one.filter.is_some() || one.days.is_some() => Err($crate::graphql::error::bad_input("orderBy: filter and days need a measure")),
                    Some(field) => Ok((
                        match field { $($field::$variant => Sort::$variant),+ },
                        one.direction.unwrap_or($crate::graphql::page::SortDirection::Asc).into(),
                    )),
                    None => Err($crate::graphql::error::bad_input("orderBy: give a field or a measure")),
                };
                Ok(Ok(order.iter().map(field).collect::<async_graphql::Result<Vec<_>>>()?))
            }
        }
    };
}
pub(in crate::graphql) use measured_order;
