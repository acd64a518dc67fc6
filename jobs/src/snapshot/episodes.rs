//! Episodes: complaints of one enterprise about one unit within a week of the first count as one.
//!
//! An episode is a number that its complaints share. Which number it is depends on what was read when; only whether
//! two complaints have the same one means anything.

use super::columns::EPISODE;
use super::pieces::{IdHalves, Pieces, ids, in_chunks_of};
use super::{Places, Snapshot};
use crate::JobError;
use polars::prelude::{Column, DataFrame, Int32Chunked, PolarsResult, UInt32Chunked};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Days after the first complaint of an episode in which further ones belong to it.
const EPISODE_DAYS: i32 = 7;

/// The key of an episode: the enterprise, and the unit complained about.
type Pair = u64;

impl Snapshot {
    /// The episode number of each row of `facts`, as a column `episode` (u32). The unit is the branch, else the
    /// department, else the unit itself; an anonymous complaint is an episode of its own. Computed over all rows,
    /// before a query filters them.
    ///
    /// # Errors
    /// When a column is missing or has another type.
    pub fn episodes(&self) -> Result<Column, JobError> {
        if let Ok(kept) = self.facts.column(EPISODE) {
            return Ok(kept.clone());
        }
        if let Some(computed) = self.episodes.get() {
            return Ok(computed.clone());
        }
        let numbers = numbered(Keys::of(&self.facts)?.all());
        let computed = in_chunks_of(&self.facts, &column(numbers))?;
        Ok(self.episodes.get_or_init(|| computed).clone())
    }
}

fn column(numbers: Vec<u32>) -> Column {
    Column::new(EPISODE.into(), numbers)
}

/// The columns that decide about episodes.
struct Keys<'f> {
    branch: Places<'f>,
    department: Places<'f>,
    unit: Places<'f>,
    enterprise: &'f UInt32Chunked,
    day: &'f Int32Chunked,
}

impl<'f> Keys<'f> {
    fn of(rows: &'f DataFrame) -> PolarsResult<Self> {
        Ok(Self {
            branch: Places::of(rows, "branch")?,
            department: Places::of(rows, "department")?,
            unit: Places::of(rows, "unit")?,
            enterprise: rows.column("enterprise")?.u32()?,
            day: rows.column("day")?.i32()?,
        })
    }

    /// The pair and the day of each row; None for an anonymous complaint.
    fn all(&self) -> impl Iterator<Item = Option<(Pair, i32)>> {
        let units = self.branch.iter().zip(self.department.iter()).zip(self.unit.iter());
        let subjects = units.map(|((branch, department), unit)| branch.or(department).or(unit));
        let keys = subjects.zip(self.enterprise.iter()).zip(self.day.iter());
        keys.map(|((subject, enterprise), day)| key(subject, enterprise, day))
    }

    /// The same of one row.
    fn at(&self, row: usize) -> Option<(Pair, i32)> {
        let subject = self.branch.get(row).or_else(|| self.department.get(row)).or_else(|| self.unit.get(row));
        key(subject, self.enterprise.get(row), self.day.get(row))
    }
}

fn key(subject: Option<u32>, enterprise: Option<u32>, day: Option<i32>) -> Option<(Pair, i32)> {
    let subject = subject.map_or(0, |index| u64::from(index) + 1);
    Some((u64::from(enterprise?) << 32 | subject, day?))
}

/// The episode of each row: the number of its first row.
fn numbered(keys: impl Iterator<Item = Option<(Pair, i32)>>) -> Vec<u32> {
    let mut rows: Vec<(Pair, i32, u32)> = Vec::new();
    let mut episodes: Vec<u32> = Vec::new();
    for (row, key) in (0u32..).zip(keys) {
        episodes.push(row);
        rows.extend(key.map(|(pair, day)| (pair, day, row)));
    }
    rows.sort_unstable();
    let mut open: Option<(Pair, i32, u32)> = None;
    for (pair, day, row) in rows {
        match open {
            Some((same, first, of)) if same == pair && day - first <= EPISODE_DAYS => episodes[row as usize] = of,
            _ => open = Some((pair, day, row)),
        }
    }
    episodes
}

/// Numbers the episodes of all pieces.
///
/// # Errors
/// If a column is missing or has another type.
pub(super) fn number_all(pieces: &mut Pieces) -> PolarsResult<()> {
    let numbers = {
        let keys = pieces.list.iter().map(|piece| Keys::of(piece.rows())).collect::<PolarsResult<Vec<_>>>()?;
        numbered(keys.iter().flat_map(Keys::all))
    };
    let mut rest = numbers.as_slice();
    for piece in &mut pieces.list {
        let (own, others) = rest.split_at(piece.rows().height());
        *piece = Arc::new(piece.with(column(own.to_vec()))?);
        rest = others;
    }
    Ok(())
}

