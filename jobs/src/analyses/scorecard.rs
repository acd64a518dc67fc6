//! Scorecards: counts, costs and timeliness of the complaints about one unit or one officer over a number of
//! days. Pure functions of the facts of a snapshot.

use crate::JobError;
use crate::analyses::recurrence::with_episodes;
use crate::analyses::timeliness::{Handled, handled, measures, median_survival, read, times};
use crate::numeric::survival::Waiting;
use crate::sums::costs_and_delays;
use polars::prelude::*;
use schema::Id;
use schema::enums::CategoryKind;
use std::collections::BTreeSet;

/// Complaints of one enterprise about one subject within this many days are one episode.
const EPISODE_DAYS: i32 = 7;

/// A scorecard.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scorecard {
    /// Timeliness of complaints of any kind.
    pub handled: Handled,
    /// Episodes of conduct complaints that were not withdrawn or rejected, dated by their first complaint.
    pub episodes: u32,
    /// An enterprise group counts once; anonymous complaints do not count.
    pub distinct_enterprises: u32,
    pub cost_vnd: i64,
    pub delay_hours: f64,
    /// (days, share still waiting after them) at each day with a first response (Kaplan and Meier).
    pub waiting: Vec<(f64, f64)>,
    /// The days that complaints without a response have waited, each number once, in order.
    pub still_waiting: Vec<i32>,
}

/// The facts that match `within`, with the columns of [`Snapshot`](crate::snapshot::Snapshot) and a bool column
/// `conduct`: whether the complaint is about conduct.
///
/// # Errors
/// If `facts` lacks `kind` or a column of `within`.
pub fn rows_of_unit(facts: &DataFrame, within: Expr) -> PolarsResult<DataFrame> {
    let conduct = col("kind").eq(lit(CategoryKind::Conduct.place())).fill_null(lit(false));
    facts.clone().lazy().filter(within).with_column(conduct.alias("conduct")).collect()
}

/// The facts of the given complaints that match `within`, with the columns of [`Snapshot`](crate::snapshot::Snapshot)
/// and a bool column `conduct`. `complaints` has the id of each complaint that names the officer, and its value of
/// `conduct`: whether it has an allegation about conduct that was not found UNFOUNDED or EXONERATED.
///
/// # Errors
/// If `facts` lacks `id_high`, `id_low` or a column of `within`.
pub fn rows_of_officer(facts: &DataFrame, complaints: &[(Id, bool)], within: Expr) -> PolarsResult<DataFrame> {
    let halves = complaints.iter().map(|(id, _)| id.0.as_u64_pair());
    let (high, low): (Vec<u64>, Vec<u64>) = halves.unzip();
    let named = DataFrame::new(
        complaints.len(),
        vec![
            Column::new("id_high".into(), high),
            Column::new("id_low".into(), low),
            Column::new("conduct".into(), complaints.iter().map(|(_, conduct)| *conduct).collect::<Vec<_>>()),
        ],
    )?;
    let keys = || [col("id_high"), col("id_low")];
    facts.clone().lazy().filter(within).join(named.lazy(), keys(), keys(), JoinArgs::new(JoinType::Inner)).collect()
}

/// The scorecard of rows of [`rows_of_unit`] or [`rows_of_officer`], over `days` days up to `as_of` (days
/// since 1970); with `days` None over all days.
///
/// # Errors
/// `Question` if costs or delays add up to more than can be counted.
pub fn scorecard(rows: &DataFrame, as_of: i32, days: Option<i32>) -> Result<Scorecard, JobError> {
    let from = days.map_or(i32::MIN, |days| as_of.saturating_sub(days));
    let recent = handled(rows, as_of)?.filter(col("day").gt(lit(from))).collect()?;
    let sums = recent
        .clone()
        .lazy()
        .select([col("enterprise").drop_nulls().n_unique().cast(DataType::UInt32).alias("enterprises")])
        .collect()?;
    let (cost_vnd, delay_hours) = costs_and_delays(&recent)?;
    let table = recent.clone().lazy().select(measures()).collect()?;
    let mut handled = read(&table, 0)?;
    let times = times(&recent)?;
    handled.median_days = median_survival(times.clone());
    let censored: BTreeSet<i32> = times.iter().filter(|(_, answered)| !answered).map(|(days, _)| *days).collect();
    Ok(Scorecard {
        handled,
        episodes: episodes(rows, as_of, from)?,
        distinct_enterprises: sums.column("enterprises")?.u32()?.get(0).unwrap_or(0),
        cost_vnd,
        delay_hours,
        waiting: Waiting::new(times.into_iter().map(|(days, answered)| (f64::from(days), answered)).collect()).steps,
        still_waiting: censored.into_iter().collect(),
    })
}

