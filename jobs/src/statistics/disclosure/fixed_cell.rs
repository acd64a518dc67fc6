//! A fixed cell after disclosure control.

use super::super::measures::{CellMeasures, Measures};
use super::perturbation::{CellKey, Purpose};
use super::{Disclosure, SharedAttributes};
use crate::snapshot::Reference;

/// The shown values of a cell. No true value leaves this module.
#[derive(Debug, Clone, PartialEq)]
pub struct Fixed {
    /// Whether the cell is shown. A suppressed cell contributes to the number of complaints of unions and has
    /// no other measure.
    pub is_shown: bool,
    pub complaints: u32,
    pub episodes: u32,
    pub enterprises: u32,
    /// None if one enterprise's weighted share exceeds `MOST_OF_A_SUM`.
    pub cost: Option<i64>,
    pub delay: Option<f64>,
    /// The share answered in time, as (steps, total steps).
    pub in_time: Option<(u32, u32)>,
    pub median_days: Option<f64>,
}

/// Dominance rule: a sum is suppressed if the weighted share of one enterprise exceeds this. Weights lie
/// between 0.8 and 1.2, so that a sum is never shown if one enterprise has more than half of it:
/// ½·0.8 / (½·0.8 + ½·1.2) = 0.4.
const MOST_OF_A_SUM: f64 = 0.4;

impl Fixed {
    /// Perturbs the measures of a cell.
    pub fn new(measures: &Measures, disclosure: &Disclosure, reference: &Reference) -> Self {
        let CellMeasures {
            key,
            shared,
            non_confidential,
            non_confidential_key,
            non_confidential_shared,
            cost_dominance,
            delay_dominance,
        } = measures.cell;
        let Disclosure { thresholds, noise_key, scope, .. } = *disclosure;
        let place = |shared: SharedAttributes| shared.hash(noise_key, reference, scope);
        let base = thresholds.complaints;
        // Only the shown number of complaints and its noise depend on confidential complaints. The unit head
        // knows all others and would notice any other change.
        let non_confidential_key = CellKey { complaints: non_confidential_key, place: place(non_confidential_shared) };
        let is_shown = non_confidential >= base && measures.distinct_enterprises >= thresholds.enterprises;
        if !is_shown {
            // A cell with many complaints of few enterprises contributes no more than one with few complaints.
            let complaints =
                non_confidential_key.rounded(Purpose::Complaints, non_confidential.min(base - 1), base).min(base);
            return Self {
                is_shown,
                complaints: if non_confidential == 0 { 0 } else { complaints },
                episodes: 0,
                enterprises: 0,
                cost: None,
                delay: None,
                in_time: None,
                median_days: None,
            };
        }
        let key = CellKey { complaints: key, place: place(shared) };
        let complaints = key.rounded(Purpose::Complaints, measures.complaints, base).max(base);
        let counted =
            |purpose, count, base: u32| non_confidential_key.rounded(purpose, count, base).max(base).min(complaints);
        let in_time = (measures.due >= base).then(|| {
            let steps = steps(complaints, base);
            let share = f64::from(measures.in_time) / f64::from(measures.due);
            (non_confidential_key.whole(Purpose::Share, share * f64::from(steps)) as u32, steps)
        });
        let median_days = measures.median_days.map(|days| {
            let step = if days < 10.0 {
                2.0
            } else if days < 30.0 {
                5.0
            } else {
                10.0
            };
            non_confidential_key.whole(Purpose::Median, days / step) * step
        });
        Self {
            is_shown,
            complaints,
            episodes: counted(Purpose::Episodes, measures.episodes, base),
            enterprises: counted(Purpose::Enterprises, measures.distinct_enterprises, thresholds.enterprises),
            cost: (cost_dominance <= MOST_OF_A_SUM).then(|| significant(measures.cost_vnd as f64) as i64),
            delay: (delay_dominance <= MOST_OF_A_SUM).then(|| significant(measures.delay_hours)),
            in_time,
            median_days,
        }
    }

    /// The shown values as measures of a group.
    pub fn measures(&self) -> Measures {
        let (in_time, due) = self.in_time.unwrap_or_default();
        Measures {
            complaints: self.complaints,
            episodes: self.episodes,
            distinct_enterprises: self.enterprises,
            cost_vnd: self.cost.unwrap_or_default(),
            delay_hours: self.delay.unwrap_or_default(),
            due,
            in_time,
            median_days: self.median_days,
            ..Measures::default()
        }
    }
}

