//! Columns of places: indices into lists, which take one byte or two where the list is short enough.

use super::reference::Reference;
use polars::prelude::{
    ChunkedBuilder, Column, DataFrame, IntoColumn, PolarsResult, PrimitiveChunkedBuilder, UInt8Chunked, UInt8Type,
    UInt16Chunked, UInt16Type, UInt32Chunked, UInt32Type,
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

/// The items that one byte and two bytes can tell apart.
const BYTE: usize = 1 << 8;
const NARROW: usize = 1 << 16;

/// The places of a column, in the type that it has.
#[derive(Debug, Clone, Copy)]
pub enum Places<'f> {
    Byte(&'f UInt8Chunked),
    Narrow(&'f UInt16Chunked),
    Wide(&'f UInt32Chunked),
}

impl<'f> Places<'f> {
    /// # Errors
    /// If the column is missing or has another type.
    pub fn of(rows: &'f DataFrame, column: &str) -> PolarsResult<Self> {
        let column = rows.column(column)?;
        if let Some(places) = column.try_u8() {
            return Ok(Self::Byte(places));
        }
        match column.try_u16() {
            Some(places) => Ok(Self::Narrow(places)),
            None => column.u32().map(Self::Wide),
        }
    }

    pub fn get(self, row: usize) -> Option<u32> {
        match self {
            Self::Byte(places) => places.get(row).map(u32::from),
            Self::Narrow(places) => places.get(row).map(u32::from),
            Self::Wide(places) => places.get(row),
        }
    }

    pub fn iter(self) -> Box<dyn Iterator<Item = Option<u32>> + 'f> {
        match self {
            Self::Byte(places) => Box::new(places.iter().map(|index| index.map(u32::from))),
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

    /// The length of a list, as long as a snapshot is refreshed.
    fn of_list(self, list: IndexList) -> usize {
        match list {
            IndexList::Units => self.units,
            IndexList::Categories => self.categories,
            IndexList::Words(words) => words.len(),
            // New ones come with a refresh.
            IndexList::Enterprises => usize::MAX,
        }
    }
}

/// Builds a column of places.
pub(super) enum IndexBuilder {
    Byte(PrimitiveChunkedBuilder<UInt8Type>),
    Narrow(PrimitiveChunkedBuilder<UInt16Type>),
    Wide(PrimitiveChunkedBuilder<UInt32Type>),
}

impl IndexBuilder {
    pub fn new(name: &str, rows: usize, list: IndexList, lengths: ListLengths) -> Self {
        match lengths.of_list(list) {
            length if length <= BYTE => Self::Byte(PrimitiveChunkedBuilder::new(name.into(), rows)),
            length if length <= NARROW => Self::Narrow(PrimitiveChunkedBuilder::new(name.into(), rows)),
            _ => Self::Wide(PrimitiveChunkedBuilder::new(name.into(), rows)),
        }
    }

    /// Adds the place of a row, which must be one of the list.
    pub fn append(&mut self, index: Option<u32>) {
        match self {
            Self::Byte(places) => places.append_option(index.and_then(|index| u8::try_from(index).ok())),
            Self::Narrow(places) => places.append_option(index.and_then(|index| u16::try_from(index).ok())),
            Self::Wide(places) => places.append_option(index),
        }
    }

    pub fn into_column(self) -> Column {
        match self {
            Self::Byte(places) => places.finish().into_column(),
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
        let few = ListLengths { units: NARROW, categories: BYTE };
        let many = ListLengths { units: NARROW + 1, categories: BYTE + 1 };
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
        assert_eq!(column(few, IndexList::Categories, 255), DataType::UInt8);
        assert_eq!(column(many, IndexList::Categories, 256), DataType::UInt16);
        assert_eq!(column(few, IndexList::Enterprises, 70_000), DataType::UInt32);
        assert_eq!(column(many, IndexList::Words(&["a", "b"]), 1), DataType::UInt8);
    }
}
