//! Conditions on complaints over the columns of the snapshot, for pages of a list: a question of statistics has polars
//! plan its conditions, which takes longer than a page.
//!
//! They select the same rows as conditions of SQL. There a row is selected for which the condition is true, and
//! negation is IS NOT TRUE. So a comparison with null may count as false.

use crate::snapshot::columns::{IndexColumn, meaning};
use crate::snapshot::pieces::BLOCK;
use crate::snapshot::places::Places;
use polars::prelude::{ChunkedArray, DataFrame, PolarsNumericType, PolarsResult};
use std::ops::Range;

/// A condition on a complaint.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnCondition {
    /// True for every complaint, or for none.
    Constant(bool),
    /// All of these are true.
    All(Vec<Self>),
    /// The row meets at least one of these conditions.
    Any(Vec<Self>),
    /// The other is not true.
    Not(Box<Self>),
    /// The column has this place.
    Place(IndexColumn, u32),
    /// The column has a place n with `true` at n.
    OneOf(IndexColumn, Vec<bool>),
    /// Both columns have a place, and the same one.
    Same(IndexColumn, IndexColumn),
    /// The column has no value.
    Null(Nullable),
    /// The time of receipt, microseconds since 1970.
    Received(Comparison<i64>),
    /// VND; false where it is not known.
    Cost(Comparison<i64>),
    /// Hours; false where it is not known.
    Delay(Comparison<f64>),
    /// The day of the answer in the present round, in days since 1970; false where there was none.
    Answered(Comparison<i32>),
    Blames,
    Confidential,
    /// An allegation names the officer with this place.
    Names(u32),
}

/// A column in which a complaint may have no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nullable {
    Place(IndexColumn),
    Cost,
    Delay,
    /// The day of the answer in the present round.
    Answered,
    /// The day of the end.
    Ended,
}

/// A comparison of a value with others.
#[derive(Debug, Clone, PartialEq)]
pub enum Comparison<T> {
    Is(T),
    IsNot(T),
    OneOf(Vec<T>),
    Above(T),
    AtLeast(T),
    Below(T),
    AtMost(T),
}

/// A bit for each row of a block.
pub(super) type Mask = [u64; BLOCK / WORD];

/// Bits of a word.
const WORD: usize = 64;

pub(super) const NONE: Mask = [0; BLOCK / WORD];

impl ColumnCondition {
    /// The column has one of these places.
    pub fn one_of(column: IndexColumn, places: impl IntoIterator<Item = u32>) -> Self {
        let mut places: Vec<u32> = places.into_iter().collect();
        places.sort_unstable();
        places.dedup();
        match places.as_slice() {
            [] => Self::Constant(false),
            [index] => Self::Place(column, *index),
            [.., last] => {
                let mut chosen = vec![false; *last as usize + 1];
                places.iter().for_each(|index| chosen[*index as usize] = true);
                Self::OneOf(column, chosen)
            }
        }
    }

    /// The opposite, as IS NOT TRUE in SQL.
    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// Whether it is true for every complaint, whatever the columns hold.
    pub fn selects_all(&self) -> bool {
        match self {
            Self::Constant(all) => *all,
            Self::All(parts) => parts.iter().all(Self::selects_all),
            _ => false,
        }
    }

