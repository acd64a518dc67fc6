//! What a reader of aggregates alone is shown: fixed cells, whose noise is the same in all answers.
//!
//! The method is that of census tables: the cell-key method of Fraser and Wooton (2005, *A proposed method for confidentialising
//! tabular output to protect against differencing*), with random rounding as its perturbation, and the noise of Evans, Zayatz
//! and Slanta (1998, *Using noise for disclosure limitation of establishment tabular data*) for sums.
//!
//! - Each complaint has a record key, a keyed hash of its id. The key of a cell is the sum of those of its complaints, so that the
//!   same complaints are shown as the same number in whatever question they are asked for.
//! - A second noise is keyed by what the complaints of a cell have in common ([`SharedAttributes`]). It stays when a complaint joins
//!   them, so that the numbers of many days do not average it away.
//! - Confidential complaints are in the number of complaints alone: all other measures are those of all others.
//! - There are finitely many cells: a unit, a category or a kind, a channel, a state, and a month, a quarter or a year, each of them or
//!   all. What is a union of cells (a list in a filter, other months than whole quarters and years) is answered from what
//!   is shown of these cells and from nothing else. Without this, an attacker could ask for one cell within hundreds of unions and
//!   average their noise away (Asghar and Kaafar 2020, *Averaging attacks on bounded noise-based disclosure control algorithms*).
//! - A cell is shown from so many complaints and enterprises on, confidential ones not counted. A cell that is not adds 0 or one rounding base to a union, and is
//!   listed only in the second case, so that neither a difference of answers nor the presence of a row tells its count.
//! - All this is computed from an edition of the register ([`Editions`]), a state that stays for a day, so that asking again and
//!   again does not tell one change from the next.

#[cfg(test)]
mod attacks;
mod edition;
mod fixed;
mod perturbation;
mod shared;
mod union;

pub use edition::Editions;
pub(super) use edition::{ATTRIBUTES, CELL_KEY, DECISION_WEIGHT, NOISED_COST, NOISED_DELAY};
pub use shared::{NoiseKey, SharedAttributes};

use super::calendar::{Bucket, Calendar, Shift, Span};
use super::groups::group;
use super::{Dimension, GroupResult, Measures, Question, Wanted};
use crate::JobError;
use crate::snapshot::Snapshot;
use fixed::Fixed;
use polars::prelude::Expr;
use schema::Id;
use schema::db::cancellation::check_cancelled;
use std::collections::HashMap;

/// From when a cell is shown. Counts of complaints are rounded to multiples of `complaints`, those of enterprises to multiples of
/// `enterprises`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    pub complaints: u32,
    pub enterprises: u32,
}

/// How the answer to a question is protected.
#[derive(Debug, Clone)]
pub struct Disclosure {
    pub thresholds: Thresholds,
    pub noise_key: NoiseKey,
    /// The unit that the filter is limited to, where no attribute of complaints says whether they belong to it.
    pub scope: Option<Id>,
    /// Dimensions of which the filter lists several values: each is a cell of its own.
    pub listed: Vec<Dimension>,
    /// The days that the filter chooses.
    pub span: Span,
    /// Those of the time that it is compared with.
    pub span_before: Span,
}

impl Disclosure {
    /// What divides the groups of a question into fixed cells.
    fn divisions(&self, group_by: &[Dimension], shift: Shift) -> Vec<Dimension> {
        let mut divisions: Vec<Dimension> =
            self.listed.iter().copied().filter(|dimension| !group_by.contains(dimension)).collect();
        let span = if shift == Shift::None { self.span } else { self.span_before };
        let is_by_month = group_by.contains(&Dimension::Time(Bucket::Month));
        if !is_by_month && span != Span::ALL {
            // Quarters that a comparison moves by one month are no quarters.
            let is_cut = group_by.iter().any(|dimension| match dimension {
                Dimension::Time(bucket) => !shift.keeps(*bucket),
                _ => false,
            });
            divisions.push(Dimension::Part(if is_cut { span.by_month() } else { span }));
        }
        divisions
    }
}

/// The groups of a question as they are shown, and all together where that is asked for and shown.
///
/// # Errors
/// As [`super::statistics`].
pub fn disclosed(
    snapshot: &Snapshot,
    question: &Question,
    disclosure: &Disclosure,
    (filter, shift): (Option<&Expr>, Shift),
    wanted: Wanted,
    calendar: &Calendar,
) -> Result<(Vec<GroupResult>, Vec<GroupResult>), JobError> {
    let divisions = disclosure.divisions(&question.group_by, shift);
    let own = question.group_by.len();
    let group_by = question.group_by.iter().chain(&divisions).copied().collect();
    let divided = Question { group_by, ..question.clone() };
    let grouped = group(snapshot, &divided, filter, shift, calendar)?;
    check_cancelled()?;
    let measured = grouped.measured(wanted, true)?;
    check_cancelled()?;
    let shown = |measures: &[Measures]| -> Vec<Fixed> {
        measures.iter().map(|measures| Fixed::new(measures, disclosure, &snapshot.reference)).collect()
    };
    let places = grouped.places();
    let cells = if divisions.is_empty() {
        let each = places.into_iter().zip(shown(&measured));
        each.filter_map(|(places, fixed)| cell(places, &[fixed], disclosure.thresholds)).collect()
    } else {
        let mut unions: HashMap<Vec<Option<i64>>, Vec<Fixed>> = HashMap::new();
        for (mut places, fixed) in places.into_iter().zip(shown(&measured)) {
            places.truncate(own);
            unions.entry(places).or_default().push(fixed);
        }
        let each = unions.into_iter();
        each.filter_map(|(places, fixed)| cell(places, &fixed, disclosure.thresholds)).collect()
    };
    check_cancelled()?;
    let totals = if question.totals {
        let all = shown(&grouped.measured_without(own, wanted)?);
        cell(Vec::new(), &all, disclosure.thresholds).into_iter().filter(|cell| !cell.suppressed).collect()
    } else {
        Vec::new()
    };
    Ok((cells, totals))
}

