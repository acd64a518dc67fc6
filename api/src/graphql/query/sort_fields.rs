//! How lists can be ordered.

use crate::graphql::error::bad_input;
use crate::graphql::order_by_measure::ByMeasure;
use crate::graphql::page::SortDirection;
use crate::graphql::statistics::{ComplaintStatisticsFilter, StatisticsMeasure};
use async_graphql::{Enum, InputObject, Result};
use schema::queries::{self, Direction};

/// Defines how a list can be ordered.
macro_rules! order {
    ($field:ident, $order:ident, $sort:path { $($variant:ident),+ } default $default:ident $direction:ident) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
        pub enum $field { $($variant),+ }

        #[derive(Debug, Clone, Copy, InputObject)]
        pub struct $order {
            pub field: $field,
            #[graphql(default_with = "SortDirection::Asc")]
            pub direction: SortDirection,
        }

        impl $order {
            pub fn list(order: Option<Vec<Self>>) -> Vec<($sort, Direction)> {
                use $sort as Sort;
                match order.filter(|order| !order.is_empty()) {
                    None => vec![(Sort::$default, Direction::$direction)],
                    Some(order) => order
                        .into_iter()
                        .map(|one| (match one.field { $($field::$variant => Sort::$variant),+ }, one.direction.into()))
                        .collect(),
                }
            }
        }
    };
}

/// The same for a list that can also be ordered by a measure of the complaints of its rows.
macro_rules! measured_order {
    ($field:ident, $order:ident, $sort:path { $($variant:ident),+ } default $default:ident $direction:ident) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
        pub enum $field { $($variant),+ }

        /// By a field, or by a measure of the complaints of each row: then it is the only order, and rows without
        /// complaints come last.
        #[derive(Debug, Clone, InputObject)]
        pub struct $order {
            pub field: Option<$field>,
            /// ASC for fields and DESC for measures unless told.
            pub direction: Option<SortDirection>,
            pub measure: Option<StatisticsMeasure>,
            /// Which complaints are measured.
            pub filter: Option<ComplaintStatisticsFilter>,
            /// Only those of the last so many days.
            pub days: Option<i32>,
        }

        impl $order {
            /// The fields to order by, or the measure.
            pub fn list(order: Option<Vec<Self>>) -> Result<std::result::Result<Vec<($sort, Direction)>, ByMeasure>> {
                use $sort as Sort;
                let mut order = order.unwrap_or_default();
                if let Some(at) = order.iter().position(|one| one.measure.is_some()) {
                    let one = order.swap_remove(at);
                    let (Some(measure), None, true) = (one.measure, one.field, order.is_empty()) else {
                        return Err(bad_input("orderBy: a measure is the only order"));
                    };
                    let direction = one.direction.unwrap_or(SortDirection::Desc);
                    return Ok(Err(ByMeasure { measure, direction, filter: one.filter, days: one.days }));
                }
                if order.is_empty() {
                    return Ok(Ok(vec![(Sort::$default, Direction::$direction)]));
                }
                let field = |one: &Self| match one.field {
                    _ if one.filter.is_some() || one.days.is_some() => Err(bad_input("orderBy: filter and days go with a measure")),
                    Some(field) => Ok((
                        match field { $($field::$variant => Sort::$variant),+ },
                        one.direction.unwrap_or(SortDirection::Asc).into(),
                    )),
                    None => Err(bad_input("orderBy: name a field or a measure")),
                };
                Ok(Ok(order.iter().map(field).collect::<Result<Vec<_>>>()?))
            }
        }
    };
}

order!(ComplaintOrderField, ComplaintOrder, queries::ComplaintSort { ReceivedAt, RecordedAt, StateSince, CostVnd, DelayHours } default ReceivedAt Desc);
measured_order!(UnitOrderField, UnitOrder, queries::UnitSort { Code, NameVi, Kind } default Code Asc);
measured_order!(OfficerOrderField, OfficerOrder, queries::OfficerSort { Code, Name } default Code Asc);
measured_order!(EnterpriseOrderField, EnterpriseOrder, queries::EnterpriseSort { TaxCode, Name } default TaxCode Asc);
measured_order!(IssueCategoryOrderField, IssueCategoryOrder, queries::CategorySort { Code, NameVi, Kind } default Code Asc);
order!(UnitResponseOrderField, UnitResponseOrder, queries::ResponseSort { RespondedAt } default RespondedAt Desc);
order!(FlagOrderField, FlagOrder, queries::FlagSort { ChangedAt, OpenedAt, Tier } default Tier Desc);
order!(JobRunOrderField, JobRunOrder, queries::JobRunSort { StartedAt } default StartedAt Desc);

order!(DigestOrderField, DigestOrder, queries::DigestSort { CreatedAt } default CreatedAt Desc);
order!(
    PrincipalOrderField,
    PrincipalOrder,
    queries::PrincipalSort { Name, CreatedAt } default Name Asc
);
order!(AuditOrderField, AuditOrder, queries::AuditSort { At } default At Desc);
order!(
    GuidanceDocumentOrderField,
    GuidanceDocumentOrder,
    queries::GuidanceSort { RequestedAt, StateSince } default RequestedAt Desc
);
order!(
    ProposalOrderField,
    ProposalOrder,
    queries::ProposalSort { ProposedAt, StateSince } default ProposedAt Desc
);
order!(
    MeasureOrderField,
    MeasureOrder,
    queries::MeasureSort { DecidedOn, StartsOn, RecordedAt } default DecidedOn Desc
);
