//! Adds up the numbers of branches by the provinces in which they lie.

use super::places::{Place, Places};
use crate::charts::Unusual;
use crate::numeric::funnel::{Funnel, Z_998};
use chrono::NaiveDate;
use schema::enums::Locale;
use std::collections::BTreeMap;

/// The numbers of a branch, and the shapes in which it lies; none where they are not known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Located<'p> {
    pub shapes: &'p [String],
    pub observed: f64,
    pub expected: f64,
}

/// A province with the numbers of the branches in it; or several, if it is not known in which of them branches lie.
#[derive(Debug, Clone, PartialEq)]
pub struct Area<'p> {
    pub provinces: Vec<&'p Place>,
    pub observed: f64,
    pub expected: f64,
}

impl Area<'_> {
    /// The names of its provinces.
    pub fn label(&self, locale: Locale) -> String {
        let name = |place: &&Place| match locale {
            Locale::Vi => place.vi.clone(),
            Locale::En => place.en.clone(),
        };
        self.provinces.iter().map(name).collect::<Vec<_>>().join(", ")
    }

    /// The ids of its shapes.
    pub fn shapes(&self) -> Vec<String> {
        self.provinces.iter().flat_map(|province| province.shapes.clone()).collect()
    }
}

/// The provinces of a day with the numbers of their branches, and how many branches lie in none of them.
pub fn areas<'p>(
    places: &'p Places,
    day: NaiveDate,
    branches: impl IntoIterator<Item = Located<'p>>,
) -> (Vec<Area<'p>>, usize) {
    let provinces = places.provinces(day);
    // Each province leads to another one of its area, or to itself.
    let mut joined: Vec<usize> = (0..provinces.len()).collect();
    let (mut counted, mut elsewhere) = (Vec::new(), 0);
    for branch in branches {
        let is_in = |province: &Place| province.shapes.iter().any(|shape| branch.shapes.contains(shape));
        let mut within = (0..provinces.len()).filter(|at| is_in(&provinces[*at]));
        let Some(first) = within.next() else {
            elsewhere += 1;
            continue;
        };
        for other in within {
            let (one, other) = (leader(&joined, first), leader(&joined, other));
            joined[one.max(other)] = one.min(other);
        }
        counted.push((first, branch.observed, branch.expected));
    }
    let mut areas: BTreeMap<usize, Area<'p>> = BTreeMap::new();
    for (at, province) in provinces.iter().enumerate() {
        let none = || Area { provinces: Vec::new(), observed: 0.0, expected: 0.0 };
        areas.entry(leader(&joined, at)).or_insert_with(none).provinces.push(province);
    }
    for (at, observed, expected) in counted {
        if let Some(area) = areas.get_mut(&leader(&joined, at)) {
            area.observed += observed;
            area.expected += expected;
        }
    }
    (areas.into_values().collect(), elsewhere)
}

/// The first province of the area of a province.
fn leader(joined: &[usize], mut at: usize) -> usize {
    while joined[at] != at {
        at = joined[at];
    }
    at
}

/// Whether chance hardly explains a ratio, by the limits of a funnel with this variance between branches. Provinces
/// differ no more than branches do: with that variance the limits are rather too wide.
pub fn unusual(observed: f64, expected: f64, tau2: f64) -> Option<Unusual> {
    if expected <= 0.0 {
        return None;
    }
    let limits = Funnel { z: Vec::new(), phi: 1.0, tau2 }.limits(expected, Z_998);
    Unusual::of(observed / expected, limits.lower, limits.upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_chance_hardly_explains_is_unusual() {
        assert_eq!(unusual(100.0, 100.0, 0.0), None);
        assert_eq!(unusual(125.0, 100.0, 0.0), None);
        assert_eq!(unusual(200.0, 100.0, 0.0), Some(Unusual::High));
        assert_eq!(unusual(10.0, 100.0, 0.0), Some(Unusual::Low));
        assert_eq!(unusual(5.0, 0.0, 0.0), None);
    }
}
