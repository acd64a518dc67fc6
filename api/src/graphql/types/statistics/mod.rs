//! Statistics of complaints: the query `complaintStatistics`, its arguments and its answer, and lists ordered by a
//! measure.

mod answer;
mod conditions;
mod dimensions;
mod fields;
mod filter;
mod having;
mod lake;
mod measures;
mod order_by_measure;
mod period;
mod query;
mod request;
mod selection;
mod word_sets;

pub use answer::ComplaintStatistics;
pub use conditions::{concerning, first_day};
pub use dimensions::{DimensionFilter, Shown, StatisticsDimension};
pub use fields::{camel_case, is_part_of_an_answer};
pub use filter::ComplaintStatisticsFilter;
pub use having::Number;
pub use measures::{StatisticsHaving, StatisticsMeasure};
pub use order_by_measure::{ByMeasure, IdAtIndex, MeasureSources, list_by_measure};
pub use period::StatisticsComparison;
pub use query::StatisticsQueries;
pub use request::{Arguments, PastColumns, StatisticsOrder, days, disguise, past_day, question, today};
pub use selection::Selection;
