//! Statistical disclosure control for readers who see only aggregates: answers consist of fixed cells, and
//! the noise of a cell is the same in all answers.
//!
//! The method is that of census tables: the cell-key method of Fraser and Wooton (2005, *A proposed method
//! for confidentialising tabular output to protect against differencing*) with random rounding as
//! perturbation, and for sums the noise of Evans, Zayatz and Slanta (1998, *Using noise for disclosure
//! limitation of establishment tabular data*).
//!
//! - Each complaint has a record key, a keyed hash of its id. The key of a cell is the sum of the keys of its
//!   complaints, so that the same complaints are shown as the same number in every question.
//! - A second noise is keyed by the attributes that the complaints of a cell share ([`SharedAttributes`]). It
//!   stays the same when a complaint is added, so that averaging over many days does not remove it.
//! - Confidential complaints count only in the number of complaints; all other measures leave them out.
//! - There are finitely many fixed cells: a unit, a category or a kind, a channel, a state, and a month, a
//!   quarter or a year, each of them or all. A union of cells (a list in a filter, a category of the first
//!   level, or a period that is not whole quarters and years) is answered only from the shown values of its
//!   cells. Otherwise an attacker could ask for one cell within hundreds of unions and average the noise away
//!   (Asghar and Kaafar 2020, *Averaging attacks on bounded noise-based disclosure control algorithms*).
//! - A cell is shown if it has at least as many complaints and enterprises as [`Thresholds`] says;
//!   confidential complaints do not count. A suppressed cell adds 0 or one rounding base to a union and is
//!   listed only in the second case, so that neither the difference of two answers nor the presence of a row
//!   reveals its count.
//! - All this is computed from an edition ([`Editions`]), a state of the register that stays fixed for a day,
//!   so that repeated questions do not reveal single changes.

#[cfg(test)]
mod attacks;
mod cell_measures;
mod cell_union;
mod edition;
mod fixed_cell;
mod perturbation;
mod shared_attributes;

pub use edition::Editions;
pub(super) use edition::{ATTRIBUTES, CELL_KEY, DECISION_WEIGHT, NOISED_COST, NOISED_DELAY};
pub use shared_attributes::{NoiseKey, SharedAttributes, attributes};

use super::calendar::{Bucket, Calendar, Shift, Span};
use super::groups::group;
use super::{Dimension, GroupResult, Measures, Question, SelectedMeasures};
use crate::JobError;
use crate::snapshot::{IndexColumn, Snapshot};
use cell_measures::disclose;
use fixed_cell::Fixed;
use polars::prelude::Expr;
use schema::Id;
use schema::db::cancellation::check_cancelled;
use std::collections::HashMap;

/// The minimum numbers from which a cell is shown, which are also the rounding bases: counts of complaints
/// and episodes are rounded to multiples of `complaints`, counts of enterprises to multiples of
/// `enterprises`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    pub complaints: u32,
    pub enterprises: u32,
}

/// The parameters of disclosure control for one question.
#[derive(Debug, Clone)]
pub struct Disclosure {
    pub thresholds: Thresholds,
    pub noise_key: NoiseKey,
    /// The unit that the filter is limited to, if no attribute of a complaint shows that it belongs to the
    /// unit.
    pub scope: Option<Id>,
    /// Dimensions of which the filter lists several values: each value is a cell of its own.
    pub listed: Vec<Dimension>,
    /// The days that match the filter.
    pub span: Span,
    /// The days of the comparison period.
    pub span_before: Span,
}

impl Disclosure {
    /// The additional dimensions that divide the groups of a question into fixed cells.
    fn divisions(&self, group_by: &[Dimension], shift: Shift) -> Vec<Dimension> {
        let mut divisions: Vec<Dimension> =
            self.listed.iter().copied().filter(|dimension| !group_by.contains(dimension)).collect();
        let span = if shift == Shift::None { self.span } else { self.span_before };
        let is_by_month = group_by.contains(&Dimension::Time(Bucket::Month));
        if !is_by_month && span != Span::ALL {
            // A comparison that shifts by one month does not map quarters to quarters.
            let is_cut = group_by.iter().any(|dimension| match dimension {
                Dimension::Time(bucket) => !shift.keeps(*bucket),
                _ => false,
            });
            divisions.push(Dimension::Part(if is_cut { span.by_month() } else { span }));
        }
        divisions
    }
}

/// The dimension whose fixed cells the groups of another are made of: a first-level category has no cell of its own, but
/// the union of the cells of its categories.
fn finer(group_by: &[Dimension]) -> Option<Dimension> {
    let category = Dimension::Place(IndexColumn::Category);
    let by_group = group_by.contains(&Dimension::Place(IndexColumn::CategoryGroup));
    (by_group && !group_by.contains(&category)).then_some(category)
}

