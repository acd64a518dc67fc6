//! Where a question is answered: over the database, or by a server.

use super::answer::Answer;
use super::interrupt::Running;
use super::lake::LakeOfFolder;
use super::register::Register;
use super::saved::described;
use super::server::Server;
use jobs::tables::{TABLES, Table};
use schema::domain::query_parameter::QueryParameter;
use serde_json::Value;

pub enum Way {
    Register(Box<Register>),
    Lake(Box<LakeOfFolder>),
    Server(Server),
}

impl Way {
    /// What cancels the next question.
    pub fn begin(&self) -> Running {
        match self {
            Self::Register(_) | Self::Lake(_) => Running::register(),
            Self::Server(server) => Running::Server(server.agent()),
        }
    }

    /// Asks. Blocks until the first rows.
    pub fn ask(&self, running: &Running, sql: &str, parameters: &[Value]) -> anyhow::Result<Answer> {
        match (self, running) {
            (Self::Register(register), Running::Register(token)) => register.ask(token, sql, parameters),
            (Self::Lake(lake), Running::Register(token)) => lake.ask(token, sql, parameters),
            (Self::Server(server), Running::Server(agent)) => server.ask(agent, sql, parameters),
            _ => anyhow::bail!("the question was begun in another way"),
        }
    }

    /// The text and the parameters of a saved question; None if there is none.
    pub fn saved(&self, name: &str, version: Option<i32>) -> anyhow::Result<Option<(String, Vec<QueryParameter>)>> {
        match self {
            Self::Register(register) => {
                let Some(query) = register.saved(name, version)? else { return Ok(None) };
                let parameters = query.query_parameters()?;
                Ok(Some((query.text, parameters)))
            }
            Self::Lake(_) => anyhow::bail!("a lake holds no saved questions: ask the database or a server for @{name}"),
            Self::Server(server) => match server.saved(name, version)? {
                Value::Null => Ok(None),
                document => described(&document).map(Some),
            },
        }
    }

    /// The tables that may be asked. A server knows better than its client what the token may read, so all are listed.
    pub fn tables(&self) -> Vec<&'static Table> {
        let is_shown = |one: &&'static Table| match self {
            Self::Register(register) => register.shows(one),
            Self::Lake(lake) => lake.shows(one),
            Self::Server(_) => true,
        };
        TABLES.iter().copied().filter(is_shown).collect()
    }

    /// Whether the next run has other pseudonyms.
    pub fn has_temporary_key(&self) -> bool {
        matches!(self, Self::Register(register) if register.has_temporary_key())
    }
}
