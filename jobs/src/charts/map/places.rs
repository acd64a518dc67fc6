//! The shapes by which provinces and units are drawn.

use super::outline;
use crate::JobError;
use chrono::NaiveDate;
use schema::domain::toml_text;
use serde::Deserialize;
use std::slice;

/// Levels between a branch and a unit with a shape, at most.
const LEVELS: usize = 5;

/// The shapes of provinces and of units.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Places {
    /// The 63 provinces up to 30 June 2025.
    #[serde(default)]
    province: Vec<Place>,
    /// The 34 provinces from 1 July 2025 on.
    #[serde(default)]
    merged: Vec<Place>,
    #[serde(default)]
    branch: Vec<Branches>,
    #[serde(default)]
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

/// Units of the register that lie in one province, by their codes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Branches {
    pub shape: String,
    pub codes: Vec<String>,
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

    /// The content of a file; `path` names it in errors. A file without provinces has those of the program.
    ///
    /// # Errors
    /// `Settings` when the file is malformed, or names a shape that does not exist.
    pub fn read(path: &str, toml: &str) -> Result<Self, JobError> {
        let broken = |message: String| JobError::Settings { path: path.to_owned(), message };
        let mut places: Self = toml_text::parse(toml).map_err(broken)?;
        if places.province.is_empty() && places.merged.is_empty() {
            let own = Self::built_in()?;
            (places.province, places.merged) = (own.province, own.merged);
        }
        let atlas = outline::atlas()?;
        let of_provinces = places.province.iter().chain(&places.merged).flat_map(|place| &place.shapes);
        let of_units = places.unit.iter().flat_map(|unit| &unit.shapes);
        for id in of_provinces.chain(of_units).chain(places.branch.iter().map(|branch| &branch.shape)) {
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
        let branch = self.branch.iter().find(|branch| branch.codes.iter().any(|own| own == code));
        if let Some(branch) = branch {
            return slice::from_ref(&branch.shape);
        }
        self.unit.iter().find(|unit| unit.code == code).map_or(&[][..], |unit| unit.shapes.as_slice())
    }

    /// The shapes of the first unit that has some. The codes lead upwards, from a branch to the units above it.
    pub fn of_lowest<'c>(&self, upwards: impl Iterator<Item = &'c str>) -> &[String] {
        upwards.take(LEVELS).map(|code| self.of_unit(code)).find(|shapes| !shapes.is_empty()).unwrap_or_default()
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
    fn a_branch_lies_in_a_province_of_its_department() {
        let places = Places::built_in().unwrap();
        let codes: Vec<&String> = places.branch.iter().flat_map(|branch| &branch.codes).collect();
        let mut different = codes.clone();
        different.sort_unstable();
        different.dedup();
        assert_eq!((codes.len(), different.len()), (178, 178));
        for code in codes {
            let [shape] = places.of_unit(code) else { panic!("{code} lies in one province") };
            assert!(places.of_unit(&code[..2]).contains(shape), "{code}");
        }
    }

    #[test]
    fn a_file_without_provinces_has_those_of_the_program() {
        let own = Places::read("a.toml", "branch = [{ shape = \"hcm\", codes = [\"1\"] }]").unwrap();
        assert_eq!(own.provinces(NaiveDate::MIN).len(), 63);
        assert_eq!((own.of_unit("1"), own.of_unit("02").len()), (&["hcm".to_owned()][..], 0));
    }

    #[test]
    fn an_unknown_shape_is_refused() {
        for toml in ["unit = [{ code = \"1\", shapes = [\"x\"] }]", "branch = [{ shape = \"x\", codes = [\"1\"] }]"] {
            let error = Places::read("a.toml", toml);
            assert!(error.unwrap_err().to_string().contains("a.toml: the shape x"));
        }
    }
}
