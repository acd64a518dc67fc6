//! Conditions on the measures of groups.

use crate::graphql::filter::{DecimalOps, FloatOps, IntOps};
use async_graphql::{InputObject, Result};
use jobs::statistics::{GroupResult, Having, Measure, Wanted};
use std::sync::Arc;

/// Which groups to keep, by their measures. A suppressed group has no measures: only `isNull: true` keeps it.
#[derive(Debug, Clone, Default, InputObject)]
pub struct StatisticsHaving {
    pub complaints: Option<IntOps>,
    pub episodes: Option<IntOps>,
    pub distinct_enterprises: Option<IntOps>,
    pub distinct_officers: Option<IntOps>,
    /// In VND.
    pub cost_vnd: Option<DecimalOps>,
    /// In hours.
    pub delay_hours: Option<FloatOps>,
    /// From 0 to 1.
    pub share_answered_in_time: Option<FloatOps>,
    /// In days.
    pub median_days_to_response: Option<FloatOps>,
    pub and: Option<Vec<StatisticsHaving>>,
    pub or: Option<Vec<StatisticsHaving>>,
    pub not: Option<Box<StatisticsHaving>>,
}

type Test = Arc<dyn Fn(&GroupResult) -> bool + Send + Sync>;

/// The operators on a measure, with operands as numbers.
#[derive(Default)]
struct Ops {
    eq: Option<f64>,
    ne: Option<f64>,
    one_of: Option<Vec<f64>>,
    gt: Option<f64>,
    gte: Option<f64>,
    lt: Option<f64>,
    lte: Option<f64>,
    is_null: Option<bool>,
}

macro_rules! ops {
    ($given:expr, $number:expr) => {
        $given.as_ref().map(|ops| Ops {
            eq: ops.eq.as_ref().map($number),
            ne: ops.ne.as_ref().map($number),
            one_of: ops.r#in.as_ref().map(|values| values.iter().map($number).collect()),
            gt: ops.gt.as_ref().map($number),
            gte: ops.gte.as_ref().map($number),
            lt: ops.lt.as_ref().map($number),
            lte: ops.lte.as_ref().map($number),
            is_null: ops.is_null,
        })
    };
}

impl Ops {
    fn holds(&self, value: Option<f64>) -> bool {
        if self.is_null.is_some_and(|null| null != value.is_none()) {
            return false;
        }
        let Some(value) = value else {
            let compares = self.one_of.is_some()
                || [self.eq, self.ne, self.gt, self.gte, self.lt, self.lte].iter().any(Option::is_some);
            return !compares;
        };
        self.eq.is_none_or(|other| value == other)
            && self.ne.is_none_or(|other| value != other)
            && self.one_of.as_ref().is_none_or(|all| all.contains(&value))
            && self.gt.is_none_or(|other| value > other)
            && self.gte.is_none_or(|other| value >= other)
            && self.lt.is_none_or(|other| value < other)
            && self.lte.is_none_or(|other| value <= other)
    }
}

impl StatisticsHaving {
    /// The condition. Adds the measures that it needs to `wanted`.
    pub fn condition(&self, wanted: &mut Wanted) -> Result<Having> {
        Ok(Having(self.test(wanted)))
    }

    fn test(&self, wanted: &mut Wanted) -> Test {
        let number = |n: &i32| f64::from(*n);
        let float = |x: &f64| *x;
        let measures = [
            (Measure::Complaints, ops!(self.complaints, number)),
            (Measure::Episodes, ops!(self.episodes, number)),
            (Measure::DistinctEnterprises, ops!(self.distinct_enterprises, number)),
            (Measure::DistinctOfficers, ops!(self.distinct_officers, number)),
            (Measure::CostVnd, ops!(self.cost_vnd, |amount| amount.0 as f64)),
            (Measure::DelayHours, ops!(self.delay_hours, float)),
            (Measure::ShareAnsweredInTime, ops!(self.share_answered_in_time, float)),
            (Measure::MedianDaysToResponse, ops!(self.median_days_to_response, float)),
        ];
        let own: Vec<(Measure, Ops)> =
            measures.into_iter().filter_map(|(measure, ops)| Some((measure, ops?))).collect();
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
