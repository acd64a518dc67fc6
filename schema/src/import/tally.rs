//! Counts for each column how its cells were read, and which missing reference data was created. The author of a
//! mapping reads this report to check the mapping.

use super::field::FieldType;
use super::kinds::Kind;
use super::row::{Columns, Row, Translation};
use crate::events::Entity;
use crate::sql_types::Id;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Distinct cells of a column that are counted separately; cells beyond this number are left out of the lists.
const MOST_CELLS: usize = 1_000;
/// Values and codes that a list names at most.
const NAMED: usize = 5;

/// Counts while an import runs.
pub(super) struct Tally {
    fields: Vec<Field>,
    created: HashMap<Entity, (HashSet<Id>, Vec<String>)>,
}

struct Field {
    place: usize,
    name: &'static str,
    is_exact: bool,
    blank: u64,
    filled: u64,
    unknown: u64,
    unknown_cells: BTreeMap<String, u64>,
    /// Cells that a pattern or `values` translates, each with the value it was read as, and how often.
    read: HashMap<String, (String, u64)>,
}

/// The report of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tallied {
    /// Units, officers, categories and enterprises that were missing and that the import created.
    pub created: Vec<Created>,
    /// Columns in the order of the fields of the kind.
    pub columns: Vec<ColumnTally>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Created {
    /// `units`, `officers`, `categories` or `enterprises`.
    pub kind: &'static str,
    pub number: u64,
    /// Some of their codes, at most five, sorted.
    pub codes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ColumnTally {
    /// The column, or the joined columns.
    pub column: String,
    pub field: &'static str,
    /// Cells that are not blank, and cells that are; rejected rows count too, except malformed ones.
    pub filled: u64,
    pub blank: u64,
    /// Cells that the pattern does not match or that `values` does not have; below, the most frequent ones.
    pub unknown: u64,
    pub unknown_values: Vec<(String, u64)>,
    /// Values that several different cells were read as.
    pub merged: Vec<Merged>,
    /// Rows rejected because of this column.
    pub rejected: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Merged {
    pub read_as: String,
    /// Number of different cells; below, the most frequent ones.
    pub different: u64,
    pub cells: Vec<(String, u64)>,
}

impl Tally {
    pub fn new(kind: Kind, columns: &Columns<'_>) -> Self {
        let field = |(place, spec): (usize, &super::FieldSpec)| Field {
            place,
            name: spec.name,
            is_exact: matches!(spec.of, FieldType::Code | FieldType::Word(_) | FieldType::Bool),
            blank: 0,
            filled: 0,
            unknown: 0,
            unknown_cells: BTreeMap::new(),
            read: HashMap::new(),
        };
        let fields = kind.fields().iter().enumerate();
        let fields = fields.filter(|(place, _)| !columns.column_of(*place).is_empty()).map(field).collect();
        Self { fields, created: HashMap::new() }
    }

    /// Counts the cells of a row.
    pub fn note(&mut self, columns: &Columns<'_>, row: &Row) {
        if columns.check_shape(row).is_err() {
            return;
        }
        let cells = columns.of(row);
        for field in &mut self.fields {
            match cells.translation(field.place) {
                None => {}
                Some(Translation::Blank) => field.blank += 1,
                Some(Translation::Plain) => field.filled += 1,
                Some(Translation::Unknown(cell)) => {
                    field.filled += 1;
                    field.unknown += 1;
                    count(&mut field.unknown_cells, &cell);
                }
                Some(Translation::Read { cell, value }) => {
                    field.filled += 1;
                    if !field.is_exact {
                        continue;
                    }
                    if let Some((_, number)) = field.read.get_mut(&*cell) {
                        *number += 1;
                    } else if field.read.len() < MOST_CELLS {
                        field.read.insert(cell.into_owned(), (value.into_owned(), 1));
                    }
                }
            }
        }
    }

    /// Counts what a batch created. By id, since a dry run creates the same entities again in each batch.
    pub fn record_created(&mut self, created: Vec<(Entity, Id, String)>) {
        for (entity, id, code) in created {
            let (ids, codes) = self.created.entry(entity).or_default();
            if ids.insert(id) && codes.len() < NAMED {
                codes.push(code);
            }
        }
    }

    /// The report. `rejected`: rejected rows by column.
    pub fn done(self, columns: &Columns<'_>, rejected: &HashMap<String, u64>) -> Tallied {
        let kinds = [
            (Entity::Unit, "units"),
            (Entity::Officer, "officers"),
            (Entity::Category, "categories"),
            (Entity::Enterprise, "enterprises"),
        ];
        let mut by_entity = self.created;
        let created = kinds.into_iter().filter_map(|(entity, kind)| {
            let (ids, mut codes) = by_entity.remove(&entity)?;
            codes.sort_unstable();
            Some(Created { kind, number: ids.len() as u64, codes })
        });
        let columns = self.fields.into_iter().map(|field| {
            let column = columns.column_of(field.place).to_owned();
            let mut unknown: Vec<(String, u64)> = field.unknown_cells.into_iter().collect();
            unknown.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
            unknown.truncate(NAMED);
            ColumnTally {
                rejected: rejected.get(&column).copied().unwrap_or(0),
                column,
                field: field.name,
                filled: field.filled,
                blank: field.blank,
                unknown: field.unknown,
                unknown_values: unknown,
                merged: merged(field.read),
            }
        });
        Tallied { created: created.collect(), columns: columns.collect() }
    }
}

fn count(cells: &mut BTreeMap<String, u64>, cell: &str) {
    if let Some(number) = cells.get_mut(cell) {
        *number += 1;
    } else if cells.len() < MOST_CELLS {
        cells.insert(cell.to_owned(), 1);
    }
}

/// The values that several different cells were read as.
fn merged(read: HashMap<String, (String, u64)>) -> Vec<Merged> {
    let mut by_value: BTreeMap<String, Vec<(String, u64)>> = BTreeMap::new();
    for (cell, (value, number)) in read {
        by_value.entry(value).or_default().push((cell, number));
    }
    let several = by_value.into_iter().filter(|(_, cells)| cells.len() > 1);
    several
        .map(|(read_as, mut cells)| {
            cells.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            let different = cells.len() as u64;
            cells.truncate(NAMED);
            Merged { read_as, different, cells }
        })
        .collect()
}
