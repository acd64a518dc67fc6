//! Statistics of complaints: the query `complaintStatistics`, its arguments and its answer, and lists ordered by a
//! measure.

mod answer;
mod conditions;
mod dimensions;
mod filter;
mod having;
mod lake;
mod measures;
mod order_by_measure;
mod period;
mod query;
mod request;
mod selection;

pub use answer::ComplaintStatistics;
pub use conditions::{concerning, first_day};
pub use dimensions::StatisticsDimension;
pub use filter::ComplaintStatisticsFilter;
pub use measures::{StatisticsHaving, StatisticsMeasure};
pub use order_by_measure::{ByMeasure, IdAtPlace, MeasureSources, list_by_measure};
pub use period::StatisticsComparison;
pub use query::StatisticsQueries;
pub use request::{Arguments, StatisticsOrder, days, disguise, past_day, question, today};
pub use selection::Selection;