/// The pieces after some complaints changed, as [`Pieces::changed`], with the episodes that they have now.
///
/// # Errors
/// If a column is missing or has another type.
pub(super) fn changed(before: &Pieces, changed: &[IdHalves], mut fresh: DataFrame) -> PolarsResult<Pieces> {
    let mut next = before.list.iter().map(|piece| piece.last_episode().saturating_add(1)).max().unwrap_or_default();
    // After billions of numbers: one for each row is left again.
    if next > u32::MAX / 2 {
        let mut pieces = before.changed(changed, &fresh)?;
        number_all(&mut pieces)?;
        return Ok(pieces);
    }
    let mut numbers: Vec<u32> = Vec::with_capacity(fresh.height());
    // The pairs whose episodes may change, and from which day on.
    let mut touched: HashMap<Pair, i32> = HashMap::new();
    let mut touch = |key: Option<(Pair, i32)>| {
        if let Some((pair, day)) = key {
            touched.entry(pair).and_modify(|first| *first = day.min(*first)).or_insert(day);
        }
    };
    let fresh_ids = ids(&fresh)?;
    let keys = Keys::of(&fresh)?;
    for id in changed {
        let is_there = fresh_ids.get(numbers.len()) == Some(id);
        let new = if is_there { keys.at(numbers.len()) } else { None };
        let old = match before.find(*id)? {
            None => None,
            Some((piece, row)) => {
                Some((Keys::of(piece.rows())?.at(row), piece.rows().column(EPISODE)?.u32()?.get(row)))
            }
        };
        if let Some((key, Some(number))) = old
            && is_there
            && key == new
        {
            numbers.push(number);
            continue;
        }
        touch(old.and_then(|(key, _)| key));
        touch(new);
        if is_there {
            numbers.push(next);
            next += 1;
        }
    }
    fresh.with_column(column(numbers))?;
    let mut pieces = before.changed(changed, &fresh)?;
    renumber(&mut pieces, &touched, next)?;
    Ok(pieces)
}

/// A complaint of a touched pair, in the order in which episodes are formed.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Member {
    pair: Pair,
    day: i32,
    piece: usize,
    row: usize,
    number: u32,
}

/// Forms the episodes of pairs again, of each from a day on; numbers from `next` on are free. What was before that day
/// stays as it is, and no episode that is open on that day began more than a week before it. So only the pieces of the
/// two weeks before and of all later days are looked at: for new complaints, the last.
fn renumber(pieces: &mut Pieces, touched: &HashMap<Pair, i32>, mut next: u32) -> PolarsResult<()> {
    let Some(first) = touched.values().min() else { return Ok(()) };
    let start_of = |day: i32| day.saturating_sub(2 * EPISODE_DAYS);
    let mut is_touched: Vec<bool> = Vec::new();
    for pair in touched.keys() {
        let enterprise = usize::try_from(pair >> 32).unwrap_or_default();
        is_touched.resize(is_touched.len().max(enterprise + 1), false);
        is_touched[enterprise] = true;
    }
    let mut members: Vec<Member> = Vec::new();
    for (at, piece) in pieces.list.iter().enumerate().filter(|(_, piece)| piece.last_day() >= start_of(*first)) {
        let keys = Keys::of(piece.rows())?;
        let numbers = piece.rows().column(EPISODE)?.u32()?.cont_slice()?;
        let enterprises = keys.enterprise.downcast_iter().flat_map(|chunk| chunk.values().iter());
        // A null has some value, too: `Keys::at` leaves it out.
        for (row, _) in enterprises.enumerate().filter(|(_, index)| is_touched.get(**index as usize) == Some(&true)) {
            let Some((pair, day)) = keys.at(row) else { continue };
            if touched.get(&pair).is_some_and(|from| day >= start_of(*from)) {
                members.push(Member { pair, day, piece: at, row, number: numbers[row] });
            }
        }
    }
    members.sort_unstable();
    let mut used: HashSet<u32> = HashSet::new();
    let mut open: Option<(Pair, i32, u32)> = None;
    let mut moved: HashMap<usize, Vec<(usize, u32)>> = HashMap::new();
    for Member { pair, day, piece, row, number } in members {
        let stays = touched.get(&pair).is_some_and(|from| day < *from);
        let of = match open {
            Some((same, _, of)) if same == pair && stays && of == number => of,
            Some((same, first, of)) if same == pair && !stays && day - first <= EPISODE_DAYS => of,
            _ => {
                let of = if used.insert(number) {
                    number
                } else {
                    next += 1;
                    next - 1
                };
                open = Some((pair, day, of));
                of
            }
        };
        if of != number {
            moved.entry(piece).or_default().push((row, of));
        }
    }
    for (at, rows) in moved {
        let piece = &mut pieces.list[at];
        let mut numbers = piece.rows().column(EPISODE)?.u32()?.cont_slice()?.to_vec();
        for (row, number) in rows {
            numbers[row] = number;
        }
        *piece = Arc::new(piece.with(column(numbers))?);
    }
    Ok(())
}
