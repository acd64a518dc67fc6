//! Sources whose complaints have a month of receipt and no day.

use chrono::{Days, NaiveDate};
use diesel::dsl::count_star;
use diesel::prelude::*;
use schema::domain::calendar::start_of_day;
use schema::tables::{complaint_sources, complaints};
use schema::{Conn, StoreError};
use serde::{Deserialize, Serialize};

/// A source, and its number of complaints with only a month of receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthlySource {
    pub source: String,
    pub complaints: i64,
}

/// The sources of complaints without a day, received in the `days` days up to `as_of`; by name.
///
/// # Errors
/// If the database cannot be read.
pub fn monthly_sources(conn: &mut Conn, as_of: NaiveDate, days: u64) -> Result<Vec<MonthlySource>, StoreError> {
    let from = start_of_day(as_of + Days::new(1) - Days::new(days));
    let until = start_of_day(as_of + Days::new(1));
    let rows: Vec<(String, i64)> = complaint_sources::table
        .inner_join(complaints::table.on(complaints::id.eq(complaint_sources::complaint_id)))
        .filter(complaints::received_precision.is_not_null())
        .filter(complaints::received_at.ge(from))
        .filter(complaints::received_at.lt(until))
        .group_by(complaint_sources::source)
        .order(complaint_sources::source)
        .select((complaint_sources::source, count_star()))
        .load(conn)?;
    Ok(rows.into_iter().map(|(source, complaints)| MonthlySource { source, complaints }).collect())
}
