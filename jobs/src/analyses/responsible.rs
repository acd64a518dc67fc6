//! The levels of the unit that has to answer each complaint. The facts have those of the unit complained about.

use crate::snapshot::{Places, Reference};
use crate::statistics::date;
use chrono::NaiveDate;
use polars::prelude::*;
use schema::Id;
use schema::domain::tree::Ancestors;
use schema::enums::UnitKind;
use std::collections::HashMap;

/// A column with the headquarters unit that has to answer, or that the unit lies below; null for other units.
pub const HEADQUARTERS: &str = "headquarters";

/// The longest chain of parents that is followed.
const DEEPEST: usize = 16;

type Place = Option<u32>;

/// The department, branch, team and headquarters unit that a unit is or lies below.
type Levels = [Place; 4];

/// Replaces the columns `department`, `branch` and `team` of facts by those of the responsible unit, itself included,
/// and adds [`HEADQUARTERS`]. All are indices into the units of [`Reference`] (u32?).
///
/// What waits for an answer counts for the units above the responsible one `today`, and so does what is about another
/// unit: as for scorecards. What a unit at home has answered stays with the units above it on the day of the complaint.
///
/// # Errors
/// If the facts lack a column.
pub fn by_responsible(mut facts: DataFrame, reference: &Reference, today: NaiveDate) -> PolarsResult<DataFrame> {
    let places = |column: &str| -> PolarsResult<Vec<Place>> { Ok(Places::of(&facts, column)?.iter().collect()) };
    let numbers = |column: &str| -> PolarsResult<Vec<Option<i32>>> {
        Ok(facts.column(column)?.i32()?.iter().collect::<Vec<Option<i32>>>())
    };
    let own = [places("department")?, places("branch")?, places("team")?];
    let (responsible, units) = (places("responsible_unit")?, places("unit")?);
    let (days, answered, ended) = (numbers("day")?, numbers("answered")?, numbers("ended")?);
    let now: Vec<Option<Levels>> =
        reference.units.iter().map(|unit| present_levels(reference, unit.id, today)).collect();
    let mut of_day: HashMap<(u32, i32), Levels> = HashMap::new();
    let mut levels: [Vec<Place>; 4] = std::array::from_fn(|_| Vec::with_capacity(facts.height()));
    for at in 0..facts.height() {
        let found = match responsible[at] {
            None => [None; 4],
            Some(index) => {
                let by_tree = now.get(index as usize).copied().flatten().unwrap_or_else(|| {
                    let day = days[at].unwrap_or_default();
                    let unit = reference.units.get(index as usize);
                    *of_day
                        .entry((index, day))
                        .or_insert_with(|| unit.map_or([None; 4], |unit| levels_on(reference, unit.id, date(day))))
                });
                let waits = answered[at].is_none() && ended[at].is_none();
                match at_home([own[0][at], own[1][at], own[2][at]], units[at], index) {
                    Some([department, branch, team]) if !waits => [department, branch, team, by_tree[3]],
                    _ => by_tree,
                }
            }
        };
        for (level, index) in levels.iter_mut().zip(found) {
            level.push(index);
        }
    }
    for (name, places) in ["department", "branch", "team", HEADQUARTERS].into_iter().zip(levels) {
        facts.with_column(Column::new(name.into(), places))?;
    }
    Ok(facts)
}

/// The levels of a responsible unit that the complaint is about, or that is above the one that it is about: what lies
/// below the responsible unit is not responsible. None for a unit elsewhere.
fn at_home(of_unit: [Place; 3], unit: Place, responsible: u32) -> Option<[Place; 3]> {
    match of_unit.iter().position(|level| *level == Some(responsible)) {
        Some(lowest) => Some(std::array::from_fn(|level| of_unit[level].filter(|_| level <= lowest))),
        None => (unit == Some(responsible)).then_some(of_unit),
    }
}

/// The levels of a unit today. None if no unit is above it: it has ended, or it is at the top.
fn present_levels(reference: &Reference, unit: Id, today: NaiveDate) -> Option<Levels> {
    reference.tree.parent_on(unit, today).map(|_| levels_on(reference, unit, today))
}

/// The levels of a unit on a day.
fn levels_on(reference: &Reference, unit: Id, day: NaiveDate) -> Levels {
    let tree = &reference.tree;
    let Ancestors { department, branch, team } = tree.ancestors_on(unit, day);
    let mut upwards = std::iter::successors(Some(unit), |at| tree.parent_on(*at, day)).take(DEEPEST);
    let headquarters = upwards.find(|at| tree.kind(*at) == Some(UnitKind::HeadquartersUnit));
    [department, branch, team, headquarters].map(|level| reference.unit_index(level?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_levels_are_those_of_the_responsible_unit() {
        // Department 1, branch 2, team 3; the last complaint was transferred to another unit, which has no levels.
        let column = |name: &str, places: [Place; 5]| Column::new(name.into(), places.to_vec());
        let facts = DataFrame::new(
            5,
            vec![
                Column::new("day".into(), vec![0i32; 5]),
                Column::new("answered".into(), vec![Some(1i32); 5]),
                Column::new("ended".into(), vec![None::<i32>; 5]),
                column("department", [Some(1); 5]),
                column("branch", [Some(2); 5]),
                column("team", [Some(3); 5]),
                column("unit", [Some(3); 5]),
                column("responsible_unit", [Some(1), Some(2), Some(3), None, Some(9)]),
            ],
        )
        .expect("a frame");
        let found = by_responsible(facts, &Reference::default(), NaiveDate::default()).expect("levels");
        let places = |name: &str| found.column(name).expect(name).u32().expect("places").iter().collect::<Vec<Place>>();
        assert_eq!(places("department"), [Some(1), Some(1), Some(1), None, None]);
        assert_eq!(places("branch"), [None, Some(2), Some(2), None, None]);
        assert_eq!(places("team"), [None, None, Some(3), None, None]);
        assert_eq!(places(HEADQUARTERS), [None; 5]);
    }
}
