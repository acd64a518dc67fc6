//! The dimensions that complaints can be grouped by, and their columns in the snapshot.

use super::calendar::{Bucket, Span};
use crate::snapshot::IndexColumn;

/// A dimension that complaints can be grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// The places of a column of the snapshot.
    Place(IndexColumn),
    Officer,
    Finding,
    /// Time of receipt, in the question's time zone.
    Time(Bucket),
    /// The part of a span in which the complaint was received, in the register's time zone.
    Part(Span),
}

impl Dimension {
    /// The column of the snapshot with its places; None if they are computed, or belong to each named officer.
    pub(super) const fn column(self) -> Option<&'static str> {
        match self {
            Self::Place(column) => Some(column.name()),
            Self::Officer | Self::Finding | Self::Time(_) | Self::Part(_) => None,
        }
    }
}