/// The groups of a question as they are shown, and the totals: one group, or none if not asked for or
/// suppressed.
///
/// # Errors
/// Same errors as [`super::statistics`].
pub fn disclosed(
    snapshot: &Snapshot,
    question: &Question,
    disclosure: &Disclosure,
    (filter, shift): (Option<&Expr>, Shift),
    wanted: SelectedMeasures,
    calendar: &Calendar,
) -> Result<(Vec<GroupResult>, Vec<GroupResult>), JobError> {
    let divisions = disclosure.divisions(&question.group_by, shift);
    // Divides the groups alone: the totals stay what they are without it.
    let finer = finer(&question.group_by).filter(|dimension| !divisions.contains(dimension));
    let own = question.group_by.len();
    let group_by = question.group_by.iter().chain(&finer).chain(&divisions).copied().collect();
    let divided = Question { group_by, ..question.clone() };
    let grouped = group(snapshot, &divided, filter, shift, calendar)?;
    check_cancelled()?;
    let measured = grouped.measured(wanted, Some(disclose))?;
    check_cancelled()?;
    let shown = |measures: &[Measures]| -> Vec<Fixed> {
        measures.iter().map(|measures| Fixed::new(measures, disclosure, &snapshot.reference)).collect()
    };
    let places = grouped.places();
    let groups = if divisions.is_empty() && finer.is_none() {
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
        let all = shown(&grouped.measured_without(own + usize::from(finer.is_some()), wanted, disclose)?);
        cell(Vec::new(), &all, disclosure.thresholds).into_iter().filter(|cell| !cell.suppressed).collect()
    } else {
        Vec::new()
    };
    Ok((groups, totals))
}

/// The row of a group that consists of some fixed cells; None if its shown number of complaints is 0.
fn cell(places: Vec<Option<i64>>, parts: &[Fixed], thresholds: Thresholds) -> Option<GroupResult> {
    let shown = match parts {
        [one] => one.clone(),
        several => cell_union::estimate_union(several, thresholds),
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
    use super::super::DayRange;
    use super::super::measures::CellMeasures;
    use super::*;
    use crate::snapshot::IndexColumn::{Category, CategoryGroup, Channel, Department};
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
        let year = Span::new(DayRange { from: Some(19_723), before: Some(20_089) });
        let plain = disclosure(&[], ALL);
        assert!(plain.divisions(&[Dimension::Place(Department)], Shift::None).is_empty());
        let listed = disclosure(&[Dimension::Place(Channel), Dimension::Place(Category)], year);
        assert_eq!(
            listed.divisions(&[Dimension::Place(Category)], Shift::None),
            [Dimension::Place(Channel), Dimension::Part(year)],
            "grouping by a dimension already divides"
        );
        assert!(disclosure(&[], year).divisions(&MONTHS, Shift::Months(1)).is_empty(), "a month is a cell");
        let quarters = [Dimension::Time(Bucket::Quarter)];
        assert_eq!(disclosure(&[], year).divisions(&quarters, Shift::Months(3)), [Dimension::Part(year)]);
        assert_eq!(disclosure(&[], year).divisions(&quarters, Shift::Months(4)), [Dimension::Part(year.by_month())]);
    }

    #[test]
    fn first_level_categories_are_unions_of_the_cells_of_categories() {
        let [group, category, channel] = [CategoryGroup, Category, Channel].map(Dimension::Place);
        assert_eq!(finer(&[channel, group]), Some(category));
        assert_eq!(finer(&[group, category]), None, "grouping by categories already divides");
        assert_eq!(finer(&[channel]), None);
    }

    #[test]
    fn a_group_of_hidden_cells_is_hidden_and_one_that_rounds_to_nothing_is_not_there() {
        let thresholds = Thresholds { complaints: 5, enterprises: 3 };
        let fixed = |complaints: u32, enterprises: u32, cell_key: u64| {
            let measures = Measures {
                complaints,
                distinct_enterprises: enterprises,
                cell: CellMeasures {
                    key: cell_key,
                    non_confidential_key: cell_key,
                    non_confidential: complaints,
                    ..CellMeasures::default()
                },
                ..Measures::default()
            };
            // Each cell gets another key, with other shared attributes.
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
        assert!((80..160).contains(&hidden), "about three in five: {hidden}");
        let all_hidden = cell(vec![None], &small, thresholds).expect("a row");
        assert!(all_hidden.suppressed, "none of its cells is shown");
        let with_shown = [small, vec![fixed(40, 9, 7)]].concat();
        let shown = cell(vec![None], &with_shown, thresholds).expect("a row");
        assert!(!shown.suppressed && (520..760).contains(&shown.measures.complaints), "{shown:?}");
        assert!(keys.clone().all(|key| fixed(0, 0, key).complaints == 0));
        assert!(keys.clone().all(|key| !fixed(50, 2, key).is_shown && fixed(50, 2, key).complaints <= 5));
    }
}
