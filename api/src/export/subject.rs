//! The subject of an export.

use jobs::tables::{self, Table};
use std::str::FromStr;

/// The subject of an export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Subject {
    #[default]
    Complaints,
    Allegations,
    Responses,
    Flags,
    Workload,
    /// Groups of complaints with their measures.
    Statistics,
}

impl Subject {
    const ALL: [Self; 6] =
        [Self::Complaints, Self::Allegations, Self::Responses, Self::Flags, Self::Workload, Self::Statistics];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Complaints => "complaints",
            Self::Allegations => "allegations",
            Self::Responses => "responses",
            Self::Flags => "flags",
            Self::Workload => "workload",
            Self::Statistics => "statistics",
        }
    }

    /// Whether a condition on complaints chooses its rows.
    pub const fn is_of_complaints(self) -> bool {
        matches!(self, Self::Complaints | Self::Allegations | Self::Responses)
    }

    /// The table whose rows it has; None for complaints and statistics, which have columns of their own.
    pub fn table(self) -> Option<&'static Table> {
        match self {
            Self::Complaints | Self::Statistics => None,
            _ => tables::table(self.name()),
        }
    }
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|one| one.name() == name).ok_or_else(|| {
            let all = Self::ALL.map(Self::name).join(", ");
            format!("{name:?} is no table of exports: take one of {all}")
        })
    }
}
