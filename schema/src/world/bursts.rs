//! Planted bursts: in two hours of a day one branch gets several technical complaints of one category, as when a system
//! fails there and the failure is not recorded.

use super::chance::SeededRng;
use super::plan::{Planned, World, category_of};
use super::truth::TrueBurst;
use super::{Bursts, Parameters};
use crate::db::StoreError;
use crate::enums::CategoryKind;

/// The last days of a world, over which bursts are spread.
const SPREAD: i32 = 120;
/// The most bursts of a world: five days lie between the beginnings of two on average.
const MOST: u32 = 24;
const LARGEST: u32 = 1_000;
/// The length of a burst.
const HOURS: u32 = 2;
/// Most complaints of a day come within this many hours.
const HOURS_OF_A_DAY: f64 = 10.0;

impl Bursts {
    /// Checks the number and the size of the bursts.
    ///
    /// # Errors
    /// `Rule` if there are too many bursts, or a size is out of bounds.
    pub(super) fn check(self) -> Result<(), StoreError> {
        let message = match self {
            Self { number: 0, .. } => return Ok(()),
            Self { number, .. } if number > MOST => format!("the number of bursts must be at most {MOST}"),
            Self { size, .. } if !(1..=LARGEST).contains(&size) => {
                format!("a burst must have between 1 and {LARGEST} complaints")
            }
            _ => return Ok(()),
        };
        Err(StoreError::Rule(message))
    }
}

/// Adds the bursts to complaints that are in the order of receipt, and keeps that order.
pub fn plant(world: &World<'_>, parameters: Parameters, planned: &mut Vec<Planned>) -> Vec<TrueBurst> {
    let Bursts { number, size } = parameters.bursts;
    let Ok(number) = i32::try_from(number.min(MOST)) else { return Vec::new() };
    if number == 0 {
        return Vec::new();
    }
    let technical = technical_of_branches(world, planned);
    let slot = SPREAD / number;
    let mut found = Vec::new();
    for nth in 0..number {
        let mut chance = SeededRng::new(world.seed, "burst", u64::from(nth.unsigned_abs()));
        let from = world.timeline.days - SPREAD + nth * slot;
        // The last day of its part is left out, so that two bursts do not follow at once.
        let day = world.timeline.some_day(&mut chance, from, from + slot - 1);
        let first = (8 + u32::try_from(chance.below(8)).unwrap_or(0)) * 3_600;
        let at = world.units.by_weight.pick(&mut chance);
        let category = category_of(world.categories, &mut chance, |one| one.kind == CategoryKind::Technical);
        for _ in 0..size {
            let second = first + u32::try_from(chance.below(HOURS as usize * 3_600)).unwrap_or(0);
            planned.push(Planned {
                day,
                second,
                occurred: Some(0),
                officers: Vec::new(),
                enterprise: Some(world.enterprises.of_branch(&mut chance, at)),
                branch: u16::try_from(at).unwrap_or(0),
                team: None,
                category,
                blames_system: false,
                campaign: None,
            });
        }
        let branch = &world.units.branches[at];
        let usual = technical[at] / f64::from(world.timeline.days) * f64::from(HOURS) / HOURS_OF_A_DAY;
        found.push(TrueBurst {
            unit: branch.code.clone(),
            from: world.timeline.moment(day, first),
            until: world.timeline.moment(day, first + HOURS * 3_600),
            category: world.categories[usize::from(category)].code,
            complaints: size,
            usual,
            multiple: (usual > 0.0).then(|| f64::from(size) / usual),
            units: [branch.id, branch.department],
        });
    }
    // A stable sort: ties keep the order of planning.
    planned.sort_by_key(|one| (one.day, one.second));
    found
}

/// The technical complaints of each branch, without bursts.
fn technical_of_branches(world: &World<'_>, planned: &[Planned]) -> Vec<f64> {
    let mut technical = vec![0.0; world.units.branches.len()];
    for one in planned {
        if world.categories[usize::from(one.category)].kind == CategoryKind::Technical {
            technical[usize::from(one.branch)] += 1.0;
        }
    }
    technical
}
