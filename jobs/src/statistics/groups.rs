//! Assigns complaints to groups.
//!
//! Each dimension of a row is a small code, 0 for none. The codes of a row are packed into one key, and keys
//! are numbered as groups: by a table if the possible keys are few, by hashing otherwise.

use super::calendar::{Buckets, Calendar, Shift};
use super::columns::values;
use super::count_fast_path::count_keys;
use super::measures::{FixedCell, Measures, Rows, SelectedMeasures, measure};
use super::{Dimension, GroupResult, MOST_GROUPS, Question};
use crate::JobError;
use crate::facts::days::day_number;
use crate::snapshot::{Places, Snapshot, meaning};
use polars::prelude::*;
use schema::StoreError;
use schema::domain::calendar::local_date;
use schema::refusal::FilterRefusal;
use std::collections::HashMap;

/// Complaints assigned to groups.
pub struct Grouped {
    rows: Rows,
    /// The group of each entry; an entry is a row, or one (officer, finding) of a row.
    groups: Vec<u32>,
    /// The key of each group.
    keys: Vec<u64>,
    dimensions: Vec<Coded>,
    /// The number of complaints of each group, if nothing else is asked for; there are no entries then.
    counts: Option<Vec<u32>>,
}

/// A dimension of all entries, as codes below `size`; 0 is none.
struct Coded {
    codes: Vec<u32>,
    size: u64,
    /// The place of each code from 1 on; None if code = place + 1.
    places: Option<Vec<i64>>,
}

impl Coded {
    fn place(&self, code: u64) -> Option<i64> {
        let at = usize::try_from(code.checked_sub(1)?).unwrap_or(usize::MAX);
        match &self.places {
            Some(places) => places.get(at).copied(),
            None => i64::try_from(at).ok(),
        }
    }
}

/// Number of entries from which a thread for each dimension pays off.
const WORTH_A_THREAD: usize = 100_000;
/// Maximum number of possible keys for a table instead of hashing.
const DENSE: u64 = 1 << 22;

