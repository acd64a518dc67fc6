//! Generates the technical complaints of a world without storing it: studies of alerts look at many worlds.

use super::Parameters;
use super::parts::Parts;
use super::truth::TrueBurst;
use crate::db::StoreError;
use crate::enums::CategoryKind;
use crate::sql_types::{Id, Timestamp};

pub struct Outline {
    /// Complaints in the order of receipt.
    pub complaints: Vec<TechnicalComplaint>,
    /// Failures in the order of time.
    pub failures: Vec<RecordedFailure>,
    /// The planted bursts, whose complaints are among the others.
    pub bursts: Vec<TrueBurst>,
}

pub struct TechnicalComplaint {
    pub at: Timestamp,
    pub department: Id,
    pub branch: Id,
}

/// A failure that the world records: complaints about it come on the same day and the two after it.
pub struct RecordedFailure {
    pub at: Timestamp,
    /// The branch and its department; None if the whole country was struck.
    pub units: Option<[Id; 2]>,
}

/// # Errors
/// `Rule` for invalid parameters.
pub fn outline(parameters: Parameters) -> Result<Outline, StoreError> {
    let parts = Parts::of(parameters)?;
    let (planned, bursts) = parts.plan();
    let units = |branch: usize| {
        let branch = &parts.units.branches[branch];
        [branch.id, branch.department]
    };
    let technical =
        planned.iter().filter(|one| parts.categories[usize::from(one.category)].kind == CategoryKind::Technical);
    let complaints = technical.map(|one| {
        let [branch, department] = units(usize::from(one.branch));
        TechnicalComplaint { at: parts.timeline.moment(one.day, one.second), department, branch }
    });
    let failures = parts
        .incidents
        .iter()
        .map(|one| RecordedFailure { at: parts.timeline.moment(one.day, one.second), units: one.branch.map(units) });
    Ok(Outline { complaints: complaints.collect(), failures: failures.collect(), bursts })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{Bursts, UNTIL};

    fn made(seed: u64, bursts: Bursts) -> Outline {
        outline(Parameters { complaints: 2_000, seed, until: UNTIL, bursts }).expect("a world")
    }

    #[test]
    fn bursts_come_on_top_of_the_complaints_of_a_world_without_them() {
        let bursts = Bursts { number: 3, size: 12 };
        let (plain, with) = (made(1, Bursts::default()), made(1, bursts));
        assert!(plain.bursts.is_empty());
        assert_eq!(with.bursts.len(), 3);
        assert_eq!(with.complaints.len(), plain.complaints.len() + 36);
        assert!(with.complaints.is_sorted_by_key(|one| one.at));
        for burst in &with.bursts {
            let of = |outline: &Outline| {
                let in_time = |at: Timestamp| at >= burst.from && at < burst.until;
                let of = |one: &&TechnicalComplaint| in_time(one.at) && [one.branch, one.department] == burst.units;
                outline.complaints.iter().filter(of).count()
            };
            assert_eq!(of(&with), of(&plain) + 12, "{burst:?}");
            assert!(burst.multiple.is_none_or(|multiple| multiple > 12.0), "{burst:?}");
        }
        let days: Vec<i64> = with.bursts.iter().map(|burst| burst.from.micros() / 86_400_000_000).collect();
        assert!(days.windows(2).all(|two| two[1] - two[0] >= 2), "{days:?}");
    }

    #[test]
    fn too_many_or_too_large_bursts_are_refused() {
        for (number, size) in [(25, 12), (1, 0), (1, 1_001)] {
            let parameters = Parameters { complaints: 2_000, seed: 1, until: UNTIL, bursts: Bursts { number, size } };
            assert!(outline(parameters).is_err(), "{number} of {size}");
        }
    }
}
