//! What an export is of, and in which file format.

use jobs::tables::{self, Table};
use std::path::Path;
use std::str::FromStr;

/// What an export is of.
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

/// The file format of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Format {
    Csv,
    Parquet,
    /// The Arrow IPC file format.
    Arrow,
    /// A workbook with a sheet of rows and a sheet that says what was asked.
    Xlsx,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "csv" => Ok(Self::Csv),
            "parquet" => Ok(Self::Parquet),
            "arrow" => Ok(Self::Arrow),
            "xlsx" => Ok(Self::Xlsx),
            _ => Err(format!("{name:?} is not a format of exports: take csv, parquet, arrow or xlsx")),
        }
    }
}

impl Format {
    /// The format by the extension of a file name.
    pub fn of_path(path: &Path) -> Option<Self> {
        path.extension()?.to_str()?.parse().ok()
    }

    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
            Self::Xlsx => "xlsx",
        }
    }

    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Parquet => "application/vnd.apache.parquet",
            Self::Arrow => "application/vnd.apache.arrow.file",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}