/// Counts the episodes that begin after `from`. They are formed on the whole history first, so that the start
/// of the period cuts none in two.
fn episodes(rows: &DataFrame, as_of: i32, from: i32) -> Result<u32, JobError> {
    let void = [schema::enums::ComplaintState::Withdrawn, schema::enums::ComplaintState::Rejected]
        .map(|state| col("state").eq(lit(state.place())))
        .into_iter()
        .reduce(Expr::or)
        .unwrap_or(lit(false));
    // A complaint that was withdrawn after the as-of day counted on that day.
    let void = void.and(col("ended").is_not_null()).and(col("ended").lt_eq(lit(as_of)));
    let counted = rows
        .clone()
        .lazy()
        .filter(col("conduct").and(col("day").lt_eq(lit(as_of))).and(void.not()))
        .select([
            lit(0u32).cast(DataType::UInt32).alias("subject"),
            col("enterprise"),
            col("enterprise").is_null().alias("anonymous"),
            col("day"),
            col("id_high"),
            col("id_low"),
        ])
        .sort(["enterprise", "day", "id_high", "id_low"], SortMultipleOptions::default())
        .collect()?;
    let counted = with_episodes(&counted, EPISODE_DAYS)?;
    let opens = counted.column("opens")?.bool()?;
    let day = counted.column("episode_day")?.i32()?;
    let here =
        opens.iter().zip(day.iter()).filter(|(opens, day)| *opens == Some(true) && day.is_some_and(|d| d > from));
    Ok(u32::try_from(here.count()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::enums::ComplaintState::{Assigned, Withdrawn};

    #[test]
    fn a_scorecard_counts_what_is_written_by_hand() {
        // Enterprise 1 three times, within and beyond a week; an anonymous complaint; one not about conduct;
        // one withdrawn; one long ago.
        let days = [100, 105, 108, 103, 104, 110, 1];
        let enterprise = [Some(1u32), Some(1), Some(1), None, Some(2), Some(3), Some(4)];
        let conduct = [true, true, true, true, false, true, true];
        let state = [Assigned, Assigned, Assigned, Assigned, Assigned, Withdrawn, Assigned]
            .map(schema::enums::ComplaintState::place);
        let ended = [None, None, None, None, None, Some(111), None::<i32>];
        let rows = DataFrame::new(
            7,
            vec![
                Column::new("id_high".into(), (0..7u64).collect::<Vec<_>>()),
                Column::new("id_low".into(), vec![0u64; 7]),
                Column::new("day".into(), days.to_vec()),
                Column::new("enterprise".into(), enterprise.to_vec()),
                Column::new("conduct".into(), conduct.to_vec()),
                Column::new("state".into(), state.to_vec()),
                Column::new("cost".into(), vec![Some(10i64), None, Some(5), None, None, None, Some(1_000)]),
                Column::new("delay".into(), vec![Some(1.5f64), None, None, None, Some(2.0), None, None]),
                Column::new("due".into(), days.map(|day| Some(day + 5)).to_vec()),
                Column::new("answered".into(), vec![Some(101), Some(112), None, None, None, None, None]),
                Column::new("ended".into(), ended.to_vec()),
            ],
        )
        .expect("a frame");
        let card = scorecard(&rows, 112, Some(30)).expect("a scorecard");
        assert_eq!((card.handled.complaints, card.episodes, card.distinct_enterprises), (6, 3, 3));
        assert_eq!((card.cost_vnd, card.delay_hours), (15, 3.5));
        // Due by day 112 are the complaints of days 100, 105, 103 and 104; the withdrawn one was not due.
        assert_eq!((card.handled.due, card.handled.in_time), (4, 1));
        assert_eq!((card.handled.open, card.handled.overdue), (5, 2));
        // Answers after 1 day of six complaints, and after 7 days of the three that were left then.
        let shares: Vec<(f64, i64)> =
            card.waiting.iter().map(|(day, share)| (*day, (share * 9.0).round() as i64)).collect();
        assert_eq!((shares, card.waiting.len()), (vec![(1.0, 8), (7.0, 5)], 2));
        assert_eq!(card.still_waiting, [1, 4, 8, 9]);
        let ever = scorecard(&rows, 112, None).expect("a scorecard");
        assert_eq!((ever.handled.complaints, ever.episodes, ever.cost_vnd), (7, 4, 1_015));
    }
}
