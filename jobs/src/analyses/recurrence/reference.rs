//! The counts of the recurrence statistics as polars queries: slower, and a reference for the loops that took
//! their place. Runs of the past were computed by them, so that both must agree to the last bit.

use super::Rules;
use super::expected::Expected;
use super::windows::{SubjectWindows, WindowNumbers};
use crate::facts::exposure::Span;
use crate::facts::lookback::WINDOWS;
use polars::prelude::*;
use std::collections::HashMap;

/// The cells that all windows are computed from: `subject` (u32), `group` (i32), `span`, `month` (u32),
/// exposure `x`, episodes `y` (f64) and `carried` (bool).
///
/// # Errors
/// If `rows` lack a column.
pub fn cells(rows: &DataFrame, exposure: &DataFrame, spans: &[Span]) -> PolarsResult<LazyFrame> {
    let (Some(first), Some(last)) = (spans.first(), spans.last()) else {
        return Ok(exposure.clone().lazy());
    };
    // The number of spans (or months) after the first that begin on or before the day is the index of its
    // span (month).
    let count = |starts: &mut dyn Iterator<Item = i32>| {
        let day = || col("episode_day");
        starts.fold(lit(0u32).cast(DataType::UInt32), |sum, start| sum + day().gt_eq(lit(start)).cast(DataType::UInt32))
    };
    let span = count(&mut spans.iter().skip(1).map(|span| span.from));
    let mut beginnings = spans.windows(2).filter(|pair| pair[0].month != pair[1].month).map(|pair| pair[1].from);
    let month = count(&mut beginnings);
    let episodes = rows
        .clone()
        .lazy()
        .filter(col("opens").and(col("episode_day").gt_eq(lit(first.from))).and(col("episode_day").lt_eq(lit(last.to))))
        .select([
            col("subject"),
            col("group"),
            span.cast(DataType::UInt32).alias("span"),
            month.cast(DataType::UInt32).alias("month"),
            lit(0.0).alias("x"),
            lit(1.0).alias("y"),
            lit(false).alias("carried"),
        ]);
    let exposed = exposure.clone().lazy().select([
        col("subject"),
        col("group"),
        col("span"),
        col("month"),
        col("exposure").alias("x"),
        lit(0.0).alias("y"),
        col("carried"),
    ]);
    concat([exposed, episodes], UnionArgs::default())
}

