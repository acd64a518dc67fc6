//! Recurrence: which officers and branches draw more complaints than expected, by episodes, distinct
//! enterprises, windows and tiers.
//!
//! Pure functions of frames, an as-of day and rules (design §5, points 1 to 9). docs/statistics.md has the
//! formulas and their sources. A *subject* is an officer or a branch; its *place* is its index in the frames.

mod campaigns;
mod control;
mod data_coverage;
mod episodes;
mod expected;
mod reach;
mod reasons;
mod rules;
mod significance;
mod tiers;
mod windows;

#[cfg(test)]
mod adjusted_tests;
#[cfg(test)]
mod tests;

pub use crate::facts::lookback::WINDOWS;
pub use campaigns::with_campaigns;
pub use control::{CusumSeries, CusumWeek, FunnelPlot, FunnelUnit, cusum_series, funnel_plot};
pub use data_coverage::{Available, MissingData, TopSubject, available};
pub use episodes::with_episodes;
pub use expected::{Expected, cells, expected};
pub use reach::{Count, Reach, Reached, reach};
pub use reasons::{Reason, reason};
pub use rules::{AnonymousRule, CampaignRule, Rules, TierRule};
pub use significance::{Adjusted, Comparison, Dispersion, round_6_digits};
pub use tiers::{Assessed, Assessment, Complainants, assess, assess_kind, rule_of};
pub use windows::WindowNumbers;

/// The single stages of an assessment, for benchmarks.
pub mod stages {
    use super::{Expected, Rules, combined, windows, with_episodes};
    use crate::facts::frames::Frames;
    use polars::prelude::*;
    use schema::enums::SubjectKind;

    /// The rows that count, with campaigns and episodes.
    pub fn rows(frames: &Frames, kind: SubjectKind, rules: &Rules) -> PolarsResult<DataFrame> {
        with_episodes(&combined(frames, kind, rules)?, rules.episode_days)
    }

    /// Computes the counts of all windows; returns how many subjects have any.
    pub fn counts(rows: &DataFrame, as_of: i32) -> PolarsResult<usize> {
        Ok(windows::windows(rows, as_of)?.0.len())
    }

    /// The cells that all windows are computed from; `kind` is an index into `frames.exposure`.
    pub fn cells(rows: &DataFrame, frames: &Frames, kind: usize) -> PolarsResult<LazyFrame> {
        Ok(super::cells(rows, &frames.exposure[kind].rows, &frames.spans)?.collect()?.lazy())
    }

    /// Observed and expected of one window.
    pub fn expected(cells: &LazyFrame, frames: &Frames, days: i32, rules: &Rules) -> PolarsResult<Expected> {
        super::expected(cells, &frames.spans, days, rules)
    }
}

use crate::facts::days::day_number;
use crate::facts::frames::Frames;
use chrono::NaiveDate;
use polars::prelude::*;
use schema::enums::SubjectKind;

/// The column of `frames.allegations` with the subjects of a kind.
fn subject_column(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Officer => "officer",
        SubjectKind::Branch => "branch",
    }
}

/// The input of §5: one row for each (subject, complaint) that counts, sorted by (subject, enterprise, day,
/// complaint).
///
/// Columns: `subject`, `complaint` (u32), `day` (i32, days since 1970), `enterprise` (u32?, null: does not
/// count as one), `anonymous`, `serious`, `serious_confirmed`, `confirmed`, `not_sustained` (bool), `group`
/// (i32) and `text` (u32?).
///
/// A row counts if the complaint is about conduct and not void, and at least one allegation against the
/// subject was not found UNFOUNDED or EXONERATED.
fn counted(frames: &Frames, kind: SubjectKind, rules: &Rules) -> PolarsResult<DataFrame> {
    let subject = subject_column(kind);
    // A complaint concerns the branch whichever of its officers is meant, so its attribution is never in doubt.
    let confirmed = match kind {
        SubjectKind::Officer => col("confirmed"),
        SubjectKind::Branch => lit(true),
    };
    let own = u32::try_from(frames.enterprises.len()).unwrap_or(u32::MAX);
    let enterprise = match rules.anonymous {
        AnonymousRule::NotCounted => col("enterprise"),
        // Numbers above those of the known enterprises.
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
            // A serious allegation with an unconfirmed attribution must not lead to a suspension review.
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
                // One complaint may name an officer at branches of two peer groups.
                col("group").min(),
                col("text").first(),
            ])
            .collect()?
    };
    rows.sort(ORDER, SortMultipleOptions::default())
}

/// The counts of each subject with a complaint in the longest window, as (place, numbers), sorted by place.
pub fn counts_of(assessed: &Assessed, as_of: NaiveDate) -> PolarsResult<Vec<(u32, WindowNumbers)>> {
    let (numbers, _) = windows::windows(&assessed.rows, day_number(as_of))?;
    Ok(numbers.into_iter().map(|(place, [.., longest])| (place, longest)).collect())
}

/// The columns of `counted`.
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

/// Whether each (subject, complaint) occurs once. One scan of rows sorted by complaint, as the register
/// delivers them; false if they are not sorted, where the answer is unknown. Grouping ten million pairs to
/// find each of them unique would cost more than everything else.
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

/// The sort order in which episodes are formed.
const ORDER: [&str; 4] = ["subject", "enterprise", "day", "complaint"];

/// The input of §5 with campaigns, in the same order: adds `campaign` (u32?, as in [`with_campaigns`]) and
/// `own` (u32?, the enterprise itself). `enterprise` is one number for all rows of a campaign.
fn combined(frames: &Frames, kind: SubjectKind, rules: &Rules) -> PolarsResult<DataFrame> {
    let rows = with_campaigns(&counted(frames, kind, rules)?, &frames.sketches, rules)?;
    if rows.column("campaign")?.null_count() == rows.height() {
        return rows.lazy().with_column(col("enterprise").alias("own")).collect();
    }
    // Numbers above those of enterprises, and of anonymous complaints that count as one.
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
