//! Columns of places: indices into lists, which take two bytes where the list is short enough.

use super::reference::Reference;
use polars::prelude::{
    ChunkedBuilder, Column, DataFrame, IntoColumn, PolarsResult, PrimitiveChunkedBuilder, UInt16Chunked, UInt16Type,
    UInt32Chunked, UInt32Type,
};

/// The list that the places of a column are indices into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexList {
    /// The units of [`Reference`].
    Units,
    /// The categories of [`Reference`].
    Categories,
    /// The enterprises of the snapshot.
    Enterprises,
    /// The words of an enum.
    Words(&'static [&'static str]),
}

/// The items that two bytes can tell apart.
const NARROW: usize = 1 << 16;

/// The places of a column, in the type that it has.
#[derive(Debug, Clone, Copy)]
pub enum Places<'f> {
    Narrow(&'f UInt16Chunked),
    Wide(&'f UInt32Chunked),
}

impl<'f> Places<'f> {
    /// # Errors
    /// If the column is missing or has another type.
    pub fn of(rows: &'f DataFrame, column: &str) -> PolarsResult<Self> {
        let column = rows.column(column)?;
        match column.try_u16() {
            Some(places) => Ok(Self::Narrow(places)),
            None => column.u32().map(Self::Wide),
        }
    }

    pub fn get(self, row: usize) -> Option<u32> {
        match self {
            Self::Narrow(places) => places.get(row).map(u32::from),
            Self::Wide(places) => places.get(row),
        }
    }

    pub fn iter(self) -> Box<dyn Iterator<Item = Option<u32>> + 'f> {
        match self {
            Self::Narrow(places) => Box::new(places.iter().map(|index| index.map(u32::from))),
            Self::Wide(places) => Box::new(places.iter()),
        }
    }
}

/// The lengths of the lists that columns refer to.
#[derive(Debug, Clone, Copy)]
pub(super) struct ListLengths {
    units: usize,
    categories: usize,
}

impl ListLengths {
    pub fn of(reference: &Reference) -> Self {
        Self { units: reference.units.len(), categories: reference.categories.len() }
    }

    fn has_few(self, list: IndexList) -> bool {
        match list {
            IndexList::Units => self.units <= NARROW,
            IndexList::Categories => self.categories <= NARROW,
            IndexList::Words(words) => words.len() <= NARROW,
            // New ones come while a snapshot is refreshed.
            IndexList::Enterprises => false,
        }
    }
}

/// Builds a column of places.
pub(super) enum IndexBuilder {
    Narrow(PrimitiveChunkedBuilder<UInt16Type>),
    Wide(PrimitiveChunkedBuilder<UInt32Type>),
}

impl IndexBuilder {
    pub fn new(name: &str, rows: usize, list: IndexList, lengths: ListLengths) -> Self {
        if lengths.has_few(list) {
            Self::Narrow(PrimitiveChunkedBuilder::new(name.into(), rows))
        } else {
            Self::Wide(PrimitiveChunkedBuilder::new(name.into(), rows))
        }
    }

    /// Adds the place of a row, which must be one of the list.
    pub fn append(&mut self, index: Option<u32>) {
        match self {
            Self::Narrow(places) => places.append_option(index.and_then(|index| u16::try_from(index).ok())),
            Self::Wide(places) => places.append_option(index),
        }
    }

    pub fn into_column(self) -> Column {
        match self {
            Self::Narrow(places) => places.finish().into_column(),
            Self::Wide(places) => places.finish().into_column(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::DataType;

    #[test]
    fn places_are_as_wide_as_their_list_needs() {
        let few = ListLengths { units: NARROW, categories: 3 };
        let many = ListLengths { units: NARROW + 1, categories: 3 };
        let column = |lengths: ListLengths, list: IndexList, most: u32| {
            let mut builder = IndexBuilder::new("places", 3, list, lengths);
            [Some(0), None, Some(most)].into_iter().for_each(|index| builder.append(index));
            let rows = DataFrame::new(3, vec![builder.into_column()]).expect("a column");
            let places = Places::of(&rows, "places").expect("places");
            assert_eq!(places.iter().collect::<Vec<_>>(), [Some(0), None, Some(most)]);
            assert_eq!([0, 1, 2].map(|row| places.get(row)), [Some(0), None, Some(most)]);
            rows.columns()[0].dtype().clone()
        };
        assert_eq!(column(few, IndexList::Units, 65_535), DataType::UInt16);
        assert_eq!(column(many, IndexList::Units, 65_536), DataType::UInt32);
        assert_eq!(column(many, IndexList::Categories, 2), DataType::UInt16);
        assert_eq!(column(few, IndexList::Enterprises, 70_000), DataType::UInt32);
        assert_eq!(column(many, IndexList::Words(&["a", "b"]), 1), DataType::UInt16);
    }
}
