//! The measures of `complaintStatistics`: one declaration of each makes the value to order by, the fields of the
//! answer, the condition in `having`, and the column of exports. Exports have the columns in the order of declaration.

use super::having::{Number, OperatorsOn, Ops};
use crate::graphql::filter::{DecimalOps, FloatOps, IntOps};
use crate::graphql::scalars::Decimal;
use async_graphql::{Enum, InputObject, SimpleObject};
use jobs::statistics::{GroupResult, Having, Measure, SelectedMeasures};
use std::sync::Arc;

/// Declares the measures. A measure has the name of a [`Measure`] and that of its fields, and:
///
/// - `group`: its type in the totals and in the earlier period, and its value of a group that is not suppressed;
/// - `row`: its nullable type in a row, where a suppressed group has none;
/// - `having`: the operators on it.
///
/// A doc comment above one of these describes the field.
macro_rules! measures {
    ($(
        $measure:ident $field:ident {
            $(#[$of_group:meta])*
            group: $type:ty = $value:expr,
            $(#[$of_row:meta])*
            row: $nullable:ty,
            $(#[$of_having:meta])*
            having: $ops:ty,
        }
    )+) => {
        /// A measure to order by.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
        pub enum StatisticsMeasure { $( $measure ),+ }

        impl From<StatisticsMeasure> for Measure {
            fn from(measure: StatisticsMeasure) -> Self {
                match measure { $( StatisticsMeasure::$measure => Self::$measure ),+ }
            }
        }

        impl StatisticsMeasure {
            /// The field of a group that shows it, in snake case.
            pub const fn field(self) -> &'static str {
                match self { $( Self::$measure => stringify!($field) ),+ }
            }

            /// The kind of number that it is.
            pub const fn number(self) -> Number {
                match self { $( Self::$measure => <$ops as OperatorsOn>::NUMBER ),+ }
            }
        }

        /// The measures of a group.
        #[derive(SimpleObject)]
        pub struct StatisticsMeasures {
            $( $(#[$of_group])* pub $field: $type, )+
        }

        impl StatisticsMeasures {
            /// None for a suppressed group.
            pub fn of(group: &GroupResult) -> Option<Self> {
                if group.suppressed {
                    return None;
                }
                $(
                    let value: fn(&GroupResult) -> $type = $value;
                    let $field = value(group);
                )+
                Some(Self { $( $field ),+ })
            }
        }

        /// The measures of a row.
        #[derive(SimpleObject)]
        pub struct RowMeasures {
            $( $(#[$of_row])* pub $field: $nullable, )+
        }

        impl From<Option<StatisticsMeasures>> for RowMeasures {
            fn from(measures: Option<StatisticsMeasures>) -> Self {
                match measures {
                    Some(measures) => Self { $( $field: measures.$field.into() ),+ },
                    None => Self { $( $field: None ),+ },
                }
            }
        }

        /// Conditions on the measures of the groups to keep. A suppressed group has no measures: only `isNull: true`
        /// keeps it.
        #[derive(Debug, Clone, Default, InputObject)]
        pub struct StatisticsHaving {
            $( $(#[$of_having])* pub $field: Option<$ops>, )+
            pub and: Option<Vec<StatisticsHaving>>,
            pub or: Option<Vec<StatisticsHaving>>,
            pub not: Option<Box<StatisticsHaving>>,
        }

        impl StatisticsHaving {
            /// The measures that have operators.
            fn own(&self) -> Vec<(Measure, Ops)> {
                let all = [ $( (Measure::$measure, self.$field.as_ref().map(Ops::from)) ),+ ];
                all.into_iter().filter_map(|(measure, ops)| Some((measure, ops?))).collect()
            }
        }
    };
}

measures! {
    Complaints complaints {
        group: u32 = |group| group.measures.complaints,
        /// Null if the group is suppressed.
        row: Option<u32>,
        having: IntOps,
    }
    Episodes episodes {
        /// Episodes: the complaints of one enterprise about one branch within a week of the first count as one.
        group: u32 = |group| group.measures.episodes,
        /// Episodes: the complaints of one enterprise about one branch within a week of the first count as one.
        /// Null if the group is suppressed.
        row: Option<u32>,
        having: IntOps,
    }
    DistinctEnterprises distinct_enterprises {
        /// Enterprises that complained. Those of one group, and the branches of one, count once; anonymous
        /// complaints count as none.
        group: u32 = |group| group.measures.distinct_enterprises,
        /// Enterprises that complained. Those of one group, and the branches of one, count once; anonymous
        /// complaints count as none. Null if the group is suppressed.
        row: Option<u32>,
        having: IntOps,
    }
    DistinctOfficers distinct_officers {
        /// Officers that the complaints name.
        group: u32 = |group| group.measures.distinct_officers,
        /// Officers that the complaints name.
        row: Option<u32>,
        having: IntOps,
    }
    CostVnd cost_vnd {
        /// Sum of stated costs in VND. For a DASHBOARD null if one enterprise has more than half of it.
        group: Option<Decimal> = |group| (!group.cost_hidden).then_some(Decimal(group.measures.cost_vnd)),
        /// Sum of stated costs in VND. For a DASHBOARD null if the group is suppressed or one enterprise has more
        /// than half of the sum.
        row: Option<Decimal>,
        /// In VND.
        having: DecimalOps,
    }
    DelayHours delay_hours {
        /// Sum of stated delays in hours. For a DASHBOARD null if one enterprise has more than half of it.
        group: Option<f64> = |group| (!group.delay_hidden).then_some(group.measures.delay_hours),
        /// Sum of stated delays in hours; null as for `costVnd`.
        row: Option<f64>,
        /// In hours.
        having: FloatOps,
    }
    Open open {
        /// Complaints that are open.
        group: u32 = |group| group.measures.open,
        /// Complaints that are open.
        row: Option<u32>,
        having: IntOps,
    }
    Overdue overdue {
        /// Complaints that are open, not answered in their present round, and after their deadline.
        group: u32 = |group| group.measures.overdue,
        /// Complaints that are open, not answered in their present round, and after their deadline.
        row: Option<u32>,
        having: IntOps,
    }
    Escalated escalated {
        /// Complaints that were escalated.
        group: u32 = |group| group.measures.escalated,
        /// Complaints that were escalated.
        row: Option<u32>,
        having: IntOps,
    }
    Reopened reopened {
        /// Complaints that were reopened.
        group: u32 = |group| group.measures.reopened,
        /// Complaints that were reopened.
        row: Option<u32>,
        having: IntOps,
    }
    ShareAnsweredInTime share_answered_in_time {
        /// Share answered by the deadline, from 0 to 1, of the complaints whose deadline has passed; null if there
        /// are none.
        group: Option<f64> = |group| group.measures.share_in_time(),
        /// Share answered by the deadline, from 0 to 1, of the complaints whose deadline has passed; null if there
        /// are none or the group is suppressed.
        row: Option<f64>,
        /// From 0 to 1.
        having: FloatOps,
    }
    MedianDaysToResponse median_days_to_response {
        /// Median days to the first response (Kaplan and Meier; complaints without a response are censored); null
        /// if the estimate never reaches half.
        group: Option<f64> = |group| group.measures.median_days,
        /// Median days to the first response (Kaplan and Meier); null if the estimate never reaches half or the
        /// group is suppressed.
        row: Option<f64>,
        /// In days.
        having: FloatOps,
    }
}

type Test = Arc<dyn Fn(&GroupResult) -> bool + Send + Sync>;

impl StatisticsHaving {
    /// The condition. Adds the measures that it needs to `wanted`.
    pub fn condition(&self, wanted: &mut SelectedMeasures) -> Having {
        Having(self.test(wanted))
    }

    fn test(&self, wanted: &mut SelectedMeasures) -> Test {
        let own = self.own();
        own.iter().for_each(|(measure, _)| wanted.add(*measure));
        let mut all = |parts: &Option<Vec<Self>>| -> Option<Vec<Test>> {
            parts.as_ref().map(|parts| parts.iter().map(|part| part.test(wanted)).collect())
        };
        let and = all(&self.and).unwrap_or_default();
        let or = all(&self.or);
        let not = self.not.as_ref().map(|part| part.test(wanted));
        Arc::new(move |cell| {
            own.iter().all(|(measure, ops)| ops.holds(cell.value(*measure)))
                && and.iter().all(|part| part(cell))
                && or.as_ref().is_none_or(|parts| parts.iter().any(|part| part(cell)))
                && not.as_ref().is_none_or(|part| !part(cell))
        })
    }
}
