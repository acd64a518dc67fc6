//! Which shapes provinces and units are drawn as.

use super::outline;
use crate::JobError;
use chrono::NaiveDate;
use serde::Deserialize;

/// The shapes of provinces and of units.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Places {
    /// The 63 provinces up to 30 June 2025.
    province: Vec<Place>,
    /// The 34 provinces from 1 July 2025 on.
    merged: Vec<Place>,
    unit: Vec<Unit>,
}

/// A province.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    pub id: String,
    pub vi: String,
    pub en: String,
    pub shapes: Vec<String>,
}

/// A unit of the register by its code.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    pub code: String,
    pub shapes: Vec<String>,
}

impl Places {
    /// The file of the program: the units of the demonstration.
    ///
    /// # Errors
    /// `Settings` when the file is malformed.
    pub fn built_in() -> Result<Self, JobError> {
        Self::read("provinces.toml", include_str!("provinces.toml"))
    }

    /// The content of a file; `path` names it in errors.
    ///
    /// # Errors
    /// `Settings` when the file is malformed, or names a shape that does not exist.
    pub fn read(path: &str, toml: &str) -> Result<Self, JobError> {
        let broken = |message: String| JobError::Settings { path: path.to_owned(), message };
        let places: Self = toml::from_str(toml).map_err(|error| broken(error.to_string()))?;
        let atlas = outline::atlas()?;
        let of_provinces = places.province.iter().chain(&places.merged).flat_map(|place| &place.shapes);
        for id in of_provinces.chain(places.unit.iter().flat_map(|unit| &unit.shapes)) {
            if !atlas.shapes.iter().any(|shape| shape.id == *id) {
                return Err(broken(format!("the shape {id} does not exist: the shapes are the ids of `province`")));
            }
        }
        Ok(places)
    }

    /// The provinces of a day: 63, and 34 from 1 July 2025 on.
    pub fn provinces(&self, day: NaiveDate) -> &[Place] {
        let merged = NaiveDate::from_ymd_opt(2025, 7, 1);
        if merged.is_some_and(|merged| day >= merged) { &self.merged } else { &self.province }
    }

    /// The shapes of a unit; empty for a unit that the file does not name.
    pub fn of_unit(&self, code: &str) -> &[String] {
        self.unit.iter().find(|unit| unit.code == code).map_or(&[][..], |unit| unit.shapes.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shape_belongs_to_one_province_at_any_time() {
        let places = Places::built_in().unwrap();
        let mut all: Vec<&str> = outline::atlas().unwrap().shapes.iter().map(|shape| shape.id.as_str()).collect();
        all.sort_unstable();
        for (day, number) in [((2025, 6, 30), 63), ((2025, 7, 1), 34)] {
            let provinces = places.provinces(NaiveDate::from_ymd_opt(day.0, day.1, day.2).unwrap());
            assert_eq!(provinces.len(), number);
            let mut shapes: Vec<&str> = provinces.iter().flat_map(|place| &place.shapes).map(String::as_str).collect();
            shapes.sort_unstable();
            assert_eq!(shapes, all, "{day:?}");
        }
    }

    #[test]
    fn units_before_and_after_the_reorganisation_cover_the_country() {
        let places = Places::built_in().unwrap();
        assert!(places.of_unit("KV12").contains(&"hoangsa".to_owned()));
        assert!(places.of_unit("41").contains(&"truongsa".to_owned()));
        assert!(places.of_unit("nothing").is_empty());
        for is_after in [false, true] {
            let units = places.unit.iter().filter(|unit| unit.code.starts_with("KV") == is_after);
            let mut shapes: Vec<&String> = units.flat_map(|unit| &unit.shapes).collect();
            shapes.sort_unstable();
            shapes.dedup();
            assert_eq!(shapes.len(), 65);
        }
    }

    #[test]
    fn an_unknown_shape_is_refused() {
        let error = Places::read("a.toml", "province = []\nmerged = []\nunit = [{ code = \"1\", shapes = [\"x\"] }]");
        assert!(error.unwrap_err().to_string().contains("a.toml: the shape x"));
    }
}
