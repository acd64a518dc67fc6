//! The comparisons behind the numbers of the subjects that reach a tier: E, prior and cut-offs. A run stores it, so
//! that a question about one of them needs the complaints about this subject only, not those about all others.

use super::compared::Compared;
use super::significance::Rest;
use crate::numeric::shrinkage::Prior;
use schema::Id;
use schema::enums::Tier;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A run's comparison of the subjects of a kind that reach a tier. Numbers are stored as they are, not rounded: what is
/// computed from them is what the run itself would have computed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparisons {
    /// Whether all attributions that count are CONFIRMED. The numbers of all rows are then those of confirmed ones,
    /// too.
    all_confirmed: bool,
    /// The p-value that the limit on q of a tier corresponds to; none where no subject reaches the limit.
    cut_offs: BTreeMap<Tier, f64>,
    windows: Vec<ComparedWindow>,
    /// O and E of each subject in each of `windows`; None in a window in which it has no expectation.
    subjects: BTreeMap<Id, Vec<Option<(u32, f64)>>>,
}

/// Variation of all subjects in one window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct ComparedWindow {
    days: i32,
    /// Whether only CONFIRMED attributions count.
    confirmed: bool,
    prior: Prior,
}

impl Comparisons {
    /// Takes the comparisons of the subjects given as (place, id).
    pub(super) fn new(
        compared: &Compared,
        cut_offs: BTreeMap<Tier, f64>,
        subjects: impl IntoIterator<Item = (u32, Id)>,
    ) -> Self {
        let all = &compared.comparisons;
        let counted = |index: u32| all.values().map(|one| one.observed_and_expected(index)).collect();
        Self {
            all_confirmed: compared.confirmed.is_none(),
            cut_offs,
            windows: all
                .iter()
                .map(|((days, confirmed), one)| ComparedWindow {
                    days: *days,
                    confirmed: *confirmed,
                    prior: one.scatter.prior,
                })
                .collect(),
            subjects: subjects.into_iter().map(|(index, id)| (id, counted(index))).collect(),
        }
    }

    /// The comparisons of one subject. None if it did not reach a tier.
    pub fn of(&self, subject: Id) -> Option<SubjectComparisons<'_>> {
        Some(SubjectComparisons { of_kind: self, counted: self.subjects.get(&subject)? })
    }
}

/// Comparison of one subject.
#[derive(Debug, Clone, Copy)]
pub struct SubjectComparisons<'c> {
    of_kind: &'c Comparisons,
    /// O and E in each window of the kind.
    counted: &'c [Option<(u32, f64)>],
}

impl SubjectComparisons<'_> {
    /// Whether all attributions that count, also those to other subjects, are CONFIRMED.
    pub(super) fn all_confirmed(&self) -> bool {
        self.of_kind.all_confirmed
    }

    /// The p-value that the limit on q of a tier corresponds to.
    pub(super) fn cut_off(&self, tier: Tier) -> Option<f64> {
        self.of_kind.cut_offs.get(&tier).copied()
    }

    /// The numbers of the subject in a window without some of its episodes. None if it has no expectation there.
    pub(super) fn without(&self, days: i32, only_confirmed: bool, left_out: u32) -> Option<Rest> {
        let confirmed = only_confirmed && !self.all_confirmed();
        let mut windows = self.of_kind.windows.iter().zip(self.counted);
        let (window, counted) = windows.find(|(window, _)| window.days == days && window.confirmed == confirmed)?;
        let (observed, expected) = (*counted)?;
        Some(Rest::new(&window.prior, observed.saturating_sub(left_out), expected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::shrinkage::Gamma;
    use uuid::Uuid;

    #[test]
    fn what_a_run_stores_is_read_again_to_the_last_bit() {
        // JSON shows them with up to 17 digits.
        let (third, sum, small) = (1.0 / 3.0, 0.1 + 0.2, 2.0_f64.powi(-40) / 7.0);
        let (first, second) = (Gamma { shape: third, rate: sum }, Gamma { shape: 1e23, rate: 3.0 });
        let mixture = Prior::Mixture { first, second, share: small };
        let window = |days, confirmed, prior| ComparedWindow { days, confirmed, prior };
        let stored = Comparisons {
            all_confirmed: false,
            cut_offs: BTreeMap::from([(Tier::Watch, third), (Tier::SuspensionReview, f64::MIN_POSITIVE)]),
            windows: vec![window(180, false, mixture), window(365, true, Prior::Point { mean: sum })],
            subjects: BTreeMap::from([(Id(Uuid::from_u128(7)), vec![Some((3, small)), None])]),
        };
        let text = serde_json::to_string(&serde_json::json!(stored)).expect("a document");
        let read: Comparisons = serde_json::from_str(&text).expect("comparisons");
        assert_eq!(read, stored);
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(serde_json::from_value::<Comparisons>(value).expect("comparisons"), stored);
    }

    #[test]
    fn confirmed_attributions_are_compared_apart_unless_all_are_confirmed() {
        let window = |confirmed| ComparedWindow { days: 365, confirmed, prior: Prior::Point { mean: 1.0 } };
        let id = Id(Uuid::from_u128(7));
        let mut of_kind = Comparisons {
            windows: vec![window(false), window(true)],
            subjects: BTreeMap::from([(id, vec![Some((5, 1.0)), Some((3, 0.5))])]),
            ..Comparisons::default()
        };
        let observed = |of_kind: &Comparisons, confirmed| {
            of_kind.of(id).expect("a subject").without(365, confirmed, 1).map(|rest| (rest.observed, rest.expected))
        };
        assert_eq!((observed(&of_kind, false), observed(&of_kind, true)), (Some((4, 1.0)), Some((2, 0.5))));
        of_kind.windows.pop();
        assert_eq!(observed(&of_kind, true), None, "it has no expectation");
        of_kind.all_confirmed = true;
        assert_eq!(observed(&of_kind, true), Some((4, 1.0)));
        assert!(
            of_kind.of(Id(Uuid::from_u128(8))).is_none() && of_kind.of(id).unwrap().without(30, false, 0).is_none()
        );
    }
}
