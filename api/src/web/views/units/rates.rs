//! Observed against expected episodes: the funnel of branches, and the map of departments.

use super::above;
use crate::web::{PageError, Picture, Visit, name, picture, text};
use jobs::charts::Unusual;
use jobs::charts::funnel::{self, FunnelData, FunnelPoint};
use jobs::charts::map::{self, MapArea, MapData, Places};
use jobs::numeric::funnel::{Funnel, Z_998};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Which shapes units are drawn as.
static PLACES: LazyLock<Option<Places>> = LazyLock::new(|| {
    Places::built_in().inspect_err(|error| tracing::error!(%error, "the shapes of units cannot be read")).ok()
});

/// Levels between a branch and a unit with a shape, at most.
const LEVELS: usize = 5;

/// A branch of the funnel.
fn points(funnel: &Value) -> impl Iterator<Item = (&str, f64, f64, &Value)> {
    funnel["points"].as_array().into_iter().flatten().filter_map(|point| {
        Some((point["unitCode"].as_str()?, point["observed"].as_f64()?, point["expected"].as_f64()?, point))
    })
}

/// The funnel of all branches; None before the first run, and for roles that do not see it.
///
/// # Errors
/// `Internal` if the words of charts are broken.
pub fn funnel_picture(visit: &Visit, funnel: &Value, units: &[Value]) -> Result<Option<Picture>, PageError> {
    if funnel.is_null() {
        return Ok(None);
    }
    let names = by_code(units);
    let branches = points(funnel).filter_map(|(code, observed, expected, point)| {
        let limit = |field: &str| point[field].as_f64();
        Some(FunnelPoint {
            label: label(visit, &names, code),
            observed,
            expected,
            lower_95: limit("lower95")?,
            upper_95: limit("upper95")?,
            lower_998: limit("lower998")?,
            upper_998: limit("upper998")?,
        })
    });
    let data = FunnelData {
        what: visit.t("units-episodes"),
        units_name: visit.t("units-branches"),
        // Phi compares variances.
        dispersion: funnel["phi"].as_f64().unwrap_or(1.0).max(1.0).sqrt(),
        units: branches.collect(),
    };
    picture("funnel", visit.locale(), |words, style| funnel::chart(&data, words, style)).map(Some)
}

/// The map of the departments; None where there is no funnel, or no department has a shape.
///
/// # Errors
/// `Internal` if the words of charts are broken, or a shape is missing.
pub fn map_picture(visit: &Visit, funnel: &Value, units: &[Value]) -> Result<Option<Picture>, PageError> {
    let Some(places) = PLACES.as_ref() else { return Ok(None) };
    let names = by_code(units);
    let areas = sums(funnel, &names, places).into_iter().map(|(code, (observed, expected))| MapArea {
        label: label(visit, &names, code),
        shapes: places.of_unit(code).to_vec(),
        observed,
        expected,
        unusual: unusual(observed, expected, funnel),
    });
    let areas: Vec<MapArea> = areas.collect();
    if areas.iter().all(|area| area.shapes.is_empty()) {
        return Ok(None);
    }
    let data = MapData { what: visit.t("units-episodes"), areas_name: visit.t("units-departments"), areas };
    picture("map", visit.locale(), |words, style| map::chart(&data, words, style)).map(Some)
}

fn by_code(units: &[Value]) -> BTreeMap<&str, &Value> {
    units.iter().map(|unit| (text(&unit["code"]), unit)).collect()
}

/// The name of a unit, or its code where the list does not have it.
fn label(visit: &Visit, names: &BTreeMap<&str, &Value>, code: &str) -> String {
    names.get(code).map_or(code, |unit| name(unit, visit.locale())).to_owned()
}

/// (observed, expected) of each unit with a shape: those of the branches below it on the day of the funnel. A branch
/// below no such unit stands for itself.
fn sums<'f>(funnel: &'f Value, units: &BTreeMap<&'f str, &'f Value>, places: &Places) -> BTreeMap<&'f str, (f64, f64)> {
    let day = text(&funnel["asOf"]);
    let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for (branch, observed, expected, _) in points(funnel) {
        let upwards = std::iter::successors(Some(branch), |code| above(units.get(code).copied()?, day));
        let drawn = upwards.take(LEVELS).find(|code| !places.of_unit(code).is_empty());
        let sum = sums.entry(drawn.unwrap_or(branch)).or_default();
        *sum = (sum.0 + observed, sum.1 + expected);
    }
    sums
}

/// Whether chance hardly explains a ratio, by the limits of the funnel. Departments differ no more than branches do:
/// with the variance between branches the limits are rather too wide.
fn unusual(observed: f64, expected: f64, funnel: &Value) -> Option<Unusual> {
    if expected <= 0.0 {
        return None;
    }
    let shape = Funnel { z: Vec::new(), phi: 1.0, tau2: funnel["tau2"].as_f64().unwrap_or(0.0) };
    let limits = shape.limits(expected, Z_998);
    Unusual::of(observed / expected, limits.lower, limits.upper)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_map_sums_up_branches_below_the_department_of_the_day() {
        let parents = |above: &str, last: Option<&str>| {
            json!([
                { "validFrom": null, "validTo": last, "unit": { "code": above } },
                { "validFrom": "2026-03-01", "validTo": null, "unit": { "code": "KV02" } },
            ])
        };
        let units = [
            json!({ "code": "02A", "parents": parents("02", Some("2026-02-28")) }),
            json!({ "code": "02B", "parents": parents("02", Some("2026-02-28")) }),
        ];
        let point = |code: &str, observed: i64| json!({ "unitCode": code, "observed": observed, "expected": 2.0 });
        let mut funnel =
            json!({ "asOf": "2026-01-31", "tau2": 0.0, "points": [point("02A", 3), point("02B", 1), point("99", 5)] });
        let (units, places) = (by_code(&units), Places::built_in().unwrap());
        assert_eq!(sums(&funnel, &units, &places), BTreeMap::from([("02", (4.0, 4.0)), ("99", (5.0, 2.0))]));
        funnel["asOf"] = "2026-03-01".into();
        assert_eq!(sums(&funnel, &units, &places), BTreeMap::from([("99", (5.0, 2.0)), ("KV02", (4.0, 4.0))]));
    }

    #[test]
    fn only_what_chance_hardly_explains_is_unusual() {
        let funnel = json!({ "tau2": 0.0 });
        assert_eq!(unusual(100.0, 100.0, &funnel), None);
        assert_eq!(unusual(125.0, 100.0, &funnel), None);
        assert_eq!(unusual(200.0, 100.0, &funnel), Some(Unusual::High));
        assert_eq!(unusual(10.0, 100.0, &funnel), Some(Unusual::Low));
        assert_eq!(unusual(5.0, 0.0, &funnel), None);
    }
}
