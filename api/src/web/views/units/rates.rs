//! Observed against expected episodes: the funnel of branches, and the map of provinces.

use super::above;
use crate::web::{PageError, Picture, Visit, kept_picture, name, text};
use chrono::NaiveDate;
use jobs::charts::funnel::{self, FunnelData, FunnelPoint};
use jobs::charts::map::{self, Located, MapArea, MapData, Places};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The shapes of the units of the demonstration, where the configuration names no others.
static PLACES: LazyLock<Option<Places>> = LazyLock::new(|| {
    Places::built_in().inspect_err(|error| tracing::error!(%error, "the shapes of units cannot be read")).ok()
});

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
    kept_picture("funnel", visit.locale(), &data, funnel::chart).map(Some)
}

/// The map of the provinces of the day of the funnel, and how many branches lie in none that is known. No map without a
/// funnel plot, or if no branch lies in a province.
///
/// # Errors
/// `Internal` if the words of charts are broken, or a shape is missing.
pub fn map_picture(visit: &Visit, funnel: &Value, units: &[Value]) -> Result<(Option<Picture>, usize), PageError> {
    let own = visit.service.settings.web.places.as_deref();
    let day: Option<NaiveDate> = text(&funnel["asOf"]).parse().ok();
    let Some((places, day)) = own.or(PLACES.as_ref()).zip(day) else { return Ok((None, 0)) };
    let (areas, elsewhere) = map::areas(places, day, located(funnel, &by_code(units), places, day));
    if areas.iter().all(|area| area.expected <= 0.0) {
        return Ok((None, elsewhere));
    }
    let tau2 = funnel["tau2"].as_f64().unwrap_or(0.0);
    let areas = areas.into_iter().map(|area| MapArea {
        label: area.label(visit.locale()),
        shapes: area.shapes(),
        observed: area.observed,
        expected: area.expected,
        unusual: map::unusual(area.observed, area.expected, tau2),
    });
    let data =
        MapData { what: visit.t("units-episodes"), areas_name: visit.t("units-provinces"), areas: areas.collect() };
    Ok((Some(kept_picture("map", visit.locale(), &data, map::chart)?), elsewhere))
}

fn by_code(units: &[Value]) -> BTreeMap<&str, &Value> {
    units.iter().map(|unit| (text(&unit["code"]), unit)).collect()
}

/// The name of a unit, or its code where the list does not have it.
fn label(visit: &Visit, names: &BTreeMap<&str, &Value>, code: &str) -> String {
    names.get(code).map_or(code, |unit| name(unit, visit.locale())).to_owned()
}

/// The branches of the funnel with their shapes: their own, or else those of the lowest unit above them that has some on
/// a day.
fn located<'p>(funnel: &Value, units: &BTreeMap<&str, &Value>, places: &'p Places, day: NaiveDate) -> Vec<Located<'p>> {
    let on = day.to_string();
    let branches = points(funnel).map(|(branch, observed, expected, _)| {
        let upwards = std::iter::successors(Some(branch), |code| above(units.get(code).copied()?, &on));
        Located { shapes: places.of_lowest(upwards), observed, expected }
    });
    branches.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::enums::Locale;
    use serde_json::json;

    /// The areas with numbers by their names, how many areas there are, and how many branches lie in none.
    fn drawn(funnel: &Value, units: &[Value], places: &Places) -> (Vec<(String, f64, f64)>, usize, usize) {
        let day = text(&funnel["asOf"]).parse().unwrap();
        let (areas, elsewhere) = map::areas(places, day, located(funnel, &by_code(units), places, day));
        let number = areas.len();
        let with_numbers = areas.iter().filter(|area| area.expected > 0.0);
        let found = with_numbers.map(|area| (area.label(Locale::En), area.observed, area.expected));
        (found.collect(), number, elsewhere)
    }

    fn points_of(day: &str, points: &[(&str, i64)]) -> Value {
        let point = |(code, observed): &(&str, i64)| json!({ "unitCode": code, "observed": observed, "expected": 2.0 });
        json!({ "asOf": day, "tau2": 0.0, "points": points.iter().map(point).collect::<Vec<_>>() })
    }

    #[test]
    fn the_map_has_the_63_provinces_before_the_merger_and_the_34_after_it() {
        let places = Places::built_in().unwrap();
        let points = [("43AA", 3), ("02AA", 1), ("01AA", 4), ("99", 5)];
        let named = |names: &[(&str, f64, f64)]| -> Vec<(String, f64, f64)> {
            names.iter().map(|(name, observed, expected)| ((*name).to_owned(), *observed, *expected)).collect()
        };
        let before = named(&[("Binh Duong", 3.0, 2.0), ("Hanoi", 4.0, 2.0), ("Ho Chi Minh City", 1.0, 2.0)]);
        assert_eq!(drawn(&points_of("2025-06-30", &points), &[], &places), (before, 63, 1));
        let after = named(&[("Hanoi", 4.0, 2.0), ("Ho Chi Minh City", 4.0, 4.0)]);
        assert_eq!(drawn(&points_of("2025-07-01", &points), &[], &places), (after, 34, 1));
    }

    #[test]
    fn provinces_of_one_unit_are_one_area_where_its_branches_lie_in_any_of_them() {
        let parents = |above: &str, last: Option<&str>| {
            json!([
                { "validFrom": null, "validTo": last, "unit": { "code": above } },
                { "validFrom": "2026-03-01", "validTo": null, "unit": { "code": "KV02" } },
            ])
        };
        let units = ["A", "B"].map(|code| json!({ "code": code, "parents": parents("02", Some("2026-02-28")) }));
        let toml = "unit = [{ code = \"02\", shapes = [\"hanoi\", \"langson\"] }, \
                    { code = \"KV02\", shapes = [\"hcm\"] }]";
        let places = Places::read("places.toml", toml).unwrap();
        let points = [("A", 3), ("B", 1)];
        let before = vec![("Hanoi, Lang Son".to_owned(), 4.0, 4.0)];
        assert_eq!(drawn(&points_of("2026-02-28", &points), &units, &places), (before, 33, 0));
        // The unit above is that of the day.
        let after = vec![("Ho Chi Minh City".to_owned(), 4.0, 4.0)];
        assert_eq!(drawn(&points_of("2026-03-01", &points), &units, &places), (after, 34, 0));
    }
}
