//! What complaints can be grouped by, and where it stands in the snapshot.

use super::calendar::Bucket;

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
}

impl Dimension {
    /// The columns of what lies above it: other questions tell their totals.
    pub(super) const fn above(self) -> &'static [&'static str] {
        match self {
            Self::Branch => &["department"],
            Self::Team => &["branch", "department"],
            Self::Unit => &["team", "branch", "department"],
            Self::Category => &["kind"],
            _ => &[],
        }
    }

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
            Self::Officer | Self::Finding | Self::Time(_) => None,
        }
    }
}
