//! The comparisons of all subjects of a kind that tiers need, and the rows that they count.

use super::cells::cells;
use super::episodes::with_episodes;
use super::expected::{expected, windows_of};
use super::significance::Comparison;
use super::{Rules, combined};
use crate::facts::exposure::Basis;
use crate::facts::frames::Frames;
use polars::prelude::*;
use schema::enums::SubjectKind;
use std::collections::BTreeMap;

/// The rows that count against the subjects of a kind, and what they are compared by.
pub(super) struct Compared {
    /// The rows that count, with campaigns and episodes.
    pub rows: DataFrame,
    /// Rows with a CONFIRMED attribution, with their own episodes; None if all rows have one.
    pub confirmed: Option<DataFrame>,
    /// The comparisons, by (window, confirmed attributions only); empty if the numbers are not adjusted. If all rows
    /// are confirmed, the comparisons of all rows serve for both.
    pub comparisons: BTreeMap<(i32, bool), Comparison>,
    /// Whether exposure is known, and covers enough of the episodes to adjust the numbers.
    pub adjusted: bool,
}

impl Compared {
    /// Compares all subjects of a kind in the windows that tiers use.
    ///
    /// # Errors
    /// If a frame lacks a column.
    pub fn new(frames: &Frames, kind: SubjectKind, rules: &Rules) -> PolarsResult<Self> {
        let exposure = match kind {
            SubjectKind::Officer => &frames.exposure[0],
            SubjectKind::Branch => &frames.exposure[1],
        };
        let combined = combined(frames, kind, rules)?;
        let rows = with_episodes(&combined, rules.episode_days)?;
        let confirmed = if rows.column("confirmed")?.bool()?.all() {
            None
        } else {
            Some(with_episodes(&combined.lazy().filter(col("confirmed")).collect()?, rules.episode_days)?)
        };
        let mut comparisons = BTreeMap::new();
        let mut adjusted = exposure.basis != Basis::None;
        for (only_confirmed, rows) in [(false, Some(&rows)), (true, confirmed.as_ref())] {
            let Some(rows) = rows.filter(|_| adjusted) else { continue };
            let cells = cells(rows, &exposure.rows, &frames.spans)?;
            // Longest window first: its coverage decides whether any numbers are adjusted.
            for (nth, days) in windows_of(rules).into_iter().rev().enumerate() {
                let expected = expected(&cells, &frames.spans, days, rules)?;
                if nth == 0 && !only_confirmed && expected.coverage() < rules.exposure_coverage {
                    adjusted = false;
                    break;
                }
                if let Some(of_window) = Comparison::new(&expected, days, only_confirmed) {
                    comparisons.insert((days, only_confirmed), of_window);
                }
            }
        }
        Ok(Self { rows, confirmed, comparisons, adjusted })
    }

    /// The rows that a comparison counts.
    pub fn rows_of(&self, only_confirmed: bool) -> &DataFrame {
        self.confirmed.as_ref().filter(|_| only_confirmed).unwrap_or(&self.rows)
    }

    /// The comparison in a window, of confirmed attributions only or of all.
    pub fn comparison(&self, days: i32, only_confirmed: bool) -> Option<&Comparison> {
        self.comparisons.get(&(days, only_confirmed && self.confirmed.is_some()))
    }
}
