//! What complaints can be grouped by, and where it stands in the snapshot.

use super::calendar::{Bucket, Span};

/// What complaints can be grouped by.
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
    /// When it was received, in the question's time zone.
    Time(Bucket),
    /// The part of a span that it was received in, in the register's own time zone.
    Part(Span),
}

impl Dimension {
    /// The column of the snapshot that holds its places; None where they are computed, or said of each officer.
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
