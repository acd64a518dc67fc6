//! Whether two snapshots of one position say the same of every complaint.

use super::columns::{EPISODE, with_officer};
use super::{Snapshot, meaning};
use crate::JobError;
use polars::prelude::{
    Column, DataType, IntoColumn, ListBuilderTrait, ListPrimitiveChunkedBuilder, PolarsResult, UInt32Type,
};

/// The places of one snapshot in another; None for what the other lacks.
type Places = Vec<Option<u32>>;

impl Snapshot {
    /// Whether the columns are those of another snapshot of the same position and day. The places of enterprises and
    /// officers do not count, nor do the numbers of episodes: they depend on who came while a node was running.
    ///
    /// # Errors
    /// When a column is missing or has another type.
    pub(crate) fn agrees_with(&self, other: &Self) -> Result<bool, JobError> {
        if self.facts.schema() != other.facts.schema() || self.facts.height() != other.facts.height() {
            return Ok(false);
        }
        let Some(enterprises) = self.enterprises_in(other) else { return Ok(false) };
        let officers: Places = self.officers.in_order().map(|id| other.officers.place(id)).collect();
        // One column at a time, because a copy of all of them would take as much memory as a snapshot.
        for theirs in other.facts.columns() {
            let name = theirs.name().as_str();
            if name == EPISODE {
                if first_rows(self.facts.column(name)?)? != first_rows(theirs)? {
                    return Ok(false);
                }
                continue;
            }
            let own = match name {
                "enterprise" => self.enterprise_column(&enterprises)?,
                "named" => match self.named_column(&officers)? {
                    Some(named) => named,
                    None => return Ok(false),
                },
                _ => self.facts.column(name)?.clone(),
            };
            if !own.rechunk().equals_missing(&theirs.rechunk()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The places of enterprises in another snapshot; None where enterprises that count as one in one of the two do not
    /// in the other.
    fn enterprises_in(&self, other: &Self) -> Option<Places> {
        let mut places: Places = vec![None; self.enterprises.places()];
        for (id, place) in self.enterprises.in_order() {
            let there = other.enterprises.place(id);
            let mapped = places.get_mut(place as usize)?;
            if mapped.is_some() && *mapped != there {
                return None;
            }
            *mapped = there;
        }
        let mut distinct: Vec<u32> = places.iter().copied().flatten().collect();
        let count = distinct.len();
        distinct.sort_unstable();
        distinct.dedup();
        (distinct.len() == count).then_some(places)
    }

    fn enterprise_column(&self, places: &[Option<u32>]) -> PolarsResult<Column> {
        let own = self.facts.column("enterprise")?.u32()?;
        // No enterprise has the last place: what the other snapshot lacks is not the same as no enterprise.
        let there = |place: u32| places.get(place as usize).copied().flatten().unwrap_or(u32::MAX);
        let column: Vec<Option<u32>> = own.iter().map(|place| place.map(there)).collect();
        Ok(Column::new("enterprise".into(), column))
    }

    /// The column `named` with the places of officers in another snapshot; None if that lacks one of them.
    fn named_column(&self, places: &[Option<u32>]) -> PolarsResult<Option<Column>> {
        let named = self.facts.column("named")?.list()?;
        let mut builder =
            ListPrimitiveChunkedBuilder::<UInt32Type>::new("named".into(), named.len(), named.len(), DataType::UInt32);
        let mut there: Vec<u32> = Vec::new();
        for words in named.amortized_iter() {
            there.clear();
            if let Some(words) = words {
                for own in words.as_ref().u32()?.iter().flatten() {
                    let place = match meaning(own).0 {
                        None => None,
                        Some(officer) => match places.get(officer as usize).copied().flatten() {
                            None => return Ok(None),
                            place => place,
                        },
                    };
                    there.push(with_officer(own, place));
                }
            }
            builder.append_slice(&there);
        }
        Ok(Some(builder.finish().into_column()))
    }
}

/// The first row of the episode of each row.
///
/// # Errors
/// If the column has another type.
pub(super) fn first_rows(episodes: &Column) -> PolarsResult<Vec<u32>> {
    let mut rows: Vec<(Option<u32>, u32)> = episodes.u32()?.iter().zip(0..).collect();
    rows.sort_unstable();
    let mut first = vec![0; rows.len()];
    for of_one in rows.chunk_by(|a, b| a.0 == b.0) {
        for (_, row) in of_one {
            first[*row as usize] = of_one[0].1;
        }
    }
    Ok(first)
}