    /// The comparisons that it takes for a row, at most.
    pub fn comparisons(&self) -> usize {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::comparisons).sum(),
            Self::Not(part) => part.comparisons(),
            Self::Received(Comparison::OneOf(values)) | Self::Cost(Comparison::OneOf(values)) => values.len(),
            Self::Delay(Comparison::OneOf(values)) => values.len(),
            Self::Answered(Comparison::OneOf(values)) => values.len(),
            _ => 1,
        }
    }

    /// The rows of a block that it selects, from the lowest bit on. Each column of `rows` is one chunk.
    ///
    /// # Errors
    /// If a column is missing or has another type.
    pub(super) fn mask(&self, rows: &DataFrame, block: &Range<usize>) -> PolarsResult<Mask> {
        let mask = match self {
            Self::Constant(false) => NONE,
            Self::Constant(true) => all(block),
            Self::All(parts) => {
                let mut mask = all(block);
                for part in parts {
                    if mask == NONE {
                        break;
                    }
                    let other = part.mask(rows, block)?;
                    mask.iter_mut().zip(other).for_each(|(word, other)| *word &= other);
                }
                mask
            }
            Self::Any(parts) => {
                let mut mask = NONE;
                for part in parts {
                    let other = part.mask(rows, block)?;
                    mask.iter_mut().zip(other).for_each(|(word, other)| *word |= other);
                }
                mask
            }
            Self::Not(part) => {
                let mut mask = all(block);
                let other = part.mask(rows, block)?;
                mask.iter_mut().zip(other).for_each(|(word, other)| *word &= !other);
                mask
            }
            Self::Place(column, wanted) => {
                mask_of_places(Places::of(rows, column.name())?, block, |index| index == *wanted)
            }
            Self::OneOf(column, chosen) => mask_of_places(Places::of(rows, column.name())?, block, |index| {
                chosen.get(index as usize) == Some(&true)
            }),
            Self::Same(one, other) => {
                let other = Places::of(rows, other.name())?;
                match Places::of(rows, one.name())? {
                    Places::Byte(one) => mask_of_same(one, other, block),
                    Places::Narrow(one) => mask_of_same(one, other, block),
                    Places::Wide(one) => mask_of_same(one, other, block),
                }
            }
            Self::Null(column) => {
                let has_value = match column {
                    Nullable::Place(column) => mask_of_places(Places::of(rows, column.name())?, block, |_| true),
                    Nullable::Cost => valued(rows.column("cost")?.i64()?, block, |_| all(block)),
                    Nullable::Delay => valued(rows.column("delay")?.f64()?, block, |_| all(block)),
                    Nullable::Answered => valued(rows.column("answered")?.i32()?, block, |_| all(block)),
                    Nullable::Ended => valued(rows.column("ended")?.i32()?, block, |_| all(block)),
                };
                let mut mask = all(block);
                mask.iter_mut().zip(has_value).for_each(|(word, has_value)| *word &= !has_value);
                mask
            }
            Self::Received(comparison) => {
                valued(rows.column("received")?.i64()?, block, |values| comparison.mask(values))
            }
            Self::Cost(comparison) => valued(rows.column("cost")?.i64()?, block, |values| comparison.mask(values)),
            Self::Delay(comparison) => valued(rows.column("delay")?.f64()?, block, |values| comparison.mask(values)),
            Self::Answered(comparison) => {
                valued(rows.column("answered")?.i32()?, block, |values| comparison.mask(values))
            }
            Self::Blames => true_rows(rows, "blames", block)?,
            Self::Confidential => true_rows(rows, "confidential", block)?,
            Self::Names(officer) => naming(rows, *officer, block)?,
        };
        Ok(mask)
    }
}

impl<T: Copy + PartialOrd> Comparison<T> {
    fn mask(&self, values: &[T]) -> Mask {
        match self {
            Self::Is(other) => mask_of(values, |value| value == *other),
            Self::IsNot(other) => mask_of(values, |value| value != *other),
            Self::OneOf(others) => mask_of(values, |value| others.contains(&value)),
            Self::Above(other) => mask_of(values, |value| value > *other),
            Self::AtLeast(other) => mask_of(values, |value| value >= *other),
            Self::Below(other) => mask_of(values, |value| value < *other),
            Self::AtMost(other) => mask_of(values, |value| value <= *other),
        }
    }
}

/// The places of the bits that are set.
pub(super) fn bits(mask: &Mask) -> impl Iterator<Item = usize> {
    (0..).step_by(WORD).zip(mask).flat_map(|(from, word)| {
        let mut word = *word;
        std::iter::from_fn(move || {
            let bit = (word != 0).then(|| word.trailing_zeros() as usize)?;
            word &= word - 1;
            Some(from + bit)
        })
    })
}

/// Takes a bit away.
pub(super) fn clear(mask: &mut Mask, bit: usize) {
    mask[bit / WORD] &= !(1 << (bit % WORD));
}

/// All rows of a block.
pub(super) fn all(block: &Range<usize>) -> Mask {
    let mut mask = NONE;
    for (word, from) in mask.iter_mut().zip((0..block.len()).step_by(WORD)) {
        *word = u64::MAX >> (WORD - WORD.min(block.len() - from));
    }
    mask
}

