//! Which complaints fall into which group.
//!
//! Each dimension of a row is a small number, 0 for none; those of a row are packed into one key, and keys
//! get the numbers of groups, by a table where they are dense and by hashing where they are not.

use super::calendar::{Calendar, Shift};
use super::measures::{Measures, Rows, Wanted, measure};
use super::{Cell, Dimension, MOST_GROUPS, Question, Union};
use crate::JobError;
use crate::snapshot::{Snapshot, meaning};
use polars::prelude::*;
use std::cell::OnceCell;
use std::collections::HashMap;

/// The complaints of each group.
pub struct Grouped {
    rows: Rows,
    /// The group of each entry; entries are rows, or what a row says of each officer.
    groups: Vec<u32>,
    keys: Vec<u64>,
    dimensions: Vec<Coded>,
    /// The entries of each group: made when something small has to be hidden.
    by_group: OnceCell<Vec<Vec<u32>>>,
}

/// A dimension of all entries as numbers below `size`.
struct Coded {
    codes: Vec<u32>,
    size: u64,
    /// What is added to a code, less one, to get a place.
    base: i64,
}

/// Keys up to here are found in a table.
const DENSE: u64 = 1 << 22;

/// Groups the complaints that a filter chooses. `shift` moves their days before they fall into buckets.
pub fn group(
    snapshot: &Snapshot,
    question: &Question,
    filter: Option<&Expr>,
    shift: Shift,
    calendar: &Calendar,
) -> Result<Grouped, JobError> {
    let is_of_people = |dimension: &Dimension| matches!(dimension, Dimension::Officer | Dimension::Finding);
    let by_people = question.officers.is_some()
        || question.findings.is_some()
        || question.wanted.officers
        || question.group_by.iter().any(is_of_people);
    let mut needed = Rows::columns(question.wanted, question.suppression.is_some());
    for dimension in &question.group_by {
        needed.extend(match dimension {
            Dimension::Department => Some("department"),
            Dimension::Branch => Some("branch"),
            Dimension::Team => Some("team"),
            Dimension::Unit => Some("unit"),
            Dimension::Enterprise => Some("enterprise"),
            Dimension::Category => Some("category"),
            Dimension::Kind => Some("kind"),
            Dimension::Channel => Some("channel"),
            Dimension::State => Some("state"),
            Dimension::Time(_) if calendar.is_local() => Some("day"),
            Dimension::Time(_) => Some("received"),
            Dimension::Officer | Dimension::Finding => None,
        });
    }
    if by_people {
        needed.push("named");
    }
    // Something has to say how many rows there are.
    needed.push("state");
    needed.sort_unstable();
    needed.dedup();
    let mut facts = snapshot.facts.clone();
    if question.wanted.episodes {
        let episodes = Column::new("episode".into(), snapshot.episodes()?);
        facts = facts.hstack(&[episodes])?;
        needed.push("episode");
    }
    let mut chosen = facts.lazy();
    if let Some(filter) = filter {
        chosen = chosen.filter(filter.clone());
    }
    let mut table = chosen.select(needed.iter().map(|name| col(*name)).collect::<Vec<_>>()).collect()?;
    table.rechunk_mut();
    let mut rows = Rows::read(&table, question.wanted, question.suppression.is_some())?;
    if by_people {
        let named = table.column("named")?.list()?;
        let mut entries = Vec::with_capacity(table.height());
        let mut people = Vec::with_capacity(table.height());
        for (row, words) in (0u32..).zip(named.amortized_iter()) {
            let Some(words) = words else { continue };
            for word in words.as_ref().u32()?.iter().flatten() {
                let (officer, finding) = meaning(word);
                let of_officers =
                    question.officers.as_ref().is_none_or(|only| officer.is_some_and(|place| only.contains(&place)));
                let of_findings = question.findings.as_ref().is_none_or(|only| only.contains(&finding));
                if of_officers && of_findings {
                    entries.push(row);
                    people.push((officer, finding));
                }
            }
        }
        rows.explode(entries, people);
    }
    let dimensions = question
        .group_by
        .iter()
        .map(|dimension| coded(&table, &rows, *dimension, shift, calendar))
        .collect::<Result<Vec<_>, _>>()?;
    let (groups, keys) = numbered(&dimensions, rows.entries())?;
    Ok(Grouped { rows, groups, keys, dimensions, by_group: OnceCell::new() })
}

