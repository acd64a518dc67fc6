//! Counts of the four windows: local dates in (T − w, T].

use super::surprise::Adjusted;
use polars::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The windows, in days.
pub const WINDOWS: [i32; 4] = [30, 90, 180, 365];

/// Where only months are known, shorter windows than this hold one month or none by accident.
pub const SHORTEST_BY_MONTH: i32 = 90;

/// What one window shows of a subject.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WindowNumbers {
    pub days: i32,
    /// It is shorter than days are known for, so that nothing is said of it.
    #[serde(skip)]
    pub left_out: bool,
    pub complaints: u32,
    /// Episodes whose first complaint lies in the window.
    pub episodes: u32,
    /// Complaints without those found NOT_SUSTAINED.
    pub complaints_without_not_sustained: u32,
    /// Distinct enterprises, by complaint dates; a campaign counts as one.
    pub enterprises: u32,
    /// The same with each enterprise of a campaign counted.
    #[serde(default)]
    pub enterprises_of_campaigns_apart: u32,
    /// Complaints that stand in a campaign.
    #[serde(default)]
    pub campaign_complaints: u32,
    /// The same of complaints whose attribution is CONFIRMED.
    pub enterprises_confirmed: u32,
    /// The same without complaints found NOT_SUSTAINED.
    pub enterprises_without_not_sustained: u32,
    pub anonymous: u32,
    pub serious: u32,
    pub serious_confirmed: u32,
    /// Adjusted for exposure, in the windows that a tier takes its numbers from; None without exposure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjusted: Option<Adjusted>,
    /// The same of complaints whose attribution is CONFIRMED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjusted_confirmed: Option<Adjusted>,
}

/// A subject's place and its windows, in the order of places.
pub type SubjectWindows = (u32, [WindowNumbers; 4]);

/// The counts of each subject that has a complaint in the longest window, and the rows that they
/// were made of. `rows` have episodes, formed on the whole history, and campaigns.
pub fn windows(rows: &DataFrame, as_of: i32) -> PolarsResult<(Vec<SubjectWindows>, DataFrame)> {
    let within = |column: &str, days: i32| col(column).gt(lit(as_of - days)).and(col(column).lt_eq(lit(as_of)));
    let distinct_of = |column: &str, condition: Expr| {
        col(column).filter(condition.and(col(column).is_not_null())).n_unique().cast(DataType::UInt32)
    };
    let distinct = |condition: Expr| distinct_of("enterprise", condition);
    let count = |condition: Expr| condition.cast(DataType::UInt32).sum().cast(DataType::UInt32);
    let mut measures = Vec::new();
    for days in WINDOWS {
        let here = within("day", days);
        let name = |measure: &str| format!("{measure}_{days}");
        measures.extend([
            count(here.clone()).alias(name("complaints")),
            count(col("opens").and(within("episode_day", days))).alias(name("episodes")),
            distinct(here.clone()).alias(name("enterprises")),
            distinct_of("own", here.clone()).alias(name("apart")),
            count(here.clone().and(col("campaign").is_not_null())).alias(name("campaign")),
            distinct(here.clone().and(col("confirmed"))).alias(name("confirmed")),
            distinct(here.clone().and(col("not_sustained").not())).alias(name("without_not_sustained")),
            count(here.clone().and(col("not_sustained").not())).alias(name("complaints_without_not_sustained")),
            count(here.clone().and(col("anonymous"))).alias(name("anonymous")),
            count(here.clone().and(col("serious"))).alias(name("serious")),
            count(here.and(col("serious_confirmed"))).alias(name("serious_confirmed")),
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

/// Leaves short windows out for subjects of whom a complaint is counted that is known by its month alone.
pub fn leave_out(numbers: &mut [SubjectWindows], recent: &DataFrame, by_month: &HashSet<u32>) -> PolarsResult<()> {
    let subjects = subjects_by_month(recent, by_month)?;
    for (_, windows) in numbers.iter_mut().filter(|(place, _)| subjects.contains(place)) {
        for window in windows.iter_mut().filter(|window| window.days < SHORTEST_BY_MONTH) {
            window.left_out = true;
        }
    }
    Ok(())
}

/// The subjects of rows of whom a complaint is known by its month alone.
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