/// Groups the complaints that match a filter. `shift` moves their days before they are assigned to buckets.
///
/// # Errors
/// `Question` if there are too many groups; `Polars` if the snapshot lacks a column; `Panicked` if a thread
/// panics.
pub fn group(
    snapshot: &Snapshot,
    question: &Question,
    filter: Option<&Expr>,
    shift: Shift,
    calendar: &Calendar,
) -> Result<Grouped, JobError> {
    let is_of_officer_findings = |dimension: &Dimension| matches!(dimension, Dimension::Officer | Dimension::Finding);
    let by_officer_finding = question.allegations.are_limited()
        || question.wanted.officers
        || question.group_by.iter().any(is_of_officer_findings);
    let mut needed = Rows::columns(question.wanted, question.disclosure.is_some());
    for dimension in &question.group_by {
        needed.extend(match dimension {
            Dimension::Part(_) => Some("day"),
            Dimension::Time(_) if calendar.is_local() => Some("day"),
            Dimension::Time(_) => Some("received"),
            other => other.column(),
        });
    }
    if by_officer_finding {
        needed.push("named");
    }
    // At least one column, for the number of rows.
    needed.push("state");
    needed.sort_unstable();
    needed.dedup();
    let mut facts = snapshot.facts.clone();
    if question.wanted.episodes {
        facts.with_column(snapshot.episodes()?)?;
        needed.push("episode");
    }
    let mut chosen = facts.lazy();
    if let Some(filter) = filter {
        chosen = chosen.filter(filter.clone());
    }
    let mut table = chosen.select(needed.iter().map(|name| col(*name)).collect::<Vec<_>>()).collect()?;
    let as_of = question.as_of.unwrap_or_else(|| day_number(local_date(snapshot.as_of)));
    let mut rows = Rows::read(&table, question.wanted, as_of, question.disclosure.is_some())?;
    if question.counts_only() {
        // The chunks are aligned already, unless the filter left more chunks than rows.
        table.align_chunks();
    }
    if question.counts_only()
        && shift == Shift::None
        && let Some(counted) = count_keys(&table, &question.group_by, calendar)?
    {
        let coded = |(size, places)| Coded { codes: Vec::new(), size, places };
        return Ok(Grouped {
            rows,
            groups: Vec::new(),
            keys: within_limits(counted.keys)?,
            dimensions: counted.dimensions.into_iter().map(coded).collect(),
            counts: Some(counted.counts),
        });
    }
    if by_officer_finding {
        let named = table.column("named")?.list()?;
        let mut entries = Vec::with_capacity(table.height());
        let mut officer_findings = Vec::with_capacity(table.height());
        for (row, words) in (0u32..).zip(named.amortized_iter()) {
            let Some(words) = words else { continue };
            for word in words.as_ref().u32()?.iter().flatten() {
                if question.allegations.allow(word) {
                    entries.push(row);
                    officer_findings.push(meaning(word));
                }
            }
        }
        rows.entries.explode(entries, officer_findings);
    }
    let one = |dimension: &Dimension| coded(&table, &rows, *dimension, shift, calendar);
    let dimensions = if rows.entries.len() < WORTH_A_THREAD || question.group_by.len() < 2 {
        question.group_by.iter().map(one).collect::<Result<Vec<_>, _>>()?
    } else {
        std::thread::scope(|scope| {
            let each: Vec<_> = question.group_by.iter().map(|dimension| scope.spawn(move || one(dimension))).collect();
            let broken = |_| Err(JobError::Panicked("a dimension could not be read".into()));
            each.into_iter().map(|one| one.join().unwrap_or_else(broken)).collect::<Result<Vec<_>, _>>()
        })?
    };
    let (groups, keys) = numbered(&dimensions, rows.entries.len())?;
    Ok(Grouped { rows, groups, keys, dimensions, counts: None })
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
        Coded {
            codes: places.into_iter().map(|place| place.map_or(0, |place| place + 1)).collect(),
            size,
            places: None,
        }
    };
    let column = |name: &str| -> Result<Coded, JobError> {
        let codes = match Places::of(table, name)? {
            Places::Byte(places) => codes_of_places(places),
            Places::Narrow(places) => codes_of_places(places),
            Places::Wide(places) => codes_of_places(places),
        };
        let size = codes.iter().max().map_or(1, |most| u64::from(*most) + 1);
        let codes = if rows.entries.is_exploded() { rows.entries.values(|row| codes[row]) } else { codes };
        Ok(Coded { codes, size, places: None })
    };
    if let Some(name) = dimension.column() {
        return column(name);
    }
    match dimension {
        Dimension::Time(bucket) => {
            let days: Vec<i32> = if calendar.is_local() {
                values(table.column("day")?.i32()?)
            } else {
                table.column("received")?.i64()?.iter().map(|at| calendar.day(at.unwrap_or_default())).collect()
            };
            let (Some(first), Some(last)) = (days.iter().min(), days.iter().max()) else {
                return Ok(Coded { codes: Vec::new(), size: 1, places: None });
            };
            let buckets = Buckets::new(bucket, *first, *last, shift);
            let codes = rows.entries.values(|row| buckets.code(days[row]));
            Ok(Coded { codes, size: buckets.size(), places: Some(buckets.into_places()) })
        }
        Dimension::Part(span) => {
            let days: Vec<i32> = values(table.column("day")?.i32()?);
            let (Some(first), Some(last)) = (days.iter().min(), days.iter().max()) else {
                return Ok(Coded { codes: Vec::new(), size: 1, places: None });
            };
            let parts = Buckets::parts(span, *first, *last);
            let codes = rows.entries.values(|row| parts.code(days[row]));
            Ok(Coded { codes, size: parts.size(), places: Some(parts.into_places()) })
        }
        Dimension::Finding => {
            Ok(by_place(rows.entries.officer_findings().iter().map(|(_, finding)| Some(*finding)).collect()))
        }
        // All dimensions but the officer are handled above.
        _ => Ok(by_place(rows.entries.officer_findings().iter().map(|(officer, _)| *officer).collect())),
    }
}

/// Codes of a column of places: place + 1, and 0 for null.
fn codes_of_places<T>(column: &ChunkedArray<T>) -> Vec<u32>
where
    T: PolarsNumericType,
    T::Native: Into<u32>,
{
    let code = |place: &T::Native| -> u32 {
        let place: u32 = (*place).into();
        place + 1
    };
    let mut all = Vec::with_capacity(column.len());
    for chunk in column.downcast_iter() {
        match chunk.validity() {
            None => all.extend(chunk.values().iter().map(code)),
            Some(valid) => {
                all.extend(
                    chunk.values().iter().zip(valid.iter()).map(|(place, valid)| if valid { code(place) } else { 0 }),
                );
            }
        }
    }
    all
}

/// The key of each entry, packed from its codes; `add` appends (size, code) of a dimension to a key.
fn packed<T: Copy + From<u32>>(dimensions: &[Coded], entries: usize, add: impl Fn(T, u64, u32) -> T) -> Vec<T> {
    let mut packed: Vec<T> = Vec::with_capacity(entries);
    packed.extend(dimensions[0].codes.iter().map(|code| T::from(*code)));
    for dimension in &dimensions[1..] {
        for (key, code) in packed.iter_mut().zip(&dimension.codes) {
            *key = add(*key, dimension.size, *code);
        }
    }
    packed
}

