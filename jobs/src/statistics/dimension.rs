//! The dimensions that complaints can be grouped by, and their columns in the snapshot.

use super::calendar::{Bucket, Span};

/// A dimension that complaints can be grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dimension {
    Department,
    Branch,
    Team,
    Unit,
    Officer,
    Enterprise,
    Category,
    Kind,
    Channel,
    State,
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
            Self::Department => Some("department"),
            Self::Branch => Some("branch"),
            Self::Team => Some("team"),
            Self::Unit => Some("unit"),
            Self::Enterprise => Some("enterprise"),
            Self::Category => Some("category"),
            Self::Kind => Some("kind"),
            Self::Channel => Some("channel"),
            Self::State => Some("state"),
            Self::Officer | Self::Finding | Self::Time(_) | Self::Part(_) => None,
        }
    }
}
