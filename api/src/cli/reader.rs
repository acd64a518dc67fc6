//! For whom pseudonyms are made on the command line.

use clap::ValueEnum;
use schema::enums::Role;

/// A role that may ask in SQL and export. Each has pseudonyms of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reader {
    #[default]
    DataTeam,
    Board,
}

impl Reader {
    pub const fn role(self) -> Role {
        match self {
            Self::DataTeam => Role::DataTeam,
            Self::Board => Role::Board,
        }
    }
}
