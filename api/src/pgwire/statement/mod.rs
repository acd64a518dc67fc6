//! Distinguishes the statements of clients: questions for the engine, and commands about the session.
//!
//! Clients send such commands when they connect, begin a transaction or return a connection to a pool. The tables
//! never change within a question, so a transaction needs no work: the session only tracks its state.

mod command;
mod cursor;
mod split;
mod words;

pub use command::{Command, Setting};
pub use cursor::{Declaration, Fetch};
pub use split::split;

use crate::sql::Description;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// A statement.
#[derive(Debug, Clone)]
pub enum Statement {
    Command(Command),
    Question(Arc<Question>),
    /// A cursor, whose question is asked at its first `FETCH`.
    Declaration(Declaration),
}

/// A question. Its description is made when a client or a parameter first needs it.
#[derive(Debug)]
pub struct Question {
    pub text: String,
    pub description: OnceCell<Description>,
}

impl Statement {
    /// # Errors
    /// For a command that is refused here: the message says why.
    pub fn of(text: &str) -> Result<Self, String> {
        if let Some(declaration) = Declaration::of(text)? {
            return Ok(Self::Declaration(declaration));
        }
        Ok(match Command::of(text)? {
            Some(command) => Self::Command(command),
            None => Self::Question(Arc::new(Question { text: text.to_owned(), description: OnceCell::new() })),
        })
    }

    /// The question that is asked now, or later by a cursor.
    pub fn question(&self) -> Option<&Arc<Question>> {
        match self {
            Self::Command(_) => None,
            Self::Question(question) => Some(question),
            Self::Declaration(declaration) => Some(&declaration.question),
        }
    }
}
