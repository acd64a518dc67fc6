//! An invented lake: the tables of a register that is too large for one machine, written straight as files.
//!
//! It has complaints, allegations and the rows that they refer to; other tables are empty. Rows come month by month and
//! are written as they come, so that memory does not grow with their number. The same seed makes the same rows.

mod cells;
mod world;

use super::folder::Folder;
use super::manifest::{FORMAT, LakeFile, Manifest, TableFiles};
use super::months::part_without_rows;
use super::parts::PartWriter;
use super::sync::publish;
use super::{failed, tables_of};
use crate::JobError;
use crate::tables::{Table, table};
use cells::batch;
use chrono::{Datelike, Months, NaiveDate};
use schema::enums::Role;
use std::collections::BTreeMap;
use std::path::Path;
use world::{BRANCHES, BRANCHES_OF_DEPARTMENT, CATEGORIES, MONTHS, World};

/// Rows of a batch.
const ROWS: u64 = 32_768;

/// A lake to invent.
#[derive(Debug, Clone, Copy)]
pub struct Invented {
    pub complaints: u64,
    pub seed: u64,
    /// The last day.
    pub until: NaiveDate,
}

/// The rows and files that were written.
#[derive(Debug, Clone, Copy, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Written {
    pub complaints: u64,
    pub allegations: u64,
    pub files: usize,
    pub bytes: u64,
}

/// Writes an invented lake to an empty folder. `progress` gets the number of complaints, and ends it by false.
///
/// # Errors
/// `Lake` if the folder holds something, or cannot be written, or `progress` ends it.
pub fn invent(root: &Path, of: Invented, progress: &mut dyn FnMut(usize) -> bool) -> Result<Written, JobError> {
    if root.join(super::folder::MANIFEST).exists() {
        return Err(failed(root, "there is a lake: name an empty folder"));
    }
    let folder = Folder::to_write(root)?;
    let world = World::new(of);
    let mut tables: BTreeMap<String, TableFiles> = BTreeMap::new();
    let mut add = |name: &str, file: LakeFile| {
        let files = tables.entry(name.to_owned()).or_default();
        files.rows += file.rows;
        files.files.push(file);
    };
    for month in 0..MONTHS {
        let first = world.first + Months::new(month);
        let part = format!("{:04}-{:02}", first.year(), first.month());
        let (from, to) = (world.until_month(month), world.until_month(month + 1));
        for name in ["complaints", "allegations"] {
            let of_table = table_named(name)?;
            let mut writer = PartWriter::begin(&folder, of_table, &part, KEY_VERSION)?;
            let mut at = from;
            while at < to {
                let until = to.min(at + ROWS);
                let numbers: Vec<(u64, u64)> = match name {
                    "complaints" => (at..until).map(|number| (number, 0)).collect(),
                    _ => {
                        (at..until).flat_map(|number| (0..world.named(number)).map(move |nth| (number, nth))).collect()
                    }
                };
                writer.add(&batch(of_table, &numbers, &|column, row| world.cell(name, column, row, first))?)?;
                at = until;
                if !progress(usize::try_from(at).unwrap_or(usize::MAX)) {
                    return Err(failed(root, "it was stopped before its end: remove the folder"));
                }
            }
            add(name, writer.finish(&folder)?);
        }
        let officers: Vec<(u64, u64)> = (0..world.officers).map(|officer| (officer, 0)).collect();
        for name in ["workload", "recurrence_exposure"] {
            let of_table = table_named(name)?;
            let mut writer = PartWriter::begin(&folder, of_table, &part, KEY_VERSION)?;
            for rows in officers.chunks(usize::try_from(ROWS).unwrap_or(1)) {
                writer.add(&batch(of_table, rows, &|column, row| world.cell(name, column, row, first))?)?;
            }
            add(name, writer.finish(&folder)?);
        }
    }
    let small = [
        ("units", BRANCHES + BRANCHES / BRANCHES_OF_DEPARTMENT),
        ("categories", CATEGORIES.len() as u64),
        ("officers", world.officers),
        ("postings", world.officers),
    ];
    let by_month = ["complaints", "allegations", "workload", "recurrence_exposure"];
    for of_table in tables_of(Role::DataTeam).filter(|one| !by_month.contains(&one.name)) {
        let rows = small.iter().find(|(name, _)| *name == of_table.name).map_or(0, |(_, rows)| *rows);
        let mut writer = PartWriter::begin(&folder, of_table, part_without_rows(of_table), KEY_VERSION)?;
        let numbers: Vec<(u64, u64)> = (0..rows).map(|number| (number, 0)).collect();
        writer.add(&batch(of_table, &numbers, &|column, row| world.cell(of_table.name, column, row, world.first))?)?;
        add(of_table.name, writer.finish(&folder)?);
    }
    let as_of = world.as_of();
    let manifest = Manifest {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        role: Role::DataTeam,
        key_version: KEY_VERSION,
        // No key file makes it, so that no sync takes it for its own.
        key: "invented".to_owned(),
        register: Some("invented".to_owned()),
        position: 0,
        read_until: 0,
        mark: None,
        as_of,
        day: of.until,
        clock: String::new(),
        tables,
        superseded: Vec::new(),
    };
    publish(&folder, &manifest)?;
    Ok(Written {
        complaints: manifest.tables.get("complaints").map_or(0, |table| table.rows),
        allegations: manifest.tables.get("allegations").map_or(0, |table| table.rows),
        files: manifest.files().count(),
        bytes: manifest.files().map(|file| file.bytes).sum(),
    })
}

const KEY_VERSION: u32 = 1;

fn table_named(name: &str) -> Result<&'static Table, JobError> {
    table(name).ok_or_else(|| failed(Path::new(name), "there is no such table"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_the_same_lake_and_its_files_are_those_of_the_manifest() {
        let within = tempfile::tempdir().expect("a folder");
        let until = NaiveDate::from_ymd_opt(2025, 12, 31).expect("a day");
        let of = Invented { complaints: 3_000, seed: 7, until };
        let made = |name: &str| {
            let root = within.path().join(name);
            let written = invent(&root, of, &mut |_| true).expect("a lake");
            (written, Manifest::of(&root).expect("a manifest"))
        };
        let ((one, first), (_, second)) = (made("a"), made("b"));
        assert_eq!(one.complaints, 3_000);
        assert!((2_500..3_500).contains(&one.allegations), "{}", one.allegations);
        assert_eq!(first.tables, second.tables);
        assert_eq!(first.tables["complaints"].files.len(), 60);
        assert!(invent(&within.path().join("a"), of, &mut |_| true).is_err());
    }
}
