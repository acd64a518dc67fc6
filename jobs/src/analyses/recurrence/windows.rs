//! Counts of each subject in four windows of local dates, (T − w, T] with T the as-of day.

use super::significance::Adjusted;
use crate::facts::lookback::{SHORTEST_BY_MONTH, WINDOWS};
use polars::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The numbers of one subject in one window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WindowNumbers {
    pub days: i32,
    /// Whether the window is ignored: it is shorter than 90 days, and a complaint is known by its month alone.
    #[serde(skip)]
    pub left_out: bool,
    pub complaints: u32,
    /// Episodes whose first complaint lies in the window.
    pub episodes: u32,
    /// Complaints without those found NOT_SUSTAINED.
    pub complaints_without_not_sustained: u32,
    /// Distinct enterprises, by complaint dates; a campaign counts as one.
    pub enterprises: u32,
    /// Distinct enterprises, with each enterprise of a campaign counted.
    #[serde(default)]
    pub enterprises_of_campaigns_apart: u32,
    /// Complaints that belong to a campaign.
    #[serde(default)]
    pub campaign_complaints: u32,
    /// `enterprises`, of complaints whose attribution is CONFIRMED.
    pub enterprises_confirmed: u32,
    /// `enterprises`, without complaints found NOT_SUSTAINED.
    pub enterprises_without_not_sustained: u32,
    pub anonymous: u32,
    pub serious: u32,
    pub serious_confirmed: u32,
    /// Numbers adjusted for exposure, in the windows that a tier uses; None without exposure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjusted: Option<Adjusted>,
    /// `adjusted`, of complaints whose attribution is CONFIRMED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjusted_confirmed: Option<Adjusted>,
}

/// A subject's place and its windows.
pub type SubjectWindows = (u32, [WindowNumbers; 4]);

/// The counts of each subject with a complaint in the longest window, sorted by place, and the rows they come
/// from. `rows` have campaigns, and episodes formed on the whole history.
pub fn windows(rows: &DataFrame, as_of: i32) -> PolarsResult<(Vec<SubjectWindows>, DataFrame)> {
    let within = |column: &str, days: i32| col(column).gt(lit(as_of - days)).and(col(column).lt_eq(lit(as_of)));
    let distinct_of = |column: &str, condition: Expr| {
        col(column).filter(condition.and(col(column).is_not_null())).n_unique().cast(DataType::UInt32)
    };
    let distinct = |condition: Expr| distinct_of("enterprise", condition);
    let count = |condition: Expr| condition.cast(DataType::UInt32).sum().cast(DataType::UInt32);
    let mut measures = Vec::new();
    for days in WINDOWS {
        let in_window = within("day", days);
        let name = |measure: &str| format!("{measure}_{days}");
        measures.extend([
            count(in_window.clone()).alias(name("complaints")),
            count(col("opens").and(within("episode_day", days))).alias(name("episodes")),
            distinct(in_window.clone()).alias(name("enterprises")),
            distinct_of("own", in_window.clone()).alias(name("apart")),
            count(in_window.clone().and(col("campaign").is_not_null())).alias(name("campaign")),
            distinct(in_window.clone().and(col("confirmed"))).alias(name("confirmed")),
            distinct(in_window.clone().and(col("not_sustained").not())).alias(name("without_not_sustained")),
            count(in_window.clone().and(col("not_sustained").not())).alias(name("complaints_without_not_sustained")),
            count(in_window.clone().and(col("anonymous"))).alias(name("anonymous")),
            count(in_window.clone().and(col("serious"))).alias(name("serious")),
            count(in_window.and(col("serious_confirmed"))).alias(name("serious_confirmed")),
        ]);
    }
    let longest = WINDOWS[WINDOWS.len() - 1];
    let recent = rows.clone().lazy().filter(within("day", longest)).collect()?;
    let table = recent
        .clone()
        .lazy()
        .group_by([col("subject")])
        .agg(measures)
        .sort(["subject"], SortMultipleOptions::default())
        .collect()?;
    Ok((read(&table)?, recent))
}

/// Leaves out short windows of subjects with a complaint that is known by its month alone. `recent` has
/// `subject` and `complaint` (u32); `by_month` are places of complaints.
pub fn leave_out(numbers: &mut [SubjectWindows], recent: &DataFrame, by_month: &HashSet<u32>) -> PolarsResult<()> {
    let subjects = subjects_by_month(recent, by_month)?;
    for (_, windows) in numbers.iter_mut().filter(|(place, _)| subjects.contains(place)) {
        for window in windows.iter_mut().filter(|window| window.days < SHORTEST_BY_MONTH) {
            window.left_out = true;
        }
    }
    Ok(())
}

/// The subjects of `rows` with a complaint that is known by its month alone.
pub fn subjects_by_month(rows: &DataFrame, by_month: &HashSet<u32>) -> PolarsResult<HashSet<u32>> {
    if by_month.is_empty() {
        return Ok(HashSet::new());
    }
    let pairs = rows.column("subject")?.u32()?.iter().zip(rows.column("complaint")?.u32()?.iter());
    Ok(pairs
        .filter(|(_, complaint)| complaint.is_some_and(|place| by_month.contains(&place)))
        .filter_map(|pair| pair.0)
        .collect())
}

fn read(table: &DataFrame) -> PolarsResult<Vec<SubjectWindows>> {
    let subjects = table.column("subject")?.u32()?;
    let mut result: Vec<SubjectWindows> =
        subjects.iter().map(|subject| (subject.unwrap_or(u32::MAX), Default::default())).collect();
    for (at, days) in WINDOWS.into_iter().enumerate() {
        let mut fill = |measure: &str, set: fn(&mut WindowNumbers, u32)| -> PolarsResult<()> {
            let column = table.column(&format!("{measure}_{days}"))?.u32()?;
            for ((_, windows), value) in result.iter_mut().zip(column.iter()) {
                windows[at].days = days;
                set(&mut windows[at], value.unwrap_or(0));
            }
            Ok(())
        };
        fill("complaints", |window, n| window.complaints = n)?;
        fill("episodes", |window, n| window.episodes = n)?;
        fill("enterprises", |window, n| window.enterprises = n)?;
        fill("apart", |window, n| window.enterprises_of_campaigns_apart = n)?;
        fill("campaign", |window, n| window.campaign_complaints = n)?;
        fill("confirmed", |window, n| window.enterprises_confirmed = n)?;
        fill("without_not_sustained", |window, n| window.enterprises_without_not_sustained = n)?;
        fill("complaints_without_not_sustained", |window, n| window.complaints_without_not_sustained = n)?;
        fill("anonymous", |window, n| window.anonymous = n)?;
        fill("serious", |window, n| window.serious = n)?;
        fill("serious_confirmed", |window, n| window.serious_confirmed = n)?;
    }
    Ok(result)
}