/// The number of steps that shares are rounded to: fewer complaints give coarser steps.
pub fn steps(complaints: u32, base: u32) -> u32 {
    if complaints < base.saturating_mul(4) {
        4
    } else if complaints < base.saturating_mul(20) {
        10
    } else {
        20
    }
}

/// Rounds to three significant digits.
pub fn significant(number: f64) -> f64 {
    if number == 0.0 || !number.is_finite() {
        return 0.0;
    }
    let unit = 10f64.powi(number.abs().log10().floor() as i32 - 2);
    // For units below 1, work with the inverse, which is an exact power of 10.
    if unit >= 1.0 { (number / unit).round() * unit } else { (number * unit.recip()).round() / unit.recip().round() }
}

#[cfg(test)]
mod tests {
    use super::super::{NoiseKey, Span, Thresholds};
    use super::*;

    fn shown(measures: &Measures) -> Fixed {
        let disclosure = Disclosure {
            thresholds: Thresholds { complaints: 5, enterprises: 3 },
            noise_key: NoiseKey([7; 32]),
            scope: None,
            listed: Vec::new(),
            span: Span::ALL,
            span_before: Span::ALL,
        };
        Fixed::new(measures, &disclosure, &Reference::default())
    }

    #[test]
    fn three_digits_of_a_sum_are_shown() {
        let shown = [1_234_567.0, 999_600.0, 12.344, 0.0].map(significant);
        let expected = [1_230_000.0, 1_000_000.0, 12.3, 0.0];
        assert!(shown.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{shown:?}");
    }

    #[test]
    fn a_sum_that_is_one_enterprise_s_is_not_shown() {
        let measures = Measures {
            complaints: 20,
            distinct_enterprises: 9,
            cost_vnd: 5_000_000,
            delay_hours: 7.0,
            cell: CellMeasures {
                non_confidential: 20,
                cost_dominance: 0.41,
                delay_dominance: 0.4,
                ..CellMeasures::default()
            },
            ..Measures::default()
        };
        let shown = shown(&measures);
        assert_eq!((shown.is_shown, shown.cost, shown.delay), (true, None, Some(7.0)));
    }

    #[test]
    fn few_complaints_and_those_of_few_enterprises_show_nothing_but_a_part_in_unions() {
        for (complaints, distinct_enterprises) in [(4, 4), (1, 1), (900, 2)] {
            for cell_key in 0..500 {
                let cell = CellMeasures {
                    key: cell_key,
                    non_confidential_key: cell_key,
                    non_confidential: complaints,
                    ..CellMeasures::default()
                };
                let measures = Measures { complaints, distinct_enterprises, cell, ..Measures::default() };
                let shown = shown(&measures);
                assert!(!shown.is_shown && (shown.complaints == 0 || shown.complaints == 5), "{shown:?}");
                assert_eq!(shown.measures(), Measures { complaints: shown.complaints, ..Measures::default() });
            }
        }
    }

    #[test]
    fn confidential_complaints_show_and_list_no_cell() {
        for cell_key in 0..200 {
            let measures = |complaints, non_confidential| {
                let cell = CellMeasures {
                    key: cell_key,
                    non_confidential_key: cell_key,
                    non_confidential,
                    ..CellMeasures::default()
                };
                shown(&Measures { complaints, distinct_enterprises: 3, cell, ..Measures::default() })
            };
            assert!(!measures(9, 4).is_shown && measures(9, 5).is_shown);
            assert_eq!(measures(4, 0).complaints, 0);
            assert_eq!(measures(9, 3).complaints, measures(3, 3).complaints);
        }
    }

    #[test]
    fn shares_and_medians_are_coarse_and_within_one_step() {
        for cell_key in 0..500 {
            let measures = Measures {
                complaints: 9,
                distinct_enterprises: 4,
                due: 7,
                in_time: 3,
                median_days: Some(13.0),
                cell: CellMeasures {
                    key: cell_key,
                    non_confidential_key: cell_key,
                    non_confidential: 9,
                    ..CellMeasures::default()
                },
                ..Measures::default()
            };
            let shown = shown(&measures);
            let (in_time, steps) = shown.in_time.expect("a share");
            assert!(steps == 4 && (in_time == 1 || in_time == 2), "{shown:?}");
            assert!(matches!(shown.median_days, Some(days) if [10.0, 15.0].contains(&days)), "{shown:?}");
        }
    }
}
