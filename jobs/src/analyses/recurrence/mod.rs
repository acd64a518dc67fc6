//! Who is complained about again and again: episodes, distinct enterprises, windows, tiers.
//!
//! Pure functions of frames, an as-of day and rules. Design §5, points 1 to 9; docs/statistics.md has the
//! formulas and where they come from.

mod available;
mod campaigns;
mod control;
mod episodes;
mod expected;
mod reach;
mod reasons;
mod rules;
mod surprise;
mod tiers;
mod windows;

#[cfg(test)]
mod adjusted_tests;
#[cfg(test)]
mod tests;

pub use available::{Available, Lack, Most, available};
pub use campaigns::with_campaigns;
pub use control::{CusumSeries, CusumWeek, FunnelPlot, FunnelUnit, cusum_series, funnel_plot};
pub use episodes::with_episodes;
pub use expected::{Expected, cells, expected};
pub use reach::{Count, Reach, Reached, reach};
pub use reasons::{Reason, reason};
pub use rules::{AnonymousRule, CampaignRule, Rules, TierRule};
pub use surprise::{Adjusted, Compared, Scatter, six_digits};
pub use tiers::{Assessed, Assessment, Complainants, assess, assess_kind, rule_of};
pub use windows::{WINDOWS, WindowNumbers};

/// The stages of an assessment by themselves, for benchmarks.
pub mod stages {
    use super::{Expected, Rules, combined, windows, with_episodes};
    use crate::facts::frames::Frames;
    use polars::prelude::*;
    use schema::enums::SubjectKind;

    /// What counts, with campaigns and episodes.
    pub fn rows(frames: &Frames, kind: SubjectKind, rules: &Rules) -> PolarsResult<DataFrame> {
        with_episodes(&combined(frames, kind, rules)?, rules.episode_days)
    }

    /// The counts of all windows: how many subjects have any.
    pub fn counts(rows: &DataFrame, as_of: i32) -> PolarsResult<usize> {
        Ok(windows::windows(rows, as_of)?.0.len())
    }

    /// The cells that all windows are computed from; `kind` is the place of the exposure.
    pub fn cells(rows: &DataFrame, frames: &Frames, kind: usize) -> PolarsResult<LazyFrame> {
        Ok(super::cells(rows, &frames.exposure[kind].rows, &frames.spans)?.collect()?.lazy())
    }

    /// Observed and expected of one window.
    pub fn expected(cells: &LazyFrame, frames: &Frames, days: i32, rules: &Rules) -> PolarsResult<Expected> {
        super::expected(cells, &frames.spans, days, rules)
    }
}

use crate::facts::frames::{Frames, day_number};
use chrono::NaiveDate;
use polars::prelude::*;
use schema::enums::SubjectKind;

/// The column of the allegations that names subjects of a kind.
fn subject_column(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Officer => "officer",
        SubjectKind::Branch => "branch",
    }
}