/// Observed and expected in the window of the last `days` days.
///
/// # Errors
/// If polars fails to compute the sums.
pub fn expected(cells: &LazyFrame, spans: &[Span], days: i32, rules: &Rules) -> PolarsResult<Expected> {
    let Some(last) = spans.last() else { return Ok(Expected::default()) };
    let from = spans.iter().position(|span| span.from > last.to - days).unwrap_or(0);
    let from = u32::try_from(from).unwrap_or(u32::MAX);
    let cell = cells
        .clone()
        .filter(col("span").cast(DataType::Int64).gt_eq(lit(i64::from(from))))
        .group_by([col("subject"), col("group"), col("month")])
        .agg([col("x").sum(), col("y").sum(), col("carried").any(true)])
        // Float sums depend on the order of their terms.
        .sort(["subject", "group", "month"], SortMultipleOptions::default())
        .collect()?;
    let sums = |keys: &[&str], suffix: &str| {
        let keys: Vec<Expr> = keys.iter().map(|key| col(*key)).collect();
        cell.clone()
            .lazy()
            .group_by_stable(keys)
            .agg([col("x").sum().alias(format!("x_{suffix}")), col("y").sum().alias(format!("y_{suffix}"))])
    };
    // Summed in one chunk: a query splits the sum between threads, so that its rounding depends on their number.
    let total = |name: &str| -> PolarsResult<f64> {
        Ok(cell.column(name)?.as_materialized_series().rechunk().f64()?.sum().unwrap_or(0.0))
    };
    let (x_all, y_all) = (total("x")?, total("y")?);
    let on = |keys: &[&str]| keys.iter().map(|key| col(*key)).collect::<Vec<_>>();
    let joined = cell
        .clone()
        .lazy()
        .join(
            sums(&["group", "month"], "stratum"),
            on(&["group", "month"]),
            on(&["group", "month"]),
            JoinArgs::new(JoinType::Left),
        )
        .join(sums(&["group"], "group"), on(&["group"]), on(&["group"]), JoinArgs::new(JoinType::Left))
        .join(
            sums(&["subject", "group"], "own_group"),
            on(&["subject", "group"]),
            on(&["subject", "group"]),
            JoinArgs::new(JoinType::Left),
        )
        .join(sums(&["subject"], "own"), on(&["subject"]), on(&["subject"]), JoinArgs::new(JoinType::Left));
    // Differences of float sums that should be 0 are not always exactly 0.
    let others = |x: Expr, own: Expr, of: Expr| (x - own).gt(of * lit(1e-9));
    let enough = lit(f64::from(rules.stratum_episodes) - 0.5);
    let stratum = (col("y_stratum") - col("y")) / (col("x_stratum") - col("x"));
    let group = (col("y_group") - col("y_own_group")) / (col("x_group") - col("x_own_group"));
    let wide = (lit(y_all) - col("y_own")) / (lit(x_all) - col("x_own"));
    let stratum_will_do =
        (col("y_stratum") - col("y")).gt(enough.clone()).and(others(col("x_stratum"), col("x"), col("x_stratum")));
    let group_will_do = (col("y_group") - col("y_own_group")).gt(enough).and(others(
        col("x_group"),
        col("x_own_group"),
        col("x_group"),
    ));
    let there_are_others = others(lit(x_all), col("x_own"), lit(x_all));
    let rate = when(stratum_will_do.clone())
        .then(stratum)
        .when(group_will_do)
        .then(group)
        .when(there_are_others)
        .then(wide)
        .otherwise(lit(NULL));
    let contribution = || col("x") * col("rate");
    let table = joined
        .with_columns([rate.alias("rate"), stratum_will_do.alias("as_is")])
        .sort(["subject", "group", "month"], SortMultipleOptions::default())
        .group_by_stable([col("subject")])
        .agg([
            col("y").sum(),
            col("x").sum(),
            contribution().filter(col("x").gt(lit(0.0))).sum().alias("expected"),
            contribution().filter(col("x").gt(lit(0.0)).and(col("as_is").not())).sum().alias("widened"),
            col("rate").is_null().and(col("x").gt(lit(0.0))).any(true).alias("unknown"),
            col("carried").any(true),
        ])
        .sort(["subject"], SortMultipleOptions::default())
        .collect()?;
    let floats = |name: &str| -> PolarsResult<Vec<f64>> {
        Ok(table.column(name)?.f64()?.iter().map(|value| value.unwrap_or(0.0)).collect())
    };
    let flags = |name: &str| -> PolarsResult<Vec<bool>> {
        Ok(table.column(name)?.bool()?.iter().map(|value| value == Some(true)).collect())
    };
    let unknown = flags("unknown")?;
    let sums = floats("expected")?;
    let expected: Vec<Option<f64>> =
        sums.iter().zip(&unknown).map(|(sum, unknown)| (!unknown && *sum > 0.0).then_some(*sum)).collect();
    let widened = floats("widened")?
        .iter()
        .zip(&sums)
        .map(|(part, whole)| if *whole > 0.0 { (part / whole).clamp(0.0, 1.0) } else { 0.0 })
        .collect();
    Ok(Expected {
        subjects: table.column("subject")?.u32()?.iter().map(|index| index.unwrap_or(u32::MAX)).collect(),
        observed: floats("y")?.into_iter().map(|y| y.round() as u32).collect(),
        exposure: floats("x")?,
        expected,
        widened,
        carried: flags("carried")?,
    })
}

/// The counts of each subject with a complaint in the longest window, sorted by place.
///
/// # Errors
/// If `rows` lack a column.
pub fn windows(rows: &DataFrame, as_of: i32) -> PolarsResult<Vec<SubjectWindows>> {
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
        .lazy()
        .group_by([col("subject")])
        .agg(measures)
        .sort(["subject"], SortMultipleOptions::default())
        .collect()?;
    read(&table)
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

/// Counts, for each subject, the episodes in a window of the enterprise with the most, and the anonymous episodes.
///
/// # Errors
/// If `rows` lack a column.
pub fn parts(rows: &DataFrame, as_of: i32, days: i32) -> PolarsResult<HashMap<u32, (u32, u32)>> {
    let within = col("episode_day").gt(lit(as_of - days)).and(col("episode_day").lt_eq(lit(as_of)));
    let table = rows
        .clone()
        .lazy()
        .filter(col("opens").and(within))
        .group_by([col("subject"), col("enterprise"), col("anonymous")])
        .agg([len().cast(DataType::UInt32).alias("n")])
        .group_by([col("subject")])
        .agg([
            col("n").filter(col("anonymous").not()).max().alias("largest"),
            col("n").filter(col("anonymous")).sum().cast(DataType::UInt32).alias("of_anonymous"),
        ])
        .collect()?;
    let columns =
        (table.column("subject")?.u32()?, table.column("largest")?.u32()?, table.column("of_anonymous")?.u32()?);
    Ok(columns
        .0
        .iter()
        .zip(columns.1.iter())
        .zip(columns.2.iter())
        .filter_map(|((subject, largest), anonymous)| Some((subject?, (largest.unwrap_or(0), anonymous.unwrap_or(0)))))
        .collect())
}
