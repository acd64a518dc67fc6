//! Names and units of the subjects of flags, as of a day, and how often a subject is complained about in plain numbers.

use crate::JobError;
use crate::analyses::recurrence::WindowNumbers;
use crate::flags::Stored;
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::db::dialect::KEYS_PER_QUERY;
use schema::enums::SubjectKind;
use schema::tables::{officers, postings, units};
use schema::{Conn, Id};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;

/// A digest has no sentence about a ratio below this, nor about one with a larger p-value.
const LEAST_RATIO: f64 = 1.5;
const LARGEST_P: f64 = 0.05;
/// A digest says "once in this many" for any smaller probability, too.
const RAREST: f64 = 1e6;

/// A unit with its names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnitName {
    pub code: String,
    pub name_vi: String,
    pub name_en: Option<String>,
}

impl UnitName {
    /// The name in a language: the Vietnamese one if there is no other.
    pub(super) fn in_language(&self, is_english: bool) -> &str {
        self.name_en.as_deref().filter(|_| is_english).unwrap_or(&self.name_vi)
    }
}

/// The names and links of the subject of a flag.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubjectName {
    /// The name of an officer; None if the register does not know it.
    pub name: Option<String>,
    /// The branch, or the unit in which the officer serves on the day.
    pub unit: Option<UnitName>,
}

/// The numbers of a flag for plain words.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlainNumbers {
    /// Enterprises that complained in the last `days` days.
    pub enterprises: u32,
    pub days: i32,
    /// Ratio of observed to expected episodes; None without exposure, or where chance explains it.
    pub ratio: Option<f64>,
    /// Chance explains this less often than once in so many cases: a power of ten.
    pub once_in: Option<f64>,
}

/// The subjects of some flags, by their ids.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn subjects(
    conn: &mut Conn,
    flagged: &[Stored],
    as_of: NaiveDate,
) -> Result<HashMap<Id, SubjectName>, JobError> {
    let of_kind = |kind: SubjectKind| -> Vec<Id> {
        flagged.iter().filter(|stored| stored.kind == kind).map(|stored| stored.subject).collect()
    };
    let mut found: HashMap<Id, SubjectName> = HashMap::new();
    for chunk in of_kind(SubjectKind::Officer).chunks(KEYS_PER_QUERY) {
        let names = officers::table.filter(officers::id.eq_any(chunk)).select((officers::id, officers::name));
        for (id, name) in names.load::<(Id, Option<String>)>(conn)? {
            found.insert(id, SubjectName { name, unit: None });
        }
        let served: Vec<(Id, String, String, Option<String>)> = postings::table
            .inner_join(units::table.on(units::id.eq(postings::unit_id)))
            .filter(postings::officer_id.eq_any(chunk))
            .filter(postings::valid_from.le(as_of))
            .filter(postings::valid_to.is_null().or(postings::valid_to.ge(as_of)))
            .order((postings::valid_from, units::code))
            .select((postings::officer_id, units::code, units::name_vi, units::name_en))
            .load(conn)?;
        for (id, code, name_vi, name_en) in served {
            found.entry(id).or_default().unit = Some(UnitName { code, name_vi, name_en });
        }
    }
    for chunk in of_kind(SubjectKind::Branch).chunks(KEYS_PER_QUERY) {
        let branches = units::table.filter(units::id.eq_any(chunk));
        let branches = branches.select((units::id, units::code, units::name_vi, units::name_en));
        for (id, code, name_vi, name_en) in branches.load::<(Id, String, String, Option<String>)>(conn)? {
            found.insert(id, SubjectName { name: None, unit: Some(UnitName { code, name_vi, name_en }) });
        }
    }
    Ok(found)
}

/// The numbers for plain words; None if the stored ones cannot be parsed.
pub(super) fn plain_numbers(numbers: &Value) -> Option<PlainNumbers> {
    let windows: Vec<WindowNumbers> = serde_json::from_value(numbers["windows"].clone()).ok()?;
    let adjusted = windows.iter().rev().find(|window| window.adjusted.is_some());
    let window = adjusted.or(windows.last())?;
    let clear = window.adjusted.as_ref().filter(|found| found.ratio >= LEAST_RATIO && found.p <= LARGEST_P);
    Some(PlainNumbers {
        enterprises: window.enterprises,
        days: window.days,
        ratio: clear.map(|found| found.ratio),
        once_in: clear.map(|found| once_in(found.p)),
    })
}

/// The largest power of ten, at most a million, such that a probability is at most one in it.
fn once_in(p: f64) -> f64 {
    10f64.powf((1.0 / p.max(1.0 / RAREST)).log10().floor()).min(RAREST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_said_as_a_power_of_ten_that_it_does_not_reach() {
        assert_eq!([0.04, 0.009, 0.0011, 0.0].map(once_in), [10.0, 100.0, 100.0, 1e6]);
    }
}