fn coded(
    table: &DataFrame,
    rows: &Rows,
    dimension: Dimension,
    shift: Shift,
    calendar: &Calendar,
) -> Result<Coded, JobError> {
    let by_place = |places: Vec<Option<u32>>| {
        let size = places.iter().flatten().max().map_or(1, |most| u64::from(*most) + 2);
        Coded { codes: places.into_iter().map(|place| place.map_or(0, |place| place + 1)).collect(), size, base: 0 }
    };
    let column = |name: &str| -> Result<Coded, JobError> {
        // 0 is none.
        let codes: Vec<u32> =
            table.column(name)?.u32()?.iter().map(|place| place.map_or(0, |place| place + 1)).collect();
        let size = codes.iter().max().map_or(1, |most| u64::from(*most) + 1);
        let codes = if rows.is_exploded() { rows.of_entries(|row| codes[row]) } else { codes };
        Ok(Coded { codes, size, base: 0 })
    };
    match dimension {
        Dimension::Department => column("department"),
        Dimension::Branch => column("branch"),
        Dimension::Team => column("team"),
        Dimension::Unit => column("unit"),
        Dimension::Enterprise => column("enterprise"),
        Dimension::Category => column("category"),
        Dimension::Kind => column("kind"),
        Dimension::Channel => column("channel"),
        Dimension::State => column("state"),
        Dimension::Officer => Ok(by_place(rows.people().iter().map(|(officer, _)| *officer).collect())),
        Dimension::Finding => Ok(by_place(rows.people().iter().map(|(_, finding)| Some(*finding)).collect())),
        Dimension::Time(bucket) => {
            let days: Vec<i32> = if calendar.is_local() {
                table.column("day")?.i32()?.iter().map(Option::unwrap_or_default).collect()
            } else {
                table.column("received")?.i64()?.iter().map(|at| calendar.day(at.unwrap_or_default())).collect()
            };
            let (Some(first), Some(last)) = (days.iter().min(), days.iter().max()) else {
                return Ok(Coded { codes: Vec::new(), size: 1, base: 0 });
            };
            // Few days stand for many rows: each is looked up once.
            let starts: Vec<i32> = (*first..=*last).map(|day| bucket.start(shift.apply(day))).collect();
            let base = starts.iter().copied().min().unwrap_or_default();
            let most = starts.iter().copied().max().unwrap_or_default();
            let code = |row: usize| {
                let start = starts[usize::try_from(days[row] - first).unwrap_or_default()];
                u32::try_from(start - base + 1).unwrap_or_default()
            };
            let size = u64::try_from(most - base).unwrap_or_default() + 2;
            Ok(Coded { codes: rows.of_entries(code), size, base: i64::from(base) })
        }
    }
}

/// The group of each entry, and the key of each group.
fn numbered(dimensions: &[Coded], entries: usize) -> Result<(Vec<u32>, Vec<u64>), JobError> {
    if dimensions.is_empty() {
        return Ok((vec![0; entries], vec![0]));
    }
    let size = dimensions.iter().try_fold(1u64, |size, dimension| size.checked_mul(dimension.size));
    let size = size.ok_or_else(|| JobError::Question("groupBy: too many dimensions at once: leave one out".into()))?;
    let mut packed: Vec<u64> = vec![0; entries];
    for dimension in dimensions {
        for (key, code) in packed.iter_mut().zip(&dimension.codes) {
            *key = *key * dimension.size + u64::from(*code);
        }
    }
    let mut keys = Vec::new();
    let mut groups = Vec::with_capacity(entries);
    if size <= DENSE {
        let mut table = vec![u32::MAX; usize::try_from(size).unwrap_or(usize::MAX)];
        for key in packed {
            let group = &mut table[usize::try_from(key).unwrap_or_default()];
            if *group == u32::MAX {
                *group = u32::try_from(keys.len()).unwrap_or(u32::MAX);
                keys.push(key);
            }
            groups.push(*group);
        }
    } else {
        let mut table: HashMap<u64, u32> = HashMap::new();
        for key in packed {
            let group = *table.entry(key).or_insert_with(|| {
                keys.push(key);
                u32::try_from(keys.len() - 1).unwrap_or(u32::MAX)
            });
            groups.push(group);
        }
    }
    if keys.len() > MOST_GROUPS {
        return Err(JobError::Question(format!(
            "there are {} groups, more than {MOST_GROUPS}: filter more, or group by less",
            keys.len()
        )));
    }
    Ok((groups, keys))
}

impl Grouped {
    /// The places of each group.
    pub fn places(&self) -> Vec<Vec<Option<i64>>> {
        let unpacked = |key: &u64| {
            let mut key = *key;
            let mut places = vec![None; self.dimensions.len()];
            for (place, dimension) in places.iter_mut().zip(&self.dimensions).rev() {
                let code = key % dimension.size;
                key /= dimension.size;
                *place = (code > 0).then(|| i64::try_from(code).unwrap_or_default() - 1 + dimension.base);
            }
            places
        };
        self.keys.iter().map(unpacked).collect()
    }

    /// The measures of each group.
    pub fn measured(&self, wanted: Wanted, dominance: bool) -> Result<Vec<Measures>, JobError> {
        measure(&self.rows, &self.groups, self.keys.len(), wanted, dominance)
    }

    /// The measures of all together.
    pub fn totals(&self, wanted: Wanted, dominance: bool) -> Result<Measures, JobError> {
        let one = vec![0; self.groups.len()];
        Ok(measure(&self.rows, &one, 1, wanted, dominance)?.pop().unwrap_or_default())
    }

    /// What some groups come to together, by their numbers.
    pub fn union(&self, groups: &[usize]) -> Union {
        let starts = self.by_group.get_or_init(|| {
            let mut rows: Vec<Vec<u32>> = vec![Vec::new(); self.keys.len()];
            for (entry, group) in (0u32..).zip(&self.groups) {
                rows[*group as usize].push(entry);
            }
            rows
        });
        let entries = groups.iter().filter_map(|group| starts.get(*group)).flatten().copied();
        self.rows.union(entries.collect())
    }

    /// The measures of some groups together, from their rows.
    pub fn together(&self, cells: &[Cell], wanted: Wanted) -> Result<Measures, JobError> {
        let wanted_places: std::collections::HashSet<&[Option<i64>]> =
            cells.iter().map(|cell| cell.places.as_slice()).collect();
        let places = self.places();
        let of_group: Vec<u32> =
            places.iter().map(|places| if wanted_places.contains(places.as_slice()) { 0 } else { u32::MAX }).collect();
        let groups: Vec<u32> = self.groups.iter().map(|group| of_group[*group as usize]).collect();
        Ok(measure(&self.rows, &groups, 1, wanted, false)?.pop().unwrap_or_default())
    }
}
