//! Fast path for the most frequent question, which asks only for numbers of complaints: one scan of the
//! columns counts into one table of all keys. Keys are those of [`super::groups`].

use super::calendar::{Bucket, Buckets, Calendar, Shift};
use super::{Dimension, Question, SelectedMeasures};
use crate::JobError;
use crate::snapshot::Places;
use polars::prelude::*;

/// Maximum number of possible keys, which is the size of a thread's table.
const DENSE: u64 = 1 << 22;
/// Rows whose keys are computed together, so that they stay in the L1 cache.
const BLOCK: usize = 4_096;
/// Number of rows from which a second thread pays off.
const WORTH_A_THREAD: usize = 100_000;

/// The keys that occur, sorted, and the number of complaints of each.
pub struct KeyCounts {
    pub keys: Vec<u64>,
    pub counts: Vec<u32>,
    /// The number of codes of each dimension, including 0 for none; for time also the places of the codes from 1 on.
    pub dimensions: Vec<(u64, Option<Vec<i64>>)>,
}

impl Question {
    /// Whether only numbers of complaints are asked for, so that the fast path applies.
    pub(super) fn counts_only(&self) -> bool {
        self.allows_top_groups()
            && self.wanted == SelectedMeasures::default()
            && !self.group_by.is_empty()
            && !self.allegations.are_limited()
    }
}

/// Appends a dimension to keys, `key = key × size + code`. Arguments: the first row, the number of codes
/// (`size`), the keys of the rows from there on, which are all of one chunk.
type Source<'t> = Box<dyn Fn(Place, u32, &mut [u32]) + Sync + 't>;

/// A row: its chunk, and its place in that.
#[derive(Clone, Copy)]
struct Place {
    chunk: usize,
    row: usize,
}

/// Rows of one chunk: the first, and how many.
type Block = (Place, usize);

/// The rows of a table in blocks of at most [`BLOCK`].
fn blocks(table: &DataFrame) -> Vec<Block> {
    let Some(column) = table.columns().first() else { return Vec::new() };
    let lengths = column.as_materialized_series().chunk_lengths();
    let of_chunk = |(chunk, length): (usize, usize)| {
        (0..length).step_by(BLOCK).map(move |row| (Place { chunk, row }, BLOCK.min(length - row)))
    };
    lengths.enumerate().flat_map(of_chunk).collect()
}

/// Counts the rows of a table, whose columns must have the same chunks, by some dimensions. None if a dimension is not
/// a column or a local day, or there are too many keys.
///
/// # Errors
/// `Polars` if a column is missing or of another type; `Panicked` if a thread panics.
pub fn count_keys(
    table: &DataFrame,
    group_by: &[Dimension],
    calendar: &Calendar,
) -> Result<Option<KeyCounts>, JobError> {
    let mut sources = Vec::with_capacity(group_by.len());
    let mut dimensions = Vec::with_capacity(group_by.len());
    for dimension in group_by {
        let found = match dimension {
            Dimension::Time(bucket) if calendar.is_local() => days(table, *bucket)?,
            other => match other.column() {
                Some(name) => places(table, name)?,
                None => None,
            },
        };
        let Some((source, size, places)) = found else { return Ok(None) };
        sources.push((source, size));
        dimensions.push((size, places));
    }
    let size = dimensions.iter().try_fold(1u64, |all, (size, _)| all.checked_mul(*size)).filter(|size| *size <= DENSE);
    let Some(size) = size else { return Ok(None) };
    let size = usize::try_from(size).unwrap_or_default();
    let count = |blocks: &[Block]| {
        let mut counts = vec![0u32; size];
        let mut keys = [0u32; BLOCK];
        for (first, length) in blocks {
            let keys = &mut keys[..*length];
            keys.fill(0);
            for (source, size) in &sources {
                source(*first, u32::try_from(*size).unwrap_or_default(), keys);
            }
            keys.iter().for_each(|key| counts[*key as usize] += 1);
        }
        counts
    };
    let blocks = blocks(table);
    let counts = if table.height() < WORTH_A_THREAD {
        count(&blocks)
    } else {
        let (first, second) = blocks.split_at(blocks.len() / 2);
        let (mut first, second) = std::thread::scope(|scope| {
            let second = scope.spawn(|| count(second));
            (count(first), second.join())
        });
        let second = second.map_err(|_| JobError::Panicked("rows could not be counted".into()))?;
        first.iter_mut().zip(second).for_each(|(all, more)| *all += more);
        first
    };
    let there = (0u64..).zip(counts).filter(|(_, count)| *count > 0);
    let (keys, counts) = there.unzip();
    Ok(Some(KeyCounts { keys, counts, dimensions }))
}

type Found<'t> = Option<(Source<'t>, u64, Option<Vec<i64>>)>;

fn places<'t>(table: &'t DataFrame, name: &str) -> Result<Found<'t>, JobError> {
    Ok(match Places::of(table, name)? {
        Places::Byte(column) => places_of(column, column.max().map(u32::from)),
        Places::Narrow(column) => places_of(column, column.max().map(u32::from)),
        Places::Wide(column) => places_of(column, column.max()),
    })
}