/// Numbers the groups: the group of each entry, and the key of each group.
///
/// # Errors
/// `Question` if keys would not fit into 64 bits; a refusal if there are more than [`MOST_GROUPS`] groups.
fn numbered(dimensions: &[Coded], entries: usize) -> Result<(Vec<u32>, Vec<u64>), JobError> {
    if dimensions.is_empty() {
        return Ok((vec![0; entries], vec![0]));
    }
    let size = dimensions.iter().try_fold(1u64, |size, dimension| size.checked_mul(dimension.size));
    let size = size.ok_or_else(|| JobError::Question("groupBy: too many dimensions at once: leave one out".into()))?;
    let mut keys = Vec::new();
    let mut groups = Vec::with_capacity(entries);
    if size <= DENSE {
        // Groups are numbered in the order of their keys, which sort like their places.
        let packed = packed(dimensions, entries, |key: u32, size, code| key * size as u32 + code);
        let mut table = vec![false; usize::try_from(size).unwrap_or(usize::MAX)];
        for key in &packed {
            table[*key as usize] = true;
        }
        let mut numbers = vec![0u32; table.len()];
        for ((key, _), number) in (0u64..).zip(&table).zip(&mut numbers).filter(|((_, there), _)| **there) {
            *number = u32::try_from(keys.len()).unwrap_or(u32::MAX);
            keys.push(key);
        }
        groups.extend(packed.iter().map(|key| numbers[*key as usize]));
    } else {
        let mut table: HashMap<u64, u32> = HashMap::new();
        for key in packed(dimensions, entries, |key: u64, size, code| key * size + u64::from(code)) {
            let group = *table.entry(key).or_insert_with(|| {
                keys.push(key);
                u32::try_from(keys.len() - 1).unwrap_or(u32::MAX)
            });
            groups.push(group);
        }
    }
    Ok((groups, within_limits(keys)?))
}

fn within_limits(keys: Vec<u64>) -> Result<Vec<u64>, JobError> {
    if keys.len() > MOST_GROUPS {
        return Err(StoreError::from(FilterRefusal::TooManyGroups { count: keys.len(), most: MOST_GROUPS }).into());
    }
    Ok(keys)
}

impl Grouped {
    /// The places of each group.
    pub fn places(&self) -> Vec<Vec<Option<i64>>> {
        (0..self.keys.len()).map(|group| self.places_of(group)).collect()
    }

    /// The places of a group.
    pub fn places_of(&self, group: usize) -> Vec<Option<i64>> {
        let mut key = self.keys[group];
        let mut places = vec![None; self.dimensions.len()];
        for (place, dimension) in places.iter_mut().zip(&self.dimensions).rev() {
            *place = dimension.place(key % dimension.size);
            key /= dimension.size;
        }
        places
    }

    /// The key of a group. Keys sort like places, with None first.
    pub fn key(&self, group: usize) -> u64 {
        self.keys[group]
    }

    /// The number of groups.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// The measures of each group; with `fixed_cell` those that disclosure control needs of fixed cells.
    ///
    /// # Errors
    /// The errors of [`measure`].
    pub fn measured(&self, wanted: SelectedMeasures, fixed_cell: Option<FixedCell>) -> Result<Vec<Measures>, JobError> {
        if let Some(counts) = &self.counts {
            return Ok(counts.iter().map(|count| Measures::of(*count)).collect());
        }
        measure(&self.rows, &self.groups, self.keys.len(), wanted, fixed_cell)
    }

    /// The measures of fixed cells grouped by all dimensions except the first `first`.
    ///
    /// # Errors
    /// The errors of [`measure`].
    pub fn measured_without(
        &self,
        first: usize,
        wanted: SelectedMeasures,
        fixed_cell: FixedCell,
    ) -> Result<Vec<Measures>, JobError> {
        let (groups, keys) = numbered(&self.dimensions[first..], self.rows.entries.len())?;
        measure(&self.rows, &groups, keys.len(), wanted, Some(fixed_cell))
    }

    /// The measures of all entries together.
    ///
    /// # Errors
    /// The errors of [`measure`].
    pub fn totals(&self, wanted: SelectedMeasures) -> Result<Measures, JobError> {
        if let Some(counts) = &self.counts {
            return Ok(Measures::of(counts.iter().sum()));
        }
        let one = vec![0; self.groups.len()];
        Ok(measure(&self.rows, &one, 1, wanted, None)?.pop().unwrap_or_default())
    }

    /// The measures of the union of some groups, computed from their rows.
    ///
    /// # Errors
    /// The errors of [`measure`].
    pub fn measure_union(&self, groups: &[GroupResult], wanted: SelectedMeasures) -> Result<Measures, JobError> {
        let wanted_places: std::collections::HashSet<&[Option<i64>]> =
            groups.iter().map(|one| one.places.as_slice()).collect();
        let places = self.places();
        let of_group: Vec<u32> =
            places.iter().map(|places| if wanted_places.contains(places.as_slice()) { 0 } else { u32::MAX }).collect();
        let groups: Vec<u32> = self.groups.iter().map(|group| of_group[*group as usize]).collect();
        Ok(measure(&self.rows, &groups, 1, wanted, None)?.pop().unwrap_or_default())
    }
}
