//! The target of a question: a database, a lake or a server.

use super::answer::Answer;
use super::interrupt::Running;
use super::lake::LakeOfFolder;
use super::register::{Register, saved_in};
use super::saved::{self, Asked, Found, Wanted, from_description};
use super::server::Server;
use anyhow::Context;
use jobs::tables::{TABLES, Table};
use schema::Db;
use schema::models::SavedQuery;
use serde_json::Value;

/// Opens the database.
pub type OpenDb<'d> = &'d dyn Fn() -> anyhow::Result<Db>;

pub enum Way<'d> {
    Register(Box<Register>),
    /// A lake needs no database; saved questions are in one.
    Lake(Box<LakeOfFolder>, OpenDb<'d>),
    Server(Server),
}

impl Way<'_> {
    /// The handle that cancels the next question.
    pub fn begin(&self) -> Running {
        match self {
            Self::Register(_) | Self::Lake(..) => Running::register(),
            Self::Server(server) => Running::Server(server.agent()),
        }
    }

    /// Sends the question. Blocks until the first rows.
    ///
    /// # Errors
    /// If the question fails, or `running` was begun for another target.
    pub fn ask(&self, running: &Running, asked: &Asked) -> anyhow::Result<Answer> {
        match (self, running) {
            (Self::Register(register), Running::Register(token)) => register.ask(token, asked),
            (Self::Lake(lake, _), Running::Register(token)) => lake.ask(token, &asked.text, &asked.values),
            (Self::Server(server), Running::Server(agent)) => server.ask(agent, &asked.text, &asked.values),
            _ => anyhow::bail!("internal error: the query was prepared for another target"),
        }
    }

    /// Finds a saved question and builds the question from it.
    ///
    /// # Errors
    /// If there is no such question, its values are refused, or the target fails.
    pub fn saved(&self, wanted: &Wanted<'_>) -> anyhow::Result<Asked> {
        saved::run(wanted, self.find(wanted.name, wanted.version)?)
    }

    /// Builds the question from a statement of the prompt: SQL, or `@NAME`.
    ///
    /// # Errors
    /// The errors of [`Self::saved`], and a wrong form of `@NAME`.
    pub fn parse(&self, statement: &str) -> anyhow::Result<Asked> {
        match saved::named_query(statement)? {
            Some(wanted) => self.saved(&wanted),
            None => Ok(Asked { title: String::new(), text: statement.to_owned(), values: Vec::new() }),
        }
    }

    fn find(&self, name: &str, version: Option<i32>) -> anyhow::Result<Option<Found>> {
        match self {
            Self::Register(register) => from_database(register.saved(name, version)?),
            Self::Lake(_, open) => {
                let db = open().with_context(|| format!("the database that holds the saved question @{name}"))?;
                from_database(saved_in(&db, name, version)?)
            }
            Self::Server(server) => match server.saved(name, version)? {
                Value::Null => Ok(None),
                document => from_description(&document).map(Some),
            },
        }
    }

    /// The tables that may be asked. A server knows better than its client what the token may read, so all are listed.
    pub fn tables(&self) -> Vec<&'static Table> {
        let is_shown = |one: &&'static Table| match self {
            Self::Register(register) => register.shows(one),
            Self::Lake(lake, _) => lake.shows(one),
            Self::Server(_) => true,
        };
        TABLES.iter().copied().filter(is_shown).collect()
    }

    /// Whether the next run has other pseudonyms.
    pub fn has_temporary_key(&self) -> bool {
        matches!(self, Self::Register(register) if register.has_temporary_key())
    }
}

/// A question as the database holds it.
fn from_database(query: Option<SavedQuery>) -> anyhow::Result<Option<Found>> {
    let Some(query) = query else { return Ok(None) };
    let parameters = query.query_parameters()?;
    let title = format!("-- saved question {}, version {}\n", query.name, query.version);
    Ok(Some(Found { title, text: query.text, parameters }))
}