pub(super) fn mask_of<T: Copy>(values: &[T], test: impl Fn(T) -> bool) -> Mask {
    let mut mask = NONE;
    for (word, values) in mask.iter_mut().zip(values.chunks(WORD)) {
        for (bit, value) in values.iter().enumerate() {
            *word |= u64::from(test(*value)) << bit;
        }
    }
    mask
}

/// The rows with a place that meets a test.
fn mask_of_places(places: Places<'_>, block: &Range<usize>, test: impl Fn(u32) -> bool) -> Mask {
    match places {
        Places::Byte(places) => valued(places, block, |places| mask_of(places, |index| test(u32::from(index)))),
        Places::Narrow(places) => valued(places, block, |places| mask_of(places, |index| test(u32::from(index)))),
        Places::Wide(places) => valued(places, block, |places| mask_of(places, test)),
    }
}

/// The rows in which two columns have a place, and the same one.
fn mask_of_same<A>(one: &ChunkedArray<A>, other: Places<'_>, block: &Range<usize>) -> Mask
where
    A: PolarsNumericType,
    A::Native: Into<u32>,
{
    match other {
        Places::Byte(other) => mask_of_both(one, other, block),
        Places::Narrow(other) => mask_of_both(one, other, block),
        Places::Wide(other) => mask_of_both(one, other, block),
    }
}

fn mask_of_both<A, B>(one: &ChunkedArray<A>, other: &ChunkedArray<B>, block: &Range<usize>) -> Mask
where
    A: PolarsNumericType,
    B: PolarsNumericType,
    A::Native: Into<u32>,
    B::Native: Into<u32>,
{
    valued(other, block, |others| valued(one, block, |places| mask_of_equal(places, others)))
}

/// The rows in which two columns have the same value.
fn mask_of_equal<A: Copy + Into<u32>, B: Copy + Into<u32>>(values: &[A], others: &[B]) -> Mask {
    let mut mask = NONE;
    for (word, (values, others)) in mask.iter_mut().zip(values.chunks(WORD).zip(others.chunks(WORD))) {
        for (bit, (value, other)) in values.iter().zip(others).enumerate() {
            let (value, other): (u32, u32) = ((*value).into(), (*other).into());
            *word |= u64::from(value == other) << bit;
        }
    }
    mask
}

/// Applies `mask` to the values of a block, without the rows that have none.
pub(super) fn valued<T: PolarsNumericType>(
    column: &ChunkedArray<T>,
    block: &Range<usize>,
    mask: impl FnOnce(&[T::Native]) -> Mask,
) -> Mask {
    let Some(chunk) = column.downcast_iter().next() else { return NONE };
    let mut mask = mask(&chunk.values()[block.clone()]);
    if let Some(valid) = chunk.validity().filter(|valid| valid.unset_bits() > 0) {
        for (from, word) in (block.start..).step_by(WORD).zip(&mut mask) {
            let mut left = *word;
            while left != 0 {
                let bit = left.trailing_zeros();
                left &= left - 1;
                if !valid.get_bit(from + bit as usize) {
                    *word &= !(1 << bit);
                }
            }
        }
    }
    mask
}

fn mask_where(block: &Range<usize>, test: impl Fn(usize) -> bool) -> Mask {
    let mut mask = NONE;
    for (at, row) in block.clone().enumerate() {
        mask[at / WORD] |= u64::from(test(row)) << (at % WORD);
    }
    mask
}

fn true_rows(rows: &DataFrame, column: &str, block: &Range<usize>) -> PolarsResult<Mask> {
    let column = rows.column(column)?.bool()?;
    let Some(chunk) = column.downcast_iter().next() else { return Ok(NONE) };
    let values = chunk.values();
    Ok(mask_where(block, |row| values.get_bit(row)))
}

fn naming(rows: &DataFrame, officer: u32, block: &Range<usize>) -> PolarsResult<Mask> {
    let named = rows.column("named")?.list()?;
    let words = named.get_inner();
    let words = words.u32()?.cont_slice()?;
    let Some(chunk) = named.downcast_iter().next() else { return Ok(NONE) };
    let offsets = chunk.offsets();
    Ok(mask_where(block, |row| {
        let (from, to) = offsets.start_end(row);
        words[from..to].iter().any(|word| meaning(*word).0 == Some(officer))
    }))
}