/// The input of §5: one row for each (subject, complaint) that counts, with `subject`,
/// `complaint`, `day`, `enterprise` (null: does not count as one), `anonymous`, `serious`,
/// `confirmed`, `not_sustained`, `group` and `text`, in the order of (subject, enterprise, day, complaint).
///
/// Conduct complaints that are not void; of them the subjects with at least one allegation not
/// found UNFOUNDED or EXONERATED.
fn counted(frames: &Frames, kind: SubjectKind, rules: &Rules) -> PolarsResult<DataFrame> {
    let subject = subject_column(kind);
    // A complaint is about a branch whoever of it is meant, so its attribution is not in doubt.
    let confirmed = match kind {
        SubjectKind::Officer => col("confirmed"),
        SubjectKind::Branch => lit(true),
    };
    let own = u32::try_from(frames.enterprises.len()).unwrap_or(u32::MAX);
    let enterprise = match rules.anonymous {
        AnonymousRule::NotCounted => col("enterprise"),
        // Places after those of the enterprises that are known.
        AnonymousRule::OwnEnterprise => {
            when(col("enterprise").is_null()).then(col("complaint") + lit(own)).otherwise(col("enterprise"))
        }
    };
    let rows = frames
        .allegations
        .clone()
        .lazy()
        .filter(col(subject).is_not_null().and(col("conduct")).and(col("void").not()).and(col("cleared").not()))
        .with_columns([
            col(subject).alias("subject"),
            col("enterprise").is_null().alias("anonymous"),
            confirmed.alias("confirmed"),
            // What is serious and only asserted does not propose a suspension.
            col("serious").and(col("confirmed")).alias("serious_confirmed"),
        ])
        .with_column(enterprise.alias("enterprise"))
        .select(COUNTED.map(col))
        .collect()?;
    let rows = if is_unique(&rows)? {
        rows
    } else {
        let keys = [col("subject"), col("complaint")];
        rows.lazy()
            .group_by(keys)
            .agg([
                col("day").first(),
                col("enterprise").first(),
                col("anonymous").first(),
                col("serious").any(true),
                col("serious_confirmed").any(true),
                col("confirmed").any(true),
                col("not_sustained").all(true),
                // An officer may stand in one complaint for branches of two groups.
                col("group").min(),
                col("text").first(),
            ])
            .collect()?
    };
    rows.sort(ORDER, SortMultipleOptions::default())
}

/// The counts of everybody in the longest window, in the order of places.
pub fn counts_of(assessed: &Assessed, as_of: NaiveDate) -> PolarsResult<Vec<(u32, WindowNumbers)>> {
    let (numbers, _) = windows::windows(&assessed.rows, day_number(as_of))?;
    Ok(numbers.into_iter().map(|(place, [.., longest])| (place, longest)).collect())
}

/// The columns of what is counted.
const COUNTED: [&str; 11] = [
    "subject",
    "complaint",
    "day",
    "enterprise",
    "anonymous",
    "serious",
    "serious_confirmed",
    "confirmed",
    "not_sustained",
    "group",
    "text",
];

/// Whether no subject stands in a complaint twice, found by a scan of rows that are in the order of complaints,
/// as a register gives them; false for others, which may or may not be. Bringing ten million pairs together to
/// find out that each is alone would cost more than all else.
fn is_unique(rows: &DataFrame) -> PolarsResult<bool> {
    let mut at = None;
    let mut seen: Vec<Option<u32>> = Vec::new();
    for (complaint, subject) in rows.column("complaint")?.u32()?.iter().zip(rows.column("subject")?.u32()?.iter()) {
        if complaint < at {
            return Ok(false);
        }
        if complaint != at {
            at = complaint;
            seen.clear();
        }
        if seen.contains(&subject) {
            return Ok(false);
        }
        seen.push(subject);
    }
    Ok(true)
}

/// The order in which episodes are formed.
const ORDER: [&str; 4] = ["subject", "enterprise", "day", "complaint"];

/// The input of §5 with campaigns: `campaign` as in [`with_campaigns`], `own` for the enterprise itself,
/// and in `enterprise` one number for all that stand in a campaign. In the same order.
fn combined(frames: &Frames, kind: SubjectKind, rules: &Rules) -> PolarsResult<DataFrame> {
    let rows = with_campaigns(&counted(frames, kind, rules)?, &frames.sketches, rules)?;
    if rows.column("campaign")?.null_count() == rows.height() {
        return rows.lazy().with_column(col("enterprise").alias("own")).collect();
    }
    // Places after those of enterprises, and of complaints that count as one.
    let first = u32::try_from(frames.enterprises.len() + frames.complaints.len()).unwrap_or(u32::MAX);
    let enterprise = when(col("campaign").is_not_null())
        .then(col("campaign") + lit(first).cast(DataType::UInt32))
        .otherwise(col("enterprise"));
    rows.lazy()
        .with_column(col("enterprise").alias("own"))
        .with_column(enterprise.cast(DataType::UInt32).alias("enterprise"))
        .sort(ORDER, SortMultipleOptions::default())
        .collect()
}
