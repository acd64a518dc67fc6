//! The role whose pseudonyms a command shows.

use clap::ValueEnum;
use schema::enums::Role;

/// A role that may query in SQL and export. Each role has its own pseudonyms.
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
