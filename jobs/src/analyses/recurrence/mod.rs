//! Recurrence: which officers and branches draw more complaints than expected, by episodes, distinct
//! enterprises, windows and tiers.
//!
//! Pure functions of frames, an as-of day and rules. docs/statistics.md has the formulas and their
//! sources. A *subject* is an officer or a branch; its *place* is its index in the frames.

mod campaigns;
mod cells;
mod compared;
mod comparisons;
mod control;
mod counted;
mod data_coverage;
mod episodes;
mod expected;
mod reach;
mod reasons;
mod rules;
mod significance;
mod subject_numbers;
mod tiers;
mod windows;
mod without;

#[cfg(test)]
mod adjusted_tests;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod reference_tests;
#[cfg(test)]
mod tests;

pub use crate::facts::lookback::WINDOWS;
pub use crate::numeric::rounding::round_6_digits;
pub use campaigns::with_campaigns;
pub use cells::{Cells, cells};
pub use comparisons::{Comparisons, SubjectComparisons};
pub use control::{CusumSeries, CusumWeek, FunnelPlot, FunnelUnit, cusum_series, funnel_plot};
pub use data_coverage::{Available, MissingData, TopSubject, available};
pub use episodes::with_episodes;
pub use expected::{Expected, expected};
pub use reach::{Count, Reach, Reached, reach};
pub use reasons::{Reason, reason};
pub use rules::{AnonymousRule, CampaignRule, Rules, TierRule};
pub use significance::{Adjusted, Comparison, Dispersion, Rest};
pub use subject_numbers::{Numbers, SubjectCounts, SubjectNumbers, subject_numbers};
pub use tiers::{Assessed, Assessment, Complainants, assess, assess_kind, rule_of};
pub use windows::WindowNumbers;
pub use without::{LeftOut, WindowWithout, WithoutEnterprise, without_enterprise, without_enterprise_as_compared};

use counted::{combined, counted};

/// The single stages of an assessment, for benchmarks.
pub mod stages {
    use super::{Cells, Expected, Rules, combined, windows, with_episodes};
    use crate::facts::frames::Frames;
    use polars::prelude::*;
    use schema::enums::SubjectKind;

    /// The rows that count, with campaigns and episodes.
    ///
    /// # Errors
    /// If a frame lacks a column.
    pub fn rows(frames: &Frames, kind: SubjectKind, rules: &Rules) -> PolarsResult<DataFrame> {
        with_episodes(&combined(frames, kind, rules)?, rules.episode_days)
    }

    /// Computes the counts of all windows; returns how many subjects have any.
    ///
    /// # Errors
    /// If `rows` lacks a column that it reads, or a column has another type.
    pub fn counts(rows: &DataFrame, as_of: i32) -> PolarsResult<usize> {
        Ok(windows::windows(rows, as_of)?.0.len())
    }

    /// The cells that all windows are computed from; `kind` is an index into `frames.exposure`.
    ///
    /// # Errors
    /// If a frame lacks a column.
    pub fn cells(rows: &DataFrame, frames: &Frames, kind: usize) -> PolarsResult<Cells> {
        super::cells(rows, &frames.exposure[kind].rows, &frames.spans)
    }

    /// Observed and expected of one window.
    ///
    /// # Errors
    /// Never.
    pub fn expected(cells: &Cells, frames: &Frames, days: i32, rules: &Rules) -> PolarsResult<Expected> {
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

/// The rows that count, with campaigns: the columns of [`Assessed::rows`] without those of episodes.
///
/// # Errors
/// If a frame lacks a column.
pub fn rows_with_campaigns(frames: &Frames, kind: SubjectKind, rules: &Rules) -> PolarsResult<DataFrame> {
    combined(frames, kind, rules)
}

/// The counts of each subject with a complaint in the longest window, as (place, numbers), sorted by place.
///
/// # Errors
/// If the rows lack a column.
pub fn counts_of(assessed: &Assessed, as_of: NaiveDate) -> PolarsResult<Vec<(u32, WindowNumbers)>> {
    let (numbers, _) = windows::windows(&assessed.rows, day_number(as_of))?;
    Ok(numbers.into_iter().map(|(index, [.., longest])| (index, longest)).collect())
}
