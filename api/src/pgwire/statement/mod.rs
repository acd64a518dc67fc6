//! What a client's statement is: a question for the engine, or a command about its session.
//!
//! Clients send such commands when they connect, begin a transaction or return a connection to a pool. The tables
//! never change within a question, so that a transaction needs nothing; the session only tracks its state.

mod command;
mod split;

pub use command::{Command, Setting};
pub use split::split;

use crate::sql::Description;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// A statement.
#[derive(Debug, Clone)]
pub enum Statement {
    Command(Command),
    Question(Arc<Question>),
}

/// A question, with its description once a client or a parameter needed it.
#[derive(Debug)]
pub struct Question {
    pub text: String,
    pub description: OnceCell<Description>,
}

impl Statement {
    /// # Errors
    /// For a command that is refused here: the message says why.
    pub fn of(text: &str) -> Result<Self, String> {
        Ok(match Command::of(text)? {
            Some(command) => Self::Command(command),
            None => Self::Question(Arc::new(Question { text: text.to_owned(), description: OnceCell::new() })),
        })
    }
}
