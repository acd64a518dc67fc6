//! The file of a reorganisation, in TOML, with the lines of what it says.

use crate::db::StoreError;
use crate::enums::{PeerGroup, UnitKind};
use chrono::NaiveDate;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Date;

/// A reorganisation of units, in force from a day on.
#[derive(Debug, Clone)]
pub struct Reorganisation {
    pub(super) file: File,
    /// The places of line ends, to name lines in messages.
    line_ends: Vec<usize>,
    pub(super) in_force: NaiveDate,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// The name under which the register notes that it was applied.
    pub name: String,
    /// The decision that ordered it.
    pub decision: Option<String>,
    in_force: Date,
    /// New units.
    #[serde(default)]
    pub unit: Vec<NewEntry>,
    /// New values of units.
    #[serde(default)]
    pub change: Vec<ChangeEntry>,
    /// Units that are below another one from the day on.
    #[serde(default, rename = "move")]
    pub moves: Vec<MoveEntry>,
    /// Units that end on the day before.
    #[serde(default)]
    pub close: Vec<CloseEntry>,
    /// Names of which a part is replaced.
    #[serde(default)]
    pub rename: Vec<RenameEntry>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewEntry {
    pub code: Spanned<String>,
    pub name_vi: String,
    pub name_en: Option<String>,
    pub kind: UnitKind,
    pub peer_group: Option<PeerGroup>,
    pub field: Option<String>,
    pub parent: Option<Spanned<String>>,
    /// The units that it follows: they end, and what is below them, with their postings, goes on here.
    #[serde(default)]
    pub from: Vec<Spanned<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeEntry {
    pub unit: Spanned<String>,
    pub name_vi: Option<String>,
    pub name_en: Option<String>,
    pub kind: Option<UnitKind>,
    pub peer_group: Option<PeerGroup>,
    pub field: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MoveEntry {
    pub units: Vec<Spanned<String>>,
    pub to: Spanned<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CloseEntry {
    pub units: Vec<Spanned<String>>,
    pub successor: Option<Spanned<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RenameEntry {
    /// The unit below which units are renamed, on the day.
    pub below: Spanned<String>,
    pub kind: Option<UnitKind>,
    /// The part of the Vietnamese name that is replaced.
    pub replace: Spanned<String>,
    pub by: String,
}

impl Reorganisation {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// `Rule` names the line and the column of what is wrong.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let file: File = toml::from_str(text).map_err(|error| {
            let place = error.span().map(|span| span.start);
            let line = place.map(|at| format!("line {}: ", line_of(&line_ends(text), at))).unwrap_or_default();
            StoreError::Rule(format!("{line}{}", error.message()))
        })?;
        let day = file.in_force;
        let in_force = NaiveDate::from_ymd_opt(i32::from(day.year), u32::from(day.month), u32::from(day.day));
        let in_force = in_force.ok_or_else(|| StoreError::Rule(format!("in_force: {day} is not a day")))?;
        let in_force = super::super::checks::day("in_force", in_force)?;
        super::super::checks::name("name", &file.name)?;
        Ok(Self { file, line_ends: line_ends(text), in_force })
    }

    /// The line of a value, counted from 1.
    pub(super) fn line<T>(&self, value: &Spanned<T>) -> usize {
        line_of(&self.line_ends, value.span().start)
    }
}

fn line_ends(text: &str) -> Vec<usize> {
    text.match_indices('\n').map(|(at, _)| at).collect()
}

fn line_of(line_ends: &[usize], at: usize) -> usize {
    line_ends.partition_point(|end| *end < at) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
name = \"2025\"
in_force = 2025-03-01

[[unit]]
code = \"KV01\"
name_vi = \"Chi cục Hải quan khu vực I\"
kind = \"PROVINCIAL_DEPARTMENT\"
parent = \"TCHQ\"
from = [
    \"01\",
    \"35\",
]

[[move]]
units = [\"02AA\"]
to = \"KV01\"
";

    #[test]
    fn values_know_their_lines() {
        let read = Reorganisation::parse(FILE).expect("a file");
        assert_eq!(read.in_force, NaiveDate::from_ymd_opt(2025, 3, 1).expect("a date"));
        let unit = &read.file.unit[0];
        let lines: Vec<usize> = unit.from.iter().map(|code| read.line(code)).collect();
        assert_eq!((read.line(&unit.code), lines), (5, vec![10, 11]));
        assert_eq!(read.line(&read.file.moves[0].to), 16);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (wrong, by, part) in [
            ("in_force = 2025-03-01", "in_force = 2025-02-30", ""),
            ("in_force = 2025-03-01", "in_force = \"1 March\"", "line 2"),
            ("PROVINCIAL_DEPARTMENT", "PROVINCE", "line 7"),
            ("code = ", "codes = ", "line 5"),
            ("name = \"2025\"\n", "", "name"),
            ("in_force = 2025-03-01", "in_force = 1900-01-01", "1900"),
        ] {
            let error = Reorganisation::parse(&FILE.replacen(wrong, by, 1)).expect_err(wrong).to_string();
            assert!(error.contains(part), "{by}: {error}");
        }
    }
}