/// `most`: the greatest place.
fn places_of<T>(column: &ChunkedArray<T>, most: Option<u32>) -> Found<'_>
where
    T: PolarsNumericType,
    T::Native: Into<u32>,
{
    let size = most.map_or(1, |most| u64::from(most) + 2);
    let chunks: Vec<_> = column
        .downcast_iter()
        .map(|chunk| (&chunk.values()[..], chunk.validity().filter(|valid| valid.unset_bits() > 0)))
        .collect();
    let source: Source<'_> = Box::new(move |first, size, keys| {
        let (values, valid) = &chunks[first.chunk];
        let values = &values[first.row..];
        match valid {
            None => {
                for (key, index) in keys.iter_mut().zip(values) {
                    let index: u32 = (*index).into();
                    *key = *key * size + index + 1;
                }
            }
            Some(valid) => {
                let valid = (*valid).clone().sliced(first.row, keys.len());
                for ((key, index), valid) in keys.iter_mut().zip(values).zip(valid.iter()) {
                    let index: u32 = (*index).into();
                    *key = *key * size + if valid { index + 1 } else { 0 };
                }
            }
        }
    });
    Some((source, size, None))
}

fn days(table: &DataFrame, bucket: Bucket) -> Result<Found<'_>, JobError> {
    let column = table.column("day")?.i32()?;
    let (Some(first), Some(last)) = (column.min(), column.max()) else { return Ok(None) };
    let buckets = Buckets::new(bucket, first, last, Shift::None);
    let (size, places) = (buckets.size(), buckets.starts.iter().copied().map(i64::from).collect());
    let chunks: Vec<_> = column.downcast_iter().map(|chunk| &chunk.values()[..]).collect();
    let source: Source<'_> = Box::new(move |first, size, keys| {
        for (key, day) in keys.iter_mut().zip(&chunks[first.chunk][first.row..]) {
            *key = *key * size + buckets.code(*day);
        }
    });
    Ok(Some((source, size, Some(places))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::IndexColumn::{Department, Kind};
    use chrono_tz::Tz;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    type Row = (Option<u32>, u32, i32);

    fn table(rows: &[Row]) -> DataFrame {
        DataFrame::new(
            rows.len(),
            vec![
                Column::new("department".into(), rows.iter().map(|row| row.0).collect::<Vec<_>>()),
                Column::new("kind".into(), rows.iter().map(|row| row.1 as u16).collect::<Vec<_>>()),
                Column::new("day".into(), rows.iter().map(|row| row.2).collect::<Vec<_>>()),
            ],
        )
        .expect("a frame")
    }

    /// The counts by places from the fast path, with `piece` rows in each chunk, and those of a count row by row.
    fn both_ways(rows: &[Row], piece: usize) -> [Vec<([Option<i64>; 3], u32)>; 2] {
        let mut pieces = rows.chunks(piece).map(table);
        let first = pieces.next().unwrap_or_else(|| table(rows));
        let table = pieces.fold(first, |all, piece| all.vstack(&piece).expect("the same columns"));
        let by = [Dimension::Place(Department), Dimension::Place(Kind), Dimension::Time(Bucket::Week)];
        let found = count_keys(&table, &by, &Calendar::new(Tz::Asia__Ho_Chi_Minh)).expect("counts");
        let mut expected: BTreeMap<[Option<i64>; 3], u32> = BTreeMap::new();
        for (department, kind, day) in rows {
            let start = i64::from(Bucket::Week.start(*day));
            *expected.entry([department.map(i64::from), Some(i64::from(*kind)), Some(start)]).or_default() += 1;
        }
        let mut counts = Vec::new();
        if let Some(found) = found {
            for (key, count) in found.keys.iter().zip(&found.counts) {
                let (mut key, mut places) = (*key, [None; 3]);
                for (nth, (size, starts)) in found.dimensions.iter().enumerate().rev() {
                    let at = usize::try_from(key % size).expect("a code").checked_sub(1);
                    places[nth] = at.map(|at| starts.as_ref().map_or(at as i64, |starts| starts[at]));
                    key /= size;
                }
                counts.push((places, *count));
            }
        }
        [counts, expected.into_iter().collect()]
    }

    proptest! {
        #[test]
        fn keys_are_counted_as_one_by_one(
            rows in prop::collection::vec((prop::option::of(0u32..7), 0u32..5, 19_000i32..19_100), 0..10_000),
            piece in prop::sample::select(vec![1_usize, 2, 7, 1_000, 4_097, 10_000]),
        ) {
            // A chunk for each row takes a test too long where there are many.
            let rows = if piece < 1_000 { &rows[..rows.len().min(200)] } else { &rows[..] };
            let [counts, expected] = both_ways(rows, piece);
            prop_assert_eq!(counts, expected);
        }
    }

    #[test]
    fn many_rows_are_counted_by_two_threads() {
        let row =
            |n: u32| ((!n.is_multiple_of(11)).then_some(n % 7), n % 5, 19_000 + i32::try_from(n % 83).expect("a day"));
        let rows: Vec<Row> = (0..250_003).map(row).collect();
        let [counts, expected] = both_ways(&rows, 32_768);
        assert_eq!(counts, expected);
        assert_eq!(both_ways(&rows, 250_003), [counts.clone(), expected]);
        assert_eq!(counts.iter().map(|(_, count)| count).sum::<u32>(), 250_003);
    }
}
