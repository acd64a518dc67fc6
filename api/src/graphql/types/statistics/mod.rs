//! Statistics of complaints: the query `complaintStatistics`, its arguments and its answer, and lists ordered by a
//! measure.

mod answer;
mod conditions;
mod dimensions;
mod having;
mod measures;
mod order_by_measure;
mod period;
mod query;
mod request;

pub use answer::ComplaintStatistics;
pub use conditions::{concerning, conditions, first_day, officers};
pub use dimensions::{ComplaintStatisticsFilter, StatisticsDimension};
pub use measures::{StatisticsHaving, StatisticsMeasure};
pub use order_by_measure::{ByMeasure, IdAtPlace, MeasureSources, list_by_measure};
pub use period::StatisticsComparison;
pub use query::StatisticsQueries;
pub use request::{Arguments, StatisticsOrder, days, disguise, past_day, question, today};