/// The row of a group that consists of some fixed cells; None where it is shown as one without complaints.
fn cell(places: Vec<Option<i64>>, of: &[Fixed], thresholds: Thresholds) -> Option<GroupResult> {
    let shown = match of {
        [one] => one.clone(),
        several => union::together(several, thresholds),
    };
    if shown.complaints == 0 {
        return None;
    }
    let mut cell = GroupResult::new(places, Measures::default());
    if shown.is_shown {
        cell.measures = shown.measures();
        cell.cost_hidden = shown.cost.is_none();
        cell.delay_hidden = shown.delay.is_none();
    } else {
        cell.suppressed = true;
    }
    Some(cell)
}

#[cfg(test)]
mod tests {
    use super::super::measures::CellMeasures;
    use super::*;
    use crate::snapshot::Reference;

    const ALL: Span = Span::ALL;
    const MONTHS: [Dimension; 1] = [Dimension::Time(Bucket::Month)];

    fn disclosure(listed: &[Dimension], span: Span) -> Disclosure {
        let thresholds = Thresholds { complaints: 5, enterprises: 3 };
        Disclosure {
            thresholds,
            noise_key: NoiseKey([7; 32]),
            scope: None,
            listed: listed.to_vec(),
            span,
            span_before: span,
        }
    }

    #[test]
    fn groups_are_divided_into_fixed_cells() {
        let year = Span::new(Some(19_723), Some(20_089));
        let plain = disclosure(&[], ALL);
        assert!(plain.divisions(&[Dimension::Department], Shift::None).is_empty());
        let listed = disclosure(&[Dimension::Channel, Dimension::Category], year);
        assert_eq!(
            listed.divisions(&[Dimension::Category], Shift::None),
            [Dimension::Channel, Dimension::Part(year)],
            "a dimension that groups divides already"
        );
        assert!(disclosure(&[], year).divisions(&MONTHS, Shift::Months(1)).is_empty(), "a month is a cell");
        let quarters = [Dimension::Time(Bucket::Quarter)];
        assert_eq!(disclosure(&[], year).divisions(&quarters, Shift::Months(3)), [Dimension::Part(year)]);
        assert_eq!(disclosure(&[], year).divisions(&quarters, Shift::Months(4)), [Dimension::Part(year.by_month())]);
    }

    #[test]
    fn a_group_of_hidden_cells_is_hidden_and_one_that_rounds_to_nothing_is_not_there() {
        let thresholds = Thresholds { complaints: 5, enterprises: 3 };
        let fixed = |complaints: u32, enterprises: u32, cell_key: u64| {
            let measures = Measures {
                complaints,
                distinct_enterprises: enterprises,
                cell: CellMeasures { key: cell_key, open_key: cell_key, open: complaints, ..CellMeasures::default() },
                ..Measures::default()
            };
            // Each is a cell of another place.
            let disclosure = Disclosure { noise_key: NoiseKey([cell_key as u8; 32]), ..disclosure(&[], ALL) };
            Fixed::new(&measures, &disclosure, &Reference::default())
        };
        let keys = 0..200u64;
        let small: Vec<Fixed> = keys.clone().map(|key| fixed(3, 3, key)).collect();
        let rows: Vec<Option<GroupResult>> =
            small.iter().map(|one| cell(vec![None], std::slice::from_ref(one), thresholds)).collect();
        let hidden =
            rows.iter().flatten().filter(|cell| cell.suppressed && cell.measures == Measures::default()).count();
        assert_eq!(rows.iter().flatten().count(), hidden);
        assert!((80..160).contains(&hidden), "three of five, by chance: {hidden}");
        let together = cell(vec![None], &small, thresholds).expect("a row");
        assert!(together.suppressed, "none of its cells is shown");
        let beside = [small, vec![fixed(40, 9, 7)]].concat();
        let shown = cell(vec![None], &beside, thresholds).expect("a row");
        assert!(!shown.suppressed && (520..760).contains(&shown.measures.complaints), "{shown:?}");
        assert!(keys.clone().all(|key| fixed(0, 0, key).complaints == 0));
        assert!(keys.clone().all(|key| !fixed(50, 2, key).is_shown && fixed(50, 2, key).complaints <= 5));
    }
}
