//! The levels of the unit that has to answer each complaint. The facts have those of the unit complained about.

use crate::snapshot::Reference;
use crate::statistics::date;
use polars::prelude::*;
use schema::enums::UnitKind;
use std::collections::HashMap;

/// A column with the headquarters unit that has to answer; null where the unit is of another kind.
pub const HEADQUARTERS: &str = "headquarters";

type Place = Option<u32>;

/// Replaces the columns `department`, `branch` and `team` of facts by those of the responsible unit, itself included,
/// on the day of the complaint, and adds [`HEADQUARTERS`]. All are indices into the units of [`Reference`] (u32?).
///
/// # Errors
/// If the facts lack a column.
pub fn by_responsible(mut facts: DataFrame, reference: &Reference) -> PolarsResult<DataFrame> {
    let places =
        |column: &str| -> PolarsResult<Vec<Place>> { Ok(facts.column(column)?.u32()?.iter().collect::<Vec<Place>>()) };
    let own = [places("department")?, places("branch")?, places("team")?];
    let (responsible, units) = (places("responsible_unit")?, places("unit")?);
    let days: Vec<Option<i32>> = facts.column("day")?.i32()?.iter().collect();
    let mut elsewhere: HashMap<(u32, i32), [Place; 3]> = HashMap::new();
    let mut levels: [Vec<Place>; 3] = std::array::from_fn(|_| Vec::with_capacity(facts.height()));
    for at in 0..facts.height() {
        let of_unit = [own[0][at], own[1][at], own[2][at]];
        let found = match responsible[at] {
            None => [None; 3],
            Some(place) => match of_unit.iter().position(|level| *level == Some(place)) {
                // What lies below the responsible unit is not responsible.
                Some(lowest) => std::array::from_fn(|level| of_unit[level].filter(|_| level <= lowest)),
                None if units[at] == Some(place) => of_unit,
                None => {
                    let day = days[at].unwrap_or_default();
                    *elsewhere.entry((place, day)).or_insert_with(|| levels_on(reference, place, day))
                }
            },
        };
        for (level, place) in levels.iter_mut().zip(found) {
            level.push(place);
        }
    }
    let is_headquarters = |place: &u32| {
        let unit = reference.units.get(*place as usize);
        unit.is_some_and(|unit| unit.kind == UnitKind::HeadquartersUnit)
    };
    let headquarters: Vec<Place> = responsible.iter().map(|place| place.filter(is_headquarters)).collect();
    let [department, branch, team] = levels;
    for (name, places) in [("department", department), ("branch", branch), ("team", team), (HEADQUARTERS, headquarters)]
    {
        facts.with_column(Column::new(name.into(), places))?;
    }
    Ok(facts)
}

/// The department, branch and team of a unit on a day (days since 1970).
fn levels_on(reference: &Reference, place: u32, day: i32) -> [Place; 3] {
    let Some(unit) = reference.units.get(place as usize) else { return [None; 3] };
    let ancestors = reference.tree.ancestors_on(unit.id, date(day));
    [ancestors.department, ancestors.branch, ancestors.team].map(|level| reference.unit_place(level?))
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
                column("department", [Some(1); 5]),
                column("branch", [Some(2); 5]),
                column("team", [Some(3); 5]),
                column("unit", [Some(3); 5]),
                column("responsible_unit", [Some(1), Some(2), Some(3), None, Some(9)]),
            ],
        )
        .expect("a frame");
        let found = by_responsible(facts, &Reference::default()).expect("levels");
        let places = |name: &str| found.column(name).expect(name).u32().expect("places").iter().collect::<Vec<Place>>();
        assert_eq!(places("department"), [Some(1), Some(1), Some(1), None, None]);
        assert_eq!(places("branch"), [None, Some(2), Some(2), None, None]);
        assert_eq!(places("team"), [None, None, Some(3), None, None]);
        assert_eq!(places(HEADQUARTERS), [None; 5]);
    }
}
